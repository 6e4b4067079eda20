//! Zone by zone: who gets where straight, only by pivoting, or not at all.

use super::ground::Ground;
use super::site::{Site, ZoneIx};
use std::collections::BTreeSet;

/// How one zone is reached from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    /// It is the same zone.
    Same,
    /// A conduit leads straight there.
    Direct,
    /// Only from zone to zone: an attacker's way, not an operator's.
    Pivot,
    /// Not at all.
    None,
}

/// All links of a site: a row for each zone one starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix(Vec<Vec<Link>>);

impl Matrix {
    /// Looks at every pair of zones.
    pub fn of(site: &Site, ground: &Ground) -> Self {
        let row = |from: ZoneIx| {
            let (next, within) = (ground.next(from), ground.within_reach(from));
            (0..site.zones.len()).map(|to| link(from, ZoneIx(to), &next, &within)).collect()
        };
        Self((0..site.zones.len()).map(|zone| row(ZoneIx(zone))).collect())
    }

    /// How one zone is reached from another.
    pub fn link(&self, from: ZoneIx, to: ZoneIx) -> Link {
        self.0[from.0][to.0]
    }

    /// Rows, in zone order.
    pub fn rows(&self) -> &[Vec<Link>] {
        &self.0
    }
}

fn link(from: ZoneIx, to: ZoneIx, next: &BTreeSet<ZoneIx>, within: &BTreeSet<ZoneIx>) -> Link {
    match () {
        () if from == to => Link::Same,
        () if next.contains(&to) => Link::Direct,
        () if within.contains(&to) => Link::Pivot,
        () => Link::None,
    }
}
