//! The only clock. Wall time when the process started, plus what a monotonic clock says has passed since,
//! so that a jump of the wall clock during a run neither fires nor stops a timer.

use crate::model::{Millis, Time};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Tells the time of this process.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    wall: Time,
    since: Instant,
}

impl Clock {
    /// Starts from the wall clock, but never before `not_before`: a resumed run goes on after its last event
    /// even if the wall clock was set back in between.
    pub fn start(not_before: Time) -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall = Time(u64::try_from(wall.as_millis()).unwrap_or(u64::MAX));
        Self { wall: wall.max(not_before), since: Instant::now() }
    }

    /// The present.
    pub fn now(&self) -> Time {
        self.wall + Millis(u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// How long to sleep until `at`; zero if it is past.
    pub fn until(&self, at: Time) -> Duration {
        at.since(self.now()).std()
    }
}
