//! Crashes: every committed event is there afterwards, a half-written one is not, and the run goes on.

use super::child::{kill, starring};
use super::{NOON, add_events, assert_in_order, event, new_run, run_with};
use blackstart::journal::{JournalError, RunDir, Store, Writer};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

#[test]
fn a_journal_cut_anywhere_keeps_its_whole_lines_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_with(dir.path(), 6);
    let whole = fs::read(run.journal_path()).unwrap();
    for cut in 0..=whole.len() {
        fs::write(run.journal_path(), &whole[..cut]).unwrap();
        let lines = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
        let kept = whole[..cut].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let read = run.read().unwrap();
        assert_eq!(read.records.len(), lines, "cut at {cut}");
        assert_in_order(&read.records);
        assert_eq!(read.torn_tail, (cut > kept).then_some((cut - kept) as u64), "cut at {cut}");
        // Every seventh cut is enough to see that a writer goes on from there.
        if cut % 7 == 0 {
            add_events(&run, 2);
            let read = run.read().unwrap();
            assert_eq!((read.records.len(), read.torn_tail), (lines + 2, None), "cut at {cut}");
            assert_in_order(&read.records);
        }
    }
}

#[test]
fn torn_bytes_are_kept_apart() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_with(dir.path(), 2);
    for (number, torn) in [(1, b"{\"v\":1,\"seq\":2,\"a".as_slice()), (2, b"\0\0\0\0\0\0\0\0")] {
        fs::OpenOptions::new().append(true).open(run.journal_path()).unwrap().write_all(torn).unwrap();
        assert_eq!(run.read().unwrap().torn_tail, Some(torn.len() as u64));
        add_events(&run, 1);
        assert_eq!(fs::read(run.path().join(format!("journal.torn-{number}"))).unwrap(), torn);
    }
    assert_eq!(run.read().unwrap().records.len(), 4);
    add_events(&run, 1);
    assert!(!run.path().join("journal.torn-3").exists(), "nothing was torn the third time");
}

#[test]
fn an_uncommitted_event_is_not_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_with(dir.path(), 2);
    let lock = run.lock().unwrap();
    let mut writer = run.append(&lock).unwrap();
    writer.add(NOON, &event(2), None);
    assert_eq!(run.read().unwrap().records.len(), 2);
    assert_eq!(writer.len(), 3);
    drop(writer);
    assert_eq!(run.read().unwrap().records.len(), 2);
}

#[test]
fn what_was_handed_over_is_there_for_all_who_read_and_is_written_once() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_with(dir.path(), 2);
    let lock = run.lock().unwrap();
    let mut writer = run.append(&lock).unwrap();
    for records in 3..6 {
        writer.add(NOON, &event(records - 1), None);
        writer.hand_over().unwrap();
        assert_eq!(run.read().unwrap().records.len(), records as usize);
    }
    writer.commit().unwrap();
    let read = run.read().unwrap();
    assert_eq!((read.records.len(), read.torn_tail, read.head.as_str()), (5, None, writer.head()));
    assert_in_order(&read.records);
}

#[test]
fn a_writer_notices_what_others_do_to_its_file_and_stops() {
    type Deed = fn(&RunDir);
    type Put = fn(&mut Writer) -> Result<(), JournalError>;
    let deeds: [(&str, Deed); 3] = [
        ("appended to", |run| {
            let mut file = fs::OpenOptions::new().append(true).open(run.journal_path()).unwrap();
            file.write_all(b"x").unwrap();
        }),
        ("cut", |run| fs::write(run.journal_path(), b"").unwrap()),
        ("deleted", |run| fs::remove_file(run.journal_path()).unwrap()),
    ];
    for (what, deed) in deeds {
        let dir = tempfile::tempdir().unwrap();
        let run = run_with(dir.path(), 2);
        let lock = run.lock().unwrap();
        let mut writer = run.append(&lock).unwrap();
        deed(&run);
        for (wanted, put) in
            [("Io", Writer::hand_over as Put), ("Poisoned", Writer::commit), ("Poisoned", Writer::hand_over)]
        {
            writer.add(NOON, &event(2), None);
            let error = put(&mut writer).unwrap_err();
            assert!(format!("{error:?}").starts_with(wanted), "{what}: {error:?}");
            assert_eq!(error.kind().exit_code(), 30);
        }
    }
}

/// The part: appends batches of one to nine events, and says after each how far it is. Two of three are handed over, and
/// synced with the third.
pub fn append_for_ever(stage: &Path) {
    let run = Store::open(stage).unwrap().find("last").unwrap();
    let lock = run.lock().unwrap();
    let mut writer = run.append(&lock).unwrap();
    let mut out = std::io::stdout();
    for batch in 1.. {
        for _ in 0..batch % 9 + 1 {
            let number = writer.len() as u32;
            writer.add(
                NOON,
                &event(number),
                Some("a rather long label, so that lines cross pages@some-host"),
            );
        }
        match batch % 3 {
            0 => writer.commit().unwrap(),
            _ => writer.hand_over().unwrap(),
        }
        writeln!(out, "committed {} {}", writer.len(), writer.head()).unwrap();
    }
}

#[test]
fn what_was_committed_survives_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let run = new_run(dir.path(), "r1");
    let mut before = 0;
    for round in [1, 2, 3, 5, 8, 13, 21, 34] {
        let mut child = starring("append for ever", dir.path()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let committed = |line: &str| -> Option<(u64, String)> {
            let (records, head) = line.strip_prefix("committed ")?.split_once(' ')?;
            Some((records.parse().ok()?, head.to_owned()))
        };
        let early = said.by_ref().map(Result::unwrap).filter(|line| committed(line).is_some()).nth(round);
        assert!(early.is_some(), "the child ended by itself");
        let mut seen = before;
        for _ in 0..20 {
            let records = run.read().expect("a journal can be read while it grows").records.len() as u64;
            assert!(records >= seen);
            seen = records;
        }
        kill(child);
        // The last word may be cut short, as the journal's last line may be.
        let late = said.map_while(Result::ok).filter_map(|line| committed(&line)).last();
        let (records, head) = late.or(committed(&early.unwrap())).unwrap();

        let read = run.read().unwrap();
        assert_in_order(&read.records);
        assert!(read.records.len() as u64 >= records, "{} of {records}", read.records.len());
        assert!(records > before, "the run went on from where it was");
        if head.len() == 64 {
            assert_eq!(read.records[records as usize - 1].hash.as_str(), head);
        }
        before = read.records.len() as u64;
    }
    add_events(&run, 3);
    assert_in_order(&run.read().unwrap().records);
}
