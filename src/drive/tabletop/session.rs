//! The facilitator's session: lines in, lines out. Time stands still until the facilitator moves it; what was decided
//! is kept in order, so that a decision is taken back by playing everything before it again.

use super::notes::{Made, Note, Place, Said, counting};
use super::staging::Staging;
use super::table::{Opening, Table, Turn};
use crate::drive::answers;
use crate::engine::RunState;
use crate::model::event::Verdict;
use crate::model::question::{Answer, Choice, Question};
use crate::model::{Event, Millis, Time};
use crate::report::{asking, escape};
use std::sync::Arc;

/// A table with people at it.
#[derive(Debug)]
pub struct Session {
    staging: Arc<Staging>,
    opening: Opening,
    table: Table,
    /// Turns since the run began: decisions are made between two of them.
    turns: u64,
    made: Vec<Made>,
    told: Vec<(Time, Event)>,
    over: Option<Verdict>,
    /// What is to be noted and was not asked for yet.
    notes: Vec<Note>,
    noted: Option<Place>,
}

/// What came of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Something to read; what was put on record is asked for separately.
    Says(Vec<String>),
    /// A decision was taken back: the record is shorter than before.
    TakenBack(Vec<String>),
    /// The session is over.
    Done,
}

const HELP: [&str; 9] = [
    "next            let the next thing happen (an empty line does the same)",
    "go              go on until somebody must answer, or the run is over",
    "wait 20m        let time pass; stops at a question that is asked meanwhile",
    "to 1h           the same, up to so long after the start",
    "1 done          answer question 1; `1 approve by ann: reason` says who and why",
    "tell TEXT       tell the players something, on record",
    "undo            take the last answer back, by playing everything before it again",
    "state           time, what goes on, what is asked, the next message",
    "quit            stop here and keep the record",
];

impl Session {
    /// Opens the table. Nobody answers but those at it.
    pub fn open(staging: Arc<Staging>, opening: Opening) -> Self {
        let opening = Opening { players_answer: false, ..opening };
        let table = Table::open(staging.clone(), &opening);
        let (made, told, notes) = (Vec::new(), Vec::new(), Vec::new());
        let (over, noted) = (None, None);
        let mut session = Self { staging, opening, table, turns: 0, made, told, over, notes, noted };
        session.take_records();
        session
    }

    /// Opens the table as it stood when these notes ended. That somebody called it a day is taken back.
    pub fn again(staging: Arc<Staging>, opening: Opening, notes: &[Note]) -> Self {
        let mut session = Self::open(staging, opening);
        let (mut made, last) = counting(notes);
        let stopped = made.pop_if(|made| matches!(made.said, Said::Stop(_))).map(|made| made.place);
        made.into_iter().for_each(|made| session.replay(made));
        if let Some(place) = stopped.or(last) {
            session.go_to(place);
        }
        session.notes.clear();
        session.noted = last;
        if stopped.is_some() {
            session.notes.push(Note::TakenBack { kept: session.made.len() });
        }
        session
    }

    /// What is to be noted, before anybody is told what came of it.
    pub fn take_notes(&mut self) -> Vec<Note> {
        let here = self.place();
        if self.noted.is_none_or(|noted| noted != here) {
            self.notes.push(Note::Moved(here));
            self.noted = Some(here);
        }
        std::mem::take(&mut self.notes)
    }

