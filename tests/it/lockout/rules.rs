//! What both sides are compared by, and remedies applied by hand.

use blackstart::model::Millis;
use blackstart::model::guard::{Guard, Otherwise};
use blackstart::model::names::{ConduitName, TaskIx, ZoneName};
use blackstart::plan::Plan;
use blackstart::plan::frozen::PlannedNeed;
use blackstart::plan::site::PlannedConduit;
use blackstart::reach::lockout::{Finding, LockOuts, Moment, Remedy};
use std::collections::BTreeMap;

/// A stretch of way that a task loses, and when first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub task: TaskIx,
    pub from: ZoneName,
    pub to: Vec<ZoneName>,
    pub moment: Moment,
}

impl Key {
    /// The same task and stretch, whenever?
    pub fn is_same_way(&self, other: &Self) -> bool {
        (&self.task, &self.from, &self.to) == (&other.task, &other.from, &other.to)
    }
}

/// What a finding says, task by task.
pub fn keys(finding: &Finding) -> impl Iterator<Item = Key> {
    finding.tasks.iter().map(|task| Key {
        task: *task,
        from: finding.leg.from_zone.clone(),
        to: finding.leg.to_zones.clone(),
        moment: finding.moment,
    })
}

/// Does a plan reconnect one of several conduits of a way? What is cut of the others and what is not reconnected yet
/// may never be so at one moment; the analysis takes it that it may.
pub fn is_a_swap(plan: &Plan, key: &Key) -> bool {
    let leads = |a: &ZoneName, b: &ZoneName| *a == key.from && key.to.contains(b);
    let conduits: Vec<&ConduitName> = plan
        .site
        .conduits
        .iter()
        .filter(|(_, conduit)| {
            leads(&conduit.from, &conduit.to) || conduit.both_ways && leads(&conduit.to, &conduit.from)
        })
        .map(|(name, _)| name)
        .collect();
    let reconnected = |name: &&ConduitName| plan.steps.iter().any(|step| step.reconnects.contains(name));
    conduits.len() > 1 && conduits.iter().any(reconnected)
}

/// What an analysis says.
pub fn said(found: &LockOuts) -> BTreeMap<Key, ()> {
    found.findings.iter().flat_map(keys).map(|key| (key, ())).collect()
}

/// The plan with a remedy.
pub fn mended(plan: &Plan, remedy: &Remedy) -> Result<Plan, String> {
    let mut plan = plan.clone();
    match remedy {
        Remedy::Needs { steps, need } => {
            for step in steps {
                if plan.steps[step.at()].phase != plan.steps[need.at()].phase {
                    return Err("a need across phases says nothing".into());
                }
                let needs = &mut plan.steps[step.at()].needs;
                needs.retain(|other| other.step != *need);
                needs.push(PlannedNeed { step: *need, same_host: false });
                needs.sort();
            }
            if blackstart::plan::graph::circle(&blackstart::plan::graph::step_graph(&plan.steps)).is_some() {
                return Err("a circle".into());
            }
        }
        Remedy::Conduit { from, to } => {
            let conduit = PlannedConduit {
                from: from.clone(),
                to: to.clone(),
                both_ways: false,
                enforced_by: None,
                level: None,
                out_of_band: true,
            };
            plan.site.conduits.insert(ConduitName::from("remedy"), conduit);
        }
        Remedy::Guard { step } => {
            plan.steps[step.at()].guard = Some(Guard {
                within: Millis(60_000),
                otherwise: Some(Otherwise::Revert),
                self_test: false,
                repeat: None,
            });
        }
    }
    Ok(plan)
}
