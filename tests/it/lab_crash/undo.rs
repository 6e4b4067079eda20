//! Taking back: well, badly, and never what was cut.

use super::{Desk, Lab, print_of};
use blackstart::journal::Record;
use blackstart::model::event::Event;

const TAKES_BACK: &str = r#"
version: 1
name: takes-back
phases:
  - id: change
    on_failure: rollback
    steps:
      - id: first
        on: db1
        run: echo here >/etc/first
        undo: rm /etc/first
      - id: second
        on: app1
        needs: [first]
        run: echo here >/etc/second
        undo: test ! -e /srv/block && rm /etc/second
      - id: third
        on: app1
        needs: [second]
        run: exit 3
        undo: not_needed
"#;

const CUTS: &str = r#"
version: 1
name: cuts
phases:
  - id: change
    on_failure: rollback
    steps:
      - id: cut
        on: edge-fw
        severs: [isp-uplink]
        run: |
          nft -f - <<NFT
          table inet crash_cut {
            chain in { type filter hook prerouting priority raw; iifname "eth0" drop; }
          }
          NFT
        undo: nft delete table inet crash_cut
      - id: fails
        on: app1
        needs: [cut]
        run: echo here >/etc/fails; exit 3
        undo: rm /etc/fails
"#;

const PORTAL: &str = "http://203.0.113.1:8080/alive";

#[test]
fn an_undo_that_fails_is_stuck_until_somebody_helps() {
    let lab = Lab::raise();
    let runbook = lab.write("takes-back.yaml", TAKES_BACK);
    let before = print_of(&lab, &["app1", "db1"]);

    let desk = Desk::new(&lab, "undo-well");
    desk.run(&desk.begin(&runbook, &[])).is(20);
    assert_eq!(print_of(&lab, &["app1", "db1"]), before, "the hosts are as before");

    lab.ok("app1", ": >/srv/block");
    let desk = Desk::new(&lab, "undo-fails");
    let said = desk.run(&desk.begin(&runbook, &[])).is(21);
    assert!(said.out.contains("second") && said.out.contains("app1"), "what to look at is named: {said}");
    assert!(said.out.contains("blackstart rollback"), "the next command is named: {said}");
    // What the stuck step stands on is held.
    lab.ok("app1", "test -e /etc/second");
    lab.ok("db1", "test -e /etc/first");
    desk.verify();
    desk.run(&["resume", "last"]).is(21);

    lab.ok("app1", "rm /srv/block");
    desk.run(&["rollback", "last", "--yes"]).is(20);
    assert_eq!(print_of(&lab, &["app1", "db1"]), before, "the hosts are as before");
    desk.verify();
}

#[test]
fn what_was_cut_stays_cut_until_somebody_reopens_it() {
    let lab = Lab::raise();
    assert!(lab.reaches("internet", PORTAL));
    let before = print_of(&lab, &["app1", "edge-fw"]);
    let runbook = lab.write("cuts.yaml", CUTS);
    let desk = Desk::new(&lab, "cut");
    let said = desk.run(&desk.begin(&runbook, &[])).is(20);
    assert!(said.out.contains("isp-uplink"), "the cut that is in place is named: {said}");
    assert!(!lab.reaches("internet", PORTAL), "the policy did not re-open it");
    lab.ok("app1", "test ! -e /etc/fails");
    desk.run(&["rollback", "last", "--yes"]).is(20);
    assert!(!lab.reaches("internet", PORTAL), "a plain rollback does not re-open it");
    let said = desk.run(&["rollback", "last", "--yes", "--reopen"]).is(23);
    assert!(said.err.contains("isp-uplink") && !lab.reaches("internet", PORTAL), "nobody consented: {said}");
    desk.run(&["rollback", "last", "--yes", "--reopen", "--consent", "office-core"]).is(23);
    assert!(!lab.reaches("internet", PORTAL), "consent to something else is none");
    desk.run(&["rollback", "last", "--yes", "--reopen", "--consent", "isp-uplink"]).is(20);
    assert!(lab.reaches("internet", PORTAL), "who says so re-opens it");
    let consent = |record: &Record| match &record.event {
        Event::RollbackStarted { reopen: true, consent, .. } => {
            consent.iter().map(ToString::to_string).collect()
        }
        _ => Vec::new(),
    };
    assert_eq!(desk.records().iter().flat_map(consent).collect::<Vec<_>>(), ["isp-uplink"]);
    assert_eq!(print_of(&lab, &["app1", "edge-fw"]), before);
    desk.verify();
}
