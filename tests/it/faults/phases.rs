//! A link that is dropped in every phase of a task: for seconds, which nobody notices, and until it counts as lost.

use super::host::Like;
use super::weather::DROPPED;
use super::{Scene, side_by_side};
use crate::support::live::{Live, Said, until};
use blackstart::model::Outcome;
use blackstart::model::event::{Found, JobKind, UndoEnd};
use rustix::process::Signal;
use std::time::Duration;

/// Longer than TCP's first repeats, shorter than any limit of ours.
const SECONDS: Duration = Duration::from_secs(3);

/// Beside the minute after which a link counts as lost.
const MINUTES: Duration = Duration::from_secs(120);

/// Where a task is when its link is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Connect,
    KeyExchange,
    Auth,
    Order,
    Claim,
    Run,
    Output,
    Receipt,
    Undo,
}

use Phase::*;

const PHASES: [Phase; 9] = [Connect, KeyExchange, Auth, Order, Claim, Run, Output, Receipt, Undo];

impl Phase {
    /// The gate at which somebody stops in this phase.
    fn gate(self) -> &'static str {
        match self {
            Connect | KeyExchange => "",
            Auth => "auth",
            Order => "order",
            Claim => "claim",
            Run | Receipt => "run",
            Output => "output",
            Undo => "undo",
        }
    }
}

/// More than all buffers on the way hold, so that the writer waits for the link.
const LINES: usize = 40_000;

fn runbook(phase: Phase) -> String {
    let fails = match phase {
        Undo => {
            "\n      - id: fails\n        on: here\n        needs: [change]\n        run: exit 3\n        undo: not_needed"
        }
        _ => "",
    };
    RUNBOOK
        .replace("@gate-order", &Scene::gate("order"))
        .replace("@gate-run", &Scene::gate("run"))
        .replace("@gate-output", &Scene::gate("output"))
        .replace("@gate-undo", &Scene::gate("undo"))
        .replace("@fails", fails)
        .replace("@policy", if phase == Undo { "rollback" } else { "stop" })
}

const RUNBOOK: &str = r#"
version: 1
name: phases
phases:
  - id: work
    on_failure: @policy
    steps:
      - id: first
        on: h1
        run: echo first >>@dir@/ledger
        undo: not_needed
      - id: between
        on: here
        needs: [first]
        run: "@gate-order"
        undo: not_needed
      - id: change
        on: h1
        needs: [between]
        run: |
          echo "start $BLACKSTART_ATTEMPT" >>@dir@/ledger
          @gate-run
          seq 1 40
          @gate-output
          seq 41 40000
          echo "end $BLACKSTART_ATTEMPT" >>@dir@/ledger
        undo: |
          echo "undo" >>@dir@/ledger
          @gate-undo
          echo "undone" >>@dir@/ledger@fails
"#;

/// A host whose login and whose first claim can be held up.
fn scene(phase: Phase) -> Scene {
    let hook = format!(
        "AuthorizedKeysCommand /bin/sh -c \"{}; cat @dir@/keys\"",
        Scene::gate("auth").replace('"', "\\\"")
    );
    let config = [hook.as_str(), "AuthorizedKeysCommandUser root", "AuthorizedKeysFile none"];
    let like = Like {
        config: config
            .map(str::to_owned)
            .into_iter()
            .chain(["SetEnv PATH=@dir@/host:/usr/bin:/bin".to_owned()])
            .collect(),
        ..Like::default()
    };
    let scene = Scene::with(like);
    std::fs::copy(scene.host().sshd.path("authorized_keys"), scene.path("keys")).unwrap();
    std::fs::create_dir(scene.path("host")).unwrap();
    // A claim makes its directory first.
    scene.script("host/mkdir", &format!("{}\nexec /usr/bin/mkdir \"$@\"", Scene::gate("claim")));
    if !phase.gate().is_empty() {
        scene.hold(phase.gate());
    }
    scene
}

/// Drops the link of a run as soon as its task is in the phase.
fn drop_in(scene: &Scene, phase: Phase) -> Live {
    let spoken = "ip daddr @host tcp flags & psh == psh counter name seen;";
    match phase {
        Connect => scene.weather(DROPPED),
        KeyExchange => {
            scene.weather(spoken);
            scene.host().signal(Signal::STOP);
        }
        Auth | Order | Claim | Run | Output | Receipt | Undo => {}
    }
    let mut live = scene.start(&runbook(phase));
    match phase {
        Connect => until("a packet is dropped", || scene.seen() > 0),
        KeyExchange => {
            until("the client's first words", || scene.seen() > 0);
            scene.weather(DROPPED);
            scene.host().signal(Signal::CONT);
        }
        Receipt => {
            // The link is lost, the step goes on, and whoever asks about it is cut off again.
            scene.until_at("run", &mut live);
            scene.host().kill_connections();
            until("a second login", || scene.host().logins() == 2);
            scene.weather(DROPPED);
        }
        Auth | Order | Claim | Run | Output | Undo => {
            scene.until_at(phase.gate(), &mut live);
            scene.weather(DROPPED);
        }
    }
    if !phase.gate().is_empty() {
        scene.let_go(phase.gate());
    }
    live
}

