//! Carries all probes of a plan out on their own, or those of the services where there is no runbook.

use crate::drive::probe::{self, Asked};
use crate::drive::tools::{FIRST_ATTEMPT, Tools};
use crate::model::names::TaskIx;
use crate::model::probe::Expect;
use crate::report::probes::ProbeRow;
use crate::transport::Stop;
use std::collections::BTreeMap;
use std::rc::Rc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// A probe to carry out, and all that it belongs to.
#[derive(Debug)]
pub struct Wanted {
    asked: Asked,
    planned: Expect,
    of: Vec<String>,
}

impl Wanted {
    /// Where it starts, for people.
    pub fn from_name(&self) -> &str {
        &self.asked.from_name
    }
}

/// Every probe of every task that runs, each expectation once; of a plan without steps those of the services.
/// `before`: as things have to be before any cut.
pub fn wanted(tools: &Tools, before: bool) -> Vec<Wanted> {
    let plan = &tools.plan;
    let runs = (0..plan.tasks.len() as u32).map(TaskIx).filter(|ix| plan.tasks[ix.at()].left_out.is_none());
    let of_steps = runs.flat_map(|ix| {
        let step = plan.step_of(ix);
        let asked = |probe| (Asked::of_task(tools, ix, FIRST_ATTEMPT, probe), step.id.to_string());
        step.probes().map(asked).collect::<Vec<_>>()
    });
    let of_services = plan.services.iter().filter(|_| plan.steps.is_empty()).filter_map(|service| {
        let asked = Asked::of_service(plan, service.probe.as_ref()?);
        Some((asked, service.name.to_string()))
    });
    let mut each: BTreeMap<(String, String, String, &str), Wanted> = BTreeMap::new();
    for (asked, of) in of_steps.chain(of_services) {
        let planned = asked.expect;
        let expect = if before { Expect::Open } else { planned };
        let key = (asked.from_name.clone(), asked.target.clone(), asked.id.clone(), planned.word());
        let asked = Asked { expect, ..asked.once() };
        let wanted = each.entry(key).or_insert_with(|| Wanted { asked, planned, of: Vec::new() });
        if !wanted.of.contains(&of) {
            wanted.of.push(of);
        }
    }
    each.into_values().collect()
}

/// Carries them out, each once, and tells what they saw.
pub async fn carry_out(tools: Rc<Tools>, wanted: Vec<Wanted>, at_once: u32, stop: Stop) -> Vec<ProbeRow> {
    let gate = Rc::new(Semaphore::new(at_once as usize));
    let mut looks = JoinSet::new();
    for (number, wanted) in wanted.into_iter().enumerate() {
        let (tools, gate, mut stop) = (tools.clone(), gate.clone(), stop.clone());
        looks.spawn_local(async move {
            let _turn = gate.acquire().await;
            let Wanted { asked, planned, of } = wanted;
            let (seen, _) = probe::carry_out(&asked, &tools.fleet, &mut stop).await;
            let row =
                ProbeRow { from: asked.from_name, target: asked.target, of, planned: planned.word(), seen };
            (number, row)
        });
    }
    let mut rows: Vec<(usize, ProbeRow)> = looks.join_all().await;
    rows.sort_by_key(|(number, _)| *number);
    rows.into_iter().map(|(_, row)| row).collect()
}
