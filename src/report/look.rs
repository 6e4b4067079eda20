//! How a report is to look, and what the run it is about is called.

use crate::model::Millis;
use crate::model::Time;
use console::{Style, Term};
use jiff::tz::TimeZone;

/// How a report is to look, and what the run it is about is called. The command line fills it in.
#[derive(Debug, Clone)]
pub struct Look {
    /// Paint it? Colour adds, and never carries meaning alone.
    pub color: bool,
    /// 0: what matters. 1: also every task, and what hosts print. 2: also every job and connection.
    pub verbose: u8,
    /// Columns to fit tables into; `None` when nobody's terminal limits them.
    pub columns: Option<usize>,
    /// For times of day.
    pub zone: TimeZone,
    /// The run's id, as short as it may be typed.
    pub run: String,
    /// What must follow a command so that it finds the run, such as `--state /srv/runs`; usually empty.
    pub flags: String,
    /// The run's directory, for pointing at output files; empty if there is none.
    pub directory: String,
}

impl Look {
    /// Plain text about a run, times in UTC.
    pub fn plain(run: &str) -> Self {
        Self {
            color: false,
            verbose: 0,
            columns: None,
            zone: TimeZone::UTC,
            run: run.to_owned(),
            flags: String::new(),
            directory: String::new(),
        }
    }
    /// As stderr allows: conversation.
    pub fn of_stderr(run: &str) -> Self {
        let color = console::colors_enabled_stderr();
        Self { color, ..Self::of_terminal(run, &Term::stderr()) }
    }
    /// As stdout allows: data for people.
    pub fn of_stdout(run: &str) -> Self {
        let color = console::colors_enabled();
        Self { color, ..Self::of_terminal(run, &Term::stdout()) }
    }

    fn of_terminal(run: &str, term: &Term) -> Self {
        let columns = term.size_checked().map(|(_, columns)| columns.into());
        Self { columns, zone: TimeZone::system(), ..Self::plain(run) }
    }
    /// Text with a style, if it may be painted.
    pub fn paint(&self, style: Style, text: &str) -> String {
        match self.color && !text.is_empty() {
            true => style.force_styling(true).apply_to(text).to_string(),
            false => text.to_owned(),
        }
    }
    /// Bold text, if it may be painted.
    pub fn bold(&self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }
    /// Text of less weight, if it may be painted.
    pub fn dim(&self, text: &str) -> String {
        self.paint(Style::new().dim(), text)
    }
    /// `03:06:43`, in the chosen zone.
    pub fn time_of_day(&self, time: Time) -> String {
        self.format(time, "%H:%M:%S")
    }
    /// `03:06:43`, with the date in front if that is another than at `now`.
    pub fn moment(&self, time: Time, now: Time) -> String {
        match self.date(time) == self.date(now) {
            true => self.time_of_day(time),
            false => self.format(time, "%Y-%m-%d %H:%M:%S"),
        }
    }
    /// `2026-11-21 UTC`, in the chosen zone.
    pub fn date(&self, time: Time) -> String {
        self.format(time, "%Y-%m-%d %Z")
    }
    /// `2026-11-21 03:06:43 UTC`, in the chosen zone.
    pub fn date_and_time(&self, time: Time) -> String {
        self.format(time, "%Y-%m-%d %H:%M:%S %Z")
    }

    fn format(&self, time: Time, format: &str) -> String {
        let stamp = i64::try_from(time.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        match stamp {
            Some(stamp) => stamp.to_zoned(self.zone.clone()).strftime(format).to_string(),
            None => time.to_string(),
        }
    }
}

/// `00:12:04`: time since a start, of constant width up to 99 hours, for the beginning of lines.
pub fn clock(length: Millis) -> String {
    let secs = length.0 / 1000;
    format!("{:02}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60)
}
