//! Tabletops: the live engine over a world that a scenario describes.

mod again;

use blackstart::drive::tabletop::learnt::Part;
use blackstart::drive::tabletop::session::{Reply, Session};
use blackstart::drive::tabletop::{Learnt, Opening, Staging, Table, trials};
use blackstart::engine::Input;
use blackstart::load;
use blackstart::model::event::{JobKind, Stands, TaskEnd, UndoEnd, Verdict};
use blackstart::model::names::{RunId, StepId};
use blackstart::model::place::Sources;
use blackstart::model::scenario::Scenario;
use blackstart::model::{Event, Millis, Outcome, Time};
use blackstart::plan::{self, Choices, Plan};
use blackstart::report::trials::Trials;
use std::sync::Arc;

const START: Time = Time(1_795_300_000_000);

const SITE: &str = r#"
version: 1
name: office
zones: { internet: { trust: external }, dmz: {}, core: {}, management: {} }
conduits:
  isp:       { between: [internet, dmz] }
  mgmt-dmz:  { from: management, to: dmz }
  mgmt-core: { from: management, to: core }
  dmz-core:  { between: [dmz, core] }
controller: { zone: management }
services:
  web: { in: internet }
  portal: { on: app, needs: [web, records] }
  records: { on: db, probe: { tcp: "db:5432", from: app } }
defaults: { user: op, ssh_config: false }
hosts:
  fw: { address: 10.0.0.1, zone: dmz }
  app: { address: 10.0.0.2, zone: dmz }
  db: { address: 10.1.0.2, zone: core }
"#;

/// A staging of these phases with this scenario, both without their heads.
fn staged(phases: &str, scenario: &str) -> Arc<Staging> {
    let mut sources = Sources::default();
    let inventory = load::inventory_text(&mut sources, "i.yaml", SITE);
    let inventory = inventory.value.unwrap_or_else(|| panic!("{:?}", inventory.problems));
    let runbook = format!("version: 1\nname: r\n{phases}");
    let runbook = load::runbook_text(&mut sources, "r.yaml", &runbook);
    let runbook = runbook.value.unwrap_or_else(|| panic!("{:?}", runbook.problems));
    let choices = Choices::default();
    let (plan, _) = plan::compile(&inventory, &runbook, &choices, &|file| Err(format!("no {file}"))).unwrap();
    let read = load::scenario_text(&mut sources, "s.yaml", &format!("version: 1\nname: s\n{scenario}"));
    let scenario: Scenario = read.value.unwrap_or_else(|| panic!("{:?}", read.problems));
    let problems = load::rehearsed(&inventory, &runbook, &scenario);
    assert!(problems.0.is_empty(), "{problems:?}");
    Arc::new(Staging::of(plan, &inventory, &scenario, &Learnt::default()))
}

pub fn opening(plan: &Plan, seed: u64) -> Opening {
    Opening {
        run: RunId::from("7f3"),
        plan: plan::hash(plan),
        by: "op (facilitator)".into(),
        version: "0".into(),
        start: START,
        seed,
        trial: 0,
        jobs_at_once: 256,
        players_answer: true,
        tells_probes: true,
    }
}

/// A whole tabletop: how it ended, and what is on record.
fn played(staging: &Arc<Staging>, seed: u64) -> (Verdict, Vec<(Time, Event)>) {
    let mut events = Vec::new();
    let mut table = Table::open(staging.clone(), &opening(&staging.plan, seed));
    let verdict = table.play(&mut |at, event| events.push((at, event)));
    (verdict, events)
}

/// When an event came, in seconds after the start.
fn at(events: &[(Time, Event)], wanted: impl Fn(&Event) -> bool) -> Vec<u64> {
    events.iter().filter(|(_, event)| wanted(event)).map(|(at, _)| at.since(START).0 / 1000).collect()
}

fn runs_of(staging: &Staging, events: &[(Time, Event)], step: &str) -> Vec<u64> {
    let ix = staging.plan.step_named(step).unwrap();
    at(events, |event| match event {
        Event::JobStarted { job } => job.kind == JobKind::Run && staging.plan.tasks[job.task.at()].step == ix,
        _ => false,
    })
}

fn step_end(staging: &Staging, events: &[(Time, Event)], wanted: &str) -> Vec<u64> {
    let ix = staging.plan.step_named(wanted).unwrap();
    at(events, |event| matches!(event, Event::StepEnded { step, .. } if *step == ix))
}

