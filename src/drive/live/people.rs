//! What is asked on the terminal, and what is typed there.

use super::Live;
use crate::drive::answers;
use crate::drive::approvals;
use crate::drive::people::Keyboard;
use crate::engine::Input;
use crate::model::question::{Answer, Choice, Question};
use crate::report::asking;

impl Live<'_> {
    /// Puts the next open question on the terminal, if one can be asked there.
    pub(super) fn ask_next(&mut self) {
        if self.keyboard.is_none() || self.asked.is_some() {
            return;
        }
        let Some(question) = self.next_question() else { return };
        let text = asking::sentence(&self.shown, &question);
        let choices: Vec<&str> = question.choices().map(Choice::word).collect();
        let text = format!("{text}  {} > ", choices.join(" | "));
        self.display.prompt(&self.shown, self.clock.now(), Some(&text));
        self.asked = Some(question);
    }

    /// An open question that this person has not answered yet.
    pub(super) fn next_question(&self) -> Option<Question> {
        let answered_here = |question: &Question| match question {
            Question::Approve { task, .. } => approvals::cannot_consent(&self.shown, *task, &self.by),
            Question::Manual { .. } | Question::WhatBecameOf { .. } | Question::PhaseFailed { .. } => false,
        };
        self.shown.questions().find(|question| !answered_here(question)).cloned()
    }

    pub(super) fn typed(&mut self, line: Option<String>) {
        let Some(line) = line else {
            // The terminal is gone; answers can still come from another one.
            self.keyboard = None;
            self.asked = None;
            self.display.prompt(&self.shown, self.clock.now(), None);
            return;
        };
        let Some(question) = self.asked.clone() else { return };
        match answers::read(&question, &line) {
            Ok((choice, comment)) => {
                self.asked = None;
                self.display.prompt(&self.shown, self.clock.now(), None);
                let answer =
                    Answer { question, by: self.by.clone(), choice, comment, at: None, signed: None };
                self.engine.handle(self.clock.now(), Input::Answered(answer));
            }
            Err(help) => {
                self.display.prompt(&self.shown, self.clock.now(), Some(&format!("{help} > ")));
            }
        }
    }
}

/// The next line that is typed, if anybody can type.
pub(super) async fn typed(keyboard: &mut Option<Keyboard>) -> Option<String> {
    match keyboard {
        Some(keyboard) => keyboard.line().await,
        None => std::future::pending().await,
    }
}
