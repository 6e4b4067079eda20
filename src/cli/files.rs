//! What most verbs begin with: read the files, compile the plan, open the store, find the run.

use crate::cli::args::{Args, Choosing, Input};
use crate::cli::error::{CliError, Exit};
use crate::cli::problems;
use crate::journal::{JournalError, Kind, RunDir, Store};
use crate::load::{self, Loaded};
use crate::model::names::RunId;
use crate::model::place::Sources;
use crate::model::{Inventory, Problem, Problems, Runbook};
use crate::plan::{self, Choices, FileFacts, Plan};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Runbook and inventory, checked on their own and together.
#[derive(Debug)]
pub struct Files {
    /// The inventory.
    pub inventory: Inventory,
    /// The runbook.
    pub runbook: Runbook,
    /// Their texts, for excerpts.
    pub sources: Sources,
    /// Warnings.
    pub problems: Problems,
}

/// Reads both files; every problem of both at once.
pub fn read(input: &Input) -> Result<Files, CliError> {
    let mut sources = Sources::default();
    let Loaded { value: runbook, mut problems } = load::runbook(&mut sources, &input.runbook);
    let Loaded { value: inventory, problems: more } = load::inventory(&mut sources, &input.inventory);
    problems.extend(more);
    if let (Some(inventory), Some(runbook)) = (&inventory, &runbook) {
        problems.extend(load::together(inventory, runbook));
    }
    match (inventory, runbook) {
        (Some(inventory), Some(runbook)) if !problems.any_error() => {
            Ok(Files { inventory, runbook, sources, problems })
        }
        _ => Err(CliError::Problems(problems, sources)),
    }
}

/// A plan, with what it was made of.
#[derive(Debug)]
pub struct Compiled {
    /// The plan.
    pub plan: Plan,
    /// The inventory.
    pub inventory: Inventory,
    /// The runbook.
    pub runbook: Runbook,
    /// Their texts, for excerpts.
    pub sources: Sources,
}

/// Compiles the plan; warnings go to stderr.
pub fn compile(input: &Input, choosing: &Choosing) -> Result<Plan, CliError> {
    Ok(compiled(input, choosing)?.plan)
}

/// Compiles the plan and keeps what it was made of; warnings go to stderr.
pub fn compiled(input: &Input, choosing: &Choosing) -> Result<Compiled, CliError> {
    let Files { inventory, runbook, sources, mut problems } = read(input)?;
    let choices = choices(choosing)?;
    match plan::compile(&inventory, &runbook, &choices, &uploads(&input.runbook)) {
        Ok((plan, warnings)) => {
            problems.extend(warnings);
            if !problems.0.is_empty() {
                problems::print(&problems, &sources);
            }
            Ok(Compiled { plan, inventory, runbook, sources })
        }
        Err(more) => {
            let asked_too_much = more.0.iter().all(|problem| is_of_the_command_line(problem, choosing));
            problems.extend(more);
            Err(match asked_too_much {
                true => CliError::Choices(problems, sources),
                false => CliError::Problems(problems, sources),
            })
        }
    }
}

/// Is this the fault of flags rather than of files?
fn is_of_the_command_line(problem: &Problem, choosing: &Choosing) -> bool {
    let narrowed = choosing.limit.is_some() || choosing.phase.is_some() || choosing.until.is_some();
    match problem.code {
        "param-missing" | "param-type" | "param-choice" => true,
        "nothing-to-do" => narrowed,
        // What is asked for in a file has a place there.
        _ => problem.at.is_none(),
    }
}

/// The operator's choices as the plan takes them.
pub fn choices(choosing: &Choosing) -> Result<Choices, CliError> {
    Ok(Choices {
        limit: choosing.limit.clone(),
        params: params(&choosing.extra)?,
        phase: choosing.phase.clone(),
        until: choosing.until.clone(),
        becomes: choosing.becomes,
    })
}

/// Files to upload are named relative to the runbook's directory.
pub fn files_dir(runbook: &Path) -> PathBuf {
    let dir = runbook.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    dir.canonicalize().unwrap_or_else(|_| dir.to_owned())
}

/// What is known of the files that a runbook uploads.
pub fn uploads(runbook: &Path) -> impl Fn(&str) -> Result<FileFacts, String> {
    let base = files_dir(runbook);
    move |name| file_facts(&base.join(name))
}

