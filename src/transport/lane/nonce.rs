//! Words that nobody can guess: they tell our frames from everything a script may print.

use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

/// Random bytes in a nonce: as many as in a key, because a step may be an attacker's.
const NONCE_BYTES: usize = 16;

/// A fresh nonce as 32 hexadecimal digits.
pub fn fresh() -> String {
    let mut bytes = [0u8; NONCE_BYTES];
    // The system's generator: a frame that could be forged would be worse than no run at all. Asked directly, it needs
    // no file descriptor, of which there may be none left.
    let mut filled = 0;
    while filled < NONCE_BYTES {
        match getrandom(&mut bytes[filled..], GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(error) => panic!("the system has no random numbers: {error}"),
        }
    }
    let mut text = String::with_capacity(2 * NONCE_BYTES);
    for byte in bytes {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn nonces_are_hexadecimal_and_differ() {
        let (one, other) = (super::fresh(), super::fresh());
        assert_eq!(one.len(), 32);
        assert!(one.bytes().all(|byte| byte.is_ascii_hexdigit()), "{one}");
        assert_ne!(one, other);
    }
}
