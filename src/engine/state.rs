//! What the events of a run add up to: nouns and questions. Only `apply` changes them.

use super::guard::{GuardStand, Guarding};
use super::progress::{PhaseState, StepState};
use super::proofs::Proofs;
use super::services::Watched;
use super::task::TaskState;
use crate::model::Time;
use crate::model::event::{Event, Job, Mode, Scope, Stands, StopHow, TaskEnd, UndoEnd, Verdict};
use crate::model::names::{HostIx, PhaseIx, RunId, ServiceName, StepIx, TaskIx};
use crate::model::question::{Answer, Question};
use crate::plan::Plan;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// What the events of a run add up to. [`RunState::apply`] is the only thing that changes it, live, resumed
/// and reported alike.
#[derive(Debug, Clone, PartialEq)]
pub struct RunState {
    pub(super) plan: Arc<Plan>,
    pub(super) status: Status,
    pub(super) run: Option<RunId>,
    pub(super) plan_hash: Option<String>,
    pub(super) mode: Mode,
    pub(super) by: Option<String>,
    pub(super) started_at: Option<Time>,
    pub(super) ended_at: Option<Time>,
    pub(super) tasks: Vec<TaskState>,
    pub(super) steps: Vec<StepState>,
    pub(super) phases: Vec<PhaseState>,
    /// The phase that is running: never more than one.
    pub(super) phase_now: Option<PhaseIx>,
    /// Tasks with a job that runs.
    pub(super) busy: BTreeSet<TaskIx>,
    /// Questions that were asked and need an answer.
    pub(super) questions: BTreeSet<Question>,
    /// Answers that came before their question.
    pub(super) answers: BTreeMap<Question, Answer>,
    /// The last rollback, running or over.
    pub(super) rollback: Option<(Scope, bool)>,
    pub(super) stop: Option<(String, StopHow)>,
    pub(super) refused: Option<String>,
    pub(super) abandoned: Option<String>,
    /// What people took upon themselves when the run began.
    pub(super) risks: Vec<AcceptedRisk>,
    pub(super) hosts: BTreeMap<HostIx, String>,
    pub(super) proofs: Proofs,
    /// How services stood, as the steady watch saw them.
    pub(super) services: BTreeMap<ServiceName, Watched>,
    /// When the backups that were looked at had been taken.
    pub(super) backups: BTreeMap<TaskIx, Time>,
    /// When the probes of tasks agreed for the first time.
    pub(super) proved: BTreeMap<TaskIx, Time>,
    /// The time of the newest event.
    pub(super) newest_at: Time,
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// No event yet.
    New,
    /// Going forwards.
    Running,
    /// Taking back.
    RollingBack {
        /// How much.
        scope: Scope,
        /// Severed conduits too?
        reopen: bool,
    },
    /// Nothing more happens in this process.
    Ended(Verdict),
}

/// A danger of the plan that somebody took upon themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedRisk {
    /// What the plan may lead to.
    pub what: String,
    /// Who.
    pub by: String,
    /// Why.
    pub because: String,
}

/// An event that makes no sense in the state it meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Illegal {
    /// The event, as it was read.
    pub event: String,
    /// What it met.
    pub because: String,
}

impl fmt::Display for Illegal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {} is illegal: {}", self.event, self.because)
    }
}

impl std::error::Error for Illegal {}

impl RunState {
    /// A run of which nothing has happened yet. What the plan leaves out is settled from the beginning.
    pub fn new(plan: Arc<Plan>) -> Self {
        let tasks = tasks_in_waves(&plan);
        let step = |ix| StepState::new(&plan, StepIx(ix as u32), &tasks);
        let steps: Vec<_> = (0..plan.steps.len()).map(step).collect();
        let open = |phase| plan.steps_of(phase).filter(|step| !steps[step.at()].is_over()).count();
        let phases = (0..plan.phases.len()).map(|ix| PhaseState::new(open(PhaseIx(ix as u32)))).collect();
        let proofs = Proofs::new(&plan);
        Self {
            plan,
            status: Status::New,
            run: None,
            plan_hash: None,
            mode: Mode::default(),
            by: None,
            started_at: None,
            ended_at: None,
            tasks,
            steps,
            phases,
            phase_now: None,
            busy: BTreeSet::new(),
            questions: BTreeSet::new(),
            answers: BTreeMap::new(),
            rollback: None,
            stop: None,
            refused: None,
            abandoned: None,
            risks: Vec::new(),
            hosts: BTreeMap::new(),
            proofs,
            services: BTreeMap::new(),
            backups: BTreeMap::new(),
            proved: BTreeMap::new(),
            newest_at: Time(0),
        }
    }

