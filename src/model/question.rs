//! What only a person can decide, and what was decided.

use super::names::{PhaseIx, TaskIx};
use super::time::Time;
use serde::{Deserialize, Serialize};

/// A question to the people. It is its own id: there is never more than one of a kind open about a thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Has this manual step been done? `Done` or `Refuse`.
    Manual {
        /// The task.
        task: TaskIx,
    },
    /// May this step start? One question for the step, put on its first task. `Approve` or `Refuse`.
    Approve {
        /// The step's first task.
        task: TaskIx,
        /// Different people needed in all.
        people: u32,
    },
    /// A job's end was not seen and nothing on the host can tell: what became of it?
    /// `ItSucceeded`, `ItFailed`, `NothingHappened` or `Stop`.
    WhatBecameOf {
        /// The task.
        task: TaskIx,
        /// Was it the undo (rather than the run)?
        undo: bool,
    },
    /// A step of this phase failed and its policy is `ask`: `Retry`, `Continue`, `Stop`, `Rollback` or `RollbackRun`.
    PhaseFailed {
        /// The phase.
        phase: PhaseIx,
    },
}

/// A person's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The manual step is done.
    Done,
    /// Consent.
    Approve,
    /// No: the run stops, refused at a gate.
    Refuse,
    /// The job whose end was not seen did what was asked.
    ItSucceeded,
    /// It ran and failed.
    ItFailed,
    /// It never started.
    NothingHappened,
    /// Try the failed tasks again.
    Retry,
    /// Go on with what does not depend on the failure.
    Continue,
    /// Stop here; the run can be resumed.
    Stop,
    /// Take the phase back.
    Rollback,
    /// Take the whole run back.
    RollbackRun,
}

/// An answer with who gave it and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The question it answers.
    pub question: Question,
    /// Who answered: a login name, or the name a signature proves.
    pub by: String,
    /// What was decided.
    pub choice: Choice,
    /// A word of explanation for the record.
    pub comment: Option<String>,
    /// When it was given, if that was before the run took it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// The signature, checked before the run took it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Signed>,
}

/// The signature of an answer. `by` and `at` of the answer are what was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// Fingerprint of the key, `SHA256:…`.
    pub key: String,
    /// The signature in OpenSSH's armour (SSHSIG).
    pub signature: String,
}

impl Choice {
    /// Every choice there is.
    pub const ALL: [Choice; 11] = [
        Choice::Done,
        Choice::Approve,
        Choice::Refuse,
        Choice::ItSucceeded,
        Choice::ItFailed,
        Choice::NothingHappened,
        Choice::Retry,
        Choice::Continue,
        Choice::Stop,
        Choice::Rollback,
        Choice::RollbackRun,
    ];

    /// The choice that a word stands for.
    pub fn named(word: &str) -> Option<Choice> {
        Choice::ALL.into_iter().find(|choice| choice.word() == word)
    }

    /// The word that people type for it.
    pub fn word(self) -> &'static str {
        match self {
            Choice::Done => "done",
            Choice::Approve => "approve",
            Choice::Refuse => "refuse",
            Choice::ItSucceeded => "it-succeeded",
            Choice::ItFailed => "it-failed",
            Choice::NothingHappened => "nothing-happened",
            Choice::Retry => "retry",
            Choice::Continue => "continue",
            Choice::Stop => "stop",
            Choice::Rollback => "rollback",
            Choice::RollbackRun => "rollback-run",
        }
    }
}

impl Question {
    /// The choices that answer this question, the hopeful one first.
    pub fn choices(&self) -> impl Iterator<Item = Choice> + '_ {
        Choice::ALL.into_iter().filter(|choice| self.takes(*choice))
    }

    /// Does this choice answer this question?
    pub fn takes(&self, choice: Choice) -> bool {
        use Choice::*;
        match self {
            Question::Manual { .. } => matches!(choice, Done | Refuse),
            Question::Approve { .. } => matches!(choice, Approve | Refuse),
            Question::WhatBecameOf { .. } => {
                matches!(choice, ItSucceeded | ItFailed | NothingHappened | Stop)
            }
            Question::PhaseFailed { .. } => {
                matches!(choice, Retry | Continue | Stop | Rollback | RollbackRun)
            }
        }
    }
}
