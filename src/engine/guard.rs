//! The guard of a task: what is known of it, what it stands in the way of, and how long it is waited for.

use super::policy::Halt;
use super::state::RunState;
use super::task::Stage;
use crate::model::event::{JobKind, Mode};
use crate::model::guard::Otherwise;
use crate::model::names::TaskIx;
use crate::model::{Millis, Outcome, Time};

/// Between two tries to hear of a host while its guard has time left: sshd needs a moment, people must not wait.
pub const GUARD_PAUSE: Millis = Millis::from_secs(2);
/// A guard that takes its change back may need so long until its host can be reached again.
pub const GUARD_PATIENCE: Millis = Millis::from_secs(60);

/// The guard of a task's newest run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guarding {
    /// The attempt of `Arm` that armed it.
    pub arm: u32,
    /// The attempt of `Run` that it guards.
    pub run: u32,
    /// Where it stands, as far as is known.
    pub stand: GuardStand,
    /// How that run ended, once that is known.
    pub after: Option<Outcome>,
}

/// Where a guard stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuardStand {
    /// It was heard to be armed, and nothing else since.
    Armed {
        /// When its time is over, by our clock.
        until: Time,
        /// When it was first confirmed, if it was.
        confirmed: Option<Time>,
    },
    /// It gave way to a confirmation.
    Disarmed,
    /// Its time was over: the change stays, unconfirmed.
    Expired,
    /// Its time was over: it ran the undo.
    Fired {
        /// How the undo ended.
        undo: Outcome,
    },
    /// It is gone, and never did anything.
    Lost,
}

impl Guarding {
    /// Has the run it guards ended, and is the way back not proved since?
    pub fn owes_confirmation(&self) -> bool {
        self.after.is_some()
            && matches!(self.stand, GuardStand::Armed { .. } | GuardStand::Expired | GuardStand::Lost)
    }
    /// May it still do something on its host?
    pub fn is_armed(&self) -> bool {
        matches!(self.stand, GuardStand::Armed { .. })
    }
}

impl RunState {
    /// What is known of a task's guard.
    pub fn guard(&self, task: TaskIx) -> Option<&Guarding> {
        self.task(task).guard.as_deref()
    }

    /// What the host of a guarded task does when nobody confirms.
    pub fn otherwise(&self, task: TaskIx) -> Option<Otherwise> {
        Some(self.plan.step_of(task).guard?.otherwise(self.mode == Mode::Drill))
    }

    /// Would the next confirmation of this task be its last, so that it disarms?
    pub fn is_last_confirmation(&self, task: TaskIx, now: Time) -> bool {
        let repeat = self.plan.step_of(task).guard.and_then(|guard| guard.repeat);
        let (Some(repeat), Some(guard)) = (repeat, self.guard(task)) else { return true };
        let held = self.halt() != Halt::No || self.task(task).end.is_some();
        match guard.stand {
            _ if held => true,
            GuardStand::Armed { confirmed: Some(first), .. } => now + repeat.every > first + repeat.length,
            GuardStand::Armed { confirmed: None, .. } => false,
            GuardStand::Disarmed | GuardStand::Expired | GuardStand::Fired { .. } | GuardStand::Lost => true,
        }
    }

    /// Must the way back of this task be proved before anything else is done about it?
    pub(super) fn owes_confirmation(&self, task: TaskIx) -> bool {
        self.guard(task).is_some_and(Guarding::owes_confirmation)
    }

    /// Is its next run guarded, with enough time left to be begun?
    pub(super) fn is_guarded(&self, task: TaskIx, now: Time) -> bool {
        let (Some(planned), Some(guard)) = (self.plan.step_of(task).guard, self.guard(task)) else {
            return false;
        };
        // Armed just before, and by this process: who knows what has become of the host since otherwise?
        let armed = matches!(self.task(task).stage, Stage::Ended { kind: JobKind::Arm, .. });
        let next = armed && guard.after.is_none() && guard.run == self.task(task).attempts(JobKind::Run) + 1;
        let half = Millis(planned.within.0 / 2);
        next && matches!(guard.stand, GuardStand::Armed { until, .. } if now + half <= until)
    }

    /// When to try again to hear of a host whose guard may still do something; `None` when that has had its time.
    pub(super) fn again_while_guarded(&self, task: TaskIx, now: Time) -> Option<Time> {
        let patience = match self.otherwise(task)? {
            Otherwise::Revert => GUARD_PATIENCE,
            Otherwise::Hold => Millis(0),
        };
        match self.guard(task)?.stand {
            GuardStand::Armed { until, .. } if now < until + patience => Some(now + GUARD_PAUSE),
            _ => None,
        }
    }
}
