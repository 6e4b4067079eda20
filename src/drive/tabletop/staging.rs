//! A scenario on the stage of a plan: which task takes how long, what of it goes wrong how often, which host is gone
//! when, who answers what. Made once, and shared by all trials.

use super::learnt::Learnt;
use crate::drive::probe::Asked;
use crate::model::event::JobKind;
use crate::model::names::{HostIx, PhaseIx, StepId, StepIx, TaskIx};
use crate::model::pattern::Pattern;
use crate::model::place::Located;
use crate::model::probe::{Expect, Probe, ProbeKind, Vantage};
use crate::model::question::Choice;
use crate::model::runbook::Approve;
use crate::model::scenario::{Fault, Part, Person, Scenario, Spread, When};
use crate::model::{Inventory, Millis};
use crate::plan::frozen::{PlannedAction, PlannedStep};
use crate::plan::{Plan, graph};
use crate::reach::site::ZoneIx;
use crate::reach::terrain::Terrain;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A plan, and how the world behaves towards it.
#[derive(Debug, Clone)]
pub struct Staging {
    /// The plan, without signatures: nobody signs at a tabletop.
    pub plan: Arc<Plan>,
    /// Its ways.
    pub terrain: Terrain,
    pub(super) actions: Vec<Spread>,
    pub(super) undos: Vec<Spread>,
    pub(super) answers: Vec<Spread>,
    pub(super) consents: Vec<Spread>,
    /// What journals say of the jobs of each task, by whether they end well.
    pub(super) measured: BTreeMap<(TaskIx, JobKind, bool), Measured>,
    pub(super) faults: BTreeMap<(TaskIx, Part), u32>,
    /// By host: stretches after the start in which it does not answer.
    pub(super) gone: Vec<Vec<(Millis, Option<Millis>)>>,
    pub(super) players: Vec<Player>,
    pub(super) decisions: BTreeMap<PhaseIx, Choice>,
    /// A manual step that is done in half the time, whoever does it.
    pub(super) halved: Option<StepIx>,
    /// Messages, in file order.
    pub injects: Vec<Message>,
    /// Probes of each step.
    pub(super) probes: Vec<Vec<Looked>>,
    /// The probe of each service, if it has one.
    pub(super) service_probes: Vec<Option<Looked>>,
}

/// A message to the players.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it waits for.
    pub when: Cue,
    /// So long after that.
    pub wait: Millis,
    /// What they are told.
    pub text: String,
}

/// What a message waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cue {
    /// The start.
    Start,
    /// The end of a phase.
    Phase(PhaseIx),
    /// The end of a step.
    Step(StepIx),
}

/// Somebody who answers.
#[derive(Debug, Clone)]
pub(super) struct Player {
    pub name: String,
    /// Empty: all.
    pub answers: BTreeSet<StepIx>,
    pub refuses: BTreeSet<StepIx>,
    pub takes: Option<Spread>,
}

/// A probe of a step, as it is seen from the map.
#[derive(Debug, Clone)]
pub(super) struct Looked {
    /// The host it starts from, if that is a host of the plan; of a task's own host it is `None`.
    pub from: Option<HostIx>,
    pub at_task: bool,
    pub to: Option<ZoneIx>,
    pub target_host: Option<HostIx>,
    pub closed: bool,
    /// Is it the action itself?
    pub own: bool,
}

/// What was measured of a job: by its try, and at any.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    pub tries: BTreeMap<u32, Spread>,
    pub any: Spread,
}

/// How often is always.
pub(super) const ALWAYS: u32 = u32::MAX;

/// What a table makes of a plan: nobody signs there.
pub fn as_at_a_table(plan: &mut Plan) {
    for approve in plan.steps.iter_mut().filter_map(|step| step.approve.as_mut()) {
        approve.signed = false;
    }
}

