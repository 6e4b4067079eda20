//! A machine within this one: a mount namespace with users, login shells, `/bin/sh`, sudo rules and tools of its own.
//! Needs root. It is only there for the servers that are started in it, and nothing of it is left afterwards.

use super::sshd::run;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Users of real machines have smaller numbers.
const FIRST_UID: u32 = 52_001;
/// Files of `/etc` that are its own; it shares the others.
const OWN_FILES: [&str; 4] = ["passwd", "group", "shadow", "shells"];

/// Which `/bin/sh` it has, and what stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sh {
    /// dash, and there is a bash: Debian.
    Debian,
    /// dash, and no bash anywhere on the path.
    Dash,
    /// busybox, and nothing but busybox on the path.
    Busybox,
}

/// The machine. Servers are started in it with [`Machine::enter`].
pub struct Machine {
    dir: tempfile::TempDir,
    users: u32,
}

/// A user of a machine.
pub struct User<'a> {
    /// The login name.
    pub name: &'a str,
    /// The login shell: a name of a program of this machine, or `ash`.
    pub shell: &'a str,
    /// The password, for login and sudo.
    pub password: Option<&'a str>,
    /// What sudo lets them do, `%USER%` being their name.
    pub sudoers: Option<&'a str>,
    /// Have they a home directory?
    pub home: bool,
}

impl<'a> User<'a> {
    /// A user with a home directory and nothing special.
    pub fn plain(name: &'a str, shell: &'a str) -> Self {
        User { name, shell, password: None, sudoers: None, home: true }
    }
}

impl Machine {
    /// A machine without users of its own.
    pub fn new(sh: Sh) -> Self {
        let machine = Self { dir: tempfile::tempdir().unwrap(), users: 0 };
        set_mode(machine.dir.path(), 0o755);
        for dir in
            ["bin", "real-etc", "etc", "etc/sudoers.d", "shells", "home", "root", "sudo", "lectured", "tmp"]
        {
            fs::create_dir(machine.path(dir)).unwrap();
        }
        set_mode(&machine.path("root"), 0o700);
        set_mode(&machine.path("sudo"), 0o711);
        set_mode(&machine.path("tmp"), 0o1777);
        // A directory of its own: whoever makes a user renames /etc/passwd, and a mount on a file goes with its file.
        for name in names_in(Path::new("/etc"), |name| name != "sudoers.d") {
            let own = machine.path("etc").join(&name);
            match OWN_FILES.contains(&name.as_str()) {
                true => drop(fs::copy(Path::new("/etc").join(&name), own).unwrap()),
                false => symlink(machine.path("real-etc").join(&name), own).unwrap(),
            }
        }
        set_mode(&machine.path("etc/shadow"), 0o600);
        let tools = match sh {
            Sh::Debian => "",
            Sh::Dash => {
                machine
                    .tools(&names_in(Path::new("/usr/bin"), |name| !matches!(name, "bash" | "rbash")), None);
                "mount --bind $m/tools /usr/bin\n"
            }
            Sh::Busybox => {
                let applets = run(Command::new("busybox").arg("--list"));
                let applets: Vec<String> = applets.lines().map(str::to_owned).collect();
                machine.tools(&applets, Some("busybox"));
                "mount --bind $m/tools /usr/bin\n"
            }
        };
        // The tools come last: nothing is needed after them but the server.
        let enter = format!(
            "#!/bin/sh\nset -e\nm={}\nmkdir -p /run/sshd /run/sudo /var/lib/sudo/lectured\n\
             mount --bind /etc $m/real-etc\nmount --bind $m/etc /etc\nmount --bind $m/sudo /run/sudo\n\
             mount --bind $m/lectured /var/lib/sudo/lectured\nmount --bind $m/root /root\nmount --bind $m/tmp /var/tmp\n\
             mount --bind /usr/bin $m/bin\n{tools}exec \"$@\"\n",
            machine.dir.path().display()
        );
        fs::write(machine.path("enter"), enter).unwrap();
        set_mode(&machine.path("enter"), 0o755);
        machine
    }

