//! What a resume and a rollback do to a run: what is taken for unseen, opened again, or to be taken back.

use super::apply::{Why, need};
use super::progress::{PhaseStatus, StepStatus};
use super::scope::steps_in;
use super::state::{RunState, Status};
use super::task::Stage;
use crate::model::Outcome;
use crate::model::event::{JobKind, NotRun, Scope, StopReason, TaskEnd, UndoEnd, Verdict};
use crate::model::names::{PhaseIx, StepIx, TaskIx};
use crate::model::outcome::How;
use crate::model::question::Question;

impl RunState {
    /// Can a new process take the run up where it was left?
    pub fn can_resume(&self) -> bool {
        let open = match &self.status {
            Status::New => false,
            Status::Running | Status::RollingBack { .. } => true,
            Status::Ended(Verdict::Stopped { .. } | Verdict::Refused { .. }) => true,
            Status::Ended(Verdict::Completed | Verdict::RolledBack | Verdict::Stuck) => false,
        };
        open && self.abandoned.is_none()
    }

    /// Jobs that were running have ended unseen, bounds on tries in vain start anew. After a stop or a refusal,
    /// what did not end well is opened again:
    ///
    /// - `FailuresLeft`: in every phase;
    /// - `StepFailed`, `Operator`, `Refused`: in phases that are not over;
    /// - `WaitingForPeople`, or no end on record (a crash) and nobody had refused: nothing.
    ///
    /// In a phase, these are the tasks that failed or did not run, of steps that are not over or did not end well;
    /// and, in whatever phase, what kept one of these from running.
    /// A rollback is only ever gone on with.
    pub(super) fn run_resumed(&mut self) -> Result<(), Why> {
        need(self.can_resume(), "the run is over, or was abandoned")?;
        for task in std::mem::take(&mut self.busy) {
            self.end_unseen(task);
        }
        self.take_up_all();
        // The hosts are asked again before people are.
        self.close_questions(|question| matches!(question, Question::WhatBecameOf { .. }));
        let ended = std::mem::replace(&mut self.status, Status::Running);
        let refused = self.refused.take().is_some();
        if refused {
            self.forget_refusals();
        }
        self.stop = None;
        self.ended_at = None;
        // The process before may have gone without a word: its last event is the last that is known.
        self.nobody_watches(self.newest_at);
        if let Some((scope, reopen)) = self.rollback {
            self.status = Status::RollingBack { scope, reopen };
            return Ok(());
        }
        let (all, open) = match ended {
            Status::Ended(Verdict::Stopped { because }) => match because {
                StopReason::FailuresLeft => (true, true),
                StopReason::StepFailed { .. } | StopReason::Operator { .. } => (false, true),
                StopReason::WaitingForPeople => (false, false),
            },
            _ => (false, refused),
        };
        for phase in self.phases_ix() {
            if all || open && self.phase(phase).is_open() {
                self.reopen_phase(phase);
            }
        }
        Ok(())
    }

    /// Whoever resumes a refused run is asked again, and by everybody anew.
    pub(super) fn forget_refusals(&mut self) {
        for step in self.steps.iter_mut().filter(|step| step.refused_by.is_some()) {
            step.refused_by = None;
            step.approvals.clear();
        }
    }

    fn end_unseen(&mut self, ix: TaskIx) {
        let Some((job, _)) = self.task(ix).running() else { return };
        let task = &mut self.tasks[ix.at()];
        task.stage = match task.unknown {
            Some(_) => Stage::Idle,
            None => Stage::Again { kind: job.kind },
        };
        if self.changes(job) {
            self.set_unknown(ix, Some(job));
        }
    }

    /// Nothing runs any more, and no script lies ready on a host: those went with the process that had laid them.
    fn take_up_all(&mut self) {
        for ix in self.tasks_ix() {
            self.take_up(ix);
        }
        for ix in self.steps_ix() {
            let fired = self.step(ix).fired && self.plan.tasks_of(ix).any(|task| self.task(task).changed);
            let step = &mut self.steps[ix.at()];
            step.staged = 0;
            step.fired = fired;
        }
    }

    fn take_up(&mut self, ix: TaskIx) {
        let task = &mut self.tasks[ix.at()];
        if let Stage::Ended { kind: kind @ (JobKind::Watch | JobKind::Stage), outcome } = &task.stage
            && (task.is_staged() || was_cancelled(outcome))
        {
            task.stage = Stage::Again { kind: *kind };
        }
        let cancelled =
            matches!(&task.stage, Stage::Ended { kind: JobKind::Undo, outcome } if was_cancelled(outcome));
        if task.unknown.is_some() && !matches!(task.stage, Stage::Running { .. }) || cancelled {
            task.stage = Stage::Idle;
        }
        if matches!(task.stage, Stage::Ended { kind: JobKind::Arm, .. }) {
            task.stage = Stage::Again { kind: JobKind::Arm };
        }
        task.tries.in_vain = 0;
        task.tries.afresh = 0;
    }

