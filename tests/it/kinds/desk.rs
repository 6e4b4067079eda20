//! A desk with an inventory and a runbook, the program run at it, and what its journal says of each task.

use blackstart::journal::{Record, RunDir, Store};
use blackstart::model::Outcome;
use blackstart::model::event::{Event, Facts, JobKind, TaskEnd, UndoEnd};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const BLACKSTART: &str = env!("CARGO_BIN_EXE_blackstart");

/// Where a run is started from.
pub struct Desk {
    dir: tempfile::TempDir,
    inventory: String,
    hosts: Vec<String>,
    known_hosts: String,
}

/// What a run came to.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
    pub dir: RunDir,
    pub records: Vec<Record>,
}

impl Desk {
    /// An empty inventory with these lines before its hosts.
    pub fn new(head: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let known = dir.path().join("known_hosts");
        let inventory = format!(
            "version: 1\nname: kinds\n{head}defaults: {{ agent: false, ssh_config: false, known_hosts: {} }}\nhosts:\n",
            known.display()
        );
        Self { dir, inventory, hosts: Vec::new(), known_hosts: String::new() }
    }

    /// Adds a host: its entry without braces, and the line that knows its key.
    pub fn host(&mut self, name: &str, entry: &str, known: &str) {
        self.inventory += &format!("  {name}: {{ {entry} }}\n");
        self.hosts.push(name.to_owned());
        self.known_hosts += known;
    }

    /// The names of its hosts.
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// A file of the desk.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// `blackstart` with the desk's files, its home and its state.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BLACKSTART);
        command.current_dir(self.dir.path()).args(args);
        command.env("HOME", self.dir.path()).env("BLACKSTART_STATE", self.path("state"));
        command.env("NO_COLOR", "1").env_remove("SSH_AUTH_SOCK").stdin(Stdio::null());
        command
    }

    /// Writes the files for a runbook; `run` is then started by [`Desk::command`].
    pub fn write(&self, runbook: &str) {
        fs::write(self.path("known_hosts"), &self.known_hosts).unwrap();
        fs::write(self.path("inventory.yaml"), &self.inventory).unwrap();
        fs::write(self.path("runbook.yaml"), runbook).unwrap();
    }

    /// Runs a runbook to its end.
    pub fn run(&self, runbook: &str, set: impl FnOnce(&mut Command)) -> Ran {
        self.write(runbook);
        let mut command = self.command(&["-vv", "run", "runbook.yaml", "-i", "inventory.yaml", "--yes"]);
        set(&mut command);
        self.ran(command.output().unwrap())
    }

    /// What a run came to that has ended. Its journal is whole, says `verify`.
    pub fn ran(&self, output: Output) -> Ran {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        let store = Store::open(&self.path("state")).unwrap();
        let id = store.ids().unwrap().pop().unwrap_or_else(|| panic!("there is no run\n{out}\n{err}"));
        let dir = store.find(id.as_str()).unwrap();
        let records = dir.read().unwrap_or_else(|error| panic!("{error}")).records;
        let verify = self.command(&["verify", "last"]).output().unwrap();
        assert_eq!(verify.status.code(), Some(0), "{}", text(&verify.stderr));
        Ran { code: output.status.code(), out, err, dir, records }
    }
}

impl Ran {
    /// It ended with this code; panics with all it said if not.
    #[track_caller]
    pub fn is(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.said());
        self
    }

    /// Everything that was on the screen.
    pub fn said(&self) -> String {
        format!("exit {:?}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.out, self.err)
    }

    /// The ends of all attempts of one kind of job of `step@host`.
    pub fn ends(&self, about: &str, kind: JobKind) -> Vec<(&Outcome, &Facts)> {
        self.records
            .iter()
            .filter(|record| record.about.as_deref() == Some(about))
            .filter_map(|record| match &record.event {
                Event::JobEnded { job, outcome, facts } if job.kind == kind => Some((outcome, facts)),
                _ => None,
            })
            .collect()
    }

    /// The end of the only attempt of one kind of job of `step@host`.
    #[track_caller]
    pub fn end(&self, about: &str, kind: JobKind) -> (&Outcome, &Facts) {
        let ends = self.ends(about, kind);
        assert_eq!(ends.len(), 1, "{about}: {kind}: {ends:?}\n{}", self.said());
        ends[0]
    }

    /// How `step@host` was settled.
    #[track_caller]
    pub fn task(&self, about: &str) -> &TaskEnd {
        let found = self.records.iter().find_map(|record| match &record.event {
            Event::TaskEnded { end, .. } if record.about.as_deref() == Some(about) => Some(end),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("{about} is not settled\n{}", self.said()))
    }

    /// How `step@host` was taken back.
    #[track_caller]
    pub fn undone(&self, about: &str) -> &UndoEnd {
        let found = self.records.iter().find_map(|record| match &record.event {
            Event::UndoEnded { end, .. } if record.about.as_deref() == Some(about) => Some(end),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("{about} is not taken back\n{}", self.said()))
    }

    /// How hosts were reached.
    pub fn reached(&self) -> Vec<String> {
        let how = |record: &'_ Record| match &record.event {
            Event::HostReached { how, .. } => Some(how.clone()),
            _ => None,
        };
        self.records.iter().filter_map(how).collect()
    }

    /// The number of the task `step@host`, as its files are called.
    #[track_caller]
    pub fn number(&self, about: &str) -> u32 {
        let task = self.records.iter().find_map(|record| match &record.event {
            Event::JobStarted { job } if record.about.as_deref() == Some(about) => Some(job.task.0),
            _ => None,
        });
        task.unwrap_or_else(|| panic!("{about} had no job\n{}", self.said()))
    }

    /// What was kept of a stream of `step@host`: `run-1.out` and the like.
    pub fn kept(&self, about: &str, file: &str) -> Vec<u8> {
        let step = about.split('@').next().unwrap();
        fs::read(self.dir.out_dir().join(format!("{}-{step}", self.number(about))).join(file))
            .unwrap_or_default()
    }
}

/// What lies below a directory, by path relative to it.
pub fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type().unwrap().is_dir() {
            true => found
                .extend(files_below(&path).into_iter().map(|file| Path::new(&entry.file_name()).join(file))),
            false => found.push(PathBuf::from(entry.file_name())),
        }
    }
    found.sort();
    found
}
