//! Paths, smallest cuts, matrices and the survival of services, on small random sites against brute force.
//! `SEED=n` replays one seed, `SEEDS=n` runs so many.

use crate::sim::rng::Rng;
use blackstart::model::Inventory;
use blackstart::model::inventory::{Service, ServicePlace};
use blackstart::model::names::{ServiceName, ZoneName};
use blackstart::model::place::Span;
use blackstart::plan::site::{PlannedConduit, PlannedSite, PlannedZone};
use blackstart::reach::cut::{SmallestCut, smallest_cut};
use blackstart::reach::ground::Ground;
use blackstart::reach::matrix::{Link, Matrix};
use blackstart::reach::paths::{More, PATHS_COUNTED_MAX, PATHS_LISTED_MAX, Path, paths};
use blackstart::reach::survival::{ServiceIx, Services};
use blackstart::reach::{Bits, ConduitIx, Site, ZoneIx};
use std::collections::{BTreeMap, BTreeSet};

/// Looks at these seeds. The first one that fails, and why; or what was met.
pub fn seeds(from: u64, to: u64) -> Result<Tally, (u64, String)> {
    let mut tally = Tally::default();
    for seed in from..to {
        let checked = std::panic::catch_unwind(|| {
            let mut seen = Tally::default();
            World::of(seed).check(&mut seen);
            seen
        });
        tally.add(&checked.map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            (seed, text.or(panic.downcast_ref::<&str>().map(|text| text.to_string())).unwrap_or_default())
        })?);
    }
    Ok(tally)
}

/// What was met, so that an empty simulation does not pass for a thorough one.
#[derive(Debug, Default)]
pub struct Tally(BTreeMap<&'static str, u64>);

/// Kinds of things that are to be met.
const KINDS: usize = 14;

impl Tally {
    fn saw(&mut self, what: &'static str, so: bool) {
        *self.0.entry(what).or_default() += u64::from(so);
    }
    fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(what, count)| *self.0.entry(what).or_default() += count);
    }
    /// What was met so seldom that nothing is shown.
    pub fn vacuous(&self, least: u64) -> Vec<&'static str> {
        assert_eq!(self.0.len(), KINDS, "{self:?}");
        self.0.iter().filter(|(_, count)| **count < least).map(|(what, _)| *what).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many that every corner was met, and that it takes seconds.
    const SEEDS: u64 = 30_000;

    #[test]
    fn paths_cuts_matrices_and_survival_are_those_of_brute_force() {
        let given = |name: &str| std::env::var(name).ok().and_then(|seed| seed.parse().ok());
        if let Some(seed) = given("SEED") {
            let world = World::of(seed);
            println!("{world:#?}");
            return world.check(&mut Tally::default());
        }
        let tally = seeds(0, given("SEEDS").unwrap_or(SEEDS));
        let tally = tally.unwrap_or_else(|(seed, why)| panic!("SEED={seed}: {why}"));
        println!("{tally:?}");
        assert_eq!(tally.vacuous(100), Vec::<&str>::new(), "{tally:?}");
    }
}

#[derive(Debug)]
struct World {
    site: Site,
    inventory: Inventory,
    cut: Bits,
    outside: BTreeSet<ZoneIx>,
}

