//! What must hold for any bytes at all, one function a reader; fuzzers and `make test` feed them.

#![allow(dead_code, reason = "each fuzzer uses one of them")]

use blackstart::engine::{Engine, Limits};
use blackstart::journal::{Hash, Record, RunDir, Store};
use blackstart::load::{self, Loaded};
use blackstart::model::event::Event;
use blackstart::model::names::{GroupName, HostName, RunId};
use blackstart::model::pattern::Pattern;
use blackstart::model::place::Sources;
use blackstart::model::{Inventory, Problems, Runbook, Time};
use blackstart::plan::frozen::{Origin, Plan};
use blackstart::plan::{self, Choices};
use blackstart::report::{self, Look, Tails, Timeline};
use blackstart::transport::lane::{End, Group, Hello, Piece, Receipt, Refusal, Scanner};
use blackstart::transport::ssh::{KeyNames, KnownHosts};
use std::cell::OnceCell;
use std::sync::Arc;

/// What stands beside the file under test.
const INVENTORY: &str = include_str!("fixed/inventory.yaml");
const RUNBOOK: &str = include_str!("fixed/runbook.yaml");
const PLAN: &str = include_str!("fixed/plan.json");
const ORIGIN: &str = include_str!("fixed/origin.json");

/// An inventory has a value exactly if it has no error, every place lies in the file, and what compiles can be shown.
pub fn inventory(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut sources = Sources::default();
    let loaded = load::inventory_text(&mut sources, "i.yaml", &text);
    in_order(&loaded, &sources);
    let runbook =
        load::runbook_text(&mut sources, "r.yaml", RUNBOOK).value.expect("the fixed runbook is good");
    if let Some(inventory) = &loaded.value {
        compiled(inventory, &runbook);
    }
}

/// The same of a runbook.
pub fn runbook(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut sources = Sources::default();
    let loaded = load::runbook_text(&mut sources, "r.yaml", &text);
    in_order(&loaded, &sources);
    let inventory = load::inventory_text(&mut sources, "i.yaml", INVENTORY).value;
    if let Some(runbook) = &loaded.value {
        compiled(&inventory.expect("the fixed inventory is good"), runbook);
    }
}

fn in_order<T>(loaded: &Loaded<T>, sources: &Sources) {
    assert_eq!(loaded.value.is_some(), !loaded.problems.any_error());
    lie_in_their_files(&loaded.problems, sources);
}

fn lie_in_their_files(problems: &Problems, sources: &Sources) {
    for problem in &problems.0 {
        for place in problem.at.iter().chain(problem.also.iter().map(|(place, _)| place)) {
            let text = &sources.get(place.source).expect("a place is in a file that was read").text;
            let (start, end) = (place.offset as usize, (place.offset + place.len) as usize);
            assert!(text.get(start..end).is_some(), "{problem:?}");
        }
    }
}

/// Compiles, writes, reads back and begins; or says why not.
fn compiled(inventory: &Inventory, runbook: &Runbook) {
    let _ = load::together(inventory, runbook);
    let no_files = |_: &str| Err("no such file".to_owned());
    if let Ok((plan, _)) = plan::compile(inventory, runbook, &Choices::default(), &no_files) {
        let json = plan::to_json(&plan);
        assert_eq!(plan::from_json(&json).expect("what we write we read"), plan);
    }
}

/// A journal as it lies on disk is whole or damaged; one whose chain was made good by somebody with an axe to grind is
/// whole, senseless or illegal. Nothing of it makes a reader panic.
pub fn journal(bytes: &[u8]) {
    records_told(bytes);
    records_told(&made_good(bytes));
}

/// How many records of a journal were understood and told; 0 if it was refused.
pub fn records_told(bytes: &[u8]) -> usize {
    thread_local! { static DESK: OnceCell<Desk> = const { OnceCell::new() }; }
    DESK.with(|desk| desk.get_or_init(Desk::new).read(bytes))
}

struct Desk {
    run: RunDir,
    plan: Arc<Plan>,
    _dir: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory can be made");
        let origin: Origin = serde_json::from_str(ORIGIN).expect("the fixed origin is good");
        let store = Store::open(dir.path()).expect("a store can be made");
        let run = store.create(&RunId::from("r1"), PLAN, &origin).expect("a run can be made");
        let (plan, _) = run.read_plan().expect("the fixed plan is good");
        Self { run, plan: Arc::new(plan), _dir: dir }
    }

    fn read(&self, bytes: &[u8]) -> usize {
        std::fs::write(self.run.journal_path(), bytes).expect("a journal can be written");
        let records = match self.run.read() {
            Ok(read) => {
                let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
                assert_eq!(read.records.len(), lines, "every whole line counts");
                read.records
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                let _ = error.hint();
                return 0;
            }
        };
        let past = |record: &Record| (record.at, record.event.clone());
        let events: Vec<(Time, Event)> = records.iter().map(past).collect();
        let told = Timeline::of(self.plan.clone(), &events);
        let engine = Engine::restore(self.plan.clone(), Limits::default(), events.iter().cloned());
        assert_eq!(told.is_ok(), engine.is_ok(), "one way to change");
        let Ok(told) = told else { return 0 };
        let tails = Tails::of(events.iter().map(|(_, event)| event));
        let text = report::recap(&told, &tails, &Look::plain("r1"));
        let harmless = |c: char| !c.is_control() || c == '\n';
        assert!(text.chars().all(harmless), "a report obeys nobody: {text:?}");
        events.len()
    }
}

