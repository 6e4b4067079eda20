//! Undos that fail, hang, or whose host is gone: stuck, then a second rollback of what is left, or somebody's word.

use super::host::Like;
use super::weather::RESET;
use super::{Scene, side_by_side};
use crate::support::live::Said;
use blackstart::model::event::{Event, JobKind, UndoEnd};
use blackstart::model::{How, Outcome};

/// `h1` has something that can be taken back badly, `h2` something beside it and something beneath it.
const RUNBOOK: &str = r#"
version: 1
name: takes-back
phases:
  - id: change
    on_failure: rollback
    steps:
      - { id: beneath, on: h2, run: echo beneath >>@dir@/ledger, undo: echo beneath undone >>@dir@/ledger }
      - { id: beside, on: h2, run: echo beside >>@dir@/ledger, undo: echo beside undone >>@dir@/ledger }
      - id: bad
        on: h1
        needs: [beneath]
        timeout: 3s
        run: echo bad >>@dir@/ledger
        undo: |
          echo "undo $BLACKSTART_ATTEMPT" >>@dir@/ledger
          if [ -e @dir@/fail ]; then exit 3; fi
          if [ -e @dir@/hang ]; then sleep 1000; fi
          echo "bad undone" >>@dir@/ledger
      - id: fails
        on: here
        needs: [bad, beside]
        run: ": >@dir@/at-fails; while [ -e @dir@/site.yaml ] && [ ! -e @dir@/go-fails ]; do sleep 0.05; done; exit 3"
        undo: not_needed
"#;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Fails,
    Hangs,
    Unreachable,
}

use Trouble::*;

/// A run that is stuck because of this trouble, which goes on.
fn stuck(trouble: Trouble) -> (Scene, Said) {
    let mut scene = Scene::bare();
    scene.add(Like::default());
    scene.add(Like::default());
    scene.write_inventory();
    let scene = scene.impatient();
    let mut live = scene.start(RUNBOOK);
    scene.until_at("fails", &mut live);
    match trouble {
        Fails => scene.write("fail", ""),
        Hangs => scene.write("hang", ""),
        Unreachable => scene.weather(RESET),
    }
    scene.let_go("fails");
    let said = live.ended().is(21);
    (scene, said)
}

fn count(scene: &Scene, line: &str) -> usize {
    scene.ledger().iter().filter(|have| *have == line).count()
}

#[test]
fn an_undo_that_fails_hangs_or_is_out_of_reach_is_stuck_and_a_second_rollback_does_only_what_is_left() {
    side_by_side(&[Fails, Hangs, Unreachable], |trouble| {
        let (scene, said) = stuck(trouble);
        assert!(
            said.out.contains("bad") && said.out.contains("h1"),
            "{trouble:?}: what to look at is named: {said}"
        );
        assert!(
            said.out.contains("STUCK") && said.out.contains("blackstart rollback"),
            "{trouble:?}: {said}"
        );
        let ends = scene.undos("bad@h1");
        let as_it_was = match (trouble, &ends[..]) {
            (Fails, [UndoEnd::Failed { outcome }]) => *outcome == Outcome::Failed { how: How::Exit(3) },
            (Hangs, [UndoEnd::Failed { outcome: Outcome::Failed { how: How::TimedOut(_) } }]) => {
                scene.host().on("ps -eo args | grep -c '[s]leep 1000' || :").trim() == "0"
            }
            (
                Unreachable,
                [UndoEnd::Failed { outcome: Outcome::NotStarted { .. } | Outcome::Unknown { .. } }],
            ) => true,
            _ => false,
        };
        assert!(as_it_was, "{trouble:?}: {ends:?}");
        // What it stands on is held; what stands beside it is gone.
        assert_eq!(scene.undos("beside@h2"), [UndoEnd::Undone], "{trouble:?}: {said}");
        assert_eq!((count(&scene, "beside undone"), count(&scene, "beneath undone")), (1, 0), "{trouble:?}");
        scene.verify();

        // Nothing was helped: it is stuck again, and nothing that was taken back is taken back twice.
        if trouble == Fails {
            scene.also(&["rollback", "last", "--yes"]).is(21);
            assert_eq!((count(&scene, "beside undone"), count(&scene, "beneath undone")), (1, 0));
            assert_eq!(scene.undos("bad@h1").len(), 2);
        }
        for help in ["fail", "hang"] {
            let _ = std::fs::remove_file(scene.path(help));
        }
        scene.clear();
        let said = scene.also(&["rollback", "last", "--yes"]).is(20);
        for line in ["beside undone", "bad undone", "beneath undone"] {
            assert_eq!(count(&scene, line), 1, "{trouble:?}: {line}: {said}");
        }
        assert_eq!(scene.undos("bad@h1").last(), Some(&UndoEnd::Undone), "{trouble:?}: {said}");
        assert_eq!(scene.starts("beside@h2", JobKind::Undo).len(), 1, "{trouble:?}: {said}");
        scene.verify();
    });
}

#[test]
fn a_stuck_run_is_given_up_with_a_comment_that_stays_on_record() {
    let (scene, _) = stuck(Fails);
    let comment = "db1 was put back by hand; ticket 4711";
    scene.also(&["abort", "last"]).is(2);
    scene.also(&["abort", "last", "--yes", "-m", comment]).is(0);
    let given_up = |event: &Event| matches!(event, Event::Abandoned { comment: said, .. } if said == comment);
    assert_eq!(scene.records().iter().filter(|record| given_up(&record.event)).count(), 1);
    let shown = scene.also(&["show", "last"]);
    assert!(shown.out.contains(comment), "{shown}");
    // Nobody goes on with it, and nobody gives it up twice.
    let before = scene.ledger();
    for verb in [&["resume", "last"][..], &["abort", "last", "--yes"]] {
        let said = scene.also(verb);
        assert!(said.code != Some(0) && said.err.to_lowercase().contains("given up"), "{verb:?}: {said}");
    }
    assert_eq!(scene.ledger(), before);
    assert_eq!(count(&scene, "beneath undone"), 0, "what was held stays as it is");
    scene.verify();
    // Who takes it up again after all says so in so many words.
    std::fs::remove_file(scene.path("fail")).unwrap();
    scene.also(&["rollback", "last", "--yes"]).is(20);
    assert_eq!(
        (count(&scene, "bad undone"), count(&scene, "beside undone"), count(&scene, "beneath undone")),
        (1, 1, 1)
    );
    scene.verify();
}
