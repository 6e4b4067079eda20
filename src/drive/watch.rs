//! Looks at the services of the site while a run goes on, beside it: over connections of its own, one look at a
//! time from each vantage point, and with a word only when something changes. It keeps no run alive.

use crate::drive::baseline::at_once;
use crate::drive::fleet::Fleet;
use crate::drive::probe::{self, Asked, From};
use crate::model::Millis;
use crate::model::event::{CANNOT_TELL, Seen, Stands};
use crate::model::names::ServiceName;
use crate::plan::Plan;
use crate::transport::Stop;
use std::collections::BTreeMap;
use std::rc::Rc;
use tokio::task::JoinSet;
use tokio::time::{Duration, MissedTickBehavior, interval, timeout};

/// Between two looks at a service: soon enough for a record of minutes, seldom enough to be nobody's load.
pub const EVERY_DEFAULT: Millis = Millis::from_secs(5);
/// More often than this is load.
pub const EVERY_MIN: Millis = Millis::from_secs(1);
/// For letting the connections of the watch go: nobody waits for it.
const CLOSE_MAX: Duration = Duration::from_secs(1);

/// What the watch needs.
#[derive(Clone)]
pub struct Watch {
    /// Connections of its own.
    pub fleet: Rc<Fleet>,
    /// Between two looks at a service.
    pub every: Millis,
}

/// Looks until it is dropped. `tell` hears of every service once, and of each change after that.
pub fn start(
    watch: &Watch,
    plan: &Plan,
    tell: impl Fn(ServiceName, Stands, String) + Clone + 'static,
) -> JoinSet<()> {
    let mut by_vantage: BTreeMap<Option<From>, Vec<(ServiceName, Asked)>> = BTreeMap::new();
    for service in &plan.services {
        let Some(probe) = &service.probe else { continue };
        let asked = Asked::of_service(plan, probe).once();
        by_vantage.entry(asked.from.as_ref().ok().copied()).or_default().push((service.name.clone(), asked));
    }
    let mut watching = JoinSet::new();
    for services in by_vantage.into_values() {
        watching.spawn_local(from_one_vantage(watch.clone(), services, tell.clone()));
    }
    watching
}

/// Looks at every service once, for as long as before the first cut at most. What took longer is not told.
pub async fn once(watch: &Watch, plan: &Plan) -> Vec<(ServiceName, Stands, String)> {
    let looks = plan.services.iter().filter_map(|service| {
        let asked = Asked::of_service(plan, service.probe.as_ref()?).once();
        let (name, fleet) = (service.name.clone(), watch.fleet.clone());
        Some(async move {
            let (stands, because) = told(&probe::carry_out(&asked, &fleet, &mut Stop::never()).await.0);
            (name, stands, because)
        })
    });
    let mut seen = at_once(looks).await;
    seen.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    seen
}

/// Lets the connections of the watch go.
pub async fn close(watch: &Watch) {
    let _ = timeout(CLOSE_MAX, watch.fleet.close()).await;
}

async fn from_one_vantage(
    watch: Watch,
    services: Vec<(ServiceName, Asked)>,
    tell: impl Fn(ServiceName, Stands, String),
) {
    let mut ticks = interval(watch.every.std());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known: BTreeMap<&ServiceName, Stands> = BTreeMap::new();
    loop {
        ticks.tick().await;
        for (service, asked) in &services {
            let (seen, _) = probe::carry_out(asked, &watch.fleet, &mut Stop::never()).await;
            let (stands, because) = told(&seen);
            if known.insert(service, stands) != Some(stands) {
                tell(service.clone(), stands, because);
            }
        }
    }
}

/// What a look at a service tells, and what was seen.
fn told(seen: &Seen) -> (Stands, String) {
    let stands = match (seen.is_told(), seen.agrees) {
        (false, _) => Stands::Unknown,
        (true, true) => Stands::Up,
        (true, false) => Stands::Down,
    };
    let because = match stands {
        Stands::Unknown => seen.seen.trim_start_matches(CANNOT_TELL).trim_start_matches(": "),
        Stands::Up | Stands::Down => &seen.seen,
    };
    (stands, format!("{}: {because}", seen.what))
}
