//! How services stood while somebody watched: stretches of time, each up, down or unknown.

use crate::model::Time;
use crate::model::event::Stands;

/// A stretch of time in which a service stood in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// From the look that saw it first.
    pub since: Time,
    /// To the look that saw it change, or to when nobody watched any more; `None` while it lasts.
    pub until: Option<Time>,
    /// How it stood.
    pub stands: Stands,
}

/// The stretches of one service, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched(Vec<Stretch>);

impl Watched {
    /// How it stands, if somebody watches and has looked.
    pub fn stands(&self) -> Option<Stands> {
        self.0.last().filter(|last| last.until.is_none()).map(|last| last.stands)
    }
    /// Every stretch so far.
    pub fn stretches(&self) -> &[Stretch] {
        &self.0
    }

    pub(super) fn saw(&mut self, at: Time, stands: Stands) {
        self.end(at);
        self.0.push(Stretch { since: at, until: None, stands });
    }
    /// Nobody watches any more.
    pub(super) fn end(&mut self, at: Time) {
        if let Some(last) = self.0.last_mut().filter(|last| last.until.is_none()) {
            last.until = Some(at.max(last.since));
        }
    }
}
