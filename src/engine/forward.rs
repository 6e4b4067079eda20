//! What a task wants next on its way forwards: a function of its state, its plan and the time, nothing else.

use super::apply_resume::was_cancelled;
use super::bounds::{PAUSE_AFTER_VAIN, TRIES_IN_VAIN_MAX, pause};
use super::firing::{Muster, muster};
use super::guard::{GuardStand, Guarding};
use super::resolve;
use super::state::RunState;
use super::task::Stage;
use crate::model::event::{JobKind, NotRun, TaskEnd};
use crate::model::names::TaskIx;
use crate::model::outcome::How;
use crate::model::question::{Choice, Question};
use crate::model::{Millis, Outcome, Time};
use crate::plan::frozen::PlannedAction;

/// What a task wants next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next<End> {
    /// Start a job of this kind.
    Start(JobKind),
    /// Note that a job of this kind is tried again, not before a time.
    Retry(JobKind, Time),
    /// Start the clock of a `wait` step.
    Wait(Time),
    /// Ask people.
    Ask(Question),
    /// It is ready, and waits to be fired with the other hosts of its step.
    Fire,
    /// It is settled.
    End(End),
    /// A clock runs until then.
    Later(Time),
    /// A job runs, or a question is open.
    Nothing,
}

/// What an unsettled task wants next, once its gates are open.
pub(super) fn next(state: &RunState, ix: TaskIx, now: Time) -> Next<TaskEnd> {
    let task = state.task(ix);
    match &task.stage {
        Stage::Running { .. } | Stage::Asked => Next::Nothing,
        Stage::Until(at) if now < *at => Next::Later(*at),
        Stage::Until(_) => after_action(state, ix),
        Stage::Retry { at, .. } if now < *at => Next::Later(*at),
        Stage::Retry { kind, .. } | Stage::Again { kind } => Next::Start(*kind),
        Stage::Idle if task.unknown.is_some() => Next::Start(JobKind::ResolveRun),
        // Opened again, or taken up by another process: what its guard has done comes first.
        Stage::Idle if state.owes_confirmation(ix) => Next::Start(JobKind::Confirm),
        Stage::Idle => begin(state, ix, now),
        Stage::Answered { choice: Choice::Done, .. } => after_action(state, ix),
        Stage::Answered { by, .. } => {
            Next::End(TaskEnd::NotRun { because: NotRun::Refused { by: by.clone() } })
        }
        Stage::Read { found } => resolve::after_receipt(state, ix, found, now),
        Stage::Ended { kind, outcome } if task.unknown.is_some() => {
            resolve::after_look(state, ix, *kind, outcome, now)
        }
        Stage::Ended { kind, outcome } => after_job(state, ix, *kind, outcome, now),
    }
}

fn begin(state: &RunState, ix: TaskIx, now: Time) -> Next<TaskEnd> {
    match state.plan.step_of(ix).check {
        Some(_) => Next::Start(JobKind::Check),
        None => after_check(state, ix, now),
    }
}

fn after_job(state: &RunState, ix: TaskIx, kind: JobKind, outcome: &Outcome, now: Time) -> Next<TaskEnd> {
    match (kind, outcome) {
        // What this run has made so is not called so before it has lasted.
        (JobKind::Check, Outcome::Succeeded) if state.task(ix).changed && is_watched(state, ix) => {
            after_action(state, ix)
        }
        (JobKind::Check, Outcome::Succeeded) => Next::End(TaskEnd::AlreadySo),
        (JobKind::Check, Outcome::Failed { how: How::Exit(_) }) => after_check(state, ix, now),
        (JobKind::Snapshot, Outcome::Succeeded) => act(state, ix, now),
        (JobKind::Verify, Outcome::Succeeded) if state.owes_confirmation(ix) => Next::Start(JobKind::Confirm),
        (JobKind::Verify, Outcome::Succeeded) => after_verify(state, ix),
        (JobKind::Watch, Outcome::Succeeded) => Next::End(TaskEnd::Done),
        (JobKind::Arm, Outcome::Succeeded) => begin_run(state, ix, now),
        (JobKind::Stage, Outcome::Succeeded) => staged(state, ix),
        (JobKind::Run, Outcome::Succeeded) => after_action(state, ix),
        (JobKind::Confirm, Outcome::Succeeded) => after_confirmation(state, ix, now),
        // Whoever cancelled it wants the run to stop: whoever resumes it takes it up again.
        (JobKind::Watch | JobKind::Stage, outcome) if was_cancelled(outcome) && state.stop.is_some() => {
            Next::Nothing
        }
        // However the run ended: the guard is heard before anything else is done.
        (JobKind::Run, Outcome::Failed { .. }) if state.owes_confirmation(ix) => {
            Next::Start(JobKind::Confirm)
        }
        (_, outcome) if was_cancelled(outcome) => failed(state, ix, kind, outcome),
        (JobKind::Run, Outcome::Failed { .. }) => run_failed(state, ix, outcome, now),
        // Another look never hurts, and a check that was killed or overran has not told anything.
        (JobKind::Stage, _) => failed(state, ix, kind, outcome),
        (JobKind::Check, Outcome::Failed { .. }) => in_vain(state, ix, kind, outcome, now),
        (_, Outcome::Failed { .. }) => failed(state, ix, kind, outcome),
        (_, Outcome::NotStarted { try_again: false, .. }) => failed(state, ix, kind, outcome),
        (JobKind::Confirm, Outcome::NotStarted { .. } | Outcome::Unknown { .. })
            if state.guard(ix).is_some_and(Guarding::is_armed) =>
        {
            match state.again_while_guarded(ix, now) {
                Some(at) => Next::Retry(JobKind::Confirm, at),
                None => failed(state, ix, kind, outcome),
            }
        }
        (_, Outcome::NotStarted { .. } | Outcome::Unknown { .. }) => in_vain(state, ix, kind, outcome, now),
        (JobKind::Undo | JobKind::ResolveRun | JobKind::ResolveUndo, Outcome::Succeeded) => {
            unreachable!("{kind} does not succeed on the way forwards")
        }
    }
}

