//! The end of a run in one screen: what it came to, what failed and why, what a person must look at, and the
//! next command to type.

use super::asking;
use super::availability;
use super::commands;
use super::escape::line;
use super::facts::{FailureFacts, HostFacts, RunFacts};
use super::fired;
use super::guarded::GuardFacts;
use super::look::Look;
use super::narrate::last_lines;
use super::proof;
use super::restored;
use super::scored;
use super::table::{Align, Table};
use super::tails::Tails;
use super::timeline::Timeline;
use super::words::{self, CONTROLLER, so_many};
use crate::engine::{RunState, Status};
use crate::model::Millis;
use crate::model::event::{Facts, Job, Mode, Scope, StopReason, Verdict};
use crate::model::names::{HostName, TaskIx};
use crate::plan::Plan;
use console::Style;
use std::collections::BTreeMap;

/// Hosts that have a row of their own; when there are more, those with equal counts share one.
const HOST_ROWS_MAX: usize = 12;
/// Entries of a list of trouble that a person reads at one go.
const ENTRIES_MAX: usize = 20;
/// Host names listed before the rest is a number.
const NAMES_MAX: usize = 5;
/// Lines of a failed job's output.
const PRINTED_MAX: usize = 8;

/// The recap as text.
pub fn recap(timeline: &Timeline, tails: &Tails, look: &Look) -> String {
    let (state, facts) = (&timeline.state, RunFacts::told(timeline));
    let mut text = format!("{}\n{}\n", headline(state, &facts, look), about(state, &facts, look));
    let mut section = |title: &str, body: String| {
        if !body.is_empty() {
            text.push_str(&format!("\n{}\n{body}", look.bold(title)));
        }
    };
    section("Hosts", hosts(&facts, look));
    section("Failed", failures(state.plan(), &facts, tails, look));
    section("Did not run", not_run(&facts));
    section("Left out by the plan", left_out(&facts));
    section("Needs a person", stuck(state.plan(), &facts, tails, look));
    section("Open questions", questions(state));
    section("Cuts in place", cuts(&facts));
    section("Guards", guards(state.plan(), &facts));
    section("Accepted risks", risks(&facts));
    section("Started at one moment", fired::section(&facts.fired));
    section("Proof", proof::section(facts.proof.as_ref(), look));
    section("Services", availability::section(&facts.services, look));
    section("Objectives", scored::section(&facts.objectives, look));
    section("Restoration", restored::section(facts.restoration.as_ref(), look));
    section("Next", next(state, &facts, look));
    text
}

/// The recap as data: [`RunFacts`] as JSON.
pub fn recap_json(timeline: &Timeline) -> serde_json::Value {
    serde_json::to_value(RunFacts::told(timeline)).expect("facts have only texts, numbers and lists in them")
}

/// Every guard that was armed, and how it ended; those that ended well as a number once there are many.
fn guards(plan: &Plan, facts: &RunFacts) -> String {
    let entry = |guard: &&GuardFacts| format!("  {}: {}\n", plan.task_name(guard.task), guard.said);
    let (well, other): (Vec<_>, Vec<_>) = facts.guards.iter().partition(|guard| guard.well);
    let mut text: String = other.iter().take(ENTRIES_MAX).map(entry).collect();
    if other.len() > ENTRIES_MAX {
        text += &format!("  and {} more that were not confirmed\n", other.len() - ENTRIES_MAX);
    }
    match well.len() {
        0 => text,
        few if few <= NAMES_MAX => text + &well.iter().map(entry).collect::<String>(),
        many => text + &format!("  {many} confirmed and disarmed\n"),
    }
}

fn headline(state: &RunState, facts: &RunFacts, look: &Look) -> String {
    let style = match state.status() {
        Status::Ended(Verdict::Completed) => Style::new().green().bold(),
        Status::Ended(Verdict::Stuck) => Style::new().red().bold(),
        Status::Ended(Verdict::Stopped { .. } | Verdict::Refused { .. } | Verdict::RolledBack)
        | Status::New
        | Status::Running
        | Status::RollingBack { .. } => Style::new().yellow().bold(),
    };
    look.paint(style, &facts.sentence)
}

