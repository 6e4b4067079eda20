//! Speaks with an SSH agent (draft-ietf-sshm-ssh-agent): lists its keys, and has one of them sign.

use super::wire::{Reader, put};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
/// Asks for `rsa-sha2-512`; other keys do not care.
const RSA_SHA2_512: u32 = 4;

/// An agent may ask its owner, who has to find the security key and touch it.
const ANSWER_WAIT: Duration = Duration::from_secs(120);
/// Thousands of keys fit; what is larger is no answer of an agent.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// A connection to an agent.
#[derive(Debug)]
pub struct Agent(UnixStream);

/// A key that an agent holds.
#[derive(Debug, Clone)]
pub struct AgentKey {
    /// Key or certificate in wire format.
    pub blob: Vec<u8>,
    /// What its owner calls it.
    pub comment: String,
}

impl Agent {
    /// Connects to the agent that listens on this socket.
    pub fn connect(socket: &Path) -> Result<Self, String> {
        let trouble = |error: std::io::Error| format!("no agent answers at {}: {error}", socket.display());
        let stream = UnixStream::connect(socket).map_err(trouble)?;
        stream.set_read_timeout(Some(ANSWER_WAIT)).map_err(trouble)?;
        stream.set_write_timeout(Some(ANSWER_WAIT)).map_err(trouble)?;
        Ok(Self(stream))
    }

    /// The keys it holds, in its order.
    pub fn keys(&mut self) -> Result<Vec<AgentKey>, String> {
        let answer = self.ask(&[REQUEST_IDENTITIES], IDENTITIES_ANSWER)?;
        let mut rest = Reader(&answer);
        let count = rest.u32().ok_or_else(damaged)?;
        let key = |_| {
            let blob = rest.string()?.to_vec();
            let comment = String::from_utf8_lossy(rest.string()?).into_owned();
            Some(AgentKey { blob, comment })
        };
        (0..count).map(key).collect::<Option<Vec<_>>>().ok_or_else(damaged)
    }

    /// Has a key sign. The signature comes in wire format.
    pub fn sign(&mut self, blob: &[u8], data: &[u8]) -> Result<Vec<u8>, String> {
        let mut request = vec![SIGN_REQUEST];
        put(&mut request, blob);
        put(&mut request, data);
        request.extend(RSA_SHA2_512.to_be_bytes());
        let answer = self.ask(&request, SIGN_RESPONSE)?;
        Ok(Reader(&answer).string().ok_or_else(damaged)?.to_vec())
    }

    fn ask(&mut self, request: &[u8], wanted: u8) -> Result<Vec<u8>, String> {
        let mut framed = Vec::with_capacity(request.len() + 4);
        put(&mut framed, request);
        let trouble = |error: std::io::Error| format!("the agent does not answer: {error}");
        self.0.write_all(&framed).map_err(trouble)?;
        let mut len = [0; 4];
        self.0.read_exact(&mut len).map_err(trouble)?;
        let len = u32::from_be_bytes(len) as usize;
        if len == 0 || len > ANSWER_BYTES_MAX {
            return Err(damaged());
        }
        let mut answer = vec![0; len];
        self.0.read_exact(&mut answer).map_err(trouble)?;
        match answer.remove(0) {
            kind if kind == wanted => Ok(answer),
            FAILURE => Err("the agent refuses".to_owned()),
            _ => Err(damaged()),
        }
    }
}

fn damaged() -> String {
    "the agent's answer makes no sense".to_owned()
}
