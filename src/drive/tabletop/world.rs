//! The world as a tabletop has it: what is so on each host, what comes when. Virtual time moves from one thing that
//! comes to the next.

use super::chance::{Chance, For};
use super::guards::OnGuard;
use super::staging::Staging;
use crate::engine::{Input, RunState};
use crate::model::event::{Facts, Job, JobKind, Stands};
use crate::model::names::{HostIx, StepIx, TaskIx};
use crate::model::outcome::How;
use crate::model::question::Question;
use crate::model::scenario::{Part, Spread};
use crate::model::{Millis, Outcome, Time};
use crate::plan::frozen::PlannedAction;
use crate::reach::terrain::Lie;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A look at a host, over a connection that stands.
pub(super) const LOOK: Millis = Millis::from_secs(1);
/// Until a connection that does not come about is given up.
pub(super) const NO_WAY: Millis = Millis::from_secs(10);
/// Until a link that is gone is noticed.
pub(super) const LOST_AFTER: Millis = Millis::from_secs(15);

/// The world of one table.
#[derive(Debug)]
pub struct World {
    pub(super) staging: Arc<Staging>,
    pub(super) chance: Chance,
    /// The present.
    pub now: Time,
    /// Scripts that may change something, by attempt.
    pub(super) attempts: BTreeMap<Job, Attempt>,
    /// For each task: is what it is for so?
    pub(super) effective: Vec<bool>,
    pub(super) lie: Lie,
    /// For each host: in how many stretches of silence it is at present.
    pub(super) silent: Vec<u32>,
    pub(super) staged: BTreeSet<TaskIx>,
    pub(super) guards: BTreeMap<TaskIx, OnGuard>,
    pub(super) stands: Vec<Option<Stands>>,
    /// How often a question was put, so that answers differ from time to time.
    pub(super) put: BTreeMap<Question, u32>,
    /// Do the scenario's people answer?
    pub(super) players_answer: bool,
    /// Is what probes see noted? It costs time that trials do not have.
    pub(super) tells_probes: bool,
    queue: BTreeMap<(Time, u64), Coming>,
    /// Where in the queue the end of a job is that is not on a host.
    under_way: BTreeMap<Job, (Time, u64)>,
    seq: u64,
}

/// A script on its host.
#[derive(Debug)]
pub(super) struct Attempt {
    pub will: Outcome,
    pub ends_at: Time,
    /// How it ended there, once it has.
    pub ended: Option<Outcome>,
    /// Does somebody still hear it?
    pub heard: bool,
}

/// Something that comes.
#[derive(Debug)]
pub(super) enum Coming {
    /// News, as they are.
    News(Input),
    /// A script ends on its host.
    HostEnd(Job),
    /// The link over which a script is heard is lost.
    LinkLost(Job),
    /// A look comes to its end.
    Look(Job),
    /// A receipt is read.
    Receipt { job: Job, of: Job },
    /// A fresh connection asks a guard.
    Confirm { job: Job, last: bool, late: bool },
    /// The time of a guard is over, if it has this deadline still.
    GuardTime { task: TaskIx, deadline: Time },
    /// A host falls silent.
    Silent(HostIx),
    /// A host answers again.
    Back(HostIx),
    /// The players are told something.
    Inject(usize),
}

impl World {
    /// The world when a run begins. `players_answer`: the scenario's people do, rather than those at the table.
    pub fn new(staging: Arc<Staging>, chance: Chance, start: Time, players_answer: bool) -> Self {
        let lie = staging.terrain.with(staging.terrain.cut_at_start().clone());
        let mut world = Self {
            chance,
            now: start,
            attempts: BTreeMap::new(),
            effective: vec![false; staging.plan.tasks.len()],
            lie,
            silent: vec![0; staging.plan.hosts.len()],
            staged: BTreeSet::new(),
            guards: BTreeMap::new(),
            stands: vec![None; staging.plan.services.len()],
            put: BTreeMap::new(),
            players_answer,
            tells_probes: true,
            queue: BTreeMap::new(),
            under_way: BTreeMap::new(),
            seq: 0,
            staging,
        };
        for (ix, stretches) in world.staging.clone().gone.iter().enumerate() {
            for (from, until) in stretches {
                world.later(*from, Coming::Silent(HostIx(ix as u32)));
                if let Some(until) = until {
                    world.later(*until, Coming::Back(HostIx(ix as u32)));
                }
            }
        }
        world.cue(super::staging::Cue::Start);
        world.look_at_services();
        world
    }

