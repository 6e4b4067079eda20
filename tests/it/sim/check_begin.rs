//! May this job start? Conditions written down once more, from the description and not from the engine.

use super::check::{Checker, Complaint, require};
use super::check_guard;
use super::check_proof::has_negative_probe;
use blackstart::model::event::{Job, JobKind, NotRun, Scope, StopHow, TaskEnd};
use blackstart::model::inventory::Reach;
use blackstart::model::names::{StepIx, TaskIx};
use blackstart::model::question::{Choice, Question};
use blackstart::model::{How, Outcome, Time};
use std::collections::BTreeSet;

fn well(end: &Option<TaskEnd>) -> bool {
    matches!(end, Some(TaskEnd::Done | TaskEnd::AlreadySo | TaskEnd::NotRun { because: NotRun::LeftOut }))
}

/// Everything but consent and minimum waits.
pub fn before_consent(check: &Checker, at: Time, ix: TaskIx) -> Complaint {
    check.in_time_and_proved(at, ix)?;
    let (task, planned) = (&check.tasks[ix.at()], check.plan.step_of(ix));
    let step = check.step_at(ix);
    require(task.end.is_none(), || format!("{ix:?} is settled"))?;
    for before in 0..planned.phase.at() {
        require(check.phases[before].over, || format!("{ix:?} begins before phase {before} is over"))?;
    }
    let phase = &check.phases[planned.phase.at()];
    require(phase.started && !phase.over, || format!("{ix:?} begins and its phase does not run"))?;
    for need in &planned.needs {
        let ready = match need.same_host {
            false => check.steps[need.step.at()].over == Some(true),
            true => same_host(check, need.step, ix).is_none_or(|other| well(&check.tasks[other.at()].end)),
        };
        require(ready, || format!("{ix:?} begins before its need {:?}", need.step))?;
    }
    for other in check.plan.tasks_of(StepIx(step as u32)) {
        let other = &check.tasks[other.at()];
        require(other.end.is_some() || other.wave >= task.wave, || format!("{ix:?} begins before its wave"))?;
    }
    let unknown = check.plan.tasks_of(StepIx(step as u32)).filter(|other| {
        let other = &check.tasks[other.at()];
        other.end.is_none() && other.unknown.is_some()
    });
    let amiss = check.failures(step) + unknown.count() as u32;
    require(amiss <= planned.max_failures, || format!("{ix:?} begins after too many failures"))?;
    if let Some(after) = planned.after {
        require(check.steps[after.step.at()].over == Some(true), || {
            format!("{ix:?} begins before its wait")
        })?;
    }
    let proved = planned.severs.is_empty() || check.proof.looked || !has_negative_probe(&check.plan);
    require(proved, || format!("{ix:?} cuts before anybody looked"))?;
    not_held_back(check, ix)
}

fn not_held_back(check: &Checker, ix: TaskIx) -> Complaint {
    require(check.rollback.is_none(), || format!("{ix:?} begins in a rollback"))?;
    require(check.stop.is_none(), || format!("{ix:?} begins after a stop"))?;
    require(!check.refused, || format!("{ix:?} begins after a refusal"))?;
    require(!check.held_back(), || format!("{ix:?} begins after its phase failed"))
}

/// May a task that has not begun do so?
pub fn may_begin(check: &Checker, at: Time, ix: TaskIx) -> Complaint {
    before_consent(check, at, ix)?;
    let (planned, step) = (check.plan.step_of(ix), check.step_at(ix));
    require(check.has_consent(at, step), || format!("{ix:?} begins without consent"))?;
    if let Some(after) = planned.after
        && let Some(since) = check.steps[after.step.at()].over_at
    {
        require(at >= since + after.at_least, || format!("{ix:?} begins too early after {:?}", after.step))?;
    }
    Ok(())
}

