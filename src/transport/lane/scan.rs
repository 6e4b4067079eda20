//! Finds frames in a stream of anything, across the seams of its chunks, and leaves every other byte as it was.

use memchr::memmem;
use std::ops::Range;

/// The byte that opens and closes a frame (RS). It may occur anywhere in output; only with the nonce is it ours.
pub const FRAME_BYTE: u8 = 0o36;
/// A frame holds a few words and at most a path or two.
pub const FRAME_BYTES_MAX: usize = 8192;

/// Looks through one stream.
#[derive(Debug, Default)]
pub struct Scanner {
    bytes: Vec<u8>,
    at: usize,
}

/// What comes next in the stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// Somebody's bytes: look them up with `Scanner::bytes`.
    Bytes(Range<usize>),
    /// The words of a frame, without its nonce.
    Frame(String),
    /// More input is needed to tell.
    More,
    /// A frame began and does not end.
    TooLong,
}

impl Scanner {
    /// Takes the next chunk in.
    pub fn push(&mut self, chunk: Vec<u8>) {
        if self.at == self.bytes.len() {
            self.bytes = chunk;
        } else {
            self.bytes.drain(..self.at);
            self.bytes.extend_from_slice(&chunk);
        }
        self.at = 0;
    }

    /// The next piece, looking for frames with this nonce. Without one every byte is somebody's.
    pub fn pull(&mut self, nonce: Option<&str>) -> Piece {
        let rest = &self.bytes[self.at..];
        if rest.is_empty() {
            return Piece::More;
        }
        let Some(nonce) = nonce else { return self.take(rest.len()) };
        let mut marker = Vec::with_capacity(nonce.len() + 2);
        marker.push(FRAME_BYTE);
        marker.extend_from_slice(nonce.as_bytes());
        marker.push(b' ');
        match memmem::find(rest, &marker) {
            Some(0) => match memchr::memchr(FRAME_BYTE, &rest[marker.len()..]) {
                Some(length) => {
                    let words = &rest[marker.len()..marker.len() + length];
                    let words = String::from_utf8_lossy(words).into_owned();
                    self.at += marker.len() + length + 1;
                    Piece::Frame(words)
                }
                None if rest.len() > FRAME_BYTES_MAX => Piece::TooLong,
                None => Piece::More,
            },
            Some(length) => self.take(length),
            None => match rest.len() - open_end(rest, &marker) {
                0 => Piece::More,
                length => self.take(length),
            },
        }
    }

    /// What is held back because it might become a frame; it is not, the stream is over.
    pub fn rest(&mut self) -> Range<usize> {
        let range = self.at..self.bytes.len();
        self.at = self.bytes.len();
        range
    }

    /// The bytes of a piece, until the next `push`.
    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[range]
    }

    fn take(&mut self, length: usize) -> Piece {
        let range = self.at..self.at + length;
        self.at = range.end;
        Piece::Bytes(range)
    }
}

/// How many bytes at the end of `rest` are the beginning of `marker`, whose first byte occurs in it once.
fn open_end(rest: &[u8], marker: &[u8]) -> usize {
    let tail = &rest[rest.len().saturating_sub(marker.len() - 1)..];
    match memchr::memrchr(marker[0], tail) {
        Some(at) if marker.starts_with(&tail[at..]) => tail.len() - at,
        Some(_) | None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(chunks: &[&[u8]], nonce: &str) -> (Vec<u8>, Vec<String>) {
        let (mut scanner, mut bytes, mut frames) = (Scanner::default(), Vec::new(), Vec::new());
        for chunk in chunks {
            scanner.push(chunk.to_vec());
            loop {
                match scanner.pull(Some(nonce)) {
                    Piece::Bytes(range) => bytes.extend_from_slice(scanner.bytes(range)),
                    Piece::Frame(words) => frames.push(words),
                    Piece::More => break,
                    Piece::TooLong => panic!("too long"),
                }
            }
        }
        let rest = scanner.rest();
        bytes.extend_from_slice(scanner.bytes(rest));
        (bytes, frames)
    }

    #[test]
    fn frames_are_found_at_every_seam_and_bytes_left_alone() {
        let stream: &[u8] = b"a\0\x1e\x1eabc \xff\x1eabd x\x1e\x1eabc go 1 2\x1etail\x1eab\x1e";
        let want = (b"a\0\x1e".to_vec(), b"\x1eabd".to_vec());
        for first in 0..stream.len() {
            for second in first..stream.len() {
                let chunks = [&stream[..first], &stream[first..second], &stream[second..]];
                let (bytes, frames) = all(&chunks, "abd");
                assert_eq!(frames, ["x"], "{first} {second}");
                assert_eq!(bytes.len(), stream.len() - 7, "{first} {second}");
                let (bytes, frames) = all(&chunks, "abc");
                assert_eq!(frames, [String::from("\u{fffd}"), "go 1 2".into()], "{first} {second}");
                assert!(bytes.starts_with(&want.0), "{first} {second}: {bytes:?}");
                assert!(bytes.ends_with(b"tail\x1eab\x1e"), "{first} {second}: {bytes:?}");
                assert!(memmem::find(&bytes, &want.1).is_some(), "{first} {second}: {bytes:?}");
            }
        }
    }

    #[test]
    fn a_frame_without_end_is_refused() {
        let mut scanner = Scanner::default();
        scanner.push([b"\x1eabc ".as_slice(), &[b'x'; FRAME_BYTES_MAX]].concat());
        assert_eq!(scanner.pull(Some("abc")), Piece::TooLong);
    }

    #[test]
    fn without_a_nonce_all_bytes_are_somebodys() {
        let mut scanner = Scanner::default();
        scanner.push(b"\x1eabc x\x1e".to_vec());
        assert_eq!(scanner.pull(None), Piece::Bytes(0..7));
        assert_eq!(scanner.pull(None), Piece::More);
    }
}
