//! The last lines that failed jobs printed, kept for the end. A run's state holds no output.

use crate::model::Outcome;
use crate::model::event::{Event, Facts, Job};
use crate::model::names::TaskIx;
use std::collections::BTreeMap;

/// What the newest failed job of each task printed. Feed it every event of a run, replayed ones too.
#[derive(Debug, Clone, Default)]
pub struct Tails {
    kept: BTreeMap<TaskIx, (Job, Facts)>,
}

impl Tails {
    /// All that a run's events leave.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut tails = Tails::default();
        events.into_iter().for_each(|event| tails.note(event));
        tails
    }
    /// Keeps what an event says about a failed job; any other job's end says nothing worth keeping.
    pub fn note(&mut self, event: &Event) {
        if let Event::JobEnded { job, outcome, facts } = event
            && *outcome != Outcome::Succeeded
        {
            self.kept.insert(job.task, (*job, facts.clone()));
        }
    }
    /// The newest failed job of a task, and what came of it.
    pub fn of_task(&self, task: TaskIx) -> Option<(Job, &Facts)> {
        self.kept.get(&task).map(|(job, facts)| (*job, facts))
    }
}
