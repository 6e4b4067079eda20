//! From decisions to deeds: what is decided is written to the journal and synced, and only then carried out.
//!
//! A result that leads to nothing yet, of fifty hosts say that a step waits for, is written at once and synced with what comes
//! after it, or at the next tick: if the power fails in between, the host's receipt tells it again.

use super::Live;
use crate::drive::about::about;
use crate::drive::tools::claims;
use crate::engine::Output;
use crate::journal::{JournalError, inbox};
use crate::model::Event;
use crate::model::event::Job;
use crate::plan::Plan;
use crate::transport::LaidReady;
use std::collections::BTreeMap;
use tokio::task::yield_now;

/// So many jobs at most are sent ahead of the record of their start.
const LAID_AHEAD_MAX: usize = 4;

impl Live<'_> {
    /// Makes every pending decision durable, then carries the orders out.
    pub(super) async fn decide(&mut self) -> Result<(), JournalError> {
        let mut events = Vec::new();
        let mut orders = Vec::new();
        while let Some(output) = self.engine.poll() {
            match output {
                Output::Record(at, event) => {
                    let about = about(&event).map(|task| self.shop.tools.plan.task_name(task));
                    self.writer.add(at, &event, about.as_deref());
                    events.push((at, event));
                }
                order => orders.push(order),
            }
        }
        let may_wait = !self.sync_due
            && self.answered_files.is_empty()
            && !orders.iter().any(is_deed)
            && events.iter().all(|(_, event)| is_told_again(&self.shop.tools.plan, event));
        let mut laid = self.lay_ahead(&orders).await;
        match may_wait {
            true => self.writer.hand_over()?,
            false => self.writer.commit()?,
        }
        self.sync_due = false;
        for file in self.answered_files.drain(..) {
            if let Err(error) = inbox::done(&file) {
                tracing::warn!(%error, "a message that was read stays in the inbox");
            }
        }
        for (at, event) in &events {
            self.shop.held.borrow_mut().note(event);
            self.shown.apply(*at, event).expect("the engine applied it before");
            self.display.event(&self.shown, *at, event);
        }
        for order in orders {
            self.obey(order, &mut laid);
        }
        Ok(())
    }

    /// While few jobs start a host has nothing to do as long as the journal is synced: it may have their scripts by then, but
    /// for the last byte. Where many start they keep the hosts busy anyway, and one packet more for each is too dear.
    async fn lay_ahead(&mut self, orders: &[Output]) -> BTreeMap<Job, LaidReady> {
        let starts = || orders.iter().filter_map(start_of);
        if starts().count() > LAID_AHEAD_MAX {
            return BTreeMap::new();
        }
        let laid: BTreeMap<_, _> = starts().filter_map(|job| Some((job, self.shop.lay(job)?))).collect();
        if !laid.is_empty() {
            // The tasks that own the connections take it from here.
            yield_now().await;
        }
        laid
    }
}

fn start_of(order: &Output) -> Option<Job> {
    match order {
        Output::Start { job, .. } => Some(*job),
        _ => None,
    }
}

/// Does it reach beyond this process, or end it? Then all that led to it is on disk before.
fn is_deed(order: &Output) -> bool {
    match order {
        Output::Wake { .. } | Output::Ask(_) | Output::Withdraw(_) => false,
        Output::Start { .. }
        | Output::Cancel { .. }
        | Output::Fire { .. }
        | Output::Release { .. }
        | Output::LookBefore
        | Output::LookAfter { .. }
        | Output::Finished(_) => true,
        Output::Record(..) => unreachable!("records are no orders"),
    }
}

/// Would a resume learn it from the hosts, or does it follow from what it would learn?
fn is_told_again(plan: &Plan, event: &Event) -> bool {
    match event {
        Event::JobEnded { job, .. } => job.kind.may_change() && claims(plan, job.task),
        Event::TaskEnded { .. } | Event::HostReached { .. } => true,
        _ => false,
    }
}
