//! What a server does before it lets anybody in, and what it says beneath what libraries let a server say.

use super::desk::{Desk, Ended, PEAK_BYTES_MAX, one_step};
use super::rude::*;
use blackstart::model::Outcome;
use blackstart::model::event::{Event, JobKind, TaskEnd};
use std::io::{Read, Write};

const NO_SHELL: &str = "the shell on the host did not answer within 30.0s";
/// Ends by what is kept of it, or by the wait for the shell: whichever comes first.
const LARGE: &str = "large messages of no known kind";

/// A server, and what blackstart must say of it.
struct Row {
    name: &'static str,
    server: Rude,
    /// In the journal and on the screen.
    says: &'static str,
}

fn row(name: &'static str, server: Rude, says: &'static str) -> Row {
    Row { name, server, says }
}

/// Everything that needs no long wait: the server is found out by what it says.
fn loud() -> Vec<Row> {
    let endless = "talks without end instead of letting us in";
    let unasked = "sends more that nobody asked for than is kept";
    vec![
        row(
            "greetings",
            Rude::new(|mut stream, _| say(&mut stream, b"welcome to this machine\r\n")),
            endless,
        ),
        row("a line without end", Rude::new(|mut stream, _| say(&mut stream, b"x")), endless),
        row(
            "packets of garbage",
            Rude::new(|mut stream, _| {
                stream.write_all(b"SSH-2.0-garbage\r\n")?;
                say(&mut stream, &[0xff])
            }),
            "no algorithm in common",
        ),
        row(
            "compression and nothing else",
            Rude::new(|stream, key| Talk::start(stream)?.exchange_keys(key, "zlib,zlib@openssh.com")),
            "no algorithm in common",
        ),
        row(
            "banners",
            Rude::new(|stream, key| {
                let mut talk = Talk::begin(stream, key)?;
                talk.accept_login()?;
                talk.say_for_ever(&[vec![USERAUTH_BANNER], string(&[b'x'; 1000]), string(b"")].concat())
            }),
            endless,
        ),
        row(
            "a window beyond all numbers",
            Rude::inside(|talk| {
                let channel = talk.take_channel(1024)?;
                talk.say_for_ever(&[about(WINDOW_ADJUST, channel), u32::MAX.to_be_bytes().to_vec()].concat())
            }),
            "makes no sense in SSH",
        ),
        row(
            LARGE,
            Rude::inside(|talk| {
                talk.take_channel(1024)?;
                talk.say_for_ever(&[200; 30_000])
            }),
            unasked,
        ),
        row(
            "small ones",
            Rude::inside(|talk| {
                talk.take_channel(1024)?;
                talk.say_for_ever(&[200])
            }),
            unasked,
        ),
        row(
            "answers to no question",
            Rude::inside(|talk| {
                let channel = talk.take_channel(1024)?;
                talk.say_for_ever(&about(CHANNEL_SUCCESS, channel))
            }),
            unasked,
        ),
        row(
            "data of no length",
            Rude::inside(|talk| {
                let channel = talk.take_channel(1024)?;
                talk.say_for_ever(&[about(CHANNEL_DATA, channel), string(b"")].concat())
            }),
            unasked,
        ),
        row(
            "data beyond the window",
            Rude::inside(|talk| {
                let channel = talk.take_channel(1024)?;
                talk.say_for_ever(&[about(CHANNEL_DATA, channel), string(&[b'x'; 30_000])].concat())
            }),
            "prints without end instead of obeying",
        ),
        row(
            "another key when keys are exchanged again",
            Rude::inside(|talk| {
                talk.take_channel(1 << 20)?;
                talk.exchange_keys(&HostKey::new(), "none")?;
                talk.be_silent()
            }),
            "changed its key in the middle of the connection",
        ),
    ]
}

