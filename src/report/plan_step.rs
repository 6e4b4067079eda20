//! One step of the plan as people read it.

use super::escape::{line, lines};
use super::host_list::{by_number, host_list};
use super::plan_commands;
use super::plan_gates;
use super::plan_text::{Page, about, counted};
use crate::model::inventory::Reach;
use crate::model::names::{StepIx, TaskIx};
use crate::model::probe::{Expect, Probe, ProbeKind, Vantage};
use crate::model::runbook::{Backup, Fetch, TIMEOUT_DEFAULT};
use crate::plan::fill;
use crate::plan::frozen::{Plan, PlannedAction, PlannedStep, PlannedUndo, PlannedVerify};
use console::Style;
use std::collections::BTreeMap;

/// Entries of a host list that fit into two lines.
pub(super) const HOSTS_SHOWN_MAX: usize = 8;
/// Where what is said of a step begins.
pub(super) const INDENT: usize = 6;

/// A step: its name, and what there is to know about it before one says yes.
pub(super) fn step(plan: &Plan, ix: StepIx, critical: bool, commands: bool, page: &mut Page<'_>) {
    let step = &plan.steps[ix.at()];
    let look = page.look;
    let marker = if critical { "*" } else { " " };
    let title = step.title.as_deref().map(|title| format!("  {}", line(title))).unwrap_or_default();
    page.line(0, &format!("{marker}{:>3}  {}{title}", ix.0 + 1, look.bold(step.id.as_str())));
    let running: Vec<TaskIx> =
        plan.tasks_of(ix).filter(|task| plan.tasks[task.at()].left_out.is_none()).collect();
    left_out(plan, ix, running.is_empty(), page);
    if running.is_empty() {
        return;
    }
    let hosts = hosts_of(plan, &running, HOSTS_SHOWN_MAX);
    if !hosts.is_empty() {
        page.field(INDENT, "on", &hosts);
    }
    order(plan, step, page);
    if !step.severs.is_empty() {
        let cut: Vec<&str> = step.severs.iter().map(|conduit| conduit.as_str()).collect();
        let words = format!("{}: stays cut until an operator re-opens it", cut.join(", "));
        page.field(INDENT, "CUTS", &look.paint(Style::new().yellow().bold(), &words));
    }
    if !step.reconnects.is_empty() {
        let opened: Vec<&str> = step.reconnects.iter().map(|conduit| conduit.as_str()).collect();
        let words = format!("{}: open again, and cut again if this fails", opened.join(", "));
        page.field(INDENT, "OPENS", &look.paint(Style::new().yellow().bold(), &words));
    }
    if let Some(together) = step.together {
        let enough = match together.quorum {
            None => "all hosts are".to_owned(),
            Some(quorum) => format!("{quorum} of {} are", counted(running.len(), "host")),
        };
        let words =
            format!("on all hosts at one moment, when {enough} ready within {}", about(together.within));
        page.field(INDENT, "FIRES", &look.paint(Style::new().yellow().bold(), &words));
    }
    if let Some(level) = step.level {
        page.field(INDENT, "level", &level.to_string());
    }
    let texts = Texts { plan, values: &step.values, tasks: &running };
    page.field(INDENT, "does", &does(&texts, step));
    if let Some(check) = &step.check {
        page.field(
            INDENT,
            "check",
            &format!("already so, and skipped, if this ends well: {}", texts.script(check)),
        );
    }
    if let Some(snapshot) = &step.snapshot {
        page.field(INDENT, "snapshot", &format!("kept for undo: {}", texts.script(snapshot)));
    }
    for verify in &step.verify {
        let words = match verify {
            PlannedVerify::Script(script) => texts.script(script),
            PlannedVerify::Probe(one) => probe(&texts, one),
        };
        page.field(INDENT, "verify", &words);
    }
    if let Some(watch) = &step.watch {
        let misses = match watch.tolerate {
            0 => String::new(),
            misses => format!(", {} in a row tolerated", counted(misses as usize, "missed round")),
        };
        let words = format!("for {}, every {}{misses}:", about(watch.length), about(watch.every));
        page.field(INDENT, "watch", &words);
        watch.probes.iter().for_each(|one| page.field(INDENT, "", &probe(&texts, one)));
    }
    match &step.undo {
        PlannedUndo::By(script) => page.field(INDENT, "undo", &texts.script(script)),
        PlannedUndo::Impossible(why) => {
            let words = format!("IMPOSSIBLE: {}", line(why));
            page.field(INDENT, "undo", &look.paint(Style::new().yellow().bold(), &words));
        }
        PlannedUndo::NotNeeded => match step.action {
            PlannedAction::Run(_) | PlannedAction::Upload(_) | PlannedAction::Manual(_) => {
                page.field(INDENT, "undo", "not needed");
            }
            // Nobody would expect one.
            PlannedAction::Fetch(_)
            | PlannedAction::Wait(_)
            | PlannedAction::Probe(_)
            | PlannedAction::Backup(_) => {}
        },
    }
    limits(step, page);
    if commands {
        plan_commands::commands(plan, ix, &running, page);
    }
}

