//! The wall clock of the controller jumps; what was measured stays measured, and waits stay as long as they are.

use super::Desk;
use crate::support::sshd::Sshd;
use std::fs;

const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// A day back and two days on, under a running step with a timeout, and before a step that waits.
#[test]
fn jumps_of_the_clock_in_both_directions_fire_no_timer_and_break_no_journal() {
    for jumps in [["-1d", "+1d"], ["+1d", "-1d"]] {
        let steps = super::SLOW
            .replacen("on: h1", "on: h1\n        timeout: 100s", 1)
            .replace("needs: [slow]", "needs: [slow]\n        after: { step: slow, at_least: 1s }");
        let desk = Desk::with(Sshd::start(), &steps);
        let library = fs::canonicalize(FAKETIME).expect("libfaketime is installed");
        let clock = desk.path("clock");
        fs::write(&clock, "+0").expect("a file can be written");
        let mut command = desk.command(&[], "run", &[]);
        command
            .env("LD_PRELOAD", library)
            .env("FAKETIME_TIMESTAMP_FILE", &clock)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        let live = crate::support::live::Live::start(&mut command, desk.sshd.dir.path(), "run");
        desk.until("start 1");
        let before = desk.records().last().expect("something is on record").at;
        fs::write(&clock, jumps[0]).expect("a file can be written");
        desk.go();
        desk.until("end 1");
        fs::write(&clock, jumps[1]).expect("a file can be written");
        let said = live.ended().is(0);
        assert_eq!(desk.ledger(), ["start 1", "end 1", "next 1"], "{said}");
        desk.run("verify").is(0);
        let times: Vec<_> = desk.records().iter().map(|record| record.at).collect();
        assert!(times.is_sorted(), "time on record does not run backwards: {times:?}");
        let spent = times.last().expect("a run has records").0 - before.0;
        assert!(spent < 60 * 60 * 1000, "a jump is not taken for a day: {spent} ms");
    }
}

/// A run that stopped a day ahead of now is taken up all the same.
#[test]
fn a_run_whose_journal_is_of_tomorrow_goes_on() {
    let desk = Desk::new();
    let library = fs::canonicalize(FAKETIME).expect("libfaketime is installed");
    let mut command = desk.command(&[], "run", &[]);
    command.env("LD_PRELOAD", library).env("FAKETIME", "+1d").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let live = crate::support::live::Live::start(&mut command, desk.sshd.dir.path(), "run");
    desk.until("start 1");
    assert!(live.kill().is_none(), "it was at work");
    desk.go();
    desk.until("end 1");
    desk.stopped_and_goes_on();
    let times: Vec<_> = desk.records().iter().map(|record| record.at).collect();
    assert!(times.is_sorted(), "time on record does not run backwards: {times:?}");
}
