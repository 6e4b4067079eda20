//! How tasks and runs end: every end needs its evidence, and every verdict its reason.

use super::check::{Checker, Complaint, require};
use super::check_begin::{acted, found_so, in_scope};
use super::check_guard;
use blackstart::model::event::{JobKind, StopReason, TaskEnd, UndoEnd, Verdict};
use blackstart::model::names::TaskIx;
use blackstart::model::runbook::Policy;
use blackstart::model::{Outcome, Time};

pub fn task_ended(check: &Checker, at: Time, ix: TaskIx, end: &TaskEnd) -> Complaint {
    let (task, planned) = (&check.tasks[ix.at()], check.plan.step_of(ix));
    let newest = task.seen.last();
    match end {
        TaskEnd::Done => {
            require(task.unknown.is_none(), || format!("{ix:?} is done, and an end is missing"))?;
            let found_so = planned.watch.is_some() && found_so(check, ix);
            require(acted(check, ix, at) || found_so, || format!("{ix:?} is done, and nothing was"))?;
            let watched = matches!(newest, Some((JobKind::Watch, Outcome::Succeeded)));
            require(planned.watch.is_none() || watched, || format!("{ix:?} is done and was not watched"))?;
            let guarded = check_guard::stands(task, check_guard::Stand::Disarmed) || found_so;
            require(planned.guard.is_none() || guarded, || {
                format!("{ix:?} is done, and its way back is not proved")
            })?;
            let newest = task.seen.iter().rev().find(|(kind, _)| *kind != JobKind::Watch);
            let verified = matches!(newest, Some((JobKind::Verify, Outcome::Succeeded)));
            require(planned.verify.is_empty() || verified, || format!("{ix:?} is done and was not verified"))
        }
        TaskEnd::AlreadySo => {
            let so = matches!(newest, Some((JobKind::Check, Outcome::Succeeded)));
            require(!check_guard::owes(task), || format!("{ix:?} is so, and its way back is not proved"))?;
            require(so && planned.check.is_some(), || format!("{ix:?} is said to be so"))?;
            let ours = planned.watch.is_some() && task.ran;
            require(!ours, || format!("{ix:?} is said to be so, and was not watched"))
        }
        TaskEnd::Failed { kind, outcome, changed } => {
            require(*outcome != Outcome::Succeeded, || format!("{ix:?} failed by success"))?;
            let may = check.in_place(ix) || task.ran;
            require(*changed == may, || format!("{ix:?} failed, changed: {changed}"))?;
            let seen =
                task.seen.iter().any(|(other, outcome)| other == kind && *outcome != Outcome::Succeeded);
            let never_started = task.afresh > 3;
            let lost_again = task.staged && task.vain >= 3;
            let sent_home = *kind == JobKind::Stage && (check.was_sent_home(ix) || lost_again);
            let cut_short = *kind == JobKind::Watch && planned.watch.is_some() && check.rollback.is_some();
            let before = *kind == JobKind::Run && check_guard::failed_before(task);
            let seen = seen || before || task.unknown.is_some() || never_started || sent_home || cut_short;
            require(seen, || format!("{ix:?} failed in {kind}, which nobody saw"))?;
            worn_out(check, at, ix, end)
        }
        TaskEnd::NotRun { .. } => Ok(()),
    }
}

/// A task does not give up before it has tried as often as it may.
fn worn_out(check: &Checker, at: Time, ix: TaskIx, end: &TaskEnd) -> Complaint {
    use blackstart::model::How;
    let (task, planned) = (&check.tasks[ix.at()], check.plan.step_of(ix));
    if check.rollback.is_some() || task.unknown.is_some() {
        return Ok(());
    }
    let enough = match end {
        TaskEnd::Failed { outcome: Outcome::Failed { how: How::Cancelled }, .. } => true,
        TaskEnd::Failed { kind: JobKind::Run, outcome: Outcome::Failed { .. }, .. } => {
            task.failed_runs >= planned.retry.attempts
        }
        // Whoever is not ready in time keeps the others waiting no longer.
        TaskEnd::Failed { kind: JobKind::Stage, .. } => true,
        TaskEnd::Failed {
            kind: JobKind::Confirm,
            outcome: Outcome::NotStarted { try_again: true, .. } | Outcome::Unknown { .. },
            ..
        } => !check_guard::is_waited_for(check, ix, at),
        TaskEnd::Failed { outcome: Outcome::NotStarted { try_again: true, .. }, .. } => task.vain >= 3,
        TaskEnd::Failed {
            kind: JobKind::Check, outcome: Outcome::Failed { how: How::Signal(_) }, ..
        } => task.vain >= 3,
        _ => true,
    };
    require(enough, || format!("{ix:?} gave up too early: {end:?}"))
}

pub fn run_ended(check: &mut Checker, verdict: &Verdict) -> Complaint {
    require(check.running.is_empty(), || format!("{verdict:?} while {:?} run", check.running))?;
    let right = match verdict {
        Verdict::Completed => {
            check.rollback.is_none()
                && check.steps.iter().all(|step| step.over == Some(true))
                && all_settled(check)
        }
        Verdict::Refused { .. } => check.refused,
        Verdict::RolledBack => rollback_over(check) && !is_stuck(check),
        Verdict::Stuck => rollback_over(check) && is_stuck(check),
        Verdict::Stopped { because } => match because {
            StopReason::Operator { .. } => check.stop.is_some(),
            StopReason::WaitingForPeople => !check.questions.is_empty(),
            StopReason::FailuresLeft => {
                all_settled(check) && check.steps.iter().any(|step| step.over == Some(false))
            }
            StopReason::StepFailed { step } => {
                let phase = check.plan.steps[step.at()].phase.at();
                check.phases[phase].failed && check.policy(phase) == Policy::Stop
            }
        },
    };
    require(right, || format!("the run ends as {verdict:?}, and that is not so"))?;
    check.close_questions(|_| false);
    check.forget_refusals();
    check.verdict = Some(verdict.clone());
    Ok(())
}

fn all_settled(check: &Checker) -> bool {
    check.tasks.iter().all(|task| task.end.is_some())
}

/// Everything in scope that may have changed something has an end of its undo, and every task a reason.
fn rollback_over(check: &Checker) -> bool {
    let Some((scope, _)) = check.rollback else { return false };
    let due = |ix: &TaskIx| in_scope(check, scope, *ix) && check.in_place(*ix);
    let mut tasks = (0..check.tasks.len() as u32).map(TaskIx);
    all_settled(check) && tasks.all(|ix| !due(&ix) || check.tasks[ix.at()].undo.is_some())
}

fn is_stuck(check: &Checker) -> bool {
    let Some((scope, _)) = check.rollback else { return false };
    let stuck = |ix: TaskIx| match &check.tasks[ix.at()].undo {
        Some(UndoEnd::Failed { .. } | UndoEnd::Impossible) => true,
        Some(UndoEnd::Held { by }) => check.tasks[by.at()].undo != Some(UndoEnd::LeftCut),
        _ => false,
    };
    (0..check.tasks.len() as u32).map(TaskIx).any(|ix| in_scope(check, scope, ix) && stuck(ix))
}
