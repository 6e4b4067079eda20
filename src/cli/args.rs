//! Every flag and argument, in one place, with the words `--help` shows.

use crate::cli::{
    abort, approve, audit, completions, due, graph, history, inventory, man, plan, print, probe, reach,
    report, resume, rollback, run, runs, schema, show, tabletop, validate, verify,
};
use crate::drive::watch::{EVERY_DEFAULT, EVERY_MIN};
use crate::model::Millis;
use clap::{Args as Flags, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Isolate, then restore: runbooks as dependency graphs over SSH, with dry-run, checkpoints, resume and rollback.
#[derive(Debug, Parser)]
#[command(name = "blackstart", version, propagate_version = true, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 completed · 1 unexpected · 2 usage · 10 problems in runbook or inventory · \
    11 plan drifted · 12 the plan can lock you out or leaves a path open · 20 rolled back · 21 stuck, needs a person \
    (probe: one does not agree) · 22 stopped, can resume (dry run, probe: a host is in trouble) · 23 refused at a \
    gate · 24 a drill missed an objective · 25 something is overdue · 30 journal unwritable or broken · 31 run locked

A first try, on this machine alone:
  blackstart run runbooks/hello.yaml -i inventories/local.yaml --dry-run"
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,

    /// Where runs are kept [default: $BLACKSTART_STATE, $XDG_STATE_HOME/blackstart or ~/.local/state/blackstart].
    #[arg(long, global = true, value_name = "DIR")]
    pub state: Option<PathBuf>,

    /// Log to stderr: -v what happens, -vv how, -vvv everything. `RUST_LOG` says it in detail.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// The verbs, in the order in which a newcomer needs them.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Find every problem in a runbook and an inventory.
    Validate(validate::Verb),
    /// Show what a run would do: order, hosts, exact commands, critical path. Contacts nothing.
    Plan(plan::Verb),
    /// Draw the plan as a graph (DOT or Mermaid).
    Graph(graph::Verb),
    /// Show who gets where before and after: open paths, smallest cuts, services lost, zone by zone.
    Reach(reach::Verb),
    /// List hosts, groups, zones and conduits, or the hosts a pattern matches.
    Inventory(inventory::Verb),
    /// Carry out probes alone, and compare what they see with what is expected. Changes nothing.
    Probe(probe::Verb),
    /// Play a runbook at a table: virtual time, no network; with a scenario, with people, or thousands of times.
    Tabletop(tabletop::Verb),
    /// Carry a runbook out. With `--dry-run`: look, and change nothing.
    Run(run::Verb),
    /// Go on with a run that stopped, crashed or lost its controller.
    Resume(resume::Verb),
    /// Take a run back, whole or from a phase or step. Cuts stay cut unless `--reopen`.
    Rollback(rollback::Verb),
    /// Answer what a run waits for: a manual step, an approval, a question.
    Approve(approve::Verb),
    /// Ask a run in another terminal to stop, or take on what is stuck.
    Abort(abort::Verb),
    /// List all runs.
    Runs(runs::Verb),
    /// Show all runs by runbook, and how each objective went from run to run.
    History(history::Verb),
    /// Show what must be rehearsed, restored or verified by when, by a policy.
    Due(due::Verb),
    /// Write an audit: what all runs show of what controls ask for, as HTML or JSON.
    Audit(audit::Verb),
    /// Show what happened in a run.
    Show(show::Verb),
    /// Put a runbook on paper: boxes to tick, exact commands, proof, undo, whom to call.
    Print(print::Verb),
    /// Write the report of a run: HTML, Markdown, JSON or JUnit, in English or Japanese.
    Report(report::Verb),
    /// Check a run's journal, hash by hash, and print its head.
    Verify(verify::Verb),
    /// Print the JSON Schema of a runbook, an inventory, a scenario or a policy, for editors.
    Schema(schema::Verb),
    /// Print a completion script for a shell.
    Completions(completions::Verb),
    /// Write the manual pages.
    Man(man::Verb),
}

/// What every verb that reads a runbook takes.
#[derive(Debug, Clone, Flags)]
pub struct Input {
    /// The runbook.
    #[arg(value_name = "RUNBOOK")]
    pub runbook: PathBuf,
    /// The inventory.
    #[arg(short, long, value_name = "FILE")]
    pub inventory: PathBuf,
}

/// What narrows or fills in a plan. The flags are Ansible's where Ansible has them.
#[derive(Debug, Clone, Flags)]
pub struct Choosing {
    /// Only these hosts: names, groups, globs, `a:&b`, `a:!b`.
    #[arg(short, long, value_name = "PATTERN")]
    pub limit: Option<String>,
    /// A parameter of the runbook; may be repeated.
    #[arg(short = 'e', long = "extra-vars", value_name = "NAME=VALUE")]
    pub extra: Vec<String>,
    /// Only this phase.
    #[arg(long, value_name = "PHASE")]
    pub phase: Option<String>,
    /// Only up to and including this phase or step; or only what belongs to this level of isolation or a lower one.
    #[arg(long, value_name = "PHASE|STEP|level:N")]
    pub until: Option<String>,
    /// Become the privileged user (the host's `become`, or root) in every step that does not say otherwise.
    #[arg(short, long = "become")]
    pub becomes: bool,
}

/// What verbs that carry a run out take.
#[derive(Debug, Clone, Flags)]
pub struct Driving {
    /// Do not ask before starting.
    #[arg(short, long)]
    pub yes: bool,
    /// Jobs running at the same time.
    #[arg(short = 'f', long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub forks: u32,
    /// Ask for the sudo password once, for every host whose inventory names none.
    #[arg(short = 'K', long)]
    pub ask_become_pass: bool,
    /// Stay and wait for people although no terminal is there to ask them (they answer with `blackstart approve`).
    #[arg(long)]
    pub wait: bool,
    /// text: for people. json: every event as one JSON object a line on stdout.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Do not look with the negative probes before the first cut: then what is silent after it proves nothing.
    #[arg(long)]
    pub no_baseline: bool,
    /// Look at the inventory's services so often while the run goes on, and put every change on record; `off`: never.
    #[arg(long, value_name = "INTERVAL", default_value_t = WatchEvery::Every(EVERY_DEFAULT), value_parser = watch_every)]
    pub watch_services: WatchEvery,
    /// Plain lines instead of live progress.
    #[arg(long)]
    pub no_progress: bool,
}

/// How stdout is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

/// How often services are looked at while a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchEvery {
    /// Never.
    Off,
    /// So often.
    Every(Millis),
}

impl std::fmt::Display for WatchEvery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            WatchEvery::Off => f.write_str("off"),
            WatchEvery::Every(every) => every.fmt(f),
        }
    }
}

fn watch_every(text: &str) -> Result<WatchEvery, String> {
    if text == "off" {
        return Ok(WatchEvery::Off);
    }
    let length: jiff::SignedDuration =
        text.parse().map_err(|_| "write a length of time such as `5s`, or `off`".to_owned())?;
    match u64::try_from(length.as_millis()).map(Millis) {
        Ok(every) if every >= EVERY_MIN => Ok(WatchEvery::Every(every)),
        Ok(_) | Err(_) => Err(format!("at least {EVERY_MIN}, or `off`")),
    }
}
