//! Reads a journal and trusts nothing in it that the chain does not vouch for.

use super::damage::{Damage, diagnose};
use super::error::{JournalError, cannot};
use super::line::{Hash, JOURNAL_VERSION, Line, check, peek};
use super::run_dir::RunDir;
use crate::model::{Event, Time};

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its number, counting from 0.
    pub seq: u64,
    /// When it happened.
    pub at: Time,
    /// What it is about, for people: `step@host`.
    pub about: Option<String>,
    /// What happened.
    pub event: Event,
    /// The hash of the line, which vouches for it and all before it.
    pub hash: Hash,
}

/// A whole journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Its records. May be empty: a process can die before the first commit.
    pub records: Vec<Record>,
    /// Bytes of a last line that was never committed and counts as not written.
    pub torn_tail: Option<u64>,
    /// The hash of the last record; that of the plan if there is none.
    pub head: Hash,
    /// Bytes of the lines that count.
    pub bytes: u64,
}

/// What remains to be said of a journal when its records have been handed out one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scan {
    /// How many records there are.
    pub records: u64,
    /// As in [`Read`].
    pub torn_tail: Option<u64>,
    /// As in [`Read`].
    pub head: Hash,
    /// As in [`Read`].
    pub bytes: u64,
}

impl RunDir {
    /// Reads and verifies the journal. Needs no lock: what a live writer is just adding is a torn tail at worst.
    pub fn read(&self) -> Result<Read, JournalError> {
        let mut records = Vec::new();
        let Scan { torn_tail, head, bytes, .. } = self.scan(|record| records.push(record))?;
        Ok(Read { records, torn_tail, head, bytes })
    }

    /// Reads and verifies the journal, handing out each record as soon as it is known to be in order. Records
    /// before a damaged line are handed out too: only `Ok` says that there is none.
    pub fn scan(&self, mut each: impl FnMut(Record)) -> Result<Scan, JournalError> {
        let plan = self.plan_hash()?;
        let path = self.journal_path();
        let file = std::fs::read(&path).map_err(cannot("read", &path))?;
        let whole = memchr::memrchr(b'\n', &file).map_or(0, |newline| newline + 1);
        let (mut head, mut seq, mut start) = (plan, 0, 0);
        for newline in memchr::memchr_iter(b'\n', &file) {
            let line = &file[start..newline];
            let record = record(line, &head, seq).map_err(|trouble| match trouble {
                Trouble::PlanChanged { expected } => {
                    JournalError::PlanChanged { file: self.plan_path(), expected, found: plan.to_string() }
                }
                Trouble::Newer(found) => {
                    JournalError::Newer { file: path.clone(), found, known: JOURNAL_VERSION }
                }
                Trouble::OutOfOrder => {
                    let damage = diagnose(&file, start, line, seq);
                    JournalError::Damaged { file: path.clone(), line: seq + 1, damage }
                }
                Trouble::Senseless(because) => {
                    let damage = Damage::Senseless { because };
                    JournalError::Damaged { file: path.clone(), line: seq + 1, damage }
                }
            })?;
            (head, seq, start) = (record.hash, seq + 1, newline + 1);
            each(record);
        }
        let torn = (file.len() - whole) as u64;
        Ok(Scan { records: seq, torn_tail: (torn > 0).then_some(torn), head, bytes: whole as u64 })
    }
}

enum Trouble {
    OutOfOrder,
    PlanChanged { expected: String },
    Newer(u32),
    Senseless(String),
}

fn record(line: &[u8], prev: &Hash, expected: u64) -> Result<Record, Trouble> {
    let Some(hash) = check(line, prev) else {
        return Err(if expected == 0 { first_line_trouble(line) } else { Trouble::OutOfOrder });
    };
    match peek(line) {
        Some((version, _)) if version > JOURNAL_VERSION => return Err(Trouble::Newer(version)),
        Some((_, seq)) if seq != expected => {
            return Err(Trouble::Senseless(format!("its seq is {seq} and should be {expected}")));
        }
        Some(_) => {}
        None => return Err(Trouble::Senseless("it does not begin with version and seq".to_owned())),
    }
    // For the parser every line is line 1; ours has a number already.
    let words = |error: serde_json::Error| error.to_string().replace(" at line 1 column ", " at column ");
    let line: Line = serde_json::from_slice(line).map_err(|error| Trouble::Senseless(words(error)))?;
    match &line.event {
        Event::RunStarted { plan, .. } if expected == 0 && plan != prev.as_str() => Err(Trouble::Senseless(
            format!("it starts a run of the plan {plan}, which is not the one beside it"),
        )),
        Event::RunStarted { .. } if expected > 0 => {
            Err(Trouble::Senseless("a run starts only once".to_owned()))
        }
        _ => Ok(Record { seq: line.seq, at: line.at, about: line.about, event: line.event, hash }),
    }
}

/// A first line that fits the plan it names, but not the plan beside it, is innocent: the plan was changed.
fn first_line_trouble(line: &[u8]) -> Trouble {
    if let Ok(Line { event: Event::RunStarted { plan, .. }, .. }) = serde_json::from_slice(line)
        && Hash::parse(plan.as_bytes()).is_some_and(|plan| check(line, &plan).is_some())
    {
        return Trouble::PlanChanged { expected: plan };
    }
    Trouble::OutOfOrder
}
