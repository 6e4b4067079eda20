//! A channel of a session, straight on libssh2's C functions: one of three files with `unsafe` code.
//!
//! The safe binding's channel cannot tell "exit status 0" from "none came" (`libssh2_channel_has_exit_status`
//! is not bound), nor give up an open that is never answered. What is unsafe is only that pointers must be good:
//! - a `Channel` holds a clone of its `Session`, so the session outlives it;
//! - its pointer comes from libssh2, is not null, and is freed once, in `drop`;
//! - all calls come from the one thread that drives the connection, and none calls back into Rust.
#![allow(unsafe_code)]

use super::session::{Fault, Session};
use crate::transport::wire::Closed;
use libssh2_sys as raw;
use std::ffi::{CStr, CString, c_char, c_int, c_long, c_uint};
use std::ptr::{self, NonNull};

unsafe extern "C" {
    // In the bundled C (declared in its libssh2.h), not in the binding.
    fn libssh2_channel_has_exit_status(channel: *mut raw::LIBSSH2_CHANNEL) -> c_int;
    fn libssh2_session_set_read_timeout(session: *mut raw::LIBSSH2_SESSION, timeout_s: c_long);
}

/// As good as no limit: longer than any run.
pub const READ_TIMEOUT_OFF_S: i64 = 10 * 365 * 24 * 3600;
/// The shortest limit libssh2 knows (0 means its default of 60 s).
const READ_TIMEOUT_MIN_S: i64 = 1;

/// Sets how long libssh2 itself waits for an answer.
pub fn set_read_timeout(session: &mut raw::LIBSSH2_SESSION, seconds: i64) {
    // SAFETY: a reference is a good pointer.
    unsafe { libssh2_session_set_read_timeout(session, seconds as c_long) }
}

/// libssh2's bare "not in the queue": a packet of the type that it waits for came, and was about another channel.
const NOT_IN_QUEUE: c_int = -1;

/// stdout or stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Channel data.
    Out = 0,
    /// Extended data of type stderr.
    Err = 1,
}

/// What a channel is opened for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Commands.
    Session,
    /// A TCP connection from the host to this host and port.
    Tcp(CString, u16),
}

/// An open channel.
pub struct Channel {
    raw: NonNull<raw::LIBSSH2_CHANNEL>,
    session: Session,
}

impl Channel {
    /// Opens a channel. A session opens one at a time: after `Fault::Wait` call again for the same `kind`
    /// until the answer is another. After `Fault::Mixed` the next call asks anew.
    pub fn open(session: &Session, kind: &Kind) -> Result<Self, Fault> {
        // SAFETY: the session lives; the strings are good for their lengths, or end in NUL where libssh2 wants that.
        let channel = unsafe {
            match kind {
                Kind::Session => raw::libssh2_channel_open_ex(
                    session.pointer(),
                    SESSION.as_ptr().cast(),
                    SESSION.len() as c_uint,
                    raw::LIBSSH2_CHANNEL_WINDOW_DEFAULT,
                    raw::LIBSSH2_CHANNEL_PACKET_DEFAULT,
                    ptr::null(),
                    0,
                ),
                Kind::Tcp(host, port) => raw::libssh2_channel_direct_tcpip_ex(
                    session.pointer(),
                    host.as_ptr(),
                    c_int::from(*port),
                    ORIGIN.as_ptr(),
                    ORIGIN_PORT,
                ),
            }
        };
        match NonNull::new(channel) {
            Some(raw) => Ok(Self { raw, session: session.clone() }),
            // SAFETY: the session lives.
            None if unsafe { raw::libssh2_session_last_errno(session.pointer()) } == NOT_IN_QUEUE => {
                Err(Fault::Mixed)
            }
            None => Err(session.last_fault()),
        }
    }

    /// Like `open`, but gives up with `Fault::TimedOut` if the request has been out for a second; the session
    /// can open other channels then. libssh2 ignores a later answer.
    pub fn open_or_give_up(session: &Session, kind: &Kind) -> Result<Self, Fault> {
        // SAFETY: the session lives.
        unsafe { libssh2_session_set_read_timeout(session.pointer(), READ_TIMEOUT_MIN_S as c_long) };
        let result = Self::open(session, kind);
        // SAFETY: likewise.
        unsafe { libssh2_session_set_read_timeout(session.pointer(), READ_TIMEOUT_OFF_S as c_long) };
        result
    }

    /// Starts `command` by the login shell. After `Fault::Mixed` this channel is of no use.
    pub fn exec(&self, command: &str) -> Result<(), Fault> {
        // SAFETY: the channel lives; both strings are good for their lengths.
        let rc = unsafe {
            raw::libssh2_channel_process_startup(
                self.raw.as_ptr(),
                EXEC.as_ptr().cast(),
                EXEC.len() as c_uint,
                command.as_ptr().cast::<c_char>(),
                command.len() as c_uint,
            )
        };
        if rc == NOT_IN_QUEUE { Err(Fault::Mixed) } else { self.rc(rc) }
    }

