//! Links that are reset, half dead, lossy, slow, narrow or flapping.

use super::{HELD, HELD_ONCE, Scene, side_by_side};
use crate::ssh::proxy::Proxy;
use crate::support::live::until;
use blackstart::model::Outcome;
use blackstart::model::event::{Found, JobKind, TaskEnd};
use std::time::{Duration, Instant};

/// Packets vanish in both directions, and nobody is told.
pub const DROPPED: &str = "ip daddr @host counter name seen drop; ip saddr @host counter name seen drop;";

/// What is sent to the host vanishes; what it says is heard.
pub const DEAF: &str = "ip daddr @host counter name seen drop;";

/// What the host says vanishes; what is sent to it is heard.
pub const MUTE: &str = "ip saddr @host counter name seen drop;";

/// Whoever says anything is told that there is no such connection.
pub const RESET: &str = "ip daddr @host counter name seen reject with tcp reset;";

/// Three of ten packets vanish, both ways.
pub const LOSSY: &str = "ip daddr @host numgen random mod 100 < 30 counter name seen drop; \
     ip saddr @host numgen random mod 100 < 30 counter name seen drop;";

/// Only small packets get through, and nobody is told.
pub const BLACK_HOLE: &str = "ip daddr @host meta length > 1200 counter name seen drop; \
     ip saddr @host meta length > 1200 counter name seen drop;";

/// Longer than a run takes with ordinary luck.
const LOSSY_FOR: Duration = Duration::from_secs(12);

/// Runs to go on with after bad weather; it does not last for ever.
const RESUMES_MAX: usize = 10;

/// Goes on with a run that stopped until it is through. Each end on the way is one that says so.
fn resumed_to_the_end(scene: &Scene, first: crate::support::live::Said) {
    let mut said = first;
    for _ in 0..RESUMES_MAX {
        if said.code == Some(0) {
            scene.verify();
            return;
        }
        said = said.is(22);
        assert!(said.out.contains("blackstart resume"), "the next command is named: {said}");
        said = scene.also(&["resume", "last"]);
    }
    panic!("not through after {RESUMES_MAX} resumes: {said}");
}

#[test]
fn a_link_that_breaks_in_whatever_way_is_an_end_not_seen_and_the_receipt_tells() {
    // How the link breaks, and what is said of it.
    let ways = [(RESET, "reset"), (DEAF, "keepalives unanswered"), (MUTE, "keepalives unanswered")];
    side_by_side(&ways, |(weather, why)| {
        let scene = Scene::new().impatient();
        scene.hold("run");
        let mut live = scene.start(HELD);
        scene.until_at("run", &mut live);
        scene.weather(weather);
        scene.until_doubt(&mut live, "change@h1", JobKind::Run);
        // The step goes on without us, and ends while nobody hears it.
        scene.let_go("run");
        scene.until_ledger("end 1");
        scene.clear();
        let said = live.ended().is(0);
        assert!(said.err.contains(why), "{said}");
        assert_eq!(scene.ledger(), HELD_ONCE, "{said}");
        assert_eq!(scene.found("change@h1").last(), Some(&Found::Ended(Outcome::Succeeded)), "{said}");
        assert_eq!(scene.starts("change@h1", JobKind::Run).len(), 1);
        let receipts = scene.receipts("h1");
        let ends: Vec<_> = receipts.iter().filter(|(name, _)| name.ends_with(".rc")).collect();
        assert!(ends.len() == 2 && ends.iter().all(|(_, text)| text == "0 end\n"), "{receipts:?}");
        scene.verify();
    });
}

#[test]
fn a_link_that_stays_broken_leaves_the_run_unknown_and_never_failed_or_done() {
    let scene = Scene::new().impatient();
    scene.hold("run");
    let mut live = scene.start(HELD);
    scene.until_at("run", &mut live);
    scene.weather(RESET);
    scene.until_doubt(&mut live, "change@h1", JobKind::Run);
    scene.let_go("run");
    let said = live.ended().is(22);
    assert!(said.out.contains("UNKNOWN") && said.out.contains("blackstart resume"), "{said}");
    let end = scene.end_of("change@h1");
    assert!(matches!(end, Some(TaskEnd::Failed { outcome: Outcome::Unknown { .. }, .. })), "{end:?}");
    assert_eq!(scene.ledger(), HELD_ONCE[..2], "it came to its end, whoever heard of it");
    scene.clear();
    scene.also(&["resume", "last"]).is(0);
    assert_eq!(scene.ledger(), HELD_ONCE);
    scene.verify();
}

/// Four steps, each of which takes a while: bad weather meets some of them.
const WALK: [&str; 4] = ["one", "two", "three", "four"];

fn walk() -> String {
    let mut text =
        "version: 1\nname: walk\nphases:\n  - id: work\n    on_failure: stop\n    steps:\n".to_owned();
    let mut needs = String::new();
    for id in WALK {
        text += &format!(
            "      - id: {id}\n        on: h1\n{needs}        undo: not_needed\n        run: |\n          \
             echo start {id} >>@dir@/ledger\n          seq 1 2000\n          sleep 1\n          \
             echo end {id} >>@dir@/ledger\n"
        );
        needs = format!("        needs: [{id}]\n");
    }
    text
}

