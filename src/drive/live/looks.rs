//! What is looked at beside the run's own jobs: before the first cut, services all the time, and the clock.

use super::{Live, News};
use crate::drive::{baseline, watch};
use crate::transport::Stop;
use tokio::task::JoinSet;

/// What is on record when the operator did not want the look.
const NOT_WANTED: &str = "nobody looked before the first cut (--no-baseline)";
/// What is on record when the operator did not want the look at the end either.
const NOT_AGAIN: &str = "nobody looked again (--no-baseline)";
/// What is on record when a look of ours failed.
const OUR_MISTAKE: &str = "blackstart made a mistake while it looked";

impl Live<'_> {
    pub(super) fn look_before(&mut self) {
        if !self.baseline {
            let _ = self.tell.send(News::LookedBefore(Vec::new(), NOT_WANTED.to_owned()));
            return;
        }
        let (shop, tell) = (self.shop.clone(), self.tell.clone());
        let look =
            tokio::task::spawn_local(async move { baseline::look(shop.tools.clone(), Stop::never()).await });
        tokio::task::spawn_local(async move {
            // A mistake of ours in the look must not keep the cut waiting for ever.
            let (probes, because) = look.await.unwrap_or_else(|_| (Vec::new(), OUR_MISTAKE.to_owned()));
            let _ = tell.send(News::LookedBefore(probes, because));
        });
    }

    /// Looks at the services, and with `probes` at what was open before the first cut.
    pub(super) fn look_after(&self, probes: bool) {
        let (shop, tell, services) = (self.shop.clone(), self.tell.clone(), self.services.clone());
        let wanted = self.baseline;
        let look = tokio::task::spawn_local(async move {
            let services = async {
                match &services {
                    Some(watch) => watch::once(watch, &shop.tools.plan).await,
                    None => Vec::new(),
                }
            };
            let paths = async {
                match (probes, wanted) {
                    (false, _) => (Vec::new(), String::new()),
                    (true, false) => (Vec::new(), NOT_AGAIN.to_owned()),
                    (true, true) => baseline::look(shop.tools.clone(), Stop::never()).await,
                }
            };
            tokio::join!(services, paths)
        });
        tokio::task::spawn_local(async move {
            // A mistake of ours in the look must not keep the run from ending.
            let (services, (seen, because)) =
                look.await.unwrap_or_else(|_| (Vec::new(), (Vec::new(), OUR_MISTAKE.to_owned())));
            let _ = tell.send(News::LookedAfter(services, seen, because));
        });
    }

    /// Lets time pass on the screen, and reminds people of clocks that run out.
    pub(super) fn show_time(&mut self) {
        let now = self.clock.now();
        for text in self.reminders.due(&self.shown, now) {
            self.display.note(&text);
        }
        self.display.tick(&self.shown, now);
    }

    /// Watches services until what it returns is dropped.
    pub(super) fn watch_services(&self) -> Option<JoinSet<()>> {
        let (watch, tell) = (self.services.as_ref()?, self.tell.clone());
        Some(watch::start(watch, &self.shop.tools.plan, move |service, stands, because| {
            let _ = tell.send(News::ServiceSeen(service, stands, because));
        }))
    }
}
