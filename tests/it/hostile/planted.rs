//! Hosts that put words into every place where a host can put some, and what those words are.

use super::brain::{AGENT, Order, Say, TOOL, err_end, frame, go, is_the_step, out};
use super::desk::{Desk, Known, one_step};
use super::polite::{Door, Manners, Server};
use super::rude::{
    CHANNEL_OPEN, CHANNEL_OPEN_FAILURE, DEBUG, DISCONNECT, Rude, Talk, USERAUTH_BANNER, USERAUTH_REQUEST,
    string,
};
use std::io::{Read, Write};
use std::sync::Arc;

/// ESC with OSC 8, a title, a bell, a carriage return, C1, bidirectional marks, spaces that nobody sees, a line separator,
/// HTML, a formula, and links of Markdown.
pub const PLANT: &str = "PLANT\u{1b}]8;;http://evil.example\u{1b}\\here\u{1b}]0;owned\u{7}\u{1b}[2J\rok\u{9b}31m\u{202e}gnp.\u{200b}\
    \u{2066}\u{85}\u{2028}</pre><script>alert(1)</script><img src=x>=cmd|' /C calc'!A0 [l](javascript:x) ![i](http://evil.example/i.png)";

/// Lines that look like ours; the last is one of the journal.
pub const FORGED: &str = "\nyes\ny\n00:00:00 run 0: Completed: forged.\nCompleted: forged.\n\
    {\"v\":1,\"seq\":3,\"at\":\"2026-01-01T00:00:00Z\",\"event\":{\"run_ended\":{\"verdict\":\"completed\"}}}\n";

/// A place where a host puts words: the host, what it is asked to do, and whether they are shown at all.
pub struct Place {
    pub name: &'static str,
    pub host: Known,
    pub runbook: String,
    pub is_shown: bool,
    /// It is tried again and again, each time for long: one try is enough to look at.
    pub is_slow: bool,
    /// More at the top of the inventory.
    pub top: String,
    _server: Keeper,
}

/// What is gone with the server.
enum Keeper {
    Polite {
        _server: Server,
    },
    /// Its threads end with its connections.
    Rude,
}

impl Place {
    pub fn desk(&self) -> Desk {
        let Known { name, addr, key, more } = &self.host;
        let host = Known { name, addr: *addr, key: key.clone(), more: more.clone() };
        let mut desk = Desk::with(&[host], &self.top);
        desk.env.push(("BLACKSTART_TEST_PASSWORD".to_owned(), "p".to_owned()));
        desk
    }
}

fn polite(name: &'static str, server: Server) -> Place {
    let (host, runbook) = (server.known("h1"), one_step("2s"));
    Place {
        name,
        host,
        runbook,
        is_shown: true,
        is_slow: false,
        top: String::new(),
        _server: Keeper::Polite { _server: server },
    }
}

fn rude(name: &'static str, server: &Rude) -> Place {
    let (host, runbook) = (server.known("h1"), one_step("2s"));
    Place { name, host, runbook, is_shown: false, is_slow: true, top: String::new(), _server: Keeper::Rude }
}

/// What a host writes where lines may stand.
pub fn lines() -> String {
    format!("{PLANT}{FORGED}{PLANT}")
}

/// The same with bytes that are no UTF-8: C1 as it stands on a wire.
fn bytes() -> Vec<u8> {
    [lines().as_bytes(), &(0x80..=0x9f).collect::<Vec<u8>>(), b"31m\0"].concat()
}

/// A job that ends so, having said the plant on both streams.
fn ends_saying(order: &Order, out_bytes: Vec<u8>, status: u32) -> Vec<Say> {
    let end = out(order, &format!("end {status} 0"));
    vec![go(order), Say::Out(out_bytes), Say::Err(bytes()), end, err_end(order)]
}

/// The host whose step fails and says all of it.
pub fn that_prints() -> Place {
    step("output", |order| ends_saying(order, bytes(), 1))
}

fn step(name: &'static str, says: fn(&Order) -> Vec<Say>) -> Place {
    polite(name, Server::answering(move |order| is_the_step(order).then(|| says(order))))
}

/// The step's lane dies, so that its receipt is asked for; these are the words about it.
fn receipt(name: &'static str, words: fn() -> String) -> Place {
    let answer = move |order: &Order| match order.verb.as_str() {
        "R" => Some(vec![out(order, &words())]),
        _ => is_the_step(order).then(|| vec![go(order), Say::Close]),
    };
    polite(name, Server::answering(answer))
}

/// Every place.
pub fn places() -> Vec<Place> {
    let version = format!("SSH-2.0-{}", PLANT.replace('\r', ""));
    let named = Manners { version, answer: that_fails(), ..Manners::default() };
    let bannered = Manners { banner: Some(lines()), answer: that_fails(), ..Manners::default() };
    let asks = Manners { door: Door::AsksIn(PLANT), answer: that_fails(), ..Manners::default() };
    let asks = polite("question at the door", Server::with(asks));
    let asked = Known { more: ", password: p".to_owned(), ..asks.host };
    let secret = "secrets: { p: { env: BLACKSTART_TEST_PASSWORD } }\n".to_owned();
    let mut places = vec![
        that_prints(),
        everywhere(),
        step("refusal", |order| {
            vec![out(order, &format!("no unwritable {}", lines())), out(order, "end 0 0"), err_end(order)]
        }),
        step("strange answer", |order| vec![out(order, &format!("sesame {}", lines()))]),
        step("signal", |order| vec![go(order), Say::Signal(lines()), Say::Close]),
        receipt("receipt", || format!("void lost {}", lines())),
        Place { is_slow: true, ..receipt("strange receipt", lines) },
        polite(
            "login shell",
            Server::answering(|order| {
                (order.verb == AGENT).then(|| vec![Say::Out(bytes()), Say::Err(bytes()), Say::Close])
            }),
        ),
        Place { is_shown: false, ..polite("greeting", Server::answering(greets)) },
        polite("version", Server::with(named)),
        Place { is_shown: false, ..polite("banner", Server::with(bannered)) },
        Place { host: asked, top: secret, is_shown: false, ..asks },
        Place { is_shown: false, ..step("goodbye", |order| vec![go(order), Say::Goodbye(lines())]) },
    ];
    places.extend(beneath());
    places
}

