//! The history of runbooks: every run, newest first, and how each objective went from run to run.

use super::run::{Past, Shown};
use super::spark::spark;
use crate::model::event::Mode;
use crate::model::{Millis, Time};
use crate::report::escape::line;
use crate::report::look::Look;
use crate::report::story::told::{Met, Objective};
use crate::report::table::{Align, Table};
use crate::report::words;
use console::Style;
use serde::Serialize;
use std::collections::BTreeMap;

/// The history of every runbook that was asked for.
#[derive(Debug, Serialize)]
pub struct History {
    /// By runbook name.
    runbooks: Vec<OfRunbook>,
    /// Directories that show nothing.
    broken: Vec<Broken>,
}

#[derive(Debug, Serialize)]
struct OfRunbook {
    runbook: String,
    /// Newest first.
    runs: Vec<Run>,
    objectives: Vec<Trend>,
}

#[derive(Debug, Serialize)]
struct Run {
    run: String,
    #[serde(skip)]
    short: String,
    inventory: String,
    mode: Option<Mode>,
    by: Option<String>,
    started_at: Option<Time>,
    ended_at: Option<Time>,
    took_ms: u64,
    state: String,
    exit_code: Option<u8>,
    narrowed: Option<String>,
    plan: String,
    objectives: Vec<Value>,
}

/// What an objective came to in one run.
#[derive(Debug, Clone, Serialize)]
struct Value {
    name: String,
    standing: Met,
    within_ms: u64,
    /// From its start to its end; `null` if it was not reached.
    took_ms: Option<u64>,
}

/// How an objective went from run to run. What is played at a table is compared with that alone.
#[derive(Debug, Serialize)]
struct Trend {
    name: String,
    at_a_table: bool,
    /// In how many runs its clock ran to an end, and in how many of them it was met.
    runs: usize,
    met: usize,
    within_ms: u64,
    newest: Met,
    /// The run that `newest` and `newest_ms` are of.
    run: String,
    newest_ms: Option<u64>,
    /// In the run before that reached it, and the difference: more is slower.
    before_ms: Option<u64>,
    against_before_ms: Option<i64>,
    /// The median of all runs before that reached it, and the difference.
    median_ms: Option<u64>,
    against_median_ms: Option<i64>,
    /// What it took in each run, oldest first; `null` where it was not reached.
    took_ms: Vec<Option<u64>>,
}

#[derive(Debug, Serialize)]
struct Broken {
    run: String,
    because: String,
}

/// Puts runs together by runbook; `only` narrows it to one. `runs` are oldest first.
pub fn history_of(runs: &[Past], only: Option<&str>) -> History {
    let mut by_name: BTreeMap<&str, Vec<(&Past, &Shown)>> = BTreeMap::new();
    let mut broken = Vec::new();
    for past in runs {
        match &past.shown {
            Ok(shown) if only.is_none_or(|name| name == shown.runbook) => {
                by_name.entry(&shown.runbook).or_default().push((past, shown));
            }
            Ok(_) => {}
            Err(because) => {
                broken.push(Broken { run: past.id.to_string(), because: line(because) });
            }
        }
    }
    let runbooks = by_name.into_iter().map(|(name, runs)| OfRunbook {
        runbook: name.to_owned(),
        objectives: trends(&runs),
        runs: runs.iter().rev().map(|(past, shown)| run(past, shown)).collect(),
    });
    History { runbooks: runbooks.collect(), broken }
}

/// The history as data.
pub fn history_json(history: &History) -> serde_json::Value {
    serde_json::to_value(history).expect("a history has only texts and numbers in it")
}

fn run(past: &Past, shown: &Shown) -> Run {
    Run {
        run: past.id.to_string(),
        short: past.run.clone(),
        inventory: shown.inventory.clone(),
        mode: shown.mode,
        by: shown.by.clone(),
        started_at: shown.started,
        ended_at: shown.ended,
        took_ms: shown.took.0,
        state: shown.state(),
        exit_code: shown.exit_code,
        narrowed: shown.narrowed.clone(),
        plan: shown.journal.plan.clone(),
        objectives: shown.objectives.iter().map(value).collect(),
    }
}

fn value(one: &Objective) -> Value {
    let reached = matches!(one.standing, Met::Met | Met::Missed);
    let took_ms = one.took_ms.filter(|_| reached);
    Value { name: one.name.clone(), standing: one.standing, within_ms: one.within_ms, took_ms }
}

fn trends(runs: &[(&Past, &Shown)]) -> Vec<Trend> {
    let mut values: BTreeMap<(bool, String), Vec<(&Past, Value)>> = BTreeMap::new();
    let mut order = Vec::new();
    for (past, shown) in runs {
        for one in shown.objectives.iter().map(value) {
            // A clock that never started or that still runs tells nothing.
            if !matches!(one.standing, Met::Met | Met::Missed | Met::NotReached) {
                continue;
            }
            let key = (shown.at_a_table(), one.name.clone());
            if !values.contains_key(&key) {
                order.push(key.clone());
            }
            values.entry(key).or_default().push((past, one));
        }
    }
    order.sort_by_key(|(at_a_table, _)| *at_a_table);
    order.into_iter().filter_map(|key| trend(key.0, values.get(&key)?)).collect()
}

