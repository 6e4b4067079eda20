//! The one file that names `ssh2`: a libssh2 session that never blocks and never touches the network.

use super::buffers::{Shared, StandIn};
use super::ceiling::{Ceiling, TOO_MUCH};
use crate::model::secret::Secret;
use libssh2_sys as raw;
use ssh2::{Error, ErrorCode, KeyboardInteractivePrompt, MethodType, Prompt};
use std::path::Path;
use std::sync::Arc;

/// Why a call gave no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It wants bytes from the other side; call again with the same arguments.
    Wait,
    /// The other side said no; the connection goes on.
    No(String),
    /// libssh2 took an answer to somebody else's request (one that was given up, or that waits as well) for the one it
    /// waited for, and gave this request up; the connection goes on.
    Mixed,
    /// A time limit inside libssh2 ran out; the connection goes on.
    TimedOut,
    /// The password must be changed first.
    PasswordExpired,
    /// The two sides share no algorithm; holds libssh2's text.
    NoCommonAlgorithm(String),
    /// The connection is of no use any more.
    Broken(String),
}

/// What may be preferred, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preferences {
    /// Key exchange methods.
    pub kex: String,
    /// Host key algorithms.
    pub host_key: String,
    /// Ciphers, both directions.
    pub cipher: String,
    /// Message authentication codes, both directions.
    pub mac: String,
}

/// A libssh2 session. Clones share it; it is freed with the last one.
#[derive(Clone)]
pub struct Session(ssh2::Session, Arc<Ceiling>);

impl Session {
    /// A session, and what it sends and receives.
    pub fn new(prefer: &Preferences) -> Result<(Self, Shared), Fault> {
        let socket = StandIn::get().map_err(|error| Fault::Broken(format!("no socket: {error}")))?;
        let mut session = ssh2::Session::new().map_err(fault)?;
        let ceiling = Ceiling::over(&mut *session.raw());
        let unknown = || Fault::Broken("this libssh2 takes its memory in a way that is not known".to_owned());
        let ceiling = Arc::new(ceiling.ok_or_else(unknown)?);
        let buffers = Shared::with(&mut *session.raw());
        session.set_blocking(false);
        // Every wait has a deadline of ours; libssh2's own, in whole seconds and shared by all waits, must not cut in.
        super::channel::set_read_timeout(&mut session.raw(), super::channel::READ_TIMEOUT_OFF_S);
        session.set_tcp_stream(socket);
        // libssh2 drops the names it does not know and fails if none is left.
        for (kind, names) in [
            (MethodType::Kex, &prefer.kex),
            (MethodType::HostKey, &prefer.host_key),
            (MethodType::CryptCs, &prefer.cipher),
            (MethodType::CryptSc, &prefer.cipher),
            (MethodType::MacCs, &prefer.mac),
            (MethodType::MacSc, &prefer.mac),
        ] {
            session.method_pref(kind, names).map_err(fault)?;
        }
        // The shortest interval libssh2 knows; when a keepalive is due, our own timers say.
        session.set_keepalive(true, KEEPALIVE_S_MIN);
        Ok((Self(session, ceiling), buffers))
    }

    /// Identification and key exchange. Checks nothing about the host key but its signature.
    pub fn handshake(&self) -> Result<(), Fault> {
        self.0.clone().handshake().map_err(|error| self.told(fault(error)))
    }

    /// What the server calls itself, such as `SSH-2.0-OpenSSH_9.2p1`.
    pub fn server_version(&self) -> String {
        self.0.banner_bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
    }

    /// The host key as it came in the key exchange: a public key or a certificate, in wire format.
    pub fn host_key(&self) -> Vec<u8> {
        self.0.host_key().map(|(bytes, _)| bytes.to_vec()).unwrap_or_default()
    }

    /// Is this still the host key? While keys are being exchanged again there is none, and nothing to say.
    pub fn is_host_key(&self, key: &[u8]) -> bool {
        self.0.host_key().is_none_or(|(bytes, _)| bytes == key)
    }

