//! Builds the shortest story that ends in a lock-out, task by task. Finds by walking, not by sets, so that it also
//! checks what the sets say.

use super::legs::may_change;
use super::{Moment, Witness};
use crate::model::names::{StepIx, TaskIx};
use crate::plan::frozen::PlannedUndo;
use crate::plan::{Plan, graph};
use std::collections::{BTreeMap, BTreeSet};

/// Who may have cut one conduit.
#[derive(Debug)]
pub enum Culprits {
    /// It is cut whatever the order: by the task itself, in a phase before, or ever since the run began.
    Nobody,
    /// One of these tasks of the same phase.
    Of {
        /// They.
        tasks: Vec<TaskIx>,
        /// Does a step reconnect the conduit? Then it is cut after that.
        reopened: bool,
    },
}

/// The tasks of a phase around one of them.
pub struct Prefix<'a> {
    plan: &'a Plan,
    task: TaskIx,
    moment: Moment,
}

impl<'a> Prefix<'a> {
    /// The tasks around this one.
    pub fn new(plan: &'a Plan, task: TaskIx, moment: Moment) -> Self {
        Self { plan, task, moment }
    }

    /// An order in which each conduit is cut by one of its culprits; `None` if there is none.
    pub fn witness(&self, culprits: &[Culprits]) -> Option<Witness> {
        let own = self.before(self.task);
        // Of each conduit that needs somebody: who may have cut it, each with all that runs before.
        let mut able: Vec<Vec<(TaskIx, BTreeSet<TaskIx>)>> = Vec::new();
        let mut late: BTreeSet<TaskIx> = BTreeSet::new();
        for culprits in culprits {
            let Culprits::Of { tasks, reopened } = culprits else { continue };
            late.extend(tasks.iter().filter(|_| *reopened));
            let mut ways = Vec::new();
            for task in tasks {
                let mut with = self.before(*task);
                if self.may(*task, &with) {
                    with.insert(*task);
                    ways.push((*task, with));
                }
            }
            able.push(ways);
        }
        let mut ran = own.clone();
        ran.insert(self.task);
        let is_cut =
            |ways: &Vec<(TaskIx, _)>, ran: &BTreeSet<TaskIx>| ways.iter().any(|(task, _)| ran.contains(task));
        let mut chosen: BTreeMap<TaskIx, &BTreeSet<TaskIx>> = BTreeMap::new();
        for ways in &able {
            if !is_cut(ways, &ran) {
                let (task, with) = ways.iter().min_by_key(|(_, with)| with.difference(&ran).count())?;
                ran.extend(with.iter().copied());
                chosen.insert(*task, with);
            }
        }
        // Whoever was chosen first may have become superfluous.
        for task in chosen.keys().copied().collect::<Vec<_>>() {
            let others = chosen.iter().filter(|(other, _)| **other != task);
            let mut without: BTreeSet<TaskIx> = others.flat_map(|(_, with)| with.iter().copied()).collect();
            without.extend(own.iter().copied());
            without.insert(self.task);
            if able.iter().all(|ways| is_cut(ways, &without)) {
                chosen.remove(&task);
                ran = without;
            }
        }
        let phase = self.plan.step_of(self.task).phase;
        Some(Witness { phase, tasks: self.in_order(ran, &late) })
    }

    /// May the task have run when the moment comes? Before a run and a verify: unless it comes after. Before an undo:
    /// unless something stands on the task in question that could not be taken back, or it does so itself.
    fn may(&self, task: TaskIx, before: &BTreeSet<TaskIx>) -> bool {
        match self.moment {
            Moment::Run | Moment::Verify => !before.contains(&self.task),
            Moment::Undo => {
                let stays = |other: &&TaskIx| self.stays(**other) && self.stands_on_it(**other);
                !self.stands_on_it(task) && !before.iter().any(|other| stays(&other))
            }
        }
    }

    /// Does a task that has ended well surely stay in place?
    fn stays(&self, task: TaskIx) -> bool {
        let step = self.plan.step_of(task);
        matches!(step.undo, PlannedUndo::Impossible(_))
            && may_change(&step.action)
            && step.check.is_none()
            && step.max_failures == 0
    }

