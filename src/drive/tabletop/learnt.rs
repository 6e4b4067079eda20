//! What earlier runs say about how long steps and answers take.

use crate::model::event::{Event, Job, JobKind};
use crate::model::names::{HostName, StepId, TaskIx};
use crate::model::question::Question;
use crate::model::{Millis, Outcome, Time};
use crate::plan::Plan;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Lengths that were measured, by step.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Learnt {
    /// Jobs that ended.
    #[serde(with = "pairs")]
    pub jobs: BTreeMap<Part, Vec<Took>>,
    /// Manual steps, from the question to the answer.
    pub answers: BTreeMap<StepId, Vec<Millis>>,
    /// Consent, from the question to each person's word.
    pub consents: BTreeMap<StepId, Vec<Millis>>,
}

/// What was measured: a part of a step, and whether it ended well. One that fails takes a time of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Part {
    /// The step.
    pub step: StepId,
    /// Which part of it.
    pub kind: JobKind,
    /// Did it end well?
    pub well: bool,
}

/// One measurement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Took {
    /// On which host, if on any.
    pub host: Option<HostName>,
    /// At which try: the first one often takes longest.
    pub attempt: u32,
    /// How long it took.
    pub length: Millis,
}

impl Learnt {
    /// Takes in the journal of a run, with its plan.
    pub fn add<'a>(&mut self, plan: &Plan, events: impl IntoIterator<Item = &'a (Time, Event)>) {
        let mut began = BTreeMap::new();
        let mut asked: BTreeMap<&Question, Time> = BTreeMap::new();
        let step = |task: TaskIx| plan.step_of(task).id.clone();
        for (at, event) in events {
            match event {
                Event::JobStarted { job } => {
                    began.insert(*job, *at);
                }
                Event::Firing { jobs, .. } => began.extend(jobs.iter().map(|job| (*job, *at))),
                Event::JobEnded { job, outcome, .. } => {
                    if let (Some(began), Some(well)) = (began.remove(job), ended(outcome)) {
                        self.took(plan, *job, well, at.since(began));
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

    fn took(&mut self, plan: &Plan, job: Job, well: bool, length: Millis) {
        let part = Part { step: plan.step_of(job.task).id.clone(), kind: job.kind, well };
        let host = plan.tasks[job.task.at()].host.map(|host| plan.hosts[host.at()].name.clone());
        self.jobs.entry(part).or_default().push(Took { host, attempt: job.attempt, length });
    }

    /// How long a part took on this host, at this try if one is named. Where it was never measured, nothing.
    pub fn lengths(&self, part: &Part, host: Option<&HostName>, attempt: Option<u32>) -> Vec<Millis> {
        let all = self.jobs.get(part).into_iter().flatten();
        let here = all.filter(|took| took.host.as_ref() == host);
        let such = here.filter(|took| attempt.is_none_or(|attempt| took.attempt == attempt));
        such.map(|took| took.length).collect()
    }

    /// How long it took on any host.
    pub fn anywhere(&self, part: &Part) -> Vec<Millis> {
        self.jobs.get(part).into_iter().flatten().map(|took| took.length).collect()
    }
}

/// Did it end well? What was never begun, or whose end was not seen, tells nothing of how long it takes.
fn ended(outcome: &Outcome) -> Option<bool> {
    match outcome {
        Outcome::Succeeded => Some(true),
        Outcome::Failed { .. } => Some(false),
        Outcome::NotStarted { .. } | Outcome::Unknown { .. } => None,
    }
}

/// Keys of JSON are texts, and parts of steps are not: they are written down as pairs.
mod pairs {
    use super::{Part, Took};
    use serde::{Deserialize, Deserializer, Serializer};
    use std::collections::BTreeMap;

    pub(super) fn serialize<S: Serializer>(
        jobs: &BTreeMap<Part, Vec<Took>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(jobs)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<Part, Vec<Took>>, D::Error> {
        Ok(Vec::<(Part, Vec<Took>)>::deserialize(from)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learnt_can_be_written_down() {
        let mut learnt = Learnt::default();
        let part = Part { step: "cut".into(), kind: JobKind::Run, well: true };
        let took = Took { host: Some("fw".into()), attempt: 2, length: Millis(7) };
        learnt.jobs.insert(part, vec![took]);
        learnt.answers.insert("look".into(), vec![Millis(5)]);
        let text = serde_json::to_string(&learnt).expect("it can be written");
        assert_eq!(serde_json::from_str::<Learnt>(&text).expect("it can be read"), learnt);
    }
}
