//! Whose consent counts at a gate, and for how long. Signatures are checked before an answer comes here.

use super::apply::{Why, need};
use super::progress::{Approval, StepState};
use super::state::{RunState, Status};
use crate::model::Time;
use crate::model::names::StepIx;
use crate::model::question::Answer;
use crate::model::runbook::Approve;

impl RunState {
    /// Would this consent count? If not, says why.
    pub(super) fn check_consent(
        &self,
        ix: StepIx,
        gate: &Approve,
        answer: &Answer,
        now: Time,
    ) -> Result<(), Why> {
        let step = self.step(ix);
        need(!gate.signed || answer.signed.is_some(), "the step wants signed consent")?;
        need(!gate.others || !self.is_starter(&answer.by), "whoever started the run cannot approve")?;
        need(gate.by.is_empty() || gate.by.contains(&answer.by), "the step wants the consent of others")?;
        let given = given(answer, now);
        need(!has_lapsed(gate, given, now), "it was given too long ago")?;
        let spent =
            answer.signed.as_ref().is_some_and(|signed| step.spent.contains(&(signed.key.clone(), given)));
        need(!spent, "this signature was used before")?;
        let mut counted = self.counted(ix, gate, now);
        need(!counted.clone().any(|one| one.by == answer.by), "this person has consented already")?;
        let same_key =
            |one: &Approval| one.key.is_some() && one.key.as_ref() == answer.signed.as_ref().map(|s| &s.key);
        need(!counted.any(same_key), "somebody has consented with this key already")
    }

    /// Is this name the login or the principal of whoever started the run?
    pub fn is_starter(&self, name: &str) -> bool {
        let Some(login) = &self.by else { return false };
        let logins = self.plan.approvers.as_ref().map(|approvers| &approvers.logins);
        name == login
            || match logins.and_then(|logins| logins.get(login)) {
                Some(principal) => name == principal,
                None => name.strip_prefix(login.as_str()).is_some_and(|rest| rest.starts_with('@')),
            }
    }

    /// Consent for a step that counts at this time: all of it once the step has begun.
    fn counted<'a>(
        &'a self,
        ix: StepIx,
        gate: &'a Approve,
        now: Time,
    ) -> impl Iterator<Item = &'a Approval> + Clone {
        let step = self.step(ix);
        step.approvals.iter().filter(move |one| step.has_begun() || !has_lapsed(gate, one.at, now))
    }

    /// How many consents of a step count at this time.
    pub(super) fn consents(&self, ix: StepIx, gate: &Approve, now: Time) -> u32 {
        self.counted(ix, gate, now).count() as u32
    }

    /// Whose consent for a step counts no longer at this time, and is on record as if it did.
    pub(super) fn lapsed(&self, ix: StepIx, now: Time) -> Vec<String> {
        let step = self.step(ix);
        let Some(gate) = self.plan.steps[ix.at()].approve.as_ref().filter(|_| !step.has_begun()) else {
            return Vec::new();
        };
        let lapsed = step.approvals.iter().filter(|one| has_lapsed(gate, one.at, now));
        lapsed.map(|one| one.by.clone()).collect()
    }

    pub(super) fn approval_lapsed(&mut self, at: Time, ix: StepIx, by: &[String]) -> Result<(), Why> {
        need(self.status != Status::New, "the run has not begun")?;
        need(!by.is_empty() && self.lapsed(ix, at) == by, "their consent has not lapsed")?;
        self.steps[ix.at()].approvals.retain(|one| !by.contains(&one.by));
        Ok(())
    }
}

impl StepState {
    /// Has any of its tasks begun, so that the consent for it has been used?
    pub(super) fn has_begun(&self) -> bool {
        self.counts.begun + self.counts.done + self.counts.already_so + self.counts.failed > 0
    }
}

/// When an answer was given: never later than when it was taken in.
pub(super) fn given(answer: &Answer, now: Time) -> Time {
    answer.at.map_or(now, |at| at.min(now))
}

fn has_lapsed(gate: &Approve, at: Time, now: Time) -> bool {
    gate.within.is_some_and(|within| now >= at + within)
}
