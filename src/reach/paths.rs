//! Every path by which an attacker still gets into a zone, shortest first.

use super::ground::Ground;
use super::site::{ConduitIx, ZoneIx};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};

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
    /// What each zone leads straight into, but for zones where the attacker stands anyway.
    onward: Vec<BTreeSet<ZoneIx>>,
    /// The same the other way round.
    back: Vec<Vec<ZoneIx>>,
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
        let zones = ground.zones();
        let mut back = vec![Vec::new(); zones];
        let mut onward = Vec::with_capacity(zones);
        for zone in (0..zones).map(ZoneIx) {
            let next: BTreeSet<ZoneIx> = ground.next(zone).difference(from).copied().collect();
            next.iter().for_each(|next| back[next.0].push(zone));
            onward.push(next);
        }
        let mut search = Self { onward, back, from: from.clone(), into, candidates: BinaryHeap::new() };
        search.add_best(&[], BTreeSet::new());
        search
    }

    /// Adds the shortest path that begins so and then not with a barred zone, if there is one; of several shortest ones
    /// the first by the names of its zones.
    fn add_best(&mut self, begin: &[ZoneIx], barred: BTreeSet<ZoneIx>) {
        let distances = self.distances_without(begin);
        let nearest = |zones: &mut dyn Iterator<Item = &ZoneIx>| {
            zones.filter_map(|zone| Some((distances[zone.0]?, *zone))).min()
        };
        let next = begin.last().map_or(&self.from, |here| &self.onward[here.0]);
        let Some((mut distance, mut here)) = nearest(&mut next.difference(&barred)) else { return };
        let mut zones = begin.to_vec();
        zones.push(here);
        while distance > 0 {
            (distance, here) = nearest(&mut self.onward[here.0].iter()).expect("a distance is a way");
            zones.push(here);
        }
        let length = zones.len();
        self.candidates.push(Reverse(Candidate { length, zones, fixed: begin.len(), barred }));
    }

    /// How far each zone is from the target, if these zones are not entered; `None`: it does not get there. Asked
    /// hundreds of thousands of times on a large site, so that it walks the zones itself.
    fn distances_without(&self, barred: &[ZoneIx]) -> Vec<Option<usize>> {
        let mut distances = vec![None; self.onward.len()];
        distances[self.into.0] = Some(0);
        let mut new = VecDeque::from([(self.into, 0)]);
        while let Some((here, distance)) = new.pop_front() {
            for zone in &self.back[here.0] {
                if distances[zone.0].is_none() && !barred.contains(zone) {
                    distances[zone.0] = Some(distance + 1);
                    new.push_back((*zone, distance + 1));
                }
            }
        }
        distances
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
