//! `blackstart report`: the report of a run, as a file for people or machines.

use crate::cli::args::Args;
use crate::cli::error::{CliError, Exit};
use crate::cli::{files, printer};
use crate::drive::clock::Clock;
use crate::journal::RunDir;
use crate::model::{Event, Time};
use crate::report::story::ledger::Journal;
use crate::report::story::{self, Lang, Says, Telling};
use clap::ValueEnum;
use jiff::tz::TimeZone;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;

/// Write the report of a run.
#[derive(Debug, clap::Args)]
pub struct Verb {
    /// The run: the beginning of its id, or `last`.
    #[arg(value_name = "RUN", default_value = "last")]
    run: String,
    /// html: one self-contained file. md: for tickets. json: everything, see docs/REPORT.md. junit: tasks as tests. By
    /// default html, and md on a terminal.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Also tell what took longer than in this earlier run.
    #[arg(long, value_name = "RUN")]
    compare: Option<String>,
    /// The language of its words.
    #[arg(long, value_enum, default_value_t)]
    lang: Language,
    /// Write to this file instead of stdout.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For people: a page to read, print and keep.
    Html,
    /// Markdown.
    Md,
    /// The whole story as an object.
    Json,
    /// JUnit XML: phases as suites, tasks as cases.
    Junit,
}

#[derive(Debug, Clone, Copy, ValueEnum, Default)]
pub(super) enum Language {
    /// English.
    #[default]
    En,
    /// Japanese, with a draft of the first incident report.
    Ja,
}

impl Language {
    pub(super) fn lang(self) -> Lang {
        match self {
            Language::En => Lang::En,
            Language::Ja => Lang::Ja,
        }
    }
}

/// Tells the run from its plan and its journal, and writes it.
pub fn carry_out(verb: &Verb, args: &Args) -> Result<Exit, CliError> {
    let dir = files::run(args, &verb.run)?;
    let says = Says { lang: verb.lang.lang(), zone: TimeZone::system() };
    let mut story = tell(&dir, &says)?;
    if let Some(earlier) = &verb.compare {
        let earlier = tell(&files::run(args, earlier)?, &says)?;
        story.compared = Some(story::compare(&story, &earlier));
    }
    let plain = is_read_at_once(verb.out.as_deref());
    let text = match verb.format.unwrap_or(if plain { Format::Md } else { Format::Html }) {
        Format::Html => story::html(&story, &says),
        Format::Md => story::markdown(&story, &says),
        Format::Json => story::json(&story),
        Format::Junit => story::junit(&story, &says),
    };
    write(verb.out.as_deref(), &text)?;
    Ok(Exit::Completed)
}

/// A run as a story.
pub(super) fn tell(dir: &RunDir, says: &Says) -> Result<story::Story, CliError> {
    // Asked before reading: a run that ends in between is then told as one that goes on, up to its last event.
    let carried_on = dir.held_by().is_some();
    let (plan, hash) = dir.read_plan()?;
    let read = dir.read()?;
    let journal = Journal {
        plan: hash.to_string(),
        head: read.head.to_string(),
        records: read.records.len() as u64,
        torn_bytes: read.torn_tail.filter(|_| !carried_on),
    };
    let events: Vec<(Time, Event)> =
        read.records.into_iter().map(|record| (record.at, record.event)).collect();
    let telling = Telling {
        plan: Arc::new(plan),
        events: &events,
        journal,
        carried_on,
        now: Clock::start(Time(0)).now(),
    };
    story::tell(telling, says).map_err(|illegal| {
        CliError::with(Exit::Journal, format!("{}: {illegal}", dir.journal_path().display()))
    })
}

/// Does a person read it on a terminal? The source of a web page would scroll away what they looked for.
pub(super) fn is_read_at_once(out: Option<&std::path::Path>) -> bool {
    out.is_none() && console::user_attended()
}

/// Reports name hosts and quote what they print: a new one is its writer's alone, who may share it.
const REPORT_MODE: u32 = 0o600;

/// Writes to a file, or to stdout. A file that is there keeps its mode.
pub(super) fn write(out: Option<&std::path::Path>, text: &str) -> Result<(), CliError> {
    match out {
        None => Ok(printer::data(text)?),
        Some(path) => OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(REPORT_MODE)
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| {
                CliError::with(Exit::Unexpected, format!("cannot write {}: {error}", path.display()))
            }),
    }
}
