//! The plan as people read it before they say yes: what will be done where, in which order, and how it is taken back.

use super::escape::line;
use super::look::Look;
use super::plan_others;
use super::plan_step;
use super::table::{Align, Table};
use crate::model::Millis;
use crate::model::names::{ConduitName, PhaseIx, StepIx};
use crate::model::runbook::{Moment, Policy};
use crate::model::secret::SecretSource;
use crate::plan::frozen::{Plan, PlannedPhase};
use crate::plan::{graph, hash};
use console::{Style, measure_text_width};
use std::collections::BTreeSet;

/// Where nobody's terminal sets a limit, lines are as long as people still read them.
const COLUMNS_DEFAULT: usize = 100;
/// Enough of a hash to tell two plans apart at a glance.
pub(super) const HASH_SHOWN: usize = 12;

/// The plan. `commands`: also the exact scripts that hosts get, secrets as `****`.
pub fn text(plan: &Plan, look: &Look, commands: bool) -> String {
    let mut page = Page::new(look);
    let critical = graph::critical_path(plan);
    head(plan, &critical, &mut page);
    for (ix, phase) in plan.phases.iter().enumerate() {
        page.blank();
        phase_line(ix, phase, &mut page);
        for step in plan.steps_of(PhaseIx(ix as u32)) {
            page.blank();
            plan_step::step(plan, step, critical.contains(&step), commands, &mut page);
        }
    }
    plan_others::services(plan, &mut page);
    objectives(plan, &mut page);
    page.out
}

