//! What a host is asked to do, and how it answers: the words between `drive` and a transport.

use crate::model::event::{Found, JobKind};
use crate::model::names::RunId;
use crate::model::secret::Secret;
use crate::model::{Millis, Outcome};

/// A claim on one attempt: whoever creates its receipt on the host may start it, once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claim {
    /// The run.
    pub run: RunId,
    /// The task, unique in the run and fit for a file name: `17-cut-isp`.
    pub task: String,
    /// `Run` or `Undo`.
    pub kind: JobKind,
    /// Which try.
    pub attempt: u32,
}

/// A script for a host.
#[derive(Debug, Clone)]
pub struct Script {
    /// The complete text, values and secrets already in it as assignments. Holds no NUL.
    pub text: Secret,
    /// Become the host's `becomes` user?
    pub privileged: bool,
    /// The receipt to claim first; `None` for read-only jobs.
    pub claim: Option<Claim>,
    /// After so long its process group is killed.
    pub timeout: Millis,
    /// Was a guard armed for it? Then it does not start on a host that restarted since.
    pub guarded: bool,
}

/// Takes output as it comes. Bytes are the host's: anything may be in them.
pub trait Sink {
    /// Bytes of stdout.
    fn out(&mut self, bytes: &[u8]);
    /// Bytes of stderr.
    fn err(&mut self, bytes: &[u8]);
}

/// A sink that forgets.
#[derive(Debug, Default)]
pub struct NoSink;

impl Sink for NoSink {
    fn out(&mut self, _: &[u8]) {}
    fn err(&mut self, _: &[u8]) {}
}

/// What became of a fetched file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 as 64 hexadecimal digits, of what arrived; compared with the host's own where it can tell.
    pub sha256: String,
}

/// Answers to the questions a preflight asks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preflight {
    /// What was looked at, in words, and the trouble if there was any: host key, login, become, receipts, space.
    pub checks: Vec<(String, Result<String, String>)>,
}

/// Kept so that callers need not name the model for the common pair.
pub type Ended = Outcome;
/// Likewise.
pub type ReceiptSays = Found;
