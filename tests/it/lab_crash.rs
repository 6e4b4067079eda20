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
pub use crate::support::live::{Live, Said, until};
use crate::support::runs::Runs;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A site, an inventory, and a directory that keeps one run's state.
pub struct Desk<'a> {
    lab: &'a Lab,
    inventory: PathBuf,
    runs: Runs,
}

impl std::ops::Deref for Desk<'_> {
    type Target = Runs;

    fn deref(&self) -> &Runs {
        &self.runs
    }
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
        let runs = Runs { state: lab.work().join(format!("state-{name}")) };
        Self { lab, inventory, runs }
    }

    /// `blackstart` with this desk's state.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.lab.blackstart(args);
        command.env("BLACKSTART_STATE", &self.runs.state);
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
        Live::start(&mut self.command(args), &self.lab.work(), &args.join(" "))
    }

    /// The journal is whole, says `blackstart verify`.
    pub fn verify(&self) {
        let said = self.run(&["verify", "last"]);
        assert_eq!(said.code, Some(0), "verify: {said}");
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
