//! What a compromised host writes, in every place where it can write something, is text on every screen and in every
//! file: it moves no cursor, sets no title, opens no link, hides nothing, is no markup and answers no question.

use super::brain::{Order, Say, err_end, go, is_the_step, out};
use super::desk::{BLACKSTART, Desk, Ended, one_step};
use super::planted::{FORGED, Place, places, that_prints};
use super::polite::Server;
use crate::story::markup::troubles;
use blackstart::model::event::Event;
use std::collections::BTreeSet;
use std::process::{Command, Stdio};

/// What a text is, and so what must not stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// For a terminal.
    Screen,
    /// One JSON value.
    Json,
    /// A JSON value a line.
    Lines,
    Html,
    Markdown,
    Xml,
}

/// Verbs that tell of runs or of hosts, as they are looked at here: with a kind for what they write to stdout.
const LOOKS: [(&str, Kind); 27] = [
    ("run -i site.yaml runbook.yaml --dry-run", Kind::Screen),
    ("run -i site.yaml runbook.yaml --yes --format json", Kind::Lines),
    ("-vvv resume --yes --no-progress", Kind::Screen),
    ("rollback --yes --format json", Kind::Lines),
    ("-vvv probe -i site.yaml runbook.yaml", Kind::Screen),
    ("probe -i site.yaml runbook.yaml --format json", Kind::Json),
    ("approve last", Kind::Screen),
    ("abort last", Kind::Screen),
    ("show", Kind::Screen),
    ("show --all", Kind::Screen),
    ("show -v --compare last", Kind::Screen),
    ("show --format json", Kind::Json),
    ("runs", Kind::Screen),
    ("runs --format json", Kind::Json),
    ("history", Kind::Screen),
    ("history --format json", Kind::Json),
    ("due --policy policy.yaml", Kind::Screen),
    ("due --policy policy.yaml --format json", Kind::Json),
    ("audit --policy policy.yaml", Kind::Html),
    ("audit --policy policy.yaml --format json", Kind::Json),
    ("report", Kind::Html),
    ("report --lang ja --compare last", Kind::Html),
    ("report --format md", Kind::Markdown),
    ("report --format md --lang ja", Kind::Markdown),
    ("report --format json", Kind::Json),
    ("report --format junit", Kind::Xml),
    ("verify", Kind::Screen),
];

/// Verbs that know nothing that a host has said.
const DEAF: [&str; 11] = [
    "completions",
    "graph",
    "help",
    "inventory",
    "man",
    "plan",
    "print",
    "reach",
    "schema",
    "tabletop",
    "validate",
];

const POLICY: &str = "version: 1\nname: p\nsummary: s\nzone: UTC\nrunbooks:\n  \
    one: { runbook: runbook.yaml, inventory: site.yaml }\nrehearse:\n  \
    - { runbook: one, as: live, every: 3 months, owner: o }\n";

/// Characters that no screen and no file for people may hold as they are.
fn is_dangerous(c: char) -> bool {
    c.is_control() && c != '\n' || "\u{202e}\u{200b}\u{2066}\u{2028}".contains(c)
}

#[track_caller]
fn harmless(what: &str, kind: Kind, text: &str) {
    let bad: BTreeSet<String> =
        text.chars().filter(|c| is_dangerous(*c)).map(|c| format!("U+{:04x}", c as u32)).collect();
    assert!(bad.is_empty(), "{what}: {bad:?} in {text:?}");
    let forged =
        || text.lines().find(|line| FORGED.lines().any(|forged| *line == forged && !forged.is_empty()));
    match kind {
        Kind::Screen => assert_eq!(forged(), None, "{what}: a line of the host's passes for ours: {text}"),
        Kind::Json => drop(serde_json::from_str::<serde_json::Value>(text).expect(what)),
        Kind::Lines => {
            assert_eq!(forged(), None, "{what}: {text}");
            let told = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect(what));
            assert!(told.filter(|told| told["kind"] == "recap").count() == 1, "{what}: {text}");
        }
        Kind::Html => assert_eq!(troubles(text), Vec::<String>::new(), "{what}"),
        Kind::Markdown => {
            assert!(!text.contains("<script") && !text.contains("<img"), "{what}: {text}");
            let live = text.replace("\\]", "").replace("\\[", "").replace("\\!", "");
            assert!(!live.contains("](") && !live.contains("http://"), "{what}: {live}");
        }
        Kind::Xml => {
            assert!(
                text.starts_with("<?xml") && !text.contains("<script") && !text.contains("<img"),
                "{what}: {text}"
            );
        }
    }
}

