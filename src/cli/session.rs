//! A table with people: each line moves time or answers. What is said is on disk before anybody sees what came of it, so
//! that `blackstart resume` goes on with a session whose program was killed, or that was left for the day.

use crate::cli::args::Args;
use crate::cli::conduct::exit_of;
use crate::cli::error::{CliError, Exit};
use crate::cli::{files, printer, tabletop};
use crate::drive::about::about;
use crate::drive::people;
use crate::drive::tabletop::notes::{NOTES_VERSION, Note, Setting};
use crate::drive::tabletop::session::{Reply, Session};
use crate::drive::tabletop::{Opening, Staging};
use crate::engine::RunState;
use crate::journal::{Notes, RunDir, RunLock, Writer};
use crate::load::{self, Loaded};
use crate::model::names::RunId;
use crate::model::place::Sources;
use crate::model::scenario::Scenario;
use crate::model::{Event, Time};
use crate::plan::Plan;
use crate::report::{self, Display};
use std::sync::Arc;

/// Sets a table, and plays until the facilitator has enough.
pub(super) fn begin(
    args: &Args,
    dir: RunDir,
    staging: Arc<Staging>,
    setting: Setting,
) -> Result<Exit, CliError> {
    let lock = dir.lock()?;
    let mut session = Session::open(staging, setting.opening.clone());
    let mut kept = Kept { journal: dir.append(&lock)?, notes: dir.append_notes(&lock)?, dir, lock };
    kept.notes.put(&[Note::Set(Box::new(setting))])?;
    kept.keep(&mut session)?;
    let shown = Shown::new(session.run().plan(), kept.dir.id());
    printer::say("Time stands still until you move it. `help` lists what can be typed.");
    play(args, kept, session, shown)
}

/// Was this run played by people at a table?
pub(super) fn is_one(dir: &RunDir) -> bool {
    dir.notes_path().exists()
}

/// Plays on where a session was left, or was killed.
pub(super) fn go_on(args: &Args, dir: RunDir) -> Result<Exit, CliError> {
    let lock = dir.lock()?;
    let notes: Vec<Note> = dir.notes()?;
    let Some(Note::Set(setting)) = notes.first() else {
        let what = format!("{}: it does not say how the table was set", dir.notes_path().display());
        return Err(CliError::with(Exit::Journal, what));
    };
    let (plan, _) = dir.read_plan()?;
    let staging = Arc::new(staging(plan, setting, &dir)?);
    let mut session = Session::again(staging.clone(), setting.opening.clone(), &notes);
    let past: Vec<(Time, Event)> =
        dir.read()?.records.into_iter().map(|record| (record.at, record.event)).collect();
    let taken_back = notes.iter().rev().take(2).any(|note| matches!(note, Note::TakenBack { .. }));
    let journal = match session.told().starts_with(&past) {
        true => dir.append(&lock)?,
        // The program died before the journal was in order after something had been taken back, or the session was left
        // for the day, and that is taken back.
        false if taken_back || session.goes_on() => rewritten(&dir, &lock, &session)?,
        false => return Err(tells_another_story(&dir, setting)),
    };
    let mut kept = Kept { journal, notes: dir.append_notes(&lock)?, dir, lock };
    kept.keep(&mut session)?;
    let mut shown = Shown::new(&staging.plan, kept.dir.id());
    shown.skip(session.told());
    printer::say("The table stands as it was left. `help` lists what can be typed.");
    session.stands().iter().for_each(|line| printer::say(line));
    play(args, kept, session, shown)
}

/// What decides how the world behaves is what it was when the table was set, whatever became of the files.
fn staging(plan: Plan, setting: &Setting, dir: &RunDir) -> Result<Staging, CliError> {
    if setting.v != NOTES_VERSION {
        let what = format!("{}: its version is {}", dir.notes_path().display(), setting.v);
        return Err(CliError::with(Exit::Journal, what));
    }
    let mut sources = Sources::default();
    let (name, text) = &setting.inventory;
    let Loaded { value: inventory, mut problems } = load::inventory_text(&mut sources, name, text);
    let mut scenario = Some(Scenario::default());
    if let Some((name, text)) = &setting.scenario {
        let loaded = load::scenario_text(&mut sources, name, text);
        scenario = loaded.value;
        problems.extend(loaded.problems);
    }
    match inventory.zip(scenario) {
        Some((inventory, scenario)) => Ok(Staging::of(plan, &inventory, &scenario, &setting.learnt)),
        None => Err(CliError::Problems(problems, sources)),
    }
}

