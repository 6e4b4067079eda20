//! What runs show of each control: line by line, each with the evidence that it rests on.

use super::audit::{RunTold, duty_anchor, items_anchor, run_anchor};
use super::readiness::{Due, DutyTold, ItemsTold, Kind, Readiness};
use crate::model::controls::{Ask, CONTROLS, Control};
use crate::model::event::Mode;
use crate::model::every::Every;
use crate::model::policy::Policy;
use crate::report::escape::line;
use crate::report::story::told::Met;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeSet;

/// A control, and what is shown of it.
#[derive(Debug, Clone, Serialize)]
pub struct ControlTold {
    /// What it is called.
    pub id: String,
    /// The framework it belongs to.
    pub framework: String,
    /// What it asks for, in words of our own; of the policy's own controls, in its words.
    pub asks: String,
    /// Does it come from the policy?
    pub own: bool,
    /// All lines together.
    pub standing: Standing,
    /// What was looked for, and what was found.
    pub lines: Vec<Line>,
}

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// All that was looked for.
    Satisfied,
    /// Some of it, or by somebody's word alone.
    Partly,
    /// Nothing.
    NotShown,
}

/// Something that was looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// How much of it is shown.
    pub standing: Standing,
    /// What was found.
    pub said: String,
    /// The anchor of the evidence.
    pub see: Option<String>,
}

impl Line {
    fn new(standing: Standing, said: impl Into<String>, see: Option<String>) -> Self {
        Self { standing, said: said.into(), see }
    }
    fn nothing(said: impl Into<String>) -> Self {
        Self::new(Standing::NotShown, said, None)
    }
}

/// Every control that is known, and those of the policy.
pub(super) fn controls(policy: &Policy, readiness: &Readiness, runs: &[RunTold]) -> Vec<ControlTold> {
    let found = Found { policy, readiness, runs };
    let own = policy.controls.iter().map(|own| {
        let lines = found.named(&own.id.value, &[]);
        let lines = match lines.is_empty() {
            true => vec![Line::nothing("no duty of the policy names it")],
            false => lines,
        };
        told(line(&own.id.value), line(&own.framework), line(&own.asks), true, lines)
    });
    let known = CONTROLS.iter().map(|control| {
        let asked = control.shown_by.iter().flat_map(|ask| found.ask(control, *ask));
        let lines = asked.chain(found.named(control.id, control.shown_by)).collect();
        let (id, framework) = (control.id.to_owned(), control.framework.to_owned());
        told(id, framework, control.asks.to_owned(), false, lines)
    });
    own.chain(known).collect()
}

fn told(id: String, framework: String, asks: String, own: bool, lines: Vec<Line>) -> ControlTold {
    let all = |standing: Standing| lines.iter().all(|line| line.standing == standing);
    let standing = match () {
        () if all(Standing::NotShown) => Standing::NotShown,
        () if all(Standing::Satisfied) => Standing::Satisfied,
        () => Standing::Partly,
    };
    ControlTold { id, framework, asks, own, standing, lines }
}

/// What there is to look for evidence in.
struct Found<'a> {
    policy: &'a Policy,
    readiness: &'a Readiness,
    runs: &'a [RunTold],
}

