//! Objectives as scores: every kind of moment, by how much, where the time went, and the exit code of a drill.

use super::{rich, stories};
use crate::report::{stuck, timeline, well};
use crate::report_site::{Reply, Run, nothing_goes_wrong};
use blackstart::engine::Status;
use blackstart::model::event::{Event, Job, JobKind, Mode};
use blackstart::model::runbook::Moment;
use blackstart::model::{Millis, Time};
use blackstart::plan::frozen::PlannedObjective;
use blackstart::report::clocks::Reminders;
use blackstart::report::score::{self, ObjectiveFacts, Score};
use blackstart::report::story::compare::ComparedKind;
use blackstart::report::story::told::{Met, What};
use blackstart::report::story::{self, Lang};

const DAY: Millis = Millis::from_secs(86_400);

fn objective(from: Moment, to: Moment, within: Millis) -> PlannedObjective {
    PlannedObjective { name: "it".to_owned(), from, to, within, remind: Vec::new() }
}

/// How one objective of the run that has everything to tell stands.
fn scored(from: Moment, to: Moment, within: Millis) -> (Score, ObjectiveFacts) {
    let (mut run, events) = rich::run_and_events();
    run.plan.objectives = vec![objective(from, to, within)];
    let told = timeline(&run, &events);
    (score::scores(&told.state).remove(0), score::facts(&told).remove(0))
}

#[test]
fn services_start_and_stop_clocks() {
    let (down, up) = (Moment::ServiceDown("records".into()), Moment::ServiceUp("records".into()));
    let (late, facts) = scored(down.clone(), up.clone(), Millis::from_secs(120));
    assert_eq!((late.standing, late.late_ms), (Met::Missed, Some(30_000)));
    assert_eq!(facts.spent_ms.values().sum::<u64>(), 150_000);
    let (in_time, _) = scored(down, up.clone(), Millis::from_secs(150));
    assert_eq!((in_time.standing, in_time.late_ms), (Met::Met, Some(0)));
    let (again, _) = scored(Moment::Start, up.clone(), Millis::from_secs(155));
    let taken = again.took.expect("it came");
    assert_eq!(
        (again.standing, taken),
        (Met::Missed, Millis::from_secs(156)),
        "up before the break counts not"
    );
    let (never, facts) = scored(Moment::Start, Moment::ServiceUp("cloud-idp".into()), DAY);
    assert_eq!((never.standing, facts.took_ms, facts.late_ms), (Met::NotReached, None, None));
}

#[test]
fn a_clock_that_never_started_is_no_miss() {
    let (mut run, mut events) = rich::run_and_events();
    events.retain(
        |(_, event)| !matches!(event, Event::ServiceSeen { service, .. } if service.as_str() == "records"),
    );
    let records = |up: bool| match up {
        true => Moment::ServiceUp("records".into()),
        false => Moment::ServiceDown("records".into()),
    };
    run.plan.objectives = vec![objective(records(false), records(true), DAY)];
    as_drill(&mut events);
    let state = timeline(&run, &events).state;
    assert_eq!(score::scores(&state)[0].standing, Met::NotStarted);
    assert_eq!(code(&state), 0);
}

#[test]
fn a_backup_tells_what_is_lost_at_most() {
    let (mut run, events) = rich::run_and_events();
    let backup = Moment::Backup("restore-db".into());
    run.plan.objectives = vec![objective(backup.clone(), Moment::Start, DAY)];
    let told = timeline(&run, &events);
    let start = told.state.started_at().unwrap();
    let scores = score::scores(&told.state);
    assert_eq!(scores[0].took, Some(start.since(Time(1_795_000_000_000))));
    assert_eq!(scores[0].standing, Met::Missed, "it is older than a day");
    assert!(score::facts(&told)[0].spent_ms.is_empty(), "what lies before the run is nobody's work");
    run.plan.objectives = vec![objective(Moment::Backup("stop-db".into()), Moment::Start, DAY)];
    let told = timeline(&run, &events);
    assert_eq!(score::scores(&told.state)[0].standing, Met::NotStarted, "a step that looked at no backup");
}

/// The parts of an objective's time add up to it, in every story there is, and people are told from work.
#[test]
fn where_the_time_went_adds_up() {
    let mut told = 0;
    for (name, story) in stories(Lang::En) {
        for one in story.objectives.iter().filter(|one| one.took_ms.is_some()) {
            assert_eq!(one.spent.values().sum::<u64>(), one.took_ms.unwrap(), "{name}: {}", one.name);
            assert!(one.slowest.is_some(), "{name}: {}", one.name);
            told += 1;
        }
    }
    assert!(told > 6, "{told} objectives came to something");
    let (_, facts) = scored(Moment::Start, Moment::Step("start-app".into()), DAY);
    // Asked for 90 s and 30 s after the isolation; the rest is work.
    assert_eq!(facts.spent_ms[&What::People], 120_000, "{facts:?}");
    assert_eq!(facts.spent_ms[&What::Work] + 120_000, facts.took_ms.unwrap(), "{facts:?}");
    let (_, later) = scored(Moment::Phase("isolate".into()), Moment::Step("stop-db".into()), DAY);
    assert_eq!(later.spent_ms[&What::People], 120_000, "{later:?}");
    let (_, waits) = scored(Moment::Step("first-reset".into()), Moment::Step("second-reset".into()), DAY);
    assert_eq!(waits.spent_ms[&What::Timer], 36_000_000, "{waits:?}");
}

