//! Decides what may start, what must be taken back and when a run is over. Never waits, never reads a
//! clock, never touches the world: news in ([`Input`]), orders out ([`Output`]).

pub mod io;

pub use io::{Input, Limits, Output};
