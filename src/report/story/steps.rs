//! What became of every task, step and phase, and when.

use super::lang::Says;
use super::ledger::PathStep;
use super::path;
use super::sentences::{code, kind_of};
use super::told::{Fate, Phase, Span, Step, Stretch, Task, What};
use crate::engine::{RunState, StepStatus};
use crate::model::event::{JobKind, NotRun, TaskEnd, UndoEnd};
use crate::model::names::{PhaseIx, StepIx, TaskIx};
use crate::model::question::Question;
use crate::model::{Outcome, Time};
use crate::report::escape::{line, lines};
use crate::report::host_list::by_number;
use crate::report::timeline::{TaskSpan, Timeline};
use std::collections::{BTreeMap, BTreeSet};

/// Lines of a failed job's output that a report keeps.
const PRINTED_LINES_MAX: usize = 8;
/// Entries of a host list before the rest is counted.
const HOST_ENTRIES_MAX: usize = 6;

/// Phases, steps and tasks, told.
pub(super) struct Steps {
    pub phases: Vec<Phase>,
    pub steps: Vec<Step>,
    pub tasks: Vec<Task>,
    /// Of each task.
    pub fates: Vec<Fate>,
}

impl Steps {
    /// Tells what became of them.
    pub fn of(timeline: &Timeline, until: Option<Time>, says: &Says) -> Self {
        let (state, plan) = (&timeline.state, timeline.state.plan());
        let stuck: BTreeSet<TaskIx> = state.needs_a_person().into_iter().map(|(task, _)| task).collect();
        let tasks_ix = || (0..plan.tasks.len() as u32).map(TaskIx);
        let fates: Vec<Fate> = tasks_ix().map(|task| fate(state, task, &stuck)).collect();
        let tasks = tasks_ix().map(|ix| task(timeline, ix, fates[ix.at()], says)).collect();
        let expected = path::expected_ends(plan);
        let mut steps: Vec<Step> = Vec::with_capacity(plan.steps.len());
        for (at, expected) in expected.into_iter().enumerate() {
            steps.push(step(timeline, StepIx(at as u32), &fates, expected.0, until, says));
        }
        let phases = (0..plan.phases.len() as u32).map(|ix| phase(state, PhaseIx(ix), &steps)).collect();
        Self { phases, steps, tasks, fates }
    }

    /// Marks the steps of the critical path.
    pub fn mark_critical(&mut self, path: &[PathStep]) {
        let on_it: BTreeSet<&str> = path.iter().map(|leg| leg.step.as_str()).collect();
        for step in &mut self.steps {
            step.critical = on_it.contains(step.id.as_str());
        }
    }
}

fn fate(state: &RunState, ix: TaskIx, stuck: &BTreeSet<TaskIx>) -> Fate {
    let task = state.task(ix);
    if stuck.contains(&ix) {
        return Fate::Stuck;
    }
    if task.undo() == Some(&UndoEnd::Undone) {
        return Fate::TakenBack;
    }
    match task.end() {
        None if task.running().is_some() => Fate::UnderWay,
        None if task.unknown().is_some() => Fate::Unseen,
        None if task.is_begun() => Fate::UnderWay,
        None => Fate::Waiting,
        Some(TaskEnd::Done) => Fate::Done,
        Some(TaskEnd::AlreadySo) => Fate::AlreadySo,
        Some(TaskEnd::Failed { outcome: Outcome::Unknown { .. }, .. }) => Fate::Unseen,
        Some(TaskEnd::Failed { .. }) => Fate::Failed,
        Some(TaskEnd::NotRun { because: NotRun::LeftOut }) => Fate::LeftOut,
        Some(TaskEnd::NotRun { .. }) => Fate::NotRun,
    }
}

fn task(timeline: &Timeline, ix: TaskIx, fate: Fate, says: &Says) -> Task {
    let (state, plan) = (timeline.state.task(ix), timeline.state.plan());
    let sentence = state.end().map(|end| says.task_end(plan, ix, end));
    let told = |span: &TaskSpan| Span {
        what: span.what,
        job: span.job.map(|job| job.kind.word().to_owned()),
        attempt: span.job.map(|job| job.attempt),
        from: span.from,
        to: span.to,
        well: span.well,
    };
    let ended_badly = matches!(fate, Fate::Stuck | Fate::Failed | Fate::Unseen);
    Task {
        step: plan.step_of(ix).id.to_string(),
        host: plan.host_of(ix).map(|host| host.name.to_string()),
        fate,
        sentence: sentence.unwrap_or_else(|| says.fate(fate).to_owned()),
        undo: state.undo().map(|end| says.undo_end(plan, ix, end)),
        started_at: state.started_at(),
        ended_at: state.ended_at(),
        attempts: state.attempts(JobKind::Run),
        printed: if ended_badly { printed(timeline, ix) } else { Vec::new() },
        spans: timeline.spans[ix.at()].iter().map(told).collect(),
    }
}

