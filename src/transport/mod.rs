//! Reaching a host: over SSH, locally, or by script. Never decides what runs, only how it gets there.

pub mod wire;
pub mod work;

pub use wire::{Link, Trouble, Wire};