/// Hosts of tasks, in few words.
pub(in crate::report) fn hosts_of(plan: &Plan, tasks: &[TaskIx], entries_max: usize) -> String {
    let mut names: Vec<&str> =
        tasks.iter().filter_map(|task| plan.host_of(*task)).map(|host| host.name.as_str()).collect();
    by_number(&mut names);
    if names.is_empty() { String::new() } else { host_list(&names, entries_max) }
}

fn left_out(plan: &Plan, ix: StepIx, all: bool, page: &mut Page<'_>) {
    let mut by_reason: BTreeMap<&str, Vec<TaskIx>> = BTreeMap::new();
    for task in plan.tasks_of(ix) {
        if let Some(reason) = &plan.tasks[task.at()].left_out {
            by_reason.entry(reason).or_default().push(task);
        }
    }
    for (reason, tasks) in &by_reason {
        let hosts = hosts_of(plan, tasks, HOSTS_SHOWN_MAX);
        let words = match all && by_reason.len() == 1 || hosts.is_empty() {
            true => line(reason),
            false => format!("{hosts}: {}", line(reason)),
        };
        page.field(INDENT, "left out", &words);
    }
}

/// What comes before, who must consent, and in which waves.
fn order(plan: &Plan, step: &PlannedStep, page: &mut Page<'_>) {
    let needs: Vec<String> = step
        .needs
        .iter()
        .map(|need| {
            let id = &plan.steps[need.step.at()].id;
            if need.same_host { format!("{id} (same host)") } else { id.to_string() }
        })
        .collect();
    if !needs.is_empty() {
        page.field(INDENT, "needs", &needs.join(", "));
    }
    plan_gates::gates(plan, step, page);
    let sizes = running_in_waves(plan, step);
    if sizes.len() > 1 {
        page.field(INDENT, "waves", &format!("{} hosts, one wave after the other", waves(&sizes)));
    }
    if step.max_failures > 0 {
        page.field(INDENT, "failures", &format!("{} may fail", counted(step.max_failures as usize, "host")));
    }
}

/// How many tasks of each wave run; what is left out goes along without counting.
fn running_in_waves(plan: &Plan, step: &PlannedStep) -> Vec<u32> {
    let mut tasks = plan.tasks[step.first_task.at()..][..step.tasks as usize].iter();
    let sizes = step
        .waves
        .iter()
        .map(|size| tasks.by_ref().take(*size as usize).filter(|task| task.left_out.is_none()).count());
    sizes.map(|size| size as u32).filter(|size| *size > 0).collect()
}

/// `1, 3, 6`, or `1, 2 × 20` when the last size repeats.
fn waves(sizes: &[u32]) -> String {
    let mut entries: Vec<(u32, usize)> = Vec::new();
    for size in sizes {
        match entries.last_mut() {
            Some((last, count)) if last == size => *count += 1,
            _ => entries.push((*size, 1)),
        }
    }
    let entry = |(size, count): &(u32, usize)| {
        if *count == 1 { size.to_string() } else { format!("{count} × {size}") }
    };
    entries.iter().map(entry).collect::<Vec<_>>().join(", ")
}

