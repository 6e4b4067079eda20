//! A real OpenSSH server on loopback, with keys of its own in a temporary directory, ended when dropped.

#![allow(dead_code)]

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// A server that does not come up in this time is broken, not slow.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// A log line that a test waits for comes within this time or never.
const LOG_WITHIN: Duration = Duration::from_secs(20);
/// Another process may take a free port between our look and the server's bind.
const PORT_TRIES: usize = 5;

/// A running server.
pub struct Sshd {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Everything it uses: host keys, the user's key, `authorized_keys`, `known_hosts`.
    pub dir: tempfile::TempDir,
    child: Child,
    log: Arc<Log>,
    within: Vec<String>,
}

/// What a server says on stderr, and a bell that rings with each line.
#[derive(Default)]
pub struct Log {
    state: Mutex<(Vec<String>, bool)>,
    bell: Condvar,
}

/// What a server is to be like.
#[derive(Default, Clone)]
pub struct SshdOptions {
    /// Lines of `sshd_config` that win over the helper's own.
    pub config: Vec<String>,
    /// Kinds of host keys (`ed25519`, `rsa`, `ecdsa`); none means ed25519.
    pub host_keys: Vec<&'static str>,
    /// Where to listen; none means 127.0.0.1.
    pub ip: Option<IpAddr>,
    /// A command that runs the server, given as its further arguments, in a place of its own.
    pub within: Vec<String>,
}

impl Sshd {
    /// A server with one ed25519 host key that lets the current user in with `user_key()`.
    pub fn start() -> Self {
        Self::with(SshdOptions::default())
    }

    /// A server with further lines in its configuration.
    pub fn with_config(lines: &[&str]) -> Self {
        Self::with(SshdOptions {
            config: lines.iter().map(|&line| line.to_owned()).collect(),
            ..Default::default()
        })
    }

    /// A server as asked for.
    pub fn with(options: SshdOptions) -> Self {
        Self::with_prepared(options, |_| {})
    }

    /// A server as asked for, whose directory is prepared when its keys are there and before it starts.
    pub fn with_prepared(options: SshdOptions, prepare: impl FnOnce(&Path)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let kinds = if options.host_keys.is_empty() { vec!["ed25519"] } else { options.host_keys.clone() };
        for kind in &kinds {
            keygen(&dir.path().join(format!("host_{kind}")), kind, "");
        }
        keygen(&dir.path().join("id"), "ed25519", "");
        std::fs::copy(dir.path().join("id.pub"), dir.path().join("authorized_keys")).unwrap();
        prepare(dir.path());
        // sshd refuses to start as root without its privilege separation directory.
        let _ = std::fs::create_dir_all("/run/sshd");

        let ip = options.ip.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let mut tries = 0;
        loop {
            let addr = free_port(ip);
            let conf = dir.path().join("sshd_config");
            std::fs::write(&conf, config(&options, &kinds, dir.path(), addr)).unwrap();
            let (mut child, log) = launch(&options.within, &conf);
            if log.wait(READY_WITHIN, |line| line.contains("Server listening on")) {
                let sshd = Self { addr, dir, child, log, within: options.within };
                sshd.write_known_hosts(&kinds);
                return sshd;
            }
            let _ = child.kill();
            let _ = child.wait();
            let text = log.text();
            tries += 1;
            assert!(
                text.contains("Address already in use") && tries < PORT_TRIES,
                "sshd did not start:\n{text}"
            );
        }
    }

    /// The private key that may log in (its public half is `authorized_keys`).
    pub fn user_key(&self) -> PathBuf {
        self.dir.path().join("id")
    }

    /// A known_hosts file that knows this server.
    pub fn known_hosts(&self) -> PathBuf {
        self.dir.path().join("known_hosts")
    }

    /// The process that listens.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A file in the server's directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The public line of a host key, `ssh-ed25519 AAAA…`, without comment.
    pub fn host_key_line(&self, kind: &str) -> String {
        public_line(&self.dir.path().join(format!("host_{kind}.pub")))
    }

    /// Lets a further public key in.
    pub fn authorize(&self, public: &Path) {
        let mut keys = std::fs::read_to_string(self.path("authorized_keys")).unwrap();
        keys.push_str(&std::fs::read_to_string(public).unwrap());
        std::fs::write(self.path("authorized_keys"), keys).unwrap();
    }

    /// Has it logged a line that contains `what`, or will it soon?
    pub fn wait_for_log(&self, what: &str) -> bool {
        self.log.wait(LOG_WITHIN, |line| line.contains(what))
    }

    /// Its log, to be waited for elsewhere.
    pub fn log_handle(&self) -> Arc<Log> {
        Arc::clone(&self.log)
    }

    /// Everything it has said.
    pub fn log_text(&self) -> String {
        self.log.text()
    }

    /// Ends every connection as a crash of the server would: its processes are killed, nothing is said.
    pub fn kill_connections(&self) {
        for pid in children_of(self.child.id()) {
            kill(pid);
        }
    }

    /// Stops it as it is: connections are taken by the kernel and not answered.
    pub fn pause(&self) {
        signal(self.child.id(), Signal::STOP);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        signal(self.child.id(), Signal::CONT);
    }

    /// Lets its own known_hosts file know it under another name or port, too.
    pub fn also_known_as(&self, name: &str, port: u16) {
        let mut text = std::fs::read_to_string(self.known_hosts()).unwrap();
        text += &format!("[{name}]:{port} {}\n", self.host_key_line("ed25519"));
        std::fs::write(self.known_hosts(), text).unwrap();
    }

