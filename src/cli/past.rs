//! Reads all runs of the store, each once, and proves each before it counts as showing anything.

use crate::cli::args::Args;
use crate::cli::error::CliError;
use crate::cli::files;
use crate::cli::verify::{Proven, prove};
use crate::drive::clock::Clock;
use crate::journal::RunDir;
use crate::model::Time;
use crate::report::past::{Past, Shown};
use crate::report::story::ledger::Journal;
use crate::report::story::{Lang, Says};
use jiff::tz::TimeZone;

/// All runs, oldest first, with their directories. A directory that cannot be read is among them, with the reason.
pub fn read_all(args: &Args) -> Result<Vec<(RunDir, Past)>, CliError> {
    let Some(store) = files::store_if_any(args)? else { return Ok(Vec::new()) };
    let now = Clock::start(Time(0)).now();
    let says = Says { lang: Lang::En, zone: TimeZone::system() };
    let ids = store.ids()?;
    let read = |at: usize| {
        let dir = store.run_named(&ids[at]);
        let shown = shown(&dir, now, &says).map(Box::new);
        let past = Past { run: files::short_among(&ids, at), id: ids[at].clone(), shown };
        (dir, past)
    };
    Ok((0..ids.len()).map(read).collect())
}

fn shown(dir: &RunDir, now: Time, says: &Says) -> Result<Shown, String> {
    // Asked before reading: a run that ends in between is then told as one that goes on.
    let held = dir.held_by();
    let Proven { hash, read, signed, timeline } = prove(dir).map_err(|error| error.what())?;
    // A copy under another name proves nothing twice, and a directory says nothing that its journal does not.
    if let Some(run) = timeline.state.run_id().filter(|run| *run != dir.id()) {
        return Err(format!("its journal is that of run {run}"));
    }
    let journal = Journal {
        plan: hash.to_string(),
        head: read.head.to_string(),
        records: read.records.len() as u64,
        torn_bytes: read.torn_tail.filter(|_| held.is_none()),
    };
    Ok(Shown::of(&timeline, journal, signed, held, now, says))
}
