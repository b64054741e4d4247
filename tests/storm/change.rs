//! What happens between two compilations.

use crate::Storm;
use crate::asked::{DEPENDENCIES, DIRECTORIES, FORMS, NAMES, OPTIONS, VARIABLES, sources};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

impl Storm {
    /// Changes something: a header half of the time, else the source or how the compilation is asked for.
    pub(crate) fn change(&mut self) {
        match self.dice.below(32) {
            0..=5 => self.write_header(),
            6 | 7 => self.remove_header(),
            8 => self.rename_over_header(),
            9 => self.move_header(),
            10 => self.link_header(),
            11 => self.make_directory_of_header(),
            12 => self.touch(),
            13 => self.turn_link(),
            14 => self.swap_directories(),
            15 | 16 => self.edit_white_space(),
            17 | 18 => self.rewrite_unseen(),
            19 => self.rewrite_quickly(),
            20 => {
                let name = self.asked.source;
                self.source(name);
            }
            21 => self.wrapper(),
            22 => self.rest(),
            _ => self.ask_otherwise(),
        }
    }

    fn ask_otherwise(&mut self) {
        match self.dice.below(9) {
            0 => self.asked.wrapped = !self.asked.wrapped,
            1 | 2 => {
                self.asked.options = self.dice.one(&OPTIONS).to_vec();
                if self.dice.once_in(2) {
                    self.asked.options.extend(self.dice.one(&OPTIONS));
                }
            }
            3 => self.asked.dependencies = self.dice.one(&DEPENDENCIES),
            4 => {
                let (name, values) = self.dice.one(&VARIABLES);
                if self.asked.variables.remove(name).is_none() {
                    let value = self.dice.one(values);
                    self.asked.variables.insert(name, value);
                }
            }
            5 => {
                self.asked.below = self.dice.once_in(3);
                self.asked.by_link = self.dice.once_in(3);
            }
            6 => self.asked.form = self.dice.one(&FORMS),
            7 => self.asked.source = self.dice.one(sources(self.asked.compiler)),
            _ => self.asked.umask = self.dice.one(&["022", "002", "077"]),
        }
    }

    fn any_header(&mut self) -> (&'static str, &'static str, PathBuf) {
        let (directory, name) = (self.dice.one(&DIRECTORIES), self.dice.one(&NAMES));
        (directory, name, self.at(directory).join(name))
    }

    fn write_header(&mut self) {
        let (directory, name, path) = self.any_header();
        let text = self.header(name);
        clear(&path);
        fs::write(&path, &text).unwrap();
        self.note(format!("write {directory}/{name} {text:?}"));
    }

    fn remove_header(&mut self) {
        let (directory, name, path) = self.any_header();
        clear(&path);
        self.note(format!("remove {directory}/{name}"));
    }

    fn rename_over_header(&mut self) {
        let (directory, name, path) = self.any_header();
        let (text, beside) = (self.header(name), self.at("beside"));
        fs::write(&beside, &text).unwrap();
        if path.is_dir() {
            clear(&path);
        }
        fs::rename(beside, &path).unwrap();
        self.note(format!("rename over {directory}/{name} {text:?}"));
    }

    fn move_header(&mut self) {
        let (directory, name, path) = self.any_header();
        let to = self.dice.one(&DIRECTORIES);
        let other = self.at(to).join(name);
        if path != other && path.exists() {
            clear(&other);
            fs::rename(&path, &other).unwrap();
            self.note(format!("move {directory}/{name} to {to}"));
        }
    }

    fn link_header(&mut self) {
        let (directory, name, path) = self.any_header();
        let (to, other) = (self.dice.one(&DIRECTORIES), self.dice.one(&NAMES));
        clear(&path);
        symlink(self.at(to).join(other), &path).unwrap();
        self.note(format!("link {directory}/{name} to {to}/{other}"));
    }

    fn make_directory_of_header(&mut self) {
        let (directory, name, path) = self.any_header();
        clear(&path);
        fs::create_dir(&path).unwrap();
        self.note(format!("directory {directory}/{name}"));
    }

    /// Other permissions, and times of long ago or of the future.
    fn touch(&mut self) {
        let Some(path) = self.any_file() else { return };
        let (mode, time) = (
            self.dice.one(&[0o644, 0o755, 0o600]),
            self.dice.one(&["2001-01-01", "2002-01-01", "2040-01-01"]),
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        Command::new("touch").args(["-d", time]).arg(&path).status().unwrap();
        self.note(format!("touch and chmod {} {mode:o} {time}", path.display()));
    }

    fn turn_link(&mut self) {
        let target = self.dice.one(&["inc2", "quoted", "after", "nowhere"]);
        clear(&self.at("link"));
        symlink(target, self.at("link")).unwrap();
        self.note(format!("link to {target}"));
    }

    fn swap_directories(&mut self) {
        fs::rename(self.at("inc1"), self.at("swap")).unwrap();
        fs::rename(self.at("inc2"), self.at("inc1")).unwrap();
        fs::rename(self.at("swap"), self.at("inc2")).unwrap();
        self.note("swap inc1 and inc2".to_owned());
    }

    /// A header or the source, if there is a file of that name.
    fn any_file(&mut self) -> Option<PathBuf> {
        let (_, _, header) = self.any_header();
        let source = self.at("src").join(self.asked.source);
        let path = if self.dice.once_in(3) { source } else { header };
        path.is_file().then_some(path)
    }

    /// More or less white space, or a remark, in front, in between or behind.
    fn edit_white_space(&mut self) {
        let Some(path) = self.any_file() else { return };
        let text = fs::read_to_string(&path).unwrap();
        let text = match self.dice.below(6) {
            0 => format!("\n{text}"),
            1 => format!("{text}\n"),
            2 => text.replacen("#define ", "# define\t", 1),
            3 => text.replacen('\n', "  \n", 1),
            4 => format!("{text}/* a remark */\n"),
            // Back, so that texts come again.
            _ => text
                .trim_start()
                .replace("# define\t", "#define ")
                .replace("  \n", "\n")
                .replace("/* a remark */\n", ""),
        };
        fs::write(&path, &text).unwrap();
        self.note(format!("white space in {}: {text:?}", path.display()));
    }

    /// Another text of the same size, in place, and the time of last change set back to what it was.
    fn rewrite_unseen(&mut self) {
        let Some(path) = self.any_file() else { return };
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        let text = self.other_numbers(&path);
        fs::write(&path, &text).unwrap();
        fs::File::open(&path).unwrap().set_modified(time).unwrap();
        self.note(format!("rewrite with its time {}: {text:?}", path.display()));
    }

    /// Several texts of the same size, one after the other as fast as they can be written.
    fn rewrite_quickly(&mut self) {
        let Some(path) = self.any_file() else { return };
        for _ in 0..=self.dice.below(3) {
            let text = self.other_numbers(&path);
            fs::write(&path, &text).unwrap();
            self.note(format!("rewrite {}: {text:?}", path.display()));
        }
    }

    /// The text of a file with other numbers in it, of the same size.
    fn other_numbers(&mut self, path: &Path) -> String {
        let number = self.dice.one(&["1", "2", "3"]);
        let text = fs::read_to_string(path).unwrap();
        text.replace(['1', '2', '3'], number)
    }

    /// Nothing happens for so long that all that was written is old, to whole seconds too.
    fn rest(&mut self) {
        std::thread::sleep(Duration::from_millis(1100));
        self.note("rest".to_owned());
    }
}

pub(crate) fn clear(path: &Path) {
    drop(fs::remove_file(path));
    drop(fs::remove_dir_all(path));
}