    /// The plan that is run.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }
    /// Where the run stands.
    pub fn status(&self) -> &Status {
        &self.status
    }
    /// The run's id, once it began.
    pub fn run_id(&self) -> Option<&RunId> {
        self.run.as_ref()
    }
    /// Hash of the plan, as the first event says.
    pub fn plan_hash(&self) -> Option<&str> {
        self.plan_hash.as_deref()
    }
    /// Exercise or real.
    pub fn mode(&self) -> Mode {
        self.mode
    }
    /// Who started it.
    pub fn started_by(&self) -> Option<&str> {
        self.by.as_deref()
    }
    /// When it began.
    pub fn started_at(&self) -> Option<Time> {
        self.started_at
    }
    /// When it ended, if it has and was not taken up again.
    pub fn ended_at(&self) -> Option<Time> {
        self.ended_at
    }
    /// A task.
    pub fn task(&self, task: TaskIx) -> &TaskState {
        &self.tasks[task.at()]
    }
    /// A step.
    pub fn step(&self, step: StepIx) -> &StepState {
        &self.steps[step.at()]
    }
    /// A phase.
    pub fn phase(&self, phase: PhaseIx) -> &PhaseState {
        &self.phases[phase.at()]
    }
    /// The phase that is running, if one is.
    pub fn phase_now(&self) -> Option<PhaseIx> {
        self.phase_now
    }
    /// Jobs that run, each with the time it was ordered, in task order.
    pub fn running(&self) -> impl Iterator<Item = (Job, Time)> + '_ {
        self.busy.iter().filter_map(|task| self.task(*task).running())
    }
    /// Questions that people must answer.
    pub fn questions(&self) -> impl Iterator<Item = &Question> {
        self.questions.iter()
    }
    /// How many answers a question still needs; 0 if it is not open.
    pub fn missing(&self, question: &Question) -> u32 {
        match question {
            question if !self.questions.contains(question) => 0,
            Question::Approve { task, people } => {
                people.saturating_sub(self.step(self.step_of(*task)).approvals().len() as u32)
            }
            Question::Manual { .. } | Question::WhatBecameOf { .. } | Question::PhaseFailed { .. } => 1,
        }
    }
    /// May this task have left something on its host that is still there?
    pub fn may_have_changed(&self, task: TaskIx) -> bool {
        let state = self.task(task);
        state.may_have_changed() && !matches!(state.undo(), Some(UndoEnd::Undone | UndoEnd::NotNeeded))
    }
    /// Is there something of this task that its undo, or word of its guard, has to settle?
    pub(super) fn is_to_be_taken_back(&self, task: TaskIx) -> bool {
        let fired = matches!(self.guard(task), Some(Guarding { stand: GuardStand::Fired { .. }, .. }));
        self.task(task).undo.is_none() && (fired || self.may_have_changed(task))
    }
    /// What could not be taken back, or not known to be, with why; empty once somebody took it on.
    pub fn needs_a_person(&self) -> Vec<(TaskIx, UndoEnd)> {
        if self.abandoned.is_some() {
            return Vec::new();
        }
        let stuck = |end: &UndoEnd| match end {
            UndoEnd::Failed { .. } | UndoEnd::Impossible => true,
            UndoEnd::Held { by } => !matches!(self.task(*by).undo(), Some(UndoEnd::LeftCut)),
            UndoEnd::Undone | UndoEnd::NotNeeded | UndoEnd::LeftCut => false,
        };
        self.tasks_ix()
            .filter_map(|ix| Some((ix, self.task(ix).undo()?)))
            .filter(|(_, end)| stuck(end))
            .map(|(ix, end)| (ix, end.clone()))
            .collect()
    }
    /// The stop that somebody asked for in this process.
    pub fn stop_requested(&self) -> Option<(&str, StopHow)> {
        self.stop.as_ref().map(|(by, how)| (by.as_str(), *how))
    }
    /// Scope and `reopen` of the last rollback, running or over.
    pub fn rollback(&self) -> Option<(Scope, bool)> {
        self.rollback
    }
    /// Who took on what was stuck.
    pub fn abandoned_by(&self) -> Option<&str> {
        self.abandoned.as_deref()
    }
    /// What people took upon themselves when the run began.
    pub fn risks(&self) -> &[AcceptedRisk] {
        &self.risks
    }
    /// Facts about a host that was reached, newest.
    pub fn host_reached(&self, host: HostIx) -> Option<&str> {
        self.hosts.get(&host).map(String::as_str)
    }

    /// What negative probes saw, and what that is worth.
    pub fn proofs(&self) -> &Proofs {
        &self.proofs
    }
    /// The time of the newest event.
    pub fn newest_at(&self) -> Time {
        self.newest_at
    }
    /// When the backup that a step looked at had been taken: the oldest, if it looked at several.
    pub fn backup_taken(&self, step: StepIx) -> Option<Time> {
        self.plan.tasks_of(step).filter_map(|task| self.backups.get(&task)).min().copied()
    }
    /// When the probes of a step had agreed on all of its hosts, each for the first time. A host where it was so already
    /// and nobody probed counts from when that was found.
    pub fn probes_agreed(&self, step: StepIx) -> Option<Time> {
        let runs = self.plan.tasks_of(step).filter(|task| self.plan.tasks[task.at()].left_out.is_none());
        let agreed = runs.map(|ix| {
            let task = self.task(ix);
            let found_so = task.end == Some(TaskEnd::AlreadySo);
            self.proved.get(&ix).copied().or(task.ended_at.filter(|_| found_so))
        });
        agreed.collect::<Option<Vec<Time>>>()?.into_iter().max()
    }
    /// How each service stood that the steady watch has looked at.
    pub fn services(&self) -> impl Iterator<Item = (&ServiceName, &Watched)> {
        self.services.iter()
    }
    /// How a service stands, if the steady watch of this process has looked.
    pub fn service(&self, service: &ServiceName) -> Option<Stands> {
        self.services.get(service)?.stands()
    }

    pub(super) fn step_of(&self, task: TaskIx) -> StepIx {
        self.plan.tasks[task.at()].step
    }
    pub(super) fn tasks_ix(&self) -> impl DoubleEndedIterator<Item = TaskIx> + use<> {
        (0..self.tasks.len() as u32).map(TaskIx)
    }
    pub(super) fn steps_ix(&self) -> impl DoubleEndedIterator<Item = StepIx> + use<> {
        (0..self.steps.len() as u32).map(StepIx)
    }
    pub(super) fn phases_ix(&self) -> impl DoubleEndedIterator<Item = PhaseIx> + use<> {
        (0..self.phases.len() as u32).map(PhaseIx)
    }
    pub(super) fn illegal(&self, event: &Event, because: impl Into<String>) -> Illegal {
        Illegal { event: format!("{event:?}"), because: because.into() }
    }
}

/// A state for each task of a plan, in its wave.
fn tasks_in_waves(plan: &Plan) -> Vec<TaskState> {
    let mut tasks = Vec::with_capacity(plan.tasks.len());
    for step in &plan.steps {
        let sizes = step.waves.iter().enumerate();
        let mut waves = sizes.flat_map(|(wave, size)| (0..*size).map(move |_| wave as u32));
        let last = step.waves.len().saturating_sub(1) as u32;
        for task in &plan.tasks[step.first_task.at()..][..step.tasks as usize] {
            tasks.push(TaskState::new(task, waves.next().unwrap_or(last)));
        }
    }
    tasks
}