#[test]
fn a_missed_objective_is_the_exit_code_of_a_drill_and_of_nothing_else() {
    let exit = |run: &Run, mode: Mode, within: Millis| {
        let run = &mut Run { plan: run.plan.clone(), ..*run };
        let (mut events, _) = run.events();
        if let Event::RunStarted { mode: of_run, .. } = &mut events[0].1 {
            *of_run = mode;
        }
        run.plan.objectives = vec![objective(Moment::Start, Moment::Phase("isolate".into()), within)];
        code(&timeline(run, &events).state)
    };
    let short = Millis::from_secs(1);
    assert_eq!(exit(&well(), Mode::Drill, DAY), 0);
    assert_eq!(exit(&well(), Mode::Drill, short), score::MISSED);
    assert_eq!(exit(&well(), Mode::Live, short), 0);
    assert_eq!(exit(&stuck(), Mode::Drill, short), 21, "what a person must look at comes first");
}

#[test]
fn what_got_slower_is_told() {
    let then = super::story_of(&well(), Lang::En);
    let slow = |step: &str, host: &str, job: Job| match (step, job.kind) {
        ("stop-db", JobKind::Run) => Reply::well(63),
        _ => nothing_goes_wrong(step, host, job),
    };
    let mut now = super::story_of(&Run { world: &slow, ..well() }, Lang::En);
    let compared = story::compare(&now, &then);
    let of = |kind: ComparedKind, name: &str| {
        compared.lengths.iter().find(|one| one.kind == kind && one.name == name).unwrap()
    };
    assert_eq!(of(ComparedKind::Step, "stop-db").slower_ms, Some(60_000));
    assert_eq!(of(ComparedKind::Step, "cut-isp").slower_ms, Some(0));
    assert_eq!(of(ComparedKind::Objective, "records back").slower_ms, Some(60_000));
    assert_eq!(of(ComparedKind::Objective, "isolated").slower_ms, Some(0));
    assert!(compared.same_plan);
    let first = compared.lengths.iter().find(|one| one.kind == ComparedKind::Step).unwrap();
    assert_eq!(first.name, "stop-db", "what is slower comes first");
    let stopped = story::compare(&super::story_of(&crate::report::stopped(), Lang::En), &then);
    let missing = stopped.lengths.iter().find(|one| one.name == "records back").unwrap();
    assert_eq!((missing.now_ms, missing.slower_ms), (None, None), "what was not reached took no time");
    now.compared = Some(compared);
    let page = story::markdown(&now, &super::says(Lang::En));
    assert!(page.contains("| stop-db | Step | 3.0s | 1m 03s | +1m 00s |"), "{page}");
    assert!(story::html(&now, &super::says(Lang::En)).contains("+1m 00s"));
}

#[test]
fn clocks_remind_people_once_and_say_when_time_is_over() {
    let mut run = well();
    let within = Millis::from_secs(600);
    run.plan.objectives = vec![PlannedObjective {
        remind: vec![Millis::from_secs(120), Millis::from_secs(60)],
        ..objective(Moment::Start, Moment::Step("second-reset".into()), within)
    }];
    let (events, _) = run.events();
    let isolated = events.iter().position(|(_, event)| matches!(event, Event::PhaseEnded { .. })).unwrap();
    let state = timeline(&run, &events[..=isolated]).state;
    let start = state.started_at().unwrap();
    let (mut reminders, mut said) = (Reminders::default(), Vec::new());
    for second in 0..700 {
        let now = start + Millis::from_secs(second);
        said.extend(reminders.due(&state, now).into_iter().map(|text| (second, text)));
    }
    let said: Vec<(u64, &str)> = said.iter().map(|(second, text)| (*second, text.as_str())).collect();
    assert_eq!(
        said,
        [
            (480, "objective `it`: 2m 00s left of 10m 00s"),
            (540, "objective `it`: 1m 00s left of 10m 00s"),
            (600, "the time of objective `it` is over: 10m 00s were allowed"),
        ]
    );
    let late = Reminders::default().due(&state, start + Millis::from_secs(590));
    assert_eq!(late, ["objective `it`: 10.0s left of 10m 00s"], "one word for all that is due");
    let over = timeline(&run, &events).state;
    assert!(Reminders::default().due(&over, start + Millis::from_secs(700)).is_empty(), "the run is over");
}

fn as_drill(events: &mut [(Time, Event)]) {
    if let Event::RunStarted { mode, .. } = &mut events[0].1 {
        *mode = Mode::Drill;
    }
}

fn code(state: &blackstart::engine::RunState) -> u8 {
    match state.status() {
        Status::Ended(verdict) => score::exit_code(state, verdict),
        other => panic!("the run ended: {other:?}"),
    }
}
