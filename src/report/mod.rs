//! Turns plans, events and states into what people and machines read. Never decides anything.

pub mod lockout;
pub mod look;

pub mod above;
pub mod asking;
pub mod clocks;
pub mod chatter;
pub mod commands;
pub mod consent;
pub mod escape;
pub mod guarded;
pub mod watched;
pub mod words;

pub mod display;
pub mod going_on;
pub mod narrate;
mod told;
pub mod ndjson;
pub mod plain;
pub mod progress;
#[allow(
    clippy::disallowed_methods,
    reason = "a thread keeps a screen that nobody reads from holding a run up"
)]
pub mod screen;
pub mod view;

pub mod graph;
mod host_list;
mod plan_commands;
mod plan_gates;
mod plan_others;
mod plan_step;
pub mod plan_text;
pub mod reach;

pub mod dry_run;
pub mod facts;
pub mod fired;
pub mod availability;
pub mod probes;
pub mod proof;
pub mod recap;
pub mod chain;
pub mod trials;
pub mod runs;
pub mod past;
pub mod show;
pub mod paper;
pub mod story;
pub mod table;
pub mod tails;
pub mod restored;
pub mod score;
mod scored;
pub mod timeline;

pub use display::{Both, Display, Quiet, Stream, on_screen};
pub use look::Look;
pub use ndjson::ndjson;
pub use plain::plain;
pub use progress::live;
pub use recap::{recap, recap_json};
pub use screen::Screen;
pub use show::show;
pub use tails::Tails;
pub use timeline::Timeline;