    /// The algorithms agreed on: key exchange, host key, cipher and MAC towards the server.
    pub fn agreed(&self) -> [String; 4] {
        [MethodType::Kex, MethodType::HostKey, MethodType::CryptCs, MethodType::MacCs]
            .map(|kind| self.0.methods(kind).unwrap_or("").to_owned())
    }

    /// Was libssh2 built with the SHA-1 algorithms that old devices want?
    pub fn knows_sha1(&self) -> bool {
        self.0
            .supported_algs(MethodType::Kex)
            .is_ok_and(|names| names.iter().any(|name| name.ends_with("-sha1")))
    }

    /// Asks which ways of logging in `user` has. `None`: logged in already, the server wants no proof.
    pub fn login_methods(&self, user: &str) -> Result<Option<Vec<String>>, Fault> {
        match self.0.auth_methods(user) {
            _ if self.0.authenticated() => Ok(None),
            Ok(list) => Ok(Some(list.split(',').map(str::to_owned).collect())),
            Err(error) => Err(self.told(fault(error))),
        }
    }

    /// Offers a private key in any PEM format. `public` is the line of a certificate or public key file, to be
    /// presented instead of the public key in the private one.
    pub fn login_by_key(
        &self,
        user: &str,
        private: &Secret,
        public: Option<&str>,
        passphrase: Option<&Secret>,
    ) -> Result<(), Fault> {
        let passphrase = passphrase.map(Secret::reveal);
        let login = self.0.userauth_pubkey_memory(user, public, private.reveal(), passphrase);
        login.map_err(|error| self.told(login_fault(error)))
    }

    /// Offers the password.
    pub fn login_by_password(&self, user: &str, password: &Secret) -> Result<(), Fault> {
        let login = self.0.userauth_password(user, password.reveal());
        login.map_err(|error| self.told(login_fault(error)))
    }

    /// Answers the server's questions; `answers` counts how often it answered with the password.
    pub fn login_by_questions(&self, user: &str, answers: &mut Answers) -> Result<(), Fault> {
        let login = self.0.userauth_keyboard_interactive(user, answers);
        login.map_err(|error| self.told(login_fault(error)))
    }

    /// A handle on the agent at `socket`. Its calls block until the agent answers.
    pub fn agent(&self, socket: &Path) -> Result<Agent, Fault> {
        let mut agent = self.0.agent().map_err(fault)?;
        agent.set_identity_path(socket).map_err(fault)?;
        agent.connect().map_err(fault)?;
        agent.list_identities().map_err(fault)?;
        Ok(Agent(agent, self.clone()))
    }

    /// Asks the server for a sign of life. libssh2 swallows a second request within two seconds.
    pub fn keepalive(&self) -> Result<(), Fault> {
        self.0.keepalive_send().map(|_| ()).map_err(fault)
    }

    /// Says good-bye.
    pub fn disconnect(&self) {
        let _ = self.0.disconnect(None, "done", None);
    }

    /// The C session, for `channel`. Good as long as a clone of `self` lives.
    pub fn pointer(&self) -> *mut raw::LIBSSH2_SESSION {
        &mut *self.0.raw()
    }

    /// What the failure `code` of a C call means, with the session's last error text.
    pub fn fault(&self, code: i32) -> Fault {
        self.told(fault(Error::from_session_error(&self.0, code)))
    }

    /// The session's last error.
    pub fn last_fault(&self) -> Fault {
        let fault = Error::last_session_error(&self.0).map(fault);
        self.told(fault.unwrap_or_else(|| Fault::Broken("no reason given".into())))
    }

    /// A session at its ceiling gives any fault; all of them mean that it is at an end.
    fn told(&self, fault: Fault) -> Fault {
        if self.1.was_hit() { Fault::Broken(TOO_MUCH.to_owned()) } else { fault }
    }
}

/// libssh2 makes two seconds of one.
const KEEPALIVE_S_MIN: u32 = 2;

/// A connection to an agent. Blocks: use it on a thread of its own.
pub struct Agent(ssh2::Agent, Session);

