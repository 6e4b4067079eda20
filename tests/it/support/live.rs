//! A blackstart that runs beside the test, and what one that ended said.

#![allow(dead_code)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// What does not happen in this time never will.
const PATIENCE: Duration = Duration::from_secs(150);
/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

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
    /// Starts a command and lets it go on; it is killed if the test ends before it. What it says goes into files in `dir`.
    pub fn start(command: &mut Command, dir: &Path, what: &str) -> Self {
        let path = |what: &str| dir.join(format!("{what}-{}", uuid::Uuid::now_v7().simple()));
        let (out, err) = (path("out"), path("err"));
        let file = |path: &Path| File::create(path).expect("the directory takes a file");
        let child = command.stdout(file(&out)).stderr(file(&err)).spawn();
        Self { child: child.expect("blackstart can be started"), out, err, what: what.to_owned() }
    }

    /// Panics with all it said if it has ended before `what` happened.
    #[track_caller]
    pub fn must_run(&mut self, what: &str) {
        if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
            panic!("{what}: did not happen, and blackstart ended with {status}\n{}", self.text());
        }
    }

    /// Has it come to its end?
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|end| end.is_some())
    }

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
        let (mut status, deadline) = (None, Instant::now() + PATIENCE);
        while status.is_none() {
            assert!(Instant::now() < deadline, "no end of `{}`\n{}", self.what, self.text());
            std::thread::sleep(LOOK_EVERY);
            status = self.child.try_wait().expect("a child can be waited for");
        }
        self.said(status.and_then(|status| status.code()))
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(rustix::process::Pid::from_raw);
        // The child is ours and not waited for yet: its number is nobody else's.
        rustix::process::kill_process(pid.expect("a child has a number"), signal).ok();
    }

    fn said(&self, code: Option<i32>) -> Said {
        let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        Said { code, out: read(&self.out), err: read(&self.err) }
    }

    pub fn text(&self) -> String {
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
pub fn until(what: &str, so: impl FnMut() -> bool) {
    until_long(what, Duration::ZERO, so);
}

/// The same, with so much more patience.
#[track_caller]
pub fn until_long(what: &str, more: Duration, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE + more;
    while !so() {
        assert!(Instant::now() < deadline, "{what}: not seen within {:?}", PATIENCE + more);
        std::thread::sleep(LOOK_EVERY);
    }
}
