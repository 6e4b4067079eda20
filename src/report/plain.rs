//! A run as plain lines: one for every event that matters, each with the time since the start, for logs and
//! for terminals that are none. Stable, and made to be searched: `FAILED`, `step cut-isp`, ` | `.

use super::chatter::Chatter;
use super::display::{Display, Stream};
use super::escape::lines;
use super::going_on::{GoingOn, Round, Rounds};
use super::look::{Look, clock};
use super::narrate::{Line, Narrator};
use crate::engine::RunState;
use crate::model::event::Job;
use crate::model::{Event, Millis, Time};
use crate::plan::Plan;
use std::io::{self, Stderr, Write};

/// Plain lines on stderr.
pub fn plain(look: Look) -> Plain<Stderr> {
    Plain::to(io::stderr(), look)
}

/// Plain lines.
#[derive(Debug)]
pub struct Plain<W> {
    to: W,
    look: Look,
    narrator: Narrator,
    chatter: Chatter,
    started_at: Option<Time>,
    now: Time,
    spoke_at: Time,
    rounds: Rounds,
}

/// Silence for longer than this makes people, and some build servers, think that a run hangs.
const SILENCE_MAX: Millis = Millis::from_secs(60);

impl<W: Write> Plain<W> {
    /// Plain lines to a writer. Trouble with writing is not the run's trouble.
    pub fn to(to: W, look: Look) -> Self {
        let narrator = Narrator::new(look.clone());
        let (started_at, now, spoke_at) = (None, Time::default(), Time::default());
        let (chatter, rounds) = (Chatter::default(), Rounds::new());
        Self { to, look, narrator, chatter, started_at, now, spoke_at, rounds }
    }

    fn say(&mut self, said: &Line) {
        let about = format!("{} {}", said.noun, said.name);
        self.put(&format!("{about}: {}", said.text));
        for more in &said.more {
            self.put(&format!("{about}:   {more}"));
        }
        for printed in &said.printed {
            self.put(&format!("{about} | {printed}"));
        }
    }

    fn put(&mut self, text: &str) {
        let since = self.now.since(self.started_at.unwrap_or(self.now));
        let _ = writeln!(self.to, "{} {text}", clock(since));
        self.spoke_at = self.now;
    }

    fn hear(&mut self, state: &RunState, now: Time) {
        self.now = self.now.max(now);
        self.started_at = state.started_at();
    }
}

impl<W: Write> Display for Plain<W> {
    fn started(&mut self, state: &RunState, _: Option<usize>) {
        self.started_at = state.started_at();
    }
    fn event(&mut self, state: &RunState, at: Time, event: &Event) {
        self.hear(state, at);
        if let Event::JobEnded { job, .. } = event {
            self.rounds.remove(job);
            for rest in self.chatter.end(*job) {
                self.put(&format!("task {} | {rest}", state.plan().task_name(job.task)));
            }
        }
        for said in self.narrator.tell(state, at, event) {
            self.say(&said);
        }
        let _ = self.to.flush();
    }
    fn output(&mut self, plan: &Plan, job: Job, stream: Stream, bytes: &[u8]) {
        if self.look.verbose == 0 {
            return;
        }
        for whole in self.chatter.take(job, stream, bytes) {
            self.put(&format!("task {} | {whole}", plan.task_name(job.task)));
        }
    }
    fn watched(&mut self, job: Job, round: Round) {
        self.rounds.insert(job, round);
    }
    fn tick(&mut self, state: &RunState, now: Time) {
        self.hear(state, now);
        if self.spoke_at != Time::default() && now.since(self.spoke_at) >= SILENCE_MAX {
            for going_on in GoingOn::at(state, now).with(&self.rounds).sentences(state, &self.look, now) {
                self.put(&format!("still {going_on}"));
            }
            // Also when there was nothing to say: the next word comes after the next silence.
            self.spoke_at = now;
        }
    }
    fn suspend(&mut self, talk: &mut dyn FnMut()) {
        let _ = self.to.flush();
        talk();
    }
    fn prompt(&mut self, state: &RunState, now: Time, ask: Option<&str>) {
        self.hear(state, now);
        if let Some(text) = ask {
            let _ = write!(self.to, "{text}").and_then(|()| self.to.flush());
        }
    }
    fn note(&mut self, text: &str) {
        for text in lines(text) {
            self.put(&format!("note: {text}"));
        }
        let _ = self.to.flush();
    }
    fn finished(&mut self, state: &RunState, now: Time) {
        self.hear(state, now);
        let _ = self.to.flush();
    }
}
