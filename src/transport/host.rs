//! One real host: its connection, its lanes, and the work that `drive` gives it.
//!
//! A connection is made when it is first needed and again when it was lost; whoever waits for it meanwhile
//! shares the answer. What was refused for good (host key, login, sudo) is not tried again for this host.

mod fetch;
mod guard;
mod job;
mod lanes;
mod preflight;
mod resolve;
mod stage;
mod tcp;
mod tool;
mod upload;

use super::lane::Opening;
use super::remote::{
    ArmOrder, FetchOrder, GuardAsk, GuardSays, LaidReady, Lost, Remote, Stop, Tell, UploadOrder,
};
use super::wire::{Connected, Link, Pending, Trouble, TroubleKind};
use super::work::{Claim, Fetched, Preflight, Script, Sink};
use crate::model::event::Found;
use crate::model::guard::GuardSeen;
use crate::model::inventory::{Become, Reach};
use crate::model::names::{HostName, RunId};
use crate::model::secret::Secret;
use crate::model::{Millis, Outcome};
use job::Work;
pub use lanes::LANES_MAX;
use lanes::Lanes;
use std::io::Write;
use std::rc::Rc;
use tokio::sync::Semaphore;

/// Makes links to one host: over SSH (through its jump hosts), or locally. Every wait inside has its own limit.
pub trait Connector {
    /// Connects anew.
    fn connect<'a>(&'a self) -> Pending<'a, Result<Rc<dyn Link>, Trouble>>;
    /// Connects anew over nothing that stands: jump hosts are connected to anew as well.
    fn connect_afresh<'a>(&'a self) -> Pending<'a, Result<Rc<dyn Link>, Trouble>> {
        self.connect()
    }
    /// Does it log in with a password? Where it is refused once it must not be sent again: accounts are locked.
    fn sends_password(&self) -> bool {
        false
    }
}

/// One host. There is one for each host of a run, shared by all of its jobs.
pub struct Host {
    name: HostName,
    lanes: Rc<Lanes>,
    probes: Semaphore,
    spare: Rc<tcp::Spare>,
}

impl Host {
    /// Knows how to reach it; connects when asked for something. `password` is the one for sudo.
    pub fn new(
        name: HostName,
        run: RunId,
        reach: &Reach,
        password: Option<Secret>,
        connector: Rc<dyn Connector>,
    ) -> Rc<Self> {
        let (becomes, shell, receipts_dir) = match reach {
            Reach::Local(becomes) => (becomes.clone(), None, None),
            Reach::Ssh(ssh) => (ssh.becomes.clone(), ssh.shell.clone(), ssh.receipts_dir.clone()),
        };
        let opening = Opening { run, becomes: Become::No, password: None, shell, receipts_dir };
        // Becoming nobody else is no privilege: such steps share the plain lanes.
        let privileged = match becomes {
            Become::No => None,
            becomes @ Become::Sudo { .. } => Some(Opening { becomes, password, ..opening.clone() }),
        };
        let lanes = Rc::new(Lanes::new(connector, opening, privileged));
        Rc::new(Self { name, lanes, probes: Semaphore::new(tcp::PROBES_AT_ONCE), spare: Rc::default() })
    }

    /// Keep the connection of a TCP probe that was answered, for the next one?
    pub fn keep_probe_links(&self, keep: bool) {
        self.spare.keep(keep);
    }
}

/// The claim's file name below the run's directory: `17-cut-isp.run.1`.
fn receipt_name(claim: &Claim) -> String {
    let name = format!("{}.{}.{}", claim.task, claim.kind, claim.attempt);
    assert!(crate::model::names::is_name(&claim.task), "task `{}` is not fit for a file name", claim.task);
    name
}

/// Nothing was started, because the host could not be worked with.
fn not_started(trouble: &Trouble) -> Outcome {
    Outcome::NotStarted { because: trouble.to_string(), try_again: trouble.try_again() }
}

impl Remote for Host {
    fn name(&self) -> &HostName {
        &self.name
    }

