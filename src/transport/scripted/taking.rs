//! Takes what a made-up host gives into a file, with its hash.

use crate::transport::work::Sink;
use sha2::{Digest, Sha256};
use std::io::Write;

pub(super) struct Taking<'a> {
    pub(super) into: &'a mut dyn Write,
    pub(super) sink: &'a mut dyn Sink,
    pub(super) hash: Sha256,
    pub(super) bytes: u64,
    pub(super) error: Option<String>,
}

impl Sink for Taking<'_> {
    fn out(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.hash.update(bytes);
        if let Err(error) = self.into.write_all(bytes) {
            self.error = Some(error.to_string());
        }
    }
    fn err(&mut self, bytes: &[u8]) {
        self.sink.err(bytes);
    }
}
