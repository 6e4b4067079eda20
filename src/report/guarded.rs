//! What became of guards, in words: lines of the story, the time that armed ones have left, and the facts for a recap.

use super::told::Mark;
use crate::engine::{GuardStand, RunState};
use crate::model::guard::{GuardSeen, HeldBy, Otherwise};
use crate::model::names::{HostName, StepId, TaskIx};
use crate::model::{Millis, Outcome, Time};
use crate::plan::Plan;
use serde::Serialize;

/// The line that this news of a guard is worth.
pub fn said(seen: &GuardSeen) -> (Mark, String) {
    match seen {
        GuardSeen::Armed { held_by, otherwise, left, tested } => {
            let holder = match held_by {
                HeldBy::Systemd => "a transient service of systemd",
                HeldBy::Detached => "a process of its own",
            };
            let then = match otherwise {
                Otherwise::Hold => "nothing is taken back without confirmation",
                Otherwise::Revert => "the host takes the change back without confirmation",
            };
            let tested =
                tested.map(|late| format!("; self-test fired {late} after its time")).unwrap_or_default();
            (Mark::Info, format!("guard armed for {left}, held by {holder}: {then}{tested}"))
        }
        GuardSeen::Confirmed { left: Some(left), .. } => {
            (Mark::Good, format!("guard confirmed over a fresh connection, armed for another {left}"))
        }
        GuardSeen::Confirmed { left: None, .. } => {
            (Mark::Good, "guard confirmed over a fresh connection, disarmed".to_owned())
        }
        GuardSeen::ConfirmedLate { .. } => {
            (Mark::Good, "guard confirmed late: a fresh connection gets through".to_owned())
        }
        GuardSeen::Expired { late: _ } => {
            (Mark::Bad, "guard expired: no fresh connection got through, the change stays".to_owned())
        }
        GuardSeen::Fired { late, undo: Outcome::Succeeded } => {
            (Mark::Bad, format!("guard fired {late} after its time: the host took the change back"))
        }
        GuardSeen::Fired { undo: Outcome::NotStarted { .. }, .. } => {
            (Mark::Info, "guard ran out before the change began, which now never will".to_owned())
        }
        GuardSeen::Fired { undo: Outcome::Unknown { because }, .. } => {
            (Mark::Unsure, format!("what the guard did is unknown: {because}"))
        }
        GuardSeen::Fired { late, undo } => {
            (Mark::Bad, format!("guard fired {late} after its time, and its undo did not end well: {undo}"))
        }
        GuardSeen::Lost { because } => (Mark::Bad, format!("guard lost: {because}")),
    }
}

/// `, guard 41s left, then reverts`, while a task's guard is armed.
pub fn countdown(state: &RunState, task: TaskIx, now: Time) -> String {
    let Some(GuardStand::Armed { until, .. }) = state.guard(task).map(|guard| &guard.stand) else {
        return String::new();
    };
    let then = state.otherwise(task).map_or("", Otherwise::word);
    match until.since(now) {
        Millis(0) => format!(", guard's time is over ({then})"),
        left => format!(", guard {left} left ({then})"),
    }
}

/// The newest guard of a task, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GuardFacts {
    /// The step.
    pub step: StepId,
    /// Where.
    pub host: Option<HostName>,
    /// What the host was to do when nobody confirms.
    pub otherwise: Option<Otherwise>,
    /// `confirmed`, `armed`, `expired`, `fired`, `undo_failed`, `unknown` or `lost`.
    pub became: &'static str,
    /// Was the way back proved?
    pub well: bool,
    /// What became of it, in words.
    pub said: &'static str,
    /// The task.
    #[serde(skip)]
    pub task: TaskIx,
}

impl GuardFacts {
    /// Every guard that was armed in the run, in plan order.
    pub fn all(state: &RunState) -> Vec<Self> {
        let plan = state.plan();
        let tasks = (0..plan.tasks.len() as u32).map(TaskIx);
        let facts = |task: TaskIx| {
            let (became, said) = became(&state.guard(task)?.stand);
            Some(Self {
                step: plan.step_of(task).id.clone(),
                host: plan.host_of(task).map(|host| host.name.clone()),
                otherwise: state.otherwise(task),
                became,
                well: became == CONFIRMED,
                said,
                task,
            })
        };
        tasks.filter_map(facts).collect()
    }
}

/// A guard that a live run would arm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GuardToArm {
    /// The step.
    pub step: StepId,
    /// Where.
    pub host: Option<HostName>,
    /// The way back must be proved in so long, in milliseconds.
    pub within_ms: u64,
    /// What the host does when it was not.
    pub otherwise: Otherwise,
    /// Does a guard of the same kind fire on a harmless change first?
    pub self_test: bool,
    /// Pause between further confirmations, in milliseconds; `null` if there are none.
    pub repeat_every_ms: Option<u64>,
    /// They go on for so long after the first, in milliseconds.
    pub repeat_for_ms: Option<u64>,
    /// The same in words, without step and host.
    #[serde(skip)]
    pub said: String,
    /// The task.
    #[serde(skip)]
    pub task: TaskIx,
}

impl GuardToArm {
    /// What the step of this task asks for, if anything.
    pub fn of(plan: &Plan, task: TaskIx) -> Option<Self> {
        let step = plan.step_of(task);
        let (guard, otherwise) = (step.guard?, step.guard?.otherwise(false));
        let then = match otherwise {
            Otherwise::Hold => "hold: the change stays",
            Otherwise::Revert => "revert: the host runs the undo",
        };
        let test = if guard.self_test { ", after a self-test" } else { "" };
        let again =
            guard.repeat.map(|again| format!(", confirmed every {} for {}", again.every, again.length));
        let again = again.unwrap_or_default();
        let within = guard.within;
        Some(Self {
            step: step.id.clone(),
            host: plan.host_of(task).map(|host| host.name.clone()),
            within_ms: within.0,
            otherwise,
            self_test: guard.self_test,
            repeat_every_ms: guard.repeat.map(|again| again.every.0),
            repeat_for_ms: guard.repeat.map(|again| again.length.0),
            said: format!("{within} for a fresh connection, otherwise {then}{again}{test}"),
            task,
        })
    }
}

const CONFIRMED: &str = "confirmed";

/// A guard's end as a code word, and for people.
fn became(stand: &GuardStand) -> (&'static str, &'static str) {
    match stand {
        GuardStand::Armed { .. } => ("armed", "armed, and not heard of since"),
        GuardStand::Disarmed => (CONFIRMED, "confirmed and disarmed"),
        GuardStand::Expired => ("expired", "expired unconfirmed: the change stays"),
        GuardStand::Fired { undo: Outcome::Succeeded } => ("fired", "fired: the host took the change back"),
        GuardStand::Fired { undo: Outcome::Unknown { .. } } => ("unknown", "what it did is unknown"),
        GuardStand::Fired { undo: Outcome::Failed { .. } | Outcome::NotStarted { .. } } => {
            ("undo_failed", "fired, and its undo did not end well")
        }
        GuardStand::Lost => ("lost", "lost"),
    }
}
