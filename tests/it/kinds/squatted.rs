//! Users without a home, whose receipts must lie where everybody may write, and somebody who was there before.

use super::desk::{Desk, Ran, files_below};
use crate::support::machine::{Machine, Sh, User};
use crate::support::people::can_be_made;
use crate::support::sshd::{Sshd, SshdOptions};
use blackstart::model::Outcome;
use blackstart::model::event::{JobKind, TaskEnd};
use rustix::fs::inotify;
use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

/// What somebody else has put where receipts would lie, by the user it is meant for; nothing for the last.
const SQUATTED: [&str; 6] = ["link", "dangling", "theirs", "open", "file", "free"];
/// Somebody else.
const ATTACKER: u32 = 51_999;
/// What `mktemp` fills in at random.
const RANDOM_LEN: usize = 10;

const BOOK: &str = r#"version: 1
name: squatted
phases:
  - id: work
    on_failure: continue
    steps:
      - { id: does, on: all, max_failures: 100%, run: ': >"{{ host.vars.place }}/does"', undo: not_needed }
      - { id: sends, on: all, max_failures: 100%, upload: { file: runbook.yaml, to: "{{ host.vars.place }}/sends" }, undo: not_needed }
      - id: guards
        on: all
        max_failures: 100%
        guard: { within: 30s }
        run: ': >"{{ host.vars.place }}/guards"'
        undo: 'true'
      - id: keeps
        on: all
        max_failures: 100%
        snapshot: echo kept
        run: ': >"{{ host.vars.place }}/keeps"'
        undo: mv "$BLACKSTART_SNAPSHOT" "{{ host.vars.place }}/kept"
      - { id: reads, on: all, fetch: /etc/hostname }
"#;

/// Puts something in the way at `place`; what it points at is `trap`.
fn squat(how: &str, place: &Path, trap: &Path, uid: u32) {
    match how {
        "link" => symlink(trap, place).unwrap(),
        "dangling" => symlink(trap.parent().unwrap().join("tmp/made"), place).unwrap(),
        "theirs" | "open" => {
            fs::create_dir(place).unwrap();
            let (owner, mode) = if how == "open" { (uid, 0o755) } else { (ATTACKER, 0o777) };
            fs::set_permissions(place, fs::Permissions::from_mode(mode)).unwrap();
            chown(place, Some(owner), None).unwrap();
        }
        "file" => fs::write(place, "theirs").unwrap(),
        "free" => {}
        other => panic!("no such squatter: {other}"),
    }
}

/// Notes every name that is made in a directory.
fn watch(dir: &Path) -> OwnedFd {
    let watch = inotify::init(inotify::CreateFlags::NONBLOCK).unwrap();
    inotify::add_watch(&watch, dir, inotify::WatchFlags::CREATE | inotify::WatchFlags::MOVED_TO).unwrap();
    watch
}

fn names_made(watch: &OwnedFd) -> Vec<String> {
    let mut room = [MaybeUninit::uninit(); 4096];
    let mut reader = inotify::Reader::new(watch, &mut room);
    let mut names = Vec::new();
    while let Ok(event) = reader.next() {
        names.extend(event.file_name().map(|name| name.to_string_lossy().into_owned()));
    }
    names
}

fn judge(ran: &Ran, user: &str, place: &Path) {
    for step in ["does", "sends", "guards", "keeps"] {
        let about = format!("{step}@{user}");
        let TaskEnd::Failed { outcome: Outcome::NotStarted { because, .. }, .. } = ran.task(&about) else {
            panic!("{about}\n{}", ran.said())
        };
        assert!(because.contains("/var/tmp/blackstart-"), "{about}: {because}");
        assert!(!place.join(step).exists(), "{about}");
    }
}

