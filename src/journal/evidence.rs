//! Files that prove something or that undo needs: kept whole, hashed, never overwritten, and named so that no
//! host can make us write anywhere else.

use super::error::{JournalError, cannot};
use super::files::{create_new, make_dir, sync_dir};
use super::line::Hash;
use super::run_dir::RunDir;
use crate::model::event::Evidence;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufRead, Write};
use std::path::{Component, Path, PathBuf};

/// Rule sets, service states, small dumps: what a snapshot is for. A larger one belongs on the host.
pub const SNAPSHOT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Log files and disk samples of an incident; whole disk images belong on other tools.
pub const EVIDENCE_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;

/// Large files are read in pieces of this size.
const READ_BYTES: usize = 256 * 1024;

/// Leaves room for `~999.part` within the 255 bytes of most file systems.
const NAME_BYTES_MAX: usize = 160;

/// Files of one task that would have the same name.
const SAME_NAME_MAX: u32 = 999;

/// A file on its way: it has its name only when it is whole. Dropped before that, it is gone.
#[derive(Debug)]
pub struct WholeFile {
    part: PathBuf,
    wanted: PathBuf,
    file: File,
    hasher: Sha256,
    bytes: u64,
    limit: u64,
}

/// A file that is whole and on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: Hash,
}

/// Begins a file of evidence: `evidence/<task>/<name>`. `name` may be anything, such as a path on the host.
pub fn evidence_file(run: &RunDir, task: &str, name: &str) -> Result<WholeFile, JournalError> {
    WholeFile::create(&run.evidence_dir().join(safe_name(task)), &safe_name(name), EVIDENCE_BYTES_MAX)
}

/// Begins a snapshot for undo: `snapshots/<task>/<attempt>`.
pub fn snapshot_file(run: &RunDir, task: &str, attempt: u32) -> Result<WholeFile, JournalError> {
    WholeFile::create(&run.snapshots_dir().join(safe_name(task)), &attempt.to_string(), SNAPSHOT_BYTES_MAX)
}

/// Is a file of evidence in the run's directory, as it was when it came? The error says what is wrong with it.
pub fn check(run: &RunDir, file: &Evidence) -> Result<(), String> {
    let path = run.path().join(&file.file);
    let trouble = |error: io::Error| format!("evidence {}: {error}", file.file);
    let plain = std::fs::symlink_metadata(&path).map_err(trouble)?.is_file();
    let below = Path::new(&file.file).components().all(|part| matches!(part, Component::Normal(_)));
    if !plain || !below {
        return Err(format!("evidence {}: it is no plain file of the run", file.file));
    }
    let mut hasher = Sha256::new();
    let mut reader = io::BufReader::with_capacity(READ_BYTES, File::open(&path).map_err(trouble)?);
    loop {
        let bytes = reader.fill_buf().map_err(trouble)?;
        let len = bytes.len();
        hasher.update(bytes);
        reader.consume(len);
        if len == 0 {
            break;
        }
    }
    match Hash::from_digest(hasher.finalize().as_slice()).as_str() == file.sha256 {
        true => Ok(()),
        false => Err(format!("evidence {}: it is not what was fetched: its SHA-256 is another", file.file)),
    }
}

/// A file name that says what `given` says and cannot do anything else: letters and digits of any script and
/// `.-_+=@,%`, never empty, never hidden, never an option, never longer than file systems take.
pub fn safe_name(given: &str) -> String {
    let keep = |c: char| if c.is_alphanumeric() || "._-+=@,%".contains(c) { c } else { '_' };
    let plain: String = given.chars().map(keep).collect();
    let plain = plain.trim_start_matches(['.', '-', '_']);
    if plain.is_empty() {
        return "unnamed".to_owned();
    }
    if plain.len() <= NAME_BYTES_MAX {
        return plain.to_owned();
    }
    // What was cut off may be all that tells two names apart; their hashes still do.
    let hash = Hash::of(given.as_bytes());
    let hash = &hash.as_str()[..8];
    let end = (0..=NAME_BYTES_MAX - hash.len() - 1).rev().find(|end| plain.is_char_boundary(*end));
    format!("{}-{hash}", &plain[..end.unwrap_or(0)])
}

