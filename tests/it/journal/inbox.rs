//! Messages of other processes: whole, in order, none lost, nothing foreign believed.

use super::child::{play, starring};
use super::new_run;
use blackstart::journal::{Message, Store, inbox};
use blackstart::model::Time;
use blackstart::model::event::{Scope, StopHow};
use blackstart::model::names::{ConduitName, PhaseIx, TaskIx};
use blackstart::model::question::{Answer, Choice, Question, Signed};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn every_message() -> Vec<Message> {
    vec![
        Message::Answer(Answer {
            question: Question::Approve { task: TaskIx(4), people: 2 },
            by: "ada".into(),
            choice: Choice::Approve,
            comment: Some("checked with the duty officer\n\"yes\"".into()),
            at: Some(Time(1_795_300_000_123)),
            signed: Some(Signed { key: "SHA256:abc".into(), signature: "-----BEGIN SSH".into() }),
        }),
        Message::Stop { by: "ada".into(), how: StopHow::Cancel },
        Message::Rollback {
            by: "bob".into(),
            scope: Scope::FromPhase(PhaseIx(1)),
            reopen: true,
            consent: vec![ConduitName::from("isp")],
        },
        Message::Abandon { by: "bob".into(), comment: "rebuilt by hand".into() },
    ]
}

fn stop(by: &str) -> Message {
    Message::Stop { by: by.into(), how: StopHow::Finish }
}

#[test]
fn messages_come_in_the_order_they_were_posted_until_they_are_done() {
    let dir = tempfile::tempdir().unwrap();
    let run = new_run(dir.path(), "r1");
    assert!(inbox::take(&run).unwrap().is_empty());
    for message in every_message() {
        let path = inbox::post(&run, &message).unwrap();
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    for _ in 0..2 {
        let taken: Vec<_> = inbox::take(&run).unwrap().into_iter().map(|(_, message)| message).collect();
        assert_eq!(taken, every_message(), "nothing is removed by taking");
    }
    for (path, _) in inbox::take(&run).unwrap().into_iter().take(2) {
        inbox::done(&path).unwrap();
        inbox::done(&path).expect("done is done");
    }
    inbox::post(&run, &stop("carol")).unwrap();
    let left: Vec<_> = inbox::take(&run).unwrap().into_iter().map(|(_, message)| message).collect();
    assert_eq!(left, [&every_message()[2..], &[stop("carol")]].concat());
    let files = fs::read_dir(run.inbox_dir()).unwrap().count();
    assert_eq!(files, 3, "no half-posted file is left");
}

const POSTERS: usize = 4;
const POSTS: usize = 25;

/// The part.
pub fn post_messages(stage: &Path) {
    let run = Store::open(stage).unwrap().find("last").unwrap();
    for number in 0..POSTS {
        inbox::post(&run, &stop(&format!("{}:{number}", std::process::id()))).unwrap();
    }
}

#[test]
fn posters_at_the_same_time_lose_nothing_and_keep_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let run = new_run(dir.path(), "r1");
    std::thread::scope(|scope| {
        for _ in 0..POSTERS {
            scope.spawn(|| play(starring("post messages", dir.path())));
        }
    });
    let mut next = std::collections::BTreeMap::new();
    for (_, message) in inbox::take(&run).unwrap() {
        let Message::Stop { by, .. } = message else { panic!("{message:?}") };
        let (poster, number) = by.split_once(':').unwrap();
        let expected: &mut usize = next.entry(poster.to_owned()).or_default();
        assert_eq!(number.parse::<usize>().unwrap(), *expected);
        *expected += 1;
    }
    assert_eq!(next.into_values().collect::<Vec<_>>(), [POSTS; POSTERS]);
}

#[test]
fn what_is_no_message_is_moved_aside_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let (run, other) = (new_run(dir.path(), "r1"), new_run(dir.path(), "r2"));
    let good = fs::read_to_string(inbox::post(&other, &stop("ada")).unwrap()).unwrap();
    let good = good.replace("r2", "r1");
    let (inbox, secret) = (run.inbox_dir(), dir.path().join("secret"));
    fs::write(&secret, &good).unwrap();
    std::os::unix::fs::symlink(&secret, inbox.join("00000009.json")).unwrap();
    fs::create_dir(inbox.join("00000010.json")).unwrap();
    for (name, content) in [
        ("00000001.json", String::new()),
        ("00000002.json", good[..good.len() / 2].to_owned()),
        ("00000003.json", good.replace("\"v\": 1", "\"v\": 2")),
        ("00000004.json", good.replace("r1", "r2")),
        ("00000005.json", good.replace("finish", "gently")),
        ("00000006.json", good.replace("\"by\"", "\"x\": 1, \"by\"")),
        ("00000007.json", good.clone() + &" ".repeat(70_000)),
        ("notes.txt", "hello".to_owned()),
        (&"n".repeat(250), "hello".to_owned()),
        (".unfinished", "{".to_owned()),
    ] {
        fs::write(inbox.join(name), content).unwrap();
    }
    fs::write(inbox.join("00000008.json"), &good).unwrap();

    let taken: Vec<_> = inbox::take(&run).unwrap().into_iter().map(|(_, message)| message).collect();
    assert_eq!(taken, [stop("ada")]);
    let refused: Vec<_> = fs::read_dir(inbox.join("refused")).unwrap().map(|e| e.unwrap().path()).collect();
    let mut why: Vec<_> = refused
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "why"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    why.sort();
    assert_eq!((refused.len(), why.len()), (22, 11), "{why:#?}");
    for (reason, wanted) in why.iter().zip([
        "not a message: EOF",
        "not a message: EOF",
        "in format 2",
        "for run r2",
        "unknown variant `gently`",
        "unknown field `x`",
        "larger than 65536 bytes",
        "not a plain file",
        "not a plain file",
        "not a message",
        "not a message",
    ]) {
        assert!(reason.contains(wanted), "{reason} should say {wanted}");
    }
    assert!(inbox.join(".unfinished").exists(), "somebody is still writing it");
    assert!(secret.exists());
    assert_eq!(inbox::take(&run).unwrap().len(), 1);
}
