//! The controller is stopped, as a laptop that is shut, and goes on later.

use super::Desk;
use crate::support::sshd::Sshd;
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// The server gives a silent client up within seconds; while it did, the step ended.
#[test]
fn a_controller_that_is_suspended_until_its_links_are_dead_goes_on_with_the_truth() {
    let sshd = Sshd::with_config(&["ClientAliveInterval 1", "ClientAliveCountMax 1"]);
    let desk = Desk::with(sshd, super::SLOW);
    let live = desk.start("run");
    desk.until("start 1");
    live.signal(Signal::STOP);
    assert!(desk.sshd.wait_for_log("Timeout, client not responding"), "{}", desk.sshd.log_text());
    desk.go();
    desk.until("end 1");
    live.signal(Signal::CONT);
    live.ended().is(0);
    desk.run("verify").is(0);
    assert_eq!(desk.ledger(), ["start 1", "end 1", "next 1"]);
}

#[test]
fn a_step_that_ended_in_time_while_the_controller_was_suspended_did_not_time_out() {
    past_its_timeout(Duration::from_secs(3), Duration::ZERO);
}

/// Stops the controller at least so much longer than the step may take; the step itself is quick.
pub fn past_its_timeout(timeout: Duration, more: Duration) {
    let step = super::SLOW.replacen("on: h1", &format!("on: h1\n        timeout: {}s", timeout.as_secs()), 1);
    let desk = Desk::with(Sshd::start(), &step);
    let live = desk.start("run");
    desk.until("start 1");
    live.signal(Signal::STOP);
    let over = Instant::now() + timeout + more;
    desk.go();
    desk.until("end 1");
    crate::support::live::until_long("its time to be over", timeout + more, || Instant::now() > over);
    live.signal(Signal::CONT);
    let said = live.ended().is(0);
    assert!(!said.out.contains("timed out"), "{said}");
    desk.run("verify").is(0);
    assert_eq!(desk.ledger(), ["start 1", "end 1", "next 1"]);
}
