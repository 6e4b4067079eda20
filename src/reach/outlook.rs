//! What a site looks like as it is, after each phase that cuts, and at each level of isolation: who still gets where,
//! which critical zones are open, which services are lost, and whether what phases claim is so.

use super::bits::Bits;
use super::cut::{SmallestCut, smallest_cut};
use super::ground::Ground;
use super::matrix::Matrix;
use super::paths::{Paths, paths};
use super::site::{ConduitIx, Site, ZoneIx};
use super::survival::{Services, Survival};
use crate::model::Inventory;
use crate::model::inventory::LEVELS;
use crate::model::names::{ConduitName, HostName, PhaseId, PhaseIx, StepId, StepIx};
use crate::plan::frozen::PlannedStep;
use crate::plan::site::{PlannedSite, PlannedZone};
use crate::plan::{Plan, graph};
use std::collections::{BTreeMap, BTreeSet};

/// Everything there is to say about ways on a site, before and after.
#[derive(Debug, Clone)]
pub struct Outlook {
    /// Its zones and conduits.
    pub site: Site,
    /// Hosts of each zone, in name order.
    pub hosts: Vec<Vec<HostName>>,
    /// Its services.
    pub services: Services,
    /// Zones in which attackers are taken to stand: external ones and those assumed compromised.
    pub outside: BTreeSet<ZoneIx>,
    /// Zones that must be protected.
    pub critical: BTreeSet<ZoneIx>,
    /// First as it is, then after each phase that cuts, then at each level.
    pub situations: Vec<Situation>,
    /// What phases claim to isolate.
    pub claims: Vec<Claim>,
}

/// A moment, real or supposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// Before anything is cut.
    Now,
    /// After this phase of the plan.
    Phase {
        /// Which.
        phase: PhaseIx,
        /// Its name.
        id: PhaseId,
    },
    /// When all conduits up to this level are cut.
    Level(u8),
}

/// The site at a moment.
#[derive(Debug, Clone)]
pub struct Situation {
    /// When.
    pub moment: Moment,
    /// Conduits that are cut.
    pub cut: Bits,
    /// Zone by zone.
    pub matrix: Matrix,
    /// Critical zones that an attacker still gets into.
    pub open: Vec<Open>,
    /// What would have to be cut to close all of them, if there are several that can be closed.
    pub smallest_for_all: Option<SmallestCut>,
    /// What becomes of services.
    pub survival: Survival,
}

/// A zone that an attacker still gets into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Which.
    pub zone: ZoneIx,
    /// How.
    pub how: How,
}

/// How an attacker gets into a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// It is taken to be in his hands: there is nothing to cut.
    Held,
    /// By these paths.
    By {
        /// The shortest ones.
        paths: Paths,
        /// What would still have to be cut.
        smallest: SmallestCut,
    },
}

/// A phase's claim that no path from outside leads into a zone once it has ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Whose.
    pub phase: PhaseId,
    /// Which zone.
    pub zone: ZoneIx,
    /// Is it so?
    pub verdict: Verdict,
}

/// What a claim is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No path is left.
    Holds,
    /// It is not so.
    Broken(How),
    /// The operator left out cuts that it may stand on: nobody claims it for what is left.
    NotMade {
        /// The steps that would cut.
        without: Vec<StepId>,
    },
}

impl Outlook {
    /// Of a site alone: as it is, and at each level.
    pub fn of_inventory(inventory: &Inventory) -> Self {
        let site = Site::without_hosts(&PlannedSite::of(inventory, &[]));
        let now = site.cut_at_start.clone();
        Self::with(inventory, site, vec![(Moment::Now, now)], Vec::new())
    }