    /// Adds a user, and gives their home directory.
    pub fn add(&mut self, user: &User<'_>) -> PathBuf {
        let uid = FIRST_UID + self.users;
        self.users += 1;
        let shell = self.path("shells").join(user.shell);
        if !shell.exists() && fs::symlink_metadata(&shell).is_err() {
            let program = if user.shell == "ash" { "busybox" } else { user.shell };
            assert!(Path::new("/usr/bin").join(program).exists(), "{program} is not installed");
            symlink(self.path("bin").join(program), &shell).unwrap();
            append(&self.path("etc/shells"), &format!("{}\n", shell.display()));
        }
        let home = if user.home { self.path("home").join(user.name) } else { PathBuf::from("/nonexistent") };
        let (name, hash) = (user.name, user.password.map_or("*".to_owned(), hash));
        let line = format!("{name}:x:{uid}:{uid}::{}:{}\n", home.display(), shell.display());
        append(&self.path("etc/passwd"), &line);
        append(&self.path("etc/group"), &format!("{name}:x:{uid}:\n"));
        append(&self.path("etc/shadow"), &format!("{name}:{hash}:19000:0:99999:7:::\n"));
        if let Some(sudoers) = user.sudoers {
            let rules = self.path("etc/sudoers.d").join(name);
            fs::write(&rules, sudoers.replace("%USER%", name)).unwrap();
            set_mode(&rules, 0o440);
        }
        if user.home {
            fs::create_dir(&home).unwrap();
            set_mode(&home, 0o755);
            chown(&home, Some(uid), Some(uid)).unwrap();
        }
        home
    }

    /// Lets a public key log in as a user who has a home directory.
    pub fn authorize(&self, user: &str, public: &Path) {
        let home = self.path("home").join(user);
        fs::create_dir_all(home.join(".ssh")).unwrap();
        fs::copy(public, home.join(".ssh/authorized_keys")).unwrap();
        self.own(user, ".ssh");
        self.own(user, ".ssh/authorized_keys");
    }

    /// Writes a file into a user's home directory.
    pub fn write(&self, user: &str, name: &str, text: &str) {
        let path = self.path("home").join(user).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        self.own(user, name);
    }

    /// A file of it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The number of a user that was added.
    pub fn uid_of(&self, user: &str) -> u32 {
        let passwd = fs::read_to_string(self.path("etc/passwd")).unwrap();
        let line = passwd.lines().find(|line| line.starts_with(&format!("{user}:"))).unwrap();
        line.split(':').nth(2).unwrap().parse().unwrap()
    }

    /// The words before a command that start it in the machine.
    pub fn enter(&self) -> Vec<String> {
        let enter = self.path("enter").display().to_string();
        ["unshare", "--mount", "--propagation", "private", &enter].map(str::to_owned).to_vec()
    }

    fn own(&self, user: &str, name: &str) {
        use std::os::unix::fs::MetadataExt;
        let home = self.path("home").join(user);
        let uid = fs::metadata(&home).unwrap().uid();
        chown(home.join(name), Some(uid), Some(uid)).unwrap();
    }

    /// Links `/usr/bin` of the machine to the programs of this one: each to its own, or all to one.
    fn tools(&self, names: &[String], all_to: Option<&str>) {
        let tools = self.path("tools");
        fs::create_dir(&tools).unwrap();
        for name in names {
            symlink(self.path("bin").join(all_to.unwrap_or(name)), tools.join(name)).unwrap();
        }
        if all_to.is_some() {
            // What becomes another user is no part of a shell.
            symlink(self.path("bin/sudo"), tools.join("sudo")).unwrap();
        }
    }
}

fn names_in(dir: &Path, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| wanted(name)).collect()
}

fn hash(password: &str) -> String {
    run(Command::new("perl").args(["-e", "print crypt($ARGV[0], q($6$blackstart$))", password]))
}

fn append(path: &Path, line: &str) {
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, text + line).unwrap();
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
