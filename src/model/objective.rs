//! What must be reached by when: an objective lies between two moments of a run.

use super::names::{PhaseId, ServiceName, StepId};
use super::place::Span;
use super::time::Millis;
use serde::{Deserialize, Serialize};

/// Something that must be reached within a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    /// What it is called.
    pub name: String,
    /// When the clock starts.
    pub from: Moment,
    /// When it stops.
    pub to: Moment,
    /// How long it may take.
    pub within: Millis,
    /// How long before its time is over the screen reminds people of it.
    pub remind: Vec<Millis>,
    /// Where it was written.
    pub span: Span,
}

/// A moment of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// `start`: the run began.
    Start,
    /// `phase ID`: the phase ended well.
    Phase(PhaseId),
    /// `step ID`: the step ended well on all its hosts.
    Step(StepId),
    /// `probe ID`: the probes of the step agreed for the first time, on the last of its hosts.
    Probe(StepId),
    /// `service NAME down`: the service was seen down for the first time.
    ServiceDown(ServiceName),
    /// `service NAME up`: since then the service was not seen down any more.
    ServiceUp(ServiceName),
    /// `backup ID`: the backup that the step looked at was taken; the oldest if there are several.
    Backup(StepId),
}
