//! How often and how soon the engine tries again: every loop has an end.

use crate::model::Millis;
use crate::model::runbook::RETRY_DELAY_MAX;

/// A host that is not reached three times, or a check that cannot tell three times, will not do better soon.
pub const TRIES_IN_VAIN_MAX: u32 = 3;
/// Pause before the second try in vain; it doubles. A firewall or a restarting sshd needs a moment.
pub const PAUSE_AFTER_VAIN: Millis = Millis::from_secs(5);
/// A job that never got to start, or may be run again, is started afresh so often before it counts as failed.
pub const AFRESH_MAX: u32 = 3;

/// The pause after the `nth` try (from 1): `first`, doubled each time, up to `RETRY_DELAY_MAX`.
pub fn pause(first: Millis, nth: u32) -> Millis {
    let doubled = first.0.saturating_mul(1 << nth.saturating_sub(1).min(32));
    Millis(doubled.min(RETRY_DELAY_MAX.0))
}
