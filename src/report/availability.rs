//! When services were down while a run went on, and for how long.

use super::look::Look;
use super::watched::stands_word;
use crate::engine::RunState;
use crate::model::event::Stands;
use crate::model::names::ServiceName;
use crate::model::{Millis, Time};
use console::Style;
use serde::Serialize;

/// Times down that are listed before the rest is a number.
const TIMES_MAX: usize = 3;

/// How one service stood while it was watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceFacts {
    /// The service.
    pub service: ServiceName,
    /// How it stood last: `up`, `down` or `unknown`.
    pub stands: Stands,
    /// Time up, in milliseconds.
    pub up_ms: u64,
    /// Time down, in milliseconds.
    pub down_ms: u64,
    /// Time in which nobody could look, in milliseconds. That is not down.
    pub unknown_ms: u64,
    /// Each time down: from when to when, in order.
    pub down: Vec<Down>,
}

/// A stretch of time in which a service was down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Down {
    /// From.
    pub from: Time,
    /// To; `null` while it lasts, or if nobody watched any more.
    pub to: Option<Time>,
}

impl ServiceFacts {
    /// Of every service that was looked at.
    pub fn all(state: &RunState) -> Vec<Self> {
        let now = state.newest_at();
        let services = state.services().filter_map(|(service, watched)| {
            let stretches = watched.stretches();
            let last = stretches.last()?;
            let total = |stands: Stands| -> u64 {
                let of = stretches.iter().filter(|stretch| stretch.stands == stands);
                of.map(|stretch| stretch.until.unwrap_or(now).since(stretch.since).0).sum()
            };
            let down = stretches.iter().enumerate().filter(|(_, stretch)| stretch.stands == Stands::Down);
            let down = down.map(|(ix, stretch)| {
                let seen_to_end = stretches.get(ix + 1).is_some_and(|next| Some(next.since) == stretch.until);
                Down { from: stretch.since, to: stretch.until.filter(|_| seen_to_end) }
            });
            Some(Self {
                service: service.clone(),
                stands: last.stands,
                up_ms: total(Stands::Up),
                down_ms: total(Stands::Down),
                unknown_ms: total(Stands::Unknown),
                down: down.collect(),
            })
        });
        services.collect()
    }
}

/// The lines of the recap, one a service, trouble first.
pub(super) fn section(services: &[ServiceFacts], look: &Look) -> String {
    let mut sorted: Vec<&ServiceFacts> = services.iter().collect();
    sorted.sort_by_key(|facts| (std::cmp::Reverse(facts.down_ms), &facts.service));
    sorted.into_iter().map(|facts| format!("  {}\n", one(facts, look))).collect()
}

fn one(facts: &ServiceFacts, look: &Look) -> String {
    let mut parts = Vec::new();
    if facts.up_ms > 0 || facts.stands == Stands::Up {
        parts.push(format!("up {}", Millis(facts.up_ms)));
    }
    if facts.unknown_ms > 0 || facts.stands == Stands::Unknown {
        parts.push(format!("unknown {}", Millis(facts.unknown_ms)));
    }
    if !facts.down.is_empty() {
        let times = facts.down.iter().take(TIMES_MAX).map(|down| {
            let from = look.time_of_day(down.from);
            match down.to {
                Some(to) => format!("from {from} to {}", look.time_of_day(to)),
                None => format!("from {from} on"),
            }
        });
        let mut times = times.collect::<Vec<_>>().join(", ");
        if let more @ 1.. = facts.down.len().saturating_sub(TIMES_MAX) {
            times.push_str(&format!(" and {more} more times"));
        }
        let text = format!("DOWN {} in all, {times}", Millis(facts.down_ms));
        parts.insert(0, look.paint(Style::new().red(), &text));
    }
    format!("{}: {}; {} at the last look", facts.service, parts.join(", "), stands_word(facts.stands))
}

/// One line for the live view: how many services stand how, and the names of those that are down.
pub(super) fn view_line(state: &RunState, look: &Look) -> Option<String> {
    let stands: Vec<(&ServiceName, Stands)> =
        state.services().filter_map(|(service, watched)| Some((service, watched.stands()?))).collect();
    if stands.is_empty() {
        return None;
    }
    let of = |which: Stands| stands.iter().filter(move |(_, stands)| *stands == which);
    let mut parts = vec![format!("{} up", of(Stands::Up).count())];
    let down: Vec<&str> = of(Stands::Down).map(|(service, _)| service.as_str()).collect();
    if !down.is_empty() {
        let text = format!("{} DOWN ({})", down.len(), down.join(", "));
        parts.push(look.paint(Style::new().red().bold(), &text));
    }
    if let unknown @ 1.. = of(Stands::Unknown).count() {
        parts.push(look.paint(Style::new().yellow(), &format!("{unknown} unknown")));
    }
    Some(format!("{} {}", look.bold("services"), parts.join(", ")))
}
