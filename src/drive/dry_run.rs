//! Looks, and changes nothing: preflights, checks and probes, and an honest word on each task.

use crate::drive::backup::foreseen::{Foreseen, foresee};
use crate::drive::tools::{FIRST_ATTEMPT, Tools};
use crate::model::event::{Before, Seen};
use crate::model::names::{HostIx, TaskIx};
use crate::model::{How, Outcome};
use crate::plan::frozen::PlannedAction;
use crate::report::dry_run::{DryHost, DryRow, DryRun, Would};
use crate::transport::Stop;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

/// What one host said before anything else was asked of it: by (host, privileged), the first trouble.
type Preflights = BTreeMap<(HostIx, bool), Result<(), String>>;

/// What was learnt of a task by looking.
enum Looked {
    /// Its check ended so.
    Check(Outcome),
    /// Its backup is there, or not.
    Backup(Foreseen),
}

/// What a host must have to hold a guard.
const GUARD_NEEDS: [&str; 2] = ["setsid", "ln"];

/// Looks at every host, task and probe of the plan. `progress` is told what is looked at.
pub async fn carry_out(tools: Rc<Tools>, at_once: u32, stop: Stop, progress: &mut dyn FnMut(&str)) -> DryRun {
    let gate = Rc::new(Semaphore::new(at_once as usize));
    let (looked, preflights) = preflight_all(&tools, &gate, progress).await;
    progress("checks");
    let found = check_all(&tools, &gate, &preflights, &stop).await;
    progress("probes");
    let mut probes = probe_all(&tools, &gate, &stop).await;
    let rows = judge_all(&tools, &preflights, found);
    say_before(&rows, &mut probes);
    DryRun { rows, preflights: looked, probes }
}

async fn preflight_all(
    tools: &Rc<Tools>,
    gate: &Rc<Semaphore>,
    progress: &mut dyn FnMut(&str),
) -> (Vec<DryHost>, Preflights) {
    let plan = &tools.plan;
    let mut places: BTreeMap<(HostIx, bool), BTreeSet<String>> = BTreeMap::new();
    for ix in (0..plan.tasks.len() as u32).map(TaskIx) {
        if let (Some(host), None) = (plan.tasks[ix.at()].host, &plan.tasks[ix.at()].left_out) {
            let commands = places.entry((host, tools.privileged(ix))).or_default();
            commands.extend(plan.step_of(ix).requires.iter().cloned());
            if plan.step_of(ix).guard.is_some() {
                commands.extend(GUARD_NEEDS.map(str::to_owned));
            }
        }
    }
    let mut looks = JoinSet::new();
    for ((host, privileged), commands) in places {
        let (tools, gate) = (tools.clone(), gate.clone());
        looks.spawn_local(async move {
            let _turn = gate.acquire().await;
            let commands: Vec<String> = commands.into_iter().collect();
            let preflight = tools.fleet.host(host).preflight(privileged, &commands).await;
            (host, privileged, preflight)
        });
    }
    let mut looked = Vec::new();
    let mut preflights = Preflights::new();
    while let Some(look) = looks.join_next().await {
        let Ok((host, privileged, preflight)) = look else { continue };
        progress(plan.hosts[host.at()].name.as_str());
        let trouble = preflight.checks.iter().find_map(|(_, result)| result.clone().err());
        preflights.insert((host, privileged), trouble.map_or(Ok(()), Err));
        looked.push(((host, privileged), DryHost { host: Some(host), checks: preflight.checks }));
    }
    looked.sort_by_key(|(place, _)| *place);
    (looked.into_iter().map(|(_, host)| host).collect(), preflights)
}

async fn check_all(
    tools: &Rc<Tools>,
    gate: &Rc<Semaphore>,
    preflights: &Preflights,
    stop: &Stop,
) -> BTreeMap<TaskIx, Looked> {
    let plan = &tools.plan;
    let mut looks = JoinSet::new();
    for ix in (0..plan.tasks.len() as u32).map(TaskIx) {
        let task = &plan.tasks[ix.at()];
        let reached = task
            .host
            .is_none_or(|host| preflights.get(&(host, tools.privileged(ix))).is_some_and(Result::is_ok));
        let backup = matches!(plan.step_of(ix).action, PlannedAction::Backup(_));
        if task.left_out.is_some() || plan.step_of(ix).check.is_none() && !backup || !reached {
            continue;
        }
        let (tools, gate, mut stop) = (tools.clone(), gate.clone(), stop.clone());
        looks.spawn_local(async move {
            let _turn = gate.acquire().await;
            let looked = match &tools.plan.step_of(ix).action {
                PlannedAction::Backup(backup) => {
                    Some(Looked::Backup(foresee(&tools, ix, backup, &mut stop).await))
                }
                PlannedAction::Run(_)
                | PlannedAction::Upload(_)
                | PlannedAction::Fetch(_)
                | PlannedAction::Manual(_)
                | PlannedAction::Wait(_)
                | PlannedAction::Probe(_) => tools.check(ix, &mut stop).await.map(Looked::Check),
            };
            (ix, looked)
        });
    }
    let mut found = BTreeMap::new();
    while let Some(looked) = looks.join_next().await {
        if let Ok((ix, Some(looked))) = looked {
            let looked = match looked {
                Looked::Check(outcome) => Looked::Check(tools.scrubbed(outcome)),
                Looked::Backup(foreseen) => Looked::Backup(foreseen),
            };
            found.insert(ix, looked);
        }
    }
    found
}

