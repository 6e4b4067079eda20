//! Questions and answers, as the checks see them.

use super::check::{Checker, Complaint, require};
use super::check_begin;
use blackstart::model::event::StopHow;
use blackstart::model::names::{StepIx, TaskIx};
use blackstart::model::question::{Answer, Choice, Question};
use blackstart::model::runbook::Policy;
use blackstart::model::{How, Outcome, Time};

impl Checker {
    pub(super) fn asked(&mut self, at: Time, question: &Question) -> Complaint {
        require(self.questions.insert(question.clone()), || format!("{question:?} is asked twice"))?;
        match question {
            Question::Manual { task } => {
                check_begin::may_begin_or_go_on(self, at, *task)?;
                self.tasks[task.at()].begun = true;
                if let Some(told) = self.tasks[task.at()].told {
                    self.questions.remove(question);
                    self.tasks[task.at()].ran |= told == Choice::Done;
                }
            }
            Question::Approve { task, .. } => {
                let step = self.step_at(*task);
                let early = |task: TaskIx| check_begin::before_consent(self, at, task).is_ok();
                let any = self.plan.tasks_of(StepIx(step as u32)).any(early);
                require(any, || format!("{question:?} is asked, and nothing of the step could begin"))?;
            }
            Question::WhatBecameOf { task: ix, undo } => {
                let task = &mut self.tasks[ix.at()];
                require(task.unknown.is_some() && task.no_receipt, || format!("{question:?}: it is known"))?;
                if let Some((job, word)) = task.word.take()
                    && Some(job) == task.unknown
                {
                    self.person_settles(*ix, *undo, word);
                }
            }
            Question::PhaseFailed { phase } => {
                let asks = self.phases[phase.at()].failed && self.policy(phase.at()) == Policy::Ask;
                require(asks, || format!("{question:?} is asked for no reason"))?;
            }
        }
        Ok(())
    }

    pub(super) fn answered(&mut self, at: Time, answer: &Answer) -> Complaint {
        match answer.question {
            Question::Manual { task } => {
                let task = &mut self.tasks[task.at()];
                task.told = Some(answer.choice);
                task.ran |= self.questions.remove(&answer.question) && answer.choice == Choice::Done;
            }
            Question::Approve { task, .. } => {
                let step = self.step_at(task);
                match answer.choice {
                    Choice::Approve => self.consents(at, step, answer)?,
                    _ => self.steps[step].refused = true,
                }
                let step = &self.steps[step];
                if let Question::Approve { people, .. } = answer.question
                    && (step.refused || step.approvals.len() as u32 >= people)
                {
                    self.questions.remove(&answer.question);
                }
            }
            Question::WhatBecameOf { task, undo } => match self.questions.contains(&answer.question) {
                true => self.person_settles(task, undo, answer.choice),
                false => {
                    let task = &mut self.tasks[task.at()];
                    task.word = task.unknown.map(|job| (job, answer.choice));
                }
            },
            Question::PhaseFailed { phase } => {
                self.questions.remove(&answer.question);
                match answer.choice {
                    Choice::Retry => self.reopen(phase.at()),
                    Choice::Continue => self.phases[phase.at()].chosen = Some(Policy::Continue),
                    Choice::Rollback => self.phases[phase.at()].chosen = Some(Policy::Rollback),
                    Choice::RollbackRun => self.phases[phase.at()].chosen = Some(Policy::RollbackRun),
                    _ => self.phases[phase.at()].chosen = Some(Policy::Stop),
                }
            }
        }
        Ok(())
    }

    /// A person's word about an attempt takes effect.
    pub(super) fn person_settles(&mut self, ix: TaskIx, undo: bool, word: Choice) {
        self.questions.remove(&Question::WhatBecameOf { task: ix, undo });
        let task = &mut self.tasks[ix.at()];
        let Some(job) = task.unknown else { return };
        match word {
            Choice::Stop => self.stop = self.stop.or(Some(StopHow::Finish)),
            Choice::NothingHappened => {
                task.unknown = None;
                task.afresh += 1;
            }
            word => {
                task.unknown = None;
                let failed = Outcome::Failed { how: How::Vanished };
                self.attempt_ended(
                    job,
                    if word == Choice::ItSucceeded { &Outcome::Succeeded } else { &failed },
                );
            }
        }
    }

    /// Manual steps whose question closes unanswered have not begun.
    pub fn close_questions(&mut self, keep: impl Fn(&Question) -> bool) {
        for question in std::mem::take(&mut self.questions) {
            if keep(&question) {
                self.questions.insert(question);
            } else if let Question::Manual { task } = question {
                self.tasks[task.at()].begun = false;
            }
        }
    }
}
