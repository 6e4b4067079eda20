//! Reaching a host over SSH: dials, checks the host key, logs in, and multiplexes wires over one connection.
//! Never prompts, never decides what runs.

mod agent;
mod buffers;
mod carrier;
mod ceiling;
mod channel;
mod closing;
mod connect;
mod deadlines;
mod host_key;
mod keys;
mod knock;
mod known_files;
mod known_hosts;
mod link;
mod login;
mod opening;
mod outlet;
mod pipe;
mod pump;
mod resolved;
mod scratch;
mod session;
mod strand;
mod surroundings;
mod target;

pub use connect::{connect, connect_from};
pub use deadlines::Deadlines;
pub use known_hosts::KnownHosts;
pub use link::SshLink;
pub use resolved::KeyNames;
pub use surroundings::Surroundings;
pub use target::{Target, TellWait};
