//! Drills over SSH: scored, guarded as drills are, and taken back.

use super::{CUT_NEW, Scene, UNCUT};
use std::process::Output;

/// Changes the host, waits longer than an objective allows, and keeps a ledger of both ways.
const DRILL: &str = "
version: 1
name: drill
objectives:
  - { name: changed, from: start, to: step change, within: 1h }
  - { name: over, from: start, to: phase work, within: 1s }
phases:
  - id: work
    steps:
      - id: change
        on: h1
        run: touch @dir@/changed && echo changed >>@dir@/ledger
        verify: test -e @dir@/changed
        undo: rm @dir@/changed && echo undone >>@dir@/ledger
      - { id: pause, needs: change, wait: 2s }
";

fn scene() -> Scene {
    let scene = Scene::new("{ within: 30s }", "true", "true");
    let dir = scene.sshd.dir.path().display().to_string();
    std::fs::write(scene.path("cut.yaml"), DRILL.replace("@dir@", &dir)).unwrap();
    scene
}

fn drill(scene: &Scene, more: &[&str]) -> Output {
    scene.command("run").arg("--drill").args(more).output().unwrap()
}

fn ledger(scene: &Scene) -> String {
    std::fs::read_to_string(scene.path("ledger")).unwrap()
}

#[test]
fn a_drill_is_scored_and_the_host_is_as_before_once_it_is_taken_back() {
    let scene = scene();
    let output = drill(&scene, &["--take-back"]);
    assert_eq!(output.status.code(), Some(24), "an objective was missed");
    assert_eq!(ledger(&scene), "changed\nundone\n");
    assert!(!scene.path("changed").exists());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let last = said.lines().last().unwrap_or_default();
    assert!(last.ends_with("Completed, and taken back: everything that was to be taken back is."), "{said}");
    let facts = scene.facts();
    assert_eq!((&facts["exit_code"], &facts["mode"]), (&24.into(), &"drill".into()), "{facts}");
    let objective = |name: &str| {
        let all = facts["objectives"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap().clone()
    };
    assert_eq!(objective("changed")["standing"], "met");
    let over = objective("over");
    assert_eq!(over["standing"], "missed", "{over}");
    assert!(over["late_ms"].as_u64().unwrap() >= 1_000, "{over}");
    let spent = over["spent_ms"].as_object().unwrap();
    assert!(spent["timer"].as_u64().unwrap() >= 2_000 && spent.contains_key("work"), "{over}");
    let sum: u64 = spent.values().map(|ms| ms.as_u64().unwrap()).sum();
    assert_eq!(Some(sum), over["took_ms"].as_u64(), "{over}");
    assert_eq!(facts["restoration"]["restored"], true, "{facts}");
}

#[test]
fn a_drill_that_is_not_taken_back_says_what_it_left_and_goes_back_later() {
    let scene = scene();
    assert_eq!(drill(&scene, &[]).status.code(), Some(24));
    assert!(scene.path("changed").exists());
    let left = &scene.facts()["restoration"];
    assert_eq!(
        (&left["restored"], &left["in_place"][0]["step"]),
        (&false.into(), &"change".into()),
        "{left}"
    );
    let back = scene.command("rollback").args(["last", "--yes"]).output().unwrap();
    assert_eq!(back.status.code(), Some(24), "{}", String::from_utf8_lossy(&back.stderr));
    assert_eq!(ledger(&scene), "changed\nundone\n");
    assert_eq!(scene.facts()["restoration"]["restored"], true);
}

/// The same guard would hold in a live run.
#[test]
fn in_a_drill_a_guard_takes_back_that_says_nothing_else() {
    let scene = Scene::new("{ within: 6s }", CUT_NEW, UNCUT);
    assert_eq!(drill(&scene, &[]).status.code(), Some(22), "the step failed, and its phase says stop");
    assert!(scene.path("back").exists() && !scene.path("cut").exists());
    scene.fired_in_time("a drill");
    assert_eq!(scene.facts()["guards"][0]["otherwise"], "revert");
}
