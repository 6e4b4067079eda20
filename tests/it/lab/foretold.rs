//! The tabletop foretells the lab: the shipped runbook is carried out on real hosts and played at the table under the
//! same faults, and the two journals tell of the same steps in the same order.
//!
//! *Order* is two things here, and both must be the same.
//!
//! - **What the engine decided**, one decision after the other: which phase began and ended, which task was begun or taken
//!   back on which host, what does not run and why, the rollback, the verdict. These lists are equal, line by line.
//! - **How and when everything went on and ended**, each job, task, step and undo. The same lines stand in both, and any
//!   two lines, decisions among them, that the lab did not write down in the same millisecond stand in the same order at
//!   the table. That of steps which run side by side is a matter of how long they take: the table learns it from the lab's
//!   journal (`learnt`), as an exercise does after a drill. What fell into one millisecond no prediction can settle.

use super::Lab;
use blackstart::journal::{RunDir, Store};
use blackstart::model::event::{Event, Job, JobKind, TaskEnd, UndoEnd};
use blackstart::model::names::{PhaseIx, StepIx, TaskIx};
use blackstart::model::{Outcome, Time};
use blackstart::plan::Plan;
use std::collections::{BTreeMap, BTreeSet};

/// A line of a run's story. A decision is the engine's; everything else is how it went on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    at: Time,
    decision: bool,
    what: String,
}

#[test]
fn the_table_tells_beforehand_how_a_restore_without_a_fault_goes() {
    let lab = Lab::raise();
    lab.compromise();
    let (real, told) = both(&lab, "", 0);
    assert_eq!(ends(&real).filter(|what| what.starts_with("start-portal ended")).count(), 1, "{real:#?}");
    same(&real, &told);
}

/// The backup's web server is gone, so that `pull-backup` fails three times; and the portal cannot be started again.
#[test]
fn the_table_tells_beforehand_what_is_taken_back_and_where_that_gets_stuck() {
    let lab = Lab::raise();
    lab.compromise();
    lab.ok("backup", "/srv/service stop backup-web");
    lab.ok("app1", "rm /srv/portal.py");
    let faults = "faults: [{ fails: pull-backup }, { undo_fails: stop-portal }]";
    let (real, told) = both(&lab, faults, 21);
    for line in ["pull-backup@db1: run 3 ended: badly", "stop-portal@app1 taken back: failed: badly"] {
        assert!(ends(&real).any(|what| what == line), "{line}: {real:#?}");
    }
    same(&real, &told);
}

/// The host with the backups is dead: not a single task of it starts.
#[test]
fn the_table_tells_beforehand_what_a_dead_host_leads_to() {
    let lab = Lab::raise();
    lab.compromise();
    lab.ok("backup", "ip link set eth0 down");
    let (real, told) = both(&lab, "faults: [{ unreachable: backup }]", 20);
    same(&real, &told);
    // The lists can differ: another fault is another story.
    let other = played(&lab, "faults: [{ fails: bring-counter }]", 20);
    assert!(std::panic::catch_unwind(|| same(&real, &other)).is_err());
}

/// The run in the lab, and the one at the table which learnt from it.
fn both(lab: &Lab, faults: &str, exit: i32) -> (Vec<Line>, Vec<Line>) {
    let inventory = lab.inventory();
    let mut run = lab.blackstart(&["run"]);
    run.arg(Lab::runbook("isolate-and-restore.yaml")).arg("-i").arg(inventory);
    let said = run.args(["--yes", "-e", "incident=INC-7"]).output().expect("blackstart can be started");
    assert_eq!(said.status.code(), Some(exit), "{}", String::from_utf8_lossy(&said.stderr));
    let real = story(&newest(lab));
    (real, played(lab, faults, exit))
}

/// The newest run, and the same runbook at the table under these faults.
fn played(lab: &Lab, faults: &str, exit: i32) -> Vec<Line> {
    let learnt = newest(lab);
    let scenario = format!("version: 1\nname: foretold\nlearnt: {}\n{faults}\n", learnt.id().as_str());
    let scenario = lab.write("scenario.yaml", &scenario);
    let mut table = lab.blackstart(&["tabletop"]);
    table.arg(Lab::runbook("isolate-and-restore.yaml")).arg("-i").arg(lab.inventory());
    table.args(["-e", "incident=INC-7", "--scenario"]).arg(scenario);
    let said = table.output().expect("blackstart can be started");
    assert_eq!(said.status.code(), Some(exit), "{}", String::from_utf8_lossy(&said.stderr));
    let told = newest(lab);
    assert_ne!(told.id(), learnt.id(), "the table keeps a journal of its own");
    story(&told)
}

