//! A journal that was altered is refused, and the error names the line and the deed.

use super::{add_events, assert_in_order, event, new_run, run_with};
use blackstart::journal::{Damage, Hash, JournalError, Kind, RunDir};
use std::fs;
use std::io::Write;

const LINES: u32 = 8;

fn lines(run: &RunDir) -> Vec<Vec<u8>> {
    let file = fs::read(run.journal_path()).unwrap();
    file.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// Writes these lines in place of the journal, and returns line and kind of the damage that is reported.
fn found(run: &RunDir, lines: &[Vec<u8>]) -> (u64, Damage) {
    fs::write(run.journal_path(), lines.concat()).unwrap();
    let error = run.read().unwrap_err();
    assert_eq!(error.kind(), Kind::Broken);
    assert!(error.hint().is_some());
    let text = error.to_string();
    match error {
        JournalError::Damaged { file, line, damage } => {
            assert_eq!(file, run.journal_path());
            assert!(text.starts_with(&format!("{}:{line}: ", file.display())), "{text}");
            (line, damage)
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_whole_journal_reads_back() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_with(dir.path(), LINES);
    let read = run.read().unwrap();
    assert_eq!(read.records.len(), LINES as usize);
    assert_in_order(&read.records);
    assert_eq!(read.torn_tail, None);
    assert_eq!(read.head, read.records.last().unwrap().hash);
    assert_eq!(read.bytes, fs::metadata(run.journal_path()).unwrap().len());
}

#[test]
fn an_empty_journal_is_a_run_that_never_started() {
    let dir = tempfile::tempdir().unwrap();
    let read = new_run(dir.path(), "r1").read().unwrap();
    assert_eq!((read.records.len(), read.torn_tail), (0, None));
    assert_eq!(read.head.as_str(), Hash::of(super::PLAN.as_bytes()).as_str());
}

#[test]
fn a_flipped_bit_is_found_on_every_line_the_last_one_included() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_with(dir.path(), LINES);
    let good = lines(&run);
    for line in 0..good.len() {
        for at in (0..good[line].len() - 1).step_by(7) {
            let mut bad = good.clone();
            bad[line][at] ^= 1;
            // A flip can make a newline, which splits the line: it is still this line that is wrong.
            assert_eq!(found(&run, &bad).0, line as u64 + 1, "byte {at} of line {}", line + 1);
        }
    }
}

#[test]
fn a_changed_word_is_called_an_edit() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_with(dir.path(), LINES);
    for line in 0..LINES as usize {
        let mut bad = lines(&run_with_fresh(&run));
        let text = String::from_utf8(bad[line].clone()).unwrap().replace("phase_started", "phase_stopped");
        bad[line] = text.into_bytes();
        assert_eq!(found(&run, &bad), (line as u64 + 1, Damage::Edited));
    }
}

/// The same run, its journal written anew.
fn run_with_fresh(run: &RunDir) -> RunDir {
    fs::write(run.journal_path(), "").unwrap();
    add_events(run, LINES);
    run.clone()
}

#[test]
fn an_edit_with_its_hash_made_good_is_found_on_the_next_line() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (run_with(dir.path(), LINES), new_run(dir.path(), "r2"));
    // The second run has the same plan, so its first line is in order wherever it stands first.
    let lock = two.lock().unwrap();
    let mut writer = two.append(&lock).unwrap();
    writer.add(super::NOON, &event(99), Some("phase"));
    writer.commit().unwrap();
    let mut bad = lines(&one);
    bad[0] = lines(&two).remove(0);
    assert_eq!(found(&one, &bad), (2, Damage::Edited));
}

#[test]
fn removed_lines_are_a_hole() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_with(dir.path(), LINES);
    let good = lines(&run);
    for line in 0..good.len() - 1 {
        let mut bad = good.clone();
        bad.remove(line);
        let hole = Damage::Missing { from: line as u64, to: line as u64 };
        assert_eq!(found(&run, &bad), (line as u64 + 1, hole));
    }
    let mut bad = good.clone();
    bad.drain(2..5);
    assert_eq!(found(&run, &bad), (3, Damage::Missing { from: 2, to: 4 }));
}

/// The chain alone cannot know that it went on; the head that somebody wrote down can.
#[test]
fn lines_removed_from_the_end_change_the_head() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_with(dir.path(), LINES);
    let head = run.read().unwrap().head;
    let mut fewer = lines(&run);
    fewer.pop();
    fs::write(run.journal_path(), fewer.concat()).unwrap();
    assert_ne!(run.read().unwrap().head, head);
}

#[test]
fn repeated_lines_are_called_so() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_with(dir.path(), LINES);
    let good = lines(&run);
    for line in 0..good.len() {
        for place in line + 1..=good.len() {
            let mut bad = good.clone();
            bad.insert(place, good[line].clone());
            assert_eq!(found(&run, &bad), (place as u64 + 1, Damage::Repeated { seq: line as u64 }));
        }
    }
}

#[test]
fn swapped_lines_are_called_so() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_with(dir.path(), LINES);
    let good = lines(&run);
    for one in 0..good.len() {
        for two in one + 1..good.len() {
            let mut bad = good.clone();
            bad.swap(one, two);
            assert_eq!(found(&run, &bad), (one as u64 + 1, Damage::Moved { seq: two as u64 }));
        }
    }
}