    /// Opens what did not end well in a phase again, with what it needs, and forgives the failure.
    pub(super) fn reopen_phase(&mut self, phase: PhaseIx) {
        let steps = self.plan.steps_of(phase).filter(|step| !self.step(*step).ended_well());
        let tasks = steps.flat_map(|step| self.plan.tasks_of(step)).collect();
        self.forgive(phase);
        self.reopen_tasks(tasks);
        for other in self.phases_ix() {
            if !self.phase(other).is_open() && self.phase(other).steps_open > 0 {
                self.forgive(other);
                self.phases[other.at()].status = PhaseStatus::Waiting;
                self.phases[other.at()].ended_at = None;
            }
        }
        // What an earlier phase owes comes first.
        if let Some(now) = self.phase_now
            && self.phases[..now.at()].iter().any(|phase| phase.is_open())
        {
            self.phases[now.at()].status = PhaseStatus::Waiting;
            self.phase_now = None;
        }
    }

    fn forgive(&mut self, phase: PhaseIx) {
        let state = &mut self.phases[phase.at()];
        state.failed = None;
        state.chosen = None;
    }

    /// Opens those of these tasks that did not end well, and what kept them from running.
    fn reopen_tasks(&mut self, mut todo: Vec<TaskIx>) {
        while let Some(ix) = todo.pop() {
            if self.task(ix).end.is_none() || self.task(ix).ended_well() {
                continue;
            }
            let step = self.step_of(ix);
            let end = self.reopen(ix);
            if self.step(step).is_over() {
                self.reopen_step(step);
            }
            match end {
                TaskEnd::NotRun { because: NotRun::NeedFailed { step: needed } } => {
                    todo.extend(self.what_kept(ix, needed));
                }
                // It ended well all the same, on as many hosts as it had to.
                TaskEnd::NotRun { because: NotRun::EvidenceMissing { step: needed } } => {
                    todo.extend(self.plan.tasks_of(needed));
                }
                TaskEnd::NotRun { .. } | TaskEnd::Failed { .. } | TaskEnd::Done | TaskEnd::AlreadySo => {}
            }
            // Who is to start with others waits for them: they get another chance too.
            if self.plan.steps[step.at()].together.is_some() && !self.step(step).fired {
                todo.extend(self.plan.tasks_of(step));
            }
        }
    }

    fn reopen_step(&mut self, step: StepIx) {
        let state = &mut self.steps[step.at()];
        state.status = match state.started_at {
            Some(_) => StepStatus::Running,
            None => StepStatus::Waiting,
        };
        state.ended_at = None;
        self.phases[self.plan.steps[step.at()].phase.at()].steps_open += 1;
    }

    /// The tasks of a needed step that kept this one from running: on the same host, or all that did not end well.
    fn what_kept(&self, ix: TaskIx, needed: StepIx) -> Vec<TaskIx> {
        let host = self.plan.tasks[ix.at()].host;
        let other = self.step(needed);
        match other.is_over() && !other.ended_well() {
            true => self.plan.tasks_of(needed).collect(),
            false => self.plan.task_on(needed, host).into_iter().collect(),
        }
    }

    pub(super) fn rollback_started(&mut self, scope: Scope, reopen: bool) -> Result<(), Why> {
        need(self.status != Status::New, "the run has not begun")?;
        let held = steps_in(&self.plan, scope).ok_or("the plan has no such phase or step")?;
        for ix in self.tasks_ix().filter(|ix| held[self.plan.tasks[ix.at()].step.at()]) {
            let again = match self.task(ix).undo() {
                Some(UndoEnd::Failed { .. } | UndoEnd::Held { .. } | UndoEnd::Impossible) => true,
                Some(UndoEnd::LeftCut) => reopen,
                Some(UndoEnd::Undone | UndoEnd::NotNeeded) | None => false,
            };
            if again {
                self.tasks[ix.at()].undo = None;
            }
        }
        if matches!(self.status, Status::Ended(_)) {
            self.ended_at = None;
            self.take_up_all();
        }
        self.status = Status::RollingBack { scope, reopen };
        self.rollback = Some((scope, reopen));
        self.stop = None;
        self.refused = None;
        self.abandoned = None;
        self.close_questions(|question| !matches!(question, Question::WhatBecameOf { undo: true, .. }));
        Ok(())
    }
}

/// Was the job ended because somebody asked?
pub(super) fn was_cancelled(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed { how: How::Cancelled })
}
