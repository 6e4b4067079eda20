//! Fuzzes `judges::frames`.
#![no_main]

#[path = "../judges.rs"]
mod judges;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| judges::frames(bytes));
