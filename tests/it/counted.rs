//! Work of a fixed size, for `tests/counts` to count the instructions of: a plan, a run through the engine, a journal.

use crate::journal::new_run;
use crate::plan_scale::large;
use crate::plan_site::compile;
use crate::sim::scale::{run_through, wide};
use blackstart::engine::{Engine, Limits, Status};
use blackstart::model::event::Verdict;
use blackstart::plan::{from_json, hash, to_json};

const HOSTS: u32 = 300;
const STEPS: u32 = 20;
const TASKS: usize = (HOSTS * STEPS) as usize;

#[test]
fn a_plan_is_made_and_frozen() {
    let (site, book) = large(HOSTS as usize, STEPS as usize);
    let (plan, _) = compile(&site, &book).expect("it is a good one");
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
    let run = new_run(dir.path(), "r1");
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
