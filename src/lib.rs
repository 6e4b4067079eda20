//! Blackstart carries out isolation-and-recovery runbooks: it cuts external connectivity and restores
//! compromised systems over SSH, with dry-run, checkpoints, resume and rollback.
//!
//! Data flows one way: files → [`model`] → [`plan`] → [`engine`] → events → [`journal`] and [`report`].
//! The engine decides and never touches the world; [`drive`] carries its orders out through [`transport`].

pub mod cli;
pub mod drive;
pub mod engine;
pub mod journal;
pub mod load;
pub mod model;
pub mod plan;
pub mod report;
pub mod transport;
