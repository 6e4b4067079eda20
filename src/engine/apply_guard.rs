//! What the news of a task's guard does to it.

use super::apply::{Why, need};
use super::guard::{GuardStand, Guarding};
use super::state::RunState;
use super::task::Stage;
use crate::model::event::{Job, JobKind};
use crate::model::guard::GuardSeen;
use crate::model::names::TaskIx;
use crate::model::{Millis, Outcome, Time};

impl RunState {
    /// May this job about a guard be started?
    pub(super) fn check_guard_job(&self, job: Job) -> Result<(), Why> {
        let (planned, guard) = (self.plan.step_of(job.task).guard, self.guard(job.task));
        let unknown = self.task(job.task).unknown;
        match job.kind {
            JobKind::Arm => {
                need(planned.is_some(), "the step has no guard")?;
                let owes = guard.is_some_and(Guarding::owes_confirmation);
                need(!owes, "the way back of its last run is not proved")
            }
            JobKind::Run if planned.is_some() => {
                let next = guard.is_some_and(|guard| guard.is_armed() && guard.run == job.attempt);
                need(next, "no guard is armed for it")
            }
            JobKind::Confirm => {
                // Where no receipt tells, its guard still does.
                let settled = self.task(job.task).end.is_some();
                need(unknown.is_none() || settled, "the end of its run is missing")?;
                let owes = guard.is_some_and(|guard| guard.is_armed() || guard.owes_confirmation());
                need(owes, "it has no guard that could be confirmed")
            }
            JobKind::Run
            | JobKind::Check
            | JobKind::Snapshot
            | JobKind::Verify
            | JobKind::Watch
            | JobKind::Stage
            | JobKind::Undo
            | JobKind::ResolveRun
            | JobKind::ResolveUndo => Ok(()),
        }
    }

    pub(super) fn arm_ended(
        &mut self,
        at: Time,
        job: Job,
        outcome: &Outcome,
        seen: Option<&GuardSeen>,
    ) -> Result<(), Why> {
        let run = self.task(job.task).attempts(JobKind::Run) + 1;
        let task = &mut self.tasks[job.task.at()];
        match (outcome, seen) {
            (Outcome::Succeeded, Some(GuardSeen::Armed { left, .. })) => {
                let stand = GuardStand::Armed { until: at + *left, confirmed: None };
                task.guard = Some(Box::new(Guarding { arm: job.attempt, run, stand, after: None }));
            }
            (Outcome::Succeeded, _) => return Err("nobody said that the guard is armed".into()),
            (_, Some(_)) => return Err("a guard that could not be armed is no guard".into()),
            (_, None) => task.tries.in_vain += 1,
        }
        task.stage = Stage::Ended { kind: JobKind::Arm, outcome: outcome.clone() };
        Ok(())
    }

    pub(super) fn confirm_ended(
        &mut self,
        at: Time,
        job: Job,
        outcome: &Outcome,
        seen: Option<&GuardSeen>,
    ) -> Result<(), Why> {
        let task = &mut self.tasks[job.task.at()];
        let guard = task.guard.as_mut().expect("a confirmation starts only if there is a guard");
        let was = match guard.stand {
            GuardStand::Armed { confirmed, .. } => confirmed,
            _ => None,
        };
        let stand = match (seen, outcome) {
            (Some(GuardSeen::Confirmed { left: Some(left), .. }), Outcome::Succeeded) => {
                GuardStand::Armed { until: at + *left, confirmed: was.or(Some(at)) }
            }
            (
                Some(GuardSeen::Confirmed { left: None, .. } | GuardSeen::ConfirmedLate { .. }),
                Outcome::Succeeded,
            ) => GuardStand::Disarmed,
            (Some(GuardSeen::Expired { .. }), Outcome::Failed { .. }) => GuardStand::Expired,
            // It took nothing back, because its run had not begun.
            (Some(GuardSeen::Fired { undo: Outcome::NotStarted { .. }, .. }), Outcome::Failed { .. }) => {
                GuardStand::Lost
            }
            (Some(GuardSeen::Fired { undo, .. }), Outcome::Failed { .. }) => {
                GuardStand::Fired { undo: undo.clone() }
            }
            (Some(GuardSeen::Lost { .. }), Outcome::Failed { .. }) => GuardStand::Lost,
            (None, Outcome::Failed { .. } | Outcome::NotStarted { .. } | Outcome::Unknown { .. }) => {
                guard.stand.clone()
            }
            (_, _) => return Err("what the guard did is not what the confirmation came to".into()),
        };
        guard.stand = stand;
        task.changed &= !seen.is_some_and(GuardSeen::took_back);
        task.tries.in_vain += u32::from(seen.is_none());
        let back = seen.is_some_and(GuardSeen::took_back);
        // What a rollback asked is answered: what follows is looked at anew.
        let answered = task.end.is_some() && seen.is_some();
        task.stage = match answered {
            true => Stage::Idle,
            false => Stage::Ended { kind: JobKind::Confirm, outcome: outcome.clone() },
        };
        if back {
            self.set_unknown(job.task, None);
        }
        Ok(())
    }

    pub(super) fn guard_extended(&mut self, at: Time, ix: TaskIx, left: Millis) -> Result<(), Why> {
        self.need_live()?;
        let task = &mut self.tasks[ix.at()];
        let runs = matches!(
            task.stage,
            Stage::Running { job: Job { kind: JobKind::Run | JobKind::ResolveRun, .. }, .. }
        );
        need(runs, "its run is not under way")?;
        match task.guard.as_deref_mut() {
            Some(Guarding { stand: GuardStand::Armed { until, .. }, .. }) => {
                *until = at + left;
                Ok(())
            }
            Some(_) | None => Err("the task has no guard that is armed".into()),
        }
    }
}
