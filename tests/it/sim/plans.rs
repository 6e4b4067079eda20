//! A random plan: small, and with every feature that a plan can have.

use super::build::Builder;
use super::rng::Rng;
use blackstart::model::Millis;
use blackstart::model::guard::{Guard, Otherwise, Repeat};
use blackstart::model::names::{StepIx, TaskIx};
use blackstart::model::probe::{Expect, Probe, ProbeKind};
use blackstart::model::runbook::{Approve, Fetch, Policy, Retry};
use blackstart::plan::Plan;
use blackstart::plan::frozen::{
    PlannedAction, PlannedAfter, PlannedDeadline, PlannedTogether, PlannedUndo, PlannedVerify,
};
use std::sync::Arc;

pub fn random(rng: &mut Rng) -> Arc<Plan> {
    let hosts = rng.between(1, 4) as u32;
    let jumps: Vec<_> = (0..hosts).map(|_| rng.percent(50).then(|| *rng.pick(&["j0", "j1"]))).collect();
    let mut build = Builder::new(&jumps);
    for _ in 0..rng.between(1, 3) {
        let policy = *rng.pick(&[
            Policy::Stop,
            Policy::Rollback,
            Policy::Rollback,
            Policy::RollbackRun,
            Policy::Continue,
            Policy::Ask,
        ]);
        build.phase(policy);
        let first = build.plan().steps.len() as u32;
        for _ in 0..rng.between(1, 3) {
            step(&mut build, rng, hosts, first);
        }
    }
    if rng.percent(50) {
        build.service("records", true);
        build.service("dns", false);
    }
    build.done()
}

fn step(build: &mut Builder, rng: &mut Rng, hosts: u32, first_of_phase: u32) {
    let action = action(rng);
    let on_controller = !matches!(action, PlannedAction::Run(_) | PlannedAction::Fetch(_)) && rng.percent(80);
    let on: Vec<Option<u32>> = match on_controller {
        true => vec![None],
        false => {
            let keep = rng.between(1, hosts.into());
            (0..hosts).map(Some).skip((u64::from(hosts) - keep) as usize).collect()
        }
    };
    let tasks = on.len() as u32;
    let ix = build.step(&on);
    let step = build.at(ix);
    step.undo = match rng.below(10) {
        0 => PlannedUndo::Impossible("it is gone".into()),
        1 => PlannedUndo::NotNeeded,
        _ => PlannedUndo::By("undo".into()),
    };
    if matches!(action, PlannedAction::Manual(_)) {
        step.undo = PlannedUndo::NotNeeded;
    }
    step.idempotent = rng.percent(30);
    step.retry = Retry { attempts: rng.between(1, 3) as u32, delay: Millis(rng.below(3) * 4_000) };
    step.max_failures = if rng.percent(30) { rng.below(u64::from(tasks) + 1) as u32 } else { 0 };
    step.urgency = Millis(rng.below(3) * 1_000);
    if tasks > 1 && rng.percent(40) {
        let first = rng.between(1, u64::from(tasks) - 1) as u32;
        step.waves = vec![first, tasks - first];
    }
    if rng.percent(15) {
        let people = rng.between(1, 2) as u32;
        let within = rng.percent(50).then(|| Millis(rng.between(15, 60) * 1_000));
        let by = match rng.percent(20) {
            true => vec!["bob".to_owned(), "cyd".to_owned(), "dan".to_owned()],
            false => Vec::new(),
        };
        step.approve = Some(Approve { people, within, signed: rng.percent(40), by, others: rng.percent(80) });
    }
    let changes = matches!(action, PlannedAction::Run(_));
    let watchable = matches!(action, PlannedAction::Probe(_));
    step.action = action;
    if changes && rng.percent(20) {
        build.severs(ix);
    } else if changes && matches!(build.at(ix).undo, PlannedUndo::By(_)) && rng.percent(20) {
        build.at(ix).reconnects = vec!["vendor-vpn".into()];
    }
    if changes && build.at(ix).waves.len() == 1 && rng.percent(30) {
        let quorum = rng.percent(40).then(|| rng.between(1, tasks.into()) as u32);
        build.at(ix).together = Some(PlannedTogether { quorum, within: Millis(10_000) });
    } else if changes && rng.percent(30) {
        guard(build, rng, ix);
    }
    if (changes || watchable) && rng.percent(20) {
        build.watch(ix);
    }
    if changes && rng.percent(35) {
        build.check(ix);
    }
    if changes && rng.percent(25) {
        build.snapshot(ix);
    }
    if rng.percent(30) {
        build.verify(ix);
    }
    if rng.percent(25) {
        let probe = negative_probe(rng);
        build.at(ix).verify.push(PlannedVerify::Probe(probe));
    }
    if ix.0 > 0 && rng.percent(15) {
        let step = StepIx(rng.below(ix.0.into()) as u32);
        build.at(ix).after = Some(PlannedAfter { step, at_least: Millis(rng.between(1, 60) * 1_000) });
    }
    for other in 0..ix.0 {
        if rng.percent(if other >= first_of_phase { 45 } else { 10 }) {
            build.needs(ix, StepIx(other), rng.percent(50));
        }
    }
    if rng.percent(12) {
        let from = (ix.0 > 0 && rng.percent(50)).then(|| StepIx(rng.below(ix.0.into()) as u32));
        let within = Millis(rng.between(1, 90) * 1_000);
        build.at(ix).deadline = Some(PlannedDeadline { from, within });
    }
    // A plan that leaves all of its evidence out is refused before it runs.
    let fetches = |step: &u32| {
        let (plan, step) = (build.plan(), StepIx(*step));
        let runs = plan.tasks_of(step).any(|task| plan.tasks[task.at()].left_out.is_none());
        runs && matches!(plan.steps[step.at()].action, PlannedAction::Fetch(_))
    };
    let fetched: Vec<u32> = (0..ix.0).filter(fetches).collect();
    for fetch in fetched.into_iter().map(StepIx) {
        if changes && rng.percent(50) {
            build.at(ix).evidence.push(fetch);
            build.needs(ix, fetch, false);
        }
    }
    for task in 0..tasks {
        if rng.percent(6) {
            let task = TaskIx(build.at(ix).first_task.0 + task);
            build.leave_out(task);
        }
    }
}

