//! The directory that holds all runs of this controller.

use super::error::{JournalError, cannot};
use super::files::{make_dir, must_be_ours, sync_dir, write_new};
use super::run_dir::RunDir;
use super::summary::Summary;
use crate::model::names::{RunId, is_name};
use crate::model::problem::nearest;
use crate::plan::frozen::Origin;
use std::io;
use std::path::{Path, PathBuf};

/// A run whose directory is still being built is named so, and is nobody's run.
const UNFINISHED: &str = ".new-";

/// The word that stands for the newest run.
const LAST: &str = "last";

/// The directory that holds all runs of this controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// Opens the directory, creating it for its owner alone if it is not there. Reading runs needs no right to
    /// write, so that evidence on a read-only disk can be looked at.
    pub fn open(root: &Path) -> Result<Store, JournalError> {
        if !root.is_dir() {
            make_dir(root)?;
        }
        std::fs::read_dir(root).map_err(cannot("read the directory", root))?;
        Ok(Store { root: root.to_owned() })
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Creates a run's directory, whole or not at all. `plan_json` is kept to the byte: its SHA-256 is the
    /// plan's hash, and `run` is what the first event must say.
    pub fn create(&self, run: &RunId, plan_json: &str, origin: &Origin) -> Result<RunDir, JournalError> {
        assert!(is_name(run.as_str()), "a run's id is a file name");
        must_be_ours(&self.root)?;
        let path = self.root.join(run.as_str());
        if path.exists() {
            return Err(cannot("create the run", &path)(io::ErrorKind::AlreadyExists.into()));
        }
        let unfinished = self.root.join(format!("{UNFINISHED}{run}"));
        let built = build(&unfinished, run, plan_json, origin).and_then(|()| {
            std::fs::rename(&unfinished, &path).map_err(cannot("create the run", &path))?;
            sync_dir(&self.root)
        });
        if let Err(error) = built {
            // The trouble is in hand already; what cannot be removed either is nobody's run.
            let _ = std::fs::remove_dir_all(&unfinished);
            return Err(error);
        }
        Ok(RunDir::new(path, run.clone()))
    }

    /// Finds a run by `last`, by how its id begins or, because ids of one hour begin alike, by how it ends.
    pub fn find(&self, wanted: &str) -> Result<RunDir, JournalError> {
        let ids = self.ids()?;
        let newest_first = || ids.iter().rev().cloned();
        let mut found: Vec<RunId> = match wanted {
            "" => Vec::new(),
            LAST => newest_first().take(1).collect(),
            _ => newest_first().filter(|id| id.as_str().starts_with(wanted)).collect(),
        };
        if found.is_empty() && !wanted.is_empty() {
            found = newest_first().filter(|id| id.as_str().ends_with(wanted)).collect();
        }
        match <[RunId; 1]>::try_from(found) {
            Ok([id]) => Ok(RunDir::new(self.root.join(id.as_str()), id)),
            Err(none) if none.is_empty() => {
                let near = nearest(wanted, ids.iter().map(RunId::as_str)).map(RunId::from);
                let (wanted, root) = (wanted.to_owned(), self.root.clone());
                Err(JournalError::NoSuchRun { wanted, root, near: near.into_iter().collect() })
            }
            Err(candidates) => Err(JournalError::Ambiguous { wanted: wanted.to_owned(), candidates }),
        }
    }

    /// All runs, oldest first. A run that cannot be read is listed as broken, not left out.
    pub fn list(&self) -> Result<Vec<Summary>, JournalError> {
        Ok(self.ids()?.iter().map(|id| Summary::of(&self.run_named(id))).collect())
    }

    /// The directory of a run of which the id is known.
    pub fn run_named(&self, id: &RunId) -> RunDir {
        RunDir::new(self.root.join(id.as_str()), id.clone())
    }

    /// The ids of all runs, oldest first.
    pub fn ids(&self) -> Result<Vec<RunId>, JournalError> {
        let mut ids = Vec::new();
        for entry in std::fs::read_dir(&self.root).map_err(cannot("read the directory", &self.root))? {
            let entry = entry.map_err(cannot("read the directory", &self.root))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if is_name(&name) && entry.path().is_dir() {
                ids.push(RunId(name));
            }
        }
        ids.sort_unstable();
        Ok(ids)
    }
}

fn build(at: &Path, run: &RunId, plan_json: &str, origin: &Origin) -> Result<(), JournalError> {
    let dir = RunDir::new(at.to_owned(), run.clone());
    make_dir(at)?;
    for part in [dir.out_dir(), dir.snapshots_dir(), dir.evidence_dir(), dir.inbox_dir()] {
        make_dir(&part)?;
    }
    let origin = serde_json::to_vec_pretty(origin).expect("an origin is texts and a time");
    write_new(&dir.plan_path(), plan_json.as_bytes())?;
    write_new(&dir.origin_path(), &origin)?;
    write_new(&dir.lock_path(), b"")?;
    write_new(&dir.journal_path(), b"")?;
    sync_dir(at)
}
