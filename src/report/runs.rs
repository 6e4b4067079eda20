//! A list of runs, in the order given.

use super::escape::line;
use super::look::Look;
use super::table::{Align, Table};
use super::words;
use crate::model::Time;
use crate::model::event::{Mode, Verdict};
use crate::model::names::RunId;
use serde::Serialize;

/// A run in one line. The command line makes it from what the journal tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its id as short as it may be typed.
    pub run: String,
    /// Its whole id.
    pub id: RunId,
    /// The runbook's name; empty if unknown.
    pub runbook: String,
    /// The inventory's name; empty if unknown.
    pub inventory: String,
    /// Exercise or real; `None` if it never started.
    pub mode: Option<Mode>,
    /// Who started it.
    pub by: Option<String>,
    /// When it started.
    pub started: Option<Time>,
    /// When the last thing on record happened.
    pub last: Option<Time>,
    /// Where it stands.
    pub standing: Standing,
    /// Tasks in the plan.
    pub tasks: u64,
    /// Tasks that ended well: done or already so.
    pub well: u64,
    /// Tasks that failed.
    pub failed: u64,
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It has no event.
    NeverStarted,
    /// A process carries it on.
    Running {
        /// Which one, if known.
        pid: Option<u32>,
    },
    /// It has not ended and nobody carries it on.
    Interrupted,
    /// It ended.
    Ended(Verdict),
    /// Its journal or plan is not as it was written.
    Broken {
        /// What is wrong.
        because: String,
    },
}

impl Standing {
    /// In a few words.
    pub fn words(&self) -> String {
        match self {
            Standing::NeverStarted => "never started".to_owned(),
            Standing::Running { pid: Some(pid) } => format!("running (pid {pid})"),
            Standing::Running { pid: None } => "running".to_owned(),
            Standing::Interrupted => "INTERRUPTED, resume it".to_owned(),
            Standing::Ended(verdict) => words::verdict_word(verdict).to_owned(),
            // The reason may be long; `verify` has all of it.
            Standing::Broken { .. } => "BROKEN, verify it".to_owned(),
        }
    }
}

/// The list as a table, times in the chosen zone. A narrow terminal cuts off what is wanted least.
pub fn runs(rows: &[Row], look: &Look) -> String {
    if rows.is_empty() {
        return "No runs.\n".to_owned();
    }
    let (left, right) = (Align::Left, Align::Right);
    let mut table = Table::new([
        ("run", left),
        ("runbook", left),
        ("state", left),
        ("tasks", right),
        ("failed", right),
        ("started", left),
        ("took", right),
        ("mode", left),
        ("by", left),
        ("inventory", left),
    ]);
    let dash = || "-".to_owned();
    for row in rows {
        let took = row.started.zip(row.last).map(|(started, last)| last.since(started).to_string());
        table.row(vec![
            row.run.clone(),
            line(&row.runbook),
            row.standing.words(),
            format!("{}/{}", row.well, row.tasks),
            if row.failed == 0 { "·".to_owned() } else { row.failed.to_string() },
            row.started.map_or_else(dash, |started| look.date_and_time(started)),
            took.unwrap_or_else(dash),
            row.mode.map_or_else(dash, |mode| words::mode(mode).to_owned()),
            row.by.as_deref().map_or_else(dash, line),
            line(&row.inventory),
        ]);
    }
    table.render(look)
}

/// A row for programs.
#[derive(Serialize)]
struct RowJson<'a> {
    run: &'a RunId,
    runbook: &'a str,
    inventory: &'a str,
    mode: Option<Mode>,
    by: Option<&'a str>,
    started_at: Option<Time>,
    last_at: Option<Time>,
    state: &'static str,
    verdict: Option<&'static str>,
    exit_code: Option<u8>,
    pid: Option<u32>,
    broken: Option<&'a str>,
    tasks: u64,
    well: u64,
    failed: u64,
}

/// The list as data: an array of objects. `state` is one of `never_started`, `running`, `interrupted`,
/// `ended` and `broken`.
pub fn runs_json(rows: &[Row]) -> serde_json::Value {
    let rows: Vec<RowJson> = rows.iter().map(row_json).collect();
    serde_json::to_value(rows).expect("rows have only texts and numbers in them")
}

fn row_json(row: &Row) -> RowJson<'_> {
    let (state, verdict, pid, broken) = match &row.standing {
        Standing::NeverStarted => ("never_started", None, None, None),
        Standing::Running { pid } => ("running", None, *pid, None),
        Standing::Interrupted => ("interrupted", None, None, None),
        Standing::Ended(verdict) => ("ended", Some(verdict), None, None),
        Standing::Broken { because } => ("broken", None, None, Some(because.as_str())),
    };
    RowJson {
        run: &row.id,
        runbook: &row.runbook,
        inventory: &row.inventory,
        mode: row.mode,
        by: row.by.as_deref(),
        started_at: row.started,
        last_at: row.last,
        state,
        verdict: verdict.map(words::verdict_word),
        exit_code: verdict.map(words::exit_code),
        pid,
        broken,
        tasks: row.tasks,
        well: row.well,
        failed: row.failed,
    }
}
