//! Finds out what became of an attempt whose end was not seen: receipt, check, verify, `idempotent`, people.

use super::bounds::AFRESH_MAX;
use super::forward::{Next, again_after_vain, begin_run, failed};
use super::state::RunState;
use crate::model::event::{Found, JobKind, TaskEnd, UndoEnd};
use crate::model::names::TaskIx;
use crate::model::outcome::How;
use crate::model::question::Question;
use crate::model::{Outcome, Time};

/// After a receipt of a `Run` was read.
pub(super) fn after_receipt(state: &RunState, ix: TaskIx, found: &Found, now: Time) -> Next<TaskEnd> {
    match found {
        Found::NeverStarted => match may_start_afresh(state, ix) {
            true => begin_run(state, ix, now),
            false => failed(state, ix, JobKind::Run, &never_got_to_start()),
        },
        // A guard that has time left may bring the way back.
        Found::NotReached { because, try_again: true } => match again_in_vain_or_guarded(state, ix, now) {
            Some(at) => Next::Retry(JobKind::ResolveRun, at),
            None => failed(state, ix, JobKind::Run, &not_asked(because)),
        },
        // The job may run there still. Nobody looks, runs it again or judges it before the host can be asked.
        Found::NotReached { because, .. } => failed(state, ix, JobKind::Run, &not_asked(because)),
        Found::NoReceipt { .. } => without_receipt(state, ix, None, now),
        Found::Ended(_) => unreachable!("a receipt with an end settles what was unknown"),
    }
}

/// After a `Run` whose end was not seen, or a look that stands in for its receipt and did not agree.
pub(super) fn after_look(
    state: &RunState,
    ix: TaskIx,
    kind: JobKind,
    outcome: &Outcome,
    now: Time,
) -> Next<TaskEnd> {
    match (kind, outcome) {
        (JobKind::Run, _) => Next::Start(JobKind::ResolveRun),
        (JobKind::Arm, Outcome::Succeeded) => begin_run(state, ix, now),
        (JobKind::Arm, Outcome::Failed { .. } | Outcome::NotStarted { try_again: false, .. }) => {
            failed(state, ix, kind, outcome)
        }
        (JobKind::Check, Outcome::Failed { how: How::Exit(_) }) => match may_run_again(state, ix) {
            true => begin_run(state, ix, now),
            // It is not so, and yet it may have happened in part: fail secure.
            false => failed(state, ix, JobKind::Run, &not_seen()),
        },
        (JobKind::Verify, Outcome::Failed { .. }) | (_, Outcome::NotStarted { try_again: false, .. }) => {
            without_receipt(state, ix, Some(kind), now)
        }
        (_, _) => match again_after_vain(state, ix, now) {
            Some(at) => Next::Retry(kind, at),
            None if kind == JobKind::Arm => failed(state, ix, kind, outcome),
            None => without_receipt(state, ix, Some(kind), now),
        },
    }
}

/// The next one to ask after the receipt (`None`) or a look could not tell. The host was reached: nothing runs there.
fn without_receipt(
    state: &RunState,
    ix: TaskIx,
    could_not_tell: Option<JobKind>,
    now: Time,
) -> Next<TaskEnd> {
    let step = state.plan.step_of(ix);
    match could_not_tell {
        None if step.check.is_some() => Next::Start(JobKind::Check),
        None | Some(JobKind::Check) if !step.verify.is_empty() => Next::Start(JobKind::Verify),
        _ if may_run_again(state, ix) => begin_run(state, ix, now),
        _ => Next::Ask(Question::WhatBecameOf { task: ix, undo: false }),
    }
}

/// After a receipt of an `Undo` was read, or of a `Run` whose end was still missing when its undo's turn came.
pub(super) fn undo_after_receipt(state: &RunState, ix: TaskIx, found: &Found, now: Time) -> Next<UndoEnd> {
    let of_undo = state.task(ix).unknown.is_some_and(|job| job.kind == JobKind::Undo);
    let kind = if of_undo { JobKind::ResolveUndo } else { JobKind::ResolveRun };
    let not_reached = |because: &String| match of_undo {
        true => UndoEnd::Failed { outcome: not_asked(because) },
        false => {
            UndoEnd::Failed { outcome: Outcome::NotStarted { because: because.clone(), try_again: true } }
        }
    };
    match found {
        Found::NeverStarted if !state.task(ix).may_have_changed() => Next::End(UndoEnd::NotNeeded),
        Found::NeverStarted => match may_start_afresh(state, ix) {
            true => Next::Start(JobKind::Undo),
            false => Next::End(UndoEnd::Failed { outcome: never_got_to_start() }),
        },
        Found::NotReached { because, try_again: true } => match again_in_vain_or_guarded(state, ix, now) {
            Some(at) => Next::Retry(kind, at),
            None => Next::End(not_reached(because)),
        },
        Found::NotReached { because, .. } => Next::End(not_reached(because)),
        Found::NoReceipt { .. } if !of_undo || may_run_again(state, ix) => Next::Start(JobKind::Undo),
        Found::NoReceipt { .. } => Next::Ask(Question::WhatBecameOf { task: ix, undo: true }),
        Found::Ended(_) => unreachable!("a receipt with an end settles what was unknown"),
    }
}

fn again_in_vain_or_guarded(state: &RunState, ix: TaskIx, now: Time) -> Option<Time> {
    state.again_while_guarded(ix, now).or_else(|| again_after_vain(state, ix, now))
}

fn may_run_again(state: &RunState, ix: TaskIx) -> bool {
    state.plan.step_of(ix).idempotent && may_start_afresh(state, ix)
}

fn may_start_afresh(state: &RunState, ix: TaskIx) -> bool {
    state.task(ix).tries.afresh <= AFRESH_MAX
}

/// The outcome of an attempt that nothing could tell about.
pub(super) fn not_seen() -> Outcome {
    Outcome::Unknown { because: "its end was not seen, and nothing could tell".into() }
}

/// The outcome of an attempt whose host could not be asked.
fn not_asked(because: &str) -> Outcome {
    Outcome::Unknown { because: format!("the host could not be asked: {because}") }
}

fn never_got_to_start() -> Outcome {
    Outcome::NotStarted {
        because: format!("its link was lost before it started, {} times", AFRESH_MAX + 1),
        try_again: false,
    }
}
