//! Steps and phases as their events leave them: counters that make every decision cheap.

use super::task::TaskState;
use crate::model::Time;
use crate::model::event::{NotRun, TaskEnd};
use crate::model::names::StepIx;
use crate::model::runbook::Policy;
use crate::plan::Plan;
use std::collections::BTreeSet;

/// A step of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct StepState {
    pub(super) status: StepStatus,
    pub(super) counts: Counts,
    /// Open tasks of each wave.
    pub(super) open_by_wave: Vec<u32>,
    /// The first wave that is not settled.
    pub(super) wave_now: usize,
    /// Consent that counts.
    pub(super) approvals: Vec<Approval>,
    /// Signatures that were counted once: key and time.
    pub(super) spent: BTreeSet<(String, Time)>,
    /// Who said no at its gate.
    pub(super) refused_by: Option<String>,
    pub(super) started_at: Option<Time>,
    pub(super) ended_at: Option<Time>,
    /// Open tasks whose script lies ready on its host.
    pub(super) staged: u32,
    /// Has it been fired, or does a `Run` of it count as one that ran? Then whoever is ready late is not kept waiting.
    pub(super) fired: bool,
    /// What its first firing came to, as far as it was measured.
    pub(super) salvo: Option<Salvo>,
}

/// What a firing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Salvo {
    /// Hosts that answered that they started.
    pub hosts: u32,
    /// Hosts whose answer was not seen.
    pub unheard: u32,
    /// The hosts' starts lie at least and at most so far apart, in microseconds.
    pub skew_us: (u64, u64),
}

/// A person's consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Whose: a login name, or the principal of a signature.
    pub by: String,
    /// Fingerprint of the key that signed it.
    pub key: Option<String>,
    /// When it was given.
    pub at: Time,
}

/// Where a step stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepStatus {
    /// Nothing of it was ordered.
    Waiting,
    /// At least one of its tasks has begun.
    Running,
    /// All tasks are settled.
    Ended {
        /// On all hosts but at most `max_failures`?
        well: bool,
    },
    /// None of its tasks ran or will run.
    NotRun {
        /// Why not.
        because: NotRun,
    },
}

/// How many tasks of a step are in which state; they add up to all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Nothing of them was ordered.
    pub waiting: u32,
    /// Begun and not settled.
    pub begun: u32,
    /// Of those begun: the end of a `Run` was not seen and is not settled yet.
    pub unknown: u32,
    /// Done.
    pub done: u32,
    /// Already so.
    pub already_so: u32,
    /// Failed.
    pub failed: u32,
    /// Not run, for another reason than being left out by the plan.
    pub not_run: u32,
    /// Left out by the plan.
    pub left_out: u32,
}

/// A phase of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseState {
    pub(super) status: PhaseStatus,
    /// Steps that are not over.
    pub(super) steps_open: u32,
    /// The first step of it that failed, and is not forgiven.
    pub(super) failed: Option<StepIx>,
    /// What a person chose instead of `ask`, and who.
    pub(super) chosen: Option<(Policy, String)>,
    pub(super) started_at: Option<Time>,
    pub(super) ended_at: Option<Time>,
}

/// Where a phase stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhaseStatus {
    /// Not its turn yet, or opened again by a resume.
    Waiting,
    /// Its steps may run.
    Running,
    /// It is over.
    Ended {
        /// Did its steps end well, or were they tolerated by `continue`?
        well: bool,
    },
}

impl StepState {
    /// A step with what its tasks are before anything happened.
    pub(super) fn new(plan: &Plan, step: StepIx, tasks: &[TaskState]) -> Self {
        let planned = &plan.steps[step.at()];
        let mut open_by_wave = vec![0; planned.waves.len().max(1)];
        let mut counts = Counts::default();
        for task in &tasks[planned.first_task.at()..][..planned.tasks as usize] {
            match task.end {
                Some(_) => counts.left_out += 1,
                None => {
                    counts.waiting += 1;
                    open_by_wave[task.wave as usize] += 1;
                }
            }
        }
        let status = match counts.waiting {
            0 => StepStatus::Ended { well: true },
            _ => StepStatus::Waiting,
        };
        let mut step = Self {
            status,
            counts,
            open_by_wave,
            wave_now: 0,
            approvals: Vec::new(),
            spent: BTreeSet::new(),
            refused_by: None,
            started_at: None,
            ended_at: None,
            staged: 0,
            fired: false,
            salvo: None,
        };
        step.pass_settled_waves();
        step
    }

