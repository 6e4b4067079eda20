//! Checks signed approvals before a run takes them in, and again when somebody asks whether they hold.

use crate::engine::RunState;
use crate::journal::approval::{self, NAMESPACE};
use crate::model::Time;
use crate::model::names::TaskIx;
use crate::model::question::{Answer, Choice, Question};

/// May the run take this answer in at `now`, as far as signatures tell? What is unsigned passes: whether it counts is the
/// engine's business.
pub fn check(state: &RunState, answer: &Answer, now: Time) -> Result<(), String> {
    if answer.signed.is_none() {
        return Ok(());
    }
    let plan = state.plan();
    let (Some(hash), Some(run)) = (state.plan_hash(), state.run_id()) else {
        return Err("the run has not begun".to_owned());
    };
    let Question::Approve { task, .. } = answer.question else {
        return Err("the question takes no signature".to_owned());
    };
    if task.at() >= plan.tasks.len() {
        return Err("the plan has no such step".to_owned());
    }
    let proof = approval::check(plan, hash, run, answer, now)?;
    let others = plan.step_of(task).approve.as_ref().is_some_and(|gate| gate.others);
    if answer.choice != Choice::Approve || !others {
        return Ok(());
    }
    // Whoever started the run may be known by several names; the key gives them away.
    let names = approval::signers(plan)?.principals_of(&proof, NAMESPACE, now);
    match names.into_iter().find(|name| state.is_starter(name)) {
        Some(name) if name != answer.by => {
            Err(format!("its key is also that of {name}, who started the run"))
        }
        Some(_) | None => Ok(()),
    }
}

/// Has this person, who types on the run's own terminal, consented already, or would their word not count there?
pub fn cannot_consent(state: &RunState, task: TaskIx, by: &str) -> bool {
    let plan = state.plan();
    let given = state.step(plan.tasks[task.at()].step).approvals().iter().any(|one| one.by == by);
    let gate = plan.step_of(task).approve.as_ref();
    given
        || gate.is_some_and(|gate| {
            let other = !gate.by.is_empty() && !gate.by.iter().any(|name| name == by);
            gate.signed || other || gate.others && state.is_starter(by)
        })
}
