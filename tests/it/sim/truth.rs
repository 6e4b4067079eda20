//! Is what a run says at its end true in the world?

use super::check::require;
use super::check_begin::{found_so, in_scope};
use super::driver::Sim;
use blackstart::engine::{RunState, Status};
use blackstart::model::event::{Scope, TaskEnd, UndoEnd, Verdict};
use blackstart::model::names::TaskIx;
use blackstart::plan::frozen::{PlannedAction, PlannedUndo};

impl Sim {
    /// The end is what the world says too, whatever the events say.
    pub(super) fn is_true(&self, state: &RunState, verdict: &Verdict) -> Result<(), String> {
        require(*state.status() == Status::Ended(verdict.clone()), || format!("{verdict:?} was said"))?;
        let again = state.proofs().after().map(|after| after.open);
        require(again == self.check.proof.open_again, || {
            format!("{again:?} paths are said to be open again")
        })?;
        for ix in (0..self.plan.tasks.len() as u32).map(TaskIx) {
            let (truth, task, planned) = (self.world.tasks[ix.at()], state.task(ix), self.plan.step_of(ix));
            let name = self.plan.task_name(ix);
            let kept = task.snapshot() == self.check.tasks[ix.at()].snapshot;
            require(kept, || format!("{name} would be taken back to a state after its change"))?;
            let harmless = task.undo() == Some(&UndoEnd::NotNeeded) && planned.undo == PlannedUndo::NotNeeded;
            let tracked = !truth.touched || state.may_have_changed(ix) || harmless;
            require(tracked, || format!("{name} changed something, and the run has lost track of it"))?;
            let script = matches!(planned.action, PlannedAction::Run(_));
            let not_undone = task.undo().is_none() && state.rollback().is_none();
            if script && not_undone && task.end() == Some(&TaskEnd::Done) {
                require(truth.effective, || format!("{name} is said to be done"))?;
            }
            if not_undone && task.end() == Some(&TaskEnd::Done) && planned.guard.is_some() {
                // One that could not take the change back is over too, once the change was found to be there.
                let over = self.world.has_fired(ix) && found_so(&self.check, ix);
                let heard = self.world.gave_way(ix) || over;
                require(heard, || format!("{name} is said to be done, and its guard has not given way"))?;
            }
            if task.undo() == Some(&UndoEnd::Undone) {
                require(!truth.touched, || format!("{name} is said to be undone"))?;
            }
        }
        match (verdict, state.rollback()) {
            (Verdict::RolledBack, Some((scope, _))) => self.is_rolled_back(state, scope),
            (Verdict::Stuck, _) => {
                let stuck = !state.needs_a_person().is_empty() || state.abandoned_by().is_some();
                require(stuck, || "stuck, and nobody is needed".into())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn is_rolled_back(&self, state: &RunState, scope: Scope) -> Result<(), String> {
        for ix in (0..self.plan.tasks.len() as u32).map(TaskIx) {
            let (truth, planned) = (self.world.tasks[ix.at()], self.plan.step_of(ix));
            let left = match state.task(ix).undo() {
                Some(UndoEnd::LeftCut) => true,
                Some(UndoEnd::Held { by }) => state.task(*by).undo() == Some(&UndoEnd::LeftCut),
                Some(UndoEnd::NotNeeded) => planned.undo == PlannedUndo::NotNeeded,
                _ => false,
            };
            let back = !truth.touched || left || !in_scope(&self.check, scope, ix);
            require(back, || format!("rolled back, and {} is not", self.plan.task_name(ix)))?;
        }
        Ok(())
    }
}
