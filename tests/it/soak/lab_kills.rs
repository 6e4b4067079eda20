//! `kill -9` and `resume`, five hundred times.

use crate::lab_crash::kills::crashes_start_nothing_twice_and_lose_nothing;

#[test]
#[ignore = "takes the better part of an hour: `make soak`"]
fn five_hundred_crashes_start_nothing_twice_and_lose_nothing() {
    crashes_start_nothing_twice_and_lose_nothing(500);
}
