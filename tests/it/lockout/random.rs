//! Small random plans with a site around them, from a seed.

use crate::sim::build::Builder;
use crate::sim::rng::Rng;
use blackstart::model::Millis;
use blackstart::model::guard::{Guard, Otherwise};
use blackstart::model::inventory::Reach;
use blackstart::model::lasting::Watch;
use blackstart::model::names::{ConduitName, StepIx, TaskIx, ZoneName};
use blackstart::model::probe::{Expect, Probe, ProbeKind, Vantage};
use blackstart::model::runbook::{Fetch, Policy};
use blackstart::plan::Plan;
use blackstart::plan::frozen::{PlannedAction, PlannedAfter, PlannedUndo, PlannedVerify};
use blackstart::plan::site::{PlannedConduit, PlannedSite, PlannedZone};
use std::fmt::Write;

/// Tasks of one plan: all of their orders are enumerated.
const TASKS_MAX: usize = 9;

/// The plan of a seed.
pub fn plan_of(seed: u64) -> Plan {
    let mut rng = Rng::new(seed);
    let hosts = rng.between(2, 4);
    let zones = rng.between(2, 4);
    let mut jumps: Vec<Option<String>> = Vec::new();
    for host in 0..hosts {
        let jump = (host > 0 && rng.percent(25)).then(|| format!("h{:05}", rng.below(host)));
        jumps.push(jump);
    }
    let jumps: Vec<Option<&str>> = jumps.iter().map(Option::as_deref).collect();
    let mut builder = Builder::new(&jumps);
    let phases = rng.between(1, 3);
    let mut left = TASKS_MAX;
    for phase in 0..phases {
        let ix = builder.phase(Policy::Stop);
        let steps = rng.between(1, 4);
        for nth in 0..steps {
            // Every phase has a step, and there is room for the phases that come.
            let room = left.saturating_sub((phases - 1 - phase) as usize);
            if nth > 0 && room == 0 {
                break;
            }
            let on = some_hosts(&mut rng, hosts, room.max(1));
            left = left.saturating_sub(on.len());
            let step = builder.step(&on);
            let others: Vec<StepIx> = (0..step.0).map(StepIx).collect();
            for other in others {
                let same_phase = builder.plan().steps[other.at()].phase == ix;
                if rng.percent(if same_phase { 35 } else { 10 }) {
                    builder.needs(step, other, rng.percent(45) && on[0].is_some());
                }
            }
            let planned = builder.at(step);
            planned.needs.dedup_by_key(|need| need.step);
            if step.0 > 0 && rng.percent(40) {
                // Often the one before: what only waits for something that cannot be taken back is a case of its own.
                let other = rng.below(u64::from(step.0)) as u32;
                let other = StepIx(if rng.percent(50) { step.0 - 1 } else { other });
                planned.after = Some(PlannedAfter { step: other, at_least: Millis(1_000) });
            }
            if on.len() > 1 && rng.percent(40) {
                let first = rng.between(1, on.len() as u64 - 1) as u32;
                planned.waves = vec![first, on.len() as u32 - first];
            }
        }
    }
    let mut plan = std::sync::Arc::unwrap_or_clone(builder.done());
    site(&mut rng, &mut plan, zones);
    for step in 0..plan.steps.len() {
        dress(&mut rng, &mut plan, StepIx(step as u32));
    }
    reconnect(&mut rng, &mut plan);
    for task in &mut plan.tasks {
        task.left_out = rng.percent(9).then(|| "when is false".into());
    }
    plan
}

fn some_hosts(rng: &mut Rng, hosts: u64, room: usize) -> Vec<Option<u32>> {
    if rng.percent(8) {
        return vec![None];
    }
    let several = rng.percent(45);
    let mut on: Vec<Option<u32>> =
        (0..hosts as u32).filter(|_| several && rng.percent(60)).map(Some).collect();
    if on.is_empty() {
        on.push(Some(rng.below(hosts) as u32));
    }
    on.truncate(room);
    on
}

fn zone(nth: u64) -> ZoneName {
    ZoneName(format!("z{nth}"))
}

fn site(rng: &mut Rng, plan: &mut Plan, zones: u64) {
    let mut site = PlannedSite { controller: Some(zone(0)), ..PlannedSite::default() };
    site.zones = (0..zones).map(|nth| (zone(nth), PlannedZone::default())).collect();
    let mut ends: Vec<(u64, u64)> = (1..zones).filter(|_| rng.percent(93)).map(|nth| (0, nth)).collect();
    for _ in 0..rng.below(5) {
        let from = rng.below(zones);
        let to = (from + rng.between(1, zones - 1)) % zones;
        ends.push((from, to));
    }
    for (nth, (from, to)) in ends.into_iter().enumerate() {
        let conduit = PlannedConduit {
            from: zone(from),
            to: zone(to),
            both_ways: rng.percent(40),
            enforced_by: None,
            level: None,
            out_of_band: rng.percent(8),
        };
        site.conduits.insert(ConduitName(format!("c{nth}")), conduit);
    }
    let asks = rng.percent(30);
    for host in &mut plan.hosts {
        host.zone = Some(zone(rng.below(zones)));
        let named = asks && rng.percent(50);
        if let (Reach::Ssh(ssh), true) = (&mut host.reach, named) {
            ssh.address = format!("{}.example", host.name.0);
        }
        if asks && site.name_servers.len() < 2 && rng.percent(50) {
            site.name_servers.push(host.name.clone());
        }
    }
    plan.site = site;
}

