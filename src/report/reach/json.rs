//! Ways before and after, for machines. The shape is described in `docs/REACH.md`; fields are added, never renamed.

use super::words::{conduits, link_word, moment_key, zone};
use crate::model::inventory::ServicePlace;
use crate::reach::cut::SmallestCut;
use crate::reach::outlook::{Claim, How, Moment, Open, Outlook, Situation, Verdict};
use crate::reach::paths::{More, Path};
use crate::reach::survival::{Lost, Root, ServiceIx};
use crate::reach::{ConduitIx, ZoneIx};
use serde_json::{Map, Value, json};

/// The version of this shape.
const VERSION: u32 = 1;

/// Everything. `runbook` is the plan's, if there is one.
pub fn json(outlook: &Outlook, site: &str, runbook: Option<&str>) -> Value {
    json!({
        "version": VERSION,
        "site": site,
        "runbook": runbook,
        "zones": outlook.hosts.iter().enumerate().map(|(at, _)| zone_value(outlook, ZoneIx(at))).collect::<Vec<_>>(),
        "conduits": (0..outlook.site.conduits.len()).map(|at| conduit(outlook, ConduitIx(at))).collect::<Vec<_>>(),
        "services": outlook.services.iter().map(|(ix, _)| service(outlook, ix)).collect::<Vec<_>>(),
        "situations": outlook.situations.iter().map(|one| situation(outlook, one)).collect::<Vec<_>>(),
        "claims": outlook.claims.iter().map(|one| claim(outlook, one)).collect::<Vec<_>>(),
    })
}

fn zone_value(outlook: &Outlook, ix: ZoneIx) -> Value {
    let traits = outlook.site.zones[ix.0].traits;
    json!({
        "name": zone(outlook, ix),
        "external": traits.external,
        "assume_compromised": traits.assume_compromised,
        "critical": traits.critical,
        "hosts": outlook.hosts[ix.0],
    })
}

fn conduit(outlook: &Outlook, ix: ConduitIx) -> Value {
    let conduit = &outlook.site.conduits[ix.0];
    json!({
        "name": conduit.name,
        "from": zone(outlook, conduit.from),
        "to": zone(outlook, conduit.to),
        "both_ways": conduit.both_ways,
        "enforced_by": conduit.enforced_by,
        "level": conduit.level,
        "out_of_band": conduit.out_of_band,
    })
}

fn service(outlook: &Outlook, ix: ServiceIx) -> Value {
    let service = outlook.services.get(ix);
    let host = match &service.place {
        ServicePlace::Host(host) => Some(host),
        ServicePlace::Zone(_) => None,
    };
    json!({
        "name": service.name,
        "host": host,
        "zone": service.zone.map(|at| zone(outlook, at)),
        "needs": service_names(outlook, &service.needs),
    })
}

fn situation(outlook: &Outlook, situation: &Situation) -> Value {
    let (phase, level) = match &situation.moment {
        Moment::Now => (None, None),
        Moment::Phase { id, .. } => (Some(id), None),
        Moment::Level(level) => (None, Some(level)),
    };
    let row = |from: usize| {
        let links = situation.matrix.rows()[from].iter().enumerate();
        let links = links.map(|(to, link)| (zone(outlook, ZoneIx(to)).to_owned(), json!(link_word(*link))));
        (zone(outlook, ZoneIx(from)).to_owned(), Value::Object(links.collect()))
    };
    json!({
        "moment": moment_key(&situation.moment),
        "phase": phase,
        "level": level,
        "cut": conduits(outlook, &situation.cut),
        "reaches": Value::Object((0..outlook.site.zones.len()).map(row).collect::<Map<_, _>>()),
        "open": situation.open.iter().map(|one| open(outlook, one)).collect::<Vec<_>>(),
        "smallest_cut_for_all": situation.smallest_for_all.as_ref().map(|cut| smallest(outlook, cut)),
        "lost": situation.survival.lost.iter().map(|one| lost(outlook, one)).collect::<Vec<_>>(),
        "roots": situation.survival.roots.iter().map(|one| root(outlook, one)).collect::<Vec<_>>(),
    })
}

fn open(outlook: &Outlook, open: &Open) -> Value {
    let mut value = how(outlook, &open.how);
    value["zone"] = json!(zone(outlook, open.zone));
    value
}

fn how(outlook: &Outlook, how: &How) -> Value {
    match how {
        How::Held => json!({ "held": true, "paths": [], "more": more(More::None), "smallest_cut": null }),
        How::By { paths, smallest: cut } => json!({
            "held": false,
            "paths": paths.listed.iter().map(|one| path(outlook, one)).collect::<Vec<_>>(),
            "more": more(paths.more),
            "smallest_cut": smallest(outlook, cut),
        }),
    }
}

fn more(more: More) -> Value {
    match more {
        More::None => json!({ "count": 0, "exact": true }),
        More::Exactly(count) => json!({ "count": count, "exact": true }),
        More::MoreThan(count) => json!({ "count": count, "exact": false }),
    }
}

fn path(outlook: &Outlook, path: &Path) -> Value {
    let zones: Vec<&str> = path.zones.iter().map(|at| zone(outlook, *at)).collect();
    let hops: Vec<Vec<String>> = path.hops.iter().map(|hop| conduit_names(outlook, hop)).collect();
    json!({ "zones": zones, "hops": hops })
}

fn smallest(outlook: &Outlook, cut: &SmallestCut) -> Value {
    match cut {
        SmallestCut::Conduits(conduits) => {
            json!({ "possible": true, "conduits": conduit_names(outlook, conduits), "because_of": null })
        }
        SmallestCut::Impossible(by) => {
            json!({ "possible": false, "conduits": [], "because_of": path(outlook, by) })
        }
    }
}

fn lost(outlook: &Outlook, lost: &Lost) -> Value {
    let chains: Vec<Vec<String>> = lost.chains.iter().map(|chain| service_names(outlook, chain)).collect();
    json!({ "service": outlook.services.get(lost.service).name, "chains": chains })
}

fn root(outlook: &Outlook, root: &Root) -> Value {
    json!({
        "service": outlook.services.get(root.service).name,
        "cut_off": service_names(outlook, &root.cut_off),
        "dependents": service_names(outlook, &root.dependents),
    })
}

fn claim(outlook: &Outlook, claim: &Claim) -> Value {
    let (verdict, without, broken) = match &claim.verdict {
        Verdict::Holds => ("holds", Vec::new(), Value::Null),
        Verdict::NotMade { without } => ("not_made", without.clone(), Value::Null),
        Verdict::Broken(by) => ("broken", Vec::new(), how(outlook, by)),
    };
    json!({
        "phase": claim.phase,
        "zone": zone(outlook, claim.zone),
        "verdict": verdict,
        "without": without,
        "open": broken,
    })
}

fn conduit_names(outlook: &Outlook, conduits: &[ConduitIx]) -> Vec<String> {
    conduits.iter().map(|ix| outlook.site.conduit_name(*ix).to_string()).collect()
}

fn service_names(outlook: &Outlook, services: &[ServiceIx]) -> Vec<String> {
    services.iter().map(|ix| outlook.services.get(*ix).name.to_string()).collect()
}
