//! Links that are away for minutes, with the limits that are in force where nobody sets any.

use crate::faults::{phases, weather};

#[test]
#[ignore = "takes minutes: `make soak`"]
fn a_link_that_is_dropped_for_minutes_in_any_phase_costs_no_effect_and_doubles_none() {
    phases::dropped_for_minutes();
}

#[test]
#[ignore = "takes minutes: `make soak`"]
fn a_way_that_carries_no_large_packet_starts_nothing() {
    weather::a_narrow_way_starts_nothing();
}
