//! One wire's channel: carries bytes both ways without waiting, and has the last word when it ends.

use super::channel::{Channel, Stream};
use super::outlet::Outlet;
use super::scratch;
use super::session::Fault;
use crate::transport::wire::{Closed, FROM_WIRE_QUEUE, FromWire, TO_WIRE_QUEUE, Wire};
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// The largest message from a wire; SSH packets are no larger.
const MESSAGE_BYTES: usize = 32 * 1024;
/// Messages taken from one channel before the others have their turn.
const TURN_MESSAGES: usize = 8;

/// A channel in use.
pub struct Strand {
    channel: Channel,
    /// A TCP connection: it ends when the other side has sent everything.
    tcp: bool,
    /// What is to be written; `None` once the end of input was sent or makes no sense any more.
    to: Option<mpsc::Receiver<Vec<u8>>>,
    writing: Vec<u8>,
    written: usize,
    from: Outlet<FromWire>,
    /// Which stream is read next. They take turns, so that a flood on one cannot starve the other.
    turn: Stream,
    /// The other side has closed the channel.
    pub closed: bool,
    /// The last word, when it waits for room.
    last: Option<Closed>,
}

/// What became of a strand's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Something moved: another turn may move more.
    Moved,
    /// Nothing can move for now.
    Idle,
    /// The last word is said: the channel can go.
    Done,
    /// Nobody listens any more: the channel is to be closed.
    Left,
}

impl Strand {
    /// A wire over `channel`, and its strand.
    pub fn new(channel: Channel, tcp: bool) -> (Self, Wire) {
        let (to, to_rx) = mpsc::channel(TO_WIRE_QUEUE);
        let (from_tx, from) = mpsc::channel(FROM_WIRE_QUEUE);
        let strand = Self {
            channel,
            tcp,
            to: Some(to_rx),
            writing: Vec::new(),
            written: 0,
            from: Outlet::new(from_tx),
            turn: Stream::Out,
            closed: false,
            last: None,
        };
        (strand, Wire { to, from })
    }

    /// The channel, to listen to or to close.
    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Gives the channel up, once nobody listens.
    pub fn into_channel(self) -> Channel {
        self.channel
    }

    /// Reads and writes what is possible now.
    pub fn poll(&mut self, cx: &mut Context<'_>, room_to_send: bool) -> Result<Turn, Fault> {
        if self.from.poll_left(cx) {
            return Ok(Turn::Left);
        }
        let read = self.poll_read(cx)?;
        if read == Turn::Done {
            return Ok(Turn::Done);
        }
        let wrote = room_to_send && self.poll_write(cx)?;
        Ok(if wrote { Turn::Moved } else { read })
    }

    /// After the link is lost: hands out what has come, then says how it was lost.
    pub fn poll_lost(&mut self, cx: &mut Context<'_>, why: &str) -> Turn {
        self.to = None;
        if self.from.poll_left(cx) {
            return Turn::Left;
        }
        // The session may be too broken to be read from; then what it holds is lost as well, which "lost" allows.
        match self.poll_read(cx) {
            // The reader has to make room for what came before the loss.
            Ok(Turn::Idle) if self.last.is_some() || self.from.poll_room(cx).is_pending() => {
                return Turn::Idle;
            }
            Ok(Turn::Idle) | Err(_) => self.last = self.last.take().or(Some(Closed::Lost(why.to_owned()))),
            Ok(turn) => return turn,
        }
        self.poll_last(cx)
    }

    /// The link was closed here: says so if there is room.
    pub fn end(&mut self, cx: &mut Context<'_>, why: &str) {
        if let Poll::Ready(Ok(())) = self.from.poll_room(cx) {
            let _ = self.from.send(FromWire::Closed(Closed::Lost(why.to_owned())));
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Result<Turn, Fault> {
        for taken in 0..TURN_MESSAGES {
            if self.last.is_some() {
                return Ok(self.poll_last(cx));
            }
            if self.channel.waiting() == 0 {
                // An empty message holds no byte and still hides the end until it is read.
                let hidden = self.closed && !self.channel.at_end();
                if hidden && self.from.poll_room(cx).is_ready() {
                    self.read_one()?;
                }
                self.look_for_the_end()?;
                return Ok(if self.last.is_some() || taken > 0 { Turn::Moved } else { Turn::Idle });
            }
            // Without room the channel is not read, and its window makes the host wait.
            match self.from.poll_room(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(())) => return Ok(Turn::Left),
                Poll::Pending => return Ok(Turn::Idle),
            }
            if !self.read_one()? {
                return Ok(if taken > 0 { Turn::Moved } else { Turn::Idle });
            }
        }
        Ok(Turn::Moved)
    }

    /// Passes one message on. `false` if neither stream had one.
    fn read_one(&mut self) -> Result<bool, Fault> {
        for _ in 0..2 {
            let stream = self.turn;
            self.turn = if stream == Stream::Out { Stream::Err } else { Stream::Out };
            let read = scratch::with(MESSAGE_BYTES, |room| {
                self.channel.read(stream, room).map(|n| room[..n].to_vec())
            });
            match read {
                Err(Fault::Wait) => {}
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => {
                    let message =
                        if stream == Stream::Out { FromWire::Out(bytes) } else { FromWire::Err(bytes) };
                    self.from.send(message).expect("there is room");
                    return Ok(true);
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(false)
    }

    /// Everything that came has been read: is that all?
    fn look_for_the_end(&mut self) -> Result<(), Fault> {
        if !self.channel.at_end() {
            return Ok(());
        }
        match self.channel.listen() {
            Ok(()) => {
                self.closed = true;
                // Between the look and now more may have come.
                if self.channel.waiting() == 0 {
                    self.last = Some(if self.tcp { Closed::NoStatus } else { self.channel.ending() });
                }
                Ok(())
            }
            Err(Fault::Wait) => {
                // A TCP peer that has sent everything wants no more either, as far as probes and jumps go.
                if self.tcp {
                    self.last = Some(Closed::NoStatus);
                }
                Ok(())
            }
            Err(fault) => Err(fault),
        }
    }

    fn poll_last(&mut self, cx: &mut Context<'_>) -> Turn {
        match self.from.poll_room(cx) {
            Poll::Pending => Turn::Idle,
            Poll::Ready(Err(())) => Turn::Left,
            Poll::Ready(Ok(())) => {
                if let Some(last) = self.last.take() {
                    let _ = self.from.send(FromWire::Closed(last));
                }
                Turn::Done
            }
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<bool, Fault> {
        if self.closed || self.channel.at_end() && self.tcp {
            self.to = None;
        }
        let Some(to) = &mut self.to else { return Ok(false) };
        if self.writing.is_empty() {
            match to.poll_recv(cx) {
                Poll::Pending => return Ok(false),
                Poll::Ready(Some(bytes)) => (self.writing, self.written) = (bytes, 0),
                Poll::Ready(None) => {
                    return match self.channel.end_input() {
                        Ok(()) => {
                            self.to = None;
                            Ok(true)
                        }
                        Err(Fault::Wait) => Ok(false),
                        Err(fault) => Err(fault),
                    };
                }
            }
        }
        if self.writing.is_empty() {
            return Ok(true);
        }
        match self.channel.write(&self.writing[self.written..]) {
            Ok(n) => {
                self.written += n;
                if self.written == self.writing.len() {
                    (self.writing, self.written) = (Vec::new(), 0);
                }
                Ok(n > 0)
            }
            Err(Fault::Wait) => Ok(false),
            Err(fault) => Err(fault),
        }
    }
}
