//! The site as questions about ways see it: zones and conduits by number, who stands where, and which conduits lead
//! straight from one zone into another.

use super::bits::Bits;
use crate::model::inventory::Reach;
use crate::model::names::{ConduitName, HostIx, HostName, ZoneName};
use crate::plan::Plan;
use crate::plan::site::{PlannedSite, PlannedZone};
use std::collections::BTreeMap;

/// A zone's position in `Site::zones`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneIx(pub usize);

/// A conduit's position in `Site::conduits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConduitIx(pub usize);

/// Zones, conduits and hosts of a plan.
#[derive(Debug, Clone)]
pub struct Site {
    /// Zones in name order.
    pub zones: Vec<Zone>,
    /// Conduits in name order.
    pub conduits: Vec<Conduit>,
    /// The zone the controller stands in, if the inventory says so.
    pub controller: Option<ZoneIx>,
    /// The plan's hosts, as `HostIx` counts them.
    pub hosts: Vec<Host>,
    /// Hosts that tell the controller the addresses of others, each with its zone.
    pub name_servers: Vec<(HostName, Option<ZoneIx>)>,
    /// Conduits that no run has cut and that are closed all the same when it begins.
    pub cut_at_start: Bits,
    /// Conduits that lead straight from one zone into another.
    ways: BTreeMap<(ZoneIx, ZoneIx), Vec<ConduitIx>>,
    /// Zones of hosts that are not among the plan's own.
    others: BTreeMap<HostName, ZoneIx>,
}

/// A zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Its name.
    pub name: ZoneName,
    /// What the inventory says of it.
    pub traits: PlannedZone,
}

/// A conduit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conduit {
    /// Its name.
    pub name: ConduitName,
    /// Where it starts.
    pub from: ZoneIx,
    /// Where it leads.
    pub to: ZoneIx,
    /// Does it lead back as well?
    pub both_ways: bool,
    /// The host whose rules open and close it.
    pub enforced_by: Option<HostName>,
    /// Isolation level at which it is cut.
    pub level: Option<u8>,
    /// Survives every cut.
    pub out_of_band: bool,
}

/// Where a host of the plan stands, and how one gets there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its zone, if the inventory says so.
    pub zone: Option<ZoneIx>,
    /// Is it the controller itself?
    pub local: bool,
    /// The way from the controller: jump hosts in the order in which they are passed, then the host.
    pub hops: Vec<HostIx>,
    /// Is the address of the first hop a name, which has to be looked up?
    pub looked_up: bool,
}

impl Site {
    /// The site of a plan. Without zones it is empty, and nothing can be said of any way.
    pub fn of(plan: &Plan) -> Self {
        let mut site = Self::without_hosts(&plan.site);
        let zone = |name: &ZoneName| site.zone_named(name.as_str());
        site.hosts = (0..plan.hosts.len()).map(|ix| host(plan, HostIx(ix as u32), &zone)).collect();
        let servers = plan.site.name_servers.iter();
        site.name_servers = servers.map(|name| (name.clone(), site.zone_of(plan, name))).collect();
        site
    }

    /// Zones and conduits alone, for questions that are not about a plan's hosts.
    pub fn without_hosts(planned: &PlannedSite) -> Self {
        let zones: Vec<Zone> =
            planned.zones.iter().map(|(name, zone)| Zone { name: name.clone(), traits: *zone }).collect();
        let zone = |name: &ZoneName| zones.binary_search_by(|zone| zone.name.cmp(name)).ok().map(ZoneIx);
        let conduits: Vec<Conduit> = planned
            .conduits
            .iter()
            .filter_map(|(name, conduit)| {
                Some(Conduit {
                    name: name.clone(),
                    from: zone(&conduit.from)?,
                    to: zone(&conduit.to)?,
                    both_ways: conduit.both_ways,
                    enforced_by: conduit.enforced_by.clone(),
                    level: conduit.level,
                    out_of_band: conduit.out_of_band,
                })
            })
            .collect();
        let mut ways: BTreeMap<(ZoneIx, ZoneIx), Vec<ConduitIx>> = BTreeMap::new();
        for (ix, conduit) in conduits.iter().enumerate() {
            ways.entry((conduit.from, conduit.to)).or_default().push(ConduitIx(ix));
            if conduit.both_ways {
                ways.entry((conduit.to, conduit.from)).or_default().push(ConduitIx(ix));
            }
        }
        let others: BTreeMap<HostName, ZoneIx> =
            planned.hosts.iter().filter_map(|(name, at)| Some((name.clone(), zone(at)?))).collect();
        let controller = planned.controller.as_ref().and_then(zone);
        Self {
            cut_at_start: Bits::new(conduits.len()),
            zones,
            conduits,
            controller,
            hosts: Vec::new(),
            name_servers: Vec::new(),
            ways,
            others,
        }
    }

    /// Conduits that lead straight from one zone into another.
    pub fn ways(&self, from: ZoneIx, to: ZoneIx) -> &[ConduitIx] {
        self.ways.get(&(from, to)).map(Vec::as_slice).unwrap_or_default()
    }
    /// A zone by its name.
    pub fn zone_named(&self, name: &str) -> Option<ZoneIx> {
        self.zones.binary_search_by(|zone| zone.name.as_str().cmp(name)).ok().map(ZoneIx)
    }
    /// A conduit by its name.
    pub fn conduit_named(&self, name: &str) -> Option<ConduitIx> {
        self.conduits.binary_search_by(|conduit| conduit.name.as_str().cmp(name)).ok().map(ConduitIx)
    }
    /// The zone of a host, be it among the plan's own or not.
    pub fn zone_of(&self, plan: &Plan, name: &HostName) -> Option<ZoneIx> {
        match plan.host_named(name.as_str()) {
            Some(ix) => self.hosts[ix.at()].zone,
            None => self.others.get(name).copied(),
        }
    }
    /// A zone's name.
    pub fn zone_name(&self, zone: ZoneIx) -> &ZoneName {
        &self.zones[zone.0].name
    }
    /// A conduit's name.
    pub fn conduit_name(&self, conduit: ConduitIx) -> &ConduitName {
        &self.conduits[conduit.0].name
    }
}

fn host(plan: &Plan, ix: HostIx, zone: &dyn Fn(&ZoneName) -> Option<ZoneIx>) -> Host {
    let planned = &plan.hosts[ix.at()];
    let mut hops = vec![ix];
    let mut first = ix;
    // Jump hosts make no circle; a plan that was tampered with ends here all the same.
    while let Some(before) = jump(plan, first).filter(|before| !hops.contains(before)) {
        hops.push(before);
        first = before;
    }
    hops.reverse();
    Host {
        zone: planned.zone.as_ref().and_then(zone),
        local: matches!(planned.reach, Reach::Local(_)),
        looked_up: is_looked_up(plan, first),
        hops,
    }
}

fn jump(plan: &Plan, ix: HostIx) -> Option<HostIx> {
    match &plan.hosts[ix.at()].reach {
        Reach::Local(_) => None,
        Reach::Ssh(ssh) => ssh.jump.as_ref().and_then(|jump| plan.host_named(jump.as_str())),
    }
}

/// Must somebody be asked for the host's address? The name of a host of the inventory stands for its address.
fn is_looked_up(plan: &Plan, ix: HostIx) -> bool {
    let Reach::Ssh(ssh) = &plan.hosts[ix.at()].reach else { return false };
    let address = ssh.address.as_str();
    let known = plan.host_named(address).is_some() || plan.site.hosts.contains_key(address);
    address.parse::<core::net::IpAddr>().is_err() && !known
}
