//! What the start and the end of a job do to its task.

use super::apply::{Why, need};
use super::state::{RunState, Status};
use super::task::Stage;
use crate::model::event::{Found, Job, JobKind};
use crate::model::guard::GuardSeen;
use crate::model::names::TaskIx;
use crate::model::{Outcome, Time};
use crate::plan::frozen::PlannedAction;

impl RunState {
    pub(super) fn job_started(&mut self, at: Time, job: Job) -> Result<(), Why> {
        self.need_live()?;
        self.need_idle(job.task)?;
        let task = self.task(job.task);
        need(job.attempt == task.attempts(job.kind) + 1, "its attempt is not the next one")?;
        let unknown = task.unknown.map(|job| job.kind);
        let unseen_run = matches!(job.kind, JobKind::ResolveRun | JobKind::Confirm) && task.end.is_some();
        match job.kind {
            _ if unseen_run => {
                need(matches!(self.status, Status::RollingBack { .. }), "nothing is rolled back")?;
                need(task.undo.is_none(), "its undo is settled")?;
            }
            JobKind::Undo | JobKind::ResolveUndo => {
                need(matches!(self.status, Status::RollingBack { .. }), "nothing is rolled back")?;
                need(task.end.is_some() && task.undo.is_none(), "the task is not there to be taken back")?;
            }
            JobKind::Check
            | JobKind::Snapshot
            | JobKind::Arm
            | JobKind::Run
            | JobKind::Confirm
            | JobKind::Verify
            | JobKind::ResolveRun
            | JobKind::Watch
            | JobKind::Stage => {
                need(task.end.is_none(), "the task is settled")?;
                need(self.is_its_turn(job.task), "its phase is not running")?;
            }
        }
        match job.kind {
            JobKind::ResolveRun => need(unknown == Some(JobKind::Run), "no end of a run is missing")?,
            JobKind::ResolveUndo => need(unknown == Some(JobKind::Undo), "no end of an undo is missing")?,
            JobKind::Run | JobKind::Snapshot | JobKind::Arm | JobKind::Watch | JobKind::Stage => {
                need(self.status == Status::Running, "the run does not go forwards")?;
            }
            JobKind::Check | JobKind::Confirm | JobKind::Verify | JobKind::Undo => {}
        }
        self.check_guard_job(job)?;
        let step = self.plan.step_of(job.task);
        match job.kind {
            JobKind::Run => need(step.together.is_none(), "only a firing starts it")?,
            JobKind::Watch => need(step.watch.is_some(), "the step watches nothing")?,
            JobKind::Stage => need(step.together.is_some(), "the step is not fired")?,
            JobKind::Check
            | JobKind::Snapshot
            | JobKind::Arm
            | JobKind::Confirm
            | JobKind::Verify
            | JobKind::Undo
            | JobKind::ResolveRun
            | JobKind::ResolveUndo => {}
        }
        self.begin_job(at, job);
        Ok(())
    }

    /// A job that may start does.
    pub(super) fn begin_job(&mut self, at: Time, job: Job) {
        let task = self.task(job.task);
        let unknown = task.unknown.map(|job| job.kind);
        if task.end.is_none() {
            self.begin(at, job.task);
        }
        let again = job.kind == JobKind::Stage && unknown == Some(JobKind::Run);
        if let Some(unknown) = unknown
            && (job.kind.may_change() || again)
        {
            // Run again (or laid ready for it), or taken back, although an earlier attempt's end was not seen: it may
            // have done something.
            if unknown == JobKind::Run {
                self.counts_as_run(job.task);
            }
            let task = &mut self.tasks[job.task.at()];
            task.tries.afresh += u32::from(unknown == job.kind || again);
            self.set_unknown(job.task, None);
        }
        let task = &mut self.tasks[job.task.at()];
        let goes_on = match task.stage {
            Stage::Retry { kind, .. } => kind == job.kind,
            // Arming is the beginning of the run's own try.
            Stage::Ended { kind: JobKind::Arm, .. } => job.kind == JobKind::Run,
            // A firing goes on with the tries of the staging before it.
            _ => task.is_staged(),
        };
        if !goes_on {
            task.tries.in_vain = 0;
        }
        task.attempts[job.kind as usize] = job.attempt;
        task.stage = Stage::Running { job, since: at };
        self.busy.insert(job.task);
    }

