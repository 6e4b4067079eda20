//! What jobs print while they run, pieced together into safe lines.

use super::display::Stream;
use super::escape::Pieces;
use crate::model::event::Job;
use std::collections::BTreeMap;

/// Streams of jobs that run, each with the beginning of a line that is not whole yet.
#[derive(Debug, Default)]
pub struct Chatter {
    open: BTreeMap<(Job, Stream), Pieces>,
}

impl Chatter {
    /// Takes bytes of a job, and returns the lines that they complete.
    pub fn take(&mut self, job: Job, stream: Stream, bytes: &[u8]) -> Vec<String> {
        let mut whole = Vec::new();
        self.open.entry((job, stream)).or_default().take(bytes, |line| whole.push(line));
        whole
    }
    /// The job ended: what is left of its last lines.
    pub fn end(&mut self, job: Job) -> Vec<String> {
        [Stream::Out, Stream::Err]
            .into_iter()
            .filter_map(|stream| self.open.remove(&(job, stream)))
            .filter_map(|mut pieces| pieces.end())
            .collect()
    }
}
