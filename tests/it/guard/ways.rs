//! A guard is confirmed the way an operator would come: through the same jump host, as the same user, through sudo.

use super::{CUT_NEW, Scene, UNCUT, host};
use crate::support::people::{Person, can_be_made};
use crate::support::sshd::{Sshd, current_user};
use std::fs;
use std::os::unix::fs::PermissionsExt;

const LOGIN: &str = "Accepted publickey";

fn logins(sshd: &Sshd) -> usize {
    sshd.log_text().matches(LOGIN).count()
}

/// `h1` behind `gate`.
fn behind(gate: &Sshd, guard: &str, cut: &str, undo: &str) -> Scene {
    let sshd = Sshd::start();
    let user = current_user();
    let hosts = format!("  gate: {}\n  h1: {}\n", host(gate, &user, ""), host(&sshd, &user, ", jump: gate"));
    let gate_dir = gate.dir.path().display().to_string();
    let step =
        format!("run: |\n          {}", cut.replace('\n', "\n          ")).replace("@gate@", &gate_dir);
    Scene::of(sshd, &hosts, guard, &step, &undo.replace("@gate@", &gate_dir))
}

#[test]
fn a_fresh_connection_goes_through_the_jump_host_anew() {
    let gate = Sshd::start();
    let guard = "{ within: 5m, otherwise: revert }";
    let scene = behind(&gate, guard, "touch @dir@/cut", "touch @dir@/back");
    assert_eq!(scene.run("run").status.code(), Some(0));
    let journal = scene.journal();
    assert_eq!(journal.matches("\"confirmed\":{\"over\"").count(), 1, "{journal}");
    // The connection of the run, and the one that proved the way: both logged in at both.
    for sshd in [&gate, &scene.sshd] {
        assert!(sshd.log_handle().wait_for_count(LOGIN, 2), "{}", sshd.log_text());
        assert_eq!(logins(sshd), 2, "{}", sshd.log_text());
    }
}

/// The target could be reached directly, and over the link to the jump host that stands: neither is the way, and
/// either would have confirmed.
#[test]
fn a_jump_host_that_takes_nobody_new_is_no_way_back() {
    let gate = Sshd::start();
    fs::write(gate.path("listener.pid"), gate.pid().to_string()).unwrap();
    let cut = CUT_NEW.replace("@dir@/listener.pid", "@gate@/listener.pid");
    let undo = UNCUT.replace("@dir@/sshd_config", "@gate@/sshd_config");
    assert!(cut.contains("@gate@/listener.pid") && undo.contains("@gate@/sshd_config"));
    let scene = behind(&gate, "{ within: 6s, otherwise: revert }", &cut, &undo);
    assert_eq!(scene.run("run").status.code(), Some(22));
    assert!(scene.path("back").exists() && !scene.path("cut").exists());
    let journal = scene.journal();
    assert!(journal.contains("\"fired\":{\"late\":") && !journal.contains("\"confirmed\""), "{journal}");
    scene.fired_in_time("the jump host's sshd takes nobody new");
}

const NOPASSWD: &str = "%USER% ALL=(ALL) NOPASSWD: ALL\n";
const USE_PTY: &str = "%USER% ALL=(ALL) NOPASSWD: ALL\nDefaults:%USER% use_pty\n";
const WITH_PASSWORD: &str = "%USER% ALL=(ALL) ALL\n";

/// `h1`, where a throw-away user becomes root.
fn by_sudo(sudoers: &str, guard: &str, cut: &str, undo: &str) -> (Scene, Person) {
    let sshd = Sshd::start();
    let open =
        |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    open(sshd.dir.path(), 0o755);
    open(&sshd.path("authorized_keys"), 0o644);
    let person = Person::new(sshd.dir.path(), Some(sudoers));
    let become_root = match sudoers {
        WITH_PASSWORD => ", become: { sudo: { password: sudo } }",
        _ => ", become: sudo",
    };
    let hosts = format!("  h1: {}\n", host(&sshd, &person.name, become_root));
    let step = format!("run: |\n          {}", cut.replace('\n', "\n          "));
    (Scene::of(sshd, &hosts, guard, &step, undo), person)
}

#[test]
fn a_guard_of_root_is_armed_and_confirmed_through_sudo() {
    if !can_be_made() {
        return;
    }
    for sudoers in [NOPASSWD, USE_PTY, WITH_PASSWORD] {
        let guard = "{ within: 5m, otherwise: revert, self_test: true }";
        let (scene, person) = by_sudo(sudoers, guard, "id -u >@dir@/cut", "touch @dir@/back");
        let run = scene.command("run").env("SUDO_PASSWORD", &person.password).output().unwrap();
        assert_eq!(run.status.code(), Some(0), "{sudoers}: {}", String::from_utf8_lossy(&run.stderr));
        assert_eq!(fs::read_to_string(scene.path("cut")).unwrap(), "0\n", "{sudoers}");
        let journal = scene.journal();
        assert_eq!(journal.matches("\"confirmed\":{\"over\"").count(), 1, "{sudoers}: {journal}");
        assert!(!journal.contains(&person.password[..9]), "{sudoers}");
        assert!(scene.sshd.log_handle().wait_for_count(LOGIN, 2), "{}", scene.sshd.log_text());
    }
}

/// The terminal that sudo made for its command goes away with it, and the guard stays.
#[test]
fn a_guard_of_root_outlives_sudo_sshd_and_blackstart() {
    if !can_be_made() {
        return;
    }
    for sudoers in [NOPASSWD, USE_PTY] {
        let guard = "{ within: 6s, otherwise: revert }";
        let cut = "touch @dir@/cut\nwhile :; do sleep 0.1; done";
        let (scene, _person) =
            by_sudo(sudoers, guard, cut, "rm @dir@/cut\nid -u >@dir@/who\ntouch @dir@/back");
        let mut blackstart = scene.spawn();
        scene.wait_for("cut");
        blackstart.kill().unwrap();
        blackstart.wait().unwrap();
        scene.sshd.kill_connections();
        scene.wait_for("back");
        scene.fired_in_time("through sudo, blackstart and its sessions killed");
        assert_eq!(fs::read_to_string(scene.path("who")).unwrap(), "0\n", "{sudoers}");
        assert_eq!(scene.run("resume").status.code(), Some(22), "{sudoers}");
        assert!(scene.journal().contains("\"fired\":{\"late\":"), "{sudoers}: {}", scene.journal());
    }
}

/// Accounts are locked where a wrong password comes again and again.
#[test]
fn a_password_that_the_change_made_wrong_is_sent_once() {
    if !can_be_made() {
        return;
    }
    let sshd = Sshd::with_config(&["PasswordAuthentication yes"]);
    fs::set_permissions(sshd.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let person = Person::new(sshd.dir.path(), Some(NOPASSWD));
    fs::write(sshd.path("authorized_keys"), "").unwrap();
    let hosts = format!("  h1: {}\n", host(&sshd, &person.name, ", become: sudo, password: sudo"));
    let step = format!("run: echo '{}:another one' | chpasswd", person.name);
    let scene = Scene::of(sshd, &hosts, "{ within: 8s, otherwise: revert }", &step, "touch @dir@/back");
    let run = scene.command("run").env("SUDO_PASSWORD", &person.password).output().unwrap();
    assert_eq!(run.status.code(), Some(22), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(scene.path("back").exists());
    let journal = scene.journal();
    assert!(journal.contains("\"fired\":{\"late\":"), "{journal}");
    let log = scene.sshd.log_text();
    assert_eq!(log.matches("Failed password").count(), 1, "{log}");
}