fn about(state: &RunState, facts: &RunFacts, look: &Look) -> String {
    let mut parts = vec![
        format!("run {}", look.run),
        format!("{} on {}", line(&facts.runbook), line(&facts.inventory)),
        words::mode(state.mode()).to_owned(),
    ];
    parts.extend(facts.started_at.map(|started| format!("started {}", look.date_and_time(started))));
    if let (Some(started), Some(ended)) = (facts.started_at, facts.ended_at) {
        parts.push(format!("took {}", ended.since(started)));
    }
    parts.join(" · ")
}

fn hosts(facts: &RunFacts, look: &Look) -> String {
    let any = |count: fn(&HostFacts) -> u32| facts.hosts.iter().any(|host| count(host) > 0);
    let (any_left_out, any_open) = (any(|host| host.left_out), any(|host| host.open));
    let mut heads = vec![("host", Align::Left)];
    heads.extend(["done", "already so", "failed", "not run"].map(|head| (head, Align::Right)));
    heads.extend(any_left_out.then_some(("left out", Align::Right)));
    heads.extend(any_open.then_some(("open", Align::Right)));
    heads.extend(["undone", "stuck", "time"].map(|head| (head, Align::Right)));
    let mut table = Table::new(heads);
    for (name, host) in host_rows(facts) {
        let bad = Style::new().red().bold();
        let mut row = vec![name, count(host.done), count(host.already_so)];
        let trouble =
            |number| if number > 0 { look.paint(bad.clone(), &count(number)) } else { count(number) };
        row.push(trouble(host.failed));
        row.push(count(host.not_run));
        row.extend(any_left_out.then(|| count(host.left_out)));
        row.extend(any_open.then(|| count(host.open)));
        row.extend([count(host.undone), trouble(host.stuck), time(host.time_ms)]);
        table.row(row);
    }
    table.render(look)
}

/// One row a host; when there are too many, one row for all hosts with equal counts, trouble first.
fn host_rows(facts: &RunFacts) -> Vec<(String, HostFacts)> {
    let name = |host: &HostFacts| host.host.as_ref().map_or(CONTROLLER.to_owned(), HostName::to_string);
    if facts.hosts.len() <= HOST_ROWS_MAX {
        return facts.hosts.iter().map(|host| (name(host), host.clone())).collect();
    }
    let mut groups: BTreeMap<_, Vec<&HostFacts>> = BTreeMap::new();
    for host in &facts.hosts {
        let trouble = (host.stuck, host.failed, host.not_run, host.open);
        let rest = (host.undone, host.done, host.already_so, host.left_out);
        groups.entry(std::cmp::Reverse((trouble, rest))).or_default().push(host);
    }
    let row = |hosts: Vec<&HostFacts>| {
        let names: Vec<String> = hosts.iter().map(|host| name(host)).collect();
        let time_ms = hosts.iter().map(|host| host.time_ms).max().unwrap_or(0);
        let label = match names.len() {
            1 => names[0].clone(),
            count => format!("{count} hosts: {}", list(&names, 2)),
        };
        (label, HostFacts { time_ms, ..hosts[0].clone() })
    };
    groups.into_values().map(row).collect()
}

fn failures(plan: &Plan, facts: &RunFacts, tails: &Tails, look: &Look) -> String {
    let mut text = String::new();
    for failure in facts.failures.iter().take(ENTRIES_MAX) {
        let on = match failure.hosts.as_slice() {
            [] => String::new(),
            hosts => format!(" on {}", some_hosts(hosts)),
        };
        let sentence = look.paint(Style::new().red(), &failure.why);
        text.push_str(&format!("  {}{on}: {sentence}\n", failure.step));
        text.push_str(&printed(plan, first_with_tail(failure, tails), tails, look));
    }
    text + &and_more(facts.failures.len())
}

fn first_with_tail(failure: &FailureFacts, tails: &Tails) -> Option<TaskIx> {
    let has_tail = |task: &&TaskIx| tails.of_task(**task).is_some_and(|(_, facts)| !facts.tail.is_empty());
    failure.tasks.iter().find(has_tail).or(failure.tasks.first()).copied()
}

