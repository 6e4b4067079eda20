//! Remembers on which hosts, and with which rights there, this run is known to have claimed something. Receipts
//! that are missing there are lost; elsewhere they may simply never have been made.

use crate::drive::tools::{claims, privileged};
use crate::engine::RunState;
use crate::model::Outcome;
use crate::model::event::{Job, JobKind, TaskEnd};
use crate::model::names::{HostIx, TaskIx};
use crate::plan::Plan;
use std::collections::BTreeSet;

/// Hosts (or the controller), each with whether it was privileged there.
#[derive(Debug, Default)]
pub struct Claimed(BTreeSet<(Option<HostIx>, bool)>);

impl Claimed {
    /// What earlier processes of this run claimed: by tasks that ran and ended. Fetches and probes claim nothing,
    /// and say nothing about receipts that are not there.
    pub fn so_far(state: &RunState) -> Self {
        let plan = state.plan();
        let tasks = (0..plan.tasks.len() as u32).map(TaskIx);
        let claimed = tasks.filter(|task| claims(plan, *task) && has_ended(state, *task));
        Self(claimed.map(|task| place(plan, task)).collect())
    }

    /// Notes a job that ended in this process.
    pub fn note(&mut self, plan: &Plan, job: Job, outcome: &Outcome) {
        let claimed = job.kind.may_change() && claims(plan, job.task);
        if claimed && matches!(outcome, Outcome::Succeeded | Outcome::Failed { .. }) {
            self.0.insert(place(plan, job.task));
        }
    }

    /// Is a claim known where this task runs?
    pub fn holds(&self, plan: &Plan, task: TaskIx) -> bool {
        self.0.contains(&place(plan, task))
    }
}

fn place(plan: &Plan, task: TaskIx) -> (Option<HostIx>, bool) {
    (plan.tasks[task.at()].host, privileged(plan, task))
}

/// Did a run or an undo of this task surely start, and end?
fn has_ended(state: &RunState, task: TaskIx) -> bool {
    let state = state.task(task);
    let failed =
        matches!(state.end(), Some(TaskEnd::Failed { outcome: Outcome::Failed { .. }, changed: true, .. }));
    let ran = failed || state.ended_well() && state.attempts(JobKind::Run) > 0;
    ran || state.undo().is_some() && state.attempts(JobKind::Undo) > 0
}
