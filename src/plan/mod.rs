//! Turns a runbook and an inventory into a frozen, hashed plan. Pure: no I/O, no clock.

pub mod frozen;

mod choices;
mod compile;
mod cuts;
mod expression;
mod gates;
pub mod graph;
mod hosts;
mod level;
mod objectives;
mod params;
mod select;
mod services;
mod shell;
pub mod service;
pub mod site;
mod steps;
mod template;
mod texts;
mod values;
mod waves;

mod canonical;
mod drift;
mod script;

pub use canonical::{PlanError, from_json, hash, to_json};
pub use choices::{Choices, FileFacts};
pub use compile::compile;
pub use drift::drift;
pub use frozen::Plan;
pub use script::{
    SECRET_SHOWN, assignment, fill, fill_fetch, fill_probe, fill_upload, render_script, secret_variable,
};
pub use select::narrowed;
pub use services::services_alone;
