//! Guards on the hosts of the simulated site: clocks that run whatever becomes of the controller and of every link.

use super::world::{Attempt, Coming, OnHost, World, not_started, unknown};
use blackstart::engine::Input;
use blackstart::model::event::{Facts, Job, JobKind};
use blackstart::model::guard::{GuardSeen, HeldBy, Otherwise};
use blackstart::model::names::TaskIx;
use blackstart::model::{How, Millis, Outcome, Time};

/// A guard as its host has it.
#[derive(Debug, Clone)]
pub struct OnGuard {
    arm: u32,
    run: u32,
    deadline: Time,
    otherwise: Otherwise,
    pub state: Stand,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Stand {
    Armed,
    Disarmed,
    Expired,
    Firing { until: Time },
    Fired(Outcome),
    Lost,
}

/// How a confirmation was ordered.
#[derive(Debug, Clone, Copy)]
pub struct Asks {
    pub last: bool,
    pub late: bool,
    /// The attempt of a run that a guard is to guard.
    pub run: u32,
}

impl World {
    fn run_of(&self, task: TaskIx, attempt: u32) -> Job {
        Job { task, kind: JobKind::Run, attempt }
    }

    pub(super) fn order_arm(&mut self, job: Job, lasts: u64, run: u32) {
        if !self.is_reachable(job.task) || !self.calm && self.rng.percent(4) {
            return self.reply(lasts, job, not_started(true));
        }
        if !self.calm && self.rng.percent(4) {
            return self.reply(lasts, job, Outcome::from_exit(1));
        }
        let lost = !self.calm && self.rng.percent(6);
        let heard = (!lost).then_some(self.epoch);
        if lost {
            self.reply(lasts, job, unknown());
        }
        if !lost || self.rng.percent(60) {
            self.later(lasts / 2, Coming::Arm { job, heard, run });
        }
    }

    /// A guard that is armed replaces those before it. One that was never heard of guards the next run all the same.
    pub(super) fn arms(
        &mut self,
        job: Job,
        heard: Option<u32>,
        run: u32,
    ) -> Result<Option<(u32, Input)>, String> {
        let task = job.task;
        let newer = self.guards.get(&task).is_some_and(|guard| guard.arm >= job.attempt);
        if newer || self.guards.get(&task).is_some_and(|guard| matches!(guard.state, Stand::Firing { .. })) {
            let input = Input::JobEnded { job, outcome: Outcome::from_exit(1), facts: Facts::default() };
            return Ok(heard.map(|epoch| (epoch, input)));
        }
        let planned = self.plan.step_of(task).guard.ok_or("a guard is armed that no step has")?;
        let busy = self.attempts.iter().any(|(job, attempt)| {
            job.task == task && job.kind == JobKind::Run && attempt.state == OnHost::Runs
        });
        if busy {
            return Err(format!("{job:?} is armed after its change began"));
        }
        let deadline = self.now + planned.within;
        let otherwise = planned.otherwise(self.drill);
        self.guards.insert(task, OnGuard { arm: job.attempt, run, deadline, otherwise, state: Stand::Armed });
        self.watch(task);
        let seen = GuardSeen::Armed {
            held_by: HeldBy::Detached,
            otherwise,
            left: planned.within,
            tested: planned.self_test.then_some(Millis(200)),
        };
        let facts = Facts { guard: Some(seen), ..Facts::default() };
        Ok(heard.map(|epoch| (epoch, Input::JobEnded { job, outcome: Outcome::Succeeded, facts })))
    }

    fn watch(&mut self, task: TaskIx) {
        let (arm, deadline) = (self.guards[&task].arm, self.guards[&task].deadline);
        self.later(deadline.0 - self.now.0, Coming::GuardTime { task, arm, deadline });
    }

    /// Did the host restart after its guard was armed? Then no lane takes the run.
    pub(super) fn is_unguarded_since(&mut self, job: Job) -> bool {
        let lost = self.guards.get(&job.task).is_some_and(|guard| {
            job.kind == JobKind::Run && guard.state == Stand::Lost && guard.run == job.attempt
        });
        if lost {
            let attempt = self.attempts.get_mut(&job).expect("it was ordered");
            attempt.state = OnHost::Void;
            if attempt.reply_to.take().is_some() {
                self.reply(100, job, not_started(true));
            }
        }
        lost
    }

