//! Which conduits may be cut when a task runs, is verified and is taken back, each looked at on its own.

use super::Moment;
use super::class::Classes;
use super::order::{Kind, above};
use crate::model::guard::Otherwise;
use crate::model::names::StepIx;
use crate::plan::Plan;
use crate::plan::frozen::PlannedStep;
use crate::reach::bits::Bits;
use crate::reach::site::Site;

/// What of a plan cuts, and what surely comes after what.
#[derive(Debug)]
pub struct Cuts {
    /// The conduits that each step cuts, those that survive every cut left out.
    pub by_step: Vec<Bits>,
    /// Classes that cut; their bits in the sets below.
    marked: Vec<usize>,
    /// For each class: cutting classes that surely run later.
    later: Vec<Bits>,
    /// For each class: cutting classes that are gone before it is taken back.
    gone_before: Vec<Bits>,
    conduits: usize,
}

impl Cuts {
    /// The cuts of a plan.
    pub fn of(plan: &Plan, site: &Site, classes: &Classes) -> Self {
        let by_step: Vec<Bits> = plan.steps.iter().map(|step| severed(site, step)).collect();
        let cutting = |class: usize| {
            let class = &classes.all[class];
            class.runs && !by_step[class.step.at()].is_empty()
        };
        let marked: Vec<usize> = (0..classes.all.len()).filter(|class| cutting(*class)).collect();
        let mut marks = vec![None; classes.all.len()];
        for (bit, class) in marked.iter().enumerate() {
            marks[*class] = Some(bit);
        }
        let later = above(plan, classes, Kind::Forwards, &marks);
        let gone_before = above(plan, classes, Kind::Backwards, &marks);
        Self { by_step, marked, later, gone_before, conduits: site.conduits.len() }
    }

    /// Conduits that may be cut at a moment of any one task of a class.
    pub fn at(&self, plan: &Plan, classes: &Classes, class: usize, moment: Moment) -> Bits {
        let mut cut = Bits::new(self.conduits);
        for cutter in self.cutters(plan, classes, class, moment) {
            cut.add(&self.by_step[classes.all[cutter].step.at()]);
        }
        cut
    }

    /// Classes that may have cut one of a few conduits at a moment of any one task of a class; its own among them if
    /// that has other tasks, or has itself cut by then.
    pub fn cutters(&self, plan: &Plan, classes: &Classes, class: usize, moment: Moment) -> Vec<usize> {
        let others = classes.all[class].tasks.len() > 1;
        let itself = moment != Moment::Run && !reverts(&plan.steps[classes.all[class].step.at()]);
        let gone = match moment {
            Moment::Run | Moment::Verify => &self.later[class],
            Moment::Undo => &self.gone_before[class],
        };
        let cutters = self.marked.iter().enumerate().filter(|(bit, other)| match **other == class {
            true => others || itself,
            false => !gone.has(*bit),
        });
        cutters.map(|(_, class)| *class).collect()
    }

    /// Does a step cut anything on some host?
    pub fn any(&self) -> bool {
        !self.marked.is_empty()
    }

    /// All conduits that the plan cuts.
    pub fn all(&self, classes: &Classes) -> Bits {
        let mut cut = Bits::new(self.conduits);
        self.marked.iter().for_each(|class| cut.add(&self.by_step[classes.all[*class].step.at()]));
        cut
    }

    /// Does the step cut one of these conduits?
    pub fn severs(&self, step: StepIx, conduit: usize) -> bool {
        self.by_step[step.at()].has(conduit)
    }
}

/// Does a cut that took the way back go away by itself? What a guard does in doubt hangs on how the plan is run, so
/// only one that says `revert` counts.
pub fn reverts(step: &PlannedStep) -> bool {
    step.guard.is_some_and(|guard| guard.otherwise == Some(Otherwise::Revert))
}

fn severed(site: &Site, step: &PlannedStep) -> Bits {
    let severed = step.severs.iter().filter_map(|conduit| site.conduit_named(conduit.as_str()));
    let cut = severed.filter(|conduit| !site.conduits[conduit.0].out_of_band);
    Bits::of(site.conduits.len(), cut.map(|conduit| conduit.0))
}
