//! The simulated site: what is really so on each host, whatever the engine believes. Links are lost, hosts
//! restart and forget, jobs go on running unseen, and late answers come late.

use super::rng::Rng;
use super::world_guard::{Asks, OnGuard};
use blackstart::engine::Input;
use blackstart::model::event::{Facts, Job, JobKind};
use blackstart::model::names::{StepIx, TaskIx};
use blackstart::model::{How, Outcome, Time};
use blackstart::plan::Plan;
use blackstart::plan::frozen::PlannedAction;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub struct World {
    pub rng: Rng,
    pub now: Time,
    /// Nothing goes wrong any more: every run must come to an end then.
    pub calm: bool,
    pub tasks: Vec<Truth>,
    pub epoch: u32,
    pub(super) plan: Arc<Plan>,
    /// Guards, the newest of each task.
    pub(super) guards: BTreeMap<TaskIx, OnGuard>,
    pub drill: bool,
    unreachable: Vec<(u64, u64)>,
    pub(super) attempts: BTreeMap<Job, Attempt>,
    pub(super) ordered: BTreeSet<Job>,
    pub(super) cancelled: BTreeSet<Job>,
    /// Hosts where a script of this process lies ready.
    pub staged: BTreeSet<TaskIx>,
    /// Hosts where one lay, and its connection was lost.
    pub lost: BTreeSet<TaskIx>,
    queue: BTreeMap<(Time, u64), Coming>,
    seq: u64,
}

/// What is really so about a task.
#[derive(Debug, Clone, Copy, Default)]
pub struct Truth {
    /// Something that it did is in place.
    pub touched: bool,
    /// What it is for is so.
    pub effective: bool,
    pub(super) run_broken: bool,
    pub(super) undo_broken: bool,
    pub(super) verify_broken: bool,
    /// Its link dies whenever something is to be started.
    link_dies: bool,
    /// While its change is in place no fresh connection gets through, though older ones live on.
    pub(super) cuts_off: bool,
}

#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) state: OnHost,
    pub(super) will: Outcome,
    pub(super) will_touch: bool,
    pub(super) lasts: u64,
    /// The process that still listens.
    pub(super) reply_to: Option<u32>,
    pub(super) ends_at: Time,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum OnHost {
    NotYet,
    Runs,
    Ended(Outcome),
    Void,
    /// The host restarted and forgot.
    Forgotten(Outcome),
}

#[derive(Debug)]
pub enum Coming {
    /// News for the process that was alive when it set out.
    News {
        epoch: u32,
        input: Input,
    },
    /// News for whoever is there: people and operators.
    Person(Input),
    /// Somebody is about to say what became of a job.
    Asked {
        task: TaskIx,
        undo: bool,
    },
    Claim(Job),
    End(Job),
    Look {
        epoch: u32,
        job: Job,
    },
    Receipt {
        epoch: u32,
        job: Job,
        of: Job,
    },
    /// The connection on which a script lies ready is lost.
    Unready {
        epoch: u32,
        task: TaskIx,
    },
    Restart {
        host: usize,
    },
    Arm {
        job: Job,
        heard: Option<u32>,
        run: u32,
    },
    Confirm {
        epoch: u32,
        job: Job,
        asks: Asks,
        until: Time,
    },
    Extend {
        epoch: u32,
        job: Job,
    },
    /// The time of a guard is over, if it has this deadline still.
    GuardTime {
        task: TaskIx,
        arm: u32,
        deadline: Time,
    },
    GuardDone {
        task: TaskIx,
        arm: u32,
    },
}

