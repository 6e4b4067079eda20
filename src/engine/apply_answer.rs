//! What questions and answers do to a run. An answer that comes before its question is kept for it.

use super::apply::{Why, need};
use super::consent::given;
use super::progress::Approval;
use super::state::{RunState, Status};
use super::task::Stage;
use crate::model::event::{JobKind, NotRun, StopHow, StopReason, TaskEnd, Verdict};
use crate::model::names::{PhaseIx, StepIx, TaskIx};
use crate::model::outcome::How;
use crate::model::question::{Answer, Choice, Question};
use crate::model::runbook::Policy;
use crate::model::{Outcome, Time};
use crate::plan::frozen::PlannedAction;

impl RunState {
    /// Would this answer be taken, and counted? If not, says why.
    pub fn accepts(&self, answer: &Answer, now: Time) -> Result<(), String> {
        self.check_question(&answer.question)?;
        need(answer.question.takes(answer.choice), "the choice does not answer the question")?;
        let paused = |status: &Status| {
            matches!(status, Status::Ended(Verdict::Stopped { .. } | Verdict::Refused { .. }))
        };
        let forwards = self.status == Status::Running || paused(&self.status) && self.rollback.is_none();
        let asked = self.questions.contains(&answer.question);
        match answer.question {
            Question::Manual { task } => {
                let open = match self.task(task).end() {
                    None => matches!(self.task(task).stage, Stage::Idle) || asked,
                    Some(TaskEnd::NotRun { because: NotRun::Refused { .. } }) => paused(&self.status),
                    Some(_) => false,
                };
                need(forwards && open, "the step does not wait for a person")?;
                need(!self.answers.contains_key(&answer.question), "it has been answered")
            }
            Question::Approve { task, people } => {
                let ix = self.step_of(task);
                let (step, gate) = (self.step(ix), self.plan.steps[ix.at()].approve.as_ref());
                let gate = gate.expect("a question about consent names a step with such a gate");
                let gate_open = self.consents(ix, gate, now) >= people;
                let over = step.is_over() && !(paused(&self.status) && self.refused.is_some());
                need(forwards && !gate_open && !over, "the step does not wait for consent")?;
                need(step.refused_by.is_none(), "consent was refused")?;
                match answer.choice {
                    Choice::Approve => self.check_consent(ix, gate, answer, now),
                    _ => Ok(()),
                }
            }
            Question::WhatBecameOf { task, undo } => {
                let kind = if undo { JobKind::Undo } else { JobKind::Run };
                let missing = self.task(task).unknown.is_some_and(|job| job.kind == kind);
                let ahead = self.task(task).end.is_none() || paused(&self.status);
                need(missing && (undo || ahead), "no end of it is missing")?;
                need(self.need_live().is_ok() || paused(&self.status), "the run is over")?;
                need(!self.answers.contains_key(&answer.question), "it has been answered")
            }
            Question::PhaseFailed { phase } => {
                let waiting = Status::Ended(Verdict::Stopped { because: StopReason::WaitingForPeople });
                let live =
                    self.status == Status::Running || self.status == waiting && self.rollback.is_none();
                let failed = self.phase_now == Some(phase) && self.phase(phase).failed.is_some();
                need(live && failed && self.policy(phase) == Policy::Ask, "the phase waits for no decision")
            }
        }
    }

    pub(super) fn asked(&mut self, at: Time, question: &Question) -> Result<(), Why> {
        self.need_live()?;
        need(!self.questions.contains(question), "it was asked already")?;
        match *question {
            Question::Manual { task } => {
                need(self.status == Status::Running, "the run does not go forwards")?;
                need(self.task(task).end.is_none(), "the task is settled")?;
                self.need_idle(task)?;
                self.begin(at, task);
                self.tasks[task.at()].stage = Stage::Asked;
            }
            Question::WhatBecameOf { task, undo } => {
                let kind = if undo { JobKind::Undo } else { JobKind::Run };
                need(self.task(task).unknown.is_some_and(|job| job.kind == kind), "no end of it is missing")?;
                self.need_idle(task)?;
            }
            Question::Approve { .. } | Question::PhaseFailed { .. } => {
                need(self.status == Status::Running, "the run does not go forwards")?;
            }
        }
        self.questions.insert(question.clone());
        if let Some(answer) = self.answers.remove(question) {
            self.take(at, &answer);
        }
        Ok(())
    }

