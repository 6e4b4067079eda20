//! Independent checks: reads the events of a run one by one and complains about what must not be. It shares no
//! code with the engine, keeps everything naively, and looks things up by walking the plan.

use super::check_begin;
use super::check_gates::Consent;
use super::check_proof::Proof;
use blackstart::engine::Limits;
use blackstart::model::event::{
    Event, Job, JobKind, Mode, NotRun, Scope, StopHow, TaskEnd, UndoEnd, Verdict,
};
use blackstart::model::names::{PhaseIx, StepIx, TaskIx};
use blackstart::model::question::{Choice, Question};
use blackstart::model::runbook::Policy;
use blackstart::model::{Outcome, Time};
use blackstart::plan::Plan;
use blackstart::plan::frozen::PlannedAction;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub type Complaint = Result<(), String>;

#[derive(Clone)]
pub struct Checker {
    pub plan: Arc<Plan>,
    pub limits: Limits,
    pub tasks: Vec<Task>,
    pub steps: Vec<Step>,
    pub phases: Vec<Phase>,
    pub running: BTreeSet<Job>,
    pub begun: bool,
    pub started_at: Option<Time>,
    pub rollback: Option<(Scope, bool)>,
    pub stop: Option<StopHow>,
    pub refused: bool,
    pub questions: BTreeSet<Question>,
    pub verdict: Option<Verdict>,
    pub mode: Mode,
    /// Scope and `reopen` that operators asked for.
    pub requested: Vec<(Scope, bool)>,
    pub proof: Proof,
}

#[derive(Clone, Default)]
pub struct Task {
    pub end: Option<TaskEnd>,
    pub undo: Option<UndoEnd>,
    /// Something was ordered or asked since it was opened.
    pub begun: bool,
    pub attempts: BTreeMap<JobKind, u32>,
    /// A `Run` ran, or may have.
    pub ran: bool,
    pub unknown: Option<Job>,
    /// The newest receipt that was asked for could not be read on a host that was reached.
    pub no_receipt: bool,
    /// Outcomes by kind since it was opened, newest last.
    pub seen: Vec<(JobKind, Outcome)>,
    pub failed_runs: u32,
    pub vain: u32,
    pub afresh: u32,
    pub retry: Option<(JobKind, Time)>,
    pub wait_until: Option<Time>,
    /// What a person said about a manual step.
    pub told: Option<Choice>,
    /// What a person said about an attempt whose end was not seen, before anybody asked.
    pub word: Option<(Job, Choice)>,
    /// The newest snapshot of the state before the first change.
    pub snapshot: Option<u32>,
    /// It was opened again while an end was missing: what was checked before that counts.
    pub excused: bool,
    pub wave: usize,
    /// Its script lies ready on its host.
    pub staged: bool,
    /// The guard of its newest run.
    pub guard: Option<super::check_guard::Guard>,
}

#[derive(Clone, Default)]
pub struct Step {
    pub over: Option<bool>,
    pub over_at: Option<Time>,
    pub approvals: Vec<Consent>,
    /// Signatures that were counted: key and time.
    pub spent: BTreeSet<(String, Time)>,
    pub refused: bool,
    /// It was fired in this process.
    pub fired: bool,
}

#[derive(Clone, Default)]
pub struct Phase {
    pub started: bool,
    pub over: bool,
    pub chosen: Option<Policy>,
    /// A step of it failed, and nobody forgave it.
    pub failed: bool,
}

