//! The people of a simulated run: they answer late, early, twice and wrongly, stop runs and roll them back.

use super::check::require;
use super::check_gates::{STARTER, STARTERS_PRINCIPAL};
use super::driver::Sim;
use super::world::Coming;
use blackstart::engine::{Engine, Input, Output};
use blackstart::model::Millis;
use blackstart::model::event::{Event, Scope, StopHow};
use blackstart::model::names::{PhaseIx, StepIx, TaskIx};
use blackstart::model::question::{Answer, Choice, Question, Signed};
use blackstart::plan::frozen::PlannedAction;

impl Sim {
    /// Stops, rollbacks and early answers that come on their own.
    pub(super) fn disturb(&mut self) {
        let rng = &mut self.world.rng;
        if rng.percent(15) {
            let how = *rng.pick(&[StopHow::Finish, StopHow::Cancel]);
            let after = rng.below(80_000);
            let harder = after + rng.below(10_000);
            self.world.later(after, Coming::Person(Input::StopRequested { by: "op".into(), how }));
            let how = StopHow::Cancel;
            self.world.later(harder, Coming::Person(Input::StopRequested { by: "op".into(), how }));
        }
        if self.world.rng.percent(15) {
            let after = self.world.rng.below(80_000);
            self.world.later(after, Coming::Person(Input::Injected { text: "a reporter calls".into() }));
        }
        if self.world.rng.percent(7) {
            let input = self.rollback_request();
            let after = self.world.rng.below(80_000);
            self.world.later(after, Coming::Person(input));
        }
        for task in 0..self.plan.tasks.len() as u32 {
            let task = TaskIx(task);
            let step = self.plan.step_of(task);
            let question = match (&step.action, &step.approve) {
                (PlannedAction::Manual(_), _) => Question::Manual { task },
                (_, Some(gate)) if step.first_task == task => Question::Approve { task, people: gate.people },
                _ => continue,
            };
            if self.world.rng.percent(15) {
                let after = self.world.rng.below(20_000);
                self.answer(question, after);
            }
        }
    }

    pub(super) fn rollback_request(&mut self) -> Input {
        let rng = &mut self.world.rng;
        let phase = PhaseIx(rng.below(self.plan.phases.len() as u64) as u32);
        let step = StepIx(rng.below(self.plan.steps.len() as u64) as u32);
        let scope = *rng.pick(&[
            Scope::Run,
            Scope::Run,
            Scope::Phase(phase),
            Scope::FromPhase(phase),
            Scope::FromStep(step),
        ]);
        let reopen = rng.percent(50);
        self.check.requested.push((scope, reopen));
        Input::RollbackRequested { scope, reopen, by: "op".into(), consent: Vec::new() }
    }

    /// Answers that are given while no process runs the run: they are recorded and nothing else happens.
    pub(super) fn answer_between(&mut self, engine: &mut Engine) -> Result<(), String> {
        for question in std::mem::take(&mut self.asked) {
            if let Question::WhatBecameOf { task, undo } = question {
                self.world.later(0, Coming::Asked { task, undo });
                continue;
            }
            let input = Input::Answered(self.say(question));
            let decided = engine.state().status().clone();
            engine.handle(self.world.now, input);
            while let Some(output) = engine.poll() {
                let Output::Record(at, event @ (Event::Answered { .. } | Event::ApprovalLapsed { .. })) =
                    output
                else {
                    return Err(format!("an answer between two processes led to {output:?}"));
                };
                self.seen(at, &event)?;
                self.journal.push((at, event));
            }
            require(*engine.state().status() == decided, || "an answer woke the run".into())?;
        }
        Ok(())
    }

    /// Nothing comes by itself: then somebody must have been asked and not have answered properly.
    pub(super) fn ask_again(&mut self, engine: &Engine) -> Result<(), String> {
        let open: Vec<Question> = engine.state().questions().cloned().collect();
        require(!open.is_empty(), || "the run stalls: nothing runs, nothing comes, nobody was asked".into())?;
        require(self.limits.attended, || "the run waits for people who are not there".into())?;
        open.into_iter().for_each(|question| self.put(question));
        Ok(())
    }

    /// A question reaches the people: some answer, some of them wrongly, twice, or not at once.
    pub(super) fn put(&mut self, question: Question) {
        let after = self.world.rng.between(1, 30_000);
        match question {
            Question::WhatBecameOf { task, undo } => self.world.later(after, Coming::Asked { task, undo }),
            Question::Approve { people, .. } => {
                for _ in 0..people + 3 {
                    let after = self.world.rng.between(1, 30_000);
                    self.answer(question.clone(), after);
                }
            }
            Question::Manual { .. } | Question::PhaseFailed { .. } => self.answer(question, after),
        }
    }

    pub(super) fn answer(&mut self, question: Question, after: u64) {
        let answer = self.say(question);
        self.world.later(after, Coming::Person(Input::Answered(answer)));
    }

    pub(super) fn say(&mut self, question: Question) -> Answer {
        let (calm, rng) = (self.world.calm, &mut self.world.rng);
        let says_no = !calm && rng.percent(12);
        let choice = match &question {
            _ if !calm && rng.percent(5) => Choice::ItFailed,
            Question::Manual { .. } | Question::Approve { .. } if says_no => Choice::Refuse,
            Question::Manual { .. } => Choice::Done,
            Question::Approve { .. } => Choice::Approve,
            // What came too late comes too late every time.
            Question::PhaseFailed { .. } if calm && self.check.is_too_late(self.world.now) => {
                Choice::RollbackRun
            }
            Question::PhaseFailed { .. } if calm => Choice::Retry,
            Question::PhaseFailed { .. } => *rng.pick(&[
                Choice::Retry,
                Choice::Retry,
                Choice::Continue,
                Choice::Stop,
                Choice::Rollback,
                Choice::RollbackRun,
            ]),
            Question::WhatBecameOf { .. } => Choice::Stop,
        };
        let rng = &mut self.world.rng;
        let by = (*rng.pick(&[STARTER, STARTERS_PRINCIPAL, "bob", "cyd", "dan"])).to_owned();
        // Some sign, some with a key that is not theirs alone, some long before their answer arrives.
        let key = match rng.below(10) {
            0 if !calm => None,
            1 if !calm => Some("the key in the safe".to_owned()),
            _ => Some(format!("the key of {by}")),
        };
        let signed = key.map(|key| Signed { key, signature: String::new() });
        let before = rng.below(if calm { 2 } else { 15_000 });
        let at = rng.percent(60).then(|| self.world.now - Millis(before));
        Answer { question, by, choice, comment: None, at, signed }
    }
}