fn look_everywhere(place: &Place) {
    let (desk, name) = (place.desk(), place.name);
    desk.write("policy.yaml", POLICY);
    let ended = if place.is_slow { desk.run_once(&place.runbook) } else { desk.run(&place.runbook) };
    assert!(ended.code.is_some(), "{name}: {ended}");
    let mut told = vec![("run".to_owned(), Kind::Screen, ended)];
    let carries_out = |look: &str| look.contains("--yes") || look.contains("site.yaml");
    for (look, kind) in LOOKS.into_iter().filter(|(look, _)| !(place.is_slow && carries_out(look))) {
        let words: Vec<&str> = look.split(' ').collect();
        told.push((look.to_owned(), kind, desk.say(&words)));
    }
    for (look, kind, Ended { code, out, err, .. }) in &told {
        let what = format!("{name}: {look}");
        // A runbook without probes has nothing for `probe`, a run that is over nothing for `abort`.
        let good = |code: i32| code != 1 && (code != 2 || look.contains("probe") || look.contains("abort"));
        assert!(code.is_some_and(good), "{what}: {code:?} {out} {err}");
        harmless(&what, Kind::Screen, err);
        if !out.is_empty() {
            harmless(&what, *kind, out);
        }
    }
    let shown: Vec<&str> =
        told.iter().filter(|(.., it)| it.out.contains("PLANT")).map(|(look, ..)| look.as_str()).collect();
    assert_eq!(!shown.is_empty(), place.is_shown, "{name}: where it is shown is looked at: {shown:?}");
    for file in desk.all_below() {
        let path = file.strip_prefix(desk.path("")).expect("it is below").to_string_lossy().into_owned();
        assert!(path.chars().all(|c| c.is_ascii_alphanumeric() || "/.-_~".contains(c)), "{name}: {path:?}");
        // What a job printed is kept byte by byte, as evidence. The journal is for machines, and for whoever looks.
        if path.ends_with("journal.jsonl") {
            harmless(
                &format!("{name}: {path}"),
                Kind::Screen,
                &std::fs::read_to_string(&file).expect("it is UTF-8"),
            );
        }
    }
}

#[test]
fn what_a_host_writes_is_text_on_every_screen_and_in_every_report() {
    let places = places();
    std::thread::scope(|scope| {
        for place in &places {
            scope.spawn(move || look_everywhere(place));
        }
    });
}

#[test]
fn every_verb_that_tells_of_hosts_is_looked_at() {
    let help = Command::new(BLACKSTART).arg("--help").output().expect("it starts").stdout;
    let help = String::from_utf8(help).expect("it is text");
    let verbs =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let verbs = verbs.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let verbs: BTreeSet<&str> = verbs.filter_map(|line| line.split_whitespace().next()).collect();
    let words = LOOKS.iter().filter_map(|(look, _)| look.split(' ').find(|word| !word.starts_with('-')));
    let known: BTreeSet<&str> = words.chain(DEAF).collect();
    assert_eq!(verbs, known);
}

#[test]
fn on_a_terminal_nothing_of_it_reaches_the_terminal() {
    for flags in ["", " --no-progress"] {
        let place = that_prints();
        let desk = place.desk();
        desk.write("runbook.yaml", &place.runbook);
        let line = format!("{BLACKSTART} run -i site.yaml runbook.yaml --yes{flags}");
        let mut command = Command::new("script");
        command.args(["-qec", &line, "/dev/null"]).current_dir(desk.path("")).env("HOME", desk.path(""));
        command.env("BLACKSTART_STATE", desk.path("state")).env("TERM", "xterm").env_remove("SSH_AUTH_SOCK");
        let shown = command.stdin(Stdio::null()).output().expect("script is installed").stdout;
        let shown = String::from_utf8(shown).expect("what a host prints is shown as text, whatever it is");
        assert!(shown.contains("PLANT\\x1b]8;;"), "{shown}");
        // Colours and moves of the live view are ours; these are not.
        for bad in [
            "\u{1b}]",
            "\u{7}",
            "\u{1b}[2J",
            "\u{9b}",
            "\u{85}",
            "\u{202e}",
            "\u{200b}",
            "\u{2066}",
            "\u{2028}",
            "\rok",
        ] {
            assert!(!shown.contains(bad), "{bad:?} in {shown:?}");
        }
    }
}

#[test]
fn output_answers_no_question_and_is_no_line_of_the_journal() {
    let says = |order: &Order| {
        vec![
            go(order),
            Say::Out(FORGED.into()),
            Say::Err(FORGED.into()),
            out(order, "end 0 0"),
            err_end(order),
        ]
    };
    let server = Server::answering(move |order| is_the_step(order).then(|| says(order)));
    let desk = Desk::new(&[server.known("h1")]);
    let manual = "      - { id: ask, needs: [step], manual: \"Is the light on?\" }\n";
    let ended = desk.run(&format!("{}{manual}", one_step("2s")));
    assert_eq!(ended.code, Some(22), "{ended}");
    let answered = |event: &Event| matches!(event, Event::Answered { .. } | Event::RunEnded { .. });
    let answers: Vec<_> = ended.records.iter().filter(|record| answered(&record.event)).collect();
    assert!(matches!(&answers[..], [one] if matches!(one.event, Event::RunEnded { .. })), "{ended}");
    assert!(ended.err.contains("Is the light on?"), "{ended}");
    assert!(ended.records.iter().any(|record| format!("{:?}", record.event).contains("forged")), "{ended}");
    assert_eq!(desk.say(&["verify"]).code, Some(0));
}
