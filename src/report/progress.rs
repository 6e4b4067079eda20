//! The live view on a terminal: lines that stay, and below them the present, drawn by indicatif. The only
//! file that names it.

use super::above::above;
use super::chatter::Chatter;
use super::display::{Display, Stream};
use super::escape::lines;
use super::going_on::{Round, Rounds};
use super::look::Look;
use super::narrate::Narrator;
use super::screen::Screen;
use super::view::{Size, view};
use crate::engine::RunState;
use crate::model::event::Job;
use crate::model::{Event, Millis, Time};
use crate::plan::Plan;
use console::{Style, Term};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The live view on stderr. On anything but a terminal indicatif draws nothing: use `plain` there.
pub fn live(screen: &Screen, look: Look) -> Live {
    let narrator = Narrator::new(look.clone()).at_most(EACH_STEP_MAX);
    let (now, drawn_at) = (Time::default(), Time::default());
    let (chatter, term) = (Chatter::default(), screen.term());
    let (rounds, screen) = (Rounds::new(), screen.clone());
    Live {
        bar: bar(&term),
        covered: false,
        screen,
        term,
        look,
        narrator,
        chatter,
        now,
        drawn_at,
        prompt: None,
        rounds,
    }
}

/// The live view.
#[derive(Debug)]
pub struct Live {
    bar: ProgressBar,
    /// Is nothing drawn, because nobody reads?
    covered: bool,
    screen: Screen,
    term: Term,
    look: Look,
    narrator: Narrator,
    chatter: Chatter,
    now: Time,
    drawn_at: Time,
    prompt: Option<Prompt>,
    rounds: Rounds,
}

/// A question that somebody may be typing the answer to. As long as it is open nothing moves: the terminal
/// shows what is typed, and would lose sight of it.
#[derive(Debug)]
struct Prompt {
    text: String,
    /// Lines that wait for a pause in which they disturb nobody.
    held: Vec<String>,
    held_since: Time,
}

/// Troubles of single tasks of a step that fit on a screen; beyond them only their number matters.
const EACH_STEP_MAX: u32 = 10;
/// Events come in bursts; nobody reads faster than this.
const REDRAW_PAUSE: Millis = Millis(100);
/// Long enough to type an answer, short enough to learn what happened meanwhile.
const HOLD_MAX: Millis = Millis::from_secs(10);

/// Quick enough for the eye.
const DRAWN_A_SECOND: u8 = 20;

fn bar(term: &Term) -> ProgressBar {
    let target = ProgressDrawTarget::term(term.clone(), DRAWN_A_SECOND);
    let bar = ProgressBar::with_draw_target(None, target);
    bar.with_style(ProgressStyle::with_template("{msg}").expect("the template is well-formed"))
}

impl Live {
    /// Prints lines above the view, where they stay.
    fn put(&mut self, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        if let Some(prompt) = &mut self.prompt {
            if prompt.held.is_empty() {
                prompt.held_since = self.now;
            }
            prompt.held.extend_from_slice(lines);
        } else if self.is_full() {
            self.screen.leave_out(lines.len());
        } else {
            let _whole = self.screen.hold();
            self.bar.suspend(|| print(&self.term, lines));
        }
    }

    /// Does nobody read? Then nothing stays drawn where it is going to be said how many lines are missing.
    fn is_full(&mut self) -> bool {
        let full = self.screen.is_full();
        if full && !self.covered {
            self.bar.finish_and_clear();
            self.covered = true;
        }
        full
    }

    /// Prints what was held back, and the question beneath it again.
    fn release(&mut self) {
        let full = self.is_full();
        let Some(prompt) = &mut self.prompt else { return };
        let held = std::mem::take(&mut prompt.held);
        if full {
            self.screen.leave_out(held.len());
        } else if !held.is_empty() {
            let _whole = self.screen.hold();
            let _ = self.term.clear_line();
            print(&self.term, &held);
            let _ = self.term.write_str(&prompt.text);
        }
    }

