//! `blackstart rollback`: takes a run back by hand.

use crate::cli::args::{Args, Driving};
use crate::cli::dangers::Dangers;
use crate::cli::error::{CliError, Exit};
use crate::cli::{conduct, files, printer, resume};
use crate::drive::people;
use crate::engine::Input;
use crate::journal::{Message, inbox};
use crate::model::event::Scope;
use crate::model::problem::nearest;
use crate::plan::Plan;

/// Take a run back.
#[derive(Debug, clap::Args)]
pub struct Verb {
    /// The run: the beginning of its id, or `last`.
    #[arg(value_name = "RUN", default_value = "last")]
    run: String,
    /// Only this phase.
    #[arg(long, value_name = "PHASE", group = "scope")]
    phase: Option<String>,
    /// From this phase on.
    #[arg(long, value_name = "PHASE", group = "scope")]
    from_phase: Option<String>,
    /// From this step on: it and everything that came after it.
    #[arg(long, value_name = "STEP", group = "scope")]
    from_step: Option<String>,
    /// Re-open severed conduits too. Without it a cut stays a cut.
    #[arg(long)]
    reopen: bool,
    #[command(flatten)]
    driving: Driving,
}

/// Asks, then takes back; a run that is live in another process is told to.
pub fn carry_out(verb: &Verb, args: &Args) -> Result<Exit, CliError> {
    let dir = files::run(args, &verb.run)?;
    let (plan, _) = dir.read_plan()?;
    let scope = scope(verb, &plan)?;
    let short = files::short(args, &dir)?;
    Dangers::of(&plan).warn_of_undos(&plan, verb.reopen);
    if !verb.driving.yes {
        confirm(verb, &plan)?;
    }
    let by = people::who();
    if dir.held_by().is_some() {
        inbox::post(&dir, &Message::Rollback { by, scope, reopen: verb.reopen })?;
        printer::data(&format!("run {short} is live in another process, which was told to roll back"))?;
        return Ok(Exit::Completed);
    }
    let opened = resume::open(&dir)?;
    if opened.past.is_empty() {
        return Err(CliError::usage(format!("run {short} never began: there is nothing to take back")));
    }
    // Alone: a `Resume` before it would end a run that is over at once.
    let first = vec![Input::RollbackRequested { scope, reopen: verb.reopen, by }];
    let secrets = conduct::secrets(&opened.plan, &verb.driving)?;
    conduct::carry_out(opened.with(secrets, first), &verb.driving, args)
}

fn scope(verb: &Verb, plan: &Plan) -> Result<Scope, CliError> {
    let phase = |id: &String| {
        plan.phase_named(id).ok_or_else(|| {
            let phases: Vec<&str> = plan.phases.iter().map(|phase| phase.id.as_str()).collect();
            CliError::usage(format!("the run has no phase `{id}`"))
                .hint(format!("its phases are: {}", phases.join(", ")))
        })
    };
    let step = |id: &String| {
        plan.step_named(id).ok_or_else(|| {
            let error = CliError::usage(format!("the run has no step `{id}`"));
            match nearest(id, plan.steps.iter().map(|step| step.id.as_str())) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("`blackstart show` names them"),
            }
        })
    };
    Ok(match (&verb.phase, &verb.from_phase, &verb.from_step) {
        (Some(id), _, _) => Scope::Phase(phase(id)?),
        (_, Some(id), _) => Scope::FromPhase(phase(id)?),
        (_, _, Some(id)) => Scope::FromStep(step(id)?),
        (None, None, None) => Scope::Run,
    })
}

fn confirm(verb: &Verb, plan: &Plan) -> Result<(), CliError> {
    if !printer::person_present() {
        return Err(CliError::usage("nobody is there to confirm the rollback")
            .hint("give `--yes` to start without asking"));
    }
    let cuts = match verb.reopen {
        true => "RE-OPENS what was cut",
        false => "leaves cuts cut",
    };
    printer::say(&format!("This takes `{}` back on `{}`, and {cuts}.", plan.runbook, plan.inventory));
    match people::ask_line(&format!("Type the runbook's name ({}) to start: ", plan.runbook)) {
        Some(line) if line.trim() == plan.runbook => Ok(()),
        Some(_) | None => Err(CliError::usage("that is not the runbook's name; nothing was started")),
    }
}
