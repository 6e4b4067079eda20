//! A run directory in the released format, which must open for ever. Its README says how it was made.

use super::every_event::{self, ID};
use blackstart::journal::{Hash, Status, Store};
use blackstart::model::Event;
use blackstart::model::event::Verdict;
use blackstart::plan::Plan;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What `sha256sum` and the chain say of the fixture. If this has to change, released journals no longer open.
const HEAD: &str = "cd3a61725f2fd46444d75d7d28361578dfad552cfaa63fb4143b456777de9f6d";

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal-v1")
}

#[test]
fn the_released_format_opens() {
    let run = Store::open(&fixture()).unwrap().find(ID).unwrap();
    let read = run.read().unwrap();
    assert_eq!(read.head.as_str(), HEAD);
    assert_eq!(read.torn_tail, None);
    let (_, hash) = run.read_plan().unwrap();
    let wanted = every_event::events(hash.as_str());
    assert_eq!(read.records.len(), wanted.len());
    for (record, (event, about)) in read.records.iter().zip(wanted) {
        assert_eq!((&record.event, record.about.as_deref()), (&event, about), "record {}", record.seq);
    }
}

#[test]
fn the_fixture_holds_every_kind_of_event() {
    let run = Store::open(&fixture()).unwrap().find(ID).unwrap();
    let kinds: BTreeSet<u32> = run.read().unwrap().records.iter().map(|record| kind(&record.event)).collect();
    assert_eq!(kinds, (0..KINDS).collect());
}

/// Kinds that the released fixture holds.
const KINDS: u32 = 20;

/// What was added since the fixture was released is written and read all the same.
#[test]
fn what_was_added_since_reads_as_it_was_written() {
    for event in every_event::added() {
        let line = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event, "{line}");
    }
    let added: BTreeSet<u32> = every_event::added().iter().map(kind).filter(|kind| *kind >= KINDS).collect();
    assert_eq!(added, (KINDS..KINDS + KINDS_ADDED).collect());
}

/// Kinds that came after the released fixture.
const KINDS_ADDED: u32 = 9;

/// Numbers the kinds of events. A kind that is added here belongs into the fixture of the next format.
fn kind(event: &Event) -> u32 {
    match event {
        Event::RunStarted { .. } => 0,
        Event::RunResumed { .. } => 1,
        Event::HostReached { .. } => 2,
        Event::PhaseStarted { .. } => 3,
        Event::PhaseEnded { .. } => 4,
        Event::StepEnded { .. } => 5,
        Event::StepNotRun { .. } => 6,
        Event::JobStarted { .. } => 7,
        Event::JobEnded { .. } => 8,
        Event::ReceiptRead { .. } => 9,
        Event::RetryPlanned { .. } => 10,
        Event::WaitStarted { .. } => 11,
        Event::TaskEnded { .. } => 12,
        Event::Asked { .. } => 13,
        Event::Answered { .. } => 14,
        Event::StopRequested { .. } => 15,
        Event::RollbackStarted { .. } => 16,
        Event::UndoEnded { .. } => 17,
        Event::Abandoned { .. } => 18,
        Event::RunEnded { .. } => 19,
        Event::GuardExtended { .. } => 20,
        Event::ApprovalLapsed { .. } => 21,
        Event::Baseline { .. } => 22,
        Event::ServiceSeen { .. } => 23,
        Event::RiskAccepted { .. } => 24,
        Event::Firing { .. } => 25,
        Event::Fired { .. } => 26,
        Event::Injected { .. } => 27,
        Event::LookedAfter { .. } => 28,
    }
}

/// What plan and origin say is another room's business; that they can still be read is this one's.
#[test]
fn the_released_plan_opens() {
    let run = Store::open(&fixture()).unwrap().find("last").unwrap();
    let (plan, hash) = run.read_plan().unwrap();
    assert_eq!(hash, Hash::of(every_event::PLAN.as_bytes()));
    assert_eq!((plan.hosts.len(), plan.steps.len(), plan.tasks.len()), (3, 8, 9));
    let again: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(again, plan, "nothing is lost by reading and writing");
    assert_eq!(run.origin().unwrap().runbook_file, "runbooks/isolate.yaml");
    let summary = Store::open(&fixture()).unwrap().list().unwrap().remove(0);
    assert_eq!(
        (summary.runbook.as_str(), summary.status),
        ("isolate-and-restore", Status::Ended(Verdict::Stuck))
    );
}

/// What is written today, byte for byte: a change of the format cannot go unnoticed.
#[test]
fn the_same_events_are_written_the_same_way() {
    let dir = tempfile::tempdir().unwrap();
    let fresh = every_event::run(dir.path());
    let released = Store::open(&fixture()).unwrap().find(ID).unwrap();
    let [fresh, released] = [fresh, released].map(|run| std::fs::read_to_string(run.journal_path()).unwrap());
    assert_eq!(fresh, released);
}

/// Makes the journal of the fixture anew; see its README.
#[test]
#[ignore = "overwrites the fixture"]
fn make_the_fixture_anew() {
    let dir = tempfile::tempdir().unwrap();
    let run = every_event::run(dir.path());
    std::fs::copy(run.journal_path(), fixture().join(ID).join("journal.jsonl")).unwrap();
    eprintln!("the head is {}", run.read().unwrap().head);
}
