//! The lines of a recap that tell how each objective stands, and where its time went.

use super::look::Look;
use super::score::ObjectiveFacts;
use super::story::told::Met;
use super::story::{Lang, Says};
use crate::model::Millis;
use console::Style;

/// One line an objective, and one more for where its time went, if that is known.
pub(super) fn section(objectives: &[ObjectiveFacts], look: &Look) -> String {
    objectives.iter().map(|objective| one(objective, look)).collect()
}

fn one(objective: &ObjectiveFacts, look: &Look) -> String {
    let within = Millis(objective.within_ms);
    let took = Millis(objective.took_ms.unwrap_or_default());
    let margin = Millis(objective.late_ms.unwrap_or_default().unsigned_abs());
    let bad = || Style::new().red().bold();
    let (style, sentence) = match objective.standing {
        Met::Met => (Style::new().green(), format!("met in {took} of {within}, {margin} to spare")),
        Met::Missed if objective.took_ms.is_some() => {
            (bad(), format!("MISSED by {margin}: took {took}, allowed {within}"))
        }
        Met::Missed => (bad(), format!("MISSED: not reached, and {margin} over the {within} allowed")),
        Met::NotReached => (Style::new().yellow(), format!("NOT REACHED, allowed {within}")),
        Met::Open => (Style::new().yellow(), format!("open, {margin} left of {within}")),
        Met::NotStarted => {
            (Style::new(), format!("not called for: its clock never started, allowed {within}"))
        }
    };
    let spent = match objective.spent_ms.is_empty() {
        true => String::new(),
        false => format!("      {} {}\n", look.dim("went to:"), spent(objective)),
    };
    format!("  {}: {}\n{spent}", objective.name, look.paint(style, &sentence))
}

/// Most of it first.
fn spent(objective: &ObjectiveFacts) -> String {
    let says = Says { lang: Lang::En, zone: jiff::tz::TimeZone::UTC };
    let mut parts: Vec<_> = objective.spent_ms.iter().collect();
    parts.sort_by_key(|(what, length)| (std::cmp::Reverse(**length), **what));
    let said = parts.into_iter().map(|(what, length)| format!("{} {}", says.what(*what), Millis(*length)));
    said.collect::<Vec<_>>().join(", ")
}
