//! Jobs and the ends of tasks, as the checks see them.

use super::check::{Checker, Complaint, require};
use super::check_guard::Stand;
use super::{check_begin, check_end, check_guard};
use blackstart::model::event::{Found, Job, JobKind, NotRun, TaskEnd, UndoEnd};
use blackstart::model::names::TaskIx;
use blackstart::model::question::Question;
use blackstart::model::{How, Outcome, Time};
use blackstart::plan::frozen::{PlannedAction, PlannedUndo};

impl Checker {
    pub(super) fn job_started(&mut self, at: Time, job: Job) -> Complaint {
        check_begin::may_start(self, at, job)?;
        self.begun_job(job);
        Ok(())
    }

    pub(super) fn begun_job(&mut self, job: Job) {
        let script = self.is_script(job.task);
        let task = &mut self.tasks[job.task.at()];
        // Laid ready is as good as started: nobody asks about the attempt before it any more.
        let again = job.kind == JobKind::Stage && task.unknown.is_some_and(|job| job.kind == JobKind::Run);
        if let Some(unknown) = task.unknown
            && (job.kind.may_change() || again)
        {
            task.ran |= unknown.kind == JobKind::Run && script;
            task.afresh += u32::from(unknown.kind == job.kind || again);
            task.unknown = None;
        }
        let armed = matches!(task.seen.last(), Some((JobKind::Arm, Outcome::Succeeded)));
        let goes_on = armed && job.kind == JobKind::Run;
        if task.retry.take().is_none_or(|(kind, _)| kind != job.kind) && !goes_on {
            task.vain = 0;
        }
        task.attempts.insert(job.kind, job.attempt);
        task.begun = true;
        self.running.insert(job);
    }

    pub(super) fn ended(&mut self, job: Job) -> Complaint {
        require(self.running.remove(&job), || format!("{job:?} ends and was not running"))
    }

    pub(super) fn job_ended(&mut self, job: Job, outcome: &Outcome) -> Complaint {
        self.ended(job)?;
        self.attempt_ended(job, outcome);
        Ok(())
    }

    pub(super) fn attempt_ended(&mut self, job: Job, outcome: &Outcome) {
        let script = self.is_script(job.task) && job.kind == JobKind::Run;
        let changed_before = self.tasks[job.task.at()].ran;
        let task = &mut self.tasks[job.task.at()];
        task.seen.push((job.kind, outcome.clone()));
        task.staged = job.kind == JobKind::Stage && *outcome == Outcome::Succeeded;
        if let (Some(guard), JobKind::Run) = (&mut task.guard, job.kind) {
            match outcome {
                Outcome::Succeeded => guard.well = Some(true),
                Outcome::Failed { .. } => guard.well = Some(false),
                Outcome::NotStarted { .. } | Outcome::Unknown { .. } => {}
            }
        }
        match outcome {
            Outcome::Succeeded if matches!(job.kind, JobKind::Check | JobKind::Verify) => {
                if task.unknown.take().is_some() {
                    task.ran = true;
                    task.seen.push((JobKind::Run, Outcome::Succeeded));
                    if let Some(guard) = &mut task.guard {
                        guard.well = Some(true);
                    }
                    if job.kind == JobKind::Verify {
                        task.seen.push((JobKind::Verify, Outcome::Succeeded));
                    }
                }
            }
            Outcome::Succeeded if job.kind == JobKind::Snapshot => {
                if !changed_before {
                    task.snapshot = Some(job.attempt);
                }
            }
            Outcome::Succeeded => task.ran |= script,
            Outcome::Failed { .. } if job.kind == JobKind::Run => {
                task.ran |= script;
                task.failed_runs += 1;
            }
            Outcome::Failed { .. } => task.vain += 1,
            Outcome::NotStarted { .. } => task.vain += 1,
            Outcome::Unknown { .. } if script || job.kind == JobKind::Undo => {
                task.unknown = Some(job);
                task.no_receipt = false;
            }
            Outcome::Unknown { .. } => task.vain += 1,
        }
    }

    pub(super) fn receipt_read(&mut self, job: Job, found: &Found) -> Complaint {
        self.ended(job)?;
        let task = &mut self.tasks[job.task.at()];
        let Some(unknown) = task.unknown else { return Err(format!("{job:?} resolves nothing")) };
        match found {
            Found::NeverStarted => {
                task.unknown = None;
                task.afresh += 1;
            }
            Found::Ended(outcome) => {
                task.unknown = None;
                self.attempt_ended(unknown, outcome);
            }
            Found::NoReceipt { .. } => task.no_receipt = true,
            Found::NotReached { .. } => {
                task.no_receipt = false;
                task.vain += 1;
            }
        }
        Ok(())
    }

    pub(super) fn retry_planned(&mut self, at: Time, ix: TaskIx, kind: JobKind, then: Time) -> Complaint {
        let planned = self.plan.step_of(ix);
        let task = &self.tasks[ix.at()];
        let newest = task.seen.last();
        if task.staged {
            require(kind == JobKind::Stage && then == at && task.vain < 3, || {
                format!("{ix:?} gets ready again")
            })?;
            let task = &mut self.tasks[ix.at()];
            (task.staged, task.retry) = (false, Some((kind, then)));
            task.vain += 1;
            return Ok(());
        }
        let doubled = |first: u64, nth: u32| (first << nth.saturating_sub(1)).min(300_000);
        let guarded = check_guard::retry(self, at, ix, kind);
        let (allowed, pause) = match newest {
            _ if guarded.is_some() => guarded.expect("asked just now"),
            Some((JobKind::Run, Outcome::Failed { .. })) if matches!(kind, JobKind::Run | JobKind::Stage) => {
                (task.failed_runs < planned.retry.attempts, doubled(planned.retry.delay.0, task.failed_runs))
            }
            _ => (task.vain < 3, doubled(5_000, task.vain)),
        };
        require(allowed, || format!("{ix:?} is tried again too often"))?;
        require(then.0 == at.0 + pause, || format!("{ix:?} is tried again after {} ms", then.0 - at.0))?;
        self.tasks[ix.at()].retry = Some((kind, then));
        Ok(())
    }

