//! The services of an inventory as a plan freezes them: what is watched while it is carried out.

use super::frozen::{PLAN_VERSION, Plan, PlannedService};
use super::hosts;
use super::site::PlannedSite;
use super::texts::address_of;
use crate::model::inventory::Service;
use crate::model::names::{HostName, ServiceName};
use crate::model::probe::{Probe, ProbeKind, Vantage};
use crate::model::{Inventory, Problems};
use std::collections::BTreeMap;

/// All of them, by name; the name of an inventory host in a probe has become that host's address.
pub fn services(inventory: &Inventory) -> Vec<PlannedService> {
    let planned = |(name, service): (&ServiceName, &Service)| PlannedService {
        name: name.clone(),
        place: service.place.clone(),
        needs: service.needs.clone(),
        rto: service.rto,
        probe: service.probe.as_ref().map(|probe| addressed(inventory, probe)),
    };
    inventory.services.iter().map(planned).collect()
}

/// The hosts that services are looked at from.
pub fn vantages(inventory: &Inventory) -> impl Iterator<Item = &HostName> {
    inventory.services.values().filter_map(|service| match service.probe.as_ref()?.from.as_ref()? {
        Vantage::Host(name) => Some(name),
        Vantage::Controller | Vantage::Task => None,
    })
}

fn addressed(inventory: &Inventory, probe: &Probe) -> Probe {
    let mut probe = probe.clone();
    match &mut probe.what {
        ProbeKind::Tcp { host, .. }
        | ProbeKind::Http { host, .. }
        | ProbeKind::Icmp { host }
        | ProbeKind::Dns { server: host, .. } => *host = address_of(inventory, host),
        ProbeKind::Command { .. } => {}
    }
    probe
}

/// A plan of nothing but the services, for looking at them without a runbook.
pub fn services_alone(inventory: &Inventory) -> Result<Plan, Problems> {
    let mut problems = Problems::default();
    let hosts = hosts::planned_hosts(inventory, &[], &[], &mut problems);
    let mut secrets = BTreeMap::new();
    for name in hosts.iter().flat_map(|host| hosts::connection_secrets(&host.reach)) {
        secrets.extend(inventory.secrets.get(name).map(|source| (name.clone(), source.clone())));
    }
    if problems.any_error() {
        return Err(problems.in_file_order());
    }
    Ok(Plan {
        version: PLAN_VERSION,
        runbook: String::new(),
        summary: None,
        inventory: inventory.name.clone(),
        params: BTreeMap::new(),
        secrets,
        site: PlannedSite::of(inventory, &hosts),
        hosts,
        phases: Vec::new(),
        steps: Vec::new(),
        tasks: Vec::new(),
        objectives: Vec::new(),
        approvers: None,
        services: services(inventory),
    })
}
