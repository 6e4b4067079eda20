//! Conduits that a step of the plan is there to reconnect: closed when the run begins, open to whoever comes after
//! all of that step, and not to be relied on when things are taken back, for then they are cut again.

use super::Moment;
use super::class::Classes;
use super::cuts::Cuts;
use super::witness::before;
use crate::model::names::{StepIx, TaskIx};
use crate::plan::{Plan, graph};
use crate::reach::bits::Bits;
use crate::reach::site::Site;
use std::collections::{BTreeMap, BTreeSet};

/// Which steps reconnect what.
#[derive(Debug, Default)]
pub struct Reconnects(BTreeMap<usize, Vec<StepIx>>);

impl Reconnects {
    /// What a plan reconnects. A step that is left out reconnects nothing, but its conduit is closed all the same.
    pub fn of(plan: &Plan, site: &Site) -> Self {
        let mut by: BTreeMap<usize, Vec<StepIx>> = BTreeMap::new();
        for (ix, step) in plan.steps.iter().enumerate() {
            let step_ix = StepIx(ix as u32);
            let conduits = step.reconnects.iter().filter_map(|name| site.conduit_named(name.as_str()));
            for conduit in conduits.filter(|conduit| !site.conduits[conduit.0].out_of_band) {
                by.entry(conduit.0).or_default().extend(graph::runs(plan, step_ix).then_some(step_ix));
            }
        }
        Self(by)
    }

    /// The steps that run and reconnect a conduit; `None` if it is none of those.
    pub fn of_conduit(&self, conduit: usize) -> Option<&[StepIx]> {
        self.0.get(&conduit).map(Vec::as_slice)
    }

    /// Corrects what is cut at a moment of a class by what is not reconnected by then, and what surely is.
    pub fn correct(
        &self,
        plan: &Plan,
        classes: &Classes,
        cuts: &Cuts,
        class: usize,
        moment: Moment,
        cut: &mut Bits,
    ) {
        if self.0.is_empty() {
            return;
        }
        let cutters = cuts.cutters(plan, classes, class, moment);
        for conduit in self.0.keys() {
            let open = self.is_reconnected(plan, classes.all[class].tasks[0], *conduit, moment, &|step| {
                cutters.iter().any(|cutter| classes.all[*cutter].step == step && cuts.severs(step, *conduit))
            });
            if open { cut.remove(*conduit) } else { cut.insert(*conduit) }
        }
    }

    /// Has a step surely reconnected the conduit when the moment comes, and nobody cut it since? `may_cut` says of a
    /// step whether it may have cut it by then.
    pub fn is_reconnected(
        &self,
        plan: &Plan,
        task: TaskIx,
        conduit: usize,
        moment: Moment,
        may_cut: &dyn Fn(StepIx) -> bool,
    ) -> bool {
        let Some(steps) = self.of_conduit(conduit).filter(|_| moment != Moment::Undo) else { return false };
        let own = plan.tasks[task.at()].step;
        let earlier = before(plan, task);
        let runs = |task: &TaskIx| plan.tasks[task.at()].left_out.is_none();
        let comes_before = |other: StepIx, of: StepIx, earlier: &BTreeSet<TaskIx>| {
            plan.steps[other.at()].phase < plan.steps[of.at()].phase
                || plan.tasks_of(other).filter(runs).all(|task| earlier.contains(&task))
        };
        steps.iter().any(|step| {
            let tasks: Vec<TaskIx> = plan.tasks_of(*step).filter(runs).collect();
            // Once it has run itself, all of it has if it was the last.
            let is_last = || tasks.iter().all(|other| *other == task || earlier.contains(other));
            let itself = *step == own && moment == Moment::Verify && is_last();
            let done = itself || comes_before(*step, own, &earlier);
            let all = (0..plan.steps.len() as u32).map(StepIx);
            let cutters: Vec<StepIx> = all.filter(|other| done && may_cut(*other)).collect();
            // Cut after one of them began, it is open in part at best.
            let cut_before = |first: &TaskIx| {
                let before_it = before(plan, *first);
                cutters.iter().all(|other| comes_before(*other, *step, &before_it))
            };
            done && (cutters.is_empty() || tasks.iter().all(cut_before))
        })
    }
}