    pub(super) fn wait_started(&mut self, at: Time, ix: TaskIx, until: Time) -> Complaint {
        check_begin::may_begin_or_go_on(self, at, ix)?;
        match self.plan.step_of(ix).action {
            PlannedAction::Wait(length) if until == at + length => {}
            _ => return Err(format!("{ix:?} waits until {until}")),
        }
        let task = &mut self.tasks[ix.at()];
        (task.begun, task.wait_until) = (true, Some(until));
        Ok(())
    }

    pub(super) fn task_ended(&mut self, at: Time, ix: TaskIx, end: &TaskEnd) -> Complaint {
        let (step, phase) = (self.step_at(ix), self.plan.step_of(ix).phase.at());
        require(self.tasks[ix.at()].end.is_none(), || format!("{ix:?} ends twice"))?;
        require(!self.running.iter().any(|job| job.task == ix), || format!("{ix:?} ends while a job runs"))?;
        match end {
            TaskEnd::NotRun { because } => {
                self.may_not_run(at, ix, because)?;
                self.refused |= matches!(because, NotRun::Refused { .. });
            }
            TaskEnd::Done | TaskEnd::AlreadySo | TaskEnd::Failed { .. } => {
                check_end::task_ended(self, at, ix, end)?;
            }
        }
        let task = &mut self.tasks[ix.at()];
        if matches!(task.seen.last(), Some((JobKind::Check, Outcome::Failed { how: How::Exit(_) })))
            && matches!(end, TaskEnd::Failed { .. })
            && task.no_receipt
            && task.unknown.take().is_some()
        {
            task.ran = true;
        }
        if let Some(Stand::Fired { back }) = task.guard.as_ref().map(|guard| guard.stand) {
            let outcome = Outcome::Unknown { because: "by its guard".into() };
            task.undo = Some(if back { UndoEnd::Undone } else { UndoEnd::Failed { outcome } });
        }
        task.end = Some(end.clone());
        (task.retry, task.told, task.word) = (None, None, None);
        task.staged = false;
        (task.vain, task.afresh) = (0, 0);
        if matches!(end, TaskEnd::Failed { .. }) && self.failures(step) > self.plan.steps[step].max_failures {
            self.phases[phase].failed = true;
        }
        self.questions.retain(|question| *question != Question::Manual { task: ix });
        self.questions.retain(|question| *question != Question::WhatBecameOf { task: ix, undo: false });
        Ok(())
    }

    pub(super) fn undo_ended(&mut self, ix: TaskIx, end: &UndoEnd) -> Complaint {
        let (scope, reopen) = self.rollback.ok_or("an undo ends outside a rollback")?;
        require(check_begin::in_scope(self, scope, ix), || format!("{ix:?} is out of scope"))?;
        let planned = self.plan.step_of(ix);
        let task = &self.tasks[ix.at()];
        require(task.undo.is_none(), || format!("the undo of {ix:?} ends twice"))?;
        let never_ran = !self.in_place(ix);
        let standing: Vec<TaskIx> = check_begin::standing_on(self, ix);
        let cuts_again = !planned.reconnects.is_empty() && matches!(planned.undo, PlannedUndo::By(_));
        let armed = check_guard::stands(task, Stand::Armed);
        let right = match end {
            UndoEnd::Undone => {
                matches!(task.seen.last(), Some((JobKind::Undo, Outcome::Succeeded)))
                    || check_guard::stands(task, Stand::Fired { back: true })
            }
            UndoEnd::NotNeeded => {
                never_ran
                    || planned.undo == PlannedUndo::NotNeeded && (standing.is_empty() || cuts_again) && !armed
            }
            UndoEnd::LeftCut => !planned.severs.is_empty() && !reopen && !armed,
            UndoEnd::Impossible => matches!(planned.undo, PlannedUndo::Impossible(_)) && standing.is_empty(),
            UndoEnd::Failed { outcome } => {
                let by_guard = armed || check_guard::stands(task, Stand::Fired { back: false });
                *outcome != Outcome::Succeeded && (standing.is_empty() || cuts_again || by_guard)
            }
            UndoEnd::Held { by } => !cuts_again && self.in_place(*by) && standing.contains(by) && !armed,
        };
        require(right, || format!("the undo of {ix:?} ends as {end:?}"))?;
        let task = &mut self.tasks[ix.at()];
        if task.guard.as_ref().is_some_and(|guard| matches!(guard.stand, Stand::Fired { .. })) {
            task.guard = None;
        }
        (task.undo, task.retry, task.word) = (Some(end.clone()), None, None);
        (task.vain, task.afresh) = (0, 0);
        self.questions.retain(|question| *question != Question::WhatBecameOf { task: ix, undo: true });
        Ok(())
    }
}