/// Creates a file at `path`, or beside it under a name with a number (`name~2`) if something is there.
pub(super) fn create_beside(path: &Path) -> Result<(PathBuf, File), JournalError> {
    first_free(path, "create", create_new)
}

impl WholeFile {
    fn create(dir: &Path, name: &str, limit: u64) -> Result<Self, JournalError> {
        make_dir(dir)?;
        let (part, file) = create_beside(&dir.join(format!("{name}.part")))?;
        Ok(Self { part, wanted: dir.join(name), file, hasher: Sha256::new(), bytes: 0, limit })
    }

    /// Takes the next bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
        self.bytes += bytes.len() as u64;
        if self.bytes > self.limit {
            return Err(JournalError::TooLarge { file: self.wanted.clone(), limit: self.limit });
        }
        self.hasher.update(bytes);
        self.file.write_all(bytes).map_err(cannot("write", &self.part))
    }

    /// Gives the file its name, once all of it is on disk.
    pub fn finish(self) -> Result<Whole, JournalError> {
        if self.bytes > self.limit {
            return Err(JournalError::TooLarge { file: self.wanted.clone(), limit: self.limit });
        }
        self.file.sync_all().map_err(cannot("sync", &self.part))?;
        // A link never overwrites. The name with `.part` goes when `self` is dropped.
        let (path, ()) = first_free(&self.wanted, "create", |path| std::fs::hard_link(&self.part, path))?;
        let dir = path.parent().unwrap_or(Path::new("."));
        sync_dir(dir)?;
        sync_dir(dir.parent().unwrap_or(Path::new(".")))?;
        Ok(Whole {
            path,
            bytes: self.bytes,
            sha256: Hash::from_digest(self.hasher.clone().finalize().as_slice()),
        })
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        // Whole or not, this name is done with; if it cannot be removed it still says `.part`.
        let _ = std::fs::remove_file(&self.part);
    }
}

fn first_free<T>(
    path: &Path,
    doing: &'static str,
    make: impl Fn(&Path) -> io::Result<T>,
) -> Result<(PathBuf, T), JournalError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for number in 1..=SAME_NAME_MAX {
        let candidate = match number {
            1 => path.to_owned(),
            number => path.with_file_name(format!("{name}~{number}")),
        };
        match make(&candidate) {
            Ok(made) => return Ok((candidate, made)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(cannot(doing, &candidate)(error)),
        }
    }
    Err(cannot(doing, path)(io::Error::other(format!(
        "{SAME_NAME_MAX} files of that name are there already"
    ))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_climb_hide_or_deceive() {
        for (given, safe) in [
            ("/var/log/auth.log", "var_log_auth.log"),
            ("../../etc/passwd", "etc_passwd"),
            ("..", "unnamed"),
            (".", "unnamed"),
            ("", "unnamed"),
            ("/", "unnamed"),
            ("a\0b\nc\x1b[31m", "a_b_c__31m"),
            ("-rf", "rf"),
            (".bashrc", "bashrc"),
            ("C:\\Windows\\win.ini", "C__Windows_win.ini"),
            ("harmless\u{202e}gpj.exe", "harmless_gpj.exe"),
            ("zero\u{200b}width", "zero_width"),
            ("記録 帳.log", "記録_帳.log"),
            ("a/../b", "a_.._b"),
            ("x~2", "x_2"),
        ] {
            assert_eq!(safe_name(given), safe, "{given:?}");
        }
    }

    #[test]
    fn long_names_are_cut_between_letters_and_stay_different() {
        let (one, two) = ("帳".repeat(200) + "1", "帳".repeat(200) + "2");
        assert!(safe_name(&one).len() <= NAME_BYTES_MAX);
        assert_ne!(safe_name(&one), safe_name(&two));
        assert_eq!(safe_name(&one), safe_name(&one));
        let just = "a".repeat(NAME_BYTES_MAX);
        assert_eq!(safe_name(&just), just);
    }
}
