//! Ctrl-C once, twice, three times.

use super::{Desk, Lab, SLOW, fresh, go, until_ledger};
use blackstart::model::Outcome;
use blackstart::model::event::{Event, Found, JobKind, StopHow};
use blackstart::model::outcome::How;

const WAITS: &str = "ps -eo args | grep -c '[w]aits-for-go'";

fn stop_is(event: &Event, wanted: StopHow) -> bool {
    matches!(event, Event::StopRequested { how, .. } if *how == wanted)
}

#[test]
fn interrupts_finish_cancel_and_leave() {
    let lab = Lab::raise();
    let runbook = lab.write("slow.yaml", SLOW);

    once(&lab, &runbook);
    twice(&lab, &runbook);
    three_times(&lab, &runbook);
}

/// What runs ends, nothing new is started.
fn once(lab: &Lab, runbook: &std::path::Path) {
    let desk = Desk::new(lab, "once");
    let mut live = desk.start(&desk.begin(runbook, &[]));
    until_ledger(lab, "app1", "start 1");
    live.interrupt();
    desk.wait(&mut live, "the run is to finish", |event| stop_is(event, StopHow::Finish));
    go(lab, "app1");
    let said = live.ended().is(22);
    assert!(said.out.contains("blackstart resume"), "the next command is named: {said}");
    assert_eq!(lab.ledger("app1"), ["start 1", "end 1"]);
    desk.verify();
    desk.run(&["resume", "last"]).is(0);
    assert_eq!(lab.ledger("app1"), ["start 1", "end 1", "next 1"]);
}

/// What runs is ended, on the host.
fn twice(lab: &Lab, runbook: &std::path::Path) {
    fresh(lab, "app1");
    let desk = Desk::new(lab, "twice");
    let mut live = desk.start(&desk.begin(runbook, &[]));
    until_ledger(lab, "app1", "start 1");
    assert_eq!(lab.ok("app1", WAITS).trim(), "1", "the step can be seen in the process list");
    live.interrupt();
    desk.wait(&mut live, "the run is to finish", |event| stop_is(event, StopHow::Finish));
    live.interrupt();
    let said = live.ended().is(22);
    assert!(said.out.contains("blackstart resume"), "the next command is named: {said}");
    assert_eq!(super::said(lab.on("app1", WAITS)).trim(), "0", "nothing of the step is left");
    let cancelled = |event: &Event| match event {
        Event::JobEnded { job, outcome: Outcome::Failed { how: How::Cancelled }, .. } => {
            job.kind == JobKind::Run
        }
        _ => false,
    };
    assert!(desk.records().iter().any(|record| cancelled(&record.event)), "{said}");
    desk.verify();
    go(lab, "app1");
    desk.run(&["resume", "last"]).is(0);
    assert_eq!(lab.ledger("app1"), ["start 1", "start 2", "end 2", "next 1"]);
}

/// It leaves at once, even when the host does not answer; what runs there goes on.
fn three_times(lab: &Lab, runbook: &std::path::Path) {
    fresh(lab, "app1");
    let desk = Desk::new(lab, "thrice");
    let mut live = desk.start(&desk.begin(runbook, &[]));
    until_ledger(lab, "app1", "start 1");
    // So that the cancelling is surely still under way when the third one comes.
    lab.cut_link("app1");
    live.interrupt();
    desk.wait(&mut live, "the run is to finish", |event| stop_is(event, StopHow::Finish));
    live.interrupt();
    desk.wait(&mut live, "the run is to be cancelled", |event| stop_is(event, StopHow::Cancel));
    live.interrupt();
    live.ended().is(22);
    desk.verify();
    assert_eq!(lab.ok("app1", WAITS).trim(), "1", "the step goes on");
    go(lab, "app1");
    until_ledger(lab, "app1", "end 1");
    lab.heal_link("app1");
    desk.run(&["resume", "last"]).is(0);
    assert_eq!(lab.ledger("app1"), ["start 1", "end 1", "next 1"]);
    let by_receipt =
        |event: &Event| matches!(event, Event::ReceiptRead { found: Found::Ended(Outcome::Succeeded), .. });
    assert!(desk.records().iter().any(|record| by_receipt(&record.event)));
}
