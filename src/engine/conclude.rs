//! When phases begin and end, what a failure leads to, and when a run is over.

use super::io::Output;
use super::policy::Halt;
use super::run::Engine;
use super::standing::Standing;
use super::state::Status;
use crate::model::Event;
use crate::model::event::{Mode, NotRun, Scope, StopReason, UndoEnd, Verdict};
use crate::model::names::{PhaseIx, StepIx};
use crate::model::question::Question;
use crate::model::runbook::Policy;

impl Engine {
    /// Phases begin and end, failures have consequences. Was there anything to record?
    pub(super) fn react(&mut self) -> bool {
        match self.state.status {
            Status::New | Status::Ended(_) => false,
            Status::Running => match self.state.phase_now {
                Some(phase) => self.react_in_phase(phase),
                None => self.begin_phase(),
            },
            Status::RollingBack { scope, reopen } => {
                self.standing.is_none() && self.leave_forwards(scope, reopen)
            }
        }
    }

    fn react_in_phase(&mut self, phase: PhaseIx) -> bool {
        let Some(failed) = self.state.failed_phase() else {
            // What was refused at a gate is asked again: the phase is not over.
            let over = self.state.phase(phase).steps_open == 0 && self.state.refused.is_none();
            if over {
                self.record(Event::PhaseEnded { phase, well: true });
            }
            return over;
        };
        if self.state.stop.is_some() {
            return false;
        }
        match self.state.policy(failed) {
            Policy::Rollback => self.roll_back(failed, Scope::Phase(failed)),
            Policy::RollbackRun => self.roll_back(failed, Scope::Run),
            Policy::Ask => self.ask_about(failed),
            Policy::Stop | Policy::Continue => false,
        }
    }

    fn roll_back(&mut self, failed: PhaseIx, scope: Scope) -> bool {
        let by = match &self.state.phase(failed).chosen {
            Some((_, by)) => by.clone(),
            None => "policy".to_owned(),
        };
        // Nobody asked for a conduit to be re-opened. In a drill, nothing is at stake behind it.
        let reopen = self.state.mode == Mode::Drill;
        self.record(Event::RollbackStarted { scope, reopen, by, consent: Vec::new() });
        self.end_what_only_waits();
        true
    }

    fn ask_about(&mut self, phase: PhaseIx) -> bool {
        let question = Question::PhaseFailed { phase };
        let ask = self.state.refused.is_none() && !self.state.questions.contains(&question);
        if ask {
            self.ask(question);
        }
        ask
    }

    fn begin_phase(&mut self) -> bool {
        let open = |phase: &PhaseIx| self.state.phase(*phase).is_open();
        let Some(phase) = self.state.phases_ix().find(open) else { return false };
        let nothing_left = self.state.phases.iter().all(|phase| phase.steps_open == 0);
        let begin = self.state.halt() == Halt::No || nothing_left;
        if begin {
            self.record(Event::PhaseStarted { phase });
        }
        begin
    }

    /// What was begun forwards is settled; then everything else gets its reason, and the taking back begins.
    fn leave_forwards(&mut self, scope: Scope, reopen: bool) -> bool {
        if self.state.steps.iter().any(|step| step.counts.begun > 0) {
            return false;
        }
        let waiting = |step: &StepIx| self.state.step(*step).counts.waiting > 0;
        let steps: Vec<StepIx> = self.state.steps_ix().filter(waiting).collect();
        for step in &steps {
            self.record(Event::StepNotRun { step: *step, because: NotRun::RolledBack });
        }
        match self.state.phase_now {
            _ if !steps.is_empty() => {}
            Some(phase) => self.record(Event::PhaseEnded { phase, well: false }),
            None => self.standing = Some(Standing::new(&self.state, scope, reopen)),
        }
        true
    }

