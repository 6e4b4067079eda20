//! What events do to phases and steps, and how the counters follow their tasks.

use super::apply::{Why, need};
use super::guard::{GuardStand, Guarding};
use super::progress::{PhaseStatus, StepStatus};
use super::state::{RunState, Status};
use super::task::Stage;
use crate::model::Time;
use crate::model::event::{Job, NotRun, TaskEnd};
use crate::model::names::{PhaseIx, StepIx, TaskIx};
use crate::model::question::Question;

impl RunState {
    pub(super) fn phase_started(&mut self, at: Time, phase: PhaseIx) -> Result<(), Why> {
        need(self.status == Status::Running, "the run does not go forwards")?;
        need(self.phase_now.is_none(), "another phase is running")?;
        need(self.phase(phase).status == PhaseStatus::Waiting, "the phase is over")?;
        let before = &self.phases[..phase.at()];
        let well = before.iter().all(|phase| phase.status == PhaseStatus::Ended { well: true });
        need(well, "a phase before it has not ended well")?;
        let state = &mut self.phases[phase.at()];
        state.status = PhaseStatus::Running;
        state.started_at.get_or_insert(at);
        state.ended_at = None;
        self.phase_now = Some(phase);
        Ok(())
    }

    pub(super) fn phase_ended(&mut self, at: Time, phase: PhaseIx, well: bool) -> Result<(), Why> {
        self.need_live()?;
        need(self.phase_now == Some(phase), "the phase is not running")?;
        need(self.phase(phase).steps_open == 0, "a step of it is not over")?;
        need(
            well == (self.status == Status::Running),
            "a phase ends well exactly if nothing is rolled back",
        )?;
        let state = &mut self.phases[phase.at()];
        state.status = PhaseStatus::Ended { well };
        state.ended_at = Some(at);
        self.phase_now = None;
        Ok(())
    }

    pub(super) fn step_ended(&mut self, at: Time, ix: StepIx, well: bool, failures: u32) -> Result<(), Why> {
        self.need_live()?;
        let phase = self.plan.steps[ix.at()].phase;
        let leaving = matches!(self.status, Status::RollingBack { .. });
        need(leaving || self.phase_now == Some(phase), "its phase is not running")?;
        let step = self.step(ix);
        need(!step.is_over(), "the step is over already")?;
        need(step.counts.open() == 0, "a task of it is not settled")?;
        need(failures == step.counts.failed, "the failures are not those of its tasks")?;
        need(well == self.is_in_effect(ix), "well is not what its tasks add up to")?;
        self.step_over(at, ix, StepStatus::Ended { well });
        if !well {
            self.blame_step(ix);
        }
        Ok(())
    }

    pub(super) fn step_not_run(&mut self, at: Time, ix: StepIx, because: &NotRun) -> Result<(), Why> {
        self.need_live()?;
        need(!self.step(ix).is_over(), "the step is over already")?;
        need(self.step(ix).counts.waiting > 0, "all of its tasks have begun")?;
        for task in self.plan.tasks_of(ix) {
            if self.task(task).end.is_none() && !self.task(task).is_begun() {
                self.settle(at, task, TaskEnd::NotRun { because: because.clone() });
            }
        }
        let counts = self.step(ix).counts;
        if counts.open() + counts.done + counts.already_so + counts.failed == 0 {
            self.step_over(at, ix, StepStatus::NotRun { because: because.clone() });
            match because {
                NotRun::NeedFailed { .. } | NotRun::TooLate { .. } | NotRun::EvidenceMissing { .. } => {
                    self.blame_step(ix);
                }
                NotRun::LeftOut | NotRun::TooManyFailures | NotRun::RolledBack | NotRun::Refused { .. } => {}
            }
        }
        if let NotRun::Refused { by } = because {
            self.refused = Some(by.clone());
        }
        Ok(())
    }

    /// Did a step whose tasks are settled end well? A host where it did not run is no new failure, but the step is
    /// not in effect there either. What somebody refused is never tolerated.
    pub(super) fn is_in_effect(&self, ix: StepIx) -> bool {
        let counts = self.step(ix).counts;
        counts.failed + counts.not_run <= self.plan.steps[ix.at()].max_failures && !self.was_refused(ix)
    }

    fn was_refused(&self, ix: StepIx) -> bool {
        let refused = |task: TaskIx| {
            matches!(self.task(task).end, Some(TaskEnd::NotRun { because: NotRun::Refused { .. } }))
        };
        self.step(ix).counts.not_run > 0 && self.plan.tasks_of(ix).any(refused)
    }