fn tells_another_story(dir: &RunDir, setting: &Setting) -> CliError {
    let what = format!("{}: it is not what its session comes to", dir.journal_path().display());
    let by = &setting.opening.version;
    CliError::with(Exit::Journal, what).hint(format!("the session was begun with blackstart {by}"))
}

fn play(args: &Args, mut kept: Kept, mut session: Session, mut shown: Shown) -> Result<Exit, CliError> {
    shown.show(session.told());
    loop {
        let typed = people::ask_line(&session.prompt());
        if typed.is_none() {
            // Nobody ended the line of the prompt.
            printer::say("");
        }
        let reply = session.hear(typed.as_deref());
        kept.keep_after(&mut session, &reply)?;
        match reply {
            Reply::Says(lines) => {
                shown.show(session.told());
                lines.iter().for_each(|line| printer::say(line));
            }
            Reply::TakenBack(lines) => {
                shown = Shown::new(session.run().plan(), kept.dir.id());
                shown.skip(session.told());
                lines.iter().for_each(|line| printer::say(line));
            }
            Reply::Done => break,
        }
    }
    shown.show(session.told());
    tabletop::recap(args, &kept.dir, session.run().plan(), session.told())?;
    let run = files::short(args, &kept.dir)?;
    printer::hint(&format!("`blackstart resume {run}` sits down at the table again, as it stands"));
    Ok(session.verdict().map_or(Exit::Stopped, |verdict| exit_of(session.run(), verdict)))
}

/// A session on disk.
struct Kept {
    dir: RunDir,
    lock: RunLock,
    notes: Notes,
    journal: Writer,
}

impl Kept {
    /// First what was said, so that the journal can be told again from it; then what came of it.
    fn keep(&mut self, session: &mut Session) -> Result<(), CliError> {
        self.notes.put(&session.take_notes())?;
        let from = usize::try_from(self.journal.len()).expect("it is in memory as well");
        for (at, event) in &session.told()[from..] {
            self.journal.add(*at, event, named(session, event).as_deref());
        }
        Ok(self.journal.commit()?)
    }

    fn keep_after(&mut self, session: &mut Session, reply: &Reply) -> Result<(), CliError> {
        if let Reply::TakenBack(_) = reply {
            self.notes.put(&session.take_notes())?;
            self.journal = rewritten(&self.dir, &self.lock, session)?;
        }
        self.keep(session)
    }
}

/// The journal as the session tells it.
fn rewritten(dir: &RunDir, lock: &RunLock, session: &Session) -> Result<Writer, CliError> {
    let events = session.told().iter().map(|(at, event)| (*at, event, named(session, event)));
    Ok(dir.rewrite(lock, events)?)
}

fn named(session: &Session, event: &Event) -> Option<String> {
    about(event).map(|task| session.run().plan().task_name(task))
}

/// Enough of a run's id to know it by.
const RUN_DIGITS: usize = 12;

/// What of a session stands on the screen.
struct Shown {
    state: RunState,
    display: Box<dyn Display>,
    events: usize,
}

impl Shown {
    fn new(plan: &Arc<Plan>, run: &RunId) -> Self {
        let look = report::Look::of_stderr(&run.as_str()[..RUN_DIGITS]);
        Self { state: RunState::new(plan.clone()), display: Box::new(report::plain(look)), events: 0 }
    }

    fn show(&mut self, told: &[(Time, Event)]) {
        for (at, event) in &told[self.events..] {
            self.state.apply(*at, event).expect("the engine applied it before");
            self.display.event(&self.state, *at, event);
        }
        self.events = told.len();
    }

    /// The same without a word: it was on the screen before.
    fn skip(&mut self, told: &[(Time, Event)]) {
        for (at, event) in &told[self.events..] {
            self.state.apply(*at, event).expect("the engine applied it before");
        }
        self.events = told.len();
    }
}

/// How a table is set.
pub(super) fn setting(
    opening: &Opening,
    sources: &Sources,
    inventory: &str,
    scenario: Option<&str>,
    learnt: crate::drive::tabletop::Learnt,
) -> Setting {
    let text = |name: &str| {
        let source = sources.0.iter().rev().find(|source| source.name == name);
        (name.to_owned(), source.map(|source| source.text.clone()).unwrap_or_default())
    };
    Setting {
        v: NOTES_VERSION,
        opening: opening.clone(),
        inventory: text(inventory),
        scenario: scenario.map(text),
        learnt,
    }
}
