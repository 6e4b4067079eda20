//! Links that die in silence in the middle of a step: the step goes on, and its receipt tells.

use super::{Desk, Lab, go, until_ledger};
use blackstart::journal::Record;
use blackstart::model::Outcome;
use blackstart::model::event::{Event, Found, JobKind, TaskEnd};

/// `own` cuts its host's link to the controller before it works; the others wait for a word.
const RUNBOOK: &str = r#"
version: 1
name: links
phases:
  - id: work
    on_failure: stop
    steps:
      - id: slow
        on: app1,db1
        run: |
          /srv/ledger "start $BLACKSTART_ATTEMPT"
          until [ -e /srv/go ]; do sleep 0.1; done
          /srv/ledger "end $BLACKSTART_ATTEMPT"
        undo: not_needed
      - id: own
        on: backup
        run: |
          nft -f - <<NFT
          table inet own_cut {
            chain in { type filter hook input priority raw; ip saddr 10.99.0.10 drop; }
            chain out { type filter hook output priority raw; ip daddr 10.99.0.10 drop; }
          }
          NFT
          /srv/ledger "start $BLACKSTART_ATTEMPT"
          echo "said into the void"
          sleep 0.5
          /srv/ledger "end $BLACKSTART_ATTEMPT"
        undo: not_needed
      - id: next
        on: app1,db1,backup
        needs: [slow, own]
        run: /srv/ledger "next $BLACKSTART_ATTEMPT"
        undo: not_needed
"#;

const OWN_HEALED: &str = "nft delete table inet own_cut";

fn is_unknown(record: &Record, about: &str) -> bool {
    let unseen = matches!(&record.event, Event::JobEnded { outcome: Outcome::Unknown { .. }, .. });
    unseen && record.about.as_deref() == Some(about)
}

#[test]
fn a_step_that_cuts_its_own_link_completes() {
    let lab = Lab::raise();
    let runbook = lab.write("links.yaml", RUNBOOK);
    let desk = Desk::new(&lab, "own");
    let live = desk.start(&desk.begin(&runbook, &["--limit", "backup"]));
    until_ledger(&lab, "backup", "end 1");
    let ended =
        |record: &Record| matches!(record.event, Event::JobEnded { job, .. } if job.kind == JobKind::Run);
    assert!(!desk.records().iter().any(ended), "nobody can have told blackstart of the end yet");
    lab.ok("backup", OWN_HEALED);
    live.ended().is(0);
    assert_eq!(lab.ledger("backup"), ["start 1", "end 1", "next 1"]);
    assert_eq!(desk.starts("own@backup", JobKind::Run).len(), 1);
    desk.verify();
}

#[test]
fn what_became_of_steps_on_dead_links_is_told_by_their_receipts() {
    let lab = Lab::raise();
    let runbook = lab.write("links.yaml", RUNBOOK);
    let desk = Desk::new(&lab, "links");
    let mut live = desk.start(&desk.begin(&runbook, &[]));
    for host in ["app1", "db1"] {
        until_ledger(&lab, host, "start 1");
        lab.cut_link(host);
        go(&lab, host);
        until_ledger(&lab, host, "end 1");
    }
    until_ledger(&lab, "backup", "end 1");
    // One link comes back as soon as its loss was noticed, another one too, the third only after all patience.
    let both = || {
        ["slow@app1", "own@backup"]
            .iter()
            .all(|about| desk.records().iter().any(|record| is_unknown(record, about)))
    };
    super::until("the losses are noticed", both);
    lab.heal_link("app1");
    lab.ok("backup", OWN_HEALED);
    desk.wait(&mut live, "a receipt is read", |event| {
        matches!(event, Event::ReceiptRead { found: Found::Ended(_), .. })
    });
    let said = live.ended().is(22);
    assert!(said.out.contains("blackstart resume"), "the next command is named: {said}");
    let end_of = |about: &str| {
        let end = |record: &Record| match &record.event {
            Event::TaskEnded { end, .. } if record.about.as_deref() == Some(about) => Some(end.clone()),
            _ => None,
        };
        desk.records().iter().filter_map(end).next_back()
    };
    assert_eq!(end_of("slow@app1"), Some(TaskEnd::Done), "{said}");
    assert_eq!(end_of("own@backup"), Some(TaskEnd::Done), "{said}");
    assert!(
        matches!(end_of("slow@db1"), Some(TaskEnd::Failed { outcome: Outcome::Unknown { .. }, .. })),
        "unknown is not failed: {said}"
    );
    lab.heal_link("db1");
    desk.run(&["resume", "last"]).is(0);
    for host in ["app1", "db1", "backup"] {
        assert_eq!(lab.ledger(host), ["start 1", "end 1", "next 1"], "{host}");
    }
    for about in ["slow@app1", "slow@db1", "own@backup"] {
        assert_eq!(desk.starts(about, JobKind::Run).len(), 1, "{about} was started once");
    }
    desk.verify();
}

/// A host that was only looked at so far has no receipts: that none is there is no sign of their loss.
const FIRST_CLAIM: &str = r#"
version: 1
name: first-claim
phases:
  - id: work
    on_failure: stop
    steps:
      - id: look
        on: app1
        fetch: { output: "cat /etc/hostname", name: hostname.txt }
      - id: confirm
        needs: [look]
        manual: Go on?
      - id: change
        on: app1
        needs: [confirm]
        run: /srv/ledger "change $BLACKSTART_ATTEMPT"
        undo: not_needed
"#;

#[test]
fn a_first_claim_that_never_arrived_never_started() {
    let lab = Lab::raise();
    let runbook = lab.write("first-claim.yaml", FIRST_CLAIM);
    let desk = Desk::new(&lab, "first-claim");
    desk.run(&desk.begin(&runbook, &[])).is(22);
    desk.run(&["approve", "last", "confirm"]).is(0);
    // Killed while it tries to connect: the order is on record and never left.
    lab.cut_link("app1");
    let mut live = desk.start(&["resume", "last"]);
    desk.wait(
        &mut live,
        "the change is ordered",
        |event| matches!(event, Event::JobStarted { job } if job.kind == JobKind::Run && job.task.0 == 2),
    );
    assert!(live.kill().is_none(), "it was still connecting");
    lab.heal_link("app1");
    desk.run(&["resume", "last"]).is(0);
    let found = |record: &Record| match &record.event {
        Event::ReceiptRead { found, .. } => Some(found.clone()),
        _ => None,
    };
    let found: Vec<Found> = desk.records().iter().filter_map(found).collect();
    assert_eq!(found, [Found::NeverStarted]);
    assert_eq!(lab.ledger("app1"), ["change 2"]);
    desk.verify();
}
