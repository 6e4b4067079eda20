//! Servers that allow less than usual, stand elsewhere than usual, or let nobody run anything.

use super::desk::Desk;
use super::small::{Host, run_and_judge};
use crate::ssh::helpers::Dropbear;
use crate::support::live::{Live, until};
use crate::support::machine::{Machine, Sh, User};
use crate::support::people::can_be_made;
use crate::support::sshd::{Sshd, SshdOptions, current_user};
use blackstart::model::Outcome;
use blackstart::model::event::JobKind;
use std::fs;
use std::net::Ipv6Addr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;

/// Hosts of a desk, each with a place of its own below one directory.
struct Hosts {
    desk: Desk,
    dir: tempfile::TempDir,
    all: Vec<Host>,
}

impl Hosts {
    fn new(head: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self { desk: Desk::new(head), dir, all: Vec::new() }
    }

    /// A host of this sshd, where whoever runs the tests logs in.
    fn add(&mut self, name: &str, sshd: &Sshd, more: &str) {
        let (place, receipts) = (self.place(name), self.dir.path().join(format!("receipts-{name}")));
        let entry = format!(
            "address: \"{}\", port: {}, user: {user}, identity_file: {}, receipts_dir: {}, vars: {{ place: {} }}{more}",
            sshd.addr.ip(),
            sshd.addr.port(),
            sshd.user_key().display(),
            receipts.display(),
            place.display(),
            user = current_user(),
        );
        self.desk.host(name, &entry, &sshd.known_line());
        self.all.push(Host { name: name.to_owned(), place, user: current_user(), receipts });
    }

    /// A user without a home directory, whose receipts lie where they can.
    fn add_homeless(&mut self, name: &str, user: &str, machine: &Machine, entry: &str, known: &str) {
        let place = self.place(name);
        let uid = machine.uid_of(user);
        chown(&place, Some(uid), Some(uid)).unwrap();
        let entry = format!("{entry}, vars: {{ place: {} }}", place.display());
        self.desk.host(name, &entry, known);
        let receipts = machine.path(&format!("tmp/blackstart-{uid}"));
        self.all.push(Host { name: name.to_owned(), place, user: user.to_owned(), receipts });
    }

    fn place(&self, name: &str) -> PathBuf {
        let place = self.dir.path().join(name);
        fs::create_dir(&place).unwrap();
        place
    }
}

fn sshd(config: &[&str]) -> Sshd {
    Sshd::with_config(config)
}

