//! How a job ended, as far as anybody knows.

use super::time::Millis;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What became of one job. *Unknown is not failed.*
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It ran and did what was asked.
    Succeeded,
    /// It surely ran, or may have run in part, and surely ended, but not well.
    Failed {
        /// In which way.
        how: How,
    },
    /// Surely nothing happened on the host.
    NotStarted {
        /// Why not, for a person.
        because: String,
        /// May another try do better? A refused password or host key may not.
        try_again: bool,
    },
    /// The end was not seen: it may have run, may be running, may have ended either way.
    Unknown {
        /// Why it was not seen, for a person.
        because: String,
    },
}

/// The way in which a job that ran did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The command exited with this status, which is not 0.
    Exit(i32),
    /// A signal ended it; the number.
    Signal(i32),
    /// It overran its time; its process group was killed and is confirmed to be gone.
    TimedOut(Millis),
    /// It was cancelled; its process group was killed and is confirmed to be gone.
    Cancelled,
    /// It is gone without having left a status (killed from outside, or the host restarted).
    Vanished,
    /// It ran, and a probe or comparison saw something else than expected; says what.
    Disagreed(String),
}

/// Shells say 128 and the number for a command that a signal ended; so may any script that exits with such a status.
const SIGNALLED: i32 = 128;

/// The signal that an exit status speaks of, if it is one that ends processes in practice.
pub fn signal_of(status: i32) -> Option<&'static str> {
    Some(match status - SIGNALLED {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        _ => return None,
    })
}

/// `exit status 3`, and what it means where a shell gives it for a signal.
pub fn exit_status(status: i32) -> String {
    match signal_of(status) {
        Some(signal) => format!("exit status {status}, as after {signal}"),
        None => format!("exit status {status}"),
    }
}

impl Outcome {
    /// Shorthand for a job that ran and exited with `status`.
    pub fn from_exit(status: i32) -> Self {
        match status {
            0 => Outcome::Succeeded,
            status => Outcome::Failed { how: How::Exit(status) },
        }
    }
    /// Is it certain that the job changed nothing?
    pub fn surely_nothing_happened(&self) -> bool {
        matches!(self, Outcome::NotStarted { .. })
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            How::Exit(status) => f.write_str(&exit_status(*status)),
            How::Signal(number) => write!(f, "killed by signal {number}"),
            How::TimedOut(after) => write!(f, "timed out after {after}, ended on the host"),
            How::Cancelled => write!(f, "cancelled, ended on the host"),
            How::Vanished => write!(f, "gone without leaving a status"),
            How::Disagreed(what) => f.write_str(what),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Succeeded => f.write_str("succeeded"),
            Outcome::Failed { how } => write!(f, "failed: {how}"),
            Outcome::NotStarted { because, .. } => write!(f, "not started: {because}"),
            Outcome::Unknown { because } => write!(f, "unknown: {because}"),
        }
    }
}
