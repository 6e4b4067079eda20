//! `blackstart verify`: is the journal whole and unaltered?

use crate::cli::args::{Args, Format};
use crate::cli::error::{CliError, Exit};
use crate::cli::{files, printer};
use crate::drive::approvals;
use crate::journal::{Hash, Read, RunDir};
use crate::model::Event;
use crate::report::{Timeline, escape};
use std::sync::Arc;

/// Check a run's journal, hash by hash, and print its head.
#[derive(Debug, clap::Args)]
pub struct Verb {
    /// The run: the beginning of its id, or `last`.
    #[arg(value_name = "RUN", default_value = "last")]
    run: String,
    /// json: the same as an object on stdout.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Checks the chain, the plan's hash, and that every event follows from those before it.
pub fn carry_out(verb: &Verb, args: &Args) -> Result<Exit, CliError> {
    let dir = files::run(args, &verb.run)?;
    let Proven { hash, read, signed, timeline: _ } = prove(&dir)?;
    let records = read.records.len();
    match verb.format {
        Format::Json => printer::json(&serde_json::json!({
            "run": dir.id(), "records": records, "head": read.head.as_str(), "plan": hash.as_str(),
            "torn_bytes": read.torn_tail, "whole": true, "signatures": signed,
        }))?,
        Format::Text => {
            let torn = read.torn_tail.map_or(String::new(), |bytes| {
                format!(
                    "torn   {bytes} bytes of a record that was never committed; `resume` sets them aside\n"
                )
            });
            let signatures = match signed {
                0 => String::new(),
                1 => "1 signed approval, its signature holds\n".to_owned(),
                many => format!("{many} signed approvals, every signature holds\n"),
            };
            printer::data(&format!(
                "run    {}\nplan   {}\nhead   {}\n{torn}{records} records, every hash fits, every event follows from those before it\n{signatures}\
                 Write the head down or sign it elsewhere: whoever holds it can tell whether this journal was altered.",
                dir.id(),
                hash.as_str(),
                read.head.as_str()
            ))?;
        }
    }
    Ok(Exit::Completed)
}

/// A run whose chain is whole, whose events follow from each other, and whose signatures hold.
pub(super) struct Proven {
    /// The plan's hash.
    pub(super) hash: Hash,
    /// The journal.
    pub(super) read: Read,
    /// How many approvals are signed.
    pub(super) signed: u32,
    /// What its events add up to.
    pub(super) timeline: Timeline,
}

/// Reads a run and trusts nothing in it.
pub(super) fn prove(dir: &RunDir) -> Result<Proven, CliError> {
    let (plan, hash) = dir.read_plan()?;
    let read = dir.read()?;
    let mut timeline = Timeline::new(Arc::new(plan));
    let mut signed = 0;
    for record in &read.records {
        let place = || format!("{}:{}", dir.journal_path().display(), record.seq + 1);
        if let Event::Answered { answer } = &record.event
            && answer.signed.is_some()
        {
            approvals::check(&timeline.state, answer, record.at).map_err(|why| {
                let what = format!("{}: the signature of {}: {why}", place(), answer.by);
                CliError::with(Exit::Journal, escape::line(&what))
                    .hint("the chain is whole, but this answer was not given by whom it says")
            })?;
            signed += 1;
        }
        timeline.take(record.at, &record.event).map_err(|illegal| {
            CliError::with(Exit::Journal, format!("{}: {illegal}", place()))
                .hint("the chain is whole, but no run of blackstart goes like this")
        })?;
    }
    Ok(Proven { hash, read, signed, timeline })
}
