//! A policy: what must be rehearsed, restored or verified how often, and which control asks for it.

use super::event::Mode;
use super::every::Every;
use super::names::{ServiceName, StepId};
use super::place::{Located, Span};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub summary: Option<String>,
    /// Whose calendar its dates are of; `None`: that of the machine.
    pub zone: Option<TimeZone>,
    /// The day since which it is in force: what was never done is due one interval later.
    pub since: Option<Date>,
    /// Where the files of runbooks are, to see whether a run is still of today's plan.
    pub runbooks: Vec<RunbookFiles>,
    /// What must be done how often, in file order: rehearsals, restorations, verifications.
    pub duties: Vec<Duty>,
    /// After-action items that must be closed in time.
    pub improve: Option<Improve>,
    /// Controls that blackstart does not know of itself.
    pub controls: Vec<OwnControl>,
}

/// The files of a runbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunbookFiles {
    /// The runbook's name, as journals have it.
    pub name: Located<String>,
    /// Its file.
    pub runbook: PathBuf,
    /// The inventory it is carried out with.
    pub inventory: PathBuf,
    /// Values of its parameters.
    pub params: BTreeMap<String, String>,
}

/// Something that must be done again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    /// What.
    pub what: What,
    /// How often.
    pub every: Every,
    /// Who sees to it.
    pub owner: Option<String>,
    /// The controls that ask for it; empty: those that ask for such things.
    pub control: Vec<Located<String>>,
    /// Where it was written.
    pub span: Span,
}

/// What must be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A runbook is rehearsed as a whole.
    Rehearse {
        /// The runbook.
        runbook: Located<String>,
        /// At least like this: what is nearer to the real thing counts too.
        mode: Mode,
        /// What it must come to.
        result: Wanted,
        /// Does a run count that was narrowed by `--limit`, `--phase` or `--until`?
        narrowed: bool,
        /// Does a run of a plan count that is not that of the runbook today?
        any_plan: bool,
    },
    /// Something is restored on real hosts, live or in a drill.
    Restore(Proof),
    /// Something is looked at on real hosts and found as it should be.
    Verify(Proof),
}

/// What a rehearsal must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// It ended, in whatever way.
    Ended,
    /// Every step came through.
    Completed,
    /// Every step came through, an objective was met and none was missed.
    Met,
}

/// By what a run proves that something was restored or verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// By what.
    pub by: ProvedBy,
    /// Only in runs of this runbook.
    pub runbook: Option<Located<String>>,
}

/// What shows that something was restored or verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProvedBy {
    /// A service that was seen down, and then up for good.
    Service(Located<ServiceName>),
    /// A backup gate that found its backup whole; restored is what stands on it.
    Backup(Located<StepId>),
    /// A step that ended well.
    Step(Located<StepId>),
}

/// After-action items that must be closed in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Improve {
    /// So long after the run that they come from.
    pub within: Every,
    /// Who sees to it.
    pub owner: Option<String>,
    /// The controls that ask for it; empty: those that ask for such things.
    pub control: Vec<Located<String>>,
    /// Runs whose items somebody says are closed.
    pub closed: Vec<Closed>,
}

/// Somebody's word that the after-action items of a run are closed: no run shows that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The run: the beginning of its id.
    pub run: Located<String>,
    /// When.
    pub on: Date,
    /// Whose word it is.
    pub by: String,
    /// What was done.
    pub note: Option<String>,
}

/// A control that blackstart does not know of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnControl {
    /// What it is called.
    pub id: Located<String>,
    /// Of which framework.
    pub framework: String,
    /// What it asks for, in a sentence.
    pub asks: String,
}

impl Duty {
    /// The runbook that it is about, if it names one.
    pub fn runbook(&self) -> Option<&Located<String>> {
        match &self.what {
            What::Rehearse { runbook, .. } => Some(runbook),
            What::Restore(proof) | What::Verify(proof) => proof.runbook.as_ref(),
        }
    }
}
