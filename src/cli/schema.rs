//! `blackstart schema`: JSON Schema for editors.

use crate::cli::error::{CliError, Exit};
use crate::cli::printer;
use crate::load::{self, Which};
use clap::{Args, ValueEnum};

/// Print the JSON Schema of a runbook, an inventory, a scenario or a policy.
#[derive(Debug, Args)]
pub struct Verb {
    /// Of which file.
    #[arg(value_enum, value_name = "FILE")]
    of: Of,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Of {
    Runbook,
    Inventory,
    Scenario,
    Policy,
}

/// Prints it.
pub fn carry_out(verb: &Verb) -> Result<Exit, CliError> {
    printer::json(&load::schema(match verb.of {
        Of::Runbook => Which::Runbook,
        Of::Inventory => Which::Inventory,
        Of::Scenario => Which::Scenario,
        Of::Policy => Which::Policy,
    }))?;
    Ok(Exit::Completed)
}