/// Those who say nothing, or nothing that anybody waits for: each wait has its own end.
fn silent() -> Vec<Row> {
    let no_shell = NO_SHELL;
    vec![
        row(
            "no identification",
            Rude::new(|mut stream, _| listen(&mut stream)),
            "the key exchange took longer than 20.0 s",
        ),
        row(
            "no keys",
            Rude::new(|mut stream, _| {
                stream.write_all(b"SSH-2.0-mute\r\n")?;
                listen(&mut stream)
            }),
            "the key exchange took longer than 20.0 s",
        ),
        row(
            "no login",
            Rude::new(|stream, key| {
                let mut talk = Talk::begin(stream, key)?;
                talk.accept_login()?;
                talk.be_silent()
            }),
            "login took longer than 30.0 s",
        ),
        row("no channel", Rude::inside(|talk| talk.be_silent()), "opened no channel within 20.0 s"),
        row(
            "no word",
            Rude::inside(|talk| {
                talk.take_channel(1 << 20)?;
                talk.be_silent()
            }),
            no_shell,
        ),
        row(
            "a window of zero for ever",
            Rude::inside(|talk| {
                talk.take_channel(0)?;
                talk.be_silent()
            }),
            no_shell,
        ),
        row(
            "a window that grows by a byte, for ever",
            Rude::inside(|talk| {
                let channel = talk.take_channel(0)?;
                talk.say_for_ever(&[about(WINDOW_ADJUST, channel), 0_u32.to_be_bytes().to_vec()].concat())
            }),
            no_shell,
        ),
        row(
            "questions whether we are there",
            Rude::inside(|talk| {
                talk.take_channel(1024)?;
                talk.say_for_ever(&[vec![GLOBAL_REQUEST], string(b"keepalive@openssh.com"), vec![1]].concat())
            }),
            no_shell,
        ),
        row(
            "requests about a channel",
            Rude::inside(|talk| {
                let channel = talk.take_channel(1024)?;
                talk.say_for_ever(
                    &[about(CHANNEL_REQUEST, channel), string(b"eow@openssh.com"), vec![1]].concat(),
                )
            }),
            no_shell,
        ),
        row(
            "a third stream",
            Rude::inside(|talk| {
                let channel = talk.take_channel(1024)?;
                let data = [7_u32.to_be_bytes().to_vec(), string(&[b'x'; 30_000])].concat();
                talk.say_for_ever(&[about(CHANNEL_EXTENDED_DATA, channel), data].concat())
            }),
            no_shell,
        ),
    ]
}

fn say(stream: &mut std::net::TcpStream, what: &[u8]) -> std::io::Result<()> {
    let many = what.repeat(4096);
    loop {
        stream.write_all(&many)?;
    }
}

fn listen(stream: &mut std::net::TcpStream) -> std::io::Result<()> {
    std::io::copy(&mut stream.take(u64::MAX), &mut std::io::sink()).map(drop)
}

fn judge(row: &Row, ended: &Ended) {
    let Row { name, says, .. } = row;
    assert_eq!(ended.code, Some(22), "{name}: {ended}");
    let outcomes = ended.outcomes(JobKind::Run);
    // On a machine with much to do the wait for the shell may be over before so much has come.
    let is_said = |text: &str| text.contains(says) || *name == LARGE && text.contains(NO_SHELL);
    let told = |outcome: &Outcome| matches!(outcome, Outcome::NotStarted { because, .. } if is_said(because));
    assert!(!outcomes.is_empty() && outcomes.iter().all(told), "{name}: {ended}");
    let done = |event: &&Event| matches!(event, Event::TaskEnded { end: TaskEnd::Done, .. });
    assert!(!ended.about("step@h1").iter().any(done), "{name}: {ended}");
    assert!(is_said(&ended.err), "{name}: {ended}");
    assert!(!ended.out.contains("Completed"), "{name}: {ended}");
    assert!(ended.peak_bytes < PEAK_BYTES_MAX, "{name}: {ended}");
}

fn carry_out(rows: &[Row]) {
    std::thread::scope(|scope| {
        for row in rows {
            scope.spawn(|| {
                let desk = Desk::new(&[row.server.known("h1")]);
                let ended = desk.run_once(&one_step("2s"));
                println!("{}: {} MiB, {:?}", row.name, ended.peak_bytes >> 20, ended.took);
                judge(row, &ended);
            });
        }
    });
}

#[test]
fn a_server_that_talks_without_end_or_out_of_turn_is_left() {
    carry_out(&loud());
}

#[test]
fn a_server_that_never_answers_is_left() {
    carry_out(&silent());
}
