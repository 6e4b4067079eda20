//! What a run came to, counted: the facts of the recap, for its text and its JSON alike.

use super::availability::ServiceFacts;
use super::fired::FiredFacts;
use super::guarded::GuardFacts;
use super::proof::ProofFacts;
use super::restored::{self, Restoration};
use super::score::{self, ObjectiveFacts};
use super::timeline::Timeline;
use super::words;
use crate::engine::{RunState, Status};
use crate::model::Time;
use crate::model::event::{Mode, NotRun, TaskEnd, UndoEnd, Verdict};
use crate::model::names::{ConduitName, HostName, PhaseId, RunId, StepId, StepIx, TaskIx};
use crate::plan::Plan;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunFacts {
    /// The run's id; `null` before its first event.
    pub run: Option<RunId>,
    /// The runbook's name.
    pub runbook: String,
    /// The inventory's name.
    pub inventory: String,
    /// Exercise or real.
    pub mode: Mode,
    /// `completed`, `stopped`, `refused`, `rolled back`, `STUCK`; `null` while the run has not ended.
    pub verdict: Option<&'static str>,
    /// The verdict in one sentence.
    pub sentence: String,
    /// The exit code that tells the verdict; `null` while the run has not ended.
    pub exit_code: Option<u8>,
    /// Who started it.
    pub by: Option<String>,
    /// When it started.
    pub started_at: Option<Time>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Tasks of each host that has any, in host order; those of the controller first.
    pub hosts: Vec<HostFacts>,
    /// Tasks that did not end well, those with the same reason together.
    pub failures: Vec<FailureFacts>,
    /// Tasks that did not run, those with the same reason together.
    pub not_run: Vec<NotRunFacts>,
    /// What could not be taken back.
    pub needs_a_person: Vec<StuckFacts>,
    /// Conduits that are cut now, as far as this run knows.
    pub cuts: Vec<CutFacts>,
    /// Guards that were armed, and what became of them.
    pub guards: Vec<GuardFacts>,
    /// Objectives of the runbook.
    pub objectives: Vec<ObjectiveFacts>,
    /// Dangers of the plan that somebody took upon themselves when the run began.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accepted_risks: Vec<RiskFacts>,
    /// What negative probes prove; `null` if none was carried out.
    pub proof: Option<ProofFacts>,
    /// Steps that were fired on all their hosts at one moment, and how far apart these started.
    pub fired: Vec<FiredFacts>,
    /// How services stood while they were watched.
    pub services: Vec<ServiceFacts>,
    /// What a drill left behind; absent while it goes on, and in any other run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restoration: Option<Restoration>,
}

/// A danger of the plan that somebody took upon themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RiskFacts {
    /// What the plan may lead to.
    pub what: String,
    /// Who.
    pub by: String,
    /// Why.
    pub because: String,
}

/// The tasks of one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct HostFacts {
    /// Its name; `null` is the controller.
    pub host: Option<HostName>,
    /// Ran, and ended well.
    pub done: u32,
    /// Were so already.
    pub already_so: u32,
    /// Did not end well.
    pub failed: u32,
    /// Did not run, for a reason other than the plan's.
    pub not_run: u32,
    /// Left out by the plan.
    pub left_out: u32,
    /// Not settled: waiting or under way.
    pub open: u32,
    /// Of all these: taken back.
    pub undone: u32,
    /// Of all these: could not be taken back.
    pub stuck: u32,
    /// Time from start to end of its tasks, added up, in milliseconds.
    pub time_ms: u64,
}

/// Tasks of a step that did not end well, for the same reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailureFacts {
    /// The step.
    pub step: StepId,
    /// Where.
    pub hosts: Vec<HostName>,
    /// The reason.
    pub why: String,
    /// The tasks.
    #[serde(skip)]
    pub tasks: Vec<TaskIx>,
}

/// Tasks of a step that did not run, for the same reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotRunFacts {
    /// The step.
    pub step: StepId,
    /// Its phase.
    pub phase: PhaseId,
    /// How many tasks.
    pub tasks: u32,
    /// The reason.
    pub why: String,
    /// Did the plan leave them out?
    pub left_out: bool,
}

/// Something that could not be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StuckFacts {
    /// The step.
    pub step: StepId,
    /// Where; `null` is the controller.
    pub host: Option<HostName>,
    /// What happened.
    pub why: String,
    /// The task.
    #[serde(skip)]
    pub task: TaskIx,
}

