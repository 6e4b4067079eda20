//! What earlier runs show: trends, due dates, and which run counts for what. Runs are made by hand here, and by the engine
//! itself where it matters what a run shows.

mod audit;

use crate::report::{stopped, well};
use crate::report_site::Run;
use crate::story::says;
use blackstart::load;
use blackstart::model::Event;
use blackstart::model::Time;
use blackstart::model::event::{Before, Mode, Seen, StopReason, Verdict};
use blackstart::model::every::Every;
use blackstart::model::names::RunId;
use blackstart::model::place::Sources;
use blackstart::model::policy::Policy;
use blackstart::report::Timeline;
use blackstart::report::past::readiness::{Due, Readiness, Today};
use blackstart::report::past::run::StepShown;
use blackstart::report::past::{Asked, Past, Shown, history_json, history_of, readiness};
use blackstart::report::runs::Standing;
use blackstart::report::story::Lang;
use blackstart::report::story::ledger::{BackupTold, Improvement, Journal};
use blackstart::report::story::told::{Met, Objective};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;

pub fn moment(text: &str) -> Time {
    Time::parse(text).unwrap_or_else(|| panic!("{text} is no moment"))
}

/// A policy with this body.
pub fn policy(body: &str) -> Policy {
    let text = format!("version: 1\nname: test\n{body}\n");
    let loaded = load::policy_text(&mut Sources::default(), "p.yaml", &text);
    loaded.value.unwrap_or_else(|| panic!("{:?}", loaded.problems))
}

/// A drill of runbook `r` that completed and ended then.
pub fn drill(ended: &str) -> Shown {
    let at = moment(ended);
    let mut run = of_engine(&well(), Mode::Drill);
    run.runbook = "r".to_owned();
    run.improvements.clear();
    run.objectives.clear();
    run.plan_of_today = Some(true);
    (run.started, run.ended) = (Some(Time(at.0 - 3_600_000)), Some(at));
    run
}

/// What a run of the engine's own shows.
pub fn of_engine(run: &Run, mode: Mode) -> Shown {
    of_events(run, mode, run.events().0)
}

fn of_events(run: &Run, mode: Mode, mut events: Vec<(Time, Event)>) -> Shown {
    if let Event::RunStarted { mode: own, .. } = &mut events[0].1 {
        *own = mode;
    }
    let timeline =
        Timeline::of(Arc::new(run.plan.clone()), &events).expect("the engine's own events make sense");
    let journal = Journal {
        plan: "0".repeat(64),
        head: "f".repeat(64),
        records: events.len() as u64,
        torn_bytes: None,
    };
    Shown::of(&timeline, journal, 0, None, Time(0), &says(Lang::En))
}

/// Runs under ids that sort in this order.
pub fn pasts(runs: impl IntoIterator<Item = Shown>) -> Vec<Past> {
    let past = |(at, shown): (usize, Shown)| Past {
        run: format!("{at:012}"),
        id: RunId(format!("{at:032}")),
        shown: Ok(Box::new(shown)),
    };
    runs.into_iter().enumerate().map(past).collect()
}

/// How it stands at a moment.
pub fn at(policy: &Policy, runs: &[Past], now: &str) -> Readiness {
    asked(policy, runs, now, true, None)
}

fn asked(policy: &Policy, runs: &[Past], now: &str, is_now: bool, within: Option<&str>) -> Readiness {
    let today = Today { plan: Some("0".repeat(64)), because: None };
    readiness(Asked {
        policy,
        runs,
        today: BTreeMap::from([("r".to_owned(), today)]),
        at: moment(now),
        is_now,
        zone: TimeZone::UTC,
        within: within.map(|within| Every::parse(within).unwrap()),
    })
}

/// `due day, days left, standing` of the first duty.
fn first(told: &Readiness) -> (String, Option<i64>, Due) {
    let duty = &told.duties[0];
    (duty.due_on.map_or_else(|| "-".to_owned(), |day| day.to_string()), duty.days_left, duty.standing)
}

