//! What earlier runs show: their history, what a policy says is due, and an audit of all of it. Reads no file and no
//! clock: the command line hands in runs that were proved, and the time.

pub mod run;

pub mod history;
mod spark;

pub use history::{History, history, history_json, history_of};
pub use run::{Past, Shown};