    /// What was put on record.
    pub fn told(&self) -> &[(Time, Event)] {
        &self.told
    }
    /// Where the run stands.
    pub fn run(&self) -> &RunState {
        self.table.state()
    }
    /// How the run ended, if it has.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.over.as_ref()
    }

    /// Was it called a day before, and is that taken back?
    pub fn goes_on(&self) -> bool {
        self.notes.iter().any(|note| matches!(note, Note::TakenBack { .. }))
    }

    /// What the facilitator sees before each line.
    pub fn prompt(&self) -> String {
        let since = self.now().since(self.opening.start);
        let open = self.questions().len();
        let asked = if open == 0 { String::new() } else { format!(" {open} asked") };
        format!("+{since}{asked} > ")
    }

    /// Carries out what the facilitator typed; `None`: nobody types any more.
    pub fn hear(&mut self, typed: Option<&str>) -> Reply {
        let Some(typed) = typed else { return self.quit() };
        let typed = typed.trim();
        let (word, rest) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
        let rest = rest.trim();
        match word {
            "quit" | "q" => self.quit(),
            "help" | "?" => Reply::Says(HELP.map(str::to_owned).to_vec()),
            "state" | "s" | "pause" => Reply::Says(self.stands()),
            "" | "next" | "n" => self.next(),
            "go" | "g" => self.go_until(None),
            "wait" | "w" => match length(rest) {
                Some(length) => self.go_until(Some(self.now() + length)),
                None => not_a_length(rest),
            },
            "to" | "t" => match length(rest) {
                Some(length) if self.opening.start + length >= self.now() => {
                    self.go_until(Some(self.opening.start + length))
                }
                Some(_) => says("that moment has passed; `undo` goes back"),
                None => not_a_length(rest),
            },
            "tell" if rest.is_empty() => says("tell the players what?"),
            "tell" => {
                self.make(Said::Tell(rest.to_owned()), None);
                self.after_move(Vec::new())
            }
            "undo" | "u" => self.undo(),
            _ => self.answer(typed),
        }
    }

    fn now(&self) -> Time {
        self.table.world().now
    }

    fn place(&self) -> Place {
        Place { turns: self.turns, at: self.now() }
    }

    fn questions(&self) -> Vec<Question> {
        self.table.state().questions().cloned().collect()
    }

    /// One turn; true if the run goes on.
    fn turn(&mut self) -> Turn {
        let turn = self.table.turn();
        if turn == Turn::Went {
            self.turns += 1;
        }
        self.take_records();
        turn
    }

    fn take_records(&mut self) {
        let records = self.table.take_records();
        for (_, event) in &records {
            if let Event::RunEnded { verdict } = event {
                self.over = Some(verdict.clone());
            }
        }
        self.told.extend(records);
    }

    /// Lets things come until something is on record.
    fn next(&mut self) -> Reply {
        let before = self.told.len();
        while self.told.len() == before {
            if self.turn() != Turn::Went {
                return self.after_move(self.stuck());
            }
        }
        self.after_move(Vec::new())
    }

    /// Goes on until a question is asked that was not open before, the run is over, or a moment has come. Without a
    /// moment, a question that is open already is enough to stand still.
    fn go_until(&mut self, until: Option<Time>) -> Reply {
        let open = self.questions();
        loop {
            let new = self.questions().iter().any(|question| !open.contains(question));
            if new || self.over.is_some() {
                return self.after_move(Vec::new());
            }
            match (self.table.next_at(), until) {
                (None, None) => return self.after_move(self.stuck()),
                (next, Some(until)) if next.is_none_or(|next| next > until) => {
                    self.table.pass_time(until);
                    return self.after_move(Vec::new());
                }
                (Some(_), _) | (None, Some(_)) => drop(self.turn()),
            }
        }
    }

    fn stuck(&self) -> Vec<String> {
        match self.over {
            Some(_) => Vec::new(),
            None => vec!["nothing happens until somebody answers".to_owned()],
        }
    }

    fn after_move(&self, mut lines: Vec<String>) -> Reply {
        if self.over.is_some() {
            lines.push("the run is over: `undo` takes the last answer back, `quit` keeps it so".to_owned());
        }
        lines.extend(self.asked());
        lines.extend(self.ahead());
        Reply::Says(lines)
    }

    /// The open questions, numbered.
    fn asked(&self) -> Vec<String> {
        let state = self.table.state();
        let lines = self.questions().into_iter().enumerate().map(|(at, question)| {
            let choices: Vec<&str> = question.choices().map(Choice::word).collect();
            format!("  {}. {}  {}", at + 1, asking::sentence(state, &question), choices.join(" | "))
        });
        lines.collect()
    }

    /// Time, what goes on, what is asked, the next message.
    pub fn stands(&self) -> Vec<String> {
        let state = self.table.state();
        let mut lines = vec![format!("it is {} after the start", self.now().since(self.opening.start))];
        for (job, since) in state.running() {
            let name = state.plan().task_name(job.task);
            lines.push(format!("  {name}: {} goes on for {}", job.kind, self.now().since(since)));
        }
        lines.extend(self.asked());
        lines.extend(self.ahead());
        lines
    }

    /// The next message to the players.
    fn ahead(&self) -> Option<String> {
        let (at, text) = self.table.world().next_inject().filter(|_| self.over.is_none())?;
        Some(format!("  next message in {}: {}", at.since(self.now()), escape::line(text)))
    }

    fn answer(&mut self, typed: &str) -> Reply {
        let questions = self.questions();
        let (number, rest) = match typed.split_once(char::is_whitespace) {
            Some((number, rest)) if number.parse::<usize>().is_ok() => (number.parse::<usize>().ok(), rest),
            Some(_) | None => (None, typed),
        };
        let question = match (number, questions.as_slice()) {
            (_, []) => return says("nothing is asked; `help` lists what can be typed"),
            (Some(number), all) => number.checked_sub(1_usize).and_then(|at| all.get(at)),
            (None, [one]) => Some(one),
            (None, _) => return says("say which question: `1 done`"),
        };
        let Some(question) = question.cloned() else { return says("there is no question of that number") };
        let (choice, comment) = match answers::read(&question, rest) {
            Ok(read) => read,
            Err(help) => return Reply::Says(vec![format!("{help}; `help` lists what else can be typed")]),
        };
        let (by, comment) = who(comment, self.stand_in(&question));
        let words = format!("{} by {by}", choice.word());
        let decision = format!("{}: {words}", asking::sentence(self.table.state(), &question));
        let answer = Answer { question, by, choice, comment, at: None, signed: None };
        if let Err(why) = self.table.state().accepts(&answer, self.now()) {
            return Reply::Says(vec![format!("{words} does not count: {why}")]);
        }
        self.make(Said::Answer(answer), Some(decision));
        self.after_move(Vec::new())
    }

    /// Whoever has not consented yet.
    fn stand_in(&self, question: &Question) -> String {
        let nth = match question {
            Question::Approve { task, .. } => {
                let step = self.staging.plan.tasks[task.at()].step;
                self.table.state().step(step).approvals().len() + 1
            }
            Question::Manual { .. } | Question::WhatBecameOf { .. } | Question::PhaseFailed { .. } => 1,
        };
        format!("player {nth}")
    }

    fn make(&mut self, said: Said, decision: Option<String>) {
        let made = Made { place: self.place(), said, decision };
        self.notes.push(Note::Made(made.clone()));
        self.noted = Some(made.place);
        self.table.hear(made.said.input());
        self.made.push(made);
        self.take_records();
    }

    /// Plays everything up to the last answer again, and puts on record that it was taken back.
    fn undo(&mut self) -> Reply {
        let Some(at) = self.made.iter().rposition(|made| made.decision.is_some()) else {
            return says("nothing was decided that could be taken back");
        };
        let gone = self.made.split_off(at).remove(0);
        let (made, mut notes) = (std::mem::take(&mut self.made), std::mem::take(&mut self.notes));
        self.table = Table::open(self.staging.clone(), &self.opening);
        (self.turns, self.told, self.over) = (0, Vec::new(), None);
        self.take_records();
        made.into_iter().for_each(|made| self.replay(made));
        self.go_to(gone.place);
        notes.push(Note::TakenBack { kept: at });
        self.notes = notes;
        let what = gone.decision.unwrap_or_default();
        self.make(Said::Tell(format!("the facilitator took back: {what}")), None);
        let mut lines = vec![format!("taken back: {what}")];
        lines.extend(self.stands());
        Reply::TakenBack(lines)
    }

    fn replay(&mut self, made: Made) {
        self.go_to(made.place);
        self.make(made.said, made.decision);
    }

    fn go_to(&mut self, place: Place) {
        while self.turns < place.turns && self.turn() == Turn::Went {}
        self.table.pass_time(place.at);
    }

    fn quit(&mut self) -> Reply {
        if self.over.is_some() {
            return Reply::Done;
        }
        self.make(Said::Stop(self.opening.by.clone()), None);
        while self.turn() == Turn::Went {}
        Reply::Done
    }
}

fn says(text: &str) -> Reply {
    Reply::Says(vec![text.to_owned()])
}

fn not_a_length(text: &str) -> Reply {
    Reply::Says(vec![format!("`{}` is no length of time; write `20m` or `1h 30m`", escape::line(text))])
}

fn length(text: &str) -> Option<Millis> {
    let length: jiff::SignedDuration = text.parse().ok()?;
    u64::try_from(length.as_millis()).ok().map(Millis)
}

/// `by ann: reason` says who; anything else is the reason.
fn who(comment: Option<String>, stand_in: String) -> (String, Option<String>) {
    let Some(comment) = comment else { return (stand_in, None) };
    match comment.strip_prefix("by ") {
        Some(named) => {
            let (name, reason) = named.split_once(':').unwrap_or((named, ""));
            let reason = Some(reason.trim().to_owned()).filter(|reason| !reason.is_empty());
            (name.trim().to_owned(), reason)
        }
        None => (stand_in, Some(comment)),
    }
}
