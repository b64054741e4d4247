//! What a component's code alone tells: every instruction of its core modules is looked at, and nothing of it is run.
//!
//! The engine is configured against each source of chance that a guest could have: only the contract links, threads and
//! relaxed SIMD do not compile, NaN is made canonical, memory that cannot grow ends the call, fuel and not the clock ends an
//! answer, and every question has a fresh instance. The verdict says which of these the plugin needs at all. It is about
//! chance between runs; what an answer may depend on besides its question is for the other laws.

use super::Subject;
use super::verdict::{Law, Tally, Verdict};
use crate::runtime::inspect;
use wasmparser::{Operator, Parser, Payload, TypeRef};

/// What was counted in the core modules of a component.
#[derive(Default, Debug, PartialEq, Eq)]
struct Code {
    modules: usize,
    instructions: u64,
    floats: u64,
    grows: u64,
    threads: u64,
    relaxed: u64,
    shared: usize,
    memories: usize,
}

/// Looks through a component.
#[must_use]
pub fn purity(subject: &Subject, component: &[u8]) -> Verdict {
    let mut tally = Tally::new(Law::Purity);
    match inspect(component) {
        Ok(inspection) => {
            tally.test(None);
            let imports = match inspection.imports.len() {
                0 => "it imports nothing".to_owned(),
                _ => format!("it imports the contract alone: {}", inspection.imports.join(", ")),
            };
            tally.note(imports);
        }
        Err(kind) => tally.test(Some(kind.to_string())),
    }
    match code(component) {
        Ok(code) => judge(&code, subject, &mut tally),
        Err(error) => tally.test(Some(format!("its code cannot be read: {error}"))),
    }
    tally.verdict()
}

fn judge(code: &Code, subject: &Subject, tally: &mut Tally) {
    let Code { modules, instructions, floats, grows, threads, relaxed, shared, memories } = code;
    let found = |number: u64, what: &str| (number > 0).then(|| format!("{number} {what}"));
    tally.test(found(*threads, "instructions for threads, whose order is chance"));
    tally.test(found(*relaxed, "relaxed SIMD instructions, whose result is the processor's choice"));
    tally.test(found(*shared as u64, "shared memories"));
    tally.note(format!(
        "{instructions} instructions in {modules} core modules: no threads, no shared memory, no relaxed SIMD"
    ));
    tally.note(match floats {
        0 => "no floating-point instruction".to_owned(),
        _ => format!("{floats} floating-point instructions; the engine makes every NaN the same one"),
    });
    let limits = &subject.source.limits;
    tally.note(format!(
        "{memories} memories, {grows} places that grow one: beyond {} bytes the call ends instead of failing to grow",
        limits.memory
    ));
    tally.note(format!("{} units of fuel end a call, and the clock never changes an answer", limits.fuel));
}

fn code(component: &[u8]) -> Result<Code, wasmparser::BinaryReaderError> {
    let mut code = Code::default();
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::Version { encoding: wasmparser::Encoding::Module, .. } => code.modules += 1,
            Payload::MemorySection(section) => {
                for memory in section {
                    code.memories += 1;
                    code.shared += usize::from(memory?.shared);
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    if let TypeRef::Memory(memory) = import?.ty {
                        code.shared += usize::from(memory.shared);
                    }
                }
            }
            Payload::CodeSectionEntry(body) => {
                for operator in body.get_operators_reader()? {
                    code.count(&operator?);
                }
            }
            _ => {}
        }
    }
    Ok(code)
}

impl Code {
    fn count(&mut self, operator: &Operator<'_>) {
        self.instructions += 1;
        let (proposal, visitor) = kind(operator);
        match proposal {
            "threads" | "shared_everything_threads" => self.threads += 1,
            "relaxed_simd" => self.relaxed += 1,
            _ => {}
        }
        self.floats += u64::from(visitor.contains("f32") || visitor.contains("f64"));
        self.grows += u64::from(matches!(operator, Operator::MemoryGrow { .. }));
    }
}

macro_rules! kinds {
    ($( @$proposal:ident $operator:ident $({ $($argument:ident: $type:ty),* })? => $visitor:ident ($($annotation:tt)*) )*) => {
        /// The proposal that an instruction belongs to, and the name that the parser visits it by.
        fn kind(operator: &Operator<'_>) -> (&'static str, &'static str) {
            match operator {
                $( Operator::$operator { .. } => (stringify!($proposal), stringify!($visitor)), )*
                // The parser knows no instruction that is not in its list.
                _ => ("", ""),
            }
        }
    };
}
wasmparser::for_each_operator!(kinds);

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(body: &str, memory: &str) -> Code {
        let text = format!(
            "(component (core module (memory {memory})
                (func (param i32 f32 v128) (result i32) (local f64) {body} i32.const 0)))"
        );
        code(&wat::parse_str(text).unwrap()).unwrap()
    }

    #[test]
    fn what_could_be_chance_is_counted() {
        let plain = counted("i32.const 1 memory.grow drop", "1");
        assert_eq!((plain.modules, plain.memories, plain.grows), (1, 1, 1));
        assert_eq!((plain.floats, plain.threads, plain.relaxed, plain.shared), (0, 0, 0, 0));
        assert_eq!(counted("f32.const 1 drop local.get 1 local.get 1 f32.add drop", "1").floats, 2);
        assert_eq!(counted("i32.const 0 i32.atomic.load drop", "1 1 shared").threads, 1);
        assert_eq!(counted("", "1 1 shared").shared, 1);
        let relaxed = "local.get 2 local.get 2 i8x16.relaxed_swizzle drop";
        assert_eq!(counted(relaxed, "1").relaxed, 1);
        assert!(code(b"\0asm").is_err());
    }
}
