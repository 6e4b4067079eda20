//! Which steps decided how long a run took, where their time went, and when the plan expected each step to end.

use super::ledger::PathStep;
use super::steps::{Steps, join};
use super::timeline::Timeline;
use super::told::What;
use crate::model::names::{PhaseIx, StepIx, TaskIx};
use crate::model::question::Question;
use crate::model::{Millis, Time};
use crate::plan::Plan;
use crate::plan::graph::runs;
use std::collections::BTreeMap;

/// The critical path as it was taken: from the step that ended last back through what each waited for. Undo is not on
/// it; a run that goes on ends with the step that is under way.
pub(super) fn taken(timeline: &Timeline, steps: &Steps, until: Option<Time>) -> Vec<PathStep> {
    let plan = timeline.state.plan();
    let (Some(start), Some(until)) = (timeline.state.started_at(), until) else { return Vec::new() };
    let begun = |ix: &StepIx| timeline.state.step(*ix).started_at().is_some();
    let end_of = |ix: StepIx| timeline.state.step(ix).ended_at().unwrap_or(until);
    let mut here = (0..plan.steps.len() as u32)
        .map(StepIx)
        .filter(begun)
        .max_by_key(|ix| (end_of(*ix), std::cmp::Reverse(*ix)));
    let mut legs = Vec::new();
    while let Some(step) = here {
        let before = waited_for(plan, step)
            .into_iter()
            .filter(|(other, _)| begun(other) && end_of(*other) <= end_of(step))
            .max_by_key(|(other, at_least)| (end_of(*other) + *at_least, std::cmp::Reverse(*other)));
        let from = before.map_or(start, |(other, _)| end_of(other));
        let timer = before.map_or(Millis(0), |(_, at_least)| at_least);
        legs.push(leg(timeline, steps, step, (from, end_of(step)), timer));
        here = before.map(|(other, _)| other);
    }
    legs.reverse();
    legs
}

/// What a step may have waited for, and for how long after its end: its needs, the step of its `after`, and the steps
/// of the nearest earlier phase in which anything was to be done.
fn waited_for(plan: &Plan, ix: StepIx) -> Vec<(StepIx, Millis)> {
    let step = &plan.steps[ix.at()];
    let mut others: Vec<(StepIx, Millis)> = step.needs.iter().map(|need| (need.step, Millis(0))).collect();
    others.extend(step.after.map(|after| (after.step, after.at_least)));
    let earlier = (0..step.phase.0).rev().map(PhaseIx);
    let busy = earlier.into_iter().find(|phase| plan.steps_of(*phase).any(|step| runs(plan, step)));
    others.extend(busy.into_iter().flat_map(|phase| plan.steps_of(phase)).map(|step| (step, Millis(0))));
    others
}

/// Where the time between two moments went, on the host that was last.
fn leg(
    timeline: &Timeline,
    steps: &Steps,
    step: StepIx,
    (from, to): (Time, Time),
    timer: Millis,
) -> PathStep {
    let plan = timeline.state.plan();
    let last = plan
        .tasks_of(step)
        .filter(|task| steps.tasks[task.at()].started_at.is_some())
        .max_by_key(|task| (steps.tasks[task.at()].ended_at.unwrap_or(to), std::cmp::Reverse(*task)))
        .unwrap_or(plan.steps[step.at()].first_task);
    let mut by_what: BTreeMap<What, Vec<(Time, Time)>> = BTreeMap::new();
    for span in timeline.spans[last.at()].iter().filter(|span| span.what != What::Undo) {
        by_what.entry(span.what).or_default().push((span.from, span.to.unwrap_or(to)));
    }
    if timer > Millis(0) {
        by_what.entry(What::Timer).or_default().push((from, from + timer));
    }
    for asked in timeline.asked.iter().filter(|asked| concerns(&asked.question, plan, step, last)) {
        by_what.entry(What::People).or_default().push((asked.from, asked.to.unwrap_or(to)));
    }
    let mut parts = BTreeMap::new();
    // No moment counts twice: work before waiting, what is waited for in the order of `What`.
    let mut spent: Vec<(Time, Time)> = Vec::new();
    for (what, spans) in by_what {
        let mut fresh = 0;
        for (start, end) in join(spans) {
            let (start, end) = (start.max(from), end.min(to));
            if start < end {
                fresh += end.since(start).0 - overlap(&spent, start, end);
                spent.push((start, end));
                spent = join(spent);
            }
        }
        if fresh > 0 {
            parts.insert(what, fresh);
        }
    }
    let rest = to.since(from).0 - overlap(&spent, from, to);
    if rest > 0 {
        parts.insert(What::Turn, rest);
    }
    let host = plan.host_of(last).map(|host| host.name.to_string());
    PathStep { step: plan.steps[step.at()].id.to_string(), host, from, to, parts }
}

fn concerns(question: &Question, plan: &Plan, step: StepIx, last: TaskIx) -> bool {
    match question {
        Question::Approve { task, .. } => plan.tasks[task.at()].step == step,
        Question::Manual { task } | Question::WhatBecameOf { task, .. } => *task == last,
        Question::PhaseFailed { .. } => false,
    }
}

/// How much of a stretch is covered by others that do not overlap each other.
fn overlap(spans: &[(Time, Time)], from: Time, to: Time) -> u64 {
    spans.iter().map(|(start, end)| (*end).min(to).since((*start).max(from)).0).sum()
}

/// When each step was expected to end, after the start of the run: every step takes its estimate, and nothing waits
/// but for what it needs.
pub(super) fn expected_ends(plan: &Plan) -> Vec<Millis> {
    let mut ends: Vec<Option<Millis>> = vec![None; plan.steps.len()];
    let mut phase_start = Millis(0);
    for phase in 0..plan.phases.len() as u32 {
        for step in plan.steps_of(PhaseIx(phase)) {
            expected_end(plan, step, phase_start, &mut ends);
        }
        let last = plan.steps_of(PhaseIx(phase)).filter_map(|step| ends[step.at()]).max();
        phase_start = phase_start.max(last.unwrap_or_default());
    }
    ends.into_iter().map(Option::unwrap_or_default).collect()
}

/// Without recursion: chains of needs may be as long as the plan.
fn expected_end(plan: &Plan, step: StepIx, phase_start: Millis, ends: &mut [Option<Millis>]) {
    let mut todo = vec![step];
    while let Some(&here) = todo.last() {
        let planned = &plan.steps[here.at()];
        let needs = planned.needs.iter().map(|need| (need.step, Millis(0)));
        let before: Vec<(StepIx, Millis)> =
            needs.chain(planned.after.map(|after| (after.step, after.at_least))).collect();
        let missing: Vec<StepIx> =
            before.iter().map(|(other, _)| *other).filter(|other| ends[other.at()].is_none()).collect();
        if missing.is_empty() || ends[here.at()].is_some() {
            todo.pop();
            let ready = before
                .iter()
                .filter_map(|(other, at_least)| Some(Millis(ends[other.at()]?.0.saturating_add(at_least.0))));
            let start = ready.max().unwrap_or_default().max(phase_start);
            let own = if runs(plan, here) { planned.estimate.0 } else { 0 };
            ends[here.at()].get_or_insert(Millis(start.0.saturating_add(own)));
        } else {
            todo.extend(missing);
        }
    }
}
