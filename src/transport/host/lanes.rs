//! A host's connection and its lanes, lent out one job at a time.

mod leased;

use super::super::attempt::Attempts;
use super::super::lane::{Lane, Opening};
use super::super::remote::Tell;
use super::super::wire::{Link, Trouble, TroubleKind};
use super::Connector;
use crate::model::Millis;
use crate::model::names::RunId;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use tokio::sync::{Mutex, Notify};
use tokio::time::sleep;

pub(super) use leased::{Beside, Leased};
use leased::{Place, Slot};

/// Lanes of one connection: stock sshd allows ten sessions, and one must stay free to end a job that hangs.
pub const LANES_MAX: usize = 8;

/// Between tries to open a session where one was closed just before: the host ends its processes first.
const SESSION_FREED_PAUSES: [Millis; 6] =
    [Millis(20), Millis(50), Millis(100), Millis(300), Millis(1000), Millis(2000)];

/// The connection and the lanes over it.
pub(super) struct Lanes {
    connector: Rc<dyn Connector>,
    plain: Opening,
    privileged: Option<Opening>,
    connecting: Attempts,
    link: RefCell<Option<Rc<dyn Link>>>,
    /// What was refused for good: the connection as a whole, and becoming another user.
    refused: RefCell<Option<Trouble>>,
    become_refused: RefCell<Option<Trouble>>,
    /// A password that a connection was to prove the way with, and that was refused.
    proof_refused: RefCell<Option<Trouble>>,
    /// What worked once in this run: logging in, becoming another user.
    logged_in: Cell<bool>,
    became: Cell<bool>,
    /// One sudo at a time, so that a wrong password is tried once and not once a lane.
    becoming: Mutex<()>,
    pool: RefCell<Pool>,
    freed: Notify,
    /// Lanes were closed, whose sessions the host may still count.
    closed_some: Cell<bool>,
    tell: RefCell<Option<Tell>>,
    /// The boot of the host in which the newest guard was armed.
    armed_in: RefCell<Option<Option<String>>>,
    /// The host said that a claimed job started: as the plain user, and as whom it becomes.
    claims_heard: [Cell<bool>; 2],
}

struct Pool {
    idle: Vec<Idle>,
    open: usize,
    /// Of these: lanes on which a script lies ready. They are free again when others are, and nobody knows when.
    waiting: usize,
    max: usize,
    closed: bool,
}

struct Idle {
    privileged: bool,
    lane: Lane,
    slot: Slot,
}

impl Default for Pool {
    fn default() -> Self {
        Self { idle: Vec::new(), open: 0, waiting: 0, max: LANES_MAX, closed: false }
    }
}

/// A host that let us in before, with what it was offered, and does not now is in trouble that may pass (a full disk, a
/// name service that is away, a link that breaks). Giving it up for good would leave a running job unseen. What
/// counts is said by host keys and passwords: those are never tried again.
fn passing(trouble: Trouble) -> Trouble {
    let kind = match trouble.kind {
        TroubleKind::Login | TroubleKind::Become | TroubleKind::Settings => TroubleKind::Unreachable,
        kind => kind,
    };
    Trouble { kind, ..trouble }
}

impl Lanes {
    pub(super) fn new(connector: Rc<dyn Connector>, plain: Opening, privileged: Option<Opening>) -> Self {
        Self {
            connector,
            plain,
            privileged,
            connecting: Attempts::default(),
            link: RefCell::new(None),
            refused: RefCell::new(None),
            become_refused: RefCell::new(None),
            proof_refused: RefCell::new(None),
            logged_in: Cell::new(false),
            became: Cell::new(false),
            becoming: Mutex::new(()),
            pool: RefCell::new(Pool::default()),
            freed: Notify::new(),
            closed_some: Cell::new(false),
            tell: RefCell::new(None),
            armed_in: RefCell::new(None),
            claims_heard: Default::default(),
        }
    }

    pub(super) fn run(&self) -> &RunId {
        &self.plain.run
    }

    /// Does a privileged job become somebody else here?
    pub(super) fn becomes(&self) -> bool {
        self.privileged.is_some()
    }

    /// The host said that a claimed job started.
    pub(super) fn hear_claim(&self, privileged: bool) {
        self.claims_heard[usize::from(privileged && self.becomes())].set(true);
    }

