//! What became of guards, in words: lines of the story, and the time that armed ones have left.

use super::told::Mark;
use crate::engine::{GuardStand, RunState};
use crate::model::guard::{GuardSeen, HeldBy, Otherwise};
use crate::model::names::TaskIx;
use crate::model::{Millis, Outcome, Time};

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

/// Every guard that was armed in the run, and how it ended: for the end of the story.
pub fn ends(state: &RunState) -> Vec<(TaskIx, Mark, &'static str)> {
    let tasks = (0..state.plan().tasks.len() as u32).map(TaskIx);
    let guarded = tasks.filter_map(|task| Some((task, &state.guard(task)?.stand)));
    let word = |stand: &GuardStand| match stand {
        GuardStand::Armed { .. } => (Mark::Unsure, "armed, and not heard of since"),
        GuardStand::Disarmed => (Mark::Good, "confirmed and disarmed"),
        GuardStand::Expired => (Mark::Bad, "expired unconfirmed: the change stays"),
        GuardStand::Fired { undo: Outcome::Succeeded } => (Mark::Bad, "fired: the host took the change back"),
        GuardStand::Fired { .. } => (Mark::Bad, "fired, and its undo did not end well"),
        GuardStand::Lost => (Mark::Bad, "lost"),
    };
    guarded.map(|(task, stand)| (task, word(stand).0, word(stand).1)).collect()
}