fn action(rng: &mut Rng) -> PlannedAction {
    match rng.below(20) {
        0 | 1 => PlannedAction::Manual("look".into()),
        2 => PlannedAction::Wait(Millis(rng.between(1, 30) * 1_000)),
        3 | 5 => PlannedAction::Fetch(Fetch::File { path: "/var/log/auth.log".into() }),
        4 => PlannedAction::Probe(negative_probe(rng)),
        _ => PlannedAction::Run("do".into()),
    }
}

/// One of few, so that steps share them.
fn negative_probe(rng: &mut Rng) -> Probe {
    negative_probe_at(rng.between(1, 4) as u16)
}

pub fn negative_probe_at(port: u16) -> Probe {
    Probe {
        what: ProbeKind::Tcp { host: "192.0.2.1".into(), port },
        from: None,
        expect: Expect::Closed,
        timeout: Millis(1_000),
        within: Millis(0),
    }
}

fn guard(build: &mut Builder, rng: &mut Rng, ix: StepIx) {
    let by_script = matches!(build.at(ix).undo, PlannedUndo::By(_));
    let otherwise = match by_script {
        true => *rng.pick(&[None, None, Some(Otherwise::Revert), Some(Otherwise::Hold)]),
        false => Some(Otherwise::Hold),
    };
    let every = Millis(rng.between(2, 10) * 1_000);
    build.at(ix).guard = Some(Guard {
        within: Millis(rng.between(6, 40) * 1_000),
        otherwise,
        self_test: rng.percent(20),
        repeat: rng.percent(25).then(|| Repeat { every, length: Millis(every.0 * rng.between(1, 4)) }),
    });
}
