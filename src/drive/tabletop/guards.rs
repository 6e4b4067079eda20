//! Guards on hosts: armed before a change, confirmed over a fresh connection, or left to do what they are there for.

use super::world::{Coming, World};
use crate::engine::{GuardStand, Input, RunState};
use crate::model::event::{Facts, Job, JobKind};
use crate::model::guard::{GuardSeen, HeldBy, Otherwise};
use crate::model::names::TaskIx;
use crate::model::outcome::How;
use crate::model::{Millis, Outcome, Time};

/// A guard on its host.
#[derive(Debug)]
pub(super) struct OnGuard {
    pub deadline: Time,
    pub stand: Stand,
}

/// Where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stand {
    Armed,
    Disarmed,
    Expired,
    Fired(Outcome),
}

/// How long after its deadline a host notices.
const LATE: Millis = Millis(100);
/// How long the guard of a self-test takes to be seen to fire.
const TESTED: Millis = Millis(200);

impl World {
    pub(super) fn arm(&mut self, job: Job) -> (Outcome, Facts) {
        let Some(planned) = self.step(job.task).guard else {
            return (Outcome::from_exit(1), Facts::default());
        };
        let deadline = self.now + planned.within;
        self.guards.insert(job.task, OnGuard { deadline, stand: Stand::Armed });
        self.later(planned.within, Coming::GuardTime { task: job.task, deadline });
        let seen = GuardSeen::Armed {
            held_by: HeldBy::Detached,
            otherwise: planned.otherwise(false),
            left: planned.within,
            tested: planned.self_test.then_some(TESTED),
        };
        (Outcome::Succeeded, facts(seen))
    }

    /// A run that a guard watches over starts only while it is armed.
    pub(super) fn is_guarded(&self, job: Job) -> bool {
        self.step(job.task).guard.is_none()
            || self.guards.get(&job.task).is_some_and(|guard| guard.stand == Stand::Armed)
    }

    /// Has the engine heard that the guard's time was over?
    pub(super) fn is_late(&self, state: &RunState, task: TaskIx) -> bool {
        let stand = state.guard(task).map(|guard| &guard.stand);
        matches!(stand, Some(GuardStand::Expired | GuardStand::Lost))
    }

    /// Its time is over, unless it got more or gave way. While its run is heard it gets more.
    pub(super) fn guard_time(&mut self, task: TaskIx, deadline: Time) -> Option<Input> {
        let planned = self.step(task).guard?;
        let guard = self.guards.get_mut(&task)?;
        if guard.deadline != deadline || guard.stand != Stand::Armed {
            return None;
        }
        let running = self.attempts.iter().find(|(job, attempt)| {
            job.task == task && job.kind == JobKind::Run && attempt.ended.is_none() && attempt.heard
        });
        if let Some((job, _)) = running {
            let (job, deadline) = (*job, self.now + planned.within);
            guard.deadline = deadline;
            self.later(planned.within, Coming::GuardTime { task, deadline });
            return Some(Input::GuardExtended { job, left: planned.within });
        }
        match planned.otherwise(false) {
            Otherwise::Hold => guard.stand = Stand::Expired,
            Otherwise::Revert => {
                let began: Vec<Job> = self
                    .attempts
                    .keys()
                    .filter(|job| job.task == task && job.kind == JobKind::Run)
                    .copied()
                    .collect();
                let undo = match began.is_empty() {
                    true => {
                        Outcome::NotStarted { because: "its run had not begun".to_owned(), try_again: false }
                    }
                    false => Outcome::Succeeded,
                };
                guard.stand = Stand::Fired(undo);
                for job in began {
                    let attempt = self.attempts.get_mut(&job).expect("it was listed");
                    attempt.ended.get_or_insert(Outcome::Failed { how: How::TimedOut(planned.within) });
                }
                self.takes_effect(task, false);
            }
        }
        None
    }

    /// A fresh connection reaches the host, or does not.
    pub(super) fn confirm(&mut self, job: Job, last: bool, late: bool) -> Input {
        if let Some(because) = self.unreachable(self.host(job.task)) {
            let outcome = Outcome::NotStarted { because, try_again: true };
            return Input::JobEnded { job, outcome, facts: Facts::default() };
        }
        let planned = self.step(job.task).guard;
        let over = "a fresh connection".to_owned();
        let not_in_time = || Outcome::Failed { how: How::Disagreed("not confirmed in time".to_owned()) };
        let stand = self.guards.get(&job.task).map(|guard| guard.stand.clone());
        let (outcome, seen) = match stand {
            Some(Stand::Armed) => {
                let repeat = planned.and_then(|guard| Some((guard.repeat?, guard.within))).filter(|_| !last);
                let left = repeat.map(|(repeat, within)| Millis(repeat.every.0 + within.0));
                let deadline = left.map(|left| self.now + left);
                let guard = self.guards.get_mut(&job.task).expect("looked up above");
                match deadline {
                    Some(deadline) => guard.deadline = deadline,
                    None => guard.stand = Stand::Disarmed,
                }
                if let (Some(left), Some(deadline)) = (left, deadline) {
                    self.later(left, Coming::GuardTime { task: job.task, deadline });
                }
                (Outcome::Succeeded, GuardSeen::Confirmed { over, left })
            }
            Some(Stand::Disarmed) => (Outcome::Succeeded, GuardSeen::Confirmed { over, left: None }),
            Some(Stand::Fired(undo)) => (not_in_time(), GuardSeen::Fired { late: LATE, undo }),
            Some(Stand::Expired) | None if late => (Outcome::Succeeded, GuardSeen::ConfirmedLate { over }),
            Some(Stand::Expired) => (not_in_time(), GuardSeen::Expired { late: LATE }),
            None => (not_in_time(), GuardSeen::Lost { because: "nobody armed it".to_owned() }),
        };
        Input::JobEnded { job, outcome, facts: facts(seen) }
    }
}

fn facts(seen: GuardSeen) -> Facts {
    Facts { guard: Some(seen), ..Facts::default() }
}
