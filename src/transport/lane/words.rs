//! The answers of the agent, read from the words of their frames.

use crate::model::{How, Millis, Outcome};

/// The protocol version of `agent.sh`; it is sent over each time, so both sides always agree or are broken.
pub const PROTOCOL_VERSION: u32 = 1;

/// The agent's first answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// Its process id.
    pub pid: u32,
    /// How jobs get a process group: `jobs`, `setsid` or `lane`.
    pub mode: String,
    /// The host's boot id, where it has one.
    pub boot: Option<String>,
    /// Its effective user id, where the shell knows it.
    pub uid: Option<u32>,
}

impl std::fmt::Display for Hello {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { pid, mode, boot: _, uid } = self;
        match uid {
            Some(uid) => write!(f, "uid {uid}, pid {pid}, process groups by {mode}"),
            None => write!(f, "pid {pid}, process groups by {mode}"),
        }
    }
}

/// A job's process group: what is ended on timeout and cancel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The job's first process.
    pub pid: u32,
    /// Its process group.
    pub pgid: u32,
    /// When it started, in the kernel's ticks; `-` if the host does not tell.
    pub start: String,
}

/// Why a job was not started by the lane it was given to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Its claim had been made before.
    Claimed,
    /// The receipt cannot be written; says why.
    Unwritable(String),
}

/// The end of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Exit status as `sh` tells it.
    pub status: i32,
    /// Something of it lives on in its process group, and may print more: the lane must not be used again.
    pub left: bool,
}

/// What a receipt says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// Spent by a resolve: surely never started.
    NeverStarted,
    /// Spent by a resolve that cannot tell whether it had been made; says why.
    Lost(String),
    /// Under way.
    Running(Group),
    /// Over.
    Ended(Outcome),
}

impl Hello {
    /// Reads `hello 1 PID MODE BOOT UID`.
    pub fn read(words: &str) -> Option<Self> {
        let mut words = words.strip_prefix("hello ")?.split(' ');
        if words.next()?.parse() != Ok(PROTOCOL_VERSION) {
            return None;
        }
        let pid = words.next()?.parse().ok()?;
        let mode = words.next()?.to_owned();
        let boot = words.next().filter(|boot| *boot != "-").map(str::to_owned);
        let uid = words.next().and_then(|uid| uid.parse().ok());
        Some(Self { pid, mode, boot, uid })
    }
}

impl Group {
    /// Reads `PID PGID START`.
    pub fn read(words: &str) -> Option<Self> {
        let mut words = words.split(' ');
        let (pid, pgid) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Self { pid, pgid, start: words.next()?.to_owned() })
    }
}

impl Refusal {
    /// Reads `claimed` or `unwritable WHY`.
    pub fn read(words: &str) -> Option<Self> {
        match words.split_once(' ').unwrap_or((words, "")) {
            ("claimed", _) => Some(Self::Claimed),
            ("unwritable", "") => Some(Self::Unwritable("the receipt cannot be written".into())),
            ("unwritable", why) => Some(Self::Unwritable(why.to_owned())),
            _ => None,
        }
    }
}

impl End {
    /// Reads `STATUS LEFT`.
    pub fn read(words: &str) -> Option<Self> {
        let (status, left) = words.split_once(' ')?;
        Some(Self { status: status.parse().ok()?, left: left != "0" })
    }
}

impl Receipt {
    /// Reads the answer to an `R` order.
    pub fn read(words: &str) -> Option<Self> {
        let (word, rest) = words.split_once(' ')?;
        Some(match word {
            "void" if rest == "proven" => Self::NeverStarted,
            "void" => Self::Lost(match rest.strip_prefix("lost").map(str::trim) {
                Some("") | None => "the host's receipts of this run are lost, or it restarted since".into(),
                Some(why) => why.to_owned(),
            }),
            "running" | "ending" => Self::Running(Group::read(rest)?),
            "ended" => Self::Ended(Outcome::from_exit(rest.parse().ok()?)),
            "killed" => {
                let (word, ms) = rest.split_once(' ')?;
                let how = match word {
                    "timed_out" => How::TimedOut(Millis(ms.parse().ok()?)),
                    "cancelled" => How::Cancelled,
                    _ => return None,
                };
                Self::Ended(Outcome::Failed { how })
            }
            "gone" => Self::Ended(Outcome::Failed { how: How::Vanished }),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_read_as_they_are_written() {
        let hello = Hello::read("hello 1 17 jobs 3f-9 0").unwrap();
        assert_eq!((hello.pid, hello.boot.as_deref(), hello.uid), (17, Some("3f-9"), Some(0)));
        assert_eq!(Hello::read("hello 2 17 jobs - -"), None);
        let group = Group { pid: 5, pgid: 6, start: "99".into() };
        assert_eq!(Receipt::read("running 5 6 99"), Some(Receipt::Running(group.clone())));
        assert_eq!(Receipt::read("ending 5 6 99"), Some(Receipt::Running(group)));
        assert_eq!(Receipt::read("ended 0"), Some(Receipt::Ended(Outcome::Succeeded)));
        assert_eq!(Receipt::read("ended 3"), Some(Receipt::Ended(Outcome::from_exit(3))));
        let timed_out = Outcome::Failed { how: How::TimedOut(Millis(250)) };
        assert_eq!(Receipt::read("killed timed_out 250"), Some(Receipt::Ended(timed_out)));
        assert_eq!(Receipt::read("void proven"), Some(Receipt::NeverStarted));
        assert!(matches!(Receipt::read("void lost"), Some(Receipt::Lost(_))));
        assert_eq!(Receipt::read("killed"), None);
        assert_eq!(End::read("7 1"), Some(End { status: 7, left: true }));
    }
}
