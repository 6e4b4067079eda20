//! Consent, evidence and deadlines as the checks see them: who may say yes, for how long, and what is too late.

use super::check::{Checker, Complaint, require};
use blackstart::model::Time;
use blackstart::model::event::TaskEnd;
use blackstart::model::names::{StepIx, TaskIx};
use blackstart::model::question::Answer;
use blackstart::model::runbook::Approve;

/// Consent on record.
#[derive(Clone)]
pub struct Consent {
    pub by: String,
    pub key: Option<String>,
    pub given: Time,
}

/// The login that starts every run, and its principal.
pub const STARTER: &str = "ann";
pub const STARTERS_PRINCIPAL: &str = "ann@example.org";

pub fn when_given(answer: &Answer, at: Time) -> Time {
    answer.at.map_or(at, |given| given.min(at))
}

fn too_old(gate: &Approve, given: Time, at: Time) -> bool {
    gate.within.is_some_and(|within| given + within <= at)
}

impl Checker {
    /// Has anything of the step begun, so that its consent was used?
    fn was_used(&self, step: usize) -> bool {
        self.plan.tasks_of(StepIx(step as u32)).any(|task| {
            let task = &self.tasks[task.at()];
            let ran = matches!(task.end, Some(TaskEnd::Done | TaskEnd::AlreadySo | TaskEnd::Failed { .. }));
            ran || task.end.is_none() && task.begun
        })
    }

    /// May the step start, as far as people say?
    pub fn has_consent(&self, at: Time, step: usize) -> bool {
        let Some(gate) = &self.plan.steps[step].approve else { return true };
        let used = self.was_used(step);
        let counts = |one: &&Consent| used || !too_old(gate, one.given, at);
        self.steps[step].approvals.iter().filter(counts).count() as u32 >= gate.people
            && !self.steps[step].refused
    }

    pub(super) fn consents(&mut self, at: Time, step: usize, answer: &Answer) -> Complaint {
        let gate = self.plan.steps[step].approve.clone().expect("the step has a gate");
        let (by, key) = (answer.by.clone(), answer.signed.as_ref().map(|signed| signed.key.clone()));
        let given = when_given(answer, at);
        require(!gate.signed || key.is_some(), || format!("{by} consents without a signature"))?;
        let starter = by == STARTER || by == STARTERS_PRINCIPAL;
        require(!gate.others || !starter, || format!("{by} consents to what they started"))?;
        require(gate.by.is_empty() || gate.by.contains(&by), || format!("{by} is not asked"))?;
        require(!too_old(&gate, given, at), || format!("{by} consented too long ago"))?;
        let state = &mut self.steps[step];
        let twice = state.approvals.iter().any(|one| one.by == by || key.is_some() && one.key == key);
        require(!twice, || format!("{by} consents twice"))?;
        if let Some(key) = &key {
            require(state.spent.insert((key.clone(), given)), || format!("{by} uses a signature twice"))?;
        }
        state.approvals.push(Consent { by, key, given });
        Ok(())
    }

    pub(super) fn approval_lapsed(&mut self, at: Time, step: usize, by: &[String]) -> Complaint {
        let gate = self.plan.steps[step].approve.clone().expect("the step has a gate");
        require(!self.was_used(step), || format!("consent for step {step} lapses after it was used"))?;
        let lapsed = |one: &Consent| too_old(&gate, one.given, at);
        let all: Vec<&String> =
            self.steps[step].approvals.iter().filter(|one| lapsed(one)).map(|one| &one.by).collect();
        require(all.iter().copied().eq(by), || format!("step {step}: {all:?} lapsed, not {by:?}"))?;
        self.steps[step].approvals.retain(|one| !lapsed(one));
        Ok(())
    }

    /// When the step must have started at the latest.
    pub fn deadline(&self, step: usize) -> Option<Time> {
        let deadline = self.plan.steps[step].deadline?;
        let from = match deadline.from {
            None => self.started_at,
            Some(from) => {
                let from = &self.steps[from.at()];
                from.over_at.filter(|_| from.over.is_some())
            }
        };
        Some(from? + deadline.within)
    }

    /// Is there evidence of a fetch step from every host where it was to run?
    pub fn has_evidence(&self, step: StepIx) -> bool {
        let tasks = self.plan.tasks_of(step).filter(|task| self.plan.tasks[task.at()].left_out.is_none());
        let ends: Vec<_> = tasks.map(|task| self.tasks[task.at()].end == Some(TaskEnd::Done)).collect();
        !ends.is_empty() && ends.into_iter().all(|done| done)
    }

    /// Gates that have nothing to do with people or minimum waits.
    pub fn in_time_and_proved(&self, at: Time, ix: TaskIx) -> Complaint {
        let step = self.step_at(ix);
        let late = self.deadline(step).is_some_and(|deadline| at >= deadline);
        require(!late, || format!("{ix:?} begins after its deadline"))?;
        let missing = self.plan.steps[step].evidence.iter().find(|step| !self.has_evidence(**step));
        require(missing.is_none(), || format!("{ix:?} begins without the evidence of {missing:?}"))
    }

    /// Was a step refused for coming too late, in a way that no resume can mend?
    pub fn is_too_late(&self, at: Time) -> bool {
        (0..self.steps.len()).any(|step| {
            let open = self.plan.tasks_of(StepIx(step as u32)).any(|task| {
                !matches!(self.tasks[task.at()].end, Some(TaskEnd::Done | TaskEnd::AlreadySo))
                    && self.plan.tasks[task.at()].left_out.is_none()
            });
            open && self.deadline(step).is_some_and(|deadline| at >= deadline)
        })
    }
}
