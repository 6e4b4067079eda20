//! Judges the key a server showed against what is known of the host. Strict: unknown, changed and revoked keys
//! are refused, with the command that would accept them. Never asks, never writes.

use super::known_hosts::{KnownHosts, Line, Place, Says};
use super::resolved::{PORT, Resolved, at};
use crate::signing::certificate::{self, Certificate, Holder};
use crate::transport::wire::{Trouble, TroubleKind};
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, PublicKey};
use std::time::{SystemTime, UNIX_EPOCH};

/// Plain host key algorithms, in the order in which they are asked for where nothing is known.
const PLAIN: [&str; 6] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
];
/// The SHA-1 signature, for `legacy_crypto`; libssh2 drops the name unless it was built with it.
const RSA_SHA1: &str = "ssh-rsa";

/// The algorithms to ask a server for: those whose answer can be judged come first.
///
/// A server with a certificate and a plain key shows the one that is asked for first, so certificates are
/// asked for only where an authority is known, and key types that are known come before those that are not.
pub fn algorithms(known: &KnownHosts, legacy_crypto: bool) -> String {
    let mut names: Vec<String> = Vec::new();
    if known.that(Says::Authority).next().is_some() {
        names.extend(PLAIN.map(|name| format!("{name}{}", certificate::SUFFIX)));
    }
    let is_known = |name: &str| known.that(Says::Host).any(|line| signs_with(&line.key, name));
    let (first, then): (Vec<&str>, Vec<&str>) = PLAIN.iter().partition(|name| is_known(name));
    names.extend(first.into_iter().chain(then).map(str::to_owned));
    if legacy_crypto {
        names.push(RSA_SHA1.to_owned());
    }
    names.join(",")
}

/// Can a key of this type make signatures of this name? An RSA key makes several kinds.
fn signs_with(key: &KeyData, algorithm: &str) -> bool {
    match key {
        KeyData::Rsa(_) => algorithm.starts_with("rsa-sha2-"),
        _ => key.algorithm().as_str() == algorithm,
    }
}

/// A key that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// `SHA256:…` of the key, or of the certified key.
    pub fingerprint: String,
    /// The line that vouches for it, and how.
    pub because: String,
}

/// Judges `blob`, the key or certificate in wire format whose signature the key exchange has checked.
pub fn judge(blob: &[u8], known: &KnownHosts, to: &Resolved, host: &str) -> Result<Accepted, Trouble> {
    let case = Case { known, to, host };
    if Certificate::is_one(blob) {
        return match Certificate::read(blob) {
            Some(certificate) => case.judge_certificate(&certificate, SystemTime::now()),
            None => Err(case.refuse("it shows a host certificate that cannot be read".to_owned())),
        };
    }
    match PublicKey::from_bytes(blob) {
        Ok(key) => case.judge_key(&key),
        Err(error) => Err(case.refuse(format!("it shows a host key that cannot be read ({error})"))),
    }
}

struct Case<'a> {
    known: &'a KnownHosts,
    to: &'a Resolved,
    host: &'a str,
}

