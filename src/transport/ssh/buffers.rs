//! What libssh2 sends and receives lies in memory: functions of ours stand in the place of `send` and `recv`. The last
//! of three files with `unsafe` code.
//!
//! So it never touches the network, and a send always finds room: libssh2 keeps a half-sent packet by the *address* of
//! its caller's buffer, several callers use buffers on the stack, and a retry from another depth of the stack would
//! stall the session for ever. What is unsafe is only that
//! - both functions are as libssh2's documentation of `libssh2_session_callback_set` wants them;
//! - bytes are copied from and to the room that libssh2 names, and no more of them than it names;
//! - descriptors other than the stand-in are libssh2's own, of an agent, and open while it uses them.
#![allow(unsafe_code)]

use libssh2_sys as raw;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use std::collections::{BTreeMap, VecDeque};
use std::ffi::{c_int, c_void};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

unsafe extern "C" {
    // In the bundled C (declared in its libssh2.h), not in the binding.
    fn libssh2_session_callback_set(
        session: *mut raw::LIBSSH2_SESSION,
        kind: c_int,
        function: *mut c_void,
    ) -> *mut c_void;
}
const CALLBACK_SEND: c_int = 5;
const CALLBACK_RECV: c_int = 6;

/// The buffers of all sessions, by the address of the session.
static ALL: Mutex<BTreeMap<usize, Arc<Mutex<Buffers>>>> = Mutex::new(BTreeMap::new());

/// The bytes of one session on their way.
#[derive(Debug, Default)]
pub struct Buffers {
    /// From the other side, not yet taken by the session.
    pub inbound: VecDeque<u8>,
    /// From the session, not yet on its way to the other side.
    pub outbound: VecDeque<u8>,
    /// The session has taken some of it since this was last asked.
    pub taken: bool,
}

/// What a session shares with us. When this is gone, every send and receive of the session fails.
#[derive(Debug)]
pub struct Shared {
    session: usize,
    buffers: Arc<Mutex<Buffers>>,
}

impl Shared {
    /// Gives a session that was made a moment ago its buffers.
    pub fn with(session: *mut raw::LIBSSH2_SESSION) -> Self {
        let buffers = Arc::new(Mutex::new(Buffers::default()));
        locked(&ALL).insert(session as usize, Arc::clone(&buffers));
        // SAFETY: the session lives, nobody else has it yet, and the functions have the types that these kinds want.
        unsafe {
            libssh2_session_callback_set(session, CALLBACK_SEND, send as *mut c_void);
            libssh2_session_callback_set(session, CALLBACK_RECV, receive as *mut c_void);
        }
        Self { session: session as usize, buffers }
    }

    /// The buffers. Not to be kept over a call of the session.
    pub fn open(&self) -> MutexGuard<'_, Buffers> {
        locked(&self.buffers)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        locked(&ALL).remove(&self.session);
    }
}

/// What libssh2 takes for the socket of each session: it wants one, and asks it nothing but whether it would block.
#[derive(Debug, Clone, Copy)]
pub struct StandIn(RawFd);

impl StandIn {
    /// One for all sessions. An error when there is no descriptor left for it.
    pub fn get() -> io::Result<Self> {
        static ONE: OnceLock<UnixStream> = OnceLock::new();
        let one = match ONE.get() {
            Some(one) => one,
            None => {
                let (one, _) = UnixStream::pair()?;
                one.set_nonblocking(true)?;
                ONE.get_or_init(|| one)
            }
        };
        Ok(Self(one.as_raw_fd()))
    }

    /// Is it this one?
    fn is(socket: RawFd) -> bool {
        Self::get().is_ok_and(|one| one.0 == socket)
    }
}

impl AsRawFd for StandIn {
    fn as_raw_fd(&self) -> RawFd {
        self.0
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Moves bytes of the session whose `context` stands here, which is where the session begins. `gone`: what libssh2 is
/// told where the buffers are no more.
fn moved(
    session: *mut *mut c_void,
    gone: Errno,
    work: impl FnOnce(&mut Buffers) -> Result<usize, Errno>,
) -> isize {
    let buffers = locked(&ALL).get(&(session as usize)).cloned();
    told(buffers.map_or(Err(gone), |buffers| work(&mut locked(&buffers))))
}

/// How many bytes were moved, or an error as libssh2 wants it.
fn told(moved: Result<usize, Errno>) -> isize {
    match moved {
        Ok(bytes) => bytes as isize,
        Err(Errno::INTR) => -(Errno::AGAIN.raw_os_error() as isize),
        Err(errno) => -(errno.raw_os_error() as isize),
    }
}

extern "C" fn send(
    socket: RawFd,
    bytes: *const c_void,
    length: usize,
    flags: c_int,
    session: *mut *mut c_void,
) -> isize {
    if length == 0 {
        return 0;
    }
    // SAFETY: libssh2 has written so many bytes there.
    let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), length) };
    if !StandIn::is(socket) {
        // SAFETY: libssh2 has it open.
        let socket = unsafe { BorrowedFd::borrow_raw(socket) };
        let flags = SendFlags::from_bits_retain(flags as u32) | SendFlags::NOSIGNAL;
        return told(rustix::net::send(socket, bytes, flags));
    }
    moved(session, Errno::PIPE, |buffers| {
        buffers.outbound.extend(bytes);
        Ok(length)
    })
}

extern "C" fn receive(
    socket: RawFd,
    room: *mut c_void,
    length: usize,
    flags: c_int,
    session: *mut *mut c_void,
) -> isize {
    if length == 0 {
        return 0;
    }
    let room = room.cast::<u8>();
    if !StandIn::is(socket) {
        // SAFETY: libssh2 has it open, and has so much room there.
        let (socket, room) = unsafe {
            room.write_bytes(0, length);
            (BorrowedFd::borrow_raw(socket), std::slice::from_raw_parts_mut(room, length))
        };
        let come = rustix::net::recv(socket, room, RecvFlags::from_bits_retain(flags as u32));
        return told(come.map(|(bytes, _)| bytes));
    }
    moved(session, Errno::CONNRESET, |buffers| {
        let come = buffers.inbound.as_slices().0;
        let bytes = come.len().min(length);
        if bytes == 0 {
            return Err(Errno::AGAIN);
        }
        // SAFETY: so many bytes are here and have room there, and the two do not overlap.
        unsafe { std::ptr::copy_nonoverlapping(come.as_ptr(), room, bytes) };
        buffers.inbound.drain(..bytes);
        buffers.taken = true;
        if buffers.inbound.is_empty() {
            // A connection that waits holds no room.
            buffers.inbound = VecDeque::new();
        }
        Ok(bytes)
    })
}
