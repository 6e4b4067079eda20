//! Says in sentences what differs between two plans.

use super::frozen::{Plan, PlannedStep};
use super::site::PlannedSite;
use crate::model::names::StepIx;
use std::collections::{BTreeMap, BTreeSet};

/// What differs, one sentence each; empty if the plans are the same.
pub fn drift(old: &Plan, new: &Plan) -> Vec<String> {
    let mut said = Vec::new();
    if old.runbook != new.runbook {
        said.push(format!("the runbook was `{}` and is `{}`", old.runbook, new.runbook));
    }
    if old.inventory != new.inventory {
        said.push(format!("the inventory was `{}` and is `{}`", old.inventory, new.inventory));
    }
    if old.summary != new.summary {
        said.push("the runbook's summary differs".to_owned());
    }
    differ("parameter", &old.params, &new.params, &mut said);
    differ("secret", &old.secrets, &new.secrets, &mut said);
    hosts(old, new, &mut said);
    // A plan of before plans kept their site says nothing about it.
    if !old.site.is_empty() {
        site(&old.site, &new.site, &mut said);
    }
    differ("service", &services(old), &services(new), &mut said);
    phases(old, new, &mut said);
    steps(old, new, &mut said);
    if old.approvers != new.approvers {
        said.push("who may sign approvals differs".to_owned());
    }
    if old.objectives != new.objectives {
        said.push("the objectives differ".to_owned());
    }
    let same = |old: &Plan| old == new;
    let is_same = match old.site.is_empty() {
        false => same(old),
        true => same(&Plan { site: new.site.clone(), ..old.clone() }),
    };
    if said.is_empty() && !is_same {
        said.push(format!("the plan's format differs: version {} and version {}", old.version, new.version));
    }
    said
}

/// Compares two maps by name.
fn differ<K: Ord + std::fmt::Display, V: PartialEq>(
    thing: &str,
    old: &BTreeMap<K, V>,
    new: &BTreeMap<K, V>,
    said: &mut Vec<String>,
) {
    let names: BTreeSet<&K> = old.keys().chain(new.keys()).collect();
    for name in names {
        match (old.get(name), new.get(name)) {
            (Some(_), None) => said.push(format!("{thing} `{name}` is gone")),
            (None, _) => said.push(format!("{thing} `{name}` was added")),
            (Some(old), Some(new)) if old != new => said.push(format!("{thing} `{name}` differs")),
            (Some(_), Some(_)) => {}
        }
    }
}

fn hosts(old: &Plan, new: &Plan, said: &mut Vec<String>) {
    fn by_name(plan: &Plan) -> BTreeMap<String, &super::frozen::PlannedHost> {
        plan.hosts.iter().map(|host| (host.name.to_string(), host)).collect()
    }
    differ("host", &by_name(old), &by_name(new), said);
}

fn services(plan: &Plan) -> BTreeMap<&str, &super::frozen::PlannedService> {
    plan.services.iter().map(|service| (service.name.as_str(), service)).collect()
}

fn site(old: &PlannedSite, new: &PlannedSite, said: &mut Vec<String>) {
    differ("zone", &old.zones, &new.zones, said);
    differ("conduit", &old.conduits, &new.conduits, said);
    differ("the zone of host", &old.hosts, &new.hosts, said);
    if (&old.controller, &old.name_servers) != (&new.controller, &new.name_servers) {
        said.push("the controller's zone or name servers differ".to_owned());
    }
}

fn phases(old: &Plan, new: &Plan, said: &mut Vec<String>) {
    fn ids(plan: &Plan) -> Vec<&str> {
        plan.phases.iter().map(|phase| phase.id.as_str()).collect()
    }
    if ids(old) != ids(new) {
        said.push(format!("the phases were {} and are {}", ids(old).join(", "), ids(new).join(", ")));
    }
    for (old, new) in
        old.phases.iter().filter_map(|old| Some((old, new.phases.iter().find(|new| new.id == old.id)?)))
    {
        if (&old.title, old.on_failure) != (&new.title, new.on_failure) {
            said.push(format!("phase `{}` has another title or `on_failure`", old.id));
        }
        if old.isolates != new.isolates {
            said.push(format!("phase `{}` claims to isolate other zones", old.id));
        }
    }
}

