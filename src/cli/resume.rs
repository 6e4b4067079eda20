//! `blackstart resume`: goes on where a run stopped, crashed or lost its controller.

use crate::cli::args::{Args, Choosing, Driving, Input as InputFlags};
use crate::cli::conduct::{self, Conduct};
use crate::cli::dangers::{Accepting, Dangers};
use crate::cli::error::{CliError, Exit};
use crate::cli::{files, printer, run, session};
use crate::drive::people;
use crate::drive::secrets::Secrets;
use crate::engine::{Input, RunState, Status};
use crate::journal::RunDir;
use crate::model::Time;
use crate::model::event::{Event, Mode, Verdict};
use crate::model::secret::Secret;
use crate::plan::{self, Plan};
use crate::report::facts::RunFacts;
use std::path::Path;
use std::sync::Arc;

/// Go on with a run.
#[derive(Debug, clap::Args)]
pub struct Verb {
    /// The run: the beginning of its id, or `last`.
    #[arg(value_name = "RUN", default_value = "last")]
    run: String,
    #[command(flatten)]
    driving: Driving,
    /// Go on with the frozen plan although runbook or inventory were changed since.
    #[arg(long)]
    frozen: bool,
}

/// Reads the journal back and carries on.
pub fn carry_out(verb: &Verb, args: &Args) -> Result<Exit, CliError> {
    let dir = files::run(args, &verb.run)?;
    if session::is_one(&dir) {
        return session::go_on(args, dir);
    }
    let opened = open(&dir)?;
    if let Some(over) = is_over(&opened, &files::short(args, &dir)?)? {
        return over;
    }
    if !verb.frozen {
        refuse_drift(&dir, &files::short(args, &dir)?, &opened.plan)?;
    }
    let accepted = opened.past.iter().any(|(_, event)| matches!(event, Event::RiskAccepted { .. }));
    if !accepted {
        still_safe(&opened)?;
    }
    let secrets = conduct::provide(&opened.plan, &verb.driving)?;
    let first = vec![Input::Resume { by: people::who(), version: env!("CARGO_PKG_VERSION").to_owned() }];
    conduct::carry_out(opened.with(secrets, first), &verb.driving, args)
}

/// A run that was begun goes on, with a warning; one that would only begin now is refused as `run` would.
fn still_safe(opened: &Opened) -> Result<(), CliError> {
    let dangers = Dangers::of(&opened.plan);
    match opened.past.is_empty() {
        true => dangers.accept(&opened.plan, &Accepting::default()).map(drop),
        false => {
            dangers.say(&opened.plan);
            Ok(())
        }
    }
}

/// What to say of a run that cannot be gone on with: that a completed one is completed is no error.
fn is_over(opened: &Opened, short: &str) -> Result<Option<Result<Exit, CliError>>, CliError> {
    let state = opened.state()?;
    let Status::Ended(verdict) = state.status() else { return Ok(None) };
    if state.can_resume() {
        return Ok(None);
    }
    let how = RunFacts::of(&state).sentence;
    let what = format!("run {short} is over, there is nothing to go on with. {how}");
    Ok(Some(match verdict {
        Verdict::Completed => {
            printer::say(&what);
            Ok(Exit::Completed)
        }
        Verdict::RolledBack => Err(CliError::with(Exit::RolledBack, what)
            .hint(format!("`blackstart show {short}` tells how it went; `blackstart run` starts a new one"))),
        Verdict::Stuck => Err(CliError::with(Exit::Stuck, what)
            .hint(format!("`blackstart rollback {short}` tries again what could not be taken back"))),
        Verdict::Stopped { .. } | Verdict::Refused { .. } => {
            let by = state.abandoned_by().unwrap_or("somebody");
            Err(CliError::usage(format!("run {short} was given up by {by}, so it does not go on"))
                .hint(format!("`blackstart rollback {short}` still takes it back")))
        }
    }))
}

