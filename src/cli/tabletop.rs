//! `blackstart tabletop`: plays a runbook in virtual time. No network, no processes on hosts, the live engine.

use crate::cli::args::{Args, Choosing, Format, Input as InputFlags};
use crate::cli::conduct::exit_of;
use crate::cli::dangers::Dangers;
use crate::cli::error::{CliError, Exit};
use crate::cli::files::{self, Compiled};
use crate::cli::{printer, problems, run, session};
use crate::drive::about::about;
use crate::drive::clock::Clock;
use crate::drive::people;
use crate::drive::tabletop::{Learnt, Opening, Staging, Table, trials};
use crate::engine::RunState;
use crate::journal::RunDir;
use crate::load;
use crate::model::names::RunId;
use crate::model::scenario::Scenario;
use crate::model::{Event, Time};
use crate::plan::frozen::Origin;
use crate::plan::{self, Plan};
use crate::report::timeline::Timeline;
use crate::report::trials::Trials;
use crate::report::{self, Display, Tails};
use std::path::PathBuf;
use std::sync::Arc;

/// Play a runbook at a table.
#[derive(Debug, clap::Args)]
pub struct Verb {
    #[command(flatten)]
    input: InputFlags,
    #[command(flatten)]
    choosing: Choosing,
    /// How long things take, what goes wrong, and what the players are told.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Decides what chance decides: the same seed tells the same story.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// With people: they answer, the facilitator moves time. Lines are read from stdin; `help` lists them. `blackstart
    /// resume` goes on with a session that was left.
    #[arg(short = 'I', long, conflicts_with_all = ["trials", "format"])]
    interactive: bool,
    /// Play so many times, and tell how long it takes, what is met how often, and who everybody waits for.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    trials: Option<u64>,
    /// Jobs running at the same time.
    #[arg(short = 'f', long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=4096))]
    forks: u32,
    /// text: for people. json: every event as one JSON object a line on stdout; with --trials, what they came to.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Compiles, plays, keeps the journal, and says how it went.
pub fn carry_out(verb: &Verb, args: &Args) -> Result<Exit, CliError> {
    let mut compiled = files::compiled(&verb.input, &verb.choosing)?;
    let scenario = scenario(verb, &mut compiled)?;
    let learnt = learnt(&scenario, args)?;
    Dangers::of(&compiled.plan).say(&compiled.plan);
    let staging = Arc::new(Staging::of(compiled.plan, &compiled.inventory, &scenario, &learnt));
    let opening = opening(verb, &staging.plan);
    if let Some(count) = verb.trials {
        return try_often(verb, args, &staging, &opening, &scenario, count);
    }
    if verb.interactive {
        let file = |path: &PathBuf| path.display().to_string();
        let (inventory, scenario) = (file(&verb.input.inventory), verb.scenario.as_ref().map(file));
        let setting = session::setting(&opening, &compiled.sources, &inventory, scenario.as_deref(), learnt);
        return session::begin(args, made(verb, args, &opening, &staging.plan)?, staging, setting);
    }
    let mut events = Vec::new();
    let mut table = Table::open(staging.clone(), &opening);
    let verdict = table.play(&mut |at, event| events.push((at, event)));
    let dir = keep(verb, args, &opening, &staging.plan, &events)?;
    tell(verb, args, &dir, &staging.plan, &events)?;
    if verb.format == Format::Text {
        recap(args, &dir, &staging.plan, &events)?;
    }
    Ok(exit_of(table.state(), &verdict))
}

/// Reads the scenario, if one is given; every problem of it at once.
fn scenario(verb: &Verb, compiled: &mut Compiled) -> Result<Scenario, CliError> {
    let Some(path) = &verb.scenario else { return Ok(Scenario::default()) };
    let load::Loaded { value, problems: mut found } = load::scenario(&mut compiled.sources, path);
    if let Some(scenario) = &value {
        found.extend(load::rehearsed(&compiled.inventory, &compiled.runbook, scenario));
    }
    match value.filter(|_| !found.any_error()) {
        Some(scenario) => {
            problems::print(&found, &compiled.sources);
            Ok(scenario)
        }
        None => Err(CliError::Problems(found, std::mem::take(&mut compiled.sources))),
    }
}

/// What the journals of earlier runs say.
fn learnt(scenario: &Scenario, args: &Args) -> Result<Learnt, CliError> {
    let mut learnt = Learnt::default();
    for run in &scenario.learnt {
        let dir = files::run(args, &run.value)?;
        let (plan, _) = dir.read_plan()?;
        let events: Vec<(Time, Event)> =
            dir.read()?.records.into_iter().map(|record| (record.at, record.event)).collect();
        learnt.add(&plan, &events);
    }
    Ok(learnt)
}

fn opening(verb: &Verb, plan: &Plan) -> Opening {
    Opening {
        run: RunId(uuid::Uuid::now_v7().simple().to_string()),
        plan: plan::hash(plan),
        by: format!("{} (facilitator)", people::who()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        start: Clock::start(Time::default()).now(),
        seed: verb.seed,
        trial: 0,
        jobs_at_once: verb.forks,
        players_answer: true,
        tells_probes: true,
    }
}

fn try_often(
    verb: &Verb,
    args: &Args,
    staging: &Arc<Staging>,
    opening: &Opening,
    scenario: &Scenario,
    count: u64,
) -> Result<Exit, CliError> {
    if !staging.varies() {
        printer::warning("nothing is left to chance: every trial is the same");
        printer::hint("give ranges in a scenario: `durations: { step: { from: 5m, to: 20m } }`");
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let all = trials::play(staging, opening, count, threads);
    let halved = trials::halved(staging, opening, &all, threads);
    let name = verb.scenario.as_ref().map(|_| scenario.name.as_str());
    let told = Trials::of(&trials::about(staging, name, verb.seed), &all, &halved);
    match verb.format {
        Format::Json => printer::json(&told)?,
        Format::Text => printer::data(&told.text(&printer::look_of_stdout(args)))?,
    }
    Ok(Exit::Completed)
}

/// Makes the run's directory.
fn made(verb: &Verb, args: &Args, opening: &Opening, plan: &Plan) -> Result<RunDir, CliError> {
    let origin = Origin {
        runbook_file: run::absolute(&verb.input.runbook),
        inventory_file: run::absolute(&verb.input.inventory),
        at: opening.start,
        choices: files::choices(&verb.choosing)?,
        drill: false,
        tabletop: true,
    };
    Ok(files::store(args)?.create(&opening.run, &plan::to_json(plan), &origin)?)
}

/// Writes the journal of what was played, as that of any run.
fn keep(
    verb: &Verb,
    args: &Args,
    opening: &Opening,
    plan: &Plan,
    events: &[(Time, Event)],
) -> Result<RunDir, CliError> {
    let dir = made(verb, args, opening, plan)?;
    let lock = dir.lock()?;
    let mut writer = dir.append(&lock)?;
    for (at, event) in events {
        writer.add(*at, event, about(event).map(|task| plan.task_name(task)).as_deref());
    }
    writer.commit()?;
    Ok(dir)
}

/// The timeline, as of a run that goes on.
fn tell(
    verb: &Verb,
    args: &Args,
    dir: &RunDir,
    plan: &Arc<Plan>,
    events: &[(Time, Event)],
) -> Result<(), CliError> {
    let mut display: Box<dyn Display> = match verb.format {
        Format::Json => Box::new(report::ndjson(std::io::stdout())),
        Format::Text => Box::new(report::plain(printer::look_of_stderr(args, dir)?)),
    };
    let mut state = RunState::new(plan.clone());
    for (at, event) in events {
        state.apply(*at, event).expect("the engine applied it before");
        display.event(&state, *at, event);
    }
    display.finished(&state, state.newest_at());
    Ok(())
}

/// What became of it.
pub(super) fn recap(
    args: &Args,
    dir: &RunDir,
    plan: &Arc<Plan>,
    events: &[(Time, Event)],
) -> Result<(), CliError> {
    let told = Timeline::of(plan.clone(), events).expect("the engine applied it before");
    let tails = Tails::of(events.iter().map(|(_, event)| event));
    // Whoever closed stdout does not want the recap; the exit code is the run's all the same.
    let _ = printer::data(&report::recap(&told, &tails, &printer::look(args, dir)?));
    Ok(())
}