impl Staging {
    /// A plan with a scenario, whose names were checked against the runbook.
    pub fn of(mut plan: Plan, inventory: &Inventory, scenario: &Scenario, learnt: &Learnt) -> Self {
        as_at_a_table(&mut plan);
        let terrain = Terrain::of(&plan, inventory);
        let step = |id: &Located<StepId>| plan.step_named(id.value.as_str());
        let spreads = |measured: &BTreeMap<StepId, Vec<Millis>>, expected: fn(&PlannedStep) -> Millis| {
            let steps = plan.steps.iter().map(|step| match measured.get(&step.id) {
                Some(measured) => Spread::OneOf(measured.clone()),
                None => Spread::Always(expected(step)),
            });
            steps.collect::<Vec<Spread>>()
        };
        let mut actions: Vec<Spread> =
            plan.steps.iter().map(|step| Spread::Always(expected_action(step))).collect();
        let undos = actions.clone();
        let mut measured = measured(&plan, learnt);
        let mut answers = spreads(&learnt.answers, expected_action);
        let consents = spreads(&learnt.consents, |step| consent(step.approve.as_ref()));
        for (id, spread) in &scenario.durations {
            if let Some(ix) = step(id) {
                let of = if is_manual(&plan.steps[ix.at()]) { &mut answers } else { &mut actions };
                of[ix.at()] = spread.clone();
                measured
                    .retain(|(task, kind, _), _| *kind != JobKind::Run || plan.tasks[task.at()].step != ix);
            }
        }
        let mut faults = BTreeMap::new();
        let mut gone = vec![Vec::new(); plan.hosts.len()];
        for fault in &scenario.faults {
            match fault {
                Fault::Step { part, step: id, on, times } => {
                    let Some(ix) = step(id) else { continue };
                    let hosts = on.as_ref().map(|on| hosts(&plan, &on.value));
                    let hit = plan.tasks_of(ix).filter(|task| {
                        let host = plan.tasks[task.at()].host;
                        hosts.as_ref().is_none_or(|hosts| host.is_some_and(|host| hosts.contains(&host)))
                    });
                    faults.extend(hit.map(|task| ((task, *part), times.unwrap_or(ALWAYS))));
                }
                Fault::Unreachable { hosts: pattern, from, until } => {
                    for host in hosts(&plan, &pattern.value) {
                        gone[host.at()].push((*from, *until));
                    }
                }
            }
        }
        let injects = scenario.injects.iter().filter_map(|inject| {
            let when = match &inject.when {
                When::Start => Cue::Start,
                When::Phase(id) => Cue::Phase(plan.phase_named(id.value.as_str())?),
                When::Step(id) => Cue::Step(step(id)?),
            };
            Some(Message { when, wait: inject.wait, text: inject.text.clone() })
        });
        let decisions = scenario.decisions.iter();
        let service_probes = plan.services.iter().map(|service| {
            let probe = service.probe.as_ref()?;
            Some(on_the_map(&plan, &terrain, probe, &Asked::of_service(&plan, probe)))
        });
        Self {
            injects: injects.collect(),
            decisions: decisions
                .filter_map(|(id, choice)| Some((plan.phase_named(id.value.as_str())?, *choice)))
                .collect(),
            players: scenario.people.iter().map(|person| player(&plan, person)).collect(),
            service_probes: service_probes.collect(),
            probes: (0..plan.steps.len() as u32).map(|ix| looked(&plan, &terrain, StepIx(ix))).collect(),
            halved: None,
            actions,
            undos,
            measured,
            answers,
            consents,
            faults,
            gone,
            terrain,
            plan: Arc::new(plan),
        }
    }

    /// Makes one step twice as fast.
    pub fn halve(&mut self, step: StepIx) {
        self.actions[step.at()] = self.actions[step.at()].halved();
        for ((task, kind, _), measured) in &mut self.measured {
            if *kind == JobKind::Run && self.plan.tasks[task.at()].step == step {
                measured.tries.values_mut().for_each(|spread| *spread = spread.halved());
                measured.any = measured.any.halved();
            }
        }
        self.halved = Some(step);
    }

    /// May anything in it come out in more than one way?
    pub fn varies(&self) -> bool {
        let takes = self.players.iter().filter_map(|player| player.takes.as_ref());
        let said = self.actions.iter().chain(&self.answers).chain(&self.consents).chain(takes);
        said.chain(self.measured.values().map(|measured| &measured.any)).any(Spread::varies)
    }
}

