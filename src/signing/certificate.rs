//! Reads OpenSSH certificates (PROTOCOL.certkeys) and checks their signatures.
//!
//! ssh-key's own reader refuses those that are valid for ever, which is what `ssh-keygen` makes unless told
//! otherwise; its keys and signature checks are used here.

use super::wire::{Reader, put};
use signature::Verifier;
use ssh_key::public::KeyData;
use ssh_key::{PublicKey, Signature};

/// The end of a certificate's algorithm name.
pub const SUFFIX: &str = "-cert-v01@openssh.com";

/// A certificate.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The key that is certified.
    pub key: KeyData,
    /// For a host or a user?
    pub holder: Holder,
    /// What the authority calls it.
    pub id: String,
    /// The names it is for.
    pub principals: Vec<String>,
    /// From this second on, since 1970.
    pub valid_after: u64,
    /// Until before this second.
    pub valid_before: u64,
    /// Conditions that whoever accepts it must understand.
    pub critical_options: Vec<String>,
    /// The key of the authority.
    pub authority: KeyData,
    /// Everything that is signed.
    signed: Vec<u8>,
    signature: Signature,
}

/// Whom a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// A user.
    User,
    /// A host.
    Host,
}

/// How many strings make up a key of a kind, behind its name.
fn fields(kind: &str) -> Option<usize> {
    match kind {
        "ssh-ed25519" => Some(1),
        "ssh-rsa" | "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521" => Some(2),
        "sk-ssh-ed25519@openssh.com" => Some(2),
        "sk-ecdsa-sha2-nistp256@openssh.com" => Some(3),
        _ => None,
    }
}

impl Certificate {
    /// Is this, in wire format, a certificate of any kind?
    pub fn is_one(blob: &[u8]) -> bool {
        Reader(blob).text().is_some_and(|name| name.contains("-cert-v"))
    }

    /// Reads one in wire format.
    pub fn read(blob: &[u8]) -> Option<Self> {
        let mut rest = Reader(blob);
        let name = rest.text()?;
        // FIDO keys carry the suffix before the domain: `sk-ssh-ed25519-cert-v01@openssh.com`.
        let plain = name.strip_suffix(SUFFIX)?;
        let kind = if plain.starts_with("sk-") { format!("{plain}@openssh.com") } else { plain.to_owned() };
        rest.string()?;
        let mut key = Vec::new();
        put(&mut key, kind.as_bytes());
        for _ in 0..fields(&kind)? {
            put(&mut key, rest.string()?);
        }
        let key = PublicKey::from_bytes(&key).ok()?.key_data().clone();
        rest.u64()?;
        let holder = match rest.u32()? {
            1 => Holder::User,
            2 => Holder::Host,
            _ => return None,
        };
        let id = rest.text()?;
        let mut names = Reader(rest.string()?);
        let mut principals = Vec::new();
        while !names.0.is_empty() {
            principals.push(names.text()?);
        }
        let (valid_after, valid_before) = (rest.u64()?, rest.u64()?);
        let mut options = Reader(rest.string()?);
        let mut critical_options = Vec::new();
        while !options.0.is_empty() {
            critical_options.push(options.text()?);
            options.string()?;
        }
        // Extensions (they only ever grant something to users) and what is reserved.
        rest.string()?;
        rest.string()?;
        let authority = PublicKey::from_bytes(rest.string()?).ok()?.key_data().clone();
        let signed = blob[..blob.len() - rest.0.len()].to_vec();
        let signature = Signature::try_from(rest.string()?).ok()?;
        if !rest.0.is_empty() {
            return None;
        }
        Some(Self {
            key,
            holder,
            id,
            principals,
            valid_after,
            valid_before,
            critical_options,
            authority,
            signed,
            signature,
        })
    }

    /// Reads one from a `-cert.pub` file: kind, base64, comment.
    pub fn read_line(text: &str) -> Option<Self> {
        Self::read(&base64(text.split_whitespace().nth(1)?)?)
    }

    /// Did the authority sign exactly this? Also `false` for kinds of signatures that this build cannot check.
    pub fn is_signed(&self) -> bool {
        self.authority.verify(&self.signed, &self.signature).is_ok()
    }
}

/// The base64 of key files: the usual alphabet, padded.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut out, mut bits, mut held) = (Vec::new(), 0u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        bits = bits << 6 | ALPHABET.iter().position(|&it| it == byte)? as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_what_ssh_key_reads() {
        let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAUeeflGF7OZh+k6EWn2jh25fHsQVF9zzcB0PdMqSyQV";
        let key = PublicKey::from_openssh(line).unwrap();
        assert_eq!(base64(line.split(' ').nth(1).unwrap()).unwrap(), key.to_bytes().unwrap());
        assert_eq!(base64("YQ==").unwrap(), b"a");
        assert_eq!(base64("YWI=").unwrap(), b"ab");
        assert_eq!(base64("Y*=="), None);
    }

    #[test]
    fn no_text_however_short_makes_it_panic() {
        for len in 0..40 {
            assert!(Certificate::read(&vec![0; len]).is_none());
            assert!(Certificate::read(&vec![255; len]).is_none());
        }
    }
}
