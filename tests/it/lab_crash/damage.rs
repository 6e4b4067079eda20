//! Journals that are not as they were written, and a state directory that takes none.

use super::{Desk, Lab};
use std::fs;

const RUNBOOK: &str = r#"
version: 1
name: damaged
phases:
  - id: work
    on_failure: stop
    steps:
      - id: first
        on: app1
        run: /srv/ledger "$BLACKSTART_RUN first $BLACKSTART_ATTEMPT"
        undo: not_needed
      - id: confirm
        needs: [first]
        manual: Go on?
      - id: last
        on: app1
        needs: [confirm]
        run: /srv/ledger "$BLACKSTART_RUN last $BLACKSTART_ATTEMPT"
        undo: not_needed
"#;

#[test]
fn a_torn_journal_is_gone_on_with_and_a_damaged_one_is_not() {
    let lab = Lab::raise();
    let runbook = lab.write("damaged.yaml", RUNBOOK);
    let desk = Desk::new(&lab, "whole");
    desk.run(&desk.begin(&runbook, &[])).is(22);
    desk.run(&["approve", "last", "confirm"]).is(0);
    let run = desk.dir().expect("there is a run").id().to_string();
    let copy = |name: &str, change: &dyn Fn(Vec<u8>) -> Vec<u8>| {
        let copied = Desk::new(&lab, name);
        let mut cp = std::process::Command::new("cp");
        let status = cp.arg("-a").arg(&desk.runs.state).arg(&copied.runs.state).status();
        assert!(status.expect("cp can be started").success());
        let path = copied.dir().expect("there is a run").journal_path();
        let journal = fs::read(&path).expect("a journal can be read");
        fs::write(&path, change(journal)).expect("a journal can be written");
        copied
    };
    let lines = |journal: &[u8]| {
        journal.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>()
    };

    // One letter of a name, in the fifth line.
    let edited = copy("edited", &|journal| {
        let mut lines = lines(&journal);
        let at = lines[4].windows(5).position(|word| word == b"event").expect("a line has an event");
        lines[4][at + 1] ^= 1;
        lines.concat()
    });
    // The sixth line is gone.
    let hole = copy("hole", &|journal| {
        let mut lines = lines(&journal);
        lines.remove(5);
        lines.concat()
    });
    for (desk, line, word) in [(&edited, "journal.jsonl:5", "edited"), (&hole, "journal.jsonl:6", "hole")] {
        let journal = desk.dir().expect("there is a run").journal_path();
        let before = fs::read(&journal).expect("a journal can be read");
        for verb in ["verify", "resume", "show"] {
            let said = desk.run(&[verb, "last"]).is(30);
            assert!(said.err.contains(line) && said.err.contains(word), "{verb} names the line: {said}");
        }
        assert_eq!(fs::read(&journal).expect("a journal can be read"), before, "it is left as it was found");
    }
    assert_eq!(lab.ledger("app1"), [format!("{run} first 1")], "nothing was started");

    let torn = copy("torn", &|mut journal| {
        journal.truncate(journal.len() - 25);
        journal
    });
    let said = torn.run(&["resume", "last"]).is(0);
    assert!(said.err.contains("never committed"), "{said}");
    let dir = torn.dir().expect("there is a run");
    let aside = |name: &str| name.starts_with("journal.torn-");
    let names = fs::read_dir(dir.path()).expect("a run has a directory");
    assert!(names.flatten().any(|entry| aside(&entry.file_name().to_string_lossy())), "it was set aside");
    torn.verify();
    assert_eq!(lab.ledger("app1"), [format!("{run} first 1"), format!("{run} last 1")]);
}

#[test]
fn a_state_directory_that_takes_nothing_is_named_and_nothing_starts() {
    let lab = Lab::raise();
    let runbook = lab.write("damaged.yaml", RUNBOOK);
    let mut desk = Desk::new(&lab, "unwritable");
    desk.runs.state = lab.write("a-file", "").join("state");
    let said = desk.run(&desk.begin(&runbook, &[])).is(30);
    assert!(said.err.contains("a-file/state") && said.err.contains("hint:"), "{said}");
    desk.runs.state = "/proc/blackstart".into();
    let said = desk.run(&desk.begin(&runbook, &[])).is(30);
    assert!(said.err.contains("/proc/blackstart"), "{said}");
    assert_eq!(lab.ledger("app1"), Vec::<String>::new());
}
