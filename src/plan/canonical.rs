//! The one way in which a plan is written: the bytes on disk are the bytes that are hashed.

use super::frozen::{PLAN_VERSION, Plan};
use crate::model::names::{PhaseIx, StepIx, ZoneName};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Why a text is not a plan that this program can use.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Not JSON, or not of the plan's shape.
    #[error("the plan cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// Written by a later program.
    #[error(
        "the plan has version {found}, this program reads versions up to {PLAN_VERSION}; \
         use the blackstart that made it, or a later one"
    )]
    Newer {
        /// The version it says.
        found: u32,
    },
    /// Its parts do not fit together.
    #[error("the plan contradicts itself: {0}")]
    Broken(String),
}

/// The plan in its canonical form: compact JSON, fields in their declared order, maps sorted.
pub fn to_json(plan: &Plan) -> String {
    serde_json::to_string(plan).expect("a plan has only text keys and finite numbers")
}

/// SHA-256 of the canonical form as 64 hexadecimal digits.
pub fn hash(plan: &Plan) -> String {
    Sha256::digest(to_json(plan)).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a plan back and checks that its parts fit together.
pub fn from_json(text: &str) -> Result<Plan, PlanError> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let Version { version } = serde_json::from_str(text)?;
    if version > PLAN_VERSION {
        return Err(PlanError::Newer { found: version });
    }
    let plan: Plan = serde_json::from_str(text)?;
    check(&plan).map_err(PlanError::Broken)?;
    Ok(plan)
}

/// Every index points at something, and neighbours are where their owner says.
pub(crate) fn check(plan: &Plan) -> Result<(), String> {
    let mut next_step = 0;
    for (ix, phase) in plan.phases.iter().enumerate() {
        if phase.first_step.0 != next_step || phase.steps == 0 {
            return Err(format!("phase `{}` does not begin where the one before it ends", phase.id));
        }
        next_step += phase.steps;
        let end = plan.steps.get(phase.first_step.at()..next_step as usize);
        if end.is_none_or(|steps| steps.iter().any(|step| step.phase != PhaseIx(ix as u32))) {
            return Err(format!("phase `{}` does not have the steps it says", phase.id));
        }
    }
    let mut next_task = 0;
    for (ix, step) in plan.steps.iter().enumerate() {
        if step.first_task.0 != next_task || step.tasks == 0 {
            return Err(format!("step `{}` does not begin where the one before it ends", step.id));
        }
        next_task += step.tasks;
        let tasks = plan.tasks.get(step.first_task.at()..next_task as usize);
        let Some(tasks) = tasks.filter(|tasks| tasks.iter().all(|task| task.step == StepIx(ix as u32)))
        else {
            return Err(format!("step `{}` does not have the tasks it says", step.id));
        };
        if tasks.iter().filter_map(|task| task.host).any(|host| host.at() >= plan.hosts.len()) {
            return Err(format!("a task of step `{}` is on a host that the plan does not know", step.id));
        }
        if !tasks.windows(2).all(|pair| pair[0].host < pair[1].host) {
            return Err(format!("the tasks of step `{}` are not in host order", step.id));
        }
        if step.waves.iter().map(|size| u64::from(*size)).sum::<u64>() != u64::from(step.tasks) {
            return Err(format!("the waves of step `{}` do not add up to its tasks", step.id));
        }
        let others = step.needs.iter().map(|need| need.step).chain(step.after.map(|after| after.step));
        let gates = step.evidence.iter().copied().chain(step.deadline.and_then(|deadline| deadline.from));
        for other in others.chain(gates) {
            match plan.steps.get(other.at()) {
                Some(other) if other.phase <= step.phase => {}
                _ => return Err(format!("step `{}` needs a step that does not come before it", step.id)),
            }
        }
    }
    if next_step as usize != plan.steps.len() || next_task as usize != plan.tasks.len() {
        return Err("there are steps or tasks that belong to nothing".into());
    }
    let known = |zone: &ZoneName| plan.site.zones.contains_key(zone);
    for (name, conduit) in &plan.site.conduits {
        if !known(&conduit.from) || !known(&conduit.to) {
            return Err(format!("conduit `{name}` leads to a zone that the plan does not know"));
        }
    }
    if plan.site.controller.iter().any(|zone| !known(zone)) {
        return Err("the controller stands in a zone that the plan does not know".into());
    }
    if !plan.hosts.windows(2).all(|pair| pair[0].name < pair[1].name) {
        return Err("its hosts are not in name order".into());
    }
    Ok(())
}
