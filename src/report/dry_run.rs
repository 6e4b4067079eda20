//! What a dry run found out, and what it could not: nothing was changed, and nothing is promised.

use super::escape::line;
use super::guarded::GuardToArm;
use super::look::Look;
use super::plan_step::{Texts, probe};
use super::plan_text::Page;
use super::proof::is_way_back;
use super::recap::list;
use super::words::{self, CONTROLLER, so_many};
use crate::model::event::{Before, Seen};
use crate::model::names::{HostIx, StepIx, TaskIx};
use crate::plan::Plan;
use crate::plan::frozen::PlannedAction;
use console::Style;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a dry run found out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DryRun {
    /// Each task that the plan does not leave out, in plan order.
    pub rows: Vec<DryRow>,
    /// What was looked at on each host before anything else, in host order.
    pub preflights: Vec<DryHost>,
    /// What probes saw, each with the task that it belongs to.
    pub probes: Vec<(TaskIx, Seen)>,
}

/// What is known about one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryRow {
    /// The task.
    pub task: TaskIx,
    /// What would become of it.
    pub would: Would,
    /// Why this is believed, or why it cannot be known.
    pub why: String,
}

/// What would become of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Would {
    /// It would run.
    Run,
    /// `check` says that it is so already.
    AlreadySo,
    /// Nothing can tell beforehand.
    CannotKnow,
    /// It would run and fail, as things are.
    Fail,
}

/// What was looked at on a host: in words, and the trouble if there was any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryHost {
    /// The host; `None` is the controller.
    pub host: Option<HostIx>,
    /// What was looked at, and the trouble if there was any.
    pub checks: Vec<(String, Result<String, String>)>,
}

/// Host names listed before the rest is a number.
const NAMES_MAX: usize = 5;

impl Would {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Would::Run => "would run",
            Would::AlreadySo => "already so",
            Would::CannotKnow => "cannot know",
            Would::Fail => "WOULD FAIL",
        }
    }
}

impl DryRun {
    /// How many tasks it could judge, and how many there are.
    pub fn coverage(&self) -> (usize, usize) {
        let known = self.rows.iter().filter(|row| row.would != Would::CannotKnow).count();
        (known, self.rows.len())
    }
    /// The guards of what a run would change, or might.
    fn guards(&self, plan: &Plan) -> Vec<GuardToArm> {
        let changing = self.rows.iter().filter(|row| row.would != Would::AlreadySo);
        changing.filter_map(|row| GuardToArm::of(plan, row.task)).collect()
    }
    /// Tasks that would fail, as things are.
    pub fn failing(&self) -> usize {
        self.rows.iter().filter(|row| row.would == Would::Fail).count()
    }
    /// Hosts with trouble.
    pub fn hosts_in_trouble(&self) -> usize {
        let trouble = |host: &&DryHost| host.checks.iter().any(|(_, found)| found.is_err());
        self.preflights.iter().filter(trouble).map(|host| host.host).collect::<BTreeSet<_>>().len()
    }
    /// Probes that saw something else than expected. Before a cut, most of them do.
    pub fn probes_disagreeing(&self) -> usize {
        self.probes.iter().filter(|(_, seen)| !seen.agrees).count()
    }
}

/// The findings as text: hosts, tasks step by step, probes, and how much of the plan could be judged.
pub fn dry_run(plan: &Plan, dry: &DryRun, look: &Look) -> String {
    let mut text = String::new();
    let mut section = |title: &str, body: String| {
        if !body.is_empty() {
            text.push_str(&format!("{}\n{body}\n", look.bold(title)));
        }
    };
    section("Hosts", preflights(plan, dry, look));
    section("Tasks", rows(plan, dry, look));
    section("Guards that would be armed, and are not", guards(plan, dry, look));
    section("Probes, as things are", probes(plan, dry, look));
    put(&mut text, look, 0, &look.bold(&coverage(dry)));
    text
}

