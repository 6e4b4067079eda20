//! Throw-away users of this machine, some of whom may become root: gone when dropped.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A user with a home directory and a password.
pub struct Person {
    /// The login name.
    pub name: String,
    /// The password, for login and sudo.
    pub password: String,
    /// The home directory.
    pub home: PathBuf,
    sudoers: PathBuf,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// May these tests make users? Only root may.
pub fn can_be_made() -> bool {
    rustix::process::geteuid().is_root()
}

impl Person {
    /// A user; `sudoers` is what follows the name in the sudoers file, if anything.
    pub fn new(dir: &Path, sudoers: Option<&str>) -> Self {
        Self::with_shell(dir, sudoers, "/bin/sh")
    }

    /// A user with this login shell.
    pub fn with_shell(dir: &Path, sudoers: Option<&str>, shell: &str) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("bst{}x{number}", std::process::id());
        let home = dir.join(&name);
        must(Command::new("useradd").args(["-m", "-s", shell, "-d"]).arg(&home).arg(&name), "");
        let password = format!("pw-{name}-it's $HOME");
        let person = Self {
            sudoers: PathBuf::from(format!("/etc/sudoers.d/{name}")),
            name: name.clone(),
            password: password.clone(),
            home,
        };
        must(&mut Command::new("chpasswd"), &format!("{name}:{password}\n"));
        if let Some(sudoers) = sudoers {
            person.allow(sudoers);
        }
        person
    }

    /// What sudo lets this user do from now on. Whole or not at all: sudo may be reading.
    pub fn allow(&self, sudoers: &str) {
        // sudo does not read names that end in `~`.
        let whole = self.sudoers.with_extension("whole~");
        fs::write(&whole, sudoers.replace("%USER%", &self.name)).unwrap();
        fs::rename(&whole, &self.sudoers).unwrap();
    }

    /// sudo lets this user do nothing from now on.
    pub fn forbid(&self) {
        fs::remove_file(&self.sudoers).unwrap();
    }

    /// A login shell for `Local` that is this user's.
    pub fn login(&self, dir: &Path) -> PathBuf {
        let login = dir.join(format!("login-{}", self.name));
        let text = format!(
            "#!/bin/sh\ncd {home}\nexport HOME={home} USER={name} PATH=/usr/sbin:/usr/bin:/sbin:/bin\n\
             exec setpriv --reuid={name} --regid={name} --init-groups /bin/sh -c \"$2\"\n",
            home = self.home.display(),
            name = self.name
        );
        fs::write(&login, text).unwrap();
        fs::set_permissions(&login, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        login
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.sudoers);
        let _ = Command::new("userdel").args(["-f", "-r", &self.name]).stderr(Stdio::null()).status();
    }
}

fn must(command: &mut Command, input: &str) {
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
}