    /// Did it ever? Then receipts that are missing were lost, whether or not the end of any job was seen.
    pub(super) fn heard_claim(&self, privileged: bool) -> bool {
        self.claims_heard[usize::from(privileged && self.becomes())].get()
    }

    pub(super) fn on_reached(&self, tell: Tell) {
        *self.tell.borrow_mut() = Some(tell);
    }

    pub(super) fn facts(&self) -> Option<String> {
        self.link.borrow().as_ref().filter(|link| link.is_up()).map(|link| link.facts())
    }

    /// The connection, made if there is none.
    pub(super) async fn link(&self) -> Result<Rc<dyn Link>, Trouble> {
        if let Some(link) = self.standing() {
            return Ok(link);
        }
        let known = || self.standing().map(Ok).or_else(|| self.refused.borrow().clone().map(Err));
        self.connecting.share(known, async || self.connect().await).await
    }

    async fn connect(&self) -> Result<Rc<dyn Link>, Trouble> {
        match self.connector.connect().await {
            Ok(link) => {
                self.logged_in.set(true);
                self.pool.borrow_mut().max = LANES_MAX;
                *self.link.borrow_mut() = Some(link.clone());
                if let Some(tell) = self.tell.borrow().as_ref() {
                    tell(&link.facts());
                }
                Ok(link)
            }
            Err(trouble) => {
                let passes = self.logged_in.get() && !self.connector.sends_password();
                let trouble = if passes { passing(trouble) } else { trouble };
                if !trouble.try_again() {
                    *self.refused.borrow_mut() = Some(trouble.clone());
                }
                Err(trouble)
            }
        }
    }

    fn forget(&self, lost: &Rc<dyn Link>) {
        let mut link = self.link.borrow_mut();
        if link.as_ref().is_some_and(|link| Rc::ptr_eq(link, lost)) {
            *link = None;
        }
    }

    fn standing(&self) -> Option<Rc<dyn Link>> {
        self.link.borrow().as_ref().filter(|link| link.is_up()).cloned()
    }

    /// Is there a lane, or one in the making?
    pub(super) fn is_warm(&self) -> bool {
        self.pool.borrow().open > 0
    }

    /// A connection of its own, for whoever must not share.
    pub(super) async fn fresh_link(&self) -> Result<Rc<dyn Link>, Trouble> {
        self.connector.connect().await
    }

    /// A connection that proves the way: nothing beneath it stood before. A change may have been about who is let in:
    /// a login that is refused is tried again, for the guard may take that back, but no password is sent twice.
    pub(super) async fn proof_link(&self) -> Result<Rc<dyn Link>, Trouble> {
        if let Some(trouble) = self.proof_refused.borrow().as_ref() {
            return Err(trouble.clone());
        }
        let proof = self.connector.connect_afresh().await;
        if let Err(trouble) = &proof
            && trouble.kind == TroubleKind::Login
            && self.connector.sends_password()
        {
            *self.proof_refused.borrow_mut() = Some(trouble.clone());
        }
        proof
    }

    /// Notes in which boot of the host a guard was armed.
    pub(super) fn armed_in(&self, boot: Option<String>) {
        *self.armed_in.borrow_mut() = Some(boot);
    }

    /// Is this lane in the boot in which the newest guard was armed?
    pub(super) fn is_guarded_by(&self, boot: &Option<String>) -> bool {
        self.armed_in.borrow().as_ref() == Some(boot)
    }

    /// Interpreter for scripts, instead of the shell of the lane.
    pub(super) fn shell(&self) -> Option<&str> {
        self.plain.shell.as_deref()
    }

