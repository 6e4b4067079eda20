//! No file of a hostile host gets out of the run's directory, whatever it is called there and whatever stands in it.

use super::brain::{Order, Say, err_end, go, out};
use super::desk::{Desk, Known};
use super::polite::Server;
use blackstart::model::event::{Event, JobKind};
use std::collections::BTreeSet;

/// Paths on the host, as an inventory may give them away to whoever named things there.
const PATHS: [&str; 7] = [
    "/a/../../../../up",
    "/a/..",
    "/b/.ssh",
    "/b/-rf",
    "/c/authorized_keys",
    "/d/x\u{202e}cod.exe",
    "/e/a~2",
];

/// What it sends in the place of any file: a list that names files above, absolute ones and strange ones.
fn climbing() -> Vec<u8> {
    let hash = "ab".repeat(32);
    ["../../../../climbed", "/etc/climbed", "a/../../climbed", "climbed\u{1b}[2J"]
        .map(|name| format!("{hash}  {name}\n"))
        .concat()
        .into_bytes()
}

fn answer(order: &Order) -> Option<Vec<Say>> {
    let sends = order.verb == "J" && ["cat --", "SNAP"].iter().any(|word| order.script.contains(word));
    sends.then(|| vec![go(order), Say::Out(climbing()), out(order, "end 0 0"), err_end(order)])
}

#[test]
fn no_file_of_a_host_gets_out_of_the_run_or_gets_a_name_that_deceives() {
    let server = Server::answering(answer);
    let desk = Desk::new(&[Known { more: String::new(), ..server.known("h1") }]);
    let fetches: String = PATHS
        .iter()
        .enumerate()
        .map(|(at, path)| format!("      - {{ id: bring-{at}, on: h1, fetch: {{ file: {path:?} }} }}\n"))
        .collect();
    let runbook = format!(
        "version: 1\nname: bring\nphases:\n  - id: work\n    on_failure: continue\n    steps:\n{fetches}      \
         - {{ id: keeps, on: h1, snapshot: echo SNAP, run: echo RUN, undo: echo UNDO }}\n      \
         - {{ id: backed, on: h1, backup: {{ manifest: /b/SHA256SUMS }} }}\n"
    )
    .replace("\\u{202e}", "\u{202e}");
    let ended = desk.run(&runbook);
    let evidence: Vec<_> = ended
        .records
        .iter()
        .filter_map(|record| match &record.event {
            Event::JobEnded { job, facts, .. } if job.kind == JobKind::Run => Some(facts.evidence.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    assert_eq!(evidence.len(), PATHS.len() + 1, "{ended}");
    let below = desk.all_below();
    let state = desk.path("state");
    let beside: BTreeSet<_> = below.iter().filter(|path| !path.starts_with(&state)).cloned().collect();
    let ours = ["id", "id.pub", "known_hosts", "site.yaml", "runbook.yaml", "out", "err"]
        .map(|name| desk.path(name));
    assert!(beside.iter().all(|path| ours.contains(path)), "{beside:?}");
    for path in below.iter().filter(|path| path.starts_with(&state)) {
        let name = path.file_name().expect("it has one").to_string_lossy().into_owned();
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-~".contains(c);
        let lock =
            path.parent().is_some_and(|dir| dir.parent() == Some(&state)) || path.parent() == Some(&state);
        assert!(name.chars().all(plain) && (lock || !name.starts_with(['.', '-'])), "{path:?}");
        assert!(!name.contains("climbed"), "{path:?}");
    }
    // Each is there, whole, where the journal says.
    let run = std::fs::read_dir(&state).expect("it can be listed").map(|it| it.expect("it can be").path());
    let run = run.filter(|path| path.is_dir()).max().expect("there is a run");
    for file in evidence {
        assert_eq!(std::fs::read(run.join(&file.file)).expect(&file.file), climbing(), "{}", file.from);
    }
    assert_eq!(desk.say(&["verify"]).code, Some(0));
}
