//! Hosts whose disks are full, read-only, not to be run from, or without a home.

use super::host::Like;
use super::{HELD, HELD_ONCE, Scene, side_by_side};
use blackstart::model::Outcome;
use blackstart::model::event::{Found, JobKind, TaskEnd};

/// A host that finds a place for its receipts, on which this was done before its sshd started.
fn host(setup: &str) -> Scene {
    Scene::with(Like { setup: setup.to_owned(), chooses: true, ..Like::default() })
}

/// A host whose receipts are to lie on a file system of their own, mounted like this.
fn receipts_on(options: &str, further: &str) -> Scene {
    let setup = format!(
        "mkdir @dir@/h1.receipts; mount -t tmpfs -o mode=700,{options} tmpfs @dir@/h1.receipts\n{further}"
    );
    Scene::with(Like { setup, ..Like::default() })
}

const FULL: &str = "head -c 1000000 /dev/zero >@dir@/h1.receipts/fill 2>@dir@/full || :";
/// All of /etc, because the mount over a single file of it goes when somebody elsewhere puts a new one in its place, as
/// tests that make users do.
const NO_HOME: &str = "cp -a /etc @dir@/etc && sed -i 's|:/root:|:/nonexistent:|' @dir@/etc/passwd && mount --bind @dir@/etc /etc";

#[test]
fn a_host_that_takes_no_receipt_starts_nothing_and_says_why() {
    let rows =
        [("full", "size=16k", FULL), ("full of files", "size=1m,nr_inodes=1", ""), ("read-only", "ro", "")];
    side_by_side(&rows, |(name, options, further)| {
        let scene = receipts_on(options, further);
        let said = scene.run(HELD).is(22);
        assert!(said.out.contains("h1.receipts"), "{name}: the place is named: {said}");
        let end = scene.end_of("change@h1");
        assert!(
            matches!(
                end,
                Some(TaskEnd::Failed { outcome: Outcome::NotStarted { try_again: false, .. }, .. })
            ),
            "{name}: {end:?}"
        );
        assert_eq!(scene.ledger(), [""; 0], "{name}: {said}");
        scene.verify();
    });
}

#[test]
fn where_home_cannot_be_used_receipts_lie_elsewhere_and_tmp_is_not_needed() {
    let rows = [
        ("/tmp noexec", "mount -t tmpfs -o noexec tmpfs /dev/shm", "/root/.blackstart"),
        ("home missing", NO_HOME, "/var/lib/blackstart-0"),
        ("home unwritable", "mount -o remount,ro /root", "/var/lib/blackstart-0"),
        (
            "home and /var/lib unwritable",
            "mount -o remount,ro /root; mount -o remount,ro /var/lib",
            "/var/tmp/blackstart-0",
        ),
    ];
    side_by_side(&rows, |(name, setup, place)| {
        let scene = host(setup);
        if name.starts_with("/tmp") {
            // The scene's own files lie there too: the same mount, without leave to run anything.
            scene.host().on("mount --bind /tmp /tmp && mount -o remount,bind,noexec /tmp");
            let probe = "cp /bin/true @dir@/probe && ! @dir@/probe 2>/dev/null && rm @dir@/probe";
            scene.host().on(&scene.filled(probe));
        }
        let said = scene.run(HELD).is(0);
        assert_eq!(scene.ledger(), HELD_ONCE, "{name}: {said}");
        let run = scene.dir().unwrap().id().clone();
        let ends = scene.host().on(&format!("cat {place}/{}/*.rc; ls -ld {place}", run.as_str()));
        assert!(ends.starts_with("0 end\n0 end\ndrwx------"), "{name}: {ends}");
        scene.verify();
    });
}

#[test]
fn where_nothing_can_be_written_nothing_starts_and_every_place_is_named() {
    let scene = host("for place in /root /var/lib /var/tmp; do mount -o remount,ro $place; done");
    let said = scene.run(HELD).is(22);
    for place in ["/root/.blackstart", "/var/lib/blackstart-0", "/var/tmp/blackstart-0"] {
        assert!(said.out.contains(place), "{place}: {said}");
    }
    assert_eq!(scene.ledger(), [""; 0], "{said}");
    scene.verify();
}

#[test]
fn a_disk_that_fills_up_under_a_step_makes_no_end_out_of_none() {
    // Heard to its end, the step is done: the link tells what the receipt cannot.
    let scene = receipts_on("size=16k", "");
    scene.hold("run");
    let mut live = scene.start(HELD);
    scene.until_at("run", &mut live);
    scene.host().on(&scene.filled(FULL));
    scene.let_go("run");
    let said = live.ended().is(22);
    assert_eq!(scene.end_of("change@h1"), Some(TaskEnd::Done), "{said}");
    let end = scene.end_of("next@h1");
    assert!(
        matches!(end, Some(TaskEnd::Failed { outcome: Outcome::NotStarted { .. }, .. })),
        "what cannot claim does not start: {end:?}"
    );
    assert_eq!(scene.ledger(), HELD_ONCE[..2], "{said}");
    scene.verify();
    // Room again: it goes on where it stopped.
    scene.host().on(&scene.filled("rm @dir@/h1.receipts/fill"));
    let said = scene.also(&["resume", "last"]).is(0);
    assert_eq!(scene.ledger()[..2], HELD_ONCE[..2], "{said}");
    assert_eq!(scene.ledger().len(), 3, "{said}");

    // With the link lost as well nobody knows its end, and nobody says that it is done.
    let scene = receipts_on("size=16k", "");
    scene.hold("run");
    let mut live = scene.start(HELD);
    scene.until_at("run", &mut live);
    scene.host().on(&scene.filled(FULL));
    scene.host().kill_connections();
    scene.until_doubt(&mut live, "change@h1", JobKind::Run);
    scene.let_go("run");
    let said = live.ended().is(22);
    assert_eq!(scene.ledger(), HELD_ONCE[..2], "{said}");
    assert!(!scene.found("change@h1").contains(&Found::Ended(Outcome::Succeeded)), "{said}");
    assert!(matches!(scene.end_of("change@h1"), Some(TaskEnd::Failed { .. })), "{said}");
    assert!(scene.starts("next@h1", JobKind::Run).is_empty());
    scene.verify();
}
