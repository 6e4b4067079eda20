//! The engine itself: takes news in, records what it decides, and hands orders out.

use super::io::{Input, Limits, Output};
use super::last_look::LastLook;
use super::queues::Queues;
use super::standing::Standing;
use super::state::{Illegal, RunState};
use super::web::Web;
use crate::model::names::StepIx;
use crate::model::question::Question;
use crate::model::{Event, Time};
use crate::plan::Plan;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// A run in progress: `handle` news, then `poll` orders until there are none.
#[derive(Debug)]
pub struct Engine {
    pub(super) state: RunState,
    pub(super) limits: Limits,
    pub(super) web: Web,
    /// The time of the newest input.
    pub(super) now: Time,
    /// Was the run begun, resumed or rolled back in this process? Before that nothing is decided.
    pub(super) live: bool,
    /// What has to be looked at, and what may start.
    pub(super) queues: Queues,
    /// What stands on what, while things are taken back.
    pub(super) standing: Option<Standing>,
    /// Questions that were put to people in this process.
    pub(super) asked: BTreeSet<Question>,
    /// Risks that were accepted before the run began.
    pub(super) accepted: Vec<Event>,
    /// Steps that this process has fired and nobody has measured yet.
    pub(super) unmeasured: BTreeSet<StepIx>,
    /// The wake-up that was ordered.
    pub(super) wake: Option<Time>,
    /// A look before the first cut was ordered, and its answer has not come.
    pub(super) looking: bool,
    pub(super) last_look: LastLook,
    /// News that came too late or did not fit.
    pub(super) refused: u64,
    out: VecDeque<Output>,
}

impl Engine {
    /// An engine for a new run; feed it `Input::Begin`.
    pub fn new(plan: Arc<Plan>, limits: Limits) -> Self {
        let web = Web::new(&plan);
        Self {
            queues: Queues::new(web.jumps),
            web,
            state: RunState::new(plan),
            limits,
            now: Time(0),
            live: false,
            standing: None,
            asked: BTreeSet::new(),
            accepted: Vec::new(),
            unmeasured: BTreeSet::new(),
            wake: None,
            looking: false,
            last_look: LastLook::NotYet,
            refused: 0,
            out: VecDeque::new(),
        }
    }

    /// An engine for a run that has a journal; feed it `Input::Resume`, `RollbackRequested` or `Abandoned`.
    /// An answer that comes before one of these is recorded and waits for it.
    pub fn restore(
        plan: Arc<Plan>,
        limits: Limits,
        events: impl IntoIterator<Item = (Time, Event)>,
    ) -> Result<Self, Illegal> {
        let mut engine = Self::new(plan, limits);
        for (at, event) in events {
            engine.state.apply(at, &event)?;
        }
        Ok(engine)
    }

    /// Takes news in. What comes too late or does not fit is refused, see [`Engine::refused`].
    pub fn handle(&mut self, now: Time, input: Input) {
        self.now = now;
        self.take_in(input);
        if self.live {
            self.settle();
        }
    }

    /// The next order, to be carried out before the one after it.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// What happened so far.
    pub fn state(&self) -> &RunState {
        &self.state
    }

    /// How many inputs were refused: late ends of old attempts, answers that nobody needs.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Every decision goes through here: it is made by creating the event, and only an event changes the run.
    ///
    /// # Panics
    /// If the event is illegal: deciding it was our mistake.
    pub(super) fn record(&mut self, event: Event) {
        let before = self.look_before(&event);
        let unwanted = self.no_longer_wanted(&event);
        if let Err(illegal) = self.state.apply(self.now, &event) {
            panic!("the engine decided what is illegal: {illegal}");
        }
        self.notice(&event, before);
        self.order(Output::Record(self.now, event));
        if let Some(task) = unwanted {
            self.order(Output::Release { task });
        }
        self.withdraw_closed();
    }

    pub(super) fn order(&mut self, output: Output) {
        self.out.push_back(output);
    }

    /// Asks people, unless they are asked already or an answer that came early settles it.
    pub(super) fn ask(&mut self, question: Question) {
        if !self.state.questions.contains(&question) {
            self.record(Event::Asked { question: question.clone() });
            self.put(question);
        }
    }

    /// Puts an open question to people in this process.
    pub(super) fn put(&mut self, question: Question) {
        if self.state.questions.contains(&question) {
            self.asked.insert(question.clone());
            self.order(Output::Ask(question));
        }
    }

    fn withdraw_closed(&mut self) {
        if self.asked.len() <= self.state.questions.len() {
            return;
        }
        let closed: Vec<Question> = self.asked.difference(&self.state.questions).cloned().collect();
        for question in closed {
            self.asked.remove(&question);
            self.order(Output::Withdraw(question));
        }
    }
}
