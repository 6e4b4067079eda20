//! What `drive` may ask of a host, whoever answers: a real one (`Host`) or a made-up one (`Scripted`).

use super::wire::{Connected, Pending, Trouble};
use super::work::{Claim, Fetched, Preflight, Script, Sink};
use crate::model::event::Found;
use crate::model::guard::{GuardSeen, Otherwise};
use crate::model::names::{HostName, RunId};
use crate::model::secret::Secret;
use crate::model::{Millis, Outcome};
use std::io::Write;
use std::path::Path;
use tokio::sync::{mpsc, watch};

/// A host that work can be given to. Every method may be called while others are under way.
pub trait Remote {
    /// Its name in the inventory.
    fn name(&self) -> &HostName;

    /// Connects and readies a lane ahead of need, in the background. Trouble is kept silent: whoever needs
    /// the host next hears of it. Call it inside a `LocalSet`.
    fn warm(&self, privileged: bool);

    /// Runs a script, its output into `sink` as it comes. With a claim it is started at most once, ever.
    /// A stop or the script's own timeout ends its process group on the host, and proves it.
    fn run<'a>(
        &'a self,
        script: &'a Script,
        sink: &'a mut dyn Sink,
        stop: &'a mut Stop,
    ) -> Pending<'a, Outcome>;

    /// Lays a script ready: the host has all of it and waits for one short line. It has claimed nothing, and never
    /// will if the line does not come. `Err` is the outcome of a host that is not ready within the limit.
    fn stage<'a>(
        &'a self,
        script: Script,
        within: Millis,
        stop: &'a mut Stop,
    ) -> Pending<'a, Result<LaidReady, Outcome>>;

    /// Sends all of a script but its last byte over a lane that is idle, and waits for nothing: so that a host has done its
    /// part by the time that the line may go. Nothing is claimed or started before. `None` where that
    /// cannot be done at once, and for a script with a guard.
    fn lay(&self, script: Script) -> Option<LaidReady> {
        drop(script);
        None
    }

    /// What became of an attempt whose end was not seen? Waits for one that still runs, and ends it when
    /// the deadline passes or `stop` is given.
    fn resolve<'a>(&'a self, lost: &'a Lost, stop: &'a mut Stop) -> Pending<'a, Found>;

    /// Puts a file on the host: whole and checked, or not at all.
    fn upload<'a>(
        &'a self,
        upload: &'a UploadOrder<'a>,
        sink: &'a mut dyn Sink,
        stop: &'a mut Stop,
    ) -> Pending<'a, Outcome>;

    /// Brings a file, or a read-only script's stdout, from the host into `into`. `Err` is the outcome of
    /// the job; `into` then holds a part at most.
    fn fetch<'a>(
        &'a self,
        fetch: &'a FetchOrder<'a>,
        into: &'a mut dyn Write,
        sink: &'a mut dyn Sink,
        stop: &'a mut Stop,
    ) -> Pending<'a, Result<Fetched, Outcome>>;

    /// Opens a TCP connection from the host. `TroubleKind::TargetClosed` is the target's own answer; every
    /// other kind says that the host could not be asked.
    fn tcp<'a>(
        &'a self,
        host: &'a str,
        port: u16,
        timeout: Millis,
    ) -> Pending<'a, Result<Connected, Trouble>>;

    /// Looks whether work would be possible, and changes nothing at all on the host.
    fn preflight<'a>(&'a self, privileged: bool, commands: &'a [String]) -> Pending<'a, Preflight>;

    /// Arms a guard before its change. `Err`: it is not armed, or nobody can tell; nothing was changed either way.
    fn arm<'a>(
        &'a self,
        order: &'a ArmOrder<'a>,
        stop: &'a mut Stop,
    ) -> Pending<'a, Result<GuardSeen, Outcome>> {
        let _ = (order, stop);
        let because = "this host can hold no guard".to_owned();
        Box::pin(async { Err(Outcome::NotStarted { because, try_again: false }) })
    }

    /// Asks a guard, and says over which connection it answered.
    fn ask_guard<'a>(&'a self, ask: &'a GuardAsk<'a>) -> Pending<'a, Result<(GuardSays, String), Trouble>> {
        let _ = ask;
        let says = GuardSays::Lost { because: "this host can hold no guard".into() };
        Box::pin(async { Ok((says, String::new())) })
    }

    /// Host key, algorithms, login of the connection that stands, if one does.
    fn facts(&self) -> Option<String>;

    /// Calls `tell` with the facts each time a connection was made, from inside the method that made it.
    fn on_reached(&self, tell: Tell);

    /// Removes a run's receipts from the host. Never done unasked: receipts are evidence.
    fn forget<'a>(&'a self, run: &'a RunId, privileged: bool) -> Pending<'a, Result<(), Trouble>>;

    /// Lets go of lanes and connection in good order. Jobs that still run go on, unseen.
    fn close<'a>(&'a self) -> Pending<'a, ()>;
}