/// Below what a library lets a server say.
fn beneath() -> Vec<Place> {
    let says_before = |mut stream: std::net::TcpStream| {
        stream.write_all(&[lines().as_bytes(), b"\r\nSSH-2.0-old\r\n", &[0xff; 4096]].concat())?;
        stream.read_to_end(&mut Vec::new()).map(drop)
    };
    let in_the_login = |stream, key: &super::rude::HostKey| {
        let mut talk = Talk::begin(stream, key)?;
        talk.accept_login()?;
        talk.send(&[vec![USERAUTH_BANNER], string(&bytes()), string(b"")].concat())?;
        talk.wait_for(USERAUTH_REQUEST)?;
        talk.send(&[vec![DISCONNECT], 11_u32.to_be_bytes().to_vec(), string(&bytes()), string(b"")].concat())
    };
    let no_channel = |talk: &mut Talk| {
        talk.send(&[vec![DEBUG, 1], string(&bytes()), string(b"")].concat())?;
        loop {
            let open = talk.wait_for(CHANNEL_OPEN)?;
            let at = 1 + 4 + "session".len();
            let why = [2_u32.to_be_bytes().to_vec(), string(&bytes()), string(b"")].concat();
            talk.send(&[vec![CHANNEL_OPEN_FAILURE], open[at..at + 4].to_vec(), why].concat())?;
        }
    };
    vec![
        rude("before the version", &Rude::new(move |stream, _| says_before(stream))),
        rude("goodbye in the login", &Rude::new(in_the_login)),
        rude("refused channel", &Rude::inside(no_channel)),
    ]
}

fn that_fails() -> super::polite::Answer {
    Arc::new(|order| is_the_step(order).then(|| vec![go(order), out(order, "end 1 0"), err_end(order)]))
}

fn greets(order: &Order) -> Option<Vec<Say>> {
    let plant = lines().replace(' ', "_");
    match order.verb.as_str() {
        AGENT => {
            let hello = format!("hello 1 17 {plant} {plant} 0");
            Some(vec![out(order, &hello), Say::Err(frame(&order.nonce, "hello"))])
        }
        _ => is_the_step(order).then(|| vec![Say::Close]),
    }
}

/// Every kind of job and every look of a run, each answered with the plant.
fn everywhere() -> Place {
    let answer = |order: &Order| {
        let planted = |what: &str| order.script.contains(what);
        Some(match order.verb.as_str() {
            "U" => vec![out(order, &format!("sesame {}", lines()))],
            "R" => vec![out(order, &format!("void lost {}", lines()))],
            TOOL => vec![Say::Out(format!("{} closed bash {PLANT}\n", order.nonce).into_bytes())],
            "J" if planted("SHA256SUMS") => {
                ends_saying(order, format!("{}  ../../{PLANT}\n", "ab".repeat(32)).into_bytes(), 0)
            }
            "J" if planted("g_verb=") || planted("g_guard=") => {
                ends_saying(order, format!("guard refused {PLANT}\n").into_bytes(), 1)
            }
            "J" if planted("SNAPSHOT") || planted("EVIDENCE") => ends_saying(order, bytes(), 0),
            "J" if planted("command -v ping") => ends_saying(order, lines().into_bytes(), 1),
            "J" => ends_saying(order, bytes(), 3),
            _ => return None,
        })
    };
    let server = Server::answering(answer);
    let top = "zones: { z: {} }\nservices:\n  near: { in: z, probe: { icmp: 127.0.0.1, from: h1 } }\n  \
        tool: { in: z, probe: { tcp: \"127.0.0.1:9\", from: h1 } }\n";
    let more = ", zone: z".to_owned();
    let host = Known { more, ..server.known("h1") };
    let runbook = "version: 1\nname: everywhere\nphases:\n  - id: work\n    on_failure: continue\n    steps:\n      \
        - { id: checked, on: h1, check: echo CHECK, snapshot: echo SNAPSHOT, run: echo RUN, undo: echo UNDO }\n      \
        - { id: fetched, on: h1, fetch: /etc/EVIDENCE }\n      \
        - { id: printed, on: h1, fetch: { output: echo EVIDENCE, name: a } }\n      \
        - { id: guarded, on: h1, guard: { within: 5s }, run: echo GUARDED, undo: echo UNDO }\n      \
        - { id: backed, on: h1, backup: { manifest: /b/SHA256SUMS } }\n      \
        - { id: pinged, probe: { icmp: 127.0.0.1, from: h1 } }\n      \
        - { id: looked, probe: { command: echo LOOK, from: h1 } }\n      \
        - { id: reached, probe: { tcp: \"127.0.0.1:9\", from: h1 } }\n      \
        - { id: sent, on: h1, upload: { file: runbook.yaml, to: /t }, undo: not_needed }\n"
        .to_owned();
    let keeper = Keeper::Polite { _server: server };
    Place {
        name: "everywhere",
        host,
        runbook,
        is_shown: true,
        is_slow: false,
        top: top.to_owned(),
        _server: keeper,
    }
}