pub fn may_begin_or_go_on(check: &Checker, at: Time, ix: TaskIx) -> Complaint {
    match check.tasks[ix.at()].begun {
        true => not_held_back(check, ix),
        false => may_begin(check, at, ix),
    }
}

pub fn may_start(check: &Checker, at: Time, job: Job) -> Complaint {
    let ix = job.task;
    let task = &check.tasks[ix.at()];
    let before = task.attempts.get(&job.kind).copied().unwrap_or(0);
    require(job.attempt == before + 1, || format!("{job:?} starts after attempt {before}"))?;
    require(!check.running.iter().any(|other| other.task == ix), || {
        format!("{job:?} starts beside another")
    })?;
    within_limits(check, job)?;
    require(check.stop != Some(StopHow::Cancel), || {
        format!("{job:?} starts after everything was cancelled")
    })?;
    if let Some((kind, then)) = task.retry {
        require(kind == job.kind, || format!("{job:?} starts though {kind} was to be tried again"))?;
        require(at >= then, || format!("{job:?} starts before {then}"))?;
    }
    check_guard::may_start(check, at, job)?;
    match job.kind {
        JobKind::Undo => may_undo(check, job),
        JobKind::ResolveUndo => {
            require(task.end.is_some() && task.unknown.is_some(), || format!("{job:?}: why?"))
        }
        JobKind::ResolveRun => require(task.unknown.is_some(), || format!("{job:?}: why?")),
        JobKind::Verify => {
            let found_so = check.plan.step_of(ix).watch.is_some() && found_so(check, ix);
            let acted = task.unknown.is_some() || acted(check, ix, at) || found_so;
            require(task.end.is_none() && acted, || format!("{job:?}: nothing was done"))
        }
        JobKind::Check if task.unknown.is_some() => {
            require(task.no_receipt && task.end.is_none(), || format!("{job:?} before the receipt"))
        }
        JobKind::Check => may_begin_or_go_on(check, at, ix),
        JobKind::Snapshot => {
            let kept = task.ran && task.snapshot.is_some();
            require(!kept, || format!("{job:?} keeps what has been changed"))?;
            may_begin_or_go_on(check, at, ix)?;
            checked(check, ix)
        }
        JobKind::Run => {
            let alone = check.plan.step_of(ix).together.is_none();
            require(alone, || format!("{job:?} starts by itself and not with the others"))?;
            may_run(check, at, job)
        }
        JobKind::Stage => {
            let fired = check.plan.step_of(ix).together.is_some();
            require(fired && !task.staged, || format!("{job:?}: the host need not get ready"))?;
            may_run(check, at, job)
        }
        JobKind::Watch => may_watch(check, at, ix),
        JobKind::Arm | JobKind::Confirm => Ok(()),
    }
}

/// The limits on jobs do not hold for those that start at one moment.
pub fn may_be_fired(check: &Checker, at: Time, job: Job) -> Complaint {
    let task = &check.tasks[job.task.at()];
    let before = task.attempts.get(&job.kind).copied().unwrap_or(0);
    require(job.attempt == before + 1, || format!("{job:?} starts after attempt {before}"))?;
    require(!check.running.iter().any(|other| other.task == job.task), || {
        format!("{job:?} starts beside another")
    })?;
    require(task.retry.is_none(), || format!("{job:?} starts though something else was to be tried again"))?;
    may_run(check, at, job)
}

/// What is watched was done, and verified if there is a way; or this run did it before, and it is found so.
fn may_watch(check: &Checker, at: Time, ix: TaskIx) -> Complaint {
    let (task, planned) = (&check.tasks[ix.at()], check.plan.step_of(ix));
    not_held_back(check, ix)?;
    require(task.end.is_none() && planned.watch.is_some(), || format!("{ix:?} is watched?"))?;
    let newest = task.seen.iter().rev().find(|(kind, _)| *kind != JobKind::Watch);
    let verified = matches!(newest, Some((JobKind::Verify, Outcome::Succeeded)));
    let right = verified || planned.verify.is_empty() && (acted(check, ix, at) || found_so(check, ix));
    require(right && task.unknown.is_none(), || format!("{ix:?} is watched before it was done"))
}

