//! The paper runbook: what people do by hand when there is no screen. Every step with boxes to tick, the exact commands
//! for each host, the proof that is expected, the undo, and whom to call; the plan's hash on every page.

mod html;
mod sheet;
mod text;

pub use html::html;
pub use sheet::{Contact, Sheet};
pub use text::text;
