//! A whole small run, and what it must have come to on a host: check, run, verify, an upload, a fetch, output, an exit
//! status, receipts, and all of it taken back.

use super::desk::{Desk, Ran, files_below};
use blackstart::model::Outcome;
use blackstart::model::event::{JobKind, TaskEnd, UndoEnd};
use blackstart::model::outcome::How;
use sha2::{Digest, Sha256};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// A host may say `place`, a directory that its user may write.
const SMALL: &str = r#"version: 1
name: small
phases:
  - id: work
    on_failure: rollback
    steps:
      - id: make
        on: all
        become: @become@
        check: test -e "{{ host.vars.place }}/mark"
        snapshot: echo "before $BLACKSTART_HOST"
        run: |
          x="a  b" n=0
          for word in $x; do n=$((n + 1)); done
          test $n = 2 || exit 50
          echo "$BLACKSTART_HOST $(id -un)" >"{{ host.vars.place }}/mark"
          printf 'out\0\377\r\n'
          printf 'err\0\377\r\n' >&2
        verify:
          - grep -q "^$BLACKSTART_HOST " "{{ host.vars.place }}/mark"
        undo: |
          test "$(cat "$BLACKSTART_SNAPSHOT")" = "before $BLACKSTART_HOST" || exit 51
          mv "{{ host.vars.place }}/mark" "{{ host.vars.place }}/was"
      - id: so
        on: all
        become: @become@
        needs: [make]
        check: test -e "{{ host.vars.place }}/mark"
        run: exit 9
        undo: not_needed
      - id: send
        on: all
        become: @become@
        needs: [so]
        upload: { file: content, to: "{{ host.vars.place }}/sent", mode: 0640 }
        undo: mv "{{ host.vars.place }}/sent" "{{ host.vars.place }}/got"
      - id: bring
        on: all
        become: @become@
        needs: [send]
        fetch: { file: "{{ host.vars.place }}/sent" }
      - id: status
        on: all
        become: @become@
        needs: [bring]
        max_failures: 100%
        run: exit 7
        undo: not_needed
      - id: fails
        on: here
        needs: [status]
        run: exit 3
        undo: not_needed
"#;

/// Every byte value, longer than a packet.
fn content() -> Vec<u8> {
    (0..70_000).map(|at: usize| (at.wrapping_mul(167) ^ (at >> 8)) as u8).collect()
}

/// Carries it out on all hosts of a desk, and judges each of these; `places` are their names, directories and users.
pub fn run_and_judge(
    mut desk: Desk,
    becomes: bool,
    hosts: &[Host],
    set: impl FnOnce(&mut std::process::Command),
) {
    desk.host("here", "connection: local, vars: { place: / }", "");
    fs::write(desk.path("content"), content()).unwrap();
    let runbook = SMALL
        .replace("on: all", "on: \"all:!here\"")
        .replace("@become@", if becomes { "true" } else { "false" });
    let ran = desk.run(&runbook, set).is(20);
    assert!(ran.out.contains("rolled back") || ran.out.contains("taken back"), "{}", ran.said());
    assert_eq!(*ran.task("fails@here"), failed(3, true), "{}", ran.said());
    for host in hosts {
        judge(&ran, host);
    }
}

/// A host of a small run.
pub struct Host {
    /// Its name in the inventory.
    pub name: String,
    /// Its `place`.
    pub place: std::path::PathBuf,
    /// Who its steps run as.
    pub user: String,
    /// Where its receipts lie.
    pub receipts: std::path::PathBuf,
}

fn failed(status: i32, changed: bool) -> TaskEnd {
    TaskEnd::Failed { kind: JobKind::Run, outcome: exit(status), changed }
}

fn exit(status: i32) -> Outcome {
    match status {
        0 => Outcome::Succeeded,
        status => Outcome::Failed { how: How::Exit(status) },
    }
}

