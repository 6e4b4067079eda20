//! The armour around a signature: base64 between two lines.

use super::certificate::base64;

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";
/// As `ssh-keygen` breaks its lines.
const LINE_CHARS: usize = 70;

/// Takes a signature out of its armour.
pub fn open(text: &str) -> Option<Vec<u8>> {
    let inner = text.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
    base64(&inner.split_whitespace().collect::<String>())
}

/// Puts a signature into its armour.
pub fn close(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = format!("{BEGIN}\n");
    let mut column = 0;
    for three in bytes.chunks(3) {
        let held =
            three.iter().fold(0u32, |held, byte| held << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for nth in 0..4 {
            let letter = ALPHABET[(held >> (18 - 6 * nth) & 63) as usize] as char;
            text.push(if nth <= three.len() { letter } else { '=' });
            column += 1;
            if column == LINE_CHARS {
                text.push('\n');
                column = 0;
            }
        }
    }
    if column > 0 {
        text.push('\n');
    }
    text + END + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_comes_out() {
        for len in 0..200usize {
            let bytes: Vec<u8> = (0..len).map(|at| (at * 37 + len) as u8).collect();
            let text = close(&bytes);
            assert_eq!(open(&text).as_deref(), Some(bytes.as_slice()), "{text}");
            assert!(text.lines().all(|line| line.len() <= LINE_CHARS));
        }
        assert_eq!(open("-----BEGIN SSH SIGNATURE-----\nAAAA"), None);
        assert_eq!(open(""), None);
    }
}