fn after_check(state: &RunState, ix: TaskIx, now: Time) -> Next<TaskEnd> {
    let task = state.task(ix);
    // A task that was opened again may have changed something: what was kept before that is what undo needs.
    let kept = task.changed && task.snapshot.is_some();
    match state.plan.step_of(ix).snapshot {
        Some(_) if !kept => Next::Start(JobKind::Snapshot),
        Some(_) | None => act(state, ix, now),
    }
}

fn act(state: &RunState, ix: TaskIx, now: Time) -> Next<TaskEnd> {
    match &state.plan.step_of(ix).action {
        PlannedAction::Manual(_) => Next::Ask(Question::Manual { task: ix }),
        PlannedAction::Wait(length) => Next::Wait(now + *length),
        PlannedAction::Run(_)
        | PlannedAction::Upload(_)
        | PlannedAction::Fetch(_)
        | PlannedAction::Probe(_)
        | PlannedAction::Backup(_) => begin_run(state, ix, now),
    }
}

/// The run, once its guard is armed and has time left.
pub(super) fn begin_run(state: &RunState, ix: TaskIx, now: Time) -> Next<TaskEnd> {
    let guarded = state.plan.step_of(ix).guard.is_none() || state.is_guarded(ix, now);
    Next::Start(if guarded { run_kind(state, ix) } else { JobKind::Arm })
}

/// With what a further try of this job begins: a guard guards one attempt of a run.
fn first_of(state: &RunState, ix: TaskIx, kind: JobKind) -> JobKind {
    match kind {
        JobKind::Run if state.plan.step_of(ix).guard.is_some() => JobKind::Arm,
        JobKind::Run => run_kind(state, ix),
        kind => kind,
    }
}

/// The way back is proved: once more later, or the guard has given way and the run's own end counts.
fn after_confirmation(state: &RunState, ix: TaskIx, now: Time) -> Next<TaskEnd> {
    let guard = state.guard(ix).expect("a confirmation has a guard");
    let repeat = state.plan.step_of(ix).guard.and_then(|guard| guard.repeat);
    match (&guard.stand, &guard.after) {
        (GuardStand::Armed { .. }, _) => {
            let every = repeat.map_or(Millis(0), |repeat| repeat.every);
            Next::Retry(JobKind::Confirm, now + every)
        }
        // It failed before the task was opened again: it begins anew.
        (_, Some(Outcome::Failed { .. })) if state.task(ix).tries.failed == 0 => begin(state, ix, now),
        (_, Some(outcome)) if was_cancelled(outcome) => failed(state, ix, JobKind::Run, outcome),
        (_, Some(outcome @ Outcome::Failed { .. })) => run_failed(state, ix, outcome, now),
        (_, _) => after_action(state, ix),
    }
}

/// The way to a `Run`: the job itself, or laying it ready if it is fired together with others.
pub(super) fn run_kind(state: &RunState, ix: TaskIx) -> JobKind {
    match state.plan.step_of(ix).together {
        Some(_) => JobKind::Stage,
        None => JobKind::Run,
    }
}

