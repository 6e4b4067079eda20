//! Jobs: the parts of a task that are ordered one by one, and what a host's receipt says of one.
//!
//! Every type here is on disk for ever: fields may be added with a default, never renamed or reused.

use super::names::TaskIx;
use super::outcome::Outcome;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One attempt at one phase of a task. `attempt` counts from 1 for each task and kind, over all resumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// The task.
    pub task: TaskIx,
    /// Which part of it.
    pub kind: JobKind,
    /// Which try.
    pub attempt: u32,
}

/// The parts of a task that are ordered one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Is it already so? Read-only.
    Check,
    /// Keep the present state for undo. Read-only.
    Snapshot,
    /// The action itself (script, upload, fetch or probe). May change something; claims a receipt.
    Run,
    /// Did it work? Read-only.
    Verify,
    /// Take it back. May change something; claims a receipt.
    Undo,
    /// What became of the newest `Run` whose end was not seen? Read-only, but waits for a job that still runs.
    ResolveRun,
    /// What became of the newest `Undo` whose end was not seen?
    ResolveUndo,
    /// Arms the guard of the `Run` that follows.
    Arm,
    /// Proves the way back over a fresh connection, and asks the guard to give way or what it has done.
    Confirm,
    /// Do all probes go on agreeing, for as long as the step's `watch` says? Read-only.
    Watch,
    /// Lay the script ready on the host, where it waits for one short line to start. Changes nothing, claims nothing.
    Stage,
}

/// What a host's receipt says about an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// The receipts are intact and hold no claim: it never started, and now never can (the claim is spent).
    NeverStarted,
    /// It started and ended like this. Never `Unknown` and never `NotStarted`.
    Ended(Outcome),
    /// The host was reached and cannot tell (receipts lost, host restarted before they were on disk).
    NoReceipt {
        /// Why, for a person.
        because: String,
    },
    /// The host could not be asked.
    NotReached {
        /// Why, for a person.
        because: String,
        /// May another try do better?
        try_again: bool,
    },
}

impl JobKind {
    /// The word used in file names, on the screen and in reports.
    pub fn word(self) -> &'static str {
        match self {
            JobKind::Check => "check",
            JobKind::Snapshot => "snapshot",
            JobKind::Run => "run",
            JobKind::Verify => "verify",
            JobKind::Undo => "undo",
            JobKind::ResolveRun => "resolve",
            JobKind::ResolveUndo => "resolve-undo",
            JobKind::Arm => "arm",
            JobKind::Confirm => "confirm",
            JobKind::Watch => "watch",
            JobKind::Stage => "stage",
        }
    }
    /// May it change something on a host? Then it claims a receipt there.
    pub fn may_change(self) -> bool {
        matches!(self, JobKind::Run | JobKind::Undo)
    }
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
