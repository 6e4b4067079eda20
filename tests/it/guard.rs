//! Guards from runbook to journal: the whole program, a real SSH server, and cuts that leave the old link alive.

use crate::support::sshd::{Sshd, current_user};
use rustix::process::{Pid, Signal, kill_process};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const BLACKSTART: &str = env!("CARGO_BIN_EXE_blackstart");
/// Waited for, never asserted: a test that meets it hangs.
const LONG: Duration = Duration::from_secs(90);

/// A server, an inventory and a runbook whose one step has a guard.
struct Scene {
    sshd: Sshd,
}

impl Scene {
    /// `cut` and `undo` may say `@dir@`; the server's files lie there.
    fn new(guard: &str, cut: &str, undo: &str) -> Self {
        let sshd = Sshd::start();
        let dir = sshd.dir.path().display().to_string();
        std::fs::write(sshd.path("listener.pid"), sshd.pid().to_string()).unwrap();
        let inventory = format!(
            "version: 1\nname: site\nhosts:\n  h1: {{ address: 127.0.0.1, port: {}, user: {}, agent: false, \
             ssh_config: false, identity_file: {dir}/id, known_hosts: {dir}/known_hosts, receipts_dir: {dir}/receipts }}\n",
            sshd.addr.port(),
            current_user(),
        );
        let runbook = format!(
            "version: 1\nname: cut\nphases:\n  - id: isolate\n    steps:\n      - id: cut\n        on: h1\n        \
             guard: {guard}\n        run: |\n          {}\n        undo: |\n          {}\n",
            cut.replace('\n', "\n          ").replace("@dir@", &dir),
            undo.replace('\n', "\n          ").replace("@dir@", &dir),
        );
        std::fs::write(sshd.path("site.yaml"), inventory).unwrap();
        std::fs::write(sshd.path("cut.yaml"), runbook).unwrap();
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

    fn journal(&self) -> String {
        let find =
            Command::new("find").arg(self.path("state")).args(["-name", "journal.jsonl"]).output().unwrap();
        let path = String::from_utf8(find.stdout).unwrap();
        std::fs::read_to_string(path.trim()).unwrap()
    }

    fn wait_for(&self, name: &str) {
        let deadline = Instant::now() + LONG;
        while !self.path(name).exists() {
            assert!(Instant::now() < deadline, "{name} never came");
            std::thread::yield_now();
        }
    }

    /// What the host wrote down: when its guard fired and when it should have, in hundredths of a second.
    fn fired(&self) -> (u64, u64) {
        let find = Command::new("find")
            .arg(self.path("receipts"))
            .args(["-name", "*.arm.1.fired"])
            .output()
            .unwrap();
        let line = std::fs::read_to_string(String::from_utf8(find.stdout).unwrap().trim()).unwrap();
        let mut words = line.split(' ').map(|word| word.parse::<u64>().unwrap_or(0));
        (words.next().unwrap(), words.next().unwrap())
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
        if let Ok(pid) = std::fs::read_to_string(self.path("again.pid"))
            && let Some(pid) = pid.trim().parse().ok().and_then(Pid::from_raw)
        {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
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
    let (at, deadline) = scene.fired();
    assert!(at >= deadline && at - deadline <= 200, "fired {} hundredths late", at - deadline);
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
    kill_process(Pid::from_raw(scene.sshd.pid() as i32).unwrap(), Signal::KILL).unwrap();
    scene.wait_for("back");
    assert!(!scene.path("cut").exists());
    let (at, deadline) = scene.fired();
    assert!(at >= deadline && at - deadline <= 200, "fired {} hundredths late", at - deadline);
    // Whoever takes the run up learns it from the host.
    let output = scene.run("resume");
    assert_eq!(output.status.code(), Some(22));
    assert!(scene.journal().contains("\"fired\":{\"late\":"), "{}", scene.journal());
}
