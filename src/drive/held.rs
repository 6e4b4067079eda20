//! Evidence on record, by the task that fetched it: what must still be in the run's directory when a step wants it.

use crate::journal::{RunDir, evidence};
use crate::model::event::{Event, Evidence, JobKind};
use crate::model::names::TaskIx;
use crate::model::{Outcome, Time};
use crate::plan::Plan;
use crate::plan::frozen::PlannedStep;
use std::collections::BTreeMap;

/// Files that were fetched, as the journal has them.
#[derive(Debug, Clone, Default)]
pub struct Held(BTreeMap<TaskIx, Vec<Evidence>>);

impl Held {
    /// What earlier processes of this run fetched.
    pub fn so_far<'a>(past: impl IntoIterator<Item = &'a (Time, Event)>) -> Self {
        let mut held = Self::default();
        past.into_iter().for_each(|(_, event)| held.note(event));
        held
    }

    /// Notes what a fetch brought. What a later attempt brings takes the place of it.
    pub fn note(&mut self, event: &Event) {
        if let Event::JobEnded { job, outcome: Outcome::Succeeded, facts } = event
            && job.kind == JobKind::Run
            && !facts.evidence.is_empty()
        {
            self.0.insert(job.task, facts.evidence.clone());
        }
    }

    /// The files that a step wants to find. The error names a task that brought none.
    pub fn wanted_by(&self, plan: &Plan, step: &PlannedStep) -> Result<Vec<Evidence>, String> {
        let mut files = Vec::new();
        for task in step.evidence.iter().flat_map(|step| plan.tasks_of(*step)) {
            match self.0.get(&task) {
                _ if plan.tasks[task.at()].left_out.is_some() => {}
                Some(held) => files.extend(held.iter().cloned()),
                None => return Err(format!("`{}` has brought no evidence", plan.task_name(task))),
            }
        }
        Ok(files)
    }
}

/// Are these files in the run's directory, unaltered? The error says which is not.
pub async fn stands(dir: &RunDir, files: Vec<Evidence>) -> Result<(), String> {
    let dir = dir.clone();
    let reading = move || files.iter().try_for_each(|file| evidence::check(&dir, file));
    match tokio::task::spawn_blocking(reading).await {
        Ok(stands) => stands,
        Err(_) => Err("the evidence could not be read: blackstart made a mistake".to_owned()),
    }
}