/// A script that lies ready on a host. Dropped before its line was sent, it never starts.
pub trait Staged {
    /// Waits until its connection is lost; for ever, if it stays.
    fn lost<'a>(&'a mut self) -> Pending<'a, ()>;

    /// Follows it to its end, once its line was sent. `started` hears the host's word that it started.
    fn follow<'a>(
        self: Box<Self>,
        sink: &'a mut dyn Sink,
        stop: &'a mut Stop,
        started: &'a mut dyn FnMut(),
    ) -> Pending<'a, Outcome>;
}

/// The one line that starts a script that lies ready. All that can be done before is done: sending it waits for
/// nothing and makes nothing.
#[derive(Debug)]
pub struct GoLine {
    to: mpsc::Sender<Vec<u8>>,
    line: Vec<u8>,
}

impl GoLine {
    pub(super) fn new(to: mpsc::Sender<Vec<u8>>, line: Vec<u8>) -> Self {
        Self { to, line }
    }
    /// Hands the line to the connection. `false`: that is gone, and surely nothing starts.
    pub fn send(&mut self) -> bool {
        self.to.try_send(std::mem::take(&mut self.line)).is_ok()
    }
}

/// What starts a script that lies ready, and the script.
pub type LaidReady = (GoLine, Box<dyn Staged>);

/// Hears the facts of a connection that was made.
pub type Tell = Box<dyn Fn(&str)>;

/// An attempt whose end was not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Its claim.
    pub claim: Claim,
    /// Was it privileged? Receipts lie with the user who ran it.
    pub privileged: bool,
    /// Is any earlier claim of this run known to have been made on this host with these rights (a claimed
    /// job started there and its end was seen)? Then missing receipts are *lost* receipts. If not, they may
    /// simply never have been made. `true` when in doubt.
    pub claimed_before: bool,
    /// How long to wait for an attempt that still runs before its process group is ended.
    pub wait: Millis,
}

/// A file to put on a host.
#[derive(Debug, Clone)]
pub struct UploadOrder<'a> {
    /// The content, on the controller.
    pub content: &'a Path,
    /// SHA-256 that the content must have, as 64 hexadecimal digits: what was reviewed is what is sent.
    pub sha256: &'a str,
    /// Absolute path on the host.
    pub to: &'a str,
    /// Permission bits, such as `0o644`.
    pub mode: u32,
    /// `user` or `user:group` to own it; `None` is whoever writes it.
    pub owner: Option<&'a str>,
    /// Become the host's `becomes` user?
    pub privileged: bool,
    /// The receipt to claim before the target is touched.
    pub claim: &'a Claim,
    /// Limit of the transfer, and again of putting it in place.
    pub timeout: Millis,
    /// Was a guard armed for it? Then it is not put in place on a host that restarted since.
    pub guarded: bool,
}

