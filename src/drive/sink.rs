//! Where a job's output goes: scrubbed, into files, its last lines kept for the journal, live to the screen.

use crate::drive::scrub::{Scrubber, Stream};
use crate::journal::OutFile;
use crate::journal::evidence::WholeFile;
use crate::model::event::{Facts, Job};
use crate::report::display;
use crate::report::escape;
use crate::transport::work::Sink;
use std::collections::VecDeque;

/// Enough for an error message and the line before it.
const TAIL_BYTES_MAX: usize = 1024;

/// Live output, if somebody looks.
pub type Watcher = Box<dyn Fn(Job, display::Stream, &[u8])>;

/// Takes one job's output.
pub struct JobSink {
    job: Job,
    out: Half,
    err: Half,
    file: OutFile,
    watcher: Option<Watcher>,
    /// A snapshot is kept whole and as it is: undo needs the very bytes.
    whole: Option<WholeFile>,
    whole_trouble: Option<String>,
}

struct Half {
    scrub: Stream,
    tail: VecDeque<u8>,
}

impl Half {
    fn keep(&mut self, bytes: &[u8]) {
        let skip = bytes.len().saturating_sub(TAIL_BYTES_MAX);
        self.tail.extend(&bytes[skip..]);
        let over = self.tail.len().saturating_sub(TAIL_BYTES_MAX);
        self.tail.drain(..over);
    }
}

impl JobSink {
    /// A sink for `job`.
    pub fn new(job: Job, scrubber: &Scrubber, file: OutFile, watcher: Option<Watcher>) -> Self {
        let half = || Half { scrub: scrubber.stream(), tail: VecDeque::new() };
        Self { job, out: half(), err: half(), file, watcher, whole: None, whole_trouble: None }
    }

    /// Also keeps stdout, whole and unscrubbed, in `file`.
    pub fn keeping_whole(mut self, file: WholeFile) -> Self {
        self.whole = Some(file);
        self
    }

    /// Ends the streams; what came of them. `Err` if what had to be kept whole could not be.
    pub fn finish(mut self) -> (Facts, Result<(), String>) {
        let (out, err) = (self.out.scrub.end(), self.err.scrub.end());
        self.take_out(&out);
        self.take_err(&err);
        let kept = self.file.finish();
        if let Some(trouble) = &kept.trouble {
            tracing::warn!(%trouble, "a job's output could not be kept");
        }
        let tail = if self.err.tail.is_empty() { self.out.tail } else { self.err.tail };
        let facts = Facts {
            stdout_bytes: kept.stdout_bytes,
            stderr_bytes: kept.stderr_bytes,
            dropped_bytes: kept.dropped_bytes,
            tail: tail_text(tail),
            ..Facts::default()
        };
        let whole = match (self.whole_trouble, self.whole) {
            (Some(trouble), _) => Err(trouble),
            (None, Some(file)) => file.finish().map(drop).map_err(|error| error.to_string()),
            (None, None) => Ok(()),
        };
        (facts, whole)
    }

    fn take_out(&mut self, clean: &[u8]) {
        self.out.keep(clean);
        self.file.out(clean);
        if let Some(watch) = &self.watcher {
            watch(self.job, display::Stream::Out, clean);
        }
    }

    fn take_err(&mut self, clean: &[u8]) {
        self.err.keep(clean);
        self.file.err(clean);
        if let Some(watch) = &self.watcher {
            watch(self.job, display::Stream::Err, clean);
        }
    }
}

/// The last lines, safe to show anywhere. A first line that was cut in the middle is still worth its end.
fn tail_text(tail: VecDeque<u8>) -> String {
    let text = String::from_utf8_lossy(&Vec::from(tail)).into_owned();
    escape::lines(&text).collect::<Vec<_>>().join("\n")
}

impl Sink for JobSink {
    fn out(&mut self, bytes: &[u8]) {
        match &mut self.whole {
            // A snapshot may hold secrets; it is in its own file, and nowhere else.
            Some(file) => {
                if let Err(error) = file.write(bytes) {
                    self.whole_trouble.get_or_insert_with(|| error.to_string());
                }
            }
            None => {
                let clean = self.out.scrub.feed(bytes);
                self.take_out(&clean);
            }
        }
    }

    fn err(&mut self, bytes: &[u8]) {
        let clean = self.err.scrub.feed(bytes);
        self.take_err(&clean);
    }
}
