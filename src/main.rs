//! The `blackstart` program: everything is in the library.

fn main() -> std::process::ExitCode {
    blackstart::cli::main()
}
