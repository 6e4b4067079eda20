//! A guard: a timer on a host that takes a change back, or says that nobody confirmed it, unless a fresh connection
//! proves the way back in time.

use super::outcome::Outcome;
use super::time::Millis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a step says of its guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// The way back must be proved in so long, counted on the host.
    pub within: Millis,
    /// What the host does when it was not; `None`: hold in a live run, revert in a drill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Otherwise>,
    /// Is a guard of the same kind let fire on a harmless change first?
    #[serde(default)]
    pub self_test: bool,
    /// Further confirmations after the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
}

/// What a host does when nobody confirmed a change in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Otherwise {
    /// Nothing: the change stays, and the host has on record that nobody confirmed it.
    Hold,
    /// It runs the step's undo script.
    Revert,
}

/// Confirmations after the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// Pause between two of them.
    pub every: Millis,
    /// They go on for so long after the first; the last one disarms.
    #[serde(rename = "for")]
    pub length: Millis,
}

/// What became of a guard, as its host said to a job that asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardSeen {
    /// It runs, independent of every connection.
    Armed {
        /// What holds it on the host.
        held_by: HeldBy,
        /// What it does when its time is over.
        otherwise: Otherwise,
        /// Time left on the host's clock when it answered.
        left: Millis,
        /// How long after its time the guard of the self-test fired, if one was wanted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tested: Option<Millis>,
    },
    /// A fresh connection reached the host, and the guard gave way in time.
    Confirmed {
        /// The fresh connection, for people.
        over: String,
        /// It stays armed for so long; `None`: it is disarmed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left: Option<Millis>,
    },
    /// A fresh connection reached the host after the guard's time was over under `hold`, or after the guard was
    /// lost: the way back is there, though it was not proved in time.
    ConfirmedLate {
        /// The fresh connection, for people.
        over: String,
    },
    /// Its time was over and nobody had confirmed: the change stays.
    Expired {
        /// How long after its deadline the host noticed.
        late: Millis,
    },
    /// Its time was over and nobody had confirmed: it ran the undo script.
    Fired {
        /// How long after its deadline it began.
        late: Millis,
        /// How the undo ended. `NotStarted`: the run that it guarded had not begun, and never can; what earlier
        /// runs may have done is still there.
        undo: Outcome,
    },
    /// The host restarted, or somebody killed it: it will never do anything.
    Lost {
        /// Why, for a person.
        because: String,
    },
}

/// What holds a guard on its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldBy {
    /// A transient service of systemd.
    Systemd,
    /// A process in a session of its own.
    Detached,
}

/// A guard with less time than this would fire while an honest host still answers.
pub const GUARD_WITHIN_MIN: Millis = Millis::from_secs(5);

impl Guard {
    /// What the host does when nobody confirms: what the author said, else what suits the occasion.
    pub fn otherwise(&self, drill: bool) -> Otherwise {
        self.otherwise.unwrap_or(if drill { Otherwise::Revert } else { Otherwise::Hold })
    }
}

impl Otherwise {
    /// The word of the runbook for it.
    pub fn word(self) -> &'static str {
        match self {
            Otherwise::Hold => "hold",
            Otherwise::Revert => "revert",
        }
    }
}

impl GuardSeen {
    /// Has the change been taken back on the host?
    pub fn took_back(&self) -> bool {
        matches!(self, GuardSeen::Fired { undo: Outcome::Succeeded, .. })
    }
}