impl Checker {
    pub fn new(plan: Arc<Plan>, limits: Limits) -> Self {
        let mut tasks = Vec::new();
        for step in &plan.steps {
            for nth in 0..step.tasks {
                let left_out = plan.tasks[tasks.len()].left_out.is_some();
                let mut wave = 0;
                let mut end = step.waves[0];
                while nth >= end {
                    wave += 1;
                    end += step.waves[wave];
                }
                let because = NotRun::LeftOut;
                tasks.push(Task {
                    wave,
                    end: left_out.then_some(TaskEnd::NotRun { because }),
                    ..Task::default()
                });
            }
        }
        let mut checker = Self {
            tasks,
            steps: vec![Step::default(); plan.steps.len()],
            phases: vec![Phase::default(); plan.phases.len()],
            plan,
            limits,
            running: BTreeSet::new(),
            begun: false,
            started_at: None,
            rollback: None,
            stop: None,
            refused: false,
            questions: BTreeSet::new(),
            verdict: None,
            mode: Mode::Live,
            requested: Vec::new(),
            proof: Proof::default(),
        };
        for step in 0..checker.steps.len() {
            if checker.all_ended(step) {
                checker.steps[step].over = Some(true);
            }
        }
        checker
    }

    pub fn all_ended(&self, step: usize) -> bool {
        self.plan.tasks_of(StepIx(step as u32)).all(|task| self.tasks[task.at()].end.is_some())
    }
    pub fn step_at(&self, task: TaskIx) -> usize {
        self.plan.tasks[task.at()].step.at()
    }
    pub fn failures(&self, step: usize) -> u32 {
        let failed = |task: &TaskIx| matches!(self.tasks[task.at()].end, Some(TaskEnd::Failed { .. }));
        self.plan.tasks_of(StepIx(step as u32)).filter(failed).count() as u32
    }
    pub fn not_run(&self, step: usize) -> u32 {
        let not_run = |task: &TaskIx| match &self.tasks[task.at()].end {
            Some(TaskEnd::NotRun { because }) => *because != NotRun::LeftOut,
            _ => false,
        };
        self.plan.tasks_of(StepIx(step as u32)).filter(not_run).count() as u32
    }
    fn was_refused(&self, step: usize) -> bool {
        let refused = |task: TaskIx| {
            let end = &self.tasks[task.at()].end;
            matches!(end, Some(TaskEnd::NotRun { because: NotRun::Refused { .. } }))
        };
        self.plan.tasks_of(StepIx(step as u32)).any(refused)
    }
    pub fn policy(&self, phase: usize) -> Policy {
        self.phases[phase].chosen.unwrap_or(self.plan.phases[phase].on_failure)
    }
    pub fn is_script(&self, task: TaskIx) -> bool {
        matches!(self.plan.step_of(task).action, PlannedAction::Run(_) | PlannedAction::Upload(_))
    }
    pub fn in_place(&self, task: TaskIx) -> bool {
        let state = &self.tasks[task.at()];
        let ran = state.ran || state.unknown.is_some_and(|job| job.kind == JobKind::Run);
        ran && !matches!(state.undo, Some(UndoEnd::Undone | UndoEnd::NotNeeded))
    }
    /// A phase has failed and the run is held back by it.
    pub fn held_back(&self) -> bool {
        let failed = |(ix, phase): (usize, &Phase)| {
            phase.started && !phase.over && phase.failed && self.policy(ix) != Policy::Continue
        };
        self.phases.iter().enumerate().any(failed)
    }

