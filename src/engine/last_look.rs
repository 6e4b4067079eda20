//! The look before the end: how services stand, and whether what was cut in an exercise is open again.

use super::io::Output;
use super::run::Engine;
use super::state::{RunState, Status};
use crate::model::Event;
use crate::model::event::{Seen, Stands, StopReason, Verdict};
use crate::model::names::ServiceName;

/// How far this process has come with the look before the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum LastLook {
    /// Nobody was sent.
    #[default]
    NotYet,
    /// Ordered, and its answer has not come.
    UnderWay {
        /// The run went on since: what it will see is from before.
        stale: bool,
    },
    /// The answer is on record, and nothing has happened since.
    Over,
}

impl Engine {
    /// Must somebody look before the run may end like this? Orders it once.
    pub(super) fn awaits_last_look(&mut self, verdict: &Verdict) -> bool {
        let probes = self.state.is_to_be_as_before();
        let services = self.state.plan.services.iter().any(|service| service.probe.is_some());
        if !is_looked_at(verdict) || self.state.stop.is_some() || !(probes || services) {
            return false;
        }
        match self.last_look {
            LastLook::Over => false,
            LastLook::UnderWay { .. } => true,
            LastLook::NotYet => {
                self.last_look = LastLook::UnderWay { stale: false };
                self.order(Output::LookAfter { probes });
                true
            }
        }
    }

    /// The run goes on, or has ended: a look that is under way is none of an end that comes later.
    pub(super) fn last_look_is_stale(&mut self) {
        self.last_look = match self.last_look {
            LastLook::NotYet | LastLook::Over => LastLook::NotYet,
            LastLook::UnderWay { .. } => LastLook::UnderWay { stale: true },
        };
    }

    pub(super) fn looked_after(
        &mut self,
        services: Vec<(ServiceName, Stands, String)>,
        probes: Vec<Seen>,
        because: String,
    ) {
        let LastLook::UnderWay { stale } = self.last_look else { return self.refuse() };
        if stale || !self.goes_on() {
            self.last_look = LastLook::NotYet;
            return self.refuse();
        }
        self.last_look = LastLook::Over;
        for (service, stands, because) in services {
            if self.is_news(&service, stands) {
                self.record(Event::ServiceSeen { service, stands, because });
            }
        }
        if self.state.is_to_be_as_before() {
            self.record(Event::LookedAfter { probes, because });
        }
    }
}

/// An end that somebody is waiting for, who wants to go on at once, is not held up.
fn is_looked_at(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Completed | Verdict::RolledBack | Verdict::Stuck => true,
        Verdict::Stopped { because: StopReason::FailuresLeft } => true,
        Verdict::Stopped { .. } | Verdict::Refused { .. } => false,
    }
}

impl RunState {
    /// Were conduits re-opened, so that what was open before the first cut is to be open again?
    pub fn is_to_be_as_before(&self) -> bool {
        matches!(self.status, Status::RollingBack { reopen: true, .. }) && self.proofs.knows_open()
    }
}
