//! What probes saw on their own, against what is expected of them: a row for each vantage point and target.

use super::escape::line;
use super::look::Look;
use super::table::{Align, Table};
use super::words::so_many;
use crate::model::event::Seen;
use console::Style;
use serde::Serialize;
use serde_json::{Value, json};

/// One vantage point and one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProbeRow {
    /// The vantage point.
    pub from: String,
    /// The target.
    pub target: String,
    /// Steps, or the service, that this probe belongs to.
    pub of: Vec<String>,
    /// What the plan expects once it is carried out; before any cut everything has to be open.
    pub planned: &'static str,
    /// What was seen, and whether it is what was expected this time.
    pub seen: Seen,
}

/// How the looks compare with what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// As expected.
    pub agree: usize,
    /// Otherwise.
    pub disagree: usize,
    /// Nobody could look.
    pub untold: usize,
}

/// Counts rows.
pub fn counts(rows: &[ProbeRow]) -> Counts {
    let untold = rows.iter().filter(|row| !row.seen.is_told()).count();
    let agree = rows.iter().filter(|row| row.seen.agrees).count();
    Counts { agree, disagree: rows.len() - agree - untold, untold }
}

/// The rows as a table, and a sentence about them.
pub fn probes(rows: &[ProbeRow], look: &Look) -> String {
    // Narrow terminals cut the last column off: whose it is is known to whoever knows the rest.
    let heads = ["agrees", "from", "target", "expected", "seen", "of"];
    let mut table = Table::new(heads.map(|head| (head, Align::Left)));
    for row in rows {
        let agrees = match (row.seen.is_told(), row.seen.agrees) {
            (false, _) => look.paint(Style::new().yellow(), "?"),
            (true, true) => look.paint(Style::new().green(), "yes"),
            (true, false) => look.paint(Style::new().red().bold(), "NO"),
        };
        table.row(vec![
            agrees,
            line(&row.from),
            line(&row.target),
            row.seen.expected.clone(),
            line(&row.seen.seen),
            line(&row.of.join(", ")),
        ]);
    }
    format!("{}\n{}\n", table.render(look), look.bold(&sentence(rows)))
}

fn sentence(rows: &[ProbeRow]) -> String {
    let Counts { agree, disagree, untold } = counts(rows);
    let mut text = format!("{agree} of {} agree", so_many(rows.len(), "probe"));
    if disagree > 0 {
        text.push_str(&format!("; {disagree} do NOT"));
    }
    if untold > 0 {
        text.push_str(&format!("; of {untold} nobody can tell, because the vantage point cannot be used"));
    }
    text + ". Nothing was changed."
}

/// The same as data.
pub fn probes_json(rows: &[ProbeRow]) -> Value {
    let Counts { agree, disagree, untold } = counts(rows);
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({ "from": row.from, "target": row.target, "of": row.of, "before_cut": "open",
                    "planned": row.planned, "expected": row.seen.expected, "seen": row.seen.seen,
                    "told": row.seen.is_told(), "agrees": row.seen.agrees })
        })
        .collect();
    json!({ "changed": false, "agree": agree, "disagree": disagree, "cannot_tell": untold, "probes": rows })
}