    pub fn see(&mut self, at: Time, event: &Event) -> Complaint {
        let live = self.verdict.is_none();
        let fits = match event {
            Event::RunStarted { .. } => !self.begun,
            Event::RunResumed { .. } => self.begun,
            Event::RollbackStarted { .. }
            | Event::Abandoned { .. }
            | Event::Answered { .. }
            | Event::ApprovalLapsed { .. } => self.begun,
            _ => self.begun && live,
        };
        require(fits, || format!("{event:?} comes when the run is not going on"))?;
        match event {
            Event::RunStarted { mode, .. } => {
                self.begun = true;
                self.started_at = Some(at);
                self.mode = *mode;
                Ok(())
            }
            Event::RunResumed { .. } => {
                self.proof.services.clear();
                self.resumed()
            }
            Event::HostReached { .. } => Ok(()),
            Event::PhaseStarted { phase } => self.phase_started(*phase),
            Event::PhaseEnded { phase, well } => self.phase_ended(*phase, *well),
            Event::StepEnded { step, well, failures } => self.step_ended(at, step.at(), *well, *failures),
            Event::StepNotRun { step, because } => self.step_not_run(at, step.at(), because),
            Event::JobStarted { job } => self.job_started(at, *job),
            Event::JobEnded { job, outcome, facts } => {
                self.probes_seen(job.task, &facts.probes)?;
                self.job_ended(*job, outcome)?;
                facts.guard.as_ref().map_or(Ok(()), |seen| self.guard_heard(at, *job, outcome, seen))
            }
            Event::ReceiptRead { job, found } => self.receipt_read(*job, found),
            Event::RetryPlanned { task, kind, at: then } => self.retry_planned(at, *task, *kind, *then),
            Event::WaitStarted { task, until } => self.wait_started(at, *task, *until),
            Event::TaskEnded { task, end } => self.task_ended(at, *task, end),
            Event::Asked { question } => self.asked(at, question),
            Event::Answered { answer } => self.answered(at, answer),
            Event::StopRequested { how, .. } => {
                self.stop = Some(*how);
                Ok(())
            }
            Event::RollbackStarted { scope, reopen, by, consent: _ } => {
                self.rollback_started(*scope, *reopen, by)
            }
            Event::Firing { step, jobs } => self.firing(at, *step, jobs),
            Event::Fired { step, .. } => {
                require(self.plan.steps[step.at()].together.is_some(), || format!("{step:?} was fired?"))
            }
            Event::UndoEnded { task, end } => self.undo_ended(*task, end),
            Event::Abandoned { .. } => Ok(()),
            Event::RiskAccepted { .. } => {
                require(self.tasks.iter().all(|task| !task.begun), || "a risk is accepted too late".into())
            }
            Event::GuardExtended { task, left } => self.guard_extended(at, *task, *left),
            Event::ApprovalLapsed { step, by } => self.approval_lapsed(at, step.at(), by),
            Event::RunEnded { verdict } => {
                self.proof.services.clear();
                super::check_end::run_ended(self, verdict)
            }
            // It changes nothing: whatever the engine makes of it is judged by what follows.
            Event::Injected { .. } => Ok(()),
            Event::Baseline { probes, .. } => self.baseline_seen(probes),
            Event::LookedAfter { probes, .. } => self.looked_after(probes),
            Event::ServiceSeen { service, stands, .. } => self.service_seen(service, *stands),
        }
    }

    fn phase_started(&mut self, phase: PhaseIx) -> Complaint {
        require(self.rollback.is_none(), || "a phase starts in a rollback".into())?;
        let before = &self.phases[..phase.at()];
        require(before.iter().all(|phase| phase.over), || format!("{phase:?} starts before one is over"))?;
        require(!self.phases[phase.at()].over, || format!("{phase:?} starts again"))?;
        self.phases[phase.at()].started = true;
        Ok(())
    }

    fn phase_ended(&mut self, phase: PhaseIx, well: bool) -> Complaint {
        let open = self.plan.steps_of(phase).any(|step| self.steps[step.at()].over.is_none());
        require(!open, || format!("{phase:?} ends with an open step"))?;
        let state = &self.phases[phase.at()];
        let forgiven = !state.failed || self.policy(phase.at()) == Policy::Continue;
        require(!well || forgiven, || format!("{phase:?} ends well though a step failed"))?;
        require(well == self.rollback.is_none(), || format!("{phase:?} ends in the wrong way"))?;
        let refused = self.plan.steps_of(phase).any(|step| self.was_refused(step.at()));
        require(!well || !refused, || format!("{phase:?} ends well though somebody refused"))?;
        self.phases[phase.at()].over = true;
        Ok(())
    }

