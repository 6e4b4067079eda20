//! A state directory with one run, as tests look at it: its journal, while it is written and afterwards.

#![allow(dead_code)]

use super::live::{Live, until};
use blackstart::journal::{Record, RunDir, Store};
use blackstart::model::Outcome;
use blackstart::model::event::{Event, Found, Job, JobKind, TaskEnd, UndoEnd};
use std::path::PathBuf;

/// The directory.
pub struct Runs {
    pub state: PathBuf,
}

impl Runs {
    /// The run, once there is one.
    pub fn dir(&self) -> Option<RunDir> {
        let store = Store::open(&self.state).ok()?;
        let id = store.ids().ok()?.pop()?;
        store.find(id.as_str()).ok()
    }

    /// What the journal says; nothing, where there is none yet.
    pub fn records(&self) -> Vec<Record> {
        let Some(dir) = self.dir() else { return Vec::new() };
        dir.read().unwrap_or_else(|error| panic!("{error}")).records
    }

    /// Looks at the journal of a live run until `seen` says yes.
    pub fn wait(&self, live: &mut Live, what: &str, seen: impl Fn(&Event) -> bool) {
        until(what, || {
            let there = self.records().iter().any(|record| seen(&record.event));
            if !there {
                live.must_run(what);
            }
            there
        });
    }

    /// How attempts of `kind` of a task were started: `step@host`.
    pub fn starts(&self, about: &str, kind: JobKind) -> Vec<Job> {
        let started = |record: &Record| match &record.event {
            Event::JobStarted { job } if job.kind == kind && record.about.as_deref() == Some(about) => {
                Some(*job)
            }
            _ => None,
        };
        self.records().iter().filter_map(started).collect()
    }

    /// What `pick` makes of the events about a task, in order.
    fn about<T>(&self, about: &str, pick: impl Fn(&Event) -> Option<T>) -> Vec<T> {
        let records = self.records();
        let about = records.iter().filter(|record| record.about.as_deref() == Some(about));
        about.filter_map(|record| pick(&record.event)).collect()
    }

    /// How jobs of `kind` of a task ended, try by try.
    pub fn outcomes(&self, about: &str, kind: JobKind) -> Vec<Outcome> {
        self.about(about, |event| match event {
            Event::JobEnded { job, outcome, .. } if job.kind == kind => Some(outcome.clone()),
            _ => None,
        })
    }

    /// What the receipts of a task's attempts said, look by look.
    pub fn found(&self, about: &str) -> Vec<Found> {
        self.about(about, |event| match event {
            Event::ReceiptRead { found, .. } => Some(found.clone()),
            _ => None,
        })
    }

    /// How a task ended, at last.
    pub fn end_of(&self, about: &str) -> Option<TaskEnd> {
        let ends = self.about(about, |event| match event {
            Event::TaskEnded { end, .. } => Some(end.clone()),
            _ => None,
        });
        ends.into_iter().next_back()
    }

    /// How the undos of a task ended.
    pub fn undos(&self, about: &str) -> Vec<UndoEnd> {
        self.about(about, |event| match event {
            Event::UndoEnded { end, .. } => Some(end.clone()),
            _ => None,
        })
    }
}
