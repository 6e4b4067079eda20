//! Helpers that several rooms' tests share.

pub mod live;
pub mod machine;
pub mod people;
pub mod runs;
pub mod shells;
pub mod sshd;
pub mod transcript;