/// Was it found to be so, which this run has made so?
pub fn found_so(check: &Checker, ix: TaskIx) -> bool {
    let task = &check.tasks[ix.at()];
    task.ran && task.seen.contains(&(JobKind::Check, Outcome::Succeeded))
}

fn within_limits(check: &Checker, job: Job) -> Complaint {
    let jump = |task: TaskIx| match &check.plan.host_of(task)?.reach {
        Reach::Ssh(ssh) => ssh.jump.clone(),
        Reach::Local(_) => None,
    };
    let room = check.running.len() < check.limits.jobs_at_once as usize;
    require(room, || format!("{job:?} is one too many"))?;
    if let Some(mine) = jump(job.task) {
        let behind = check.running.iter().filter(|other| jump(other.task).as_ref() == Some(&mine)).count();
        let room = behind < check.limits.jobs_per_jump_host as usize;
        require(room, || format!("{job:?} is one too many behind {mine}"))?;
    }
    Ok(())
}

/// Was the check, if there is one, asked since the task was opened, and did it say no?
fn checked(check: &Checker, ix: TaskIx) -> Complaint {
    let no = |(kind, outcome): &(JobKind, Outcome)| {
        *kind == JobKind::Check && matches!(outcome, Outcome::Failed { how: How::Exit(_) })
    };
    let needed = check.plan.step_of(ix).check.is_some();
    require(!needed || check.tasks[ix.at()].seen.iter().any(no), || format!("{ix:?} was not checked first"))
}

/// Was the action itself done since the task was opened?
pub fn acted(check: &Checker, ix: TaskIx, at: Time) -> bool {
    let task = &check.tasks[ix.at()];
    let newest = task.seen.iter().rev().find(|(kind, _)| *kind == JobKind::Run);
    matches!(newest, Some((_, Outcome::Succeeded)))
        || newest.is_none() && check_guard::acted_before(task)
        || task.told == Some(Choice::Done)
        || task.wait_until.is_some_and(|until| at >= until)
}

pub fn may_run(check: &Checker, at: Time, job: Job) -> Complaint {
    let ix = job.task;
    let (task, planned) = (&check.tasks[ix.at()], check.plan.step_of(ix));
    match task.begun {
        // Once through the gates, a task that may not have started is seen to its end.
        true => not_held_back(check, ix)?,
        false => may_begin(check, at, ix)?,
    }
    require(task.end.is_none(), || format!("{job:?}: it has ended"))?;
    require(task.afresh <= 4, || format!("{job:?} was started afresh too often"))?;
    require(task.failed_runs < planned.retry.attempts, || format!("{job:?} is one attempt too many"))?;
    require(job.attempt < 100, || format!("{job:?}: that many?"))?;
    if task.unknown.is_some() {
        let again = planned.idempotent && task.no_receipt;
        return require(again, || format!("{job:?} starts though nobody knows what became of the last one"));
    }
    if planned.snapshot.is_some() {
        let newest = task.seen.iter().rev().find(|(kind, _)| *kind == JobKind::Snapshot);
        let kept = matches!(newest, Some((_, Outcome::Succeeded))) || task.snapshot.is_some();
        require(kept, || format!("{job:?} starts without a snapshot"))?;
    }
    if task.excused { Ok(()) } else { checked(check, ix) }
}

