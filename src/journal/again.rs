//! Reads records again, one after the other, that this process wrote: for a reader that could not keep up. Keeps one
//! line in memory, and trusts the file; whoever must not uses [`RunDir::read`].

use super::error::{JournalError, cannot};
use super::line::Line;
use super::run_dir::RunDir;
use crate::model::{Event, Time};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;

/// The records of a journal, read again.
#[derive(Debug)]
pub struct Again {
    path: PathBuf,
    file: Option<BufReader<File>>,
    /// The number of the line that comes next.
    next: u64,
}

impl RunDir {
    /// Reads the journal again while it grows. Opens it when it is first needed.
    pub fn again(&self) -> Again {
        Again { path: self.journal_path(), file: None, next: 0 }
    }
}

impl Again {
    /// The record of this number, which is greater than every one that was asked for before.
    pub fn record(&mut self, seq: u64) -> Result<(Time, Event), JournalError> {
        assert!(seq >= self.next, "a journal is read again from its beginning to its end");
        let line = self.line(seq).map_err(cannot("read", &self.path))?;
        let unreadable = |because: String| JournalError::Unreadable { file: self.path.clone(), because };
        match serde_json::from_slice::<Line>(&line) {
            Ok(line) if line.seq == seq => Ok((line.at, line.event)),
            Ok(line) => Err(unreadable(format!("line {} has the number {}", seq + 1, line.seq))),
            Err(error) => Err(unreadable(error.to_string())),
        }
    }

    fn line(&mut self, seq: u64) -> io::Result<Vec<u8>> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(BufReader::new(File::open(&self.path)?)),
        };
        let mut line = Vec::new();
        while self.next <= seq {
            line.clear();
            file.read_until(b'\n', &mut line)?;
            if !line.ends_with(b"\n") {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.next += 1;
        }
        Ok(line)
    }
}
