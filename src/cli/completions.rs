//! `blackstart completions`: a script for a shell.

use crate::cli::error::{CliError, Exit};
use crate::cli::{args, printer};
use clap::CommandFactory;

/// Print a completion script for a shell.
#[derive(Debug, clap::Args)]
pub struct Verb {
    /// The shell.
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// Prints it.
pub fn carry_out(verb: &Verb) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(verb.shell, &mut args::Args::command(), "blackstart", &mut script);
    printer::data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Completed)
}
