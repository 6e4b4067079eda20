//! Tests that take minutes or hours. Each is `#[ignore]`d and has a row in docs/PROMISES.md; `make soak` runs them all.
//!
//! Those in files called `lab*` raise the lab and take turns; the others run side by side.

mod lab_kills;
mod links;
mod suspended;
