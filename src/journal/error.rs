//! Everything that can go wrong with a run's directory, each with the place and the next move.

use super::damage::Damage;
use crate::model::Time;
use crate::model::names::RunId;
use std::io;
use std::path::{Path, PathBuf};

/// What is wrong with a run's directory.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system refused.
    #[error("{}: cannot {doing}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was tried: `write`, `create the directory`.
        doing: &'static str,
        /// What it said.
        source: io::Error,
    },
    /// A line of the journal is out of order.
    #[error("{}:{line}: {damage}", file.display())]
    Damaged {
        /// The journal.
        file: PathBuf,
        /// The first line that is out of order, counting from 1.
        line: u64,
        /// In which way.
        damage: Damage,
    },
    /// The plan is not the one that the journal was begun with.
    #[error("{}: edited: its SHA-256 is {found}, but the journal beside it was begun with {expected}", file.display())]
    PlanChanged {
        /// The plan.
        file: PathBuf,
        /// What the journal says.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A newer program wrote this.
    #[error("{}: written in format {found} by a newer blackstart; this one reads formats up to {known}", file.display())]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that this program knows.
        known: u32,
    },
    /// A file of the run directory other than the journal cannot be understood.
    #[error("{}: {because}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        because: String,
    },
    /// Somebody else may write where runs are kept: whoever does decides what this program reads there.
    #[error("{}: {because}, and what is kept there is relied upon", path.display())]
    Exposed {
        /// The directory.
        path: PathBuf,
        /// Who may, and by what.
        because: String,
        /// What closes it.
        remedy: String,
    },
    /// No run is called that.
    #[error("no run is called `{wanted}` in {}", root.display())]
    NoSuchRun {
        /// What was asked for.
        wanted: String,
        /// Where it was looked for.
        root: PathBuf,
        /// Runs that may have been meant, newest first.
        near: Vec<RunId>,
    },
    /// Several runs are called that.
    #[error("`{wanted}` may be any of {} runs", candidates.len())]
    Ambiguous {
        /// What was asked for.
        wanted: String,
        /// Which ones, newest first.
        candidates: Vec<RunId>,
    },
    /// Another process carries the run on.
    #[error("run {run} is held by {}", holder(*pid, *since))]
    Locked {
        /// The run.
        run: RunId,
        /// The process, if it said.
        pid: Option<u32>,
        /// Since when.
        since: Option<Time>,
    },
    /// A write failed before; what is on disk after the last commit is not known.
    #[error("{}: nothing more is written, because an earlier write failed: {because}", file.display())]
    Poisoned {
        /// The journal.
        file: PathBuf,
        /// What the earlier write said.
        because: String,
    },
    /// A file that must be kept whole is larger than allowed.
    #[error("{}: more than the {limit} bytes that are allowed", file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
}

/// The kinds of trouble, by what the program's exit code says of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The command line named a run that does not exist, or several.
    Usage,
    /// The journal, or something beside it, cannot be written or is not as it was written.
    Broken,
    /// Another process holds the run.
    Locked,
}

impl Kind {
    /// The exit code, as documented.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Usage => 2,
            Kind::Broken => 30,
            Kind::Locked => 31,
        }
    }
}

/// Ids shown in a hint; more would scroll the error away.
const IDS_SHOWN_MAX: usize = 5;

impl JournalError {
    /// Which kind of trouble this is.
    pub fn kind(&self) -> Kind {
        use JournalError::*;
        match self {
            NoSuchRun { .. } | Ambiguous { .. } => Kind::Usage,
            Locked { .. } => Kind::Locked,
            Io { .. } | Damaged { .. } | PlanChanged { .. } | Newer { .. } | Unreadable { .. } => {
                Kind::Broken
            }
            Exposed { .. } | Poisoned { .. } | TooLarge { .. } => Kind::Broken,
        }
    }

    /// The next move.
    pub fn hint(&self) -> Option<String> {
        use JournalError::*;
        Some(match self {
            Io { source, doing, .. }
                if source.kind() == io::ErrorKind::NotFound && doing.starts_with("create") =>
            {
                "that place takes no directory; give another one with --state DIR or $BLACKSTART_STATE".into()
            }
            Io { source, .. } => return io_hint(source).map(str::to_owned),
            Damaged { line, damage: Damage::NotALine | Damage::Senseless { .. }, .. } => format!(
                "if the machine lost its power during the run, line {line} and all after it may never have been committed: \
                 keep a copy of the file, then cut it before that line; otherwise go back to a copy whose head you know"
            ),
            Damaged { .. } => {
                "nothing after this line can be trusted; compare with a copy whose head you know".into()
            }
            PlanChanged { .. } => "put the plan back as it was; a changed plan needs a run of its own".into(),
            Newer { .. } => "use the blackstart that wrote it, or a later one".into(),
            Unreadable { .. } => "put the file back as it was".into(),
            Exposed { remedy, .. } => remedy.clone(),
            NoSuchRun { near, .. } if near.is_empty() => "`blackstart runs` lists them".into(),
            NoSuchRun { near, .. } => format!("did you mean {}?", some_of(near)),
            Ambiguous { candidates, .. } => format!("give more digits of one of {}", some_of(candidates)),
            Locked { pid: Some(pid), .. } => {
                format!("wait for it, or end it with `kill -INT {pid}` and resume the run then")
            }
            Locked { pid: None, .. } => "wait for it to end".into(),
            Poisoned { .. } => "make the disk writable again, then resume the run".into(),
            TooLarge { .. } => "narrow what is kept, or compress it on the host".into(),
        })
    }
}

fn io_hint(error: &io::Error) -> Option<&'static str> {
    Some(match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "give another directory with --state DIR or $BLACKSTART_STATE"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "make room on that disk, or give a directory on another one with --state DIR"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "something else stands in that place; give another directory with --state DIR"
        }
        io::ErrorKind::NotFound => "part of the run directory is gone",
        _ => return None,
    })
}

fn some_of(ids: &[RunId]) -> String {
    let shown: Vec<String> = ids.iter().take(IDS_SHOWN_MAX).map(|id| format!("`{id}`")).collect();
    match ids.len().saturating_sub(IDS_SHOWN_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn holder(pid: Option<u32>, since: Option<Time>) -> String {
    match (pid, since) {
        (Some(pid), Some(since)) => format!("process {pid} since {since}"),
        (Some(pid), None) => format!("process {pid}"),
        (None, _) => "another process".to_owned(),
    }
}

/// Turns an `io::Error` into a `JournalError` that names the thing and the deed.
pub(super) fn cannot<'a>(
    doing: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> JournalError + use<'a> {
    move |source| JournalError::Io { path: path.to_owned(), doing, source }
}
