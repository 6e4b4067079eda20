//! The SSH link against real servers.

mod client;
pub mod helpers;
mod host_keys;
mod logins;
mod loss;
mod offers;
pub mod proxy;
mod routes;
mod sessions;
mod wires;
