//! The disk of the controller fills up under a run: under its journal, and under what its jobs print.

use super::Desk;
use crate::support::sshd::Sshd;
use blackstart::model::event::{Event, JobKind};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A mount namespace with small file systems of its own, kept by a process and gone with it. Needs root.
struct Room {
    keeper: Child,
}

impl Room {
    fn new() -> Self {
        let mut keeper = Command::new("unshare")
            .args(["--mount", "sh", "-c", "echo ready; exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare is installed");
        let mut line = String::new();
        let out = keeper.stdout.as_mut().expect("a pipe");
        BufReader::new(out).read_line(&mut line).expect("the namespace is there");
        assert_eq!(line, "ready\n", "a mount namespace needs root");
        Self { keeper }
    }

    fn enter(&self) -> Vec<String> {
        vec!["nsenter".into(), format!("--mount=/proc/{}/ns/mnt", self.keeper.id())]
    }

    fn mount(&self, size: &str, at: &Path) {
        let [nsenter, mount] = self.enter().try_into().expect("two words");
        let mut command = Command::new(nsenter);
        command
            .arg(mount)
            .args(["mount", "-t", "tmpfs", "-o", &format!("size={size},mode=700"), "none"])
            .arg(at);
        assert!(command.status().expect("nsenter is installed").success());
    }

    /// A path of the room, seen from outside.
    fn seen(&self, path: &Path) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{}", self.keeper.id(), path.display()))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.keeper.kill().ok();
        self.keeper.wait().ok();
    }
}

/// Fills the file system that a directory is on.
fn fill(dir: &Path) {
    let mut ballast = fs::File::create(dir.join("ballast")).expect("an empty file finds room");
    while ballast.write_all(&[0; 512]).is_ok() {}
    // By single bytes, so that no room is left behind a piece that did not fit.
    while ballast.write_all(&[0]).is_ok() {}
}

/// Sixty steps in a row, so that the journal needs more room than the rest of its last page.
fn row() -> String {
    let mut steps = super::SLOW.to_owned();
    for number in 1..60 {
        steps += &format!(
            "\n      - {{ id: row-{number}, on: h1, needs: [next], run: 'echo row-{number} >>@dir@/ledger', undo: not_needed }}"
        );
    }
    steps
}

#[test]
fn a_disk_that_fills_up_under_the_journal_ends_the_run_and_it_goes_on_when_there_is_room() {
    let room = Room::new();
    let mut desk = Desk::with(Sshd::start(), &row());
    fs::create_dir(&desk.state).expect("a directory can be made");
    room.mount("1m", &desk.state);
    let inside = room.enter();
    let inside: Vec<&str> = inside.iter().map(String::as_str).collect();
    let live = desk.start_by(&inside, "run", &[]);
    desk.until("start 1");
    let seen_from_here = room.seen(&desk.state);
    let real = std::mem::replace(&mut desk.state, seen_from_here);
    fill(&desk.state);
    desk.go();
    let said = live.ended().is(30);
    assert!(said.err.contains("journal.jsonl") && said.err.contains("No space left"), "{said}");
    assert!(said.err.contains("nothing more is started") && said.err.contains("hint:"), "{said}");

    // What the host saw was on record before it began.
    let (plan, _) = desk.dir().expect("the run is there").read_plan().expect("the plan is whole");
    let started = |event: &Event| match event {
        Event::JobStarted { job } if job.kind == JobKind::Run => Some(plan.step_of(job.task).id.to_string()),
        _ => None,
    };
    let on_record: Vec<String> = desk.records().iter().filter_map(|record| started(&record.event)).collect();
    let seen = desk.ledger();
    assert!(seen.len() < 62, "the run did not come to its end: {seen:?}");
    for line in seen.iter().filter(|line| line.starts_with("row")) {
        assert!(on_record.contains(line), "{line} ran and is not on record: {on_record:?}");
    }

    fs::remove_file(desk.state.join("ballast")).expect("room can be made");
    desk.state = real;
    for (verb, code) in [("verify", 0), ("resume", 0), ("verify", 0)] {
        desk.start_by(&inside, verb, &[]).ended().is(code);
    }
    let mut seen = desk.ledger();
    assert_eq!(seen.len(), 62, "everything was done");
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 62, "and once");
}

#[test]
fn a_disk_that_fills_up_under_output_stops_no_run_and_says_what_is_missing() {
    let room = Room::new();
    let steps = super::SLOW.replace("run: echo \"next", "run: head -c 300000 /dev/zero; echo \"next");
    let desk = Desk::with(Sshd::start(), &steps);
    let inside = room.enter();
    let inside: Vec<&str> = inside.iter().map(String::as_str).collect();
    let live = desk.start_by(&inside, "run", &[]);
    desk.until("start 1");
    let out = desk.dir().expect("there is a run").out_dir();
    room.mount("64k", &out);
    desk.go();
    let said = live.ended().is(0);
    assert_eq!(desk.ledger(), ["start 1", "end 1", "next 1"], "{said}");
    desk.run("verify").is(0);
    let dropped = |event: &Event| match event {
        Event::JobEnded { facts, .. } => facts.dropped_bytes,
        _ => 0,
    };
    let dropped: u64 = desk.records().iter().map(|record| dropped(&record.event)).sum();
    assert!((200_000..300_000).contains(&dropped), "{dropped} bytes are on record as missing");
}
