//! What earlier runs say about how long steps and answers take.

use crate::model::event::{Event, JobKind};
use crate::model::names::{StepId, TaskIx};
use crate::model::question::Question;
use crate::model::{Millis, Outcome, Time};
use crate::plan::Plan;
use std::collections::BTreeMap;

/// Lengths that were measured, by step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Learnt {
    /// Actions that ended well, on any host.
    pub actions: BTreeMap<StepId, Vec<Millis>>,
    /// Manual steps, from the question to the answer.
    pub answers: BTreeMap<StepId, Vec<Millis>>,
    /// Consent, from the question to each person's word.
    pub consents: BTreeMap<StepId, Vec<Millis>>,
}

impl Learnt {
    /// Takes in the journal of a run, with its plan.
    pub fn add<'a>(&mut self, plan: &Plan, events: impl IntoIterator<Item = &'a (Time, Event)>) {
        let mut began = BTreeMap::new();
        let mut asked: BTreeMap<&Question, Time> = BTreeMap::new();
        let step = |task: TaskIx| plan.step_of(task).id.clone();
        for (at, event) in events {
            match event {
                Event::JobStarted { job } if job.kind == JobKind::Run => {
                    began.insert(*job, *at);
                }
                Event::Firing { jobs, .. } => began.extend(jobs.iter().map(|job| (*job, *at))),
                Event::JobEnded { job, outcome: Outcome::Succeeded, .. } => {
                    if let Some(began) = began.remove(job) {
                        self.actions.entry(step(job.task)).or_default().push(at.since(began));
                    }
                }
                Event::Asked { question } => {
                    asked.insert(question, *at);
                }
                Event::Answered { answer } => {
                    let Some(since) = asked.get(&answer.question) else { continue };
                    let (of, task) = match &answer.question {
                        Question::Manual { task } => (&mut self.answers, task),
                        Question::Approve { task, .. } => (&mut self.consents, task),
                        Question::WhatBecameOf { .. } | Question::PhaseFailed { .. } => continue,
                    };
                    of.entry(step(*task)).or_default().push(at.since(*since));
                }
                // Nothing else says how long something took. Whoever was away when a run went on took no time.
                Event::RunResumed { .. } => {
                    began.clear();
                    asked.clear();
                }
                _ => {}
            }
        }
    }
}