impl World {
    pub fn new(plan: Arc<Plan>, mut rng: Rng) -> Self {
        let hosts = plan.hosts.len();
        let unreachable = (0..hosts).map(|_| match rng.percent(20) {
            true => {
                let from = rng.below(90_000);
                (from, from + rng.between(1, 60) * 1_000)
            }
            false => (0, 0),
        });
        let unreachable = unreachable.collect();
        let truth = |step: &TaskIx| Truth {
            touched: false,
            effective: plan.step_of(*step).check.is_some() && rng.percent(15),
            run_broken: rng.percent(5),
            undo_broken: rng.percent(8),
            verify_broken: rng.percent(5),
            link_dies: rng.percent(2),
            cuts_off: plan.step_of(*step).guard.is_some() && rng.percent(20),
        };
        let all: Vec<TaskIx> = (0..plan.tasks.len() as u32).map(TaskIx).collect();
        let tasks = all.iter().map(truth).collect();
        let mut world = Self {
            now: Time(1_000_000),
            calm: false,
            tasks,
            epoch: 0,
            unreachable,
            attempts: BTreeMap::new(),
            ordered: BTreeSet::new(),
            cancelled: BTreeSet::new(),
            staged: BTreeSet::new(),
            lost: BTreeSet::new(),
            queue: BTreeMap::new(),
            seq: 0,
            rng: rng.clone(),
            plan: plan.clone(),
            guards: BTreeMap::new(),
            drill: false,
        };
        world.rng = rng;
        for host in 0..hosts {
            if world.rng.percent(12) {
                let after = world.rng.below(60_000);
                world.later(after, Coming::Restart { host });
            }
        }
        world
    }

    pub fn later(&mut self, after: u64, coming: Coming) {
        self.seq += 1;
        self.queue.insert((Time(self.now.0 + after), self.seq), coming);
    }
    pub fn next_at(&self) -> Option<Time> {
        self.queue.first_key_value().map(|((at, _), _)| *at)
    }
    /// What comes next, if it comes before `wake`.
    pub fn pop(&mut self) -> Option<Coming> {
        let ((at, _), coming) = self.queue.pop_first()?;
        self.now = self.now.max(at);
        Some(coming)
    }

    pub(super) fn host(&self, task: TaskIx) -> Option<usize> {
        self.plan.tasks[task.at()].host.map(|host| host.at())
    }
    pub(super) fn is_reachable(&self, task: TaskIx) -> bool {
        let since = self.now.0 - 1_000_000;
        self.calm
            || self.host(task).is_none_or(|host| {
                let (from, to) = self.unreachable[host];
                !(from..to).contains(&since)
            })
    }
    pub(super) fn is_script(&self, task: TaskIx) -> bool {
        matches!(self.plan.step_of(task).action, PlannedAction::Run(_) | PlannedAction::Upload(_))
    }

    /// Carries a `Start` order out.
    pub fn start(&mut self, job: Job, resolves: Option<Job>, asks: Asks) -> Result<(), String> {
        if !self.ordered.insert(job) {
            return Err(format!("{job:?} was started twice"));
        }
        let (epoch, lasts) = (self.epoch, self.rng.between(1, 20) * 500);
        match (job.kind, resolves) {
            (JobKind::ResolveRun | JobKind::ResolveUndo, Some(of)) => {
                self.later(lasts, Coming::Receipt { epoch, job, of });
            }
            (JobKind::ResolveRun | JobKind::ResolveUndo, None) => {
                return Err(format!("{job:?} resolves nothing"));
            }
            (_, Some(of)) => return Err(format!("{job:?} resolves {of:?}")),
            (JobKind::Undo, None) => self.attempt(job, lasts),
            (JobKind::Run, None) if self.is_script(job.task) => self.attempt(job, lasts),
            (JobKind::Watch | JobKind::Stage, None) => self.later(lasts, Coming::Look { epoch, job }),
            (JobKind::Arm, None) => self.order_arm(job, lasts / 10, asks.run),
            (JobKind::Confirm, None) => self.order_confirm(job, lasts / 10, asks),
            (JobKind::Check | JobKind::Snapshot | JobKind::Verify | JobKind::Run, None) => {
                self.later(lasts, Coming::Look { epoch, job });
            }
        }
        Ok(())
    }

