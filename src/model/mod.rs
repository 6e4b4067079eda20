//! The nouns of Blackstart: inventories, runbooks, outcomes, events. No I/O, no clock, no YAML.

pub mod controls;
pub mod ends;
pub mod event;
pub mod every;
pub mod facts;
pub mod guard;
pub mod inventory;
pub mod job;
pub mod names;
pub mod outcome;
pub mod pattern;
pub mod place;
pub mod policy;
pub mod probe;
pub mod problem;
pub mod question;
pub mod seen;
pub mod lasting;
pub mod objective;
pub mod runbook;
pub mod scenario;
pub mod secret;
pub mod signers;
pub mod template;
pub mod time;
pub mod visible;

pub use event::Event;
pub use inventory::Inventory;
pub use outcome::{How, Outcome};
pub use problem::{Problem, Problems};
pub use runbook::Runbook;
pub use time::{Millis, Time};
