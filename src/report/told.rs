//! One thing said about a run, for displays to put on the screen.

use super::escape::line;

/// One thing said about a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What kind of news.
    pub mark: Mark,
    /// `run`, `phase`, `step`, `task` or `host`.
    pub noun: &'static str,
    /// Its name.
    pub name: String,
    /// What is said about it.
    pub text: String,
    /// What a host printed about it.
    pub printed: Vec<String>,
    /// What else there is to know, each on a line of its own.
    pub more: Vec<String>,
}

/// What kind of news a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A run, phase or rollback begins.
    Heading,
    /// Something ended well.
    Good,
    /// Something went wrong.
    Bad,
    /// Nobody knows yet, or never will.
    Unsure,
    /// People must act.
    Ask,
    /// Something was taken back.
    Back,
    /// Good to know.
    Info,
}

impl Line {
    pub(super) fn new(mark: Mark, noun: &'static str, name: String, text: String) -> Self {
        Self { mark, noun, name, text, printed: Vec::new(), more: Vec::new() }
    }
}

/// One line for each possible answer: what it says and what to type for it.
pub fn answer_lines(answers: &[(&'static str, String)]) -> Vec<String> {
    let width = answers.iter().map(|(_, command)| command.chars().count()).max().unwrap_or(0);
    answers.iter().map(|(says, command)| format!("{command:width$}   {says}")).collect()
}

/// The last lines of a text, made safe.
pub fn last_lines(text: &str, max: usize) -> Vec<String> {
    let mut last: Vec<String> = text.lines().rev().take(max).map(line).collect();
    last.reverse();
    last
}
