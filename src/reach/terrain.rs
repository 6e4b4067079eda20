//! What a plan's site looks like while some of its conduits are cut: hosts that the controller has no way to, zones
//! that no longer reach each other, services that lost what they need.

use super::bits::Bits;
use super::ground::Ground;
use super::lockout::legs::{Legs, Stretch};
use super::outlook::{cut_at_start, cuttable};
use super::site::{ConduitIx, Site, ZoneIx};
use super::survival::{Services, zones_reach};
use crate::model::Inventory;
use crate::model::inventory::Reach;
use crate::model::names::{HostIx, HostName, ServiceName, StepIx};
use crate::plan::Plan;
use std::collections::BTreeMap;

/// What is known of ways on the site of a plan, whatever is cut.
#[derive(Debug, Clone)]
pub struct Terrain {
    site: Site,
    /// Stretches of way between zones, and for each host those that its way leads over.
    stretches: Vec<Stretch>,
    over: Vec<Vec<usize>>,
    severs: Vec<Vec<ConduitIx>>,
    reconnects: Vec<Vec<ConduitIx>>,
    start: Bits,
    services: Services,
    whole: Ground,
    /// Zones of addresses that the inventory's hosts have.
    addresses: BTreeMap<String, ZoneIx>,
}

/// The lie of the land while some conduits are cut.
#[derive(Debug)]
pub struct Lie {
    /// These are.
    pub cut: Bits,
    /// For each host of the plan: has the controller no way to it?
    pub cut_off: Vec<bool>,
    ground: Ground,
}

impl Terrain {
    /// Of a plan's site. Of one without zones nothing is known, and nothing is out of reach.
    pub fn of(plan: &Plan, inventory: &Inventory) -> Self {
        let site = Site::of(plan);
        let (stretches, over) = match site.controller {
            Some(controller) => {
                let (legs, _) = Legs::of(plan, &site, controller);
                let ways = legs.ways.iter().map(|way| way.iter().map(|(stretch, _, _)| *stretch).collect());
                let over = ways.collect();
                (legs.all, over)
            }
            None => (Vec::new(), vec![Vec::new(); plan.hosts.len()]),
        };
        let addresses = inventory.hosts.values().filter_map(|host| match &host.reach {
            Reach::Ssh(ssh) => Some((ssh.address.clone(), site.zone_named(host.zone.as_ref()?.as_str())?)),
            Reach::Local(_) => None,
        });
        Self {
            severs: plan.steps.iter().map(|step| cuttable(&site, &step.severs).collect()).collect(),
            reconnects: plan.steps.iter().map(|step| cuttable(&site, &step.reconnects).collect()).collect(),
            start: cut_at_start(plan, &site),
            services: Services::of_plan(plan, &site),
            whole: Ground::of(&site, &Bits::new(site.conduits.len())),
            addresses: addresses.collect(),
            stretches,
            over,
            site,
        }
    }

    /// Conduits that are cut before the plan does anything.
    pub fn cut_at_start(&self) -> &Bits {
        &self.start
    }
    /// Conduits that a step cuts.
    pub fn severs(&self, step: StepIx) -> &[ConduitIx] {
        &self.severs[step.at()]
    }
    /// Conduits that a step opens again.
    pub fn reconnects(&self, step: StepIx) -> &[ConduitIx] {
        &self.reconnects[step.at()]
    }

    /// The way to a host: jump hosts, then the host.
    pub fn hops(&self, host: HostIx) -> &[HostIx] {
        &self.site.hosts[host.at()].hops
    }

    /// The site while these conduits are cut.
    pub fn with(&self, cut: Bits) -> Lie {
        let gone: Vec<bool> = self.stretches.iter().map(|stretch| stretch.is_gone(&cut)).collect();
        let cut_off = self.over.iter().map(|way| way.iter().any(|stretch| gone[*stretch])).collect();
        Lie { cut_off, ground: Ground::of(&self.site, &cut), cut }
    }

    /// The zone of a probe's target: a host's name, or the address of one of the inventory's.
    pub fn zone_of_target(&self, plan: &Plan, target: &str) -> Option<ZoneIx> {
        let by_name = self.site.zone_of(plan, &HostName::from(target));
        by_name.or_else(|| self.addresses.get(target).copied())
    }
    /// The zone of a host of the plan; `None` is the controller.
    pub fn zone_of_host(&self, host: Option<HostIx>) -> Option<ZoneIx> {
        match host {
            Some(host) if !self.site.hosts[host.at()].local => self.site.hosts[host.at()].zone,
            Some(_) | None => self.site.controller,
        }
    }
    /// Does one zone still get to another, as far as it did when nothing was cut? What is not known does.
    pub fn reaches(&self, at: &Lie, from: Option<ZoneIx>, to: Option<ZoneIx>) -> bool {
        zones_reach(&self.whole, &at.ground, from, to)
    }

    /// Services that lost something they need, each with what and through whom.
    pub fn lost(&self, at: &Lie) -> BTreeMap<ServiceName, String> {
        let name = |ix: &super::survival::ServiceIx| self.services.get(*ix).name.to_string();
        let survival = self.services.survival(&self.whole, &at.ground);
        let lost = survival.lost.iter().filter_map(|lost| {
            let chain = lost.chains.iter().min_by_key(|chain| chain.len())?;
            let needs: Vec<String> = chain[1..].iter().map(name).collect();
            let why = format!("out of reach: {}", needs.join(", which needs "));
            Some((self.services.get(lost.service).name.clone(), why))
        });
        lost.collect()
    }
}
