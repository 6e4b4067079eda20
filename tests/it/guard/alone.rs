//! A guard needs nobody: one thing at a time is killed, and it fires; and whoever takes the run up finds what was.

use super::{Scene, UNCUT, kill, until};
use crate::support::sshd::Sshd;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// A change that is under way until somebody says `go`.
const WAITS: &str = "touch @dir@/cut\nuntil [ -e @dir@/go ]; do sleep 0.05; done";
const BACK: &str = "rm -f @dir@/cut\ntouch @dir@/back";

/// Starts the run and kills blackstart, and nothing else, once the change is made and under way.
fn killed_at_work(guard: &str) -> Scene {
    let scene = Scene::new(guard, WAITS, BACK);
    let mut blackstart = scene.spawn();
    scene.wait_for("cut");
    blackstart.kill().unwrap();
    blackstart.wait().unwrap();
    scene
}

#[test]
fn with_blackstart_killed_it_fires_and_a_resume_finds_that() {
    let scene = killed_at_work("{ within: 5s, otherwise: revert }");
    scene.wait_for("back");
    assert!(!scene.path("cut").exists());
    scene.fired_in_time("blackstart killed alone");
    assert!(!scene.journal().contains("\"fired\""), "nobody was there to write it down");
    assert_eq!(scene.run("resume").status.code(), Some(22));
    let journal = scene.journal();
    assert!(
        journal.contains("\"fired\":{\"late\":") && journal.contains("\"undo\":\"succeeded\""),
        "{journal}"
    );
    assert!(!journal.contains("\"confirmed\""), "{journal}");
}

#[test]
fn with_sshd_killed_it_fires_and_the_run_that_goes_on_hears_of_it() {
    let scene = Scene::new("{ within: 6s, otherwise: revert }", WAITS, UNCUT);
    let mut blackstart = scene.spawn();
    scene.wait_for("cut");
    // The listener, which takes nobody while the processes of every session go: nothing of sshd is left.
    scene.sshd.pause();
    scene.sshd.kill_connections();
    kill(scene.sshd.pid());
    scene.wait_for("back");
    assert!(!scene.path("cut").exists());
    scene.fired_in_time("sshd killed alone");
    // The undo has brought sshd back, and blackstart finds its way to it.
    assert_eq!(blackstart.wait().unwrap().code(), Some(22));
    let journal = scene.journal();
    assert!(journal.contains("\"fired\":{\"late\":"), "{journal}");
    assert!(!journal.contains("\"confirmed\""), "{journal}");
}

#[test]
fn a_run_that_takes_longer_is_given_more_time_while_its_host_is_heard() {
    let scene = Scene::new("{ within: 30s, otherwise: revert }", WAITS, BACK);
    let mut blackstart = scene.spawn();
    scene.wait_for("cut");
    until("more time", || scene.journal().contains("\"guard_extended\""));
    fs::write(scene.path("go"), "").unwrap();
    assert_eq!(blackstart.wait().unwrap().code(), Some(0));
    let journal = scene.journal();
    assert_eq!(journal.matches("\"confirmed\":{\"over\"").count(), 1, "{journal}");
    assert!(scene.path("cut").exists() && !scene.path("back").exists());
}

#[test]
fn a_resume_finds_a_guard_that_is_armed_and_confirms_it() {
    let scene = killed_at_work("{ within: 10m, otherwise: revert }");
    fs::write(scene.path("go"), "").unwrap();
    assert!(!scene.journal().contains("\"confirmed\""));
    assert_eq!(scene.run("resume").status.code(), Some(0));
    let journal = scene.journal();
    assert!(journal.contains("\"armed\":{\"held_by\":\"detached\""), "{journal}");
    assert_eq!(journal.matches("\"confirmed\":{\"over\"").count(), 1, "{journal}");
    assert!(scene.path("cut").exists() && !scene.path("back").exists());
    assert_eq!(scene.facts()["guards"][0]["became"], "confirmed");
}

#[test]
fn a_resume_finds_a_guard_that_has_expired_and_the_next_one_proves_the_way() {
    let scene = killed_at_work("{ within: 5s, otherwise: hold }");
    // It holds: nothing is ended, and the host has it on record.
    until("its time", || scene.guard_file("fired").is_some());
    fs::write(scene.path("go"), "").unwrap();
    assert_eq!(scene.run("resume").status.code(), Some(22));
    let journal = scene.journal();
    assert!(journal.contains("\"expired\":{\"late\":") && !journal.contains("\"confirmed"), "{journal}");
    assert_eq!(scene.facts()["guards"][0]["became"], "expired");
    assert_eq!(scene.run("resume").status.code(), Some(0));
    assert!(scene.journal().contains("\"confirmed_late\""));
    assert!(scene.path("cut").exists() && !scene.path("back").exists());
}

/// The host has it on record that somebody confirmed, and blackstart was killed before it heard so.
#[test]
fn a_resume_finds_a_guard_that_was_confirmed() {
    let options = crate::support::sshd::SshdOptions {
        config: vec!["SetEnv PATH=%DIR%/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()],
        ..Default::default()
    };
    // Who links the word of the confirmation into place stops blackstart before it can hear of it.
    let sshd = Sshd::with_prepared(options, |dir| {
        let (bin, dir) = (dir.join("bin"), dir.display());
        fs::create_dir(&bin).unwrap();
        let text = format!(
            "#!/bin/sh\n/bin/ln \"$@\" || exit\nread -r word rest <\"$2\"\n[ \"$word\" = confirmed ] || exit 0\n\
             until [ -s {dir}/pid ]; do sleep 0.05; done\nkill -STOP \"$(cat {dir}/pid)\"\ntouch {dir}/told\n"
        );
        fs::write(bin.join("ln"), text).unwrap();
        fs::set_permissions(bin.join("ln"), fs::Permissions::from_mode(0o755)).unwrap();
    });
    let scene = Scene::on(sshd, "{ within: 10m, otherwise: revert }", "touch @dir@/cut", BACK);
    let mut blackstart = scene.spawn();
    fs::write(scene.path("pid"), blackstart.id().to_string()).unwrap();
    scene.wait_for("told");
    blackstart.kill().unwrap();
    blackstart.wait().unwrap();
    assert!(!scene.journal().contains("\"confirmed\""), "it was not heard");
    assert_eq!(scene.run("resume").status.code(), Some(0));
    let journal = scene.journal();
    assert_eq!(journal.matches("\"confirmed\":{\"over\"").count(), 1, "{journal}");
    assert!(scene.path("cut").exists() && !scene.path("back").exists());
}