fn trend(at_a_table: bool, values: &[(&Past, Value)]) -> Option<Trend> {
    let (past, newest) = values.last()?;
    let took_ms: Vec<Option<u64>> = values.iter().map(|(_, one)| one.took_ms).collect();
    let earlier: Vec<u64> = took_ms[..took_ms.len() - 1].iter().flatten().copied().collect();
    let (before_ms, median_ms) = (earlier.last().copied(), median(&earlier));
    let against = |then: Option<u64>| Some(newest.took_ms? as i64 - then? as i64);
    Some(Trend {
        name: newest.name.clone(),
        at_a_table,
        runs: values.len(),
        met: values.iter().filter(|(_, one)| one.standing == Met::Met).count(),
        within_ms: newest.within_ms,
        newest: newest.standing,
        run: past.id.to_string(),
        newest_ms: newest.took_ms,
        before_ms,
        against_before_ms: against(before_ms),
        median_ms,
        against_median_ms: against(median_ms),
        took_ms,
    })
}

/// The middle one; of two in the middle, the mean.
fn median(numbers: &[u64]) -> Option<u64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        even if even % 2 == 0 => Some(sorted[middle - 1].midpoint(sorted[middle])),
        _ => Some(sorted[middle]),
    }
}

/// The history for people.
pub fn history(history: &History, look: &Look) -> String {
    let mut text = String::new();
    for of in &history.runbooks {
        if !text.is_empty() {
            text.push('\n');
        }
        text += &format!("{}\n", look.bold(&of.runbook));
        text += &runs_table(of, look);
        if !of.objectives.is_empty() {
            text.push('\n');
            text += &trends_table(of, look);
        }
    }
    if text.is_empty() {
        text = "No runs.\n".to_owned();
    }
    if !history.broken.is_empty() {
        text += &format!("\n{}\n", look.bold("Not counted, because they show nothing"));
        text.extend(history.broken.iter().map(|one| format!("  {}: {}\n", line(&one.run), one.because)));
    }
    text
}

fn runs_table(of: &OfRunbook, look: &Look) -> String {
    let (left, right) = (Align::Left, Align::Right);
    let heads = [
        ("run", left),
        ("started", left),
        ("mode", left),
        ("state", left),
        ("took", right),
        ("objectives", left),
        ("by", left),
        ("inventory", left),
    ];
    let mut table = Table::new(heads);
    let dash = || "-".to_owned();
    for run in &of.runs {
        let state = match &run.narrowed {
            Some(_) => format!("{}, in part", run.state),
            None => run.state.clone(),
        };
        table.row(vec![
            run.short.clone(),
            run.started_at.map_or_else(dash, |at| look.date_and_time(at)),
            run.mode.map_or_else(dash, |mode| words::mode(mode).to_owned()),
            state,
            run.started_at.map_or_else(dash, |_| Millis(run.took_ms).to_string()),
            kept(&run.objectives),
            run.by.clone().unwrap_or_else(dash),
            run.inventory.clone(),
        ]);
    }
    table.render(look)
}

/// How many of a run's objectives were met.
fn kept(objectives: &[Value]) -> String {
    let count = |wanted: &[Met]| objectives.iter().filter(|one| wanted.contains(&one.standing)).count();
    let parts = [
        (count(&[Met::Met]), "met"),
        (count(&[Met::Missed]), "MISSED"),
        (count(&[Met::NotReached]), "NOT REACHED"),
        (count(&[Met::Open]), "open"),
    ];
    let said: Vec<String> =
        parts.iter().filter(|(number, _)| *number > 0).map(|(n, word)| format!("{n} {word}")).collect();
    if said.is_empty() { "·".to_owned() } else { said.join(", ") }
}

fn trends_table(of: &OfRunbook, look: &Look) -> String {
    let (left, right) = (Align::Left, Align::Right);
    let heads = [
        ("objective", left),
        ("newest", right),
        ("allowed", right),
        ("", left),
        ("than before", left),
        ("than the median", left),
        ("met", right),
        ("oldest → newest", left),
    ];
    let mut table = Table::new(heads);
    for trend in &of.objectives {
        let (style, word) = match trend.newest {
            Met::Met => (Style::new().green(), "met"),
            Met::Missed => (Style::new().red().bold(), "MISSED"),
            Met::NotReached | Met::Open | Met::NotStarted => (Style::new().yellow(), "NOT REACHED"),
        };
        let name = match trend.at_a_table {
            true => format!("{} (tabletop)", trend.name),
            false => trend.name.clone(),
        };
        table.row(vec![
            name,
            trend.newest_ms.map_or_else(|| "-".to_owned(), |took| Millis(took).to_string()),
            Millis(trend.within_ms).to_string(),
            look.paint(style, word),
            against(trend.against_before_ms),
            against(trend.against_median_ms),
            format!("{}/{}", trend.met, trend.runs),
            spark(&trend.took_ms),
        ]);
    }
    table.render(look)
}

fn against(difference_ms: Option<i64>) -> String {
    match difference_ms {
        None => "-".to_owned(),
        Some(0) => "the same".to_owned(),
        Some(more) if more > 0 => format!("{} slower", Millis(more.unsigned_abs())),
        Some(less) => format!("{} faster", Millis(less.unsigned_abs())),
    }
}
