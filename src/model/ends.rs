//! How tasks, undos and runs end or are stopped.
//!
//! Every type here is on disk for ever: fields may be added with a default, never renamed or reused.

use super::job::JobKind;
use super::names::{PhaseIx, StepIx, TaskIx};
use super::outcome::Outcome;
use super::time::Time;
use serde::{Deserialize, Serialize};

/// How a task ended, forwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskEnd {
    /// It ran, and its verify (if any) agreed.
    Done,
    /// `check` said that it was so already; nothing was changed.
    AlreadySo,
    /// It did not end well.
    Failed {
        /// The job that did not.
        kind: JobKind,
        /// How that job ended. Never `Succeeded`.
        outcome: Outcome,
        /// May something on the host have changed? Then an undo must look at it.
        changed: bool,
    },
    /// It did not run.
    NotRun {
        /// Why not.
        because: NotRun,
    },
}

/// Why a task did not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotRun {
    /// Its `when` was false for the host, or it was not selected (`--limit`, `--phase`, `--until`): the plan says which.
    LeftOut,
    /// A step that it needs did not end well.
    NeedFailed {
        /// Which one.
        step: StepIx,
    },
    /// More hosts of its own step had failed than `max_failures` allows.
    TooManyFailures,
    /// The run was rolled back before its turn.
    RolledBack,
    /// A person said no at a gate.
    Refused {
        /// Who.
        by: String,
    },
    /// Its `deadline` had passed before it could start.
    TooLate {
        /// When it should have started at the latest.
        deadline: Time,
    },
    /// A fetch step of its `evidence` did not end well on all hosts where it ran.
    EvidenceMissing {
        /// Which one.
        step: StepIx,
    },
}

/// How hard to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopHow {
    /// Start nothing new, let running jobs end.
    Finish,
    /// Also cancel what runs.
    Cancel,
}

/// How much a rollback takes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everything.
    Run,
    /// One phase.
    Phase(PhaseIx),
    /// A phase and all later ones.
    FromPhase(PhaseIx),
    /// A step and everything that comes after it.
    FromStep(StepIx),
}

/// How a task's undo ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndoEnd {
    /// Taken back.
    Undone,
    /// Nothing to take back: `undo: not_needed`.
    NotNeeded,
    /// It cuts a conduit, and nobody asked to re-open it: left cut.
    LeftCut,
    /// Declared impossible to take back.
    Impossible,
    /// The undo did not end well, or its end was not seen and nothing can tell.
    Failed {
        /// How it ended.
        outcome: Outcome,
    },
    /// Left, because something that stands on it is still in place.
    Held {
        /// A task that stands on it.
        by: TaskIx,
    },
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every task ended well (or was left out by the plan).
    Completed,
    /// Not finished; `resume` goes on.
    Stopped {
        /// Why.
        because: StopReason,
    },
    /// A person said no at a gate; `resume` asks again.
    Refused {
        /// Who.
        by: String,
    },
    /// Failed, and everything that was to be taken back is.
    RolledBack,
    /// Something could not be taken back: a person must look.
    Stuck,
}

/// Why a run stopped short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// A step failed and its phase says `stop` (or a person chose so).
    StepFailed {
        /// The first one.
        step: StepIx,
    },
    /// Somebody asked.
    Operator {
        /// Who.
        by: String,
        /// How hard.
        how: StopHow,
    },
    /// Only people's answers are missing, and nobody is there to give them.
    WaitingForPeople,
    /// Everything else ran; some steps failed under `continue`.
    FailuresLeft,
}
