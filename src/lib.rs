//! Blackstart carries out isolation-and-recovery runbooks: it cuts external connectivity and restores
//! compromised systems over SSH, with dry-run, checkpoints, resume and rollback.
//!
//! Data flows one way: files → [`model`] → [`plan`] → [`engine`] → events → [`journal`] and [`report`].
//! The engine decides and never touches the world; [`drive`] carries its orders out through [`transport`].

pub mod model;
#[allow(clippy::disallowed_methods, reason = "reads key files and speaks with agents")]
pub mod signing;
#[allow(clippy::disallowed_methods, reason = "is where files are read")]
pub mod load;
pub mod plan;
pub mod reach;
pub mod engine;
#[allow(clippy::disallowed_methods, reason = "is where files are written")]
pub mod journal;
#[allow(clippy::disallowed_methods, reason = "opens connections and processes, and bounds their waits")]
pub mod transport;
pub mod report;
#[allow(clippy::disallowed_methods, reason = "owns the clock, the waiting and the processes")]
pub mod drive;
#[allow(clippy::disallowed_methods, reason = "reads flags, the environment and files, and says when")]
pub mod cli;
