//! Opens connections ahead of need: when a step starts, the hosts of the steps that follow it are warmed, so
//! that the next stage finds its connections open.

use crate::drive::fleet::Fleet;
use crate::drive::tools::privileged;
use crate::model::names::{HostIx, StepIx};
use crate::model::probe::{Probe, Vantage};
use crate::plan::Plan;
use std::collections::BTreeSet;

/// Connections opened ahead for one step: enough for most sites, and no storm of logins for a large one.
const HOSTS_AT_ONCE_MAX: usize = 64;

/// Knows what follows each step, and what has been warmed.
#[derive(Debug)]
pub struct Ahead {
    follows: Vec<Vec<StepIx>>,
    begun: BTreeSet<StepIx>,
    warmed: BTreeSet<(HostIx, bool)>,
}

impl Ahead {
    /// For each step: the steps that need it, and for the last ones of a phase the first ones of the next.
    pub fn of(plan: &Plan) -> Self {
        let mut follows: Vec<Vec<StepIx>> = vec![Vec::new(); plan.steps.len()];
        for (ix, step) in plan.steps.iter().enumerate() {
            for need in &step.needs {
                follows[need.step.at()].push(StepIx(ix as u32));
            }
        }
        for phases in plan.phases.windows(2) {
            let [this, next] = phases else { continue };
            let steps = |first: StepIx, count: u32| (first.0..first.0 + count).map(StepIx);
            let first_ones: Vec<StepIx> = steps(next.first_step, next.steps)
                .filter(|step| plan.steps[step.at()].needs.iter().all(|need| need.step < next.first_step))
                .collect();
            for step in steps(this.first_step, this.steps) {
                let last = follows[step.at()].iter().all(|other| *other >= next.first_step);
                if last {
                    follows[step.at()].extend(&first_ones);
                }
            }
        }
        Self { follows, begun: BTreeSet::new(), warmed: BTreeSet::new() }
    }

    /// A job of `step` starts: warms what follows it, once.
    pub fn begun(&mut self, step: StepIx, plan: &Plan, fleet: &Fleet) {
        if !self.begun.insert(step) {
            return;
        }
        // Its own jobs open what they need.
        self.warmed.extend(places(plan, step));
        let mut left = HOSTS_AT_ONCE_MAX;
        for next in &self.follows[step.at()] {
            for place in places(plan, *next) {
                if left == 0 {
                    return;
                }
                if self.warmed.insert(place) {
                    left -= 1;
                    fleet.host(place.0).warm(place.1);
                }
            }
        }
    }
}

/// Where a step works: its tasks' hosts, and the hosts its probes start from.
fn places(plan: &Plan, step: StepIx) -> impl Iterator<Item = (HostIx, bool)> {
    let planned = &plan.steps[step.at()];
    let tasks = plan.tasks_of(step).filter_map(move |task| {
        let planned = &plan.tasks[task.at()];
        planned.host.filter(|_| planned.left_out.is_none()).map(|host| (host, privileged(plan, task)))
    });
    let vantages = planned.probes().filter_map(|probe| vantage(plan, probe));
    tasks.chain(vantages)
}

fn vantage(plan: &Plan, probe: &Probe) -> Option<(HostIx, bool)> {
    match &probe.from {
        Some(Vantage::Host(name)) => plan.host_named(name.as_str()).map(|host| (host, false)),
        Some(Vantage::Task | Vantage::Controller) | None => None,
    }
}