    pub(super) fn later(&mut self, after: Millis, coming: Coming) -> (Time, u64) {
        self.seq += 1;
        let at = (self.now + after, self.seq);
        self.queue.insert(at, coming);
        at
    }

    /// News after a while.
    pub(super) fn tell(&mut self, after: Millis, input: Input) {
        self.later(after, Coming::News(input));
    }

    /// When the next thing comes.
    pub fn next_at(&self) -> Option<Time> {
        self.queue.first_key_value().map(|((at, _), _)| *at)
    }

    /// Lets the next thing come; what of it is news for the engine?
    pub fn come(&mut self) -> Option<Input> {
        let ((at, _), coming) = self.queue.pop_first()?;
        self.now = self.now.max(at);
        match coming {
            Coming::News(input) => Some(input),
            Coming::HostEnd(job) => self.host_end(job),
            Coming::LinkLost(job) => self.link_lost(job),
            Coming::Look(job) => {
                self.under_way.remove(&job);
                let (outcome, facts) = self.look(job);
                Some(Input::JobEnded { job, outcome, facts })
            }
            Coming::Receipt { job, of } => self.receipt(job, of),
            Coming::Confirm { job, last, late } => {
                self.under_way.remove(&job);
                Some(self.confirm(job, last, late))
            }
            Coming::GuardTime { task, deadline } => self.guard_time(task, deadline),
            Coming::Silent(host) => {
                self.silent[host.at()] += 1;
                self.ways_changed();
                None
            }
            Coming::Back(host) => {
                self.silent[host.at()] -= 1;
                self.ways_changed();
                None
            }
            Coming::Inject(ix) => Some(Input::Injected { text: self.staging.injects[ix].text.clone() }),
        }
    }

    /// The next message to the players whose time is known.
    pub fn next_inject(&self) -> Option<(Time, &str)> {
        self.queue.iter().find_map(|((at, _), coming)| match coming {
            Coming::Inject(ix) => Some((*at, self.staging.injects[*ix].text.as_str())),
            _ => None,
        })
    }

    /// Carries a `Start` order out.
    pub fn start(&mut self, job: Job, resolves: Option<Job>, state: &RunState) {
        let scripted = self.claims(job.task);
        match (job.kind, resolves) {
            (JobKind::ResolveRun | JobKind::ResolveUndo, Some(of)) => {
                self.queue_end(job, LOOK, Coming::Receipt { job, of });
            }
            (JobKind::ResolveRun | JobKind::ResolveUndo, None) => unreachable!("it resolves something"),
            (JobKind::Undo, _) => self.attempt(job),
            (JobKind::Run, _) if scripted => self.attempt(job),
            (JobKind::Run, _) => {
                let takes = self.action_takes(job, !self.is_hit(job, Part::Action));
                self.queue_end(job, takes, Coming::Look(job));
            }
            (JobKind::Watch, _) => {
                let length = self.step(job.task).watch.as_ref().map_or(LOOK, |watch| watch.length);
                self.queue_end(job, length, Coming::Look(job));
            }
            (JobKind::Confirm, _) => {
                let last = state.is_last_confirmation(job.task, self.now);
                let late = self.is_late(state, job.task);
                self.queue_end(job, self.look_takes(job), Coming::Confirm { job, last, late });
            }
            (JobKind::Check | JobKind::Snapshot | JobKind::Verify | JobKind::Stage | JobKind::Arm, _) => {
                self.queue_end(job, self.look_takes(job), Coming::Look(job));
            }
        }
    }

