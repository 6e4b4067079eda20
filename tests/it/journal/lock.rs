//! One process a run, and no longer than the process lives.

use super::child::{kill, starring};
use super::{new_run, run_with};
use blackstart::journal::{JournalError, Kind, Status, Store};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Child;

/// The part: takes the lock, says so, and holds it until its stdin ends or it is killed.
pub fn hold_the_lock(stage: &Path) {
    let run = Store::open(stage).unwrap().find("last").unwrap();
    let _lock = run.lock().unwrap();
    // On a line of its own: the test harness has begun one already.
    println!("\nheld");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

fn holder(stage: &Path) -> Child {
    let mut child = starring("hold the lock", stage).spawn().unwrap();
    let mut said = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(said.any(|line| line.unwrap() == "held"), "the child got no lock");
    child
}

#[test]
fn a_second_process_is_refused_and_told_who_holds_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let run = new_run(dir.path(), "r1");
    let child = holder(dir.path());
    let error = run.lock().unwrap_err();
    assert_eq!((error.kind(), error.kind().exit_code()), (Kind::Locked, 31));
    assert!(error.to_string().contains(&format!("process {}", child.id())), "{error}");
    let JournalError::Locked { pid, since, .. } = error else { panic!("{error}") };
    assert_eq!(pid, Some(child.id()));
    assert!(since.is_some());
    kill(child);
    run.lock().expect("a lock dies with its holder");
}

#[test]
fn a_run_can_be_read_and_listed_while_it_is_held() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_with(dir.path(), 4);
    let status = || Store::open(dir.path()).unwrap().list().unwrap().remove(0).status;
    assert_eq!(status(), Status::Interrupted);
    let child = holder(dir.path());
    assert_eq!(run.read().unwrap().records.len(), 4);
    assert_eq!(status(), Status::Running { pid: Some(child.id()) });
    kill(child);
    assert_eq!(status(), Status::Interrupted);
}

#[test]
fn a_writer_keeps_the_lock_that_it_was_made_with() {
    let dir = tempfile::tempdir().unwrap();
    let run = new_run(dir.path(), "r1");
    let lock = run.lock().unwrap();
    let writer = run.append(&lock).unwrap();
    drop(lock);
    assert!(matches!(run.lock().unwrap_err(), JournalError::Locked { .. }));
    drop(writer);
    run.lock().unwrap();
}

#[test]
#[should_panic(expected = "another run")]
fn a_lock_opens_no_other_run() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (new_run(dir.path(), "r1"), new_run(dir.path(), "r2"));
    let lock = one.lock().unwrap();
    let _ = two.append(&lock);
}