    /// Ends it and everything it runs, and starts it anew with the same keys at the same place.
    pub fn restart(&mut self) {
        self.end();
        (self.child, self.log) = launch(&self.within, &self.path("sshd_config"));
        assert!(
            self.log.wait(READY_WITHIN, |line| line.contains("Server listening on")),
            "{}",
            self.log_text()
        );
    }

    /// Ends it and everything it runs.
    pub fn end(&mut self) {
        self.resume();
        for pid in descendants_of(self.child.id()) {
            kill(pid);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The lines of a known_hosts file that know it.
    pub fn known_line(&self) -> String {
        std::fs::read_to_string(self.known_hosts()).unwrap()
    }

    fn write_known_hosts(&self, kinds: &[&str]) {
        let name = format!("[{}]:{}", self.addr.ip(), self.addr.port());
        let lines: String =
            kinds.iter().map(|kind| format!("{name} {}\n", self.host_key_line(kind))).collect();
        std::fs::write(self.known_hosts(), lines).unwrap();
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.end();
    }
}

impl Log {
    fn text(&self) -> String {
        self.state.lock().unwrap().0.join("\n")
    }

    /// Have so many lines contained `what`, or will they soon?
    pub fn wait_for_count(&self, what: &str, count: usize) -> bool {
        self.wait_for(LOG_WITHIN, |lines| lines.iter().filter(|line| line.contains(what)).count() >= count)
    }

    fn wait(&self, within: Duration, fits: impl Fn(&str) -> bool) -> bool {
        self.wait_for(within, |lines| lines.iter().any(|line| fits(line)))
    }

    /// Waits until the lines fit, the log ends, or the time is over.
    fn wait_for(&self, within: Duration, fits: impl Fn(&[String]) -> bool) -> bool {
        let deadline = Instant::now() + within;
        let mut state = self.state.lock().unwrap();
        loop {
            if fits(&state.0) {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.1 || left.is_zero() {
                return false;
            }
            state = self.bell.wait_timeout(state, left).unwrap().0;
        }
    }
}

/// The name of the user that runs the tests.
pub fn current_user() -> String {
    let out = Command::new("id").arg("-un").output().expect("id runs");
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

/// Makes a key pair: `kind` is `ed25519`, `rsa` or `ecdsa`; an empty passphrase leaves it unencrypted.
pub fn keygen(path: &Path, kind: &str, passphrase: &str) {
    // 2048 bits: the smallest that OpenSSH and OpenSSL take without complaint, and quick to make.
    let bits = if kind == "rsa" { vec!["-b", "2048"] } else { vec![] };
    run(Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", passphrase, "-C", "test", "-f"])
        .arg(path)
        .args(bits));
}

/// Runs a command that must succeed, and gives its stdout.
pub fn run(command: &mut Command) -> String {
    let out = command.stdin(Stdio::null()).output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// Key type and base64 of a `.pub` file.
pub fn public_line(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// An address on which nobody listens at this moment.
pub fn free_port(ip: IpAddr) -> SocketAddr {
    TcpListener::bind((ip, 0)).unwrap().local_addr().unwrap()
}

fn config(options: &SshdOptions, kinds: &[&str], dir: &Path, addr: SocketAddr) -> String {
    // sshd takes the first value of a keyword, so what a test asks for stands first.
    let mut lines = options.config.clone();
    lines.push(format!("ListenAddress {}", addr.ip()));
    lines.push(format!("Port {}", addr.port()));
    for kind in kinds {
        lines.push(format!("HostKey {}/host_{kind}", dir.display()));
    }
    lines.push(format!("AuthorizedKeysFile {}/authorized_keys", dir.display()));
    lines.extend(
        [
            "PidFile none",
            "UsePAM no",
            "StrictModes no",
            "LogLevel VERBOSE",
            "PermitRootLogin yes",
            "UseDNS no",
        ]
        .map(str::to_owned),
    );
    // Of these the last counts, or there may be only one.
    for (keyword, value) in [("MaxStartups", "1000"), ("Subsystem", "sftp internal-sftp")] {
        if !options.config.iter().any(|line| line.starts_with(keyword)) {
            lines.push(format!("{keyword} {value}"));
        }
    }
    lines.join("\n").replace("%DIR%", &dir.display().to_string()) + "\n"
}

fn launch(within: &[String], conf: &Path) -> (Child, Arc<Log>) {
    let server = ["/usr/sbin/sshd", "-D", "-e", "-f"].map(str::to_owned);
    let mut words = within.iter().chain(&server);
    let mut child = Command::new(words.next().expect("there is a server"))
        .args(words)
        .arg(conf)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("/usr/sbin/sshd is installed");
    let log = Arc::new(Log::default());
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let writer = Arc::clone(&log);
    std::thread::spawn(move || {
        for line in stderr.lines().map_while(Result::ok) {
            writer.state.lock().unwrap().0.push(line);
            writer.bell.notify_all();
        }
        writer.state.lock().unwrap().1 = true;
        writer.bell.notify_all();
    });
    (child, log)
}

/// The processes whose parent is `pid`.
pub fn children_of(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The command name stands in parentheses and may hold anything; the parent is the second field after it.
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1));
        if parent.and_then(|parent| parent.parse::<u32>().ok()) == Some(pid) {
            found.push(child);
        }
    }
    found
}

/// All processes below `pid`.
pub fn descendants_of(pid: u32) -> Vec<u32> {
    let children = children_of(pid);
    let deeper: Vec<u32> = children.iter().flat_map(|&child| descendants_of(child)).collect();
    children.into_iter().chain(deeper).collect()
}

fn kill(pid: u32) {
    signal(pid, Signal::KILL);
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid as i32) {
        let _ = kill_process(pid, signal);
    }
}
