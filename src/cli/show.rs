//! `blackstart show`: what happened in a run.

use crate::cli::args::{Args, Format};
use crate::cli::error::{CliError, Exit};
use crate::cli::{files, printer};
use crate::report::{self, Timeline};
use std::sync::Arc;

/// Show what happened in a run.
#[derive(Debug, clap::Args)]
pub struct Verb {
    /// The run: the beginning of its id, or `last`.
    #[arg(value_name = "RUN", default_value = "last")]
    run: String,
    /// Every task, job and connection, instead of what matters.
    #[arg(long)]
    all: bool,
    /// json: the recap as an object on stdout.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Tells the run from its journal.
pub fn carry_out(verb: &Verb, args: &Args) -> Result<Exit, CliError> {
    let dir = files::run(args, &verb.run)?;
    let (plan, _) = dir.read_plan()?;
    let plan = Arc::new(plan);
    let records = dir.read()?.records;
    let illegal =
        |illegal| CliError::with(Exit::Journal, format!("{}: {illegal}", dir.journal_path().display()));
    match verb.format {
        Format::Text => {
            let events = records.into_iter().map(|record| (record.at, record.event));
            let look = printer::look(args, &dir)?;
            printer::data(&report::show(plan, events, &look, verb.all).map_err(illegal)?)?;
        }
        Format::Json => {
            let events: Vec<_> = records.into_iter().map(|record| (record.at, record.event)).collect();
            let told = Timeline::of(plan, &events).map_err(illegal)?;
            printer::json(&report::recap_json(&told))?;
        }
    }
    Ok(Exit::Completed)
}
