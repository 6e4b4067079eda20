//! A draft of the first report of an incident (第一報): what the record tells is filled in, what a tool cannot know is
//! left blank. The lines are those that Japanese forms for information-sharing ask for.

use super::lang::Says;
use super::phrase::Phrase;
use super::told::{Fate, Standing, Story};
use crate::report::host_list::{by_number, host_list};
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
        (Phrase::FirstSubject, says.fill(Phrase::FirstSubjectIs, &[&story.run.inventory])),
        (Phrase::FirstOccurred, blank()),
        (Phrase::FirstDetected, blank()),
        (Phrase::FirstKind, boxes(Phrase::FirstKindBoxes)),
        (Phrase::FirstCause, boxes(Phrase::FirstCauseBoxes)),
        (Phrase::FirstOutline, says.paragraph(&story.summary)),
        (Phrase::FirstSystems, systems(story)),
        (Phrase::FirstImpact, blank()),
        (Phrase::FirstLeak, boxes(Phrase::FirstLeakBoxes)),
        (Phrase::FirstSpread, blank()),
        (Phrase::FirstMeasures, measures(story, says)),
        (Phrase::FirstState, story.run.sentence.clone()),
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

/// Hosts on which something was done.
fn systems(story: &Story) -> String {
    let touched = story.tasks.iter().filter(|task| task.started_at.is_some());
    let names: BTreeSet<&str> = touched.filter_map(|task| task.host.as_deref()).collect();
    let mut names: Vec<&str> = names.into_iter().collect();
    by_number(&mut names);
    if names.is_empty() { String::new() } else { host_list(&names, ENTRIES_MAX) }
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
