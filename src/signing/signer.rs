//! Signs with a key file, or has an agent sign.

use super::agent::Agent;
use super::certificate::base64;
use super::envelope::{self, Proof};
use signature::Signer as _;
use ssh_key::{PrivateKey, Signature};
use std::path::Path;

/// Something that can sign: a key (or a certificate for it), and where its private half is.
#[derive(Debug)]
pub struct Signer {
    /// Whose signature it will be.
    pub proof: Proof,
    /// What it is called: a path, or the agent's comment.
    pub name: String,
    /// Key or certificate in wire format.
    blob: Vec<u8>,
    holder: Holder,
}

#[derive(Debug)]
enum Holder {
    File(Box<PrivateKey>),
    Agent,
}

/// Asks for the passphrase of a key file; `None` if nobody is there.
pub type AskPassphrase<'a> = &'a dyn Fn(&Path) -> Option<String>;

impl Signer {
    /// What the agent at this socket can sign with, in its order. Kinds of keys that this program does not know are
    /// left out.
    pub fn of_agent(socket: &Path) -> Result<Vec<Self>, String> {
        let keys = Agent::connect(socket)?.keys()?;
        let signer = |key: super::agent::AgentKey| {
            let proof = envelope::public(&key.blob)?;
            Some(Self { proof, name: key.comment, blob: key.blob, holder: Holder::Agent })
        };
        Ok(keys.into_iter().filter_map(signer).collect())
    }

    /// What this key file can sign with: the key, and a certificate that lies beside it. A public key stands for the
    /// same key in the agent.
    pub fn of_file(path: &Path, ask: AskPassphrase<'_>) -> Result<Vec<Self>, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        if let Some(blob) = public_line(&text) {
            let proof = envelope::public(&blob)
                .ok_or_else(|| format!("{}: a key of an unknown kind", path.display()))?;
            return Ok(vec![Self { proof, name: path.display().to_string(), blob, holder: Holder::Agent }]);
        }
        let key = private(path, &text, ask)?;
        let trouble = |error: ssh_key::Error| format!("{}: {error}", path.display());
        let mut blobs = vec![key.public_key().to_bytes().map_err(trouble)?];
        let mut beside = path.as_os_str().to_owned();
        beside.push("-cert.pub");
        blobs.extend(std::fs::read_to_string(beside).ok().as_deref().and_then(public_line));
        let signer = |blob: Vec<u8>| {
            let (proof, holder) = (envelope::public(&blob)?, Holder::File(Box::new(key.clone())));
            Some(Self { proof, name: path.display().to_string(), blob, holder })
        };
        Ok(blobs.into_iter().filter_map(signer).collect())
    }

    /// Signs `message` in `namespace`; the signature comes in its armour. `agent` is the agent's socket, if there is one.
    pub fn sign(&self, namespace: &str, message: &[u8], agent: Option<&Path>) -> Result<String, String> {
        let data = envelope::message_to_sign(namespace, message);
        let signature = match (&self.holder, agent) {
            // ssh-key multiplies the wrong primes; an agent does not.
            (Holder::File(key), _) if key.algorithm().is_rsa() => {
                return Err(format!("{} is an RSA key: `ssh-add` it and sign with the agent", self.name));
            }
            (Holder::File(key), _) => {
                let trouble = |error| format!("{} cannot sign: {error}", self.name);
                let signature: Signature = key.try_sign(&data).map_err(trouble)?;
                Vec::<u8>::try_from(signature)
                    .map_err(|error| format!("{} cannot sign: {error}", self.name))?
            }
            (Holder::Agent, Some(socket)) => Agent::connect(socket)?.sign(&self.blob, &data)?,
            (Holder::Agent, None) => return Err("there is no agent: $SSH_AUTH_SOCK is not set".to_owned()),
        };
        Ok(envelope::seal(namespace, &self.blob, &signature))
    }
}

fn private(path: &Path, text: &str, ask: AskPassphrase<'_>) -> Result<PrivateKey, String> {
    let shown = path.display();
    // ssh-key cannot read an ECDSA key whose number is short: every second P-521 key, and few others.
    let key = PrivateKey::from_openssh(text).map_err(|_| {
        format!("{shown} is no private key that can be read here; `ssh-add` it and sign with the agent")
    })?;
    if !key.is_encrypted() {
        return Ok(key);
    }
    let passphrase =
        ask(path).ok_or_else(|| format!("{shown} has a passphrase, and nobody is there to type it"))?;
    key.decrypt(passphrase).map_err(|_| format!("{shown}: that is not its passphrase"))
}

/// The wire format in a `.pub` file.
fn public_line(text: &str) -> Option<Vec<u8>> {
    let mut words = text.split_whitespace();
    let kind = words.next()?;
    let known = ["ssh-", "ecdsa-", "sk-"].iter().any(|start| kind.starts_with(start));
    known.then(|| base64(words.next()?)).flatten()
}
