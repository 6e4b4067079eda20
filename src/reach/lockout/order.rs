//! What surely comes after a task, and what stands on it, as far as it is asked for: bits over some classes.

use super::class::Classes;
use crate::model::names::StepIx;
use crate::plan::{Plan, graph};
use crate::reach::bits::Bits;

/// Which order is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The order in which tasks may run: phases, needs, minimum waits, waves. What is left out orders nothing.
    Forwards,
    /// What must be gone before a task is taken back: later phases and what needs it. What is left out, or changed
    /// nothing, passes that on; waits and waves mean nothing there.
    Backwards,
}

/// For each class: the marked classes all of whose tasks come after (stand on) every single task of it. `marks` says
/// for each class which bit it has, if any.
pub fn above(plan: &Plan, classes: &Classes, kind: Kind, marks: &[Option<usize>]) -> Vec<Bits> {
    let bound = marks.iter().flatten().count();
    let links = Links::of(plan, kind);
    let none = Bits::new(bound);
    // Of each class: what is above every single task of it, and what is above a task on the same host only.
    let mut full = vec![none.clone(); classes.all.len()];
    let mut own = vec![none.clone(); classes.all.len()];
    // Of each step, and of all phases after one: all of it with what is above that.
    let mut entered = vec![none.clone(); plan.steps.len()];
    let mut later = vec![none.clone(); plan.phases.len() + 1];
    for phase in (0..plan.phases.len()).rev() {
        let planned = &plan.phases[phase];
        let mut of_phase = later[phase + 1].clone();
        let steps = planned.first_step.at()..planned.first_step.at() + planned.steps as usize;
        for class in steps.flat_map(|step| classes.of_step(StepIx(step as u32))) {
            marks[class].into_iter().for_each(|mark| of_phase.insert(mark));
        }
        later[phase] = of_phase;
    }
    let counts = |class: usize| kind == Kind::Backwards || classes.all[class].runs;
    for step in graph::in_order(&plan.steps).into_iter().rev() {
        let mut above_all = later[plan.steps[step.at()].phase.at() + 1].clone();
        for other in &links.whole[step.at()] {
            above_all.add(&entered[other.at()]);
        }
        // The last wave first: what is in a later wave comes after.
        let mut later_waves = none.clone();
        let mut this_wave = (u32::MAX, none.clone());
        for class in classes.of_step(step).rev().filter(|class| counts(*class)) {
            if kind == Kind::Forwards && classes.all[class].wave != this_wave.0 {
                later_waves.add(&this_wave.1);
                this_wave = (classes.all[class].wave, none.clone());
            }
            let mut above = above_all.clone();
            above.add(&later_waves);
            for other in &links.same_host[step.at()] {
                let Some(other) = classes.on_same_hosts(class, *other).filter(|other| counts(*other)) else {
                    continue;
                };
                above.add(&full[other]);
                let on_this_host = own[other].clone();
                own[class].add(&on_this_host);
                marks[other].into_iter().for_each(|mark| own[class].insert(mark));
            }
            // One host is all hosts.
            if classes.all[class].tasks.len() == 1 {
                above.add(&own[class]);
            }
            full[class] = above;
            let mut with_it = full[class].clone();
            with_it.add(&own[class]);
            marks[class].into_iter().for_each(|mark| with_it.insert(mark));
            this_wave.1.add(&with_it);
            entered[step.at()].add(&with_it);
        }
    }
    full
}

/// For each step: the steps that need it, all of it or host by host.
struct Links {
    whole: Vec<Vec<StepIx>>,
    same_host: Vec<Vec<StepIx>>,
}

impl Links {
    fn of(plan: &Plan, kind: Kind) -> Self {
        let mut links =
            Self { whole: vec![Vec::new(); plan.steps.len()], same_host: vec![Vec::new(); plan.steps.len()] };
        for (ix, step) in plan.steps.iter().enumerate() {
            let ix = StepIx(ix as u32);
            for need in &step.needs {
                let which = if need.same_host { &mut links.same_host } else { &mut links.whole };
                which[need.step.at()].push(ix);
            }
            if let (Some(after), Kind::Forwards) = (step.after, kind) {
                links.whole[after.step.at()].push(ix);
            }
        }
        links
    }
}