impl World {
    fn of(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        // Now and then so dense that not every path is counted.
        let dense = rng.percent(4);
        let zones = if dense { 7 } else { rng.between(2, 7) };
        let name = |zone: u64| ZoneName::from(format!("z{zone}").as_str());
        let mut planned = PlannedSite::default();
        for zone in 0..zones {
            planned.zones.insert(name(zone), PlannedZone::default());
        }
        let conduits = if dense { rng.between(30, 60) } else { rng.below(10) };
        for conduit in 0..conduits {
            let from = rng.below(zones);
            let to = (from + rng.between(1, zones - 1)) % zones;
            let planned_conduit = PlannedConduit {
                from: name(from),
                to: name(to),
                both_ways: rng.percent(50),
                enforced_by: rng.percent(60).then(|| "fw".into()),
                level: rng.percent(60).then(|| rng.between(1, 3) as u8),
                out_of_band: rng.percent(12),
            };
            planned.conduits.insert(format!("c{conduit:02}").as_str().into(), planned_conduit);
        }
        let site = Site::without_hosts(&planned);
        let cut =
            (0..site.conduits.len()).filter(|_| rng.percent(if dense { 5 } else { 25 })).collect::<Vec<_>>();
        let cut = Bits::of(site.conduits.len(), cut);
        let outside =
            (0..zones as usize).filter(|_| rng.percent(if dense { 15 } else { 30 })).map(ZoneIx).collect();
        let mut inventory = Inventory::default();
        let services = rng.below(7);
        for service in 0..services {
            let needs: Vec<u64> = (0..service).filter(|_| rng.percent(35)).collect();
            let place =
                ServicePlace::Zone(if rng.percent(5) { "nowhere".into() } else { name(rng.below(zones)) });
            let needs = needs.iter().map(|need| ServiceName::from(format!("s{need}").as_str())).collect();
            let service_of = Service { place, needs, rto: None, probe: None, span: Span::default() };
            inventory.services.insert(format!("s{service}").as_str().into(), service_of);
        }
        Self { site, inventory, cut, outside }
    }

    /// Do these conduits, one by one or together, lead straight from one zone into another?
    fn leads(&self, conduit: usize, from: ZoneIx, to: ZoneIx) -> bool {
        let conduit = &self.site.conduits[conduit];
        (conduit.from, conduit.to) == (from, to)
            || conduit.both_ways && (conduit.to, conduit.from) == (from, to)
    }

    fn stands(&self, conduit: usize, cut: &Bits) -> bool {
        self.site.conduits[conduit].out_of_band || !cut.has(conduit)
    }

    fn straight(&self, from: ZoneIx, to: ZoneIx, cut: &Bits) -> Vec<ConduitIx> {
        let conduits = 0..self.site.conduits.len();
        conduits.filter(|at| self.stands(*at, cut) && self.leads(*at, from, to)).map(ConduitIx).collect()
    }

    fn zones(&self) -> impl Iterator<Item = ZoneIx> + use<> {
        (0..self.site.zones.len()).map(ZoneIx)
    }

    fn check(&self, tally: &mut Tally) {
        let ground = Ground::of(&self.site, &self.cut);
        for zone in self.zones().filter(|zone| !self.outside.contains(zone)) {
            self.check_paths(&ground, zone, tally);
            self.check_cut(&[zone].into(), tally);
        }
        let inside: BTreeSet<ZoneIx> = self.zones().filter(|zone| !self.outside.contains(zone)).collect();
        if inside.len() > 1 {
            self.check_cut(&inside, tally);
        }
        self.check_matrix(&ground, tally);
        self.check_survival(&ground, tally);
    }

    fn check_paths(&self, ground: &Ground, into: ZoneIx, tally: &mut Tally) {
        let mut all = Vec::new();
        for from in &self.outside {
            self.walk(&mut vec![*from], into, &mut all);
        }
        all.sort_by_key(|zones| (zones.len(), zones.clone()));
        let found = paths(ground, &self.outside, into);
        let hops = |zones: &[ZoneIx]| {
            zones.windows(2).map(|pair| self.straight(pair[0], pair[1], &self.cut)).collect::<Vec<_>>()
        };
        let listed: Vec<Path> = all
            .iter()
            .take(PATHS_LISTED_MAX)
            .map(|zones| Path { zones: zones.clone(), hops: hops(zones) })
            .collect();
        assert_eq!(found.listed, listed);
        let more = match all.len() {
            few if few <= PATHS_LISTED_MAX => More::None,
            some if some <= PATHS_COUNTED_MAX => More::Exactly(some - PATHS_LISTED_MAX),
            _ => More::MoreThan(PATHS_COUNTED_MAX - PATHS_LISTED_MAX),
        };
        assert_eq!(found.more, more);
        tally.saw("no path", all.is_empty());
        tally.saw("one path", all.len() == 1);
        tally.saw("several paths", all.len() > 1);
        tally.saw("paths beyond the list", matches!(more, More::Exactly(_)));
        tally.saw("paths beyond counting", matches!(more, More::MoreThan(_)));
        tally.saw("a long path", all.last().is_some_and(|zones| zones.len() > 4));
    }

