//! Steps that start on all hosts at one moment, over real OpenSSH servers: who starts when, and who does not.

use crate::support::sshd::{Sshd, SshdOptions, current_user};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const BLACKSTART: &str = env!("CARGO_BIN_EXE_blackstart");

/// Hosts on addresses of their own, all served by one sshd, and a desk to run blackstart at.
pub struct Site {
    sshd: Sshd,
    dir: tempfile::TempDir,
    hosts: BTreeMap<String, (IpAddr, u16)>,
    /// A host whose key nobody knows: it can never be ready, and that is known at once.
    strange: Option<String>,
}

impl Site {
    pub fn new(hosts: u8) -> Self {
        Self::served(hosts, &[])
    }

    /// The same, with further lines in the configuration of their sshd.
    fn served(hosts: u8, config: &[&str]) -> Self {
        let ip = Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let config = config.iter().map(|&line| line.to_owned()).collect();
        let sshd = Sshd::with(SshdOptions { ip, config, ..SshdOptions::default() });
        let port = sshd.addr.port();
        let host = |nth: u8| (format!("h{nth:02}"), (IpAddr::V4(Ipv4Addr::new(127, 0, 9, nth)), port));
        let hosts = (1..=hosts).map(host).collect();
        Self { sshd, dir: tempfile::tempdir().unwrap(), hosts, strange: None }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes inventory and runbook: a step that notes its start on every host.
    fn write(&self, step: &str, known: &[(IpAddr, u16, String)]) {
        let runbook = format!(
            "version: 1\nname: fire\nphases:\n  - id: cut\n    steps:\n      - id: cut\n        on: all\n        \
             env: {{ LEDGER: \"{}\" }}\n        run: echo \"$BLACKSTART_HOST $(date +%s%N)\" >>\"$LEDGER\"\n        \
             undo: not_needed\n{step}",
            self.path("ledger").display(),
        );
        self.write_book("", &runbook, known);
    }

    /// Writes inventory and runbook. `known` are further host keys, by address and port.
    pub fn write_book(&self, site: &str, runbook: &str, known: &[(IpAddr, u16, String)]) {
        let key = self.sshd.host_key_line("ed25519");
        let known_ones = self.hosts.iter().filter(|(name, _)| Some(*name) != self.strange.as_ref());
        let own = known_ones.map(|(_, (ip, port))| format!("[{ip}]:{port} {key}\n"));
        let others = known.iter().map(|(ip, port, key)| format!("[{ip}]:{port} {key}\n"));
        fs::write(self.path("known_hosts"), own.chain(others).collect::<String>()).unwrap();
        let hosts: String = self
            .hosts
            .iter()
            .map(|(name, (ip, port))| format!("  {name}: {{ address: {ip}, port: {port} }}\n"))
            .collect();
        let inventory = format!(
            "version: 1\nname: site\n{site}defaults:\n  user: {}\n  identity_file: {}\n  known_hosts: {}\n  \
             ssh_config: false\n  agent: false\n  receipts_dir: {}\n  connect_timeout: 30s\nhosts:\n{hosts}",
            current_user(),
            self.sshd.user_key().display(),
            self.path("known_hosts").display(),
            self.path("receipts").display(),
        );
        fs::write(self.path("inventory.yaml"), inventory).unwrap();
        fs::write(self.path("fire.yaml"), runbook).unwrap();
    }

    pub fn blackstart(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BLACKSTART);
        command.current_dir(self.dir.path()).args(arguments).env("HOME", self.dir.path());
        command.env("BLACKSTART_STATE", self.path("state")).env_remove("SSH_AUTH_SOCK");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self) -> Command {
        self.blackstart(&["run", "-i", "inventory.yaml", "fire.yaml", "--yes"])
    }

    /// Hosts that started, with the time that each noted, in nanoseconds.
    fn ledger(&self) -> Vec<(String, u128)> {
        let text = fs::read_to_string(self.path("ledger")).unwrap_or_default();
        let line = |line: &str| {
            let (host, at) = line.split_once(' ').unwrap();
            (host.to_owned(), at.parse().unwrap())
        };
        text.lines().map(line).collect()
    }

    /// Events of the newest run, each with its kind and its time in nanoseconds.
    fn events(&self) -> Vec<(String, u128, Value)> {
        let mut journals = Vec::new();
        find(&self.path("state"), "journal.jsonl", &mut journals);
        journals.sort();
        let Some(journal) = journals.last() else { return Vec::new() };
        let text = fs::read_to_string(journal).unwrap();
        let whole = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let event = |record: Value| {
            let at: jiff::Timestamp = record["at"].as_str().unwrap().parse().unwrap();
            let (kind, event) = record["event"].as_object().unwrap().iter().next().unwrap();
            (kind.clone(), at.as_nanosecond() as u128, event.clone())
        };
        whole.map(event).collect()
    }

