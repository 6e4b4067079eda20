//! What a run is doing at a moment: jobs that run, pauses with time left, people who are waited for.

use super::asking;
use super::guarded;
use super::look::Look;
use crate::engine::{RunState, Stage, Status, StepStatus};
use crate::model::event::{Job, JobKind, Scope};
use crate::model::names::{PhaseIx, StepIx, TaskIx};
use crate::model::question::Question;
use crate::model::{Millis, Time};
use crate::plan::Plan;
use std::collections::BTreeMap;

/// What a run is doing at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoingOn {
    /// Jobs that run, the longest-running first.
    pub running: Vec<(Job, Time)>,
    /// What goes on by itself when its time has come, the soonest first.
    pub pauses: Vec<Pause>,
    /// Questions that people must answer.
    pub questions: Vec<Question>,
    /// What watches last saw, where somebody told.
    pub rounds: Rounds,
}

/// What watches last saw.
pub type Rounds = BTreeMap<Job, Round>;

/// What one round of a watch saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// Probes that agree.
    pub agree: usize,
    /// Of so many.
    pub probes: usize,
    /// Rounds in a row that missed, this one among them.
    pub misses: u32,
}

/// Something that goes on by itself when its time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// The step or task.
    pub name: String,
    /// Why it pauses.
    pub why: String,
    /// Until then.
    pub until: Time,
}

/// More than this is told as a number when a run is described in sentences.
const SENTENCES_MAX: usize = 5;

impl GoingOn {
    /// What a run is doing.
    pub fn at(state: &RunState, now: Time) -> Self {
        let mut running: Vec<_> = state.running().collect();
        running.sort_by_key(|(job, since)| (*since, *job));
        let mut pauses = pauses(state, now);
        pauses.sort_by(|a, b| (a.until, &a.name).cmp(&(b.until, &b.name)));
        Self { running, pauses, questions: state.questions().cloned().collect(), rounds: Rounds::new() }
    }

    /// With what watches last saw.
    pub fn with(self, rounds: &Rounds) -> Self {
        Self { rounds: rounds.clone(), ..self }
    }

    /// The same in sentences, the longest-running jobs alone.
    pub fn sentences(&self, state: &RunState, look: &Look, now: Time) -> Vec<String> {
        let plan = state.plan();
        let mut said: Vec<String> = self
            .running
            .iter()
            .take(SENTENCES_MAX)
            .map(|(job, since)| {
                let time = self.job_time(plan, *job, *since, now);
                let guard = guarded::countdown(state, job.task, now);
                format!("running: {} {time}{guard}", plan.task_name(job.task))
            })
            .collect();
        if let more @ 1.. = self.running.len().saturating_sub(SENTENCES_MAX) {
            said.push(format!("running: and {more} more"));
        }
        said.extend(self.pauses.iter().take(SENTENCES_MAX).map(|pause| {
            let until = look.moment(pause.until, now);
            format!("waiting: {} {}, {} left, until {until}", pause.name, pause.why, pause.until.since(now))
        }));
        if let more @ 1.. = self.pauses.len().saturating_sub(SENTENCES_MAX) {
            said.push(format!("waiting: and {more} more"));
        }
        said.extend(self.questions.iter().map(|question| {
            let first = question.choices().next().map(|choice| look.answer(plan, question, choice));
            format!("waiting for people: {} {}", asking::sentence(state, question), first.unwrap_or_default())
        }));
        said
    }

    /// `run, 4m 02s of 30m 00s` and which try it is; for a watch also what it last saw.
    pub fn job_time(&self, plan: &Plan, job: Job, since: Time, now: Time) -> String {
        let attempt = match job.attempt {
            1 => String::new(),
            attempt => format!(" (try {attempt})"),
        };
        let (word, limit) = (doing(job.kind), limit(plan, job));
        let seen = self.rounds.get(&job).map(|round| format!(", {}", round.words())).unwrap_or_default();
        format!("{word}{attempt}, {} of {limit}{seen}", now.since(since))
    }
}

impl Round {
    /// `all 4 probes agree`.
    fn words(&self) -> String {
        let Self { agree, probes, misses } = *self;
        match agree == probes {
            true if probes == 1 => "its probe agrees".to_owned(),
            true => format!("all {probes} probes agree"),
            false => format!("{agree} of {probes} probes agree, missed {misses} in a row"),
        }
    }
}

fn doing(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Watch => "watching",
        kind => kind.word(),
    }
}

