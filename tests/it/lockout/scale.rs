//! The analysis of a large site. Run by hand, and best in a release build:
//! `cargo test --release --test it lockout::scale -- --ignored --nocapture`.

use crate::sim::build::Builder;
use blackstart::model::names::{ConduitName, StepIx, ZoneName};
use blackstart::model::runbook::Policy;
use blackstart::plan::Plan;
use blackstart::plan::site::{PlannedConduit, PlannedSite, PlannedZone};
use blackstart::reach::lockout::analyse;
use std::time::Instant;

const HOSTS: u32 = 1_000;
const CONDUITS: u32 = 200;
const STEPS: u32 = 500;
const ZONES: u32 = 50;

/// A thousand hosts in fifty zones, two hundred conduits, five hundred steps in ten phases: steps on all hosts that
/// wait host by host and in waves, and two hundred that cut on a firewall. Half of the ways to the zones are cut.
fn large(safe: bool) -> Plan {
    let mut builder = Builder::new(&vec![None; HOSTS as usize]);
    let all: Vec<Option<u32>> = (0..HOSTS).map(Some).collect();
    for phase in 0..10 {
        builder.phase(Policy::Stop);
        for nth in 0..STEPS / 10 {
            let cuts = nth % 5 < 2;
            let step = builder.step(if cuts { &all[..1] } else { &all });
            if nth > 0 {
                builder.needs(step, StepIx(step.0 - 1), !cuts && (nth - 1) % 5 >= 2);
            }
            let planned = builder.at(step);
            if cuts {
                let conduit = phase * 20 + nth / 5 * 2 + nth % 5;
                planned.severs = vec![ConduitName(format!("c{conduit:03}"))];
            } else if nth % 3 == 0 {
                planned.waves = vec![HOSTS / 10; 10];
            }
        }
    }
    let mut plan = std::sync::Arc::unwrap_or_clone(builder.done());
    let zone = |nth: u32| ZoneName(format!("z{:02}", nth % ZONES));
    let mut site = PlannedSite { controller: Some(zone(0)), ..PlannedSite::default() };
    site.zones = (0..ZONES).map(|nth| (zone(nth), PlannedZone::default())).collect();
    for nth in 0..CONDUITS {
        let (from, to) = match nth < ZONES {
            true => (0, nth.max(1)),
            false => (nth, nth * 7 + 1),
        };
        let conduit = PlannedConduit {
            from: zone(from),
            to: zone(to),
            both_ways: true,
            enforced_by: None,
            level: None,
            out_of_band: safe && nth < ZONES,
        };
        site.conduits.insert(ConduitName(format!("c{nth:03}")), conduit);
    }
    for (nth, host) in plan.hosts.iter_mut().enumerate() {
        host.zone = Some(zone(nth as u32));
    }
    plan.site = site;
    plan
}

#[test]
#[ignore = "tells a figure that depends on the machine"]
fn a_large_site() {
    for safe in [true, false] {
        let plan = large(safe);
        let start = Instant::now();
        let found = analyse(&plan);
        println!(
            "{} tasks, {} steps, {} conduits: {} findings in {:?}",
            plan.tasks.len(),
            plan.steps.len(),
            plan.site.conduits.len(),
            found.findings.len(),
            start.elapsed()
        );
        assert_eq!(found.findings.is_empty(), safe);
    }
}