    /// Every way that enters no zone twice and none where the attacker stands anyway.
    fn walk(&self, so_far: &mut Vec<ZoneIx>, into: ZoneIx, all: &mut Vec<Vec<ZoneIx>>) {
        let here = so_far[so_far.len() - 1];
        if here == into {
            return all.push(so_far.clone());
        }
        for next in self.zones() {
            let entered = so_far.contains(&next) || self.outside.contains(&next);
            if !entered && !self.straight(here, next, &self.cut).is_empty() {
                so_far.push(next);
                self.walk(so_far, into, all);
                so_far.pop();
            }
        }
    }

    fn is_open(&self, into: &BTreeSet<ZoneIx>, cut: &Bits) -> bool {
        !self.spread(self.outside.clone(), cut).is_disjoint(into)
    }

    fn spread(&self, mut seen: BTreeSet<ZoneIx>, cut: &Bits) -> BTreeSet<ZoneIx> {
        while let Some(next) = self.zones().find(|to| {
            !seen.contains(to) && seen.iter().any(|from| !self.straight(*from, *to, cut).is_empty())
        }) {
            seen.insert(next);
        }
        seen
    }

    /// Tries every set of conduits.
    fn check_cut(&self, into: &BTreeSet<ZoneIx>, tally: &mut Tally) {
        let conduits = self.site.conduits.len();
        if conduits > 9 {
            return;
        }
        let cost = |set: &[usize]| {
            let by_nobody = set.iter().filter(|at| self.site.conduits[**at].enforced_by.is_none());
            (set.len(), by_nobody.count())
        };
        let closes = |set: &[usize]| {
            let mut cut = self.cut.clone();
            set.iter().for_each(|at| cut.insert(*at));
            !self.is_open(into, &cut)
        };
        let sets = (0_u32..1 << conduits)
            .map(|set| (0..conduits).filter(|at| set & (1 << at) != 0).collect::<Vec<usize>>());
        let smallest = sets.filter(|set| closes(set)).map(|set| cost(&set)).min();
        match smallest_cut(&self.site, &self.cut, &self.outside, into) {
            SmallestCut::Conduits(found) => {
                let found: Vec<usize> = found.into_iter().map(|ix| ix.0).collect();
                assert!(closes(&found), "{found:?} does not close {into:?}");
                assert_eq!(Some(cost(&found)), smallest, "{found:?}");
                assert!(found.iter().all(|at| !self.site.conduits[*at].out_of_band && !self.cut.has(*at)));
                tally.saw("nothing to cut", found.is_empty());
                tally.saw("one cut", found.len() == 1);
                tally.saw("several cuts", found.len() > 1);
            }
            SmallestCut::Impossible(path) => {
                assert_eq!(smallest, None, "{path:?}");
                assert!(
                    self.outside.contains(&path.zones[0]) && into.contains(&path.zones[path.zones.len() - 1])
                );
                for (pair, hop) in path.zones.windows(2).zip(&path.hops) {
                    let out_of_band = |ix: &ConduitIx| self.site.conduits[ix.0].out_of_band;
                    assert!(!hop.is_empty() && hop.iter().all(out_of_band), "{path:?}");
                    assert!(hop.iter().all(|ix| self.leads(ix.0, pair[0], pair[1])), "{path:?}");
                }
                tally.saw("no cut is possible", true);
            }
        }
    }

    fn check_matrix(&self, ground: &Ground, tally: &mut Tally) {
        let zones: Vec<ZoneIx> = self.zones().collect();
        let mut within: BTreeSet<(ZoneIx, ZoneIx)> = zones.iter().map(|zone| (*zone, *zone)).collect();
        for _ in &zones {
            for (a, b, c) in triples(&zones) {
                if within.contains(&(a, b)) && !self.straight(b, c, &self.cut).is_empty() {
                    within.insert((a, c));
                }
            }
        }
        let matrix = Matrix::of(&self.site, ground);
        for (from, to) in zones.iter().flat_map(|from| zones.iter().map(|to| (*from, *to))) {
            let direct = !self.straight(from, to, &self.cut).is_empty();
            let link = match (from == to, direct, within.contains(&(from, to))) {
                (true, _, _) => Link::Same,
                (false, true, _) => Link::Direct,
                (false, false, true) => Link::Pivot,
                (false, false, false) => Link::None,
            };
            assert_eq!(matrix.link(from, to), link, "{from:?} {to:?}");
            tally.saw("a link by pivoting", link == Link::Pivot);
        }
    }