/// What the step does and cuts, and how it is taken back.
fn dress(rng: &mut Rng, plan: &mut Plan, step: StepIx) {
    let conduits: Vec<ConduitName> = plan.site.conduits.keys().cloned().collect();
    let hosts: Vec<_> = plan.hosts.iter().map(|host| host.name.clone()).collect();
    let has_host = plan.tasks[plan.steps[step.at()].first_task.at()].host.is_some();
    let probe = |rng: &mut Rng| Probe {
        what: ProbeKind::Tcp { host: "192.0.2.7".into(), port: 443 },
        from: match rng.below(3) {
            0 => None,
            1 if has_host => Some(Vantage::Task),
            _ => Some(Vantage::Host(rng.pick(&hosts).clone())),
        },
        expect: Expect::Closed,
        timeout: Millis(1_000),
        within: Millis(0),
    };
    let planned = &mut plan.steps[step.at()];
    planned.action = match rng.below(10) {
        0 => PlannedAction::Probe(probe(rng)),
        1 if has_host => PlannedAction::Fetch(Fetch::File { path: "/etc/hosts".into() }),
        2 => PlannedAction::Manual("do it".into()),
        _ if has_host => PlannedAction::Run("do it".into()),
        _ => PlannedAction::Wait(Millis(1_000)),
    };
    planned.undo = match rng.below(10) {
        0..=4 if has_host => PlannedUndo::By("undo it".into()),
        5..=7 => PlannedUndo::Impossible("gone is gone".into()),
        _ => PlannedUndo::NotNeeded,
    };
    if has_host && rng.percent(20) {
        planned.check = Some("is it so".into());
    }
    if has_host && rng.percent(10) {
        planned.verify.push(PlannedVerify::Script("is it well".into()));
    }
    if rng.percent(25) {
        planned.verify.push(PlannedVerify::Probe(probe(rng)));
    }
    if rng.percent(8) {
        let probes = vec![probe(rng)];
        planned.watch = Some(Watch { length: Millis(60_000), every: Millis(10_000), probes, tolerate: 0 });
    }
    let changes = matches!(planned.action, PlannedAction::Run(_) | PlannedAction::Manual(_));
    if changes && !conduits.is_empty() && rng.percent(55) {
        planned.severs.push(rng.pick(&conduits).clone());
        if rng.percent(30) {
            planned.severs.push(rng.pick(&conduits).clone());
        }
        planned.severs.sort();
        planned.severs.dedup();
        let by =
            matches!(planned.undo, PlannedUndo::By(_)) && matches!(planned.action, PlannedAction::Run(_));
        if by && rng.percent(20) {
            let otherwise =
                *rng.pick(&[Some(Otherwise::Revert), Some(Otherwise::Revert), Some(Otherwise::Hold), None]);
            planned.guard = Some(Guard { within: Millis(60_000), otherwise, self_test: false, repeat: None });
        }
    }
}

/// Some plans are ways back: a step or two reconnect a conduit, each another one.
fn reconnect(rng: &mut Rng, plan: &mut Plan) {
    if !rng.percent(25) {
        return;
    }
    for conduit in plan.site.conduits.keys().cloned().collect::<Vec<_>>() {
        let at = rng.below(plan.steps.len() as u64) as usize;
        let step = &mut plan.steps[at];
        let can = matches!(step.action, PlannedAction::Run(_)) && step.severs.is_empty();
        if can && rng.percent(60) {
            step.undo = PlannedUndo::By("cut it again".into());
            step.reconnects.push(conduit);
        }
    }
}

/// A plan in a few lines, for whoever looks at a seed.
pub fn told(plan: &Plan) -> String {
    let mut text = String::new();
    for (name, conduit) in &plan.site.conduits {
        let arrow = if conduit.both_ways { "<->" } else { "->" };
        let oob = if conduit.out_of_band { " out of band" } else { "" };
        writeln!(text, "{name}: {} {arrow} {}{oob}", conduit.from, conduit.to).unwrap();
    }
    for host in &plan.hosts {
        let Reach::Ssh(ssh) = &host.reach else { continue };
        writeln!(text, "{} in {:?} at {} via {:?}", host.name, host.zone, ssh.address, ssh.jump).unwrap();
    }
    writeln!(text, "name servers {:?}", plan.site.name_servers).unwrap();
    for step in &plan.steps {
        let tasks = step.first_task.0..step.first_task.0 + step.tasks;
        let tasks: Vec<String> = tasks
            .map(|ix| {
                let out = if plan.tasks[ix as usize].left_out.is_some() { " (left out)" } else { "" };
                format!("{}{out}", plan.task_name(TaskIx(ix)))
            })
            .collect();
        let needs: Vec<String> = step
            .needs
            .iter()
            .map(|need| format!("s{}{}", need.step.0, if need.same_host { "@" } else { "" }))
            .collect();
        let after = step.after.map(|after| format!(" after s{}", after.step.0)).unwrap_or_default();
        let severs: Vec<&str> = step.severs.iter().map(|name| name.as_str()).collect();
        writeln!(
            text,
            "p{} {}: {tasks:?} waves {:?} needs {needs:?}{after} severs {severs:?} reconnects {:?} {:?} check {} undo {:?} verify {:?} watch {:?} guard {:?}",
            step.phase.0, step.id, step.waves, step.reconnects, step.action, step.check.is_some(), step.undo, step.verify,
            step.watch, step.guard
        )
        .unwrap();
    }
    text
}