#[test]
fn whoever_was_in_a_shared_directory_before_gets_nothing_and_no_step_starts() {
    if !can_be_made() {
        return;
    }
    let mut machine = Machine::new(Sh::Debian);
    let options = SshdOptions {
        within: machine.enter(),
        config: vec!["SetEnv TMPDIR=/var/tmp".to_owned()],
        ..SshdOptions::default()
    };
    let places = tempfile::tempdir().unwrap();
    fs::set_permissions(places.path(), fs::Permissions::from_mode(0o755)).unwrap();
    for user in SQUATTED {
        machine.add(&User { home: false, ..User::plain(user, "bash") });
    }
    let sshd = Sshd::with(options);
    fs::set_permissions(sshd.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let (shared, trap) = (machine.path("tmp"), machine.path("trap"));
    fs::create_dir(&trap).unwrap();
    fs::set_permissions(&trap, fs::Permissions::from_mode(0o700)).unwrap();
    let mut desk = Desk::new("");
    // As private as receipts want it: that a link leads there is all that is wrong.
    chown(&trap, Some(machine.uid_of("link")), None).unwrap();
    for user in SQUATTED {
        let (uid, place) = (machine.uid_of(user), places.path().join(user));
        fs::create_dir(&place).unwrap();
        chown(&place, Some(uid), None).unwrap();
        squat(user, &shared.join(format!("blackstart-{uid}")), &trap, uid);
        let (port, key) = (sshd.addr.port(), sshd.user_key().display().to_string());
        let place = place.display();
        let entry = format!(
            "address: 127.0.0.1, port: {port}, user: {user}, identity_file: {key}, vars: {{ place: {place} }}"
        );
        desk.host(user, &entry, &sshd.known_line());
    }
    let watch = watch(&shared);
    let ran = desk.run(BOOK, |_| {});
    let back = desk.command(&["rollback", "last", "--yes"]).output().unwrap();
    let ran = ran.is(0);
    assert!(back.status.code().is_some(), "{back:?}");

    for user in SQUATTED {
        assert_eq!(*ran.task(&format!("reads@{user}")), TaskEnd::Done, "{user}: reading needs no place");
    }
    for user in SQUATTED.into_iter().filter(|user| *user != "free") {
        judge(&ran, user, &places.path().join(user));
        let place = shared.join(format!("blackstart-{}", machine.uid_of(user)));
        let about = fs::symlink_metadata(&place).unwrap();
        match user {
            "link" | "dangling" => assert!(about.is_symlink(), "{user}"),
            "file" => assert_eq!(fs::read(&place).unwrap(), b"theirs"),
            "theirs" => assert_eq!((about.uid(), about.mode() & 0o7777), (ATTACKER, 0o777)),
            _ => assert_eq!(about.mode() & 0o7777, 0o755),
        }
        assert!(files_below(&place).is_empty() || user == "file", "{user}: {:?}", files_below(&place));
    }
    assert_eq!(fs::read_dir(&trap).unwrap().count(), 0, "nothing went where a link points");

    // Whom nobody was in the way of: everything works, in a directory of their own.
    let own = format!("blackstart-{}", machine.uid_of("free"));
    for step in ["does", "sends", "guards", "keeps"] {
        assert_eq!(*ran.task(&format!("{step}@free")), TaskEnd::Done, "{}", ran.said());
        assert_eq!(ran.ends(&format!("{step}@free"), JobKind::Run).len(), 1);
    }
    assert_eq!(fs::read_to_string(places.path().join("free/kept")).unwrap(), "kept\n", "{back:?}");
    assert_eq!(fs::metadata(shared.join(&own)).unwrap().mode() & 0o7777, 0o700);
    // No other name that anybody could have guessed was made there, and none is left.
    let made = names_made(&watch);
    let random = |name: &str| name.strip_prefix("tmp.").is_some_and(|random| random.len() >= RANDOM_LEN);
    assert!(made.iter().all(|name| *name == own || random(name)), "{made:?}");
    assert!(made.contains(&own) && made.iter().any(|name| random(name)), "{made:?}");
    assert_eq!(fs::read_dir(&shared).unwrap().count(), SQUATTED.len(), "{:?}", files_below(&shared));
}
