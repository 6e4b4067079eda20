//! One task as its events leave it: where it stands, what it tried, what it may have changed.

use super::guard::Guarding;
use crate::model::event::{Found, Job, JobKind, NotRun, TaskEnd, UndoEnd};
use crate::model::question::Choice;
use crate::model::{Outcome, Time};
use crate::plan::frozen::PlannedTask;

/// A task of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskState {
    pub(super) stage: Stage,
    pub(super) end: Option<TaskEnd>,
    pub(super) undo: Option<Box<UndoEnd>>,
    /// The `Run` or `Undo` attempt whose end was not seen and is not settled yet.
    pub(super) unknown: Option<Job>,
    /// Attempts so far, by kind, over all resumes.
    pub(super) attempts: [u32; KINDS],
    pub(super) tries: Tries,
    /// An attempt of `Run` ran, or nobody can tell that it did not.
    pub(super) changed: bool,
    /// What is known of the guard of its newest run.
    pub(super) guard: Option<Box<Guarding>>,
    /// The attempt of `Snapshot` that holds the state before the first change.
    pub(super) snapshot: Option<u32>,
    /// The wave of its step that it belongs to, from 0.
    pub(super) wave: u32,
    pub(super) started_at: Option<Time>,
    pub(super) ended_at: Option<Time>,
}

/// Where a task stands between its events. What follows is a function of this and the plan alone, so that a
/// process that was killed between two events decides the same when it is resumed.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// Nothing of it runs or ran since it was (re)opened.
    Idle,
    /// A job runs.
    Running {
        /// Which.
        job: Job,
        /// Since when.
        since: Time,
    },
    /// A job ended; what follows is yet to be decided.
    Ended {
        /// Which kind.
        kind: JobKind,
        /// How.
        outcome: Outcome,
    },
    /// A receipt was read that does not settle it.
    Read {
        /// What it says.
        found: Found,
    },
    /// A job will be tried again.
    Retry {
        /// Which kind.
        kind: JobKind,
        /// Not before.
        at: Time,
        /// How the last try ended, in so far as a job ended.
        after: Option<Outcome>,
    },
    /// A read-only job was running when the process before this one went away.
    Again {
        /// Which kind.
        kind: JobKind,
    },
    /// A `wait` step's clock runs.
    Until(Time),
    /// A manual step's question was asked.
    Asked,
    /// A person answered a manual step's question.
    Answered {
        /// What they chose.
        choice: Choice,
        /// Who they are.
        by: String,
    },
}

/// Tries that are bounded, counted since the task was opened or the run resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tries {
    /// `Run` attempts that ran and failed.
    pub failed: u32,
    /// Tries in a row for which the host was not reached, or that could not tell.
    pub in_vain: u32,
    /// Attempts started afresh because an earlier one never started, or may be run again.
    pub afresh: u32,
}

/// How many kinds of jobs there are.
const KINDS: usize = 11;

impl TaskState {
    pub(super) fn new(planned: &PlannedTask, wave: u32) -> Self {
        let left_out = planned.left_out.is_some();
        Self {
            stage: Stage::Idle,
            end: left_out.then_some(TaskEnd::NotRun { because: NotRun::LeftOut }),
            undo: None,
            unknown: None,
            attempts: [0; KINDS],
            tries: Tries::default(),
            changed: false,
            guard: None,
            snapshot: None,
            wave,
            started_at: None,
            ended_at: None,
        }
    }

    /// Where it stands between its events.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }
    /// How it ended forwards, if it has.
    pub fn end(&self) -> Option<&TaskEnd> {
        self.end.as_ref()
    }
    /// How its undo ended, if it has.
    pub fn undo(&self) -> Option<&UndoEnd> {
        self.undo.as_deref()
    }
    /// The job that runs, and since when.
    pub fn running(&self) -> Option<(Job, Time)> {
        match self.stage {
            Stage::Running { job, since } => Some((job, since)),
            _ => None,
        }
    }
    /// The `Run` or `Undo` attempt whose end was not seen and is not settled yet.
    pub fn unknown(&self) -> Option<Job> {
        self.unknown
    }
    /// Attempts of a kind so far, over all resumes.
    pub fn attempts(&self, kind: JobKind) -> u32 {
        self.attempts[kind as usize]
    }
    /// The attempt of `Snapshot` whose output an undo must use: of the state before the first change.
    pub fn snapshot(&self) -> Option<u32> {
        self.snapshot
    }
    /// When something was first ordered or asked for it.
    pub fn started_at(&self) -> Option<Time> {
        self.started_at
    }
    /// When it was settled forwards.
    pub fn ended_at(&self) -> Option<Time> {
        self.ended_at
    }
    /// Has anything of it been ordered or asked since it was (re)opened, and is it not settled?
    pub fn is_begun(&self) -> bool {
        self.end.is_none() && (self.stage != Stage::Idle || self.unknown.is_some())
    }
    /// Does its script lie ready on its host, waiting to be fired?
    pub fn is_staged(&self) -> bool {
        let staged = Stage::Ended { kind: JobKind::Stage, outcome: Outcome::Succeeded };
        self.end.is_none() && self.stage == staged
    }
    /// Did it end as it should, or was it left out by the plan?
    pub fn ended_well(&self) -> bool {
        matches!(
            self.end,
            Some(TaskEnd::Done | TaskEnd::AlreadySo | TaskEnd::NotRun { because: NotRun::LeftOut })
        )
    }
    /// May it ever have changed something on its host, taken back since or not?
    pub(super) fn may_have_changed(&self) -> bool {
        let runs = |job: Job| job.kind == JobKind::Run;
        self.changed || self.unknown.is_some_and(runs)
    }
}
