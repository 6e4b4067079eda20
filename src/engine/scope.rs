//! Which steps a rollback takes back.

use crate::model::event::Scope;
use crate::model::names::StepIx;
use crate::plan::Plan;

/// For each step: does the scope hold it? `None` if the scope names something that the plan does not have.
///
/// `FromStep` is the step, what needs it (directly or not), and all later phases.
pub fn steps_in(plan: &Plan, scope: Scope) -> Option<Vec<bool>> {
    let phase_of = |step: usize| plan.steps[step].phase;
    let steps = 0..plan.steps.len();
    match scope {
        Scope::Run => Some(vec![true; plan.steps.len()]),
        Scope::Phase(phase) if phase.at() < plan.phases.len() => {
            Some(steps.map(|step| phase_of(step) == phase).collect())
        }
        Scope::FromPhase(phase) if phase.at() < plan.phases.len() => {
            Some(steps.map(|step| phase_of(step) >= phase).collect())
        }
        Scope::FromStep(first) if first.at() < plan.steps.len() => {
            let mut held: Vec<bool> = steps.map(|step| phase_of(step) > phase_of(first.at())).collect();
            let mut todo = vec![first];
            while let Some(step) = todo.pop() {
                if !std::mem::replace(&mut held[step.at()], true) {
                    todo.extend(needed_by(plan, step));
                }
            }
            Some(held)
        }
        Scope::Phase(_) | Scope::FromPhase(_) | Scope::FromStep(_) => None,
    }
}

fn needed_by(plan: &Plan, needed: StepIx) -> impl Iterator<Item = StepIx> + '_ {
    let needs = move |step: &StepIx| plan.steps[step.at()].needs.iter().any(|need| need.step == needed);
    (0..plan.steps.len() as u32).map(StepIx).filter(needs)
}
