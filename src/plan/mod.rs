//! Turns a runbook and an inventory into a frozen, hashed plan. Pure: no I/O, no clock.

mod choices;
pub mod frozen;

pub use choices::{Choices, FileFacts};
pub use frozen::Plan;