fn preflights(plan: &Plan, dry: &DryRun, look: &Look) -> String {
    let mut fine = Vec::new();
    let mut text = String::new();
    for host in &dry.preflights {
        let name = host_name(plan, host.host);
        let trouble: Vec<_> =
            host.checks.iter().filter_map(|(what, found)| Some((what, found.as_ref().err()?))).collect();
        if trouble.is_empty() {
            fine.push(name);
            continue;
        }
        for (what, why) in trouble {
            let word = look.paint(Style::new().red().bold(), "TROUBLE");
            put(&mut text, look, 4, &format!("  ✗ {name}: {word} with {}: {}", line(what), line(why)));
        }
    }
    if !fine.is_empty() {
        let sign = look.paint(Style::new().green(), "✓");
        // What one host is asked for another is not: commands that its steps want.
        let mut what: Vec<String> = Vec::new();
        for (one, _) in dry.preflights.iter().flat_map(|host| &host.checks) {
            if !what.contains(&line(one)) {
                what.push(line(one));
            }
        }
        let checks = if what.is_empty() { String::new() } else { format!(" ({})", what.join(", ")) };
        fine.dedup();
        let hosts = format!("{} ready{checks}: {}", so_many(fine.len(), "host"), list(&fine, NAMES_MAX));
        put(&mut text, look, 4, &format!("  {sign} {hosts}"));
    }
    text
}

/// A line for each step, verdict and reason; hosts with the same share it.
fn rows(plan: &Plan, dry: &DryRun, look: &Look) -> String {
    let mut groups: BTreeMap<(StepIx, Would, &str), Vec<String>> = BTreeMap::new();
    for row in &dry.rows {
        let step = plan.tasks[row.task.at()].step;
        let name = words::place(plan, row.task).to_owned();
        groups.entry((step, row.would, &row.why)).or_default().push(name);
    }
    let width = groups.keys().map(|(step, _, _)| plan.steps[step.at()].id.as_str().len()).max().unwrap_or(0);
    let mut text = String::new();
    let mut phase_before = None;
    for ((step, would, why), hosts) in groups {
        let planned = &plan.steps[step.at()];
        if phase_before.replace(planned.phase) != Some(planned.phase) {
            text.push_str(&format!(
                "  {}\n",
                look.dim(&format!("phase {}", plan.phases[planned.phase.at()].id))
            ));
        }
        let style = match would {
            Would::Run => Style::new(),
            Would::AlreadySo => Style::new().green(),
            Would::CannotKnow => Style::new().yellow(),
            Would::Fail => Style::new().red().bold(),
        };
        let verdict = look.paint(style, &format!("{:<11}", would.words()));
        let on = match hosts.as_slice() {
            [one] => one.clone(),
            hosts => format!("{} ({})", so_many(hosts.len(), "host"), list(hosts, NAMES_MAX)),
        };
        let said = match &planned.action {
            // Where a probe starts is in its own words, and it is not where its step is.
            PlannedAction::Probe(one) if would == Would::Run => {
                let tasks: Vec<TaskIx> = plan.tasks_of(step).collect();
                probe(&Texts { plan, values: &planned.values, tasks: &tasks }, one)
            }
            _ if why.is_empty() => on,
            _ => format!("{on}: {}", line(why)),
        };
        let begin = format!("    {:<width$}  ", planned.id.as_str());
        put(&mut text, look, begin.len(), &format!("{begin}{verdict}  {said}"));
    }
    text
}

/// A line for each step whose change would be guarded.
fn guards(plan: &Plan, dry: &DryRun, look: &Look) -> String {
    let mut groups: BTreeMap<(StepIx, String), Vec<String>> = BTreeMap::new();
    for guard in dry.guards(plan) {
        let step = plan.tasks[guard.task.at()].step;
        groups.entry((step, guard.said)).or_default().push(words::place(plan, guard.task).to_owned());
    }
    let mut text = String::new();
    for ((step, said), hosts) in groups {
        let hosts = list(&hosts, NAMES_MAX);
        put(&mut text, look, 4, &format!("  {} on {hosts}: {said}", plan.steps[step.at()].id));
    }
    text
}

fn probes(plan: &Plan, dry: &DryRun, look: &Look) -> String {
    let mut text = String::new();
    // The same look for several steps is one line.
    let mut said: Vec<(&Seen, Vec<&str>)> = Vec::new();
    for (task, seen) in &dry.probes {
        let step = plan.step_of(*task).id.as_str();
        match said.iter_mut().find(|(other, _)| *other == seen) {
            Some((_, steps)) if steps.contains(&step) => {}
            Some((_, steps)) => steps.push(step),
            None => said.push((seen, vec![step])),
        }
    }
    for (seen, steps) in said {
        let sign = match seen.agrees {
            true => look.paint(Style::new().green(), "✓"),
            false => look.paint(Style::new().yellow(), "!"),
        };
        let (what, expected, saw) = (line(&seen.what), line(&seen.expected), line(&seen.seen));
        let before = seen.before.filter(|_| !is_way_back(plan));
        let wanted = match (before.and_then(in_the_run), seen.agrees) {
            (Some(worth), _) => format!("; {worth}"),
            (None, true) => String::new(),
            (None, false) => {
                let steps: Vec<String> = steps.iter().map(|step| format!("`{step}`")).collect();
                format!(", wanted {expected} after {}", steps.join(", "))
            }
        };
        put(&mut text, look, 4, &format!("  {sign} {what}: {saw}{wanted}"));
    }
    if is_way_back(plan) { text } else { text + &baseline(dry) }
}

