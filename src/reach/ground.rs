//! The ground an attacker walks on: zones, and the conduits between them that are not cut. Attackers pivot from zone
//! to zone, in the direction of conduits; operators do not.

use super::bits::Bits;
use super::site::{ConduitIx, Site, ZoneIx};
use petgraph::algo::has_path_connecting;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::BTreeSet;

/// Zones as nodes, numbered as in the site; an edge for each direction of each conduit that is not cut.
#[derive(Debug, Clone)]
pub struct Ground {
    graph: DiGraph<(), ConduitIx>,
}

impl Ground {
    /// What is left of a site when these conduits are cut. What is out of band is never cut.
    pub fn of(site: &Site, cut: &Bits) -> Self {
        Self::over(site, |ix, conduit_out_of_band| conduit_out_of_band || !cut.has(ix.0))
    }

    /// Only what no cut reaches.
    pub fn out_of_band(site: &Site) -> Self {
        Self::over(site, |_, out_of_band| out_of_band)
    }

    fn over(site: &Site, stands: impl Fn(ConduitIx, bool) -> bool) -> Self {
        let mut graph = DiGraph::with_capacity(site.zones.len(), site.conduits.len() * 2);
        for _ in &site.zones {
            graph.add_node(());
        }
        for (ix, conduit) in site.conduits.iter().enumerate() {
            let ix = ConduitIx(ix);
            if !stands(ix, conduit.out_of_band) {
                continue;
            }
            graph.add_edge(node(conduit.from), node(conduit.to), ix);
            if conduit.both_ways {
                graph.add_edge(node(conduit.to), node(conduit.from), ix);
            }
        }
        Self { graph }
    }

    /// The graph itself, for algorithms.
    pub(super) fn graph(&self) -> &DiGraph<(), ConduitIx> {
        &self.graph
    }

    /// How many zones there are.
    pub fn zones(&self) -> usize {
        self.graph.node_count()
    }

    /// Zones that a zone leads straight into, in name order.
    pub fn next(&self, zone: ZoneIx) -> BTreeSet<ZoneIx> {
        self.graph.neighbors(node(zone)).map(|node| ZoneIx(node.index())).collect()
    }

    /// Does a conduit lead straight from one zone into another?
    pub fn leads_straight(&self, from: ZoneIx, to: ZoneIx) -> bool {
        self.graph.contains_edge(node(from), node(to))
    }

    /// Does any way lead from one zone to another, however many zones it passes?
    pub fn leads(&self, from: ZoneIx, to: ZoneIx) -> bool {
        has_path_connecting(&self.graph, node(from), node(to), None)
    }

    /// Conduits that lead straight from one zone into another, in name order.
    pub fn between(&self, from: ZoneIx, to: ZoneIx) -> Vec<ConduitIx> {
        let mut conduits: Vec<ConduitIx> =
            self.graph.edges_connecting(node(from), node(to)).map(|edge| *edge.weight()).collect();
        conduits.sort();
        conduits
    }

    /// Zones that somebody who stands in a zone gets to, however often he pivots; the zone itself is one.
    pub fn within_reach(&self, zone: ZoneIx) -> BTreeSet<ZoneIx> {
        let mut walk = petgraph::visit::Dfs::new(&self.graph, node(zone));
        std::iter::from_fn(|| walk.next(&self.graph)).map(|node| ZoneIx(node.index())).collect()
    }
}

/// A zone's node.
pub(super) fn node(zone: ZoneIx) -> NodeIndex {
    NodeIndex::new(zone.0)
}