/// The last lines that a failed job of a task printed, and where all of it is.
fn printed(plan: &Plan, task: Option<TaskIx>, tails: &Tails, look: &Look) -> String {
    let Some((task, (job, facts))) = task.and_then(|task| Some((task, tails.of_task(task)?))) else {
        return String::new();
    };
    let place = words::place(plan, task);
    let mut text = String::new();
    for printed in last_lines(&facts.tail, PRINTED_MAX) {
        text.push_str(&format!("      {} {printed}\n", look.dim(&format!("{place} |"))));
    }
    if let Some(file) = output_file(plan, job, facts, look) {
        text.push_str(&format!("      {} {file}\n", look.dim("all of it:")));
    }
    text
}

/// Where all that a job printed is, on stderr if it used that.
fn output_file(plan: &Plan, job: Job, facts: &Facts, look: &Look) -> Option<String> {
    let end = match (facts.stderr_bytes, facts.stdout_bytes) {
        (0, 0) => return None,
        (0, _) => "out",
        (_, _) => "err",
    };
    let dir = (!look.directory.is_empty()).then_some(&look.directory)?;
    let step = &plan.step_of(job.task).id;
    Some(format!("{dir}/out/{}-{step}/{}-{}.{end}", job.task.0, job.kind, job.attempt))
}

fn not_run(facts: &RunFacts) -> String {
    let rows: Vec<_> = facts.not_run.iter().filter(|row| !row.left_out).collect();
    let lines = rows
        .iter()
        .take(ENTRIES_MAX)
        .map(|row| format!("  {} ({}): {}\n", row.step, so_many(row.tasks as usize, "task"), row.why));
    lines.collect::<String>() + &and_more(rows.len())
}

/// What the plan left out is known since before the run: a line a reason is enough.
fn left_out(facts: &RunFacts) -> String {
    let mut reasons: BTreeMap<&str, u32> = BTreeMap::new();
    for row in facts.not_run.iter().filter(|row| row.left_out) {
        *reasons.entry(&row.why).or_default() += row.tasks;
    }
    let lines = reasons
        .iter()
        .take(ENTRIES_MAX)
        .map(|(why, tasks)| format!("  {}: {why}\n", so_many(*tasks as usize, "task")));
    lines.collect::<String>() + &and_more(reasons.len())
}

fn stuck(plan: &Plan, facts: &RunFacts, tails: &Tails, look: &Look) -> String {
    let mut text = String::new();
    for stuck in facts.needs_a_person.iter().take(ENTRIES_MAX) {
        let why = look.paint(Style::new().red().bold(), &stuck.why);
        text.push_str(&format!("  {}: {why}\n", plan.task_name(stuck.task)));
        text.push_str(&printed(plan, Some(stuck.task), tails, look));
        if let Some(command) = plan.tasks[stuck.task.at()].host.and_then(|host| commands::ssh(plan, host)) {
            text.push_str(&format!("      {} {command}\n", look.dim("look:")));
        }
    }
    text + &and_more(facts.needs_a_person.len())
}

fn questions(state: &RunState) -> String {
    let mut text = String::new();
    for question in state.questions().take(ENTRIES_MAX) {
        text.push_str(&format!("  {}\n", asking::sentence(state, question)));
    }
    let total = state.questions().count();
    text + &and_more(total)
}

fn cuts(facts: &RunFacts) -> String {
    let lines = facts.cuts.iter().map(|cut| {
        let on = match cut.hosts.as_slice() {
            [] => String::new(),
            hosts => format!(" on {}", some_hosts(hosts)),
        };
        let doubt = if cut.certain { "" } else { "; NOT CERTAIN, some of it did not end well" };
        format!("  {}: cut by `{}`{on}{doubt}\n", cut.conduit, cut.step)
    });
    lines.collect()
}

fn risks(facts: &RunFacts) -> String {
    let risks = facts.accepted_risks.iter();
    risks
        .map(|risk| format!("  {}: {} ({})\n", line(&risk.what), line(&risk.because), line(&risk.by)))
        .collect()
}