    pub fn jobs(&self, kind: &str, of: &str) -> Vec<u128> {
        let fits = |event: &&(String, u128, Value)| event.0 == kind && event.2["job"]["kind"] == of;
        self.events().iter().filter(fits).map(|event| event.1).collect()
    }

    /// What every event of a kind says.
    pub fn all(&self, kind: &str) -> Vec<Value> {
        self.events().into_iter().filter(|event| event.0 == kind).map(|event| event.2).collect()
    }

    /// The end of the only job of a kind.
    pub fn ended(&self, of: &str) -> Value {
        let mut ends = self.all("job_ended");
        ends.retain(|end| end["job"]["kind"] == of);
        assert_eq!(ends.len(), 1, "{of}: {ends:#?}");
        ends.remove(0)
    }

    fn one(&self, kind: &str) -> Value {
        let events = self.events();
        let found: Vec<_> = events.iter().filter(|event| event.0 == kind).collect();
        assert_eq!(found.len(), 1, "{kind}: {events:#?}");
        found[0].2.clone()
    }
}

fn find(dir: &Path, name: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => find(&path, name, found),
            path if path.file_name().is_some_and(|file| file == name) => found.push(path),
            _ => {}
        }
    }
}

pub fn came(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn until(what: &str, ready: impl Fn() -> bool) {
    for _ in 0..6_000 {
        if ready() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it never came: {what}");
}

#[test]
fn twenty_hosts_start_at_one_moment() {
    let site = Site::new(20);
    site.write("        together: { within: 5m }\n", &[]);
    let output = site.run().output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", came(&output));
    let mut hosts: Vec<String> = site.ledger().into_iter().map(|(host, _)| host).collect();
    hosts.sort();
    assert_eq!(hosts, site.hosts.keys().cloned().collect::<Vec<_>>(), "each once");

    // Nobody starts before the last one is ready: journals keep milliseconds, so compare in these.
    let ready = site.jobs("job_ended", "stage");
    assert_eq!(ready.len(), 20);
    let last_ready = ready.iter().max().unwrap() / 1_000_000;
    let first_effect = site.ledger().iter().map(|(_, at)| *at).min().unwrap() / 1_000_000;
    assert!(first_effect >= last_ready, "started at {first_effect}, ready at {last_ready}");
    assert_eq!(site.one("firing")["jobs"].as_array().unwrap().len(), 20);
    assert!(site.jobs("job_started", "run").is_empty(), "nobody starts alone");

    // What was measured bounds what the hosts noted: their starts lie before their first command.
    let fired = site.one("fired");
    assert_eq!((fired["hosts"].as_u64(), fired["unheard"].as_u64()), (Some(20), Some(0)));
    let (least, most) = (fired["skew_min_us"].as_u64().unwrap(), fired["skew_max_us"].as_u64().unwrap());
    assert!(least <= most && fired["sent_us"].as_u64().unwrap() <= most, "{fired}");
    assert!(came(&output).contains("20 hosts started"), "{}", came(&output));
    let recap = "Started at one moment\n  cut: 20 hosts started, ";
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains(recap), "{told}");
    let show = site.blackstart(&["show", "last", "--format", "json"]).output().unwrap();
    let told: Value = serde_json::from_slice(&show.stdout).unwrap();
    let facts = serde_json::json!([{ "step": "cut", "hosts": 20, "unheard": 0, "skew_min_us": least, "skew_max_us": most }]);
    assert_eq!(told["fired"], facts, "{told}");
    println!("skew of 20 hosts: {least} to {most} us, lines sent within {} us", fired["sent_us"]);
}

#[test]
fn a_host_that_cannot_be_ready_stops_all() {
    let mut site = Site::new(5);
    site.strange = Some("h03".to_owned());
    site.write("        together: { within: 5m }\n", &[]);
    let output = site.run().output().unwrap();
    assert_eq!(output.status.code(), Some(22), "{}", came(&output));
    assert!(site.ledger().is_empty(), "{:?}", site.ledger());
    let events = site.events();
    assert!(!events.iter().any(|event| event.0 == "firing"), "{events:#?}");
    let failed = events.iter().filter(|event| event.0 == "task_ended");
    let changed: Vec<bool> =
        failed.map(|event| event.2["end"]["failed"]["changed"].as_bool().unwrap()).collect();
    assert_eq!(changed, [false; 5], "failed everywhere, and nowhere is anything changed");
    let claims = fs::read_dir(site.path("receipts")).into_iter().flatten().flatten();
    let claims = claims.flat_map(|run| fs::read_dir(run.path()).unwrap()).flatten();
    let claims: Vec<_> = claims.map(|file| file.file_name()).filter(|name| name != "host").collect();
    assert!(claims.is_empty(), "{claims:?}");
}

#[test]
fn a_quorum_goes_on_without_the_rest() {
    let mut site = Site::new(5);
    site.strange = Some("h03".to_owned());
    site.write("        together: { quorum: 80%, within: 5m }\n", &[]);
    let output = site.run().output().unwrap();
    assert_eq!(output.status.code(), Some(0), "one in five may be missing: {}", came(&output));
    let mut hosts: Vec<String> = site.ledger().into_iter().map(|(host, _)| host).collect();
    hosts.sort();
    assert_eq!(hosts, ["h01", "h02", "h04", "h05"]);

    // Whoever says that nobody may fail is taken at their word.
    fs::remove_file(site.path("ledger")).unwrap();
    site.write("        together: { quorum: 80%, within: 5m }\n        max_failures: 0\n", &[]);
    let output = site.run().output().unwrap();
    assert_eq!(output.status.code(), Some(22), "{}", came(&output));
    assert!(site.ledger().is_empty(), "{:?}", site.ledger());

    site.write("        together: { quorum: 5, within: 5m }\n", &[]);
    let output = site.run().output().unwrap();
    assert_eq!(output.status.code(), Some(22), "{}", came(&output));
    assert!(site.ledger().is_empty());
}

/// A server that takes connections and says nothing, until it is let go on.
struct Stalled(Sshd);

impl Stalled {
    fn new() -> Self {
        let sshd = Sshd::with(SshdOptions {
            ip: Some(IpAddr::V4(Ipv4Addr::new(127, 0, 9, 200))),
            ..SshdOptions::default()
        });
        sshd.pause();
        Self(sshd)
    }
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_controller_that_is_killed_before_it_fires_leaves_nothing_and_a_resume_completes() {
    let mut site = Site::new(4);
    let slow = Stalled::new();
    slow.0.authorize(&site.sshd.user_key().with_extension("pub"));
    site.hosts.insert("slow".to_owned(), (slow.0.addr.ip(), slow.0.addr.port()));
    let key = (slow.0.addr.ip(), slow.0.addr.port(), slow.0.host_key_line("ed25519"));
    site.write("        together: { within: 10m }\n", &[key]);
    let child = site.run().spawn().unwrap();
    until("four hosts are ready", || site.jobs("job_ended", "stage").len() == 4);
    kill(child);
    assert!(site.ledger().is_empty(), "killed before it fired: {:?}", site.ledger());
    slow.0.resume();
    let output = site.blackstart(&["resume", "last", "--yes"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", came(&output));
    let mut hosts: Vec<String> = site.ledger().into_iter().map(|(host, _)| host).collect();
    hosts.sort();
    assert_eq!(hosts, ["h01", "h02", "h03", "h04", "slow"], "each once");
    assert_eq!(site.one("firing")["jobs"].as_array().unwrap().len(), 5, "all of them together");
    assert!(site.jobs("job_started", "stage").len() >= 9, "laid ready anew");
}

/// `first` lies ready on the only session of `h01` and waits for a host that is slow; `second` wants to be checked there.
#[test]
fn a_script_that_lies_ready_on_the_only_session_of_a_host_keeps_nobody_waiting() {
    let mut site = Site::served(2, &["MaxSessions 1"]);
    let slow = Stalled::new();
    slow.0.authorize(&site.sshd.user_key().with_extension("pub"));
    site.hosts.insert("slow".to_owned(), (slow.0.addr.ip(), slow.0.addr.port()));
    let key = (slow.0.addr.ip(), slow.0.addr.port(), slow.0.host_key_line("ed25519"));
    let (ledger, ready) = (site.path("ledger"), site.path("ready"));
    let started = format!("echo \"$BLACKSTART_STEP-$BLACKSTART_HOST $(date +%s%N)\" >>{}", ledger.display());
    let runbook = format!(
        "version: 1\nname: fire\nphases:\n  - id: cut\n    steps:\n      \
         - {{ id: first, on: \"h01,slow\", together: {{ within: 10m }}, run: '{started}', undo: not_needed }}\n      \
         - {{ id: turn, on: h02, run: 'until [ -e {} ]; do sleep 0.05; done', undo: not_needed }}\n      \
         - {{ id: second, on: h01, needs: turn, check: 'false', together: true, run: '{started}', undo: not_needed }}\n",
        ready.display()
    );
    site.write_book("", &runbook, &[key]);
    let child = site.run().spawn().unwrap();
    until("the first one is ready", || site.jobs("job_ended", "stage").len() == 1);
    fs::write(&ready, "").unwrap();
    let starts = || site.ledger().into_iter().map(|(start, _)| start).collect::<Vec<_>>();
    until("the second one is not kept waiting", || starts() == ["second-h01"]);
    slow.0.resume();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", came(&output));
    let mut all = starts();
    all.sort();
    assert_eq!(all, ["first-h01", "first-slow", "second-h01"]);
}
