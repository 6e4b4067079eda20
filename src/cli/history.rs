//! `blackstart history`: all runs by runbook, and how each objective went from run to run.

use crate::cli::args::{Args, Format};
use crate::cli::error::{CliError, Exit};
use crate::cli::{past, printer};
use crate::report::past::{Past, history, history_json, history_of};

/// Show all runs by runbook, and the trend of each objective.
#[derive(Debug, clap::Args)]
pub struct Verb {
    /// Only this runbook: its name.
    #[arg(value_name = "RUNBOOK")]
    runbook: Option<String>,
    /// json: every run and every number as an object on stdout.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Prints it, runs newest first.
pub fn carry_out(verb: &Verb, args: &Args) -> Result<Exit, CliError> {
    let runs: Vec<Past> = past::read_all(args)?.into_iter().map(|(_, past)| past).collect();
    if let Some(wanted) = &verb.runbook {
        known(wanted, &runs)?;
    }
    let told = history_of(&runs, verb.runbook.as_deref());
    match verb.format {
        Format::Json => printer::json(&history_json(&told))?,
        Format::Text => printer::data(&history(&told, &printer::look_of_stdout(args)))?,
    }
    Ok(Exit::Completed)
}

/// Is there a run of this runbook?
fn known(wanted: &str, runs: &[Past]) -> Result<(), CliError> {
    let names: std::collections::BTreeSet<&str> =
        runs.iter().filter_map(|past| Some(past.shown.as_ref().ok()?.runbook.as_str())).collect();
    if names.contains(wanted) {
        return Ok(());
    }
    let error = CliError::usage(format!("no run is of a runbook called `{wanted}`"));
    Err(match crate::model::problem::nearest(wanted, names.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`blackstart history` shows those of all runbooks"),
    })
}
