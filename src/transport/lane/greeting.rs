//! The beginning of a lane: what the host says until the agent speaks, and sudo's question in between.

use super::opening::Opening;
use super::scan::{Piece, Scanner};
use super::words::Hello;
use crate::model::Millis;
use crate::transport::wire::{Closed, FromWire, Trouble, TroubleKind, Wire};
use tokio::time::timeout;
use zeroize::Zeroizing;

/// As much of it is kept to explain why the agent never spoke.
const NOISE_BYTES_KEPT: usize = 2048;
/// What login scripts and sudo may print before the agent speaks.
pub const NOISE_BYTES_MAX: usize = 256 * 1024;
/// What a login must be like whose shell did something else than it was told.
const MUST_OBEY: &str = "the login must be allowed to run `/bin/sh -c …`: a `ForceCommand`, or `command=` before its key, \
    must run `$SSH_ORIGINAL_COMMAND`, and no login script may end, read input or start another shell";
/// What sudo must be like.
const MUST_LET: &str = "sudo must let the user run `/bin/sh -c …` without a terminal, and without a password unless one is \
    given for it";
/// From the accepted channel to the agent's first answer: login scripts may be slow, not that slow.
pub const HELLO_WAIT: Millis = Millis::from_secs(30);
/// What a lane begins with.
pub(super) struct Greeting {
    /// stdout, behind the agent's greeting.
    pub(super) out: Scanner,
    /// stderr, behind the greeting there.
    pub(super) err: Scanner,
    /// The greeting.
    pub(super) hello: Hello,
}

/// Sends the opening and waits for the agent's first answer, skipping what login scripts and sudo print.
pub(super) async fn greet(wire: &mut Wire, opening: &Opening) -> Result<Greeting, Trouble> {
    timeout(HELLO_WAIT.std(), listen(wire, opening)).await.unwrap_or_else(|_| {
        let kind = if opening.is_privileged() { TroubleKind::Become } else { TroubleKind::Unreachable };
        Err(Trouble::new(kind, format!("the shell on the host did not answer within {HELLO_WAIT}"))
            .hint("a login script or sudo may be asking for something, or send stderr elsewhere: look with `ssh -T`; or large packets get lost (MTU)"))
    })
}

async fn listen(wire: &mut Wire, opening: &Opening) -> Result<Greeting, Trouble> {
    let lines = opening.lines();
    let mut waiting = Waiting { noise: Noise::default(), privileged: opening.is_privileged() };
    send(wire, lines.first.as_bytes()).await;
    if let (Some(token), Some(password)) = (&lines.token, &opening.password)
        && waiting.token(wire, token).await? == Asked::ForPassword
    {
        let mut answer = Zeroizing::new(password.reveal().as_bytes().to_vec());
        answer.push(b'\n');
        send(wire, &answer).await;
        if waiting.token(wire, token).await? == Asked::ForPassword {
            return Err(Trouble::new(TroubleKind::Become, "sudo refused the password")
                .hint("it was tried once and will not be tried again in this run"));
        }
    }
    send(wire, lines.second.as_bytes()).await;
    let (mut out, mut err) = (Scanner::default(), Scanner::default());
    let (mut hello, mut err_hello) = (None, false);
    loop {
        match waiting.next(wire).await? {
            FromWire::Closed(_) => unreachable!("`next` makes it trouble"),
            FromWire::Err(chunk) => {
                err.push(chunk);
                while !err_hello {
                    match err.pull(Some(&lines.hello)) {
                        Piece::Bytes(range) => waiting.noise.add(err.bytes(range))?,
                        Piece::Frame(_) => err_hello = true,
                        Piece::More => break,
                        Piece::TooLong => return Err(waiting.trouble("answered something else")),
                    }
                }
            }
            FromWire::Out(chunk) => {
                out.push(chunk);
                loop {
                    match out.pull(Some(&lines.hello)) {
                        Piece::Bytes(range) => waiting.noise.add(out.bytes(range))?,
                        // What is said on stderr, and no more than this word.
                        Piece::Frame(words) if words == "hello" => {
                            return Err(joined());
                        }
                        Piece::Frame(words) => {
                            let said = Hello::read(&words);
                            hello = Some(said.ok_or_else(|| waiting.trouble("answered something else"))?);
                        }
                        Piece::More => break,
                        Piece::TooLong => return Err(waiting.trouble("answered something else")),
                    }
                }
            }
        }
        if err_hello && let Some(hello) = hello.take() {
            return Ok(Greeting { out, err, hello });
        }
    }
}

