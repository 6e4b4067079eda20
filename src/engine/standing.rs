//! What stands on what while things are taken back: decides what is free to be undone, and what is held.
//!
//! A task stands on those it needs and on all earlier phases. One that changed nothing stands in between: what
//! stands on it stands on what is beneath it too. A task is *gone* when nothing of it is in place and all that
//! stands on it is gone; it *holds* what is beneath it when it stays, or when something holds it. What opened a
//! conduit is taken back even so: a cut is made again whatever stays above it, and goes on holding what is beneath.

use super::apply_task::by_guard;
use super::guard::GuardStand;
use super::scope::steps_in;
use super::state::RunState;
use super::task::Stage;
use super::web::{Web, later};
use crate::model::event::{JobKind, Scope, UndoEnd};
use crate::model::names::{PhaseIx, StepIx, TaskIx};
use crate::plan::frozen::{PlannedStep, PlannedUndo};
use std::collections::{BTreeSet, VecDeque};

/// How far the taking back has come.
#[derive(Debug)]
pub(super) struct Standing {
    reopen: bool,
    in_scope: Vec<bool>,
    tasks: Vec<Stand>,
    steps: Vec<Sum>,
    phases: Vec<Sum>,
    /// Tasks in scope that are to be taken back and are not settled.
    left: usize,
    todo: VecDeque<TaskIx>,
    /// Cuts to be made again that wait until it is known what stays above them.
    cuts: BTreeSet<TaskIx>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    /// Something stands on it, or nobody has looked.
    Waits,
    /// Nothing stands on it: its undo goes on.
    Free,
    /// It is in nobody's way.
    Gone,
    /// It stays, because of this task (often itself).
    Holds(TaskIx),
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    /// Tasks that are not gone.
    there: u32,
    /// Of these, those that stay.
    held: u32,
    /// One that stays and thereby holds what is beneath.
    holder: Option<TaskIx>,
}

/// What came of looking at a task.
#[derive(Debug)]
pub(super) enum Found {
    /// Its undo is settled without a job.
    Settled(TaskIx, UndoEnd),
    /// Nothing stands on it: its undo may go on.
    Free(TaskIx),
    /// Its guard is to be heard first, whatever stands on it.
    Guarded(TaskIx),
}

impl Standing {
    pub fn new(state: &RunState, scope: Scope, reopen: bool) -> Self {
        let plan = &state.plan;
        let in_scope = steps_in(plan, scope).expect("a rollback that was recorded names what is in the plan");
        let mut steps = vec![Sum::default(); plan.steps.len()];
        let mut phases = vec![Sum::default(); plan.phases.len()];
        for (sum, step) in steps.iter_mut().zip(&plan.steps) {
            sum.there = step.tasks;
            phases[step.phase.at()].there += step.tasks;
        }
        let due = |ix: &TaskIx| in_scope[state.step_of(*ix).at()] && state.is_to_be_taken_back(*ix);
        Self {
            reopen,
            tasks: vec![Stand::Waits; plan.tasks.len()],
            steps,
            phases,
            left: state.tasks_ix().filter(due).count(),
            todo: state.tasks_ix().rev().collect(),
            in_scope,
            cuts: BTreeSet::new(),
        }
    }

    /// How many tasks are to be taken back and are not settled.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Does the rollback take this step back?
    pub fn holds_scope(&self, step: StepIx) -> bool {
        self.in_scope[step.at()]
    }

    /// May the undo of this task go on?
    pub fn is_free(&self, ix: TaskIx) -> bool {
        self.tasks[ix.at()] == Stand::Free
    }

    /// Looks at tasks until there is something to record or to start.
    pub fn next(&mut self, state: &RunState, web: &Web) -> Option<Found> {
        while let Some(ix) = self.todo.pop_front() {
            if self.tasks[ix.at()] == Stand::Waits
                && let Some(found) = self.look(state, web, ix)
            {
                return Some(found);
            }
        }
        let ix = *self.cuts.iter().rev().find(|ix| !self.is_pending_above(state, web, **ix))?;
        self.cuts.remove(&ix);
        self.set_free(ix)
    }