/// The last lines that the newest failed job of a task printed.
pub(super) fn printed(timeline: &Timeline, task: TaskIx) -> Vec<String> {
    let all: Vec<String> = timeline.printed.get(&task).map(|tail| lines(tail).collect()).unwrap_or_default();
    all[all.len().saturating_sub(PRINTED_LINES_MAX)..].to_vec()
}

fn step(
    timeline: &Timeline,
    ix: StepIx,
    fates: &[Fate],
    expected_end_ms: u64,
    until: Option<Time>,
    says: &Says,
) -> Step {
    let (state, plan) = (timeline.state.step(ix), timeline.state.plan());
    let planned = &plan.steps[ix.at()];
    let mut counts = BTreeMap::new();
    for task in plan.tasks_of(ix) {
        *counts.entry(code(fates[task.at()]).to_owned()).or_insert(0) += 1;
    }
    let worst = plan.tasks_of(ix).map(|task| fates[task.at()]).min().unwrap_or(Fate::LeftOut);
    let well = *state.status() == (StepStatus::Ended { well: true });
    let fate = match worst {
        Fate::Failed | Fate::Unseen | Fate::NotRun if well => Fate::Tolerated,
        worst => worst,
    };
    let mut names: Vec<&str> =
        plan.tasks_of(ix).filter_map(|task| plan.host_of(task)).map(|host| host.name.as_str()).collect();
    by_number(&mut names);
    let start = timeline.state.started_at();
    let started_at = state.started_at();
    let took = started_at.zip(state.ended_at().or(until)).map(|(from, to)| to.since(from).0);
    Step {
        id: planned.id.to_string(),
        title: planned.title.as_deref().map(line),
        phase: plan.phases[planned.phase.at()].id.to_string(),
        kind: kind_of(&planned.action).to_owned(),
        fate,
        hosts: if names.is_empty() { String::new() } else { says.hosts(&names, HOST_ENTRIES_MAX) },
        tasks: planned.tasks,
        counts,
        needs: planned.needs.iter().map(|need| plan.steps[need.step.at()].id.to_string()).collect(),
        after: planned.after.map(|after| (plan.steps[after.step.at()].id.to_string(), after.at_least.0)),
        severs: planned.severs.iter().map(ToString::to_string).collect(),
        started_at,
        ended_at: state.ended_at(),
        took_ms: took,
        estimate_ms: planned.estimate.0,
        expected_end_ms,
        actual_end_ms: state
            .ended_at()
            .filter(|_| started_at.is_some())
            .zip(start)
            .map(|(end, start)| end.since(start).0),
        critical: false,
        stretches: stretches(timeline, ix, until),
    }
}

fn phase(state: &RunState, ix: PhaseIx, steps: &[Step]) -> Phase {
    let planned = &state.plan().phases[ix.at()];
    let fates = state.plan().steps_of(ix).map(|step| steps[step.at()].fate);
    Phase {
        id: planned.id.to_string(),
        title: planned.title.as_deref().map(line),
        fate: fates.min().unwrap_or(Fate::LeftOut),
        started_at: state.phase(ix).started_at(),
        ended_at: state.phase(ix).ended_at(),
        isolates: planned.isolates.iter().map(ToString::to_string).collect(),
    }
}

/// A step's time by what was going on, on any of its hosts.
fn stretches(timeline: &Timeline, ix: StepIx, until: Option<Time>) -> Vec<Stretch> {
    let plan = timeline.state.plan();
    let Some(until) = until else { return Vec::new() };
    let mut by_what: BTreeMap<What, Vec<(Time, Time)>> = BTreeMap::new();
    for task in plan.tasks_of(ix) {
        for span in &timeline.spans[task.at()] {
            by_what.entry(span.what).or_default().push((span.from, span.to.unwrap_or(until)));
        }
    }
    let first = plan.steps[ix.at()].first_task;
    for asked in &timeline.asked {
        if matches!(asked.question, Question::Approve { task, .. } if task == first) {
            by_what.entry(What::People).or_default().push((asked.from, asked.to.unwrap_or(until)));
        }
    }
    let joined = |(what, spans): (What, Vec<(Time, Time)>)| {
        join(spans).into_iter().map(move |(from, to)| Stretch { what, from, to })
    };
    by_what.into_iter().flat_map(joined).collect()
}

/// Stretches that touch or overlap as one, in order.
pub(super) fn join(mut spans: Vec<(Time, Time)>) -> Vec<(Time, Time)> {
    spans.sort();
    let mut joined: Vec<(Time, Time)> = Vec::new();
    for (from, to) in spans {
        match joined.last_mut() {
            Some((_, end)) if from <= *end => *end = (*end).max(to),
            _ => joined.push((from, to)),
        }
    }
    joined
}