/// A conduit that is cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CutFacts {
    /// The conduit.
    pub conduit: ConduitName,
    /// The step that cuts it.
    pub step: StepId,
    /// Where.
    pub hosts: Vec<HostName>,
    /// Is it certain, on every host, or did some of the cut not end well?
    pub certain: bool,
}

impl RunFacts {
    /// Counts a run, and tells where the time of its objectives went.
    pub fn told(timeline: &Timeline) -> Self {
        let mut facts = Self::of(&timeline.state);
        facts.objectives = score::facts(timeline);
        facts
    }

    /// Counts a run.
    pub fn of(state: &RunState) -> Self {
        let plan = state.plan();
        let verdict = match state.status() {
            Status::Ended(verdict) => Some(verdict),
            Status::New | Status::Running | Status::RollingBack { .. } => None,
        };
        let stuck: BTreeSet<TaskIx> = state.needs_a_person().iter().map(|(task, _)| *task).collect();
        Self {
            run: state.run_id().cloned(),
            runbook: plan.runbook.clone(),
            inventory: plan.inventory.clone(),
            mode: state.mode(),
            verdict: verdict.map(words::verdict_word),
            sentence: sentence(state, verdict),
            exit_code: verdict.map(|verdict| score::exit_code(state, verdict)),
            by: state.started_by().map(str::to_owned),
            started_at: state.started_at(),
            ended_at: state.ended_at(),
            hosts: hosts(state, &stuck),
            failures: failures(state),
            not_run: not_run(state),
            needs_a_person: state
                .needs_a_person()
                .iter()
                .map(|(task, end)| stuck_facts(plan, *task, end))
                .collect(),
            cuts: cuts(state),
            guards: GuardFacts::all(state),
            objectives: score::scores(state).iter().map(ObjectiveFacts::of).collect(),
            accepted_risks: risks(state),
            proof: ProofFacts::of(state),
            fired: FiredFacts::all(state),
            services: ServiceFacts::all(state),
            restoration: Restoration::of(state, &|task| restored::why(state, task)),
        }
    }
}

/// Where a run stands, in one sentence.
pub(super) fn sentence(state: &RunState, verdict: Option<&Verdict>) -> String {
    match (verdict, state.status()) {
        (Some(Verdict::Stuck), _) if state.abandoned_by().is_some() => {
            let by = super::escape::line(state.abandoned_by().unwrap_or_default());
            format!("Given up: something could not be taken back, and {by} has taken it on.")
        }
        (Some(Verdict::RolledBack), _) if score::came_through(state) => words::PUT_BACK.to_owned(),
        (Some(verdict), _) => words::verdict(state.plan(), state.mode(), verdict),
        (None, Status::New) => "Not started.".to_owned(),
        (None, Status::RollingBack { .. }) => "Not over: things are being taken back.".to_owned(),
        (None, Status::Running | Status::Ended(_)) => "Not over.".to_owned(),
    }
}

fn hosts(state: &RunState, stuck: &BTreeSet<TaskIx>) -> Vec<HostFacts> {
    let plan = state.plan();
    let mut hosts = BTreeMap::new();
    for (ix, planned) in plan.tasks.iter().enumerate() {
        let (ix, task) = (TaskIx(ix as u32), state.task(TaskIx(ix as u32)));
        let name = planned.host.map(|host| plan.hosts[host.at()].name.clone());
        let host: &mut HostFacts =
            hosts.entry(planned.host).or_insert_with(|| HostFacts { host: name, ..HostFacts::default() });
        let column = match task.end() {
            None => &mut host.open,
            Some(TaskEnd::Done) => &mut host.done,
            Some(TaskEnd::AlreadySo) => &mut host.already_so,
            Some(TaskEnd::Failed { .. }) => &mut host.failed,
            Some(TaskEnd::NotRun { because: NotRun::LeftOut }) => &mut host.left_out,
            Some(TaskEnd::NotRun { .. }) => &mut host.not_run,
        };
        *column += 1;
        host.undone += u32::from(task.undo() == Some(&UndoEnd::Undone));
        host.stuck += u32::from(stuck.contains(&ix));
        if let (Some(started), Some(ended)) = (task.started_at(), task.ended_at()) {
            host.time_ms += ended.since(started).0;
        }
    }
    hosts.into_values().collect()
}