#[test]
fn inserted_lines_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_with(dir.path(), LINES);
    let good = lines(&run);
    let mut forged = String::from_utf8(good[4].clone()).unwrap().replace("\"phase\":4", "\"phase\":5");
    for (text, damage) in [
        (forged.clone(), Damage::Edited),
        ("\n".to_owned(), Damage::NotALine),
        ("{}\n".to_owned(), Damage::NotALine),
        ("# a remark\n".to_owned(), Damage::NotALine),
        ("\0\0\0\0\n".to_owned(), Damage::NotALine),
    ] {
        let mut bad = good.clone();
        bad.insert(4, text.clone().into_bytes());
        assert_eq!(found(&run, &bad), (5, damage), "{text:?}");
    }
    forged = forged.replace("\"seq\":4", "\"seq\":2");
    let mut bad = good.clone();
    bad.insert(4, forged.into_bytes());
    assert_eq!(found(&run, &bad), (5, Damage::Moved { seq: 2 }));
}

#[test]
fn an_edited_plan_is_told_from_an_edited_journal() {
    let dir = tempfile::tempdir().unwrap();
    let run = new_run(dir.path(), "r1");
    let lock = run.lock().unwrap();
    let mut writer = run.append(&lock).unwrap();
    writer.add(super::NOON, &super::every_event::run_started("r1", writer.head()), None);
    writer.commit().unwrap();
    run.read().unwrap();
    fs::write(run.plan_path(), super::PLAN.replace("office", "attic")).unwrap();
    for error in [run.read().unwrap_err(), run.read_plan().map(|_| ()).unwrap_err()] {
        assert!(matches!(error, JournalError::PlanChanged { .. }), "{error}");
        assert_eq!(error.kind(), Kind::Broken);
    }
}

#[test]
fn a_run_starts_once_and_with_its_own_plan() {
    let dir = tempfile::tempdir().unwrap();
    for (name, before) in [("other-plan", 0), ("twice", 1)] {
        let run = new_run(dir.path(), name);
        let lock = run.lock().unwrap();
        let mut writer = run.append(&lock).unwrap();
        for number in 0..before {
            writer.add(super::NOON, &event(number), None);
        }
        writer.add(super::NOON, &super::every_event::run_started("r1", &"0".repeat(64)), None);
        writer.commit().unwrap();
        let error = run.read().unwrap_err();
        let JournalError::Damaged { line, damage: Damage::Senseless { .. }, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(line, u64::from(before) + 1);
    }
}

/// Adds a line to the journal with an honest hash, whatever it says.
fn add_line(run: &RunDir, body: &str) {
    let head = run.read().unwrap().head;
    let hash = Hash::of(format!("{head}{body}").as_bytes());
    let mut file = fs::OpenOptions::new().append(true).open(run.journal_path()).unwrap();
    writeln!(file, "{body},\"hash\":\"{hash}\"}}").unwrap();
}

#[test]
fn a_newer_format_is_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_with(dir.path(), 2);
    // As a later program would write it: with a key and an event that this one does not know.
    add_line(&run, r#"{"v":2,"seq":2,"at":"2030-01-01T00:00:00Z","mood":"good","event":{"sang":{}}"#);
    let error = run.read().unwrap_err();
    assert!(matches!(error, JournalError::Newer { found: 2, known: 1, .. }), "{error}");
    assert!(error.to_string().contains("newer blackstart"), "{error}");
    assert_eq!(error.kind(), Kind::Broken);
}

#[test]
fn a_line_with_an_honest_hash_must_still_make_sense() {
    let started = r#""event":{"phase_started":{"phase":2}}"#;
    let at = r#""at":"2030-01-01T00:00:00Z""#;
    for (body, wanted) in [
        (format!(r#"{{"v":1,"seq":7,{at},{started}"#), "its seq is 7 and should be 2"),
        (format!(r#"{{"v":1,"seq":2,{at},"event":{{"sang":{{}}}}"#), "unknown variant `sang`"),
        (format!(r#"{{"v":1,"seq":2,{at},"mood":"good",{started}"#), "unknown field `mood`"),
        (format!(r#"{{"v":1,"seq":2,"at":"yesterday",{started}"#), "year: invalid digit"),
        (format!(r#"{{"seq":2,"v":1,{at},{started}"#), "does not begin with version and seq"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let run = run_with(dir.path(), 2);
        add_line(&run, &body);
        match run.read().unwrap_err() {
            JournalError::Damaged { line: 3, damage: Damage::Senseless { because }, .. } => {
                assert!(because.contains(wanted) && !because.contains("line 1"), "{because}");
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn nothing_is_appended_to_a_damaged_journal() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_with(dir.path(), LINES);
    let mut bad = lines(&run);
    bad.remove(3);
    fs::write(run.journal_path(), bad.concat()).unwrap();
    let lock = run.lock().unwrap();
    assert!(matches!(run.append(&lock).unwrap_err(), JournalError::Damaged { line: 4, .. }));
    assert_eq!(fs::read(run.journal_path()).unwrap(), bad.concat());
}
