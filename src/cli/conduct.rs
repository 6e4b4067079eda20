//! What `run`, `resume` and `rollback` share: secrets, screen, runtime, recap, exit code.

use crate::cli::args::{Args, Driving, Format, WatchEvery};
use crate::cli::error::{CliError, Exit};
use crate::cli::{descriptors, printer, screen};
use crate::drive::clock::Clock;
use crate::drive::fleet::{Fleet, OnReached};
use crate::drive::held::Held;
use crate::drive::job::Workshop;
use crate::drive::live::{Ending, Live, News, Parts};
use crate::drive::people;
use crate::drive::scrub::Scrubber;
use crate::drive::secrets::{self, Secrets};
use crate::drive::signals::Signals;
use crate::drive::tools::Tools;
use crate::drive::watch::{self, Watch};
use crate::engine::{Engine, Input, Limits, RunState};
use crate::journal::{RunDir, RunLock, approval};
use crate::model::Time;
use crate::model::event::{Event, Verdict};
use crate::model::names::{HostIx, RunId};
use crate::model::secret::Secret;
use crate::plan::Plan;
use crate::report::display::Display;
use crate::report::escape;
use crate::report::look::Look;
use crate::report::ndjson;
use crate::report::{self, Tails, Timeline, score};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::LocalSet;

/// A run that is about to go on, in this process, under its lock.
pub struct Conduct {
    /// Its directory.
    pub dir: RunDir,
    /// The lock on it.
    pub lock: RunLock,
    /// The frozen plan.
    pub plan: Arc<Plan>,
    /// Upload files are named relative to this directory.
    pub files_dir: PathBuf,
    /// Secret values, and the sudo password if it was asked for.
    pub secrets: (Secrets, Option<Secret>),
    /// What happened so far.
    pub past: Vec<(Time, Event)>,
    /// What happens first.
    pub first: Vec<Input>,
}

/// Opens a runtime of one thread: a run's loops live on it, and nothing needs to be `Send`.
pub fn on_runtime<T>(work: impl Future<Output = T>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(LocalSet::new().block_on(&runtime, work))
}

/// What a run needs of this machine before it goes on: file descriptors, every secret the plan names, and the
/// sudo password if `-K` asks for it. Where one cannot be had, nothing is half-done.
pub fn provide(plan: &Plan, driving: &Driving) -> Result<(Secrets, Option<Secret>), CliError> {
    descriptors::make_room(plan, driving.forks)?;
    on_runtime(secrets_of(plan, driving.ask_become_pass))?
}

/// The secrets and the sudo password, on a runtime that is there already.
pub async fn secrets_of(plan: &Plan, ask_become_pass: bool) -> Result<(Secrets, Option<Secret>), CliError> {
    let present = printer::person_present();
    let mut prompt = |text: &str| present.then(|| people::ask_secret(&format!("{text}: "))).flatten();
    let become_password = match ask_become_pass {
        false => None,
        true => match prompt("sudo password") {
            Some(password) => Some(Secret::new(password)),
            None => {
                return Err(CliError::usage("`-K` needs a terminal to ask on").hint(
                    "name a `password` secret in the inventory's `become`, or let sudo ask for none (NOPASSWD)",
                ));
            }
        },
    };
    match secrets::fetch(&plan.secrets, &mut prompt).await {
        Ok(secrets) => Ok((secrets, become_password)),
        Err(errors) => {
            let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Err(CliError::with(Exit::Problems, all.join("\n       ")).hint("nothing was started"))
        }
    }
}

/// Hosts, secrets and scrubber for a plan.
pub fn tools(
    plan: &Arc<Plan>,
    run: &RunId,
    secrets: Secrets,
    become_password: Option<Secret>,
    on_reached: OnReached,
) -> Tools {
    let mut masked = secrets.clone();
    if let Some(password) = &become_password {
        masked.insert("become".into(), password.clone());
    }
    let fleet = Fleet::new(plan.clone(), run.clone(), secrets.clone(), become_password, on_reached);
    Tools {
        plan: plan.clone(),
        run: run.clone(),
        fleet: Rc::new(fleet),
        scrubber: Scrubber::new(&masked),
        secrets,
    }
}

/// Carries the run on to its end in this process, shows it, and says how it went.
pub fn carry_out(conduct: Conduct, driving: &Driving, args: &Args) -> Result<Exit, CliError> {
    let present = printer::person_present() && driving.format == Format::Text;
    let limits =
        Limits { jobs_at_once: driving.forks, attended: present || driving.wait, ..Limits::default() };
    let engine = restored(&conduct, limits)?;
    let look = printer::look(args, &conduct.dir)?;
    let mut display = display(driving, printer::look_of_stderr(args, &conduct.dir)?, &conduct)?;
    let replayed = (!conduct.past.is_empty()).then_some(conduct.past.len());
    let not_before = conduct.past.last().map_or(Time::default(), |(at, _)| *at);
    on_runtime(async {
        let (secrets, become_password) = conduct.secrets;
        let signals = Signals::listen()?;
        let writer = conduct.dir.append(&conduct.lock)?;
        let (tell, hear) = mpsc::unbounded_channel();
        let (reached, noted) = (tell.clone(), tell.clone());
        let on_reached = move |host: HostIx, facts: &str| {
            let _ = reached.send(News::Reached(host, facts.to_owned()));
        };
        let watch =
            services_watch(&conduct.plan, conduct.dir.id(), driving, &secrets, become_password.clone());
        let tools = tools(&conduct.plan, conduct.dir.id(), secrets, become_password, Rc::new(on_reached));
        tools.fleet.on_wait(Rc::new(move |what: &str| drop(noted.send(News::Noted(what.to_owned())))));
        let held = Held::so_far(&conduct.past).into();
        let fleet = tools.fleet.clone();
        let shop = Workshop {
            tools: Rc::new(tools),
            dir: conduct.dir.clone(),
            files_dir: conduct.files_dir.clone(),
            held,
        };
        let _no_caret = present.then(people::NoCaret::start);
        display.started(engine.state(), replayed);
        let live = Live::new(Parts {
            engine,
            writer,
            shop: Rc::new(shop),
            clock: Clock::start(not_before),
            display: display.as_mut(),
            watch: args.verbose > 0,
            ask: present,
            baseline: !driving.no_baseline,
            services: watch.clone(),
            by: people::who(),
            news: (tell, hear),
        });
        let (ending, engine) = live.carry_out(conduct.first, signals).await;
        let exit = conclude(&ending, &engine, &conduct.dir, &look, driving);
        if !matches!(ending, Ending::Left) {
            if let Some(watch) = &watch {
                watch::close(watch).await;
            }
            fleet.close().await;
        } else {
            screen::leave();
        }
        match ending {
            Ending::Journal(error) => Err(CliError::Journal(error)),
            Ending::Verdict(_) | Ending::Left => Ok(exit),
        }
    })?
}