    fn stands_on_it(&self, task: TaskIx) -> bool {
        walk(self.plan, task, needed).contains(&self.task)
    }

    /// The tasks of the phase that have ended when a task begins.
    fn before(&self, task: TaskIx) -> BTreeSet<TaskIx> {
        before(self.plan, task)
    }

    /// An order that needs and waits allow, in which these come as late as they may.
    fn in_order(&self, tasks: BTreeSet<TaskIx>, late: &BTreeSet<TaskIx>) -> Vec<TaskIx> {
        let mut place = vec![0; self.plan.steps.len()];
        for (at, step) in graph::in_order(&self.plan.steps).into_iter().enumerate() {
            place[step.at()] = at;
        }
        let mut order: Vec<TaskIx> = tasks.into_iter().collect();
        let last = |task: TaskIx| task == self.task && self.moment != Moment::Undo;
        let waits =
            |task: TaskIx| !late.is_empty() && (late.contains(&task) || !self.before(task).is_disjoint(late));
        order.sort_by_cached_key(|task| {
            (last(*task), waits(*task), place[self.plan.tasks[task.at()].step.at()], *task)
        });
        order
    }
}

/// The tasks of the same phase that have ended when a task begins.
pub fn before(plan: &Plan, task: TaskIx) -> BTreeSet<TaskIx> {
    walk(plan, task, awaited)
}

/// Tasks of the same phase that are behind one, by these steps back.
fn walk(
    plan: &Plan,
    from: TaskIx,
    back: impl Fn(&Plan, TaskIx, &mut BTreeSet<StepIx>, &mut Vec<TaskIx>),
) -> BTreeSet<TaskIx> {
    let phase = plan.step_of(from).phase;
    let (mut seen, mut whole, mut todo) = (BTreeSet::new(), BTreeSet::new(), vec![from]);
    while let Some(task) = todo.pop() {
        let mut found = Vec::new();
        back(plan, task, &mut whole, &mut found);
        let new =
            found.into_iter().filter(|other| plan.step_of(*other).phase == phase && seen.insert(*other));
        todo.extend(new.collect::<Vec<_>>());
    }
    seen
}

/// What a task waits for. `whole` holds steps that were walked into with all their tasks.
fn awaited(plan: &Plan, task: TaskIx, whole: &mut BTreeSet<StepIx>, found: &mut Vec<TaskIx>) {
    let runs = |task: &TaskIx| plan.tasks[task.at()].left_out.is_none();
    let planned = &plan.tasks[task.at()];
    let step = &plan.steps[planned.step.at()];
    for need in step.needs.iter().filter(|need| need.same_host) {
        found.extend(plan.task_on(need.step, planned.host).filter(runs));
    }
    let needs = step.needs.iter().filter(|need| !need.same_host).map(|need| need.step);
    for other in needs.chain(step.after.map(|after| after.step)) {
        if whole.insert(other) {
            found.extend(plan.tasks_of(other).filter(runs));
        }
    }
    found.extend(waves_before(plan, planned.step, task).filter(runs));
}

/// The tasks of a step in waves before that of one of them.
fn waves_before(plan: &Plan, step: StepIx, task: TaskIx) -> impl Iterator<Item = TaskIx> {
    let planned = &plan.steps[step.at()];
    let mut start = planned.first_task.0;
    for size in &planned.waves {
        if task.0 < start + size {
            break;
        }
        start += size;
    }
    (planned.first_task.0..start).map(TaskIx)
}

/// What a task stands on.
fn needed(plan: &Plan, task: TaskIx, whole: &mut BTreeSet<StepIx>, found: &mut Vec<TaskIx>) {
    let planned = &plan.tasks[task.at()];
    for need in &plan.steps[planned.step.at()].needs {
        if need.same_host {
            found.extend(plan.task_on(need.step, planned.host));
        } else if whole.insert(need.step) {
            found.extend(plan.tasks_of(need.step));
        }
    }
}