impl Case<'_> {
    fn judge_key(&self, key: &PublicKey) -> Result<Accepted, Trouble> {
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        self.refuse_revoked(key.key_data(), "host key", &fingerprint)?;
        let said: Vec<&Line> = self.known.that(Says::Host).collect();
        if let Some(line) = said.iter().find(|line| line.key == *key.key_data()) {
            return Ok(Accepted { fingerprint, because: format!("known from {}", line.place) });
        }
        let kind = key.algorithm().as_str().to_owned();
        let accuses = |line: &&&Line| !line.portless && line.key.algorithm().as_str() == kind;
        if let Some(line) = said.iter().find(accuses) {
            return Err(self.changed(&kind, &fingerprint, line));
        }
        Err(self.unknown(
            &kind,
            &fingerprint,
            said.iter().find(|line| !line.portless).map(|line| &line.place),
        ))
    }

    fn judge_certificate(&self, certificate: &Certificate, now: SystemTime) -> Result<Accepted, Trouble> {
        let fingerprint = certificate.key.fingerprint(HashAlg::Sha256).to_string();
        let authority = &certificate.authority;
        let signed_by = authority.fingerprint(HashAlg::Sha256);
        self.refuse_revoked(&certificate.key, "host key", &fingerprint)?;
        self.refuse_revoked(authority, "certificate authority", &signed_by.to_string())?;
        let id = certificate.id.escape_debug();
        let Some(line) = self.known.that(Says::Authority).find(|line| line.key == *authority) else {
            return Err(self.refuse(format!("its host certificate `{id}` is signed by {signed_by}, which no @cert-authority line for it names")));
        };
        if certificate.holder != Holder::Host {
            return Err(self.refuse(format!("it shows a user certificate, `{id}`, as its host key")));
        }
        if !certificate.is_signed() {
            let kind = authority.algorithm();
            return Err(self.refuse(format!("the {kind} signature under its host certificate `{id}` is wrong, or of a kind this build cannot check")));
        }
        let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        if seconds < certificate.valid_after || seconds >= certificate.valid_before {
            return Err(self
                .refuse(format!("its host certificate `{id}` is not valid at this time"))
                .hint("have the authority sign it anew, and compare the controller's clock"));
        }
        // OpenSSH defines no critical option for hosts, so each is one that nobody here understands.
        if let Some(option) = certificate.critical_options.first() {
            return Err(self.refuse(format!(
                "its host certificate `{id}` demands `{}`, which is not understood",
                option.escape_debug()
            )));
        }
        // ssh checks the name without the port.
        let name = self.to.names.also.as_ref().unwrap_or(&self.to.names.name);
        if !certificate.principals.iter().any(|principal| principal.to_lowercase() == *name) {
            let principals = certificate.principals.join(", ");
            return Err(self.refuse(format!(
                "its host certificate `{id}` is not for `{name}` but for `{}`",
                principals.escape_debug()
            )));
        }
        Ok(Accepted {
            fingerprint,
            because: format!("certificate `{id}` of the authority at {}", line.place),
        })
    }

    fn refuse_revoked(&self, key: &KeyData, what: &str, fingerprint: &str) -> Result<(), Trouble> {
        match self.known.that(Says::Revoked).find(|line| line.key == *key) {
            Some(line) => Err(self
                .refuse(format!("its {what} {fingerprint} is revoked ({})", line.place))
                .hint("somebody may be posing as the host; do not go on before its owner has explained it")),
            None => Ok(()),
        }
    }

    fn changed(&self, kind: &str, fingerprint: &str, line: &Line) -> Trouble {
        let was = line.key.fingerprint(HashAlg::Sha256);
        let file = line.place.file.display();
        self.refuse(format!("its {kind} host key has changed: it shows {fingerprint}, but {} says {was}", line.place)).hint(
            format!(
                "somebody may be posing as the host; if its owner confirms the new key, run `ssh-keygen -R {} -f {file}`, then `{}`",
                quoted(&self.to.names.name),
                self.accept()
            ),
        )
    }

    fn unknown(&self, kind: &str, fingerprint: &str, other: Option<&Place>) -> Trouble {
        let other =
            other.map_or(String::new(), |place| format!("; {place} knows it by a key of another type"));
        let looked: Vec<String> = self.known.files.iter().map(|file| file.display().to_string()).collect();
        let unreadable = match &self.known.unreadable[..] {
            [] => String::new(),
            files => format!("; could not be read: {}", files.join(", ")),
        };
        self.refuse(format!(
            "its {kind} host key {fingerprint} is not known as `{}` in {}{unreadable}{other}",
            self.to.names.name,
            looked.join(", ")
        ))
        .hint(format!(
            "compare the fingerprint with one from the host's owner or console, then run `{}`",
            self.accept()
        ))
    }

    /// The command that adds the host's key to the first file.
    fn accept(&self) -> String {
        let file =
            self.known.files.first().map_or("~/.ssh/known_hosts".to_owned(), |f| f.display().to_string());
        let port = if self.to.port == PORT { String::new() } else { format!("-p {} ", self.to.port) };
        format!("ssh-keyscan {port}{} >> {}", quoted(&self.to.address), quoted(&file))
    }

    fn refuse(&self, what: String) -> Trouble {
        let place = at(&self.to.address, self.to.port);
        Trouble::new(TroubleKind::HostKey, format!("{} ({place}): {what}", self.host))
    }
}

fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), |word| word.into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::known_hosts::KnownHosts;
    use super::super::resolved::KeyNames;
    use super::*;
    use std::path::PathBuf;
    use std::time::Duration;

    // Made by `ssh-keygen -s`, valid for ever, for the principal `db1`.
    const CA: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAUeeflGF7OZh+k6EWn2jh25fHsQVF9zzcB0PdMqSyQV";
    const GOOD: &str = "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIJv2/MVXqYdP+lcWkrksyVRrf/uDVK/kfbVTbfvubUwkAAAAIDYs6U45NtRZ4lCbPNBSvAWWSNVyfT38VkIdJvjPS3rQAAAAAAAAAAAAAAACAAAABmEgaG9zdAAAAAcAAAADZGIxAAAAAAAAAAD//////////wAAAAAAAAAAAAAAAAAAADMAAAALc3NoLWVkMjU1MTkAAAAgBR55+UYXs5mH6ToRafaOHbl8exBUX3PNwHQ90ypLJBUAAABTAAAAC3NzaC1lZDI1NTE5AAAAQESIm+O/GD1DneGxA6v9TygiKfeNjjrttjfYFwVzIuQAiL9lfj1hYm4S8JT4dSZFzN8QM6ZUSy0yQJ4wlHAupQU=";
    const OF_A_USER: &str = "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAICemo1YqksDoJEhCwLQdKVz9nRFW76qXtilR4SgD2D22AAAAIDYs6U45NtRZ4lCbPNBSvAWWSNVyfT38VkIdJvjPS3rQAAAAAAAAAAAAAAABAAAABmEgdXNlcgAAAAcAAAADZGIxAAAAAAAAAAD//////////wAAAAAAAACCAAAAFXBlcm1pdC1YMTEtZm9yd2FyZGluZwAAAAAAAAAXcGVybWl0LWFnZW50LWZvcndhcmRpbmcAAAAAAAAAFnBlcm1pdC1wb3J0LWZvcndhcmRpbmcAAAAAAAAACnBlcm1pdC1wdHkAAAAAAAAADnBlcm1pdC11c2VyLXJjAAAAAAAAAAAAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIAUeeflGF7OZh+k6EWn2jh25fHsQVF9zzcB0PdMqSyQVAAAAUwAAAAtzc2gtZWQyNTUxOQAAAECD7aUFRNKGRA45wG3VeSqR78DKTG5tklyt2v0F7l4LNZaSxtnX9W97dz8+DmOIDvpy1lS/0U7DhX+5P330qmID";
    const DEMANDING: &str = "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIPK7/0vn+8+k42KbJfO39aoGx5H06PAm0z32joFE0XF6AAAAIDYs6U45NtRZ4lCbPNBSvAWWSNVyfT38VkIdJvjPS3rQAAAAAAAAAAAAAAACAAAABmEgaG9zdAAAAAcAAAADZGIxAAAAAAAAAAD//////////wAAACEAAAAUbm9uc2Vuc2VAZXhhbXBsZS5vcmcAAAAFAAAAAXgAAAAAAAAAAAAAADMAAAALc3NoLWVkMjU1MTkAAAAgBR55+UYXs5mH6ToRafaOHbl8exBUX3PNwHQ90ypLJBUAAABTAAAAC3NzaC1lZDI1NTE5AAAAQDgUTyICSrj9znnQzgbK609MZ53JgCXiiUGY2IEBY4TKDD9jCRv/La+u/bdXFEDT+6kx0jEsGPLrb09E+KLNNg8=";

    fn blob(certificate: &str) -> Vec<u8> {
        certificate::base64(certificate.split(' ').nth(1).unwrap()).unwrap()
    }

    fn judged(blob: &[u8], name: &str) -> Result<Accepted, Trouble> {
        let to = Resolved {
            address: name.to_owned(),
            port: PORT,
            user: "ops".to_owned(),
            identities: vec![],
            certificates: vec![],
            agent: None,
            identities_only: false,
            known_hosts: vec![],
            names: KeyNames { name: name.to_owned(), also: None },
            hops: vec![],
            connect: Duration::ZERO,
            keepalive: Duration::ZERO,
            keepalives_unanswered: 1,
            legacy_crypto: false,
            note: None,
        };
        let key = PublicKey::from_openssh(CA).unwrap().key_data().clone();
        let place = Place { file: PathBuf::from("known_hosts"), line: 1 };
        let lines = vec![Line { place, says: Says::Authority, key, portless: false }];
        judge(blob, &KnownHosts { lines, ..KnownHosts::default() }, &to, "db")
    }

    #[test]
    fn a_certificate_is_believed_only_as_it_was_signed() {
        let good = blob(GOOD);
        judged(&good, "db1").unwrap();
        // The same with another principal written into it, or another byte anywhere.
        let at = good.windows(3).position(|bytes| bytes == b"db1").unwrap();
        let mut forged = good.clone();
        forged[at + 2] = b'2';
        let trouble = judged(&forged, "db2").unwrap_err();
        assert!(trouble.what.contains("signature"), "{trouble}");
        for at in 0..good.len() {
            let mut bent = good.clone();
            bent[at] ^= 1;
            let trouble = judged(&bent, "db1").expect_err("a bent certificate");
            assert_eq!(trouble.kind, TroubleKind::HostKey, "byte {at}");
        }
    }

    #[test]
    fn a_certificate_of_another_kind_or_with_unknown_demands_is_refused() {
        let trouble = judged(&blob(OF_A_USER), "db1").unwrap_err();
        assert!(trouble.what.contains("user certificate"), "{trouble}");
        let trouble = judged(&blob(DEMANDING), "db1").unwrap_err();
        assert!(trouble.what.contains("nonsense@example.org"), "{trouble}");
        let trouble = judged(b"\0\0\0\x0bssh-nonsense", "db1").unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::HostKey);
        assert!(judged(b"", "db1").is_err());
    }
}
