//! Detached signatures as `ssh-keygen -Y sign` makes them (PROTOCOL.sshsig): which key signed what, for which purpose.

use super::armour;
use super::certificate::Certificate;
use super::wire::{Reader, put};
use sha2::{Digest, Sha256, Sha512};
use signature::Verifier;
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, PublicKey, Signature};

const MAGIC: &[u8] = b"SSHSIG";
const VERSION: u32 = 1;
/// The digest that `ssh-keygen` takes unless told otherwise.
const DIGEST: &str = "sha512";

/// A key that has signed something, which has been checked. Whose key it is, and whether they may, is another question.
#[derive(Debug, Clone)]
pub struct Proof {
    /// The key.
    pub key: KeyData,
    /// The certificate it signed with, its authority's signature not yet checked.
    pub certificate: Option<Certificate>,
}

impl Proof {
    /// `SHA256:…`.
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }
}

/// The public half of a key or certificate, from its wire format.
pub fn public(blob: &[u8]) -> Option<Proof> {
    if Certificate::is_one(blob) {
        let certificate = Certificate::read(blob)?;
        return Some(Proof { key: certificate.key.clone(), certificate: Some(certificate) });
    }
    let key = PublicKey::from_bytes(blob).ok()?;
    // One key has one wire format: another spelling of it is somebody's tinkering.
    let spelled = key.to_bytes().is_ok_and(|bytes| bytes == blob);
    spelled.then(|| Proof { key: key.key_data().clone(), certificate: None })
}

/// Checks an armoured signature of `message`, made in `namespace`. The error says what is wrong with it.
pub fn check(armoured: &str, namespace: &str, message: &[u8]) -> Result<Proof, String> {
    let bytes = armour::open(armoured).ok_or("it is no SSH signature")?;
    let read = read(&bytes).ok_or("it is a damaged SSH signature")?;
    if read.namespace != namespace {
        return Err(format!("it was made for `{}`, not for `{namespace}`", read.namespace.escape_debug()));
    }
    let proof = public(read.key).ok_or("its key is of a kind that this program does not know")?;
    let signed =
        to_be_signed(namespace, &read.digest, message).ok_or("its digest is not SHA-256 or SHA-512")?;
    let signature = Signature::try_from(read.signature).map_err(|_| "it is a damaged SSH signature")?;
    match proof.key.verify(&signed, &signature) {
        Ok(()) => Ok(proof),
        Err(_) if !can_check(&proof.key) => {
            let kind = proof.key.algorithm();
            Err(format!(
                "this program cannot check {kind} signatures: sign with an Ed25519, ECDSA or RSA key"
            ))
        }
        Err(_) => Err("what was signed is not this, or the signature was altered".to_owned()),
    }
}

/// What a key signs in order to sign `message` in `namespace`.
pub fn message_to_sign(namespace: &str, message: &[u8]) -> Vec<u8> {
    to_be_signed(namespace, DIGEST, message).expect("the digest is one we know")
}

/// The armoured signature, from the key's (or certificate's) and the signature's wire formats.
pub fn seal(namespace: &str, key: &[u8], signature: &[u8]) -> String {
    let mut out = MAGIC.to_vec();
    out.extend(VERSION.to_be_bytes());
    for part in [key, namespace.as_bytes(), b"", DIGEST.as_bytes(), signature] {
        put(&mut out, part);
    }
    armour::close(&out)
}

struct Read<'a> {
    key: &'a [u8],
    namespace: String,
    digest: String,
    signature: &'a [u8],
}

fn read(bytes: &[u8]) -> Option<Read<'_>> {
    let mut rest = Reader(bytes.strip_prefix(MAGIC)?);
    if rest.u32()? != VERSION {
        return None;
    }
    let key = rest.string()?;
    let namespace = rest.text()?;
    rest.string()?;
    let digest = rest.text()?;
    let signature = rest.string()?;
    rest.0.is_empty().then_some(Read { key, namespace, digest, signature })
}

fn to_be_signed(namespace: &str, digest: &str, message: &[u8]) -> Option<Vec<u8>> {
    let hash = match digest {
        "sha256" => Sha256::digest(message).to_vec(),
        "sha512" => Sha512::digest(message).to_vec(),
        _ => return None,
    };
    let mut out = MAGIC.to_vec();
    for part in [namespace.as_bytes(), b"", digest.as_bytes(), &hash] {
        put(&mut out, part);
    }
    Some(out)
}

/// What OpenSSH signs with today: Ed25519, ECDSA and RSA, in files and on security keys.
fn can_check(key: &KeyData) -> bool {
    use ssh_key::Algorithm;
    matches!(
        key.algorithm(),
        Algorithm::Ed25519
            | Algorithm::Ecdsa { .. }
            | Algorithm::Rsa { .. }
            | Algorithm::SkEd25519
            | Algorithm::SkEcdsaSha2NistP256
    )
}
