//! What a look came to: of a probe, of a script, of a service. On disk for ever, as all that events hold.

use super::probe::Expect;
use serde::{Deserialize, Serialize};

/// What one probe or verify script saw.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// What was tried from where, for people: `tcp db1:5432 from app1`.
    pub what: String,
    /// What was expected: `open`, `closed`, `exit 0`.
    pub expected: String,
    /// What was seen: `open`, `closed: no answer within 2s`, `exit 1`.
    pub seen: String,
    /// Do they agree?
    pub agrees: bool,
    /// Names the probe: equal for the same target from the same vantage point, whatever is expected of it. Empty
    /// for scripts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub probe: String,
    /// For a probe that must be closed: was it seen open earlier in this run? Without that it proves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Before>,
}

/// How [`Seen::seen`] begins where nobody could look.
pub const CANNOT_TELL: &str = "cannot tell";

/// What is known of a negative probe from before the cut that it is to prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Before {
    /// It was seen open earlier in this run: that it is closed is the cut's doing.
    Open,
    /// It was not seen open, and every cut before it was in place when the run began.
    CutAlready,
    /// It was looked at and was not seen open: that it is closed proves nothing.
    NotOpen,
    /// Nobody looked: that it is closed proves nothing.
    NotLooked,
}

/// How a service stands, as far as anybody can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    /// Its probe agrees.
    Up,
    /// Its probe does not agree.
    Down,
    /// Nobody could look. That is not down.
    Unknown,
}

impl Seen {
    /// Was it to be closed?
    pub fn is_negative(&self) -> bool {
        self.expected == Expect::Closed.word()
    }
    /// Was it seen open?
    pub fn is_open(&self) -> bool {
        // More may stand after a comma: by which tool it was seen.
        self.seen == Expect::Open.word() || self.seen.starts_with("open, ")
    }
    /// Could anybody tell?
    pub fn is_told(&self) -> bool {
        !self.seen.starts_with(CANNOT_TELL)
    }
}
