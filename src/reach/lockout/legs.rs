//! Which stretches of way each host takes, and which hosts each part of a task needs.

use super::{Leg, LegEnd, Moment};
use crate::model::names::{HostIx, StepIx, TaskIx};
use crate::model::probe::{Probe, Vantage};
use crate::plan::Plan;
use crate::plan::frozen::{PlannedAction, PlannedUndo, PlannedVerify};
use crate::reach::bits::Bits;
use crate::reach::site::{ConduitIx, Site, ZoneIx};
use std::collections::{BTreeMap, BTreeSet};

/// All stretches that hosts of the plan are behind, each once.
#[derive(Debug)]
pub struct Legs {
    /// For each stretch between zones: what must not all be cut.
    pub all: Vec<Stretch>,
    /// For each host: the stretches of its way in their order, each with its ends.
    pub ways: Vec<Vec<(usize, Option<HostIx>, LegEnd)>>,
}

/// A stretch between zones. One inside a zone is none: it always stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stretch {
    /// Where it starts.
    pub from: ZoneIx,
    /// Where it leads: into any of these.
    pub to: Vec<ZoneIx>,
    /// The conduits that lead there.
    pub conduits: Vec<ConduitIx>,
    /// Is one of them out of band?
    pub out_of_band: bool,
}

impl Legs {
    /// The ways to all hosts of a plan, and what of them cannot be judged.
    pub fn of(plan: &Plan, site: &Site, controller: ZoneIx) -> (Self, BTreeSet<Unknown>) {
        let mut known: BTreeMap<(ZoneIx, Vec<ZoneIx>), usize> = BTreeMap::new();
        let mut legs = Self { all: Vec::new(), ways: Vec::with_capacity(plan.hosts.len()) };
        let mut unknown = BTreeSet::new();
        let servers: Vec<ZoneIx> = site.name_servers.iter().filter_map(|(_, zone)| *zone).collect();
        for host in &site.hosts {
            let mut way = Vec::new();
            if !host.local {
                let (mut from, mut zone) = (None, Some(controller));
                if host.looked_up && !site.name_servers.is_empty() {
                    // A server whose zone nobody knows may be within reach: nothing can be said then.
                    match servers.len() == site.name_servers.len() {
                        true => way.extend(
                            legs.stretch(site, controller, &servers, &mut known)
                                .map(|stretch| (stretch, None, LegEnd::NameServers)),
                        ),
                        false => {
                            unknown.insert(Unknown::NameServers);
                        }
                    }
                }
                for hop in &host.hops {
                    let next = site.hosts[hop.at()].zone;
                    if let (Some(zone), Some(next)) = (zone, next) {
                        let stretch = legs.stretch(site, zone, &[next], &mut known);
                        way.extend(stretch.map(|stretch| (stretch, from, LegEnd::Host(*hop))));
                    }
                    if next.is_none() {
                        unknown.insert(Unknown::Host(*hop));
                    }
                    (from, zone) = (Some(*hop), next);
                }
            }
            legs.ways.push(way);
        }
        (legs, unknown)
    }

    fn stretch(
        &mut self,
        site: &Site,
        from: ZoneIx,
        to: &[ZoneIx],
        known: &mut BTreeMap<(ZoneIx, Vec<ZoneIx>), usize>,
    ) -> Option<usize> {
        if to.contains(&from) {
            return None;
        }
        let to: Vec<ZoneIx> = to.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        Some(*known.entry((from, to.clone())).or_insert_with(|| {
            let conduits: BTreeSet<ConduitIx> =
                to.iter().flat_map(|to| site.ways(from, *to)).copied().collect();
            let out_of_band = conduits.iter().any(|conduit| site.conduits[conduit.0].out_of_band);
            self.all.push(Stretch { from, to, conduits: conduits.into_iter().collect(), out_of_band });
            self.all.len() - 1
        }))
    }

    /// A stretch in words that mean something outside.
    pub fn leg(&self, site: &Site, stretch: usize, from: Option<HostIx>, to: LegEnd) -> Leg {
        let zone = |zone: &ZoneIx| site.zone_name(*zone).clone();
        let stretch = &self.all[stretch];
        Leg { from, from_zone: zone(&stretch.from), to, to_zones: stretch.to.iter().map(zone).collect() }
    }
}

impl Stretch {
    /// Is it gone when these conduits are cut?
    pub fn is_gone(&self, cut: &Bits) -> bool {
        !self.out_of_band && self.conduits.iter().all(|conduit| cut.has(conduit.0))
    }
}

/// Something that nobody told the inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unknown {
    /// The zone of a host.
    Host(HostIx),
    /// The zone of a name server.
    NameServers,
}

/// Which hosts a step needs at a moment, beside those that its probes name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wants {
    /// The host of the task.
    pub own: bool,
    /// Hosts that probes start from.
    pub others: BTreeSet<HostIx>,
}

/// What a step needs at each moment; `None`: it has no such moment.
pub fn wants(plan: &Plan, step: StepIx, moment: Moment) -> Option<Wants> {
    let planned = &plan.steps[step.at()];
    let mut wants = Wants::default();
    match moment {
        Moment::Run => {
            wants.own = planned.check.is_some() || planned.snapshot.is_some() || planned.guard.is_some();
            match &planned.action {
                PlannedAction::Run(_)
                | PlannedAction::Upload(_)
                | PlannedAction::Fetch(_)
                | PlannedAction::Backup(_) => wants.own = true,
                PlannedAction::Probe(probe) => wants.add(plan, probe),
                PlannedAction::Manual(_) | PlannedAction::Wait(_) => {}
            }
        }
        Moment::Verify => {
            // How a change ended is read from the receipt on the host.
            wants.own = may_change_host(&planned.action) || planned.guard.is_some();
            for verify in &planned.verify {
                match verify {
                    PlannedVerify::Script(_) => wants.own = true,
                    PlannedVerify::Probe(probe) => wants.add(plan, probe),
                }
            }
            for probe in planned.watch.iter().flat_map(|watch| &watch.probes) {
                wants.add(plan, probe);
            }
        }
        Moment::Undo => {
            let taken_back = matches!(planned.undo, PlannedUndo::By(_)) && may_change(&planned.action);
            if !taken_back {
                return None;
            }
            wants.own = true;
        }
    }
    Some(wants)
}

impl Wants {
    fn add(&mut self, plan: &Plan, probe: &Probe) {
        match &probe.from {
            None | Some(Vantage::Controller) => {}
            Some(Vantage::Task) => self.own = true,
            Some(Vantage::Host(name)) => self.others.extend(plan.host_named(name.as_str())),
        }
    }

    /// The hosts that one task needs.
    pub fn hosts(&self, plan: &Plan, task: TaskIx) -> impl Iterator<Item = HostIx> {
        let own = plan.tasks[task.at()].host.filter(|_| self.own);
        own.into_iter().chain(self.others.iter().copied())
    }
}

/// May the action change something, so that there is something to take back?
pub fn may_change(action: &PlannedAction) -> bool {
    match action {
        PlannedAction::Run(_) | PlannedAction::Upload(_) | PlannedAction::Manual(_) => true,
        PlannedAction::Fetch(_)
        | PlannedAction::Wait(_)
        | PlannedAction::Probe(_)
        | PlannedAction::Backup(_) => false,
    }
}

fn may_change_host(action: &PlannedAction) -> bool {
    may_change(action) && !matches!(action, PlannedAction::Manual(_))
}
