//! The directory of one run: where its files are, its plan, its lock.

use super::error::{JournalError, cannot};
use super::files::must_be_ours;
use super::line::{Hash, peek};
use super::lock::RunLock;
use crate::model::Event;
use crate::model::names::RunId;
use crate::plan::Plan;
use crate::plan::frozen::{Origin, PLAN_VERSION};
use serde::Deserialize;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

/// The first line holds ids, a hash and a login name; what is longer is not a first line.
const FIRST_LINE_BYTES_MAX: u64 = 64 * 1024;

/// The directory of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
    id: RunId,
}

impl RunDir {
    pub(super) fn new(path: PathBuf, id: RunId) -> Self {
        Self { path, id }
    }
    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// The run's id, which is the directory's name.
    pub fn id(&self) -> &RunId {
        &self.id
    }
    /// The frozen plan.
    pub fn plan_path(&self) -> PathBuf {
        self.path.join("plan.json")
    }
    /// Where the plan came from.
    pub fn origin_path(&self) -> PathBuf {
        self.path.join("origin.json")
    }
    /// The journal.
    pub fn journal_path(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }
    /// The lock.
    pub fn lock_path(&self) -> PathBuf {
        self.path.join("lock")
    }
    /// What jobs printed.
    pub fn out_dir(&self) -> PathBuf {
        self.path.join("out")
    }
    /// What undo needs.
    pub fn snapshots_dir(&self) -> PathBuf {
        self.path.join("snapshots")
    }
    /// Files pulled from hosts.
    pub fn evidence_dir(&self) -> PathBuf {
        self.path.join("evidence")
    }
    /// Messages from other processes.
    pub fn inbox_dir(&self) -> PathBuf {
        self.path.join("inbox")
    }

    /// The path of a file of this run as it is written in events: relative to the run directory, with `/`.
    pub fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.path).unwrap_or(path).to_string_lossy().into_owned()
    }

    /// Keeps every other process off this run for as long as the lock lives. A run that others may write to is not
    /// gone on with; looking at it needs no lock.
    pub fn lock(&self) -> Result<RunLock, JournalError> {
        for dir in self.path.parent().into_iter().chain([self.path.as_path(), &self.inbox_dir()]) {
            must_be_ours(dir)?;
        }
        RunLock::take(&self.lock_path(), &self.id)
    }

    /// Is a process carrying this run on? If so, which, as far as it said.
    pub fn held_by(&self) -> Option<Option<u32>> {
        super::lock::held_by(&self.lock_path())
    }

    /// The frozen plan and its hash: the one the journal was begun with, or an error.
    pub fn read_plan(&self) -> Result<(Plan, Hash), JournalError> {
        let file = self.plan_path();
        let json = std::fs::read(&file).map_err(cannot("read", &file))?;
        let hash = Hash::of(&json);
        if let Some(expected) = self.plan_of_first_line()?
            && expected != hash.as_str()
        {
            return Err(JournalError::PlanChanged { file, expected, found: hash.to_string() });
        }
        Ok((parse_plan(&file, &json)?, hash))
    }

    /// The SHA-256 of `plan.json` as it is.
    pub fn plan_hash(&self) -> Result<Hash, JournalError> {
        let file = self.plan_path();
        std::fs::read(&file).map(|json| Hash::of(&json)).map_err(cannot("read", &file))
    }

    /// Where the plan came from.
    pub fn origin(&self) -> Result<Origin, JournalError> {
        let file = self.origin_path();
        let json = std::fs::read(&file).map_err(cannot("read", &file))?;
        serde_json::from_slice(&json)
            .map_err(|error| JournalError::Unreadable { file, because: error.to_string() })
    }

    /// What the journal's first line says of the plan, if there is a first line and it can be understood. What
    /// is wrong with it otherwise is for `read` to say.
    fn plan_of_first_line(&self) -> Result<Option<String>, JournalError> {
        #[derive(Deserialize)]
        struct First {
            event: Event,
        }
        let path = self.journal_path();
        let mut line = Vec::new();
        File::open(&path)
            .and_then(|file| BufReader::new(file).take(FIRST_LINE_BYTES_MAX).read_until(b'\n', &mut line))
            .map_err(cannot("read", &path))?;
        if peek(&line).is_none() || !line.ends_with(b"\n") {
            return Ok(None);
        }
        Ok(match serde_json::from_slice(&line) {
            Ok(First { event: Event::RunStarted { plan, .. } }) => Some(plan),
            Ok(_) | Err(_) => None,
        })
    }
}

fn parse_plan(file: &Path, json: &[u8]) -> Result<Plan, JournalError> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let unreadable = |error: serde_json::Error| JournalError::Unreadable {
        file: file.to_owned(),
        because: error.to_string(),
    };
    let trouble = match serde_json::from_slice::<Plan>(json) {
        Ok(plan) if plan.version <= PLAN_VERSION => return Ok(plan),
        Ok(_) => None,
        Err(error) => Some(error),
    };
    let Versioned { version } = serde_json::from_slice(json).map_err(unreadable)?;
    match trouble {
        Some(error) if version <= PLAN_VERSION => Err(unreadable(error)),
        _ => Err(JournalError::Newer { file: file.to_owned(), found: version, known: PLAN_VERSION }),
    }
}
