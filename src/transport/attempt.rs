//! One attempt at a time, whose outcome all share who waited for it: a host that lets nobody in is asked once, and not
//! once for each who wants in.

use super::wire::Trouble;
use std::cell::{Cell, RefCell};
use tokio::sync::Mutex;

/// Attempts at one thing, one after the other.
#[derive(Default)]
pub struct Attempts {
    turn: Mutex<()>,
    made: Cell<u64>,
    last_trouble: RefCell<Option<Trouble>>,
}

impl Attempts {
    /// What `known` says; or the trouble that an attempt ended in while this waited for its turn; or what `make` makes.
    pub async fn share<T>(
        &self,
        known: impl FnOnce() -> Option<Result<T, Trouble>>,
        make: impl AsyncFnOnce() -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let before = self.made.get();
        let _turn = self.turn.lock().await;
        if let Some(known) = known() {
            return known;
        }
        if self.made.get() != before
            && let Some(trouble) = self.last_trouble.borrow().as_ref()
        {
            return Err(trouble.clone());
        }
        let made = make().await;
        self.made.set(self.made.get() + 1);
        *self.last_trouble.borrow_mut() = made.as_ref().err().cloned();
        made
    }
}
