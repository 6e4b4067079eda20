//! Carries probes out: connects, asks over HTTP, runs read-only commands, from wherever the probe says.

use crate::drive::fleet::Fleet;
use crate::model::event::Seen;
use crate::model::names::HostIx;
use crate::model::probe::{Expect, Probe, ProbeKind, Vantage};
use crate::model::secret::Secret;
use crate::model::{Millis, Outcome};
use crate::plan::Plan;
use crate::transport::wire::{FromWire, TroubleKind, Wire};
use crate::transport::work::{NoSink, Script};
use crate::transport::{Remote, Stop};
use std::rc::Rc;
use tokio::time::{Duration, Instant, sleep_until, timeout};

/// Pause between two tries within a probe's window: short against a person's patience, long against a handshake.
const PAUSE: Duration = Duration::from_millis(500);
/// Enough for a health page; a larger body is looked at so far.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// More headers than this is not a health page.
const HEADERS_MAX: usize = 100;

/// What one probe came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saw {
    /// The target answered.
    Open,
    /// It did not; says how it looked.
    Closed(String),
    /// The vantage point could not be used, so nothing was learnt.
    CannotTell(String),
}

/// Tries a probe until it agrees or its window is over. `task_host` is what `from: task` means.
pub async fn carry_out(
    probe: &Probe,
    fleet: &Fleet,
    plan: &Plan,
    task_host: Option<HostIx>,
    stop: &mut Stop,
) -> (Seen, Outcome) {
    let end = Instant::now() + probe.within.std();
    loop {
        let saw = once(probe, fleet, plan, task_host, stop).await;
        let agrees =
            matches!((&saw, probe.expect), (Saw::Open, Expect::Open) | (Saw::Closed(_), Expect::Closed));
        if agrees || stop.is_requested() || Instant::now() + PAUSE > end {
            return conclude(probe, plan, task_host, saw, agrees);
        }
        tokio::select! {
            () = sleep_until(Instant::now() + PAUSE) => {}
            () = stop.requested() => {}
        }
    }
}

fn conclude(
    probe: &Probe,
    plan: &Plan,
    task_host: Option<HostIx>,
    saw: Saw,
    agrees: bool,
) -> (Seen, Outcome) {
    let what = describe(probe, plan, task_host);
    let expected = expected(probe);
    let (seen, outcome) = match saw {
        Saw::Open => ("open".to_owned(), None),
        Saw::Closed(how) => (format!("closed: {how}"), None),
        Saw::CannotTell(because) => {
            let because = format!("{what}: cannot tell: {because}");
            (format!("cannot tell: {because}"), Some(Outcome::Unknown { because }))
        }
    };
    let outcome = outcome.unwrap_or_else(|| match agrees {
        true => Outcome::Succeeded,
        false => Outcome::Failed {
            how: crate::model::How::Disagreed(format!("{what}: expected {expected}, saw {seen}")),
        },
    });
    (Seen { what, expected: expected.to_owned(), seen, agrees }, outcome)
}

/// A probe in words: `tcp 203.0.113.10:443 from office-pc`.
pub fn describe(probe: &Probe, plan: &Plan, task_host: Option<HostIx>) -> String {
    let what = match &probe.what {
        ProbeKind::Tcp { host, port } => format!("tcp {}:{port}", bracketed(host)),
        ProbeKind::Http { host, port, path, .. } => format!("http://{}:{port}{path}", bracketed(host)),
        ProbeKind::Command { script } => format!("command `{}`", script.lines().next().unwrap_or_default()),
    };
    let from = match &probe.from {
        None | Some(Vantage::Controller) => "the controller".to_owned(),
        Some(Vantage::Host(name)) => name.to_string(),
        Some(Vantage::Task) => {
            task_host.map_or("the controller".to_owned(), |ix| plan.hosts[ix.at()].name.to_string())
        }
    };
    format!("{what} from {from}")
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

fn expected(probe: &Probe) -> &'static str {
    match probe.expect {
        Expect::Open => "open",
        Expect::Closed => "closed",
    }
}

