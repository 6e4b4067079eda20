//! A session joined to its carrier: moves bytes between the two, never waits, never loses one.

use super::carrier::Carrier;
use super::session::{Fault, Preferences, Session};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::task::{Context, Poll};
use tokio::time::Instant;

/// Room in the socket pair for what one call of libssh2 may send: a packet and some answers.
const PAIR_BYTES: usize = 1024 * 1024;
/// What one read of the socket pair takes.
const CHUNK_BYTES: usize = 32 * 1024;
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
    /// The session.
    pub session: Session,
    /// What carries its bytes.
    pub carrier: Carrier,
    /// Our end of the socket pair; the session has the other.
    ours: UnixStream,
    /// From the carrier, not yet taken by the session.
    inbound: VecDeque<u8>,
    /// From the session, not yet taken by the carrier.
    outbound: VecDeque<u8>,
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
        let (ours, theirs) = pair().map_err(|error| Fault::Broken(format!("no socket pair: {error}")))?;
        let session = Session::new(theirs, prefer)?;
        let (inbound, outbound) = (VecDeque::new(), VecDeque::new());
        let (heard_at, patience, lost) = (Instant::now(), None, None);
        Ok(Self { session, carrier, ours, inbound, outbound, patience, endless: false, heard_at, lost })
    }

    /// From here on the other side may say so many bytes, or anything.
    pub fn have_patience(&mut self, bytes: Option<usize>) {
        self.patience = bytes;
    }

    /// Moves what can be moved. `true` if anything was, so that the session may have something to do.
    pub fn poll_move(&mut self, cx: &mut Context<'_>) -> bool {
        let taken = self.take_from_session();
        let sent = self.send(cx);
        let come = self.receive(cx);
        taken || sent || come
    }

    /// Was it left because it talked without end?
    pub fn is_endless(&self) -> bool {
        self.endless
    }

    /// Is there room for more from the channels?
    pub fn has_room(&self) -> bool {
        self.outbound.len() < UNSENT_BYTES_MAX
    }

    /// Does the session leave bytes lying? Then silence says nothing about the other side.
    pub fn is_deaf(&self) -> bool {
        !self.inbound.is_empty()
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
            self.take_from_session();
            self.send(cx);
        }
    }

    fn take_from_session(&mut self) -> bool {
        let mut any = false;
        let mut chunk = [0; CHUNK_BYTES];
        // The end of the pair is never closed while the session lives, so 0 and errors mean there is nothing.
        while let Ok(n @ 1..) = self.ours.read(&mut chunk) {
            self.outbound.extend(&chunk[..n]);
            any = true;
        }
        any
    }

    fn send(&mut self, cx: &mut Context<'_>) -> bool {
        let mut any = false;
        while !self.outbound.is_empty() && self.lost.is_none() {
            match self.carrier.poll_write(cx, &mut self.outbound) {
                Poll::Pending => break,
                Poll::Ready(Ok(_)) => any = true,
                // What the other side sent before it closed is still to be read; the read says how it ended.
                Poll::Ready(Err(_)) => {
                    self.outbound.clear();
                    break;
                }
            }
        }
        // What a lane begins with is long, and of all that it says the rest is short.
        if any && self.outbound.is_empty() && self.outbound.capacity() > KEPT_BYTES {
            self.outbound = VecDeque::new();
        }
        any
    }

    fn receive(&mut self, cx: &mut Context<'_>) -> bool {
        let mut any = self.hand_over();
        while self.inbound.is_empty() && self.lost.is_none() && self.outbound.len() < UNSENT_BYTES_DEAF {
            match self.carrier.poll_read(cx) {
                Poll::Pending => break,
                Poll::Ready(Ok(bytes)) if bytes.is_empty() => {
                    self.lost = Some("the connection was closed by the other side".to_owned());
                    any = true;
                }
                Poll::Ready(Ok(bytes)) => {
                    self.heard_at = Instant::now();
                    if let Some(patience) = &mut self.patience {
                        if bytes.len() > *patience {
                            self.endless = true;
                            self.lost = Some(ENDLESS.to_owned());
                            return true;
                        }
                        *patience -= bytes.len();
                    }
                    self.inbound = bytes.into();
                    self.hand_over();
                    // One read at a time: the session works on it before the next.
                    return true;
                }
                Poll::Ready(Err(why)) => {
                    self.lost = Some(why);
                    any = true;
                }
            }
        }
        any
    }

    /// Gives the session what has come, as far as the pair has room.
    fn hand_over(&mut self) -> bool {
        let mut any = false;
        while !self.inbound.is_empty() {
            match self.ours.write(self.inbound.as_slices().0) {
                Ok(n @ 1..) => {
                    self.inbound.drain(..n);
                    any = true;
                }
                Ok(0) | Err(_) => break,
            }
        }
        any
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // Freeing a session waits for the other side unless it is cut off.
        let _ = self.ours.shutdown(std::net::Shutdown::Both);
    }
}

fn pair() -> io::Result<(UnixStream, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    for end in [&ours, &theirs] {
        end.set_nonblocking(true)?;
        // The kernel gives less where its limits say so; the default alone would do.
        let _ = rustix::net::sockopt::set_socket_send_buffer_size(end, PAIR_BYTES);
    }
    Ok((ours, theirs))
}