    fn warm(&self, privileged: bool) {
        let lanes = self.lanes.clone();
        tokio::task::spawn_local(async move {
            // Somebody who needs the host is ahead of us.
            if !privileged && lanes.is_warm() {
                return;
            }
            if let Ok(lane) = lanes.lease(privileged).await {
                lane.give_back();
            }
        });
    }

    fn run<'a>(
        &'a self,
        script: &'a Script,
        sink: &'a mut dyn Sink,
        stop: &'a mut Stop,
    ) -> Pending<'a, Outcome> {
        Box::pin(async move {
            let work = Work {
                text: &script.text,
                privileged: script.privileged,
                claim: script.claim.as_ref().map(receipt_name),
                timeout: script.timeout,
                guarded: script.guarded,
            };
            job::run(&self.lanes, &work, sink, stop, &mut Stop::never()).await
        })
    }

    fn stage<'a>(
        &'a self,
        script: Script,
        within: Millis,
        stop: &'a mut Stop,
    ) -> Pending<'a, Result<LaidReady, Outcome>> {
        Box::pin(stage::stage(&self.lanes, script, within, stop))
    }

    fn lay(&self, script: Script) -> Option<LaidReady> {
        stage::lay_at_once(&self.lanes, script)
    }

    fn resolve<'a>(&'a self, lost: &'a Lost, stop: &'a mut Stop) -> Pending<'a, Found> {
        Box::pin(resolve::resolve(&self.lanes, lost, stop))
    }

    fn upload<'a>(
        &'a self,
        upload: &'a UploadOrder<'a>,
        sink: &'a mut dyn Sink,
        stop: &'a mut Stop,
    ) -> Pending<'a, Outcome> {
        Box::pin(upload::upload(&self.lanes, upload, sink, stop))
    }

    fn fetch<'a>(
        &'a self,
        fetch: &'a FetchOrder<'a>,
        into: &'a mut dyn Write,
        sink: &'a mut dyn Sink,
        stop: &'a mut Stop,
    ) -> Pending<'a, Result<Fetched, Outcome>> {
        Box::pin(fetch::fetch(&self.lanes, fetch, into, sink, stop))
    }

    fn tcp<'a>(&'a self, host: &'a str, port: u16, limit: Millis) -> Pending<'a, Result<Connected, Trouble>> {
        Box::pin(async move {
            let _turn = self.probes.acquire().await;
            tcp::tcp(&self.lanes, &self.spare, self.name.as_str(), host, port, limit).await
        })
    }

    fn preflight<'a>(&'a self, privileged: bool, commands: &'a [String]) -> Pending<'a, Preflight> {
        Box::pin(preflight::preflight(&self.lanes, privileged, commands))
    }

    fn arm<'a>(
        &'a self,
        order: &'a ArmOrder<'a>,
        stop: &'a mut Stop,
    ) -> Pending<'a, Result<GuardSeen, Outcome>> {
        Box::pin(guard::arm(&self.lanes, order, stop))
    }

    fn ask_guard<'a>(&'a self, ask: &'a GuardAsk<'a>) -> Pending<'a, Result<(GuardSays, String), Trouble>> {
        Box::pin(guard::ask(&self.lanes, ask))
    }

    fn facts(&self) -> Option<String> {
        self.lanes.facts()
    }

    fn on_reached(&self, tell: Tell) {
        self.lanes.on_reached(tell);
    }

    fn forget<'a>(&'a self, run: &'a RunId, privileged: bool) -> Pending<'a, Result<(), Trouble>> {
        Box::pin(async move {
            let mut lane = self.lanes.lease(privileged).await?;
            assert_eq!(run, self.lanes.run(), "a host serves one run");
            match lane.ask("F", "").await {
                Ok(words) if words == "done" => {
                    lane.give_back();
                    Ok(())
                }
                Ok(words) => Err(Trouble::new(TroubleKind::Settings, words)),
                Err(gone) => Err(Trouble::new(TroubleKind::Lost, gone.because)),
            }
        })
    }

    fn close<'a>(&'a self) -> Pending<'a, ()> {
        Box::pin(async move {
            self.spare.keep(false);
            self.lanes.close().await;
        })
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("name", &self.name).finish_non_exhaustive()
    }
}