#[test]
fn due_dates_follow_the_calendar() {
    for (zone, every, done, now, due, left, standing) in [
        // Whole months, and months that are too short.
        ("UTC", "3 months", "2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z", "2027-02-22", 92, Due::InTime),
        ("UTC", "1 month", "2026-01-31T10:00:00Z", "2026-02-28T23:59:59Z", "2026-02-28", 0, Due::InTime),
        ("UTC", "1 month", "2026-01-31T10:00:00Z", "2026-03-01T00:00:00Z", "2026-02-28", -1, Due::Overdue),
        ("UTC", "1 month", "2028-01-31T10:00:00Z", "2028-02-29T12:00:00Z", "2028-02-29", 0, Due::InTime),
        ("UTC", "1 year", "2028-02-29T10:00:00Z", "2029-02-28T10:00:00Z", "2029-02-28", 0, Due::InTime),
        ("UTC", "15 months", "2026-11-30T10:00:00Z", "2027-11-30T10:00:00Z", "2028-02-29", 91, Due::InTime),
        ("UTC", "30 days", "2026-12-15T10:00:00Z", "2027-01-20T10:00:00Z", "2027-01-14", -6, Due::Overdue),
        // It is tomorrow in Tokyo already, and still yesterday in New York.
        (
            "Asia/Tokyo",
            "1 month",
            "2026-03-30T15:30:00Z",
            "2026-03-30T16:00:00Z",
            "2026-04-30",
            30,
            Due::InTime,
        ),
        ("Asia/Tokyo", "1 day", "2026-03-31T14:59:00Z", "2026-04-01T14:59:00Z", "2026-04-01", 0, Due::InTime),
        (
            "Asia/Tokyo",
            "1 day",
            "2026-03-31T14:59:00Z",
            "2026-04-01T15:00:00Z",
            "2026-04-01",
            -1,
            Due::Overdue,
        ),
        (
            "America/New_York",
            "1 month",
            "2026-03-31T03:30:00Z",
            "2026-04-01T03:00:00Z",
            "2026-04-30",
            30,
            Due::InTime,
        ),
        // A night in which the clocks change has 23 hours, and is a day.
        (
            "Europe/Berlin",
            "1 day",
            "2026-03-28T22:59:00Z",
            "2026-03-29T21:59:00Z",
            "2026-03-29",
            0,
            Due::InTime,
        ),
        (
            "Europe/Berlin",
            "1 day",
            "2026-03-28T22:59:00Z",
            "2026-03-29T22:00:00Z",
            "2026-03-29",
            -1,
            Due::Overdue,
        ),
    ] {
        let policy = policy(&format!("zone: {zone}\nrehearse: [{{ runbook: r, every: {every} }}]"));
        let told = at(&policy, &pasts([drill(done)]), now);
        assert_eq!(
            first(&told),
            (due.to_owned(), Some(left), standing),
            "{zone}: {every} after {done} at {now}"
        );
        assert_eq!(told.overdue, usize::from(standing == Due::Overdue), "{every} after {done}");
    }
}

#[test]
fn what_was_never_done_is_due_at_once_or_since_the_policy_is_in_force() {
    let rehearse = "rehearse: [{ runbook: r, every: 3 months }]";
    let now = "2026-11-22T10:00:00Z";
    for (since, due, left, standing) in [
        ("", "-", None, Due::Never),
        ("since: 2026-10-01", "2027-01-01", Some(40), Due::InTime),
        ("since: 2026-08-22", "2026-11-22", Some(0), Due::InTime),
        ("since: 2026-08-21", "2026-11-21", Some(-1), Due::Never),
        ("since: 2027-01-31", "2027-04-30", Some(159), Due::InTime),
    ] {
        let told = at(&policy(&format!("{since}\n{rehearse}")), &[], now);
        assert_eq!(first(&told), (due.to_owned(), left, standing), "{since}");
        assert_eq!(told.overdue, usize::from(standing == Due::Never), "{since}");
    }
}

#[test]
fn what_falls_due_soon_is_told_when_asked_for() {
    let policy = policy("rehearse: [{ runbook: r, every: 30 days }]");
    let runs = pasts([drill("2026-11-01T10:00:00Z")]);
    for (within, standing) in [
        (None, Due::InTime),
        (Some("9 days"), Due::InTime),
        (Some("10 days"), Due::Soon),
        (Some("1 year"), Due::Soon),
    ] {
        let told = asked(&policy, &runs, "2026-11-21T10:00:00Z", true, within);
        assert_eq!(
            (told.duties[0].standing, told.soon),
            (standing, usize::from(standing == Due::Soon)),
            "{within:?}"
        );
    }
    let told = asked(&policy, &runs, "2026-12-02T10:00:00Z", true, Some("1 year"));
    assert_eq!((told.duties[0].standing, told.soon, told.overdue), (Due::Overdue, 0, 1));
}

