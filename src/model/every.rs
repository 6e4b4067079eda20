//! A length of time by the calendar: months and years are as long as they are.

use jiff::civil::Date;
use std::fmt;

/// Years, months, weeks and days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Every {
    years: u16,
    months: u16,
    days: u32,
}

/// What is asked for once in ten years is not rehearsed.
const DAYS_MAX: u32 = 3660;

impl Every {
    /// So many months.
    pub const fn months(months: u16) -> Self {
        Self { years: 0, months, days: 0 }
    }

    /// So many days.
    pub const fn days(days: u32) -> Self {
        Self { years: 0, months: 0, days }
    }

    /// Reads `15 months`, `30 days`, `1 year 6 months`, `2w`. The error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let not_one = || format!("must be a length by the calendar, not `{}`", text.escape_debug());
        let span: jiff::Span = text.trim().parse().map_err(|_| not_one())?;
        if span.is_negative() {
            return Err("cannot be negative".to_owned());
        }
        let clock = [
            i64::from(span.get_hours()),
            span.get_minutes(),
            span.get_seconds(),
            span.get_milliseconds(),
            span.get_microseconds(),
            span.get_nanoseconds(),
        ];
        if clock.iter().any(|part| *part != 0) {
            return Err(format!("counts whole days, and `{}` does not", text.escape_debug()));
        }
        let too_long = || format!("is longer than ten years: `{}`", text.escape_debug());
        let days = i64::from(span.get_days()) + i64::from(span.get_weeks()) * 7;
        let every = Self {
            years: u16::try_from(span.get_years()).map_err(|_| too_long())?,
            months: u16::try_from(span.get_months()).map_err(|_| too_long())?,
            days: u32::try_from(days).map_err(|_| too_long())?,
        };
        match every.at_most_days() {
            0 => Err("must be longer than nothing".to_owned()),
            1..=DAYS_MAX => Ok(every),
            _ => Err(too_long()),
        }
    }

    /// So long after a day. The last day of a month stands in where the month is too short. `None` is beyond all calendars.
    pub fn after(self, day: Date) -> Option<Date> {
        let span = jiff::Span::new().years(self.years).months(self.months).days(self.days);
        day.checked_add(span).ok()
    }

    fn at_most_days(self) -> u32 {
        u32::from(self.years)
            .saturating_mul(366)
            .saturating_add(u32::from(self.months).saturating_mul(31))
            .saturating_add(self.days)
    }
}

impl fmt::Display for Every {
    /// `1 year 6 months`, `30 days`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [(u32::from(self.years), "year"), (u32::from(self.months), "month"), (self.days, "day")];
        let said = parts.iter().filter(|(number, _)| *number > 0);
        let said: Vec<String> = said.map(|(n, unit)| format!("{n} {unit}{}", plural(*n))).collect();
        f.write_str(&said.join(" "))
    }
}

fn plural(number: u32) -> &'static str {
    if number == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_by_the_calendar_are_read_as_people_write_them() {
        for (written, read) in [
            ("3 months", "3 months"),
            ("15 months", "15 months"),
            ("30d", "30 days"),
            ("30 days", "30 days"),
            ("1 year", "1 year"),
            ("1y 6mo", "1 year 6 months"),
            ("2 weeks", "14 days"),
            ("1 week 1 day", "8 days"),
            (" 90 days ", "90 days"),
        ] {
            assert_eq!(
                Every::parse(written).map(|every| every.to_string()),
                Ok(read.to_owned()),
                "{written}"
            );
        }
        for (written, trouble) in [
            ("", "must be a length by the calendar"),
            ("soon", "must be a length by the calendar"),
            ("3", "must be a length by the calendar"),
            ("24h", "counts whole days"),
            ("1 day 1s", "counts whole days"),
            ("-3 months", "cannot be negative"),
            ("0 days", "must be longer than nothing"),
            ("11 years", "is longer than ten years"),
            ("1000000 days", "is longer than ten years"),
        ] {
            let told = Every::parse(written).expect_err(written);
            assert!(told.contains(trouble), "{written}: {told}");
        }
    }

    #[test]
    fn months_end_when_they_end() {
        for (every, from, to) in [
            ("1 month", "2026-01-31", "2026-02-28"),
            ("1 month", "2028-01-31", "2028-02-29"),
            ("1 year", "2028-02-29", "2029-02-28"),
            ("4 years", "2028-02-29", "2032-02-29"),
            ("15 months", "2026-11-30", "2028-02-29"),
            ("3 months", "2026-11-22", "2027-02-22"),
            ("30 days", "2026-12-15", "2027-01-14"),
            ("1 year 1 month 1 day", "2026-12-31", "2028-02-01"),
        ] {
            let from: Date = from.parse().unwrap();
            let there = Every::parse(every).unwrap().after(from).unwrap();
            assert_eq!(there.to_string(), to, "{every} after {from}");
        }
        assert_eq!(Every::months(1).after(Date::MAX), None);
    }
}
