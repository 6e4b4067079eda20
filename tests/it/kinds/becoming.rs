//! Kinds of sudo: those that let a step through, and those that do not.

use super::desk::Desk;
use super::small::{Host, run_and_judge};
use crate::support::machine::{Machine, Sh, User};
use crate::support::people::can_be_made;
use crate::support::sshd::{Sshd, SshdOptions};
use blackstart::model::Outcome;
use blackstart::model::event::JobKind;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const PASSWORD: &str = "it's $HOME: right horse";
const SECRETS: &str = "secrets: { sudo: { env: SUDO_PASSWORD }, wrong: { env: WRONG_PASSWORD } }\n";

fn serve(machine: &Machine) -> Sshd {
    let sshd = Sshd::with(SshdOptions { within: machine.enter(), ..SshdOptions::default() });
    fs::set_permissions(sshd.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    sshd
}

fn entry(sshd: &Sshd, user: &str, becomes: &str, place: &str) -> String {
    format!(
        "address: 127.0.0.1, port: {}, user: {user}, identity_file: {}, vars: {{ place: {place} }}, become: {becomes}",
        sshd.addr.port(),
        sshd.user_key().display(),
    )
}

#[test]
fn a_small_run_works_as_root_by_every_sudo_that_lets_it() {
    if !can_be_made() {
        return;
    }
    let asked = "{ sudo: { password: sudo } }";
    let rules = [
        ("unasked", "%USER% ALL=(ALL) NOPASSWD: ALL\n", "sudo"),
        ("terminal", "%USER% ALL=(ALL) NOPASSWD: ALL\nDefaults:%USER% use_pty\n", "sudo"),
        ("asks", "%USER% ALL=(ALL) ALL\nDefaults:%USER% lecture=never\n", asked),
        ("lectures", "%USER% ALL=(ALL) ALL\nDefaults:%USER% lecture=always, timestamp_timeout=0\n", asked),
        ("asks-not", "%USER% ALL=(ALL) NOPASSWD: ALL\nDefaults:%USER% use_pty, lecture=always\n", asked),
    ];
    let mut desk = Desk::new(SECRETS);
    let (mut hosts, mut sites) = (Vec::new(), Vec::new());
    for (sh, of) in [(Sh::Debian, "debian"), (Sh::Busybox, "busybox")] {
        let mut machine = Machine::new(sh);
        let sshd = serve(&machine);
        for (user, sudoers, becomes) in rules {
            machine.add(&User {
                password: Some(PASSWORD),
                sudoers: Some(sudoers),
                ..User::plain(user, if of == "debian" { "bash" } else { "ash" })
            });
            let place = machine.path("root").join(user);
            fs::create_dir(&place).unwrap();
            let name = format!("{of}-{user}");
            // On the machine it is root's home, which nobody else may look into.
            let seen = format!("/root/{user}");
            desk.host(&name, &entry(&sshd, user, becomes, &seen), &sshd.known_line());
            hosts.push(Host { name, place, user: "root".into(), receipts: machine.path("root/.blackstart") });
        }
        sites.push((machine, sshd));
    }
    run_and_judge(desk, true, &hosts, |command| {
        command.env("SUDO_PASSWORD", PASSWORD).env("WRONG_PASSWORD", "none");
    });
    for (machine, _) in sites {
        let left = super::desk::files_below(&machine.path("home"));
        assert!(left.iter().all(|file| !file.to_string_lossy().contains(".blackstart")), "{left:?}");
    }
}

const BOOK: &str = r#"version: 1
name: denied
phases:
  - id: work
    on_failure: continue
    steps:
      - { id: becomes, on: all, become: true, max_failures: 100%, run: ': >"{{ host.vars.place }}/mark"', undo: not_needed }
      - { id: again, on: all, become: true, needs: [becomes], max_failures: 100%, run: ': >"{{ host.vars.place }}/mark"', undo: not_needed }
      - { id: plain, on: all, become: false, needs: [again], run: id -un, undo: not_needed }
"#;

#[test]
fn a_sudo_that_lets_nobody_through_says_why_and_plain_steps_go_on() {
    if !can_be_made() {
        return;
    }
    let mut machine = Machine::new(Sh::Debian);
    let log = machine.path("sudo.log");
    let wrong = format!("%USER% ALL=(ALL) ALL\nDefaults:%USER% lecture=always, logfile={}\n", log.display());
    let rules: [(&str, Option<&str>, &str, &str); 6] = [
        (
            "tty",
            Some("%USER% ALL=(ALL) NOPASSWD: ALL\nDefaults:%USER% requiretty\n"),
            "sudo",
            "must have a tty",
        ),
        ("needs", Some("%USER% ALL=(ALL) ALL\n"), "sudo", "a password is required"),
        ("nothing", None, "sudo", "a password is required"),
        ("denied", None, "{ sudo: { password: sudo } }", "not in the sudoers file"),
        ("only", Some("%USER% ALL=(ALL) NOPASSWD: /bin/true\n"), "sudo", "a password is required"),
        ("wrong", Some(&wrong), "{ sudo: { password: wrong } }", "refused the password"),
    ];
    let sshd = serve(&machine);
    let mut desk = Desk::new(SECRETS);
    for (user, sudoers, becomes, _) in rules {
        let home = machine.add(&User { password: Some(PASSWORD), sudoers, ..User::plain(user, "bash") });
        desk.host(user, &entry(&sshd, user, becomes, &home.display().to_string()), &sshd.known_line());
    }
    let ran = desk.run(BOOK, |command| {
        command.env("SUDO_PASSWORD", PASSWORD).env("WRONG_PASSWORD", "wrong horse");
    });
    let ran = ran.is(0);
    for (user, _, _, says) in rules {
        for step in ["becomes", "again"] {
            let about = format!("{step}@{user}");
            let Outcome::NotStarted { because, try_again: false } = ran.end(&about, JobKind::Run).0 else {
                panic!("{user}\n{}", ran.said())
            };
            assert!(because.starts_with("sudo ") && because.contains(says), "{user}: {because}");
            let told = format!("task {about}: FAILED, run: not started, sudo ");
            assert!(ran.err.contains(&told), "{user}: {}", ran.said());
        }
        assert_eq!(*ran.end(&format!("plain@{user}"), JobKind::Run).0, Outcome::Succeeded, "{user}");
        assert_eq!(ran.kept(&format!("plain@{user}"), "run-1.out"), format!("{user}\n").into_bytes());
        assert!(!machine.path("home").join(user).join("mark").exists(), "{user}");
    }
    // Two steps wanted it, and it was tried once.
    let tries = fs::read_to_string(&log).unwrap().replace("\n    ", " ");
    assert_eq!(tries.matches("incorrect password attempt").count(), 1, "{tries}");
    assert!(tries.contains(" 1 incorrect password attempt"), "{tries}");
    for text in [ran.said(), fs::read_to_string(ran.dir.journal_path()).unwrap()] {
        assert!(!text.contains("wrong horse") && !text.contains("right horse"), "{text}");
    }
}
