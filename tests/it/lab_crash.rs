//! Crashes, dead links, interrupts and damage, in the lab: the program as it ships, against sshd as it ships.
//!
//! What really ran is told by the hosts' ledgers, what blackstart believes by its journal; the tests compare them.

mod damage;
mod dry_run;
mod guards;
mod holds;
mod judge;
pub mod kills;
mod links;
mod signals;
mod two;
mod undo;

use crate::lab::Lab;
use blackstart::journal::{Record, RunDir, Store};
use blackstart::model::event::{Event, Job, JobKind};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

/// What does not happen in this time never will.
const PATIENCE: Duration = Duration::from_secs(150);
/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A site, an inventory, and a directory that keeps one run's state.
pub struct Desk<'a> {
    lab: &'a Lab,
    inventory: PathBuf,
    state: PathBuf,
}

impl<'a> Desk<'a> {
    /// A desk of its own called `name`; runs of other desks are not seen from it.
    pub fn new(lab: &'a Lab, name: &str) -> Self {
        let inventory = lab.dir().join("crash-inventory.yaml");
        // A run that is resumed finds it as it was: it is written once.
        if !inventory.exists() {
            // What is not there is given up on sooner than across an ocean.
            let text = fs::read_to_string(lab.inventory()).expect("the lab has an inventory");
            let text = text.replace("  agent: false\n", "  agent: false\n  connect_timeout: 3s\n");
            assert!(
                text.contains("connect_timeout"),
                "the inventory has its defaults where they are looked for"
            );
            fs::write(&inventory, text).expect("the work directory takes a file");
        }
        let state = lab.work().join(format!("state-{name}"));
        Self { lab, inventory, state }
    }

    /// `blackstart` with this desk's state.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.lab.blackstart(args);
        command.env("BLACKSTART_STATE", &self.state);
        command
    }

    /// The arguments that start a runbook.
    pub fn begin<'b>(&'b self, runbook: &'b Path, more: &[&'b str]) -> Vec<&'b str> {
        let path = |path: &'b Path| path.to_str().expect("paths of tests are UTF-8");
        let mut args = vec!["run", path(runbook), "-i", path(&self.inventory), "--yes"];
        args.extend(more);
        args
    }

    /// Runs it to its end.
    pub fn run(&self, args: &[&str]) -> Said {
        self.start(args).ended()
    }

    /// Starts it and lets it go on; it is killed if the test ends before it.
    pub fn start(&self, args: &[&str]) -> Live {
        let path = |what: &str| self.lab.work().join(format!("{what}-{}", uuid::Uuid::now_v7().simple()));
        let (out, err) = (path("out"), path("err"));
        let file = |path: &Path| File::create(path).expect("the work directory takes a file");
        let child = self.command(args).stdout(file(&out)).stderr(file(&err)).spawn();
        Live { child: child.expect("blackstart can be started"), out, err, what: args.join(" ") }
    }

    /// The run, once there is one.
    pub fn dir(&self) -> Option<RunDir> {
        let store = Store::open(&self.state).ok()?;
        let id = store.ids().ok()?.pop()?;
        store.find(id.as_str()).ok()
    }

    /// What the journal says; nothing, where there is none yet.
    pub fn records(&self) -> Vec<Record> {
        let Some(dir) = self.dir() else { return Vec::new() };
        dir.read().unwrap_or_else(|error| panic!("{error}")).records
    }

    /// Looks at the journal of a live run until `seen` says yes.
    pub fn wait(&self, live: &mut Live, what: &str, seen: impl Fn(&Event) -> bool) {
        until(what, || {
            let there = self.records().iter().any(|record| seen(&record.event));
            if !there && let Some(status) = live.child.try_wait().expect("a child can be waited for") {
                panic!("{what}: did not happen, and blackstart ended with {status}\n{}", live.text());
            }
            there
        });
    }

    /// The journal is whole, says `blackstart verify`.
    pub fn verify(&self) {
        let said = self.run(&["verify", "last"]);
        assert_eq!(said.code, Some(0), "verify: {said}");
    }

    /// How attempts of `kind` of a task were started: `step@host`.
    pub fn starts(&self, about: &str, kind: JobKind) -> Vec<Job> {
        let started = |record: &Record| match &record.event {
            Event::JobStarted { job } if job.kind == kind && record.about.as_deref() == Some(about) => {
                Some(*job)
            }
            _ => None,
        };
        self.records().iter().filter_map(started).collect()
    }
}

/// A blackstart that runs.
pub struct Live {
    child: Child,
    out: PathBuf,
    err: PathBuf,
    what: String,
}

/// What a blackstart that ended said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Live {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ctrl-C, for this process alone.
    pub fn interrupt(&self) {
        self.signal(rustix::process::Signal::INT);
    }

    /// `kill -9`, unless it has ended; how it ended by itself.
    pub fn kill(mut self) -> Option<Said> {
        self.signal(rustix::process::Signal::KILL);
        let status = self.child.wait().expect("a child can be waited for");
        status.code().map(|code| self.said(Some(code)))
    }

    /// Waits for its end.
    pub fn ended(mut self) -> Said {
        let mut status = None;
        until(&format!("the end of `{}`", self.what), || {
            status = self.child.try_wait().expect("a child can be waited for");
            status.is_some()
        });
        self.said(status.and_then(|status| status.code()))
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(rustix::process::Pid::from_raw);
        // The child is ours and not waited for yet: its number is nobody else's.
        rustix::process::kill_process(pid.expect("a child has a number"), signal).ok();
    }

    fn said(&self, code: Option<i32>) -> Said {
        let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        Said { code, out: read(&self.out), err: read(&self.err) }
    }

    fn text(&self) -> String {
        self.said(None).to_string()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Said {
    /// It ended with this code; panics with all it said if not.
    #[track_caller]
    pub fn is(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {:?}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.out, self.err)
    }
}

/// Looks until it is so; panics when it never is.
#[track_caller]
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < deadline, "{what}: not seen within {PATIENCE:?}");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Waits for a line in a host's ledger.
#[track_caller]
pub fn until_ledger(lab: &Lab, host: &str, line: &str) {
    until(&format!("`{line}` in the ledger of {host}"), || lab.ledger(host).iter().any(|have| have == line));
}

/// An empty ledger, and no word to go yet.
pub fn fresh(lab: &Lab, host: &str) {
    lab.ok(host, ": >/srv/ledger.d/lines; rm -f /srv/go");
}

/// Lets steps that wait for a word go on.
pub fn go(lab: &Lab, host: &str) {
    lab.ok(host, ": >/srv/go");
}

/// A step that waits for a word, seen in the process list as `waits-for-go`, and one after it.
pub const SLOW: &str = r#"
version: 1
name: slow
phases:
  - id: work
    on_failure: stop
    steps:
      - id: slow
        on: app1
        run: |
          /srv/ledger "start $BLACKSTART_ATTEMPT"
          sh -c 'until [ -e /srv/go ]; do sleep 0.1; done' waits-for-go
          /srv/ledger "end $BLACKSTART_ATTEMPT"
        undo: not_needed
      - id: next
        on: app1
        needs: [slow]
        run: /srv/ledger "next $BLACKSTART_ATTEMPT"
        undo: not_needed
"#;

/// What a host looks like, but for the receipts: they are evidence, and stay.
pub fn print_of(lab: &Lab, hosts: &[&str]) -> String {
    let print = lab.fingerprint(hosts);
    print.lines().filter(|line| !line.contains("/.blackstart")).collect::<Vec<_>>().join("\n")
}

/// The output of a lab script that must work.
pub fn said(output: Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
