//! The smallest set of conduits that would still have to be cut to keep an attacker out: a minimum cut.

use super::bits::Bits;
use super::ground::{Ground, node};
use super::paths::{Path, paths};
use super::site::{ConduitIx, Site, ZoneIx};
use petgraph::algo::dinics;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use std::collections::BTreeSet;

/// What would have to be cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SmallestCut {
    /// These, in name order; no smaller set does. Among the smallest one with as many conduits as possible that some
    /// host enforces. Empty: no path is left.
    Conduits(Vec<ConduitIx>),
    /// No cut does: this path is out of band all along.
    Impossible(Path),
}

/// The smallest cut between any of these zones and any of those. A zone that is among both cannot be cut off: leave it
/// out.
pub fn smallest_cut(
    site: &Site,
    cut: &Bits,
    from: &BTreeSet<ZoneIx>,
    into: &BTreeSet<ZoneIx>,
) -> SmallestCut {
    assert!(from.is_disjoint(into), "nobody is kept out of where he stands");
    let uncuttable = Ground::out_of_band(site);
    let through = into.iter().filter_map(|zone| paths(&uncuttable, from, *zone).listed.into_iter().next());
    if let Some(path) = through.min_by_key(|path| (path.zones.len(), path.zones.clone())) {
        return SmallestCut::Impossible(path);
    }
    let costs = Costs::of(site);
    let ground = Ground::of(site, cut);
    let mut network: DiGraph<(), u64> =
        ground.graph().map(|_, ()| (), |_, conduit| costs.of_cutting(site, *conduit));
    let (outside, inside) = (network.add_node(()), network.add_node(()));
    for zone in from {
        network.add_edge(outside, node(*zone), costs.endless);
    }
    for zone in into {
        network.add_edge(node(*zone), inside, costs.endless);
    }
    let (_, flows) = dinics(&network, outside, inside);
    let near = residual(&network, &flows, outside);
    let severed = ground
        .graph()
        .edge_references()
        .filter(|edge| near[edge.source().index()] && !near[edge.target().index()]);
    let conduits: BTreeSet<ConduitIx> = severed.map(|edge| *edge.weight()).collect();
    SmallestCut::Conduits(conduits.into_iter().collect())
}

/// What it costs to cut a conduit: first the number counts, then whether some host can do it.
struct Costs {
    each: u64,
    endless: u64,
}

impl Costs {
    fn of(site: &Site) -> Self {
        let each = site.conduits.len() as u64 + 1;
        Self { each, endless: each * (each + 1) }
    }

    fn of_cutting(&self, site: &Site, conduit: ConduitIx) -> u64 {
        let conduit = &site.conduits[conduit.0];
        match (conduit.out_of_band, &conduit.enforced_by) {
            (true, _) => self.endless,
            (false, Some(_)) => self.each,
            (false, None) => self.each + 1,
        }
    }
}

/// What can still be reached from a node when the flow is as large as it gets.
fn residual(network: &DiGraph<(), u64>, flows: &[u64], from: NodeIndex) -> Vec<bool> {
    let mut near = vec![false; network.node_count()];
    let mut new = vec![from];
    near[from.index()] = true;
    while let Some(here) = new.pop() {
        let onward = network.edges(here).filter(|edge| flows[edge.id().index()] < *edge.weight());
        let back = network
            .edges_directed(here, petgraph::Direction::Incoming)
            .filter(|edge| flows[edge.id().index()] > 0);
        let next: Vec<NodeIndex> =
            onward.map(|edge| edge.target()).chain(back.map(|edge| edge.source())).collect();
        for node in next {
            if !std::mem::replace(&mut near[node.index()], true) {
                new.push(node);
            }
        }
    }
    near
}
