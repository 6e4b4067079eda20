//! What earlier runs show: their history, what a policy says is due, and an audit of all of it. Reads no file and no
//! clock: the command line hands in runs that were proved, and the time.

pub mod run;

pub mod audit;
mod audit_lists;
pub mod audit_page;
pub mod control;

pub mod due;
pub mod due_text;
pub mod readiness;

pub mod history;
mod spark;

pub use audit_page::audit_html;
pub use due::{Asked, readiness};
pub use due_text::due;
pub use history::{History, history, history_json, history_of};
pub use readiness::Readiness;
pub use run::{Past, Shown};
