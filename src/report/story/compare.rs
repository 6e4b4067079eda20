//! Two runs side by side: what took longer than it did the time before.

use super::lang::Says;
use super::told::{Phase, Step, Story};
use crate::model::{Millis, Time};
use crate::report::escape::line;
use crate::report::look::Look;
use crate::report::table::{Align, Table};
use schemars::JsonSchema;
use serde::Serialize;

/// What took how long in an earlier run, and in this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Comparison {
    /// The earlier run; `null` if it has no event.
    pub run: Option<String>,
    /// When it started.
    #[schemars(with = "Option<String>")]
    pub started_at: Option<Time>,
    /// Did both carry out the same plan?
    pub same_plan: bool,
    /// Objectives, phases and steps that either run has: what is slower now first.
    pub lengths: Vec<Compared>,
}

/// How long one thing took in both runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Compared {
    /// What it is.
    pub kind: ComparedKind,
    /// What it is called.
    pub name: String,
    /// How long it took in the earlier run, in milliseconds; `null` if it did not come to its end.
    pub then_ms: Option<u64>,
    /// How long it took in this run, in milliseconds; `null` if it did not come to its end.
    pub now_ms: Option<u64>,
    /// How much longer it takes now, in milliseconds; negative is faster. `null` if either is missing.
    pub slower_ms: Option<i64>,
}

/// What can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComparedKind {
    /// From one moment to another.
    Objective,
    /// From its first step's start to its last step's end.
    Phase,
    /// From its first task's start to its last task's end.
    Step,
}

/// Compares a run with an earlier one. Things are known by their names.
pub fn compare(now: &Story, then: &Story) -> Comparison {
    let (of_now, of_then) = (lengths(now), lengths(then));
    let find = |all: &[Length], kind, name: &str| {
        all.iter().find(|one| one.kind == kind && one.name == name).and_then(|one| one.took_ms)
    };
    let only_then = of_then.iter().filter(|one| !of_now.iter().any(|other| one.is(other)));
    let each = of_now.iter().chain(only_then).map(|one| {
        let (then_ms, now_ms) = (find(&of_then, one.kind, one.name), find(&of_now, one.kind, one.name));
        let slower_ms = then_ms.zip(now_ms).map(|(then, now)| now as i64 - then as i64);
        Compared { kind: one.kind, name: one.name.to_owned(), then_ms, now_ms, slower_ms }
    });
    let mut lengths: Vec<Compared> =
        each.filter(|one| one.then_ms.is_some() || one.now_ms.is_some()).collect();
    lengths.sort_by_key(|one| (one.kind, std::cmp::Reverse(one.slower_ms)));
    Comparison {
        run: then.run.id.clone(),
        started_at: then.run.started_at,
        same_plan: now.journal.plan == then.journal.plan,
        lengths,
    }
}

/// How long one thing took in one run.
struct Length<'a> {
    kind: ComparedKind,
    name: &'a str,
    took_ms: Option<u64>,
}

impl Length<'_> {
    fn is(&self, other: &Length<'_>) -> bool {
        self.kind == other.kind && self.name == other.name
    }
}

fn lengths(story: &Story) -> Vec<Length<'_>> {
    use super::told::Met;
    let reached = |met: Met| matches!(met, Met::Met | Met::Missed);
    let objectives = story.objectives.iter().map(|one| Length {
        kind: ComparedKind::Objective,
        name: &one.name,
        took_ms: one.took_ms.filter(|_| reached(one.standing)),
    });
    let phase_took = |phase: &Phase| Some(phase.ended_at?.since(phase.started_at?).0);
    let phases = story.phases.iter().map(|phase| Length {
        kind: ComparedKind::Phase,
        name: &phase.id,
        took_ms: phase_took(phase),
    });
    let step_took = |step: &Step| step.took_ms.filter(|_| step.ended_at.is_some());
    let steps = story.steps.iter().map(|step| Length {
        kind: ComparedKind::Step,
        name: &step.id,
        took_ms: step_took(step),
    });
    objectives.chain(phases).chain(steps).collect()
}

/// A comparison for a terminal: what is slower first.
pub fn text(compared: &Comparison, says: &Says, look: &Look) -> String {
    let mut table = Table::new([
        ("what", Align::Left),
        ("", Align::Left),
        ("then", Align::Right),
        ("this time", Align::Right),
        ("difference", Align::Right),
    ]);
    let length = |ms: Option<u64>| ms.map_or("·".to_owned(), |ms| says.length(Millis(ms)));
    for one in &compared.lengths {
        let slower = one.slower_ms.map_or("·".to_owned(), |ms| says.difference(ms));
        let kind = says.compared(one.kind).to_lowercase();
        table.row(vec![line(&one.name), kind, length(one.then_ms), length(one.now_ms), slower]);
    }
    let run = compared.run.as_deref().unwrap_or_default();
    let other = if compared.same_plan { "" } else { ", which carried out another plan" };
    format!("{}\n{}", look.bold(&format!("Compared with run {run}{other}")), table.render(look))
}
