//! Guards, as the checks see them: nothing is changed without one, nothing is done while one is not heard.

use super::check::{Checker, Complaint, Task, require};
use super::check_begin;
use blackstart::model::event::{Job, JobKind, Mode};
use blackstart::model::guard::{GuardSeen, Otherwise};
use blackstart::model::names::TaskIx;
use blackstart::model::{Millis, Outcome, Time};

/// What the events say of the guard of a task's newest run.
#[derive(Clone, Debug)]
pub struct Guard {
    pub run: u32,
    pub stand: Stand,
    pub until: Time,
    /// Did the run it guards end well? `None` while that is not known.
    pub well: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stand {
    Armed,
    Disarmed,
    Expired,
    Lost,
    Fired { back: bool },
}

/// Did the newest run end, and is its way back not proved?
pub fn owes(task: &Task) -> bool {
    task.guard.as_ref().is_some_and(|guard| {
        guard.well.is_some() && matches!(guard.stand, Stand::Armed | Stand::Expired | Stand::Lost)
    })
}

pub fn stands(task: &Task, stand: Stand) -> bool {
    task.guard.as_ref().is_some_and(|guard| guard.stand == stand)
}

/// A run whose guard has given way counts, even if the task was opened again since.
pub fn acted_before(task: &Task) -> bool {
    task.guard.as_ref().is_some_and(|guard| guard.stand == Stand::Disarmed && guard.well == Some(true))
}

/// Did the run that its newest guard guards fail?
pub fn failed_before(task: &Task) -> bool {
    task.guard.as_ref().is_some_and(|guard| guard.well == Some(false))
}

fn patience(check: &Checker, ix: TaskIx) -> Millis {
    let guard = check.plan.step_of(ix).guard.expect("only asked of guarded steps");
    match guard.otherwise(check.mode == Mode::Drill) {
        Otherwise::Revert => Millis(60_000),
        Otherwise::Hold => Millis(0),
    }
}

/// May its host still be waited for?
pub fn is_waited_for(check: &Checker, ix: TaskIx, at: Time) -> bool {
    let armed = check.tasks[ix.at()].guard.as_ref().filter(|guard| guard.stand == Stand::Armed);
    armed.is_some_and(|guard| at < guard.until + patience(check, ix))
}

pub fn may_start(check: &Checker, at: Time, job: Job) -> Complaint {
    let (task, planned) = (&check.tasks[job.task.at()], check.plan.step_of(job.task).guard);
    match job.kind {
        JobKind::Arm => {
            require(planned.is_some() && !owes(task), || format!("{job:?}: why?"))?;
            check_begin::may_run(check, at, job)
        }
        JobKind::Run if planned.is_some() => {
            let armed = matches!(task.seen.last(), Some((JobKind::Arm, Outcome::Succeeded)));
            let mine = task.guard.as_ref().is_some_and(|guard| guard.run == job.attempt && at < guard.until);
            require(armed && mine && stands(task, Stand::Armed), || format!("{job:?} is not guarded"))
        }
        JobKind::Confirm => {
            let known = task.unknown.is_none() || task.end.is_some() && task.no_receipt;
            let there = known && (owes(task) || stands(task, Stand::Armed));
            require(there, || format!("{job:?}: there is nothing to confirm"))?;
            let back = check.rollback.is_some() && task.undo.is_none();
            require(task.end.is_none() || back, || format!("{job:?}: the task is settled"))
        }
        JobKind::Verify => {
            let heard = !owes(task) || task.unknown.is_some();
            require(heard, || format!("{job:?} before the way back is proved"))
        }
        JobKind::Undo => {
            require(!stands(task, Stand::Armed), || format!("{job:?} beside a guard that may do the same"))
        }
        JobKind::Check if owes(task) => Err(format!("{job:?} before the guard is heard")),
        _ => Ok(()),
    }
}

/// Is this try of a guarded task's job one that may be planned, and after which pause?
pub fn retry(check: &Checker, at: Time, ix: TaskIx, kind: JobKind) -> Option<(bool, u64)> {
    let (task, planned) = (&check.tasks[ix.at()], check.plan.step_of(ix));
    let guard = task.guard.as_ref()?;
    match (task.seen.last(), kind) {
        (Some((JobKind::Confirm, Outcome::Succeeded)), JobKind::Confirm) => {
            let repeat = planned.guard?.repeat?;
            Some((guard.stand == Stand::Armed, repeat.every.0))
        }
        (Some((JobKind::Confirm, Outcome::Succeeded)), JobKind::Arm) => {
            let doubled = planned.retry.delay.0 << task.failed_runs.saturating_sub(1);
            let allowed = task.failed_runs < planned.retry.attempts && guard.well == Some(false);
            Some((allowed && guard.stand == Stand::Disarmed, doubled.min(300_000)))
        }
        (_, JobKind::Confirm | JobKind::ResolveRun) if is_waited_for(check, ix, at) => Some((true, 2_000)),
        _ => None,
    }
}

impl Checker {
    pub(super) fn guard_heard(
        &mut self,
        at: Time,
        job: Job,
        outcome: &Outcome,
        seen: &GuardSeen,
    ) -> Complaint {
        let task = &mut self.tasks[job.task.at()];
        let run = task.attempts.get(&JobKind::Run).copied().unwrap_or(0) + 1;
        let well = *outcome == Outcome::Succeeded;
        let (fits, stand) = match seen {
            GuardSeen::Armed { left, .. } => {
                task.guard = Some(Guard { run, stand: Stand::Armed, until: at + *left, well: None });
                return require(well && job.kind == JobKind::Arm, || format!("{job:?}: {seen:?}"));
            }
            GuardSeen::Confirmed { left: Some(left), .. } => {
                let guard = task.guard.as_mut().ok_or("a guard that nobody armed is confirmed")?;
                guard.until = at + *left;
                (well, Stand::Armed)
            }
            GuardSeen::Confirmed { left: None, .. } | GuardSeen::ConfirmedLate { .. } => {
                (well, Stand::Disarmed)
            }
            GuardSeen::Expired { .. } => (!well, Stand::Expired),
            GuardSeen::Lost { .. } => (!well, Stand::Lost),
            GuardSeen::Fired { undo: Outcome::NotStarted { .. }, .. } => (!well, Stand::Lost),
            GuardSeen::Fired { .. } => (!well, Stand::Fired { back: seen.took_back() }),
        };
        let late = matches!(seen, GuardSeen::ConfirmedLate { .. });
        let was = task.guard.as_ref().map(|guard| guard.stand);
        let fits = fits && (!late || matches!(was, Some(Stand::Expired | Stand::Lost)));
        require(fits && job.kind == JobKind::Confirm, || format!("{job:?}: {seen:?} after {was:?}"))?;
        task.guard.as_mut().ok_or("nobody armed it")?.stand = stand;
        if stand == (Stand::Fired { back: true }) {
            (task.ran, task.unknown) = (false, None);
        }
        Ok(())
    }

    pub(super) fn guard_extended(&mut self, at: Time, ix: TaskIx, left: Millis) -> Complaint {
        let during = self
            .running
            .iter()
            .any(|job| job.task == ix && matches!(job.kind, JobKind::Run | JobKind::ResolveRun));
        let armed = stands(&self.tasks[ix.at()], Stand::Armed);
        require(during && armed, || format!("the guard of {ix:?} is extended, and does not guard"))?;
        self.tasks[ix.at()].guard.as_mut().expect("it is armed").until = at + left;
        Ok(())
    }
}