fn may_undo(check: &Checker, job: Job) -> Complaint {
    let ix = job.task;
    let task = &check.tasks[ix.at()];
    let Some((scope, reopen)) = check.rollback else { return Err(format!("{job:?} outside a rollback")) };
    require(check.stop.is_none(), || format!("{job:?} starts after a stop"))?;
    require(task.end.is_some() && task.undo.is_none(), || format!("{job:?} is not due"))?;
    require(in_scope(check, scope, ix), || format!("{job:?} is out of scope"))?;
    require(check.in_place(ix), || format!("{job:?} takes back what was not done"))?;
    require(job.attempt < 60 && task.afresh <= 4, || format!("{job:?}: that many?"))?;
    let severs = !check.plan.step_of(ix).severs.is_empty();
    require(!severs || reopen, || format!("{job:?} re-opens a conduit that nobody asked to re-open"))?;
    if let Some(unknown) = task.unknown {
        let known = task.no_receipt && (unknown.kind == JobKind::Run || check.plan.step_of(ix).idempotent);
        require(known, || format!("{job:?} starts though {unknown:?} may still run"))?;
    }
    let planned = check.plan.step_of(ix);
    let mut standing = standing_on(check, ix);
    if !planned.reconnects.is_empty() {
        // What opened a conduit cuts it again, whatever is known to stay above it; a cut that was begun goes on.
        let begun = task.attempts.contains_key(&JobKind::Undo);
        let pending =
            |above: &TaskIx| in_scope(check, scope, *above) && check.tasks[above.at()].undo.is_none();
        standing.retain(|above| !begun && pending(above));
    }
    require(standing.is_empty(), || format!("{job:?} pulls away what {standing:?} stands on"))
}

/// All tasks in place that stand on this one, directly or through others.
pub fn standing_on(check: &Checker, ix: TaskIx) -> Vec<TaskIx> {
    let plan = &check.plan;
    let mut found = BTreeSet::new();
    let mut todo = vec![ix];
    while let Some(beneath) = todo.pop() {
        for other in (0..plan.tasks.len() as u32).map(TaskIx) {
            let later = plan.step_of(other).phase > plan.step_of(beneath).phase;
            let needs = plan.step_of(other).needs.iter().any(|need| {
                need.step.at() == check.step_at(beneath)
                    && (!need.same_host || plan.tasks[other.at()].host == plan.tasks[beneath.at()].host)
            });
            if (later || needs) && found.insert(other) {
                todo.push(other);
            }
        }
    }
    found.into_iter().filter(|task| check.in_place(*task)).collect()
}

pub fn in_scope(check: &Checker, scope: Scope, ix: TaskIx) -> bool {
    let (step, phase) = (check.step_at(ix), check.plan.step_of(ix).phase);
    match scope {
        Scope::Run => true,
        Scope::Phase(only) => phase == only,
        Scope::FromPhase(first) => phase >= first,
        Scope::FromStep(first) => {
            phase > check.plan.steps[first.at()].phase || depends(check, StepIx(step as u32), first)
        }
    }
}

fn depends(check: &Checker, step: StepIx, on: StepIx) -> bool {
    step == on || check.plan.steps[step.at()].needs.iter().any(|need| depends(check, need.step, on))
}

/// Did this need of the task fail for good, so that the task can never run?
pub fn need_failed(check: &Checker, ix: TaskIx, needed: StepIx) -> bool {
    let planned = check.plan.step_of(ix);
    let whole = planned.needs.iter().any(|need| need.step == needed && !need.same_host)
        || planned.after.is_some_and(|after| after.step == needed);
    let here = planned.needs.iter().any(|need| need.step == needed && need.same_host);
    whole && check.steps[needed.at()].over == Some(false)
        || here
            && same_host(check, needed, ix).is_some_and(|other| {
                let end = &check.tasks[other.at()].end;
                end.is_some() && !well(end)
            })
}

fn same_host(check: &Checker, step: StepIx, ix: TaskIx) -> Option<TaskIx> {
    let host = check.plan.tasks[ix.at()].host;
    check.plan.tasks_of(step).find(|other| check.plan.tasks[other.at()].host == host)
}

/// Has the phase of this task started? A retry may have set it back.
fn started(check: &Checker, ix: TaskIx) -> bool {
    check.phases[check.plan.step_of(ix).phase.at()].started
}