const CUT_AND_LOAD: &str = r#"
phases:
  - id: cut
    steps:
      - { id: cut, on: fw, severs: isp, run: "true", undo: "true", estimate: 20s, retry: { attempts: 2, delay: 10s } }
  - id: restore
    on_failure: rollback
    steps:
      - { id: look, manual: "Look." }
      - { id: load, on: db, needs: look, run: "true", undo: "true", estimate: 15m, timeout: 1h }
      - { id: start, on: app, needs: load, approve: { people: 2 }, run: "true", undo: "true", estimate: 5m30s, timeout: 10m }
"#;

#[test]
fn without_a_scenario_everything_takes_what_the_plan_expects() {
    let staging = staged(CUT_AND_LOAD, "");
    let (verdict, events) = played(&staging, 1);
    assert_eq!(verdict, Verdict::Completed);
    let ends: Vec<u64> =
        ["cut", "look", "load", "start"].iter().flat_map(|step| step_end(&staging, &events, step)).collect();
    // 20 s; 10 min for a person; 15 min; consent is 5 min of the 5 min 30 s.
    assert_eq!(ends, [20, 620, 1520, 1850]);
    assert_eq!(events, played(&staging, 2).1, "nothing is left to chance");
}

#[test]
fn the_same_seed_tells_the_same_story_and_another_one_another() {
    let staging = staged(CUT_AND_LOAD, "durations: { load: { from: 1m, to: 50m } }");
    assert_eq!(played(&staging, 7), played(&staging, 7));
    let ends: Vec<u64> =
        (0..5).flat_map(|seed| step_end(&staging, &played(&staging, seed).1, "load")).collect();
    assert!(ends.iter().any(|end| *end != ends[0]), "{ends:?}");
    assert!(ends.iter().all(|end| (680..=3620).contains(end)), "{ends:?}");
}

#[test]
fn a_step_that_fails_once_is_tried_again_and_one_that_always_fails_is_taken_back() {
    let staging = staged(CUT_AND_LOAD, "faults: [{ fails: cut, times: 1 }]");
    let (verdict, events) = played(&staging, 1);
    assert_eq!((verdict, runs_of(&staging, &events, "cut")), (Verdict::Completed, vec![0, 30]));

    let staging = staged(CUT_AND_LOAD, "faults: [{ fails: start, on: app }]");
    let (verdict, events) = played(&staging, 1);
    assert_eq!(verdict, Verdict::RolledBack);
    let undone = at(&events, |event| matches!(event, Event::UndoEnded { end: UndoEnd::Undone, .. }));
    assert!(!undone.is_empty());

    let staging = staged(CUT_AND_LOAD, "faults: [{ fails: start }, { undo_fails: load }]");
    assert_eq!(played(&staging, 1).0, Verdict::Stuck);
}

#[test]
fn a_step_that_overruns_its_time_is_ended() {
    let staging = staged(CUT_AND_LOAD, "durations: { load: 2h }");
    let (verdict, events) = played(&staging, 1);
    assert_eq!(verdict, Verdict::RolledBack);
    assert_eq!(step_end(&staging, &events, "load"), [620 + 3600]);
}

#[test]
fn a_lost_link_is_unknown_until_the_receipt_tells() {
    let staging = staged(CUT_AND_LOAD, "faults: [{ link_lost: load }]");
    let (verdict, events) = played(&staging, 1);
    assert_eq!(verdict, Verdict::Completed);
    let unseen =
        at(&events, |event| matches!(event, Event::JobEnded { outcome: Outcome::Unknown { .. }, .. }));
    // In the middle of the 15 minutes; the receipt is there once the script has ended on its host.
    assert_eq!((unseen, runs_of(&staging, &events, "load").len()), (vec![1070], 1));
    assert_eq!(step_end(&staging, &events, "load"), [1520]);
}

#[test]
fn a_host_that_is_gone_is_not_reached_and_its_services_are_down() {
    let staging = staged(CUT_AND_LOAD, "faults: [{ unreachable: db, from: 1m, until: 30m }]");
    let (verdict, events) = played(&staging, 1);
    assert_eq!(verdict, Verdict::RolledBack);
    let not_started = at(&events, |event| {
        matches!(
            event,
            Event::TaskEnded { end: TaskEnd::Failed { outcome: Outcome::NotStarted { .. }, .. }, .. }
        )
    });
    assert_eq!(not_started.len(), 1);
    let records = at(
        &events,
        |event| matches!(event, Event::ServiceSeen { service, stands: Stands::Down, .. } if service.as_str() == "records"),
    );
    assert_eq!(records, [60]);
}

