//! What a plan uses beside the hosts of its tasks: hosts to look from or to go through, and services that are looked at.

use super::host_list::{by_number, host_list};
use super::plan_step::{HOSTS_SHOWN_MAX, Texts, probe};
use super::plan_text::{HEAD, Page};
use crate::model::names::{HostIx, HostName};
use crate::model::probe::{Probe, Vantage};
use crate::plan::frozen::Plan;
use std::collections::{BTreeMap, BTreeSet};

/// Services that are listed before the rest is a number: a site may have hundreds.
const SERVICES_SHOWN_MAX: usize = 20;

/// Hosts without a task, and what each is there for: a host that a plan logs in to must not come as a surprise.
pub(super) fn hosts(plan: &Plan, page: &mut Page<'_>) {
    let with_tasks: BTreeSet<_> = plan.tasks.iter().filter_map(|task| task.host).collect();
    let of_steps: BTreeSet<&HostName> =
        plan.steps.iter().flat_map(|step| step.probes()).filter_map(vantage).collect();
    let of_services: BTreeSet<&HostName> =
        plan.services.iter().filter_map(|service| vantage(service.probe.as_ref()?)).collect();
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let others = plan.hosts.iter().zip(0..).filter(|(_, ix)| !with_tasks.contains(&HostIx(*ix)));
    for (host, _) in others {
        let reason = match () {
            () if of_steps.contains(&host.name) => "probes of its steps start there",
            () if of_services.contains(&host.name) => "services are looked at from there",
            () => "on the way to other hosts",
        };
        by_reason.entry(reason).or_default().push(host.name.as_str());
    }
    let mut label = "besides";
    for (reason, mut names) in by_reason {
        by_number(&mut names);
        page.field(HEAD, label, &format!("{}: {reason}", host_list(&names, HOSTS_SHOWN_MAX)));
        label = "";
    }
}

/// Services of the site that are looked at while the plan is carried out.
pub(super) fn services(plan: &Plan, page: &mut Page<'_>) {
    let probed: Vec<_> =
        plan.services.iter().filter_map(|service| Some((&service.name, service.probe.as_ref()?))).collect();
    if probed.is_empty() {
        return;
    }
    page.blank();
    let title = page.look.bold("SERVICES");
    page.wrapped(0, 10, &format!("{title}  looked at all the while, unless `--watch-services off` is given"));
    let values = BTreeMap::new();
    let texts = Texts { plan, values: &values, tasks: &[] };
    let width = probed.iter().map(|(name, _)| name.as_str().len()).max().unwrap_or(0);
    for (name, one) in probed.iter().take(SERVICES_SHOWN_MAX) {
        let begin = format!("{:HEAD$}{:<width$}  ", "", name.as_str());
        page.wrapped(0, begin.len(), &format!("{begin}{}", probe(&texts, one)));
    }
    if let Some(more @ 1..) = probed.len().checked_sub(SERVICES_SHOWN_MAX) {
        page.line(HEAD, &format!("and {more} more"));
    }
}

fn vantage(probe: &Probe) -> Option<&HostName> {
    match probe.from.as_ref()? {
        Vantage::Host(name) => Some(name),
        Vantage::Controller | Vantage::Task => None,
    }
}