/// Is there anything that could go on and does not, though there is room for it?
pub fn nothing_forgotten(check: &Checker, at: Time) -> Complaint {
    if check.verdict.is_some() || check.stop.is_some() {
        return Ok(());
    }
    for ix in (0..check.tasks.len() as u32).map(TaskIx) {
        let task = &check.tasks[ix.at()];
        let job = Job { task: ix, kind: JobKind::Verify, attempt: 0 };
        let busy = check.running.iter().any(|job| job.task == ix) || within_limits(check, job).is_err();
        let clock = task.retry.map(|(_, then)| then).or(task.wait_until).is_some_and(|then| then > at);
        let asked = check.questions.iter().any(|question| question.task() == Some(ix));
        if busy || clock || asked {
            continue;
        }
        let forgotten = match (&task.end, check.rollback) {
            (None, None) if task.staged => {
                started(check, ix) && not_held_back(check, ix).is_ok() && check.is_kept_waiting(ix)
            }
            (None, None) if task.begun => started(check, ix) && not_held_back(check, ix).is_ok(),
            (None, None) => may_begin(check, at, ix).is_ok(),
            (None, Some(_)) => check.running.is_empty() && !clock_runs(check, at),
            (Some(_), Some((scope, _))) => {
                let due = in_scope(check, scope, ix) && check.in_place(ix) && task.undo.is_none();
                let due = due && check.tasks.iter().all(|task| task.end.is_some());
                let job = Job { task: ix, kind: JobKind::Undo, attempt: 0 };
                let pending =
                    |above: &TaskIx| in_scope(check, scope, *above) && check.tasks[above.at()].undo.is_none();
                let cuts_again = !check.plan.step_of(ix).reconnects.is_empty()
                    && !standing_on(check, ix).iter().any(pending)
                    && may_undo(check, job).is_ok();
                due && (standing_on(check, ix).is_empty() || cuts_again)
            }
            (Some(_), None) => false,
        };
        require(!forgotten, || format!("{ix:?} could go on, and is forgotten"))?;
        let planned = &check.plan.steps[check.step_at(ix)];
        let waits = task.end.is_none() && !task.begun && check.phases[planned.phase.at()].started;
        let late = check.deadline(check.step_at(ix)).is_some_and(|deadline| at >= deadline);
        let refused =
            waits && late && !check.phases[planned.phase.at()].over && not_held_back(check, ix).is_ok();
        require(!refused, || format!("{ix:?} is too late, and nobody says so"))?;
        let consent = task.end.is_none() && !task.begun && before_consent(check, at, ix).is_ok();
        let step = check.step_at(ix);
        if let Some(gate) = &check.plan.step_of(ix).approve
            && consent
        {
            // Consent that lapses is asked for when the minimum wait is over, and missed when a place is free.
            let wait = check
                .plan
                .step_of(ix)
                .after
                .and_then(|after| Some(check.steps[after.step.at()].over_at? + after.at_least));
            let early = gate.within.is_some() && wait.is_some_and(|until| at < until);
            let full = gate.within.is_some() && check.running.len() as u32 >= check.limits.jobs_at_once;
            let given = check.has_consent(at, step) || check.steps[step].refused || early || full;
            let question = Question::Approve { task: check.plan.step_of(ix).first_task, people: gate.people };
            require(given || check.questions.contains(&question), || format!("{question:?} was not asked"))?;
        }
    }
    Ok(())
}

fn clock_runs(check: &Checker, at: Time) -> bool {
    check.tasks.iter().any(|task| task.retry.is_some_and(|(_, then)| then > at))
}

trait About {
    fn task(&self) -> Option<TaskIx>;
}

impl About for Question {
    fn task(&self) -> Option<TaskIx> {
        match self {
            Question::Manual { task } | Question::WhatBecameOf { task, .. } => Some(*task),
            Question::Approve { .. } | Question::PhaseFailed { .. } => None,
        }
    }
}
