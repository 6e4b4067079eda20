//! The site as a plan keeps it: zones, conduits, and where everybody stands. Resumes and reports need no inventory.

use super::frozen::PlannedHost;
use crate::model::Inventory;
use crate::model::inventory::ServicePlace;
use crate::model::names::{ConduitName, HostName, ZoneName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Zones and conduits of a site, and who stands where. A plan of an inventory without zones has none of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlannedSite {
    /// The zone the controller stands in, if the inventory says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<ZoneName>,
    /// Hosts that tell the controller the addresses of others; any one of them does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub name_servers: Vec<HostName>,
    /// Zones by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub zones: BTreeMap<ZoneName, PlannedZone>,
    /// Conduits by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conduits: BTreeMap<ConduitName, PlannedConduit>,
    /// Zones of hosts that are not among the plan's own and that a conduit, a service or the controller names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hosts: BTreeMap<HostName, ZoneName>,
}

/// A zone as the plan knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlannedZone {
    /// Outside the organisation.
    #[serde(default, skip_serializing_if = "is_false")]
    pub external: bool,
    /// Taken to be in the attacker's hands.
    #[serde(default, skip_serializing_if = "is_false")]
    pub assume_compromised: bool,
    /// Must be protected and kept running.
    #[serde(default, skip_serializing_if = "is_false")]
    pub critical: bool,
}

/// A conduit as the plan knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedConduit {
    /// The zone it starts from.
    pub from: ZoneName,
    /// The zone it leads to.
    pub to: ZoneName,
    /// Does it lead back as well?
    #[serde(default, skip_serializing_if = "is_false")]
    pub both_ways: bool,
    /// The host whose rules open and close it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforced_by: Option<HostName>,
    /// Isolation level at which it is cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// Survives every cut.
    #[serde(default, skip_serializing_if = "is_false")]
    pub out_of_band: bool,
}

impl PlannedSite {
    /// What a plan keeps of an inventory, given the hosts that it keeps anyway.
    pub fn of(inventory: &Inventory, hosts: &[PlannedHost]) -> Self {
        if inventory.zones.is_empty() {
            return Self::default();
        }
        let zones = inventory.zones.iter().map(|(name, zone)| {
            let planned = PlannedZone {
                external: zone.external,
                assume_compromised: zone.assume_compromised,
                critical: zone.critical,
            };
            (name.clone(), planned)
        });
        let conduits = inventory.conduits.iter().map(|(name, conduit)| {
            let planned = PlannedConduit {
                from: conduit.ends.0.clone(),
                to: conduit.ends.1.clone(),
                both_ways: conduit.both_ways,
                enforced_by: conduit.enforced_by.clone(),
                level: conduit.level,
                out_of_band: conduit.out_of_band,
            };
            (name.clone(), planned)
        });
        let on = inventory.services.values().filter_map(|service| match &service.place {
            ServicePlace::Host(host) => Some(host),
            ServicePlace::Zone(_) => None,
        });
        let enforcers = inventory.conduits.values().filter_map(|conduit| conduit.enforced_by.as_ref());
        let others = on.chain(enforcers).chain(&inventory.name_servers);
        let planned = |name: &HostName| hosts.binary_search_by(|host| host.name.cmp(name)).is_ok();
        let others = others.filter(|name| !planned(name)).filter_map(|name| {
            let zone = inventory.hosts.get(name)?.zone.clone()?;
            Some((name.clone(), zone))
        });
        Self {
            controller: inventory.controller_zone.clone(),
            name_servers: inventory.name_servers.clone(),
            zones: zones.collect(),
            conduits: conduits.collect(),
            hosts: others.collect(),
        }
    }

    /// Does the plan know nothing of a site?
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}
