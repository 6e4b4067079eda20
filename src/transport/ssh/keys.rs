//! Identity files: what is in them, which certificate goes with them, and their decryption, once a process.

use super::resolved::{IdentityFile, Resolved};
use crate::model::secret::Secret;
use crate::signing::certificate::Certificate;
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, LineEnding, PrivateKey, PublicKey};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;
use tokio::sync::OnceCell;

/// A key file, looked into.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Where it is.
    pub path: PathBuf,
    /// The public half, if the file or its `.pub` shows it.
    pub public: Option<PublicKey>,
    /// The text of a certificate for it.
    pub certificate: Option<String>,
    /// The public half as a line of text, where the private file itself says it: libssh2 would work it out for each host.
    pub line: Option<String>,
    /// What it takes to sign with it.
    pub private: Private,
}

/// The private half of an identity.
#[derive(Debug, Clone)]
pub enum Private {
    /// In the clear, in some PEM format.
    Clear(Secret),
    /// OpenSSH's own format, encrypted: decrypted here.
    Sealed(Box<PrivateKey>, SystemTime),
    /// Another encrypted PEM format: libssh2 decrypts it.
    SealedPem(Secret),
    /// Not in the file: only an agent can sign.
    Elsewhere,
}

/// A key ready to be offered.
pub struct Ready {
    /// Private key in PEM.
    pub pem: Secret,
    /// Passphrase, for formats that libssh2 decrypts.
    pub passphrase: Option<Secret>,
}

/// Looks into the identity files. The error names the first that was asked for and cannot be used.
pub fn look(to: &Resolved) -> Result<Vec<Identity>, String> {
    let mut found = Vec::new();
    for file in &to.identities {
        match read(file, &to.certificates) {
            Ok(identity) => found.push(identity),
            Err(why) if file.wanted => return Err(format!("identity file {}: {why}", file.path.display())),
            Err(_) => {}
        }
    }
    Ok(found)
}

fn read(file: &IdentityFile, certificates: &[PathBuf]) -> Result<Identity, String> {
    let path = file.path.clone();
    let text = std::fs::read_to_string(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_owned(),
        std::io::ErrorKind::InvalidData => "this is no key".to_owned(),
        _ => error.to_string(),
    })?;
    let mut public = PublicKey::read_openssh_file(&beside(&path, ".pub")).ok();
    let mut line = None;
    let private = if text.contains("-----BEGIN OPENSSH PRIVATE KEY-----") {
        let parsed = parsed(&path, &text)?;
        // What the private file says of itself is surer than a `.pub` that may belong to an older key.
        public = Some(parsed.key.public_key().clone());
        line.clone_from(&parsed.line);
        if parsed.key.is_encrypted() {
            let changed =
                std::fs::metadata(&path).and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
            Private::Sealed(Box::new(parsed.key.clone()), changed)
        } else {
            Private::Clear(Secret::new(text))
        }
    } else if text.contains("-----BEGIN") && text.contains("PRIVATE KEY-----") {
        match text.contains("ENCRYPTED") {
            true => Private::SealedPem(Secret::new(text)),
            false => Private::Clear(Secret::new(text)),
        }
    } else {
        public = Some(PublicKey::from_openssh(&text).map_err(|_| "this is no key".to_owned())?);
        Private::Elsewhere
    };
    let certificate = public.as_ref().and_then(|key| certificate_for(key.key_data(), &path, certificates));
    Ok(Identity { path, public, certificate, line, private })
}

/// An OpenSSH private key file, and what was read in it.
struct Parsed {
    text: Secret,
    key: PrivateKey,
    line: Option<String>,
}

thread_local! {
    /// Files read so far. To read a key is to work its public half out again, and two hundred hosts have the same one.
    static PARSED: RefCell<BTreeMap<PathBuf, Rc<Parsed>>> = const { RefCell::new(BTreeMap::new()) };
}

