//! The only loops and the only clock: carries the engine's orders out and brings it the news.

pub mod live;
pub mod dry_run;
pub mod ahead;
pub mod job;
pub mod lasting;
pub mod backup;
pub mod manifest;
pub mod claimed;
pub mod held;
pub mod approvals;
pub mod about;
pub mod tools;
pub mod guard;
pub mod fleet;
pub mod probe;
pub mod probe_all;
pub mod baseline;
pub mod watch;
pub mod sink;
pub mod snapshot;
pub mod scrub;
pub mod secrets;
pub mod answers;
pub mod people;
pub mod signals;
pub mod clock;
