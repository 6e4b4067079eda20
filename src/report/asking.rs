//! Questions to people, each as one clear sentence with what to type.

use super::escape::{line, lines};
use super::look::Look;
use super::{commands, words};
use crate::engine::RunState;
use crate::model::event::{JobKind, Mode};
use crate::model::names::TaskIx;
use crate::model::question::{Answer, Choice, Question};
use crate::plan::frozen::PlannedAction;
use crate::plan::{Plan, fill};

/// A question, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// The question in one sentence.
    pub sentence: String,
    /// What there is to know before answering, line by line: the text of a manual step, for one.
    pub more: Vec<String>,
    /// Each possible answer: what it says, and the command that gives it.
    pub answers: Vec<(&'static str, String)>,
}

/// A question of a run as it stands.
pub fn asking(state: &RunState, look: &Look, question: &Question) -> Asking {
    let plan = state.plan();
    if state.mode() == Mode::Tabletop {
        // It is answered at the table, or by the scenario.
        return Asking {
            sentence: sentence(state, question),
            more: more(plan, question),
            answers: Vec::new(),
        };
    }
    let mut answers: Vec<(&'static str, String)> =
        question.choices().map(|choice| (choice_says(choice), look.answer(plan, question, choice))).collect();
    if wants_signature(plan, question) {
        let export = look.command("approve", &format!("{} --export FILE", commands::about(plan, question)));
        answers.push(("have it answered on another machine", export));
    }
    Asking { sentence: sentence(state, question), more: more(plan, question), answers }
}

/// Is it a question that people answer with a signature?
fn wants_signature(plan: &Plan, question: &Question) -> bool {
    match question {
        Question::Approve { task, .. } => {
            plan.step_of(*task).approve.as_ref().is_some_and(|gate| gate.signed)
        }
        Question::Manual { .. } | Question::WhatBecameOf { .. } | Question::PhaseFailed { .. } => false,
    }
}

/// The question in one sentence.
pub fn sentence(state: &RunState, question: &Question) -> String {
    let plan = state.plan();
    match question {
        Question::Manual { task } => format!("Has `{}` been done?", plan.task_name(*task)),
        Question::Approve { task, people } => {
            let step = plan.step_of(*task);
            let who: Vec<String> =
                state.step(plan.tasks[task.at()].step).approvals().iter().map(|one| line(&one.by)).collect();
            let who = match who.as_slice() {
                [] => String::new(),
                [one] => format!("; {one} has"),
                many => format!("; {} have", many.join(", ")),
            };
            let must = match people {
                1 => "One person must approve".to_owned(),
                people => format!("{people} people must each approve"),
            };
            let how = match wants_signature(plan, question) {
                true => ", with a signature",
                false => "",
            };
            format!("May `{}` start? {must}{how}{who}.", step.id)
        }
        Question::WhatBecameOf { task, undo } => {
            let what = if *undo { JobKind::Undo } else { JobKind::Run };
            format!(
                "What became of `{}` ({what})? Its end was not seen, and its host cannot tell.",
                plan.task_name(*task)
            )
        }
        Question::PhaseFailed { phase } => {
            let id = &plan.phases[phase.at()].id;
            match state.phase(*phase).failed_step() {
                Some(step) => format!("Phase `{id}`: step `{}` failed. What now?", plan.steps[step.at()].id),
                None => format!("Phase `{id}` failed. What now?"),
            }
        }
    }
}

/// What there is to know before answering.
fn more(plan: &Plan, question: &Question) -> Vec<String> {
    match question {
        Question::Manual { task } => manual_text(plan, *task),
        Question::Approve { task, .. } => {
            let step = plan.step_of(*task);
            let mut more: Vec<String> = step.title.iter().map(|title| line(title)).collect();
            more.extend(manual_text(plan, *task));
            if !step.severs.is_empty() {
                let conduits =
                    step.severs.iter().map(|conduit| conduit.as_str()).collect::<Vec<_>>().join(", ");
                more.push(format!("It severs {conduits}."));
            }
            more
        }
        Question::WhatBecameOf { task, .. } => {
            vec![format!("Look at {} before you answer.", words::place(plan, *task))]
        }
        Question::PhaseFailed { .. } => Vec::new(),
    }
}

fn manual_text(plan: &Plan, task: TaskIx) -> Vec<String> {
    match &plan.step_of(task).action {
        PlannedAction::Manual(text) => {
            let filled = fill(text, &plan.tasks[task.at()].values);
            lines(&filled).collect()
        }
        PlannedAction::Run(_)
        | PlannedAction::Upload(_)
        | PlannedAction::Fetch(_)
        | PlannedAction::Wait(_)
        | PlannedAction::Probe(_)
        | PlannedAction::Backup(_) => Vec::new(),
    }
}

/// What a choice says.
pub fn choice_says(choice: Choice) -> &'static str {
    match choice {
        Choice::Done => "it is done",
        Choice::Approve => "yes, go on",
        Choice::Refuse => "no: the run stops",
        Choice::ItSucceeded => "it did what it should",
        Choice::ItFailed => "it ran and failed",
        Choice::NothingHappened => "it never started",
        Choice::Retry => "try the failed tasks again",
        Choice::Continue => "go on with what does not depend on them",
        Choice::Stop => "stop here; the run can be resumed",
        Choice::Rollback => "take the phase back",
        Choice::RollbackRun => "take the whole run back",
    }
}

/// What somebody decided, in the past tense.
pub fn answered(answer: &Answer) -> String {
    let what = match answer.choice {
        Choice::Done => "it is done",
        Choice::Approve => "approved",
        Choice::Refuse => "REFUSED",
        Choice::ItSucceeded => "it did what it should",
        Choice::ItFailed => "it ran and failed",
        Choice::NothingHappened => "it never started",
        Choice::Retry => "try again",
        Choice::Continue => "go on without it",
        Choice::Stop => "stop",
        Choice::Rollback => "take the phase back",
        Choice::RollbackRun => "take the whole run back",
    };
    let signed = match &answer.signed {
        None => String::new(),
        Some(signed) => format!(", signed with {}", line(&signed.key)),
    };
    match answer.comment.as_deref() {
        None | Some("") => format!("{} says: {what}{signed}", line(&answer.by)),
        Some(comment) => format!("{} says: {what} ({}){signed}", line(&answer.by), line(comment)),
    }
}