    /// Of a plan on the site it was made for. `narrowed`: the operator left out phases or steps.
    pub fn of_plan(inventory: &Inventory, plan: &Plan, narrowed: bool) -> Self {
        let site = Site::of(plan);
        let start = cut_at_start(plan, &site);
        let ends = ends_of_phases(plan, &site, &start);
        let mut moments = vec![(Moment::Now, start)];
        for (ix, cut) in ends.iter().enumerate() {
            if moments.last().is_some_and(|(_, before)| before != cut) {
                let moment = Moment::Phase { phase: PhaseIx(ix as u32), id: plan.phases[ix].id.clone() };
                moments.push((moment, cut.clone()));
            }
        }
        let claims = claims(plan, &site, &ends, narrowed);
        Self::with(inventory, site, moments, claims)
    }

    fn with(inventory: &Inventory, site: Site, mut moments: Vec<(Moment, Bits)>, claims: Vec<Claim>) -> Self {
        let traits = |wanted: fn(&PlannedZone) -> bool| -> BTreeSet<ZoneIx> {
            let zones = site.zones.iter().enumerate().filter(|(_, zone)| wanted(&zone.traits));
            zones.map(|(ix, _)| ZoneIx(ix)).collect()
        };
        let outside = outside(&site);
        let critical = traits(|zone| zone.critical);
        let services = Services::of(inventory, &site);
        if site.conduits.iter().any(|conduit| conduit.level.is_some()) {
            moments.extend(LEVELS.map(|level| (Moment::Level(level), cut_at_level(&site, level))));
        }
        let mut known: BTreeMap<Bits, Situation> = BTreeMap::new();
        let situations = moments.into_iter().map(|(moment, cut)| {
            let like = known.entry(cut).or_insert_with_key(|cut| {
                situation(&site, &services, &outside, &critical, moment.clone(), cut)
            });
            Situation { moment, ..like.clone() }
        });
        let situations = situations.collect();
        let mut hosts = vec![Vec::new(); site.zones.len()];
        for host in inventory.hosts.values() {
            if let Some(zone) = host.zone.as_ref().and_then(|zone| site.zone_named(zone.as_str())) {
                hosts[zone.0].push(host.name.clone());
            }
        }
        Self { site, hosts, services, outside, critical, situations, claims }
    }

    /// Before anything is cut.
    pub fn now(&self) -> &Situation {
        &self.situations[0]
    }

    /// When the plan has ended well; without a plan, or if it cuts nothing, as it is.
    pub fn end(&self) -> &Situation {
        let of_plan = |situation: &&Situation| !matches!(situation.moment, Moment::Level(_));
        self.situations.iter().rfind(of_plan).unwrap_or(&self.situations[0])
    }

    /// Claims that are not so.
    pub fn broken(&self) -> impl Iterator<Item = (&Claim, &How)> {
        self.claims.iter().filter_map(|claim| match &claim.verdict {
            Verdict::Broken(how) => Some((claim, how)),
            Verdict::Holds | Verdict::NotMade { .. } => None,
        })
    }
}

/// Zones in which attackers are taken to stand.
fn outside(site: &Site) -> BTreeSet<ZoneIx> {
    let zones = site.zones.iter().enumerate();
    let theirs = zones.filter(|(_, zone)| zone.traits.external || zone.traits.assume_compromised);
    theirs.map(|(ix, _)| ZoneIx(ix)).collect()
}

fn cut_at_level(site: &Site, level: u8) -> Bits {
    let conduits = site.conduits.iter().enumerate();
    let cut = conduits.filter(|(_, conduit)| conduit.level.is_some_and(|own| own <= level));
    Bits::of(site.conduits.len(), cut.filter(|(_, conduit)| !conduit.out_of_band).map(|(ix, _)| ix))
}

/// What a plan reconnects was cut before it, by a run of another one.
pub(super) fn cut_at_start(plan: &Plan, site: &Site) -> Bits {
    let mut cut = site.cut_at_start.clone();
    let reconnected = plan.steps.iter().flat_map(|step| cuttable(site, &step.reconnects));
    reconnected.for_each(|ix| cut.insert(ix.0));
    cut
}

