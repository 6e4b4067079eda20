//! Fuzzes `judges::journal`.
#![no_main]

#[path = "../judges.rs"]
mod judges;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| judges::journal(bytes));
