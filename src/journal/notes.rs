//! Notes beside a journal: one JSON object a line, appended and synced. Whoever writes them knows what they mean.

use super::error::{JournalError, cannot};
use super::files::open_or_create;
use super::lock::RunLock;
use super::run_dir::RunDir;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::path::PathBuf;

/// The end of a file of notes, where more are added. Holds the run's lock for as long as it lives.
#[derive(Debug)]
pub struct Notes {
    file: File,
    path: PathBuf,
    _lock: File,
}

impl RunDir {
    /// What was said at a table, if people played at one.
    pub fn notes_path(&self) -> PathBuf {
        self.path().join("table.jsonl")
    }

    /// All notes; none if there is no such file. A last line that was never synced counts as not written.
    pub fn notes<T: DeserializeOwned>(&self) -> Result<Vec<T>, JournalError> {
        let path = self.notes_path();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(cannot("read", &path)(error)),
        };
        let lines = bytes[..whole(&bytes)].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let read = lines.enumerate().map(|(at, line)| {
            serde_json::from_slice(line).map_err(|error| JournalError::Unreadable {
                file: path.clone(),
                because: format!("line {}: {error}", at + 1),
            })
        });
        read.collect()
    }

    /// Opens the notes at their end, cutting off a last line that was never synced.
    pub fn append_notes(&self, lock: &RunLock) -> Result<Notes, JournalError> {
        assert_eq!(&lock.run, self.id(), "the lock belongs to another run");
        let path = self.notes_path();
        let mut file = open_or_create(&path).map_err(cannot("open for writing", &path))?;
        let end = whole(&std::fs::read(&path).map_err(cannot("read", &path))?) as u64;
        file.set_len(end)
            .and_then(|()| file.seek(SeekFrom::Start(end)))
            .map_err(cannot("cut the torn last line off", &path))?;
        super::files::sync_dir(self.path())?;
        let lock = lock.file.try_clone().map_err(cannot("hold the lock of", &path))?;
        Ok(Notes { file, path, _lock: lock })
    }
}

impl Notes {
    /// Puts notes on disk: one write, one sync.
    pub fn put<T: Serialize>(&mut self, notes: &[T]) -> Result<(), JournalError> {
        if notes.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::new();
        for note in notes {
            serde_json::to_writer(&mut bytes, note).expect("a note has only texts, numbers and lists in it");
            bytes.push(b'\n');
        }
        let written = self.file.write_all(&bytes).and_then(|()| self.file.sync_data());
        written.map_err(cannot("write", &self.path))
    }
}

/// Bytes up to the end of the last whole line.
fn whole(bytes: &[u8]) -> usize {
    memchr::memrchr(b'\n', bytes).map_or(0, |newline| newline + 1)
}