    /// A lane: an idle one, a further one, or the next that becomes free. Where scripts lie ready on all of them, one
    /// on a connection of its own: two steps that are each fired together could wait for each other for ever.
    pub(super) async fn lease(self: &Rc<Self>, privileged: bool) -> Result<Leased, Trouble> {
        let privileged = privileged && self.privileged.is_some();
        let mut relinked = false;
        let mut pauses = SESSION_FREED_PAUSES.iter();
        loop {
            let freed = self.freed.notified();
            if self.pool.borrow().closed {
                return Err(Trouble::new(TroubleKind::Settings, "the host was let go of"));
            }
            if let Some(leased) = self.lease_idle(privileged) {
                return Ok(leased);
            }
            let Pool { open, waiting, max, .. } = *self.pool.borrow();
            if open >= max && waiting >= open {
                let link = self.connector.connect().await?;
                let lane = self.open(&*link, privileged).await?;
                return Ok(Leased { lane, privileged, place: Place::Apart { _link: link } });
            }
            if open >= max {
                // An idle lane of the other kind makes room.
                let other = self.pool.borrow_mut().idle.pop();
                match other {
                    Some(Idle { lane, slot: _slot, .. }) => lane.close().await,
                    None => freed.await,
                }
                continue;
            }
            let slot = Slot::take(self);
            let link = self.link().await?;
            match self.open(&*link, privileged).await {
                Ok(lane) => {
                    return Ok(Leased { lane, privileged, place: Place::Shared(slot.opened()) });
                }
                // Fewer sessions than we would like (MaxSessions): share those there are.
                Err(trouble) if trouble.kind == TroubleKind::Refused && open > 0 => {
                    self.pool.borrow_mut().max = open;
                }
                // The host may not have noticed yet that a session of ours is over.
                Err(trouble) if trouble.kind == TroubleKind::Refused => match pauses.next() {
                    Some(pause) if self.closed_some.get() => {
                        drop(slot);
                        sleep(pause.std()).await;
                    }
                    _ => return Err(trouble),
                },
                // The link had died unnoticed while it was idle: over a fresh one, once.
                Err(trouble) if trouble.kind == TroubleKind::Lost && !relinked => {
                    relinked = true;
                    self.forget(&link);
                }
                Err(trouble) => return Err(trouble),
            }
        }
    }

    /// A lane beside all others, to look after one of them: over the same connection if it has room, else over a
    /// fresh one. Not to be given back.
    pub(super) async fn lease_beside(&self, privileged: bool) -> Result<Beside, Trouble> {
        let privileged = privileged && self.privileged.is_some();
        if let Some(Idle { lane, slot, .. }) = self.take_idle(privileged) {
            return Ok(Beside { lane, _slot: Some(slot), _link: None });
        }
        if let Some(link) = self.standing()
            && let Ok(lane) = self.open(&*link, privileged).await
        {
            return Ok(Beside { lane, _slot: None, _link: None });
        }
        let link = self.connector.connect().await?;
        let lane = self.open(&*link, privileged).await?;
        Ok(Beside { lane, _slot: None, _link: Some(link) })
    }

    pub(super) async fn open(&self, link: &dyn Link, privileged: bool) -> Result<Lane, Trouble> {
        let Some(opening) = self.privileged.as_ref().filter(|_| privileged) else {
            return Lane::open(link, &self.plain).await;
        };
        let _one = match opening.password {
            Some(_) => Some(self.becoming.lock().await),
            None => None,
        };
        if let Some(trouble) = self.become_refused.borrow().as_ref() {
            return Err(trouble.clone());
        }
        let opened = match Lane::open(link, opening).await {
            Err(trouble) if self.became.get() && opening.password.is_none() => Err(passing(trouble)),
            opened => opened,
        };
        match &opened {
            Ok(_) => self.became.set(true),
            Err(trouble) if trouble.kind == TroubleKind::Become => {
                *self.become_refused.borrow_mut() = Some(trouble.clone());
            }
            Err(_) => {}
        }
        opened
    }

    /// A lane that is idle, if there is one.
    pub(super) fn lease_idle(&self, privileged: bool) -> Option<Leased> {
        let privileged = privileged && self.privileged.is_some();
        let Idle { lane, slot, .. } = self.take_idle(privileged)?;
        Some(Leased { lane, privileged, place: Place::Shared(slot) })
    }

    fn take_idle(&self, privileged: bool) -> Option<Idle> {
        loop {
            let mut pool = self.pool.borrow_mut();
            let at = pool.idle.iter().rposition(|idle| idle.privileged == privileged)?;
            let mut idle = pool.idle.swap_remove(at);
            drop(pool);
            if idle.lane.is_sound() {
                return Some(idle);
            }
        }
    }

    pub(super) async fn close(&self) {
        let idle = {
            let mut pool = self.pool.borrow_mut();
            pool.closed = true;
            std::mem::take(&mut pool.idle)
        };
        for Idle { lane, .. } in idle {
            lane.close().await;
        }
        self.link.borrow_mut().take();
        self.freed.notify_waiters();
    }
}
