//! `blackstart man`: manual pages, one a verb.

use crate::cli::args;
use crate::cli::error::{CliError, Exit};
use crate::cli::printer;
use clap::CommandFactory;
use std::path::PathBuf;

/// Write the manual pages.
#[derive(Debug, clap::Args)]
pub struct Verb {
    /// The directory to write them to, such as /usr/local/share/man/man1; it must exist.
    #[arg(value_name = "DIR")]
    to: PathBuf,
}

/// Writes them.
pub fn carry_out(verb: &Verb) -> Result<Exit, CliError> {
    clap_mangen::generate_to(args::Args::command(), &verb.to)
        .map_err(|error| CliError::usage(format!("cannot write to `{}`: {error}", verb.to.display())))?;
    printer::data(&format!("manual pages written to {}", verb.to.display()))?;
    Ok(Exit::Completed)
}
