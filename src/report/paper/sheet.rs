//! What stands on the paper runbook, before it is set as a page or as plain text.

use crate::model::Millis;
use crate::model::names::{HostIx, PhaseIx, StepIx, TaskIx};
use crate::model::runbook::{Moment, Policy};
use crate::plan::frozen::{Plan, PlannedAction, PlannedStep, PlannedUndo, PlannedVerify};
use crate::plan::{fill, graph, hash};
use crate::report::commands;
use crate::report::escape::{line, lines};
use crate::report::plan_commands::{pieces, scripts};
use crate::report::plan_step::{Texts, does, hosts_of, probe};
use crate::report::plan_text::about;
use crate::report::words::so_many;
use std::collections::BTreeSet;

/// The paper runbook.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// The runbook's name.
    pub runbook: String,
    /// What it is for.
    pub about: Option<String>,
    /// The inventory's name.
    pub inventory: String,
    /// SHA-256 of the plan as 64 hexadecimal digits.
    pub hash: String,
    /// Whom to call.
    pub contacts: Vec<Contact>,
    /// What must be reached by when.
    pub objectives: Vec<String>,
    /// How long it is expected to take.
    pub expected: Millis,
    /// The way onto each host that a step runs on: name and command.
    pub hosts: Vec<(String, String)>,
    /// Phases in their order.
    pub phases: Vec<PhaseSheet>,
}

/// Somebody to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Who, or which duty.
    pub who: String,
    /// How to reach them.
    pub how: String,
}

/// A phase on paper.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseSheet {
    /// `1 isolate`.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// What to do if a step fails.
    pub if_a_step_fails: &'static str,
    /// Its steps; those that the plan leaves out are not on paper.
    pub steps: Vec<StepSheet>,
}

/// A step on paper.
#[derive(Debug, Clone, PartialEq)]
pub struct StepSheet {
    /// `1.2 cut-isp`.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// What it does, in words; `None` if its commands say so.
    pub does: Option<String>,
    /// What must be done before, and what else to know: label and text.
    pub before: Vec<(&'static str, String)>,
    /// How many people sign before it starts.
    pub signatures: u32,
    /// Hosts to tick off; empty is once, by hand or on the controller.
    pub hosts: Vec<String>,
    /// The text of a manual step, line by line.
    pub by_hand: Vec<String>,
    /// Commands in their order.
    pub commands: Vec<CommandSheet>,
    /// What must be true afterwards.
    pub proof: Vec<String>,
    /// How it is taken back.
    pub undo: UndoSheet,
    /// How long it is expected to take.
    pub expected: Millis,
}

/// One command, or what differs from the one before it on other hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandSheet {
    /// `check`, `run`, `verify[1]` …
    pub label: String,
    /// Where.
    pub on: String,
    /// Is it the same as the one before but for these values?
    pub same_but: bool,
    /// The text.
    pub lines: Vec<String>,
}

/// How a step is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UndoSheet {
    /// By these commands.
    Commands(Vec<CommandSheet>),
    /// There is nothing to take back.
    NotNeeded,
    /// It cannot be; why.
    Impossible(String),
}

impl Sheet {
    /// Puts a plan on paper.
    pub fn of(plan: &Plan, contacts: Vec<Contact>) -> Self {
        let phases = (0..plan.phases.len() as u32).map(|ix| phase(plan, PhaseIx(ix)));
        Self {
            runbook: line(&plan.runbook),
            about: plan.summary.as_deref().map(line),
            inventory: line(&plan.inventory),
            hash: hash(plan),
            contacts,
            objectives: objectives(plan),
            expected: plan.steps.iter().map(|step| step.urgency).max().unwrap_or_default(),
            hosts: hosts(plan),
            phases: phases.filter(|phase| !phase.steps.is_empty()).collect(),
        }
    }