/// Its script lies ready. It waits for the others of its step, unless they will never be enough.
fn staged(state: &RunState, ix: TaskIx) -> Next<TaskEnd> {
    match muster(state, state.step_of(ix)) {
        Muster::Waits | Muster::Ready => Next::Fire,
        Muster::TooFew { missing } => {
            let hosts = if missing == 1 { "1 host was".to_owned() } else { format!("{missing} hosts were") };
            let because = format!("it was ready and not fired: {hosts} not");
            failed(state, ix, JobKind::Stage, &Outcome::NotStarted { because, try_again: true })
        }
    }
}

fn is_watched(state: &RunState, ix: TaskIx) -> bool {
    state.plan.step_of(ix).watch.is_some()
}

fn after_action(state: &RunState, ix: TaskIx) -> Next<TaskEnd> {
    if state.owes_confirmation(ix) {
        return Next::Start(JobKind::Confirm);
    }
    match state.plan.step_of(ix).verify.is_empty() {
        true => after_verify(state, ix),
        false => Next::Start(JobKind::Verify),
    }
}

fn after_verify(state: &RunState, ix: TaskIx) -> Next<TaskEnd> {
    match is_watched(state, ix) {
        true => Next::Start(JobKind::Watch),
        false => Next::End(TaskEnd::Done),
    }
}

fn run_failed(state: &RunState, ix: TaskIx, outcome: &Outcome, now: Time) -> Next<TaskEnd> {
    let (failed_tries, retry) = (state.task(ix).tries.failed, state.plan.step_of(ix).retry);
    match failed_tries < retry.attempts {
        true => Next::Retry(first_of(state, ix, JobKind::Run), now + pause(retry.delay, failed_tries)),
        false => failed(state, ix, JobKind::Run, outcome),
    }
}

/// A job that did not get anywhere: tried again a few times, then it has failed.
fn in_vain(state: &RunState, ix: TaskIx, kind: JobKind, outcome: &Outcome, now: Time) -> Next<TaskEnd> {
    match again_after_vain(state, ix, now) {
        Some(at) => Next::Retry(first_of(state, ix, kind), at),
        None => failed(state, ix, kind, outcome),
    }
}

/// When to try again what was tried in vain, if at all.
pub(super) fn again_after_vain(state: &RunState, ix: TaskIx, now: Time) -> Option<Time> {
    let tries = state.task(ix).tries.in_vain;
    (tries < TRIES_IN_VAIN_MAX).then(|| now + pause(PAUSE_AFTER_VAIN, tries))
}

pub(super) fn failed(state: &RunState, ix: TaskIx, kind: JobKind, outcome: &Outcome) -> Next<TaskEnd> {
    let changed = state.task(ix).may_have_changed();
    Next::End(TaskEnd::Failed { kind, outcome: outcome.clone(), changed })
}

/// How a task is settled whose way forwards a rollback cuts short.
pub(super) fn cut_short(state: &RunState, ix: TaskIx) -> TaskEnd {
    let task = state.task(ix);
    let failed = |kind, outcome: &Outcome| TaskEnd::Failed {
        kind,
        outcome: outcome.clone(),
        changed: task.may_have_changed(),
    };
    // What a run came to whose guard was heard since, and which was to be tried again.
    let tried = state.guard(ix).filter(|guard| guard.arm == task.attempts(JobKind::Arm));
    match (&task.stage, tried.map(|guard| &guard.after)) {
        _ if task.unknown.is_some() => return failed(JobKind::Run, &resolve::not_seen()),
        (
            Stage::Ended { kind: JobKind::Confirm, .. } | Stage::Retry { kind: JobKind::Arm, .. },
            Some(Some(outcome @ Outcome::Failed { .. })),
        ) => return failed(JobKind::Run, outcome),
        (Stage::Retry { kind: JobKind::Arm, after: Some(outcome), .. }, Some(None)) => {
            return failed(JobKind::Run, outcome);
        }
        (_, _) => {}
    }
    match &task.stage {
        // It is a run that did not start whose script is laid ready again; a staging is not tried twice.
        Stage::Retry { kind: JobKind::Stage, after: Some(outcome), .. } if *outcome != Outcome::Succeeded => {
            failed(JobKind::Run, outcome)
        }
        Stage::Ended { kind, outcome } | Stage::Retry { kind, after: Some(outcome), .. }
            if *kind != JobKind::Check && *outcome != Outcome::Succeeded =>
        {
            failed(*kind, outcome)
        }
        Stage::Ended { kind: JobKind::Run | JobKind::Verify, .. } | Stage::Again { kind: JobKind::Watch } => {
            let because = "things were taken back before its watch was over".to_owned();
            failed(JobKind::Watch, &Outcome::NotStarted { because, try_again: true })
        }
        _ => TaskEnd::NotRun { because: NotRun::RolledBack },
    }
}