async fn once(probe: &Probe, fleet: &Fleet, plan: &Plan, task_host: Option<HostIx>, stop: &mut Stop) -> Saw {
    let vantage = match &probe.from {
        None | Some(Vantage::Controller) => fleet.controller(),
        Some(Vantage::Task) => task_host.map_or_else(|| fleet.controller(), |ix| fleet.host(ix)),
        Some(Vantage::Host(name)) => match plan.host_named(name.as_str()) {
            Some(ix) => fleet.host(ix),
            None => return Saw::CannotTell(format!("host `{name}` is not in the plan")),
        },
    };
    match &probe.what {
        ProbeKind::Tcp { host, port } => match vantage.tcp(host, *port, probe.timeout).await {
            Ok(_) => Saw::Open,
            Err(trouble) if trouble.kind == TroubleKind::TargetClosed => Saw::Closed(trouble.what),
            Err(trouble) => Saw::CannotTell(trouble.to_string()),
        },
        ProbeKind::Http { host, port, path, status, contains } => {
            let wire = match vantage.tcp(host, *port, probe.timeout).await {
                Ok(wire) => wire,
                Err(trouble) if trouble.kind == TroubleKind::TargetClosed => {
                    return Saw::Closed(trouble.what);
                }
                Err(trouble) => return Saw::CannotTell(trouble.to_string()),
            };
            let wanted = Wanted { host, port: *port, path, status: *status, contains: contains.as_deref() };
            match timeout(probe.timeout.std(), http(wire, &wanted)).await {
                Ok(saw) => saw,
                Err(_) => Saw::Closed(format!("connected, but no answer within {}", probe.timeout)),
            }
        }
        ProbeKind::Command { script } => command(&vantage, script, probe.timeout, stop).await,
    }
}

async fn command(vantage: &Rc<dyn Remote>, text: &str, limit: Millis, stop: &mut Stop) -> Saw {
    let script =
        Script { text: Secret::new(text.to_owned()), privileged: false, claim: None, timeout: limit };
    match vantage.run(&script, &mut NoSink, stop).await {
        Outcome::Succeeded => Saw::Open,
        Outcome::Failed { how } => Saw::Closed(how.to_string()),
        Outcome::NotStarted { because, .. } | Outcome::Unknown { because } => Saw::CannotTell(because),
    }
}

struct Wanted<'a> {
    host: &'a str,
    port: u16,
    path: &'a str,
    status: Option<u16>,
    contains: Option<&'a str>,
}

async fn http(mut wire: Wire, wanted: &Wanted<'_>) -> Saw {
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}:{}\r\nUser-Agent: blackstart\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        wanted.path,
        bracketed(wanted.host),
        wanted.port
    );
    if wire.to.send(request.into_bytes()).await.is_err() {
        return Saw::Closed("connected, then closed".to_owned());
    }
    let mut answer = Vec::new();
    while let Some(FromWire::Out(bytes)) = wire.from.recv().await {
        answer.extend_from_slice(&bytes);
        if answer.len() > BODY_BYTES_MAX || (wanted.contains.is_none() && head(&answer).is_some()) {
            break;
        }
    }
    judge(&answer, wanted)
}

fn judge(answer: &[u8], wanted: &Wanted<'_>) -> Saw {
    let Some((status, body_at)) = head(answer) else {
        return Saw::Closed("connected, but the answer is not HTTP".to_owned());
    };
    let well = wanted.status.map_or(status < 400, |wanted| wanted == status);
    let body = &answer[body_at..];
    let holds = wanted.contains.is_none_or(|text| memchr::memmem::find(body, text.as_bytes()).is_some());
    match (well, holds) {
        (true, true) => Saw::Open,
        (false, _) => Saw::Closed(format!("answered with status {status}")),
        (true, false) => Saw::Closed(format!("answered with status {status}, without the expected text")),
    }
}

/// Status and where the body starts, once the whole head is there.
fn head(answer: &[u8]) -> Option<(u16, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(answer) {
        Ok(httparse::Status::Complete(at)) => Some((response.code?, at)),
        Ok(httparse::Status::Partial) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(status: Option<u16>, contains: Option<&'static str>) -> Wanted<'static> {
        Wanted { host: "h", port: 80, path: "/", status, contains }
    }

    #[test]
    fn an_answer_is_open_only_if_status_and_text_are_right() {
        let ok = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready";
        let bad = b"HTTP/1.0 503 Service Unavailable\r\n\r\nready";
        assert_eq!(judge(ok, &wanted(None, Some("ready"))), Saw::Open);
        assert_eq!(judge(ok, &wanted(Some(200), None)), Saw::Open);
        assert!(matches!(judge(ok, &wanted(Some(204), None)), Saw::Closed(_)));
        assert!(matches!(judge(ok, &wanted(None, Some("rows=9"))), Saw::Closed(_)));
        assert!(matches!(judge(bad, &wanted(None, None)), Saw::Closed(_)));
        assert_eq!(judge(bad, &wanted(Some(503), Some("ready"))), Saw::Open);
        assert!(matches!(judge(b"SSH-2.0-OpenSSH_9.2\r\n", &wanted(None, None)), Saw::Closed(_)));
        assert!(matches!(judge(b"", &wanted(None, None)), Saw::Closed(_)));
    }

    #[test]
    fn text_in_the_head_does_not_count_as_body() {
        let sly = b"HTTP/1.1 200 OK\r\nX-Say: ready\r\n\r\nno";
        assert!(matches!(judge(sly, &wanted(None, Some("ready"))), Saw::Closed(_)));
    }
}