/// Why the only run does not count for the first duty; empty if it does.
fn because(body: &str, run: Shown) -> String {
    let told = at(&policy(body), &pasts([run]), "2026-11-22T10:00:00Z");
    let duty = &told.duties[0];
    assert_eq!(duty.last.is_some(), duty.not_counted.is_empty(), "it counts or it does not: {duty:?}");
    duty.not_counted.first().map_or_else(String::new, |one| one.because.clone())
}

const DONE: &str = "2026-11-20T10:00:00Z";

fn as_mode(mode: Mode) -> Shown {
    Shown { mode: Some(mode), ..drill(DONE) }
}

fn with_objective(standing: Met) -> Shown {
    let objective = Objective {
        name: "back".to_owned(),
        from: "start".to_owned(),
        to: "end".to_owned(),
        within_ms: 1000,
        took_ms: Some(900),
        standing,
        late_ms: None,
        rto: false,
        spent: BTreeMap::new(),
        slowest: None,
    };
    Shown { objectives: vec![objective], ..drill(DONE) }
}

#[test]
fn only_what_is_near_enough_to_the_real_thing_counts_as_a_rehearsal() {
    for (wanted, mode, trouble) in [
        ("tabletop", Mode::Tabletop, ""),
        ("tabletop", Mode::Drill, ""),
        ("tabletop", Mode::Live, ""),
        ("drill", Mode::Tabletop, "it is a tabletop and no drill"),
        ("drill", Mode::Drill, ""),
        ("drill", Mode::Live, ""),
        ("live", Mode::Tabletop, "it is a tabletop and no live"),
        ("live", Mode::Drill, "it is a drill and no live"),
        ("live", Mode::Live, ""),
    ] {
        let body = format!("rehearse: [{{ runbook: r, as: {wanted}, every: 1 year }}]");
        assert_eq!(because(&body, as_mode(mode)), trouble, "{wanted} by a {mode:?}");
    }
}

#[test]
fn only_what_came_to_what_is_asked_for_counts() {
    let stopped = Shown {
        standing: Standing::Ended(Verdict::Stopped { because: StopReason::WaitingForPeople }),
        exit_code: Some(22),
        ..drill(DONE)
    };
    let missed = Shown { exit_code: Some(24), ..with_objective(Met::Missed) };
    let goes_on = Shown { ended: None, exit_code: None, standing: Standing::Interrupted, ..drill(DONE) };
    let narrowed = Shown { narrowed: Some("not in --phase cut".to_owned()), ..drill(DONE) };
    let edited = Shown { plan_of_today: Some(false), ..drill(DONE) };
    let unknown = Shown { plan_of_today: None, ..drill(DONE) };
    for (keys, run, trouble) in [
        ("", drill(DONE), ""),
        ("", stopped.clone(), "not every step came through: stopped"),
        ("result: ended", stopped, ""),
        ("", missed.clone(), ""),
        ("result: met", missed, "an objective was missed, or none was met"),
        ("result: met", drill(DONE), "an objective was missed, or none was met"),
        ("result: met", with_objective(Met::NotStarted), "an objective was missed, or none was met"),
        ("result: met", with_objective(Met::NotReached), "an objective was missed, or none was met"),
        ("result: met", with_objective(Met::Met), ""),
        ("result: ended", goes_on, "it has not ended: INTERRUPTED, resume it"),
        ("", narrowed.clone(), "it was not the whole runbook: not in --phase cut"),
        ("narrowed: true", narrowed, ""),
        ("plan: today", drill(DONE), ""),
        ("plan: any", edited.clone(), ""),
        ("plan: today", unknown, "it is not of the plan that the runbook's files make today"),
        ("plan: today", edited, "it is not of the plan that the runbook's files make today"),
    ] {
        let files = "runbooks: { r: { runbook: r.yaml, inventory: i.yaml } }";
        let comma = if keys.is_empty() { "" } else { ", " };
        let body = format!("{files}\nrehearse: [{{ runbook: r, every: 1 year{comma}{keys} }}]");
        assert_eq!(because(&body, run), trouble, "{keys}");
    }
    assert_eq!(
        at(&policy("rehearse: [{ runbook: other, every: 1 year }]"), &pasts([drill(DONE)]), DONE).duties[0]
            .not_counted
            .len(),
        0
    );
}