fn steps(old: &Plan, new: &Plan, said: &mut Vec<String>) {
    let new_steps: BTreeMap<&str, StepIx> = by_id(new);
    let old_steps: BTreeMap<&str, StepIx> = by_id(old);
    for step in &old.steps {
        let Some(other) = new_steps.get(step.id.as_str()) else {
            said.push(format!("step `{}` is gone", step.id));
            continue;
        };
        let parts = differing_parts(old, step, new, &new.steps[other.at()]);
        if !parts.is_empty() {
            said.push(format!("step `{}` differs in {}", step.id, parts.join(", ")));
        }
    }
    for step in new.steps.iter().filter(|step| !old_steps.contains_key(step.id.as_str())) {
        said.push(format!("step `{}` was added", step.id));
    }
    let shared = |plan: &Plan, other: &BTreeMap<&str, StepIx>| -> Vec<String> {
        plan.steps
            .iter()
            .map(|step| step.id.to_string())
            .filter(|id| other.contains_key(id.as_str()))
            .collect()
    };
    if shared(old, &new_steps) != shared(new, &old_steps) {
        said.push("the steps stand in another order".to_owned());
    }
}

fn by_id(plan: &Plan) -> BTreeMap<&str, StepIx> {
    plan.steps.iter().enumerate().map(|(ix, step)| (step.id.as_str(), StepIx(ix as u32))).collect()
}

/// The names of the parts in which a step differs, as a runbook calls them.
fn differing_parts(
    old_plan: &Plan,
    old: &PlannedStep,
    new_plan: &Plan,
    new: &PlannedStep,
) -> Vec<&'static str> {
    let needs = |plan: &Plan, step: &PlannedStep| -> BTreeSet<(String, bool)> {
        step.needs.iter().map(|need| (plan.steps[need.step.at()].id.to_string(), need.same_host)).collect()
    };
    let after = |plan: &Plan, step: &PlannedStep| {
        step.after.map(|after| (plan.steps[after.step.at()].id.to_string(), after.at_least))
    };
    let by_name = |plan: &Plan, steps: &[StepIx]| -> Vec<String> {
        steps.iter().map(|step| plan.steps[step.at()].id.to_string()).collect()
    };
    let deadline = |plan: &Plan, step: &PlannedStep| {
        step.deadline.map(|limit| (by_name(plan, limit.from.as_slice()), limit.within))
    };
    let phase = |plan: &Plan, step: &PlannedStep| plan.phases[step.phase.at()].id.clone();
    let (old_tasks, new_tasks) = (tasks(old_plan, old), tasks(new_plan, new));
    let hosts = old_tasks.iter().map(|task| task.0).ne(new_tasks.iter().map(|task| task.0));
    let left_out = old_tasks.iter().map(|task| task.1).ne(new_tasks.iter().map(|task| task.1));
    let values = old_tasks.iter().map(|task| task.2).ne(new_tasks.iter().map(|task| task.2));
    let parts = [
        ("phase", phase(old_plan, old) != phase(new_plan, new)),
        ("its hosts", hosts),
        ("what is left out", !hosts && left_out),
        ("the values on its hosts", !hosts && (values || old.values != new.values)),
        ("title", old.title != new.title),
        ("needs", needs(old_plan, old) != needs(new_plan, new)),
        ("what it does", old.action != new.action),
        ("check", old.check != new.check),
        ("snapshot", old.snapshot != new.snapshot),
        ("verify", old.verify != new.verify),
        ("undo", old.undo != new.undo),
        ("env", old.env != new.env),
        ("secrets", old.secrets != new.secrets),
        ("become", old.becomes != new.becomes),
        ("idempotent", old.idempotent != new.idempotent),
        ("severs", old.severs != new.severs),
        ("level", old.level != new.level),
        ("evidence", by_name(old_plan, &old.evidence) != by_name(new_plan, &new.evidence)),
        ("deadline", deadline(old_plan, old) != deadline(new_plan, new)),
        ("reconnects", old.reconnects != new.reconnects),
        ("watch", old.watch != new.watch),
        ("together", old.together != new.together),
        ("approve", old.approve != new.approve),
        ("after", after(old_plan, old) != after(new_plan, new)),
        ("timeout", old.timeout != new.timeout),
        ("retry", old.retry != new.retry),
        ("batch", !hosts && !left_out && old.waves != new.waves),
        ("max_failures", !hosts && !left_out && old.max_failures != new.max_failures),
        ("estimate", old.estimate != new.estimate),
    ];
    parts.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

type TaskParts<'a> = (Option<&'a str>, Option<&'a str>, &'a BTreeMap<String, String>);

/// Host, reason for being left out, and values of each task.
fn tasks<'a>(plan: &'a Plan, step: &PlannedStep) -> Vec<TaskParts<'a>> {
    plan.tasks[step.first_task.at()..][..step.tasks as usize]
        .iter()
        .map(|task| {
            let host = task.host.map(|host| plan.hosts[host.at()].name.as_str());
            (host, task.left_out.as_deref(), &task.values)
        })
        .collect()
}