/// The commands that make sense, the likeliest first, each with what it does.
fn next(state: &RunState, facts: &RunFacts, look: &Look) -> String {
    let plan = state.plan();
    let mut steps: Vec<(String, &str)> = Vec::new();
    if state.mode() == Mode::Tabletop {
        steps.push((look.show(), "tells how it went"));
        steps.push((look.command("report", ""), "writes the report"));
        return commands_with_words(&steps, look);
    }
    for question in state.questions().take(ENTRIES_MAX) {
        let first = question.choices().next();
        steps.extend(first.map(|choice| (look.answer(plan, question, choice), asking::choice_says(choice))));
    }
    let resume = |says| (look.resume(), says);
    let rollback = (look.rollback(plan, Scope::Run), "takes back what was done; cuts stay");
    let reopen = (look.reopen(), "also re-opens what is cut");
    let show = (look.show(), "tells how it went");
    match state.status() {
        Status::Ended(Verdict::Completed) => {
            if facts.restoration.as_ref().is_some_and(|told| !told.restored) {
                steps.push((look.reopen(), "takes the drill back, and re-opens what it cut"));
            }
            steps.push((
                look.verify(),
                "checks the journal and prints its head, to be written down elsewhere",
            ));
            steps.push(show);
        }
        Status::Ended(Verdict::Stopped {
            because: StopReason::StepFailed { .. } | StopReason::FailuresLeft,
        }) => {
            steps.extend([resume("tries the failed tasks again and goes on"), rollback]);
        }
        Status::Ended(Verdict::Stopped { because: StopReason::Operator { .. } }) => {
            steps.extend([resume("goes on"), rollback]);
        }
        Status::Ended(Verdict::Stopped { because: StopReason::WaitingForPeople }) => {
            // A run that is over asks nobody any more: the command lists what it waited for.
            if state.questions().next().is_none() {
                steps.push((look.approve(), "lists what the run waits for, and how to answer"));
            }
            steps.push(resume("goes on with the answers"));
        }
        Status::Ended(Verdict::Refused { .. }) => steps.extend([resume("asks again"), rollback]),
        Status::Ended(Verdict::RolledBack) => {
            steps.push(show);
            steps.extend((!facts.cuts.is_empty()).then_some(reopen));
        }
        Status::Ended(Verdict::Stuck) => {
            if !facts.needs_a_person.is_empty() {
                steps.push((look.rollback(plan, Scope::Run), "tries again what could not be taken back"));
                steps.push((look.abandon(), "says that you dealt with it by hand"));
            }
            steps.extend((!facts.cuts.is_empty()).then_some(reopen));
            steps.push(show);
        }
        Status::New | Status::Running | Status::RollingBack { .. } => steps.push(resume("goes on")),
    }
    commands_with_words(&steps, look)
}

fn commands_with_words(steps: &[(String, &str)], look: &Look) -> String {
    let width = steps.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0);
    let longest = steps.iter().map(|(_, says)| says.chars().count()).max().unwrap_or(0);
    let beside = look.columns.is_none_or(|columns| 2 + width + 3 + longest <= columns);
    let lines = steps.iter().map(|(command, says)| {
        let gap = " ".repeat(width - command.chars().count());
        match beside {
            true => format!("  {}{gap}   {says}\n", look.bold(command)),
            // A command that is broken cannot be typed.
            false => format!("  {}\n      {says}\n", look.bold(command)),
        }
    });
    lines.collect()
}

/// A number; a dot for none, so that trouble stands out.
fn count(number: u32) -> String {
    match number {
        0 => "·".to_owned(),
        number => number.to_string(),
    }
}

fn time(ms: u64) -> String {
    match ms {
        0 => "·".to_owned(),
        ms => Millis(ms).to_string(),
    }
}

/// `web-01, web-02 and 38 more`.
pub fn list(names: &[String], max: usize) -> String {
    match names.len().saturating_sub(max) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..max].join(", ")),
    }
}

/// `web-01`, `3 hosts (web-01, web-02, web-03)`, `40 hosts (web-01, … and 35 more)`.
fn some_hosts(hosts: &[HostName]) -> String {
    let names: Vec<String> = hosts.iter().map(HostName::to_string).collect();
    match names.as_slice() {
        [one] => one.clone(),
        names => format!("{} ({})", so_many(names.len(), "host"), list(names, NAMES_MAX)),
    }
}

fn and_more(total: usize) -> String {
    match total.saturating_sub(ENTRIES_MAX) {
        0 => String::new(),
        more => format!("  … and {more} more\n"),
    }
}
