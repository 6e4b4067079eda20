//! Which steps decided how long a run took, where their time went, and when the plan expected each step to end.

use super::ledger::PathStep;
use super::steps::join;
use super::told::{Met, What};
use crate::model::names::{PhaseIx, StepIx, TaskIx};
use crate::model::question::Question;
use crate::model::runbook::Moment;
use crate::model::{Millis, Time};
use crate::plan::Plan;
use crate::plan::graph::runs;
use crate::report::score::Score;
use crate::report::timeline::Timeline;
use std::collections::BTreeMap;

/// The critical path as it was taken: from the step that ended last back through what each waited for. Undo is not on
/// it; a run that goes on ends with the step that is under way.
pub(super) fn taken(timeline: &Timeline, until: Option<Time>) -> Vec<PathStep> {
    let (Some(start), Some(until)) = (timeline.state.started_at(), until) else { return Vec::new() };
    match last_of(timeline, until, |_, _| true) {
        Some(last) => back_from(timeline, last, start, until, until),
        None => Vec::new(),
    }
}

/// Where the time between the two moments of an objective went, and the step that most of it went to. What lies before
/// the run and after all of its steps is nobody's work.
pub(in crate::report) fn spent(
    timeline: &Timeline,
    score: &Score,
    until: Option<Time>,
) -> (BTreeMap<What, u64>, Option<String>) {
    let nothing = (BTreeMap::new(), None);
    let (state, plan) = (&timeline.state, timeline.state.plan());
    let backup = matches!(score.objective.from, Moment::Backup(_));
    let told = !backup && !matches!(score.standing, Met::NotReached | Met::NotStarted);
    let (Some(from), Some(to), true) = (score.began, score.reached.or(until), told) else { return nothing };
    let (from, to) = (from.max(state.started_at().unwrap_or(from)), to);
    let last = match (&score.objective.to, score.reached) {
        (Moment::Step(id) | Moment::Probe(id), Some(_)) => plan.step_named(id.as_str()),
        (Moment::Phase(id), Some(_)) => plan
            .phase_named(id.as_str())
            .and_then(|phase| last_of(timeline, to, |step, _| plan.steps[step.at()].phase == phase)),
        _ => last_of(timeline, to, |_, end| end <= to),
    };
    let legs = last.map_or(Vec::new(), |last| back_from(timeline, last, from, to, until.unwrap_or(to)));
    let mut parts: BTreeMap<What, u64> = BTreeMap::new();
    for (what, length) in legs.iter().flat_map(|leg| &leg.parts) {
        *parts.entry(*what).or_default() += length;
    }
    let rest = to.since(legs.last().map_or(from, |leg| leg.to)).0;
    if rest > 0 {
        *parts.entry(What::Turn).or_default() += rest;
    }
    let slowest = legs.into_iter().max_by_key(|leg| (leg.to.since(leg.from), std::cmp::Reverse(leg.from)));
    (parts, slowest.map(|leg| leg.step))
}

/// Of the steps that have begun and that are asked for, the one that ended last.
fn last_of(timeline: &Timeline, until: Time, wanted: impl Fn(StepIx, Time) -> bool) -> Option<StepIx> {
    let steps = (0..timeline.state.plan().steps.len() as u32).map(StepIx);
    let begun = steps.filter(|ix| timeline.state.step(*ix).started_at().is_some_and(|at| at <= until));
    let ends = begun.map(|ix| (ix, timeline.state.step(ix).ended_at().unwrap_or(until)));
    let wanted = ends.filter(|(ix, end)| wanted(*ix, *end));
    wanted.max_by_key(|(ix, end)| (*end, std::cmp::Reverse(*ix))).map(|(ix, _)| ix)
}

/// From a step back through what each waited for, as far as it lies between two times.
fn back_from(timeline: &Timeline, last: StepIx, since: Time, to: Time, until: Time) -> Vec<PathStep> {
    let plan = timeline.state.plan();
    let begun = |ix: &StepIx| timeline.state.step(*ix).started_at().is_some();
    let end_of = |ix: StepIx| timeline.state.step(ix).ended_at().unwrap_or(until);
    let (mut here, mut legs) = (Some(last), Vec::new());
    while let Some(step) = here {
        let before = waited_for(plan, step)
            .into_iter()
            .filter(|(other, _)| begun(other) && end_of(*other) <= end_of(step))
            .max_by_key(|(other, at_least)| (end_of(*other) + *at_least, std::cmp::Reverse(*other)));
        let ready = before.map_or(since, |(other, _)| end_of(other));
        let timer = before.map(|(_, at_least)| (ready, ready + at_least)).filter(|(from, end)| from < end);
        let (from, end) = (ready.max(since), end_of(step).min(to));
        legs.push(leg(timeline, step, (from, end.max(from)), timer));
        here = before.map(|(other, _)| other).filter(|_| ready > since);
    }
    legs.reverse();
    legs
}

/// What a step may have waited for, and for how long after its end: its needs, the step of its `after`, and the steps
/// of the nearest earlier phase in which anything was to be done.
pub(in crate::report) fn waited_for(plan: &Plan, ix: StepIx) -> Vec<(StepIx, Millis)> {
    let step = &plan.steps[ix.at()];
    let mut others: Vec<(StepIx, Millis)> = step.needs.iter().map(|need| (need.step, Millis(0))).collect();
    others.extend(step.after.map(|after| (after.step, after.at_least)));
    let earlier = (0..step.phase.0).rev().map(PhaseIx);
    let busy = earlier.into_iter().find(|phase| plan.steps_of(*phase).any(|step| runs(plan, step)));
    others.extend(busy.into_iter().flat_map(|phase| plan.steps_of(phase)).map(|step| (step, Millis(0))));
    others
}

/// Where the time between two moments went, on the host that was last.
fn leg(timeline: &Timeline, step: StepIx, (from, to): (Time, Time), timer: Option<(Time, Time)>) -> PathStep {
    let plan = timeline.state.plan();
    let task = |task: TaskIx| timeline.state.task(task);
    let last = plan
        .tasks_of(step)
        .filter(|ix| task(*ix).started_at().is_some())
        .max_by_key(|ix| (task(*ix).ended_at().unwrap_or(to), std::cmp::Reverse(*ix)))
        .unwrap_or(plan.steps[step.at()].first_task);
    let mut by_what: BTreeMap<What, Vec<(Time, Time)>> = BTreeMap::new();
    for span in timeline.spans[last.at()].iter().filter(|span| span.what != What::Undo) {
        by_what.entry(span.what).or_default().push((span.from, span.to.unwrap_or(to)));
    }
    by_what.entry(What::Timer).or_default().extend(timer);
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
