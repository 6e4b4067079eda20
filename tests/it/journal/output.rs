//! Output and evidence: bounded, whole, never overwritten, never outside the run's directory.

use super::new_run;
use blackstart::journal::evidence::{evidence_file, snapshot_file};
use blackstart::journal::outputs::{OUT_HEAD_MAX, OUT_TAIL_MAX};
use blackstart::journal::{Hash, OutFile};
use blackstart::model::event::JobKind;
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_silent_job_makes_no_file_and_a_speaking_one_only_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let run = new_run(dir.path(), "r1");
    let kept = OutFile::create(&run, "1-a", JobKind::Check, 1).finish();
    assert!(kept.files.is_empty() && kept.trouble.is_none());
    assert_eq!(fs::read_dir(run.out_dir()).unwrap().count(), 0);

    let mut file = OutFile::create(&run, "1-a", JobKind::Run, 2);
    file.out(b"");
    file.err(b"no such \xff\0 table\n");
    let kept = file.finish();
    let path = run.out_dir().join("1-a/run-2.err");
    assert_eq!((kept.stdout_bytes, kept.stderr_bytes, kept.dropped_bytes), (0, 17, 0));
    assert_eq!(kept.files, [path.as_path()]);
    assert_eq!(fs::read(&path).unwrap(), b"no such \xff\0 table\n");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(run.relative(&path), "out/1-a/run-2.err");
}

#[test]
fn long_output_keeps_its_beginning_and_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let run = new_run(dir.path(), "r1");
    let byte = |at: u64| (at % 251) as u8;
    let most = OUT_HEAD_MAX + OUT_TAIL_MAX as u64;
    for (attempt, (total, chunk)) in
        [(most - 1, 4096), (most, 100_003), (most + 1, 4096), (3 * most, 65_536), (3 * most, 1 << 22)]
            .into_iter()
            .enumerate()
    {
        let mut file = OutFile::create(&run, "1-a", JobKind::Run, attempt as u32);
        let all: Vec<u8> = (0..total).map(byte).collect();
        all.chunks(chunk).for_each(|chunk| file.out(chunk));
        let kept = file.finish();
        let missing = total.saturating_sub(most);
        assert_eq!((kept.stdout_bytes, kept.dropped_bytes), (total, missing), "{total} by {chunk}");
        let marker = match missing {
            0 => String::new(),
            missing => format!("\n[blackstart: {missing} bytes are left out here]\n"),
        };
        let (head, tail) = (OUT_HEAD_MAX as usize, (total as usize).saturating_sub(OUT_TAIL_MAX));
        let wanted = [&all[..head], marker.as_bytes(), &all[tail.max(head)..]].concat();
        assert!(fs::read(&kept.files[0]).unwrap() == wanted, "{total} by {chunk}");
    }
}

#[test]
fn output_is_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let run = new_run(dir.path(), "r1");
    for text in ["one", "two"] {
        let mut file = OutFile::create(&run, "1-a", JobKind::Run, 1);
        file.out(text.as_bytes());
        file.finish();
    }
    assert_eq!(fs::read_to_string(run.out_dir().join("1-a/run-1.out")).unwrap(), "one");
    assert_eq!(fs::read_to_string(run.out_dir().join("1-a/run-1.out~2")).unwrap(), "two");
}

#[test]
fn evidence_is_hashed_named_safely_and_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let run = new_run(dir.path(), "r1");
    let mut paths = Vec::new();
    for content in ["first", "second"] {
        let mut file = evidence_file(&run, "../7-fetch", "../../../../etc/passwd").unwrap();
        for piece in content.as_bytes().chunks(2) {
            file.write(piece).unwrap();
        }
        let whole = file.finish().unwrap();
        assert_eq!((whole.bytes, whole.sha256), (content.len() as u64, Hash::of(content.as_bytes())));
        assert_eq!(fs::read_to_string(&whole.path).unwrap(), content);
        paths.push(run.relative(&whole.path));
    }
    assert_eq!(paths, ["evidence/7-fetch/etc_passwd", "evidence/7-fetch/etc_passwd~2"]);
    let names = fs::read_dir(run.evidence_dir().join("7-fetch")).unwrap().count();
    assert_eq!(names, 2, "no part is left");
}

#[test]
fn an_unfinished_file_never_gets_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let run = new_run(dir.path(), "r1");
    let mut file = snapshot_file(&run, "1-a", 1).unwrap();
    file.write(b"half").unwrap();
    let names = |run: &blackstart::journal::RunDir| -> Vec<_> {
        let dir = fs::read_dir(run.snapshots_dir().join("1-a")).unwrap();
        dir.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert_eq!(names(&run), ["1.part"]);
    drop(file);
    assert!(names(&run).is_empty());
    let whole = snapshot_file(&run, "1-a", 1).unwrap().finish().unwrap();
    assert_eq!((names(&run), whole.bytes), (vec!["1".to_owned()], 0));
}

#[test]
fn a_snapshot_that_is_too_large_is_an_error_and_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let run = new_run(dir.path(), "r1");
    let mut file = snapshot_file(&run, "1-a", 1).unwrap();
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..blackstart::journal::evidence::SNAPSHOT_BYTES_MAX >> 20 {
        file.write(&piece).unwrap();
    }
    let error = file.write(b"x").unwrap_err();
    assert!(error.to_string().contains("more than the 67108864 bytes"), "{error}");
    assert!(file.finish().is_err());
    assert_eq!(fs::read_dir(run.snapshots_dir().join("1-a")).unwrap().count(), 0);
}
