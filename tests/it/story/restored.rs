//! What a drill left behind: nothing is called taken back that was not.

use super::{rich, story_of, told};
use crate::report::{timeline, well};
use crate::report_site::Run;
use blackstart::model::Time;
use blackstart::model::event::{Event, Mode, Scope, Seen, UndoEnd, Verdict};
use blackstart::model::names::TaskIx;
use blackstart::report::facts::RunFacts;
use blackstart::report::restored::Restoration;
use blackstart::report::story::{self, Lang, Story};
use blackstart::report::{Look, Tails, recap};

fn as_drill(mut events: Vec<(Time, Event)>) -> Vec<(Time, Event)> {
    if let Event::RunStarted { mode, .. } = &mut events[0].1 {
        *mode = Mode::Drill;
    }
    events
}

fn left(run: &Run, events: &[(Time, Event)]) -> Restoration {
    RunFacts::told(&timeline(run, events)).restoration.expect("a drill that is over")
}

/// A drill that left something behind, compared with an earlier run.
pub fn drill(lang: Lang) -> Story {
    let (run, events) = rich::run_and_events();
    let mut story = told(run.plan, &as_drill(events), false, lang);
    story.compared = Some(story::compare(&story, &story_of(&well(), lang)));
    story
}

#[test]
fn what_is_still_in_place_is_named() {
    let run = well();
    let events = as_drill(run.events().0);
    let told = left(&run, &events);
    assert!(!told.restored);
    assert_eq!(told.cut, ["isp-uplink", "vendor-vpn"]);
    assert_eq!(told.by_hand, ["declare-clean"]);
    let in_place: Vec<&str> = told.in_place.iter().map(|one| one.step.as_str()).collect();
    assert!(in_place.contains(&"cut-isp") && in_place.contains(&"stop-db"), "{in_place:?}");
    assert!(told.taken_back.is_empty());
    let text = recap(&timeline(&run, &events), &Tails::default(), &Look::plain("0193"));
    assert!(text.contains("NOT AS IT WAS when the drill began\n"), "{text}");
    assert!(text.contains("  cut-isp on edge-fw: not taken back\n"), "{text}");
    assert!(text.contains("rollback 0193 --reopen"), "{text}");
}

#[test]
fn only_a_drill_that_is_over_is_asked_what_it_left() {
    let run = well();
    let live = run.events().0;
    assert!(RunFacts::told(&timeline(&run, &live)).restoration.is_none());
    let drill = as_drill(live);
    let going_on = &drill[..drill.len() - 1];
    assert!(RunFacts::told(&timeline(&run, going_on)).restoration.is_none());
}

/// Undoes every task of the plan that has to be, in reverse order, as an operator's rollback would.
fn taken_back(
    run: &Run,
    mut events: Vec<(Time, Event)>,
    end: impl Fn(&str) -> UndoEnd,
) -> Vec<(Time, Event)> {
    let at = events.last().expect("it ran").0;
    let state = timeline(run, &events).state;
    let rollback =
        Event::RollbackStarted { scope: Scope::Run, reopen: true, by: "ops".to_owned(), consent: Vec::new() };
    events.push((at, rollback));
    for task in (0..run.plan.tasks.len() as u32).rev().map(TaskIx) {
        if state.may_have_changed(task) {
            let step = run.plan.step_of(task).id.as_str();
            events.push((at, Event::UndoEnded { task, end: end(step) }));
        }
    }
    let stuck =
        events.iter().any(|(_, event)| matches!(event, Event::UndoEnded { end: UndoEnd::Impossible, .. }));
    let verdict = if stuck { Verdict::Stuck } else { Verdict::RolledBack };
    events.push((at, Event::RunEnded { verdict }));
    events
}

#[test]
fn a_drill_that_was_taken_back_tells_what_it_could_not_take_back() {
    let run = well();
    let events = as_drill(run.events().0);
    let all = left(&run, &taken_back(&run, events.clone(), |_| UndoEnd::NotNeeded));
    assert_eq!((all.in_place.len(), all.cut.len()), (0, 0), "{all:?}");
    assert_eq!(all.by_hand, ["declare-clean"], "only people know");
    assert!(all.taken_back.iter().any(|step| step == "stop-db"), "{all:?}");
    let one = |step: &str| match step {
        "stop-db" => UndoEnd::Impossible,
        _ => UndoEnd::NotNeeded,
    };
    let some = left(&run, &taken_back(&run, events, one));
    let in_place: Vec<&str> = some.in_place.iter().map(|one| one.step.as_str()).collect();
    assert_eq!(in_place, ["stop-db"]);
}

#[test]
fn services_that_stand_otherwise_are_named() {
    let (run, events) = rich::run_and_events();
    let events = as_drill(events);
    let services = left(&run, &events).services;
    assert_eq!(services.len(), 1, "records is up again, and cloud-idp is down: {services:?}");
    assert_eq!(services[0].service, "cloud-idp");
    let story = told(run.plan.clone(), &events, false, Lang::Ja);
    let page = story::markdown(&story, &super::says(Lang::Ja));
    assert!(page.contains("原状回復の確認") && page.contains("【訓練】「ministry-office」"), "{page}");
    assert!(page.contains("停止：records（計2分30秒）"), "{page}");
}

#[test]
fn paths_that_are_not_open_again_are_named() {
    let run = well();
    let mut events = taken_back(&run, as_drill(run.events().0), |_| UndoEnd::Undone);
    let seen = |probe: &str, seen: &str| Seen {
        what: format!("tcp {probe}"),
        expected: "open".to_owned(),
        seen: seen.to_owned(),
        agrees: seen == "open",
        probe: probe.to_owned(),
        before: None,
    };
    let before = vec![seen("a", "open"), seen("b", "open"), seen("c", "closed: refused")];
    let start = events[0].0;
    events.retain(|(_, event)| !matches!(event, Event::Baseline { .. }));
    events.insert(1, (start, Event::Baseline { probes: before, because: String::new() }));
    let again = vec![seen("a", "open"), seen("b", "closed: no answer"), seen("c", "closed: refused")];
    let (end, last) = (events.last().expect("it ended").0, events.len() - 1);
    events.insert(last, (end, Event::LookedAfter { probes: again, because: String::new() }));
    let told = left(&run, &events);
    let paths = told.paths.as_ref().expect("somebody looked");
    assert_eq!((paths.open, paths.of, told.restored), (1, 2, false));
    assert_eq!(paths.not_open[0].what, "tcp b", "the third was not open before");
    let text = recap(&timeline(&run, &events), &Tails::default(), &Look::plain("0193"));
    assert!(text.contains("; 1 of 2 paths open again\n"), "{text}");
    assert!(text.contains("  tcp b: closed: no answer, and was open when the drill began\n"), "{text}");
}
