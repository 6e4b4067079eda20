//! `blackstart rollback`: takes a run back by hand.

use crate::cli::args::{Args, Driving};
use crate::cli::dangers::Dangers;
use crate::cli::error::{CliError, Exit};
use crate::cli::{conduct, files, printer, resume};
use crate::drive::people;
use crate::engine::scope::steps_in;
use crate::engine::{Input, RunState};
use crate::journal::{Message, RunDir, inbox};
use crate::model::event::Scope;
use crate::model::names::ConduitName;
use crate::model::problem::nearest;
use crate::plan::Plan;
use crate::report::facts::{CutFacts, RunFacts};
use std::collections::BTreeSet;
use std::sync::Arc;

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
    /// Re-open severed conduits too, after you named them. Without it a cut stays a cut.
    #[arg(long)]
    reopen: bool,
    /// The conduits to be re-opened, for where nobody is there to type them; `--yes` does not stand for it.
    #[arg(long, value_name = "CONDUIT,…", requires = "reopen", value_delimiter = ',')]
    consent: Vec<String>,
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
    let consent = match verb.reopen {
        true => consent(verb, &cuts_in(&dir, &plan, scope)?)?,
        false => Vec::new(),
    };
    if !verb.driving.yes {
        confirm(verb, &plan)?;
    }
    let by = people::who();
    if dir.held_by().is_some() {
        inbox::post(&dir, &Message::Rollback { by, scope, reopen: verb.reopen, consent })?;
        printer::data(&format!("run {short} is live in another process, which was told to roll back"))?;
        return Ok(Exit::Completed);
    }
    let opened = resume::open(&dir)?;
    if opened.past.is_empty() {
        return Err(CliError::usage(format!("run {short} never began: there is nothing to take back")));
    }
    // Alone: a `Resume` before it would end a run that is over at once.
    let first = vec![Input::RollbackRequested { scope, reopen: verb.reopen, by, consent }];
    let secrets = conduct::provide(&opened.plan, &verb.driving)?;
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

/// The conduits that are cut and that a rollback of this much would re-open.
fn cuts_in(dir: &RunDir, plan: &Plan, scope: Scope) -> Result<BTreeSet<ConduitName>, CliError> {
    let mut state = RunState::new(Arc::new(plan.clone()));
    for record in dir.read()?.records {
        state.apply(record.at, &record.event).map_err(|illegal| {
            CliError::with(Exit::Journal, format!("{}: {illegal}", dir.journal_path().display()))
        })?;
    }
    let held = steps_in(plan, scope).unwrap_or_default();
    let in_scope = |cut: &CutFacts| {
        plan.step_named(cut.step.as_str()).is_some_and(|step| held.get(step.at()).copied().unwrap_or(false))
    };
    let cuts = RunFacts::of(&state).cuts;
    Ok(cuts.into_iter().filter(in_scope).map(|cut| cut.conduit).collect())
}

/// Whoever re-opens names what is re-opened, each conduit of it: `--yes` and a runbook's name are typed too easily.
fn consent(verb: &Verb, cuts: &BTreeSet<ConduitName>) -> Result<Vec<ConduitName>, CliError> {
    let all: Vec<&str> = cuts.iter().map(ConduitName::as_str).collect();
    let all = all.join(",");
    let typed = match verb.consent.is_empty() {
        false => verb.consent.join(","),
        true if cuts.is_empty() => String::new(),
        true if printer::person_present() => {
            printer::say(&format!("This RE-OPENS what was cut: {}.", all.replace(',', ", ")));
            people::ask_line("Type the names of these conduits to consent: ").unwrap_or_default()
        }
        true => {
            return Err(CliError::with(
                Exit::Refused,
                format!("nobody is there to consent to re-opening {all}"),
            )
            .hint(format!("`--consent {all}` consents; it is recorded, with your name")));
        }
    };
    let named: BTreeSet<&str> =
        typed.split([',', ' ']).map(str::trim).filter(|name| !name.is_empty()).collect();
    if named == cuts.iter().map(ConduitName::as_str).collect() {
        return Ok(cuts.iter().cloned().collect());
    }
    let wanted =
        if cuts.is_empty() { "nothing is cut".to_owned() } else { format!("it would re-open {all}") };
    Err(CliError::with(Exit::Refused, format!("that is no consent to this rollback: {wanted}"))
        .hint("nothing was started, and what is cut stays cut"))
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