/// A run's directory, opened for going on.
pub fn open(dir: &RunDir) -> Result<Opened, CliError> {
    let lock = dir.lock()?;
    let (plan, _) = dir.read_plan()?;
    let read = dir.read()?;
    if let Some(bytes) = read.torn_tail {
        printer::warning(&format!(
            "the journal ends in {bytes} bytes of a record that was never committed; they are set aside"
        ));
    }
    let origin = dir.origin()?;
    let past: Vec<(Time, Event)> = read.records.into_iter().map(|record| (record.at, record.event)).collect();
    let played = matches!(past.first(), Some((_, Event::RunStarted { mode: Mode::Tabletop, .. })));
    if played || origin.tabletop {
        return Err(at_a_table(dir));
    }
    Ok(Opened {
        dir: dir.clone(),
        lock,
        plan: Arc::new(plan),
        files_dir: files::files_dir(Path::new(&origin.runbook_file)),
        drill: origin.drill,
        past,
    })
}

/// What was played at a table is never carried on with on real hosts.
pub fn at_a_table(dir: &RunDir) -> CliError {
    let what = format!("run {} was played at a table: no host has seen any of it", dir.id());
    let hint = match session::is_one(dir) {
        true => format!("`blackstart resume {}` goes on at the table; answers are given there", dir.id()),
        false => "`blackstart tabletop` plays another one; `blackstart runs` lists all".to_owned(),
    };
    CliError::usage(what).hint(hint)
}

/// What `open` found.
pub struct Opened {
    /// Its directory.
    pub dir: RunDir,
    /// The lock on it.
    pub lock: crate::journal::RunLock,
    /// The frozen plan.
    pub plan: Arc<Plan>,
    files_dir: std::path::PathBuf,
    /// Was it made for a drill?
    drill: bool,
    /// What happened so far.
    pub past: Vec<(Time, Event)>,
}

impl Opened {
    /// Where the run stands.
    pub fn state(&self) -> Result<RunState, CliError> {
        let mut state = RunState::new(self.plan.clone());
        for (at, event) in &self.past {
            state.apply(*at, event).map_err(|illegal| {
                CliError::with(Exit::Journal, format!("{}: {illegal}", self.dir.journal_path().display()))
            })?;
        }
        Ok(state)
    }
    /// Goes on with this.
    pub fn with(self, secrets: (Secrets, Option<Secret>), mut first: Vec<Input>) -> Conduct {
        if self.past.is_empty() {
            // The process died between making the directory and the first event: the run begins only now.
            let hash = plan::hash(&self.plan);
            first = vec![Input::Begin {
                run: self.dir.id().clone(),
                plan: hash,
                mode: run::mode(self.drill),
                by: people::who(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            }];
        }
        let Self { dir, lock, plan, files_dir, past, drill: _ } = self;
        Conduct { dir, lock, plan, files_dir, secrets, past, first }
    }
}

/// A run goes on with the plan it was started with. Whoever changed the files since must know.
fn refuse_drift(dir: &RunDir, short: &str, frozen: &Plan) -> Result<(), CliError> {
    let origin = dir.origin()?;
    let input = InputFlags {
        runbook: origin.runbook_file.clone().into(),
        inventory: origin.inventory_file.clone().into(),
    };
    let keep = format!("`blackstart resume {short} --frozen` goes on with the plan as it was started");
    let given = origin.choices;
    let choosing = Choosing {
        limit: given.limit,
        extra: given.params.iter().map(|(name, value)| format!("{name}={value}")).collect(),
        phase: given.phase,
        until: given.until,
        becomes: given.becomes,
    };
    let today = match files::compile(&input, &choosing) {
        Ok(plan) => plan,
        Err(error) => {
            error.print();
            return Err(CliError::with(Exit::Drifted, "runbook or inventory no longer compile").hint(keep));
        }
    };
    let differences = plan::drift(frozen, &today);
    if differences.is_empty() {
        return Ok(());
    }
    let list = differences.join("\n  ");
    Err(CliError::with(
        Exit::Drifted,
        format!("runbook or inventory changed since the run was started:\n  {list}"),
    )
    .hint(keep))
}
