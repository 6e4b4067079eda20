//! What was seen of the site beside the run's own steps, in lines: the look before the first cut, and services.

use super::escape::line;
use super::look::Look;
use super::narrate::{Line, Mark};
use super::proof;
use super::words::so_many;
use crate::engine::RunState;
use crate::model::event::{Before, Facts, Seen, Stands};
use crate::model::names::ServiceName;
use crate::plan::Plan;

/// The look before the first cut. What was not open then is named: its silence will prove nothing.
pub(super) fn baseline(look: &Look, plan: &Plan, probes: &[Seen], because: &str) -> Vec<Line> {
    let open = probes.iter().filter(|seen| seen.is_open()).count();
    if proof::is_way_back(plan) {
        let text = format!("{open} of {} open at the beginning", so_many(probes.len(), "negative probe"));
        return vec![Line::new(Mark::Info, "run", look.run.clone(), text)];
    }
    let mark = if open == probes.len() && because.is_empty() { Mark::Good } else { Mark::Unsure };
    let mut text = match probes.len() {
        0 => "nobody looked before the first cut".to_owned(),
        all => format!("{open} of {} open before the first cut", so_many(all, "negative probe")),
    };
    if !because.is_empty() && !probes.is_empty() {
        text.push_str(&format!("; {}", line(because)));
    }
    let shut = probes.iter().filter(|seen| !seen.is_open());
    let more = shut
        .map(|seen| format!("{}: {}; its silence will prove nothing", line(&seen.what), line(&seen.seen)));
    let mut said = Line::new(mark, "run", look.run.clone(), text);
    said.more = more.collect();
    vec![said]
}

/// The look before the end. What was open before the first cut and is not open again is named.
pub(super) fn after(look: &Look, state: &RunState, probes: &[Seen], because: &str) -> Vec<Line> {
    let Some(after) = state.proofs().after() else { return Vec::new() };
    let all = after.open as usize + after.not_open.len();
    let mark = if after.not_open.is_empty() && because.is_empty() { Mark::Good } else { Mark::Unsure };
    let mut text = match probes.len() {
        0 => "nobody looked whether what was cut is open again".to_owned(),
        _ => format!("{} of {} open again as before the first cut", after.open, so_many(all, "probe")),
    };
    if !because.is_empty() {
        text.push_str(&format!("; {}", line(because)));
    }
    let mut said = Line::new(mark, "run", look.run.clone(), text);
    if !probes.is_empty() {
        let shut = after.not_open.iter();
        said.more = shut.map(|(what, seen)| format!("{}: {}", line(what), line(seen))).collect();
    }
    vec![said]
}

/// A service that was seen for the first time, or changed.
pub(super) fn service(service: &ServiceName, stands: Stands, because: &str) -> Vec<Line> {
    let mark = match stands {
        Stands::Up => Mark::Good,
        Stands::Down => Mark::Bad,
        Stands::Unknown => Mark::Unsure,
    };
    let because = match stands {
        Stands::Up => String::new(),
        Stands::Down | Stands::Unknown => format!(": {}", line(because)),
    };
    vec![Line::new(mark, "service", service.to_string(), format!("{}{because}", stands_word(stands)))]
}

/// How a service stands, in a word.
pub fn stands_word(stands: Stands) -> &'static str {
    match stands {
        Stands::Up => "up",
        Stands::Down => "DOWN",
        Stands::Unknown => "unknown",
    }
}

/// What is to be said of negative probes whose silence is no proof.
pub(super) fn no_proofs(plan: &Plan, facts: &Facts) -> Vec<(Mark, String)> {
    if proof::is_way_back(plan) {
        return Vec::new();
    }
    let silent = facts.probes.iter().filter(|seen| seen.agrees && seen.is_negative());
    let said = silent.filter_map(|seen| {
        let before = seen.before?;
        let mark = match before {
            Before::Open | Before::CutAlready => Mark::Info,
            Before::NotOpen | Before::NotLooked => Mark::Unsure,
        };
        Some((mark, format!("{}: {}", line(&seen.what), proof::worth(before)?)))
    });
    said.collect()
}
