//! A session joined to its carrier: moves bytes between the two, never waits, never loses one.

use super::buffers::Shared;
use super::carrier::Carrier;
use super::session::{Fault, Preferences, Session};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll};
use tokio::time::Instant;

/// With so much come and not taken by the session, nothing more is read.
const UNTAKEN_BYTES_MAX: usize = 256 * 1024;
/// With so much unsent, channels are asked for no more.
pub const UNSENT_BYTES_MAX: usize = 256 * 1024;
/// With so much unsent, the other side is not even listened to. Channels stay far below it: what fills it are answers to
/// somebody who asks and asks (keepalives, requests) and takes no answer.
const UNSENT_BYTES_DEAF: usize = 1024 * 1024;

/// Room for so much is kept for what is sent next.
const KEPT_BYTES: usize = 2 * 1024;

/// How a server that tries our patience is told of.
const ENDLESS: &str = "the server talks without end instead of letting us in";
/// After so many rounds everybody else has their turn: a server that never stops talking must not keep the timers and
/// the other hosts waiting.
pub const ROUNDS_MAX: u32 = 8;

/// A session and the bytes on their way to and from it.
pub struct Pipe {
    /// What the session has sent and is to receive. Stands before the session, so that it is gone first: freeing a session
    /// waits for the other side unless it is cut off.
    buffers: Shared,
    /// The session.
    pub session: Session,
    /// What carries its bytes.
    pub carrier: Carrier,
    /// How much more the other side may say in this part of the conversation; nothing is said of it once it is over.
    patience: Option<usize>,
    /// It said more than that.
    endless: bool,
    /// When bytes last came from the other side.
    pub heard_at: Instant,
    /// How the carrier ended, if it did. Everything that came before is still handed to the session.
    pub lost: Option<String>,
}

impl Pipe {
    /// A session over `carrier` that has said nothing yet.
    pub fn new(carrier: Carrier, prefer: &Preferences) -> Result<Self, Fault> {
        let (session, buffers) = Session::new(prefer)?;
        let (heard_at, patience, lost) = (Instant::now(), None, None);
        Ok(Self { buffers, session, carrier, patience, endless: false, heard_at, lost })
    }

    /// From here on the other side may say so many bytes, or anything.
    pub fn have_patience(&mut self, bytes: Option<usize>) {
        self.patience = bytes;
    }

    /// Moves what can be moved. `true` if anything was, so that the session may have something to do.
    pub fn poll_move(&mut self, cx: &mut Context<'_>) -> bool {
        let sent = self.send(cx);
        let come = self.receive(cx);
        // libssh2 may stop in the middle of a packet all of which is here.
        let buffers = &mut *self.buffers.open();
        let goes_on = std::mem::take(&mut buffers.taken) && !buffers.inbound.is_empty();
        sent || come || goes_on
    }

    /// Was it left because it talked without end?
    pub fn is_endless(&self) -> bool {
        self.endless
    }

    /// Is there room for more from the channels?
    pub fn has_room(&self) -> bool {
        self.buffers.open().outbound.len() < UNSENT_BYTES_MAX
    }

    /// Does the session leave bytes lying? Then silence says nothing about the other side.
    pub fn is_deaf(&self) -> bool {
        self.buffers.open().inbound.len() >= UNTAKEN_BYTES_MAX
    }

    /// Calls `step` until it does not want to wait any more, moving bytes meanwhile.
    pub async fn drive<T>(&mut self, mut step: impl FnMut(&Session) -> Result<T, Fault>) -> Result<T, Fault> {
        poll_fn(|cx| {
            for _ in 0..ROUNDS_MAX {
                self.poll_move(cx);
                match step(&self.session) {
                    Err(Fault::Wait) => {}
                    other => {
                        self.poll_move(cx);
                        return Poll::Ready(other.map_err(|fault| self.explain(fault)));
                    }
                }
                if self.poll_move(cx) {
                    continue;
                }
                if let Some(why) = &self.lost {
                    return Poll::Ready(Err(Fault::Broken(why.clone())));
                }
                return Poll::Pending;
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }

    /// libssh2 says little about why a connection broke; the carrier may know more.
    pub fn explain(&self, fault: Fault) -> Fault {
        match (fault, &self.lost) {
            (Fault::Broken(_), Some(why)) => Fault::Broken(why.clone()),
            (fault, _) => fault,
        }
    }

    /// Says good-bye as far as that is possible without waiting.
    pub fn part(&mut self, cx: &mut Context<'_>) {
        if self.lost.is_none() {
            self.session.disconnect();
            self.send(cx);
        }
    }

    fn send(&mut self, cx: &mut Context<'_>) -> bool {
        let mut any = false;
        let outbound = &mut self.buffers.open().outbound;
        while !outbound.is_empty() && self.lost.is_none() {
            match self.carrier.poll_write(cx, outbound) {
                Poll::Pending => break,
                Poll::Ready(Ok(_)) => any = true,
                // What the other side sent before it closed is still to be read; the read says how it ended.
                Poll::Ready(Err(_)) => {
                    outbound.clear();
                    break;
                }
            }
        }
        // What a lane begins with is long, and of all that it says the rest is short.
        if any && outbound.is_empty() && outbound.capacity() > KEPT_BYTES {
            *outbound = VecDeque::new();
        }
        any
    }

    /// One read at a time: the session works on it before the next.
    fn receive(&mut self, cx: &mut Context<'_>) -> bool {
        let mut buffers = self.buffers.open();
        let full = buffers.inbound.len() >= UNTAKEN_BYTES_MAX || buffers.outbound.len() >= UNSENT_BYTES_DEAF;
        if full || self.lost.is_some() {
            return false;
        }
        match self.carrier.poll_read(cx) {
            Poll::Pending => return false,
            Poll::Ready(Ok(bytes)) if bytes.is_empty() => {
                self.lost = Some("the connection was closed by the other side".to_owned());
            }
            Poll::Ready(Ok(bytes)) => {
                self.heard_at = Instant::now();
                if let Some(patience) = &mut self.patience {
                    let Some(left) = patience.checked_sub(bytes.len()) else {
                        self.endless = true;
                        self.lost = Some(ENDLESS.to_owned());
                        return true;
                    };
                    *patience = left;
                }
                match buffers.inbound.is_empty() {
                    true => buffers.inbound = bytes.into(),
                    false => buffers.inbound.extend(bytes),
                }
            }
            Poll::Ready(Err(why)) => self.lost = Some(why),
        }
        true
    }
}
