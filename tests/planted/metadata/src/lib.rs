//! A metadata plugin with the fault that its configuration asks for; with none it keeps all laws.

use reviver_sdk::{Chunk, ExitStatus, MetadataPlugin, Outcome, Stream, configuration};
use std::sync::atomic::{AtomicU8, Ordering};

/// How often this instance was asked.
static ASKED: AtomicU8 = AtomicU8::new(0);

/// Whatever is asked for.
#[derive(Debug)]
pub struct Planted;

fn fault() -> Result<String, String> {
    let configuration = configuration().map_err(|_| "no configuration")?;
    let fault = configuration.text("fault").map_err(|_| "the fault is no text")?;
    Ok(fault.unwrap_or_default().to_owned())
}

impl MetadataPlugin for Planted {
    fn encode(outcome: &Outcome) -> Result<Vec<u8>, String> {
        let fault = fault()?;
        let asked = ASKED.fetch_add(1, Ordering::Relaxed);
        let (kind, status) = match outcome.exit {
            ExitStatus::Code(code) => (0, code),
            ExitStatus::Signal(signal) => (1, signal),
        };
        let mut hunk = vec![kind, if fault == "counter" { asked } else { 0 }];
        hunk.extend(status.to_le_bytes());
        hunk.extend(outcome.started.to_le_bytes());
        hunk.extend(outcome.duration.to_le_bytes());
        hunk.extend((outcome.output.len() as u32).to_le_bytes());
        for Chunk { stream, bytes } in &outcome.output {
            hunk.push(match stream {
                Stream::Stdout => 0,
                Stream::Stderr => 1,
                Stream::Both => 2,
            });
            // The text without a line's end, as who thinks of texts would write it.
            let kept = match &bytes[..] {
                [kept @ .., b'\n'] if fault == "loses-a-byte" => kept,
                all => all,
            };
            put(&mut hunk, kept);
        }
        for (name, value) in &outcome.notes {
            put(&mut hunk, name.as_bytes());
            put(&mut hunk, value.as_bytes());
        }
        Ok(hunk)
    }

    fn decode(hunk: &[u8]) -> Result<Outcome, String> {
        let fault = fault()?;
        let mut from = Reader { left: hunk, careless: fault == "careless" };
        let kind = from.take(2)?[0];
        let status = i32::from_le_bytes(from.array()?);
        let mut outcome = Outcome::new(match kind {
            0 => ExitStatus::Code(status),
            1 => ExitStatus::Signal(status),
            _ => return Err("no kind of exit".to_owned()),
        });
        outcome.started = u64::from_le_bytes(from.array()?);
        outcome.duration = u64::from_le_bytes(from.array()?);
        for _ in 0..u32::from_le_bytes(from.array()?) {
            let stream = match from.take(1)?[0] {
                0 => Stream::Stdout,
                1 => Stream::Stderr,
                2 => Stream::Both,
                _ => return Err("no stream".to_owned()),
            };
            outcome.output.push(Chunk::new(stream, from.bytes()?));
        }
        while !from.left.is_empty() {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| "no UTF-8".to_owned());
            let name = text(from.bytes()?)?;
            outcome.notes.push((name, text(from.bytes()?)?));
        }
        Ok(outcome)
    }
}

reviver_sdk::export!(metadata: Planted);

fn put(hunk: &mut Vec<u8>, bytes: &[u8]) {
    hunk.extend((bytes.len() as u32).to_le_bytes());
    hunk.extend(bytes);
}

struct Reader<'a> {
    left: &'a [u8],
    careless: bool,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        if self.careless {
            let (taken, left) = self.left.split_at(length);
            self.left = left;
            return Ok(taken);
        }
        let (taken, left) = self.left.split_at_checked(length).ok_or("the hunk ends early")?;
        self.left = left;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        self.take(N)?.try_into().map_err(|_| "the hunk ends early".to_owned())
    }

    fn bytes(&mut self) -> Result<&'a [u8], String> {
        let length = u32::from_le_bytes(self.array()?);
        self.take(length as usize)
    }
}
