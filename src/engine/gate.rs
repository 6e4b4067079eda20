//! What must hold before a task may begin: needs, phase, consent, minimum waits, waves, failures.

use super::policy::Halt;
use super::state::RunState;
use crate::model::Time;
use crate::model::event::NotRun;
use crate::model::names::{StepIx, TaskIx};
use crate::model::question::Question;

/// What stands before a step or a task that has not begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Gate {
    /// Nothing.
    Open,
    /// Something that other events will change.
    Shut,
    /// Time, until then.
    Later(Time),
    /// People, who have to be asked.
    Ask(Question),
    /// Consent of these people that is on record and counts no longer.
    Lapsed(Vec<String>),
    /// It will never open.
    Never(NotRun),
}

/// What stands before all tasks of a step.
pub(super) fn of_step(state: &RunState, ix: StepIx, now: Time) -> Gate {
    let planned = &state.plan.steps[ix.at()];
    let step = state.step(ix);
    if state.phase_now != Some(planned.phase) || step.is_over() || state.halt() != Halt::No {
        return Gate::Shut;
    }
    if let Some(deadline) = deadline(state, ix).filter(|deadline| now >= *deadline) {
        return Gate::Never(NotRun::TooLate { deadline });
    }
    if !planned.severs.is_empty() && state.proofs.awaits_baseline() {
        return Gate::Shut;
    }
    let needs = planned.needs.iter().filter(|need| !need.same_host).map(|need| need.step);
    let after = planned.after.iter().map(|after| after.step);
    for needed in needs.chain(after) {
        let other = state.step(needed);
        match other.is_over() {
            false => return Gate::Shut,
            true if !other.ended_well() => return Gate::Never(NotRun::NeedFailed { step: needed }),
            true => {}
        }
    }
    if let Some(missing) = planned.evidence.iter().find(|step| !is_everywhere(state, **step)) {
        return Gate::Never(NotRun::EvidenceMissing { step: *missing });
    }
    let counts = step.counts();
    if counts.failed > planned.max_failures {
        return Gate::Never(NotRun::TooManyFailures);
    }
    if counts.failed + counts.unknown > planned.max_failures {
        return Gate::Shut;
    }
    if let Some(by) = &step.refused_by {
        return Gate::Never(NotRun::Refused { by: by.clone() });
    }
    let wait = planned.after.and_then(|after| Some(state.step(after.step).ended_at()? + after.at_least));
    let wait = wait.filter(|until| now < *until).map(Gate::Later);
    match (of_people(state, ix, now), wait) {
        (Gate::Open, Some(wait)) => wait,
        // Consent that lapses is asked for when nothing else is waited for.
        (Gate::Ask(_), Some(wait)) if planned.approve.as_ref().is_some_and(|gate| gate.within.is_some()) => {
            wait
        }
        (people, _) => people,
    }
}

/// What stands before a step for want of consent. What has begun had it, and keeps it.
fn of_people(state: &RunState, ix: StepIx, now: Time) -> Gate {
    let (planned, step) = (&state.plan.steps[ix.at()], state.step(ix));
    let Some(gate) = &planned.approve else { return Gate::Open };
    let lapsed = state.lapsed(ix, now);
    if !lapsed.is_empty() {
        return Gate::Lapsed(lapsed);
    }
    match step.approvals.len() as u32 >= gate.people {
        true => Gate::Open,
        false => Gate::Ask(Question::Approve { task: planned.first_task, people: gate.people }),
    }
}

/// When a step must have started at the latest. A step that is not over, or is left out, starts no clock.
pub(super) fn deadline(state: &RunState, ix: StepIx) -> Option<Time> {
    let planned = state.plan.steps[ix.at()].deadline?;
    let from = match planned.from {
        None => state.started_at(),
        Some(step) => state.step(step).ended_at(),
    };
    Some(from? + planned.within)
}

/// Did a step end well on every host where it was to run? Evidence that is missing from one is missing.
fn is_everywhere(state: &RunState, step: StepIx) -> bool {
    let counts = state.step(step).counts();
    counts.failed + counts.not_run == 0 && counts.done > 0
}

/// What stands before one task, beside what stands before its step.
pub(super) fn of_task(state: &RunState, ix: TaskIx) -> Gate {
    let planned = &state.plan.tasks[ix.at()];
    if state.task(ix).wave as usize > state.step(planned.step).wave() {
        return Gate::Shut;
    }
    let mut gate = Gate::Open;
    for need in state.plan.steps[planned.step.at()].needs.iter().filter(|need| need.same_host) {
        let Some(other) = state.plan.task_on(need.step, planned.host) else { continue };
        match state.task(other).end() {
            None => gate = Gate::Shut,
            Some(_) if !state.task(other).ended_well() => {
                return Gate::Never(NotRun::NeedFailed { step: need.step });
            }
            Some(_) => {}
        }
    }
    gate
}
