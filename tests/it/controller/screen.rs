//! Nobody listens any more: stdout or stderr is closed, full, or a pipe whose reader went away.

use super::Desk;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// However its screen is, the run is carried out, and its exit code is the run's.
#[test]
fn a_screen_that_is_closed_or_full_stops_no_run() {
    let through = |how: &str| format!("exec \"$0\" \"$@\" {how}");
    for (how, format) in [
        (">&-", "text"),
        ("2>&-", "text"),
        (">&- 2>&-", "json"),
        (">/dev/full", "text"),
        (">/dev/full 2>&1", "json"),
    ] {
        let desk = Desk::new();
        desk.go();
        let said = desk.start_by(&["sh", "-c", &through(how)], "run", &["--format", format]).ended();
        assert_eq!(said.code, Some(0), "{how}: {said}");
        desk.run("verify").is(0);
        assert_eq!(desk.ledger(), ["start 1", "end 1", "next 1"], "{how}");
    }
}

#[test]
fn a_reader_that_goes_away_stops_no_run() {
    let desk = Desk::new();
    let mut command = desk.command(&[], "run", &["--format", "json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("blackstart starts");
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    out.read_line(&mut line).expect("it speaks");
    assert!(line.contains("run_started"), "{line}");
    drop((out, child.stderr.take()));
    desk.until("start 1");
    desk.go();
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    desk.run("verify").is(0);
    assert_eq!(desk.ledger(), ["start 1", "end 1", "next 1"]);
}
