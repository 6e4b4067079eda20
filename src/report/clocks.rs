//! Objectives whose clocks run: how much time is left, and when to remind people of it. Pure: a state and a time in,
//! sentences out.

use super::escape::line;
use super::look::Look;
use super::score::{self, Score};
use super::story::told::Met;
use crate::engine::{RunState, Status};
use crate::model::{Millis, Time};
use console::Style;
use std::collections::BTreeSet;

/// Clocks shown at once, the soonest first: a person watches no more.
const CLOCKS_MAX: usize = 3;

/// What people were reminded of in this process.
#[derive(Debug, Clone, Default)]
pub struct Reminders {
    /// Objectives by name, and how long before the end of their time.
    said: BTreeSet<(String, Millis)>,
}

impl Reminders {
    /// What to remind people of at this time; nothing is said twice. Of several that are due, the latest stands for all.
    pub fn due(&mut self, state: &RunState, now: Time) -> Vec<String> {
        let mut said = Vec::new();
        for (score, end) in running(state, now) {
            let name = &score.objective.name;
            let over = Millis(0);
            let due = |before: &Millis| now + *before >= end;
            let all = score.objective.remind.iter().copied().chain([over]).filter(due);
            let fresh: Vec<Millis> = all.filter(|before| self.said.insert((name.clone(), *before))).collect();
            if fresh.is_empty() {
                continue;
            }
            let within = score.objective.within;
            said.push(match end.since(now) {
                Millis(0) => format!("the time of objective `{}` is over: {within} were allowed", line(name)),
                left => format!("objective `{}`: {left} left of {within}", line(name)),
            });
        }
        said
    }
}

/// Objectives whose clocks run, and when their time is over, the soonest first.
fn running(state: &RunState, now: Time) -> Vec<(Score, Time)> {
    if matches!(state.status(), Status::New | Status::Ended(_)) {
        return Vec::new();
    }
    let scores = score::scores_at(state, Some(now), true);
    let open = scores.into_iter().filter(|score| score.reached.is_none());
    let open = open.filter(|score| matches!(score.standing, Met::Open | Met::Missed));
    let mut clocks: Vec<(Score, Time)> = open
        .filter_map(|score| Some((score.began? + score.objective.within, score)))
        .map(|(end, score)| (score, end))
        .collect();
    clocks.sort_by(|(one, one_end), (other, other_end)| {
        (one_end, &one.objective.name).cmp(&(other_end, &other.objective.name))
    });
    clocks
}

/// One line for the live view: how much time each objective has left.
pub(super) fn view_line(state: &RunState, look: &Look, now: Time) -> Option<String> {
    let clocks = running(state, now);
    let said: Vec<String> = clocks
        .iter()
        .take(CLOCKS_MAX)
        .map(|(score, end)| {
            let name = line(&score.objective.name);
            match *end < now {
                true => look.paint(Style::new().red().bold(), &format!("{name} LATE by {}", now.since(*end))),
                false => format!("{name} in {}", end.since(now)),
            }
        })
        .collect();
    let more = match clocks.len().saturating_sub(CLOCKS_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!said.is_empty()).then(|| format!("{} {}{more}", look.bold("due"), said.join(", ")))
}