    /// Carries a `Fire` order out: every script lies ready, and all of them start.
    pub fn fire(&mut self, step: StepIx, jobs: &[Job]) -> Result<(), String> {
        for job in jobs {
            if !self.staged.remove(&job.task) {
                return Err(format!("{job:?} is fired, and its script lies nowhere"));
            }
            if !self.ordered.insert(*job) {
                return Err(format!("{job:?} was started twice"));
            }
            let lasts = self.rng.between(1, 20) * 500;
            self.attempt(*job, lasts);
        }
        let hosts = jobs.len() as u32;
        let (sent_us, skew_min_us, skew_max_us) = (10, 0, 900);
        let input = Input::Fired { step, hosts, unheard: 0, sent_us, skew_min_us, skew_max_us };
        self.later(20, Coming::News { epoch: self.epoch, input });
        Ok(())
    }

    /// A new process: no script lies ready any more.
    pub fn next_epoch(&mut self) {
        self.epoch += 1;
        self.staged.clear();
    }

    pub(super) fn reply(&mut self, after: u64, job: Job, outcome: Outcome) {
        let input = Input::JobEnded { job, outcome, facts: Facts::default() };
        self.later(after, Coming::News { epoch: self.epoch, input });
    }

    fn attempt(&mut self, job: Job, lasts: u64) {
        if !self.is_reachable(job.task) || !self.calm && self.rng.percent(4) {
            return self.reply(lasts / 2, job, not_started(true));
        }
        if !self.calm && self.rng.percent(2) {
            return self.reply(lasts / 2, job, not_started(false));
        }
        let truth = self.tasks[job.task.at()];
        let broken = if job.kind == JobKind::Undo { truth.undo_broken } else { truth.run_broken };
        let fails =
            !self.calm && (broken || self.rng.percent(if job.kind == JobKind::Undo { 2 } else { 10 }));
        let lost = !self.calm && (truth.link_dies || self.rng.percent(12));
        let lasts = if lost && self.rng.percent(30) { lasts * 8 } else { lasts };
        let will = match fails {
            true if self.rng.percent(20) => Outcome::Failed { how: How::TimedOut(Default::default()) },
            true => Outcome::from_exit(3),
            false => Outcome::Succeeded,
        };
        let attempt = Attempt {
            state: OnHost::NotYet,
            will_touch: !fails || self.rng.percent(60),
            will,
            lasts,
            reply_to: (!lost).then_some(self.epoch),
            ends_at: self.now,
        };
        self.attempts.insert(job, attempt);
        if lost {
            let after = self.rng.between(1, lasts);
            self.reply(after, job, unknown());
            if self.rng.percent(20) {
                // Somebody noticed, and says what became of it before anybody asks.
                let undo = job.kind == JobKind::Undo;
                self.later(after + 1, Coming::Asked { task: job.task, undo });
            }
        }
        match lost {
            // The order never arrives.
            true if truth.link_dies || self.rng.percent(25) => {}
            // It arrives late, perhaps after somebody asked what became of it.
            true if self.rng.percent(30) => {
                let after = self.rng.between(1, 30_000);
                self.later(after, Coming::Claim(job));
            }
            _ => self.later(0, Coming::Claim(job)),
        }
    }

