//! Which hosts each step runs on, and which hosts a plan must know to reach them.

use super::frozen::PlannedHost;
use super::select::hint_names;
use super::services;
use crate::model::inventory::{Become, Host, Reach};
use crate::model::names::{HostName, PhaseIx, SecretName};
use crate::model::pattern::Pattern;
use crate::model::place::{Located, Span};
use crate::model::probe::{Probe, Vantage};
use crate::model::problem::nearest;
use crate::model::runbook::{Action, Step, Verify};
use crate::model::{Inventory, Problem, Problems};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The hosts of a step in name order; shared by steps with the same pattern.
pub type On<'a> = Rc<Vec<&'a Host>>;

/// The hosts of each step; `None` for the controller's own. A pattern that matches nothing is a problem.
pub fn steps_hosts<'a>(
    inventory: &'a Inventory,
    steps: &[(PhaseIx, &Step)],
    problems: &mut Problems,
) -> Vec<Option<On<'a>>> {
    let mut known: BTreeMap<&str, On<'a>> = BTreeMap::new();
    let mut of_steps = Vec::with_capacity(steps.len());
    for (_, step) in steps {
        of_steps.push(match &step.on {
            None => {
                if let Some(problem) = needs_host(step) {
                    problems.push(problem);
                }
                None
            }
            Some(on) => Some(match known.get(on.value.as_str()) {
                Some(hosts) => Rc::clone(hosts),
                None => {
                    let hosts = Rc::new(matched(inventory, step, on, problems));
                    // Each step with a bad pattern is told so.
                    if !hosts.is_empty() {
                        known.insert(on.value.as_str(), Rc::clone(&hosts));
                    }
                    hosts
                }
            }),
        });
    }
    of_steps
}

fn matched<'a>(
    inventory: &'a Inventory,
    step: &Step,
    on: &Located<String>,
    problems: &mut Problems,
) -> Vec<&'a Host> {
    let id = &step.id.value;
    let pattern = match Pattern::parse(&on.value) {
        Ok(pattern) => pattern,
        Err(error) => {
            let what = format!("step `{id}`: `on: {}`: {}", on.value, error.what);
            problems.push(Problem::error("bad-pattern", what).at(on.span));
            return Vec::new();
        }
    };
    let hosts = pattern.select(inventory);
    if hosts.is_empty() {
        let what = format!("step `{id}`: `on: {}` matches no host", on.value);
        problems.push(hint_names(Problem::error("no-hosts", what).at(on.span), &pattern, inventory));
    }
    hosts
}

/// What only a host can do needs one.
fn needs_host(step: &Step) -> Option<Problem> {
    let what = match &step.action {
        Action::Run(_) => "a script",
        Action::Upload(_) => "an upload",
        Action::Fetch(_) => "a fetch",
        Action::Backup(_) => "a look at a backup",
        Action::Manual(_) | Action::Wait(_) | Action::Probe(_) => return None,
    };
    let what = format!("step `{}` is {what} and says no host", step.id.value);
    Some(Problem::error("no-on", what).at(step.id.span).hint("add `on:` with a host, a group or a pattern"))
}

/// The hosts a plan must know: those of tasks, the vantage points of probes, and the jump hosts on the way.
pub fn planned_hosts(
    inventory: &Inventory,
    steps: &[(PhaseIx, &Step)],
    on: &[Option<On<'_>>],
    problems: &mut Problems,
) -> Vec<PlannedHost> {
    let mut distinct: Vec<&On<'_>> = on.iter().flatten().collect();
    distinct.sort_by_key(|hosts| Rc::as_ptr(hosts));
    distinct.dedup_by_key(|hosts| Rc::as_ptr(hosts));
    let mut names: BTreeSet<&HostName> =
        distinct.into_iter().flat_map(|hosts| hosts.iter().map(|host| &host.name)).collect();
    for (_, step) in steps {
        for (probe, span) in probes(step) {
            match &probe.from {
                None | Some(Vantage::Controller) => {}
                Some(Vantage::Task) if step.on.is_some() => {}
                Some(Vantage::Task) => {
                    let what = format!(
                        "step `{}`: a probe starts from the task's host, but the step has none",
                        step.id.value
                    );
                    problems
                        .push(Problem::error("no-host", what).at(span).hint("name the host: `from: HOST`"));
                }
                Some(Vantage::Host(name)) => match inventory.hosts.get_key_value(name) {
                    Some((name, _)) => {
                        names.insert(name);
                    }
                    None => {
                        let what = format!(
                            "step `{}`: a probe starts from `{name}`, which no host is called",
                            step.id.value
                        );
                        let problem = Problem::error("unknown-host", what).at(span);
                        problems.push(
                            match nearest(name.as_str(), inventory.hosts.keys().map(HostName::as_str)) {
                                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                                None => problem,
                            },
                        );
                    }
                },
            }
        }
    }
    // The loader has told of those that no host is called.
    names.extend(
        services::vantages(inventory).filter_map(|name| Some(inventory.hosts.get_key_value(name)?.0)),
    );
    let mut todo: Vec<&HostName> = names.iter().copied().collect();
    while let Some(name) = todo.pop() {
        let Some(host) = inventory.hosts.get(name) else { continue };
        let Some(jump) = jump(&host.reach) else { continue };
        match inventory.hosts.get_key_value(jump) {
            Some((jump, _)) => {
                if names.insert(jump) {
                    todo.push(jump);
                }
            }
            None => {
                let what = format!("host `{name}` is reached through `{jump}`, which no host is called");
                problems.push(Problem::error("unknown-host", what).at(host.span));
            }
        }
    }
    names
        .into_iter()
        .filter_map(|name| inventory.hosts.get(name))
        .map(|host| PlannedHost {
            name: host.name.clone(),
            zone: host.zone.clone(),
            groups: host.groups.clone(),
            reach: host.reach.clone(),
        })
        .collect()
}

/// Every probe of a step, with where it is written.
fn probes(step: &Step) -> impl Iterator<Item = (&Probe, Span)> {
    let own = match &step.action {
        Action::Probe(probe) => Some((&probe.value, probe.span)),
        Action::Run(_)
        | Action::Upload(_)
        | Action::Fetch(_)
        | Action::Manual(_)
        | Action::Wait(_)
        | Action::Backup(_) => None,
    };
    let verify = step.verify.iter().filter_map(|verify| match &verify.value {
        Verify::Probe(probe) => Some((probe, verify.span)),
        Verify::Script(_) => None,
    });
    let watch = step.watch.iter().flat_map(|watch| &watch.value.probes);
    own.into_iter().chain(verify).chain(watch.map(|probe| (&probe.value, probe.span)))
}

fn jump(reach: &Reach) -> Option<&HostName> {
    match reach {
        Reach::Local(_) => None,
        Reach::Ssh(ssh) => ssh.jump.as_ref(),
    }
}

/// How a host's scripts become another user.
pub fn becomes(reach: &Reach) -> &Become {
    match reach {
        Reach::Local(becomes) => becomes,
        Reach::Ssh(ssh) => &ssh.becomes,
    }
}

/// The secrets that reaching a host takes.
pub fn connection_secrets(reach: &Reach) -> Vec<&SecretName> {
    let sudo = match becomes(reach) {
        Become::No => None,
        Become::Sudo { password, .. } => password.as_ref(),
    };
    let login = match reach {
        Reach::Local(_) => [None, None],
        Reach::Ssh(ssh) => [ssh.password.as_ref(), ssh.passphrase.as_ref()],
    };
    login.into_iter().chain([sudo]).flatten().collect()
}
