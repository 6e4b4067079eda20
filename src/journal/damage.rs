//! What is wrong with a journal that is not as it was written.

use super::line::peek;
use std::fmt;

/// The ways in which a line can be out of order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Damage {
    /// This line, or one before it together with its hash, was altered.
    Edited,
    /// This is no line of a journal at all.
    NotALine,
    /// Lines that should stand before this one are nowhere in the file.
    Missing {
        /// Number of the first one, counting from 0 as `seq` does.
        from: u64,
        /// Number of the last one.
        to: u64,
    },
    /// This line stands too early or too late; all lines before it are in order.
    Moved {
        /// Its number.
        seq: u64,
    },
    /// The same line stood in the file before.
    Repeated {
        /// Its number.
        seq: u64,
    },
    /// The chain is whole, but the line says something that no journal says.
    Senseless {
        /// What.
        because: String,
    },
}

/// Finds out why the line at `start` of `file` does not follow from the lines before it.
pub(super) fn diagnose(file: &[u8], start: usize, line: &[u8], expected: u64) -> Damage {
    let Some((_, seq)) = peek(line) else {
        return Damage::NotALine;
    };
    let mut before = whole_lines(&file[..start]);
    let mut after = whole_lines(&file[start..]).skip(1);
    match seq.cmp(&expected) {
        std::cmp::Ordering::Equal => Damage::Edited,
        std::cmp::Ordering::Less if before.any(|earlier| earlier == line) => Damage::Repeated { seq },
        std::cmp::Ordering::Less => Damage::Moved { seq },
        std::cmp::Ordering::Greater
            if after.any(|later| peek(later).is_some_and(|(_, seq)| seq == expected)) =>
        {
            Damage::Moved { seq }
        }
        std::cmp::Ordering::Greater => Damage::Missing { from: expected, to: seq - 1 },
    }
}

/// The lines of `text` that end with a newline, without it.
fn whole_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"))
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Edited => f.write_str("edited: its hash does not fit the line and those before it"),
            Damage::NotALine => f.write_str("edited: this is not a line of a journal"),
            Damage::Missing { from, to } if from == to => {
                write!(f, "a hole: the record with seq {from} is missing before this line")
            }
            Damage::Missing { from, to } => {
                write!(f, "a hole: the records with seq {from} to {to} are missing before this line")
            }
            Damage::Moved { seq } => write!(f, "reordered: the record with seq {seq} does not belong here"),
            Damage::Repeated { seq } => write!(f, "duplicated: the record with seq {seq} stands here again"),
            Damage::Senseless { because } => write!(f, "makes no sense: {because}"),
        }
    }
}
