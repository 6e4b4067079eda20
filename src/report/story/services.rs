//! How services stood while a run went on, as the steady watch saw them.

use super::ledger::{ServiceStretch, ServiceTold};
use super::told::Met;
use crate::model::Time;
use crate::model::event::Stands;
use crate::model::inventory::ServicePlace;
use crate::model::runbook::Moment;
use crate::report::score;
use crate::report::timeline::Timeline;

/// Services of the plan that somebody looked at, or that have a recovery time objective, in the order of the plan.
pub(super) fn services(timeline: &Timeline, until: Option<Time>, goes_on: bool) -> Vec<ServiceTold> {
    let state = &timeline.state;
    let scores = score::scores_at(state, until, goes_on);
    let mut told = Vec::new();
    for planned in &state.plan().services {
        let watched = state.services().find(|(name, _)| **name == planned.name);
        let stretches: Vec<ServiceStretch> = watched
            .iter()
            .flat_map(|(_, watched)| watched.stretches())
            .map(|one| ServiceStretch {
                from: one.since,
                to: one.until.or(until).unwrap_or(one.since),
                stands: one.stands,
            })
            .collect();
        let down = stretches.iter().filter(|one| one.stands == Stands::Down);
        let down: Vec<u64> = down.map(|one| one.to.since(one.from).0).collect();
        let longest = down.iter().copied().max().unwrap_or(0);
        let rto = planned.rto.map(|rto| rto.0);
        let up = Moment::ServiceUp(planned.name.clone());
        let score = scores.iter().find(|score| score.rto && score.objective.to == up);
        let standing = score.map(|score| score.standing);
        if stretches.is_empty() && rto.is_none() {
            continue;
        }
        told.push(ServiceTold {
            name: planned.name.to_string(),
            place: match &planned.place {
                ServicePlace::Host(host) => host.to_string(),
                ServicePlace::Zone(zone) => zone.to_string(),
            },
            needs: planned.needs.iter().map(ToString::to_string).collect(),
            rto_ms: rto,
            stands: stretches.last().map(|one| one.stands),
            down_ms: down.iter().sum(),
            longest_down_ms: longest,
            within_rto: rto.and(standing).and_then(|standing| match standing {
                Met::Met | Met::NotStarted => Some(true),
                Met::Missed | Met::NotReached => Some(false),
                Met::Open => None,
            }),
            stretches,
        });
    }
    told
}