    /// Where it stands.
    pub fn status(&self) -> &StepStatus {
        &self.status
    }
    /// How many of its tasks are in which state.
    pub fn counts(&self) -> Counts {
        self.counts
    }
    /// The first wave that is not settled, counted from 0; the number of waves if all are.
    pub fn wave(&self) -> usize {
        self.wave_now
    }
    /// Who consented so far. What lapsed and was not noticed is among them.
    pub fn approvals(&self) -> &[Approval] {
        &self.approvals
    }
    /// When its first task began.
    pub fn started_at(&self) -> Option<Time> {
        self.started_at
    }
    /// When its last task was settled. `None` if the plan leaves all of it out.
    pub fn ended_at(&self) -> Option<Time> {
        self.ended_at
    }
    /// How many hosts have its script ready and wait to be fired.
    pub fn staged(&self) -> u32 {
        self.staged
    }
    /// What its first firing came to, if it was fired and measured.
    pub fn salvo(&self) -> Option<Salvo> {
        self.salvo
    }
    /// Is nothing left of it to do or decide?
    pub fn is_over(&self) -> bool {
        matches!(self.status, StepStatus::Ended { .. } | StepStatus::NotRun { .. })
    }
    /// Did it end as it should, on all hosts but at most `max_failures`?
    pub fn ended_well(&self) -> bool {
        self.status == (StepStatus::Ended { well: true })
    }
    /// Moves on to the first wave that has open tasks.
    pub(super) fn pass_settled_waves(&mut self) {
        while self.open_by_wave.get(self.wave_now) == Some(&0) {
            self.wave_now += 1;
        }
    }
}

impl Counts {
    /// Tasks that are not settled.
    pub fn open(&self) -> u32 {
        self.waiting + self.begun
    }
    /// A task is about to be settled.
    pub(super) fn leave_open(&mut self, task: &TaskState) {
        *(if task.is_begun() { &mut self.begun } else { &mut self.waiting }) -= 1;
        self.unknown -= u32::from(task.unknown.is_some());
    }
    /// A task was opened again.
    pub(super) fn enter_open(&mut self, task: &TaskState) {
        *(if task.is_begun() { &mut self.begun } else { &mut self.waiting }) += 1;
        self.unknown += u32::from(task.unknown.is_some());
    }
    /// The count that a settled task belongs to.
    pub(super) fn ended(&mut self, end: &TaskEnd) -> &mut u32 {
        match end {
            TaskEnd::Done => &mut self.done,
            TaskEnd::AlreadySo => &mut self.already_so,
            TaskEnd::Failed { .. } => &mut self.failed,
            TaskEnd::NotRun { .. } => &mut self.not_run,
        }
    }
}

impl PhaseState {
    pub(super) fn new(steps_open: usize) -> Self {
        Self {
            status: PhaseStatus::Waiting,
            steps_open: steps_open as u32,
            failed: None,
            chosen: None,
            started_at: None,
            ended_at: None,
        }
    }

    /// Is it not over?
    pub fn is_open(&self) -> bool {
        !matches!(self.status, PhaseStatus::Ended { .. })
    }
    /// Where it stands.
    pub fn status(&self) -> PhaseStatus {
        self.status
    }
    /// The first step of it that failed, and is not forgiven.
    pub fn failed_step(&self) -> Option<StepIx> {
        self.failed
    }
    /// When it began, first.
    pub fn started_at(&self) -> Option<Time> {
        self.started_at
    }
    /// When it was over, last.
    pub fn ended_at(&self) -> Option<Time> {
        self.ended_at
    }
}
