//! Looks before the first cut: what is silent afterwards proves something only if it was answered before. What was
//! answered then is asked again once the cuts of an exercise are taken back.

use crate::drive::probe::{self, Asked};
use crate::drive::tools::{FIRST_ATTEMPT, Tools};
use crate::model::Millis;
use crate::model::event::{CANNOT_TELL, Seen};
use crate::model::probe::Expect;
use crate::transport::Stop;
use std::collections::BTreeMap;
use std::rc::Rc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// For the whole look: an attacker is a machine, and a cut that waits much longer for its proof is no cut. Enough
/// for a login through a jump host and a probe that has to wait its three seconds.
pub const BASELINE_MAX: Millis = Millis::from_secs(8);
/// Probes at a time: most of them wait for packets that come or do not.
const PROBES_AT_ONCE: usize = 128;

/// What every negative probe of the plan sees at present, each once, in the plan's order, and each as though it had to
/// be open; and why that is not all there is to see, if so. None of it may take longer than [`BASELINE_MAX`].
pub async fn look(tools: Rc<Tools>, stop: Stop) -> (Vec<Seen>, String) {
    let asked = negative_probes(&tools);
    let looks = asked.iter().cloned().enumerate().map(|(number, asked)| {
        let (tools, mut stop) = (tools.clone(), stop.clone());
        async move { (number, probe::carry_out(&asked, &tools.fleet, &mut stop).await.0) }
    });
    let mut seen: BTreeMap<usize, Seen> = at_once(looks).await.into_iter().collect();
    let missed = asked.len() - seen.len();
    let all = asked
        .iter()
        .enumerate()
        .map(|(number, asked)| seen.remove(&number).unwrap_or_else(|| missing(asked)));
    let because = match missed {
        0 => String::new(),
        missed => format!("{missed} of {} probes took longer than {BASELINE_MAX}", asked.len()),
    };
    (all.collect(), because)
}

/// What looks come to that are had at the same time, as they end. None of it may take longer than [`BASELINE_MAX`].
pub(super) async fn at_once<T: 'static>(
    looks: impl IntoIterator<Item = impl Future<Output = T> + 'static>,
) -> Vec<T> {
    let end = Instant::now() + BASELINE_MAX.std();
    let gate = Rc::new(Semaphore::new(PROBES_AT_ONCE));
    let mut under_way = JoinSet::new();
    for look in looks {
        let gate = gate.clone();
        under_way.spawn_local(async move {
            let _turn = gate.acquire().await;
            look.await
        });
    }
    let mut seen = Vec::new();
    while let Ok(Some(looked)) = timeout_at(end, under_way.join_next()).await {
        seen.extend(looked);
    }
    seen
}

/// Every negative probe once, however many steps have it. Before the cut it has to be open.
fn negative_probes(tools: &Tools) -> Vec<Asked> {
    let mut known = std::collections::BTreeSet::new();
    let each = tools.plan.negative_probes().map(|(task, probe)| {
        let asked = Asked::of_task(tools, task, FIRST_ATTEMPT, probe).once();
        Asked { expect: Expect::Open, ..asked }
    });
    each.filter(|asked| known.insert(asked.id.clone())).collect()
}

fn missing(asked: &Asked) -> Seen {
    Seen {
        what: asked.what.clone(),
        expected: asked.expect.word().to_owned(),
        seen: format!("{CANNOT_TELL}: not looked at within {BASELINE_MAX}"),
        agrees: false,
        probe: asked.id.clone(),
        before: None,
    }
}