/// What its scripts get, and how long and how often they may run.
fn limits(step: &PlannedStep, page: &mut Page<'_>) {
    if !step.env.is_empty() {
        page.field(INDENT, "env", &step.env.keys().map(String::as_str).collect::<Vec<_>>().join(", "));
    }
    if !step.secrets.is_empty() {
        let names: Vec<&str> = step.secrets.iter().map(|name| name.as_str()).collect();
        page.field(INDENT, "secrets", &names.join(", "));
    }
    if step.becomes == Some(true) {
        page.field(INDENT, "become", "another user, as the inventory says for each host");
    }
    if step.becomes == Some(false) {
        page.field(INDENT, "become", "nobody: runs as the login user");
    }
    if step.retry.attempts > 1 {
        let words = format!(
            "{} tries in all, {} before the second, doubling",
            step.retry.attempts,
            about(step.retry.delay)
        );
        page.field(INDENT, "retry", &words);
    }
    if let Some(guard) = &step.guard {
        let then = match guard.otherwise {
            Some(otherwise) => otherwise.word(),
            None => "hold (in a drill: revert)",
        };
        let repeat =
            guard.repeat.map(|again| format!(", confirmed every {} for {}", again.every, again.length));
        let test = if guard.self_test { ", self-test" } else { "" };
        let text = format!("within {}, otherwise {then}{}{test}", guard.within, repeat.unwrap_or_default());
        page.field(INDENT, "guard", &text);
    }
    if step.timeout != TIMEOUT_DEFAULT {
        page.field(INDENT, "timeout", &about(step.timeout));
    }
    if step.idempotent {
        page.field(INDENT, "again", "may be run again if its end is not seen");
    }
}

/// Texts with placeholders, filled where all hosts agree.
pub(in crate::report) struct Texts<'a> {
    pub plan: &'a Plan,
    /// Values on which all hosts of a step agree.
    pub values: &'a BTreeMap<String, String>,
    pub tasks: &'a [TaskIx],
}

impl Texts<'_> {
    /// The text for the first host, and a word if others differ.
    fn shown(&self, text: &str) -> String {
        let of = |task: &TaskIx| fill(text, &self.plan.tasks[task.at()].values);
        let first = self.tasks.first().map_or_else(|| text.to_owned(), of);
        if self.tasks.iter().all(|task| of(task) == first) {
            return line(&first);
        }
        let host = self.tasks.first().and_then(|task| self.plan.host_of(*task));
        match host {
            Some(host) => format!("{} (on {}; others differ)", line(&first), host.name),
            None => line(&first),
        }
    }

    /// A script of one line as it is, a longer one by its size. Values on which all hosts agree stand in it, for
    /// reading only.
    fn script(&self, script: &str) -> String {
        let mut shown = lines(script.trim_end());
        let (Some(only), 0) = (shown.next(), shown.count()) else {
            return format!("a script of {} lines", script.trim_end().lines().count());
        };
        let mut text = only;
        let of = |task: &TaskIx| &self.plan.tasks[task.at()].values;
        let first = self.tasks.first().map(of);
        let agreed = first
            .into_iter()
            .flatten()
            .filter(|(name, value)| self.tasks.iter().all(|task| of(task).get(*name) == Some(value)));
        for (name, value) in self.values.iter().chain(agreed) {
            text = text.replace(&format!("${{{name}}}"), &line(value));
        }
        text
    }
}

pub(in crate::report) fn does(texts: &Texts<'_>, step: &PlannedStep) -> String {
    match &step.action {
        PlannedAction::Run(script) => texts.script(script),
        PlannedAction::Upload(upload) => {
            let owner = upload
                .owner
                .as_ref()
                .map(|owner| format!(", owner {}", texts.shown(owner)))
                .unwrap_or_default();
            format!(
                "puts {} to {}, mode {:04o}{owner}",
                texts.shown(&upload.file),
                texts.shown(&upload.to),
                upload.mode
            )
        }
        PlannedAction::Fetch(Fetch::File { path }) => {
            format!("keeps the file {} as evidence", texts.shown(path))
        }
        PlannedAction::Fetch(Fetch::Output { script, name }) => {
            format!("keeps the output as evidence {}: {}", line(name), texts.script(script))
        }
        PlannedAction::Manual(text) => {
            format!("asks a person: {}", texts.shown(text.trim_end()).replace("\\n", " "))
        }
        PlannedAction::Wait(length) => format!("waits {}", about(*length)),
        PlannedAction::Probe(one) => probe(texts, one),
        PlannedAction::Backup(backup) => self::backup(texts, backup),
    }
}