    /// Handles everything that has come for the session, this channel's data included, without taking any of it.
    /// `Ok` once this channel is closed by the other side.
    pub fn listen(&self) -> Result<(), Fault> {
        // SAFETY: the channel lives. `wait_closed` wants the end of file first.
        self.rc(unsafe { raw::libssh2_channel_wait_eof(self.raw.as_ptr()) })?;
        self.rc(unsafe { raw::libssh2_channel_wait_closed(self.raw.as_ptr()) })
    }

    /// Has the other side closed it, as far as has come?
    pub fn is_closed(&self) -> Result<bool, Fault> {
        match self.listen() {
            Ok(()) => Ok(true),
            Err(Fault::Wait) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// Has the other side sent everything, and has all of it been read?
    pub fn at_end(&self) -> bool {
        // SAFETY: the channel lives.
        unsafe { raw::libssh2_channel_eof(self.raw.as_ptr()) != 0 }
    }

    /// Bytes that have come and wait to be read, of both streams.
    pub fn waiting(&self) -> usize {
        let mut waiting = 0;
        // SAFETY: the channel lives; a null pointer says that the initial size is not wanted.
        unsafe { raw::libssh2_channel_window_read_ex(self.raw.as_ptr(), &mut waiting, ptr::null_mut()) };
        waiting as usize
    }

    /// Reads from one stream. 0 at its end.
    pub fn read(&self, stream: Stream, into: &mut [u8]) -> Result<usize, Fault> {
        // SAFETY: the channel lives; `into` is good for its length.
        let rc = unsafe {
            raw::libssh2_channel_read_ex(
                self.raw.as_ptr(),
                stream as c_int,
                into.as_mut_ptr().cast::<c_char>(),
                into.len(),
            )
        };
        self.rc(rc as c_int).map(|()| rc as usize)
    }

    /// Writes a part of `bytes`; says how much. After `Fault::Wait` call again with the same bytes.
    pub fn write(&self, bytes: &[u8]) -> Result<usize, Fault> {
        // SAFETY: the channel lives; `bytes` is good for its length.
        let rc = unsafe {
            raw::libssh2_channel_write_ex(self.raw.as_ptr(), 0, bytes.as_ptr().cast::<c_char>(), bytes.len())
        };
        self.rc(rc as c_int).map(|()| rc as usize)
    }

    /// Says that nothing more will be written.
    pub fn end_input(&self) -> Result<(), Fault> {
        // SAFETY: the channel lives.
        self.rc(unsafe { raw::libssh2_channel_send_eof(self.raw.as_ptr()) })
    }

    /// Closes our side.
    pub fn close(&self) -> Result<(), Fault> {
        // SAFETY: the channel lives.
        self.rc(unsafe { raw::libssh2_channel_close(self.raw.as_ptr()) })
    }

    /// How the process ended, once `listen` said that the channel is closed. The signal is looked at first,
    /// because libssh2 gives status 0 beside it, as it does when the server said nothing at all.
    pub fn ending(&self) -> Closed {
        // SAFETY: the channel lives.
        let said = unsafe { libssh2_channel_has_exit_status(self.raw.as_ptr()) } != 0;
        match self.exit_signal() {
            Some(signal) => Closed::Signal(signal),
            // SAFETY: the channel lives.
            None if said => Closed::Exit(unsafe { raw::libssh2_channel_get_exit_status(self.raw.as_ptr()) }),
            None => Closed::NoStatus,
        }
    }

    fn exit_signal(&self) -> Option<String> {
        let mut name: *mut c_char = ptr::null_mut();
        // SAFETY: the channel lives; libssh2 takes null for what is not wanted, and gives a string of its own
        // that ends in NUL, which is freed here.
        unsafe {
            raw::libssh2_channel_get_exit_signal(
                self.raw.as_ptr(),
                &mut name,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
            );
            if name.is_null() {
                return None;
            }
            let signal = CStr::from_ptr(name).to_string_lossy().into_owned();
            raw::libssh2_free(self.session.pointer(), name.cast());
            Some(signal)
        }
    }

    fn rc(&self, rc: c_int) -> Result<(), Fault> {
        if rc >= 0 { Ok(()) } else { Err(self.session.fault(rc)) }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        // SAFETY: the channel lives, and nobody uses it after this. If it is not closed yet, libssh2 keeps it
        // until the session is freed.
        unsafe { raw::libssh2_channel_free(self.raw.as_ptr()) };
    }
}

const SESSION: &[u8] = b"session";
const EXEC: &[u8] = b"exec";
/// Where a forwarded connection claims to come from; servers only log it.
const ORIGIN: &CStr = c"127.0.0.1";
const ORIGIN_PORT: c_int = 0;