#[test]
fn what_lies_ahead_of_the_clock_is_no_evidence() {
    let rehearse = policy("rehearse: [{ runbook: r, as: tabletop, every: 1 year }]");
    let now = "2026-11-19T10:00:00Z";
    let told = at(&rehearse, &pasts([drill(DONE)]), now);
    assert_eq!((told.duties[0].standing, told.duties[0].not_counted.len()), (Due::Never, 1));
    assert!(told.duties[0].not_counted[0].because.contains("on 2026-11-20: a clock is wrong"));
    // As of an earlier day, what came later has not happened yet.
    let told = asked(&rehearse, &pasts([drill(DONE)]), now, false, None);
    assert_eq!((told.duties[0].standing, told.duties[0].not_counted.len()), (Due::Never, 0));
    // A tabletop of two virtual days that was played a moment ago was today.
    let played = Shown { started: Some(moment(now)), ..as_mode(Mode::Tabletop) };
    assert_eq!(
        first(&at(&rehearse, &pasts([played]), now)),
        ("2027-11-19".to_owned(), Some(365), Due::InTime)
    );
}

#[test]
fn the_newest_run_that_counts_counts_and_newer_ones_are_named() {
    let policy = policy("rehearse: [{ runbook: r, every: 1 year }]");
    let tabletop = |day: &str| Shown { mode: Some(Mode::Tabletop), ..drill(day) };
    let runs = pasts([
        tabletop("2026-01-01T10:00:00Z"),
        drill("2026-03-01T10:00:00Z"),
        drill("2026-02-01T10:00:00Z"),
        tabletop("2026-04-01T10:00:00Z"),
        tabletop("2026-05-01T10:00:00Z"),
    ]);
    let told = at(&policy, &runs, "2026-06-01T10:00:00Z");
    assert_eq!(told.duties[0].last.as_ref().unwrap().day.to_string(), "2026-03-01");
    let named: Vec<String> = told.duties[0].not_counted.iter().map(|one| one.at.to_string()).collect();
    assert_eq!(named, ["2026-05-01T09:00:00.000Z", "2026-04-01T09:00:00.000Z"]);
}

fn with_proofs() -> Shown {
    let (gate_at, step_at) = (moment("2026-11-20T09:10:00Z"), moment("2026-11-20T09:30:00Z"));
    let mut run = drill(DONE);
    run.all_steps.extend(["gate", "load", "start", "sample"].map(str::to_owned));
    run.all_services.extend(["db", "web"].map(str::to_owned));
    run.restored.insert("db".to_owned(), step_at);
    run.gates.insert("gate".to_owned(), vec!["load".to_owned(), "start".to_owned()]);
    run.backups.push(BackupTold {
        at: gate_at,
        step: "gate".to_owned(),
        host: None,
        taken: gate_at,
        files: 3,
        manifest_sha256: "a".repeat(64),
        signed_by: None,
    });
    for step in ["gate", "load", "start", "sample"] {
        let at = if step == "load" { step_at } else { gate_at };
        run.steps.insert(step.to_owned(), StepShown { at, did: step == "load" });
    }
    run
}