fn head(plan: &Plan, critical: &[StepIx], page: &mut Page<'_>) {
    let look = page.look;
    let hash = hash(plan);
    page.line(
        0,
        &format!(
            "Plan {}  {} on {}",
            look.bold(&hash[..HASH_SHOWN]),
            look.bold(&line(&plan.runbook)),
            look.bold(&line(&plan.inventory))
        ),
    );
    if let Some(summary) = &plan.summary {
        page.wrapped(0, 0, &line(summary));
    }
    page.blank();
    let left_out = plan.tasks.iter().filter(|task| task.left_out.is_some()).count();
    let hosts: BTreeSet<_> =
        plan.tasks.iter().filter(|task| task.left_out.is_none()).filter_map(|task| task.host).collect();
    let mut size = format!(
        "{}, {}, {} on {}",
        counted(plan.phases.len(), "phase"),
        counted(plan.steps.len(), "step"),
        counted(plan.tasks.len() - left_out, "task"),
        counted(hosts.len(), "host")
    );
    if left_out > 0 {
        size.push_str(&format!("; {} left out", counted(left_out, "task")));
    }
    page.field(HEAD, "size", &size);
    plan_others::hosts(plan, page);
    let params: Vec<String> = plan
        .params
        .iter()
        .map(|(name, value)| {
            format!("{name}={}", line(&value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        })
        .collect();
    if !params.is_empty() {
        page.field(HEAD, "params", &params.join(", "));
    }
    let secrets: Vec<String> =
        plan.secrets.iter().map(|(name, source)| format!("{name} ({})", secret_source(source))).collect();
    if !secrets.is_empty() {
        page.field(HEAD, "secrets", &secrets.join(", "));
    }
    let (cuts, uncut) = graph::cuts(plan);
    if !cuts.is_empty() {
        page.field(HEAD, "cuts", &format!("{}; never re-opened by an automatic rollback", listed(&cuts)));
    }
    if !uncut.is_empty() {
        page.field(HEAD, "not cut", &format!("{}, because the steps that cut are left out", listed(&uncut)));
    }
    let total: Millis = plan.steps.iter().map(|step| step.urgency).max().unwrap_or_default();
    let path: Vec<&str> = critical.iter().map(|step| plan.steps[step.at()].id.as_str()).collect();
    page.field(
        HEAD,
        "expected",
        &format!("{}, if the steps marked * take what is estimated: {}", about(total), path.join(" → ")),
    );
}

fn phase_line(ix: usize, phase: &PlannedPhase, page: &mut Page<'_>) {
    let name = match &phase.title {
        Some(title) => format!("{}  {}", phase.id, line(title)),
        None => phase.id.to_string(),
    };
    let policy = match phase.on_failure {
        Policy::Stop => "if a step fails: stop",
        Policy::Rollback => "if a step fails: take this phase back",
        Policy::RollbackRun => "if a step fails: take the whole run back",
        Policy::Continue => "if a step fails: go on without what needs it",
        Policy::Ask => "if a step fails: ask",
    };
    let number = format!("PHASE {}", ix + 1);
    let room = page.columns().saturating_sub(measure_text_width(&number) + 2 + measure_text_width(&name) + 2);
    let look = page.look;
    if measure_text_width(policy) <= room {
        page.line(0, &format!("{}  {}  {}", look.bold(&number), look.bold(&name), look.dim(policy)));
    } else {
        page.line(0, &format!("{}  {}", look.bold(&number), look.bold(&name)));
        page.line(9, &look.dim(policy));
    }
}

/// Objectives with what the estimates promise.
fn objectives(plan: &Plan, page: &mut Page<'_>) {
    if plan.objectives.is_empty() {
        return;
    }
    page.blank();
    let mut table = Table::new([
        ("objective", Align::Left),
        ("within", Align::Right),
        ("expected", Align::Right),
        ("", Align::Left),
        ("from", Align::Left),
        ("to", Align::Left),
    ]);
    let ends = graph::ends(plan);
    for objective in &plan.objectives {
        let (from, to) = (expected_at(plan, &ends, &objective.from), expected_at(plan, &ends, &objective.to));
        let expected = from.zip(to).map(|(from, to)| Millis(to.saturating_sub(from)));
        let verdict = match expected.is_some_and(|expected| expected > objective.within) {
            true => page.look.paint(Style::new().red().bold(), "LATE"),
            false => String::new(),
        };
        table.row(vec![
            line(&objective.name),
            objective.within.to_string(),
            expected.map_or("?".to_owned(), about),
            verdict,
            moment(&objective.from),
            moment(&objective.to),
        ]);
    }
    page.out.push_str(&table.render(page.look));
}

fn moment(moment: &Moment) -> String {
    match moment {
        Moment::Start => "start".to_owned(),
        Moment::Phase(id) => format!("phase {id}"),
        Moment::Step(id) => format!("step {id}"),
        Moment::Probe(id) => format!("probe {id}"),
        Moment::ServiceUp(name) => format!("service {name} up"),
        Moment::ServiceDown(name) => format!("service {name} down"),
        Moment::Backup(id) => format!("backup {id}"),
    }
}

/// Milliseconds from the start to a moment, if every step takes what is estimated; `None` where no estimate tells.
fn expected_at(plan: &Plan, ends: &[Millis], moment: &Moment) -> Option<u64> {
    Some(match moment {
        Moment::Start => 0,
        Moment::ServiceUp(_) | Moment::ServiceDown(_) | Moment::Backup(_) => return None,
        Moment::Phase(id) => {
            let phase = plan.phase_named(id.as_str())?;
            plan.steps_of(phase).map(|step| ends[step.at()].0).max()?
        }
        Moment::Step(id) | Moment::Probe(id) => ends[plan.step_named(id.as_str())?.at()].0,
    })
}

/// An estimate, without the false promise of tenths.
pub(super) fn about(length: Millis) -> String {
    match length.0 {
        1_000..60_000 => format!("{}s", length.0.div_ceil(1000)),
        _ => length.to_string(),
    }
}

/// `1 host`, `3 hosts`.
pub(super) fn counted(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

fn listed(conduits: &[&ConduitName]) -> String {
    conduits.iter().map(|conduit| conduit.as_str()).collect::<Vec<_>>().join(", ")
}

fn secret_source(source: &SecretSource) -> String {
    match source {
        SecretSource::Env(name) => format!("environment variable {}", line(name)),
        SecretSource::File(path) => format!("file {}", line(path)),
        SecretSource::Prompt(_) => "asked for".to_owned(),
        SecretSource::Command(command) => format!("output of `{}`", line(command)),
    }
}

/// Where the fields of the head stand.
pub(super) const HEAD: usize = 2;

/// Lines that are put together.
pub(super) struct Page<'a> {
    pub(super) look: &'a Look,
    out: String,
}

impl<'a> Page<'a> {
    /// An empty page.
    pub(super) fn new(look: &'a Look) -> Self {
        Self { look, out: String::new() }
    }

    /// All lines.
    pub(super) fn done(self) -> String {
        self.out
    }

    /// Adds a table.
    pub(super) fn table(&mut self, table: &Table) {
        self.out.push_str(&table.render(self.look));
    }

    pub(super) fn columns(&self) -> usize {
        self.look.columns.unwrap_or(COLUMNS_DEFAULT)
    }

    pub(super) fn blank(&mut self) {
        self.out.push('\n');
    }

    /// A line that is not broken, however long.
    pub(super) fn line(&mut self, indent: usize, text: &str) {
        self.out.push_str(" ".repeat(indent).as_str());
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// Text broken at blanks; its first line begins at `first`, the others at `indent`.
    pub(super) fn wrapped(&mut self, first: usize, indent: usize, text: &str) {
        let (mut written, mut at) = (" ".repeat(first), first);
        let mut fresh = true;
        for word in text.split(' ') {
            let width = measure_text_width(word);
            if !fresh && at + 1 + width > self.columns() {
                self.out.push_str(written.trim_end());
                self.out.push('\n');
                (written, at, fresh) = (" ".repeat(indent), indent, true);
            }
            if !fresh {
                written.push(' ');
                at += 1;
            }
            written.push_str(word);
            at += width;
            fresh = false;
        }
        self.out.push_str(written.trim_end());
        self.out.push('\n');
    }

    /// A name and what there is to say about it, broken at blanks beneath itself.
    pub(super) fn field(&mut self, indent: usize, name: &str, text: &str) {
        let label = format!("{name:<FIELD$}");
        let begin = self.out.len();
        self.wrapped(indent + FIELD, indent + FIELD, text);
        self.out.replace_range(
            begin..begin + indent + FIELD,
            &format!("{}{}", " ".repeat(indent), self.look.dim(&label)),
        );
    }
}

/// Room for the longest name of a field and a gap.
const FIELD: usize = 10;
