//! What carries an SSH connection's bytes: a TCP connection, or a wire of the link to a jump host.

use super::outlet::Outlet;
use super::scratch;
use crate::transport::wire::{Closed, FromWire, Link, Wire};
use rustix::net::sockopt;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// A read takes at most so much; libssh2's packets are smaller.
const READ_BYTES: usize = 64 * 1024;
/// A message into a jump wire holds at most so much, so that its queue stays short in bytes too.
const MESSAGE_BYTES_MAX: usize = 32 * 1024;

/// A stream of bytes to a server and back.
pub enum Carrier {
    /// Straight over TCP.
    Tcp {
        /// The connection, with Nagle off.
        stream: TcpStream,
        /// Are acknowledgements to be sent at once? Servers do Nagle until the first session is set up, and a
        /// delayed acknowledgement would cost 40 ms there.
        hurry: bool,
    },
    /// Through a jump host.
    Jump {
        /// Towards the server.
        to: Outlet<Vec<u8>>,
        /// From it.
        from: mpsc::Receiver<FromWire>,
        /// The link that the wire belongs to is kept open.
        _link: Rc<dyn Link>,
    },
}

impl Carrier {
    /// Over a TCP connection.
    pub fn tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self::Tcp { stream, hurry: true })
    }

    /// Over a wire of `link`.
    pub fn jump(wire: Wire, link: Rc<dyn Link>) -> Self {
        Self::Jump { to: Outlet::new(wire.to), from: wire.from, _link: link }
    }

    /// Acknowledgements may be delayed from here on.
    pub fn no_hurry(&mut self) {
        if let Self::Tcp { hurry, .. } = self {
            *hurry = false;
        }
    }

    /// Some bytes from the other side; none at its end. The error says how it ended otherwise.
    pub fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Vec<u8>, String>> {
        match self {
            Self::Tcp { stream, hurry } => loop {
                ready!(stream.poll_read_ready(cx)).map_err(say)?;
                match scratch::with(READ_BYTES, |room| stream.try_read(room).map(|n| room[..n].to_vec())) {
                    Ok(bytes) => {
                        if *hurry {
                            // The kernel clears it with each use. It is only a matter of speed, so a failure is none.
                            let _ = sockopt::set_tcp_quickack(&*stream, true);
                        }
                        return Poll::Ready(Ok(bytes));
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Poll::Ready(Err(say(error))),
                }
            },
            Self::Jump { from, .. } => loop {
                match ready!(from.poll_recv(cx)) {
                    Some(FromWire::Out(bytes)) if bytes.is_empty() => {}
                    Some(FromWire::Out(bytes)) => return Poll::Ready(Ok(bytes)),
                    Some(FromWire::Err(_)) => {}
                    Some(FromWire::Closed(Closed::Lost(why))) => {
                        return Poll::Ready(Err(format!("the link to the jump host was lost: {why}")));
                    }
                    Some(FromWire::Closed(_)) | None => return Poll::Ready(Ok(Vec::new())),
                }
            },
        }
    }

    /// Sends from the front of `bytes`; says how many are gone.
    pub fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &mut VecDeque<u8>,
    ) -> Poll<Result<usize, String>> {
        match self {
            Self::Tcp { stream, .. } => loop {
                ready!(stream.poll_write_ready(cx)).map_err(say)?;
                match stream.try_write(bytes.as_slices().0) {
                    Ok(n) => {
                        bytes.drain(..n);
                        return Poll::Ready(Ok(n));
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Poll::Ready(Err(say(error))),
                }
            },
            Self::Jump { to, .. } => {
                if ready!(to.poll_room(cx)).is_err() {
                    return Poll::Ready(Err("the jump host closed the connection".to_owned()));
                }
                let message: Vec<u8> = bytes.drain(..bytes.len().min(MESSAGE_BYTES_MAX)).collect();
                let sent = message.len();
                to.send(message).expect("there is room");
                Poll::Ready(Ok(sent))
            }
        }
    }
}

/// An I/O error without Rust's own decoration.
fn say(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionReset => "the connection was reset".to_owned(),
        io::ErrorKind::BrokenPipe => "the connection was closed by the other side".to_owned(),
        io::ErrorKind::TimedOut => "the connection timed out".to_owned(),
        _ => error.to_string(),
    }
}
