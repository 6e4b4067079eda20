//! The report as JUnit XML, for machines that count tests: a suite for each phase, a case for each task, and a suite of
//! the objectives. A failure stays a failure, tolerated or not.

use super::lang::Says;
use super::phrase::Phrase;
use super::sentences::code;
use super::told::{Fate, Met, Phase, Story, Task};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// The report as JUnit XML.
pub fn junit(story: &Story, says: &Says) -> String {
    let phase_of: BTreeMap<&str, &str> =
        story.steps.iter().map(|step| (step.id.as_str(), step.phase.as_str())).collect();
    let tolerated: BTreeMap<&str, bool> =
        story.steps.iter().map(|step| (step.id.as_str(), step.fate == Fate::Tolerated)).collect();
    let mut cases: BTreeMap<&str, Vec<&Task>> = BTreeMap::new();
    for task in &story.tasks {
        cases.entry(phase_of.get(task.step.as_str()).copied().unwrap_or_default()).or_default().push(task);
    }
    let all = Counts::of(story.tasks.iter().map(|task| verdict(task.fate)));
    let missed = story
        .objectives
        .iter()
        .filter(|one| !matches!(one.standing, Met::Met | Met::Open | Met::NotStarted))
        .count();
    let suites = html! {
        testsuites name={ (story.run.runbook) " on " (story.run.inventory) }
            tests=(all.tests + story.objectives.len())
            failures=(all.failures + missed) errors=(all.errors) skipped=(all.skipped)
            time=(seconds(story.run.took_ms)) {
            @for phase in &story.phases {
                (suite(story, phase, cases.get(phase.id.as_str()).map_or(&[], Vec::as_slice), &tolerated, says))
            }
            @if !story.objectives.is_empty() { (objectives(story, says)) }
        }
    };
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", lines(&suites.into_string()))
}

/// What a counter of tests makes of a task.
#[derive(Clone, Copy, PartialEq)]
enum Case {
    Passed,
    Failed,
    Error,
    Skipped,
}

fn verdict(fate: Fate) -> Case {
    match fate {
        Fate::Done | Fate::AlreadySo | Fate::Tolerated => Case::Passed,
        Fate::Failed | Fate::Stuck => Case::Failed,
        Fate::Unseen => Case::Error,
        Fate::TakenBack | Fate::NotRun | Fate::LeftOut | Fate::Waiting | Fate::UnderWay => Case::Skipped,
    }
}

#[derive(Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Counts {
    fn of(cases: impl Iterator<Item = Case>) -> Self {
        let mut counts = Counts::default();
        for case in cases {
            counts.tests += 1;
            counts.failures += usize::from(case == Case::Failed);
            counts.errors += usize::from(case == Case::Error);
            counts.skipped += usize::from(case == Case::Skipped);
        }
        counts
    }
}

fn suite(
    story: &Story,
    phase: &Phase,
    tasks: &[&Task],
    tolerated: &BTreeMap<&str, bool>,
    says: &Says,
) -> Markup {
    let counts = Counts::of(tasks.iter().map(|task| verdict(task.fate)));
    let took = phase.started_at.zip(phase.ended_at.or(story.run.told_until));
    html! {
        testsuite name=(phase.id) tests=(counts.tests) failures=(counts.failures) errors=(counts.errors)
            skipped=(counts.skipped) time=(seconds(took.map_or(0, |(from, to)| to.since(from).0)))
            timestamp=[phase.started_at.map(|at| at.to_string())] {
            @for task in tasks {
                (case(phase, task, tolerated.get(task.step.as_str()) == Some(&true), says))
            }
        }
    }
}

fn case(phase: &Phase, task: &Task, tolerated: bool, says: &Says) -> Markup {
    let name = match &task.host {
        Some(host) => format!("{}@{host}", task.step),
        None => task.step.clone(),
    };
    let took = task.started_at.zip(task.ended_at).map_or(0, |(from, to)| to.since(from).0);
    let why = task.undo.as_ref().filter(|_| matches!(task.fate, Fate::Stuck | Fate::TakenBack));
    let why = why.unwrap_or(&task.sentence);
    let kind = if tolerated { says.say(Phrase::FateTolerated) } else { code(task.fate) };
    let printed = task.printed.join("\n");
    html! {
        testcase classname=(phase.id) name=(name) time=(seconds(took)) {
            @match verdict(task.fate) {
                Case::Passed => {},
                Case::Failed => { failure message=(why) type=(kind) { (printed) } },
                Case::Error => { error message=(why) type=(kind) { (printed) } },
                Case::Skipped => { skipped message=(why) {} },
            }
        }
    }
}

fn objectives(story: &Story, says: &Says) -> Markup {
    let missed = story
        .objectives
        .iter()
        .filter(|one| !matches!(one.standing, Met::Met | Met::Open | Met::NotStarted))
        .count();
    let open =
        story.objectives.iter().filter(|one| matches!(one.standing, Met::Open | Met::NotStarted)).count();
    html! {
        testsuite name=(says.say(Phrase::Objectives)) tests=(story.objectives.len()) failures=(missed) errors="0"
            skipped=(open) {
            @for objective in &story.objectives {
                testcase classname="objectives" name=(objective.name) time=(seconds(objective.took_ms.unwrap_or(0))) {
                    @match objective.standing {
                        Met::Met => {},
                        Met::Open | Met::NotStarted => { skipped message=(says.met(objective.standing)) {} },
                        Met::Missed | Met::NotReached => {
                            failure message=(says.met(objective.standing)) type="objective" {}
                        },
                    }
                }
            }
        }
    }
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// One element a line, for people who read what machines should.
fn lines(xml: &str) -> String {
    xml.replace("><test", ">\n<test").replace("></test", ">\n</test")
}
