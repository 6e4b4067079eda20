//! An audit: what whole journals show of what controls ask for. It claims nothing that no run shows, and what is only
//! somebody's word is called so. Its JSON is described in docs/REPORT.md: keys may be added; those that are here keep their
//! meaning while `v` is 1.

use super::control::{self, ControlTold};
use super::due::CLOCKS_APART_MAX;
use super::readiness::Readiness;
use super::run::{Past, Severed, Shown};
use crate::model::Time;
use crate::model::event::Mode;
use crate::model::policy::Policy;
use crate::report::escape::line;
use crate::report::story::ledger::{BackupTold, Decision, EvidenceTold, Journal};
use crate::report::story::told::Objective;
use serde::Serialize;
use std::collections::BTreeMap;

/// The version of this format.
pub const AUDIT_VERSION: u32 = 1;

/// An audit by a policy.
#[derive(Debug, Clone, Serialize)]
pub struct Audit {
    /// The version of this format.
    pub v: u32,
    /// The version of blackstart that made it.
    pub told_by: String,
    /// Where the runs are.
    pub state_dir: String,
    /// Controls, and what of them is shown.
    pub controls: Vec<ControlTold>,
    /// What is overdue, was never done, is broken or altered.
    pub gaps: Vec<Gap>,
    /// Duties and after-action items.
    pub readiness: Readiness,
    /// Runs whose journal is whole, newest first.
    pub runs: Vec<RunTold>,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// What.
    pub what: String,
    /// The anchor of its evidence.
    pub see: String,
}

/// A run whose journal is whole.
#[derive(Debug, Clone, Serialize)]
pub struct RunTold {
    /// Its id.
    pub run: String,
    /// The same as short as it may be typed.
    #[serde(skip)]
    pub short: String,
    /// Its runbook.
    pub runbook: String,
    /// Its inventory.
    pub inventory: String,
    /// Exercise or real.
    pub mode: Option<Mode>,
    /// Where it stands.
    pub state: String,
    /// Did every step come through?
    pub came_through: bool,
    /// Why it was not all of its runbook, if it was not.
    pub narrowed: Option<String>,
    /// When it started.
    pub started_at: Option<Time>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// How its objectives stand.
    pub objectives: Vec<Objective>,
    /// Was it of the plan that the runbook's files make today?
    pub plan_of_today: Option<bool>,
    /// Plan hash, head and number of records: the chain is whole.
    pub journal: Journal,
    /// Approvals that are signed; every signature holds.
    pub signed: u32,
    /// Conduits that were cut.
    pub cuts: Vec<Severed>,
    /// Backups that were found whole.
    pub backups: Vec<BackupTold>,
    /// Files of evidence, and whether they are as they were when they came.
    pub evidence: Vec<EvidenceChecked>,
    /// What people decided.
    pub decisions: Vec<Decision>,
}

/// A file of evidence.
#[derive(Debug, Clone, Serialize)]
pub struct EvidenceChecked {
    /// The file.
    #[serde(flatten)]
    pub file: EvidenceTold,
    /// Is it as it was when it came?
    pub whole: bool,
    /// What is wrong with it.
    pub because: Option<String>,
}

/// What an audit is made from.
#[derive(Debug)]
pub struct Material<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// What it comes to.
    pub readiness: Readiness,
    /// All runs, oldest first.
    pub runs: &'a [Past],
    /// What is wrong with files of evidence, by run id and path below the run.
    pub altered: BTreeMap<(String, String), String>,
    /// Where the runs are.
    pub state_dir: String,
}

/// Puts the evidence beside the controls that ask for it.
pub fn audit(material: Material<'_>) -> Audit {
    let Material { policy, readiness, runs, altered, state_dir } = material;
    let told = |past: &Past| Some(run(past, past.shown.as_ref().ok()?, &altered));
    let all = runs.iter().rev().filter_map(told);
    // What lies ahead has not happened yet as of a day of the past; of the present it says that a clock is wrong.
    let end = readiness.at + CLOCKS_APART_MAX;
    let (runs, ahead): (Vec<RunTold>, Vec<RunTold>) =
        all.partition(|run| run.started_at.is_none_or(|began| began <= end));
    let mut gaps = gaps(&readiness, &runs);
    if readiness.is_now {
        gaps.extend(ahead.iter().map(lies_ahead));
    }
    let controls = control::controls(policy, &readiness, &runs);
    Audit {
        v: AUDIT_VERSION,
        told_by: env!("CARGO_PKG_VERSION").to_owned(),
        state_dir: line(&state_dir),
        gaps,
        controls,
        readiness,
        runs,
    }
}

