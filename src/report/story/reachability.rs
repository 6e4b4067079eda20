//! Who got where before the run and who does after it, zone by zone, as far as its cuts are certain.

use super::ledger::{Cut, Reachability, Way};
use crate::model::names::StepIx;
use crate::reach::bits::Bits;
use crate::reach::ground::Ground;
use crate::reach::matrix::{Link, Matrix};
use crate::reach::site::Site;
use crate::report::timeline::Timeline;

/// Both matrices; `None` for a plan without zones, or of a version that did not keep them.
pub(super) fn reachability(timeline: &Timeline, cuts: &[Cut]) -> Option<Reachability> {
    let plan = timeline.state.plan();
    let site = Site::of(plan);
    if site.zones.len() < 2 {
        return None;
    }
    let mut after = site.cut_at_start.clone();
    // What is not certain may be open still: an auditor must not be told otherwise.
    for cut in cuts.iter().filter(|cut| cut.certain) {
        if let Some(conduit) = site.conduit_named(&cut.conduit) {
            after.insert(conduit.0);
        }
    }
    // A conduit that was re-opened, and not cut again on every host, is open.
    for (ix, step) in plan.steps.iter().enumerate().filter(|(_, step)| !step.reconnects.is_empty()) {
        if plan.tasks_of(StepIx(ix as u32)).any(|task| timeline.state.may_have_changed(task)) {
            let named = step.reconnects.iter().filter_map(|name| site.conduit_named(name.as_str()));
            named.for_each(|conduit| after.remove(conduit.0));
        }
    }
    let zones = || site.zones.iter();
    let named = |which: &dyn Fn(&crate::reach::site::Zone) -> bool| {
        zones().filter(|zone| which(zone)).map(|zone| zone.name.to_string()).collect()
    };
    Some(Reachability {
        zones: zones().map(|zone| zone.name.to_string()).collect(),
        outside: named(&|zone| zone.traits.external || zone.traits.assume_compromised),
        critical: named(&|zone| zone.traits.critical),
        before: ways(&site, &site.cut_at_start),
        after: ways(&site, &after),
    })
}

fn ways(site: &Site, cut: &Bits) -> Vec<Vec<Way>> {
    let way = |link: &Link| match link {
        Link::Same => Way::Same,
        Link::Direct => Way::Direct,
        Link::Pivot => Way::Pivot,
        Link::None => Way::None,
    };
    let matrix = Matrix::of(site, &Ground::of(site, cut));
    matrix.rows().iter().map(|row| row.iter().map(way).collect()).collect()
}