#[test]
fn what_was_restored_or_verified_is_proved_by_what_the_run_did() {
    let without = |change: &dyn Fn(&mut Shown)| {
        let mut run = with_proofs();
        change(&mut run);
        run
    };
    let nobody_came_through: &dyn Fn(&mut Shown) = &|run| {
        (run.standing, run.exit_code) = (Standing::Ended(Verdict::Stuck), Some(21));
    };
    let played: &dyn Fn(&mut Shown) = &|run| run.mode = Some(Mode::Tabletop);
    let at_a_table = "it was played at a table: no host has seen any of it";
    for (duty, change, trouble) in [
        ("restore: [{ service: db", &(|_: &mut Shown| {}) as &dyn Fn(&mut Shown), ""),
        ("restore: [{ service: web", &|_| {}, "`web` was not seen down and then up for good"),
        ("restore: [{ service: db", played, at_a_table),
        ("restore: [{ service: db", nobody_came_through, "not every step came through: STUCK"),
        ("restore: [{ backup: gate", &|_| {}, ""),
        ("restore: [{ backup: gate", &|run| run.backups.clear(), "`gate` did not find the backup whole"),
        (
            "restore: [{ backup: gate",
            &|run| drop(run.steps.remove_entry("start")),
            "not every step that needs the backup ended well",
        ),
        (
            "restore: [{ backup: gate",
            &|run| run.steps.get_mut("load").unwrap().did = false,
            "no step that needs the backup had anything to do",
        ),
        (
            "restore: [{ backup: gate",
            &|run| run.gates.get_mut("gate").unwrap().clear(),
            "no step that needs the backup had anything to do",
        ),
        ("restore: [{ step: load", &|_| {}, ""),
        ("restore: [{ step: start", &|_| {}, "step `start` had nothing to do"),
        (
            "restore: [{ step: load",
            &|run| drop(run.steps.remove_entry("load")),
            "step `load` did not end well",
        ),
        ("verify: [{ backup: gate", &|_| {}, ""),
        ("verify: [{ backup: gate", nobody_came_through, ""),
        ("verify: [{ backup: gate", played, at_a_table),
        ("verify: [{ backup: gate", &|run| run.backups.clear(), "`gate` did not find the backup whole"),
        ("verify: [{ step: sample", nobody_came_through, ""),
        (
            "verify: [{ step: sample",
            &|run| drop(run.steps.remove_entry("sample")),
            "step `sample` did not end well",
        ),
    ] {
        let body = format!("{duty}, every: 1 year }}]");
        assert_eq!(because(&body, without(change)), trouble, "{duty}");
    }
    for body in [
        "restore: [{ service: mail, every: 1 year }]",
        "verify: [{ step: nowhere, every: 1 year }]",
        "verify: [{ backup: gate, runbook: other, every: 1 year }]",
        "runbooks: { other: { runbook: o.yaml, inventory: i.yaml } }\nrestore: [{ service: db, every: 1 year }]",
    ] {
        let told = at(&policy(body), &pasts([with_proofs()]), DONE);
        assert!(told.duties[0].last.is_none() && told.duties[0].not_counted.is_empty(), "{body}");
    }
    // It counts from when it was so, not from when the run ended.
    let told = at(&policy("restore: [{ service: db, every: 1 year }]"), &pasts([with_proofs()]), DONE);
    assert_eq!(told.duties[0].last.as_ref().unwrap().at.to_string(), "2026-11-20T09:30:00.000Z");
}

#[test]
fn items_are_closed_in_time_too_late_or_not_at_all() {
    let item = |text: &str| Improvement {
        observation: text.to_owned(),
        recommendation: "mend it".to_owned(),
        owner: None,
        due: None,
    };
    let with_items = |day: &str| Shown { improvements: vec![item("slow")], ..drill(day) };
    let runs = pasts([
        with_items("2026-01-10T10:00:00Z"),
        with_items("2026-05-10T10:00:00Z"),
        drill("2026-05-11T10:00:00Z"),
        with_items("2026-06-10T10:00:00Z"),
    ]);
    let closed = |run: usize, on: &str| format!("{{ run: '{run:012}', on: {on}, by: ann }}");
    let policy_with = |closed: &[String]| {
        policy(&format!("since: 2026-02-01\nimprove: {{ within: 90 days, closed: [{}] }}", closed.join(", ")))
    };
    let now = "2026-09-01T10:00:00Z";
    let standings = |told: &Readiness| -> Vec<(Option<Due>, Option<bool>)> {
        told.improve.iter().map(|one| (one.standing, one.closed.as_ref().map(|by| by.in_time))).collect()
    };
    // What was before the policy is left out, and so is a run without items; 8 August is over, 8 September is not.
    let runs: Vec<Past> = runs
        .into_iter()
        .map(|past| Past { id: RunId(format!("{}{}", past.run, "0".repeat(20))), ..past })
        .collect();
    let told = at(&policy_with(&[]), &runs, now);
    assert_eq!(standings(&told), [(Some(Due::Overdue), None), (Some(Due::InTime), None)]);
    assert_eq!((told.improve[0].due_on.unwrap().to_string().as_str(), told.overdue), ("2026-08-08", 1));
    let told = at(&policy_with(&[closed(1, "2026-08-08"), closed(3, "2026-09-02")]), &runs, now);
    assert_eq!(standings(&told), [(None, Some(true)), (Some(Due::InTime), None)], "nobody closes tomorrow");
    let told = at(
        &policy_with(&[closed(1, "2026-08-09"), closed(3, "2026-06-09"), closed(7, "2026-08-01")]),
        &runs,
        now,
    );
    assert_eq!(standings(&told), [(None, Some(false)), (Some(Due::InTime), None)], "nor before the run");
    assert_eq!(told.closed_in_vain, ["000000000007"]);
}

