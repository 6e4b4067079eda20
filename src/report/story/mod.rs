//! The report of a run: told once as data from the frozen plan and the events, then written as HTML, Markdown, JSON or
//! JUnit, in English or Japanese. Never reads a file or a clock, never decides anything.

pub mod lang;
pub mod phrase;
pub mod told;

pub mod ledger;
pub mod tell;

mod ja;
mod sentences;

mod hosts;
mod improve;
pub(in crate::report) mod path;
mod reachability;
mod services;
mod steps;
mod summary;
pub(in crate::report) mod troubles;
mod waits;

pub mod compare;
mod first_report;
pub mod html;
pub mod junit;
pub mod markdown;
mod markdown_page;
mod markdown_scores;

use crate::model::visible;
pub use compare::compare;
pub use html::html;
pub use junit::junit;
pub use lang::{Lang, Says};
pub use markdown::markdown;
pub use phrase::Phrase;
pub use tell::{Telling, tell, tell_timeline};
pub use told::Story;

/// The report as JSON: the data model as it stands.
pub fn json(story: &Story) -> String {
    let text = serde_json::to_string_pretty(story).expect("a story has only texts, numbers and lists in it");
    visible::json(text) + "\n"
}

/// The JSON Schema of the report.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Story).to_value();
    schema["title"] = "A report of `blackstart report --format json`".into();
    schema
}
