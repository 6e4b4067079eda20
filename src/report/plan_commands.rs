//! The exact scripts that hosts get: the text once, and for each host what differs.

use super::escape::{line, lines};
use super::plan_step::hosts_of;
use super::plan_text::Page;
use crate::model::names::{StepIx, TaskIx};
use crate::model::probe::ProbeKind;
use crate::model::runbook::Fetch;
use crate::plan::frozen::{Plan, PlannedAction, PlannedUndo, PlannedVerify};
use crate::plan::{assignment, render_script};
use std::collections::BTreeMap;

/// Where commands begin.
const INDENT: usize = 6;

/// All scripts of a step, for the tasks that run.
pub(super) fn commands(plan: &Plan, step: StepIx, tasks: &[TaskIx], page: &mut Page<'_>) {
    for (label, text) in scripts(plan, step) {
        page.blank();
        command(plan, &label, text, tasks, page);
    }
}

/// The scripts of a step with their names, in the order in which they are run.
pub(in crate::report) fn scripts(plan: &Plan, step: StepIx) -> Vec<(String, &str)> {
    let step = &plan.steps[step.at()];
    let mut scripts: Vec<(String, &str)> = Vec::new();
    scripts.extend(step.check.as_deref().map(|text| ("check".to_owned(), text)));
    scripts.extend(step.snapshot.as_deref().map(|text| ("snapshot".to_owned(), text)));
    match &step.action {
        PlannedAction::Run(text) => scripts.push(("run".to_owned(), text)),
        PlannedAction::Fetch(Fetch::Output { script, .. }) => scripts.push(("fetch".to_owned(), script)),
        PlannedAction::Probe(probe) => {
            scripts.extend(probe_script(&probe.what).map(|text| ("probe".to_owned(), text)))
        }
        PlannedAction::Upload(_)
        | PlannedAction::Fetch(Fetch::File { .. })
        | PlannedAction::Manual(_)
        | PlannedAction::Wait(_)
        | PlannedAction::Backup(_) => {}
    }
    for (ix, verify) in step.verify.iter().enumerate() {
        let text = match verify {
            PlannedVerify::Script(text) => Some(text.as_str()),
            PlannedVerify::Probe(probe) => probe_script(&probe.what),
        };
        scripts.extend(text.map(|text| (format!("verify[{}]", ix + 1), text)));
    }
    if let PlannedUndo::By(text) = &step.undo {
        scripts.push(("undo".to_owned(), text));
    }
    scripts
}

fn probe_script(what: &ProbeKind) -> Option<&str> {
    match what {
        ProbeKind::Command { script } => Some(script),
        ProbeKind::Tcp { .. } | ProbeKind::Http { .. } | ProbeKind::Icmp { .. } | ProbeKind::Dns { .. } => {
            None
        }
    }
}

/// A script for some of its hosts: whole for those that come first, then for the others what they have instead.
pub(in crate::report) struct Piece {
    pub tasks: Vec<TaskIx>,
    /// Is it the same as the first but for the values in `lines`?
    pub same_but: bool,
    pub lines: Vec<String>,
}

/// A script as its hosts get it.
pub(in crate::report) fn pieces(plan: &Plan, text: &str, tasks: &[TaskIx]) -> Vec<Piece> {
    let used = used_values(plan, text, tasks[0]);
    let mut groups: BTreeMap<Vec<&str>, Vec<TaskIx>> = BTreeMap::new();
    for task in tasks {
        let values = &plan.tasks[task.at()].values;
        let differing = used.iter().map(|name| values.get(*name).map_or("", String::as_str)).collect();
        groups.entry(differing).or_default().push(*task);
    }
    let mut groups: Vec<(Vec<&str>, Vec<TaskIx>)> = groups.into_iter().collect();
    groups.sort_by_key(|(_, tasks)| tasks[0]);
    let first = groups[0].0.clone();
    let piece = |(ix, (values, group)): (usize, (Vec<&str>, Vec<TaskIx>))| {
        let changed = used.iter().zip(&values).zip(&first).filter(|((_, value), first)| value != first);
        let shown = match ix {
            0 => lines(render_script(plan, tasks[0], text, &|_| None).trim_end_matches('\n')).collect(),
            _ => changed.map(|((name, value), _)| line(&assignment(name, value))).collect(),
        };
        Piece { tasks: group, same_but: ix > 0, lines: shown }
    };
    groups.into_iter().enumerate().map(piece).collect()
}

/// One script, piece by piece.
fn command(plan: &Plan, label: &str, text: &str, tasks: &[TaskIx], page: &mut Page<'_>) {
    for piece in pieces(plan, text, tasks) {
        let hosts = hosts_of(plan, &piece.tasks, usize::MAX);
        let on = if hosts.is_empty() { String::new() } else { format!(" on {hosts}") };
        match piece.same_but {
            false => page.wrapped(INDENT, INDENT + 2, &format!("{label}{on}:")),
            true => page.wrapped(INDENT, INDENT + 2, &format!("{label}{on}: the same, but with")),
        }
        for shown in piece.lines {
            page.line(INDENT, &format!("│ {shown}"));
        }
    }
}

/// The variables of a task that a script or its environment uses.
fn used_values<'a>(plan: &'a Plan, text: &str, task: TaskIx) -> Vec<&'a str> {
    let env = &plan.step_of(task).env;
    let used = |name: &str| {
        let reference = format!("${{{name}}}");
        text.contains(&reference) || env.values().any(|value| value.contains(&reference))
    };
    plan.tasks[task.at()].values.keys().map(String::as_str).filter(|name| used(name)).collect()
}