impl Found<'_> {
    fn ask(&self, control: &Control, ask: Ask) -> Vec<Line> {
        match ask {
            Ask::Rehearsed => self.duties(control, "a rehearsal", |duty| duty.kind == Kind::Rehearse),
            Ask::Exercised => self.duties(control, "a rehearsal on real hosts", is_exercise),
            Ask::Restored => self.duties(control, "a restoration", |duty| duty.kind == Kind::Restore),
            Ask::Verified => self.duties(control, "a verification", |duty| duty.kind == Kind::Verify),
            Ask::Improved => match self.speaks_of_items(control.id) {
                true => self.items(control.every),
                false => vec![Line::nothing("the policy does not ask for after-action items to be closed")],
            },
            Ask::Objectives => self.of_each_runbook(objectives),
            Ask::Isolated => self.isolated(),
            Ask::Records => vec![self.records()],
            Ask::Evidence => vec![self.evidence()],
            Ask::Decisions => self.of_each_runbook(decisions),
        }
    }

    /// Duties that speak to a control: those that name it, and those that name none and are of the kind.
    fn duties(&self, control: &Control, kind: &str, is: impl Fn(&DutyTold) -> bool) -> Vec<Line> {
        let speaks =
            |duty: &DutyTold| duty.control.is_empty() || duty.control.iter().any(|id| id == control.id);
        let all = self.readiness.duties.iter().enumerate();
        let of_kind = all.filter(|(_, duty)| speaks(duty) && is(duty));
        let lines: Vec<Line> = of_kind.map(|(at, duty)| self.duty(at, duty, control.every)).collect();
        match lines.is_empty() {
            true => vec![Line::nothing(format!("no duty of the policy asks for {kind}"))],
            false => lines,
        }
    }

    /// Duties and items that name a control although it is not known to ask for such things.
    fn named(&self, id: &str, asked: &[Ask]) -> Vec<Line> {
        let covered = |duty: &DutyTold| match duty.kind {
            Kind::Rehearse => {
                asked.contains(&Ask::Rehearsed) || asked.contains(&Ask::Exercised) && is_exercise(duty)
            }
            Kind::Restore => asked.contains(&Ask::Restored),
            Kind::Verify => asked.contains(&Ask::Verified),
        };
        let names = |duty: &DutyTold| duty.control.iter().any(|named| named == id);
        let all = self.readiness.duties.iter().enumerate();
        let own = all.filter(|(_, duty)| names(duty) && !covered(duty));
        let mut lines: Vec<Line> = own.map(|(at, duty)| self.duty(at, duty, None)).collect();
        let items =
            self.policy.improve.as_ref().is_some_and(|all| all.control.iter().any(|one| one.value == id));
        if items && !asked.contains(&Ask::Improved) {
            lines.extend(self.items(None));
        }
        lines
    }

    fn duty(&self, at: usize, duty: &DutyTold, allowed: Option<Every>) -> Line {
        let see = Some(duty_anchor(at));
        let Some(last) = &duty.last else {
            let due = match (duty.standing, duty.due_on) {
                (Due::InTime | Due::Soon, Some(due)) => format!("not done yet, due on {due}"),
                _ => "never done".to_owned(),
            };
            return Line::new(Standing::NotShown, format!("{}: {due}", duty.what), see);
        };
        let done = format!("{}: done on {} by run {}", duty.what, last.day, last.short);
        if duty.standing.is_over() {
            let due = duty.due_on.map_or_else(String::new, |due| format!(", and due again on {due}"));
            return Line::new(Standing::NotShown, format!("{done}{due}: overdue"), see);
        }
        if let Some(allowed) = allowed
            && allowed.after(last.day).is_some_and(|end| end < self.readiness.day)
        {
            let said = format!("{done}: longer ago than the {allowed} that the control allows");
            return Line::new(Standing::NotShown, said, see);
        }
        match last.plan_of_today {
            Some(false) => Line::new(
                Standing::Partly,
                format!("{done}, of another plan than the runbook's files make today"),
                see,
            ),
            Some(true) | None => Line::new(Standing::Satisfied, done, see),
        }
    }

    fn speaks_of_items(&self, id: &str) -> bool {
        let improve = self.policy.improve.as_ref();
        improve.is_some_and(|all| all.control.is_empty() || all.control.iter().any(|one| one.value == id))
    }

    /// No run shows that items are closed, so that somebody's word is never all that is asked for.
    fn items(&self, allowed: Option<Every>) -> Vec<Line> {
        if self.runs.iter().all(|run| run.ended_at.is_none()) {
            return vec![Line::nothing("no run has ended, so that nothing was learnt")];
        }
        let items = self.readiness.improve.iter();
        let lines: Vec<Line> = items.map(|one| self.items_of(one, allowed)).collect();
        match lines.is_empty() {
            true => vec![Line::new(
                Standing::Satisfied,
                "no run has after-action items",
                Some("items".to_owned()),
            )],
            false => lines,
        }
    }

    /// By the shorter of what the policy and what the control allows.
    fn items_of(&self, one: &ItemsTold, allowed: Option<Every>) -> Line {
        let due = allowed.and_then(|allowed| allowed.after(one.day)).into_iter().chain(one.due_on).min();
        let in_time = |day: Date| due.is_none_or(|due| day <= due);
        let (standing, said) = match &one.closed {
            Some(closed) if in_time(closed.on) => (
                Standing::Partly,
                format!("closed on {}, by the word of {}; no run shows that", closed.on, closed.by),
            ),
            Some(closed) => (
                Standing::NotShown,
                format!("closed too late, on {}, by the word of {}", closed.on, closed.by),
            ),
            None if in_time(self.readiness.day) => {
                let due = due.map_or_else(String::new, |due| format!(", to be closed by {due}"));
                (Standing::Partly, format!("open{due}"))
            }
            None => (Standing::NotShown, "overdue: nobody says they are closed".to_owned()),
        };
        let count = one.items.len();
        let plural = if count == 1 { "" } else { "s" };
        let from = format!("{count} after-action item{plural} of run {} ({})", one.short, one.runbook);
        Line::new(standing, format!("{from}: {said}"), Some(items_anchor(&one.run)))
    }

    /// The newest run on real hosts of each runbook that the policy has rehearsed.
    fn of_each_runbook(&self, say: impl Fn(&RunTold) -> Line) -> Vec<Line> {
        let rehearsed = self.readiness.duties.iter().filter(|duty| duty.kind == Kind::Rehearse);
        let names: BTreeSet<&str> = rehearsed.filter_map(|duty| duty.runbook.as_deref()).collect();
        if names.is_empty() {
            return vec![Line::nothing("the policy has no runbook rehearsed")];
        }
        let newest = |name: &str| {
            let of = self.runs.iter().filter(|run| run.runbook == name && run.ended_at.is_some());
            of.filter(|run| run.mode != Some(Mode::Tabletop)).max_by_key(|run| run.ended_at)
        };
        let line = |name: &str| match newest(name) {
            None => Line::nothing(format!("{name}: no run on real hosts has ended")),
            Some(run) => say(run),
        };
        names.into_iter().map(line).collect()
    }

    fn isolated(&self) -> Vec<Line> {
        let real = self.runs.iter().filter(|run| run.mode != Some(Mode::Tabletop));
        let with_cuts: Vec<&RunTold> = real.filter(|run| !run.cuts.is_empty()).collect();
        let mut names: BTreeSet<&str> = BTreeSet::new();
        // Runs are newest first.
        let newest = with_cuts.into_iter().filter(|run| names.insert(&run.runbook));
        let lines: Vec<Line> = newest.map(cuts).collect();
        match lines.is_empty() {
            true => vec![Line::nothing("no run on real hosts has cut anything")],
            false => lines,
        }
    }

    fn records(&self) -> Line {
        let (whole, broken) = (self.runs.len(), self.readiness.broken.len());
        let chains = |number: usize| match number {
            1 => "the chain of 1 journal is whole".to_owned(),
            many => format!("the chains of {many} journals are whole"),
        };
        let see = Some("records".to_owned());
        match (whole, broken) {
            (0, 0) => Line::nothing("there is no run"),
            (0, _) => Line::new(Standing::NotShown, "no journal is whole", Some("broken".to_owned())),
            (whole, 0) => Line::new(Standing::Satisfied, chains(whole), see),
            (whole, 1) => {
                Line::new(Standing::Partly, format!("{}; 1 directory shows nothing", chains(whole)), see)
            }
            (whole, many) => Line::new(
                Standing::Partly,
                format!("{}; {many} directories show nothing", chains(whole)),
                see,
            ),
        }
    }

    fn evidence(&self) -> Line {
        let files = || self.runs.iter().flat_map(|run| &run.evidence);
        let (all, whole) = (files().count(), files().filter(|file| file.whole).count());
        let see = Some("evidence".to_owned());
        match all {
            0 => Line::nothing("no run has fetched a file of evidence"),
            all if whole == all => {
                Line::new(Standing::Satisfied, format!("all {all} files of evidence are as they came"), see)
            }
            all if whole == 0 => {
                Line::new(Standing::NotShown, format!("none of {all} files of evidence is as it came"), see)
            }
            all => Line::new(
                Standing::Partly,
                format!("{whole} of {all} files of evidence are as they came"),
                see,
            ),
        }
    }
}