/// `looks at the backup of /srv/backup/SHA256SUMS: taken before 2026-…, at most 24h old, signed`.
fn backup(texts: &Texts<'_>, backup: &Backup) -> String {
    let mut wants = Vec::new();
    wants.extend(backup.before.as_ref().map(|before| format!("taken before {}", texts.shown(before))));
    wants.extend(backup.max_age.map(|age| format!("at most {} old", about(age))));
    wants.extend(backup.signature.as_ref().map(|_| "signed".to_owned()));
    let wants = if wants.is_empty() { String::new() } else { format!(", {}", wants.join(", ")) };
    format!("looks at the backup that {} lists: whole{wants}", texts.shown(&backup.manifest))
}

/// `tcp 10.20.0.4:8080 (app1) is closed, seen from office-pc`.
pub(in crate::report) fn probe(texts: &Texts<'_>, probe: &Probe) -> String {
    let named = |host: &str| {
        let address = texts.shown(host);
        let known = texts.plan.hosts.iter().find(|host| match &host.reach {
            Reach::Ssh(ssh) => ssh.address == address,
            Reach::Local(_) => false,
        });
        let name = known.filter(|host| host.name.as_str() != address).map(|host| format!(" ({})", host.name));
        (address, name.unwrap_or_default())
    };
    let at = |host: &str, port: u16| {
        let (address, name) = named(host);
        let address = if address.contains(':') { format!("[{address}]") } else { address };
        (format!("{address}:{port}"), name)
    };
    let what = match (&probe.what, probe.expect) {
        (ProbeKind::Tcp { host, port }, expect) => {
            let (target, name) = at(host, *port);
            let expect = match expect {
                Expect::Open => "is open",
                Expect::Closed => "is closed",
            };
            format!("tcp {target}{name} {expect}")
        }
        (ProbeKind::Http { host, port, path, status, contains }, expect) => {
            let (target, name) = at(host, *port);
            let mut wanted = match expect {
                Expect::Open => "answers".to_owned(),
                Expect::Closed => "does not answer".to_owned(),
            };
            wanted.extend(status.map(|status| format!(" with status {status}")));
            wanted.extend(contains.as_ref().map(|text| format!(", containing `{}`", texts.shown(text))));
            format!("http {target}{}{name} {wanted}", texts.shown(path))
        }
        (ProbeKind::Icmp { host }, expect) => {
            let (target, name) = named(host);
            let expect = match expect {
                Expect::Open => "answers",
                Expect::Closed => "does not answer",
            };
            format!("icmp {target}{name} {expect}")
        }
        (ProbeKind::Dns { name: asked, server, port, record, answer, transport: _ }, expect) => {
            let (target, name) = at(server, *port);
            let mut wanted = match expect {
                Expect::Open => "answers".to_owned(),
                Expect::Closed => "does not answer".to_owned(),
            };
            wanted.extend(answer.as_ref().map(|answer| format!(" `{}`", texts.shown(answer))));
            format!("dns {target}{name} {wanted} for {} {}", record.word(), texts.shown(asked))
        }
        (ProbeKind::Command { script }, Expect::Open) => format!("this ends well: {}", texts.script(script)),
        (ProbeKind::Command { script }, Expect::Closed) => format!("this fails: {}", texts.script(script)),
    };
    let from = match &probe.from {
        None | Some(Vantage::Controller) => "the controller".to_owned(),
        Some(Vantage::Task) => "each host itself".to_owned(),
        Some(Vantage::Host(name)) => name.to_string(),
    };
    let within = if probe.within.0 > 0 { format!(", within {}", about(probe.within)) } else { String::new() };
    format!("{what}, seen from {from}{within}")
}
