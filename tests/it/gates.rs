//! Minimum waits and deadlines of a real run whose process is killed: both count from times on record.

use crate::support::transcript::Desk;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const RUNBOOK: &str = "\
version: 1
name: patient
phases:
  - id: act
    on_failure: continue
    steps:
      - { id: first, on: here, run: \"true\", undo: not_needed }
      - { id: later, on: here, after: { step: first, at_least: 3s }, run: \"true\", undo: not_needed }
      - id: never
        on: here
        after: { step: first, at_least: 3s }
        deadline: { from: first, within: 2s }
        run: touch never
        undo: rm never
";

fn journal(desk: &Desk) -> Option<PathBuf> {
    let runs = std::fs::read_dir(desk.path().join("runs")).ok()?;
    runs.flatten().map(|run| run.path().join("journal.jsonl")).find(|path| path.exists())
}

/// Whole lines of the journal so far.
fn records(desk: &Desk) -> Vec<Value> {
    let text = journal(desk).and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn at(record: &Value) -> jiff::Timestamp {
    record["at"].as_str().expect("a record has a time").parse().expect("it is RFC 3339")
}

fn find(records: &[Value], fits: impl Fn(&Value) -> bool) -> &Value {
    records.iter().find(|record| fits(&record["event"])).unwrap_or_else(|| panic!("not among {records:#?}"))
}

#[test]
fn waits_and_deadlines_survive_a_kill() {
    let desk = Desk::bare();
    std::fs::write(desk.path().join("patient.yaml"), RUNBOOK).unwrap();
    let site = "version: 1\nname: site\nhosts: { here: { connection: local } }\n";
    std::fs::write(desk.path().join("site.yaml"), site).unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_blackstart"))
        .args(["run", "patient.yaml", "-i", "site.yaml", "--yes"])
        .current_dir(desk.path())
        .env("HOME", desk.path())
        .env("USER", "op")
        .env("BLACKSTART_STATE", desk.path().join("runs"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let first_over = |event: &Value| event["step_ended"]["step"] == 0;
    while !records(&desk).iter().any(|record| first_over(&record["event"])) {
        assert!(run.try_wait().unwrap().is_none(), "the run ended before it could be killed");
        std::thread::yield_now();
    }
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(desk.type_in("blackstart resume").code, 22);

    let records = records(&desk);
    let since = at(find(&records, first_over));
    let later = at(find(&records, |event| event["job_started"]["job"]["task"] == 1));
    assert!(later.duration_since(since).as_millis() >= 3_000, "{since} {later}");
    let refused = find(&records, |event| event["step_not_run"]["step"] == 2);
    let deadline = refused["event"]["step_not_run"]["because"]["too_late"]["deadline"].as_str().unwrap();
    let deadline: jiff::Timestamp = deadline.parse().unwrap();
    assert_eq!(deadline.duration_since(since).as_millis(), 2_000);
    assert!(at(refused) >= deadline && !desk.path().join("never").exists());
    assert!(records.iter().any(|record| !record["event"]["run_resumed"].is_null()));
}
