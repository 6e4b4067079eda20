//! Reads what a person typed in answer to a question.

use crate::model::question::{Choice, Question};

/// The choice and the comment in `line`: the word (or its beginning), then whatever else the person says.
/// A bare yes or no is enough where the question has just two answers. `Err` says what may be typed.
pub fn read(question: &Question, line: &str) -> Result<(Choice, Option<String>), String> {
    let (word, comment) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
    let word = word.to_ascii_lowercase();
    let comment = Some(comment.trim().to_owned()).filter(|comment| !comment.is_empty());
    let choices: Vec<Choice> = question.choices().collect();
    let pair = choices.len() == 2;
    let exact = choices.iter().find(|choice| choice.word() == word);
    let fits: Vec<&Choice> =
        choices.iter().filter(|choice| !word.is_empty() && choice.word().starts_with(&word)).collect();
    let found = match (exact, fits.as_slice(), word.as_str()) {
        (Some(choice), _, _) => Some(*choice),
        (None, _, "y" | "yes") if pair => choices.first().copied(),
        (None, _, "n" | "no") if pair => choices.last().copied(),
        (None, [one], _) => Some(**one),
        (None, _, _) => None,
    };
    let words = || choices.iter().map(|choice| choice.word()).collect::<Vec<_>>().join(", ");
    found.map(|choice| (choice, comment)).ok_or_else(|| format!("type one of: {}", words()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::names::{PhaseIx, TaskIx};

    #[test]
    fn words_beginnings_and_yes_and_no_are_understood() {
        let manual = Question::Manual { task: TaskIx(0) };
        let phase = Question::PhaseFailed { phase: PhaseIx(0) };
        let become_of = Question::WhatBecameOf { task: TaskIx(0), undo: false };
        for (question, line, choice, comment) in [
            (&manual, "done", Choice::Done, None),
            (&manual, "y", Choice::Done, None),
            (&manual, "NO not before 10:00", Choice::Refuse, Some("not before 10:00")),
            (&manual, "ref", Choice::Refuse, None),
            (&phase, "retry", Choice::Retry, None),
            (&phase, "rollback", Choice::Rollback, None),
            (&phase, "rollback-", Choice::RollbackRun, None),
            (&phase, "c", Choice::Continue, None),
            (&become_of, "it-s looked at it", Choice::ItSucceeded, Some("looked at it")),
        ] {
            assert_eq!(read(question, line), Ok((choice, comment.map(str::to_owned))), "{line}");
        }
        for (question, line) in
            [(&manual, ""), (&manual, "maybe"), (&phase, "y"), (&phase, "r"), (&become_of, "it")]
        {
            assert!(read(question, line).is_err(), "{line}");
        }
    }
}