/// What is cut when each phase has ended well. What one phase both severs and reconnects is taken to be open.
fn ends_of_phases(plan: &Plan, site: &Site, start: &Bits) -> Vec<Bits> {
    let mut cut = start.clone();
    let mut ends = Vec::with_capacity(plan.phases.len());
    for phase in 0..plan.phases.len() {
        let steps = plan.steps_of(PhaseIx(phase as u32)).filter(|step| graph::runs(plan, *step));
        let steps: Vec<&PlannedStep> = steps.map(|step| &plan.steps[step.at()]).collect();
        let severed = steps.iter().flat_map(|step| cuttable(site, &step.severs));
        severed.for_each(|ix| cut.insert(ix.0));
        let reconnected = steps.iter().flat_map(|step| cuttable(site, &step.reconnects));
        reconnected.for_each(|ix| cut.remove(ix.0));
        ends.push(cut.clone());
    }
    ends
}

/// Conduits of these names. What is out of band is not among them: it stays.
pub(super) fn cuttable(site: &Site, names: &[ConduitName]) -> impl Iterator<Item = ConduitIx> {
    let conduits = names.iter().filter_map(|name| site.conduit_named(name.as_str()));
    conduits.filter(|ix| !site.conduits[ix.0].out_of_band)
}

fn situation(
    site: &Site,
    services: &Services,
    outside: &BTreeSet<ZoneIx>,
    critical: &BTreeSet<ZoneIx>,
    moment: Moment,
    cut: &Bits,
) -> Situation {
    let ground = Ground::of(site, cut);
    let open: Vec<Open> = critical
        .iter()
        .filter_map(|zone| Some(Open { zone: *zone, how: how(site, cut, &ground, outside, *zone)? }))
        .collect();
    let closable: BTreeSet<ZoneIx> =
        open.iter().filter(|open| open.how != How::Held).map(|open| open.zone).collect();
    let smallest_for_all = (closable.len() > 1).then(|| smallest_cut(site, cut, outside, &closable));
    let before = Ground::of(site, &Bits::new(site.conduits.len()));
    let (matrix, survival) = (Matrix::of(site, &ground), services.survival(&before, &ground));
    Situation { moment, cut: cut.clone(), matrix, open, smallest_for_all, survival }
}

/// How attackers get into a zone, if they do.
fn how(site: &Site, cut: &Bits, ground: &Ground, outside: &BTreeSet<ZoneIx>, zone: ZoneIx) -> Option<How> {
    if outside.contains(&zone) {
        return Some(How::Held);
    }
    let paths = paths(ground, outside, zone);
    let smallest = || smallest_cut(site, cut, outside, &[zone].into());
    (!paths.listed.is_empty()).then(|| How::By { paths, smallest: smallest() })
}

fn claims(plan: &Plan, site: &Site, ends: &[Bits], narrowed: bool) -> Vec<Claim> {
    let outside = outside(site);
    let mut without: Vec<StepId> = Vec::new();
    let mut claims = Vec::new();
    for (ix, phase) in plan.phases.iter().enumerate() {
        let left_out = |step: &StepIx| !plan.steps[step.at()].severs.is_empty() && !graph::runs(plan, *step);
        let steps = plan.steps_of(PhaseIx(ix as u32)).filter(left_out);
        without.extend(steps.map(|step| plan.steps[step.at()].id.clone()));
        for name in &phase.isolates {
            let Some(zone) = site.zone_named(name.as_str()) else { continue };
            let verdict = if narrowed && !without.is_empty() {
                Verdict::NotMade { without: without.clone() }
            } else {
                let ground = Ground::of(site, &ends[ix]);
                how(site, &ends[ix], &ground, &outside, zone).map_or(Verdict::Holds, Verdict::Broken)
            };
            claims.push(Claim { phase: phase.id.clone(), zone, verdict });
        }
    }
    claims
}
