//! The lab in tests: a site of real hosts, raised for one test and taken down after it.
//!
//! Every test of this module has one of the machine's two test labs to itself: file locks make them take turns, under
//! nextest (a process each) and `cargo test` (a thread each) alike. Keys, the database cluster and the backup
//! stay in the lab's directory from test to test, so that raising it takes a second or two.

#![allow(dead_code)]

pub mod cuts;
mod foretold;
mod levels;
pub mod outside;
mod plans;
mod random_plan;
mod reference;
mod site;
mod story;
mod truth;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The program under test.
pub const BLACKSTART: &str = env!("CARGO_BIN_EXE_blackstart");
/// The package's directory: runbooks, inventories and the lab's scripts are below it.
pub const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

/// The labs' directories below that of all tests; `tests/tally.sh` takes them down at the end. Most of what a test waits
/// for is not the processor, so that two are carried out in little more time than one.
const LABS: [&str; 2] = ["lab-1", "lab-2"];

/// A standing lab; it is taken down when this is dropped.
pub struct Lab {
    dir: PathBuf,
    // Dropped last, after `Drop` took the lab down: the next test waits for it.
    _turn: File,
}

/// What the site must look like, as `tests/lab/proof` knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SiteState {
    /// As raised: links open, rows right.
    Healthy,
    /// After `compromise`: links open, rows wrong, portal failing.
    Compromised,
    /// Links cut, rows right, portal serving inside.
    Recovered,
}

impl Lab {
    /// Waits for its turn, then raises the lab.
    pub fn raise() -> Self {
        let root = rustix::process::geteuid().is_root();
        assert!(
            root,
            "the lab needs root; leave its tests out with: cargo nextest run -E 'not test(/^lab/)'"
        );
        let (dir, turn) = Self::free();
        let lab = Self { dir, _turn: turn };
        // What a test before this one left of its runs is not this one's business.
        fs::remove_dir_all(lab.work()).ok();
        fs::create_dir_all(lab.work()).expect("the lab's directory takes a directory");
        // One that stands already was left by a test that was killed: it may be in any state.
        lab.script("down", &[]);
        lab.script("up", &[]);
        lab
    }

    /// The first directory of a lab that nobody uses, or the next turn in one of them.
    fn free() -> (PathBuf, File) {
        let labs = LABS.map(|name| {
            let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
            fs::create_dir_all(&dir).expect("the test directory takes a directory");
            let turn = File::create(dir.join(".turn")).expect("the lab's directory takes a file");
            (dir, turn)
        });
        let free = labs.iter().position(|(_, turn)| turn.try_lock().is_ok());
        // Several processes wait, and not all for the same one.
        let at = free.unwrap_or_else(|| std::process::id() as usize % LABS.len());
        let (dir, turn) = labs.into_iter().nth(at).expect("it is one of them");
        if free.is_none() {
            turn.lock().expect("the lock is granted in the end");
        }
        (dir, turn)
    }

    /// The lab's directory: keys, `known_hosts`, `ssh_config`, logs.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// An empty directory for the test's own files and runs.
    pub fn work(&self) -> PathBuf {
        self.dir.join("work")
    }

    /// Runs a lab script with this lab's directory as first argument; panics with its output when it fails.
    pub fn script(&self, name: &str, args: &[&str]) -> String {
        text(name, self.script_output(name, args))
    }

    /// The same, whatever it exits with.
    pub fn script_output(&self, name: &str, args: &[&str]) -> Output {
        let mut script = Command::new(Path::new(PACKAGE).join("tests/lab").join(name));
        script.arg(&self.dir).args(args).stdin(Stdio::null());
        script.output().expect("lab scripts can be started")
    }

    /// Runs a shell script on a host as root; on `mgmt` in the controller's namespace.
    pub fn on(&self, host: &str, script: &str) -> Output {
        self.script_output("on", &[host, "sh", "-c", script])
    }

    /// A command that does so, for whoever wants to start it and go on.
    pub fn on_command(&self, host: &str, script: &str) -> Command {
        let mut command = Command::new(Path::new(PACKAGE).join("tests/lab/on"));
        command.arg(&self.dir).args([host, "sh", "-c", script]);
        command
    }

    /// The same; panics with its output when it fails, and gives its stdout.
    pub fn ok(&self, host: &str, script: &str) -> String {
        text(&format!("on {host}: {script}"), self.on(host, script))
    }

    /// Does a GET from this host to this URL get any answer within a second?
    pub fn reaches(&self, host: &str, url: &str) -> bool {
        self.on(host, &format!("curl -s -o /dev/null --max-time 1 '{url}'")).status.success()
    }

