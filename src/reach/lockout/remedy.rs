//! Proposes changes that take a lock-out away, and lists only those with which the analysis finds it no more.

use super::judge::judge;
use super::{Finding, Moment, Remedy};
use crate::model::Millis;
use crate::model::guard::{Guard, Otherwise};
use crate::model::names::{ConduitName, StepIx, TaskIx, ZoneName};
use crate::plan::frozen::{PlannedAction, PlannedNeed, PlannedUndo};
use crate::plan::site::PlannedConduit;
use crate::plan::{Plan, graph};
use std::collections::BTreeMap;

/// Findings that get remedies: nobody mends more at a time, and each costs an analysis or more.
const FINDINGS_MAX: usize = 20;
/// Tasks judged in search of remedies, over all of them: seconds, not minutes, on the largest site.
const TASKS_JUDGED_MAX: usize = 600_000;
/// Long enough to prove a way back over a slow link; only its being there matters here.
const WITHIN: Millis = Millis::from_secs(60);

/// Which stretches each task loses, and when first.
type Lost = BTreeMap<(TaskIx, ZoneName, Vec<ZoneName>), Moment>;

/// Gives each finding its remedies.
pub fn propose(plan: &Plan, findings: &mut [Finding]) {
    if findings.is_empty() {
        return;
    }
    let before = lost(&judge(plan, 0).findings);
    let mut tried: BTreeMap<Remedy, Option<Lost>> = BTreeMap::new();
    let tries_max = (TASKS_JUDGED_MAX / plan.tasks.len().max(1)).max(1);
    for finding in findings.iter_mut().take(FINDINGS_MAX) {
        for remedy in candidates(plan, finding) {
            if !tried.contains_key(&remedy) && tried.len() >= tries_max {
                continue;
            }
            let after = tried
                .entry(remedy.clone())
                .or_insert_with(|| with(plan, &remedy).map(|plan| lost(&judge(&plan, 0).findings)));
            if after.as_ref().is_some_and(|after| helps(finding, &before, after)) {
                finding.remedies.push(remedy);
            }
        }
    }
}

/// Is the finding gone, and nothing worse than before?
fn helps(finding: &Finding, before: &Lost, after: &Lost) -> bool {
    let still = finding.tasks.iter().any(|task| {
        let leg = &finding.leg;
        after.contains_key(&(*task, leg.from_zone.clone(), leg.to_zones.clone()))
    });
    !still && after.iter().all(|(key, moment)| before.get(key).is_some_and(|before| before <= moment))
}

fn lost(findings: &[Finding]) -> Lost {
    let keys = findings.iter().flat_map(|finding| {
        let leg = &finding.leg;
        let key = |task: &TaskIx| ((*task, leg.from_zone.clone(), leg.to_zones.clone()), finding.moment);
        finding.tasks.iter().map(key)
    });
    keys.collect()
}

fn candidates(plan: &Plan, finding: &Finding) -> Vec<Remedy> {
    let step = &plan.steps[finding.step.at()];
    let mut candidates = Vec::new();
    for gone in &finding.gone {
        let in_time = |other: &StepIx| *other != finding.step && plan.steps[other.at()].phase == step.phase;
        let remedy = Remedy::Needs { steps: gone.by.clone(), need: finding.step };
        if !gone.by.is_empty() && gone.by.iter().all(in_time) && !candidates.contains(&remedy) {
            candidates.push(remedy);
        }
    }
    let closed = finding.gone.iter().filter(|gone| gone.by.is_empty());
    for gone in closed {
        let opens = |other: &StepIx| {
            let other = &plan.steps[other.at()];
            other.phase == step.phase && other.reconnects.contains(&gone.conduit)
        };
        let steps = (0..plan.steps.len() as u32).map(StepIx).filter(opens);
        candidates.extend(steps.map(|need| Remedy::Needs { steps: vec![finding.step], need }));
    }
    let own = finding.gone.iter().any(|gone| gone.by.contains(&finding.step));
    let guarded = step.guard.is_some_and(|guard| guard.otherwise == Some(Otherwise::Revert));
    if own && finding.moment != Moment::Run && !guarded {
        candidates.push(Remedy::Guard { step: finding.step });
    }
    if let Some(to) = finding.leg.to_zones.first() {
        candidates.push(Remedy::Conduit { from: finding.leg.from_zone.clone(), to: to.clone() });
    }
    candidates
}

/// The plan with a remedy applied; `None` if that makes no plan.
pub fn with(plan: &Plan, remedy: &Remedy) -> Option<Plan> {
    let mut plan = plan.clone();
    match remedy {
        Remedy::Needs { steps, need } => {
            if steps.contains(need) {
                return None;
            }
            for step in steps {
                let needs = &mut plan.steps[step.at()].needs;
                needs.retain(|other| other.step != *need);
                needs.push(PlannedNeed { step: *need, same_host: false });
                needs.sort();
            }
            graph::circle(&graph::step_graph(&plan.steps)).is_none().then_some(plan)
        }
        Remedy::Conduit { from, to } => {
            // A name that no inventory can have.
            let name = ConduitName(format!("{from} to {to}"));
            let conduit = PlannedConduit {
                from: from.clone(),
                to: to.clone(),
                both_ways: false,
                enforced_by: None,
                level: None,
                out_of_band: true,
            };
            plan.site.conduits.insert(name, conduit);
            Some(plan)
        }
        Remedy::Guard { step } => {
            let step = &mut plan.steps[step.at()];
            let can = matches!(step.undo, PlannedUndo::By(_)) && matches!(step.action, PlannedAction::Run(_));
            let mut guard = step.guard.unwrap_or(Guard {
                within: WITHIN,
                otherwise: None,
                self_test: false,
                repeat: None,
            });
            guard.otherwise = Some(Otherwise::Revert);
            step.guard = Some(guard);
            can.then_some(plan)
        }
    }
}
