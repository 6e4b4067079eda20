//! The words for moments, zones, conduits, paths and chains, the same in every format.

use crate::model::inventory::ServicePlace;
use crate::model::names::HostName;
use crate::reach::cut::SmallestCut;
use crate::reach::matrix::Link;
use crate::reach::outlook::{Moment, Outlook, Situation};
use crate::reach::paths::{More, Path};
use crate::reach::survival::{Root, ServiceIx};
use crate::reach::{Bits, ConduitIx, ZoneIx};
use crate::report::words::so_many;

/// A moment as the command line names it: `now`, the phase's name, `level:2`.
pub fn moment_key(moment: &Moment) -> String {
    match moment {
        Moment::Now => "now".to_owned(),
        Moment::Phase { id, .. } => id.to_string(),
        Moment::Level(level) => format!("level:{level}"),
    }
}

/// The situation that the command line names so.
pub fn situation_named<'a>(outlook: &'a Outlook, key: &str) -> Option<&'a Situation> {
    outlook.situations.iter().find(|situation| moment_key(&situation.moment) == key)
}

/// A moment in a heading.
pub(super) fn moment(moment: &Moment) -> String {
    match moment {
        Moment::Now => "as it is".to_owned(),
        Moment::Phase { id, .. } => format!("after phase {id}"),
        Moment::Level(level) => format!("at level {level}"),
    }
}

/// A zone's name.
pub(super) fn zone(outlook: &Outlook, zone: ZoneIx) -> &str {
    outlook.site.zone_name(zone).as_str()
}

/// What the inventory says a zone is; empty for one that is neither outside nor critical.
pub(super) fn traits(outlook: &Outlook, zone: ZoneIx) -> String {
    let traits = outlook.site.zones[zone.0].traits;
    let words = [
        (traits.external, "outside"),
        (traits.assume_compromised, "taken to be compromised"),
        (traits.critical, "critical"),
    ];
    words.iter().filter(|(so, _)| *so).map(|(_, word)| *word).collect::<Vec<_>>().join(", ")
}

/// A few hosts, and how many more.
pub(super) fn hosts(hosts: &[HostName], shown_max: usize) -> String {
    let shown: Vec<&str> = hosts.iter().take(shown_max).map(HostName::as_str).collect();
    match hosts.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{}, {more} more", shown.join(", ")),
    }
}

/// Names of conduits, such as those that are cut.
pub(super) fn conduits(outlook: &Outlook, of: &Bits) -> Vec<String> {
    of.iter().map(|at| outlook.site.conduits[at].name.to_string()).collect()
}

/// A conduit, and the host that enforces it.
pub(super) fn conduit(outlook: &Outlook, ix: ConduitIx) -> String {
    let conduit = &outlook.site.conduits[ix.0];
    match (&conduit.enforced_by, conduit.out_of_band) {
        (_, true) => format!("{} (out of band)", conduit.name),
        (Some(host), false) => format!("{} (on {host})", conduit.name),
        (None, false) => conduit.name.to_string(),
    }
}

/// The zones of a path: `internet → dmz → core`.
pub(super) fn path_zones(outlook: &Outlook, path: &Path) -> String {
    path.zones.iter().map(|at| zone(outlook, *at)).collect::<Vec<_>>().join(" → ")
}

/// The conduits of a path: `isp-uplink (on edge-fw), then dmz-core or backdoor`.
pub(super) fn path_conduits(outlook: &Outlook, path: &Path) -> String {
    let hop =
        |hop: &Vec<ConduitIx>| hop.iter().map(|ix| conduit(outlook, *ix)).collect::<Vec<_>>().join(" or ");
    path.hops.iter().map(hop).collect::<Vec<_>>().join(", then ")
}

/// How many paths there are beyond those listed, if there are any.
pub(super) fn more(more: More) -> Option<String> {
    match more {
        More::None => None,
        More::Exactly(count) => Some(format!("{} more", so_many(count, "path"))),
        More::MoreThan(count) => Some(format!("more than {count} more paths")),
    }
}

/// How many paths there are in all: `3 paths`, `more than 100 paths`.
pub(super) fn so_many_paths(listed: usize, more: More) -> String {
    match more {
        More::None => so_many(listed, "path"),
        More::Exactly(count) => so_many(listed + count, "path"),
        More::MoreThan(count) => format!("more than {} paths", listed + count),
    }
}

/// What would still have to be cut, in a sentence without its end.
pub(super) fn smallest(outlook: &Outlook, cut: &SmallestCut) -> String {
    match cut {
        SmallestCut::Conduits(conduits) => {
            conduits.iter().map(|ix| conduit(outlook, *ix)).collect::<Vec<_>>().join(", ")
        }
        SmallestCut::Impossible(path) => format!(
            "none is possible: {} by {}, which survives every cut",
            path_zones(outlook, path),
            path_conduits(outlook, path)
        ),
    }
}

/// A service, and where it is.
pub(super) fn service(outlook: &Outlook, ix: ServiceIx) -> String {
    let service = outlook.services.get(ix);
    match (&service.place, service.zone) {
        (ServicePlace::Host(host), Some(at)) => {
            format!("{} on {host} in {}", service.name, zone(outlook, at))
        }
        (ServicePlace::Host(host), None) => format!("{} on {host}", service.name),
        (ServicePlace::Zone(zone), _) => format!("{} in {zone}", service.name),
    }
}

/// A chain of needs: `needs records-db, which needs dns on dns1 in dmz, out of reach from core`.
pub(super) fn chain(outlook: &Outlook, chain: &[ServiceIx]) -> String {
    let [.., from, root] = chain else { return String::new() };
    let between = &chain[1..chain.len() - 1];
    let steps: String =
        between.iter().map(|ix| format!("needs {}, which ", outlook.services.get(*ix).name)).collect();
    let origin = outlook.services.get(*from).zone.map(|at| format!(" from {}", zone(outlook, at)));
    format!("{steps}needs {}, out of reach{}", service(outlook, *root), origin.unwrap_or_default())
}

/// Who is lost through a root cause: `records, portal`.
pub(super) fn dependents(outlook: &Outlook, root: &Root) -> String {
    let names = root.dependents.iter().map(|ix| outlook.services.get(*ix).name.as_str());
    names.collect::<Vec<_>>().join(", ")
}

/// A link as a sign.
pub(super) fn sign(link: Link) -> &'static str {
    match link {
        Link::Same => "=",
        Link::Direct => "#",
        Link::Pivot => "+",
        Link::None => "·",
    }
}

/// A link in words.
pub(super) fn link(link: Link) -> &'static str {
    match link {
        Link::Same => "the same zone",
        Link::Direct => "direct",
        Link::Pivot => "only by pivoting",
        Link::None => "not at all",
    }
}

/// A link as machines read it.
pub(super) fn link_word(link: Link) -> &'static str {
    match link {
        Link::Same => "same",
        Link::Direct => "direct",
        Link::Pivot => "pivot",
        Link::None => "none",
    }
}