/// What every probe of the plan sees at present, once each: the state before the run, not after it.
async fn probe_all(tools: &Rc<Tools>, gate: &Rc<Semaphore>, stop: &Stop) -> Vec<(TaskIx, Seen)> {
    let plan = tools.plan.clone();
    let (tell, mut hear) = mpsc::unbounded_channel();
    let mut looks = JoinSet::new();
    for ix in (0..plan.tasks.len() as u32).map(TaskIx) {
        if plan.tasks[ix.at()].left_out.is_some() {
            continue;
        }
        let step = plan.step_of(ix);
        for (number, probe) in step.probes().enumerate() {
            let mut once = probe.clone();
            once.within = crate::model::Millis(0);
            let (tools, gate, mut stop, tell) = (tools.clone(), gate.clone(), stop.clone(), tell.clone());
            looks.spawn_local(async move {
                let _turn = gate.acquire().await;
                let (seen, _) = tools.probe(ix, FIRST_ATTEMPT, &once, &mut stop).await;
                let _ = tell.send((ix, number, seen));
            });
        }
    }
    drop(tell);
    let mut probes = Vec::new();
    while let Some(look) = hear.recv().await {
        probes.push(look);
    }
    probes.sort_by_key(|(ix, number, _)| (*ix, *number));
    probes.into_iter().map(|(ix, _, seen)| (ix, seen)).collect()
}

/// What the silence of negative probes will be worth: the run makes the same look before its first cut.
fn say_before(rows: &[DryRow], probes: &mut [(TaskIx, Seen)]) {
    for (task, seen) in probes.iter_mut().filter(|(_, seen)| seen.is_negative()) {
        let already = rows.iter().any(|row| row.task == *task && row.would == Would::AlreadySo);
        seen.before = Some(match () {
            () if seen.is_open() => Before::Open,
            () if already => Before::CutAlready,
            () if seen.is_told() => Before::NotOpen,
            () => Before::NotLooked,
        });
    }
}

fn judge_all(tools: &Tools, preflights: &Preflights, found: BTreeMap<TaskIx, Looked>) -> Vec<DryRow> {
    let plan = &tools.plan;
    let mut rows = Vec::new();
    // Hosts on which an earlier step would change something: from then on a check made at present proves little.
    let mut touched: BTreeMap<HostIx, TaskIx> = BTreeMap::new();
    for ix in (0..plan.tasks.len() as u32).map(TaskIx) {
        let task = &plan.tasks[ix.at()];
        let step = plan.step_of(ix);
        let unreached =
            task.host.and_then(|host| preflights.get(&(host, tools.privileged(ix)))?.as_ref().err());
        if task.left_out.is_some() {
            continue;
        }
        let earlier = task.host.and_then(|host| touched.get(&host)).map(|earlier| plan.task_name(*earlier));
        let before = |says: &str| {
            earlier
                .as_ref()
                .map(|task| (Would::CannotKnow, format!("{says}, but {task} would change this host before")))
        };
        let (would, why) = match (unreached, found.get(&ix)) {
            (Some(trouble), _) => (Would::CannotKnow, trouble.clone()),
            (None, Some(Looked::Check(Outcome::Succeeded))) => before("its check says already so")
                .unwrap_or((Would::AlreadySo, "its check says so".to_owned())),
            (None, Some(Looked::Check(Outcome::Failed { how: How::Exit(_) }))) => {
                (Would::Run, "its check says not so yet".to_owned())
            }
            (None, Some(Looked::Check(other))) => (Would::CannotKnow, format!("its check {other}")),
            (None, Some(Looked::Backup(Foreseen::Fine(what)))) => (Would::Run, what.clone()),
            (None, Some(Looked::Backup(Foreseen::Amiss(why)))) => {
                before(why).unwrap_or((Would::Fail, why.clone()))
            }
            (None, Some(Looked::Backup(Foreseen::Untold(outcome)))) => {
                (Would::CannotKnow, format!("its backup could not be looked at: {outcome}"))
            }
            (None, None) => match &step.action {
                PlannedAction::Manual(_) => (Would::Run, "asks a person".to_owned()),
                PlannedAction::Wait(length) => (Would::Run, format!("waits {length}")),
                PlannedAction::Probe(_) => (Would::Run, "probes".to_owned()),
                PlannedAction::Fetch(_) => (Would::Run, "reads only".to_owned()),
                PlannedAction::Backup(_) => {
                    (Would::CannotKnow, "its backup could not be looked at".to_owned())
                }
                PlannedAction::Run(_) | PlannedAction::Upload(_) => {
                    (Would::Run, "has no check, so it runs whatever it finds".to_owned())
                }
            },
        };
        let changes = matches!(step.action, PlannedAction::Run(_) | PlannedAction::Upload(_));
        if let (Would::Run | Would::CannotKnow | Would::Fail, true, Some(host)) = (would, changes, task.host)
        {
            touched.entry(host).or_insert(ix);
        }
        rows.push(DryRow { task: ix, would, why });
    }
    rows
}