/// The same lines, each with the hash that it should have.
fn made_good(bytes: &[u8]) -> Vec<u8> {
    let mut hash = Hash::of(PLAN.as_bytes());
    let mut good = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some(end) = line.windows(HASH_KEY.len()).rposition(|window| window == HASH_KEY) else { continue };
        let body = &line[..end];
        hash = Hash::of(&[hash.as_str().as_bytes(), body].concat());
        good.extend_from_slice(body);
        good.extend_from_slice(HASH_KEY);
        good.extend_from_slice(hash.as_str().as_bytes());
        good.extend_from_slice(b"\"}\n");
    }
    good
}

const HASH_KEY: &[u8] = b",\"hash\":\"";

/// A stream is taken apart into what is ours and what is somebody's: no byte is lost, however it is cut, and the words
/// of a frame are understood or refused. The first byte says how long the pieces are.
pub fn frames(bytes: &[u8]) {
    const NONCE: &str = "0123456789abcdef";
    let Some((cut, stream)) = bytes.split_first() else { return };
    let whole = apart(stream, stream.len().max(1), NONCE);
    let pieces = apart(stream, usize::from(*cut).max(1), NONCE);
    assert!(whole.ended_early || pieces.ended_early || whole.bytes == pieces.bytes, "seams do not matter");
    assert!(whole.ended_early || pieces.ended_early || whole.frames == pieces.frames);
    let ours: usize = whole.raw_frames;
    assert!(whole.ended_early || whole.bytes.len() + ours <= stream.len());
    for words in whole.frames.iter().chain([&String::from_utf8_lossy(stream).into_owned()]) {
        let _ = (Hello::read(words), Group::read(words), End::read(words));
        let _ = (Refusal::read(words), Receipt::read(words));
    }
}

#[derive(Default)]
struct Apart {
    bytes: Vec<u8>,
    frames: Vec<String>,
    /// Bytes of the frames' bounds and nonces.
    raw_frames: usize,
    /// A frame was too long: the lane ends here.
    ended_early: bool,
}

fn apart(stream: &[u8], cut: usize, nonce: &str) -> Apart {
    let (mut scanner, mut apart) = (Scanner::default(), Apart::default());
    for chunk in stream.chunks(cut) {
        scanner.push(chunk.to_vec());
        loop {
            match scanner.pull(Some(nonce)) {
                Piece::Bytes(range) => {
                    assert!(!range.is_empty(), "a scan goes on or stops");
                    apart.bytes.extend_from_slice(scanner.bytes(range));
                }
                Piece::Frame(words) => {
                    apart.raw_frames += nonce.len() + 3;
                    apart.frames.push(words);
                }
                Piece::More => break,
                Piece::TooLong => return Apart { ended_early: true, ..apart },
            }
        }
    }
    let rest = scanner.rest();
    apart.bytes.extend_from_slice(scanner.bytes(rest));
    apart
}

/// Any known_hosts file is read, and speaks of a host only in lines that it has.
pub fn known_hosts(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for (name, also) in [("web1", None), ("[192.0.2.7]:2222", Some("192.0.2.7"))] {
        let names = KeyNames { name: name.into(), also: also.map(str::to_owned) };
        let mut known = KnownHosts::default();
        known.read_text("known_hosts".as_ref(), &text, &names);
        for line in &known.lines {
            assert!((1..=text.lines().count()).contains(&line.place.line), "{line:?}");
            assert!(!line.portless || also.is_some(), "{line:?}");
        }
    }
}

/// A host pattern is refused at one of its bytes, or says of every host whether it matches, the same each time.
pub fn patterns(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Pattern::parse(&text) {
        Err(error) => assert!(error.at_byte <= text.len() && !error.what.is_empty(), "{error:?}"),
        Ok(pattern) => {
            assert!(pattern.names().all(|name| text.contains(name)));
            let groups: Vec<GroupName> = ["dbs", "site-a"].map(GroupName::from).into();
            let matches = |host: &str| pattern.matches(&HostName::from(host), &groups);
            let long = "a".repeat(64);
            for host in ["db1", "web-1.example", long.as_str()] {
                assert_eq!(matches(host), matches(host));
            }
        }
    }
}
