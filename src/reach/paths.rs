//! Every path by which an attacker still gets into a zone, shortest first.

use super::ground::{Ground, node};
use super::site::{ConduitIx, ZoneIx};
use petgraph::algo::dijkstra;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{NodeFiltered, Reversed};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// Who has read ten paths into a zone knows that it is open; the smallest cut says what to do about it.
pub const PATHS_LISTED_MAX: usize = 10;
/// Beyond this a number of paths only says "many", and finding out costs time.
pub const PATHS_COUNTED_MAX: usize = 100;

/// A path: zones, and what leads from each to the next. No zone is on it twice. It begins where the attacker last
/// stands outside: a path that comes by another such zone is counted from there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    /// Zones in the order in which they are entered; the first is the attacker's.
    pub zones: Vec<ZoneIx>,
    /// For each zone but the last, the conduits that lead straight into the next one; any of them does.
    pub hops: Vec<Vec<ConduitIx>>,
}

/// Paths into one zone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paths {
    /// The shortest ones, then by the names of their zones.
    pub listed: Vec<Path>,
    /// What there is beyond these.
    pub more: More,
}

/// How many paths there are beyond those that are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum More {
    /// None.
    #[default]
    None,
    /// So many.
    Exactly(usize),
    /// More than so many: nobody counted to the end.
    MoreThan(usize),
}

/// Paths from any of these zones into another.
pub fn paths(ground: &Ground, from: &BTreeSet<ZoneIx>, into: ZoneIx) -> Paths {
    let mut search = Search::new(ground, from, into);
    let listed: Vec<Path> = search.by_ref().take(PATHS_LISTED_MAX).map(|zones| path(ground, zones)).collect();
    // One more than is counted tells "so many" from "more than so many".
    let others = match listed.len() < PATHS_LISTED_MAX {
        true => 0,
        false => search.take(PATHS_COUNTED_MAX + 1 - PATHS_LISTED_MAX).count(),
    };
    let more = match others {
        0 => More::None,
        many if many > PATHS_COUNTED_MAX - PATHS_LISTED_MAX => More::MoreThan(many - 1),
        some => More::Exactly(some),
    };
    Paths { listed, more }
}

fn path(ground: &Ground, zones: Vec<ZoneIx>) -> Path {
    let hops = zones.windows(2).map(|pair| ground.between(pair[0], pair[1])).collect();
    Path { zones, hops }
}

/// Paths one after the other, after Yen and Lawler: the best of all paths parts the others into classes, each of
/// which begins with a piece of it and then goes another way; the best of each class is a candidate.
struct Search {
    /// Without what leads into zones where the attacker stands anyway.
    graph: DiGraph<(), ()>,
    from: BTreeSet<ZoneIx>,
    into: ZoneIx,
    candidates: BinaryHeap<Reverse<Candidate>>,
}

/// The best path that begins with so many of its zones and then not with any of the barred ones.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    length: usize,
    zones: Vec<ZoneIx>,
    fixed: usize,
    barred: BTreeSet<ZoneIx>,
}

impl Search {
    fn new(ground: &Ground, from: &BTreeSet<ZoneIx>, into: ZoneIx) -> Self {
        let graph = ground.graph().filter_map(
            |_, ()| Some(()),
            |edge, _| {
                let (_, to) = ground.graph().edge_endpoints(edge)?;
                (!from.contains(&ZoneIx(to.index()))).then_some(())
            },
        );
        let mut search = Self { graph, from: from.clone(), into, candidates: BinaryHeap::new() };
        search.add_best(&[], BTreeSet::new());
        search
    }

    /// Adds the shortest path that begins so and then not with a barred zone, if there is one.
    fn add_best(&mut self, begin: &[ZoneIx], barred: BTreeSet<ZoneIx>) {
        let distances = self.distances_without(begin);
        let next: BTreeSet<ZoneIx> = match begin.last() {
            Some(here) => self.neighbours(*here).difference(&barred).copied().collect(),
            None => self.from.difference(&barred).copied().collect(),
        };
        let nearest = |zones: &mut dyn Iterator<Item = ZoneIx>| {
            zones.filter_map(|zone| Some((*distances.get(&node(zone))?, zone))).min()
        };
        let Some((mut distance, mut here)) = nearest(&mut next.into_iter()) else { return };
        let mut zones = begin.to_vec();
        zones.push(here);
        while distance > 0 {
            (distance, here) = nearest(&mut self.neighbours(here).into_iter()).expect("a distance is a way");
            zones.push(here);
        }
        let length = zones.len();
        self.candidates.push(Reverse(Candidate { length, zones, fixed: begin.len(), barred }));
    }

    /// How far each zone is from the target, if these zones are not entered.
    fn distances_without(&self, barred: &[ZoneIx]) -> BTreeMap<NodeIndex, usize> {
        let open = NodeFiltered::from_fn(&self.graph, |node| !barred.contains(&ZoneIx(node.index())));
        dijkstra(Reversed(&open), node(self.into), None, |_| 1).into_iter().collect()
    }

    fn neighbours(&self, zone: ZoneIx) -> BTreeSet<ZoneIx> {
        self.graph.neighbors(node(zone)).map(|node| ZoneIx(node.index())).collect()
    }
}

impl Iterator for Search {
    type Item = Vec<ZoneIx>;

    fn next(&mut self) -> Option<Vec<ZoneIx>> {
        let Reverse(best) = self.candidates.pop()?;
        for at in best.fixed..best.zones.len() {
            let mut barred = if at == best.fixed { best.barred.clone() } else { BTreeSet::new() };
            barred.insert(best.zones[at]);
            self.add_best(&best.zones[..at], barred);
        }
        Some(best.zones)
    }
}
