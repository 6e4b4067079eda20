//! File descriptors run out: before the start, and in the midst of a run.

use super::Desk;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

#[test]
fn a_run_that_may_not_open_enough_files_is_not_begun_and_says_what_it_needs() {
    let desk = Desk::new();
    let said = desk.start_by(&["prlimit", "--nofile=24:24"], "run", &[]).ended().is(1);
    assert!(said.err.contains("may open 24 files") && said.err.contains("ulimit -Hn"), "{said}");
    assert!(said.err.contains("nothing was started"), "{said}");
    assert!(desk.dir().is_none() && desk.ledger().is_empty(), "there is no run");
    // A low soft limit is raised.
    desk.go();
    desk.start_by(&["prlimit", "--nofile=24:4096"], "run", &[]).ended().is(0);
    assert_eq!(desk.ledger(), ["start 1", "end 1", "next 1"]);
}

/// A link dies when there is no descriptor left for another one.
#[test]
fn descriptors_that_run_out_in_the_midst_stop_the_run_and_it_goes_on() {
    let desk = Desk::new();
    let live = desk.start("run");
    desk.until("start 1");
    let pid = Pid::from_raw(live.pid() as i32).expect("a child has a number");
    prlimit(Some(pid), Resource::Nofile, Rlimit { current: Some(3), maximum: Some(4096) })
        .expect("the limits of a child can be set");
    desk.sshd.kill_connections();
    desk.go();
    desk.until("end 1");
    let said = live.ended().is(22);
    assert!(said.err.contains("Too many open files"), "the trouble is named: {said}");
    assert!(!said.err.contains("panicked"), "it was met without a panic: {said}");
    assert!(said.err.contains("blackstart show"), "the next command is named: {said}");
    desk.stopped_and_goes_on();
}
