//! Time as the engine sees it: a number handed in from outside.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::{Add, Sub};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z. In files it is RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Time(pub u64);

/// A length of time in milliseconds. In plan files it is a number, in runbooks text such as `90s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// So many seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * 1000)
    }
    /// The same length for the standard library.
    pub const fn std(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0)
    }
}

impl Time {
    /// Reads a moment in RFC 3339, such as `2026-11-21T22:26:40Z`.
    pub fn parse(text: &str) -> Option<Time> {
        let stamp: jiff::Timestamp = text.trim().parse().ok()?;
        u64::try_from(stamp.as_millisecond()).ok().map(Time)
    }
    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Time) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Millis> for Time {
    type Output = Time;
    fn add(self, length: Millis) -> Time {
        Time(self.0.saturating_add(length.0))
    }
}

impl Sub<Millis> for Time {
    type Output = Time;
    fn sub(self, length: Millis) -> Time {
        Time(self.0.saturating_sub(length.0))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match i64::try_from(self.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()) {
            Some(stamp) => write!(f, "{stamp:.3}"),
            None => write!(f, "{} ms", self.0),
        }
    }
}

impl fmt::Display for Millis {
    /// `850ms`, `12.3s`, `4m 05s`, `2h 03m`, `3d 04h`: the two largest units that matter.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ms, secs) = (self.0, self.0 / 1000);
        match ms {
            0..1_000 => write!(f, "{ms}ms"),
            1_000..60_000 => write!(f, "{}.{}s", secs, ms % 1000 / 100),
            60_000..3_600_000 => write!(f, "{}m {:02}s", secs / 60, secs % 60),
            3_600_000..86_400_000 => write!(f, "{}h {:02}m", secs / 3600, secs / 60 % 60),
            _ => write!(f, "{}d {:02}h", secs / 86400, secs / 3600 % 24),
        }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let stamp: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        u64::try_from(stamp.as_millisecond()).map(Time).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_survives_a_round_trip_through_json() {
        for ms in [0, 1, 999, 1_000, 1_795_300_000_123] {
            let json = serde_json::to_string(&Time(ms)).unwrap();
            assert_eq!(serde_json::from_str::<Time>(&json).unwrap(), Time(ms), "{json}");
        }
        assert_eq!(serde_json::to_string(&Time(1_795_300_000_123)).unwrap(), "\"2026-11-21T22:26:40.123Z\"");
    }

    #[test]
    fn lengths_read_well() {
        for (ms, text) in [
            (850, "850ms"),
            (12_345, "12.3s"),
            (245_000, "4m 05s"),
            (7_380_000, "2h 03m"),
            (273_600_000, "3d 04h"),
        ] {
            assert_eq!(Millis(ms).to_string(), text);
        }
    }
}
