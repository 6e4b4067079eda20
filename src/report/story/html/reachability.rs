//! The reachability matrix: a row for each zone one starts from, what was and what is.

use crate::report::story::lang::Says;
use crate::report::story::ledger::{Reachability, Way};
use crate::report::story::phrase::Phrase;
use maud::{Markup, html};

/// Zones of a matrix that is still read; of more, only pairs that changed.
const ZONES_MAX: usize = 16;

pub(super) fn reachability(both: &Reachability, says: &Says) -> Markup {
    let names: Vec<(usize, &String)> = both.zones.iter().enumerate().take(ZONES_MAX).collect();
    html! {
        p {
            (says.say(Phrase::WaysNote))
            @if !both.outside.is_empty() { " " (says.fill(Phrase::WaysOutside, &[&says.list(&both.outside)])) }
            @if !both.critical.is_empty() { " " (says.fill(Phrase::WaysCritical, &[&says.list(&both.critical)])) }
        }
        ul class="legend" aria-label=(says.say(Phrase::Legend)) {
            @for way in [Way::Direct, Way::Pivot, Way::None] { li { (sign(way)) " " (says.way(way)) } }
        }
        div class="scroll" tabindex="0" role="region" aria-label=(says.say(Phrase::Reachability)) {
            table class="ways" {
                caption { (says.say(Phrase::Reachability)) }
                thead {
                    tr {
                        th scope="col" { (says.say(Phrase::FromTo)) }
                        @for (_, name) in &names { th scope="col" { (name) } }
                    }
                }
                tbody {
                    @for (from, name) in &names {
                        tr {
                            th scope="row" { (name) }
                            @for (to, _) in &names { (cell(both.before[*from][*to], both.after[*from][*to], says)) }
                        }
                    }
                }
            }
        }
        @if both.zones.len() > ZONES_MAX {
            p class="dim" { (says.fill(Phrase::RowsLeft, &[&(both.zones.len() - ZONES_MAX).to_string(), "JSON"])) }
        }
    }
}

fn cell(before: Way, after: Way, says: &Says) -> Markup {
    let words = match before == after {
        true => says.way(after).to_owned(),
        false => format!("{} → {}", says.way(before), says.way(after)),
    };
    let class = match (before == after, after) {
        (true, _) => None,
        (false, Way::None) => Some("closed"),
        (false, Way::Same | Way::Direct | Way::Pivot) => Some("changed"),
    };
    html! {
        td class=[class] title=(words) {
            span aria-hidden="true" {
                @if before != after { (sign(before)) " → " }
                (sign(after))
            }
            span class="vh" { (words) }
        }
    }
}

fn sign(way: Way) -> &'static str {
    match way {
        Way::Same => "",
        Way::Direct => "●",
        Way::Pivot => "○",
        Way::None => "–",
    }
}
