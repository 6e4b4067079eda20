//! How each objective of a run stands: met, missed, by how much, and where the time went. Computed here and nowhere
//! else: the recap, the report and the exit code of a drill are told from it.

use super::escape::line;
use super::story::path;
use super::story::told::{Met, What};
use super::timeline::Timeline;
use super::words;
use crate::engine::{PhaseStatus, RunState, Status, StepStatus};
use crate::model::event::{Mode, Stands, Verdict};
use crate::model::names::{ServiceName, StepIx};
use crate::model::runbook::Moment;
use crate::model::{Millis, Time};
use crate::plan::Plan;
use crate::plan::frozen::PlannedObjective;
use serde::Serialize;
use std::collections::BTreeMap;

/// The exit code of a drill that ended well and missed an objective.
pub const MISSED: u8 = 24;

/// How an objective stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// What had to be reached by when.
    pub objective: PlannedObjective,
    /// Does it come from the recovery time objective of a service?
    pub rto: bool,
    /// When its clock started.
    pub began: Option<Time>,
    /// When it stopped.
    pub reached: Option<Time>,
    /// Was it met?
    pub standing: Met,
    /// From one to the other, or to the end of what is told.
    pub took: Option<Millis>,
    /// How much later than allowed, in milliseconds; negative is to spare.
    pub late_ms: Option<i64>,
}

/// An objective, and whether it was met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ObjectiveFacts {
    /// What it is called.
    pub name: String,
    /// How long it may take, in milliseconds.
    pub within_ms: u64,
    /// How long it took, in milliseconds; `null` if it was not reached.
    pub took_ms: Option<u64>,
    /// Was it met?
    pub met: bool,
    /// How it stands: `met`, `missed`, `not_reached`, `open` or `not_started`.
    pub standing: Met,
    /// How much later than allowed, in milliseconds; negative is to spare. `null` if there is nothing to tell.
    pub late_ms: Option<i64>,
    /// Where the time between its two moments went, in milliseconds.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub spent_ms: BTreeMap<What, u64>,
}

impl ObjectiveFacts {
    /// Without where the time went: a state does not tell that.
    pub fn of(score: &Score) -> Self {
        Self {
            name: line(&score.objective.name),
            within_ms: score.objective.within.0,
            took_ms: score.took.filter(|_| score.reached.is_some()).map(|took| took.0),
            met: score.standing == Met::Met,
            standing: score.standing,
            late_ms: score.late_ms.filter(|_| score.standing != Met::NotReached),
            spent_ms: BTreeMap::new(),
        }
    }
}

/// The objectives of a run with where their time went.
pub fn facts(timeline: &Timeline) -> Vec<ObjectiveFacts> {
    let until = told_until(&timeline.state);
    let told = |score: &Score| {
        let spent_ms = path::spent(timeline, score, until).0;
        ObjectiveFacts { spent_ms, ..ObjectiveFacts::of(score) }
    };
    scores(&timeline.state).iter().map(told).collect()
}

/// How the objectives of a run stand by its last event.
pub fn scores(state: &RunState) -> Vec<Score> {
    let goes_on = !matches!(state.status(), Status::Ended(_));
    scores_at(state, told_until(state), goes_on)
}

/// How they stand at a time, while the run goes on or after it.
pub fn scores_at(state: &RunState, until: Option<Time>, goes_on: bool) -> Vec<Score> {
    let plan = state.plan();
    let own = plan.objectives.iter().map(|objective| (objective.clone(), false));
    let rtos = rtos(state).map(|objective| (objective, true));
    own.chain(rtos).map(|(objective, rto)| score(state, objective, rto, until, goes_on)).collect()
}

/// The exit code of a verdict: that of a drill which ended well tells whether an objective was missed.
pub fn exit_code(state: &RunState, verdict: &Verdict) -> u8 {
    if state.mode() != Mode::Drill || !came_through(state) {
        return words::exit_code(verdict);
    }
    let missed = |score: &Score| matches!(score.standing, Met::Missed | Met::NotReached);
    match verdict {
        Verdict::Completed | Verdict::RolledBack if scores(state).iter().any(missed) => MISSED,
        Verdict::Completed | Verdict::RolledBack => 0,
        Verdict::Stopped { .. } | Verdict::Refused { .. } | Verdict::Stuck => words::exit_code(verdict),
    }
}

