//! What a failure, a stop or a refusal forbids: how much may still be started.

use super::state::{RunState, Status};
use crate::model::event::{JobKind, StopHow};
use crate::model::names::{PhaseIx, TaskIx};
use crate::model::runbook::Policy;

/// How far a run is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Halt {
    /// Not at all.
    No,
    /// Nothing new is started; what has begun to change something is followed to its end.
    Soft,
    /// Nothing at all is started.
    Hard,
}

impl RunState {
    /// What to do about a failure in this phase: what a person chose, or what the plan says.
    pub fn policy(&self, phase: PhaseIx) -> Policy {
        match &self.phase(phase).chosen {
            Some((policy, _)) => *policy,
            None => self.plan.phases[phase.at()].on_failure,
        }
    }

    /// The phase that has failed and is not forgiven, if the run goes forwards.
    pub(super) fn failed_phase(&self) -> Option<PhaseIx> {
        let phase = self.phase_now?;
        let failed = self.phase(phase).failed.is_some() && self.policy(phase) != Policy::Continue;
        failed.then_some(phase)
    }

    /// Is the task's phase running? Begun tasks wait when an earlier phase was opened again; a rollback sees to all.
    pub(super) fn is_its_turn(&self, task: TaskIx) -> bool {
        let leaving = matches!(self.status, Status::RollingBack { .. });
        leaving || self.phase_now == Some(self.plan.step_of(task).phase)
    }

    pub(super) fn halt(&self) -> Halt {
        match self.stop {
            Some((_, StopHow::Cancel)) => Halt::Hard,
            Some((_, StopHow::Finish)) => Halt::Soft,
            None if self.refused.is_some() || self.failed_phase().is_some() => Halt::Soft,
            None if self.status != Status::Running => Halt::Soft,
            None => Halt::No,
        }
    }

    /// May a job of this kind be started, given that a task wants it? `looking`: an end is missing.
    pub(super) fn may_start(&self, kind: JobKind, looking: bool) -> bool {
        match (kind, self.halt()) {
            (_, Halt::Hard) => false,
            (JobKind::ResolveRun | JobKind::ResolveUndo | JobKind::Confirm | JobKind::Verify, _) => true,
            (JobKind::Undo, _) => self.stop.is_none() && matches!(self.status, Status::RollingBack { .. }),
            (JobKind::Check, Halt::Soft) => looking,
            (
                JobKind::Check
                | JobKind::Snapshot
                | JobKind::Arm
                | JobKind::Run
                | JobKind::Watch
                | JobKind::Stage,
                halt,
            ) => halt == Halt::No,
        }
    }
}
