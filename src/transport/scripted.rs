//! Made-up hosts for tests and benches: a closure answers, receipts hold as on real ones, time is tokio's and may
//! be paused. A second `Scripted` over the same `World` is a second controller, as after a crash.

mod laid;
mod taking;

use super::remote::{
    FetchOrder, FetchWhat, GoLine, LaidReady, Lost, Remote, Staged, Stop, Tell, UploadOrder,
};
use super::wire::{Closed, Connected, FromWire, Pending, Trouble, Wire};
use super::work::{Claim, Fetched, Preflight, Script, Sink};
use crate::model::event::Found;
use crate::model::names::{HostName, RunId};
use crate::model::{How, Millis, Outcome};
use sha2::{Digest, Sha256};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::Write;
use std::rc::Rc;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

/// All made-up hosts, and what has happened on them.
pub struct World {
    answer: Answer,
    receipts: RefCell<BTreeMap<(HostName, String), Made>>,
    asked: RefCell<Vec<String>>,
}

type Answer = Box<dyn Fn(&HostName, &Asked<'_>) -> Reply>;

/// What a made-up host is asked to do.
#[derive(Debug)]
pub enum Asked<'a> {
    /// Run this script.
    Run(&'a Script),
    /// Take this file.
    Upload(&'a UploadOrder<'a>),
    /// Give this; `out` of the reply is its content.
    Fetch(&'a FetchOrder<'a>),
    /// Connect there; `out` of the reply is what the port says.
    Tcp(&'a str, u16),
    /// Tell about a receipt; only `trouble` of the reply is looked at.
    Resolve(&'a Lost),
    /// Look around; only `trouble` of the reply is looked at.
    Preflight,
}

/// What it does.
#[derive(Debug, Clone)]
pub struct Reply {
    /// stdout, or content.
    pub out: Vec<u8>,
    /// stderr.
    pub err: Vec<u8>,
    /// How long it takes.
    pub takes: Millis,
    /// How it ends.
    pub outcome: Outcome,
    /// The link is lost so long after the start; the job goes on.
    pub lost_after: Option<Millis>,
    /// The host cannot be worked with at all.
    pub trouble: Option<Trouble>,
}

impl Reply {
    /// Ends at once with this status.
    pub fn exit(status: i32) -> Self {
        let outcome = Outcome::from_exit(status);
        let (out, err) = (Vec::new(), Vec::new());
        Self { out, err, takes: Millis(0), outcome, lost_after: None, trouble: None }
    }
    /// Nothing can be done with the host.
    pub fn trouble(trouble: Trouble) -> Self {
        Self { trouble: Some(trouble), ..Self::exit(0) }
    }
    /// Prints this.
    pub fn out(self, out: impl Into<Vec<u8>>) -> Self {
        Self { out: out.into(), ..self }
    }
    /// Prints this to stderr.
    pub fn err(self, err: impl Into<Vec<u8>>) -> Self {
        Self { err: err.into(), ..self }
    }
    /// Takes so long.
    pub fn takes(self, takes: Millis) -> Self {
        Self { takes, ..self }
    }
    /// Loses its link so long after the start.
    pub fn lost_after(self, after: Millis) -> Self {
        Self { lost_after: Some(after), ..self }
    }
}

/// A receipt of a made-up host.
#[derive(Debug, Clone)]
enum Made {
    /// Spent by a resolve.
    Void,
    /// Started; ends then, like this.
    Started { ends: Instant, outcome: Outcome },
}

impl World {
    /// Hosts that answer like this. The closure is asked once for each thing a host is asked for.
    pub fn new(answer: impl Fn(&HostName, &Asked<'_>) -> Reply + 'static) -> Rc<Self> {
        let (receipts, asked) = (RefCell::default(), RefCell::default());
        Rc::new(Self { answer: Box::new(answer), receipts, asked })
    }
    /// What all hosts were asked for, in order: `db1 run 7-cut.run.1`.
    pub fn asked(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }
    /// Removes a host's receipts, as a wiped disk does.
    pub fn lose_receipts(&self, host: &HostName) {
        self.receipts.borrow_mut().retain(|(of, _), _| of != host);
    }

    fn note(&self, host: &HostName, what: &str, claim: Option<&Claim>) {
        let claim = claim.map(|claim| format!(" {}", key(claim))).unwrap_or_default();
        self.asked.borrow_mut().push(format!("{host} {what}{claim}"));
    }
}

/// One made-up host, as one controller sees it.
pub struct Scripted {
    name: HostName,
    world: Rc<World>,
    connected: Cell<bool>,
    tell: RefCell<Option<Tell>>,
}

const FACTS: &str = "made up";

fn key(claim: &Claim) -> String {
    format!("{}.{}.{}", claim.task, claim.kind, claim.attempt)
}

impl Scripted {
    /// A host of a world.
    pub fn new(name: impl Into<HostName>, world: &Rc<World>) -> Rc<Self> {
        let (connected, tell) = (Cell::new(false), RefCell::new(None));
        Rc::new(Self { name: name.into(), world: world.clone(), connected, tell })
    }

    fn ask(&self, asked: &Asked<'_>) -> Result<Reply, Trouble> {
        let reply = (self.world.answer)(&self.name, asked);
        if let Some(trouble) = reply.trouble {
            self.connected.set(false);
            return Err(trouble);
        }
        if !self.connected.replace(true)
            && let Some(tell) = self.tell.borrow().as_ref()
        {
            tell(FACTS);
        }
        Ok(reply)
    }

    fn made(&self, claim: &Claim) -> Option<Made> {
        self.world.receipts.borrow().get(&(self.name.clone(), key(claim))).cloned()
    }

    fn make(&self, claim: &Claim, made: Made) {
        self.world.receipts.borrow_mut().insert((self.name.clone(), key(claim)), made);
    }

    /// A job's life, as a real host and its lane would live it.
    async fn job(
        &self,
        asked: &Asked<'_>,
        claim: Option<&Claim>,
        limit: Millis,
        sink: &mut dyn Sink,
        stop: &mut Stop,
    ) -> Outcome {
        let not_started =
            |because: &str, try_again| Outcome::NotStarted { because: because.into(), try_again };
        if stop.is_requested() {
            return not_started("cancelled before it started", false);
        }
        let reply = match self.ask(asked) {
            Ok(reply) => reply,
            Err(trouble) => return not_started(&trouble.to_string(), trouble.try_again()),
        };
        let started = Instant::now();
        let ends = started + reply.takes.std();
        if let Some(claim) = claim {
            match self.made(claim) {
                Some(Made::Void) => return not_started("its claim was spent", true),
                Some(Made::Started { ends, outcome }) if ends <= started => return outcome,
                Some(Made::Started { .. }) => {
                    return Outcome::Unknown { because: "it was started before and still runs".into() };
                }
                None => self.make(claim, Made::Started { ends, outcome: reply.outcome.clone() }),
            }
        }
        if !reply.out.is_empty() {
            sink.out(&reply.out);
        }
        if !reply.err.is_empty() {
            sink.err(&reply.err);
        }
        let lost = async {
            match reply.lost_after {
                Some(after) => sleep(after.std()).await,
                None => std::future::pending().await,
            }
        };
        let how = tokio::select! {
            biased;
            () = lost => {
                self.connected.set(false);
                return Outcome::Unknown { because: "the link was lost".into() };
            }
            () = sleep_until(ends) => return reply.outcome,
            () = stop.requested() => How::Cancelled,
            () = sleep_until(started + limit.std()) => How::TimedOut(limit),
        };
        let outcome = Outcome::Failed { how };
        if let Some(claim) = claim {
            self.make(claim, Made::Started { ends: Instant::now(), outcome: outcome.clone() });
        }
        outcome
    }
}

impl Remote for Scripted {
    fn name(&self) -> &HostName {
        &self.name
    }

    fn warm(&self, _: bool) {}

    fn run<'a>(
        &'a self,
        script: &'a Script,
        sink: &'a mut dyn Sink,
        stop: &'a mut Stop,
    ) -> Pending<'a, Outcome> {
        self.world.note(&self.name, "run", script.claim.as_ref());
        Box::pin(async move {
            self.job(&Asked::Run(script), script.claim.as_ref(), script.timeout, sink, stop).await
        })
    }

    fn stage<'a>(
        &'a self,
        script: Script,
        _: Millis,
        _: &'a mut Stop,
    ) -> Pending<'a, Result<LaidReady, Outcome>> {
        self.world.note(&self.name, "stage", script.claim.as_ref());
        Box::pin(async move {
            let (to, line) = mpsc::channel(1);
            let (name, world) = (self.name.clone(), self.world.clone());
            let host = Scripted { name, world, connected: Cell::new(true), tell: RefCell::new(None) };
            let go = GoLine::new(to, b"go".to_vec());
            Ok((go, Box::new(laid::Laid { host, script, line }) as Box<dyn Staged>))
        })
    }

    fn resolve<'a>(&'a self, lost: &'a Lost, stop: &'a mut Stop) -> Pending<'a, Found> {
        self.world.note(&self.name, "resolve", Some(&lost.claim));
        Box::pin(async move {
            if let Err(trouble) = self.ask(&Asked::Resolve(lost)) {
                return Found::NotReached { because: trouble.to_string(), try_again: trouble.try_again() };
            }
            let (ends, outcome) = match self.made(&lost.claim) {
                Some(Made::Void) => return Found::NeverStarted,
                Some(Made::Started { ends, outcome }) => (ends, outcome),
                None if lost.claimed_before
                    && !self.world.receipts.borrow().keys().any(|(of, _)| *of == self.name) =>
                {
                    return Found::NoReceipt { because: "the receipts are lost".into() };
                }
                None => {
                    self.make(&lost.claim, Made::Void);
                    return Found::NeverStarted;
                }
            };
            let how = tokio::select! {
                biased;
                () = sleep_until(ends) => return Found::Ended(outcome),
                () = stop.requested() => How::Cancelled,
                () = sleep(lost.wait.std()) => How::TimedOut(lost.wait),
            };
            let outcome = Outcome::Failed { how };
            self.make(&lost.claim, Made::Started { ends: Instant::now(), outcome: outcome.clone() });
            Found::Ended(outcome)
        })
    }

    fn upload<'a>(
        &'a self,
        upload: &'a UploadOrder<'a>,
        sink: &'a mut dyn Sink,
        stop: &'a mut Stop,
    ) -> Pending<'a, Outcome> {
        self.world.note(&self.name, "upload", Some(upload.claim));
        Box::pin(async move {
            self.job(&Asked::Upload(upload), Some(upload.claim), upload.timeout, sink, stop).await
        })
    }

    fn fetch<'a>(
        &'a self,
        fetch: &'a FetchOrder<'a>,
        into: &'a mut dyn Write,
        sink: &'a mut dyn Sink,
        stop: &'a mut Stop,
    ) -> Pending<'a, Result<Fetched, Outcome>> {
        let what = match &fetch.what {
            FetchWhat::File(path) => format!("fetch {path}"),
            FetchWhat::Output(_) => "fetch output".into(),
        };
        self.world.note(&self.name, &what, None);
        Box::pin(async move {
            let mut taking = taking::Taking { into, sink, hash: Sha256::new(), bytes: 0, error: None };
            let outcome = self.job(&Asked::Fetch(fetch), None, fetch.timeout, &mut taking, stop).await;
            let disagreed = |what: String| Outcome::Failed { how: How::Disagreed(what) };
            match (outcome, taking.error) {
                (Outcome::Succeeded, Some(error)) => Err(disagreed(error)),
                (Outcome::Succeeded, None) if taking.bytes > fetch.bytes_max => {
                    Err(disagreed(format!("it is larger than the limit of {} bytes", fetch.bytes_max)))
                }
                (Outcome::Succeeded, None) => {
                    let sha256 = taking.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
                    Ok(Fetched { bytes: taking.bytes, sha256 })
                }
                (outcome, _) => Err(outcome),
            }
        })
    }

    fn tcp<'a>(&'a self, host: &'a str, port: u16, limit: Millis) -> Pending<'a, Result<Connected, Trouble>> {
        self.world.note(&self.name, &format!("tcp {host}:{port}"), None);
        Box::pin(async move {
            let reply = self.ask(&Asked::Tcp(host, port))?;
            sleep(reply.takes.std().min(limit.std())).await;
            let (to, mut to_port) = mpsc::channel(1);
            let (from_port, from) = mpsc::channel(2);
            tokio::spawn(async move { while to_port.recv().await.is_some() {} });
            if !reply.out.is_empty() {
                let _ = from_port.try_send(FromWire::Out(reply.out));
            }
            let _ = from_port.try_send(FromWire::Closed(Closed::NoStatus));
            Ok(Connected { wire: Wire { to, from }, by: None })
        })
    }

    fn preflight<'a>(&'a self, _: bool, commands: &'a [String]) -> Pending<'a, Preflight> {
        self.world.note(&self.name, "preflight", None);
        Box::pin(async move {
            let reached = match self.ask(&Asked::Preflight) {
                Ok(_) => Ok(FACTS.to_owned()),
                Err(trouble) => Err(trouble.to_string()),
            };
            let mut checks = vec![("reached".to_owned(), reached)];
            checks.extend(commands.iter().map(|command| (command.clone(), Ok(format!("/bin/{command}")))));
            Preflight { checks }
        })
    }

    fn facts(&self) -> Option<String> {
        self.connected.get().then(|| FACTS.to_owned())
    }

    fn on_reached(&self, tell: Tell) {
        *self.tell.borrow_mut() = Some(tell);
    }

    fn forget<'a>(&'a self, _: &'a RunId, _: bool) -> Pending<'a, Result<(), Trouble>> {
        self.world.lose_receipts(&self.name);
        Box::pin(async { Ok(()) })
    }

    fn close<'a>(&'a self) -> Pending<'a, ()> {
        self.connected.set(false);
        Box::pin(async {})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::JobKind;
    use crate::model::secret::Secret;
    use crate::transport::work::NoSink;

    fn script(attempt: u32, timeout: Millis) -> Script {
        let run = RunId("0".repeat(32));
        let claim = Claim { run, task: "1-a".into(), kind: JobKind::Run, attempt };
        Script {
            guarded: false,
            text: Secret::new("x".into()),
            privileged: false,
            claim: Some(claim),
            timeout,
        }
    }

    fn lost(script: &Script) -> Lost {
        let claim = script.claim.clone().unwrap();
        Lost { claim, privileged: false, claimed_before: false, wait: Millis::from_secs(100) }
    }

    fn on(work: impl Future<Output = ()>) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_time().start_paused(true).build().unwrap().block_on(work);
    }

    #[test]
    fn a_lost_job_ends_and_its_receipt_tells() {
        on(async {
            let world = World::new(|_, _| Reply::exit(3).takes(Millis(5000)).lost_after(Millis(10)));
            let (host, other) = (Scripted::new("h", &world), Scripted::new("h", &world));
            let long = script(1, Millis::from_secs(60));
            let outcome = host.run(&long, &mut NoSink, &mut Stop::never()).await;
            assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome}");
            let outcome = other.run(&long, &mut NoSink, &mut Stop::never()).await;
            assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome}");
            let found = other.resolve(&lost(&long), &mut Stop::never()).await;
            assert_eq!(found, Found::Ended(Outcome::from_exit(3)));
            let never = script(2, Millis::from_secs(60));
            assert_eq!(host.resolve(&lost(&never), &mut Stop::never()).await, Found::NeverStarted);
            let outcome = host.run(&never, &mut NoSink, &mut Stop::never()).await;
            assert!(matches!(outcome, Outcome::NotStarted { .. }), "{outcome}");
            world.lose_receipts(&"h".into());
            let lost = Lost { claimed_before: true, ..lost(&never) };
            let found = host.resolve(&lost, &mut Stop::never()).await;
            assert!(matches!(found, Found::NoReceipt { .. }), "{found:?}");
            assert_eq!(world.asked()[..3], ["h run 1-a.run.1", "h run 1-a.run.1", "h resolve 1-a.run.1"]);
        });
    }

    #[test]
    fn time_runs_out_in_virtual_time() {
        on(async {
            let world = World::new(|_, _| Reply::exit(0).takes(Millis::from_secs(100_000)));
            let host = Scripted::new("h", &world);
            let limit = Millis::from_secs(300);
            let outcome = host.run(&script(1, limit), &mut NoSink, &mut Stop::never()).await;
            assert_eq!(outcome, Outcome::Failed { how: How::TimedOut(limit) });
        });
    }
}
