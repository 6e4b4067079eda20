//! Work of a fixed size, for `tests/counts` to count the instructions of: a plan, a run through the engine, a journal.

use crate::plan_site::{compile, host, inventory, needs, phase, run, runbook};
use crate::sim::scale::{run_through, wide};
use blackstart::engine::{Engine, Limits, Status};
use blackstart::journal::Store;
use blackstart::model::event::Verdict;
use blackstart::model::names::RunId;
use blackstart::plan::frozen::Origin;
use blackstart::plan::{Plan, from_json, hash, to_json};
use serde_json::json;

const HOSTS: u32 = 300;
const STEPS: u32 = 20;
const TASKS: usize = (HOSTS * STEPS) as usize;

/// Templates, dependencies and a condition, as large runbooks have them.
fn plan() -> Plan {
    let hosts = (0..HOSTS)
        .map(|n| host(&format!("host{n:05}"), &["web"], &[("wan", json!(format!("eth{}", n % 7)))]));
    let steps = (0..STEPS).map(|n| {
        let script = match n % 3 {
            0 => "ip link set {{ host.vars.wan }} down && echo {{ host.name }}",
            1 => "echo {{ groups['web'] | length }}",
            _ => "systemctl stop postgresql",
        };
        let step = run(&format!("step{n:02}"), "web", script);
        match n {
            0 => step,
            n => needs(step, &[(format!("step{:02}", n - 1).as_str(), n % 2 == 0)]),
        }
    });
    compile(&inventory(hosts.collect()), &runbook(vec![phase("only", steps.collect())]))
        .expect("it is a good one")
        .0
}

#[test]
fn a_plan_is_made_and_frozen() {
    let plan = plan();
    let json = to_json(&plan);
    assert_eq!(plan.tasks.len(), TASKS);
    assert_eq!(hash(&from_json(&json).expect("our own")), hash(&plan));
}

#[test]
fn a_run_goes_through_the_engine_and_is_restored() {
    let plan = wide(HOSTS, STEPS, 2);
    let (engine, journal, jobs) = run_through(&plan, usize::MAX);
    assert_eq!((jobs, engine.state().status()), (TASKS, &Status::Ended(Verdict::Completed)));
    let again = Engine::restore(plan, Limits::default(), journal).expect("our own journal");
    assert!(again.state() == engine.state());
}

#[test]
fn a_journal_is_written_and_read() {
    let (_, mut events, _) = run_through(&wide(HOSTS, STEPS, 2), usize::MAX);
    // It names its plan, which this journal has no copy of.
    events.remove(0);
    let dir = tempfile::tempdir().expect("a directory can be made");
    let origin: Origin = serde_json::from_value(
        json!({ "runbook_file": "a", "inventory_file": "b", "at": "2026-01-01T00:00:00.000Z" }),
    )
    .expect("an origin");
    let run = Store::open(dir.path())
        .and_then(|store| store.create(&RunId::from("r1"), "{}", &origin))
        .expect("a run");
    let lock = run.lock().expect("nobody else has it");
    let mut writer = run.append(&lock).expect("it can be written");
    for (nth, (at, event)) in events.iter().enumerate() {
        writer.add(*at, event, Some("step01@host00001"));
        // As many records as a step on a dozen hosts has, in one commit.
        if nth % 36 == 35 {
            writer.commit().expect("it can be written");
        }
    }
    writer.commit().expect("it can be written");
    let mut read = Vec::with_capacity(events.len());
    run.scan(|record| read.push((record.at, record.event))).expect("our own journal");
    assert!(read == events);
}
