//! Takes secrets out of what hosts print, before anything keeps or shows it.

use crate::drive::secrets::Secrets;
use aho_corasick::{AhoCorasick, MatchKind};
use std::rc::Rc;

/// What stands in place of a secret.
const MASK: &[u8] = b"****";

/// Knows the secrets to look for; shared by all streams.
#[derive(Debug, Clone, Default)]
pub struct Scrubber(Option<Rc<Patterns>>);

#[derive(Debug)]
struct Patterns {
    finder: AhoCorasick,
    longest: usize,
}

/// One stream of output being scrubbed. Holds back as many bytes as might begin a secret.
#[derive(Debug)]
pub struct Stream {
    patterns: Option<Rc<Patterns>>,
    held: Vec<u8>,
}

impl Scrubber {
    /// Looks for every non-empty secret, and for each line of those that have several.
    pub fn new(secrets: &Secrets) -> Self {
        let mut needles: Vec<&str> = Vec::new();
        for secret in secrets.values() {
            let value = secret.reveal();
            needles.extend(std::iter::once(value).chain(value.lines().filter(|line| line.len() >= LINE_MIN)));
        }
        needles.retain(|needle| !needle.is_empty());
        needles.sort_unstable();
        needles.dedup();
        let Some(longest) = needles.iter().map(|needle| needle.len()).max() else { return Self(None) };
        let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(needles);
        Self(Some(Rc::new(Patterns { finder: finder.expect("a few short needles fit"), longest })))
    }

    /// Starts a stream.
    pub fn stream(&self) -> Stream {
        Stream { patterns: self.0.clone(), held: Vec::new() }
    }

    /// Scrubs a whole text.
    pub fn text(&self, text: &str) -> String {
        let mut stream = self.stream();
        let mut out = stream.feed(text.as_bytes());
        out.extend(stream.end());
        String::from_utf8_lossy(&out).into_owned()
    }
}

impl Stream {
    /// Takes bytes in and gives those out that are surely no part of a secret, or its mask.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let Some(patterns) = self.patterns.clone() else { return bytes.to_vec() };
        self.held.extend_from_slice(bytes);
        // A match that starts before this point lies wholly in what is held.
        let certain = (self.held.len() + 1).saturating_sub(patterns.longest);
        self.give(&patterns, certain)
    }

    /// Gives out the rest.
    pub fn end(&mut self) -> Vec<u8> {
        match self.patterns.clone() {
            Some(patterns) => self.give(&patterns, self.held.len()),
            None => Vec::new(),
        }
    }

    fn give(&mut self, patterns: &Patterns, certain: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.held.len());
        let mut done = 0;
        for found in patterns.finder.find_iter(&self.held) {
            if found.start() >= certain {
                break;
            }
            out.extend_from_slice(&self.held[done..found.start()]);
            out.extend_from_slice(MASK);
            done = found.end();
        }
        if done < certain {
            out.extend_from_slice(&self.held[done..certain]);
            done = certain;
        }
        self.held.drain(..done);
        out
    }
}

/// Shorter lines of a many-line secret (a key's `}`) would mask half of every output.
const LINE_MIN: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::secret::Secret;

    fn scrubber(secrets: &[&str]) -> Scrubber {
        let named = secrets
            .iter()
            .enumerate()
            .map(|(ix, value)| (format!("s{ix}").as_str().into(), Secret::new((*value).into())));
        Scrubber::new(&named.collect())
    }

    #[test]
    fn a_secret_is_masked_wherever_the_chunks_are_cut() {
        let text = b"user=root password=hunter2hunter2! next hunter2 hunter2hunter2 end hunter";
        for cut in 0..text.len() {
            let mut stream = scrubber(&["hunter2", "hunter2hunter2"]).stream();
            let mut out = stream.feed(&text[..cut]);
            out.extend(stream.feed(&text[cut..]));
            out.extend(stream.end());
            let out = String::from_utf8(out).unwrap();
            assert_eq!(out, "user=root password=****! next **** **** end hunter", "cut at {cut}");
        }
    }

    #[test]
    fn byte_by_byte_is_the_same_as_at_once() {
        let mut stream = scrubber(&["abcabd"]).stream();
        let mut out = Vec::new();
        for byte in b"abcabcabd abcab" {
            out.extend(stream.feed(&[*byte]));
        }
        out.extend(stream.end());
        assert_eq!(out, b"abc**** abcab");
    }

    #[test]
    fn without_secrets_everything_passes_at_once() {
        let mut stream = scrubber(&[""]).stream();
        assert_eq!(stream.feed(b"\x00\xffabc"), b"\x00\xffabc");
        assert!(stream.end().is_empty());
    }
}
