//! Files and directories that only their owner can read, and that are on disk when we say so.

use super::error::{JournalError, cannot};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Runs hold rule sets, output and evidence: nobody else's business.
const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;

/// Creates a directory and those above it; one that is there is left as it is.
pub(super) fn make_dir(path: &Path) -> Result<(), JournalError> {
    let made = DirBuilder::new().recursive(true).mode(DIR_MODE).create(path);
    made.map_err(cannot("create the directory", path))
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