fn failures(state: &RunState) -> Vec<FailureFacts> {
    let plan = state.plan();
    let mut groups: BTreeMap<(StepIx, String), Vec<TaskIx>> = BTreeMap::new();
    for ix in tasks(plan) {
        if let Some(end @ TaskEnd::Failed { .. }) = state.task(ix).end() {
            groups.entry((plan.tasks[ix.at()].step, words::task_end(plan, ix, end))).or_default().push(ix);
        }
    }
    groups
        .into_iter()
        .map(|((step, why), tasks)| FailureFacts {
            step: plan.steps[step.at()].id.clone(),
            hosts: names(plan, &tasks),
            why,
            tasks,
        })
        .collect()
}

fn not_run(state: &RunState) -> Vec<NotRunFacts> {
    let plan = state.plan();
    let mut groups: BTreeMap<(StepIx, bool, String), u32> = BTreeMap::new();
    for ix in tasks(plan) {
        if let Some(TaskEnd::NotRun { because }) = state.task(ix).end() {
            let planned = &plan.tasks[ix.at()];
            let why = words::not_run(plan, because, planned.left_out.as_deref());
            *groups.entry((planned.step, *because == NotRun::LeftOut, why)).or_default() += 1;
        }
    }
    groups
        .into_iter()
        .map(|((step, left_out, why), tasks)| {
            let planned = &plan.steps[step.at()];
            let phase = plan.phases[planned.phase.at()].id.clone();
            NotRunFacts { step: planned.id.clone(), phase, tasks, why, left_out }
        })
        .collect()
}

fn stuck_facts(plan: &Plan, task: TaskIx, end: &UndoEnd) -> StuckFacts {
    StuckFacts {
        step: plan.step_of(task).id.clone(),
        host: plan.host_of(task).map(|host| host.name.clone()),
        why: words::undo_end(plan, task, end),
        task,
    }
}

fn risks(state: &RunState) -> Vec<RiskFacts> {
    let risks = state.risks().iter().cloned();
    risks.map(|risk| RiskFacts { what: risk.what, by: risk.by, because: risk.because }).collect()
}

/// What a step that severs has done or found done, and nobody has taken back.
pub(super) fn cuts(state: &RunState) -> Vec<CutFacts> {
    let plan = state.plan();
    let mut cuts = Vec::new();
    let opened = opened_again(state);
    for (ix, step) in plan.steps.iter().enumerate().filter(|(_, step)| !step.severs.is_empty()) {
        let step_ix = StepIx(ix as u32);
        let in_place: Vec<TaskIx> = plan
            .tasks_of(step_ix)
            .filter(|task| {
                let found_so = matches!(state.task(*task).end(), Some(TaskEnd::AlreadySo));
                found_so || state.may_have_changed(*task)
            })
            .collect();
        if in_place.is_empty() {
            continue;
        }
        let certain = state.step(step_ix).ended_well()
            && in_place.iter().all(|task| {
                matches!(state.task(*task).end(), Some(TaskEnd::Done | TaskEnd::AlreadySo))
                    && !matches!(state.task(*task).undo(), Some(UndoEnd::Failed { .. }))
            });
        cuts.extend(step.severs.iter().filter(|conduit| !opened.contains(conduit)).map(|conduit| CutFacts {
            conduit: conduit.clone(),
            step: step.id.clone(),
            hosts: names(plan, &in_place),
            certain,
        }));
    }
    cuts
}

/// Conduits that a step has surely opened again since, everywhere, and that nobody has cut again.
fn opened_again(state: &RunState) -> Vec<&ConduitName> {
    let plan = state.plan();
    let open = |ix: &usize| {
        let step = StepIx(*ix as u32);
        let there = |task: TaskIx| state.task(task).undo().is_none();
        state.step(step).ended_well() && plan.tasks_of(step).all(there)
    };
    let steps = (0..plan.steps.len()).filter(|ix| !plan.steps[*ix].reconnects.is_empty());
    steps.filter(open).flat_map(|ix| &plan.steps[ix].reconnects).collect()
}

pub(super) fn names(plan: &Plan, tasks: &[TaskIx]) -> Vec<HostName> {
    tasks.iter().filter_map(|task| plan.host_of(*task)).map(|host| host.name.clone()).collect()
}

fn tasks(plan: &Plan) -> impl Iterator<Item = TaskIx> + use<> {
    (0..plan.tasks.len() as u32).map(TaskIx)
}
