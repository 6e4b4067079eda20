//! Zones and conduits for Graphviz, at one moment. What is cut is dashed and marked.

use super::words::{hosts, moment, path_conduits, traits, zone};
use crate::reach::outlook::{How, Outlook, Situation};
use crate::reach::{ConduitIx, ZoneIx};
use std::collections::BTreeSet;

/// So many hosts in a box.
const HOSTS_SHOWN_MAX: usize = 3;

/// The drawing. Every name is one, so that nothing in it needs to be escaped but the site's.
pub fn dot(outlook: &Outlook, site: &str, situation: &Situation) -> String {
    let title = format!("{site}, {}", moment(&situation.moment));
    let mut out = format!("digraph \"{}\" {{\n", title.replace(['\\', '"'], " "));
    out += "  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n";
    out += "  edge [fontname=\"sans-serif\", fontsize=10];\n";
    for at in 0..outlook.site.zones.len() {
        out += &node(outlook, ZoneIx(at));
    }
    let open = on_open_paths(situation);
    for at in 0..outlook.site.conduits.len() {
        out += &edge(outlook, situation, ConduitIx(at), open.contains(&ConduitIx(at)));
    }
    for open in &situation.open {
        if let How::By { paths, .. } = &open.how
            && let Some(path) = paths.listed.first()
        {
            out += &format!("  // open: {} by {}\n", zone(outlook, open.zone), path_conduits(outlook, path));
        }
    }
    out + "}\n"
}

/// Conduits that lie on a path that is still open.
pub(super) fn on_open_paths(situation: &Situation) -> BTreeSet<ConduitIx> {
    let ways = situation.open.iter().filter_map(|open| match &open.how {
        How::Held => None,
        How::By { paths, .. } => Some(&paths.listed),
    });
    ways.flatten().flat_map(|path| path.hops.iter().flatten().copied()).collect()
}

fn node(outlook: &Outlook, ix: ZoneIx) -> String {
    let zone_traits = outlook.site.zones[ix.0].traits;
    let mut lines = vec![zone(outlook, ix).to_owned(), traits(outlook, ix)];
    lines.push(hosts(&outlook.hosts[ix.0], HOSTS_SHOWN_MAX));
    lines.retain(|line| !line.is_empty());
    let mut looks = String::new();
    if zone_traits.critical {
        looks += ", peripheries=2";
    }
    if zone_traits.external || zone_traits.assume_compromised {
        looks += ", style=\"rounded,dashed\"";
    }
    format!("  z{} [label=\"{}\"{looks}];\n", ix.0, lines.join("\\n"))
}

fn edge(outlook: &Outlook, situation: &Situation, ix: ConduitIx, open: bool) -> String {
    let conduit = &outlook.site.conduits[ix.0];
    let mut label = conduit.name.to_string();
    let mut looks = Vec::new();
    if conduit.both_ways {
        looks.push("dir=both");
    }
    if conduit.out_of_band {
        label += "\\nout of band";
        looks.push("style=dotted");
    } else if situation.cut.has(ix.0) {
        label += "\\nCUT";
        looks.push("style=dashed, color=gray, fontcolor=gray");
    }
    if open {
        label += "\\non an open path";
        looks.push("penwidth=2, color=red");
    }
    let looks: String = looks.iter().map(|look| format!(", {look}")).collect();
    format!("  z{} -> z{} [label=\"{label}\"{looks}];\n", conduit.from.0, conduit.to.0)
}
