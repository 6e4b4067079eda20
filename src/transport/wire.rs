//! A byte pipe to a process or port on a host, and the links that open such pipes.
//!
//! A wire is three queues: bytes to its stdin, bytes from its stdout and stderr, and one last word. What
//! speaks over a wire (`lane`) does not know whether SSH or a local process is beneath it.

use crate::model::Millis;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use tokio::sync::mpsc;

/// A future that a `Link` returns; not `Send`, because a run's loops live on one thread.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Bytes queued towards a wire before its writer waits, in messages.
pub const TO_WIRE_QUEUE: usize = 16;
/// Bytes queued from a wire before its reader is held back, in messages; the remote side then waits too.
pub const FROM_WIRE_QUEUE: usize = 64;

/// One end of a wire.
#[derive(Debug)]
pub struct Wire {
    /// Towards the process's stdin (or the port). Dropping it sends end-of-file.
    pub to: mpsc::Sender<Vec<u8>>,
    /// From it. After `Closed`, or when this yields `None`, nothing more comes.
    pub from: mpsc::Receiver<FromWire>,
}

/// A TCP connection that stands.
#[derive(Debug)]
pub struct Connected {
    /// The connection.
    pub wire: Wire,
    /// How it was made, where that was not by the host's own SSH server: `by `nc` on db1 …`.
    pub by: Option<String>,
}

/// What comes from a wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromWire {
    /// Bytes of stdout, or from the port.
    Out(Vec<u8>),
    /// Bytes of stderr.
    Err(Vec<u8>),
    /// The last word.
    Closed(Closed),
}

/// How a wire ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// The process exited with this status, said by the other side in so many words.
    Exit(i32),
    /// A signal ended it (name without `SIG`).
    Signal(String),
    /// The other side closed in good order without saying how the process ended.
    NoStatus,
    /// The link beneath was lost; says how.
    Lost(String),
}

/// A way to one host.
pub trait Link {
    /// Starts `command` by the login shell on the host. `Ok` once the host accepted it.
    fn open<'a>(&'a self, command: &'a str) -> Pending<'a, Result<Wire, Trouble>>;
    /// Opens a TCP connection from the host to `host:port` (direct-tcpip, or a plain socket for the local
    /// link). `Ok` once it is established.
    fn tcp<'a>(&'a self, host: &'a str, port: u16) -> Pending<'a, Result<Wire, Trouble>>;
    /// Like `tcp`, with a limit for the try itself. A caller that wants a limit must give it here and not drop the
    /// future instead: only the link knows whether the connection was really tried all that time, and whether
    /// the host in between was alive. `TargetClosed` says both.
    fn tcp_within<'a>(
        &'a self,
        host: &'a str,
        port: u16,
        limit: Millis,
    ) -> Pending<'a, Result<Wire, Trouble>> {
        Box::pin(async move {
            match tokio::time::timeout(limit.std(), self.tcp(host, port)).await {
                Ok(answer) => answer,
                Err(_) => {
                    let what = format!("{host}:{port}: no answer within {limit}");
                    Err(Trouble::new(TroubleKind::TargetClosed, what))
                }
            }
        })
    }
    /// Is the link still up, as far as is known?
    fn is_up(&self) -> bool;
    /// What a person wants to know of it: host key fingerprint, algorithms, authentication.
    fn facts(&self) -> String;
}

/// Why a host cannot be reached or a wire not opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Which kind.
    pub kind: TroubleKind,
    /// Names the thing, then the trouble.
    pub what: String,
    /// The next move.
    pub hint: Option<String>,
}

/// The kinds of trouble, by what may be done about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TroubleKind {
    /// No answer, refused, no route, name not found, timed out. Another try may do better.
    Unreachable,
    /// The host key is unknown, changed or revoked. Never tried again.
    HostKey,
    /// Nobody could log in with what was offered. Never tried again.
    Login,
    /// Becoming another user was refused. Never tried again.
    Become,
    /// The host refused the channel (MaxSessions, ForceCommand, forwarding off).
    Refused,
    /// The TCP target behind the host did not answer (for `tcp` only): the probe's answer is "closed".
    TargetClosed,
    /// The link broke after it was up.
    Lost,
    /// A setting makes no sense (identity file missing, jump unknown). Never tried again.
    Settings,
}

impl Trouble {
    /// Joins a kind and a sentence.
    pub fn new(kind: TroubleKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), hint: None }
    }
    /// Says the next move.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    /// May another try do better?
    pub fn try_again(&self) -> bool {
        use TroubleKind::*;
        match self.kind {
            Unreachable | Refused | Lost => true,
            HostKey | Login | Become | TargetClosed | Settings => false,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Trouble {}
