//! The shipped scenarios, played: each fits its runbook and its site, comes to a good end whatever chance decides, and tells
//! its players all it has to tell; and what goes wrong beyond it ends as the runbook's policies say.

use blackstart::drive::tabletop::{Learnt, Staging, Table};
use blackstart::load;
use blackstart::model::event::{JobKind, UndoEnd, Verdict};
use blackstart::model::place::Sources;
use blackstart::model::{Event, Millis, Time};
use blackstart::plan::{self, Choices, FileFacts};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Chance decides otherwise so often.
const SEEDS: u64 = 40;

/// A scenario, its runbook, its site, and what the runbook must be given.
type Exercise = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

const WATER: Exercise = ("water-bad-night", "water-isolate", "water", &[("incident", "EX-1")]);
const MINISTRY: Exercise = (
    "ministry-stolen-keys",
    "ministry-recover",
    "ministry",
    &[("incident", "EX-2"), ("first_indicator", "2026-05-18T02:40:00+09:00")],
);

/// The exercise, with more faults than its scenario has.
fn staged((scenario, runbook, site, params): Exercise, more: &str) -> Arc<Staging> {
    let path = |what: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(what);
    let mut sources = Sources::default();
    let inventory = load::inventory(&mut sources, &path(&format!("inventories/{site}.yaml")));
    let inventory = inventory.value.expect("it is sound");
    let runbook = load::runbook(&mut sources, &path(&format!("runbooks/{runbook}.yaml")));
    let runbook = runbook.value.expect("it is sound");
    let text = std::fs::read_to_string(path(&format!("scenarios/{scenario}.yaml"))).expect("it is shipped");
    let text = text.replace("faults:\n", &format!("faults:\n{more}"));
    let read = load::scenario_text(&mut sources, "scenario.yaml", &text);
    assert_eq!(read.problems.0, []);
    let scenario = read.value.expect("it is sound");
    assert!(load::rehearsed(&inventory, &runbook, &scenario).0.is_empty());
    let params = params.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    let choices = Choices { params, ..Choices::default() };
    let facts = |_: &str| Ok(FileFacts { sha256: "0".repeat(64) });
    let (plan, _) = plan::compile(&inventory, &runbook, &choices, &facts).expect("it compiles");
    Arc::new(Staging::of(plan, &inventory, &scenario, &Learnt::default()))
}

fn played(staging: &Arc<Staging>, seed: u64) -> (Verdict, Vec<(Time, Event)>) {
    let opening = crate::tabletop::opening(&staging.plan, seed);
    let (mut table, mut events) = (Table::open(staging.clone(), &opening), Vec::new());
    let verdict = table.play(&mut |at, event| events.push((at, event)));
    (verdict, events)
}

/// When a step's action began for the first time, or ended for the last.
fn action(staging: &Staging, events: &[(Time, Event)], step: &str, end: bool) -> Option<Time> {
    let ix = staging.plan.step_named(step).expect("a step of the runbook");
    let its = |task: blackstart::model::names::TaskIx| staging.plan.tasks[task.at()].step == ix;
    let mut times = events.iter().filter_map(|(at, event)| match event {
        Event::JobStarted { job } if !end && job.kind == JobKind::Run && its(job.task) => Some(*at),
        Event::TaskEnded { task, .. } if end && its(*task) => Some(*at),
        _ => None,
    });
    if end { times.next_back() } else { times.next() }
}

/// Steps that were taken back, in this order.
fn undone(staging: &Staging, events: &[(Time, Event)]) -> Vec<String> {
    let undone = events.iter().filter_map(|(_, event)| match event {
        Event::UndoEnded { task, end: UndoEnd::Undone } => Some(staging.plan.step_of(*task).id.to_string()),
        _ => None,
    });
    undone.collect()
}

#[test]
fn every_scenario_comes_to_a_good_end_and_tells_all_it_has_to_tell() {
    for exercise in [WATER, MINISTRY] {
        let staging = staged(exercise, "");
        let mut lengths = BTreeSet::new();
        for seed in 0..SEEDS {
            let (verdict, events) = played(&staging, seed);
            assert_eq!(verdict, Verdict::Completed, "{} with seed {seed}", exercise.0);
            let told: BTreeSet<&str> = events
                .iter()
                .filter_map(|(_, event)| match event {
                    Event::Injected { text } => Some(text.as_str()),
                    _ => None,
                })
                .collect();
            // What comes after the very last thing that happens has nobody to hear it.
            let missed = staging.injects.iter().filter(|inject| !told.contains(inject.text.as_str())).count();
            assert!(missed <= 1, "{} with seed {seed}: {told:#?}", exercise.0);
            lengths.insert(events.last().map(|(at, _)| *at));
        }
        assert!(lengths.len() > 10, "{}: chance decides hardly anything", exercise.0);
    }
}

#[test]
fn every_scenario_file_is_played() {
    let entries =
        std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")).expect("they are shipped");
    let names = entries.map(|entry| entry.expect("it can be listed").path());
    let names: BTreeSet<String> =
        names.map(|path| path.file_stem().expect("it has a name").to_string_lossy().into_owned()).collect();
    assert_eq!(names, [WATER, MINISTRY].map(|(name, ..)| name.to_owned()).into());
}

#[test]
fn between_the_two_resets_lie_ten_hours_whatever_else_is_ready() {
    let staging = staged(MINISTRY, "");
    for seed in 0..SEEDS {
        let (_, events) = played(&staging, seed);
        let first = action(&staging, &events, "reset-first", true).expect("it was reset");
        let second = action(&staging, &events, "reset-second", false).expect("it was reset again");
        assert!(second.since(first) >= Millis::from_secs(10 * 3600), "seed {seed}");
    }
}

#[test]
fn a_directory_that_does_not_load_gives_way_to_the_one_put_aside_and_no_cut_is_opened() {
    let staging = staged(MINISTRY, "  - { fails: restore-directory }\n");
    let (verdict, events) = played(&staging, 1);
    assert_eq!(verdict, Verdict::RolledBack);
    let undone = undone(&staging, &events);
    let place = |step: &str| {
        undone.iter().position(|one| one == step).unwrap_or_else(|| panic!("{step}: {undone:?}"))
    };
    assert!(place("restore-directory") < place("put-aside") && place("put-aside") < place("stop-directory"));
    assert!(undone.iter().all(|step| !step.starts_with("cut-")), "{undone:?}");
    assert_eq!(action(&staging, &events, "reset-first", false), None);
}

#[test]
fn water_out_of_limits_is_a_question_for_people_and_nothing_is_reconnected() {
    let staging = staged(WATER, "  - { fails: water-in-limits }\n");
    let (verdict, events) = played(&staging, 1);
    assert!(matches!(verdict, Verdict::Stopped { .. }), "{verdict:?}");
    assert_eq!(
        (undone(&staging, &events), action(&staging, &events, "reload-logic", false)),
        (Vec::new(), None)
    );
}

#[test]
fn nobody_cuts_a_station_off_before_it_answers_by_radio() {
    let staging = staged(WATER, "");
    for seed in 0..SEEDS {
        let (_, events) = played(&staging, seed);
        let answered = action(&staging, &events, "radio-check", true).expect("it answered");
        let held = action(&staging, &events, "hold-historian", true).expect("it was held");
        assert!(action(&staging, &events, "cut-carrier-wan", false) >= Some(answered), "seed {seed}");
        assert!(action(&staging, &events, "cut-control-to-dmz", false) >= Some(held), "seed {seed}");
    }
}
