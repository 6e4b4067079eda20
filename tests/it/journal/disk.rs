//! Disks that are full or cannot be written.

use super::child::{play, starring_with_mounts};
use super::{NOON, PLAN, assert_in_order, event, new_run, origin};
use blackstart::journal::{JournalError, Kind, Message, OutFile, Status, Store, inbox};
use blackstart::model::event::{JobKind, StopHow};
use blackstart::model::names::RunId;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

fn mount(options: &str, at: &Path) {
    let status = Command::new("mount")
        .args(["-t", "tmpfs", "-o", &format!("{options},mode=700"), "none"])
        .arg(at)
        .status()
        .unwrap();
    assert!(status.success());
}

fn assert_io(error: &JournalError, wanted: ErrorKind) {
    assert!(matches!(error, JournalError::Io { source, .. } if source.kind() == wanted), "{error:?}");
    assert_eq!((error.kind(), error.kind().exit_code()), (Kind::Broken, 30));
    assert!(error.hint().unwrap().contains("--state"), "{error:?}");
}

#[test]
fn a_full_disk_loses_nothing_that_was_committed() {
    let dir = tempfile::tempdir().unwrap();
    if let Some(command) = starring_with_mounts("fill the disk", dir.path()) {
        play(command);
    }
}

/// The part.
pub fn fill_the_disk(stage: &Path) {
    mount("size=64k", stage);
    let ballast = stage.join("ballast");
    std::fs::write(&ballast, [0; 8192]).unwrap();
    let run = new_run(stage, "r1");
    let lock = run.lock().unwrap();
    let mut writer = run.append(&lock).unwrap();
    let (mut committed, mut head) = (0, String::new());
    let error = loop {
        for _ in 0..7 {
            writer.add(NOON, &event(writer.len() as u32), None);
        }
        match writer.commit() {
            Ok(()) => (committed, head) = (writer.len(), writer.head().to_owned()),
            Err(error) => break error,
        }
        assert!(committed < 100_000, "the disk never fills");
    };
    assert!(committed > 0);
    assert_io(&error, ErrorKind::StorageFull);
    assert!(matches!(writer.commit().unwrap_err(), JournalError::Poisoned { .. }));

    // Output that finds no room stops nothing either.
    let mut file = OutFile::create(&run, "1-a", JobKind::Run, 1);
    file.out(&[b'x'; 16 * 1024]);
    let kept = file.finish();
    assert_eq!((kept.stdout_bytes, kept.dropped_bytes), (16 * 1024, 16 * 1024));
    assert_io(&kept.trouble.unwrap(), ErrorKind::StorageFull);

    let read = run.read().unwrap();
    assert!(read.records.len() as u64 >= committed);
    assert_eq!(read.records[committed as usize - 1].hash.as_str(), head);
    assert_in_order(&read.records);

    std::fs::remove_file(ballast).unwrap();
    drop((writer, lock));
    super::add_events(&run, 3);
    let read = run.read().unwrap();
    assert_eq!(read.torn_tail, None);
    assert_in_order(&read.records);
}

#[test]
fn a_run_is_created_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    if let Some(command) = starring_with_mounts("create on a full disk", dir.path()) {
        play(command);
    }
}

/// The part.
pub fn create_on_a_full_disk(stage: &Path) {
    mount("size=64k", stage);
    let store = Store::open(stage).unwrap();
    let plan = format!("{PLAN}{}", " ".repeat(128 * 1024));
    assert_io(&store.create(&RunId::from("r1"), &plan, &origin()).unwrap_err(), ErrorKind::StorageFull);
    assert_eq!(store.ids().unwrap(), []);
    assert_eq!(std::fs::read_dir(stage).unwrap().count(), 0, "nothing is left behind");
    store.create(&RunId::from("r1"), PLAN, &origin()).unwrap();
}

#[test]
fn a_read_only_disk_can_be_read_and_says_so_when_written() {
    let dir = tempfile::tempdir().unwrap();
    if let Some(command) = starring_with_mounts("read only", dir.path()) {
        play(command);
    }
}

/// The part.
pub fn read_only(stage: &Path) {
    mount("size=256k", stage);
    let run = super::run_with(stage, 4);
    let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(stage).status().unwrap();
    assert!(remounted.success());
    let store = Store::open(stage).unwrap();
    assert_eq!(run.read().unwrap().records.len(), 4);
    assert_eq!(store.list().unwrap()[0].status, Status::Interrupted);
    assert_io(&store.create(&RunId::from("r2"), PLAN, &origin()).unwrap_err(), ErrorKind::ReadOnlyFilesystem);
    assert_io(&run.lock().unwrap_err(), ErrorKind::ReadOnlyFilesystem);
    assert_io(&Store::open(&stage.join("new")).unwrap_err(), ErrorKind::ReadOnlyFilesystem);
    let stop = Message::Stop { by: "ada".into(), how: StopHow::Finish };
    assert_io(&inbox::post(&run, &stop).unwrap_err(), ErrorKind::ReadOnlyFilesystem);
}
