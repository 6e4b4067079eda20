//! Tasks that no order tells apart, taken together: a thousand hosts cost as much as one.
//!
//! Two tasks of a step are of one class if their hosts take part in the same steps wherever it matters which host it
//! is: in steps that wait for one another host by host, come in waves, or leave some of their hosts out.

use crate::model::names::{StepIx, TaskIx};
use crate::plan::Plan;
use std::collections::BTreeMap;

/// All classes of a plan.
#[derive(Debug)]
pub struct Classes {
    /// Each class; those of one step stand side by side, by wave.
    pub all: Vec<Class>,
    /// For each step: where its classes begin; one more at the end.
    first: Vec<usize>,
    /// For each step: its class by the kind of host; empty where all hosts are alike.
    by_kind: Vec<BTreeMap<usize, usize>>,
}

/// Some tasks of a step.
#[derive(Debug)]
pub struct Class {
    /// The step.
    pub step: StepIx,
    /// Do they run, or does the plan leave them out?
    pub runs: bool,
    /// Their wave.
    pub wave: u32,
    /// They, rising.
    pub tasks: Vec<TaskIx>,
    /// The kind of their hosts.
    kind: usize,
}

impl Classes {
    /// The classes of a plan.
    pub fn of(plan: &Plan) -> Self {
        let waves: Vec<Vec<u32>> =
            (0..plan.steps.len()).map(|step| waves(plan, StepIx(step as u32))).collect();
        let matters: Vec<bool> = matters(plan, &waves);
        let kinds = kinds(plan, &waves, &matters);
        let (mut all, mut first, mut by_kind) = (Vec::new(), Vec::new(), Vec::new());
        for (ix, waves) in waves.iter().enumerate() {
            let step = StepIx(ix as u32);
            let mut of_step: BTreeMap<(u32, usize), Class> = BTreeMap::new();
            for (task, wave) in plan.tasks_of(step).zip(waves) {
                let planned = &plan.tasks[task.at()];
                let kind = match (matters[ix], planned.host) {
                    (true, Some(host)) => kinds[host.at()],
                    (true, None) | (false, _) => ALIKE,
                };
                let runs = planned.left_out.is_none();
                let class = of_step.entry((*wave, kind)).or_insert_with(|| Class {
                    step,
                    runs,
                    wave: *wave,
                    tasks: Vec::new(),
                    kind,
                });
                class.tasks.push(task);
            }
            first.push(all.len());
            by_kind
                .push(of_step.values().enumerate().map(|(at, class)| (class.kind, all.len() + at)).collect());
            all.extend(of_step.into_values());
        }
        first.push(all.len());
        Self { all, first, by_kind }
    }

    /// The classes of a step, by wave.
    pub fn of_step(&self, step: StepIx) -> std::ops::Range<usize> {
        self.first[step.at()]..self.first[step.at() + 1]
    }

    /// The class of another step's tasks on the same hosts, if that step runs there.
    pub fn on_same_hosts(&self, class: usize, other: StepIx) -> Option<usize> {
        self.by_kind[other.at()].get(&self.all[class].kind).copied()
    }
}

/// The kind of all hosts where it does not matter which it is.
const ALIKE: usize = usize::MAX;

/// The wave of each task of a step. Where all that runs is in one wave, there are no waves.
fn waves(plan: &Plan, step: StepIx) -> Vec<u32> {
    let sizes = plan.steps[step.at()].waves.iter().enumerate();
    let mut waves: Vec<u32> = sizes.flat_map(|(wave, size)| (0..*size).map(move |_| wave as u32)).collect();
    waves.resize(plan.steps[step.at()].tasks as usize, waves.last().copied().unwrap_or(0));
    waves
}

/// For each step: does it matter on which host a task of it runs?
fn matters(plan: &Plan, waves: &[Vec<u32>]) -> Vec<bool> {
    let mut matters: Vec<bool> = waves
        .iter()
        .enumerate()
        .map(|(step, waves)| {
            let mut tasks = plan.tasks_of(StepIx(step as u32)).zip(waves);
            let Some((first, wave)) = tasks.next() else { return false };
            let runs = |task: TaskIx| plan.tasks[task.at()].left_out.is_none();
            let same = runs(first);
            tasks.any(|(task, other)| runs(task) != same || other != wave)
        })
        .collect();
    for (ix, step) in plan.steps.iter().enumerate() {
        for need in step.needs.iter().filter(|need| need.same_host) {
            matters[ix] = true;
            matters[need.step.at()] = true;
        }
    }
    matters
}

/// The kind of each host: hosts of one kind are in the same wave of the same steps, wherever that matters.
fn kinds(plan: &Plan, waves: &[Vec<u32>], matters: &[bool]) -> Vec<usize> {
    let mut marks: Vec<Vec<(usize, u32, bool)>> = vec![Vec::new(); plan.hosts.len()];
    for (ix, waves) in waves.iter().enumerate().filter(|(ix, _)| matters[*ix]) {
        for (task, wave) in plan.tasks_of(StepIx(ix as u32)).zip(waves) {
            let planned = &plan.tasks[task.at()];
            if let Some(host) = planned.host {
                marks[host.at()].push((ix, *wave, planned.left_out.is_none()));
            }
        }
    }
    let mut known: BTreeMap<Vec<(usize, u32, bool)>, usize> = BTreeMap::new();
    let kind = |marks| {
        let next = known.len();
        *known.entry(marks).or_insert(next)
    };
    marks.into_iter().map(kind).collect()
}
