//! Ways to a host that go away beneath a run: its jump host, and its name.

use super::host::Like;
use super::{HELD, HELD_ONCE, Scene};
use crate::support::live::until;
use blackstart::model::Outcome;
use blackstart::model::event::{Found, JobKind, TaskEnd};

fn is_unknown(end: &Option<TaskEnd>) -> bool {
    matches!(end, Some(TaskEnd::Failed { outcome: Outcome::Unknown { .. }, .. }))
}

/// `h1` is reached through `h2`.
fn behind_a_jump_host() -> Scene {
    let mut scene = Scene::bare();
    scene.add(Like { settings: ", jump: h2".to_owned(), ..Like::default() });
    scene.add(Like::default());
    scene.write_inventory();
    scene.hold("run");
    scene
}

#[test]
fn a_jump_host_that_dies_takes_the_link_and_not_the_step() {
    // Its connections die and it serves on: the step is found again.
    let scene = behind_a_jump_host();
    let mut live = scene.start(HELD);
    scene.until_at("run", &mut live);
    scene.jump().kill_connections();
    scene.until_doubt(&mut live, "change@h1", JobKind::Run);
    scene.let_go("run");
    let said = live.ended().is(0);
    assert!(said.err.contains("jump host"), "{said}");
    assert_eq!(scene.found("change@h1"), [Found::Ended(Outcome::Succeeded)], "{said}");
    assert_eq!(scene.ledger(), HELD_ONCE, "{said}");
    scene.verify();
}

#[test]
fn behind_a_jump_host_that_stays_dead_nothing_is_known_and_nothing_is_done_twice() {
    let mut scene = behind_a_jump_host();
    let mut live = scene.start(HELD);
    scene.until_at("run", &mut live);
    scene.jump_mut().sshd.end();
    scene.let_go("run");
    let said = live.ended().is(22);
    assert!(said.out.contains("h2") && said.out.contains("UNKNOWN"), "{said}");
    assert!(is_unknown(&scene.end_of("change@h1")), "{said}");
    assert_eq!(scene.ledger(), HELD_ONCE[..2], "{said}");
    scene.jump_mut().sshd.restart();
    let said = scene.also(&["resume", "last"]).is(0);
    assert_eq!(scene.ledger(), HELD_ONCE, "{said}");
    scene.verify();
}

/// A step before the name goes, one while it is gone, and one whose link dies then.
const NAMED: &str = r#"
version: 1
name: named
phases:
  - id: work
    on_failure: stop
    steps:
      - { id: first, on: h1, run: echo first >>@dir@/ledger, undo: not_needed }
      - id: between
        on: here
        needs: [first]
        run: ": >@dir@/at-between; while [ -e @dir@/site.yaml ] && [ ! -e @dir@/go-between ]; do sleep 0.05; done"
        undo: not_needed
      - { id: second, on: h1, needs: [between], run: echo second >>@dir@/ledger, undo: not_needed }
      - id: change
        on: h1
        needs: [second]
        run: |
          : >@dir@/at-run; while [ -e @dir@/site.yaml ] && [ ! -e @dir@/go-run ]; do sleep 0.05; done
          echo "end $BLACKSTART_ATTEMPT" >>@dir@/ledger
        undo: not_needed
"#;

#[test]
fn a_name_that_stops_resolving_hurts_no_link_that_stands_and_a_lost_one_stays_unknown() {
    let mut scene = Scene::bare();
    scene.add(Like { name: "db.example".to_owned(), ..Like::default() });
    scene.write_inventory();
    scene.write("hosts", "127.1.0.1 db.example\n");
    let hosts = scene.path("hosts").display().to_string();
    assert!(scene.command("mount").args(["--bind", &hosts, "/etc/hosts"]).status().unwrap().success());
    let mut live = scene.start(NAMED);
    scene.until_at("between", &mut live);
    scene.write("hosts", "");
    scene.let_go("between");
    scene.until_at("run", &mut live);
    assert_eq!(scene.ledger(), ["first", "second"], "the link that stands needs no name");
    assert_eq!(scene.host().logins(), 1);
    scene.host().kill_connections();
    let said = live.ended().is(22);
    assert!(said.out.contains("UNKNOWN") && said.out.contains("its address is not found"), "{said}");
    assert!(is_unknown(&scene.end_of("change@h1")), "{said}");
    scene.let_go("run");
    until("the step's end", || scene.ledger().len() == 3);
    scene.write("hosts", "127.1.0.1 db.example\n");
    let said = scene.also(&["resume", "last"]).is(0);
    assert_eq!(scene.ledger(), ["first", "second", "end 1"], "{said}");
    assert_eq!(scene.found("change@h1").last(), Some(&Found::Ended(Outcome::Succeeded)), "{said}");
    scene.verify();
}
