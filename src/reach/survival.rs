//! Which services lose something they cannot do without, and what would have to be brought inside first.

use super::ground::Ground;
use super::site::{Site, ZoneIx};
use crate::model::Inventory;
use crate::model::inventory::ServicePlace;
use crate::model::names::ServiceName;
use crate::plan::Plan;
use std::collections::{BTreeMap, VecDeque};

/// A service's position in `Services`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceIx(pub usize);

/// The services of a site, in name order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Services(Vec<Service>);

/// A service: where it is, and what it cannot do without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: ServiceName,
    /// The host it runs on, or the zone it comes from.
    pub place: ServicePlace,
    /// The zone of that; `None` if the inventory does not say.
    pub zone: Option<ZoneIx>,
    /// What it needs.
    pub needs: Vec<ServiceIx>,
}

/// What becomes of services when some conduits are cut.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survival {
    /// Services that lose something, however indirectly.
    pub lost: Vec<Lost>,
    /// What is out of reach of those that need it, each once: what would have to be brought inside first.
    pub roots: Vec<Root>,
}

/// A service that loses something it cannot do without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Which.
    pub service: ServiceIx,
    /// For each root cause the shortest chain: the service, what it needs, what that needs, and so on; the last one is
    /// out of reach of the one before.
    pub chains: Vec<Vec<ServiceIx>>,
}

/// A service that is out of reach of some that need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Which.
    pub service: ServiceIx,
    /// Who needs it and has no way there.
    pub cut_off: Vec<ServiceIx>,
    /// Who is lost through it, those among them.
    pub dependents: Vec<ServiceIx>,
}

impl Services {
    /// Those of an inventory.
    pub fn of(inventory: &Inventory, site: &Site) -> Self {
        let zone_of = |place: &ServicePlace| match place {
            ServicePlace::Zone(zone) => site.zone_named(zone.as_str()),
            ServicePlace::Host(host) => site.zone_named(inventory.hosts.get(host)?.zone.as_ref()?.as_str()),
        };
        let numbers: BTreeMap<&ServiceName, ServiceIx> =
            inventory.services.keys().enumerate().map(|(at, name)| (name, ServiceIx(at))).collect();
        let services = inventory.services.iter().map(|(name, service)| Service {
            name: name.clone(),
            place: service.place.clone(),
            zone: zone_of(&service.place),
            needs: service.needs.iter().filter_map(|need| numbers.get(need).copied()).collect(),
        });
        Self(services.collect())
    }

    /// Those that a plan knows.
    pub fn of_plan(plan: &Plan, site: &Site) -> Self {
        let zone_of = |place: &ServicePlace| match place {
            ServicePlace::Zone(zone) => site.zone_named(zone.as_str()),
            ServicePlace::Host(host) => site.zone_of(plan, host),
        };
        let at = |need: &ServiceName| plan.services.iter().position(|service| service.name == *need);
        let services = plan.services.iter().map(|service| Service {
            name: service.name.clone(),
            place: service.place.clone(),
            zone: zone_of(&service.place),
            needs: service.needs.iter().filter_map(at).map(ServiceIx).collect(),
        });
        Self(services.collect())
    }

    /// One of them.
    pub fn get(&self, ix: ServiceIx) -> &Service {
        &self.0[ix.0]
    }

    /// All of them, with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (ServiceIx, &Service)> {
        self.0.iter().enumerate().map(|(at, service)| (ServiceIx(at), service))
    }

    /// Those that stand on a host without a zone: nothing can be said of the ways from and to them.
    pub fn unplaced(&self) -> impl Iterator<Item = &Service> {
        self.0.iter().filter(|service| service.zone.is_none())
    }

    /// What becomes of them on this ground. A service works if it reaches all that it needs, and all of that works. It
    /// reaches what stands in its own zone, or straight through a conduit. Where no conduit led straight even before,
    /// but a way through other zones did (a proxy, a router), any such way does.
    pub fn survival(&self, before: &Ground, ground: &Ground) -> Survival {
        let mut needed_by: BTreeMap<ServiceIx, Vec<ServiceIx>> = BTreeMap::new();
        let mut cut_off: BTreeMap<ServiceIx, Vec<ServiceIx>> = BTreeMap::new();
        for (ix, service) in self.iter() {
            for need in &service.needs {
                needed_by.entry(*need).or_default().push(ix);
                if !zones_reach(before, ground, service.zone, self.get(*need).zone) {
                    cut_off.entry(*need).or_default().push(ix);
                }
            }
        }
        let mut chains: BTreeMap<ServiceIx, Vec<Vec<ServiceIx>>> = BTreeMap::new();
        let mut roots = Vec::new();
        for (root, cut_off) in cut_off {
            let found = chains_to(root, &cut_off, &needed_by);
            roots.push(Root { service: root, cut_off, dependents: found.keys().copied().collect() });
            found.into_iter().for_each(|(service, chain)| chains.entry(service).or_default().push(chain));
        }
        let lost = chains.into_iter().map(|(service, chains)| Lost { service, chains }).collect();
        Survival { lost, roots }
    }
}

/// Does one zone still get to another, as it did before?
pub(super) fn zones_reach(
    before: &Ground,
    ground: &Ground,
    from: Option<ZoneIx>,
    to: Option<ZoneIx>,
) -> bool {
    // Without a zone nothing is known that would keep the two apart.
    let (Some(from), Some(to)) = (from, to) else { return true };
    from == to
        || match before.leads_straight(from, to) {
            true => ground.leads_straight(from, to),
            false => ground.leads(from, to),
        }
}

/// Everybody who is lost through one service, each with the shortest chain to it.
fn chains_to(
    root: ServiceIx,
    cut_off: &[ServiceIx],
    needed_by: &BTreeMap<ServiceIx, Vec<ServiceIx>>,
) -> BTreeMap<ServiceIx, Vec<ServiceIx>> {
    let mut chains: BTreeMap<ServiceIx, Vec<ServiceIx>> =
        cut_off.iter().map(|service| (*service, vec![*service, root])).collect();
    let mut new: VecDeque<ServiceIx> = cut_off.iter().copied().collect();
    while let Some(here) = new.pop_front() {
        for service in needed_by.get(&here).into_iter().flatten() {
            if !chains.contains_key(service) {
                let chain = [&[*service], chains[&here].as_slice()].concat();
                chains.insert(*service, chain);
                new.push_back(*service);
            }
        }
    }
    chains
}
