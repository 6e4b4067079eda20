//! What negative probes prove, and what services are seen to do, as the checks see it.

use super::check::{Checker, Complaint, require};
use blackstart::model::event::{Before, NotRun, Seen, Stands, TaskEnd};
use blackstart::model::names::{ServiceName, StepIx, TaskIx};
use blackstart::model::probe::Expect;
use blackstart::plan::Plan;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Default)]
pub struct Proof {
    /// The look before the first cut is on record.
    pub looked: bool,
    /// Every probe that somebody looked with before the first cut and got an answer of either kind.
    told: BTreeSet<String>,
    /// Every probe that was seen open at some time.
    open: BTreeSet<String>,
    /// Every probe that was seen open before the first cut.
    pub open_at_first: BTreeSet<String>,
    /// So many of them were seen open at the look before the end.
    pub open_again: Option<u32>,
    /// What is known of services in this process.
    pub services: BTreeMap<ServiceName, Stands>,
}

/// Does anything that runs have a probe that must be closed?
pub fn has_negative_probe(plan: &Plan) -> bool {
    (0..plan.tasks.len() as u32).map(TaskIx).any(|ix| {
        let runs = plan.tasks[ix.at()].left_out.is_none();
        runs && plan.step_of(ix).probes().any(|probe| probe.expect == Expect::Closed)
    })
}

/// Must somebody look, before a cut begins?
pub fn baseline_is_due(check: &Checker) -> bool {
    let going = check.begun && check.verdict.is_none() && check.rollback.is_none();
    going && !check.proof.looked && has_negative_probe(&check.plan)
}

impl Checker {
    pub(super) fn baseline_seen(&mut self, probes: &[Seen]) -> Complaint {
        require(!self.proof.looked, || "there are two looks before the first cut".into())?;
        require(has_negative_probe(&self.plan), || {
            "there was nothing to look at before the first cut".into()
        })?;
        let cuts = |ix: &TaskIx| !self.plan.step_of(*ix).severs.is_empty() && self.tasks[ix.at()].begun;
        let cut = (0..self.tasks.len() as u32).map(TaskIx).any(|ix| cuts(&ix));
        require(!cut, || "the look before the first cut comes after it".into())?;
        self.proof.looked = true;
        for seen in probes {
            if !seen.seen.starts_with("cannot tell") {
                self.proof.told.insert(seen.probe.clone());
            }
            if seen.seen == "open" {
                self.proof.open.insert(seen.probe.clone());
                self.proof.open_at_first.insert(seen.probe.clone());
            }
        }
        Ok(())
    }

    pub(super) fn probes_seen(&mut self, task: TaskIx, probes: &[Seen]) -> Complaint {
        for seen in probes.iter().filter(|seen| seen.expected == "closed") {
            let wanted = match seen.probe.as_str() {
                probe if self.proof.open.contains(probe) => Before::Open,
                _ if self.was_cut_already(task) => Before::CutAlready,
                probe if self.proof.told.contains(probe) => Before::NotOpen,
                _ => Before::NotLooked,
            };
            require(seen.before == Some(wanted), || format!("{seen:?} of {task:?} should say {wanted:?}"))?;
        }
        let open = probes.iter().filter(|seen| seen.seen == "open").map(|seen| seen.probe.clone());
        self.proof.open.extend(open);
        Ok(())
    }

    /// Every cut beneath the task was so when the run began, and there is one.
    fn was_cut_already(&self, task: TaskIx) -> bool {
        let own = self.plan.step_of(task);
        let beneath = |ix: StepIx| {
            self.plan.steps[ix.at()].phase < own.phase || self.depends_on(self.plan.tasks[task.at()].step, ix)
        };
        let cuts: Vec<StepIx> = (0..self.plan.steps.len() as u32)
            .map(StepIx)
            .filter(|ix| !self.plan.steps[ix.at()].severs.is_empty() && beneath(*ix))
            .collect();
        let already = |ix: &StepIx| {
            let ends: Vec<_> =
                self.plan.tasks_of(*ix).map(|task| self.tasks[task.at()].end.clone()).collect();
            let left_out = Some(TaskEnd::NotRun { because: NotRun::LeftOut });
            let so = |end: &Option<TaskEnd>| *end == Some(TaskEnd::AlreadySo);
            ends.iter().any(so) && ends.iter().all(|end| so(end) || *end == left_out)
        };
        !cuts.is_empty() && cuts.iter().all(already)
    }

    fn depends_on(&self, step: StepIx, other: StepIx) -> bool {
        step == other || self.plan.steps[step.at()].needs.iter().any(|need| self.depends_on(need.step, other))
    }

    pub(super) fn service_seen(&mut self, service: &ServiceName, stands: Stands) -> Complaint {
        let before = self.proof.services.insert(service.clone(), stands);
        require(before != Some(stands), || format!("`{service}` is said to be {stands:?} twice"))
    }
}
