//! Appends events to a journal: many in one write and one sync.

use super::error::{JournalError, cannot};
use super::files::{create_new, sync_dir, write_new};
use super::line::{Hash, put};
use super::lock::RunLock;
use super::run_dir::RunDir;
use crate::model::{Event, Time};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// Crashes of one run whose torn bytes are kept apart; a run that crashes more often has other troubles.
const TORN_FILES_MAX: u32 = 10_000;

/// A journal that is to take the place of another one; left over by a crash it is nobody's.
const REWRITTEN: &str = "journal.next";

/// The end of a journal, where events are added. Holds the run's lock for as long as it lives.
#[derive(Debug)]
pub struct Writer {
    file: File,
    path: PathBuf,
    head: Hash,
    records: u64,
    written_bytes: u64,
    /// What was written is on disk.
    synced: bool,
    pending: Vec<u8>,
    poisoned: Option<String>,
    _lock: File,
}

impl RunDir {
    /// Opens the journal at its end, after verifying it.
    pub fn append(&self, lock: &RunLock) -> Result<Writer, JournalError> {
        let end = self.scan(|_| ())?;
        self.append_after(lock, end.records, end.bytes, end.head)
    }

    /// Opens the journal at its end, which is known from a scan made under the same lock. A torn tail is cut
    /// off first, and kept in a file of its own for the record.
    fn append_after(
        &self,
        lock: &RunLock,
        records: u64,
        committed_bytes: u64,
        head: Hash,
    ) -> Result<Writer, JournalError> {
        assert_eq!(&lock.run, self.id(), "the lock belongs to another run");
        let path = self.journal_path();
        let opened = OpenOptions::new().read(true).append(true).open(&path);
        let mut file = opened.map_err(cannot("open for writing", &path))?;
        let bytes = file.metadata().map_err(cannot("look at", &path))?.len();
        if bytes > committed_bytes {
            self.keep_torn_tail(&mut file, committed_bytes)?;
            file.set_len(committed_bytes)
                .and_then(|()| file.sync_all())
                .map_err(cannot("cut the torn last line off", &path))?;
        }
        let lock = lock.file.try_clone().map_err(cannot("hold the lock of", &path))?;
        let (written_bytes, synced, pending, poisoned) = (committed_bytes, true, Vec::new(), None);
        Ok(Writer { file, path, head, records, written_bytes, synced, pending, poisoned, _lock: lock })
    }

    /// Puts another journal in the place of this one, whole or not at all. Only for what was played at a table, where
    /// a decision can be taken back: what happened on hosts is never written twice.
    pub fn rewrite<'a>(
        &self,
        lock: &RunLock,
        events: impl IntoIterator<Item = (Time, &'a Event, Option<String>)>,
    ) -> Result<Writer, JournalError> {
        assert_eq!(&lock.run, self.id(), "the lock belongs to another run");
        let (path, next) = (self.journal_path(), self.path().join(REWRITTEN));
        let (mut lines, mut head) = (Vec::new(), self.plan_hash()?);
        for (seq, (at, event, about)) in events.into_iter().enumerate() {
            head = put(&mut lines, &head, seq as u64, at, event, about.as_deref());
        }
        match std::fs::remove_file(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(cannot("remove", &next)(error));
            }
            Ok(()) | Err(_) => {}
        }
        write_new(&next, &lines)?;
        std::fs::rename(&next, &path).map_err(cannot("replace", &path))?;
        sync_dir(self.path())?;
        self.append(lock)
    }

    fn keep_torn_tail(&self, journal: &mut File, from: u64) -> Result<(), JournalError> {
        let path = self.journal_path();
        let mut torn = Vec::new();
        journal
            .seek(SeekFrom::Start(from))
            .and_then(|_| journal.read_to_end(&mut torn))
            .map_err(cannot("read", &path))?;
        for number in 1..=TORN_FILES_MAX {
            let path = self.path().join(format!("journal.torn-{number}"));
            match create_new(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(cannot("create", &path)(error)),
                Ok(mut file) => {
                    file.write_all(&torn).and_then(|()| file.sync_all()).map_err(cannot("write", &path))?;
                    return sync_dir(self.path());
                }
            }
        }
        Err(cannot("keep the torn last line of", &path)(io::Error::other(format!(
            "there are {TORN_FILES_MAX} files journal.torn-N already"
        ))))
    }
}

impl Writer {
    /// Adds an event; it is not on disk before the next `commit`. `about` is what it is about, for people:
    /// `step@host`.
    pub fn add(&mut self, at: Time, event: &Event, about: Option<&str>) {
        self.head = put(&mut self.pending, &self.head, self.records, at, event, about);
        self.records += 1;
    }

    /// Puts all added events on disk: one write, one sync. After an error it is not known what is on disk, so
    /// every later commit fails too; the journal is whole up to the last commit at least.
    pub fn commit(&mut self) -> Result<(), JournalError> {
        self.attempt(|writer| {
            writer.put_in_file()?;
            writer.sync()
        })
    }

    /// Hands all added events to the system: from here on they outlive this process, and after the next `commit` a loss
    /// of power as well. For what would be told again. After an error every later commit fails too.
    pub fn hand_over(&mut self) -> Result<(), JournalError> {
        self.attempt(Self::put_in_file)
    }

    /// The hash of the last event added; that of the plan before the first one.
    pub fn head(&self) -> &str {
        self.head.as_str()
    }
    /// How many events the journal has, those added since the last commit included.
    pub fn len(&self) -> u64 {
        self.records
    }
    /// Is there no event yet?
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    fn attempt(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        if let Some(because) = &self.poisoned {
            return Err(JournalError::Poisoned { file: self.path.clone(), because: because.clone() });
        }
        work(self).inspect_err(|error| self.poisoned = Some(error.to_string()))
    }

    fn put_in_file(&mut self) -> Result<(), JournalError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let path = &self.path;
        let metadata = self.file.metadata().map_err(cannot("look at", path))?;
        if metadata.nlink() == 0 {
            return Err(cannot("write", path)(io::Error::other("it was deleted under the running process")));
        }
        if metadata.len() != self.written_bytes {
            let (found, expected) = (metadata.len(), self.written_bytes);
            let trouble = format!("somebody else changed it: it has {found} bytes instead of {expected}");
            return Err(cannot("write", path)(io::Error::other(trouble)));
        }
        self.file.write_all(&self.pending).map_err(cannot("write", path))?;
        self.written_bytes += self.pending.len() as u64;
        self.synced = false;
        self.pending.clear();
        Ok(())
    }

    fn sync(&mut self) -> Result<(), JournalError> {
        if !self.synced {
            self.file.sync_data().map_err(cannot("sync", &self.path))?;
            self.synced = true;
        }
        Ok(())
    }
}