    /// Ends the run if nothing more can happen in this process. Did it?
    pub(super) fn conclude(&mut self) -> bool {
        let verdict = match self.state.status {
            Status::Running => self.verdict_forwards(),
            Status::RollingBack { .. } => self.verdict_backwards(),
            Status::New | Status::Ended(_) => None,
        };
        let Some(verdict) = verdict else {
            self.last_look_is_stale();
            return false;
        };
        if self.awaits_last_look(&verdict) {
            return false;
        }
        self.record(Event::RunEnded { verdict: verdict.clone() });
        self.order(Output::Finished(verdict));
        true
    }

    fn verdict_forwards(&self) -> Option<Verdict> {
        if !self.state.phases.iter().any(|phase| phase.is_open()) {
            return Some(match self.state.steps.iter().all(|step| step.ended_well()) {
                true => Verdict::Completed,
                false => stopped(StopReason::FailuresLeft),
            });
        }
        if self.is_busy() || self.looking && self.state.halt() == Halt::No {
            return None;
        }
        if let Some(verdict) = self.stopped_by_operator() {
            return Some(verdict);
        }
        if let Some(by) = &self.state.refused {
            return Some(Verdict::Refused { by: by.clone() });
        }
        match self.state.failed_phase() {
            Some(phase) if self.state.policy(phase) == Policy::Stop => {
                let step = self.state.phase(phase).failed.expect("a failed phase has a step that failed");
                Some(stopped(StopReason::StepFailed { step }))
            }
            Some(_) | None => self.waiting_for_people(stopped(StopReason::FailuresLeft)),
        }
    }

    fn verdict_backwards(&self) -> Option<Verdict> {
        match &self.standing {
            Some(standing) if standing.left() == 0 && self.state.busy.is_empty() => {
                Some(self.verdict_of_rollback())
            }
            _ if self.is_busy() => None,
            _ => self.stopped_by_operator().or_else(|| self.waiting_for_people(Verdict::Stuck)),
        }
    }

    /// Stuck if anything could not be taken back. What was left cut on purpose is not stuck, nor what that holds.
    fn verdict_of_rollback(&self) -> Verdict {
        let standing = self.standing.as_ref().expect("only a rollback has such a verdict");
        let stuck = |end: &UndoEnd| match end {
            UndoEnd::Failed { .. } | UndoEnd::Impossible => true,
            UndoEnd::Held { by } => !matches!(self.state.task(*by).undo(), Some(UndoEnd::LeftCut)),
            UndoEnd::Undone | UndoEnd::NotNeeded | UndoEnd::LeftCut => false,
        };
        let mut in_scope = self.state.tasks_ix().filter(|ix| standing.holds_scope(self.state.step_of(*ix)));
        match in_scope.any(|ix| self.state.task(ix).undo().is_some_and(stuck)) {
            true => Verdict::Stuck,
            false => Verdict::RolledBack,
        }
    }

    fn stopped_by_operator(&self) -> Option<Verdict> {
        let (by, how) = self.state.stop.clone()?;
        Some(stopped(StopReason::Operator { by, how }))
    }

    /// Does a job run, or a clock that something is waiting for?
    fn is_busy(&self) -> bool {
        let mut clocks = self.queues.clocks.iter();
        let clock = match self.state.halt() {
            Halt::No => !self.queues.clocks.is_empty() || !self.queues.step_clocks.is_empty(),
            Halt::Soft | Halt::Hard => clocks.any(|(_, task)| self.is_followed(*task)),
        };
        clock || !self.state.busy.is_empty() || !self.queues.ready.is_empty()
    }

    /// Nothing can happen unless people answer. If nobody has been asked either, the plan goes round in a circle:
    /// that ends too.
    fn waiting_for_people(&self, stalled: Verdict) -> Option<Verdict> {
        match self.state.questions.is_empty() {
            false if self.limits.attended => None,
            false => Some(stopped(StopReason::WaitingForPeople)),
            true => {
                debug_assert!(false, "the run stalled: nothing runs, nothing waits, nobody was asked");
                Some(stalled)
            }
        }
    }
}

fn stopped(because: StopReason) -> Verdict {
    Verdict::Stopped { because }
}