    fn look(&mut self, state: &RunState, web: &Web, ix: TaskIx) -> Option<Found> {
        let (task, step) = (state.task(ix), state.plan.step_of(ix));
        let in_place = state.may_have_changed(ix);
        let due = self.in_scope[state.step_of(ix).at()] && state.is_to_be_taken_back(ix);
        match state.guard(ix).map(|guard| &guard.stand) {
            Some(GuardStand::Fired { undo }) if due => return Some(Found::Settled(ix, by_guard(undo))),
            // Whatever is decided about it, its guard must not decide otherwise later.
            Some(GuardStand::Armed { .. }) if due => return Some(Found::Guarded(ix)),
            Some(_) | None => {}
        }
        let undo_unseen = task.unknown.is_some_and(|job| job.kind == JobKind::Undo);
        if due && (undo_unseen || task.stage != Stage::Idle) {
            // An undo that was started before goes on, whatever was found out since.
            return self.set_free(ix);
        }
        if due && !step.severs.is_empty() && !self.reopen {
            return Some(Found::Settled(ix, UndoEnd::LeftCut));
        }
        if in_place && !due {
            let root = match task.undo() {
                // Unless that was taken back since: then it holds by itself.
                Some(UndoEnd::Held { by }) if state.may_have_changed(*by) => *by,
                _ => ix,
            };
            self.set_holds(state, ix, root);
            return None;
        }
        if due && cuts_again(step) {
            self.cuts.insert(ix);
            return None;
        }
        match (self.holder(state, web, ix), due) {
            (Some(by), true) => Some(Found::Settled(ix, UndoEnd::Held { by })),
            (Some(by), false) => {
                self.set_holds(state, ix, by);
                None
            }
            (None, _) if self.is_stood_on(state, web, ix) => None,
            (None, false) => {
                self.set_gone(state, ix);
                None
            }
            (None, true) => match &step.undo {
                PlannedUndo::By(_) => self.set_free(ix),
                PlannedUndo::NotNeeded => Some(Found::Settled(ix, UndoEnd::NotNeeded)),
                PlannedUndo::Impossible(_) => Some(Found::Settled(ix, UndoEnd::Impossible)),
            },
        }
    }

    /// A task's guard was heard: it is looked at again.
    pub fn look_again(&mut self, ix: TaskIx) {
        self.todo.push_back(ix);
    }

    /// A task's undo was settled: what is beneath it is looked at again.
    pub fn settled(&mut self, state: &RunState, web: &Web, ix: TaskIx) {
        if self.in_scope[state.step_of(ix).at()] {
            self.left -= 1;
        }
        if !matches!(self.tasks[ix.at()], Stand::Waits | Stand::Free) {
            return;
        }
        match state.task(ix).undo() {
            // Nothing of it is there, though something may stand where it was.
            Some(UndoEnd::Undone | UndoEnd::NotNeeded) if self.tasks[ix.at()] == Stand::Waits => {
                self.todo.push_back(ix);
            }
            Some(UndoEnd::Undone | UndoEnd::NotNeeded) => match self.holder(state, web, ix) {
                Some(root) => self.set_holds(state, ix, root),
                // A cut that was made again before a wider rollback reached what stands on it.
                None if self.is_stood_on(state, web, ix) => self.tasks[ix.at()] = Stand::Waits,
                None => self.set_gone(state, ix),
            },
            Some(UndoEnd::Held { by }) => self.set_holds(state, ix, *by),
            Some(UndoEnd::LeftCut | UndoEnd::Impossible | UndoEnd::Failed { .. }) | None => {
                self.set_holds(state, ix, ix);
            }
        }
    }

    fn set_free(&mut self, ix: TaskIx) -> Option<Found> {
        self.tasks[ix.at()] = Stand::Free;
        Some(Found::Free(ix))
    }

    fn set_gone(&mut self, state: &RunState, ix: TaskIx) {
        self.tasks[ix.at()] = Stand::Gone;
        let step = state.step_of(ix);
        let phase = state.plan.steps[step.at()].phase;
        let (of_step, of_phase) = (&mut self.steps[step.at()], &mut self.phases[phase.at()]);
        of_step.there -= 1;
        of_phase.there -= 1;
        let (step_gone, phase_gone) = (of_step.there == 0, of_phase.there == 0);
        self.look_beneath(state, ix, step_gone);
        if phase_gone && phase.at() > 0 {
            self.look_at_phase(state, phase.at() - 1);
        }
    }

    fn set_holds(&mut self, state: &RunState, ix: TaskIx, root: TaskIx) {
        self.tasks[ix.at()] = Stand::Holds(root);
        let step = state.step_of(ix);
        let phase = state.plan.steps[step.at()].phase;
        let first_of_step = self.steps[step.at()].add_holder(state, root);
        let first_of_phase = self.phases[phase.at()].add_holder(state, root);
        self.look_beneath(state, ix, first_of_step);
        if first_of_phase {
            (0..phase.at()).for_each(|beneath| self.look_at_phase(state, beneath));
        }
    }

