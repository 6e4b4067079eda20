//! Guards from runbook to journal: the whole program, a real SSH server, and cuts that leave the old link alive.

mod alone;
mod drill;
mod edges;
mod ways;

use crate::support::sshd::{Sshd, current_user};
use rustix::process::{Pid, Signal, kill_process};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const BLACKSTART: &str = env!("CARGO_BIN_EXE_blackstart");
/// Waited for, never asserted: a test that meets it hangs.
const LONG: Duration = Duration::from_secs(90);

/// Between two looks the machine is left to those who are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Later than this a guard does not fire on a machine of any speed. What is meant is 2 s; what is seen is printed.
const LATE_MAX: Duration = Duration::from_secs(30);

/// A server, an inventory and a runbook whose one step has a guard.
struct Scene {
    sshd: Sshd,
}

impl Scene {
    /// `cut` and `undo` may say `@dir@`; the server's files lie there.
    fn new(guard: &str, cut: &str, undo: &str) -> Self {
        Self::on(Sshd::start(), guard, cut, undo)
    }

    fn on(sshd: Sshd, guard: &str, cut: &str, undo: &str) -> Self {
        let host = host(&sshd, &current_user(), "");
        let step = format!("run: |\n          {}", cut.replace('\n', "\n          "));
        Self::of(sshd, &format!("  h1: {host}\n"), guard, &step, undo)
    }

    /// Any hosts, and any action of the step on `h1`.
    fn of(sshd: Sshd, hosts: &str, guard: &str, action: &str, undo: &str) -> Self {
        let dir = sshd.dir.path().display().to_string();
        std::fs::write(sshd.path("listener.pid"), sshd.pid().to_string()).unwrap();
        let inventory =
            format!("version: 1\nname: site\nsecrets: {{ sudo: {{ env: SUDO_PASSWORD }} }}\nhosts:\n{hosts}");
        let runbook = format!(
            "version: 1\nname: cut\nphases:\n  - id: isolate\n    steps:\n      - id: cut\n        on: h1\n        \
             guard: {guard}\n        {action}\n        undo: |\n          {}\n",
            undo.replace('\n', "\n          "),
        );
        std::fs::write(sshd.path("site.yaml"), inventory).unwrap();
        std::fs::write(sshd.path("cut.yaml"), runbook.replace("@dir@", &dir)).unwrap();
        Self { sshd }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.sshd.path(name)
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(BLACKSTART);
        command
            .arg(verb)
            .env("BLACKSTART_STATE", self.path("state"))
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        if verb == "run" {
            command.arg(self.path("cut.yaml")).arg("-i").arg(self.path("site.yaml")).arg("--yes");
        }
        command
    }

    fn run(&self, verb: &str) -> Output {
        let output = self.command(verb).output().unwrap();
        eprintln!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        output
    }

