//! What the events between the jobs of a task do to it: retries, waits, its end forwards and backwards.

use super::apply::{Why, need};
use super::guard::{GuardStand, Guarding};
use super::state::{RunState, Status};
use super::task::Stage;
use crate::model::event::{JobKind, NotRun, TaskEnd, UndoEnd};
use crate::model::names::TaskIx;
use crate::model::outcome::How;
use crate::model::question::Question;
use crate::model::{Outcome, Time};
use crate::plan::frozen::PlannedAction;

impl RunState {
    pub(super) fn retry_planned(&mut self, ix: TaskIx, kind: JobKind, at: Time) -> Result<(), Why> {
        self.need_live()?;
        self.need_idle(ix)?;
        let after = match &self.task(ix).stage {
            Stage::Ended { outcome, .. } => Some(outcome.clone()),
            Stage::Read { .. } => None,
            _ => return Err("no job of it has ended".into()),
        };
        let unready = self.task(ix).is_staged();
        let step = self.step_of(ix);
        self.steps[step.at()].staged -= u32::from(unready);
        let task = &mut self.tasks[ix.at()];
        task.tries.in_vain += u32::from(unready);
        task.stage = Stage::Retry { kind, at, after };
        Ok(())
    }

    pub(super) fn wait_started(&mut self, at: Time, ix: TaskIx, until: Time) -> Result<(), Why> {
        need(self.status == Status::Running, "the run does not go forwards")?;
        self.need_idle(ix)?;
        need(self.task(ix).end.is_none(), "the task is settled")?;
        need(matches!(self.plan.step_of(ix).action, PlannedAction::Wait(_)), "the step is no wait")?;
        self.begin(at, ix);
        self.tasks[ix.at()].stage = Stage::Until(until);
        Ok(())
    }

    pub(super) fn task_ended(&mut self, at: Time, ix: TaskIx, end: &TaskEnd) -> Result<(), Why> {
        self.need_live()?;
        self.need_idle(ix)?;
        let task = self.task(ix);
        need(task.end.is_none(), "the task is settled already")?;
        let unsettled = task.unknown.is_some();
        match end {
            TaskEnd::Failed { outcome: Outcome::Succeeded, .. } => {
                return Err("a job that succeeded is no failure".into());
            }
            TaskEnd::Failed { changed, .. } => {
                need(*changed == task.may_have_changed(), "`changed` is not what its attempts say")?;
            }
            TaskEnd::Done | TaskEnd::AlreadySo | TaskEnd::NotRun { .. } => {
                need(!unsettled, "the end of an attempt is missing")?;
                need(!self.owes_confirmation(ix), "its way back is not proved")?;
            }
        }
        let undone_by_guard = match self.guard(ix) {
            Some(Guarding { stand: GuardStand::Fired { undo }, .. }) => Some(by_guard(undo)),
            Some(_) | None => None,
        };
        // A check that the host answered stands in for the end that is missing. Where nobody was reached the end
        // stays missing: whoever opens the task again, or takes it back, must find out first.
        if unsettled && said_no(&task.stage) {
            self.counts_as_run(ix);
            self.set_unknown(ix, None);
        }
        self.settle(at, ix, end.clone());
        self.tasks[ix.at()].undo = undone_by_guard.map(Box::new);
        self.forget_questions_about(ix, false);
        match end {
            TaskEnd::Failed { .. } => self.blame(ix),
            TaskEnd::NotRun { because: NotRun::Refused { by } } => self.refused = Some(by.clone()),
            TaskEnd::Done | TaskEnd::AlreadySo | TaskEnd::NotRun { .. } => {}
        }
        Ok(())
    }

    /// A failed task is its phase's failure once its step has more of them than it may have.
    fn blame(&mut self, ix: TaskIx) {
        let step = self.step_of(ix);
        let planned = &self.plan.steps[step.at()];
        if self.step(step).counts.failed > planned.max_failures {
            self.phases[planned.phase.at()].failed.get_or_insert(step);
        }
    }

    pub(super) fn undo_ended(&mut self, ix: TaskIx, end: &UndoEnd) -> Result<(), Why> {
        need(matches!(self.status, Status::RollingBack { .. }), "nothing is rolled back")?;
        self.need_idle(ix)?;
        let task = self.task(ix);
        need(task.end.is_some(), "the task is not settled forwards")?;
        need(task.undo.is_none(), "its undo is settled already")?;
        let harmless = *end == UndoEnd::NotNeeded && task.stage != Stage::Idle;
        need(harmless || self.is_to_be_taken_back(ix), "it changed nothing")?;
        let task = &mut self.tasks[ix.at()];
        task.undo = Some(Box::new(end.clone()));
        // What the guard did is on record: whoever wants the task taken back again means the run's own undo.
        if matches!(task.guard.as_deref(), Some(Guarding { stand: GuardStand::Fired { .. }, .. })) {
            task.guard = None;
        }
        task.stage = Stage::Idle;
        task.tries = Default::default();
        self.forget_questions_about(ix, true);
        Ok(())
    }

    /// Questions about a task that is settled, and answers that came before them, mean nothing any more.
    fn forget_questions_about(&mut self, ix: TaskIx, undo: bool) {
        for question in [Question::Manual { task: ix }, Question::WhatBecameOf { task: ix, undo }] {
            self.questions.remove(&question);
            self.answers.remove(&question);
        }
    }
}

/// How a task's undo ended that its guard ran on the host.
pub(super) fn by_guard(undo: &Outcome) -> UndoEnd {
    match undo {
        Outcome::Succeeded => UndoEnd::Undone,
        Outcome::Failed { .. } | Outcome::NotStarted { .. } | Outcome::Unknown { .. } => {
            UndoEnd::Failed { outcome: undo.clone() }
        }
    }
}

fn said_no(stage: &Stage) -> bool {
    matches!(stage, Stage::Ended { kind: JobKind::Check, outcome: Outcome::Failed { how: How::Exit(_) } })
}