    pub(super) fn job_ended(
        &mut self,
        at: Time,
        job: Job,
        outcome: &Outcome,
        seen: Option<&GuardSeen>,
    ) -> Result<(), Why> {
        self.need_running(job)?;
        match job.kind {
            JobKind::ResolveRun | JobKind::ResolveUndo => {
                return Err("a resolve reads a receipt instead".into());
            }
            JobKind::Run => self.run_job_ended(job, outcome),
            JobKind::Undo => self.undo_job_ended(job, outcome),
            JobKind::Check | JobKind::Verify | JobKind::Snapshot => self.look_ended(job, outcome),
            JobKind::Arm => self.arm_ended(at, job, outcome, seen)?,
            JobKind::Confirm => self.confirm_ended(at, job, outcome, seen)?,
            JobKind::Watch | JobKind::Stage => self.aside_ended(job, outcome),
        }
        self.busy.remove(&job.task);
        Ok(())
    }

    pub(super) fn receipt_read(&mut self, job: Job, found: &Found) -> Result<(), Why> {
        self.need_running(job)?;
        let resolve = matches!(job.kind, JobKind::ResolveRun | JobKind::ResolveUndo);
        need(resolve, "the job is no resolve")?;
        let unknown = self.task(job.task).unknown;
        let unknown = unknown.expect("a resolve starts only while an end is missing, and stays the only job");
        match found {
            Found::Ended(Outcome::Unknown { .. } | Outcome::NotStarted { .. }) => {
                return Err("a receipt tells how a job ended or nothing".into());
            }
            Found::Ended(outcome) => {
                self.set_unknown(job.task, None);
                match unknown.kind {
                    JobKind::Undo => self.undo_job_ended(unknown, outcome),
                    _ => self.run_job_ended(unknown, outcome),
                }
            }
            Found::NeverStarted => self.never_started(job.task),
            Found::NoReceipt { .. } => self.tasks[job.task.at()].stage = Stage::Read { found: found.clone() },
            Found::NotReached { .. } => {
                let task = &mut self.tasks[job.task.at()];
                task.tries.in_vain += 1;
                task.stage = Stage::Read { found: found.clone() };
            }
        }
        self.busy.remove(&job.task);
        Ok(())
    }

    /// An attempt surely did nothing, and never will: as if it had not been ordered.
    pub(super) fn never_started(&mut self, task: TaskIx) {
        let state = &mut self.tasks[task.at()];
        state.tries.afresh += 1;
        state.stage = Stage::Read { found: Found::NeverStarted };
        self.set_unknown(task, None);
    }

    /// A `Run` of the task ran, or has to be taken for one that did: it is looked at when things are taken back, and
    /// the other hosts of its step are not kept waiting for one moment.
    pub(super) fn counts_as_run(&mut self, ix: TaskIx) {
        self.tasks[ix.at()].changed = true;
        self.steps[self.plan.tasks[ix.at()].step.at()].fired = true;
    }

    /// A `Run` ended, as its transport, its receipt or a person says.
    pub(super) fn run_job_ended(&mut self, job: Job, outcome: &Outcome) {
        let changes = self.changes(job);
        if changes && matches!(outcome, Outcome::Succeeded | Outcome::Failed { .. }) {
            self.counts_as_run(job.task);
        }
        let task = &mut self.tasks[job.task.at()];
        if let (Some(guard), Outcome::Succeeded | Outcome::Failed { .. }) = (&mut task.guard, outcome) {
            guard.after = Some(outcome.clone());
        }
        match outcome {
            Outcome::Succeeded => {}
            Outcome::Failed { .. } => task.tries.failed += 1,
            Outcome::NotStarted { .. } => task.tries.in_vain += 1,
            Outcome::Unknown { .. } if changes => {}
            Outcome::Unknown { .. } => task.tries.in_vain += 1,
        }
        task.stage = Stage::Ended { kind: JobKind::Run, outcome: outcome.clone() };
        if changes && matches!(outcome, Outcome::Unknown { .. }) {
            self.set_unknown(job.task, Some(job));
        }
    }

