//! The tabletop: the engine in virtual time over a world of which a scenario says how it behaves. No network, no
//! processes, no clock; the same seed tells the same story.

pub mod staging;
pub mod learnt;
mod chance;

// The world.
mod world;
mod hosts;
mod guards;
mod looks;
mod ways;
mod players;

// The loop over it.
pub mod table;
pub mod trials;
pub mod notes;
pub mod session;

pub use learnt::Learnt;
pub use staging::{Staging, as_at_a_table};
pub use table::{Opening, Table, Turn};
