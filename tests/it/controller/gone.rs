//! The controller is told to go, killed, or loses the ground under its feet.

use super::{Desk, finish_asked};
use crate::support::live::until;
use blackstart::model::Outcome;
use blackstart::model::event::{Event, Found};
use rustix::process::Signal;
use std::fs;

#[test]
fn sigterm_and_sighup_let_what_runs_end_and_the_run_goes_on() {
    for signal in [Signal::TERM, Signal::HUP] {
        let desk = Desk::new();
        let live = desk.start("run");
        desk.until("start 1");
        live.signal(signal);
        desk.until_record("the run is to finish", finish_asked);
        desk.go();
        let said = live.ended().is(22);
        assert!(said.err.contains("nothing new is started"), "{said}");
        assert!(said.out.contains("blackstart resume"), "the next command is named: {said}");
        desk.stopped_and_goes_on();
    }
}

#[test]
fn a_killed_controller_finds_what_became_of_its_step() {
    let desk = Desk::new();
    let live = desk.start("run");
    desk.until("start 1");
    assert!(live.kill().is_none(), "it was at work");
    desk.go();
    desk.until("end 1");
    let shown = desk.run("show");
    assert!(shown.out.contains("blackstart resume"), "the next command is named: {shown}");
    desk.stopped_and_goes_on();
    let by_receipt =
        |event: &Event| matches!(event, Event::ReceiptRead { found: Found::Ended(Outcome::Succeeded), .. });
    assert!(desk.records().iter().any(|record| by_receipt(&record.event)), "the host told how it ended");
}

#[test]
fn without_its_state_directory_nothing_more_is_started() {
    let desk = Desk::new();
    let live = desk.start("run");
    desk.until("start 1");
    fs::remove_dir_all(&desk.state).expect("a directory can be removed");
    desk.go();
    let said = live.ended().is(30);
    assert!(said.err.contains("journal.jsonl") && said.err.contains("nothing more is started"), "{said}");
    assert_eq!(desk.ledger(), ["start 1", "end 1"], "what ran ended, and nothing more was started");
    // What the host has to say of it is still there, for whoever must find out by hand.
    let receipts = fs::read_dir(desk.path("receipts")).expect("receipts lie on the host");
    assert_eq!(receipts.count(), 1);
    let said = desk.run("resume").is(2);
    assert!(said.err.contains("there are no runs in"), "{said}");
}

/// The terminal itself dies: `script` has the other end of it and is killed.
#[test]
fn a_terminal_that_dies_lets_what_runs_end_and_the_run_goes_on() {
    let desk = Desk::new();
    let inner = desk.command(&[], "run", &[]);
    let words: Vec<String> = std::iter::once(inner.get_program())
        .chain(inner.get_args())
        .map(|word| shlex::try_quote(&word.to_string_lossy()).expect("no NUL in it").into_owned())
        .collect();
    let command = format!("echo $$ >{0}; exec {1}", desk.path("pid").display(), words.join(" "));
    let mut script = std::process::Command::new("script");
    script.args(["-qec", &command, "/dev/null"]).stdin(std::process::Stdio::piped());
    for (name, value) in inner.get_envs() {
        script.env(name, value.expect("nothing is removed"));
    }
    let live = crate::support::live::Live::start(
        script.env("TERM", "xterm").env_remove("NO_COLOR"),
        desk.sshd.dir.path(),
        "script",
    );
    desk.until("start 1");
    let pid = fs::read_to_string(desk.path("pid")).expect("it wrote its number down");
    assert!(live.kill().is_none(), "the terminal was there");
    desk.until_record("the run is to finish", finish_asked);
    desk.go();
    let proc = format!("/proc/{}/cmdline", pid.trim());
    until("the end of blackstart", || {
        !fs::read_to_string(&proc).is_ok_and(|line| line.contains("book.yaml"))
    });
    assert!(matches!(desk.records().last().map(|record| &record.event), Some(Event::RunEnded { .. })));
    desk.stopped_and_goes_on();
}
