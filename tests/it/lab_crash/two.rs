//! Two blackstarts on one run: one has it, the other is refused, or talks to it.

use super::{Desk, Lab, SLOW, go, until_ledger};
use blackstart::model::event::Event;

const CONFIRM: &str = r#"
version: 1
name: confirm
phases:
  - id: work
    on_failure: stop
    steps:
      - id: confirm
        manual: Confirm that the backup predates the first indicator.
      - id: next
        on: app1
        needs: [confirm]
        run: /srv/ledger "$BLACKSTART_RUN next $BLACKSTART_ATTEMPT"
        undo: not_needed
"#;

#[test]
fn a_live_run_is_locked_stopped_and_answered_from_elsewhere() {
    let lab = Lab::raise();
    let slow = lab.write("slow.yaml", SLOW);
    let desk = Desk::new(&lab, "locked");
    let mut live = desk.start(&desk.begin(&slow, &[]));
    until_ledger(&lab, "app1", "start 1");
    let refused = desk.run(&["resume", "last"]).is(31);
    assert!(refused.err.contains(&live.pid().to_string()), "who has it is named: {refused}");
    desk.run(&["abort", "last"]).is(0);
    desk.wait(&mut live, "the stop is on record", |event| matches!(event, Event::StopRequested { .. }));
    go(&lab, "app1");
    live.ended().is(22);
    desk.verify();
    assert_eq!(lab.ledger("app1"), ["start 1", "end 1"], "the second one did nothing");
    desk.run(&["abort", "last"]).is(2);

    let confirm = lab.write("confirm.yaml", CONFIRM);
    let asked = |event: &Event| matches!(event, Event::Asked { .. });
    let next = |desk: &Desk<'_>| format!("{} next 1", desk.dir().expect("there is a run").id());

    let desk = Desk::new(&lab, "answered-live");
    let mut live = desk.start(&desk.begin(&confirm, &["--wait"]));
    desk.wait(&mut live, "the question is on record", asked);
    assert!(!lab.ledger("app1").contains(&next(&desk)));
    desk.run(&["approve", "last", "confirm"]).is(0);
    live.ended().is(0);
    assert!(lab.ledger("app1").contains(&next(&desk)));

    let desk = Desk::new(&lab, "answered-later");
    let said = desk.run(&desk.begin(&confirm, &[])).is(22);
    assert!(said.out.contains("blackstart approve"), "the next command is named: {said}");
    let listed = desk.run(&["approve", "last"]).is(0);
    assert!(listed.out.contains("predates the first indicator"), "the question is listed: {listed}");
    desk.run(&["approve", "last", "confirm"]).is(0);
    assert!(!lab.ledger("app1").contains(&next(&desk)));
    desk.run(&["resume", "last"]).is(0);
    assert!(lab.ledger("app1").contains(&next(&desk)));
    desk.verify();
}
