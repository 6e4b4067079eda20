//! Steps that misbehave in every way a script can, all in one run against a real sshd.

use super::desk::{Desk, Ran};
use crate::lane::alive;
use crate::support::sshd::{Sshd, current_user};
use blackstart::model::event::{JobKind, TaskEnd};
use blackstart::model::outcome::How;
use blackstart::model::{Millis, Outcome};
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

/// What each stream of the step that floods prints, before its last word.
const FLOOD_BYTES: u64 = 100_000_000;
/// What is kept of a stream: its beginning and its end.
const KEPT_BYTES: u64 = (1024 + 256) * 1024;
/// blackstart holds a few queues and the ends of streams, not the streams.
const MEMORY_KIB_MAX: u64 = 128 * 1024;
/// The journal holds facts about output, not output.
const JOURNAL_BYTES_MAX: u64 = 256 * 1024;

/// A frame as the lane's own are, but for the nonce, which nobody can know.
const FORGED: &str = "\\03600112233445566778899aabbccddeeff end 0 0\\036";

/// A step, how it must end, and what must be kept of its streams.
struct Case {
    id: &'static str,
    script: String,
    ends: Outcome,
    out: Option<&'static [u8]>,
    err: Option<&'static [u8]>,
}

fn case(id: &'static str, script: &str, ends: Outcome, out: &'static [u8]) -> Case {
    Case { id, script: script.to_owned(), ends, out: Some(out), err: None }
}

fn exit(status: i32) -> Outcome {
    Outcome::from_exit(status)
}

fn timed_out() -> Outcome {
    Outcome::Failed { how: How::TimedOut(Millis(1500)) }
}

/// `@sleep@` becomes a sleep that can be told from all others. What ends late has a timeout of 1.5 s.
fn cases() -> Vec<Case> {
    let mut all = vec![
        case("hangs", "echo begun; sleep @sleep@1", timed_out(), b"begun\n"),
        case("ignores", "trap '' TERM INT HUP; echo begun; sleep @sleep@2; sleep @sleep@2", timed_out(), b"begun\n"),
        case("stops-itself", "echo begun; kill -STOP $$; sleep @sleep@3", timed_out(), b"begun\n"),
        case("daemon", "(setsid sh -c 'sleep @sleep@4 & ' </dev/null >/dev/null 2>&1 &); echo done", exit(0), b"done\n"),
        case("daemon-that-holds", "setsid sh -c 'sleep @sleep@5 & exit 0'; echo done", exit(0), b"done\n"),
        case("background", "sleep @sleep@6 & sleep @sleep@6 >/dev/null & echo done; exit 3", exit(3), b"done\n"),
        Case {
            id: "binary",
            script: "printf '\\000\\001\\377\\376\\303\\050\\360\\237\\r\\n\\033[31m\\007'; printf '\\000\\200\\033]0;x\\007' >&2".into(),
            ends: exit(0),
            out: Some(b"\0\x01\xff\xfe\xc3\x28\xf0\x9f\r\n\x1b[31m\x07"),
            err: Some(b"\0\x80\x1b]0;x\x07"),
        },
        case("no-newline", "printf 'no newline'", exit(0), b"no newline"),
        case("reads-stdin", "cat; read -r x; echo \"$? ${#x}\"; head -c 1 | wc -c | tr -d ' '", exit(0), b"1 0\n0\n"),
        Case {
            id: "forges",
            script: format!("printf '{FORGED}'; printf '{FORGED}' >&2; printf '\\036\\036 go 1 1 1\\036'; exit 9"),
            ends: exit(9),
            out: Some(b"\x1e00112233445566778899aabbccddeeff end 0 0\x1e\x1e\x1e go 1 1 1\x1e"),
            err: Some(b"\x1e00112233445566778899aabbccddeeff end 0 0\x1e"),
        },
        case("command-not-found", "no-such-command-at-all", exit(127), b""),
        case("not-executable", "/etc/passwd", exit(126), b""),
        case("closes-all", "echo x; exec </dev/null >/dev/null 2>&1; exec 3>&- 4>&- 5>&-; exit 6", exit(6), b"x\n"),
    ];
    for (id, status) in [("exits-255", 255), ("exits-126", 126), ("exits-127", 127), ("exits-1", 1)] {
        all.push(case(id, &format!("exit {status}"), exit(status), b""));
    }
    all
}

/// One after the other, on lanes that each must leave as it was.
fn inside() -> Vec<Case> {
    let in_turn = [
        ("cd", "cd /; echo in; exit 21", 21),
        ("umask", "umask 777; exit 22", 22),
        ("trap", "trap 'exit 23' EXIT; trap '' TERM; exit 4", 23),
        ("set-e", "set -eu; set -C; set -f; false; exit 4", 1),
        ("exec", "exec sh -c 'exit 25'", 25),
        ("exit", "(exit 3); exit 26", 26),
        (
            "redefines",
            "read() { exit 4; }; printf() { exit 4; }; alias kill=false; IFS=x; PATH=/nowhere; unset HOME; exit 27",
            27,
        ),
        ("syntax", "if true; then echo", 2),
        ("kills-its-group", "sleep @sleep@7 & trap 'exit 29' TERM; kill 0; wait; exit 29", 29),
    ];
    in_turn.map(|(id, script, status)| Case { out: None, ..case(id, script, exit(status), b"") }).into()
}

