//! Hosts that lie, flood, fall silent and forge, each driven by the program as it ships and judged by its journal, its
//! screen, its exit code and its memory.

mod brain;
mod desk;
mod planted;
mod polite;
pub mod rude;

mod greets;
mod logins;
mod names;
mod secrets;
mod shown;
mod talks;
