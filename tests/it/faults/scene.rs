//! A network with hosts of a test's own: namespaces that nobody else sees, and that end with the test.
//!
//! The controller's place is a network and a mount namespace. Each host is a mount and a process namespace in it, with
//! an address of its own on the loopback and a real sshd; its first process ends with it, and so does all it runs.

use super::host::{Host, Like};
use crate::support::live::{Live, Said, until};
use crate::support::runs::Runs;
use crate::support::sshd::{Sshd, SshdOptions};
use blackstart::model::Outcome;
use blackstart::model::event::{Found, JobKind};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Deref;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

const BLACKSTART: &str = env!("CARGO_BIN_EXE_blackstart");

/// The first process of a host: readies its place, starts what it is given and buries the dead. Its home and what else
/// receipts may lie in are its own.
const INIT: &str = "for place in /root /var/lib /var/tmp; do mount -t tmpfs tmpfs $place; done\n\
     [ ! -e @boot ] || mount --bind @boot /proc/sys/kernel/random/boot_id\n\
     [ ! -e @boot.uptime ] || mount --bind @boot.uptime /proc/uptime\n@setup\n\
     \"$@\" &\nsleep infinity &\nwhile kill -0 $! 2>/dev/null; do wait; done";

/// Hosts and a controller's place beside them.
pub struct Scene {
    dir: tempfile::TempDir,
    /// Its first process; none, where the place is this machine's own.
    place: Option<Child>,
    runs: Runs,
    hosts: Vec<Host>,
}

impl Deref for Scene {
    type Target = Runs;

    fn deref(&self) -> &Runs {
        &self.runs
    }
}

impl Scene {
    /// A place with one host, `h1`, that is like any other.
    pub fn new() -> Self {
        Self::with(Like::default())
    }

    /// A place with one host.
    pub fn with(like: Like) -> Self {
        let mut scene = Self::bare();
        scene.add(like);
        scene.write_inventory();
        scene
    }

    /// One host and the controller on the machine's own loopback, where threads of the test have a part to play.
    pub fn outside() -> Self {
        let mut scene = Self::of(None);
        scene.add(Like::default());
        scene.write_inventory();
        scene
    }

