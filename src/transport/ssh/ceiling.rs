//! A ceiling over what libssh2 keeps for one session: one of three files with `unsafe` code.
//!
//! libssh2 stores every message that nobody has asked for yet, in a list without limit: banners, answers to questions
//! that were never put, data of no length. A server could fill the controller's memory with them, or make each look
//! through the list take long. libssh2 takes its memory by functions that can be chosen when a session is made, and the
//! binding does not let anybody choose; so they are put in their place right afterwards, while the session holds no
//! more than itself. What is unsafe is only that
//! - the three functions stand where we write them: this is looked up in a session made for that, by libssh2's
//!   own function, and a libssh2 that has them elsewhere is refused;
//! - memory given by one is freed by the other: ours are `malloc`, `realloc` and `free`, as libssh2's own are;
//! - memory of a session that holds nothing but zeros is given back to the system, which gives zeros for it.
#![allow(unsafe_code)]

use libssh2_sys as raw;
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Nine channels with full windows (2 MiB each), and a quarter more for what stands around the bytes.
pub const BYTES_MAX: usize = 24 * 1024 * 1024;
/// Two for each message: 65,536 messages that nobody has taken. libssh2 walks through all of them again and again.
pub const BLOCKS_MAX: i64 = 128 * 1024;

/// Says, for a person, what happened to a session at its ceiling.
pub const TOO_MUCH: &str = "the server sends more that nobody asked for than is kept";

unsafe extern "C" {
    fn malloc(size: usize) -> *mut c_void;
    fn realloc(block: *mut c_void, size: usize) -> *mut c_void;
    fn free(block: *mut c_void);
    #[cfg_attr(target_os = "macos", link_name = "malloc_size")]
    fn malloc_usable_size(block: *mut c_void) -> usize;
}

/// What sessions hold, by their address.
static HELD: Mutex<BTreeMap<usize, Held>> = Mutex::new(BTreeMap::new());

#[derive(Debug, Default, Clone, Copy)]
struct Held {
    bytes: usize,
    blocks: i64,
    hit: bool,
}

/// The ceiling over one session, for as long as this lives.
#[derive(Debug)]
pub struct Ceiling(usize);

impl Ceiling {
    /// Puts one over a session that was made a moment ago. `None`: this libssh2 is not built as we know it.
    pub fn over(session: *mut raw::LIBSSH2_SESSION) -> Option<Self> {
        if !stands_where_we_write() {
            return None;
        }
        HELD.lock().unwrap_or_else(PoisonError::into_inner).insert(session as usize, Held::default());
        // SAFETY: the session lives and nobody else has it yet; its first words are these.
        unsafe {
            let head = session.cast::<Head>();
            (*head).alloc = allocate;
            (*head).realloc = reallocate;
            (*head).free = release;
        }
        give_back_zeros(session.cast());
        Some(Self(session as usize))
    }

    /// Was something refused because of it? The session is of no use then.
    pub fn was_hit(&self) -> bool {
        let held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(&self.0).is_some_and(|held| held.hit)
    }
}

