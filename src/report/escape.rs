//! Makes bytes from a host safe to show: nothing it prints may move the cursor, set a title, hide text or
//! pass for a line of ours. What is taken out of the way is shown, never dropped.

use crate::model::visible::hides_or_reorders;
use std::fmt::Write as _;

/// Columns that a tab is shown as. A tab moves the cursor by an amount that depends on the terminal.
const TAB: &str = "    ";

/// One line of safe text. Line breaks are shown as `\n`; use [`lines`] to keep them.
pub fn line(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    put(&mut safe, text);
    safe
}

/// One line of safe text from bytes. What is not UTF-8 is shown byte by byte as `\xff`.
pub fn line_of(bytes: &[u8]) -> String {
    let mut safe = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        put(&mut safe, chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(safe, "\\x{byte:02x}");
        }
    }
    safe
}

/// Safe lines, split where the text breaks lines (`\n` or `\r\n`). A last line break starts no line.
pub fn lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(line)
}

/// Pieces a stream of bytes together into safe lines. A line that grows too long is shown in pieces, so that
/// a host that never breaks a line costs no memory.
#[derive(Debug, Default)]
pub struct Pieces {
    rest: Vec<u8>,
}

/// Longer than any line that people read, shorter than what would hurt.
pub const LINE_BYTES_MAX: usize = 4096;

impl Pieces {
    /// Takes bytes, and gives the lines that they complete.
    pub fn take(&mut self, bytes: &[u8], mut give: impl FnMut(String)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(piece);
            while self.rest.len() > LINE_BYTES_MAX {
                let cut = cut_between_characters(&self.rest, LINE_BYTES_MAX);
                give(line_of(&self.rest[..cut]));
                self.rest.drain(..cut);
            }
            if let Some(whole) = self.rest.strip_suffix(b"\n") {
                give(line_of(whole.strip_suffix(b"\r").unwrap_or(whole)));
                self.rest.clear();
            }
        }
    }
    /// Gives what is left when no more will come.
    pub fn end(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.rest);
        (!rest.is_empty()).then(|| line_of(&rest))
    }
}

/// The last place not after `at` that does not split a UTF-8 character.
fn cut_between_characters(bytes: &[u8], at: usize) -> usize {
    let continues = |byte: u8| byte & 0b1100_0000 == 0b1000_0000;
    (at.saturating_sub(3)..=at).rev().find(|at| !continues(bytes[*at])).unwrap_or(at)
}

fn put(safe: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\t' => safe.push_str(TAB),
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\0'..='\x1f' | '\x7f' => drop(write!(safe, "\\x{:02x}", c as u32)),
            c if hides_or_reorders(c) => drop(write!(safe, "\\u{{{:x}}}", c as u32)),
            c => safe.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_prints_is_shown_and_not_obeyed() {
        for (bytes, safe) in [
            (&b"plain text, 100 %"[..], "plain text, 100 %"),
            ("全遮断 ✓ naïve".as_bytes(), "全遮断 ✓ naïve"),
            (b"a\tb", "a    b"),
            (b"\x1b[2J\x1b[H", "\\x1b[2J\\x1b[H"),
            (b"\x1b]0;title\x07", "\\x1b]0;title\\x07"),
            (b"50%\r100%", "50%\\r100%"),
            (b"a\nb", "a\\nb"),
            (b"\x08\x08ok \x7f\x00", "\\x08\\x08ok \\x7f\\x00"),
            (b"\x9b31m", "\\x9b31m"),
            ("\u{9b}31m".as_bytes(), "\\u{9b}31m"),
            ("a\u{202e}b\u{2066}c".as_bytes(), "a\\u{202e}b\\u{2066}c"),
            ("zero\u{200b}width\u{feff}".as_bytes(), "zero\\u{200b}width\\u{feff}"),
            ("one\u{2028}line".as_bytes(), "one\\u{2028}line"),
            ("tag\u{e0041}".as_bytes(), "tag\\u{e0041}"),
            (b"\xff\xfe\xe5\x85", "\\xff\\xfe\\xe5\\x85"),
        ] {
            assert_eq!(line_of(bytes), safe, "{bytes:?}");
        }
    }

    #[test]
    fn every_character_is_either_printable_or_shown_by_number_and_once_is_enough() {
        for c in '\0'..=char::MAX {
            let safe = line(c.encode_utf8(&mut [0; 4]));
            assert!(!safe.chars().any(char::is_control), "{c:?} comes through as {safe:?}");
            assert_eq!(line(&safe), safe, "{c:?} is not the same when made safe again");
        }
    }

    #[test]
    fn lines_keep_line_breaks_and_nothing_else() {
        let seen: Vec<String> = lines("one\r\ntwo\n\nfo\rur\n").collect();
        assert_eq!(seen, ["one", "two", "", "fo\\rur"]);
    }

    #[test]
    fn a_stream_is_pieced_together_however_it_is_cut() {
        let text = "first\r\nzweite Zeile – ü\n\x1b[1mthird".as_bytes();
        let whole = ["first", "zweite Zeile – ü", "\\x1b[1mthird"];
        for cut in 0..=text.len() {
            let (mut pieces, mut seen) = (Pieces::default(), Vec::new());
            pieces.take(&text[..cut], |line| seen.push(line));
            pieces.take(&text[cut..], |line| seen.push(line));
            seen.extend(pieces.end());
            assert_eq!(seen, whole, "cut at {cut}");
        }
    }

    #[test]
    fn a_line_without_end_is_shown_in_pieces_between_characters() {
        let text = "ü".repeat(LINE_BYTES_MAX * 2);
        let (mut pieces, mut seen) = (Pieces::default(), Vec::new());
        pieces.take(b"x", |line| seen.push(line));
        pieces.take(text.as_bytes(), |line| seen.push(line));
        assert!(pieces.rest.len() <= LINE_BYTES_MAX);
        seen.extend(pieces.end());
        assert!(seen.len() > 2 && seen.iter().all(|line| line.len() <= LINE_BYTES_MAX));
        assert_eq!(seen.concat(), format!("x{text}"));
    }
}