    /// Looks again at what this task needs; at what its whole step needs only if that is told anything.
    fn look_beneath(&mut self, state: &RunState, ix: TaskIx, whole_step: bool) {
        let host = state.plan.tasks[ix.at()].host;
        for need in &state.plan.step_of(ix).needs {
            if need.same_host {
                self.todo.extend(state.plan.task_on(need.step, host));
            } else if whole_step {
                self.todo.extend(state.plan.tasks_of(need.step));
            }
        }
    }

    fn look_at_phase(&mut self, state: &RunState, phase: usize) {
        for step in state.plan.steps_of(PhaseIx(phase as u32)) {
            self.todo.extend(state.plan.tasks_of(step));
        }
    }

    /// A task that stays in place and stands on this one.
    fn holder(&self, state: &RunState, web: &Web, ix: TaskIx) -> Option<TaskIx> {
        let phase = state.plan.step_of(ix).phase;
        let phases = later(phase, self.phases.len()).filter_map(|later| self.phases[later].holder);
        let above = self.standing_on(state, web, ix).filter_map(|above| match above {
            Above::Step(step) => self.steps[step.at()].holder,
            Above::Task(task) => match self.tasks[task.at()] {
                Stand::Holds(root) => Some(root),
                Stand::Waits | Stand::Free | Stand::Gone => None,
            },
        });
        // What cannot be taken back weighs more than what was left cut on purpose.
        phases.chain(above).min_by_key(|root| matches!(state.task(*root).undo(), Some(UndoEnd::LeftCut)))
    }

    fn is_stood_on(&self, state: &RunState, web: &Web, ix: TaskIx) -> bool {
        let phase = state.plan.step_of(ix).phase;
        later(phase, self.phases.len()).any(|later| self.phases[later].there > 0)
            || self.standing_on(state, web, ix).any(|above| match above {
                Above::Step(step) => self.steps[step.at()].there > 0,
                Above::Task(task) => self.tasks[task.at()] != Stand::Gone,
            })
    }

    /// Does anything stand on it, directly or through others, of which it is not yet known whether it stays?
    fn is_pending_above(&self, state: &RunState, web: &Web, ix: TaskIx) -> bool {
        let phase = state.plan.step_of(ix).phase;
        if later(phase, self.phases.len()).any(|later| !self.phases[later].is_settled()) {
            return true;
        }
        let (mut todo, mut seen) = (vec![ix], BTreeSet::new());
        while let Some(beneath) = todo.pop() {
            for above in self.standing_on(state, web, beneath) {
                match above {
                    Above::Step(step) if !self.steps[step.at()].is_settled() => return true,
                    Above::Step(step) => {
                        todo.extend(state.plan.tasks_of(step).filter(|task| seen.insert(*task)))
                    }
                    Above::Task(task) => match self.tasks[task.at()] {
                        Stand::Waits | Stand::Free => return true,
                        Stand::Gone | Stand::Holds(_) => todo.extend(seen.insert(task).then_some(task)),
                    },
                }
            }
        }
        false
    }

    fn standing_on<'a>(
        &self,
        state: &'a RunState,
        web: &'a Web,
        ix: TaskIx,
    ) -> impl Iterator<Item = Above> + 'a {
        let task = &state.plan.tasks[ix.at()];
        web.needed_by[task.step.at()].iter().filter_map(move |(step, same_host)| match same_host {
            false => Some(Above::Step(*step)),
            true => state.plan.task_on(*step, task.host).map(Above::Task),
        })
    }
}

enum Above {
    Step(StepIx),
    Task(TaskIx),
}

/// Is this undo a cut that is made again?
fn cuts_again(step: &PlannedStep) -> bool {
    !step.reconnects.is_empty() && matches!(step.undo, PlannedUndo::By(_))
}

impl Sum {
    /// Is it known of every task whether it stays?
    fn is_settled(&self) -> bool {
        self.there == self.held
    }

    /// Was it the first holder, or does it outweigh the one before?
    fn add_holder(&mut self, state: &RunState, root: TaskIx) -> bool {
        let left_cut = |root: TaskIx| matches!(state.task(root).undo(), Some(UndoEnd::LeftCut));
        let first = self.holder.is_none();
        self.held += 1;
        if self.holder.is_none_or(|before| left_cut(before) && !left_cut(root)) {
            self.holder = Some(root);
        }
        first
    }
}
