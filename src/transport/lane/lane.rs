//! The controller's end of a lane: sends orders, takes answers and output apart.

use super::greeting::{Greeting, greet};
use super::nonce;
use super::opening::{Opening, REST_ORDER};
use super::scan::{FRAME_BYTES_MAX, Piece, Scanner};
use super::silence;
use super::words::{End, Group, Hello, Refusal};
use crate::model::Millis;
use crate::model::secret::Secret;
use crate::transport::remote::GoLine;
use crate::transport::wire::{Closed, FromWire, Link, Trouble, Wire};
use crate::transport::work::{NoSink, Sink};
use std::collections::VecDeque;
use std::fmt::Write as _;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::time::timeout;
use zeroize::Zeroizing;

/// How long a lane may take to let go of its channel after end-of-file.
const CLOSE_WAIT: Millis = Millis::from_secs(5);
/// A short answer takes milliseconds; a file system that hangs, or a host that plays dead, must not hang us.
const ANSWER_WAIT: Millis = Millis::from_secs(30);
/// Pieces in which files are sent: one SSH packet's worth.
pub const UPLOAD_CHUNK_BYTES: usize = 32 * 1024;

/// A lane, ready for an order or at work on one.
#[derive(Debug)]
pub struct Lane {
    wire: Wire,
    out: Scanner,
    err: Scanner,
    hello: Hello,
    /// The agent has all of its text.
    knows_all: bool,
    job: Option<Job>,
    news: VecDeque<News>,
    closed: Option<Gone>,
}

#[derive(Debug)]
struct Job {
    nonce: String,
    /// It was to be laid ready first, and that was not answered yet.
    to_stage: bool,
    /// `go` came: what follows on stdout is its own.
    begun: bool,
    /// `no` came: only its end is missing.
    refused: bool,
    out_end: Option<End>,
    err_end: bool,
}

impl Job {
    fn new(nonce: String, to_stage: bool) -> Self {
        Self { nonce, to_stage, begun: false, refused: false, out_end: None, err_end: false }
    }
}

/// What a lane tells of the job that it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// It lies ready on the host and waits for its `GoLine`.
    Staged,
    /// It started, in this process group.
    Started(Group),
    /// It was not started.
    Refused(Refusal),
    /// It ended, and all it printed has been delivered. After a refusal this only frees the lane.
    Ended(End),
    /// The lane is gone; no more will come.
    Gone(Gone),
}

/// How a lane was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// For a person.
    pub because: String,
    /// The link beneath is gone too.
    pub link: bool,
}

impl Lane {
    /// Opens a channel and readies the agent in it.
    pub async fn open(link: &dyn Link, opening: &Opening) -> Result<Lane, Trouble> {
        let mut wire = link.open(&Opening::command()).await?;
        let Greeting { out, err, hello } = tokio::select! {
            biased;
            greeting = greet(&mut wire, opening) => greeting?,
            trouble = silence::is_disobedience(link) => return Err(trouble),
        };
        Ok(Lane { wire, out, err, hello, knows_all: false, job: None, news: VecDeque::new(), closed: None })
    }