/// Something to bring from a host.
#[derive(Debug, Clone)]
pub struct FetchOrder<'a> {
    /// A file, or a script's stdout.
    pub what: FetchWhat<'a>,
    /// Become the host's `becomes` user?
    pub privileged: bool,
    /// Limit of the whole.
    pub timeout: Millis,
    /// More than this is refused, and the rest left where it is.
    pub bytes_max: u64,
}

/// What to bring.
#[derive(Debug, Clone)]
pub enum FetchWhat<'a> {
    /// The file at this absolute path.
    File(&'a str),
    /// The stdout of this read-only script; its own `privileged`, `timeout` and `claim` are not looked at.
    Output(&'a Script),
}

/// A guard to arm.
#[derive(Debug, Clone, Copy)]
pub struct ArmOrder<'a> {
    /// Its own claim.
    pub claim: &'a Claim,
    /// The claim of the run that it guards: spent by the guard when its time is over before the run began.
    pub guards: &'a Claim,
    /// What it does when its time is over.
    pub otherwise: Otherwise,
    /// Its time.
    pub within: Millis,
    /// The complete undo script, values and secrets in it; `None` only under `hold`.
    pub undo: Option<&'a Secret>,
    /// Limit of that undo.
    pub limit: Millis,
    /// Let one of its kind fire on a harmless change first?
    pub self_test: bool,
    /// Become the host's `becomes` user?
    pub privileged: bool,
}

/// A question to a guard.
#[derive(Debug, Clone, Copy)]
pub struct GuardAsk<'a> {
    /// The guard's claim.
    pub claim: &'a Claim,
    /// What is wanted of it.
    pub verb: GuardVerb,
    /// Over a connection that is made for this, and through jump hosts that are connected to anew? Else over one
    /// that stands.
    pub fresh: bool,
    /// Become the host's `becomes` user?
    pub privileged: bool,
}

/// What is wanted of a guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardVerb {
    /// That it gives way for good.
    Confirm,
    /// That it goes on for so long from the present, at least.
    More(Millis),
    /// Nothing but word of it.
    Look,
}

/// What a guard says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuardSays {
    /// It gave way to a confirmation.
    Confirmed,
    /// It waits.
    Armed {
        /// Time left on the host's clock.
        left: Millis,
    },
    /// Its time was over, and it did nothing.
    Expired {
        /// How long after its deadline it noticed.
        late: Millis,
    },
    /// It is taking the change back.
    Firing,
    /// It has taken the change back, or tried.
    Fired {
        /// How long after its deadline it began.
        late: Millis,
        /// How the undo ended.
        undo: Outcome,
    },
    /// It is gone and did nothing.
    Lost {
        /// Why, for a person.
        because: String,
    },
    /// What it did or will do nobody can tell: its records are out of reach, and it cannot be told anything either.
    Untold {
        /// Why, for a person.
        because: String,
    },
}

/// Hears that a job is no longer wanted.
#[derive(Debug, Clone)]
pub struct Stop(Option<watch::Receiver<bool>>);

/// Says that a job is no longer wanted.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

impl Stop {
    /// A stop that never comes.
    pub fn never() -> Self {
        Self(None)
    }
    /// Has it come?
    pub fn is_requested(&self) -> bool {
        self.0.as_ref().is_some_and(|stop| *stop.borrow())
    }
    /// Waits until it comes; for ever, if its `Stopper` is gone. May be dropped and called again.
    pub async fn requested(&mut self) {
        if let Some(stop) = &mut self.0
            && stop.wait_for(|stop| *stop).await.is_ok()
        {
            return;
        }
        std::future::pending().await
    }
}

impl Stopper {
    /// A stopper and the stop it gives.
    pub fn new() -> (Self, Stop) {
        let (say, hear) = watch::channel(false);
        (Self(say), Stop(Some(hear)))
    }
    /// Stops the job.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}