    fn step_ended(&mut self, at: Time, step: usize, well: bool, failures: u32) -> Complaint {
        require(self.all_ended(step), || format!("step {step} ends with an open task"))?;
        require(self.steps[step].over.is_none(), || format!("step {step} ends twice"))?;
        require(failures == self.failures(step), || format!("step {step} counts its failures wrongly"))?;
        let max = self.plan.steps[step].max_failures;
        let in_effect = failures + self.not_run(step) <= max && !self.was_refused(step);
        require(well == in_effect, || format!("step {step} ended, well: {well}?"))?;
        (self.steps[step].over, self.steps[step].over_at) = (Some(well), Some(at));
        if !well {
            self.blame(step);
        }
        Ok(())
    }

    fn blame(&mut self, step: usize) {
        let planned = &self.plan.steps[step];
        let bad = |other: usize| {
            self.steps[other].over == Some(false)
                || self.failures(other) > self.plan.steps[other].max_failures
        };
        let follows = planned.needs.iter().any(|need| bad(need.step.at()))
            || planned.after.is_some_and(|after| bad(after.step.at()));
        if self.failures(step) > planned.max_failures
            || !follows
                && !self.was_refused(step)
                && self.failures(step) + self.not_run(step) > planned.max_failures
        {
            self.phases[planned.phase.at()].failed = true;
        }
    }

    fn step_not_run(&mut self, at: Time, step: usize, because: &NotRun) -> Complaint {
        require(self.steps[step].over.is_none(), || format!("step {step} is over and then not run"))?;
        let open: Vec<TaskIx> = self.plan.tasks_of(StepIx(step as u32)).collect();
        let waits = |task: &TaskIx| self.tasks[task.at()].end.is_none() && !self.tasks[task.at()].begun;
        let waiting: Vec<TaskIx> = open.into_iter().filter(waits).collect();
        require(!waiting.is_empty(), || format!("step {step}: nothing of it waits"))?;
        for task in waiting {
            self.may_not_run(at, task, because)?;
            self.tasks[task.at()].end = Some(TaskEnd::NotRun { because: because.clone() });
        }
        if matches!(because, NotRun::Refused { .. }) {
            self.refused = true;
        }
        let only_not_run = |task: TaskIx| matches!(self.tasks[task.at()].end, Some(TaskEnd::NotRun { .. }));
        if self.plan.tasks_of(StepIx(step as u32)).all(only_not_run) {
            (self.steps[step].over, self.steps[step].over_at) = (Some(false), Some(at));
            let first = self.plan.steps[step].first_task;
            self.close_questions(
                |question| !matches!(question, Question::Approve { task, .. } if *task == first),
            );
            let failure = NotRun::TooManyFailures != *because
                && NotRun::RolledBack != *because
                && !self.was_refused(step);
            if failure {
                self.blame(step);
            }
        }
        Ok(())
    }

    /// Is this a true reason for the task not to run?
    pub(super) fn may_not_run(&self, at: Time, task: TaskIx, because: &NotRun) -> Complaint {
        let step = self.step_at(task);
        let true_reason = match because {
            NotRun::LeftOut => false,
            NotRun::RolledBack => self.rollback.is_some(),
            NotRun::TooManyFailures => self.failures(step) > self.plan.steps[step].max_failures,
            NotRun::Refused { .. } => {
                self.steps[step].refused || self.tasks[task.at()].told == Some(Choice::Refuse)
            }
            NotRun::TooLate { deadline } => {
                self.deadline(step) == Some(*deadline) && at >= *deadline && self.rollback.is_none()
            }
            NotRun::EvidenceMissing { step: missing } => {
                self.steps[missing.at()].over.is_some()
                    && self.plan.steps[step].evidence.contains(missing)
                    && !self.has_evidence(*missing)
            }
            NotRun::NeedFailed { step: needed } => check_begin::need_failed(self, task, *needed),
        };
        require(true_reason, || format!("{task:?} does not run, and {because:?} is not why"))
    }
}

pub fn require(condition: bool, complaint: impl FnOnce() -> String) -> Complaint {
    if condition { Ok(()) } else { Err(complaint()) }
}
