//! Ten thousand hosts and fifty steps compile in seconds and without edges between single tasks. Run it by hand:
//! `/usr/bin/time -v cargo nextest run --test it --run-ignored only ten_thousand --no-capture`

use crate::plan_site::{compile, host, inventory, needs, phase, run, runbook};
use blackstart::model::inventory::Inventory;
use blackstart::model::runbook::Runbook;
use blackstart::plan::{from_json, hash, to_json};
use serde_json::json;
use std::time::Instant;

const HOSTS: usize = 10_000;
const STEPS: usize = 50;

/// Templates, dependencies and conditions, as large runbooks have them.
pub fn large(hosts: usize, steps: usize) -> (Inventory, Runbook) {
    let site = inventory(
        (0..hosts)
            .map(|n| {
                host(
                    &format!("host{n:05}"),
                    &["all-of-them"],
                    &[("wan", json!(format!("eth{}", n % 7))), ("n", json!(n))],
                )
            })
            .collect(),
    );
    let steps = (0..steps)
        .map(|n| {
            let script = match n % 3 {
                0 => "ip link set {{ host.vars.wan }} down && echo {{ host.name }}",
                1 => "echo {{ host.vars.n + 1 }} {{ groups['all-of-them'] | length }}",
                _ => "systemctl stop postgresql",
            };
            let before = format!("step{:02}", n.saturating_sub(1));
            let mut step = run(&format!("step{n:02}"), "all-of-them", script);
            step.when = (n % 10 == 9).then(|| crate::plan_site::located("host.vars.n % 2 == 0".to_owned()));
            if n == 0 { step } else { needs(step, &[(before.as_str(), n % 2 == 0)]) }
        })
        .collect();
    (site, runbook(vec![phase("only", steps)]))
}

#[test]
#[ignore = "measures; compiles half a million tasks"]
fn ten_thousand_hosts_and_fifty_steps() {
    let (site, book) = large(HOSTS, STEPS);
    let start = Instant::now();
    let (plan, _) = compile(&site, &book).unwrap();
    let compiled = start.elapsed();
    let json = to_json(&plan);
    let written = start.elapsed();
    let hash = hash(&plan);
    let hashed = start.elapsed();
    println!("compiled in {compiled:?}, {} tasks", plan.tasks.len());
    println!("written in {:?}, {} bytes", written - compiled, json.len());
    println!("hashed in {:?}: {hash}", hashed - written);
    let edges: usize = plan.steps.iter().map(|step| step.needs.len()).sum();
    assert_eq!((plan.tasks.len(), edges), (HOSTS * STEPS, STEPS - 1));
    let start = Instant::now();
    drop(plan);
    let again = from_json(&json).unwrap();
    println!("dropped and read back in {:?}", start.elapsed());
    assert_eq!(to_json(&again), json);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default());
}
