//! Hosts of several makes on this machine: which shell answers, and which tools it finds.

use blackstart::model::Millis;
use blackstart::model::inventory::{Become, Reach, SshSettings};
use blackstart::model::names::{HostName, RunId, SecretName};
use blackstart::model::secret::Secret;
use blackstart::transport::wire::{Link, Pending, Trouble};
use blackstart::transport::{Connector, Host, Local};
use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The makes of host that the lane must serve.
pub const MAKES: [&str; 4] = ["bash", "dash", "busybox", "bare"];

/// A host with a home directory of its own.
pub struct Site {
    /// Its root: `home` is below it.
    pub dir: tempfile::TempDir,
    /// The link to it; take it out to make it unreachable.
    pub link: Rc<Switch>,
    run: RunId,
}

/// A connector whose links can be counted.
pub struct Switch {
    local: Local,
    /// Connections made so far.
    pub connects: RefCell<u32>,
}

impl Connector for Switch {
    fn connect<'a>(&'a self) -> Pending<'a, Result<Rc<dyn Link>, Trouble>> {
        *self.connects.borrow_mut() += 1;
        Box::pin(async { Ok(Rc::new(self.local.clone()) as Rc<dyn Link>) })
    }
}

/// `bash`: bash and all tools. `dash`: no bash. `busybox`: nothing but busybox. `bare`: dash without setsid.
pub fn site(make: &str) -> Site {
    let dir = tempfile::tempdir().unwrap();
    let (home, tools) = (dir.path().join("home"), dir.path().join("tools"));
    fs::create_dir(&home).unwrap();
    fs::create_dir(&tools).unwrap();
    let sh = match make {
        "busybox" => {
            for applet in std::process::Command::new("busybox")
                .arg("--list")
                .output()
                .unwrap()
                .stdout
                .split(|b| *b == b'\n')
            {
                let applet = std::str::from_utf8(applet).unwrap();
                if !applet.is_empty() {
                    let _ = symlink("/usr/bin/busybox", tools.join(applet));
                }
            }
            let _ = symlink("/usr/bin/busybox", tools.join("sh"));
            "/usr/bin/busybox sh"
        }
        _ => {
            for bin in ["/usr/bin", "/bin", "/usr/sbin"] {
                for tool in fs::read_dir(bin).unwrap() {
                    let tool = tool.unwrap();
                    let name = tool.file_name();
                    let hidden: &[&str] = match make {
                        "bash" => &[],
                        "dash" => &["bash", "rbash"],
                        "bare" => &["bash", "rbash", "setsid"],
                        other => panic!("no make `{other}`"),
                    };
                    if !hidden.contains(&name.to_str().unwrap()) {
                        let _ = symlink(tool.path(), tools.join(name));
                    }
                }
            }
            "/bin/dash"
        }
    };
    // Stands for the login shell and for /bin/sh at once.
    let login = dir.path().join("login");
    let text = format!(
        "#!/bin/dash\nexport PATH={tools} HOME={home}\ncd\neval \"exec {sh} ${{2#exec /bin/sh}}\"\n",
        tools = tools.display(),
        home = home.display()
    );
    fs::write(&login, text).unwrap();
    fs::set_permissions(&login, fs::Permissions::from_mode(0o755)).unwrap();
    let local = Local::with_shell(login.to_str().unwrap());
    let link = Rc::new(Switch { local, connects: RefCell::new(0) });
    // A run that began when the test did.
    let run = RunId(uuid::Uuid::now_v7().simple().to_string());
    Site { dir, link, run }
}

/// A host whose login shell is this one.
pub fn site_with(login: &Path, dir: tempfile::TempDir) -> Site {
    let local = Local::with_shell(login.to_str().unwrap());
    let link = Rc::new(Switch { local, connects: RefCell::new(0) });
    Site { dir, link, run: RunId(uuid::Uuid::now_v7().simple().to_string()) }
}

impl Site {
    /// The same, becoming somebody by sudo.
    pub fn host_becoming(&self, user: &str, password: Option<&str>) -> Rc<Host> {
        let secret = password.map(|_| SecretName::from("sudo"));
        let reach = Reach::Local(Become::Sudo { user: user.into(), password: secret });
        let password = password.map(|password| Secret::new(password.into()));
        Host::new(HostName::from("h"), self.run.clone(), &reach, password, self.link.clone())
    }
    /// A controller's view of the host: the first, or another one after a crash.
    pub fn host(&self) -> Rc<Host> {
        Host::new(HostName::from("h"), self.run.clone(), &Reach::Local(Become::No), None, self.link.clone())
    }
    /// The same with other connection settings.
    pub fn host_with(&self, change: impl FnOnce(&mut SshSettings)) -> Rc<Host> {
        let mut settings = settings();
        change(&mut settings);
        let reach = Reach::Ssh(Box::new(settings));
        Host::new(HostName::from("h"), self.run.clone(), &reach, None, self.link.clone())
    }
    /// The run that its hosts serve.
    pub fn run(&self) -> RunId {
        self.run.clone()
    }
    /// Its home directory.
    pub fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }
    /// Where its receipts lie.
    pub fn receipts(&self) -> PathBuf {
        self.home().join(".blackstart").join(self.run.as_str())
    }
    /// A file below its root.
    pub fn path(&self, name: &str) -> PathBuf {
        Path::new(self.dir.path()).join(name)
    }
}

/// Connection settings that say nothing special.
pub fn settings() -> SshSettings {
    SshSettings {
        address: "h".into(),
        port: None,
        user: None,
        identity_files: Vec::new(),
        agent: false,
        password: None,
        passphrase: None,
        jump: None,
        known_hosts: Vec::new(),
        ssh_config: false,
        becomes: Become::No,
        shell: None,
        receipts_dir: None,
        connect_timeout: Millis::from_secs(10),
        legacy_crypto: false,
    }
}
