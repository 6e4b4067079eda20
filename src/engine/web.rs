//! What of a plan is worked out once: who stands on whom, who shares a jump host.

use crate::model::inventory::Reach;
use crate::model::names::{PhaseIx, StepIx, TaskIx};
use crate::plan::Plan;
use std::collections::BTreeMap;
use std::ops::Range;

/// The plan seen from the other side.
#[derive(Debug)]
pub(super) struct Web {
    /// For each step: the steps that need it, and whether on the same host only.
    pub needed_by: Vec<Vec<(StepIx, bool)>>,
    /// For each step: the steps that wait a minimum time after it.
    pub waited_for_by: Vec<Vec<StepIx>>,
    /// For each step: the steps whose deadline runs from its end.
    pub limits: Vec<Vec<StepIx>>,
    /// For each step and wave: the tasks, by number.
    pub waves: Vec<Vec<Range<u32>>>,
    /// For each host: the jump host it is behind, as a small number.
    pub jump: Vec<Option<usize>>,
    /// How many jump hosts there are.
    pub jumps: usize,
}

impl Web {
    pub fn new(plan: &Plan) -> Self {
        let mut needed_by = vec![Vec::new(); plan.steps.len()];
        let mut waited_for_by = vec![Vec::new(); plan.steps.len()];
        let mut limits = vec![Vec::new(); plan.steps.len()];
        let mut waves = Vec::with_capacity(plan.steps.len());
        for (ix, step) in plan.steps.iter().enumerate() {
            let ix = StepIx(ix as u32);
            for need in &step.needs {
                needed_by[need.step.at()].push((ix, need.same_host));
            }
            if let Some(after) = step.after {
                waited_for_by[after.step.at()].push(ix);
            }
            if let Some(from) = step.deadline.and_then(|deadline| deadline.from) {
                limits[from.at()].push(ix);
            }
            let (mut from, end) = (step.first_task.0, step.first_task.0 + step.tasks);
            let mut ranges = Vec::with_capacity(step.waves.len());
            for size in &step.waves {
                ranges.push(from..(from + size).min(end));
                from = (from + size).min(end);
            }
            match ranges.last_mut() {
                Some(last) => last.end = end,
                None => ranges.push(from..end),
            }
            waves.push(ranges);
        }
        let mut names = BTreeMap::new();
        let jump = plan.hosts.iter().map(|host| match &host.reach {
            Reach::Ssh(ssh) => ssh.jump.as_ref().map(|jump| {
                let next = names.len();
                *names.entry(jump.clone()).or_insert(next)
            }),
            Reach::Local(_) => None,
        });
        let jump = jump.collect();
        Self { needed_by, waited_for_by, limits, waves, jump, jumps: names.len() }
    }

    /// The tasks of a step's wave; none if there is no such wave.
    pub fn wave(&self, step: StepIx, wave: usize) -> impl Iterator<Item = TaskIx> + use<> {
        self.waves[step.at()].get(wave).cloned().unwrap_or(0..0).map(TaskIx)
    }

    /// The jump host that a task's host is behind.
    pub fn jump_of(&self, plan: &Plan, task: TaskIx) -> Option<usize> {
        self.jump[plan.tasks[task.at()].host?.at()]
    }
}

/// The phases after one.
pub(super) fn later(phase: PhaseIx, phases: usize) -> Range<usize> {
    phase.at() + 1..phases
}