fn newest(lab: &Lab) -> RunDir {
    let store = Store::open(&lab.work().join("state")).expect("runs were kept");
    store.find("last").expect("there is a run")
}

fn decisions(story: &[Line]) -> impl Iterator<Item = &str> {
    story.iter().filter(|line| line.decision).map(|line| line.what.as_str())
}

fn ends(story: &[Line]) -> impl Iterator<Item = &str> {
    story.iter().filter(|line| !line.decision).map(|line| line.what.as_str())
}

/// Is the order the same, as this file's head says it?
fn same(real: &[Line], told: &[Line]) {
    let whole = || format!("in the lab: {real:#?}\nat the table: {told:#?}");
    assert!(decisions(real).eq(decisions(told)), "the decisions differ; {}", whole());
    let sorted = |story: &[Line]| {
        let mut ends: Vec<String> = ends(story).map(str::to_owned).collect();
        ends.sort();
        ends
    };
    assert_eq!(sorted(real), sorted(told), "the ends differ; {}", whole());
    let places: BTreeMap<&str, usize> =
        told.iter().enumerate().map(|(ix, line)| (line.what.as_str(), ix)).collect();
    assert_eq!(places.len(), told.len(), "no line stands twice: {told:#?}");
    for (ix, earlier) in real.iter().enumerate() {
        for later in real[ix + 1..].iter().filter(|later| later.at != earlier.at) {
            let in_order = places[earlier.what.as_str()] < places[later.what.as_str()];
            assert!(in_order, "`{}` came before `{}`; {}", earlier.what, later.what, whole());
        }
    }
}

/// What a journal tells of phases, steps and undos.
fn story(dir: &RunDir) -> Vec<Line> {
    let (plan, _) = dir.read_plan().expect("a run has its plan");
    let mut begun = BTreeSet::new();
    let lines = dir.read().expect("a journal can be read").records.into_iter().filter_map(|record| {
        let (decision, what) = told(&plan, &record.event)?;
        // Of the jobs of a task, and of those that take it back, the engine decides the first; the others follow from it.
        let decision = match &record.event {
            Event::JobStarted { job } => begun.insert((job.task, job.kind == JobKind::Undo)),
            _ => decision,
        };
        Some(Line { at: record.at, decision, what })
    });
    lines.collect()
}

/// What an event tells of a step, and whether the engine decided it. Texts of outcomes are the world's own: only their
/// kind is told.
fn told(plan: &Plan, event: &Event) -> Option<(bool, String)> {
    let task = |task: TaskIx| plan.task_name(task);
    let job = |job: &Job| format!("{}: {} {}", task(job.task), job.kind, job.attempt);
    let step = |ix: StepIx| plan.steps[ix.at()].id.to_string();
    let phase = |ix: PhaseIx| plan.phases[ix.at()].id.to_string();
    Some(match event {
        Event::PhaseStarted { phase: ix } => (true, format!("phase {} began", phase(*ix))),
        Event::PhaseEnded { phase: ix, well } => (true, format!("phase {} ended, well: {well}", phase(*ix))),
        Event::JobStarted { job: one } => (true, job(one)),
        Event::Firing { step: ix, .. } => (true, format!("{} fired", step(*ix))),
        Event::StepNotRun { step: ix, because } => (true, format!("{} does not run: {because:?}", step(*ix))),
        Event::RollbackStarted { scope, reopen, by, .. } => {
            (true, format!("rollback of {scope:?} by {by}, reopen: {reopen}"))
        }
        Event::RunEnded { verdict } => (true, format!("the run ended: {verdict:?}")),
        Event::JobEnded { job: one, outcome, .. } => {
            (false, format!("{} ended: {}", job(one), kind_of(outcome)))
        }
        Event::TaskEnded { task: one, end } => (false, format!("{} ended: {}", task(*one), end_of(end))),
        Event::StepEnded { step: ix, well, failures } => {
            (false, format!("{} ended, well: {well}, failures: {failures}", step(*ix)))
        }
        Event::UndoEnded { task: one, end } => {
            let end = match end {
                UndoEnd::Failed { outcome } => format!("failed: {}", kind_of(outcome)),
                other => format!("{other:?}"),
            };
            (false, format!("{} taken back: {end}", task(*one)))
        }
        _ => return None,
    })
}

fn end_of(end: &TaskEnd) -> String {
    match end {
        TaskEnd::Failed { kind, outcome, changed } => {
            format!("failed in {kind}, {}, may have changed something: {changed}", kind_of(outcome))
        }
        other => format!("{other:?}"),
    }
}

fn kind_of(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "well",
        Outcome::Failed { .. } => "badly",
        Outcome::NotStarted { .. } => "not started",
        Outcome::Unknown { .. } => "not seen",
    }
}