    /// A run that guards may start only while its guard is armed.
    pub(super) fn is_guarded(&self, job: Job) -> Result<(), String> {
        if job.kind == JobKind::Undo {
            // One that guards a run which never began does nothing.
            let guard = self.guards.get(&job.task).filter(|guard| {
                let run = self.attempts.get(&self.run_of(job.task, guard.run));
                run.is_some_and(|run| !matches!(run.state, OnHost::NotYet | OnHost::Void))
            });
            return match guard.map(|guard| &guard.state) {
                Some(Stand::Armed | Stand::Firing { .. }) => {
                    Err(format!("{job:?} starts beside a guard that may do the same"))
                }
                Some(Stand::Fired(Outcome::Succeeded)) => {
                    Err(format!("{job:?} takes back what its guard took back"))
                }
                _ => Ok(()),
            };
        }
        if self.plan.step_of(job.task).guard.is_none() {
            return Ok(());
        }
        match self.guards.get(&job.task) {
            Some(guard) if guard.state == Stand::Armed && guard.run == job.attempt => Ok(()),
            other => Err(format!("{job:?} changes something and is not guarded: {other:?}")),
        }
    }

    /// Its time is over, unless it got more or gave way.
    pub(super) fn guard_time(&mut self, task: TaskIx, arm: u32, deadline: Time) {
        let Some(guard) = self.guards.get(&task).cloned() else { return };
        if guard.arm != arm || guard.deadline != deadline || guard.state != Stand::Armed {
            return;
        }
        let run = self.run_of(task, guard.run);
        let void = || Attempt {
            state: OnHost::Void,
            will: unknown(),
            will_touch: false,
            lasts: 0,
            reply_to: None,
            ends_at: Time(0),
        };
        let attempt = self.attempts.entry(run).or_insert_with(void);
        let begun = match attempt.state {
            OnHost::NotYet => {
                attempt.state = OnHost::Void;
                // Whoever ordered it hears that its claim is spent.
                if attempt.reply_to.take().is_some() {
                    self.reply(100, run, not_started(true));
                }
                false
            }
            OnHost::Void => false,
            OnHost::Runs | OnHost::Ended(_) | OnHost::Forgotten(_) => true,
        };
        let state = match guard.otherwise {
            Otherwise::Hold => Stand::Expired,
            Otherwise::Revert if !begun => Stand::Fired(not_started(false)),
            Otherwise::Revert => {
                self.end(run, Some(How::TimedOut(Millis(0))));
                let lasts = self.rng.between(1, 10) * 500;
                self.later(lasts, Coming::GuardDone { task, arm });
                Stand::Firing { until: Time(self.now.0 + lasts) }
            }
        };
        self.guards.get_mut(&task).expect("looked up above").state = state;
    }

    pub(super) fn guard_done(&mut self, task: TaskIx, arm: u32) {
        let broken = !self.calm && self.tasks[task.at()].undo_broken;
        let Some(guard) = self.guards.get_mut(&task) else { return };
        if guard.arm != arm || !matches!(guard.state, Stand::Firing { .. }) {
            return;
        }
        let truth = &mut self.tasks[task.at()];
        truth.effective = false;
        truth.touched &= broken;
        guard.state = Stand::Fired(if broken { Outcome::from_exit(3) } else { Outcome::Succeeded });
    }

    /// A link that hears its host while the run is under way asks for more time.
    pub(super) fn extends(&mut self, epoch: u32, job: Job) -> Option<(u32, Input)> {
        let planned = self.plan.step_of(job.task).guard?;
        let runs = self.attempts.get(&job).is_some_and(|attempt| {
            attempt.state == OnHost::Runs && attempt.reply_to == Some(self.epoch) && epoch == self.epoch
        });
        let guard = self.guards.get_mut(&job.task)?;
        if !runs || guard.state != Stand::Armed || guard.run != job.attempt {
            return None;
        }
        guard.deadline = self.now + planned.within;
        self.watch(job.task);
        self.later(planned.within.0 / 3, Coming::Extend { epoch, job });
        Some((epoch, Input::GuardExtended { job, left: planned.within }))
    }

