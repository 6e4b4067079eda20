//! A line of the journal, and the hash that chains it to the line before it.
//!
//! ```text
//! {"v":1,"seq":7,"at":"2026-11-21T22:26:40.123Z","about":"cut-isp@edge-fw","event":{…},"hash":"<64 hex>"}
//! ```
//! `hash` is SHA-256 over the hash of the line before (its 64 digits) and the bytes of this line up to
//! `,"hash":`. For the first line the hash before is that of `plan.json`, which binds the journal to its plan.
//! The last line's hash is the head: whoever writes it down elsewhere can prove later that nothing was altered.
//! Every version of the format keeps the beginning (`{"v":N,"seq":N,`) and the end of the line.

use crate::model::{Event, Time, visible};
use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::fmt;

/// The version of the journal format that this program writes. It reads this one and all before it.
pub const JOURNAL_VERSION: u32 = 1;

const HASH_KEY: &[u8] = b",\"hash\":\"";
const LINE_END: &[u8] = b"\"}";

/// A SHA-256, kept as 64 lower-case hexadecimal digits, the way people compare it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; HASH_DIGITS]);

const HASH_DIGITS: usize = 64;

impl Hash {
    /// The hash of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_digest(Sha256::digest(bytes).as_slice())
    }
    /// The 64 digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hexadecimal digits are ASCII")
    }
    /// Reads 64 lower-case hexadecimal digits.
    pub fn parse(digits: &[u8]) -> Option<Self> {
        let digits: [u8; HASH_DIGITS] = digits.try_into().ok()?;
        digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')).then_some(Self(digits))
    }
    pub(super) fn from_digest(digest: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; HASH_DIGITS];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(digest) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        Self(hex)
    }
    /// The hash of the line that begins with `body`, standing after the line with this hash.
    fn then(&self, body: &[u8]) -> Self {
        Self::from_digest(Sha256::new().chain_update(self.0).chain_update(body).finalize().as_slice())
    }
}

/// What a line says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    #[serde(rename = "v")]
    _version: u32,
    pub seq: u64,
    pub at: Time,
    #[serde(default)]
    pub about: Option<String>,
    pub event: Event,
    #[serde(rename = "hash")]
    _hash: IgnoredAny,
}

#[derive(Serialize)]
struct Body<'a> {
    v: u32,
    seq: u64,
    at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<&'a str>,
    event: &'a Event,
}

/// Appends a line, newline included, to `to`; returns its hash.
pub(super) fn put(
    to: &mut Vec<u8>,
    prev: &Hash,
    seq: u64,
    at: Time,
    event: &Event,
    about: Option<&str>,
) -> Hash {
    let start = to.len();
    let body = Body { v: JOURNAL_VERSION, seq, at, about, event };
    let body = serde_json::to_string(&body).expect("an event has only texts, numbers and lists in it");
    to.extend_from_slice(visible::json(body).as_bytes());
    let brace = to.pop();
    assert_eq!(brace, Some(b'}'), "a body is an object");
    let hash = prev.then(&to[start..]);
    to.extend_from_slice(HASH_KEY);
    to.extend_from_slice(&hash.0);
    to.extend_from_slice(LINE_END);
    to.push(b'\n');
    hash
}

/// The hash of a line (without newline) if the line carries it rightly, given the hash before it.
pub(super) fn check(line: &[u8], prev: &Hash) -> Option<Hash> {
    let rest = line.strip_suffix(LINE_END)?;
    let (rest, digits) = rest.split_at_checked(rest.len().checked_sub(HASH_DIGITS)?)?;
    let body = rest.strip_suffix(HASH_KEY)?;
    let hash = prev.then(body);
    (hash.0 == digits).then_some(hash)
}

/// Version and number of a line, read without trusting the rest of it.
pub(super) fn peek(line: &[u8]) -> Option<(u32, u64)> {
    let (version, rest) = number(line.strip_prefix(b"{\"v\":")?)?;
    let (seq, _) = number(rest.strip_prefix(b",\"seq\":")?)?;
    Some((u32::try_from(version).ok()?, seq))
}

fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    Some((std::str::from_utf8(number).ok()?.parse().ok()?, rest))
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        Hash::parse(digits.as_bytes()).ok_or_else(|| D::Error::custom("not 64 hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::names::PhaseIx;

    fn line(prev: &Hash, seq: u64) -> (String, Hash) {
        let mut text = Vec::new();
        let event = Event::PhaseStarted { phase: PhaseIx(3) };
        let hash = put(&mut text, prev, seq, Time(1_795_300_000_123), &event, Some("isolate"));
        (String::from_utf8(text).unwrap(), hash)
    }

    #[test]
    fn a_line_reads_well_and_carries_its_hash() {
        let prev = Hash::of(b"plan");
        let (text, hash) = line(&prev, 7);
        let body = r#"{"v":1,"seq":7,"at":"2026-11-21T22:26:40.123Z","about":"isolate","event":{"phase_started":{"phase":3}}"#;
        assert_eq!(text, format!("{body},\"hash\":\"{hash}\"}}\n"));
        assert_eq!(hash, Hash::of(format!("{prev}{body}").as_bytes()));
        assert_eq!(check(text.trim_end().as_bytes(), &prev), Some(hash));
        assert_eq!(check(text.trim_end().as_bytes(), &hash), None);
        assert_eq!(peek(text.as_bytes()), Some((1, 7)));
    }

    #[test]
    fn no_flipped_bit_passes() {
        let prev = Hash::of(b"plan");
        let good = line(&prev, 0).0.trim_end().as_bytes().to_vec();
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                assert_eq!(check(&bad, &prev), None, "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn short_and_foreign_texts_are_no_lines() {
        for text in ["", "}", "\"}", ",\"hash\":\"\"}", "{\"v\":1}", "{\"v\":,\"seq\":}", "\0\0\0"] {
            assert_eq!(check(text.as_bytes(), &Hash::of(b"")), None, "{text:?}");
            assert_eq!(peek(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(peek(b"{\"v\":99999999999999999999,\"seq\":1,"), None);
    }

    #[test]
    fn hashes_are_the_worlds() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Hash::of(b"").as_str(), empty);
        assert_eq!(Hash::parse(empty.as_bytes()), Some(Hash::of(b"")));
        assert_eq!(Hash::parse(empty.to_uppercase().as_bytes()), None);
        assert_eq!(Hash::parse(&empty.as_bytes()[1..]), None);
    }
}
