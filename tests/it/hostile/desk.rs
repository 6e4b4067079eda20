//! A desk at which the real binary works on made-up hosts: files, one run, and what it came to in the end.

use crate::support::sshd::keygen;
use blackstart::journal::{Record, Store};
use blackstart::model::Outcome;
use blackstart::model::event::{Event, JobKind};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The program under test.
pub const BLACKSTART: &str = env!("CARGO_BIN_EXE_blackstart");
/// Stands in the script of the step that tests look at.
pub const MARK: &str = "the-step-itself";
/// What one hostile host may cost: base, nine channels' windows, and the ceilings of two connections.
pub const PEAK_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// How the runbook is run.
const RUN: [&str; 5] = ["run", "-i", "site.yaml", "runbook.yaml", "--yes"];
/// Every wait ends before this, or never.
const PATIENCE: Duration = Duration::from_secs(240);
/// Between two looks at a process.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A host for the inventory.
pub struct Known {
    pub name: &'static str,
    pub addr: SocketAddr,
    /// `ssh-ed25519 AAAA…`
    pub key: String,
    /// Further settings, such as `password: p`.
    pub more: String,
}

/// Files, and a place for runs.
pub struct Desk {
    dir: tempfile::TempDir,
    pub env: Vec<(String, String)>,
}

/// A run that is over.
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
    /// The most memory that it held (VmHWM).
    pub peak_bytes: u64,
    pub took: Duration,
    pub records: Vec<Record>,
}

impl Desk {
    /// An inventory of these hosts, and a key that may be offered to them.
    pub fn new(hosts: &[Known]) -> Self {
        Self::with(hosts, "")
    }

    /// The same with more at the top of the inventory.
    pub fn with(hosts: &[Known], top: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory can be made");
        let desk = Self { dir, env: Vec::new() };
        keygen(&desk.path("id"), "ed25519", "");
        let known: String = hosts
            .iter()
            .map(|host| format!("[{}]:{} {}\n", host.addr.ip(), host.addr.port(), host.key))
            .collect();
        fs::write(desk.path("known_hosts"), known).expect("it can be written");
        let entries: String = hosts
            .iter()
            .map(|Known { name, addr, more, .. }| {
                format!("  {name}: {{ address: {}, port: {}{more} }}\n", addr.ip(), addr.port())
            })
            .collect();
        let site = format!(
            "version: 1\nname: site\n{top}defaults:\n  user: op\n  identity_file: id\n  known_hosts: known_hosts\n  \
             ssh_config: false\n  agent: false\n  connect_timeout: 3s\nhosts:\n{entries}"
        );
        fs::write(desk.path("site.yaml"), site).expect("it can be written");
        desk
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().expect("it is there").join(name)
    }

    /// Every file and directory on it.
    pub fn all_below(&self) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::new();
        all_below(&self.path(""), &mut found);
        found
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("it can be written");
    }

    /// `blackstart` at this desk.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BLACKSTART);
        command.args(args).current_dir(self.dir.path()).env("HOME", self.dir.path());
        command.env("BLACKSTART_STATE", self.path("state")).env_remove("SSH_AUTH_SOCK");
        command.envs(self.env.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        command
    }

    /// Runs the runbook to its end.
    pub fn run(&self, runbook: &str) -> Ended {
        self.write("runbook.yaml", runbook);
        self.carry_out(&RUN, false)
    }

    /// The same, with Ctrl-C as soon as a first job has ended by itself: there would be further tries, as long each.
    pub fn run_once(&self, runbook: &str) -> Ended {
        self.write("runbook.yaml", runbook);
        self.carry_out(&RUN, true)
    }

    fn carry_out(&self, args: &[&str], mut interrupt: bool) -> Ended {
        let file = |name: &str| File::create(self.path(name)).expect("it can be made");
        let started = Instant::now();
        let mut child =
            self.command(args).stdout(file("out")).stderr(file("err")).spawn().expect("it starts");
        let mut peak_bytes = 0;
        let code = loop {
            peak_bytes = peak_bytes.max(peak_of(&child));
            if interrupt && self.records().iter().any(|it| matches!(it.event, Event::JobEnded { .. })) {
                interrupt = false;
                let pid =
                    i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a child has a number");
                kill_process(pid, Signal::INT).expect("it is ours and lives");
            }
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                break status.code();
            }
            if started.elapsed() > PATIENCE {
                child.kill().expect("it can be killed");
                child.wait().expect("a child can be waited for");
                panic!("{args:?} does not end: {}", fs::read_to_string(self.path("err")).unwrap_or_default());
            }
            std::thread::sleep(LOOK_EVERY);
        };
        let text = |name: &str| {
            // Whatever a host has said.
            String::from_utf8(fs::read(self.path(name)).expect("it is there")).expect("what we say is text")
        };
        Ended {
            code,
            out: text("out"),
            err: text("err"),
            peak_bytes,
            took: started.elapsed(),
            records: self.records(),
        }
    }

    /// Any other words to the program, to its end.
    pub fn say(&self, args: &[&str]) -> Ended {
        self.carry_out(args, false)
    }

    fn records(&self) -> Vec<Record> {
        let Ok(store) = Store::open(&self.path("state")) else { return Vec::new() };
        let Some(id) = store.ids().ok().and_then(|mut ids| ids.pop()) else { return Vec::new() };
        let dir = store.find(id.as_str()).expect("a run that is listed can be found");
        dir.read().unwrap_or_else(|error| panic!("{error}")).records
    }
}

/// The most memory that a process ever held, while it lives.
fn peak_of(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

impl Ended {
    /// How the jobs of a kind ended, in the order of the journal.
    pub fn outcomes(&self, kind: JobKind) -> Vec<Outcome> {
        let ended = |record: &Record| match &record.event {
            Event::JobEnded { job, outcome, .. } if job.kind == kind => Some(outcome.clone()),
            _ => None,
        };
        self.records.iter().filter_map(ended).collect()
    }

    /// What the journal says about one task, `step@host`.
    pub fn about(&self, task: &str) -> Vec<&Event> {
        let of = |record: &&Record| record.about.as_deref() == Some(task);
        self.records.iter().filter(of).map(|record| &record.event).collect()
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, out, err, peak_bytes, took, records } = self;
        let mib = peak_bytes / (1024 * 1024);
        write!(f, "exit {code:?}, {mib} MiB, {took:?}\n--- stdout\n{out}\n--- stderr\n{err}\n--- journal\n")?;
        for record in records {
            writeln!(f, "{:?} {:?}", record.about, record.event)?;
        }
        Ok(())
    }
}

/// A runbook of one step on all hosts, which may take so long.
pub fn one_step(timeout: &str) -> String {
    format!(
        "version: 1\nname: one\nphases:\n  - id: work\n    on_failure: stop\n    steps:\n      - id: step\n        \
         on: all\n        timeout: {timeout}\n        run: echo {MARK}\n        undo: not_needed\n"
    )
}

fn all_below(dir: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(dir).expect("it can be listed") {
        let entry = entry.expect("it can be listed");
        let kind = entry.file_type().expect("it has a kind");
        assert!(kind.is_file() || kind.is_dir(), "{:?}: links lead elsewhere", entry.path());
        if kind.is_dir() {
            all_below(&entry.path(), found);
        }
        found.insert(entry.path());
    }
}