/// What was learnt, task by task: from its own host if it was measured there.
fn measured(plan: &Plan, learnt: &Learnt) -> BTreeMap<(TaskIx, JobKind, bool), Measured> {
    let mut measured = BTreeMap::new();
    for (part, took) in &learnt.jobs {
        let Some(step) = plan.step_named(part.step.as_str()) else { continue };
        for task in plan.tasks_of(step) {
            let host = plan.tasks[task.at()].host.map(|host| &plan.hosts[host.at()].name);
            let tries: BTreeSet<u32> =
                took.iter().filter(|took| took.host.as_ref() == host).map(|took| took.attempt).collect();
            let tried = |attempt: u32| (attempt, Spread::OneOf(learnt.lengths(part, host, Some(attempt))));
            let any = match tries.is_empty() {
                true => learnt.anywhere(part),
                false => learnt.lengths(part, host, None),
            };
            let of = Measured { tries: tries.into_iter().map(tried).collect(), any: Spread::OneOf(any) };
            measured.insert((task, part.kind, part.well), of);
        }
    }
    measured
}

fn hosts(plan: &Plan, pattern: &str) -> Vec<HostIx> {
    let Ok(pattern) = Pattern::parse(pattern) else { return Vec::new() };
    let hosts = plan.hosts.iter().enumerate();
    let hosts = hosts.filter(|(_, host)| pattern.matches(&host.name, &host.groups));
    hosts.map(|(ix, _)| HostIx(ix as u32)).collect()
}

fn player(plan: &Plan, person: &Person) -> Player {
    let steps =
        |ids: &[Located<StepId>]| ids.iter().filter_map(|id| plan.step_named(id.value.as_str())).collect();
    Player {
        name: person.name.clone(),
        answers: steps(&person.answers),
        refuses: steps(&person.refuses),
        takes: person.takes.clone(),
    }
}

/// What the plan expects of the action on one host: its estimate holds consent, all waves and the watch.
fn expected_action(step: &PlannedStep) -> Millis {
    let once = graph::estimate(&step.action, 1, None);
    let watched = step.watch.as_ref().map_or(0, |watch| watch.length.0);
    let beside = watched + consent(step.approve.as_ref()).0;
    match step.estimate.0.saturating_sub(beside) / step.waves.len().max(1) as u64 {
        0 => once,
        each => Millis(each),
    }
}

fn is_manual(step: &PlannedStep) -> bool {
    matches!(step.action, PlannedAction::Manual(_))
}

/// Consent alone: what it adds to an action that takes no time.
fn consent(approve: Option<&Approve>) -> Millis {
    graph::estimate(&PlannedAction::Wait(Millis(0)), 1, approve)
}

/// The probes of a step, the action first if it is one.
fn looked(plan: &Plan, terrain: &Terrain, step: StepIx) -> Vec<Looked> {
    let planned = &plan.steps[step.at()];
    let first = TaskIx(planned.first_task.0);
    let own = matches!(planned.action, PlannedAction::Probe(_));
    let probes = planned.probes().enumerate().map(|(nth, probe)| {
        let asked = Asked::on_paper(plan, first, probe);
        Looked { own: own && nth == 0, ..on_the_map(plan, terrain, probe, &asked) }
    });
    probes.collect()
}

/// A probe as it is seen from the map.
fn on_the_map(plan: &Plan, terrain: &Terrain, probe: &Probe, asked: &Asked) -> Looked {
    let target = match &asked.kind {
        ProbeKind::Tcp { host, .. } | ProbeKind::Http { host, .. } | ProbeKind::Icmp { host } => {
            Some(host.as_str())
        }
        ProbeKind::Dns { server, .. } => Some(server.as_str()),
        ProbeKind::Command { .. } => None,
    };
    Looked {
        from: match &probe.from {
            Some(Vantage::Host(name)) => plan.host_named(name.as_str()),
            Some(Vantage::Task | Vantage::Controller) | None => None,
        },
        at_task: matches!(probe.from, Some(Vantage::Task)),
        to: target.and_then(|target| terrain.zone_of_target(plan, target)),
        target_host: target.and_then(|target| plan.host_named(target)),
        closed: probe.expect == Expect::Closed,
        own: false,
    }
}