    /// What the agent said of itself.
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Is it idle and, as far as is known, alive? Throws away what background processes of older jobs printed.
    pub fn is_sound(&mut self) -> bool {
        loop {
            match self.wire.from.try_recv() {
                Ok(message) => self.take(message, &mut NoSink),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    self.lose(Closed::Lost("the link ended".into()));
                    break;
                }
            }
        }
        self.job.is_none() && self.closed.is_none() && self.news.is_empty()
    }

    /// Gives it a script. `false`: the lane is gone, and surely nothing was started.
    pub async fn begin(&mut self, script: &Secret, claim: Option<&str>) -> bool {
        self.order("J", script, claim).await.is_some()
    }

    /// Gives it a script that is to wait for the line that is returned. `None`: the lane is gone, and surely nothing
    /// will be started.
    pub async fn stage(&mut self, script: &Secret, claim: Option<&str>) -> Option<GoLine> {
        let nonce = self.order("S", script, claim).await?;
        Some(GoLine::new(self.wire.to.clone(), format!("{nonce}\n").into_bytes()))
    }

    /// Gives it all of a script but the last byte, without waiting; the line that is returned is that byte, and before it
    /// has come nothing is claimed or started. `None`: the lane is gone, or has no room, and nothing will be started.
    pub fn lay(&mut self, script: &Secret, claim: Option<&str>) -> Option<GoLine> {
        let (mut order, nonce) = self.composed("J", script, claim);
        let last = order.pop().expect("an order ends with a newline");
        self.wire.to.try_send(order.as_bytes().to_vec()).ok()?;
        self.job = Some(Job::new(nonce, false));
        Some(GoLine::new(self.wire.to.clone(), last.to_string().into_bytes()))
    }

    async fn order(&mut self, verb: &str, script: &Secret, claim: Option<&str>) -> Option<String> {
        let (order, nonce) = self.composed(verb, script, claim);
        if self.wire.to.send(order.as_bytes().to_vec()).await.is_err() {
            return None;
        }
        self.job = Some(Job::new(nonce.clone(), verb == "S"));
        Some(nonce)
    }

    /// The text of an order, and its nonce.
    fn composed(&mut self, verb: &str, script: &Secret, claim: Option<&str>) -> (Zeroizing<String>, String) {
        assert!(self.job.is_none(), "a lane does one job at a time");
        let nonce = nonce::fresh();
        let text = script.reveal();
        // Room for all of it, so that no copy of a secret is left behind by growing.
        let rest = self.rest_for(verb);
        let mut order = Zeroizing::new(String::with_capacity(rest.len() + text.len() + FRAME_BYTES_MAX));
        order.push_str(rest);
        let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
        writeln!(order, "{verb} {nonce} {} {lines} {}", claim.unwrap_or("-"), text.len() + 1)
            .expect("writing to memory");
        order.push_str(text);
        order.push('\n');
        (order, nonce)
    }

    /// What the agent must be taught before its first order of this kind.
    fn rest_for(&mut self, verb: &str) -> &'static str {
        let is_enough = self.knows_all || verb == "J" && self.hello.mode != "setsid";
        self.knows_all |= !is_enough;
        if is_enough { "" } else { &REST_ORDER }
    }

    /// The next news of the job; its output goes to `sink` meanwhile. May be dropped and called again.
    pub async fn next(&mut self, sink: &mut dyn Sink) -> News {
        loop {
            if let Some(news) = self.news.pop_front() {
                return news;
            }
            if let Some(gone) = &self.closed {
                return News::Gone(gone.clone());
            }
            match self.wire.from.recv().await {
                Some(message) => self.take(message, sink),
                None => self.lose(Closed::Lost("the link ended".into())),
            }
        }
    }

    /// Gives it a short order and waits for the one answer, which should come at once.
    pub async fn ask(&mut self, verb: &str, arguments: &str) -> Result<String, Gone> {
        self.ask_within(verb, arguments, ANSWER_WAIT).await
    }

    /// The same for an order that takes its time. When that is over the lane is of no use any more.
    pub async fn ask_within(&mut self, verb: &str, arguments: &str, limit: Millis) -> Result<String, Gone> {
        let answer = timeout(limit.std(), self.put(verb, arguments)).await;
        answer.unwrap_or_else(|_| {
            let because = format!("the host did not answer within {limit}");
            Err(self.closed.insert(Gone { because, link: false }).clone())
        })
    }

    async fn put(&mut self, verb: &str, arguments: &str) -> Result<String, Gone> {
        assert!(self.job.is_none(), "a lane does one job at a time");
        let nonce = nonce::fresh();
        let rest = self.rest_for(verb);
        self.send(format!("{rest}{verb} {nonce} {arguments}\n").into_bytes()).await?;
        self.answer(&nonce).await
    }

    /// Gives it a file, in chunks as `next` yields them, and ends. The answer's words.
    pub async fn upload(
        mut self,
        name: &str,
        bytes: u64,
        sha256: &str,
        mut next: impl FnMut() -> std::io::Result<Option<Vec<u8>>>,
    ) -> Result<Result<String, Gone>, std::io::Error> {
        let nonce = nonce::fresh();
        let rest = self.rest_for("U");
        let mut sent = self.send(format!("{rest}U {nonce} {name} {bytes} {sha256}\n").into_bytes()).await;
        while sent.is_ok() {
            let Some(chunk) = next()? else { break };
            sent = self.send(chunk).await;
        }
        // End-of-file ends the file. If the host closed early, its answer says why.
        let Wire { to, from } = self.wire;
        drop(to);
        let (to, _) = tokio::sync::mpsc::channel(1);
        self.wire = Wire { to, from };
        Ok(self.answer(&nonce).await)
    }

    /// Lets it go in good order: the agent ends at end-of-file. A job that runs goes on, unseen.
    pub async fn close(self) {
        let Wire { to, mut from } = self.wire;
        drop(to);
        let _ = timeout(CLOSE_WAIT.std(), async {
            while let Some(message) = from.recv().await {
                if matches!(message, FromWire::Closed(_)) {
                    break;
                }
            }
        })
        .await;
    }

    async fn send(&mut self, bytes: Vec<u8>) -> Result<(), Gone> {
        let gone = Gone { because: "the lane was closed".into(), link: false };
        self.wire.to.send(bytes).await.map_err(|_| self.closed.clone().unwrap_or(gone))
    }

    async fn answer(&mut self, nonce: &str) -> Result<String, Gone> {
        loop {
            match self.out.pull(Some(nonce)) {
                Piece::Bytes(_) => continue,
                Piece::Frame(words) => return Ok(words),
                Piece::TooLong => self.lose(Closed::Lost("an answer without end".into())),
                Piece::More => {}
            }
            if let Some(gone) = &self.closed {
                return Err(gone.clone());
            }
            match self.wire.from.recv().await {
                Some(FromWire::Out(chunk)) => self.out.push(chunk),
                Some(message @ (FromWire::Err(_) | FromWire::Closed(_))) => self.take(message, &mut NoSink),
                None => self.lose(Closed::Lost("the link ended".into())),
            }
        }
    }

    fn take(&mut self, message: FromWire, sink: &mut dyn Sink) {
        match message {
            FromWire::Out(chunk) => {
                self.out.push(chunk);
                self.take_out(sink);
            }
            FromWire::Err(chunk) => {
                self.err.push(chunk);
                self.take_err(sink);
            }
            FromWire::Closed(closed) => {
                // Bytes held back because they might have become a frame are output after all.
                let (out, err) = (self.out.rest(), self.err.rest());
                if self.job.as_ref().is_some_and(|job| job.begun && job.out_end.is_none()) {
                    sink.out(self.out.bytes(out));
                }
                if self.job.as_ref().is_some_and(|job| !job.err_end) {
                    sink.err(self.err.bytes(err));
                }
                self.lose(closed);
            }
        }
    }

    fn take_out(&mut self, sink: &mut dyn Sink) {
        loop {
            // Before `go` and after `end` it is what older jobs left behind: thrown away.
            let listening = self.job.as_mut().filter(|job| job.out_end.is_none());
            match self.out.pull(listening.as_ref().map(|job| job.nonce.as_str())) {
                Piece::More => return,
                Piece::TooLong => return self.lose(Closed::Lost("an answer without end".into())),
                Piece::Bytes(range) => {
                    if listening.is_some_and(|job| job.begun) {
                        sink.out(self.out.bytes(range));
                    }
                }
                Piece::Frame(words) => {
                    let job = listening.expect("a frame has a job");
                    let (word, rest) = words.split_once(' ').unwrap_or((&words, ""));
                    // A host that says things out of turn is broken, or not to be believed.
                    let understood = match word {
                        "go" if !job.begun && !job.refused => {
                            Group::read(rest).map(|group| (job.begun = true, News::Started(group)).1)
                        }
                        "staged" if job.to_stage => Some((job.to_stage = false, News::Staged).1),
                        "no" if !job.begun && !job.refused => {
                            Refusal::read(rest).map(|refusal| (job.refused = true, News::Refused(refusal)).1)
                        }
                        "end" if job.begun || job.refused => match End::read(rest) {
                            Some(end) => {
                                job.out_end = Some(end);
                                self.finish();
                                continue;
                            }
                            None => None,
                        },
                        _ => None,
                    };
                    match understood {
                        Some(news) => self.news.push_back(news),
                        None => {
                            return self.lose(Closed::Lost(format!("an answer nobody understands: {words}")));
                        }
                    }
                }
            }
        }
    }

    fn take_err(&mut self, sink: &mut dyn Sink) {
        loop {
            let listening = self.job.as_mut().filter(|job| !job.err_end);
            match self.err.pull(listening.as_ref().map(|job| job.nonce.as_str())) {
                Piece::More => return,
                Piece::TooLong => return self.lose(Closed::Lost("an answer without end".into())),
                Piece::Bytes(range) => {
                    if listening.is_some() {
                        sink.err(self.err.bytes(range));
                    }
                }
                Piece::Frame(_) => {
                    listening.expect("a frame has a job").err_end = true;
                    self.finish();
                }
            }
        }
    }

    fn finish(&mut self) {
        if let Some(Job { out_end: Some(end), err_end: true, .. }) = self.job {
            self.job = None;
            self.news.push_back(News::Ended(end));
        }
    }

    fn lose(&mut self, closed: Closed) {
        self.closed.get_or_insert(gone(closed));
    }
}

fn gone(closed: Closed) -> Gone {
    match closed {
        Closed::Lost(because) => Gone { because, link: true },
        Closed::Exit(status) => {
            Gone { because: format!("the lane's shell ended with status {status}"), link: false }
        }
        Closed::Signal(name) => {
            Gone { because: format!("the lane's shell was killed by SIG{name}"), link: false }
        }
        Closed::NoStatus => Gone { because: "the lane was closed by the host".into(), link: false },
    }
}