    pub(super) fn order_confirm(&mut self, job: Job, lasts: u64, asks: Asks) {
        let (epoch, until) = (self.epoch, Time(self.now.0 + 150_000));
        self.later(lasts, Coming::Confirm { epoch, job, asks, until });
    }

    /// A fresh connection is tried: the change may have cut it off, though older ones still live.
    pub(super) fn confirms(&mut self, epoch: u32, job: Job, asks: Asks, until: Time) -> Option<(u32, Input)> {
        let task = job.task;
        let ended = |outcome, guard| {
            let facts = Facts { guard, ..Facts::default() };
            Some((epoch, Input::JobEnded { job, outcome, facts }))
        };
        if self.cancelled.contains(&job) {
            return ended(Outcome::Failed { how: How::Cancelled }, None);
        }
        let truth = self.tasks[task.at()];
        let cut_off = truth.touched && truth.cuts_off && !self.calm;
        if !self.is_reachable(task) || cut_off || !self.calm && self.rng.percent(5) {
            if self.now >= until || self.rng.percent(4) {
                let outcome = if self.rng.percent(50) { not_started(true) } else { unknown() };
                return ended(outcome, None);
            }
            self.later(1_000, Coming::Confirm { epoch, job, asks, until });
            return None;
        }
        let planned = self.plan.step_of(task).guard?;
        let over = || "SHA256:x".to_owned();
        let failed = || Outcome::Failed { how: How::Disagreed("not confirmed in time".into()) };
        let (now, state) = (self.now, self.guards.get(&task).map(|guard| guard.state.clone()));
        let (outcome, seen) = match state {
            Some(Stand::Armed) => {
                let guard = self.guards.get_mut(&task).expect("looked up above");
                let left = planned
                    .repeat
                    .filter(|_| !asks.last)
                    .map(|repeat| Millis(repeat.every.0 + planned.within.0));
                match left {
                    Some(left) => {
                        guard.deadline = now + left;
                        self.watch(task);
                    }
                    None => guard.state = Stand::Disarmed,
                }
                if !self.calm && self.rng.percent(5) {
                    return ended(unknown(), None);
                }
                (Outcome::Succeeded, GuardSeen::Confirmed { over: over(), left })
            }
            Some(Stand::Disarmed) => (Outcome::Succeeded, GuardSeen::Confirmed { over: over(), left: None }),
            Some(Stand::Firing { until: done }) => {
                self.later(done.0 + 1 - now.0, Coming::Confirm { epoch, job, asks, until });
                return None;
            }
            Some(Stand::Fired(undo)) => (failed(), GuardSeen::Fired { late: Millis(100), undo }),
            Some(Stand::Expired | Stand::Lost) | None if asks.late => {
                (Outcome::Succeeded, GuardSeen::ConfirmedLate { over: over() })
            }
            Some(Stand::Expired) => (failed(), GuardSeen::Expired { late: Millis(100) }),
            Some(Stand::Lost) | None => (failed(), GuardSeen::Lost { because: "the host restarted".into() }),
        };
        ended(outcome, Some(seen))
    }

    /// Will the guard of this task do nothing any more, and has it done nothing?
    pub fn gave_way(&self, task: TaskIx) -> bool {
        let state = self.guards.get(&task).map(|guard| &guard.state);
        matches!(state, None | Some(Stand::Disarmed | Stand::Lost | Stand::Expired))
    }

    /// Has it done what it was there for, well or not?
    pub fn has_fired(&self, task: TaskIx) -> bool {
        matches!(self.guards.get(&task).map(|guard| &guard.state), Some(Stand::Fired(_)))
    }

    pub(super) fn guards_restart(&mut self, host: usize) {
        let on_host: Vec<TaskIx> =
            self.guards.keys().filter(|task| self.host(**task) == Some(host)).copied().collect();
        for task in on_host {
            let guard = self.guards.get_mut(&task).expect("it was listed");
            guard.state = match &guard.state {
                Stand::Armed => Stand::Lost,
                Stand::Firing { .. } => Stand::Fired(Outcome::Failed { how: How::Vanished }),
                state => state.clone(),
            };
        }
    }
}