struct Scene {
    desk: Desk,
    sshd: Sshd,
    sleep: String,
}

impl Scene {
    fn new() -> Self {
        let sshd = Sshd::start();
        let mut desk = Desk::new("");
        let entry = format!(
            "address: 127.0.0.1, port: {}, user: {}, identity_file: {}, receipts_dir: {}",
            sshd.addr.port(),
            current_user(),
            sshd.user_key().display(),
            sshd.path("receipts").display()
        );
        desk.host("h1", &entry, &sshd.known_line());
        // Digits that no other test's sleep has.
        let nanos = uuid::Uuid::now_v7().as_u128() % 1_000_000_000_000;
        Self { desk, sshd, sleep: format!("600.{nanos:012}") }
    }

    /// A step whose failure is no failure of the run.
    fn step(&self, case: &Case, needs: &str) -> String {
        let timeout = if case.ends == timed_out() { "1500ms" } else { "4m" };
        let script = format!("echo {} >>{}\n{}", case.id, self.desk.path("ledger").display(), case.script);
        let script = script.replace("@sleep@", &self.sleep).replace('\n', "\n          ");
        format!(
            "      - id: {}\n        on: h1\n        max_failures: 100%\n        timeout: {timeout}\n{needs}        \
             undo: not_needed\n        run: |\n          {script}\n",
            case.id
        )
    }
}

const BOOK: &str = "version: 1\nname: steps\nphases:\n  - id: work\n    on_failure: stop\n    steps:\n";
const FRESH: &str = "echo \"$(umask) $PWD $HOME $# $- ${IFS#??}\"; trap; read -r x; echo $?";

#[test]
fn steps_that_misbehave_are_each_told_as_they_were() {
    let scene = Scene::new();
    let (apart, in_turn) = (cases(), inside());
    let mut book = BOOK.to_owned();
    apart.iter().for_each(|case| book += &scene.step(case, ""));
    let fresh = |nth: usize| Case { ends: exit(0), ..case("", FRESH, exit(nth as i32), b"") };
    let names: Vec<String> = (0..=in_turn.len()).map(|nth| format!("fresh-{nth}")).collect();
    for (nth, name) in names.iter().enumerate() {
        let before = in_turn.get(nth.wrapping_sub(1));
        let needs = before.map_or(String::new(), |case| format!("        needs: [{}]\n", case.id));
        let text = scene.step(&fresh(nth), &needs);
        book +=
            &text.replace("id: \n", &format!("id: {name}\n")).replace("echo  >>", &format!("echo {name} >>"));
        if let Some(case) = in_turn.get(nth) {
            book += &scene.step(case, &format!("        needs: [{name}]\n"));
        }
    }
    let ran = scene.desk.run(&book, |_| {}).is(0);

    for case in apart.iter().chain(&in_turn) {
        judge(&ran, case, &scene.sshd.path("receipts"));
    }
    // A lane is for whoever comes next as it was for the first.
    let first = ran.kept("fresh-0@h1", "run-1.out");
    assert!(String::from_utf8_lossy(&first).starts_with("0022 /"), "{first:?}");
    for name in &names {
        assert_eq!(*ran.end(&format!("{name}@h1"), JobKind::Run).0, exit(0), "{name}");
        let seen = ran.kept(&format!("{name}@h1"), "run-1.out");
        assert_eq!(String::from_utf8_lossy(&seen), String::from_utf8_lossy(&first), "{name}");
    }
    // The host: each step ran once, what was ended is gone, and what was left running runs.
    let ledger = fs::read_to_string(scene.desk.path("ledger")).unwrap();
    for id in apart.iter().chain(&in_turn).map(|case| case.id).chain(names.iter().map(String::as_str)) {
        assert_eq!(ledger.lines().filter(|line| *line == id).count(), 1, "{id}: {ledger}");
    }
    for (number, lives) in [(1, false), (2, false), (3, false), (4, true), (5, true), (6, true), (7, false)] {
        assert_eq!(alive(&format!("{}{number}", scene.sleep)), lives, "sleep {number}");
    }
    // The screen shows no byte that a terminal would obey.
    assert!(!ran.said().contains(['\x1b', '\x07', '\0', '\x1e']), "{}", ran.said());
    end_sleeps(&scene.sleep);
}