fn judge(ran: &Ran, host: &Host) {
    let Host { name, place, user, receipts } = host;
    let about = |step: &str| format!("{step}@{name}");
    // The journal.
    assert_eq!(*ran.end(&about("make"), JobKind::Check).0, exit(1), "{name}");
    let (outcome, facts) = ran.end(&about("make"), JobKind::Run);
    assert_eq!((outcome, facts.stdout_bytes, facts.stderr_bytes), (&exit(0), 7, 7), "{name}: {facts:?}");
    assert_eq!(*ran.end(&about("make"), JobKind::Verify).0, exit(0), "{name}");
    assert_eq!(*ran.task(&about("make")), TaskEnd::Done, "{name}");
    assert_eq!(*ran.task(&about("so")), TaskEnd::AlreadySo, "{name}");
    assert_eq!(*ran.end(&about("send"), JobKind::Run).0, exit(0), "{name}");
    assert_eq!(*ran.task(&about("send")), TaskEnd::Done, "{name}");
    assert_eq!(*ran.task(&about("bring")), TaskEnd::Done, "{name}");
    assert_eq!(*ran.task(&about("status")), failed(7, true), "{name}");
    assert_eq!(*ran.undone(&about("make")), UndoEnd::Undone, "{name}");
    assert_eq!(*ran.undone(&about("send")), UndoEnd::Undone, "{name}");
    // What was kept.
    assert_eq!(ran.kept(&about("make"), "run-1.out"), b"out\0\xff\r\n", "{name}");
    assert_eq!(ran.kept(&about("make"), "run-1.err"), b"err\0\xff\r\n", "{name}");
    let evidence = &ran.end(&about("bring"), JobKind::Run).1.evidence;
    let sha256: String = Sha256::digest(content()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(evidence.len(), 1, "{name}: {evidence:?}");
    assert_eq!((evidence[0].bytes, &evidence[0].sha256), (70_000, &sha256), "{name}");
    assert_eq!(fs::read(ran.dir.path().join(&evidence[0].file)).unwrap(), content(), "{name}");
    // The screen.
    assert!(
        ran.err.contains(&format!("task status@{name}: FAILED, run: exit status 7")),
        "{name}: {}",
        ran.said()
    );
    // The host: everything is taken back, and beside the receipts nothing is left that the steps did not leave.
    let read =
        |file: &str| fs::read(place.join(file)).unwrap_or_else(|error| panic!("{name}: {file}: {error}"));
    assert_eq!(String::from_utf8_lossy(&read("was")), format!("{name} {user}\n"), "{name}");
    assert_eq!(read("got"), content(), "{name}");
    assert_eq!(fs::metadata(place.join("got")).unwrap().permissions().mode() & 0o7777, 0o640, "{name}");
    assert!(!place.join("mark").exists() && !place.join("sent").exists(), "{name}");
    let ours = files_below(place).into_iter().filter(|file| file.to_string_lossy().contains("blackstart-"));
    assert_eq!(ours.count(), 0, "{name}: {:?}", files_below(place));
    judge_receipts(ran, name, &receipts.join(ran.dir.id().as_str()));
}

fn judge_receipts(ran: &Ran, name: &str, receipts: &Path) {
    let mode = |path: &Path| fs::metadata(path).unwrap_or_else(|e| panic!("{name}: {path:?}: {e}"));
    assert_eq!(mode(receipts).permissions().mode() & 0o7777, 0o700, "{name}");
    assert_eq!(mode(receipts).uid(), mode(receipts.parent().unwrap()).uid(), "{name}");
    for (step, kind, status) in [
        ("make", "run", 0),
        ("make", "undo", 0),
        ("send", "run", 0),
        ("send", "undo", 0),
        ("status", "run", 7),
    ] {
        let number = ran.number(&format!("{step}@{name}"));
        let end = receipts.join(format!("{number}-{step}.{kind}.1.rc"));
        let told = fs::read_to_string(&end).unwrap_or_else(|error| {
            panic!("{name}: {end:?}: {error}; there are {:?}", super::desk::files_below(receipts))
        });
        assert_eq!(told, format!("{status} end\n"), "{name}: {end:?}");
    }
}