impl Drop for Ceiling {
    fn drop(&mut self) {
        HELD.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

/// libssh2 writes zeros over all of a session, most of which is room for packets of a size that is rarely seen. Pages
/// that hold nothing else are given back; they read as zeros for ever after, and take memory once they are written to.
#[cfg(target_os = "linux")]
fn give_back_zeros(block: *mut c_void) {
    let page = rustix::param::page_size();
    // At its end `malloc` may have given a little more than was asked for, which nobody has written to.
    let (begin, end) = (block as usize, block as usize + size_of_block(block).saturating_sub(2 * page));
    let pages = (begin.next_multiple_of(page)..end).step_by(page);
    let zeros = |at: &usize| {
        // SAFETY: the page lies in the block, all of which was written to, and nobody else has it yet.
        let bytes = unsafe { std::slice::from_raw_parts(*at as *const u8, page) };
        bytes.iter().fold(0, |any, byte| any | byte) == 0
    };
    let empty: Vec<usize> = pages.filter(zeros).collect();
    for run in empty.chunk_by(|one, next| one + page == *next) {
        // SAFETY: `malloc` has its memory for itself, and from no file, so that what was given back reads as zeros.
        // Where the system does not take it back (it is locked, or part of a huge page) nothing has changed.
        let _ = unsafe {
            rustix::mm::madvise(run[0] as *mut c_void, run.len() * page, rustix::mm::Advice::LinuxDontNeed)
        };
    }
}

/// Elsewhere what was given back need not read as zeros.
#[cfg(not(target_os = "linux"))]
fn give_back_zeros(_: *mut c_void) {}

/// How a libssh2 session begins.
#[repr(C)]
struct Head {
    context: *mut c_void,
    alloc: raw::LIBSSH2_ALLOC_FUNC,
    realloc: raw::LIBSSH2_REALLOC_FUNC,
    free: raw::LIBSSH2_FREE_FUNC,
}

/// Looked up once, in a session whose functions libssh2 itself has put in their place.
fn stands_where_we_write() -> bool {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    *KNOWN.get_or_init(|| {
        let mut context = 0_u8;
        let context = (&raw mut context).cast::<c_void>();
        // SAFETY: the functions are as libssh2 wants them, and `context` is never looked into.
        let session =
            unsafe { raw::libssh2_session_init_ex(Some(allocate), Some(release), Some(reallocate), context) };
        if session.is_null() {
            return false;
        }
        // SAFETY: the session lives and is far longer than four words, whatever they hold.
        let words = unsafe { session.cast::<[usize; 4]>().read() };
        // SAFETY: nobody else has it.
        unsafe { raw::libssh2_session_free(session) };
        let ours =
            [allocate as *const (), reallocate as *const (), release as *const ()].map(|it| it as usize);
        words[0] == context as usize && words[1..] == ours
    })
}

/// libssh2 gives each function the place of the session's `context`, which is where the session begins.
extern "C" fn allocate(size: usize, session: *mut *mut c_void) -> *mut c_void {
    // SAFETY: any size is good.
    let block = unsafe { malloc(size) };
    if account(session, 0, size_of_block(block), i64::from(!block.is_null())) {
        return block;
    }
    release(block, session);
    std::ptr::null_mut()
}

extern "C" fn reallocate(block: *mut c_void, size: usize, session: *mut *mut c_void) -> *mut c_void {
    let before = size_of_block(block);
    // SAFETY: `block` came from here, or is null.
    let after = unsafe { realloc(block, size) };
    if !after.is_null() {
        // It has been done, and cannot be undone. That it was too much is remembered.
        account(session, before, size_of_block(after), i64::from(block.is_null()));
    }
    after
}

extern "C" fn release(block: *mut c_void, session: *mut *mut c_void) {
    account(session, size_of_block(block), 0, -i64::from(!block.is_null()));
    // SAFETY: it came from here or from libssh2's own `malloc`, or is null; nobody uses it any more.
    unsafe { free(block) };
}

fn size_of_block(block: *mut c_void) -> usize {
    // SAFETY: it came from `malloc`, or is null, which has no size.
    unsafe { malloc_usable_size(block) }
}

/// `false` when a session now holds too much. One without a ceiling holds what it likes.
fn account(session: *mut *mut c_void, less: usize, more: usize, blocks: i64) -> bool {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(held) = held.get_mut(&(session as usize)) else { return true };
    // The session itself was taken before it had a ceiling.
    held.bytes = (held.bytes + more).saturating_sub(less);
    held.blocks += blocks;
    let within = held.bytes <= BYTES_MAX && held.blocks <= BLOCKS_MAX;
    held.hit |= !within;
    within
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Of the process, in pages.
    fn resident() -> usize {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split(' ').nth(1).unwrap().parse().unwrap()
    }

    #[test]
    fn pages_of_zeros_are_given_back_and_all_else_stays() {
        const PAGES: usize = 4000;
        let page = rustix::param::page_size();
        // SAFETY: the block is written to as a whole before it is read, only here, and freed once.
        unsafe {
            let block = malloc(PAGES * page);
            let bytes = std::slice::from_raw_parts_mut(block.cast::<u8>(), PAGES * page);
            bytes.fill(0);
            for at in (0..bytes.len()).step_by(100 * page + 77) {
                bytes[at] = 7;
            }
            let before = resident();
            give_back_zeros(block);
            assert!(resident() + PAGES * 9 / 10 < before, "{} of {before} pages are left", resident());
            for (at, byte) in bytes.iter().enumerate() {
                assert_eq!(*byte, if at % (100 * page + 77) == 0 { 7 } else { 0 }, "byte {at}");
            }
            free(block);
        }
    }
}
