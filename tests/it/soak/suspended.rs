//! A controller that is suspended for minutes.

use crate::controller::paused::past_its_timeout;
use std::time::Duration;

#[test]
#[ignore = "takes minutes: `make soak`"]
fn minutes_of_suspension_change_nothing() {
    past_its_timeout(Duration::from_secs(60), Duration::from_secs(120));
}
