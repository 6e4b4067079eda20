//! What jobs print, kept within bounds: the beginning and the end of each stream, and how much is missing.

use super::error::{JournalError, cannot};
use super::evidence::{create_beside, safe_name};
use super::files::make_dir;
use super::run_dir::RunDir;
use crate::model::event::JobKind;
use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Bytes kept from the beginning of a stream: more than anybody reads, less than a runaway loop prints.
pub const OUT_HEAD_MAX: u64 = 1024 * 1024;

/// Bytes kept from its end, where errors stand. They wait in memory, so this bounds what a job costs.
pub const OUT_TAIL_MAX: usize = 256 * 1024;

/// The two files of one job: `out/<task>/<kind>-<attempt>.out` and `.err`. A stream that says nothing makes no
/// file. What is printed is evidence and no more: trouble with these files stops no job.
#[derive(Debug)]
pub struct OutFile {
    out: Stream,
    err: Stream,
}

/// What became of a job's output.
#[derive(Debug, Default)]
pub struct Kept {
    /// Bytes of stdout, kept or not.
    pub stdout_bytes: u64,
    /// Bytes of stderr, kept or not.
    pub stderr_bytes: u64,
    /// Bytes that were not kept.
    pub dropped_bytes: u64,
    /// Files that hold the rest.
    pub files: Vec<PathBuf>,
    /// Why some of it could not be kept.
    pub trouble: Option<JournalError>,
}

#[derive(Debug)]
struct Stream {
    path: PathBuf,
    file: Option<(PathBuf, File)>,
    seen: u64,
    head: u64,
    tail: VecDeque<u8>,
    trouble: Option<JournalError>,
}

impl OutFile {
    /// Makes ready to keep a job's output; touches no disk yet. `task` is the task's name in file names, such
    /// as `17-cut-isp`.
    pub fn create(run: &RunDir, task: &str, kind: JobKind, attempt: u32) -> Self {
        let dir = run.out_dir().join(safe_name(task));
        let stream = |end| Stream::new(dir.join(format!("{kind}-{attempt}.{end}")));
        Self { out: stream("out"), err: stream("err") }
    }
    /// Takes bytes of stdout.
    pub fn out(&mut self, bytes: &[u8]) {
        self.out.take(bytes);
    }
    /// Takes bytes of stderr.
    pub fn err(&mut self, bytes: &[u8]) {
        self.err.take(bytes);
    }
    /// Writes what is still in memory and says what was kept.
    pub fn finish(mut self) -> Kept {
        let mut kept = Kept { stdout_bytes: self.out.seen, stderr_bytes: self.err.seen, ..Kept::default() };
        for stream in [&mut self.out, &mut self.err] {
            kept.dropped_bytes += stream.end();
            kept.files.extend(stream.file.take().map(|(path, _)| path));
            kept.trouble = kept.trouble.or(stream.trouble.take());
        }
        kept
    }
}

impl Stream {
    fn new(path: PathBuf) -> Self {
        Self { path, file: None, seen: 0, head: 0, tail: VecDeque::new(), trouble: None }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.seen += bytes.len() as u64;
        if self.trouble.is_some() {
            return;
        }
        let room = usize::try_from(OUT_HEAD_MAX - self.head).unwrap_or(usize::MAX);
        let (head, rest) = bytes.split_at(room.min(bytes.len()));
        self.head += self.put(head);
        let rest = &rest[rest.len().saturating_sub(OUT_TAIL_MAX)..];
        let surplus = (self.tail.len() + rest.len()).saturating_sub(OUT_TAIL_MAX);
        self.tail.drain(..surplus);
        self.tail.extend(rest);
    }

    /// Writes the tail, and returns how many bytes were not kept.
    fn end(&mut self) -> u64 {
        let tail = std::mem::take(&mut self.tail);
        let missing = self.seen - self.head - tail.len() as u64;
        if self.trouble.is_none() && missing > 0 {
            self.put(format!("\n[blackstart: {missing} bytes are left out here]\n").as_bytes());
        }
        let (front, back) = tail.as_slices();
        let kept = self.head + self.put(front) + self.put(back);
        self.seen - kept
    }

    /// Writes bytes and returns how many; none after the first trouble.
    fn put(&mut self, bytes: &[u8]) -> u64 {
        if bytes.is_empty() || self.trouble.is_some() {
            return 0;
        }
        match self.try_put(bytes) {
            Ok(()) => bytes.len() as u64,
            Err(trouble) => {
                self.trouble = Some(trouble);
                0
            }
        }
    }

    fn try_put(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
        if self.file.is_none() {
            make_dir(self.path.parent().unwrap_or(Path::new(".")))?;
            self.file = Some(create_beside(&self.path)?);
        }
        match &mut self.file {
            Some((path, file)) => file.write_all(bytes).map_err(cannot("write", path)),
            None => Ok(()),
        }
    }
}