#[test]
fn trends_tell_slower_from_faster_against_the_run_before_and_the_median() {
    let took = |ms: Option<u64>, mode: Mode| {
        let standing = if ms.is_some_and(|ms| ms <= 1000) { Met::Met } else { Met::Missed };
        let standing = if ms.is_none() { Met::NotReached } else { standing };
        let mut run = with_objective(standing);
        run.objectives[0].took_ms = ms;
        run.mode = Some(mode);
        run
    };
    let (drill, live, table) = (Mode::Drill, Mode::Live, Mode::Tabletop);
    let mut runs = pasts([
        took(Some(800), drill),
        took(Some(1), table),
        took(Some(1200), live),
        took(None, drill),
        took(Some(900), drill),
        took(Some(1000), drill),
    ]);
    runs.push(Past { run: "x".to_owned(), id: RunId("x".to_owned()), shown: Err("torn".to_owned()) });
    let told = history_json(&history_of(&runs, None));
    let trend = &told["runbooks"][0]["objectives"][0];
    let wanted = serde_json::json!({
        "name": "back", "at_a_table": false, "runs": 5, "met": 3, "within_ms": 1000, "newest": "met",
        "run": format!("{:032}", 5), "newest_ms": 1000, "before_ms": 900, "against_before_ms": 100,
        "median_ms": 900, "against_median_ms": 100, "took_ms": [800, 1200, null, 900, 1000],
    });
    assert_eq!(*trend, wanted);
    assert_eq!(told["runbooks"][0]["objectives"][1]["at_a_table"], true);
    assert_eq!(told["runbooks"][0]["runs"][0]["run"], format!("{:032}", 5), "newest first");
    assert_eq!(told["broken"][0]["because"], "torn");
    assert_eq!(history_json(&history_of(&runs, Some("other")))["runbooks"].as_array().unwrap().len(), 0);
}

#[test]
fn a_run_of_the_engines_own_shows_what_it_did() {
    let run = of_engine(&well(), Mode::Live);
    assert!(run.came_through() && run.ended.is_some() && run.narrowed.is_none());
    assert!(!run.steps.is_empty() && run.steps.values().any(|step| step.did));
    assert!(run.steps.keys().all(|step| run.all_steps.contains(step)));
    let run = of_engine(&stopped(), Mode::Live);
    assert!(!run.came_through() && run.steps.len() < run.all_steps.len());
}

/// A look of a step that cuts, at what was open before and is closed after it, proves its cut; at a table a map answers.
#[test]
fn cuts_are_proved_by_looks_and_not_by_a_map() {
    let run = well();
    let mut events = run.events().0;
    let last = events.iter_mut().rev().find_map(|(_, event)| match event {
        Event::JobEnded { job, facts, .. } if run.plan.step_of(job.task).id.as_str() == "cut-vpn" => {
            Some(facts)
        }
        _ => None,
    });
    last.expect("it cuts").probes.push(Seen {
        what: "tcp vendor:443".to_owned(),
        expected: "closed".to_owned(),
        seen: "closed: no answer".to_owned(),
        agrees: true,
        probe: "vendor".to_owned(),
        before: Some(Before::Open),
    });
    let cuts = |mode: Mode| -> Vec<(String, bool)> {
        let shown = of_events(&run, mode, events.clone());
        shown.cuts.into_iter().map(|cut| (cut.conduit, cut.proved)).collect()
    };
    let both = |proved: bool| [("isp-uplink".to_owned(), false), ("vendor-vpn".to_owned(), proved)];
    assert_eq!(cuts(Mode::Live), both(true));
    assert_eq!(cuts(Mode::Drill), both(true));
    assert_eq!(cuts(Mode::Tabletop), both(false));
}
