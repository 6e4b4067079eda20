//! Sessions that end in the middle, killed or left for the day, and go on as they stood.

use super::session;
use crate::support::transcript::Desk;
use blackstart::drive::tabletop::notes::Note;
use blackstart::drive::tabletop::session::{Reply, Session};
use blackstart::model::{Event, Time};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// What a facilitator types: time is moved, people answer, something is told, and twice something is taken back.
const LINES: [&str; 14] = [
    "go",
    "wait 1s",
    "to 5m",
    "done by ann: it glows",
    "wait 2m",
    "tell All is well.",
    "undo",
    "wait 30s",
    "undo",
    "done by bob",
    "undo",
    "refuse by cem",
    "undo",
    "done by ann",
];

/// Types lines, with each step's notes as they would be on disk.
fn typed(session: &mut Session, lines: &[&str]) -> Vec<Vec<Note>> {
    let mut batches = vec![session.take_notes()];
    for line in lines {
        session.hear(Some(line));
        batches.push(session.take_notes());
    }
    batches
}

/// Notes as they are read from disk.
fn on_disk(notes: &[Vec<Note>]) -> Vec<Note> {
    let lines = notes.iter().flatten().map(|note| serde_json::to_string(note).expect("it can be written"));
    lines.map(|line| serde_json::from_str(&line).expect("it can be read")).collect()
}

const SCENARIO: &str = "injects: [{ at: 3m, tell: hello }, { at: 6m, tell: well }]\n\
                        durations: { load: { from: 10m, to: 40m } }\nfaults: [{ fails: load, times: 1 }]";

fn again(notes: &[Note]) -> Session {
    let staging = super::staged(super::CUT_AND_LOAD, SCENARIO);
    let opening = super::opening(&staging.plan, 1);
    Session::again(staging, opening, notes)
}

#[test]
fn a_session_stands_as_it_stood_whenever_it_was_killed() {
    let mut whole = session(SCENARIO);
    let batches = typed(&mut whole, &LINES);
    assert!(
        whole.told().iter().any(|(_, event)| matches!(event, Event::Injected { text } if text == "hello"))
    );
    for killed_after in 0..=LINES.len() {
        let mut before = session(SCENARIO);
        typed(&mut before, &LINES[..killed_after]);
        let mut after = again(&on_disk(&batches[..=killed_after]));
        assert_eq!(after.told(), before.told(), "after {:?}", &LINES[..killed_after]);
        assert_eq!((after.prompt(), after.stands()), (before.prompt(), before.stands()));
        typed(&mut after, &LINES[killed_after..]);
        assert_eq!(after.told(), whole.told(), "killed after {:?}", &LINES[..killed_after]);
    }
}

#[test]
fn leaving_for_the_day_is_taken_back_by_going_on() {
    let mut left = session(SCENARIO);
    let mut batches = typed(&mut left, &LINES[..5]);
    let before: Vec<(Time, Event)> = left.told().to_vec();
    assert_eq!(left.hear(None), Reply::Done);
    batches.push(left.take_notes());
    assert!(left.told().len() > before.len(), "the record says that the run was stopped");
    let mut next_day = again(&on_disk(&batches));
    assert!(next_day.goes_on());
    assert_eq!(next_day.told(), before);
    batches.push(next_day.take_notes());
    batches.extend(typed(&mut next_day, &["undo"]));
    let later = again(&on_disk(&batches));
    assert_eq!(later.told(), next_day.told(), "what was taken back stays so");
    assert!(!later.goes_on());
}

/// A desk with a runbook and a scenario on it.
fn desk() -> Desk {
    Desk::with(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd/files"))
}

/// Types lines to a program that asks for each, and kills it when it asks for more.
fn typed_and_killed(desk: &Desk, command: &str, lines: &[&str]) {
    // The shell becomes the program, so that it is the program that is killed.
    let mut child = desk.start(&format!("exec {command}"));
    let (mut stdin, mut stderr) = (child.stdin.take().unwrap(), child.stderr.take().unwrap());
    let (mut seen, mut byte) = (Vec::new(), [0]);
    for at in 0..=lines.len() {
        while !seen.ends_with(b" > ") {
            assert_eq!(stderr.read(&mut byte).unwrap(), 1, "it asks: {}", String::from_utf8_lossy(&seen));
            seen.push(byte[0]);
        }
        seen.clear();
        if let Some(line) = lines.get(at) {
            writeln!(stdin, "{line}").unwrap();
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

const PLAY: &str = "blackstart tabletop rebuild.yaml -i office.yaml --scenario night.yaml -I";
const SAID: [&str; 9] =
    ["go", "to 5m", "1 done by ann", "go", "undo", "wait 10m", "1 done by bob", "go", "approve by ann"];

/// The story of the last run, without what a clock says.
fn story(desk: &Desk) -> Vec<String> {
    let came = desk.type_in("blackstart verify >/dev/null && blackstart show --all");
    assert_eq!(came.code, 0, "{}", came.stderr);
    came.stdout.lines().map(str::to_owned).collect()
}

fn run_dir(desk: &Desk) -> PathBuf {
    let mut runs = std::fs::read_dir(desk.path().join("runs")).unwrap();
    runs.next().expect("a run").unwrap().path()
}

#[test]
fn a_killed_facilitator_goes_on_with_everything_that_was_said() {
    let whole = desk();
    typed_and_killed(&whole, PLAY, &SAID);
    let expected = story(&whole);
    assert!(expected.iter().any(|line| line.contains("bob says: it is done")), "{expected:#?}");
    for killed_after in [0, 1, 3, 4, 5, 6, 8] {
        let desk = desk();
        typed_and_killed(&desk, PLAY, &SAID[..killed_after]);
        // What became of the files is of no matter to a table that is set.
        std::fs::write(desk.path().join("night.yaml"), "version: 1\nname: other\n").unwrap();
        typed_and_killed(&desk, "blackstart resume", &SAID[killed_after..]);
        assert_eq!(story(&desk), expected, "killed after {:?}", &SAID[..killed_after]);
    }
}

#[test]
fn a_crash_while_something_is_taken_back_leaves_the_session_whole() {
    let desk = desk();
    typed_and_killed(&desk, PLAY, &SAID[..4]);
    let (journal, notes) = (run_dir(&desk).join("journal.jsonl"), run_dir(&desk).join("table.jsonl"));
    let before = std::fs::read(&journal).unwrap();
    typed_and_killed(&desk, "blackstart resume", &["undo"]);
    let after = story(&desk);
    // As if the program had died between the note and the journal, with a note half written.
    std::fs::write(&journal, &before).unwrap();
    let mut torn = std::fs::OpenOptions::new().append(true).open(&notes).unwrap();
    torn.write_all(b"{\"moved\":{\"tur").unwrap();
    typed_and_killed(&desk, "blackstart resume", &[]);
    assert_eq!(story(&desk), after);
    // A journal that is another one's is not written over.
    typed_and_killed(&desk, "blackstart resume", &["wait 1m", "wait 1m"]);
    std::fs::write(&journal, &before).unwrap();
    let refused = desk.type_in("blackstart resume </dev/null");
    assert_eq!(refused.code, 30, "{}", refused.stderr);
    assert_eq!(std::fs::read(&journal).unwrap(), before);
}