    /// Enough of the hash to tell two papers apart.
    pub fn short_hash(&self) -> &str {
        &self.hash[..HASH_SHOWN]
    }
}

/// Enough of a hash to tell two plans apart at a glance; also what the screen shows.
const HASH_SHOWN: usize = 12;

fn objectives(plan: &Plan) -> Vec<String> {
    let moment = |moment: &Moment| match moment {
        Moment::Start => "the start".to_owned(),
        Moment::Phase(id) => format!("phase {id}"),
        Moment::Step(id) => format!("step {id}"),
        Moment::Probe(id) => format!("the probes of {id}"),
        Moment::ServiceUp(name) => format!("service {name} up"),
        Moment::ServiceDown(name) => format!("service {name} down"),
        Moment::Backup(id) => format!("the backup of {id} taken"),
    };
    let told = |one: &crate::plan::frozen::PlannedObjective| {
        format!("{}: {} within {} of {}", line(&one.name), moment(&one.to), one.within, moment(&one.from))
    };
    plan.objectives.iter().map(told).collect()
}

/// Hosts that a step runs on, with the command that gets a person onto each.
fn hosts(plan: &Plan) -> Vec<(String, String)> {
    let running = plan.tasks.iter().filter(|task| task.left_out.is_none());
    let hosts: BTreeSet<HostIx> = running.filter_map(|task| task.host).collect();
    let way = |host: HostIx| commands::ssh(plan, host).unwrap_or_else(|| "on this machine".to_owned());
    hosts.into_iter().map(|host| (plan.hosts[host.at()].name.to_string(), way(host))).collect()
}

fn phase(plan: &Plan, ix: PhaseIx) -> PhaseSheet {
    let planned = &plan.phases[ix.at()];
    let number = ix.0 + 1;
    let steps = plan.steps_of(ix).filter(|step| graph::runs(plan, *step)).enumerate();
    PhaseSheet {
        name: format!("{number} {}", planned.id),
        title: planned.title.as_deref().map(line),
        if_a_step_fails: match planned.on_failure {
            Policy::Stop => "stop",
            Policy::Rollback => "take this phase back, last step first",
            Policy::RollbackRun => "take everything back, last step first; cuts stay cut",
            Policy::Continue => "go on without what needs it",
            Policy::Ask => "ask who decides",
        },
        steps: steps.map(|(at, step)| self::step(plan, step, &format!("{number}.{}", at + 1))).collect(),
    }
}

fn step(plan: &Plan, ix: StepIx, number: &str) -> StepSheet {
    let planned = &plan.steps[ix.at()];
    let running: Vec<TaskIx> =
        plan.tasks_of(ix).filter(|task| plan.tasks[task.at()].left_out.is_none()).collect();
    let texts = Texts { plan, values: &planned.values, tasks: &running };
    let (mut commands, mut undo) = (Vec::new(), Vec::new());
    for (label, script) in scripts(plan, ix) {
        let list = if label == "undo" { &mut undo } else { &mut commands };
        list.extend(pieces(plan, script, &running).into_iter().map(|piece| CommandSheet {
            label: label.clone(),
            on: hosts_of(plan, &piece.tasks, usize::MAX),
            same_but: piece.same_but,
            lines: piece.lines,
        }));
    }
    let by_hand = match &planned.action {
        PlannedAction::Manual(text) => lines(&fill(text, &plan.tasks[running[0].at()].values)).collect(),
        PlannedAction::Run(_)
        | PlannedAction::Upload(_)
        | PlannedAction::Fetch(_)
        | PlannedAction::Wait(_)
        | PlannedAction::Probe(_)
        | PlannedAction::Backup(_) => Vec::new(),
    };
    let mut names: Vec<String> =
        running.iter().filter_map(|task| plan.host_of(*task)).map(|host| host.name.to_string()).collect();
    names.dedup();
    let proof = planned.verify.iter().enumerate().map(|(at, verify)| match verify {
        PlannedVerify::Script(_) => format!("verify[{}] ends well (exit status 0)", at + 1),
        PlannedVerify::Probe(one) => probe(&texts, one),
    });
    let watched = planned.watch.iter().flat_map(|watch| {
        let long = format!("for {}, looked at every {}", about(watch.length), about(watch.every));
        let texts = &texts;
        watch.probes.iter().map(move |one| format!("{long}: {}", probe(texts, one)))
    });
    StepSheet {
        name: format!("{number} {}", planned.id),
        title: planned.title.as_deref().map(line),
        does: match &planned.action {
            // The exact command follows.
            PlannedAction::Run(_) => None,
            PlannedAction::Manual(_) => Some("by hand:".to_owned()),
            PlannedAction::Upload(_)
            | PlannedAction::Fetch(_)
            | PlannedAction::Wait(_)
            | PlannedAction::Probe(_)
            | PlannedAction::Backup(_) => Some(does(&texts, planned)),
        },
        before: before(plan, planned),
        signatures: planned.approve.as_ref().map_or(0, |approve| approve.people),
        hosts: names,
        by_hand,
        commands,
        proof: proof.chain(watched).collect(),
        undo: match &planned.undo {
            PlannedUndo::By(_) => UndoSheet::Commands(undo),
            PlannedUndo::NotNeeded => UndoSheet::NotNeeded,
            PlannedUndo::Impossible(why) => UndoSheet::Impossible(line(why)),
        },
        expected: planned.estimate,
    }
}

