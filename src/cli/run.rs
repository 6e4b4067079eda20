//! `blackstart run`: carries a runbook out, or looks with `--dry-run`.

use crate::cli::args::{Args, Choosing, Driving, Format, Input as InputFlags};
use crate::cli::conduct::{self, Conduct};
use crate::cli::dangers::{Accepting, Dangers};
use crate::cli::error::{CliError, Exit};
use crate::cli::files::Compiled;
use crate::cli::{claims, files, printer, resume};
use crate::drive::clock::Clock;
use crate::drive::secrets::Secrets;
use crate::drive::{self, people};
use crate::engine::Input;
use crate::journal::RunDir;
use crate::model::Time;
use crate::model::event::{Mode, Scope};
use crate::model::names::RunId;
use crate::model::secret::Secret;
use crate::plan::frozen::Origin;
use crate::plan::{self, Plan};
use crate::report::dry_run::{dry_run, dry_run_json};
use crate::report::words::so_many;
use crate::transport::Stopper;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// Carry a runbook out.
#[derive(Debug, clap::Args)]
pub struct Verb {
    #[command(flatten)]
    input: InputFlags,
    #[command(flatten)]
    choosing: Choosing,
    #[command(flatten)]
    driving: Driving,
    #[command(flatten)]
    accepting: Accepting,
    /// Connect and look: preflights, checks and probes only. Changes nothing on any host.
    #[arg(long)]
    dry_run: bool,
    /// A drill: real hosts, objectives are scored, guards revert. A missed objective is exit code 24.
    #[arg(long, conflicts_with = "dry_run")]
    drill: bool,
    /// Take a drill back once it has ended well: all of it, and what it cut is re-opened.
    #[arg(long, requires = "drill")]
    take_back: bool,
}