    fn check_survival(&self, ground: &Ground, tally: &mut Tally) {
        let services = Services::of(&self.inventory, &self.site);
        let nothing = Bits::new(self.site.conduits.len());
        let zone_of = |service: ServiceIx| services.get(service).zone;
        let reaches = |from: ServiceIx, to: ServiceIx| match (zone_of(from), zone_of(to)) {
            (Some(from), Some(to)) if from != to && self.straight(from, to, &nothing).is_empty() => {
                self.spread([from].into(), &self.cut).contains(&to)
            }
            (Some(from), Some(to)) => from == to || !self.straight(from, to, &self.cut).is_empty(),
            _ => true,
        };
        // Taken to work until something is found that speaks against it, over and over.
        let mut lost: BTreeSet<ServiceIx> = BTreeSet::new();
        loop {
            let before = lost.len();
            for (ix, service) in services.iter() {
                if service.needs.iter().any(|need| lost.contains(need) || !reaches(ix, *need)) {
                    lost.insert(ix);
                }
            }
            if lost.len() == before {
                break;
            }
        }
        let found = services.survival(&Ground::of(&self.site, &nothing), ground);
        assert_eq!(found.lost.iter().map(|lost| lost.service).collect::<BTreeSet<_>>(), lost);
        let mut roots: BTreeMap<ServiceIx, Vec<ServiceIx>> = BTreeMap::new();
        for (ix, service) in services.iter() {
            for need in service.needs.iter().filter(|need| !reaches(ix, **need)) {
                roots.entry(*need).or_default().push(ix);
            }
        }
        assert_eq!(
            found.roots.iter().map(|root| (root.service, root.cut_off.clone())).collect::<BTreeMap<_, _>>(),
            roots
        );
        for root in &found.roots {
            // Without this one out of reach: who would not be lost?
            let through: BTreeSet<ServiceIx> = self.lost_through(&services, root.service, &root.cut_off);
            assert_eq!(root.dependents.iter().copied().collect::<BTreeSet<_>>(), through);
            for lost in &found.lost {
                let chains = lost.chains.iter().filter(|chain| chain.last() == Some(&root.service));
                assert_eq!(chains.count(), usize::from(through.contains(&lost.service)));
            }
        }
        for lost in &found.lost {
            for chain in &lost.chains {
                assert_eq!(chain[0], lost.service);
                assert!(
                    chain.windows(2).all(|pair| services.get(pair[0]).needs.contains(&pair[1])),
                    "{chain:?}"
                );
                assert!(!reaches(chain[chain.len() - 2], chain[chain.len() - 1]), "{chain:?}");
                tally.saw("a service lost indirectly", chain.len() > 2);
            }
            tally.saw("a service lost twice over", lost.chains.len() > 1);
        }
        tally.saw("services that survive", !self.inventory.services.is_empty() && lost.is_empty());
    }

    fn lost_through(
        &self,
        services: &Services,
        root: ServiceIx,
        cut_off: &[ServiceIx],
    ) -> BTreeSet<ServiceIx> {
        let mut lost: BTreeSet<ServiceIx> = cut_off.iter().copied().collect();
        for _ in services.iter() {
            for (ix, service) in services.iter() {
                if service.needs.iter().any(|need| lost.contains(need)) {
                    lost.insert(ix);
                }
            }
        }
        assert!(!cut_off.contains(&root));
        lost
    }
}

fn triples(zones: &[ZoneIx]) -> Vec<(ZoneIx, ZoneIx, ZoneIx)> {
    let pairs = zones.iter().flat_map(|a| zones.iter().map(|b| (*a, *b)));
    pairs.flat_map(|(a, b)| zones.iter().map(move |c| (a, b, *c))).collect()
}