fn is_exercise(duty: &DutyTold) -> bool {
    duty.kind == Kind::Rehearse && duty.mode != Some(Mode::Tabletop)
}

fn objectives(run: &RunTold) -> Line {
    let count = |wanted: &[Met]| run.objectives.iter().filter(|one| wanted.contains(&one.standing)).count();
    let (met, missed) = (count(&[Met::Met]), count(&[Met::Missed, Met::NotReached]));
    let who = format!("{}, run {}", run.runbook, run.short);
    let see = Some(run_anchor(&run.run));
    match (met, missed) {
        (0, 0) => Line::new(Standing::NotShown, format!("{who}: no objective was called for"), see),
        (0, missed) => {
            Line::new(Standing::NotShown, format!("{who}: {missed} of {missed} objectives missed"), see)
        }
        (met, 0) => Line::new(Standing::Satisfied, format!("{who}: {met} of {met} objectives met"), see),
        (met, missed) => {
            Line::new(Standing::Partly, format!("{who}: {met} of {} objectives met", met + missed), see)
        }
    }
}

/// That a person started it is on record always; that people were asked and answered is more.
fn decisions(run: &RunTold) -> Line {
    let who: BTreeSet<&str> = run.decisions.iter().map(|one| one.by.as_str()).collect();
    let who = who.into_iter().collect::<Vec<_>>().join(", ");
    let (count, see) = (run.decisions.len(), Some(run_anchor(&run.run)));
    let signed = if run.signed > 0 { format!(", {} approvals signed", run.signed) } else { String::new() };
    let plural = if count == 1 { "" } else { "s" };
    let said =
        format!("{}, run {}: {count} decision{plural} on record, by {who}{signed}", run.runbook, run.short);
    let standing = if count > 1 { Standing::Satisfied } else { Standing::Partly };
    Line::new(standing, said, see)
}

fn cuts(run: &RunTold) -> Line {
    let proved = run.cuts.iter().filter(|cut| cut.proved).count();
    let all = run.cuts.len();
    let said = format!("{}, run {}: {all} conduits cut, {proved} proved by a probe", run.runbook, run.short);
    let standing = if proved == all { Standing::Satisfied } else { Standing::Partly };
    Line::new(standing, said, Some(run_anchor(&run.run)))
}
