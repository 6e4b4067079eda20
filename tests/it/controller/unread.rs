//! A screen that stays open and that nobody reads: a full pipe, a terminal on which output was stopped (Ctrl-S).

use super::{Desk, finish_asked};
use crate::support::live::until;
use crate::support::sshd::Sshd;
use blackstart::model::event::Event;
use rustix::pipe::{fcntl_setpipe_size, pipe};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{Action, tcflow};
use serde_json::Value;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command, Stdio};

/// A change that a guard takes back unless it is confirmed in time, and many lines.
const MUCH: &str = r#"
      - id: cut
        on: h1
        guard: { within: 30s, otherwise: revert }
        run: echo "cut $BLACKSTART_ATTEMPT" >>@dir@/ledger
        undo: echo "uncut" >>@dir@/ledger
      - id: loud
        on: here
        needs: [cut]
        run: head -c 2000000 /dev/zero | tr '\0' x | fold -w 99
        undo: not_needed
      - id: last
        on: h1
        needs: [loud, @fails@]
        run: echo "last $BLACKSTART_ATTEMPT" >>@dir@/ledger
        undo: not_needed
"#;
/// Steps that fail with much to tell, so many that their events alone are more than waits in memory for a screen.
const FAILS: usize = 90;
const FAIL: &str = r#"
      - id: @id@
        on: here
        needs: [cut]
        max_failures: 100%
        run: head -c 2000 /dev/zero | tr '\0' '\1'; exit 1
        undo: not_needed
"#;

fn desk() -> Desk {
    let ids: Vec<String> = (1..=FAILS).map(|nth| format!("fail{nth}")).collect();
    let fails: String = ids.iter().map(|id| FAIL.replace("@id@", id)).collect();
    Desk::with(Sshd::start(), &(MUCH.replace("@fails@", &ids.join(", ")) + &fails))
}

/// What stands in the pipe before blackstart says anything.
const BEFORE: u8 = b'#';

/// A pipe that is full: the end to read from, and the end to write to.
fn full_pipe() -> (File, Stdio) {
    let (read, write) = pipe().expect("a pipe");
    let size = fcntl_setpipe_size(&write, 4096).expect("a pipe can be made small");
    let mut write = File::from(write);
    write.write_all(&vec![BEFORE; size]).expect("it takes as much as it holds");
    (File::from(read), Stdio::from(write))
}

/// All that was said, once somebody reads, and how blackstart ended then.
fn read_at_last(mut from: File, mut child: Child) -> (String, Option<i32>) {
    let mut said = Vec::new();
    from.read_to_end(&mut said).expect("a pipe can be read");
    let said = String::from_utf8_lossy(&said).trim_start_matches(char::from(BEFORE)).to_owned();
    (said, child.wait().expect("it ends").code())
}

/// The run has ended well and nobody carries it on, though the screen still waits.
#[track_caller]
fn has_ended_well(desk: &Desk, child: &mut Child) {
    desk.until_record("the end of the run", |event| matches!(event, Event::RunEnded { .. }));
    let dir = desk.dir().expect("there is a run");
    until("the lock is free", || dir.held_by().is_none());
    desk.run("verify").is(0);
    assert_eq!(desk.ledger(), ["cut 1", "last 1"], "the guard was confirmed, and the run went through");
    assert!(child.try_wait().expect("a child can be asked").is_none(), "there is more to show");
}