/// Each is another server on another port of one address; each gets a whole small run, all of them in one.
#[test]
fn a_small_run_works_on_servers_that_allow_less_or_stand_elsewhere() {
    if !can_be_made() {
        return;
    }
    let mut hosts = Hosts::new("secrets: { login: { env: LOGIN } }\n");
    let forced = |dir: &std::path::Path| {
        let key = fs::read_to_string(dir.join("id.pub")).unwrap();
        let line = format!("restrict,command=\"exec sh -c \\\"$SSH_ORIGINAL_COMMAND\\\"\" {key}");
        fs::write(dir.join("authorized_keys"), line).unwrap();
    };
    let servers = [
        ("one-session", sshd(&["MaxSessions 1"])),
        ("no-forwarding", sshd(&["AllowTcpForwarding no"])),
        ("nothing-forwarded", sshd(&["DisableForwarding yes", "PermitTunnel no"])),
        ("no-terminal", sshd(&["PermitTTY no"])),
        ("no-sftp", sshd(&["Subsystem none /bin/false"])),
        ("forced", sshd(&["ForceCommand eval \"$SSH_ORIGINAL_COMMAND\""])),
        ("forced-by-key", Sshd::with_prepared(SshdOptions::default(), forced)),
        (
            "one-try",
            sshd(&["MaxAuthTries 1", "LoginGraceTime 30", "PermitUserEnvironment no", "PrintMotd yes"]),
        ),
        ("talks-first", sshd(&["Banner %DIR%/sshd_config", "VersionAddendum hello there"])),
    ];
    for (name, server) in &servers {
        hosts.add(name, server, "");
    }
    // An IPv6 literal.
    let six = Sshd::with(SshdOptions { ip: Some(Ipv6Addr::LOCALHOST.into()), ..SshdOptions::default() });
    hosts.add("six", &six, "");
    // One address and port under two names, through a jump host.
    let (gate, inner) = (sshd(&[]), sshd(&["PermitTTY no"]));
    hosts.add("gate", &gate, "");
    hosts.add("twin-a", &inner, ", jump: gate");
    hosts.add("twin-b", &inner, ", jump: gate");
    // Nobody at home, under either make of server.
    let mut machine = Machine::new(Sh::Debian);
    for user in ["nobody-home", "nobody-in"] {
        machine.add(&User { home: false, password: Some("right horse"), ..User::plain(user, "bash") });
    }
    let options = SshdOptions { within: machine.enter(), ..SshdOptions::default() };
    let there = Sshd::with(options);
    fs::set_permissions(there.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let dropbear = Dropbear::start_by(&machine.enter());
    let key = there.user_key().display().to_string();
    let entry =
        format!("address: 127.0.0.1, port: {}, user: nobody-home, identity_file: {key}", there.addr.port());
    hosts.add_homeless("no-home", "nobody-home", &machine, &entry, &there.known_line());
    let entry =
        format!("address: 127.0.0.1, port: {}, user: nobody-in, password: login", dropbear.addr.port());
    hosts.add_homeless("no-home-dropbear", "nobody-in", &machine, &entry, &dropbear.known_line());

    let Hosts { desk, dir, all } = hosts;
    run_and_judge(desk, false, &all, |command| {
        command.env("LOGIN", "right horse");
    });
    // One connection served the twins' jump host for both, and each of them.
    assert_eq!(inner.log_text().matches("Accepted publickey").count(), 2, "{}", inner.log_text());
    drop(dir);
}

const BOOK: &str = r#"version: 1
name: refused
phases:
  - id: work
    on_failure: continue
    steps:
      - { id: does, on: all, max_failures: 100%, run: 'touch "{{ host.vars.place }}/mark"', undo: not_needed }
"#;

#[test]
fn a_login_that_runs_something_else_is_refused_with_the_remedy() {
    if !can_be_made() {
        return;
    }
    let mut hosts = Hosts::new("");
    let by_key = |dir: &std::path::Path| {
        let key = fs::read_to_string(dir.join("id.pub")).unwrap();
        fs::write(dir.join("authorized_keys"), format!("restrict,command=\"/bin/echo backups only\" {key}"))
            .unwrap();
    };
    let servers = [
        ("sftp-only", sshd(&["ForceCommand internal-sftp"]), "ended before it answered"),
        ("false", sshd(&["ForceCommand /bin/false"]), "ended before it answered"),
        ("says", sshd(&["ForceCommand /bin/echo go away"]), "go away"),
        ("by-key", Sshd::with_prepared(SshdOptions::default(), by_key), "backups only"),
        ("endless", sshd(&["ForceCommand /usr/bin/yes"]), "prints without end"),
    ];
    for (name, server, _) in &servers {
        hosts.add(name, server, "");
    }
    let mut machine = Machine::new(Sh::Debian);
    let home = machine.add(&User::plain("locked", "false"));
    let closed = Sshd::with(SshdOptions { within: machine.enter(), ..SshdOptions::default() });
    fs::set_permissions(closed.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let entry = format!(
        "address: 127.0.0.1, port: {}, user: locked, identity_file: {}, vars: {{ place: {} }}",
        closed.addr.port(),
        closed.user_key().display(),
        home.display()
    );
    hosts.desk.host("no-shell", &entry, &closed.known_line());
    let ran = hosts.desk.run(BOOK, |_| {}).is(0);
    for (name, says) in servers.iter().map(|(name, _, says)| (*name, *says)).chain([("no-shell", "ended")]) {
        let about = format!("does@{name}");
        let Outcome::NotStarted { because, try_again: false } = ran.end(&about, JobKind::Run).0 else {
            panic!("{name}\n{}", ran.said())
        };
        assert!(because.contains("the login shell") && because.contains(says), "{name}: {because}");
        if says != "prints without end" {
            let remedy = "must run `$SSH_ORIGINAL_COMMAND`";
            assert!(
                because.contains("must be allowed to run") && because.contains(remedy),
                "{name}: {because}"
            );
        }
        assert!(
            ran.err.contains(&format!("task {about}: FAILED, run: not started, ")),
            "{name}: {}",
            ran.said()
        );
    }
    for Host { name, place, receipts, .. } in &hosts.all {
        assert!(!place.join("mark").exists() && !receipts.exists(), "{name}");
    }
}

#[test]
fn a_server_that_opens_no_session_is_told_of_with_its_setting() {
    let mut hosts = Hosts::new("");
    let server = sshd(&["MaxSessions 0"]);
    hosts.add("no-session", &server, "");
    let Hosts { desk, all, .. } = &hosts;
    desk.write(BOOK);
    let mut command = desk.command(&["-v", "run", "runbook.yaml", "-i", "inventory.yaml", "--yes"]);
    let mut live = Live::start(&mut command, hosts.dir.path(), "run");
    until("it is told", || {
        live.must_run("it is told");
        live.text().contains("with `MaxSessions 0` it opens none")
    });
    // It would be tried again after a while.
    live.interrupt();
    let said = live.ended();
    let told = "does@no-session: run: not started, no-session: its SSH server opens no session for us";
    assert!(said.err.contains(told), "{said}");
    assert!(!all[0].place.join("mark").exists());
}
