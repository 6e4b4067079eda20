//! Hosts that fail beneath a step: its sshd, its processes, the whole machine, its clock.

use super::host::Like;
use super::{HELD, HELD_ONCE, Scene, side_by_side};
use crate::support::live::{Live, until};
use crate::support::sshd::run;
use blackstart::model::event::{Found, JobKind, TaskEnd};
use blackstart::model::{How, Outcome};
use rustix::process::Signal;

/// A run of `HELD` whose step is held.
fn held(scene: &Scene) -> Live {
    scene.hold("run");
    let mut live = scene.start(HELD);
    scene.until_at("run", &mut live);
    live
}

fn failed(scene: &Scene, wanted: &How) {
    match scene.end_of("change@h1") {
        Some(TaskEnd::Failed { outcome: Outcome::Failed { how }, .. }) => assert_eq!(how, *wanted),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_sshd_that_is_killed_and_started_again_takes_no_step_with_it() {
    let scene = Scene::new();
    let mut live = held(&scene);
    scene.host().kill_connections();
    scene.host().signal(Signal::KILL);
    scene.until_doubt(&mut live, "change@h1", JobKind::Run);
    scene.let_go("run");
    scene.until_ledger("end 1");
    scene.host().listen_again();
    let said = live.ended().is(0);
    assert!(said.err.contains("its end was not seen"), "{said}");
    assert_eq!(scene.found("change@h1").last(), Some(&Found::Ended(Outcome::Succeeded)), "{said}");
    assert_eq!(scene.ledger(), HELD_ONCE, "{said}");
    scene.verify();
}

#[test]
fn an_sshd_that_is_restarted_under_a_step_is_not_noticed() {
    let scene = Scene::new();
    let live = held(&scene);
    // Its connections live on, as they do when a service is restarted.
    let listener = format!("/proc/{}", scene.host().listener().as_raw_nonzero());
    scene.host().signal(Signal::TERM);
    until("it listens no more", || !std::path::Path::new(&listener).exists());
    scene.host().listen_again();
    scene.let_go("run");
    let said = live.ended().is(0);
    scene.no_doubt_about("change@h1", JobKind::Run);
    assert_eq!(scene.ledger(), HELD_ONCE, "{said}");
    scene.verify();
}

#[test]
fn a_step_whose_process_is_killed_has_failed_and_says_by_what() {
    let rows = [("KILL", 137, "SIGKILL"), ("TERM", 143, "SIGTERM"), ("SEGV", 139, "SIGSEGV")];
    side_by_side(&rows, |(signal, status, name)| {
        let scene = Scene::new();
        let live = held(&scene);
        let receipts = scene.receipts("h1");
        let claim = &receipts.iter().find(|(name, _)| name.ends_with(".run.1")).expect("a claim").1;
        let pid = claim.split(' ').nth(1).unwrap();
        scene.host().on(&format!("kill -{signal} {pid}"));
        let said = live.ended().is(22);
        assert!(said.out.contains(name) && said.err.contains(name), "{said}");
        failed(&scene, &How::Exit(status));
        assert_eq!(scene.ledger(), ["start 1"], "{said}");
        let receipts = scene.receipts("h1");
        assert!(receipts.iter().any(|(_, text)| *text == format!("{status} end\n")), "{receipts:?}");
        // Nobody goes on as if it had been done.
        assert!(scene.starts("next@h1", JobKind::Run).is_empty());
        scene.verify();
    });
}

/// A host whose boot has this number.
fn boots(scene: &Scene, number: u32) {
    scene.write("h1.boot", &format!("00000000-0000-4000-8000-{number:012}\n"));
    // Up for so long when it is first looked at: longer than any run, and then not.
    scene.write("h1.boot.uptime", if number == 1 { "1000000.00 1000000.00\n" } else { "7.00 7.00\n" });
}

fn bootable() -> Scene {
    let mut scene = Scene::bare();
    boots(&scene, 1);
    scene.add(Like::default());
    scene.write_inventory();
    scene
}

#[test]
fn a_host_that_restarts_under_a_step_tells_that_the_step_is_gone() {
    let mut scene = bootable();
    let mut live = held(&scene);
    boots(&scene, 2);
    scene.host_mut().sshd.end();
    scene.until_doubt(&mut live, "change@h1", JobKind::Run);
    scene.host_mut().sshd.restart();
    let said = live.ended().is(22);
    let gone = Outcome::Failed { how: How::Vanished };
    assert_eq!(scene.found("change@h1").last(), Some(&Found::Ended(gone)), "{said}");
    failed(&scene, &How::Vanished);
    assert!(said.out.contains("the host restarted"), "{said}");
    assert_eq!(scene.ledger(), ["start 1"], "{said}");
    scene.verify();
    // Whoever resumes runs it again, as another attempt.
    scene.let_go("run");
    let said = scene.also(&["resume", "last"]).is(0);
    assert_eq!(scene.ledger(), ["start 1", "start 2", "end 2", "next 1"], "{said}");
}

/// Who looks for the receipts that are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looks {
    /// Whoever heard that the step started, on a host that restarted.
    Restarted,
    /// The same, on a host that did not: somebody cleaned up.
    CleanedUp,
    /// A controller that was killed, and knows only of the order.
    AfterACrash,
}

#[test]
fn receipts_that_are_lost_prove_nothing_and_a_person_is_asked() {
    side_by_side(&[Looks::Restarted, Looks::CleanedUp, Looks::AfterACrash], |who| {
        let mut scene = bootable();
        let mut live = held(&scene);
        if who != Looks::CleanedUp {
            boots(&scene, 2);
            scene.host_mut().sshd.end();
        }
        std::fs::remove_dir_all(scene.path("h1.receipts")).unwrap();
        if who == Looks::CleanedUp {
            scene.host().kill_connections();
        }
        scene.until_doubt(&mut live, "change@h1", JobKind::Run);
        let said = match who {
            Looks::Restarted => {
                scene.host_mut().sshd.restart();
                live.ended()
            }
            Looks::CleanedUp => live.ended(),
            Looks::AfterACrash => {
                assert!(live.kill().is_none());
                scene.host_mut().sshd.restart();
                scene.also(&["resume", "last"])
            }
        };
        let said = said.is(22);
        let found = scene.found("change@h1");
        assert!(matches!(found.last(), Some(Found::NoReceipt { .. })), "{who:?}: {found:?}");
        assert!(said.out.contains("blackstart approve"), "{who:?}: {said}");
        assert_eq!(scene.ledger(), ["start 1"], "{who:?}: {said}");
        assert_eq!(scene.starts("change@h1", JobKind::Run).len(), 1, "{who:?}: {said}");
        assert!(scene.starts("next@h1", JobKind::Run).is_empty());
        scene.verify();
        // Nor does anybody who comes later take it for anything.
        let said = scene.also(&["resume", "last"]).is(22);
        assert_eq!(scene.ledger(), ["start 1"], "{who:?}: {said}");
        assert_eq!(scene.starts("change@h1", JobKind::Run).len(), 1, "{who:?}: {said}");
    });
}

#[test]
fn a_clock_that_is_set_back_a_day_under_a_step_changes_nothing() {
    let libraries =
        run(std::process::Command::new("sh").args(["-c", "ls /usr/lib/*/faketime/libfaketime.so.1"]));
    let library = libraries.lines().next().expect("faketime is installed");
    let scene = Scene::with(Like {
        config: vec![format!(
            "SetEnv LD_PRELOAD={library} FAKETIME_TIMESTAMP_FILE=@dir@/clock FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1"
        )],
        ..Like::default()
    })
    .impatient();
    scene.write("clock", "+0d\n");
    let runbook = HELD.replace("echo \"start", "date +%s >@dir@/before\n          echo \"start");
    let runbook = runbook.replace("echo \"end", "date +%s >@dir@/after\n          echo \"end");
    scene.hold("run");
    let mut live = scene.start(&runbook);
    scene.until_at("run", &mut live);
    scene.write("clock", "-1d\n");
    scene.host().kill_connections();
    scene.until_doubt(&mut live, "change@h1", JobKind::Run);
    scene.let_go("run");
    let said = live.ended().is(0);
    let at = |name: &str| std::fs::read_to_string(scene.path(name)).unwrap().trim().parse::<i64>().unwrap();
    let back = at("before") - at("after");
    assert!((86_000..=86_400).contains(&back), "the host's clock went back by {back} s");
    assert_eq!(scene.found("change@h1"), [Found::Ended(Outcome::Succeeded)], "{said}");
    assert_eq!(scene.ledger(), HELD_ONCE, "{said}");
    scene.verify();
}
