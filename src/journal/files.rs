//! Files and directories that only their owner can read, and that are on disk when we say so.

use super::error::{JournalError, cannot};
use std::fs::{DirBuilder, File, OpenOptions, metadata};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Runs hold rule sets, output and evidence: nobody else's business.
const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;
/// The right to write, of the group and of everybody.
const OTHERS_WRITE: u32 = 0o022;
const ROOT: u32 = 0;

/// Creates a directory and those above it; one that is there is left as it is.
pub(super) fn make_dir(path: &Path) -> Result<(), JournalError> {
    let made = DirBuilder::new().recursive(true).mode(DIR_MODE).create(path);
    made.map_err(cannot("create the directory", path))
}

/// Refuses a directory that others than its user and root may write to. What lies there says what to undo, what was
/// answered, and what was done.
pub(super) fn must_be_ours(path: &Path) -> Result<(), JournalError> {
    let about = metadata(path).map_err(cannot("look at the directory", path))?;
    let us = rustix::process::geteuid().as_raw();
    let shown =
        shlex::try_quote(&path.to_string_lossy()).map_or_else(|_| "DIR".to_owned(), |word| word.into_owned());
    let (because, remedy) = if about.uid() != us && about.uid() != ROOT {
        (
            format!("it belongs to user {}, and this is user {us}", about.uid()),
            "run blackstart as that user, or give another directory with --state DIR or $BLACKSTART_STATE"
                .to_owned(),
        )
    } else if about.mode() & OTHERS_WRITE != 0 {
        (
            format!("others may write to it (mode {:04o})", about.mode() & 0o7777),
            format!("`chmod 700 {shown}`, when you have seen that nothing strange lies in it"),
        )
    } else {
        return Ok(());
    };
    Err(JournalError::Exposed { path: path.to_owned(), because, remedy })
}

/// Creates a file that must not be there yet.
pub(super) fn create_new(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(FILE_MODE).open(path)
}

/// Opens a file for reading and writing, creating it if need be.
pub(super) fn open_or_create(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(FILE_MODE).open(path)
}

/// Writes a whole file that must not be there yet, and syncs it (but not its directory).
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), JournalError> {
    let mut file = create_new(path).map_err(cannot("create", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(cannot("write", path))
}

/// Makes renames, creations and removals in a directory durable.
pub(super) fn sync_dir(path: &Path) -> Result<(), JournalError> {
    File::open(path).and_then(|dir| dir.sync_all()).map_err(cannot("sync the directory", path))
}
