//! What a task wants next on its way back, once nothing stands on it any more.

use super::apply_resume::was_cancelled;
use super::apply_task::by_guard;
use super::forward::{Next, again_after_vain};
use super::guard::{GuardStand, Guarding};
use super::resolve;
use super::state::{RunState, Status};
use super::task::Stage;
use crate::model::event::{JobKind, UndoEnd};
use crate::model::names::TaskIx;
use crate::model::{Outcome, Time};

/// What the undo of a settled task wants next.
pub(super) fn next(state: &RunState, ix: TaskIx, now: Time) -> Next<UndoEnd> {
    let stays_cut = !state.plan.step_of(ix).severs.is_empty() && !reopens(state);
    if let Some(GuardStand::Fired { undo }) = state.guard(ix).map(|guard| &guard.stand) {
        return Next::End(by_guard(undo));
    }
    match wish(state, ix, now) {
        // Its guard may do the same at any moment: it gives way first, or says what it has done.
        Next::Start(JobKind::Undo) | Next::Retry(JobKind::Undo, _)
            if state.guard(ix).is_some_and(Guarding::is_armed) =>
        {
            Next::Start(JobKind::Confirm)
        }
        // An undo that an earlier rollback began is seen to its end, but never begun again.
        Next::Start(JobKind::Undo) | Next::Retry(JobKind::Undo, _) if stays_cut => {
            Next::End(UndoEnd::LeftCut)
        }
        next => next,
    }
}

fn reopens(state: &RunState) -> bool {
    matches!(state.status, Status::RollingBack { reopen: true, .. })
}

fn wish(state: &RunState, ix: TaskIx, now: Time) -> Next<UndoEnd> {
    let task = state.task(ix);
    match &task.stage {
        Stage::Running { .. } => Next::Nothing,
        Stage::Retry { at, .. } if now < *at => Next::Later(*at),
        Stage::Retry { kind, .. } | Stage::Again { kind } => Next::Start(*kind),
        Stage::Idle => match task.unknown.map(|job| job.kind) {
            // It may run there still: nothing is taken back while it is being done.
            Some(JobKind::Run) => Next::Start(JobKind::ResolveRun),
            Some(_) => Next::Start(JobKind::ResolveUndo),
            None => Next::Start(JobKind::Undo),
        },
        Stage::Read { found } => resolve::undo_after_receipt(state, ix, found, now),
        Stage::Ended { kind: JobKind::Run, .. } => Next::Start(JobKind::Undo),
        Stage::Ended { kind: JobKind::Confirm, outcome } => guard_not_heard(state, ix, outcome, now),
        Stage::Ended { outcome, .. } => after_undo(state, ix, outcome, now),
        Stage::Until(_) | Stage::Asked | Stage::Answered { .. } => {
            unreachable!("a settled task waits for no clock and no answer")
        }
    }
}

fn after_undo(state: &RunState, ix: TaskIx, outcome: &Outcome, now: Time) -> Next<UndoEnd> {
    let failed = || Next::End(UndoEnd::Failed { outcome: outcome.clone() });
    match outcome {
        Outcome::Succeeded => Next::End(UndoEnd::Undone),
        // Whoever cancelled it wants the run to stop: whoever resumes it takes it up again.
        outcome if was_cancelled(outcome) && state.stop.is_some() => Next::Nothing,
        Outcome::Failed { .. } => failed(),
        Outcome::NotStarted { try_again: true, .. } => match again_after_vain(state, ix, now) {
            Some(at) => Next::Retry(JobKind::Undo, at),
            None => failed(),
        },
        Outcome::NotStarted { .. } => failed(),
        Outcome::Unknown { .. } => Next::Start(JobKind::ResolveUndo),
    }
}

/// The guard did not say what it has done: it is asked again while it may still do something.
fn guard_not_heard(state: &RunState, ix: TaskIx, outcome: &Outcome, now: Time) -> Next<UndoEnd> {
    let again = match outcome {
        outcome if was_cancelled(outcome) && state.stop.is_some() => return Next::Nothing,
        Outcome::NotStarted { try_again: false, .. } => None,
        _ => state.again_while_guarded(ix, now).or_else(|| again_after_vain(state, ix, now)),
    };
    match again {
        Some(at) => Next::Retry(JobKind::Confirm, at),
        None => Next::End(UndoEnd::Failed { outcome: outcome.clone() }),
    }
}
