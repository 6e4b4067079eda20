//! Resumes and rollbacks, as the checks see them: what is taken for unseen, what is opened again.

use super::check::{Checker, Complaint, Phase, require};
use super::check_begin;
use super::check_guard::Stand;
use blackstart::model::event::{JobKind, Mode, NotRun, Scope, TaskEnd, UndoEnd, Verdict};
use blackstart::model::names::{PhaseIx, TaskIx};
use blackstart::model::question::Question;
use blackstart::model::runbook::Policy;
use std::collections::BTreeSet;

impl Checker {
    pub(super) fn resumed(&mut self) -> Complaint {
        for job in std::mem::take(&mut self.running) {
            let script = self.is_script(job.task);
            let task = &mut self.tasks[job.task.at()];
            if job.kind == JobKind::Undo || job.kind == JobKind::Run && script {
                task.unknown = Some(job);
                task.no_receipt = false;
            }
        }
        self.take_up();
        self.questions.retain(|question| !matches!(question, Question::WhatBecameOf { .. }));
        self.stop = None;
        let refused = std::mem::take(&mut self.refused);
        if refused {
            self.forget_refusals();
        }
        let (all, open) = match self.verdict.take() {
            None => (false, refused),
            Some(Verdict::Refused { .. }) => (false, true),
            Some(Verdict::Stopped { because }) => {
                use blackstart::model::event::StopReason::*;
                match because {
                    FailuresLeft => (true, true),
                    StepFailed { .. } | Operator { .. } => (false, true),
                    WaitingForPeople => (false, false),
                }
            }
            Some(verdict) => return Err(format!("a run that is {verdict:?} was resumed")),
        };
        if self.rollback.is_none() {
            for phase in 0..self.phases.len() {
                if all || open && !self.phases[phase].over {
                    self.reopen(phase);
                }
            }
        }
        Ok(())
    }

    /// Opens what did not end well in this phase. Then, until nothing changes, what kept an opened task from running.
    pub(super) fn reopen(&mut self, phase: usize) {
        (self.phases[phase].failed, self.phases[phase].chosen) = (false, None);
        let plan = self.plan.clone();
        let mut todo: BTreeSet<TaskIx> = BTreeSet::new();
        for step in plan.steps_of(PhaseIx(phase as u32)) {
            if self.steps[step.at()].over != Some(true) {
                todo.extend(plan.tasks_of(step));
            }
        }
        while let Some(ix) = todo.pop_first() {
            let step = self.step_at(ix);
            let needed = match &self.tasks[ix.at()].end {
                Some(TaskEnd::Failed { .. }) => None,
                Some(TaskEnd::NotRun { because: NotRun::NeedFailed { step } }) => Some(*step),
                Some(TaskEnd::NotRun { because: NotRun::EvidenceMissing { step: missing } }) => {
                    todo.extend(plan.tasks_of(*missing));
                    None
                }
                Some(TaskEnd::NotRun { because }) if *because != NotRun::LeftOut => None,
                _ => continue,
            };
            self.reopen_task(ix);
            let its_phase = plan.steps[step].phase.at();
            if self.steps[step].over.take().is_some() && self.phases[its_phase].over {
                self.phases[its_phase] = Phase::default();
            }
            let ix_step = plan.tasks[ix.at()].step;
            if plan.steps[step].together.is_some() && !self.has_begun(ix_step) {
                todo.extend(plan.tasks_of(ix_step));
            }
            if let Some(needed) = needed {
                let whole = self.steps[needed.at()].over == Some(false);
                let same_host = |other: &TaskIx| plan.tasks[other.at()].host == plan.tasks[ix.at()].host;
                todo.extend(plan.tasks_of(needed).filter(|other| whole || same_host(other)));
            }
        }
        // Phases come one after the other: a later one waits for what an earlier one owes.
        if let Some(first) = (0..self.phases.len()).find(|phase| !self.phases[*phase].over) {
            for later in first + 1..self.phases.len() {
                self.phases[later].started &= self.phases[later].over;
            }
        }
    }

    pub(super) fn reopen_task(&mut self, ix: TaskIx) {
        let task = &mut self.tasks[ix.at()];
        (task.end, task.retry, task.wait_until) = (None, None, None);
        (task.failed_runs, task.vain, task.afresh) = (0, 0, 0);
        task.begun = task.unknown.is_some();
        task.excused = task.begun;
        task.seen.clear();
        task.undo = None;
        if task.guard.as_ref().is_some_and(|guard| matches!(guard.stand, Stand::Fired { .. })) {
            task.guard = None;
        }
    }

    pub fn forget_refusals(&mut self) {
        for step in self.steps.iter_mut().filter(|step| step.refused) {
            (step.refused, step.approvals) = (false, Vec::new());
        }
    }

    /// A new process: tries in vain count anew, and what is unknown is found out about at once.
    pub(super) fn take_up(&mut self) {
        self.steps.iter_mut().for_each(|step| step.fired = false);
        for task in &mut self.tasks {
            (task.vain, task.afresh, task.staged) = (0, 0, false);
            if task.unknown.is_some() {
                task.retry = None;
            }
        }
    }

    pub(super) fn rollback_started(&mut self, scope: Scope, reopen: bool, by: &str) -> Complaint {
        let asked_for = self.requested.contains(&(scope, reopen));
        let phase =
            (0..self.phases.len()).find(|phase| self.phases[*phase].started && !self.phases[*phase].over);
        let by_policy = phase.is_some_and(|phase| {
            let wanted = match self.policy(phase) {
                Policy::Rollback => Some(Scope::Phase(PhaseIx(phase as u32))),
                Policy::RollbackRun => Some(Scope::Run),
                Policy::Stop | Policy::Continue | Policy::Ask => None,
            };
            self.phases[phase].failed && wanted == Some(scope) && reopen == (self.mode == Mode::Drill)
        });
        require(asked_for || by_policy, || {
            format!("nobody wanted {scope:?} rolled back, reopen: {reopen}, {by}")
        })?;
        for task in self.plan.clone().tasks.iter().enumerate().map(|(ix, _)| TaskIx(ix as u32)) {
            if check_begin::in_scope(self, scope, task) {
                let state = &mut self.tasks[task.at()];
                match state.undo {
                    Some(UndoEnd::Failed { .. } | UndoEnd::Held { .. } | UndoEnd::Impossible) => {
                        state.undo = None
                    }
                    Some(UndoEnd::LeftCut) if reopen => state.undo = None,
                    _ => {}
                }
            }
        }
        self.close_questions(|question| matches!(question, Question::WhatBecameOf { undo: true, .. }));
        if self.verdict.take().is_some() {
            self.take_up();
        }
        self.rollback = Some((scope, reopen));
        self.stop = None;
        Ok(())
    }
}
