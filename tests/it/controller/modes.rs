//! Who may read what a run leaves on the controller and on its hosts, whatever the umask says.

use super::{Desk, text};
use crate::support::live::until;
use crate::support::sshd::Sshd;
use blackstart::model::event::{Event, StopHow};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// Output, a snapshot, evidence, an upload, a step that fails and one that is taken back with its snapshot.
const ALL_KINDS: &str = r#"
      - { id: speaks, on: h1, run: echo something; echo more >&2, undo: not_needed }
      - { id: keeps, on: h1, needs: [speaks], snapshot: cat @dir@/id.pub, run: 'true', undo: cp "$BLACKSTART_SNAPSHOT" @dir@/was }
      - { id: fetches, on: h1, needs: [keeps], fetch: @dir@/id.pub }
      - { id: puts, on: h1, needs: [fetches], upload: { file: id.pub, to: '@dir@/put', mode: 0640 }, undo: not_needed }
      - { id: local, on: here, needs: [puts], run: echo near, undo: not_needed }
"#;

/// Every file and directory below, with its mode.
fn modes(dir: &Path) -> Vec<(String, bool, u32)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a directory can be read").flatten() {
        let about = entry.metadata().expect("a file can be looked at");
        found.push((entry.path().display().to_string(), about.is_dir(), about.mode() & 0o7777));
        if about.is_dir() {
            found.extend(modes(&entry.path()));
        }
    }
    found
}

#[track_caller]
fn assert_private(dir: &Path, at_least: usize) {
    let found = modes(dir);
    for (path, is_dir, mode) in &found {
        assert_eq!(*mode, if *is_dir { 0o700 } else { 0o600 }, "{path} has {mode:o}");
    }
    assert!(found.len() >= at_least, "too little was looked at: {found:?}");
}

#[test]
fn under_any_umask_everything_of_a_run_is_its_owners_alone() {
    for umask in ["000", "077", "027"] {
        let desk = Desk::with(Sshd::start(), ALL_KINDS);
        let under = format!("umask {umask}; exec \"$0\" \"$@\"");
        let by = ["sh", "-c", under.as_str()];
        desk.start_by(&by, "run", &[]).ended().is(0);
        let report = desk.path("report.html");
        desk.start_by(&by, "report", &["--format", "html", "--out", text(&report)]).ended().is(0);
        desk.start_by(&by, "rollback", &["--yes"]).ended().is(20);
        assert_eq!(
            fs::read(desk.path("was")).expect("the undo had its snapshot"),
            fs::read(desk.path("id.pub")).unwrap()
        );
        assert_private(&desk.state, 15);
        assert_eq!(fs::metadata(&desk.state).expect("it is there").mode() & 0o7777, 0o700);
        assert_eq!(
            fs::metadata(&report).expect("it was written").mode() & 0o7777,
            0o600,
            "a report is shared by whoever wrote it"
        );
        // Receipts, on the host and on the controller as one.
        for receipts in ["receipts", "home/.blackstart"] {
            assert_eq!(fs::metadata(desk.path(receipts)).expect("receipts lie there").mode() & 0o7777, 0o700);
            let found = modes(&desk.path(receipts));
            assert!(found.len() >= 3, "{found:?}");
            for (path, _, mode) in found.iter().filter(|(_, is_dir, _)| *is_dir) {
                assert_eq!(*mode, 0o700, "{path}: what closes the directory closes its files");
            }
        }
        assert_eq!(
            fs::metadata(desk.path("put")).expect("it was put there").mode() & 0o7777,
            0o640,
            "as asked for"
        );
        let left = modes(&desk.path("receipts"));
        assert!(
            !left.iter().any(|(path, ..)| path.ends_with(".file")),
            "no upload in transit is left: {left:?}"
        );
    }
}

/// What undo needs lies in a private file while undo runs, and nowhere after it: done, failed, cancelled, link lost.
#[test]
fn a_snapshot_on_its_host_is_private_and_gone_however_its_undo_ends() {
    let ways: [(&str, &str, i32); 4] =
        [("is done", "", 20), ("fails", "exit 3", 21), ("is cancelled", "", 22), ("loses its link", "", 21)];
    for (what, end, code) in ways {
        let steps = format!(
            r#"
      - id: keeps
        on: h1
        snapshot: echo private-to-the-host
        run: 'true'
        undo: |
          echo "$BLACKSTART_SNAPSHOT" >@dir@/where
          echo "undoes" >>@dir@/ledger
          until [ -e @dir@/go ]; do sleep 0.05; done
          {end}
"#
        );
        let desk = Desk::with(Sshd::start(), &steps);
        desk.run("run").is(0);
        let live = desk.start_by(&[], "rollback", &["--yes"]);
        desk.until("undoes");
        let place = fs::read_to_string(desk.path("where")).expect("the undo wrote it down");
        let place = Path::new(place.trim());
        let about = fs::metadata(place).expect("the snapshot is there");
        assert_eq!(about.mode() & 0o7777, 0o600, "{}", place.display());
        match what {
            "is cancelled" => {
                for how in [StopHow::Finish, StopHow::Cancel] {
                    live.interrupt();
                    desk.until_record(
                        "the stop is on record",
                        |event| matches!(event, Event::StopRequested { how: seen, .. } if *seen == how),
                    );
                }
            }
            "loses its link" => {
                desk.sshd.kill_connections();
                desk.go();
            }
            _ => desk.go(),
        }
        let said = live.ended();
        until(&format!("the snapshot is gone when its undo {what}"), || !place.exists());
        if what != "loses its link" {
            assert_eq!(said.code, Some(code), "{what}: {said}");
        }
        desk.run("verify").is(0);
    }
}

/// Whoever may write where runs are kept says what was done, what was answered and what is undone.
#[test]
fn a_place_for_runs_that_others_may_write_to_is_refused_with_the_remedy() {
    let desk = Desk::new();
    let open = |path: &Path, mode: u32| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode can be set");
    };
    let refused = |verb: &str, dir: &Path, says: &str| {
        let said = desk.run(verb).is(30);
        assert!(said.err.contains(&format!("{}: {says}", dir.display())), "{said}");
        said
    };
    fs::create_dir(&desk.state).expect("a directory can be made");
    for mode in [0o770, 0o702, 0o1777] {
        open(&desk.state, mode);
        let said = refused("run", &desk.state, &format!("others may write to it (mode {mode:04o})"));
        assert!(said.err.contains(&format!("chmod 700 {}", desk.state.display())), "{said}");
    }
    assert_eq!(fs::read_dir(&desk.state).expect("it is there").count(), 0, "no run was made");
    assert!(desk.ledger().is_empty(), "nothing was started");
    // Others may look, as far as its owner lets them.
    open(&desk.state, 0o755);
    desk.go();
    desk.run("run").is(0);
    let dir = desk.dir().expect("there is a run");
    for place in [dir.path().to_owned(), dir.inbox_dir(), desk.state.clone()] {
        open(&place, 0o720);
        refused("resume", &place, "others may write to it (mode 0720)");
        desk.run("show").is(0);
        open(&place, 0o700);
        desk.run("resume").is(0);
    }
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(dir.path(), Some(12345), None).expect("root may");
        let said = refused("resume", dir.path(), "it belongs to user 12345, and this is user 0");
        assert!(said.err.contains("--state DIR"), "{said}");
    }
}
