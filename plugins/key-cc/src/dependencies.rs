//! The options that ask for a depfile, in all their spellings.

use crate::depfile::Wish;
use crate::driver::{file_name, with_suffix};

/// What was asked for.
#[derive(Default, Debug)]
pub(crate) struct Dependencies {
    /// Whether system headers too are wanted, where there is to be a depfile at all.
    all: Option<bool>,
    by_preprocessor: bool,
    /// Whether `-Wp,` says more than clang heeds.
    for_gcc: bool,
    path: Option<String>,
    targets: Vec<String>,
    phony: bool,
}

impl Dependencies {
    /// `-MD`, `-MMD` and `-MP`.
    pub(crate) fn option(&mut self, argument: &str) -> Result<(), String> {
        if argument == "-MP" {
            self.phony = true;
            return Ok(());
        }
        let all = argument == "-MD";
        match self.all.replace(all) {
            Some(before) if before != all || self.by_preprocessor => {
                Err(format!("`{argument}` asks for a second depfile"))
            }
            _ => Ok(()),
        }
    }

    /// `-MF`.
    pub(crate) fn path(&mut self, path: &str) -> Result<(), String> {
        if self.path.replace(path.to_owned()).is_some() {
            return Err("there are several `-MF`".to_owned());
        }
        if path == "-" || path.starts_with("/dev/") {
            return Err(format!("`-MF {path}` is no file"));
        }
        Ok(())
    }

    /// `-MT` and `-MQ`.
    pub(crate) fn target(&mut self, option: &str, target: &str) -> Result<(), String> {
        if target.contains(':') {
            return Err(format!("`{option} {target}` makes a depfile that cannot be read back"));
        }
        self.targets.extend([option.to_owned(), target.to_owned()]);
        Ok(())
    }

    /// What `-Wp,` passes of these, as in `-Wp,-MMD,FILE`; the options themselves as they enter the key, without the path.
    pub(crate) fn passed(&mut self, argument: &str, list: &str) -> Result<Vec<String>, String> {
        let mut texts = Vec::new();
        let mut values = list.split(',');
        let mut first = true;
        while let Some(option) = values.next() {
            let mut value = || {
                let value = values.next().filter(|value| !value.is_empty() && !value.starts_with('-'));
                value.ok_or_else(|| format!("`{argument}` lacks the value of `{option}`"))
            };
            texts.push(format!("-Wp,{option}"));
            match option {
                "-MD" | "-MMD" => {
                    if self.all.is_some() {
                        return Err(format!("`{argument}` asks for a second depfile"));
                    }
                    self.by_preprocessor = true;
                    self.all = Some(option == "-MD");
                    self.path(value()?)?;
                }
                "-MT" | "-MQ" => {
                    let target = value()?;
                    self.target(option, target)?;
                    texts.push(target.to_owned());
                }
                "-MP" => self.phony = true,
                _ => return Err(format!("`{argument}` passes more than a file to the preprocessor")),
            }
            // clang reads `-Wp,-MD,FILE` itself, and only where it is just that.
            self.for_gcc |= !first || !matches!(option, "-MD" | "-MMD");
            first = false;
        }
        Ok(texts)
    }

    /// Texts of what a compiler that makes no depfile may complain about.
    pub(crate) fn unheeded(&self) -> Option<String> {
        self.path.as_ref().map(|path| format!("-MF {path}"))
    }

    /// Whether any of this was passed by `-Wp,`.
    pub(crate) const fn is_passed(&self) -> bool {
        self.by_preprocessor || self.for_gcc
    }

    /// The depfile that is to be made beside this object.
    pub(crate) fn finish(self, object: &str) -> Result<Option<Wish>, String> {
        let Self { all, by_preprocessor, for_gcc, path, targets, phony } = self;
        let Some(all) = all else {
            return if path.is_some() || phony || !targets.is_empty() {
                Err("`-MF`, `-MT`, `-MQ` or `-MP` stands without `-MD` and `-MMD`".to_owned())
            } else {
                Ok(None)
            };
        };
        if object.contains(':') {
            return Err(format!("`{object}` makes a depfile that cannot be read back"));
        }
        let name = file_name(object);
        if path.is_none() && name.starts_with('.') && !name[1..].contains('.') {
            return Err(format!("where the depfile of `{object}` goes is the compiler's affair"));
        }
        let path = path.unwrap_or_else(|| with_suffix(object, "d"));
        if path == object {
            return Err(format!("`{object}` is the object and the depfile"));
        }
        Ok(Some(Wish { all, path, targets, phony, by_preprocessor, for_gcc }))
    }
}
