//! An agent, a local user and certificates, made for one test and gone with it.

use crate::support::sshd::{free_port, run};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// An `ssh-agent`.
pub struct Agent {
    pub socket: PathBuf,
    child: Child,
}

impl Agent {
    /// Starts one that listens at `socket`.
    pub fn start(socket: &Path) -> Self {
        let child = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(socket)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("ssh-agent is installed");
        let agent = Self { socket: socket.to_owned(), child };
        // It says nothing when it is ready; it is when it takes a connection.
        while std::os::unix::net::UnixStream::connect(socket).is_err() {
            std::thread::yield_now();
        }
        agent
    }

    /// Gives it a key.
    pub fn add(&self, key: &Path) {
        run(Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.socket));
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A user of this machine with a password. Needs root.
pub struct LocalUser {
    pub name: String,
    pub password: String,
}

static USERS: AtomicU32 = AtomicU32::new(0);

impl LocalUser {
    /// Makes one.
    pub fn create(password: &str) -> Self {
        let name = format!("bs-test-{}-{}", std::process::id(), USERS.fetch_add(1, Ordering::Relaxed));
        // Tests side by side want the same lock file; whoever does not get it tries again.
        let make =
            || Command::new("useradd").args(["-M", "-d", "/", "-s", "/bin/sh"]).arg(&name).output().unwrap();
        let mut out = make();
        while !out.status.success() {
            let said = String::from_utf8_lossy(&out.stderr).into_owned();
            assert!(said.contains("try again later"), "useradd (needs root): {said}");
            out = make();
        }
        let user = Self { name, password: password.to_owned() };
        let set = format!("echo '{}:{password}' | chpasswd 2>/dev/null", user.name);
        while !Command::new("sh").args(["-c", &set]).status().unwrap().success() {
            std::thread::yield_now();
        }
        user
    }
}

impl Drop for LocalUser {
    fn drop(&mut self) {
        let remove = || Command::new("userdel").arg("-f").arg(&self.name).output();
        while remove().is_ok_and(|out| String::from_utf8_lossy(&out.stderr).contains("try again later")) {}
    }
}

/// A dropbear server, as small devices have it.
pub struct Dropbear {
    pub addr: SocketAddr,
    dir: tempfile::TempDir,
    child: Child,
}

impl Dropbear {
    /// Starts one with a host key of its own.
    pub fn start() -> Self {
        Self::start_by(&[])
    }

    /// The same, started by these words: the way into a machine of its own.
    pub fn start_by(starter: &[String]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("host");
        let made = run(Command::new("dropbearkey").args(["-t", "ed25519", "-f"]).arg(&key));
        let public = made.lines().find(|line| line.starts_with("ssh-ed25519")).unwrap().to_owned();
        let addr = free_port(Ipv4Addr::LOCALHOST.into());
        let words: Vec<&str> = starter.iter().map(String::as_str).chain(["/usr/sbin/dropbear"]).collect();
        let child = Command::new(words[0])
            .args(&words[1..])
            .args(["-F", "-E", "-r"])
            .arg(&key)
            .args(["-p", &addr.to_string(), "-P", ""])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("dropbear is installed");
        std::fs::write(dir.path().join("known_hosts"), format!("[{}]:{} {public}\n", addr.ip(), addr.port()))
            .unwrap();
        while std::net::TcpStream::connect(addr).is_err() {
            std::thread::yield_now();
        }
        Self { addr, dir, child }
    }

    /// A known_hosts file that knows it.
    pub fn known_hosts(&self) -> PathBuf {
        self.dir.path().join("known_hosts")
    }

    /// The line of that file.
    pub fn known_line(&self) -> String {
        std::fs::read_to_string(self.known_hosts()).unwrap()
    }
}

impl Drop for Dropbear {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes `KEY-cert.pub`, a user certificate.
pub fn sign_user_key(ca: &Path, key: &Path, principal: &str, validity: &str) {
    sign(ca, key, &["-n", principal, "-V", validity, "-I", "a user"]);
}

/// Makes `KEY-cert.pub`, a host certificate.
pub fn sign_host_key(ca: &Path, key: &Path, principal: &str, validity: &str) {
    sign(ca, key, &["-h", "-n", principal, "-V", validity, "-I", "a host"]);
}

fn sign(ca: &Path, key: &Path, how: &[&str]) {
    let mut public = key.as_os_str().to_owned();
    public.push(".pub");
    run(Command::new("ssh-keygen").arg("-q").arg("-s").arg(ca).args(how).arg(public));
}