/// How long a job may take.
fn limit(plan: &Plan, job: Job) -> Millis {
    let step = plan.step_of(job.task);
    match (job.kind, &step.watch, step.together) {
        (JobKind::Watch, Some(watch), _) => watch.length,
        (JobKind::Stage, _, Some(together)) => together.within,
        _ => step.timeout,
    }
}

fn pauses(state: &RunState, now: Time) -> Vec<Pause> {
    match (state.status(), state.phase_now()) {
        (Status::Running, Some(phase)) => {
            let gates = state.plan().steps_of(phase).filter_map(|step| gate_of_time(state, step, now));
            // A task that pauses has begun; looking at the others would cost too much on ten thousand hosts.
            let begun = |step: &StepIx| state.step(*step).counts().begun > 0;
            gates.chain(of_steps(state, state.plan().steps_of(phase).filter(begun))).collect()
        }
        (Status::RollingBack { .. }, _) => {
            let phases = (0..state.plan().phases.len() as u32).map(PhaseIx);
            let begun = phases.filter(|phase| state.phase(*phase).started_at().is_some());
            of_steps(state, begun.flat_map(|phase| state.plan().steps_of(phase))).collect()
        }
        (Status::New | Status::Ended(_) | Status::Running, _) => Vec::new(),
    }
}

fn of_steps(state: &RunState, steps: impl Iterator<Item = StepIx>) -> impl Iterator<Item = Pause> {
    steps.flat_map(|step| state.plan().tasks_of(step)).filter_map(|task| pause_of(state, task))
}

/// Tasks still to be taken back, as far as the scope of the rollback tells without walking the plan.
pub fn to_take_back(state: &RunState) -> Option<usize> {
    let plan = state.plan();
    let phases = match state.status() {
        Status::RollingBack { scope: Scope::Run, .. } => 0..plan.phases.len() as u32,
        Status::RollingBack { scope: Scope::Phase(phase), .. } => phase.0..phase.0 + 1,
        Status::RollingBack { scope: Scope::FromPhase(phase), .. } => phase.0..plan.phases.len() as u32,
        Status::RollingBack { scope: Scope::FromStep(_), .. }
        | Status::New
        | Status::Running
        | Status::Ended(_) => {
            return None;
        }
    };
    let tasks = phases.flat_map(|phase| plan.steps_of(PhaseIx(phase))).flat_map(|step| plan.tasks_of(step));
    Some(tasks.filter(|task| state.task(*task).undo().is_none() && state.may_have_changed(*task)).count())
}

/// `after: { step, at_least }`, if that is all that a step waits for.
fn gate_of_time(state: &RunState, step: StepIx, now: Time) -> Option<Pause> {
    let plan = state.plan();
    let planned = &plan.steps[step.at()];
    let after = planned.after.filter(|_| *state.step(step).status() == StepStatus::Waiting)?;
    let ready = planned.needs.iter().all(|need| need.same_host || state.step(need.step).ended_well());
    let other = state.step(after.step);
    let until = other.ended_at().filter(|_| ready && other.ended_well())? + after.at_least;
    let why = format!("must stand {} after `{}`", after.at_least, plan.steps[after.step.at()].id);
    (until > now).then(|| Pause { name: planned.id.to_string(), why, until })
}

fn pause_of(state: &RunState, task: TaskIx) -> Option<Pause> {
    let name = || state.plan().task_name(task);
    match state.task(task).stage() {
        Stage::Until(until) if state.task(task).end().is_none() => {
            Some(Pause { name: name(), why: "waits".to_owned(), until: *until })
        }
        Stage::Retry { kind, at, .. } => {
            let why = match kind {
                JobKind::ResolveRun | JobKind::ResolveUndo => "asks the host again".to_owned(),
                kind => format!("{kind} is tried again, try {}", state.task(task).attempts(*kind) + 1),
            };
            Some(Pause { name: name(), why, until: *at })
        }
        Stage::Until(_)
        | Stage::Idle
        | Stage::Running { .. }
        | Stage::Ended { .. }
        | Stage::Read { .. }
        | Stage::Again { .. }
        | Stage::Asked
        | Stage::Answered { .. } => None,
    }
}

/// Has a job used up most of its time? Then people may want to look before it is killed.
pub fn is_late(plan: &Plan, job: Job, since: Time, now: Time) -> bool {
    let Millis(limit) = limit(plan, job);
    // A watch is meant to take all of its time.
    job.kind != JobKind::Watch && now.since(since).0 > limit / LATE_PERCENT_OF * LATE_PERCENT
}

/// From four fifths of its time on, a job is late.
const LATE_PERCENT: u64 = 80;
const LATE_PERCENT_OF: u64 = 100;