/// Compiles, asks, freezes the plan, and carries it out.
pub fn carry_out(verb: &Verb, args: &Args) -> Result<Exit, CliError> {
    let compiled = files::compiled(&verb.input, &verb.choosing)?;
    let mut first = accepted(verb, &compiled)?;
    let plan = compiled.plan;
    if verb.dry_run {
        return look(verb, plan, args);
    }
    if !verb.driving.yes {
        confirm(&plan, verb.drill)?;
    }
    // Before there is a run: what cannot be had leaves nothing half-done.
    let secrets = conduct::provide(&plan, &verb.driving)?;
    let id = RunId(uuid::Uuid::now_v7().simple().to_string());
    let hash = plan::hash(&plan);
    let origin = Origin {
        runbook_file: absolute(&verb.input.runbook),
        inventory_file: absolute(&verb.input.inventory),
        at: Clock::start(Time::default()).now(),
        choices: files::choices(&verb.choosing)?,
        drill: verb.drill,
        tabletop: false,
    };
    let dir = files::store(args)?.create(&id, &plan::to_json(&plan), &origin)?;
    let lock = dir.lock()?;
    first.push(Input::Begin {
        run: id,
        plan: hash,
        mode: mode(verb.drill),
        by: people::who(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    });
    let conduct = Conduct {
        dir,
        lock,
        plan: Arc::new(plan),
        files_dir: files::files_dir(&verb.input.runbook),
        secrets,
        past: Vec::new(),
        first,
    };
    let (dir, secrets) = (conduct.dir.clone(), conduct.secrets.clone());
    let exit = conduct::carry_out(conduct, &verb.driving, args)?;
    let came_through = matches!(exit, Exit::Completed | Exit::Missed);
    if verb.take_back && came_through { take_back(&dir, secrets, verb, args) } else { Ok(exit) }
}

/// A drill that ended well goes back to where it started. Nothing is at stake behind what it cut.
fn take_back(
    dir: &RunDir,
    secrets: (Secrets, Option<Secret>),
    verb: &Verb,
    args: &Args,
) -> Result<Exit, CliError> {
    let opened = resume::open(dir)?;
    Dangers::of(&opened.plan).warn_of_undos(&opened.plan, true);
    let first =
        Input::RollbackRequested { scope: Scope::Run, reopen: true, by: people::who(), consent: Vec::new() };
    conduct::carry_out(opened.with(secrets, vec![first]), &verb.driving, args)
}

/// What is dangerous about the plan and accepted; everything that is not is said before it is refused.
fn accepted(verb: &Verb, compiled: &Compiled) -> Result<Vec<Input>, CliError> {
    let ways = claims::outlook(compiled, &verb.choosing);
    let open = claims::pass(&ways, compiled, &verb.accepting);
    let lock_outs = Dangers::of(&compiled.plan).accept(&compiled.plan, &verb.accepting);
    match (open, lock_outs) {
        (Ok(open), Ok(lock_outs)) => Ok(lock_outs.into_iter().chain(open).collect()),
        (Err(open), Err(lock_outs)) => {
            open.print();
            Err(lock_outs)
        }
        (Err(refused), Ok(_)) | (Ok(_), Err(refused)) => Err(refused),
    }
}

/// A drill is one from its first event on.
pub(super) fn mode(drill: bool) -> Mode {
    if drill { Mode::Drill } else { Mode::Live }
}

pub(super) fn absolute(path: &Path) -> String {
    path.canonicalize().unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// Asks for the runbook's name: a habit of typing `y` must not cut a hospital off.
fn confirm(plan: &Plan, drill: bool) -> Result<(), CliError> {
    if !printer::person_present() {
        return Err(CliError::usage("nobody is there to confirm the run")
            .hint("give `--yes` to start without asking"));
    }
    let hosts = so_many(plan.hosts.len(), "host");
    let what = if drill { "This is a drill: it" } else { "This" };
    printer::say(&format!(
        "{what} carries out `{}` on {hosts} of `{}`, for real.",
        plan.runbook, plan.inventory
    ));
    let cuts: Vec<String> = plan::graph::cuts(plan).0.iter().map(ToString::to_string).collect();
    if !cuts.is_empty() {
        printer::say(&format!("It cuts: {}. Cuts stay until somebody re-opens them.", cuts.join(", ")));
    }
    match people::ask_line(&format!("Type the runbook's name ({}) to start: ", plan.runbook)) {
        Some(line) if line.trim() == plan.runbook => Ok(()),
        Some(_) | None => Err(CliError::usage("that is not the runbook's name; nothing was started")),
    }
}

fn look(verb: &Verb, plan: Plan, args: &Args) -> Result<Exit, CliError> {
    let plan = Arc::new(plan);
    let driving = &verb.driving;
    let looked = conduct::on_runtime(async {
        let (secrets, become_password) = conduct::secrets_of(&plan, driving.ask_become_pass).await?;
        // Nothing is claimed on any host, so this id is seen by nobody.
        let id = RunId(uuid::Uuid::now_v7().simple().to_string());
        let tools = Rc::new(conduct::tools(&plan, &id, secrets, become_password, Rc::new(|_, _| {})));
        let (stopper, stop) = Stopper::new();
        let spinner =
            driving.format == Format::Text && console::user_attended_stderr() && !driving.no_progress;
        let mut progress = |what: &str| {
            if spinner {
                eprint!("\r\x1b[Klooking: {what}");
            }
        };
        let look = drive::dry_run::carry_out(tools.clone(), driving.forks, stop, &mut progress);
        let looked = tokio::select! {
            looked = look => Some(looked),
            _ = tokio::signal::ctrl_c() => None,
        };
        stopper.stop();
        if spinner {
            eprint!("\r\x1b[K");
        }
        tools.fleet.close().await;
        Ok::<_, CliError>(looked)
    })??;
    let Some(looked) = looked else {
        return Err(CliError::with(Exit::Stopped, "the dry run was interrupted; nothing was changed"));
    };
    match driving.format {
        Format::Json => printer::json(&dry_run_json(&plan, &looked))?,
        Format::Text => printer::data(&dry_run(&plan, &looked, &printer::look_of_stdout(args)))?,
    }
    let fine = looked.hosts_in_trouble() == 0 && looked.failing() == 0;
    Ok(if fine { Exit::Completed } else { Exit::Stopped })
}
