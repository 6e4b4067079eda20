//! Many runs in one directory: created, found, listed.

use super::every_event::run_started;
use super::{NOON, PLAN, new_run, origin};
use blackstart::journal::{JournalError, Kind, Status, Store, TaskCounts};
use blackstart::model::event::{JobKind, Mode, TaskEnd, Verdict};
use blackstart::model::names::{RunId, TaskIx};
use blackstart::model::{Event, Outcome};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn modes_below(path: &Path, found: &mut Vec<(String, u32)>) {
    for entry in fs::read_dir(path).unwrap().map(Result::unwrap) {
        let data = entry.metadata().unwrap();
        found.push((entry.file_name().into_string().unwrap(), data.permissions().mode() & 0o777));
        if data.is_dir() {
            modes_below(&entry.path(), found);
        }
    }
}

#[test]
fn a_run_is_its_owners_business_alone() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("state/blackstart");
    let run = new_run(&root, "r1");
    let mut found = Vec::new();
    modes_below(dir.path(), &mut found);
    found.sort();
    let dirs =
        ["blackstart", "evidence", "inbox", "out", "r1", "snapshots", "state"].map(|d| (d.to_owned(), 0o700));
    let files = ["journal.jsonl", "lock", "origin.json", "plan.json"].map(|f| (f.to_owned(), 0o600));
    let mut wanted = [dirs.to_vec(), files.to_vec()].concat();
    wanted.sort();
    assert_eq!(found, wanted);
    assert_eq!(fs::read_to_string(run.plan_path()).unwrap(), PLAN);
    assert_eq!(run.origin().unwrap(), origin());
    assert_eq!(run.plan_hash().unwrap().as_str().len(), 64);
}

#[test]
fn a_run_is_never_created_over_another() {
    let dir = tempfile::tempdir().unwrap();
    let run = new_run(dir.path(), "r1");
    let error = Store::open(dir.path()).unwrap().create(run.id(), "{}", &origin()).unwrap_err();
    assert_eq!(error.kind(), Kind::Broken);
    assert_eq!(fs::read_to_string(run.plan_path()).unwrap(), PLAN);
}

#[test]
fn a_file_in_the_place_of_the_directory_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below")] {
        let error = Store::open(&path).unwrap_err();
        assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
        assert!(error.hint().unwrap().contains("--state"), "{error}");
        assert_eq!(error.kind().exit_code(), 30);
    }
}

#[test]
fn runs_are_found_by_beginning_end_and_last() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert!(matches!(store.find("last").unwrap_err(), JournalError::NoSuchRun { .. }));
    for id in ["019aa1", "019ab2", "019ac7"] {
        new_run(dir.path(), id);
    }
    fs::create_dir(dir.path().join(".new-019ad0")).unwrap();
    fs::write(dir.path().join("notes.txt"), "").unwrap();
    let found = |wanted: &str| store.find(wanted).map(|run| run.id().to_string());
    assert_eq!(found("last").unwrap(), "019ac7");
    assert_eq!(found("019aa").unwrap(), "019aa1");
    assert_eq!(found("019ab2").unwrap(), "019ab2");
    assert_eq!(found("b2").unwrap(), "019ab2");

    let error = found("019a").unwrap_err();
    assert_eq!((error.kind(), error.kind().exit_code()), (Kind::Usage, 2));
    assert_eq!(error.hint().unwrap(), "give more digits of one of `019ac7`, `019ab2`, `019aa1`");
    for (wanted, hint) in [("019aaa", Some("019aa1")), ("zzz", None), ("", None), ("../r1", None)] {
        let error = found(wanted).unwrap_err();
        assert!(matches!(error, JournalError::NoSuchRun { .. }), "{wanted}: {error}");
        assert_eq!(error.kind(), Kind::Usage);
        let hint =
            hint.map_or("`blackstart runs` lists them".to_owned(), |id| format!("did you mean `{id}`?"));
        assert_eq!(error.hint().unwrap(), hint, "{wanted}");
    }
}

#[test]
fn lists_say_where_every_run_stands() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    new_run(dir.path(), "1-never-started");
    let failed = TaskEnd::Failed { kind: JobKind::Run, outcome: Outcome::from_exit(3), changed: true };
    let events = |run: &str, plan: &str| {
        vec![
            run_started(run, plan),
            Event::TaskEnded { task: TaskIx(0), end: TaskEnd::Done },
            Event::TaskEnded { task: TaskIx(1), end: failed.clone() },
            Event::TaskEnded { task: TaskIx(2), end: failed.clone() },
            Event::TaskEnded { task: TaskIx(2), end: TaskEnd::AlreadySo },
            Event::RunEnded { verdict: Verdict::Stuck },
            Event::RunResumed { by: "ada".into(), version: "0.1.0".into() },
        ]
    };
    for (name, count) in [("2-ended", 6), ("3-interrupted", 7), ("4-broken", 7)] {
        let run = new_run(dir.path(), name);
        let lock = run.lock().unwrap();
        let mut writer = run.append(&lock).unwrap();
        for event in events(name, writer.head()).into_iter().take(count) {
            writer.add(NOON, &event, None);
        }
        writer.commit().unwrap();
    }
    let broken = store.find("4-broken").unwrap();
    let journal = fs::read_to_string(broken.journal_path()).unwrap();
    fs::write(broken.journal_path(), journal.replace("stuck", "completed")).unwrap();
    fs::create_dir(dir.path().join("5-empty")).unwrap();

    let list = store.list().unwrap();
    let status: Vec<_> = list.iter().map(|run| (run.id.as_str(), &run.status)).collect();
    assert_eq!(status[0], ("1-never-started", &Status::NeverStarted));
    assert_eq!(status[1], ("2-ended", &Status::Ended(Verdict::Stuck)));
    assert_eq!(status[2], ("3-interrupted", &Status::Interrupted));
    assert!(matches!(status[3], ("4-broken", Status::Broken { because }) if because.contains(":6: edited")));
    assert!(matches!(status[4], ("5-empty", Status::Broken { .. })));
    assert_eq!(list.len(), 5);

    let ended = &list[1];
    assert_eq!((ended.runbook.as_str(), ended.inventory.as_str()), ("isolate", "office"));
    assert_eq!((ended.mode, ended.by.as_deref()), (Some(Mode::Drill), Some("ada")));
    assert_eq!((ended.started, ended.last), (Some(NOON), Some(NOON)));
    assert_eq!(ended.tasks, TaskCounts { planned: 3, done: 1, already_so: 1, failed: 1 });
}

#[test]
fn a_newer_plan_is_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for (number, (plan, newer)) in [
        (r#"{"version":2,"poem":true}"#, true),
        (r#"{"version":1,"poem":true}"#, false),
        ("", false),
        ("[]", false),
    ]
    .into_iter()
    .enumerate()
    {
        let run = store.create(&RunId(format!("r{number}")), plan, &origin()).unwrap();
        let error = run.read_plan().map(|_| ()).unwrap_err();
        assert_eq!(matches!(error, JournalError::Newer { found: 2, .. }), newer, "{error}");
        assert_eq!(matches!(error, JournalError::Unreadable { .. }), !newer, "{error}");
    }
}
