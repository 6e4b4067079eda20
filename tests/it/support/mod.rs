//! Helpers that several rooms' tests share.

pub mod people;
pub mod shells;
pub mod sshd;
pub mod transcript;