/// Without a stderr of its own a lane could not tell when all of a job's output has come.
fn joined() -> Trouble {
    Trouble::new(TroubleKind::Settings, "the login shell's stderr goes where stdout goes")
        .hint("no login script may redirect it, as `exec 2>&1` does")
}

/// An early end of the other side is told by `Waiting::next`, with what it printed.
async fn send(wire: &Wire, bytes: &[u8]) {
    let _ = wire.to.send(bytes.to_vec()).await;
}

pub(super) struct Waiting {
    noise: Noise,
    privileged: bool,
}

#[derive(PartialEq, Eq)]
pub(super) enum Asked {
    ForPassword,
    Nothing,
}

impl Waiting {
    /// For a word of the login shell itself.
    pub(super) fn for_login_shell() -> Self {
        Self { noise: Noise::default(), privileged: false }
    }

    async fn next(&mut self, wire: &mut Wire) -> Result<FromWire, Trouble> {
        match wire.from.recv().await {
            Some(FromWire::Closed(Closed::Lost(because))) => {
                Err(Trouble::new(TroubleKind::Lost, format!("the link was lost: {because}")))
            }
            None => Err(Trouble::new(TroubleKind::Lost, "the link was lost")),
            Some(FromWire::Closed(Closed::Exit(_) | Closed::NoStatus | Closed::Signal(_))) => {
                Err(self.trouble("ended before it answered"))
            }
            Some(message @ (FromWire::Out(_) | FromWire::Err(_))) => Ok(message),
        }
    }

    /// Waits for sudo's prompt (on stderr) or for the shell behind sudo (on stdout).
    pub(super) async fn token(&mut self, wire: &mut Wire, token: &str) -> Result<Asked, Trouble> {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        loop {
            let (bytes, found) = match self.next(wire).await? {
                FromWire::Out(chunk) => (seen(&mut out, chunk, token), Asked::Nothing),
                FromWire::Err(chunk) => (seen(&mut err, chunk, token), Asked::ForPassword),
                FromWire::Closed(_) => unreachable!("`next` makes it trouble"),
            };
            match bytes {
                None => return Ok(found),
                Some(noise) => self.noise.add(&noise)?,
            }
        }
    }

    fn trouble(&self, what: &str) -> Trouble {
        let said = self.noise.words();
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        match self.privileged {
            true => Trouble::new(TroubleKind::Become, format!("sudo {what}{said}")).hint(MUST_LET),
            false => {
                Trouble::new(TroubleKind::Settings, format!("the login shell {what}{said}")).hint(MUST_OBEY)
            }
        }
    }
}

/// `None` once the token was seen; else the chunk.
fn seen(before: &mut Vec<u8>, chunk: Vec<u8>, token: &str) -> Option<Vec<u8>> {
    before.extend_from_slice(&chunk);
    if memchr::memmem::find(before, token.as_bytes()).is_some() {
        return None;
    }
    before.drain(..before.len().saturating_sub(token.len()));
    Some(chunk)
}

/// What was printed before the agent spoke: counted, and the end of it kept.
#[derive(Default)]
struct Noise {
    bytes: usize,
    kept: Vec<u8>,
}

impl Noise {
    fn add(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.bytes += bytes.len();
        self.kept.extend_from_slice(bytes);
        self.kept.drain(..self.kept.len().saturating_sub(NOISE_BYTES_KEPT));
        match self.bytes > NOISE_BYTES_MAX {
            true => Err(Trouble::new(
                TroubleKind::Settings,
                format!("the login shell prints without end instead of obeying: {}", self.words()),
            )),
            false => Ok(()),
        }
    }

    /// Its last lines on one line, control characters escaped.
    fn words(&self) -> String {
        let text = String::from_utf8_lossy(&self.kept);
        let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let last = lines[lines.len().saturating_sub(3)..].join("; ");
        last.chars()
            .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
            .collect()
    }
}