    fn view(&self, state: &RunState) -> Vec<String> {
        let (rows, columns) = self.term.size();
        let size = Size { rows: rows.into(), columns: columns.into() };
        view(state, &self.look, self.now, size, &self.rounds)
    }

    fn columns(&self) -> usize {
        self.term.size().1.into()
    }

    fn draw(&mut self, state: &RunState) {
        if self.prompt.is_none() && !self.screen.is_behind() {
            let _whole = self.screen.hold();
            if std::mem::take(&mut self.covered) {
                self.bar = bar(&self.term);
            }
            self.bar.set_message(self.view(state).join("\n"));
            self.drawn_at = self.now;
        }
    }

    fn printed(&self, plan: &Plan, job: Job, whole: Vec<String>) -> Vec<String> {
        let place = super::words::place(plan, job.task);
        whole.into_iter().map(|text| format!("{} {text}", self.look.dim(&format!("{place} |")))).collect()
    }
}

fn print(term: &Term, lines: &[String]) {
    for line in lines {
        let _ = term.write_line(line);
    }
}

impl Display for Live {
    fn started(&mut self, state: &RunState, _: Option<usize>) {
        self.draw(state);
    }
    fn event(&mut self, state: &RunState, at: Time, event: &Event) {
        self.now = self.now.max(at);
        let mut all = Vec::new();
        if let Event::JobEnded { job, .. } = event {
            self.rounds.remove(job);
            let rest = self.chatter.end(*job);
            all.extend(self.printed(state.plan(), *job, rest));
        }
        for said in self.narrator.tell(state, at, event) {
            all.extend(above(&self.look, at, &said, self.columns()));
        }
        self.put(&all);
        if self.now.since(self.drawn_at) >= REDRAW_PAUSE {
            self.draw(state);
        }
    }
    fn output(&mut self, plan: &Plan, job: Job, stream: Stream, bytes: &[u8]) {
        if self.look.verbose > 0 {
            let whole = self.chatter.take(job, stream, bytes);
            let printed = self.printed(plan, job, whole);
            self.put(&printed);
        }
    }
    fn watched(&mut self, job: Job, round: Round) {
        self.rounds.insert(job, round);
    }
    fn tick(&mut self, state: &RunState, now: Time) {
        self.now = self.now.max(now);
        self.draw(state);
        if self.prompt.as_ref().is_some_and(|prompt| now.since(prompt.held_since) >= HOLD_MAX) {
            self.release();
        }
    }
    fn suspend(&mut self, talk: &mut dyn FnMut()) {
        self.bar.suspend(talk);
    }
    fn prompt(&mut self, state: &RunState, now: Time, ask: Option<&str>) {
        self.now = self.now.max(now);
        let full = self.is_full();
        let whole = self.screen.hold();
        if self.prompt.is_none() {
            self.bar.finish_and_clear();
        }
        let _ = self.term.clear_line();
        if let Some(before) = self.prompt.take() {
            match full {
                true => self.screen.leave_out(before.held.len()),
                false => print(&self.term, &before.held),
            }
        }
        match ask {
            Some(text) => {
                // The view stands still above the question; putting the question again brings it up to date.
                print(&self.term, &self.view(state));
                let _ = self.term.write_str(text);
                self.prompt = Some(Prompt { text: text.to_owned(), held: Vec::new(), held_since: now });
            }
            None => {
                self.bar = bar(&self.term);
                drop(whole);
                self.draw(state);
            }
        }
    }
    fn note(&mut self, text: &str) {
        let style = Style::new().yellow().bold();
        let notes: Vec<String> = lines(text).map(|text| self.look.paint(style.clone(), &text)).collect();
        self.put(&notes);
        self.release();
    }
    fn finished(&mut self, _: &RunState, _: Time) {
        self.release();
        if self.prompt.take().is_some() {
            let _ = self.term.clear_line();
        }
        self.bar.finish_and_clear();
    }
}
