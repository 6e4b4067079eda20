//! What an event makes worth looking at again. Decides nothing; forgetting something here would stall a run.

use super::gate;
use super::run::Engine;
use super::state::Status;
use super::task::Stage;
use crate::model::Event;
use crate::model::event::{Job, JobKind, NotRun, TaskEnd};
use crate::model::names::{PhaseIx, StepIx, TaskIx};
use crate::model::question::Question;

/// What was true of a task's step before an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    step: StepIx,
    wave: usize,
    held_back: bool,
}

impl Engine {
    pub(super) fn look_before(&mut self, event: &Event) -> Option<Before> {
        let task = task_of(event)?;
        if let Stage::Retry { at, .. } | Stage::Until(at) = self.state.task(task).stage {
            self.queues.clocks.remove(&(at, task));
        }
        let step = self.state.step_of(task);
        Some(Before { step, wave: self.state.step(step).wave(), held_back: self.held_back(step) })
    }

    /// Do failures and missing ends keep more tasks of this step from starting?
    fn held_back(&self, step: StepIx) -> bool {
        let counts = self.state.step(step).counts();
        counts.failed + counts.unknown > self.state.plan.steps[step.at()].max_failures
    }

    pub(super) fn notice(&mut self, event: &Event, before: Option<Before>) {
        if let Some(Before { step, wave, held_back }) = before {
            if wave != self.state.step(step).wave() || held_back && !self.held_back(step) {
                self.queues.waves.insert(step);
            }
            // Who lies ready waits for the others of the step, whatever it is that settles them.
            if self.state.step(step).staged > 0 {
                self.queues.steps.insert(step);
            }
        }
        match event {
            Event::RiskAccepted { .. }
            | Event::RunStarted { .. }
            | Event::HostReached { .. }
            | Event::StopRequested { .. } => {}
            Event::PhaseEnded { .. }
            | Event::Abandoned { .. }
            | Event::GuardExtended { .. }
            | Event::Fired { .. } => {}
            Event::Firing { jobs, .. } => jobs.iter().for_each(|job| self.count_behind(*job, 1)),
            Event::ApprovalLapsed { step, .. } => {
                self.queues.waves.insert(*step);
            }
            Event::RunResumed { .. } => {
                self.queues.clear();
                self.queues.behind.fill(0);
                self.standing = None;
                self.survey();
            }
            Event::RollbackStarted { .. } => {
                self.queues.clear();
                self.standing = None;
                self.last_look_is_stale();
                self.survey();
            }
            Event::RunEnded { .. } => {
                self.queues.clear();
                self.last_look_is_stale();
                self.standing = None;
                self.wake = None;
            }
            Event::PhaseStarted { phase } => self.survey_phase(*phase),
            Event::StepEnded { step, .. } | Event::StepNotRun { step, .. } => self.step_settled(*step),
            Event::JobStarted { job } => self.count_behind(*job, 1),
            Event::JobEnded { job, .. } | Event::ReceiptRead { job, .. } => {
                self.count_behind(*job, -1);
                self.queues.tasks.push_back(job.task);
                if let Some(standing) = &mut self.standing
                    && job.kind == JobKind::Confirm
                {
                    standing.look_again(job.task);
                }
            }
            Event::RetryPlanned { task, .. } | Event::WaitStarted { task, .. } => {
                self.queues.tasks.push_back(*task);
            }
            Event::TaskEnded { task, end } => self.task_settled(*task, end),
            Event::Asked { question } => self.touched(question),
            Event::Answered { answer } => self.touched(&answer.question),
            Event::UndoEnded { task, .. } => {
                if let Some(standing) = &mut self.standing {
                    standing.settled(&self.state, &self.web, *task);
                }
            }
            Event::Baseline { .. } => {
                let severing = (0..).map(StepIx).zip(&self.state.plan.steps);
                let severing = severing.filter(|(_, step)| !step.severs.is_empty()).map(|(ix, _)| ix);
                self.queues.waves.extend(severing);
            }
            Event::ServiceSeen { .. } | Event::LookedAfter { .. } | Event::Injected { .. } => {}
        }
    }

    /// Everything of the phase that runs is looked at; in a rollback, of every phase.
    fn survey(&mut self) {
        match (&self.state.status, self.state.phase_now) {
            (Status::RollingBack { .. }, _) => {
                self.state.phases_ix().for_each(|phase| self.survey_phase(phase))
            }
            (_, Some(phase)) => self.survey_phase(phase),
            (_, None) => {}
        }
    }

