//! Runs on disk: what is committed stays, what is altered is found, whatever the machine does.

mod audit;
mod child;
mod crash;
mod damage;
mod disk;
mod every_event;
mod fixture;
mod inbox;
mod lock;
mod output;
mod store;

use blackstart::journal::{Record, RunDir, Store};
use blackstart::model::names::{PhaseIx, RunId};
use blackstart::model::{Event, Time};
use blackstart::plan::frozen::Origin;
use std::path::Path;

/// For the store, a plan is bytes; these are enough for lists.
const PLAN: &str = r#"{"version":1,"runbook":"isolate","inventory":"office","tasks":[{},{},{}]}"#;

const NOON: Time = Time(1_795_300_000_123);

fn origin() -> Origin {
    let json = format!(r#"{{"runbook_file":"isolate.yaml","inventory_file":"office.yaml","at":"{NOON}"}}"#);
    serde_json::from_str(&json).unwrap()
}

/// A fresh run `run` in `dir`, without events.
pub fn new_run(dir: &Path, run: &str) -> RunDir {
    Store::open(dir).unwrap().create(&RunId::from(run), PLAN, &origin()).unwrap()
}

/// The `number`th of a row of events that differ from each other.
fn event(number: u32) -> Event {
    Event::PhaseStarted { phase: PhaseIx(number) }
}

/// A fresh run with `count` events, committed three at a time.
fn run_with(dir: &Path, count: u32) -> RunDir {
    let run = new_run(dir, "r1");
    add_events(&run, count);
    run
}

/// Adds events that go on where the journal ends.
fn add_events(run: &RunDir, count: u32) {
    let lock = run.lock().unwrap();
    let mut writer = run.append(&lock).unwrap();
    let first = writer.len() as u32;
    for number in first..first + count {
        writer.add(NOON, &event(number), Some("phase"));
        if number % 3 == 2 {
            writer.commit().unwrap();
        }
    }
    writer.commit().unwrap();
}

/// Are these the events that `event` numbers, from 0 on and without a gap?
fn assert_in_order(records: &[Record]) {
    for (number, record) in records.iter().enumerate() {
        assert_eq!(record.seq, number as u64);
        assert_eq!(record.event, event(number as u32));
    }
}
