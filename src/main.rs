//! The `blackstart` program: everything is in the library.

fn main() {}