#[test]
fn people_take_their_time_and_say_no() {
    let slow = "people: { ann: { answers: look, takes: 20m }, bob: { answers: start, takes: 1m } }";
    let staging = staged(CUT_AND_LOAD, slow);
    let (verdict, events) = played(&staging, 1);
    assert_eq!((verdict, step_end(&staging, &events, "look")), (Verdict::Completed, vec![1220]));
    let who: Vec<&str> = events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Answered { answer } => Some(answer.by.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(who, ["ann", "bob", "player 1"]);

    let staging = staged(CUT_AND_LOAD, "people: { ann: { refuses: start } }");
    assert_eq!(played(&staging, 1).0, Verdict::Refused { by: "ann".into() });
}

#[test]
fn a_phase_that_asks_is_answered_as_the_scenario_says() {
    let asks = CUT_AND_LOAD.replace("on_failure: rollback", "on_failure: ask");
    let played_with = |decision: &str| {
        let scenario = format!("faults: [{{ fails: load, times: 1 }}]\n{decision}");
        played(&staged(&asks, &scenario), 1).0
    };
    assert!(matches!(played_with(""), Verdict::Stopped { .. }));
    assert_eq!(played_with("decisions: { restore: retry }"), Verdict::Completed);
    assert_eq!(played_with("decisions: { restore: rollback }"), Verdict::RolledBack);
}

#[test]
fn players_are_told_at_a_time_and_after_an_event() {
    let scenario = "injects: [{ at: 10m, tell: a }, { after: step look, at: 1m, tell: b }, { after: phase cut, tell: c }]";
    let staging = staged(CUT_AND_LOAD, scenario);
    let (_, events) = played(&staging, 1);
    let told: Vec<(u64, &str)> = events
        .iter()
        .filter_map(|(at, event)| match event {
            Event::Injected { text } => Some((at.since(START).0 / 1000, text.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(told, [(20, "c"), (600, "a"), (680, "b")]);
}

#[test]
fn nobody_is_told_anything_after_the_end() {
    let staging = staged(CUT_AND_LOAD, "");
    let mut table = Table::open(staging.clone(), &opening(&staging.plan, 1));
    table.play(&mut |_, _| {});
    let refused = table.refused();
    table.hear(Input::Injected { text: "too late".into() });
    assert_eq!((table.refused(), table.take_records()), (refused + 1, Vec::new()));
}

/// Cuts the way to `db`, then wants something of it. The way through the dmz stays: it is no jump host.
const SAWN_OFF: &str = r#"
phases:
  - id: cut
    steps:
      - { id: cut, on: fw, severs: [mgmt-core, isp], run: "true", undo: "true", estimate: 20s }
  - id: restore
    steps:
      - { id: load, on: db, run: "true", undo: "true", estimate: 1m }
"#;

#[test]
fn what_the_cut_made_unreachable_is_unreachable() {
    let staging = staged(SAWN_OFF, "");
    let (verdict, events) = played(&staging, 1);
    assert!(matches!(verdict, Verdict::Stopped { .. }), "{verdict:?}");
    let because: Vec<&str> = events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::TaskEnded {
                end: TaskEnd::Failed { outcome: Outcome::NotStarted { because, .. }, .. },
                ..
            } => Some(because.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(because, ["no way leads to db: it is cut off"]);
    // The portal needs the web, and the cut took that away.
    let down: Vec<(&str, &str)> = events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::ServiceSeen { service, stands: Stands::Down, because } => {
                Some((service.as_str(), because.as_str()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(down, [("portal", "out of reach: web")]);
}

#[test]
fn a_cut_over_its_own_link_ends_on_the_host_and_is_not_seen() {
    let own = SAWN_OFF.replace("severs: [mgmt-core, isp]", "severs: [mgmt-dmz]");
    let staging = staged(&own, "");
    let (verdict, events) = played(&staging, 1);
    assert!(matches!(verdict, Verdict::Stopped { .. }), "{verdict:?}");
    let unseen =
        at(&events, |event| matches!(event, Event::JobEnded { outcome: Outcome::Unknown { .. }, .. }));
    // The script took its 20 seconds; that its link is gone is noticed 15 seconds later.
    assert_eq!(unseen, [35]);
}

const PROBED: &str = r#"
phases:
  - id: cut
    steps:
      - id: cut
        on: fw
        severs: isp
        run: "true"
        verify:
          - { tcp: "203.0.113.10:443", from: app, expect: closed }
          - { tcp: "db:5432", from: app }
        undo: "true"
  - id: more
    steps:
      - { id: saw, on: fw, severs: dmz-core, run: "true", undo: "true" }
      - { id: serves, needs: saw, probe: { tcp: "db:5432", from: app } }
"#;

#[test]
fn probes_see_what_the_map_says() {
    let staging = staged(PROBED, "");
    let (verdict, events) = played(&staging, 1);
    assert!(matches!(verdict, Verdict::Stopped { .. }), "{verdict:?}");
    let probes: Vec<(String, bool)> = events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::JobEnded { facts, .. } => Some(&facts.probes),
            _ => None,
        })
        .flatten()
        .map(|seen| (seen.seen.clone(), seen.agrees))
        .collect();
    let wanted = [("closed: no answer", true), ("open", true), ("closed: no way leads there", false)];
    assert_eq!(probes, wanted.map(|(seen, agrees)| (seen.to_owned(), agrees)));
}

#[test]
fn a_guard_whose_way_back_is_cut_reverts() {
    let guarded = SAWN_OFF.replace(
        "severs: [mgmt-core, isp], run",
        "severs: mgmt-dmz, guard: { within: 60s, otherwise: revert }, run",
    );
    let staging = staged(&guarded, "");
    let (_, events) = played(&staging, 1);
    let fired = events.iter().any(|(_, event)| match event {
        Event::JobEnded { facts, .. } => facts.guard.as_ref().is_some_and(|seen| seen.took_back()),
        _ => false,
    });
    assert!(fired, "{events:#?}");
}

#[test]
fn what_earlier_runs_took_is_learnt() {
    let slow = staged(CUT_AND_LOAD, "durations: { load: 33m }\npeople: { ann: { takes: 7m } }");
    let (_, events) = played(&slow, 1);
    let mut learnt = Learnt::default();
    learnt.add(&slow.plan, &events);
    let load = Part { step: StepId::from("load"), kind: JobKind::Run, well: true };
    assert_eq!(learnt.anywhere(&load), [Millis::from_secs(33 * 60)]);
    assert_eq!(learnt.answers[&StepId::from("look")], [Millis::from_secs(7 * 60)]);
    assert_eq!(learnt.consents[&StepId::from("start")].len(), 2);

    let inventory = load::inventory_text(&mut Sources::default(), "i.yaml", SITE).value.unwrap();
    let staging = Staging::of((*slow.plan).clone(), &inventory, &Scenario::default(), &learnt);
    let staging = Arc::new(staging);
    let (_, again) = played(&staging, 1);
    assert_eq!(step_end(&staging, &again, "load"), step_end(&slow, &events, "load"));
}

const WITH_OBJECTIVE: &str = "objectives: [{ name: back, to: step start, within: 45m }]";

#[test]
fn trials_are_the_same_on_any_number_of_threads() {
    let phases = format!("{WITH_OBJECTIVE}\n{CUT_AND_LOAD}");
    let scenario = "durations: { load: { from: 5m, to: 50m } }\npeople: { ann: { answers: look, takes: { from: 1m, to: 9m } } }";
    let staging = staged(&phases, scenario);
    let opening = opening(&staging.plan, 3);
    let one = trials::play(&staging, &opening, 200, 1);
    assert_eq!(one, trials::play(&staging, &opening, 200, 3));
    assert_eq!(one[..50], trials::play(&staging, &opening, 50, 2));
    // What is drawn in a trial is what a single table of that trial draws.
    let mut table = Table::open(staging.clone(), &Opening { trial: 17, ..opening.clone() });
    table.play(&mut |_, _| {});
    let took = table.state().ended_at().unwrap().since(START);
    assert_eq!(one[17].took, Some(took));

    let halved = trials::halved(&staging, &opening, &one, 2);
    let told = Trials::of(&trials::about(&staging, Some("s"), 3), &one, &halved);
    let odds = &told.objectives[0];
    assert!(0.2 < odds.chance && odds.chance < 0.95, "{odds:?}");
    assert_eq!(told.steps.len(), 4);
    assert!(told.people.iter().any(|one| one.name == "ann" && one.times == 200));
    let look = told.halved.iter().find(|one| one.step == "look").unwrap();
    assert!(look.p50_sooner_ms.unwrap() > 60_000, "{look:?}");
    let load = told.halved.iter().find(|one| one.step == "load").unwrap();
    assert!(load.chances["back"].1 > load.chances["back"].0, "{load:?}");
    // Half of 5 to 50 minutes is 13 minutes less in the middle, give or take what chance does.
    let sooner = load.p50_sooner_ms.unwrap() / 60_000;
    assert!((9..=18).contains(&sooner), "{load:?}");
}

/// Two ways side by side, one of 1 to 11 minutes and one of 5: worked out by hand.
#[test]
fn trials_come_to_what_can_be_worked_out_by_hand() {
    let staging = staged(
        "objectives:\n\
         \x20 - { name: both, from: start, to: phase work, within: 9m }\n\
         phases:\n\
         \x20 - id: work\n    steps:\n\
         \x20     - { id: long, on: app, run: \"true\", undo: \"true\", timeout: 1h }\n\
         \x20     - { id: even, on: db, run: \"true\", undo: \"true\", timeout: 1h }\n\
         \x20 - id: agree\n    steps:\n\
         \x20     - { id: look, manual: Look., approve: { people: 2 } }\n",
        "durations: { long: { from: 1m, to: 11m }, even: 5m, look: 3m }\n\
         people:\n\
         \x20 quick: { answers: look, takes: 2m }\n\
         \x20 moody: { answers: look, takes: { from: 1m, to: 3m } }\n",
    );
    let opening = opening(&staging.plan, 5);
    let all = trials::play(&staging, &opening, 4_000, 2);
    let halved = trials::halved(&staging, &opening, &all, 2);
    let told = Trials::of(&trials::about(&staging, Some("s"), 5), &all, &halved);
    let minutes = |ms: Option<u64>| ms.expect("it is reached") as f64 / 60_000.0;
    let near = |found: f64, wanted: f64, by: f64, what: &str| {
        assert!((found - wanted).abs() <= by, "{what}: {found} instead of {wanted}");
    };
    // The longer of both: five minutes in 40 of 100, then evenly up to eleven. A connection takes a second.
    let both = &told.objectives[0];
    near(minutes(both.took.p50_ms), 6.0, 0.3, "P50");
    near(minutes(both.took.p90_ms), 10.0, 0.2, "P90");
    near(minutes(both.took.p99_ms), 10.9, 0.1, "P99");
    near(both.chance, 0.8, 0.025, "chance");
    let share = |of: &[blackstart::report::trials::OnPath], name: &str| {
        of.iter().find(|one| one.name == name).map_or(0.0, |one| one.share)
    };
    near(share(&told.steps, "long"), 0.6, 0.03, "long is waited for");
    near(share(&told.steps, "even"), 0.4, 0.03, "even is waited for");
    near(share(&told.steps, "look"), 1.0, 0.0, "everybody waits for look");
    // Whoever consents last is waited for; and then whoever does it.
    near(share(&told.people, "moody"), 0.5, 0.03, "moody is waited for");
    near(share(&told.people, "quick"), 1.0, 0.0, "quick does it by hand");
    // In half its time `long` takes half a minute to five and a half.
    let bought = told.halved.iter().find(|one| one.step == "long").expect("it is tried");
    near(bought.p50_sooner_ms.unwrap() as f64 / 60_000.0, 1.0, 0.4, "sooner");
    let (before, after) = bought.chances["both"];
    near(before, 0.8, 0.05, "chance before");
    near(after, 1.0, 0.0, "chance after");
}

fn says(reply: Reply) -> Vec<String> {
    match reply {
        Reply::Says(lines) | Reply::TakenBack(lines) => lines,
        Reply::Done => vec!["done".to_owned()],
    }
}

fn session(scenario: &str) -> Session {
    let staging = staged(CUT_AND_LOAD, scenario);
    let opening = opening(&staging.plan, 1);
    Session::open(staging, opening)
}

#[test]
fn time_stands_still_until_it_is_moved_and_answers_count() {
    let mut session = session("injects: [{ at: 30m, tell: hello }]");
    let asked = ["  1. Has `look` been done?  done | refuse"];
    assert_eq!(says(session.hear(Some("go"))), [asked[0], "  next message in 29m 40s: hello"]);
    assert_eq!(session.prompt(), "+20.0s 1 asked > ");
    // What comes of itself comes; then only an answer helps.
    says(session.hear(Some("wait 1s")));
    assert_eq!(session.prompt(), "+21.0s 1 asked > ");
    says(session.hear(Some("to 5m")));
    assert_eq!(session.prompt(), "+5m 00s 1 asked > ");
    assert_eq!(says(session.hear(Some("to 1m"))), ["that moment has passed; `undo` goes back"]);
    assert_eq!(
        says(session.hear(Some("wait soon"))),
        ["`soon` is no length of time; write `20m` or `1h 30m`"]
    );
    let state = says(session.hear(Some("state")));
    assert_eq!(state, ["it is 5m 00s after the start", asked[0], "  next message in 25m 00s: hello"]);
    assert_eq!(says(session.hear(Some("7 done"))), ["there is no question of that number"]);
    assert_eq!(
        says(session.hear(Some("1 perhaps")))[0],
        "type one of: done, refuse; `help` lists what else can be typed"
    );
    assert_eq!(says(session.hear(Some("done by ann: it glows"))), ["  next message in 25m 00s: hello"]);
    let answered = session.told().iter().rev().find_map(|(at, event)| match event {
        Event::Answered { answer } => Some((at.since(START), answer.by.clone(), answer.comment.clone())),
        _ => None,
    });
    assert_eq!(answered, Some((Millis::from_secs(300), "ann".into(), Some("it glows".into()))));
    assert_eq!(says(session.hear(Some("1 done"))), ["nothing is asked; `help` lists what can be typed"]);
}

#[test]
fn a_decision_is_taken_back_by_playing_everything_before_it_again() {
    let mut session = session("");
    session.hear(Some("go"));
    session.hear(Some("to 5m"));
    let before = session.told().to_vec();
    session.hear(Some("tell the lamp is red"));
    session.hear(Some("done by ann"));
    session.hear(Some("go"));
    assert_eq!(session.prompt(), "+20m 00s 1 asked > ");
    let Reply::TakenBack(lines) = session.hear(Some("undo")) else { panic!("nothing was taken back") };
    assert_eq!(lines[0], "taken back: Has `look` been done?: done by ann");
    assert_eq!(session.prompt(), "+5m 00s 1 asked > ");
    assert_eq!(session.told()[..before.len()], before);
    let told: Vec<&str> = session.told()[before.len()..]
        .iter()
        .map(|(_, event)| match event {
            Event::Injected { text } => text.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, ["the lamp is red", "the facilitator took back: Has `look` been done?: done by ann"]);
    // What was played otherwise goes otherwise, and even a refusal that ended the run is taken back.
    session.hear(Some("refuse by bob"));
    assert_eq!(session.verdict(), Some(&Verdict::Refused { by: "bob".into() }));
    session.hear(Some("undo"));
    assert_eq!(session.verdict(), None);
    for line in ["done", "go", "approve", "approve", "go"] {
        session.hear(Some(line));
    }
    assert_eq!(session.verdict(), Some(&Verdict::Completed));
    assert_eq!(session.hear(None), Reply::Done);
}

#[test]
fn whoever_leaves_leaves_a_whole_record() {
    let mut session = session("");
    session.hear(Some("to 10s"));
    assert_eq!(session.hear(None), Reply::Done);
    assert!(matches!(session.verdict(), Some(Verdict::Stopped { .. })));
    assert!(matches!(session.told().last(), Some((_, Event::RunEnded { .. }))));
}

/// Whoever reads a tabletop's recap or report must not take it for proof.
#[test]
fn what_a_map_says_at_a_table_is_not_called_proof() {
    let state = tempfile::tempdir().unwrap();
    let typed = |words: &[&str]| {
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_blackstart"))
            .args(words)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("BLACKSTART_STATE", state.path())
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    let runbook = "runbooks/isolate-and-restore.yaml";
    let recap = typed(&["tabletop", runbook, "-i", "inventories/lab.yaml", "-e", "incident=drill"]);
    assert!(
        recap.contains("at the table, by the map: isolation seen by 13 of 13 negative probes"),
        "{recap}"
    );
    let report = typed(&["report", "--format", "md"]);
    for page in [&recap, &report] {
        assert!(!page.contains("proved by") && !page.contains("proves the cut"), "{page}");
    }
    assert!(report.contains("only at the table") && report.contains("by the map"), "{report}");
    assert!(typed(&["report", "--format", "json"]).contains("\"worth\": \"at_the_table\""));
}