/// What is the same whenever the link was dropped: each effect once, and nothing half-told.
fn each_effect_once(scene: &Scene, phase: Phase, said: &Said) {
    let attempt = scene.starts("change@h1", JobKind::Run).len();
    let mut wanted = vec!["first".to_owned(), format!("start {attempt}"), format!("end {attempt}")];
    if phase == Undo {
        wanted.extend(["undo".to_owned(), "undone".to_owned()]);
    }
    assert_eq!(scene.ledger(), wanted, "{phase:?}: {said}");
    scene.verify();
}

#[test]
fn a_link_that_is_dropped_for_seconds_is_not_even_noticed() {
    side_by_side(&PHASES, |phase| {
        let scene = scene(phase);
        let live = drop_in(&scene, phase);
        std::thread::sleep(SECONDS);
        scene.clear();
        let said = live.ended().is(if phase == Undo { 20 } else { 0 });
        each_effect_once(&scene, phase, &said);
        assert_eq!(scene.host().logins(), if phase == Receipt { 2 } else { 1 }, "{phase:?}: {said}");
        assert_eq!(scene.starts("change@h1", JobKind::Run).len(), 1, "{phase:?}: {said}");
        if phase != Receipt {
            scene.no_doubt_about("change@h1", JobKind::Run);
            assert!(!said.err.contains("lost"), "{phase:?}: {said}");
            assert_eq!(scene.output("change").lines().count(), LINES, "{phase:?}: {said}");
        }
    });
}

#[test]
fn a_link_that_is_dropped_until_it_counts_as_lost_costs_no_effect_and_doubles_none() {
    // Key exchange and login have limits of their own, which nobody sets: `make soak` waits for them.
    let phases = [Connect, Order, Claim, Run, Output, Receipt, Undo];
    side_by_side(&phases, |phase| dropped_until_lost(scene(phase).impatient(), phase, Duration::ZERO));
}

/// The same with the limits that are in force where nobody sets any, and minutes in the dark.
pub fn dropped_for_minutes() {
    side_by_side(&PHASES, |phase| dropped_until_lost(scene(phase), phase, MINUTES));
}

fn dropped_until_lost(scene: Scene, phase: Phase, further: Duration) {
    let mut live = drop_in(&scene, phase);
    let (about, kind) = match phase {
        // The first claim, and the first connection, are the first step's.
        Connect | KeyExchange | Auth | Claim => ("first@h1", JobKind::Run),
        Order | Run | Output | Receipt => ("change@h1", JobKind::Run),
        Undo => ("change@h1", JobKind::Undo),
    };
    match phase {
        Connect | KeyExchange | Auth => until("a try in vain", || !scene.outcomes(about, kind).is_empty()),
        Receipt => until("a look in vain", || !scene.found(about).is_empty()),
        Order | Claim | Run | Output | Undo => scene.until_doubt(&mut live, about, kind),
    }
    std::thread::sleep(further);
    scene.clear();
    let mut said = live.ended();
    if further > Duration::ZERO && matches!(said.code, Some(21 | 22)) {
        // All patience was over before the link came back.
        let next = if phase == Undo { "rollback" } else { "resume" };
        assert!(said.out.contains(&format!("blackstart {next}")), "{phase:?}: {said}");
        let consent = if phase == Undo { &["--yes"][..] } else { &[] };
        said = scene.also(&[&[next, "last"], consent].concat());
    }
    let said = said.is(if phase == Undo { 20 } else { 0 });
    each_effect_once(&scene, phase, &said);
    let found = scene.found(about);
    match phase {
        Connect | KeyExchange | Auth => {
            let outcomes = scene.outcomes(about, kind);
            assert!(
                matches!(
                    &outcomes[..],
                    [Outcome::NotStarted { try_again: true, .. }, .., Outcome::Succeeded]
                ),
                "{phase:?}: {outcomes:?}"
            );
            assert_eq!(found, [], "{phase:?}: {said}");
        }
        // TCP may bring it as soon as the way is open: before anybody asks, and then it was started; or after, and
        // then it finds its claim spent. Either way it was started once.
        Order => assert!(
            matches!(found.last(), Some(Found::NeverStarted | Found::Ended(Outcome::Succeeded))),
            "{found:?}: {said}"
        ),
        Claim | Run | Output | Receipt | Undo => {
            assert_eq!(found.last(), Some(&Found::Ended(Outcome::Succeeded)), "{phase:?}: {said}");
        }
    }
    if phase == Receipt {
        assert!(matches!(found[0], Found::NotReached { try_again: true, .. }), "{found:?}");
    }
    if phase == Undo {
        assert_eq!(scene.undos(about).last(), Some(&UndoEnd::Undone));
    }
}
