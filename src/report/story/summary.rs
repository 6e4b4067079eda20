//! What happened, in one paragraph.

use super::lang::Says;
use super::phrase::Phrase;
use super::sentences::code;
use super::steps::join;
use super::told::{Fate, Met, Standing, Story, What};
use crate::model::Millis;
use crate::model::event::Stands;
use std::collections::BTreeMap;

/// Fates in the order in which a reader wants to hear of them, good news first.
const TOLD: [Fate; 10] = [
    Fate::Done,
    Fate::AlreadySo,
    Fate::Failed,
    Fate::Unseen,
    Fate::Stuck,
    Fate::TakenBack,
    Fate::NotRun,
    Fate::UnderWay,
    Fate::Waiting,
    Fate::LeftOut,
];

/// The sentences of the paragraph.
pub(super) fn summary(story: &Story, says: &Says) -> Vec<String> {
    let run = &story.run;
    let Some(started) = run.started_at else { return vec![run.sentence.clone()] };
    let by = run.by.clone().unwrap_or_default();
    let started = says.time(started);
    let mut said = vec![
        says.fill(Phrase::SumStarted, &[&by, &run.runbook, &run.inventory, says.mode(run.mode), &started]),
    ];
    said.push(run.sentence.clone());
    let length = says.length(Millis(run.took_ms));
    let over = !matches!(run.standing, Standing::Running | Standing::Interrupted);
    said.push(says.fill(if over { Phrase::SumTook } else { Phrase::SumSoFar }, &[&length]));
    if let Some(tasks) = tasks(story, says) {
        said.push(tasks);
    }
    if !run.resumed.is_empty() {
        let away: u64 = run.resumed.iter().map(|resumed| resumed.away_ms).sum();
        let times = run.resumed.len().to_string();
        said.push(says.fill(Phrase::SumResumed, &[&times, &says.length(Millis(away))]));
    }
    if !story.cuts.is_empty() {
        let mut cuts: Vec<&str> = story.cuts.iter().map(|cut| cut.conduit.as_str()).collect();
        cuts.dedup();
        said.push(says.fill(Phrase::SumCuts, &[&says.list(&cuts)]));
    }
    let down = story.services.iter().filter(|service| service.stands == Some(Stands::Down));
    let down: Vec<&str> = down.map(|service| service.name.as_str()).collect();
    if !down.is_empty() {
        said.push(says.fill(Phrase::SumDown, &[&says.list(&down)]));
    }
    if !story.objectives.is_empty() {
        let met = story.objectives.iter().filter(|objective| objective.standing == Met::Met).count();
        // What was never called for was neither met nor missed.
        let all = story.objectives.iter().filter(|one| one.standing != Met::NotStarted).count().to_string();
        said.push(says.fill(Phrase::SumObjectives, &[&met.to_string(), &all]));
    }
    let people = story.waits.iter().filter(|wait| wait.what == What::People);
    let people: u64 = join(people.map(|wait| (wait.from, wait.to)).collect())
        .iter()
        .map(|(from, to)| to.since(*from).0)
        .sum();
    if people > 0 {
        said.push(says.fill(Phrase::SumPeople, &[&says.length(Millis(people))]));
    }
    let stuck: u32 = story.needs_a_person.iter().map(|group| group.tasks).sum();
    if stuck > 0 {
        said.push(says.fill(Phrase::SumStuck, &[&stuck.to_string()]));
    }
    if !story.open_questions.is_empty() {
        said.push(says.fill(Phrase::SumQuestions, &[&story.open_questions.len().to_string()]));
    }
    said
}

fn tasks(story: &Story, says: &Says) -> Option<String> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for step in &story.steps {
        for (code, count) in &step.counts {
            *counts.entry(code).or_default() += count;
        }
    }
    let parts: Vec<String> = TOLD
        .iter()
        .filter_map(|fate| Some((fate, counts.get(code(*fate))?)))
        .map(|(fate, count)| says.fill(Phrase::SumCount, &[says.fate(*fate), &count.to_string()]))
        .collect();
    (!parts.is_empty())
        .then(|| says.fill(Phrase::SumTasks, &[&story.tasks.len().to_string(), &says.list(&parts)]))
}