/// The watch over services, if there is something to watch. It has connections of its own: no job waits for it.
fn services_watch(
    plan: &Arc<Plan>,
    run: &RunId,
    driving: &Driving,
    secrets: &Secrets,
    become_password: Option<Secret>,
) -> Option<Watch> {
    let WatchEvery::Every(every) = driving.watch_services else { return None };
    plan.services.iter().find(|service| service.probe.is_some())?;
    let (plan, run, secrets) = (plan.clone(), run.clone(), secrets.clone());
    let fleet = Fleet::new(plan, run, secrets, become_password, Rc::new(|_, _| {})).keeping_links();
    Some(Watch { fleet: Rc::new(fleet), every })
}

/// Whoever can write into the run's directory can write a journal whose chain is whole. Signatures they cannot make.
fn check_signatures(conduct: &Conduct) -> Result<(), CliError> {
    let Some((_, Event::RunStarted { plan, .. })) = conduct.past.first() else { return Ok(()) };
    for (at, event) in &conduct.past {
        if let Event::Answered { answer } = event
            && answer.signed.is_some()
            && let Err(why) = approval::check(&conduct.plan, plan, conduct.dir.id(), answer, *at)
        {
            let journal = conduct.dir.journal_path();
            let what = format!("{}: the signature of {}: {why}", journal.display(), answer.by);
            return Err(CliError::with(Exit::Journal, escape::line(&what)).hint("nothing was started"));
        }
    }
    Ok(())
}

fn restored(conduct: &Conduct, limits: Limits) -> Result<Engine, CliError> {
    check_signatures(conduct)?;
    if conduct.past.is_empty() {
        return Ok(Engine::new(conduct.plan.clone(), limits));
    }
    Engine::restore(conduct.plan.clone(), limits, conduct.past.iter().cloned()).map_err(|illegal| {
        CliError::with(Exit::Journal, format!("{}: {illegal}", conduct.dir.journal_path().display()))
    })
}

/// What shows the run. All of it goes to a screen that holds nothing up.
fn display(driving: &Driving, look: Look, conduct: &Conduct) -> Result<Box<dyn Display>, CliError> {
    let screen = screen::start(&look)?;
    Ok(match driving.format {
        Format::Json => {
            let (plan, run, mut again) =
                (conduct.plan.clone(), conduct.dir.id().clone(), conduct.dir.again());
            let again = move |seq| {
                let (at, event) = again.record(seq).map_err(|error| error.to_string())?;
                Ok(ndjson::text(&plan, Some(&run), seq, at, &event))
            };
            Box::new(report::ndjson(screen.events(Box::new(again))).after(conduct.past.clone()))
        }
        Format::Text => report::on_screen(&screen, look, !driving.no_progress),
    })
}

fn conclude(ending: &Ending, engine: &Engine, dir: &RunDir, look: &Look, driving: &Driving) -> Exit {
    let state = engine.state();
    let exit = match ending {
        Ending::Verdict(verdict) => exit_of(state, verdict),
        Ending::Left => Exit::Stopped,
        Ending::Journal(_) => Exit::Journal,
    };
    match driving.format {
        Format::Json => {}
        Format::Text => {
            // What failed jobs printed is in the journal, of earlier processes too. Where it cannot be read any more, how
            // the run ended is true all the same, and why it ended is said by the caller.
            match dir.read() {
                Ok(read) => {
                    let records = read.records.into_iter();
                    let events: Vec<(Time, Event)> =
                        records.map(|record| (record.at, record.event)).collect();
                    if let Ok(told) = Timeline::of(state.plan().clone(), &events) {
                        let tails = Tails::of(events.iter().map(|(_, event)| event));
                        // Whoever closed stdout does not want the recap; the exit code is the run's all the same.
                        let _ = printer::data(&report::recap(&told, &tails, look));
                    }
                }
                Err(error) => {
                    printer::warning(&format!("there is no recap: {error}"));
                    printer::hint(&format!("`blackstart show {}` tells it once that is mended", look.run));
                }
            }
        }
    }
    if matches!(ending, Ending::Left) {
        printer::warning("left at once: jobs may still run on hosts; `resume` finds out what became of them");
    }
    exit
}

/// The exit code of a verdict.
pub(super) fn exit_of(state: &RunState, verdict: &Verdict) -> Exit {
    match score::exit_code(state, verdict) {
        0 => Exit::Completed,
        20 => Exit::RolledBack,
        21 => Exit::Stuck,
        22 => Exit::Stopped,
        23 => Exit::Refused,
        score::MISSED => Exit::Missed,
        code => unreachable!("verdicts have the documented exit codes, not {code}"),
    }
}
