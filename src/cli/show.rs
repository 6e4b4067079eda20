//! `blackstart show`: what happened in a run.

use crate::cli::args::{Args, Format};
use crate::cli::error::{CliError, Exit};
use crate::cli::report::tell;
use crate::cli::{files, printer};
use crate::journal::RunDir;
use crate::report::story::compare::Comparison;
use crate::report::story::{self, Lang, Says};
use crate::report::{self, Timeline};
use jiff::tz::TimeZone;
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
    /// Also tell what took longer than in this earlier run.
    #[arg(long, value_name = "RUN")]
    compare: Option<String>,
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
            let mut text = report::show(plan, events, &look, verb.all).map_err(illegal)?;
            if let Some(compared) = compared(verb, args, &dir)? {
                text.push('\n');
                text.push_str(&story::compare::text(&compared, &SAYS, &look));
            }
            printer::data(&text)?;
        }
        Format::Json => {
            let events: Vec<_> = records.into_iter().map(|record| (record.at, record.event)).collect();
            let told = Timeline::of(plan, &events).map_err(illegal)?;
            let mut recap = report::recap_json(&told);
            if let Some(compared) = compared(verb, args, &dir)? {
                recap["compared"] = serde_json::to_value(compared).expect("it has only texts and numbers");
            }
            printer::json(&recap)?;
        }
    }
    Ok(Exit::Completed)
}

/// Lengths in English, as everything here; of days and times of day the comparison knows nothing.
const SAYS: Says = Says { lang: Lang::En, zone: TimeZone::UTC };

/// What took longer than in an earlier run, if one is named.
fn compared(verb: &Verb, args: &Args, dir: &RunDir) -> Result<Option<Comparison>, CliError> {
    let Some(earlier) = &verb.compare else { return Ok(None) };
    let earlier = tell(&files::run(args, earlier)?, &SAYS)?;
    Ok(Some(story::compare(&tell(dir, &SAYS)?, &earlier)))
}