/// Adds a line, broken at blanks where a terminal is narrower. What goes on begins at `indent`.
fn put(text: &mut String, look: &Look, indent: usize, line: &str) {
    if look.columns.is_none() {
        text.push_str(&format!("{line}\n"));
        return;
    }
    let mut page = Page::new(look);
    page.wrapped(0, indent, line);
    text.push_str(&page.done());
}

/// What the silence of a negative probe will be worth after the cut, if that is to be said.
fn in_the_run(before: Before) -> Option<&'static str> {
    match before {
        Before::Open => None,
        Before::CutAlready => Some("its cut is in place already"),
        Before::NotOpen => Some("is not open before the cut, so its silence WILL PROVE NOTHING"),
        Before::NotLooked => Some("is not seen before the cut, so its silence WILL PROVE NOTHING"),
    }
}

/// The look that a run makes before its first cut, in one line.
fn baseline(dry: &DryRun) -> String {
    let of = |which: fn(&Before) -> bool| {
        dry.probes.iter().filter(|(_, seen)| seen.before.as_ref().is_some_and(which)).count()
    };
    match (of(|_| true), of(|before| *before == Before::Open)) {
        (0, _) => String::new(),
        (all, open) => format!("  before the first cut: {open} of {} open\n", so_many(all, "negative probe")),
    }
}

fn coverage(dry: &DryRun) -> String {
    let (known, total) = dry.coverage();
    let percent = (known * 100).checked_div(total).unwrap_or(100);
    let mut trouble = match dry.hosts_in_trouble() {
        0 => String::new(),
        count => format!(" {} in trouble.", so_many(count, "host")),
    };
    if dry.failing() > 0 {
        trouble += &format!(" {} WOULD FAIL.", so_many(dry.failing(), "task"));
    }
    format!(
        "Nothing was changed. {known} of {} could be judged ({percent} %); the rest shows only when it runs.{trouble}",
        so_many(total, "task")
    )
}

/// The findings as data.
pub fn dry_run_json(plan: &Plan, dry: &DryRun) -> Value {
    let (known, total) = dry.coverage();
    let tasks: Vec<Value> = dry
        .rows
        .iter()
        .map(|row| {
            let would = match row.would {
                Would::Run => "would_run",
                Would::AlreadySo => "already_so",
                Would::CannotKnow => "cannot_know",
                Would::Fail => "would_fail",
            };
            let step = plan.step_of(row.task);
            let phase = &plan.phases[step.phase.at()].id;
            let host = plan.host_of(row.task).map(|host| &host.name);
            json!({ "phase": phase, "step": step.id, "host": host, "would": would, "why": row.why })
        })
        .collect();
    let hosts: Vec<Value> = dry
        .preflights
        .iter()
        .map(|host| {
            let checks: Vec<Value> = host
                .checks
                .iter()
                .map(|(what, found)| match found {
                    Ok(detail) => json!({ "what": what, "fine": true, "detail": detail }),
                    Err(why) => json!({ "what": what, "fine": false, "detail": why }),
                })
                .collect();
            json!({ "host": host.host.map(|host| &plan.hosts[host.at()].name), "checks": checks })
        })
        .collect();
    let probes: Vec<Value> = dry
        .probes
        .iter()
        .map(|(task, seen)| {
            let step = plan.step_of(*task);
            let host = plan.host_of(*task).map(|host| &host.name);
            json!({ "step": step.id, "host": host, "what": seen.what, "expected": seen.expected,
                    "seen": seen.seen, "agrees": seen.agrees, "before": seen.before })
        })
        .collect();
    json!({ "changed": false, "judged": known, "total": total, "tasks": tasks, "hosts": hosts, "probes": probes,
            "guards": dry.guards(plan) })
}

fn host_name(plan: &Plan, host: Option<HostIx>) -> String {
    host.map_or(CONTROLLER.to_owned(), |host| plan.hosts[host.at()].name.to_string())
}
