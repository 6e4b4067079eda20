//! A lane on loan, and what it lives on until it is given back.

use super::{Idle, Lanes};
use crate::transport::lane::Lane;
use crate::transport::wire::Link;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

/// A lane on loan. Dropped without being given back it is closed: nobody knows what it was in the middle of.
pub(in crate::transport::host) struct Leased {
    pub(super) lane: Lane,
    pub(super) privileged: bool,
    pub(super) place: Place,
}

/// What a lane on loan lives on.
pub(super) enum Place {
    /// A session of the host's connection.
    Shared(Slot),
    /// A connection of its own.
    Apart { _link: Rc<dyn Link> },
}

/// A lane to look after another one, with all that it lives on.
pub(in crate::transport::host) struct Beside {
    pub(in crate::transport::host) lane: Lane,
    pub(super) _slot: Option<Slot>,
    pub(super) _link: Option<Rc<dyn Link>>,
}

/// One of the sessions that the host allows.
pub(super) struct Slot {
    lanes: Rc<Lanes>,
    /// Did the host open it?
    open: bool,
    /// Does a script lie ready on its lane?
    waits: bool,
}

impl Slot {
    pub(super) fn take(lanes: &Rc<Lanes>) -> Self {
        lanes.pool.borrow_mut().open += 1;
        Self { lanes: lanes.clone(), open: false, waits: false }
    }

    /// The host opened it.
    pub(super) fn opened(mut self) -> Self {
        self.open = true;
        self
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut pool = self.lanes.pool.borrow_mut();
        pool.open -= 1;
        pool.waiting -= usize::from(self.waits);
        if self.open {
            self.lanes.closed_some.set(true);
        }
        self.lanes.freed.notify_waiters();
    }
}

impl Leased {
    /// Idle and sound again: the next job may have it.
    pub(in crate::transport::host) fn give_back(self) {
        let Leased { lane, privileged, place } = self;
        let Place::Shared(slot) = place else { return };
        let lanes = slot.lanes.clone();
        if !lanes.pool.borrow().closed {
            lanes.pool.borrow_mut().idle.push(Idle { privileged, lane, slot });
            lanes.freed.notify_waiters();
        }
    }
    /// The lane for an order that uses it up; the session is free again when the rest is dropped.
    pub(in crate::transport::host) fn split(self) -> (Lane, impl Sized) {
        (self.lane, self.place)
    }
    /// A script lies ready on it, or does so no longer: others do not wait for a lane that waits for others.
    pub(in crate::transport::host) fn waits(&mut self, waits: bool) {
        if let Place::Shared(slot) = &mut self.place
            && slot.waits != waits
        {
            slot.waits = waits;
            let mut pool = slot.lanes.pool.borrow_mut();
            pool.waiting = if waits { pool.waiting + 1 } else { pool.waiting - 1 };
            slot.lanes.freed.notify_waiters();
        }
    }
}

impl Deref for Leased {
    type Target = Lane;
    fn deref(&self) -> &Lane {
        &self.lane
    }
}

impl DerefMut for Leased {
    fn deref_mut(&mut self) -> &mut Lane {
        &mut self.lane
    }
}