    /// Something comes: what of it is news for the engine?
    pub fn arrives(&mut self, coming: Coming) -> Result<Option<(u32, Input)>, String> {
        match coming {
            Coming::News { epoch, input } => Ok(Some((epoch, input))),
            Coming::Person(input) => Ok(Some((self.epoch, input))),
            Coming::Asked { task, undo } => Ok(self.ask_a_person(task, undo)),
            Coming::Claim(job) => self.claim(job).map(|()| None),
            Coming::Arm { job, heard, run } => self.arms(job, heard, run),
            Coming::Confirm { epoch, job, asks, until } => Ok(self.confirms(epoch, job, asks, until)),
            Coming::Extend { epoch, job } => Ok(self.extends(epoch, job)),
            Coming::GuardTime { task, arm, deadline } => {
                self.guard_time(task, arm, deadline);
                Ok(None)
            }
            Coming::GuardDone { task, arm } => {
                self.guard_done(task, arm);
                Ok(None)
            }
            Coming::End(job) => {
                self.end(job, None);
                Ok(None)
            }
            Coming::Look { epoch, job } => {
                let outcome = self.look(job);
                if epoch == self.epoch && job.kind == JobKind::Stage && outcome == Outcome::Succeeded {
                    self.staged.insert(job.task);
                    if !self.calm && self.rng.percent(8) {
                        let after = self.rng.between(1, 6_000);
                        self.later(after, Coming::Unready { epoch, task: job.task });
                    }
                }
                let facts = self.probed(job, &outcome);
                Ok(Some((epoch, Input::JobEnded { job, outcome, facts })))
            }
            Coming::Receipt { epoch, job, of } => Ok(self.receipt(epoch, job, of)),
            Coming::Unready { epoch, task } => {
                let lost = epoch == self.epoch && self.staged.remove(&task);
                self.lost.extend(lost.then_some(task));
                Ok(lost.then_some((epoch, Input::Unready { task })))
            }
            Coming::Restart { host } => {
                self.restart(host);
                Ok(None)
            }
        }
    }

    fn claim(&mut self, job: Job) -> Result<(), String> {
        let other = self.attempts.iter().find(|(other, attempt)| {
            other.task == job.task && **other != job && attempt.state == OnHost::Runs
        });
        let attempt = &self.attempts[&job];
        if attempt.state != OnHost::NotYet {
            return Ok(());
        }
        if let Some((other, _)) = other {
            return Err(format!("{job:?} starts while {other:?} still runs on the host"));
        }
        if self.is_unguarded_since(job) {
            return Ok(());
        }
        self.is_guarded(job)?;
        if let Some(guard) = self.plan.step_of(job.task).guard
            && job.kind == JobKind::Run
        {
            self.later(guard.within.0 / 3, Coming::Extend { epoch: self.epoch, job });
        }
        let (now, attempt) = (self.now, self.attempts.get_mut(&job).expect("it was ordered"));
        attempt.state = OnHost::Runs;
        attempt.ends_at = Time(now.0 + attempt.lasts);
        let lasts = attempt.lasts;
        self.later(lasts, Coming::End(job));
        Ok(())
    }

    pub(super) fn end(&mut self, job: Job, early: Option<How>) {
        let attempt = self.attempts.get_mut(&job).expect("it was ordered");
        if attempt.state != OnHost::Runs {
            return;
        }
        let outcome = match early {
            Some(how) => Outcome::Failed { how },
            None => attempt.will.clone(),
        };
        let (touch, reply_to) = (attempt.will_touch, attempt.reply_to);
        attempt.state = OnHost::Ended(outcome.clone());
        let truth = &mut self.tasks[job.task.at()];
        match (job.kind, outcome == Outcome::Succeeded) {
            (JobKind::Undo, true) => (truth.touched, truth.effective) = (false, false),
            (JobKind::Undo, false) => truth.effective = false,
            (_, true) => (truth.touched, truth.effective) = (true, true),
            (_, false) if touch => (truth.touched, truth.effective) = (true, false),
            (_, false) => {}
        }
        if let Some(epoch) = reply_to {
            let input = Input::JobEnded { job, outcome, facts: Facts::default() };
            self.later(0, Coming::News { epoch, input });
        }
    }
}

pub(super) fn not_started(try_again: bool) -> Outcome {
    Outcome::NotStarted { because: "no answer".into(), try_again }
}

pub(super) fn unknown() -> Outcome {
    Outcome::Unknown { because: "the link was lost".into() }
}