/// What must be done before a step, and what it cuts.
fn before(plan: &Plan, step: &PlannedStep) -> Vec<(&'static str, String)> {
    let id = |step: StepIx| plan.steps[step.at()].id.to_string();
    let mut said = Vec::new();
    let needs: Vec<String> = step.needs.iter().map(|need| id(need.step)).collect();
    if !needs.is_empty() {
        said.push(("after", needs.join(", ")));
    }
    if let Some(after) = step.after {
        said.push(("wait", format!("at least {} after {}", after.at_least, id(after.step))));
    }
    if let Some(deadline) = step.deadline {
        let from = deadline.from.map_or("the start".to_owned(), id);
        said.push(("deadline", format!("not later than {} after {from}", deadline.within)));
    }
    if !step.severs.is_empty() {
        let cut: Vec<&str> = step.severs.iter().map(|conduit| conduit.as_str()).collect();
        said.push(("cuts", format!("{}: stays cut until somebody decides to re-open it", cut.join(", "))));
    }
    if !step.reconnects.is_empty() {
        let opened: Vec<&str> = step.reconnects.iter().map(|conduit| conduit.as_str()).collect();
        let words = "open again; if a proof below fails, cut it again at once";
        said.push(("opens", format!("{}: {words}", opened.join(", "))));
    }
    if step.together.is_some() {
        said.push(("together", "start it on all hosts at one moment".to_owned()));
    }
    if step.snapshot.is_some() && matches!(step.undo, PlannedUndo::By(_)) {
        let words = "what `snapshot` prints, in a file; the undo finds its path in $BLACKSTART_SNAPSHOT";
        said.push(("keep", words.to_owned()));
    }
    if let Some(guard) = &step.guard {
        said.push((
            "careful",
            format!("may cut your own way in: prove a fresh login within {}", guard.within),
        ));
    }
    if step.waves.len() > 1 {
        let sizes: Vec<String> = step.waves.iter().map(u32::to_string).collect();
        said.push(("waves", format!("{} hosts, one wave after the other", sizes.join(", "))));
    }
    if step.max_failures > 0 {
        said.push(("may fail", so_many(step.max_failures as usize, "host")));
    }
    if !step.secrets.is_empty() {
        let names: Vec<&str> = step.secrets.iter().map(|name| name.as_str()).collect();
        said.push(("secrets", format!("{} (printed as ****)", names.join(", "))));
    }
    said
}