    /// Carries a `Fire` order out.
    pub fn fire(&mut self, step: StepIx, jobs: &[Job]) {
        for job in jobs {
            self.staged.remove(&job.task);
            self.attempt(*job);
        }
        let heard = jobs.iter().filter(|job| self.attempts.contains_key(job)).count() as u32;
        let input = Input::Fired {
            step,
            hosts: heard,
            unheard: jobs.len() as u32 - heard,
            sent_us: 0,
            skew_min_us: 0,
            skew_max_us: 0,
        };
        self.tell(Millis(0), input);
    }

    /// A script that lies ready is let go of.
    pub fn release(&mut self, task: TaskIx) {
        self.staged.remove(&task);
    }

    /// Ends a job early.
    pub fn cancel(&mut self, job: Job) {
        let cancelled = Outcome::Failed { how: How::Cancelled };
        let on_host = self.attempts.get_mut(&job).is_some_and(|attempt| {
            let runs = attempt.ended.is_none() && attempt.heard;
            if runs {
                (attempt.ended, attempt.heard) = (Some(cancelled.clone()), false);
            }
            runs
        });
        let looks = self.under_way.remove(&job).is_some_and(|at| self.queue.remove(&at).is_some());
        if on_host || looks {
            self.tell(Millis(0), ended(job, cancelled));
        }
    }

    pub(super) fn queue_end(&mut self, job: Job, after: Millis, coming: Coming) {
        let at = self.later(after, coming);
        self.under_way.insert(job, at);
    }
    pub(super) fn is_over(&mut self, job: Job) {
        self.under_way.remove(&job);
    }
    pub(super) fn step(&self, task: TaskIx) -> &crate::plan::frozen::PlannedStep {
        self.staging.plan.step_of(task)
    }
    pub(super) fn host(&self, task: TaskIx) -> Option<HostIx> {
        self.staging.plan.tasks[task.at()].host
    }
    /// Does the action of this task run as a script on its host?
    pub(super) fn claims(&self, task: TaskIx) -> bool {
        matches!(self.step(task).action, PlannedAction::Run(_) | PlannedAction::Upload(_))
    }
    /// How long an action or its undo takes, as it will end.
    pub(super) fn action_takes(&self, job: Job, well: bool) -> Millis {
        let (what, of) = match job.kind == JobKind::Undo {
            true => (For::Undo, &self.staging.undos),
            false => (For::Action, &self.staging.actions),
        };
        let expected = &of[self.staging.plan.tasks[job.task.at()].step.at()];
        let spread = self.measured(job, well).unwrap_or(expected);
        self.chance.length(spread, what, job.task.0, job.attempt)
    }

    /// How long a look at a host takes. Only of a check is it known beforehand what it will say.
    fn look_takes(&self, job: Job) -> Millis {
        let well = job.kind != JobKind::Check || self.effective[job.task.at()];
        // Each kind of look draws for itself.
        let nth = job.attempt.wrapping_mul(JobKind::Stage as u32 + 1).wrapping_add(job.kind as u32);
        self.measured(job, well).map_or(LOOK, |spread| self.chance.length(spread, For::Look, job.task.0, nth))
    }

    /// What journals say of such a job: of one that ended so, or else of any.
    fn measured(&self, job: Job, well: bool) -> Option<&Spread> {
        let of = |well| self.staging.measured.get(&(job.task, job.kind, well));
        let measured = of(well).or_else(|| of(!well))?;
        Some(measured.tries.get(&job.attempt).unwrap_or(&measured.any))
    }
}

/// A job ended like this.
pub(super) fn ended(job: Job, outcome: Outcome) -> Input {
    Input::JobEnded { job, outcome, facts: Facts::default() }
}
