//! A script that lies ready on a made-up host.

use super::{Asked, Scripted};
use crate::model::Outcome;
use crate::transport::remote::{Staged, Stop};
use crate::transport::wire::Pending;
use crate::transport::work::{Script, Sink};
use tokio::sync::mpsc;

/// A script that lies ready on a made-up host.
pub(super) struct Laid {
    pub(super) host: Scripted,
    pub(super) script: Script,
    pub(super) line: mpsc::Receiver<Vec<u8>>,
}

impl Staged for Laid {
    fn lost<'a>(&'a mut self) -> Pending<'a, ()> {
        Box::pin(std::future::pending())
    }

    fn follow<'a>(
        mut self: Box<Self>,
        sink: &'a mut dyn Sink,
        stop: &'a mut Stop,
        started: &'a mut dyn FnMut(),
    ) -> Pending<'a, Outcome> {
        Box::pin(async move {
            if self.line.recv().await.is_none() {
                return Outcome::NotStarted { because: "it was let go of".into(), try_again: true };
            }
            started();
            let (asked, claim) = (Asked::Run(&self.script), self.script.claim.as_ref());
            self.host.job(&asked, claim, self.script.timeout, sink, stop).await
        })
    }
}