#[test]
fn events_that_nobody_reads_hold_no_run_up_and_none_is_missing_when_somebody_does() {
    let desk = desk();
    let (read, write) = full_pipe();
    let mut command = desk.command(&[], "run", &["--format", "json"]);
    let mut child = command.stdout(write).stderr(Stdio::null()).spawn().expect("blackstart starts");
    drop(command);
    has_ended_well(&desk, &mut child);
    let (said, code) = read_at_last(read, child);
    assert_eq!(code, Some(0));
    assert!(said.len() > 400_000, "{} bytes: more than waits in memory", said.len());
    let lines: Vec<Value> =
        said.lines().map(|line| serde_json::from_str(line).expect("whole lines")).collect();
    let (recap, events) = lines.split_last().expect("it said something");
    assert_eq!((&recap["kind"], &recap["recap"]["exit_code"]), (&"recap".into(), &0.into()));
    let records = desk.records();
    assert_eq!(events.len(), records.len());
    for (event, record) in events.iter().zip(&records) {
        assert_eq!(
            (event["seq"].as_u64(), &event["at"]),
            (Some(record.seq), &Value::from(record.at.to_string()))
        );
        assert_eq!(event["run"], Value::from(desk.dir().expect("there is a run").id().as_str()));
    }
    assert!(said.contains(&format!(r#""task":"fail{FAILS}@here""#)), "names, also where it was read again");
}

#[test]
fn lines_that_nobody_reads_hold_no_run_up_and_what_is_left_out_is_said() {
    let desk = desk();
    let (read, write) = full_pipe();
    let out = desk.path("said");
    let mut command = desk.command(&[], "run", &["-vv"]);
    command.stdout(File::create(&out).expect("a file")).stderr(write);
    let mut child = command.spawn().expect("blackstart starts");
    drop(command);
    has_ended_well(&desk, &mut child);
    let (said, code) = read_at_last(read, child);
    assert_eq!(code, Some(0));
    assert!(said.contains("phase work: started"), "what was said first is there: {}", &said[..2000]);
    let id = desk.dir().expect("there is a run").id().to_string();
    let notice = said.lines().find(|line| line.contains("lines were not shown")).expect("it says so");
    let mut words = notice.split_whitespace();
    assert!(
        words.nth(1).is_some_and(|count| count.parse::<u64>().is_ok_and(|count| count > 10_000)),
        "{notice}"
    );
    let short = notice.split("blackstart show ").nth(1).and_then(|rest| rest.split(' ').next());
    assert!(short.is_some_and(|short| id.starts_with(short)), "{notice}");
    assert!(fs::read_to_string(out).expect("a file").contains("Completed"), "the recap is there");
}

/// Signals count as ever, and once the run is over one more ends the wait for the screen. The exit code is the run's.
#[test]
fn ctrl_c_works_while_nobody_reads() {
    let desk = Desk::new();
    let (read, write) = full_pipe();
    let mut command = desk.command(&[], "run", &["-vv"]);
    let mut child = command.stdout(Stdio::null()).stderr(write).spawn().expect("blackstart starts");
    drop(command);
    desk.until("start 1");
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::TERM).expect("it is there");
    desk.until_record("the run is to finish", finish_asked);
    desk.go();
    desk.until_record("the end of the run", |event| matches!(event, Event::RunEnded { .. }));
    let mut code = None;
    until("a signal ends the wait", || {
        kill_process(pid, Signal::INT).expect("it is not waited for yet");
        code = child.try_wait().expect("a child can be asked");
        code.is_some()
    });
    assert_eq!(code.and_then(|status| status.code()), Some(22));
    drop(read);
    desk.stopped_and_goes_on();
}

/// Ctrl-S on a real terminal, under the live view.
#[test]
fn a_terminal_on_which_output_was_stopped_holds_no_run_up() {
    let desk = desk();
    let inner = desk.command(&[], "run", &["-v"]);
    let words: Vec<String> = std::iter::once(inner.get_program())
        .chain(inner.get_args())
        .map(|word| shlex::try_quote(&word.to_string_lossy()).expect("no NUL in it").into_owned())
        .collect();
    let (pid, stopped) = (desk.path("pid"), desk.path("stopped"));
    let wait = format!(
        "stty rows 30 cols 100; echo $$ >{0}.new; mv {0}.new {0}; until [ -e {1} ]; do sleep 0.05; done; exec {2}",
        pid.display(),
        stopped.display(),
        words.join(" ")
    );
    let mut script = Command::new("script");
    script.args(["-qfec", &wait, "/dev/null"]).stdin(Stdio::piped());
    for (name, value) in inner.get_envs() {
        script.env(name, value.expect("nothing is removed"));
    }
    let seen = desk.path("seen");
    script.env("TERM", "xterm").stdout(File::create(&seen).expect("a file"));
    let mut child = script.spawn().expect("script starts");
    until("the shell in the terminal", || pid.exists());
    let number = fs::read_to_string(&pid).expect("it wrote its number down");
    let terminal = fs::read_link(format!("/proc/{}/fd/2", number.trim())).expect("it has a terminal");
    let not_ours = i32::try_from(rustix::fs::OFlags::NOCTTY.bits()).expect("a flag");
    let terminal =
        OpenOptions::new().read(true).write(true).custom_flags(not_ours).open(terminal).expect("open");
    tcflow(&terminal, Action::OOff).expect("output can be stopped");
    fs::write(&stopped, "").expect("a file can be written");
    has_ended_well(&desk, &mut child);
    assert_eq!(fs::read_to_string(&seen).expect("a file"), "", "nothing came through");
    tcflow(&terminal, Action::OOn).expect("output can go on");
    drop(terminal);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    let said = fs::read_to_string(&seen).expect("a file");
    let order = ["phase work", "lines were not shown", "Completed"].map(|text| said.find(text));
    assert!(order.is_sorted() && order.iter().all(Option::is_some), "{order:?} in\n{said}");
    let notice = said.lines().find(|line| line.contains("lines were not shown")).expect("it was found");
    // What was drawn is gone: the last thing before the note clears a line, and moves up to where it began.
    let before = notice.split("note: ").next().expect("there is a first part");
    let up = |rest: &str| rest.chars().all(|c| c.is_ascii_digit() || c == 'A');
    let cleared = |(before, rest): (&str, &str)| before.ends_with("\u{1b}[2K") && up(rest) || rest == "2K";
    let alone = before.is_empty() || before.rsplit_once("\u{1b}[").is_some_and(cleared);
    assert!(alone, "on a line of its own: {notice:?}");
}