/// Each step started once and ended once, in order.
fn walked_once(scene: &Scene) {
    let wanted: Vec<_> = WALK.iter().flat_map(|id| [format!("start {id}"), format!("end {id}")]).collect();
    assert_eq!(scene.ledger(), wanted);
}

#[test]
fn with_a_third_of_all_packets_lost_each_effect_comes_once() {
    let scene = Scene::new();
    scene.weather(LOSSY);
    let mut live = scene.start(&walk());
    // Mostly the run is over before. Now and then TCP has been unlucky so often that it waits for minutes.
    let began = Instant::now();
    until("the end, or better weather", || live.has_ended() || began.elapsed() > LOSSY_FOR);
    assert!(scene.seen() > 0, "packets were lost");
    scene.clear();
    let said = live.ended();
    resumed_to_the_end(&scene, said);
    walked_once(&scene);
}

#[test]
fn a_link_that_comes_and_goes_costs_no_effect_and_doubles_none() {
    let second = Duration::from_secs(1);
    let rows = [(DROPPED, 5 * second, 3 * second), (RESET, second, second)];
    side_by_side(&rows, |(weather, away, there)| {
        let scene = Scene::new().impatient();
        let mut live = scene.start(&walk());
        until("the walk begins", || !scene.ledger().is_empty());
        for _ in 0..3 {
            if live.has_ended() {
                break;
            }
            scene.weather(weather);
            std::thread::sleep(away);
            scene.clear();
            std::thread::sleep(there);
        }
        let said = live.ended();
        resumed_to_the_end(&scene, said);
        walked_once(&scene);
    });
}

#[test]
fn half_a_second_of_delay_each_way_is_only_slow() {
    let scene = Scene::outside();
    let sshd = &scene.host().sshd;
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let near = listener.local_addr().unwrap();
    sshd.also_known_as("127.0.0.1", near.port());
    let inventory = std::fs::read_to_string(scene.path("site.yaml")).unwrap();
    let (there, here) =
        (sshd.addr.to_string().replace(':', ", port: "), near.to_string().replace(':', ", port: "));
    assert!(inventory.contains(&there), "{inventory}");
    scene.write("site.yaml", &inventory.replace(&there, &here));
    let target = sshd.addr;
    // Ends with the test's process.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, async move {
            listener.set_nonblocking(true).unwrap();
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            Proxy::delayed(listener, target, Duration::from_millis(500)).await;
        });
    });
    let said = scene.run(HELD).is(0);
    assert_eq!(scene.ledger(), HELD_ONCE, "{said}");
    assert_eq!(scene.host().logins(), 1, "{said}");
    scene.no_doubt_about("change@h1", JobKind::Run);
    scene.verify();
}

/// A step that prints much once it was let go on.
const TALKS: &str = r#"
version: 1
name: talks
phases:
  - id: work
    on_failure: stop
    steps:
      - id: change
        on: h1
        run: |
          echo "start $BLACKSTART_ATTEMPT" >>@dir@/ledger
          : >@dir@/at-run; while [ -e @dir@/site.yaml ] && [ ! -e @dir@/go-run ]; do sleep 0.05; done
          seq 1 20000
          echo "end $BLACKSTART_ATTEMPT" >>@dir@/ledger
        undo: not_needed
      - { id: next, on: h1, needs: [change], run: 'echo "next $BLACKSTART_ATTEMPT" >>@dir@/ledger', undo: not_needed }
"#;

#[test]
fn a_way_that_swallows_large_packets_is_found_by_silence() {
    let scene = Scene::new().impatient();
    let mut live = scene.start(TALKS);
    scene.until_at("run", &mut live);
    scene.weather(BLACK_HOLE);
    scene.let_go("run");
    scene.until_doubt(&mut live, "change@h1", JobKind::Run);
    assert!(scene.seen() > 0);
    scene.until_ledger("end 1");
    scene.clear();
    let said = live.ended().is(0);
    assert!(said.err.contains("keepalives unanswered"), "{said}");
    assert_eq!(scene.found("change@h1"), [Found::Ended(Outcome::Succeeded)], "{said}");
    assert_eq!(scene.ledger(), HELD_ONCE, "{said}");
    scene.verify();
}

/// A way that never carried a large packet: nothing starts. The narrower it is, the sooner it ends.
pub fn a_narrow_way_starts_nothing() {
    let widths = [
        (BLACK_HOLE.to_owned(), "not started"),
        (BLACK_HOLE.replace("1200", "600"), "the key exchange took"),
    ];
    let rows: Vec<_> = widths.iter().map(|(rules, says)| (rules.as_str(), *says)).collect();
    side_by_side(&rows, |(rules, says)| {
        let scene = Scene::new();
        scene.weather(rules);
        let said = scene.run(HELD).is(22);
        assert!(scene.seen() > 0);
        assert!(said.out.contains(says) && said.out.contains("MTU"), "{said}");
        let end = scene.end_of("change@h1");
        assert!(matches!(end, Some(TaskEnd::Failed { outcome: Outcome::NotStarted { .. }, .. })), "{end:?}");
        assert!(scene.ledger().is_empty() && scene.receipts("h1").is_empty());
        scene.clear();
        let said = scene.also(&["resume", "last"]).is(0);
        assert_eq!(scene.ledger().len(), 3, "{said}");
        scene.verify();
    });
}
