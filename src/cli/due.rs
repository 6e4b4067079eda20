//! `blackstart due`: what a policy says must be rehearsed, restored or verified by when.

use crate::cli::args::{Args, Format};
use crate::cli::error::{CliError, Exit};
use crate::cli::{files, past, printer, problems};
use crate::drive::clock::Clock;
use crate::drive::tabletop;
use crate::journal::RunDir;
use crate::load::{self, Loaded};
use crate::model::event::Mode;
use crate::model::every::Every;
use crate::model::place::Sources;
use crate::model::policy::{Policy, RunbookFiles};
use crate::model::{Inventory, Problems, Runbook, Time};
use crate::plan::{self, Choices};
use crate::report::past::readiness::Today;
use crate::report::past::{Asked, Past, Readiness, due, readiness};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Show what is due by a policy, for people and for cron: exit code 25 says that something is overdue.
#[derive(Debug, clap::Args)]
pub struct Verb {
    #[command(flatten)]
    pub(super) policy: PolicyFlags,
    /// Also warn, by the same exit code, of what falls due in so long: `30 days`, `2 weeks`.
    #[arg(long, value_name = "LENGTH", value_parser = Every::parse)]
    within: Option<Every>,
    /// json: the same as an object on stdout.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What verbs that judge by a policy take.
#[derive(Debug, Clone, clap::Args)]
pub struct PolicyFlags {
    /// The policy.
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Judge as of the end of this day, or of this moment in RFC 3339, instead of now. Later runs do not count.
    #[arg(long, value_name = "DAY|MOMENT")]
    at: Option<String>,
}

/// Prints it.
pub fn carry_out(verb: &Verb, args: &Args) -> Result<Exit, CliError> {
    let Judged { told, .. } = judge(&verb.policy, verb.within, args)?;
    match verb.format {
        Format::Json => printer::json(&told)?,
        Format::Text => printer::data(&due(&told, &printer::look_of_stdout(args)))?,
    }
    Ok(if told.overdue + told.soon > 0 { Exit::Overdue } else { Exit::Completed })
}

/// What a policy comes to, and what it was judged by.
pub(super) struct Judged {
    pub(super) policy: Policy,
    pub(super) told: Readiness,
    /// The directory of each run.
    pub(super) dirs: Vec<RunDir>,
    /// All runs, oldest first.
    pub(super) runs: Vec<Past>,
}

/// Reads the policy, the runbooks that it names and all runs, and judges.
pub(super) fn judge(flags: &PolicyFlags, within: Option<Every>, args: &Args) -> Result<Judged, CliError> {
    let Read { policy, today, files } = read(&flags.policy)?;
    let zone = TimeZone::system();
    let at = moment(flags.at.as_deref(), policy.zone.as_ref().unwrap_or(&zone))?;
    let mut runs = past::read_all(args)?;
    compare(&mut runs, &policy, &files);
    let (dirs, runs): (Vec<RunDir>, Vec<Past>) = runs.into_iter().unzip();
    let (at, is_now) = at.map_or_else(|| (Clock::start(Time(0)).now(), true), |at| (at, false));
    let asked = Asked { policy: &policy, runs: &runs, today, at, is_now, zone, within };
    let told = readiness(asked);
    Ok(Judged { policy, told, dirs, runs })
}

/// Notes of each run whether the runbook's files still make its plan, chosen and filled in as it was. What was chosen
/// stands outside of the plan's hash; a plan of the same hash is the same plan, whoever wrote there what.
fn compare(runs: &mut [(RunDir, Past)], policy: &Policy, files: &Files) {
    let mut seen: BTreeMap<(String, String, bool), Option<String>> = BTreeMap::new();
    for (dir, past) in runs {
        let Ok(shown) = &mut past.shown else { continue };
        let Some((runbook, inventory)) = files.get(&shown.runbook) else { continue };
        let Some(named) = policy.runbooks.iter().find(|one| one.name.value == shown.runbook) else {
            continue;
        };
        let chosen = dir.origin().map_or_else(|_| own(named), |origin| origin.choices);
        let at_a_table = shown.mode == Some(Mode::Tabletop);
        let key = (shown.runbook.clone(), format!("{chosen:?}"), at_a_table);
        let hash = seen.entry(key).or_insert_with(|| {
            let plan = plan::compile(inventory, runbook, &chosen, &files::uploads(&named.runbook));
            plan.ok().map(|(mut plan, _)| {
                if at_a_table {
                    tabletop::as_at_a_table(&mut plan);
                }
                plan::hash(&plan)
            })
        });
        shown.plan_of_today = Some(hash.as_ref() == Some(&shown.journal.plan));
    }
}

fn own(files: &RunbookFiles) -> Choices {
    Choices { params: files.params.clone(), ..Choices::default() }
}

/// The moment that is asked about; `None` is now.
fn moment(at: Option<&str>, zone: &TimeZone) -> Result<Option<Time>, CliError> {
    let Some(text) = at else { return Ok(None) };
    let end_of = |day: Date| {
        let end = day.tomorrow().ok()?.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond();
        u64::try_from(end).ok()?.checked_sub(1).map(Time)
    };
    let read = Time::parse(text).or_else(|| end_of(text.parse().ok()?));
    read.map(Some).ok_or_else(|| {
        CliError::usage(format!("`--at {text}` is neither a day nor a moment"))
            .hint("write `--at 2026-04-01`, or a moment such as `2026-04-01T12:00:00Z`")
    })
}

/// Runbooks that could be read, with their inventories, by name.
type Files = BTreeMap<String, (Runbook, Inventory)>;

/// A policy, and what became of the files that it names.
struct Read {
    policy: Policy,
    today: BTreeMap<String, Today>,
    files: Files,
}

/// Every problem of the policy at once. A runbook that makes no plan today is told, and stops nothing.
fn read(path: &Path) -> Result<Read, CliError> {
    let mut sources = Sources::default();
    let Loaded { value, mut problems } = load::policy(&mut sources, path);
    let Some(policy) = value else { return Err(CliError::Problems(problems, sources)) };
    let (mut both_read, mut today) = (Files::new(), BTreeMap::new());
    for files in &policy.runbooks {
        let name = files.name.value.clone();
        let plan = compiled(files).map(|(plan, both)| {
            both_read.insert(name.clone(), both);
            plan
        });
        let (plan, because) = match plan {
            Ok(plan) => (Some(plan), None),
            Err(because) => (None, Some(because)),
        };
        today.insert(name, Today { plan, because });
    }
    problems.extend(load::named_by_policy(&policy, &both_read));
    if problems.any_error() {
        return Err(CliError::Problems(problems, sources));
    }
    if !problems.0.is_empty() {
        problems::print(&problems, &sources);
    }
    Ok(Read { policy, today, files: both_read })
}

/// The hash of the plan that the files of a runbook make today, and what was read; or why there is none.
fn compiled(files: &RunbookFiles) -> Result<(String, (Runbook, Inventory)), String> {
    let mut sources = Sources::default();
    let first = |problems: Problems| {
        let all = problems.in_file_order().0;
        let more = if all.len() > 1 { format!(" (and {} more)", all.len() - 1) } else { String::new() };
        all.first().map_or_else(String::new, |problem| format!("{}{more}", problem.what))
    };
    let runbook = load::runbook(&mut sources, &files.runbook);
    let runbook = runbook.value.ok_or_else(|| first(runbook.problems))?;
    let inventory = load::inventory(&mut sources, &files.inventory);
    let inventory = inventory.value.ok_or_else(|| first(inventory.problems))?;
    if runbook.name != files.name.value {
        return Err(format!("{} is of a runbook called `{}`", files.runbook.display(), runbook.name));
    }
    let together = load::together(&inventory, &runbook);
    if together.any_error() {
        return Err(first(together));
    }
    let (plan, _) =
        plan::compile(&inventory, &runbook, &own(files), &files::uploads(&files.runbook)).map_err(first)?;
    Ok((plan::hash(&plan), (runbook, inventory)))
}