/// Is it a drill in which every step ended well, whatever was taken back after that?
pub fn came_through(state: &RunState) -> bool {
    let steps = (0..state.plan().steps.len() as u32).map(StepIx);
    state.mode() == Mode::Drill && steps.into_iter().all(|step| state.step(step).ended_well())
}

/// When a moment came, if it has.
pub fn moment(state: &RunState, moment: &Moment) -> Option<Time> {
    let plan: &Plan = state.plan();
    match moment {
        Moment::Start => state.started_at(),
        Moment::Phase(id) => {
            let phase = state.phase(plan.phase_named(id.as_str())?);
            phase.ended_at().filter(|_| phase.status() == PhaseStatus::Ended { well: true })
        }
        Moment::Step(id) => {
            let step = state.step(plan.step_named(id.as_str())?);
            step.ended_at().filter(|_| *step.status() == StepStatus::Ended { well: true })
        }
        Moment::Probe(id) => state.probes_agreed(plan.step_named(id.as_str())?),
        Moment::ServiceDown(name) => down_since(state, name),
        Moment::ServiceUp(name) => up_since(state, name),
        Moment::Backup(id) => state.backup_taken(plan.step_named(id.as_str())?),
    }
}

fn score(
    state: &RunState,
    objective: PlannedObjective,
    rto: bool,
    until: Option<Time>,
    goes_on: bool,
) -> Score {
    let (began, reached) = (moment(state, &objective.from), moment(state, &objective.to));
    let took = began.zip(reached.or(until)).map(|(from, to)| to.since(from));
    let late_ms = took.map(|took| took.0 as i64 - objective.within.0 as i64);
    let is_late = late_ms.is_some_and(|late| late > 0);
    let never = reached.is_some() || matches!(objective.from, Moment::ServiceDown(_) | Moment::ServiceUp(_));
    let standing = match (began, reached) {
        (None, _) if never => Met::NotStarted,
        (_, Some(_)) if !is_late => Met::Met,
        (_, Some(_)) => Met::Missed,
        (_, None) if goes_on && is_late => Met::Missed,
        (_, None) if goes_on => Met::Open,
        (_, None) => Met::NotReached,
    };
    Score { objective, rto, began, reached, standing, took, late_ms }
}

/// The recovery time objectives of services that somebody watched: from the first time that one was seen down to when
/// it was up without another break.
fn rtos(state: &RunState) -> impl Iterator<Item = PlannedObjective> {
    let watched = |name: &ServiceName| state.services().any(|(other, _)| other == name);
    let services = state.plan().services.iter().filter(move |service| watched(&service.name));
    services.filter_map(|service| {
        Some(PlannedObjective {
            name: format!("RTO of {}", service.name),
            from: Moment::ServiceDown(service.name.clone()),
            to: Moment::ServiceUp(service.name.clone()),
            within: service.rto?,
            remind: Vec::new(),
        })
    })
}

fn down_since(state: &RunState, name: &ServiceName) -> Option<Time> {
    let (_, watched) = state.services().find(|(other, _)| *other == name)?;
    let down = watched.stretches().iter().find(|stretch| stretch.stands == Stands::Down);
    down.map(|stretch| stretch.since)
}

/// That nobody could look for a while breaks nothing, and proves nothing.
fn up_since(state: &RunState, name: &ServiceName) -> Option<Time> {
    let (_, watched) = state.services().find(|(other, _)| *other == name)?;
    watched.stretches().iter().fold(None, |up, stretch| match stretch.stands {
        Stands::Up => up.or(Some(stretch.since)),
        Stands::Down => None,
        Stands::Unknown => up,
    })
}

fn told_until(state: &RunState) -> Option<Time> {
    let newest = state.started_at().map(|_| state.newest_at());
    state.ended_at().or(newest)
}
