//! A script that is laid ready on a host, to be started with one line, together with others.

use super::super::lane::News;
use super::job::{Work, follow, refused};
use super::lanes::{Lanes, Leased};
use super::{not_started, receipt_name};
use crate::model::{How, Millis, Outcome};
use crate::transport::remote::{GoLine, LaidReady, Staged, Stop};
use crate::transport::wire::Pending;
use crate::transport::work::{NoSink, Script, Sink};
use std::rc::Rc;
use tokio::time::{Duration, sleep, timeout};

/// Between tries to reach a host that is to be ready: its time is short.
const PAUSE: Duration = Duration::from_millis(250);

/// A lane on which a script lies ready.
struct Ready {
    lanes: Rc<Lanes>,
    lane: Leased,
    script: Script,
}

/// Lays a script ready, trying again what may do better for as long as there is time.
pub(super) async fn stage(
    lanes: &Rc<Lanes>,
    script: Script,
    within: Millis,
    stop: &mut Stop,
) -> Result<LaidReady, Outcome> {
    let mut last = None;
    let laid = async {
        loop {
            match lay(lanes, &script).await {
                Ok(ready) => return Ok(ready),
                Err(outcome @ Outcome::NotStarted { try_again: true, .. }) => last = Some(outcome),
                Err(outcome) => return Err(outcome),
            }
            sleep(PAUSE).await;
        }
    };
    let laid = tokio::select! {
        laid = timeout(within.std(), laid) => laid,
        () = stop.requested() => return Err(Outcome::Failed { how: How::Cancelled }),
    };
    match laid {
        Ok(Ok((go, lane))) => {
            let ready = Ready { lanes: lanes.clone(), lane, script };
            Ok((go, Box::new(ready)))
        }
        Ok(Err(outcome)) => Err(outcome),
        Err(_) => {
            let why = match last {
                Some(Outcome::NotStarted { because, .. }) => format!(": {because}"),
                _ => String::new(),
            };
            let because = format!("it was not ready within {within}{why}");
            Err(Outcome::NotStarted { because, try_again: true })
        }
    }
}

/// Sends all of it but the last byte over an idle lane. Not where a guard must be looked at first.
pub(super) fn lay_at_once(lanes: &Rc<Lanes>, script: Script) -> Option<LaidReady> {
    if script.guarded {
        return None;
    }
    let mut lane = lanes.lease_idle(script.privileged)?;
    let claim = script.claim.as_ref().map(receipt_name);
    let go = lane.lay(&script.text, claim.as_deref())?;
    Some((go, Box::new(Ready { lanes: lanes.clone(), lane, script })))
}

async fn lay(lanes: &Rc<Lanes>, script: &Script) -> Result<(GoLine, Leased), Outcome> {
    let broke_off = |because: &str| Outcome::NotStarted { because: because.into(), try_again: true };
    let claim = script.claim.as_ref().map(receipt_name);
    let mut lane = lanes.lease(script.privileged).await.map_err(|trouble| not_started(&trouble))?;
    let Some(go) = lane.stage(&script.text, claim.as_deref()).await else {
        return Err(broke_off("the lane broke off"));
    };
    let mut refusal = None;
    loop {
        match lane.next(&mut NoSink).await {
            News::Staged => {
                lane.waits(true);
                return Ok((go, lane));
            }
            News::Refused(refused) => refusal = Some(refused),
            News::Ended(_) => {
                let Some(refusal) = refusal else { return Err(broke_off("the lane lost its place")) };
                return Err(refused(lane, &work(script), refusal).await);
            }
            News::Started(_) => return Err(broke_off("the lane lost its place")),
            News::Gone(gone) => return Err(broke_off(&gone.because)),
        }
    }
}

fn work(script: &Script) -> Work<'_> {
    Work {
        guarded: false,
        text: &script.text,
        privileged: script.privileged,
        claim: script.claim.as_ref().map(receipt_name),
        timeout: script.timeout,
    }
}

impl Staged for Ready {
    fn lost<'a>(&'a mut self) -> Pending<'a, ()> {
        Box::pin(async move {
            // What else a host says before its line was sent is not for anybody.
            while !matches!(self.lane.next(&mut NoSink).await, News::Gone(_)) {}
        })
    }

    fn follow<'a>(
        self: Box<Self>,
        sink: &'a mut dyn Sink,
        stop: &'a mut Stop,
        started: &'a mut dyn FnMut(),
    ) -> Pending<'a, Outcome> {
        Box::pin(async move {
            let Ready { lanes, mut lane, script } = *self;
            lane.waits(false);
            follow(&lanes, &work(&script), lane, sink, stop, &mut Stop::never(), started).await
        })
    }
}
