//! The lock that keeps two processes off one run. It dies with its holder, whatever became of it.

use super::error::{JournalError, cannot};
use super::files::open_or_create;
use crate::model::Time;
use crate::model::names::RunId;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// Whoever lists runs tries each lock for a moment; that moment must not look like a holder.
const LOCK_TRIES: u32 = 20;
const LOCK_TRY_PAUSE: Duration = Duration::from_millis(10);

/// A pid and a newline, with room to spare.
const LOCK_FILE_BYTES_MAX: u64 = 64;

/// Held for as long as this value lives, and while a `Writer` made with it does.
#[derive(Debug)]
pub struct RunLock {
    pub(super) file: File,
    pub(super) run: RunId,
}

impl RunLock {
    /// Takes the lock, and leaves this process's id in the file for people and for `Locked`.
    pub(super) fn take(path: &Path, run: &RunId) -> Result<Self, JournalError> {
        let mut file = open_or_create(path).map_err(cannot("open", path))?;
        for tries_left in (0..LOCK_TRIES).rev() {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(cannot("lock", path)(error)),
                Err(TryLockError::WouldBlock) if tries_left > 0 => std::thread::sleep(LOCK_TRY_PAUSE),
                Err(TryLockError::WouldBlock) => {
                    let (pid, since) = holder(&mut file);
                    return Err(JournalError::Locked { run: run.clone(), pid, since });
                }
            }
        }
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(cannot("write", path))?;
        Ok(Self { file, run: run.clone() })
    }
}

/// Does a process hold the lock? If so, which, as far as it said.
pub(super) fn held_by(path: &Path) -> Option<Option<u32>> {
    let mut file = File::open(path).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(holder(&mut file).0),
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

fn holder(file: &mut File) -> (Option<u32>, Option<Time>) {
    let since = file.metadata().and_then(|data| data.modified()).ok();
    let since = since.and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map(|at| Time(at.as_millis() as u64));
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(LOCK_FILE_BYTES_MAX).read_to_string(&mut text));
    (read.ok().and_then(|_| text.trim().parse().ok()), since)
}
