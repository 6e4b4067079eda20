//! Carries probes out: connects, pings, asks over HTTP and DNS, runs read-only commands, from wherever the probe
//! says.

pub mod asked;
mod dns;
mod http;
mod icmp;

use crate::drive::fleet::Fleet;
use crate::model::event::{CANNOT_TELL, Seen};
use crate::model::probe::{Expect, ProbeKind};
use crate::model::secret::Secret;
use crate::model::{How, Millis, Outcome};
use crate::transport::wire::{Trouble, TroubleKind};
use crate::transport::work::{NoSink, Script, Sink};
use crate::transport::{Connected, Remote, Stop};
pub use asked::{Asked, From};
use std::rc::Rc;
use tokio::time::{Duration, Instant, sleep_until, timeout};

/// Pause between two tries within a probe's window: short against a person's patience, long against a handshake.
const PAUSE: Duration = Duration::from_millis(500);

/// What one try of a probe came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saw {
    /// The target answered; by which tool, if the host needed one.
    Open(Option<String>),
    /// It did not; says how it looked.
    Closed(String),
    /// The vantage point could not be used, so nothing was learnt.
    CannotTell(String),
}

/// Tries a probe until it agrees or its window is over.
pub async fn carry_out(asked: &Asked, fleet: &Fleet, stop: &mut Stop) -> (Seen, Outcome) {
    let end = Instant::now() + asked.within.std();
    loop {
        let saw = once(asked, fleet, stop).await;
        let agrees =
            matches!((&saw, asked.expect), (Saw::Open(_), Expect::Open) | (Saw::Closed(_), Expect::Closed));
        if agrees || stop.is_requested() || Instant::now() + PAUSE > end {
            return conclude(asked, saw, agrees);
        }
        tokio::select! {
            () = sleep_until(Instant::now() + PAUSE) => {}
            () = stop.requested() => {}
        }
    }
}

fn conclude(asked: &Asked, saw: Saw, agrees: bool) -> (Seen, Outcome) {
    let (what, expected) = (&asked.what, asked.expect.word());
    let (seen, untold) = match saw {
        Saw::Open(None) => (Expect::Open.word().to_owned(), None),
        Saw::Open(Some(by)) => (format!("{}, {by}", Expect::Open.word()), None),
        Saw::Closed(how) => (format!("{}: {how}", Expect::Closed.word()), None),
        Saw::CannotTell(because) => {
            let seen = format!("{CANNOT_TELL}: {because}");
            let because = format!("{what}: {seen}");
            (seen, Some(Outcome::Unknown { because }))
        }
    };
    let outcome = untold.unwrap_or_else(|| match agrees {
        true => Outcome::Succeeded,
        false => Outcome::Failed { how: How::Disagreed(format!("{what}: expected {expected}, saw {seen}")) },
    });
    let seen = Seen {
        what: what.clone(),
        expected: expected.to_owned(),
        seen,
        agrees,
        probe: asked.id.clone(),
        before: None,
    };
    (seen, outcome)
}

async fn once(asked: &Asked, fleet: &Fleet, stop: &mut Stop) -> Saw {
    let vantage = match &asked.from {
        Ok(From::Controller) => fleet.controller(),
        Ok(From::Host(ix)) => fleet.host(*ix),
        Err(because) => return Saw::CannotTell(because.clone()),
    };
    let limit = asked.timeout;
    match &asked.kind {
        ProbeKind::Tcp { host, port } => match vantage.tcp(host, *port, limit).await {
            Ok(connected) => Saw::Open(connected.by),
            Err(trouble) => not_connected(trouble, &*vantage),
        },
        ProbeKind::Http { host, port, path, status, contains } => {
            let Connected { wire, by } = match vantage.tcp(host, *port, limit).await {
                Ok(connected) => connected,
                Err(trouble) => return not_connected(trouble, &*vantage),
            };
            let contains = contains.as_deref();
            let wanted = http::Wanted { host, port: *port, path, status: *status, contains };
            match timeout(limit.std(), http::get(wire, &wanted)).await {
                Ok(Saw::Open(_)) => Saw::Open(by),
                Ok(saw) => saw,
                Err(_) => Saw::Closed(format!("connected, but no answer within {limit}")),
            }
        }
        ProbeKind::Command { .. } => command(&vantage, asked, stop).await,
        ProbeKind::Icmp { host } => icmp::ping(&vantage, host, limit, stop).await,
        ProbeKind::Dns { name, server, port, record, answer, transport } => {
            let query = dns::Query { name, record: *record, answer: answer.as_deref() };
            let at_controller = asked.from == Ok(From::Controller);
            dns::ask(&vantage, at_controller, *transport, server, *port, &query, limit).await
        }
    }
}

/// Only the target's own silence or refusal is "closed". Where it was tried from is said beside it already.
fn not_connected(trouble: Trouble, vantage: &dyn Remote) -> Saw {
    match trouble.kind {
        TroubleKind::TargetClosed => {
            let from = format!("{}: ", vantage.name());
            Saw::Closed(trouble.what.strip_prefix(&from).unwrap_or(&trouble.what).to_owned())
        }
        TroubleKind::Unreachable
        | TroubleKind::HostKey
        | TroubleKind::Login
        | TroubleKind::Become
        | TroubleKind::Refused
        | TroubleKind::Lost
        | TroubleKind::Settings => Saw::CannotTell(trouble.to_string()),
    }
}

async fn command(vantage: &Rc<dyn Remote>, asked: &Asked, stop: &mut Stop) -> Saw {
    let text = asked.script.clone().expect("a command was made ready with its script");
    let script = Script { guarded: false, text, privileged: false, claim: None, timeout: asked.timeout };
    match vantage.run(&script, &mut NoSink, stop).await {
        Outcome::Succeeded => Saw::Open(None),
        Outcome::Failed { how } => Saw::Closed(how.to_string()),
        Outcome::NotStarted { because, .. } | Outcome::Unknown { because } => Saw::CannotTell(because),
    }
}

/// Runs a small read-only script at the vantage point, and returns how it ended and what it printed.
async fn look(vantage: &Rc<dyn Remote>, text: String, limit: Millis, stop: &mut Stop) -> (Outcome, String) {
    let script =
        Script { guarded: false, text: Secret::new(text), privileged: false, claim: None, timeout: limit };
    let mut printed = Printed::default();
    let outcome = vantage.run(&script, &mut printed, stop).await;
    (outcome, String::from_utf8_lossy(&printed.0).trim().to_owned())
}

/// Lines enough for what a small script says.
const PRINTED_BYTES_MAX: usize = 16 * 1024;

/// Keeps what a small script prints.
#[derive(Default)]
struct Printed(Vec<u8>);

impl Sink for Printed {
    fn out(&mut self, bytes: &[u8]) {
        let room = PRINTED_BYTES_MAX.saturating_sub(self.0.len());
        self.0.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
    fn err(&mut self, _: &[u8]) {}
}