/// A key that an agent holds: its public half in wire format, and its comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentKey {
    /// Public key or certificate in wire format.
    pub blob: Vec<u8>,
    /// Whatever its owner called it.
    pub comment: String,
}

impl Agent {
    /// The keys it holds.
    pub fn keys(&self) -> Result<Vec<AgentKey>, Fault> {
        let keys = self.0.identities().map_err(fault)?;
        Ok(keys
            .iter()
            .map(|key| AgentKey { blob: key.blob().to_vec(), comment: key.comment().to_owned() })
            .collect())
    }

    /// Offers one of its keys.
    pub fn login(&self, user: &str, key: &AgentKey) -> Result<(), Fault> {
        let keys = self.0.identities().map_err(fault)?;
        let found = keys.iter().find(|it| it.blob() == key.blob);
        let found = found.ok_or_else(|| Fault::No("the agent lost the key".into()))?;
        self.0.userauth(user, found).map_err(|error| self.1.told(login_fault(error)))
    }
}

/// Answers a server's questions with the password, once.
pub struct Answers {
    /// What to answer.
    pub password: Secret,
    /// How many questions got it.
    pub given: usize,
    /// Questions that got an empty answer because nothing is known to say.
    pub unanswered: Vec<String>,
}

impl KeyboardInteractivePrompt for Answers {
    fn prompt<'a>(&mut self, _user: &str, _instructions: &str, prompts: &[Prompt<'a>]) -> Vec<String> {
        prompts
            .iter()
            .map(|prompt| {
                // A password is typed unseen; a question with echo asks for something else (a code, a new name).
                if !prompt.echo && self.given == 0 {
                    self.given += 1;
                    self.password.reveal().to_owned()
                } else {
                    self.unanswered.push(prompt.text.trim().to_owned());
                    String::new()
                }
            })
            .collect()
    }
}

fn fault(error: Error) -> Fault {
    let text = error.message().to_owned();
    let ErrorCode::Session(code) = error.code() else { return Fault::Broken(text) };
    match code {
        raw::LIBSSH2_ERROR_EAGAIN => Fault::Wait,
        raw::LIBSSH2_ERROR_TIMEOUT => Fault::TimedOut,
        raw::LIBSSH2_ERROR_PASSWORD_EXPIRED => Fault::PasswordExpired,
        raw::LIBSSH2_ERROR_CHANNEL_FAILURE | raw::LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED => Fault::No(text),
        raw::LIBSSH2_ERROR_KEX_FAILURE | raw::LIBSSH2_ERROR_METHOD_NOT_SUPPORTED => {
            Fault::NoCommonAlgorithm(text)
        }
        // What libssh2 says instead of why.
        _ if text.contains("transport_read() bailed out") => Fault::Broken(SENSELESS.to_owned()),
        _ => Fault::Broken(text),
    }
}

/// The carrier knows of a connection that ended; what is left is this.
const SENSELESS: &str =
    "what came makes no sense in SSH: damaged on the way, or its server keeps to no rules";

/// Like `fault`, for a login: what ends other calls is here one key or password refused.
fn login_fault(error: Error) -> Fault {
    let ErrorCode::Session(code) = error.code() else { return fault(error) };
    match code {
        // libssh2 gives the codes of a refusal when the connection ended instead of an answer; only the text differs.
        _ if error.message().starts_with("Waiting for") && code != raw::LIBSSH2_ERROR_EAGAIN => {
            Fault::Broken("the server ended the connection during login".to_owned())
        }
        raw::LIBSSH2_ERROR_SOCKET_DISCONNECT
        | raw::LIBSSH2_ERROR_SOCKET_SEND
        | raw::LIBSSH2_ERROR_SOCKET_RECV
        | raw::LIBSSH2_ERROR_EAGAIN
        | raw::LIBSSH2_ERROR_TIMEOUT
        | raw::LIBSSH2_ERROR_PASSWORD_EXPIRED => fault(error),
        _ => Fault::No(error.message().to_owned()),
    }
}
