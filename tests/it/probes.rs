//! Probes end to end: the program itself, real SSH servers, and servers on loopback that a runbook can end.

mod baseline;
mod command;
mod packets;
mod servers;
mod services;
mod site;
