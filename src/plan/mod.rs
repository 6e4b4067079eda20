//! Turns a runbook and an inventory into a frozen, hashed plan. Pure: no I/O, no clock.

pub mod frozen;

pub use frozen::Plan;
