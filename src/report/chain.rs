//! The critical path as it was taken: from the step that ended last back through what each waited for. Undo is not on
//! it.

use super::story::path::waited_for;
use crate::engine::RunState;
use crate::model::Time;
use crate::model::names::StepIx;

/// A step of the critical path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The step.
    pub step: StepIx,
    /// When what it waited for was there.
    pub from: Time,
    /// When it was over, or `until`.
    pub to: Time,
}

/// The path up to a moment, which is where steps end that are under way. Empty for a run that has not begun.
pub fn chain(state: &RunState, until: Time) -> Vec<Link> {
    let plan = state.plan();
    let Some(start) = state.started_at() else { return Vec::new() };
    let begun = |ix: &StepIx| state.step(*ix).started_at().is_some();
    let end_of = |ix: StepIx| state.step(ix).ended_at().unwrap_or(until);
    let mut here = (0..plan.steps.len() as u32)
        .map(StepIx)
        .filter(begun)
        .max_by_key(|ix| (end_of(*ix), std::cmp::Reverse(*ix)));
    let mut links = Vec::new();
    while let Some(step) = here {
        let before = waited_for(plan, step)
            .into_iter()
            .filter(|(other, _)| begun(other) && end_of(*other) <= end_of(step))
            .max_by_key(|(other, at_least)| (end_of(*other) + *at_least, std::cmp::Reverse(*other)));
        let from = before.map_or(start, |(other, _)| end_of(other));
        links.push(Link { step, from, to: end_of(step) });
        here = before.map(|(other, _)| other);
    }
    links.reverse();
    links
}
