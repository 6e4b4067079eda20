//! What shows a run while it goes on. Takes facts in and prints; never waits, never decides, never fails: a
//! terminal that went away stops no run.

use super::going_on::Round;
use super::look::Look;
use super::plain::Plain;
use super::progress::live;
use super::screen::Screen;
use crate::engine::RunState;
use crate::model::event::Job;
use crate::model::{Event, Time};
use crate::plan::Plan;

/// Which of a job's two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Shows a run while it goes on.
pub trait Display {
    /// The run begins in this process. `resumed_from` is the number of events that were replayed, if it was
    /// taken up again.
    fn started(&mut self, state: &RunState, resumed_from: Option<usize>);
    /// An event is on record. `state` is the run's after it was applied.
    fn event(&mut self, state: &RunState, at: Time, event: &Event);
    /// A job printed something: scrubbed of secrets, otherwise as the host sent it.
    fn output(&mut self, plan: &Plan, job: Job, stream: Stream, bytes: &[u8]);
    /// A watch that runs had a look.
    fn watched(&mut self, job: Job, round: Round);
    /// Time passed; a few times a second.
    fn tick(&mut self, state: &RunState, now: Time);
    /// Keeps out of the way while people are talked to.
    fn suspend(&mut self, talk: &mut dyn FnMut());
    /// Puts a question that is answered on this terminal while the run goes on (`Some`, also to put it again),
    /// or takes it away (`None`: answered, or no longer asked). The cursor stays behind it for the answer.
    fn prompt(&mut self, state: &RunState, now: Time, ask: Option<&str>);
    /// Says something that is not about an event: `Ctrl-C: starting nothing new …`.
    fn note(&mut self, text: &str);
    /// Nothing more will come in this process.
    fn finished(&mut self, state: &RunState, now: Time);
}

/// The display for stderr: the live view on a terminal that can move its cursor, plain lines elsewhere, or
/// where nothing must move (`--no-progress`).
#[allow(
    clippy::disallowed_methods,
    reason = "`console` does not tell a dumb terminal from one without colour"
)]
pub fn on_screen(screen: &Screen, look: Look, progress: bool) -> Box<dyn Display> {
    let term = screen.term();
    let can_move =
        term.features().is_attended() && std::env::var_os("TERM").is_none_or(|name| name != "dumb");
    match progress && can_move {
        true => Box::new(live(screen, look)),
        false => Box::new(Plain::to(screen.said(), look)),
    }
}

/// Shows nothing.
#[derive(Debug, Default)]
pub struct Quiet;

/// Shows a run in two ways at once: events as data on stdout, conversation on stderr.
#[derive(Debug)]
pub struct Both<A, B>(pub A, pub B);

impl Display for Quiet {
    fn started(&mut self, _: &RunState, _: Option<usize>) {}
    fn event(&mut self, _: &RunState, _: Time, _: &Event) {}
    fn output(&mut self, _: &Plan, _: Job, _: Stream, _: &[u8]) {}
    fn watched(&mut self, _: Job, _: Round) {}
    fn tick(&mut self, _: &RunState, _: Time) {}
    fn suspend(&mut self, talk: &mut dyn FnMut()) {
        talk();
    }
    fn prompt(&mut self, _: &RunState, _: Time, _: Option<&str>) {}
    fn note(&mut self, _: &str) {}
    fn finished(&mut self, _: &RunState, _: Time) {}
}

impl<A: Display, B: Display> Display for Both<A, B> {
    fn started(&mut self, state: &RunState, resumed_from: Option<usize>) {
        self.0.started(state, resumed_from);
        self.1.started(state, resumed_from);
    }
    fn event(&mut self, state: &RunState, at: Time, event: &Event) {
        self.0.event(state, at, event);
        self.1.event(state, at, event);
    }
    fn output(&mut self, plan: &Plan, job: Job, stream: Stream, bytes: &[u8]) {
        self.0.output(plan, job, stream, bytes);
        self.1.output(plan, job, stream, bytes);
    }
    fn watched(&mut self, job: Job, round: Round) {
        self.0.watched(job, round);
        self.1.watched(job, round);
    }
    fn tick(&mut self, state: &RunState, now: Time) {
        self.0.tick(state, now);
        self.1.tick(state, now);
    }
    fn suspend(&mut self, talk: &mut dyn FnMut()) {
        let Both(first, second) = self;
        first.suspend(&mut || second.suspend(talk));
    }
    fn prompt(&mut self, state: &RunState, now: Time, ask: Option<&str>) {
        self.0.prompt(state, now, ask);
        self.1.prompt(state, now, ask);
    }
    fn note(&mut self, text: &str) {
        self.0.note(text);
        self.1.note(text);
    }
    fn finished(&mut self, state: &RunState, now: Time) {
        self.0.finished(state, now);
        self.1.finished(state, now);
    }
}

impl<D: Display + ?Sized> Display for Box<D> {
    fn started(&mut self, state: &RunState, resumed_from: Option<usize>) {
        (**self).started(state, resumed_from);
    }
    fn event(&mut self, state: &RunState, at: Time, event: &Event) {
        (**self).event(state, at, event);
    }
    fn output(&mut self, plan: &Plan, job: Job, stream: Stream, bytes: &[u8]) {
        (**self).output(plan, job, stream, bytes);
    }
    fn watched(&mut self, job: Job, round: Round) {
        (**self).watched(job, round);
    }
    fn tick(&mut self, state: &RunState, now: Time) {
        (**self).tick(state, now);
    }
    fn suspend(&mut self, talk: &mut dyn FnMut()) {
        (**self).suspend(talk);
    }
    fn prompt(&mut self, state: &RunState, now: Time, ask: Option<&str>) {
        (**self).prompt(state, now, ask);
    }
    fn note(&mut self, text: &str) {
        (**self).note(text);
    }
    fn finished(&mut self, state: &RunState, now: Time) {
        (**self).finished(state, now);
    }
}
