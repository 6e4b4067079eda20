//! `blackstart abort`: stops a run from another terminal, or gives up one that nobody carries on.

use crate::cli::args::Args;
use crate::cli::error::{CliError, Exit};
use crate::cli::{files, printer, resume};
use crate::drive::clock::Clock;
use crate::drive::people;
use crate::engine::{Engine, Input, Limits, Output, Status};
use crate::journal::{JournalError, Message, inbox};
use crate::model::Time;
use crate::model::event::{StopHow, Verdict};
use crate::plan::Plan;
use crate::report::facts::RunFacts;

/// Stop a run that goes on in another terminal, or give up one that nobody carries on.
///
/// A live run ends what is under way and stops; `blackstart resume` goes on with it. A run that stopped, crashed
/// or is stuck is given up: on record, somebody has taken on by hand what is left of it, and it cannot be resumed.
#[derive(Debug, clap::Args)]
pub struct Verb {
    /// The run: the beginning of its id, or `last`.
    #[arg(value_name = "RUN")]
    run: String,
    /// Also cancel what a live run has under way on hosts, instead of letting it end.
    #[arg(long)]
    cancel: bool,
    /// Why, and what was done about it: for the record of a run that is given up.
    #[arg(short = 'm', long, value_name = "TEXT", default_value = "")]
    comment: String,
    /// Do not ask before giving a run up.
    #[arg(short, long)]
    yes: bool,
}

/// Posts the request into a live run's inbox; gives up any other run.
pub fn carry_out(verb: &Verb, args: &Args) -> Result<Exit, CliError> {
    let dir = files::run(args, &verb.run)?;
    let short = files::short(args, &dir)?;
    if dir.held_by().is_none() {
        return give_up(verb, &short, resume::open(&dir)?);
    }
    let how = if verb.cancel { StopHow::Cancel } else { StopHow::Finish };
    inbox::post(&dir, &Message::Stop { by: people::who(), how })?;
    printer::data(&format!("run {short} was asked to stop; `blackstart resume {short}` goes on with it"))?;
    Ok(Exit::Completed)
}

fn give_up(verb: &Verb, short: &str, opened: resume::Opened) -> Result<Exit, CliError> {
    let state = opened.state()?;
    let over = match state.status() {
        Status::New => Some(format!("run {short} never began: there is nothing to give up")),
        Status::Ended(Verdict::Completed | Verdict::RolledBack) => Some(format!(
            "run {short} is over, there is nothing to give up. {}",
            RunFacts::of(&state).sentence
        )),
        _ if state.abandoned_by().is_some() => {
            let by = state.abandoned_by().unwrap_or_default();
            Some(format!("run {short} was given up already, by {by}"))
        }
        Status::Running
        | Status::RollingBack { .. }
        | Status::Ended(Verdict::Stopped { .. } | Verdict::Refused { .. } | Verdict::Stuck) => None,
    };
    if let Some(over) = over {
        return Err(CliError::usage(over).hint(format!("`blackstart show {short}` tells how it went")));
    }
    if !verb.yes {
        confirm(short, &opened.plan)?;
    }
    let last = opened.past.last().map_or(Time::default(), |(at, _)| *at);
    let mut engine = Engine::restore(opened.plan.clone(), Limits::default(), opened.past.iter().cloned())
        .map_err(|illegal| CliError::with(Exit::Journal, illegal.to_string()))?;
    let comment = verb.comment.clone();
    engine.handle(Clock::start(last).now(), Input::Abandoned { by: people::who(), comment });
    record(&mut engine, &opened)?;
    printer::data(&format!("run {short} is given up; `blackstart show {short}` tells what is left of it"))?;
    Ok(Exit::Completed)
}

fn record(engine: &mut Engine, opened: &resume::Opened) -> Result<(), JournalError> {
    let mut writer = opened.dir.append(&opened.lock)?;
    while let Some(output) = engine.poll() {
        if let Output::Record(at, event) = output {
            writer.add(at, &event, None);
        }
    }
    writer.commit()
}

fn confirm(short: &str, plan: &Plan) -> Result<(), CliError> {
    if !printer::person_present() {
        return Err(CliError::usage(format!(
            "run {short} is not live, and nobody is there to confirm that it is given up"
        ))
        .hint("give `--yes` to give it up without asking"));
    }
    printer::say(&format!(
        "Nobody carries run {short} on. Giving it up says that what is left of it was dealt with by hand; it cannot be resumed then."
    ));
    match people::ask_line(&format!("Type the runbook's name ({}) to give it up: ", plan.runbook)) {
        Some(line) if line.trim() == plan.runbook => Ok(()),
        Some(_) | None => Err(CliError::usage("that is not the runbook's name; nothing was recorded")),
    }
}
