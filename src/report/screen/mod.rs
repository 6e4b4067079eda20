//! A screen with a writer of its own: whoever does not read it (Ctrl-S, a full pipe) holds up nothing but that writer.
//!
//! What is to be shown waits in a queue of limited size. When it is full, lines for people are left out, counted, and
//! said so where they are missing; events for programs are read again from the journal when there is room, so that
//! none is missing. Nothing in here decides what is said.

mod desk;
mod handles;
mod queue;

pub use desk::Screen;
pub use handles::{Events, Said};