fn file_facts(path: &Path) -> Result<FileFacts, String> {
    let mut file = std::fs::File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut hasher = Sha256::new();
    std::io::copy(&mut file, &mut HashInto(&mut hasher))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    let sha256 = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(FileFacts { sha256 })
}

struct HashInto<'a>(&'a mut Sha256);

impl std::io::Write for HashInto<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn params(extra: &[String]) -> Result<BTreeMap<String, String>, CliError> {
    let mut params = BTreeMap::new();
    for given in extra {
        let Some((name, value)) = given.split_once('=') else {
            return Err(CliError::usage(format!("`-e {given}`: expected NAME=VALUE"))
                .hint("quote the whole of it if VALUE has blanks: -e 'ticket=INC 7'"));
        };
        if params.insert(name.trim().to_owned(), value.to_owned()).is_some() {
            return Err(CliError::usage(format!("`-e {}` is given twice", name.trim())));
        }
    }
    Ok(params)
}

/// Opens the store of runs.
pub fn store(args: &Args) -> Result<Store, CliError> {
    Ok(Store::open(&state_dir(args)?)?)
}

/// Where runs are kept.
pub fn state_dir(args: &Args) -> Result<PathBuf, CliError> {
    if let Some(dir) = &args.state {
        return Ok(dir.clone());
    }
    let from = |name: &str| std::env::var_os(name).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let usual = || {
        from("XDG_STATE_HOME")
            .or_else(|| from("HOME").map(|home| home.join(".local/state")))
            .map(|state| state.join("blackstart"))
    };
    from("BLACKSTART_STATE").or_else(usual).ok_or_else(|| {
        CliError::usage("there is no $HOME to keep runs in").hint("give a directory with --state DIR")
    })
}

/// Opens the store of runs if it is there: looking must not create the place that is looked in.
pub fn store_if_any(args: &Args) -> Result<Option<Store>, CliError> {
    let root = state_dir(args)?;
    match std::fs::metadata(&root).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        true => Ok(None),
        false => Ok(Some(Store::open(&root)?)),
    }
}

/// Finds a run by the beginning of its id, or `last`.
pub fn run(args: &Args, wanted: &str) -> Result<RunDir, CliError> {
    let root = state_dir(args)?;
    let none = |what: &str| {
        CliError::usage(format!("{what} in {}", root.display()))
            .hint("`--state DIR` or $BLACKSTART_STATE says where runs are kept")
    };
    let Some(store) = store_if_any(args)? else { return Err(none("there are no runs")) };
    if store.ids()?.is_empty() {
        return Err(none("there are no runs"));
    }
    Ok(store.find(wanted)?)
}

/// A run's id as short as it may be typed.
pub fn short(args: &Args, dir: &RunDir) -> Result<String, CliError> {
    short_id(&store(args)?, dir.id())
}

/// The shortest beginning of a run's id that only it has, and never fewer digits than tell apart at a glance.
pub fn short_id(store: &Store, id: &RunId) -> Result<String, CliError> {
    let mut ids = store.ids()?;
    ids.retain(|other| other != id);
    let at = ids.partition_point(|other| other < id);
    ids.insert(at, id.clone());
    Ok(short_among(&ids, at))
}

/// The same for one of many, which are in order: only its neighbours can begin like it for longer than any other.
pub fn short_among(ids: &[RunId], at: usize) -> String {
    let id = ids[at].as_str();
    let neighbours = [at.checked_sub(1), Some(at + 1)];
    let neighbours = || neighbours.iter().flatten().filter_map(|at| ids.get(*at));
    let unique = |len: &usize| !neighbours().any(|other| other.as_str().starts_with(&id[..*len]));
    let len = (SHORT_ID_MIN..id.len()).find(unique).unwrap_or(id.len());
    id[..len].to_owned()
}

/// Ids of one week share seven digits; twelve tell runs apart that start seconds from each other.
const SHORT_ID_MIN: usize = 12;

/// The exit code of trouble with the journal.
pub fn journal_exit(error: &JournalError) -> Exit {
    match error.kind() {
        Kind::Usage => Exit::Usage,
        Kind::Broken => Exit::Journal,
        Kind::Locked => Exit::Locked,
    }
}
