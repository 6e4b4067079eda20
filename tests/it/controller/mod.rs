//! Faults of the controller: the program as it ships, a real sshd, and what journal, screen, exit code and host must show.

mod clock;
mod descriptors;
mod disk;
mod gone;
mod memory;
mod modes;
pub mod paused;
mod screen;
mod unread;

use crate::support::live::{Live, Said, until};
use crate::support::sshd::{Sshd, current_user};
use blackstart::journal::{Record, RunDir, Store};
use blackstart::model::event::{Event, StopHow};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const BLACKSTART: &str = env!("CARGO_BIN_EXE_blackstart");

/// A host, a place for runs, and a runbook whose first step waits for a word.
pub struct Desk {
    pub sshd: Sshd,
    pub state: PathBuf,
}

/// Notes its start, waits for a word, notes its end; and a step after it.
const SLOW: &str = r#"
      - id: slow
        on: h1
        run: |
          echo "start $BLACKSTART_ATTEMPT" >>@dir@/ledger
          until [ -e @dir@/go ]; do sleep 0.05; done
          echo "end $BLACKSTART_ATTEMPT" >>@dir@/ledger
        undo: not_needed
      - id: next
        on: h1
        needs: [slow]
        run: echo "next $BLACKSTART_ATTEMPT" >>@dir@/ledger
        undo: not_needed
"#;

impl Desk {
    /// One host, and a step that waits for a word.
    pub fn new() -> Self {
        Self::with(Sshd::start(), SLOW)
    }

    /// These steps; `@dir@` stands for the host's directory.
    pub fn with(sshd: Sshd, steps: &str) -> Self {
        let dir = sshd.dir.path().display().to_string();
        let host = format!(
            "{{ address: 127.0.0.1, port: {}, user: {}, agent: false, ssh_config: false, identity_file: {dir}/id, \
             known_hosts: {dir}/known_hosts, receipts_dir: {dir}/receipts, connect_timeout: 5s }}",
            sshd.addr.port(),
            current_user(),
        );
        let inventory = format!(
            "version: 1\nname: site\nhosts:\n  h1: {host}\n  h2: {host}\n  \
             here: {{ connection: local }}\n"
        );
        let runbook = format!(
            "version: 1\nname: faults\nsecrets: {{ pass: {{ env: PASS }} }}\nphases:\n  - id: work\n    on_failure: stop\n    steps:{steps}"
        );
        fs::write(sshd.path("site.yaml"), inventory).expect("a file can be written");
        fs::write(sshd.path("book.yaml"), runbook.replace("@dir@", &dir)).expect("a file can be written");
        fs::write(sshd.path("ledger"), "").expect("a file can be written");
        fs::create_dir(sshd.path("home")).expect("a directory can be made");
        let state = sshd.path("state");
        let desk = Self { sshd, state };
        let said = desk.command(&[], "validate", &[]).output().expect("blackstart starts");
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        desk
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.sshd.path(name)
    }

    /// `run`, or another verb about the last run, and the program that starts it, if there is one.
    pub fn command(&self, before: &[&str], verb: &str, more: &[&str]) -> Command {
        let program: Vec<&str> = [before, &[BLACKSTART]].concat();
        let mut command = Command::new(program[0]);
        command.args(&program[1..]).arg(verb);
        match verb {
            "run" | "validate" => {
                command.arg(self.path("book.yaml")).arg("-i").arg(self.path("site.yaml"));
                command.args((verb == "run").then_some("--yes"));
            }
            _ => {
                command.arg("last");
            }
        }
        command.args(more).env("BLACKSTART_STATE", &self.state).env("HOME", self.path("home"));
        command.env("NO_COLOR", "1").stdin(Stdio::null());
        command.env("PASS", self.secret("pass"));
        command
    }

    /// A secret of this desk and of no other that is at work beside it.
    pub fn secret(&self, what: &str) -> String {
        let desk = self.sshd.dir.path().file_name().expect("a directory has a name").to_string_lossy();
        format!("secret-{what}-{desk}")
    }

    pub fn start(&self, verb: &str) -> Live {
        self.start_by(&[], verb, &[])
    }

    pub fn start_by(&self, before: &[&str], verb: &str, more: &[&str]) -> Live {
        Live::start(&mut self.command(before, verb, more), self.sshd.dir.path(), verb)
    }

    pub fn run(&self, verb: &str) -> Said {
        self.start(verb).ended()
    }

    /// What the host saw.
    pub fn ledger(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("ledger")).expect("the ledger is there");
        text.lines().map(str::to_owned).collect()
    }

    /// Waits until the host saw it.
    #[track_caller]
    pub fn until(&self, line: &str) {
        until(&format!("`{line}` in the ledger"), || self.ledger().iter().any(|have| have == line));
    }

    /// Lets the step that waits go on.
    pub fn go(&self) {
        fs::write(self.path("go"), "").expect("a file can be written");
    }

    pub fn dir(&self) -> Option<RunDir> {
        Store::open(&self.state).ok()?.find("last").ok()
    }

    pub fn records(&self) -> Vec<Record> {
        self.dir().map(|dir| dir.read().unwrap_or_else(|error| panic!("{error}")).records).unwrap_or_default()
    }

    /// Waits until something is on record.
    #[track_caller]
    pub fn until_record(&self, what: &str, seen: impl Fn(&Event) -> bool) {
        until(what, || self.records().iter().any(|record| seen(&record.event)));
    }

    /// The journal is whole, and the run goes on from it to a good end, with nothing done twice.
    #[track_caller]
    pub fn goes_on(&self) {
        self.run("verify").is(0);
        self.run("resume").is(0);
        self.run("verify").is(0);
        assert_eq!(self.ledger(), ["start 1", "end 1", "next 1"]);
    }

    /// The same, and while nobody carried it on the run stood where the first step had ended.
    #[track_caller]
    pub fn stopped_and_goes_on(&self) {
        assert_eq!(self.ledger(), ["start 1", "end 1"], "what ran ended, and nothing more was started");
        self.goes_on();
    }
}

fn finish_asked(event: &Event) -> bool {
    matches!(event, Event::StopRequested { how: StopHow::Finish, .. })
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}