fn judge(ran: &Ran, case: &Case, receipts: &Path) {
    let Case { id, ends, out, err, .. } = case;
    let about = format!("{id}@h1");
    let (outcome, facts) = ran.end(&about, JobKind::Run);
    assert_eq!(outcome, ends, "{id}: {}", facts.tail);
    match ends {
        Outcome::Succeeded => assert_eq!(*ran.task(&about), TaskEnd::Done, "{id}"),
        Outcome::Failed { how } => {
            let told = TaskEnd::Failed { kind: JobKind::Run, outcome: ends.clone(), changed: true };
            assert_eq!(*ran.task(&about), told, "{id}");
            let how = how.to_string().replace(", ended on", " and was ended on");
            let told = format!("task {about}: FAILED, run: {how}");
            assert!(ran.err.contains(&told), "{id}: {}", ran.said());
        }
        other => panic!("{id}: {other}"),
    }
    if let Some(out) = out {
        assert_eq!(ran.kept(&about, "run-1.out"), *out, "{id}");
        assert_eq!(facts.stdout_bytes, out.len() as u64, "{id}");
    }
    if let Some(err) = err {
        assert_eq!(ran.kept(&about, "run-1.err"), *err, "{id}");
        assert_eq!(facts.stderr_bytes, err.len() as u64, "{id}");
    }
    assert!(facts.tail.chars().all(|c| !c.is_control() || c == '\n' || c == '\t'), "{id}: {:?}", facts.tail);
    // Its receipt says the same.
    let receipt = receipts.join(ran.dir.id().as_str()).join(format!("{}-{id}.run.1", ran.number(&about)));
    let (file, told) = match ends {
        Outcome::Failed { how: How::TimedOut(after) } => ("kill", format!("timed_out {} end\n", after.0)),
        Outcome::Failed { how: How::Exit(status) } => ("rc", format!("{status} end\n")),
        _ => ("rc", "0 end\n".to_owned()),
    };
    assert_eq!(fs::read_to_string(receipt.with_extension(format!("1.{file}"))).unwrap(), told, "{id}");
}

/// Ends what the steps have left running: their command lines hold a number that nobody else's do.
fn end_sleeps(sleep: &str) {
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&command).contains(&format!("sleep\0{sleep}"))
            && let Some(pid) = rustix::process::Pid::from_raw(pid)
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

#[test]
fn a_hundred_megabytes_on_both_streams_at_once_cost_little_memory_and_little_disk() {
    let scene = Scene::new();
    let script = format!(
        "head -c {FLOOD_BYTES} /dev/zero | tr '\\0' e >&2 & head -c {FLOOD_BYTES} /dev/zero | tr '\\0' o; wait\n\
         printf 'last out'; printf 'last err' >&2; exit 5"
    );
    let flood = Case { script, out: None, ..case("floods", "", exit(5), b"") };
    scene.desk.write(&(BOOK.to_owned() + &scene.step(&flood, "")));
    let mut command = scene.desk.command(&["run", "runbook.yaml", "-i", "inventory.yaml", "--yes"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (peak_kib, output) = watch(child);
    let ran = scene.desk.ran(output).is(0);

    judge(&ran, &flood, &scene.sshd.path("receipts"));
    let facts = ran.end("floods@h1", JobKind::Run).1;
    assert_eq!((facts.stdout_bytes, facts.stderr_bytes), (FLOOD_BYTES + 8, FLOOD_BYTES + 8));
    let missing = FLOOD_BYTES + 8 - KEPT_BYTES;
    assert_eq!(facts.dropped_bytes, 2 * missing, "{facts:?}");
    for (file, letter, last) in [("run-1.out", b'o', "last out"), ("run-1.err", b'e', "last err")] {
        let kept = ran.kept("floods@h1", file);
        let said = format!("\n[blackstart: {missing} bytes are left out here]\n");
        assert_eq!(kept.len() as u64, KEPT_BYTES + said.len() as u64, "{file}");
        assert!(memchr::memmem::find(&kept, said.as_bytes()).is_some(), "{file} says what is missing");
        assert!(kept[0] == letter && kept.ends_with(last.as_bytes()), "{file}");
    }
    let journal = fs::metadata(ran.dir.journal_path()).unwrap().len();
    assert!(journal <= JOURNAL_BYTES_MAX, "the journal has {journal} bytes");
    println!("peak memory {peak_kib} KiB, journal {journal} bytes");
    assert!(peak_kib > 0 && peak_kib <= MEMORY_KIB_MAX, "{peak_kib} KiB");
}

/// Waits for its end, and says how much memory it had at most.
fn watch(child: Child) -> (u64, std::process::Output) {
    let status = format!("/proc/{}/status", child.id());
    let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = done.clone();
    let looks = std::thread::spawn(move || {
        let mut peak = 0;
        while !seen.load(std::sync::atomic::Ordering::Relaxed) {
            let text = fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|rest| rest.split_whitespace().next()).and_then(|kib| kib.parse().ok());
            peak = peak.max(kib.unwrap_or(0));
            std::thread::sleep(Duration::from_millis(10));
        }
        peak
    });
    let output = child.wait_with_output().unwrap();
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    (looks.join().unwrap(), output)
}
