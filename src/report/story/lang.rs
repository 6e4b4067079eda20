//! The languages that reports are written in, and how times, lengths and lists read in them.

use super::phrase::Phrase;
use crate::model::{Millis, Time};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;

/// A language that reports are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Japanese, in the terms of Japanese public bodies.
    Ja,
}

impl Lang {
    /// Every language there is.
    pub const ALL: [Lang; 2] = [Lang::En, Lang::Ja];

    /// The tag of `lang` attributes.
    pub fn tag(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Ja => "ja",
        }
    }
}

/// Says fixed words in a language, and times in a zone.
#[derive(Debug, Clone)]
pub struct Says {
    /// The language.
    pub lang: Lang,
    /// For times of day.
    pub zone: TimeZone,
}

impl Says {
    /// A phrase as it stands.
    pub fn say(&self, phrase: Phrase) -> &'static str {
        phrase.text(self.lang)
    }

    /// A phrase with values for its `{0}`, `{1}` …. What a value says is never filled again.
    pub fn fill(&self, phrase: Phrase, values: &[&str]) -> String {
        let mut filled = String::new();
        let mut rest = self.say(phrase);
        while let Some(at) = rest.find('{') {
            let value = rest[at + 1..].find('}').and_then(|len| {
                let number: usize = rest[at + 1..at + 1 + len].parse().ok()?;
                Some((*values.get(number)?, at + len + 2))
            });
            let (value, end) = value.unwrap_or(("{", at + 1));
            filled.push_str(&rest[..at]);
            filled.push_str(value);
            rest = &rest[end..];
        }
        filled + rest
    }

    /// `2026-11-21 03:06:40 UTC`.
    pub fn time(&self, time: Time) -> String {
        self.format(time, "%Y-%m-%d %H:%M:%S %Z")
    }

    /// `03:06:40`.
    pub fn clock(&self, time: Time) -> String {
        self.format(time, "%H:%M:%S")
    }

    /// The date alone, as calendars of the language write it.
    pub fn date(&self, time: Time) -> String {
        match self.lang {
            Lang::En => self.format(time, "%Y-%m-%d %Z"),
            Lang::Ja => self.format(time, "%Y年%-m月%-d日（%Z）"),
        }
    }

    /// Date and time as letters of the language write them.
    pub fn letter_time(&self, time: Time) -> String {
        match self.lang {
            Lang::En => self.time(time),
            Lang::Ja => self.format(time, "%Y年%-m月%-d日 %-H時%M分（%Z）"),
        }
    }

    /// `12.3s`, `4m 05s`: the two largest units that matter.
    pub fn length(&self, length: Millis) -> String {
        let (ms, secs) = (length.0, length.0 / 1000);
        match (self.lang, ms) {
            (Lang::En, _) => length.to_string(),
            (Lang::Ja, 0..1_000) => format!("{ms}ミリ秒"),
            (Lang::Ja, 1_000..60_000) => format!("{}.{}秒", secs, ms % 1000 / 100),
            (Lang::Ja, 60_000..3_600_000) => format!("{}分{:02}秒", secs / 60, secs % 60),
            (Lang::Ja, 3_600_000..86_400_000) => format!("{}時間{:02}分", secs / 3600, secs / 60 % 60),
            (Lang::Ja, _) => format!("{}日{:02}時間", secs / 86400, secs / 3600 % 24),
        }
    }

    /// Names one after the other.
    pub fn list<T: AsRef<str>>(&self, names: &[T]) -> String {
        let comma = match self.lang {
            Lang::En => ", ",
            Lang::Ja => "、",
        };
        names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(comma)
    }

    /// Sentences of one paragraph.
    pub fn paragraph(&self, sentences: &[String]) -> String {
        sentences.join(match self.lang {
            Lang::En => " ",
            Lang::Ja => "",
        })
    }

    fn format(&self, time: Time, format: &str) -> String {
        let stamp = i64::try_from(time.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        match stamp {
            Some(stamp) => stamp.to_zoned(self.zone.clone()).strftime(format).to_string(),
            None => time.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_times_read_well_in_japanese() {
        let says = Says { lang: Lang::Ja, zone: TimeZone::UTC };
        for (ms, text) in [
            (850, "850ミリ秒"),
            (12_345, "12.3秒"),
            (245_000, "4分05秒"),
            (7_380_000, "2時間03分"),
            (273_600_000, "3日04時間"),
        ] {
            assert_eq!(says.length(Millis(ms)), text);
        }
        let time = Time(1_795_230_400_000);
        assert_eq!(says.letter_time(time), "2026年11月21日 3時06分（UTC）");
        assert_eq!(says.date(time), "2026年11月21日（UTC）");
    }

    #[test]
    fn values_are_filled_once() {
        let says = Says { lang: Lang::En, zone: TimeZone::UTC };
        assert_eq!(says.fill(Phrase::OfSoMany, &["{1}", "{0}"]), "{1} of {0}");
    }
}
