//! A host of a scene: what it is to be like, and what can befall it.

use crate::support::sshd::{Sshd, children_of, descendants_of};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::process::{Command, Stdio};

/// A host that is up.
pub struct Host {
    pub sshd: Sshd,
    pub name: String,
}

/// What a host is to be like.
#[derive(Default)]
pub struct Like {
    /// Lines of its `sshd_config`; `@dir@` is the scene's directory.
    pub config: Vec<String>,
    /// Shell text that is carried out before its sshd starts, where only the host sees what it mounts.
    pub setup: String,
    /// Further settings in the inventory, each after a comma.
    pub settings: String,
    /// Does it choose where its receipts lie? Otherwise that is `h1.receipts` beside the ledger.
    pub chooses: bool,
    /// The name it is known by; its address, if this is empty.
    pub name: String,
}

impl Host {
    /// Runs a shell script on the host, beside its sshd.
    pub fn on(&self, script: &str) -> String {
        let init = children_of(self.sshd.pid())[0].to_string();
        let inside = ["-t", &init, "-m", "-p", "-n", "sh", "-c", script];
        let out = Command::new("nsenter").args(inside).stdin(Stdio::null()).output().unwrap();
        assert!(out.status.success(), "{script}: {out:?}");
        String::from_utf8(out.stdout).unwrap()
    }

    /// Its sshd listens again, with nothing else changed.
    pub fn listen_again(&self) {
        self.on(&format!("/usr/sbin/sshd -f {}", self.sshd.path("sshd_config").display()));
    }

    /// The process that listens.
    pub fn listener(&self) -> Pid {
        let below = descendants_of(self.sshd.pid());
        let pid = below.into_iter().find(is_sshd).expect("sshd runs");
        Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
    }

    /// The server stops as it is, or goes on: its kernel takes connections meanwhile.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.listener(), signal).unwrap();
    }

    /// Ends every connection as a crash of their processes does. What runs over them goes on.
    pub fn kill_connections(&self) {
        let listener = self.listener();
        let all = descendants_of(u32::try_from(listener.as_raw_nonzero().get()).unwrap());
        for pid in all.into_iter().filter(is_sshd) {
            let _ = kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::KILL);
        }
    }

    /// Connections that came to be logged in.
    pub fn logins(&self) -> usize {
        self.sshd.log_text().matches("Accepted publickey").count()
    }
}

fn is_sshd(pid: &u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.starts_with("sshd"))
}
