//! The `reviver` command.

fn main() -> std::process::ExitCode {
    reviver::cli::main()
}
