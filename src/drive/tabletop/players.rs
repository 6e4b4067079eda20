//! The people of a scenario: who answers a question, after how long, and what. Where nobody is named, stand-ins answer.

use super::chance::For;
use super::staging::{Cue, Player};
use super::world::{Coming, World};
use crate::engine::Input;
use crate::model::event::{Event, TaskEnd};
use crate::model::names::{StepIx, TaskIx};
use crate::model::question::{Answer, Choice, Question};
use crate::model::scenario::Spread;
use crate::model::{Millis, Outcome};
use crate::plan::frozen::PlannedAction;

/// Somebody reads what went wrong, asks around and decides.
const DECISION: Millis = Millis::from_secs(300);
/// Whoever has consented so often and was never in time is asked no more.
const CONSENTS_MAX: u32 = 5;
/// What stand-ins are called.
const STAND_IN: &str = "player";

impl World {
    /// A question is put to people.
    pub fn put(&mut self, question: Question) {
        if !self.players_answer {
            return;
        }
        let nth = *self.put.entry(question.clone()).and_modify(|times| *times += 1).or_insert(1);
        match question {
            Question::Manual { task } => {
                let step = self.step_ix(task);
                let who = self.who(step, 1, &[]).remove(0);
                let takes = who.takes.clone().unwrap_or_else(|| self.staging.answers[step.at()].clone());
                let takes = if self.staging.halved == Some(step) { takes.halved() } else { takes };
                let choice = if who.refuses.contains(&step) { Choice::Refuse } else { Choice::Done };
                self.answer(question, who.name, choice, &takes, (task, nth));
            }
            Question::Approve { task, people } => {
                for who in self.consenting(task, people) {
                    self.consent(task, people, who, nth);
                }
            }
            Question::WhatBecameOf { task, undo } => {
                let who = self.who(self.step_ix(task), 1, &[]).remove(0);
                let choice = self.truth(task, undo);
                self.answer(question, who.name, choice, &Spread::Always(DECISION), (task, nth));
            }
            Question::PhaseFailed { phase } => {
                let choice = self.staging.decisions.get(&phase).copied().unwrap_or(Choice::Stop);
                // One that is tried again for ever ends no tabletop.
                let choice = if nth > CONSENTS_MAX { Choice::Stop } else { choice };
                let first = self.staging.plan.phases[phase.at()].first_step;
                let task = self.staging.plan.steps[first.at()].first_task;
                let who = self.who(first, 1, &[]).remove(0);
                self.answer(question, who.name, choice, &Spread::Always(DECISION), (task, nth));
            }
        }
    }

    /// Notes what the engine put on record, as far as the world hangs on it.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::StepEnded { step, .. } | Event::StepNotRun { step, .. } => self.cue(Cue::Step(*step)),
            Event::PhaseEnded { phase, .. } => self.cue(Cue::Phase(*phase)),
            // A person who cut something by hand has cut it.
            Event::TaskEnded { task, end: TaskEnd::Done }
                if matches!(self.step(*task).action, PlannedAction::Manual(_)) =>
            {
                self.takes_effect(*task, true);
            }
            Event::ApprovalLapsed { step, by } if self.players_answer => {
                let planned = &self.staging.plan.steps[step.at()];
                let (task, people) =
                    (planned.first_task, planned.approve.as_ref().map_or(1, |gate| gate.people));
                let question = Question::Approve { task, people };
                let nth = *self.put.entry(question).and_modify(|times| *times += 1).or_insert(1);
                let again = self.consenting(task, people);
                for who in again.into_iter().filter(|who| by.contains(&who.name) && nth <= CONSENTS_MAX) {
                    self.consent(task, people, who, nth);
                }
            }
            _ => {}
        }
    }

    pub(super) fn cue(&mut self, cue: Cue) {
        let staging = self.staging.clone();
        for (ix, message) in staging.injects.iter().enumerate().filter(|(_, message)| message.when == cue) {
            self.later(message.wait, Coming::Inject(ix));
        }
    }

    /// What really became of the newest attempt.
    pub fn truth(&self, task: TaskIx, undo: bool) -> Choice {
        use crate::model::event::JobKind;
        let kind = if undo { JobKind::Undo } else { JobKind::Run };
        let newest = self.attempts.iter().rev().find(|(job, _)| job.task == task && job.kind == kind);
        match newest.map(|(_, attempt)| attempt.ended.as_ref().unwrap_or(&attempt.will)) {
            None => Choice::NothingHappened,
            Some(Outcome::Succeeded) => Choice::ItSucceeded,
            Some(_) => Choice::ItFailed,
        }
    }

    fn step_ix(&self, task: TaskIx) -> StepIx {
        self.staging.plan.tasks[task.at()].step
    }

    fn consenting(&self, task: TaskIx, people: u32) -> Vec<Player> {
        let gate = self.step(task).approve.as_ref();
        self.who(self.step_ix(task), people, gate.map_or(&[], |gate| &gate.by))
    }

    fn consent(&mut self, task: TaskIx, people: u32, who: Player, nth: u32) {
        let step = self.step_ix(task);
        let choice = if who.refuses.contains(&step) { Choice::Refuse } else { Choice::Approve };
        let takes = who.takes.unwrap_or_else(|| self.staging.consents[step.at()].clone());
        self.answer(Question::Approve { task, people }, who.name, choice, &takes, (task, nth));
    }

    /// So many people who answer for a step: those of the scenario first, then stand-ins. If only some may, those.
    fn who(&self, step: StepIx, people: u32, only: &[String]) -> Vec<Player> {
        let may = |name: &str| only.is_empty() || only.iter().any(|one| one == name);
        let players = self.staging.players.iter();
        let named = players.filter(|player| player.answers.is_empty() || player.answers.contains(&step));
        let mut all: Vec<Player> = named.filter(|player| may(&player.name)).cloned().collect();
        let known = |name: &str, all: &[Player]| all.iter().any(|player| player.name == name);
        let missing: Vec<String> = only.iter().filter(|name| !known(name, &all)).cloned().collect();
        // Nobody stands in for those who alone may answer.
        let others = if only.is_empty() { people } else { 0 };
        let others = (1..=others).map(|nth| format!("{STAND_IN} {nth}"));
        let stand_ins = missing.into_iter().chain(others);
        all.extend(stand_ins.map(|name| Player {
            name,
            answers: Default::default(),
            refuses: Default::default(),
            takes: None,
        }));
        all.truncate(people.max(1) as usize);
        all
    }

    fn answer(
        &mut self,
        question: Question,
        by: String,
        choice: Choice,
        takes: &Spread,
        (task, nth): (TaskIx, u32),
    ) {
        let salt = by.bytes().fold(nth, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let after = self.chance.length(takes, For::Answer, task.0, salt);
        let answer = Answer { question, by, choice, comment: None, at: None, signed: None };
        self.tell(after, Input::Answered(answer));
    }
}