    /// A step that is not in effect on enough hosts is its phase's failure; unless somebody refused it, or that follows
    /// from the failure of a step that it needs: that one was blamed, and somebody chose to go on without it.
    fn blame_step(&mut self, ix: StepIx) {
        let planned = &self.plan.steps[ix.at()];
        let failed = |step: StepIx| {
            let other = self.step(step);
            other.is_over() && !other.ended_well() || self.has_too_many_failures(step)
        };
        let waited_for = planned.after.map(|after| after.step);
        let forgiven = planned.needs.iter().map(|need| need.step).chain(waited_for).any(failed);
        let excused = forgiven || self.was_refused(ix);
        if self.has_too_many_failures(ix) || !excused && !self.is_in_effect(ix) {
            self.phases[planned.phase.at()].failed.get_or_insert(ix);
        }
    }

    fn has_too_many_failures(&self, ix: StepIx) -> bool {
        self.step(ix).counts.failed > self.plan.steps[ix.at()].max_failures
    }

    fn step_over(&mut self, at: Time, ix: StepIx, status: StepStatus) {
        let step = &mut self.steps[ix.at()];
        step.status = status;
        step.ended_at = Some(at);
        self.phases[self.plan.steps[ix.at()].phase.at()].steps_open -= 1;
        let first = self.plan.steps[ix.at()].first_task;
        self.close_questions(|question| matches!(question, Question::Approve { task, .. } if *task == first));
    }

    /// Notes that something of a task was ordered or asked. Call it before its stage changes.
    pub(super) fn begin(&mut self, at: Time, task: TaskIx) {
        if self.task(task).is_begun() {
            return;
        }
        if !self.plan.step_of(task).severs.is_empty() {
            self.proofs.begin_cut();
        }
        let step = &mut self.steps[self.plan.tasks[task.at()].step.at()];
        step.counts.waiting -= 1;
        step.counts.begun += 1;
        step.started_at.get_or_insert(at);
        if step.status == StepStatus::Waiting {
            step.status = StepStatus::Running;
        }
        self.tasks[task.at()].started_at.get_or_insert(at);
    }

    /// Settles a task forwards: the counters of its step follow. An attempt whose end is missing stays on record.
    pub(super) fn settle(&mut self, at: Time, ix: TaskIx, end: TaskEnd) {
        let task = &mut self.tasks[ix.at()];
        let step = &mut self.steps[self.plan.tasks[ix.at()].step.at()];
        step.staged -= u32::from(task.is_staged());
        step.counts.leave_open(task);
        *step.counts.ended(&end) += 1;
        step.open_by_wave[task.wave as usize] -= 1;
        step.pass_settled_waves();
        task.end = Some(end);
        task.stage = Stage::Idle;
        task.tries = Default::default();
        task.ended_at = Some(at);
    }

    /// Opens a task that did not end well again. What it may have changed and its attempts stay on record.
    pub(super) fn reopen(&mut self, ix: TaskIx) -> TaskEnd {
        let task = &mut self.tasks[ix.at()];
        let step = &mut self.steps[self.plan.tasks[ix.at()].step.at()];
        let end = task.end.take().expect("only a settled task is opened again");
        *step.counts.ended(&end) -= 1;
        task.stage = Stage::Idle;
        // Only a guard takes back what is not rolled back, and what it took back is done anew.
        task.undo = None;
        if matches!(task.guard.as_deref(), Some(Guarding { stand: GuardStand::Fired { .. }, .. })) {
            task.guard = None;
        }
        task.tries = Default::default();
        task.ended_at = None;
        step.counts.enter_open(task);
        step.open_by_wave[task.wave as usize] += 1;
        step.wave_now = step.wave_now.min(task.wave as usize);
        end
    }

    /// Sets or clears the attempt whose end was not seen. What a person said early was said about the one before.
    pub(super) fn set_unknown(&mut self, ix: TaskIx, unknown: Option<Job>) {
        for undo in [false, true] {
            self.answers.remove(&Question::WhatBecameOf { task: ix, undo });
        }
        let task = &mut self.tasks[ix.at()];
        let open = task.end.is_none();
        let before = std::mem::replace(&mut task.unknown, unknown);
        if open {
            let counts = &mut self.steps[self.plan.tasks[ix.at()].step.at()].counts;
            counts.unknown = counts.unknown + u32::from(unknown.is_some()) - u32::from(before.is_some());
        }
    }
}