/// What this text of the file at `path` says: as it did the last time, as long as it is the same.
fn parsed(path: &Path, text: &str) -> Result<Rc<Parsed>, String> {
    let before = PARSED.with_borrow(|parsed| parsed.get(path).cloned());
    if let Some(parsed) = before.filter(|parsed| parsed.text.reveal() == text) {
        return Ok(parsed);
    }
    let key = PrivateKey::from_openssh(text).map_err(|error| format!("a damaged OpenSSH key ({error})"))?;
    let line = PublicKey::from(key.public_key().key_data().clone()).to_openssh().ok();
    let parsed = Rc::new(Parsed { text: Secret::new(text.to_owned()), key, line });
    PARSED.with_borrow_mut(|all| all.insert(path.to_owned(), Rc::clone(&parsed)));
    Ok(parsed)
}

/// The certificate beside the key (`id-cert.pub`), or one of those named in the configuration, that is for it.
fn certificate_for(key: &KeyData, path: &Path, named: &[PathBuf]) -> Option<String> {
    std::iter::once(&beside(path, "-cert.pub")).chain(named).find_map(|file| {
        let text = std::fs::read_to_string(file).ok()?;
        (Certificate::read_line(&text)?.key == *key).then_some(text)
    })
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

impl Identity {
    /// Its fingerprint, or its path if that is not known without the passphrase.
    pub fn shown(&self) -> String {
        match &self.public {
            Some(key) => format!("{} ({})", self.path.display(), key.fingerprint(HashAlg::Sha256)),
            None => self.path.display().to_string(),
        }
    }

    /// What is wrong with its certificate at this time for this user, as far as that can be told without the server.
    pub fn flaw(&self, user: &str, now: SystemTime) -> Option<String> {
        let certificate = Certificate::read_line(self.certificate.as_deref()?)?;
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let id = certificate.id.escape_debug();
        if seconds >= certificate.valid_before {
            return Some(format!("its certificate `{id}` has expired"));
        }
        if seconds < certificate.valid_after {
            return Some(format!("its certificate `{id}` is not valid yet"));
        }
        let names = certificate.principals.join(", ");
        let other = !certificate.principals.iter().any(|principal| principal == user);
        other
            .then(|| format!("its certificate `{id}` is not for `{user}` but for `{}`", names.escape_debug()))
    }

    /// Makes it ready to sign, with the passphrase where it needs one.
    pub async fn ready(&self, passphrase: Option<&Secret>) -> Result<Ready, &'static str> {
        match (&self.private, passphrase) {
            (Private::Clear(pem), _) => Ok(Ready { pem: pem.clone(), passphrase: None }),
            (Private::Elsewhere, _) => Err("holds no private key, and no agent has it"),
            (Private::Sealed(..) | Private::SealedPem(_), None) => {
                Err("is encrypted, and no passphrase is given")
            }
            (Private::SealedPem(pem), Some(phrase)) => {
                Ok(Ready { pem: pem.clone(), passphrase: Some(phrase.clone()) })
            }
            (Private::Sealed(key, changed), Some(phrase)) => {
                match decrypt(&self.path, key, *changed, phrase).await {
                    Some(pem) => Ok(Ready { pem, passphrase: None }),
                    None => Err("does not open with the passphrase given"),
                }
            }
        }
    }
}

/// The file, when it was changed, and a hash of the passphrase.
type Which = (PathBuf, SystemTime, Vec<u8>);
type Opened = BTreeMap<Which, Rc<OnceCell<Option<Secret>>>>;

thread_local! {
    /// Keys decrypted so far. A key is derived from a passphrase at a cost of about a tenth of a second on purpose;
    /// two hundred hosts pay it once.
    static OPENED: RefCell<Opened> = const { RefCell::new(BTreeMap::new()) };
}

async fn decrypt(path: &Path, key: &PrivateKey, changed: SystemTime, phrase: &Secret) -> Option<Secret> {
    use sha2::{Digest, Sha256};
    let index = (path.to_owned(), changed, Sha256::digest(phrase.reveal()).to_vec());
    let cell = OPENED.with_borrow_mut(|opened| Rc::clone(opened.entry(index).or_default()));
    let opening = || async {
        let (key, phrase) = (key.clone(), phrase.clone());
        // On a thread of its own, so that live connections go on meanwhile.
        let opened = tokio::task::spawn_blocking(move || {
            let pem = key.decrypt(phrase.reveal()).ok()?.to_openssh(LineEnding::LF).ok()?;
            Some(Secret::new(pem.as_str().to_owned()))
        });
        opened.await.ok().flatten()
    };
    cell.get_or_init(opening).await.clone()
}
