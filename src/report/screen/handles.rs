//! The ends at which a screen is written to: lines for people, drawings on a terminal, events for programs.

use super::desk::Desk;
use super::queue::Face;
use crate::report::ndjson::Lines;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;

/// Lines for people. Whole ones are left out when nobody reads them; one that is not ended (a question) is not.
#[derive(Debug)]
pub struct Said {
    to: Arc<Desk>,
    begun: Vec<u8>,
}

/// What is drawn on a terminal.
#[derive(Debug)]
pub(super) struct Drawn(pub Arc<Desk>);

/// Events for programs.
#[derive(Debug)]
pub struct Events(pub(super) Arc<Desk>);

impl Said {
    pub(super) fn to(to: Arc<Desk>) -> Self {
        Self { to, begun: Vec::new() }
    }
}

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begun.extend_from_slice(bytes);
        if let Some(end) = memchr::memrchr(b'\n', &self.begun) {
            let rest = self.begun.split_off(end + 1);
            self.to.lines(&std::mem::replace(&mut self.begun, rest));
        }
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        self.to.put(Face::Err, &std::mem::take(&mut self.begun));
        Ok(())
    }
}

impl Write for Drawn {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.put(Face::Err, bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsRawFd for Drawn {
    fn as_raw_fd(&self) -> RawFd {
        io::stderr().as_raw_fd()
    }
}

impl Lines for Events {
    fn event(&mut self, seq: u64, line: &str) -> io::Result<()> {
        self.0.event(seq, line);
        Ok(())
    }
    fn last(&mut self, line: &str) -> io::Result<()> {
        self.0.put(Face::Out, format!("{line}\n").as_bytes());
        Ok(())
    }
}