fn run(past: &Past, shown: &Shown, altered: &BTreeMap<(String, String), String>) -> RunTold {
    let checked = |file: &EvidenceTold| {
        let because = altered.get(&(past.id.to_string(), file.file.clone())).map(|why| line(why));
        EvidenceChecked { file: file.clone(), whole: because.is_none(), because }
    };
    RunTold {
        run: past.id.to_string(),
        short: past.run.clone(),
        runbook: shown.runbook.clone(),
        inventory: shown.inventory.clone(),
        mode: shown.mode,
        state: shown.state(),
        came_through: shown.came_through(),
        narrowed: shown.narrowed.clone(),
        started_at: shown.started,
        ended_at: shown.ended,
        took_ms: shown.took.0,
        objectives: shown.objectives.clone(),
        plan_of_today: shown.plan_of_today,
        journal: shown.journal.clone(),
        signed: shown.signed,
        cuts: shown.cuts.clone(),
        backups: shown.backups.clone(),
        evidence: shown.evidence.iter().map(checked).collect(),
        decisions: shown.decisions.clone(),
    }
}

fn lies_ahead(run: &RunTold) -> Gap {
    let at = run.started_at.map_or_else(String::new, |at| format!(", it started at {at}"));
    let what =
        format!("run {} ({}) lies ahead{at}: a clock is wrong, and it shows nothing", run.short, run.runbook);
    Gap { what, see: "runs".to_owned() }
}

fn gaps(readiness: &Readiness, runs: &[RunTold]) -> Vec<Gap> {
    let gap = |what: String, see: String| Gap { what, see };
    let duties = readiness.duties.iter().enumerate().filter(|(_, duty)| duty.standing.is_over());
    let duties = duties.map(|(at, duty)| {
        let how = match (&duty.last, duty.due_on) {
            (Some(last), _) => format!("overdue: last done on {}, every {}", last.day, duty.every),
            (None, Some(due)) => format!("never done, and due on {due}"),
            (None, None) => format!("never done, and asked for every {}", duty.every),
        };
        gap(format!("{}: {how}", duty.what), duty_anchor(at))
    });
    let items = readiness.improve.iter().filter(|one| one.standing.is_some_and(|due| due.is_over()));
    let items = items.map(|one| {
        let due = one.due_on.map_or_else(String::new, |due| format!(", which was due on {due}"));
        let what = format!(
            "after-action items of run {} ({}): nobody says they are closed{due}",
            one.short, one.runbook
        );
        gap(what, items_anchor(&one.run))
    });
    let late = readiness.improve.iter().filter_map(|one| {
        let closed = one.closed.as_ref().filter(|closed| !closed.in_time)?;
        let what = format!(
            "after-action items of run {} ({}): closed too late, on {}",
            one.short, one.runbook, closed.on
        );
        Some(gap(what, items_anchor(&one.run)))
    });
    let broken = readiness
        .broken
        .iter()
        .map(|one| gap(format!("{}: no evidence: {}", one.run, one.because), "broken".to_owned()));
    let files = runs.iter().flat_map(|run| run.evidence.iter().map(move |file| (run, file)));
    let files = files.filter_map(|(run, file)| {
        let because = file.because.as_ref()?;
        Some(gap(format!("run {}: {because}", run.short), "evidence".to_owned()))
    });
    let today = readiness.today.iter().filter_map(|(name, today)| {
        let because = today.because.as_ref()?;
        Some(gap(
            format!("runbook {}: its files make no plan today: {because}", line(name)),
            "duties".to_owned(),
        ))
    });
    duties.chain(items).chain(late).chain(broken).chain(files).chain(today).collect()
}

/// The anchor of a duty.
pub(super) fn duty_anchor(at: usize) -> String {
    format!("duty-{}", at + 1)
}

/// The anchor of a run.
pub(super) fn run_anchor(run: &str) -> String {
    format!("run-{run}")
}

/// The anchor of a run's after-action items.
pub(super) fn items_anchor(run: &str) -> String {
    format!("items-{run}")
}
