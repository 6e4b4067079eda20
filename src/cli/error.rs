//! Every way a command can end, and the one place that turns it into words and an exit code.

use crate::journal::JournalError;
use crate::model::Problems;
use crate::model::place::Sources;
use std::process::ExitCode;

/// The documented exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All went well.
    Completed = 0,
    /// Something nobody foresaw.
    Unexpected = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// Problems in runbook or inventory.
    Problems = 10,
    /// Runbook or inventory changed since the plan was frozen.
    Drifted = 11,
    /// The plan would lock the operator out, or leave a path open that it claims to close.
    Unsafe = 12,
    /// Failed, and taken back.
    RolledBack = 20,
    /// A person must look.
    Stuck = 21,
    /// Stopped; can be resumed.
    Stopped = 22,
    /// A person said no.
    Refused = 23,
    /// A drill ended well, and missed an objective.
    Missed = 24,
    /// By a policy, something is overdue.
    Overdue = 25,
    /// The journal cannot be written or is broken.
    Journal = 30,
    /// Another process has the run.
    Locked = 31,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Why a command ended without doing its work.
#[derive(Debug)]
pub enum CliError {
    /// Files have problems; all of them, and the texts to quote from.
    Problems(Problems, Sources),
    /// What `-e`, `--limit`, `--phase` or `--until` ask for does not fit the runbook and the inventory.
    Choices(Problems, Sources),
    /// The plan can be carried out, and should not be.
    Unsafe(Problems, Sources),
    /// The journal says no.
    Journal(JournalError),
    /// Somebody closed our stdout (`| head`): nothing to say, and nobody to say it to.
    Closed,
    /// Anything else: exit code, trouble, next move.
    Plain {
        /// The exit code.
        exit: Exit,
        /// Names the thing, then the trouble.
        what: String,
        /// The next move.
        hint: Option<String>,
    },
}

impl CliError {
    /// A command line that makes no sense.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::with(Exit::Usage, what)
    }
    /// An error with a code.
    pub fn with(exit: Exit, what: impl Into<String>) -> Self {
        Self::Plain { exit, what: what.into(), hint: None }
    }
    /// Adds the next move.
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        if let Self::Plain { hint, .. } = &mut self {
            *hint = Some(text.into());
        }
        self
    }
    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Problems(..) => Exit::Problems,
            Self::Choices(..) => Exit::Usage,
            Self::Unsafe(..) => Exit::Unsafe,
            Self::Closed => Exit::Completed,
            Self::Journal(error) => super::files::journal_exit(error),
            Self::Plain { exit, .. } => *exit,
        }
    }
    /// What is wrong, in a line. What files have wrong with them is said where they can be quoted.
    pub fn what(&self) -> String {
        match self {
            Self::Closed => String::new(),
            Self::Problems(problems, _) | Self::Choices(problems, _) | Self::Unsafe(problems, _) => {
                problems.0.first().map_or_else(String::new, |problem| problem.what.clone())
            }
            Self::Journal(error) => error.to_string(),
            Self::Plain { what, .. } => what.clone(),
        }
    }
    /// To stderr, in words.
    pub fn print(&self) {
        match self {
            Self::Closed => {}
            Self::Problems(problems, sources)
            | Self::Choices(problems, sources)
            | Self::Unsafe(problems, sources) => super::problems::print(problems, sources),
            Self::Journal(error) => super::printer::error(&error.to_string(), error.hint().as_deref()),
            Self::Plain { what, hint, .. } => super::printer::error(what, hint.as_deref()),
        }
    }
}

impl From<JournalError> for CliError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::with(Exit::Unexpected, error.to_string()),
        }
    }
}
