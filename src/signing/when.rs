//! Times in `allowed_signers`: `YYYYMMDD[HHMM[SS]]`, in the time zone of this machine, or in UTC with a `Z`.

use crate::model::Time;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The moment that a text stands for.
pub fn read(text: &str) -> Option<Time> {
    let (digits, zone) = match text.strip_suffix(['Z', 'z']) {
        Some(digits) => (digits, TimeZone::UTC),
        None => (text, TimeZone::system()),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(digits.len(), 8 | 12 | 14) {
        return None;
    }
    let at = |from: usize, to: usize| digits.get(from..to).map_or(Some(0), |part| part.parse::<i16>().ok());
    let small = |from: usize| at(from, from + 2).and_then(|number| i8::try_from(number).ok());
    let local = DateTime::new(at(0, 4)?, small(4)?, small(6)?, small(8)?, small(10)?, small(12)?, 0).ok()?;
    let stamp = zone.to_ambiguous_timestamp(local).compatible().ok()?;
    u64::try_from(stamp.as_millisecond()).ok().map(Time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_of_utc_are_read() {
        for (text, ms) in [
            ("19700101Z", Some(0)),
            ("20261121Z", Some(1_795_219_200_000)),
            ("202611212226Z", Some(1_795_299_960_000)),
            ("20261121222640Z", Some(1_795_300_000_000)),
            ("20261321Z", None),
            ("2026112Z", None),
            ("2026-11-21", None),
            ("", None),
        ] {
            assert_eq!(read(text).map(|time| time.0), ms, "{text}");
        }
        assert!(read("20261121").is_some());
    }
}