    /// An `Undo` ended, as its transport, its receipt or a person says.
    pub(super) fn undo_job_ended(&mut self, job: Job, outcome: &Outcome) {
        let task = &mut self.tasks[job.task.at()];
        task.tries.in_vain += u32::from(outcome.surely_nothing_happened());
        task.stage = Stage::Ended { kind: JobKind::Undo, outcome: outcome.clone() };
        if matches!(outcome, Outcome::Unknown { .. }) {
            self.set_unknown(job.task, Some(job));
        }
    }

    /// A read-only job ended. If the end of a `Run` is missing, one that agrees stands in for it.
    fn look_ended(&mut self, job: Job, outcome: &Outcome) {
        let unknown = self.task(job.task).unknown;
        let task = &mut self.tasks[job.task.at()];
        task.stage = Stage::Ended { kind: job.kind, outcome: outcome.clone() };
        match (outcome, unknown) {
            (Outcome::Succeeded, Some(run)) => {
                self.set_unknown(job.task, None);
                self.run_job_ended(run, outcome);
                if job.kind == JobKind::Verify {
                    self.tasks[job.task.at()].stage =
                        Stage::Ended { kind: job.kind, outcome: Outcome::Succeeded };
                }
            }
            (Outcome::Succeeded, None) => {
                // The state before the first change is the one to go back to.
                if job.kind == JobKind::Snapshot && !task.changed {
                    task.snapshot = Some(job.attempt);
                }
            }
            (Outcome::Failed { .. } | Outcome::NotStarted { .. } | Outcome::Unknown { .. }, _) => {
                task.tries.in_vain += 1;
            }
        }
    }

    /// A job ended that says nothing about an earlier attempt, whatever came of it.
    fn aside_ended(&mut self, job: Job, outcome: &Outcome) {
        let task = &mut self.tasks[job.task.at()];
        task.stage = Stage::Ended { kind: job.kind, outcome: outcome.clone() };
        match outcome {
            Outcome::Succeeded | Outcome::Failed { .. } => {}
            Outcome::NotStarted { .. } | Outcome::Unknown { .. } => task.tries.in_vain += 1,
        }
        if task.is_staged() {
            self.steps[self.plan.tasks[job.task.at()].step.at()].staged += 1;
        }
    }

    /// May this job change something on a host? A probe and a fetch only look.
    pub(super) fn changes(&self, job: Job) -> bool {
        match (job.kind, &self.plan.step_of(job.task).action) {
            (JobKind::Undo, _) => true,
            (JobKind::Run, PlannedAction::Run(_) | PlannedAction::Upload(_)) => true,
            (JobKind::Run, PlannedAction::Fetch(_) | PlannedAction::Probe(_) | PlannedAction::Backup(_)) => {
                false
            }
            (JobKind::Run, PlannedAction::Manual(_) | PlannedAction::Wait(_)) => false,
            (JobKind::Check | JobKind::Snapshot | JobKind::Verify | JobKind::Watch | JobKind::Stage, _) => {
                false
            }
            // A guard is no change: nothing of it has to be taken back.
            (JobKind::Arm | JobKind::Confirm, _) => false,
            (JobKind::ResolveRun | JobKind::ResolveUndo, _) => false,
        }
    }

    fn need_running(&self, job: Job) -> Result<(), Why> {
        self.need_live()?;
        let running = self.task(job.task).running().is_some_and(|(running, _)| running == job);
        need(running, "this attempt is not the one that runs")
    }
}
