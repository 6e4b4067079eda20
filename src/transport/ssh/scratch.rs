//! Room to read into, one for all connections of a thread: what was read is handed on in a piece of its own size, so that
//! thousands of short answers do not hold thousands of long buffers.

use std::cell::RefCell;

thread_local! {
    static ROOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Lends `bytes` bytes of room, with whatever was read before in them. Not to be asked for again meanwhile.
pub fn with<T>(bytes: usize, read: impl FnOnce(&mut [u8]) -> T) -> T {
    ROOM.with_borrow_mut(|room| {
        if room.len() < bytes {
            room.resize(bytes, 0);
        }
        read(&mut room[..bytes])
    })
}