    fn spawn(&self) -> Child {
        self.command("run").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// `show --format json`: the recap.
    fn facts(&self) -> serde_json::Value {
        let output = self.command("show").args(["last", "--format", "json"]).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn journal(&self) -> String {
        let find =
            Command::new("find").arg(self.path("state")).args(["-name", "journal.jsonl"]).output().unwrap();
        let path = String::from_utf8(find.stdout).unwrap();
        std::fs::read_to_string(path.trim()).unwrap()
    }

    fn wait_for(&self, name: &str) {
        until(name, || self.path(name).exists());
    }

    /// The guard's file of this name, once it is there.
    fn guard_file(&self, end: &str) -> Option<String> {
        let name = format!("*.arm.1.{end}");
        let find = Command::new("find").arg(self.path("receipts")).args(["-name", &name]).output().unwrap();
        std::fs::read_to_string(String::from_utf8(find.stdout).unwrap().trim()).ok()
    }

    /// The guard has fired, on the host's own word; prints how late.
    fn fired_in_time(&self, story: &str) {
        let line = self.guard_file("fired").expect("the guard has fired");
        let mut words = line.split(' ').map(|word| word.parse::<u64>().unwrap_or(0));
        let (at, deadline) = (words.next().unwrap(), words.next().unwrap());
        assert!(at >= deadline, "{story}: {line}");
        let late = Duration::from_millis((at - deadline) * 10);
        println!("GUARD {story}: fired {late:?} after its time");
        assert!(late <= LATE_MAX, "{story}: {late:?} late");
    }

    /// The server listens again, started by the undo or by us.
    fn listen_again(&self) {
        let conf = self.path("sshd_config");
        let pid = self.path("again.pid");
        let status = Command::new("/usr/sbin/sshd")
            .args(["-f", conf.to_str().unwrap(), "-o", &format!("PidFile={}", pid.display())])
            .status();
        assert!(status.unwrap().success());
        self.wait_for("again.pid");
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // A guard that has not yet looked whether it was confirmed would wait for its time: its records go with us.
        let live = Command::new("find").arg(self.path("receipts")).args(["-name", "*.live"]).output();
        let live = live.map(|found| String::from_utf8_lossy(&found.stdout).into_owned()).unwrap_or_default();
        // A number may be another process's since.
        live.lines().for_each(|file| end(file.as_ref(), "g_until"));
        end(&self.path("again.pid"), "sshd");
    }
}

/// Ends the process whose number the file begins with, if its command line speaks of this.
fn end(file: &Path, what: &str) {
    let read = |path: &Path| std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&read(file)).into_owned();
    let Some(pid) = text.split_whitespace().next().and_then(|pid| pid.parse::<i32>().ok()) else { return };
    let command = read(format!("/proc/{pid}/cmdline").as_ref());
    if String::from_utf8_lossy(&command).contains(what)
        && let Some(pid) = Pid::from_raw(pid)
    {
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// An entry of the inventory, without its name.
fn host(sshd: &Sshd, user: &str, more: &str) -> String {
    let dir = sshd.dir.path().display();
    format!(
        "{{ address: 127.0.0.1, port: {}, user: {user}, agent: false, ssh_config: false, identity_file: {dir}/id, \
         known_hosts: {dir}/known_hosts, receipts_dir: {dir}/receipts{more} }}",
        sshd.addr.port()
    )
}

/// Looks until it is so.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !so() {
        assert!(Instant::now() < deadline, "{what}: never came");
        std::thread::sleep(LOOK_EVERY);
    }
}

fn kill(pid: u32) {
    kill_process(Pid::from_raw(pid as i32).unwrap(), Signal::KILL).unwrap();
}

/// Cuts every new connection and leaves those alive that stand: what a firewall does that tracks connections.
const CUT_NEW: &str = "touch @dir@/cut\nkill \"$(cat @dir@/listener.pid)\"";
const UNCUT: &str =
    "rm -f @dir@/cut\n/usr/sbin/sshd -f @dir@/sshd_config -o PidFile=@dir@/again.pid\ntouch @dir@/back";

#[test]
fn a_cut_that_leaves_only_the_old_link_alive_is_taken_back() {
    let scene = Scene::new("{ within: 6s, otherwise: revert, self_test: true }", CUT_NEW, UNCUT);
    let output = scene.run("run");
    assert_eq!(output.status.code(), Some(22), "the step failed, and its phase says stop");
    assert!(scene.path("back").exists() && !scene.path("cut").exists());
    let journal = scene.journal();
    assert!(journal.contains("\"fired\":{\"late\":"), "{journal}");
    assert!(journal.contains("\"tested\":") && !journal.contains("\"confirmed\""), "{journal}");
    scene.fired_in_time("only the old link alive");
    assert_eq!(scene.facts()["guards"][0]["became"], "fired");
    let shown = scene.run("show");
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("guard armed") && shown.contains("guard fired"), "{shown}");
    // Once it is taken back, everything is as before: the step may be tried again.
    let journal = scene.journal();
    assert!(journal.contains("\"changed\":false"), "{journal}");
}

#[test]
fn a_change_that_leaves_the_way_open_is_confirmed_as_often_as_asked() {
    let guard = "{ within: 30s, otherwise: revert, repeat: { every: 1s, for: 4s } }";
    let scene = Scene::new(guard, "touch @dir@/cut", "touch @dir@/back");
    let output = scene.run("run");
    assert_eq!(output.status.code(), Some(0));
    let journal = scene.journal();
    let confirmed = journal.matches("\"confirmed\":{\"over\"").count();
    assert!(confirmed >= 2, "{journal}");
    // Every confirmation but the last gives more time, as the arming did.
    assert_eq!(journal.matches("\"left\":").count(), confirmed, "{journal}");
    assert!(scene.path("cut").exists() && !scene.path("back").exists());
}

#[test]
fn under_hold_the_cut_stays_and_a_resume_proves_the_way_late() {
    let scene = Scene::new("{ within: 5s, otherwise: hold }", CUT_NEW, UNCUT);
    let output = scene.run("run");
    assert_eq!(output.status.code(), Some(22));
    assert!(scene.path("cut").exists() && !scene.path("back").exists());
    assert!(scene.journal().contains("\"expired\":{\"late\":"), "{}", scene.journal());
    scene.listen_again();
    let output = scene.run("resume");
    assert_eq!(output.status.code(), Some(0));
    let journal = scene.journal();
    assert!(journal.contains("\"confirmed_late\""), "{journal}");
    assert_eq!(scene.facts()["guards"][0]["became"], "confirmed");
    assert_eq!(
        journal.matches("\"job_started\":{\"job\":{\"task\":0,\"kind\":\"run\"").count(),
        1,
        "{journal}"
    );
}

#[test]
fn with_controller_and_server_killed_and_every_link_dead_it_fires_on_time() {
    let scene = Scene::new(
        "{ within: 6s, otherwise: revert }",
        "touch @dir@/cut\nwhile :; do sleep 0.1; done",
        UNCUT,
    );
    let mut blackstart = scene.spawn();
    scene.wait_for("cut");
    blackstart.kill().unwrap();
    blackstart.wait().unwrap();
    scene.sshd.kill_connections();
    kill(scene.sshd.pid());
    scene.wait_for("back");
    assert!(!scene.path("cut").exists());
    scene.fired_in_time("blackstart and sshd killed, every link dead");
    // Whoever takes the run up learns it from the host.
    let output = scene.run("resume");
    assert_eq!(output.status.code(), Some(22));
    assert!(scene.journal().contains("\"fired\":{\"late\":"), "{}", scene.journal());
}