    /// A command that runs in the controller's place, with the test's own state directory. The process is the
    /// program itself, so that killing it kills the program and not a wrapper.
    pub fn command(&self, program: &str) -> Command {
        let id = fs::read_to_string(self.dir.join("id")).expect("a standing lab has an id");
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &format!("bs{}-mgmt", id.trim()), program]);
        command.env("BLACKSTART_STATE", self.work().join("state")).env("NO_COLOR", "1");
        command.current_dir(self.work()).stdin(Stdio::null());
        command
    }

    /// `blackstart` in the controller's place.
    pub fn blackstart(&self, args: &[&str]) -> Command {
        let mut command = self.command(BLACKSTART);
        command.args(args);
        command
    }

    /// The shipped inventory, for this lab's keys.
    pub fn inventory(&self) -> PathBuf {
        self.inventory_of("lab")
    }

    /// The same of a site that the lab plays.
    pub fn inventory_of(&self, site: &str) -> PathBuf {
        let shipped = Path::new(PACKAGE).join(format!("inventories/{site}.yaml"));
        let text = fs::read_to_string(shipped).expect("the site's inventory is shipped");
        let path =
            self.dir.join(if site == "lab" { "inventory.yaml".to_owned() } else { format!("{site}.yaml") });
        fs::write(&path, text.replace("../target/lab/", "")).expect("the lab's directory takes a file");
        path
    }

    /// A shipped runbook.
    pub fn runbook(name: &str) -> PathBuf {
        Path::new(PACKAGE).join("runbooks").join(name)
    }

    /// Writes a file of the test's own and gives its path.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.work().join(name);
        fs::write(&path, text).expect("the work directory takes a file");
        path
    }

    /// Lets the attacker loose.
    pub fn compromise(&self) {
        self.script("compromise", &[]);
    }

    /// Pulls the plug of these hosts (of all, if none is named) and boots them as they were when the lab was raised.
    pub fn reset(&self, hosts: &[&str]) {
        self.script("reset", hosts);
    }

    /// Is the site in this state, shown by packets and rows? `Err` holds what was seen.
    pub fn proof(&self, state: SiteState) -> Result<String, String> {
        let word = match state {
            SiteState::Healthy => "healthy",
            SiteState::Compromised => "compromised",
            SiteState::Recovered => "recovered",
        };
        let output = self.script_output("proof", &[word]);
        let seen =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        if output.status.success() { Ok(seen) } else { Err(seen) }
    }

    /// From here on packets between the controller and this host vanish, in both directions; nobody is told.
    pub fn cut_link(&self, host: &str) {
        self.script("link", &["cut", host]);
    }

    /// They flow again.
    pub fn heal_link(&self, host: &str) {
        self.script("link", &["heal", host]);
    }

    /// What would show that a host was touched: files, rules, services, rows. Equal before and after, or it was.
    pub fn fingerprint(&self, hosts: &[&str]) -> String {
        self.script("fingerprint", hosts)
    }

    /// The lines that steps wrote with `/srv/ledger WORD…` on this host, in order.
    pub fn ledger(&self, host: &str) -> Vec<String> {
        self.ok(host, "/srv/ledger").lines().map(str::to_owned).collect()
    }

    /// The names of all hosts, in the order of the site file.
    pub fn hosts() -> Vec<String> {
        let site =
            fs::read_to_string(Path::new(PACKAGE).join("tests/lab/site")).expect("the lab has a site file");
        let login = |line: &str| {
            line.strip_prefix("login").and_then(|rest| rest.split_whitespace().next().map(str::to_owned))
        };
        site.lines().filter_map(login).collect()
    }
}

impl Lab {
    /// Every address of every host of the site file, the controller's place among them.
    pub fn addresses() -> Vec<(String, String)> {
        let site =
            fs::read_to_string(Path::new(PACKAGE).join("tests/lab/site")).expect("the lab has a site file");
        let wires = site.lines().filter_map(|line| line.strip_prefix("wire "));
        let address = |wire: &str| {
            let words: Vec<&str> = wire.split_whitespace().collect();
            let address = words[3].split('/').next().expect("a wire has an address");
            (words[0].to_owned(), address.to_owned())
        };
        wires.map(address).collect()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let output = self.script_output("down", &[]);
        if !output.status.success() && !std::thread::panicking() {
            panic!("the lab is not taken down: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

fn text(what: &str, output: Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {}\n{said}{complained}", output.status);
    said
}
