//! What the controller remembers stays in it: no core dump, no look into it, nothing in lists of processes.

use super::Desk;
use crate::support::live::{Live, until};
use crate::support::sshd::Sshd;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The user and group `nobody`, which every Debian has.
const NOBODY: [&str; 4] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
/// As shells that debug things have it.
const UNLIMITED: [&str; 2] = ["prlimit", "--core=unlimited:unlimited"];

#[test]
fn a_controller_that_crashes_leaves_no_core() {
    // That a process which does nothing about it would leave one here.
    let desk = Desk::new();
    let mut other = Command::new(UNLIMITED[0])
        .args([UNLIMITED[1], "sleep", "1000"])
        .current_dir(desk.sshd.dir.path())
        .spawn()
        .expect("prlimit is installed");
    until("the other program", || {
        fs::read_to_string(format!("/proc/{}/comm", other.id())).is_ok_and(|name| name.trim() == "sleep")
    });
    kill(other.id(), rustix::process::Signal::SEGV);
    assert!(other.wait().expect("it can be waited for").core_dumped(), "this machine dumps no cores at all");
    let names = || {
        let all = fs::read_dir(desk.sshd.dir.path()).expect("the directory can be read").flatten();
        all.map(|entry| entry.file_name()).filter(|name| name.to_string_lossy().starts_with("core")).count()
    };
    let before = names();

    for signal in [rustix::process::Signal::ABORT, rustix::process::Signal::QUIT] {
        let mut command = desk.command(&UNLIMITED, "run", &[]);
        let mut child = command
            .current_dir(desk.sshd.dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("blackstart starts");
        let already = desk.ledger().len();
        until("the step", || desk.ledger().len() > already);
        kill(child.id(), signal);
        let status = child.wait().expect("it can be waited for");
        assert_eq!(status.signal(), Some(signal.as_raw()));
        assert!(!status.core_dumped(), "{status}");
        assert_eq!(names(), before, "no core lies about");
    }
    desk.go();
    until("both steps", || desk.ledger().iter().filter(|line| *line == "end 1").count() == 2);
    desk.run("resume").is(0);
}

fn kill(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid as i32).expect("a child has a number");
    rustix::process::kill_process(pid, signal).expect("a child can be killed");
}

/// Others that run as the same user see neither its environment nor its memory.
#[test]
fn processes_of_the_same_user_cannot_look_into_a_controller() {
    let desk = Desk::new();
    // Nobody may come this far, read what is needed, and keep runs of its own.
    open_to_all(desk.sshd.dir.path());
    desk.state_of_nobody();
    let live = desk.start_by(&NOBODY, "run", &[]);
    desk.until("start 1");
    let by_nobody = |file: &str, pid: u32| -> Output {
        Command::new(NOBODY[0])
            .args(&NOBODY[1..])
            .arg("cat")
            .arg(format!("/proc/{pid}/{file}"))
            .output()
            .expect("cat runs")
    };
    let mut other =
        Command::new(NOBODY[0]).args(&NOBODY[1..]).args(["sleep", "1000"]).spawn().expect("sleep runs");
    until("the other program", || by_nobody("environ", other.id()).status.success());
    for file in ["environ", "maps", "auxv"] {
        assert!(by_nobody(file, other.id()).status.success(), "{file} of other programs can be read");
        let said = by_nobody(file, live.pid());
        assert!(!said.status.success() && said.stdout.is_empty(), "{file} can be read");
    }
    other.kill().expect("it can be killed");
    other.wait().expect("it can be waited for");
    assert_eq!(fs::metadata(format!("/proc/{}/environ", live.pid())).expect("it runs").uid(), 0);
    desk.go();
    live.ended().is(0);
}

fn open_to_all(dir: &Path) {
    for (name, mode) in [("", 0o755), ("id", 0o644), ("ledger", 0o666)] {
        let mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(mode);
        fs::set_permissions(dir.join(name), mode).expect("modes can be set");
    }
}

impl Desk {
    fn state_of_nobody(&self) {
        fs::create_dir(&self.state).expect("a directory can be made");
        std::os::unix::fs::chown(&self.state, Some(65534), Some(65534)).expect("root gives things away");
    }
}

/// Secrets that came from the environment are in no argument list and in no other process's environment, on the
/// controller and on the host, while steps that use them run.
#[test]
fn secrets_are_in_no_argument_list_and_in_no_environment_but_our_own() {
    let step = |id: &str, on: &str| {
        format!(
            "\n      - id: {id}\n        on: {on}\n        run: |\n          \
             mine={{{{ secrets.pass }}}}\n          test -n \"$mine\" && echo '{id} 1' >>@dir@/ledger\n          \
             until [ -e @dir@/go ]; do sleep 0.05; done\n        undo: not_needed"
        )
    };
    let desk = Desk::with(Sshd::start(), &[step("far", "h1"), step("near", "here")].concat());
    let live: Live = desk.start("run");
    desk.until("far 1");
    desk.until("near 1");
    let secrets = [desk.secret("pass")];
    let mut looked_at = 0;
    for entry in fs::read_dir("/proc").expect("processes can be listed").flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let read = |file: &str| {
            String::from_utf8_lossy(&fs::read(entry.path().join(file)).unwrap_or_default()).into_owned()
        };
        let (line, environ) = (read("cmdline"), read("environ"));
        for secret in &secrets {
            assert!(!line.contains(secret), "{pid}: {line}");
            // Ours was started with it; this is where the operator put it.
            assert!(
                pid == live.pid() || !environ.contains(secret),
                "{pid} has it in its environment: {line}"
            );
        }
        looked_at += u32::from(environ.contains("BLACKSTART_STATE=") && pid != live.pid());
    }
    assert!(looked_at > 0, "the step on the controller was looked at");
    desk.go();
    live.ended().is(0);
    let kept = Command::new("grep").args(["-rl", "-e", &secrets[0]]).arg(&desk.state).output();
    assert_eq!(String::from_utf8_lossy(&kept.expect("grep runs").stdout), "", "and in no file of the run");
}