    pub(super) fn answered(&mut self, at: Time, answer: &Answer) -> Result<(), Why> {
        need(self.status != Status::New, "the run has not begun")?;
        self.accepts(answer, at)?;
        let early = !self.questions.contains(&answer.question);
        match answer.question {
            Question::Manual { .. } | Question::WhatBecameOf { .. } if early => {
                self.answers.insert(answer.question.clone(), answer.clone());
            }
            Question::Manual { .. }
            | Question::WhatBecameOf { .. }
            | Question::Approve { .. }
            | Question::PhaseFailed { .. } => self.take(at, answer),
        }
        Ok(())
    }

    /// An answer takes effect.
    fn take(&mut self, now: Time, answer: &Answer) {
        let by = answer.by.clone();
        match answer.question {
            Question::Manual { task } => {
                let state = &mut self.tasks[task.at()];
                state.changed |= answer.choice == Choice::Done;
                state.stage = Stage::Answered { choice: answer.choice, by };
                self.questions.remove(&answer.question);
            }
            Question::Approve { task, people } => {
                let step = &mut self.steps[self.plan.tasks[task.at()].step.at()];
                match answer.choice {
                    Choice::Approve => {
                        let (at, key) =
                            (given(answer, now), answer.signed.as_ref().map(|one| one.key.clone()));
                        step.spent.extend(key.clone().map(|key| (key, at)));
                        step.approvals.push(Approval { by, key, at });
                    }
                    _ => step.refused_by = Some(by),
                }
                if step.refused_by.is_some() || step.approvals.len() as u32 >= people {
                    self.questions.remove(&answer.question);
                }
            }
            Question::WhatBecameOf { task, .. } => {
                self.questions.remove(&answer.question);
                self.person_settles(task, answer.choice, by);
            }
            Question::PhaseFailed { phase } => {
                self.questions.remove(&answer.question);
                self.person_decides(phase, answer.choice, by);
            }
        }
    }

    fn person_settles(&mut self, task: TaskIx, choice: Choice, by: String) {
        let job = self.task(task).unknown.expect("asked only while an end is missing");
        let outcome = match choice {
            Choice::ItSucceeded => Outcome::Succeeded,
            Choice::NothingHappened => return self.never_started(task),
            Choice::Stop => {
                self.stop.get_or_insert((by, StopHow::Finish));
                return;
            }
            _ => Outcome::Failed { how: How::Disagreed(format!("it failed, as {by} saw")) },
        };
        self.set_unknown(task, None);
        match job.kind {
            JobKind::Undo => self.undo_job_ended(job, &outcome),
            _ => self.run_job_ended(job, &outcome),
        }
    }

    fn person_decides(&mut self, phase: PhaseIx, choice: Choice, by: String) {
        let policy = match choice {
            Choice::Retry => return self.reopen_phase(phase),
            Choice::Continue => Policy::Continue,
            Choice::Rollback => Policy::Rollback,
            Choice::RollbackRun => Policy::RollbackRun,
            _ => Policy::Stop,
        };
        self.phases[phase.at()].chosen = Some((policy, by));
    }

    /// Does the plan hold what the question asks about?
    pub(super) fn check_question(&self, question: &Question) -> Result<(), Why> {
        let step = |task: &TaskIx| -> Result<StepIx, Why> {
            need(task.at() < self.tasks.len(), "the plan has no such task")?;
            Ok(self.step_of(*task))
        };
        match question {
            Question::Manual { task } => {
                let action = &self.plan.steps[step(task)?.at()].action;
                need(matches!(action, PlannedAction::Manual(_)), "the step is not manual")
            }
            Question::Approve { task, people } => {
                let planned = &self.plan.steps[step(task)?.at()];
                let asks = planned.first_task == *task
                    && planned.approve.as_ref().is_some_and(|gate| gate.people == *people);
                need(asks, "no step has such a gate")
            }
            Question::WhatBecameOf { task, .. } => step(task).map(|_| ()),
            Question::PhaseFailed { phase } => {
                need(phase.at() < self.phases.len(), "the plan has no such phase")
            }
        }
    }

    /// Closes open questions. A manual step whose question closes unanswered has not begun.
    pub(super) fn close_questions(&mut self, which: impl Fn(&Question) -> bool) {
        let closed: Vec<Question> =
            self.questions.iter().filter(|question| which(question)).cloned().collect();
        for question in closed {
            self.questions.remove(&question);
            if let Question::Manual { task } = question
                && self.task(task).end.is_none()
            {
                let counts = &mut self.steps[self.plan.tasks[task.at()].step.at()].counts;
                counts.begun -= 1;
                counts.waiting += 1;
                self.tasks[task.at()].stage = Stage::Idle;
            }
        }
    }
}
