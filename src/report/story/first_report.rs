//! A draft of the first report of an incident (第一報): what the record tells is filled in, what a tool cannot know is
//! left blank. The lines are those that Japanese forms for information-sharing ask for.

use super::lang::Says;
use super::phrase::Phrase;
use super::told::{Fate, Standing, Story};
use crate::model::Millis;
use crate::model::event::{Mode, Stands};
use crate::report::host_list::by_number;
use std::collections::BTreeSet;

/// Entries of a list before the rest is counted.
const ENTRIES_MAX: usize = 8;

/// Label and text of each line; an empty text is a blank to be filled in by hand.
pub(super) fn lines(story: &Story, says: &Says) -> Vec<(&'static str, String)> {
    let blank = String::new;
    let boxes = |phrase| says.say(phrase).to_owned();
    let evidence = match story.evidence.len() {
        0 => blank(),
        count => says.fill(Phrase::FirstEvidenceIs, &[&count.to_string()]),
    };
    [
        (Phrase::FirstDivision, boxes(Phrase::FirstDivisionIs)),
        (Phrase::FirstAt, blank()),
        (Phrase::FirstFrom, blank()),
        (Phrase::FirstTo, blank()),
        (Phrase::FirstSubject, subject(story, says)),
        (Phrase::FirstOccurred, blank()),
        (Phrase::FirstDetected, blank()),
        (Phrase::FirstKind, boxes(Phrase::FirstKindBoxes)),
        (Phrase::FirstCause, boxes(Phrase::FirstCauseBoxes)),
        (Phrase::FirstOutline, says.paragraph(&story.summary)),
        (Phrase::FirstSystems, systems(story, says)),
        (Phrase::FirstImpact, impact(story, says)),
        (Phrase::FirstLeak, boxes(Phrase::FirstLeakBoxes)),
        (Phrase::FirstSpread, blank()),
        (Phrase::FirstMeasures, measures(story, says)),
        (Phrase::FirstState, state(story, says)),
        (Phrase::FirstEvidence, evidence),
        (Phrase::FirstOthers, boxes(Phrase::FirstOthersBoxes)),
        (Phrase::FirstPublic, blank()),
        (Phrase::FirstNext, next(story, says)),
        (Phrase::FirstNextReport, blank()),
        (Phrase::FirstSharing, boxes(Phrase::FirstSharingBoxes)),
    ]
    .map(|(label, text)| (says.say(label), text))
    .into()
}

/// Nobody must take the report of an exercise for one of an incident.
fn subject(story: &Story, says: &Says) -> String {
    let subject = says.fill(Phrase::FirstSubjectIs, &[&story.run.inventory]);
    match story.run.mode {
        Mode::Live => subject,
        Mode::Drill | Mode::Tabletop => says.fill(Phrase::FirstDrill, &[&subject]),
    }
}

/// Services that were seen down, for how long, and how they stood at the last look.
fn impact(story: &Story, says: &Says) -> String {
    let down = story.services.iter().filter(|service| service.down_ms > 0);
    let said = down.map(|one| {
        let length = says.length(Millis(one.down_ms));
        let down = says.fill(Phrase::FirstDown, &[&one.name, &length]);
        format!("{down} {}", says.stands(one.stands))
    });
    says.list(&said.collect::<Vec<_>>())
}

/// Where the run stands, what is cut now, and what was down at the last look.
fn state(story: &Story, says: &Says) -> String {
    let cuts: BTreeSet<&str> = story.cuts.iter().map(|cut| cut.conduit.as_str()).collect();
    let down = story.services.iter().filter(|service| service.stands == Some(Stands::Down));
    let down: Vec<&str> = down.map(|service| service.name.as_str()).collect();
    let mut said = vec![story.run.sentence.clone()];
    if !cuts.is_empty() {
        said.push(says.fill(Phrase::SumCuts, &[&says.list(&cuts.into_iter().collect::<Vec<_>>())]));
    }
    if !down.is_empty() {
        said.push(says.fill(Phrase::SumDown, &[&says.list(&down)]));
    }
    says.paragraph(&said)
}

/// Hosts on which something was done.
fn systems(story: &Story, says: &Says) -> String {
    let touched = story.tasks.iter().filter(|task| task.started_at.is_some());
    let names: BTreeSet<&str> = touched.filter_map(|task| task.host.as_deref()).collect();
    let mut names: Vec<&str> = names.into_iter().collect();
    by_number(&mut names);
    if names.is_empty() { String::new() } else { says.hosts(&names, ENTRIES_MAX) }
}

/// Cuts with their time, then phases with what became of them.
fn measures(story: &Story, says: &Says) -> String {
    let cuts = story.cuts.iter().map(|cut| {
        let at = cut.at.map(|at| says.letter_time(at)).unwrap_or_default();
        says.fill(Phrase::FirstMeasureCut, &[&cut.conduit, &at])
    });
    let begun = story.phases.iter().filter(|phase| phase.started_at.is_some());
    let phases = begun.map(|phase| {
        let name = phase.title.as_deref().unwrap_or(&phase.id);
        says.fill(Phrase::FirstMeasurePhase, &[name, says.fate(phase.fate)])
    });
    says.list(&cuts.chain(phases).collect::<Vec<_>>())
}

/// Steps that are not over, if the run is to go on.
fn next(story: &Story, says: &Says) -> String {
    let goes_on = !matches!(story.run.standing, Standing::Completed | Standing::RolledBack);
    let open =
        story.steps.iter().filter(|step| matches!(step.fate, Fate::Waiting | Fate::UnderWay | Fate::Stuck));
    let mut names: Vec<&str> = open.map(|step| step.title.as_deref().unwrap_or(&step.id)).collect();
    names.truncate(ENTRIES_MAX);
    match goes_on && !names.is_empty() {
        true => says.fill(Phrase::FirstNextIs, &[&says.list(&names)]),
        false => String::new(),
    }
}