    fn survey_phase(&mut self, phase: PhaseIx) {
        for step in self.state.plan.steps_of(phase) {
            self.queues.steps.insert(step);
            self.queues.waves.insert(step);
            self.watch_deadline(step);
            if self.state.step(step).counts().begun > 0 {
                let tasks = self.state.plan.tasks_of(step);
                let begun = tasks.filter(|task| self.state.task(*task).is_begun());
                self.queues.tasks.extend(begun);
            }
        }
    }

    fn step_settled(&mut self, step: StepIx) {
        self.queues.step_clocks.remove(&step);
        self.queues.deadlines.remove(&step);
        self.queues.steps.insert(step);
        for limited in 0..self.web.limits[step.at()].len() {
            self.watch_deadline(self.web.limits[step.at()][limited]);
        }
        self.queues.waves.extend(self.web.needed_by[step.at()].iter().map(|(other, _)| *other));
        self.queues.waves.extend(&self.web.waited_for_by[step.at()]);
    }

    /// Sets the clock of a step that must not start too late.
    fn watch_deadline(&mut self, step: StepIx) {
        let its_turn = self.state.phase_now == Some(self.state.plan.steps[step.at()].phase);
        if its_turn
            && !self.state.step(step).is_over()
            && let Some(at) = gate::deadline(&self.state, step)
        {
            self.queues.deadlines.insert(step, at);
        }
    }

    fn task_settled(&mut self, task: TaskIx, end: &TaskEnd) {
        let step = self.state.step_of(task);
        let host = self.state.plan.tasks[task.at()].host;
        for (other, same_host) in &self.web.needed_by[step.at()] {
            if *same_host && let Some(waiting) = self.state.plan.task_on(*other, host) {
                self.queues.tasks.push_back(waiting);
            }
        }
        match end {
            TaskEnd::Done | TaskEnd::AlreadySo | TaskEnd::NotRun { because: NotRun::LeftOut } => {}
            TaskEnd::Failed { .. } | TaskEnd::NotRun { .. } => {
                self.queues.steps.insert(step);
            }
        }
        if self.state.step(step).counts().open() == 0 {
            self.queues.steps.insert(step);
        }
    }

    fn touched(&mut self, question: &Question) {
        match question {
            Question::Manual { task } | Question::WhatBecameOf { task, .. } => {
                self.queues.tasks.push_back(*task);
            }
            Question::Approve { task, .. } => {
                let step = self.state.step_of(*task);
                self.queues.waves.insert(step);
            }
            Question::PhaseFailed { .. } => self.survey(),
        }
    }

    fn count_behind(&mut self, job: Job, change: i32) {
        if let Some(jump) = self.web.jump_of(&self.state.plan, job.task) {
            let behind = &mut self.queues.behind[jump];
            *behind = behind.saturating_add_signed(change);
        }
    }
}

fn task_of(event: &Event) -> Option<TaskIx> {
    match event {
        Event::JobStarted { job } | Event::JobEnded { job, .. } | Event::ReceiptRead { job, .. } => {
            Some(job.task)
        }
        Event::RetryPlanned { task, .. }
        | Event::WaitStarted { task, .. }
        | Event::TaskEnded { task, .. }
        | Event::UndoEnded { task, .. }
        | Event::GuardExtended { task, .. } => Some(*task),
        Event::Answered { answer } => match answer.question {
            Question::Manual { task } | Question::WhatBecameOf { task, .. } => Some(task),
            Question::Approve { .. } | Question::PhaseFailed { .. } => None,
        },
        Event::Asked { question: Question::Manual { task } | Question::WhatBecameOf { task, .. } } => {
            Some(*task)
        }
        Event::Asked { question: Question::Approve { .. } | Question::PhaseFailed { .. } } => None,
        Event::RunStarted { .. }
        | Event::RunResumed { .. }
        | Event::HostReached { .. }
        | Event::PhaseStarted { .. }
        | Event::PhaseEnded { .. }
        | Event::StepEnded { .. }
        | Event::StepNotRun { .. }
        | Event::StopRequested { .. }
        | Event::RollbackStarted { .. }
        | Event::Abandoned { .. }
        | Event::RiskAccepted { .. }
        | Event::RunEnded { .. }
        | Event::ApprovalLapsed { .. }
        | Event::Baseline { .. }
        | Event::LookedAfter { .. }
        | Event::ServiceSeen { .. }
        | Event::Injected { .. } => None,
        Event::Fired { .. } => None,
        // One stands for all: they are of the same step.
        Event::Firing { jobs, .. } => jobs.first().map(|job| job.task),
    }
}
