//! The look before the end, as the checks see it: it is ordered when nothing is left to do, its answer counts only if
//! nothing was done since, and no run that came to its end by itself ends without it.

use super::check::{Checker, Complaint, require};
use super::driver::Sim;
use blackstart::model::event::{CANNOT_TELL, Event, Seen, StopReason, Verdict};
use blackstart::model::probe::Expect;
use blackstart::plan::Plan;
use std::collections::BTreeSet;

/// How a process stands with the look before the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LooksLast {
    #[default]
    NotYet,
    /// Somebody was sent; what was done since makes the answer worthless.
    UnderWay { done_since: bool },
    /// The newest news was the answer.
    Answered,
}

impl Sim {
    pub(super) fn looks_after(&mut self, probes: bool) -> Complaint {
        let under_way = matches!(self.looks_last, LooksLast::UnderWay { .. });
        require(!under_way, || "a second look before the end, while one is under way".into())?;
        require(probes || is_watched(&self.plan), || "there is nothing to look at before the end".into())?;
        require(probes == self.check.is_to_be_as_before(), || format!("a look with probes: {probes}"))?;
        let busy = !self.check.running.is_empty() || self.check.stop.is_some();
        require(!busy, || "the look before the end is ordered too early".into())?;
        self.looks_last = LooksLast::UnderWay { done_since: false };
        self.world.look_after(probes);
        Ok(())
    }

    /// The answer came.
    pub(super) fn looked_last(&mut self, taken: bool) -> Complaint {
        let before = std::mem::replace(&mut self.looks_last, LooksLast::NotYet);
        match before {
            LooksLast::UnderWay { done_since: true } => self.tally.note("last look in vain"),
            LooksLast::UnderWay { done_since: false } if taken => self.tally.note("last look"),
            LooksLast::UnderWay { .. } | LooksLast::NotYet | LooksLast::Answered => {}
        }
        if taken {
            let fresh = before == LooksLast::UnderWay { done_since: false };
            require(fresh, || format!("a look before the end counts that was {before:?}"))?;
            self.looks_last = LooksLast::Answered;
        }
        Ok(())
    }

    /// Whoever stops a run that has nothing left to do goes at once.
    pub(super) fn nobody_is_kept(&self) -> Complaint {
        let looks = self.looks_last == LooksLast::UnderWay { done_since: false };
        let kept = looks && self.check.stop.is_some() && self.finished.is_none();
        require(!kept, || "a run that somebody stopped waits for a look".into())
    }

    /// Whatever is done makes a look that is under way worthless.
    pub(super) fn note_deed(&mut self, event: &Event) {
        let deed = matches!(
            event,
            Event::JobStarted { .. }
                | Event::Firing { .. }
                | Event::RollbackStarted { .. }
                | Event::PhaseStarted { .. }
                | Event::RunEnded { .. }
                | Event::UndoEnded { .. }
        );
        match &mut self.looks_last {
            LooksLast::UnderWay { done_since } => *done_since |= deed,
            LooksLast::NotYet | LooksLast::Answered => {}
        }
    }

    /// The run ends with this verdict.
    pub(super) fn ends_with(&self, verdict: &Verdict) -> Complaint {
        let by_itself = match verdict {
            Verdict::Completed | Verdict::RolledBack | Verdict::Stuck => true,
            Verdict::Stopped { because } => *because == StopReason::FailuresLeft,
            Verdict::Refused { .. } => false,
        };
        let wanted = is_watched(&self.plan) || self.check.is_to_be_as_before();
        let missed = by_itself && wanted && self.check.stop.is_none();
        require(!missed || self.looks_last == LooksLast::Answered, || {
            format!("the run ends {verdict:?}, and nobody looked before")
        })
    }
}

fn is_watched(plan: &Plan) -> bool {
    plan.services.iter().any(|service| service.probe.is_some())
}

impl Checker {
    /// Are things taken back, re-opened conduits among them, and was anything open before the first cut?
    fn is_to_be_as_before(&self) -> bool {
        self.rollback.is_some_and(|(_, reopen)| reopen) && !self.proof.open_at_first.is_empty()
    }

    pub(super) fn looked_after(&mut self, probes: &[Seen]) -> Complaint {
        require(self.is_to_be_as_before(), || "there was nothing to look at again".into())?;
        require(self.running.is_empty(), || "somebody looks before the end while a job runs".into())?;
        let open = |seen: &&Seen| seen.seen == Expect::Open.word();
        let open: BTreeSet<&String> = probes.iter().filter(open).map(|seen| &seen.probe).collect();
        let again = self.proof.open_at_first.iter().filter(|probe| open.contains(probe)).count();
        self.proof.open_again = Some(again as u32);
        let known = |seen: &&Seen| seen.seen.starts_with(CANNOT_TELL) || !seen.seen.is_empty();
        require(probes.iter().all(|seen| known(&seen)), || "a look that saw nothing".into())
    }
}
