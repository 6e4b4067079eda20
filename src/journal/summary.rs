//! A run in one line, for lists of runs.

use super::error::JournalError;
use super::run_dir::RunDir;
use crate::model::event::{Mode, TaskEnd, Verdict};
use crate::model::names::{RunId, TaskIx};
use crate::model::{Event, Time};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// A run in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its id.
    pub id: RunId,
    /// The runbook's name; empty if the plan cannot be read.
    pub runbook: String,
    /// The inventory's name; empty if the plan cannot be read.
    pub inventory: String,
    /// Exercise or real; `None` if it never started.
    pub mode: Option<Mode>,
    /// Who started it.
    pub by: Option<String>,
    /// When it started.
    pub started: Option<Time>,
    /// When the last thing on record happened: its end, if it has ended.
    pub last: Option<Time>,
    /// Where it stands.
    pub status: Status,
    /// Its tasks.
    pub tasks: TaskCounts,
}

/// Where a run stands, as far as its directory tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It was created, and its process died before the first event was on disk.
    NeverStarted,
    /// A process carries it on.
    Running {
        /// Which one, if it said.
        pid: Option<u32>,
    },
    /// It has not ended and nobody carries it on: `resume` does.
    Interrupted,
    /// Its last process ended it.
    Ended(Verdict),
    /// Its journal or plan is not as it was written.
    Broken {
        /// What is wrong.
        because: String,
    },
}

/// How many tasks ended how, forwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TaskCounts {
    /// In the plan.
    pub planned: u64,
    /// Ran, and ended well.
    pub done: u64,
    /// Were so already.
    pub already_so: u64,
    /// Did not end well.
    pub failed: u64,
}

/// What a list needs of a plan.
#[derive(Deserialize, Default)]
struct PlanHead {
    runbook: String,
    inventory: String,
    tasks: Vec<IgnoredAny>,
}

impl Summary {
    pub(super) fn of(run: &RunDir) -> Summary {
        let plan = plan_head(run);
        let mut summary = Summary {
            id: run.id().clone(),
            runbook: String::new(),
            inventory: String::new(),
            mode: None,
            by: None,
            started: None,
            last: None,
            status: Status::NeverStarted,
            tasks: TaskCounts::default(),
        };
        let mut ends = BTreeMap::new();
        // Asked before reading: a run that ends in between is then seen as running, not as interrupted.
        let held = run.held_by();
        let scanned = run.scan(|record| {
            summary.last = Some(record.at);
            summary.status = Status::Interrupted;
            summary.note(record.at, record.event, &mut ends);
        });
        summary.tasks = TaskCounts::of(&ends);
        if let Some(pid) = held {
            summary.status = Status::Running { pid };
        }
        match plan {
            Ok(plan) => {
                summary.runbook = plan.runbook;
                summary.inventory = plan.inventory;
                summary.tasks.planned = plan.tasks.len() as u64;
            }
            Err(error) => summary.status = Status::Broken { because: error.to_string() },
        }
        if let Err(error) = scanned {
            summary.status = Status::Broken { because: error.to_string() };
        }
        summary
    }

    /// Anything but what is matched here says no more than that the run goes on.
    fn note(&mut self, at: Time, event: Event, ends: &mut BTreeMap<TaskIx, TaskEnd>) {
        if let Event::RunStarted { mode, by, .. } = event {
            (self.mode, self.by, self.started) = (Some(mode), Some(by), Some(at));
        } else if let Event::TaskEnded { task, end } = event {
            ends.insert(task, end);
        } else if let Event::RunEnded { verdict } = event {
            self.status = Status::Ended(verdict);
        }
    }
}

impl TaskCounts {
    fn of(ends: &BTreeMap<TaskIx, TaskEnd>) -> Self {
        let mut counts = TaskCounts::default();
        for end in ends.values() {
            match end {
                TaskEnd::Done => counts.done += 1,
                TaskEnd::AlreadySo => counts.already_so += 1,
                TaskEnd::Failed { .. } => counts.failed += 1,
                TaskEnd::NotRun { .. } => {}
            }
        }
        counts
    }
}

fn plan_head(run: &RunDir) -> Result<PlanHead, JournalError> {
    let file = run.plan_path();
    let json = std::fs::read(&file).map_err(super::error::cannot("read", &file))?;
    serde_json::from_slice(&json)
        .map_err(|error| JournalError::Unreadable { file, because: error.to_string() })
}