    /// A place without hosts.
    pub fn bare() -> Self {
        assert!(rustix::process::geteuid().is_root(), "only root may make namespaces");
        let mut place = Command::new("unshare")
            .args(["--net", "--mount", "sh", "-c", "ip link set lo up mtu 1500 && echo up && exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut word = String::new();
        BufReader::new(place.stdout.take().unwrap()).read_line(&mut word).unwrap();
        assert_eq!(word, "up\n");
        Self::of(Some(place))
    }

    fn of(place: Option<Child>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let runs = Runs { state: dir.path().join("state") };
        let scene = Self { dir, place, runs, hosts: Vec::new() };
        fs::create_dir(scene.path("bin")).unwrap();
        scene.script("bin/ssh", "exec /usr/bin/ssh -F @dir@/ssh_config \"$@\"");
        scene.write("ssh_config", "");
        scene
    }

    /// One more host: `h1` is 127.1.0.1, `h2` is 127.1.0.2.
    pub fn add(&mut self, like: Like) -> &Host {
        let number = u8::try_from(self.hosts.len()).unwrap() + 1;
        let name = format!("h{number}");
        let setup = self.filled(&like.setup);
        let boot = self.path(&format!("{name}.boot")).display().to_string();
        let init = INIT.replace("@boot", &boot).replace("@setup", &setup);
        let namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
        let inside = namespaces.into_iter().chain(["sh", "-c", &init, "init"]).map(str::to_owned);
        let within = self.place.is_some().then(|| self.in_place().into_iter().chain(inside).collect());
        let ip = Some(IpAddr::V4(Ipv4Addr::new(127, 1, 0, number)));
        let config = like.config.iter().map(|line| self.filled(line)).collect();
        let options = SshdOptions { config, ip, within: within.unwrap_or_default(), ..Default::default() };
        let sshd = Sshd::with(options);
        let address = if like.name.is_empty() { sshd.addr.ip().to_string() } else { like.name.clone() };
        sshd.also_known_as(&address, sshd.addr.port());
        let entry = format!(
            "  {name}: {{ address: {}, port: {}, user: root, agent: false, identity_file: {}, known_hosts: {}, \
             connect_timeout: 4s{} }}\n",
            address,
            sshd.addr.port(),
            sshd.user_key().display(),
            sshd.known_hosts().display(),
            self.filled(&match like.chooses {
                true => like.settings,
                false => format!(", receipts_dir: @dir@/{name}.receipts{}", like.settings),
            }),
        );
        fs::write(self.path(&format!("{name}.entry")), entry).unwrap();
        self.hosts.push(Host { sshd, name });
        self.hosts.last().unwrap()
    }

    /// The inventory of all hosts, and `here`.
    pub fn write_inventory(&self) {
        let mut text = "version: 1\nname: site\nhosts:\n  here: { connection: local }\n".to_owned();
        for host in &self.hosts {
            text += &fs::read_to_string(self.path(&format!("{}.entry", host.name))).unwrap();
        }
        self.write("site.yaml", &text);
    }

    pub fn host(&self) -> &Host {
        &self.hosts[0]
    }

    /// The second host.
    pub fn jump(&self) -> &Host {
        &self.hosts[1]
    }

    pub fn jump_mut(&mut self) -> &mut Host {
        &mut self.hosts[1]
    }

    pub fn host_mut(&mut self) -> &mut Host {
        &mut self.hosts[0]
    }

    /// A silent link counts as lost after four seconds.
    pub fn impatient(self) -> Self {
        self.write("ssh_config", "Host *\n  ServerAliveInterval 2\n  ServerAliveCountMax 1\n");
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn filled(&self, text: &str) -> String {
        text.replace("@dir@", &self.dir.path().display().to_string())
    }

    /// Writes a file in which `@dir@` is the scene's directory.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), self.filled(text)).unwrap();
    }

    /// Writes a program.
    pub fn script(&self, name: &str, text: &str) {
        self.write(name, &format!("#!/bin/sh\n{text}\n"));
        fs::set_permissions(self.path(name), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// The words that begin a command in the controller's place.
    fn in_place(&self) -> Vec<String> {
        let Some(place) = &self.place else { return Vec::new() };
        ["nsenter", "-t", &place.id().to_string(), "-n", "-m"].map(str::to_owned).to_vec()
    }

    /// A command in the controller's place. The process is the program itself.
    pub fn command(&self, program: &str) -> Command {
        let mut words = self.in_place();
        words.push(program.to_owned());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command.env("BLACKSTART_STATE", &self.runs.state).env("NO_COLOR", "1").stdin(Stdio::null());
        command.env("PATH", format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap()));
        command
    }

    /// Starts `run` on this runbook, without waiting for its end.
    pub fn start(&self, runbook: &str) -> Live {
        self.write("runbook.yaml", runbook);
        let mut command = self.command(BLACKSTART);
        command.arg("run").arg(self.path("runbook.yaml")).arg("-i").arg(self.path("site.yaml")).arg("--yes");
        Live::start(&mut command, self.dir.path(), "run")
    }

    /// Runs a runbook to its end.
    pub fn run(&self, runbook: &str) -> Said {
        self.start(runbook).ended()
    }

    /// Another command, about the last run.
    pub fn also(&self, args: &[&str]) -> Said {
        Live::start(self.command(BLACKSTART).args(args), self.dir.path(), &args.join(" ")).ended()
    }

    /// The journal is whole, says `verify`.
    #[track_caller]
    pub fn verify(&self) {
        self.also(&["verify", "last"]).is(0);
    }

    /// From here on these rules hold for what comes in over the loopback; `@host` is `h1`'s address, `@port` its port.
    pub fn weather(&self, rules: &str) {
        let addr = self.host().sshd.addr;
        let rules = rules.replace("@host", &addr.ip().to_string()).replace("@port", &addr.port().to_string());
        let text = format!(
            "table inet weather\ndelete table inet weather\ntable inet weather {{\n  counter seen {{}}\n  \
             chain in {{\n    type filter hook input priority 0;\n    {}\n  }}\n}}\n",
            rules.replace(';', "\n")
        );
        let mut nft = self.command("nft").args(["-f", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        nft.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(nft.wait().unwrap().success(), "{text}");
    }

    /// Everything gets through again.
    pub fn clear(&self) {
        self.weather("");
    }

    /// How many packets a rule with `counter name seen` has met.
    pub fn seen(&self) -> u64 {
        let out =
            self.command("nft").args(["-j", "list", "counter", "inet", "weather", "seen"]).output().unwrap();
        let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        json["nftables"][1]["counter"]["packets"].as_u64().unwrap()
    }

    /// Lets scripts stop at `gate NAME` until they are let go on.
    pub fn hold(&self, gate: &str) {
        self.write(&format!("hold-{gate}"), "");
    }

    /// Waits until somebody stops at a gate.
    #[track_caller]
    pub fn until_at(&self, gate: &str, live: &mut Live) {
        until(&format!("somebody at {gate}"), || {
            let there = self.path(&format!("at-{gate}")).exists();
            if !there {
                live.must_run(gate);
            }
            there
        });
    }

    /// Lets whoever stops at a gate go on.
    pub fn let_go(&self, gate: &str) {
        self.write(&format!("go-{gate}"), "");
    }

    /// Shell text of such a gate.
    pub fn gate(gate: &str) -> String {
        format!(
            "if [ -e @dir@/hold-{gate} ]; then : >@dir@/at-{gate}; while [ -e @dir@/site.yaml ] && [ ! -e @dir@/go-{gate} ]; do sleep 0.05; done; fi"
        )
    }

    /// What steps wrote down, wherever they ran.
    pub fn ledger(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("ledger")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits for a line of the ledger.
    #[track_caller]
    pub fn until_ledger(&self, line: &str) {
        until(&format!("`{line}` in the ledger"), || self.ledger().iter().any(|have| have == line));
    }

    /// The receipts of a host: name and content.
    pub fn receipts(&self, host: &str) -> Vec<(String, String)> {
        let dir =
            self.path(&format!("{host}.receipts")).join(self.dir().expect("there is a run").id().as_str());
        let mut found: Vec<_> = fs::read_dir(dir)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| {
                let text = fs::read_to_string(entry.path()).unwrap_or_default();
                (entry.file_name().to_string_lossy().into_owned(), text)
            })
            .collect();
        found.sort();
        found
    }

    /// What a task printed on stdout in all of its tries to run, as it is kept.
    pub fn output(&self, task: &str) -> String {
        let dirs =
            fs::read_dir(self.dir().expect("there is a run").out_dir()).into_iter().flatten().flatten();
        let mine = dirs.filter(|dir| dir.file_name().to_string_lossy().contains(task));
        let files = mine.flat_map(|dir| fs::read_dir(dir.path()).unwrap().flatten());
        let runs = files.filter(|file| {
            let name = file.file_name();
            name.to_string_lossy().starts_with("run-") && name.to_string_lossy().ends_with(".out")
        });
        runs.map(|file| fs::read_to_string(file.path()).unwrap()).collect()
    }

    /// Nobody was in doubt about a task at any time.
    #[track_caller]
    pub fn no_doubt_about(&self, about: &str, kind: JobKind) {
        let outcomes = self.outcomes(about, kind);
        assert!(!outcomes.iter().any(|outcome| matches!(outcome, Outcome::Unknown { .. })), "{outcomes:?}");
        assert_eq!(self.found(about), Vec::<Found>::new());
    }

    /// Waits until somebody is in doubt.
    #[track_caller]
    pub fn until_doubt(&self, live: &mut Live, about: &str, kind: JobKind) {
        until("the loss is noticed", || {
            let unknown = |outcome: &Outcome| matches!(outcome, Outcome::Unknown { .. });
            let noticed = self.outcomes(about, kind).iter().any(unknown);
            if !noticed {
                live.must_run("a loss that is noticed");
            }
            noticed
        });
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // The hosts first: their files lie in our directory.
        self.hosts.iter_mut().for_each(|host| host.sshd.end());
        if let Some(place) = &mut self.place {
            let _ = place.kill();
            let _ = place.wait();
        }
    }
}
