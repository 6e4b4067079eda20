//! The house rules that a compiler does not check: which room may use which, who names which crate, how files
//! open, how long they are, and what no file says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Every room, and the rooms that it may use besides itself.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("signing", &["model"]),
    ("load", &["model", "signing"]),
    ("plan", &["model"]),
    ("reach", &["model", "plan"]),
    ("transport", &["model", "signing"]),
    ("engine", &["model", "plan"]),
    ("journal", &["model", "plan", "signing"]),
    ("report", &["model", "plan", "reach", "engine"]),
    ("drive", &["model", "signing", "plan", "reach", "engine", "journal", "transport", "report"]),
    (
        "cli",
        &["model", "signing", "load", "plan", "reach", "engine", "journal", "transport", "report", "drive"],
    ),
];

/// Paths that a room does not name although it may use the room they are in.
const NOT_ALL_OF_IT: &[(&str, &[&str], &str)] = &[(
    "report",
    &["engine::io", "engine::Input", "engine::Output", "engine::Limits"],
    "reports look at a run's state, they neither bring news nor read orders",
)];

/// Crates that only some rooms name, in at most so many files: the way to replace them stays short.
const FEW_ROOMS: &[(&str, &[&str], usize)] = &[
    ("serde_yaml", &["load"], usize::MAX),
    ("ssh2", &["transport"], 1),
    ("indicatif", &["report"], 1),
    ("miette", &["cli"], usize::MAX),
    ("clap", &["cli"], usize::MAX),
    ("petgraph", &["plan", "reach"], usize::MAX),
];

/// What rooms without I/O, clock and randomness do not name. Clippy bans the calls; this bans the thought.
const PURE_ROOMS: &[&str] = &["model", "plan", "reach", "engine"];
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "tokio",
    "Instant",
    "SystemTime",
    "rustix",
];

/// At this length, find the second idea. Unit tests do not count.
const LINES_MAX: usize = 400;

/// Files that are longer all the same, and how long they may be. The list gets shorter, not longer.
const EXCUSED: &[(&str, usize)] =
    &[("src/load/decode.rs", 550), ("src/plan/shell.rs", 600), ("src/report/narrate.rs", 450)];

/// Words of unfinished work and of the place where the work was done. Split, so that this file may hold them.
const BANNED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("issue", " #"),
    concat!("/wo", "rk/"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("pypi", ".org"),
    concat!("artif", "actory"),
];

/// Files of the project that people read, besides everything in the directories.
const TEXT_DIRS: &[&str] = &["src", "tests", "fuzz", "runbooks", "inventories", "policies", "docs"];
const TEXT_FILES: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "Makefile",
    "Cargo.toml",
    "clippy.toml",
    "deny.toml",
];

/// Path below the project, and content.
type Files = BTreeMap<String, String>;

#[test]
fn the_house_is_in_order() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Files::new();
    for dir in TEXT_DIRS {
        collect(project, &project.join(dir), &mut files);
    }
    for file in TEXT_FILES {
        files.extend(fs::read_to_string(project.join(file)).ok().map(|text| (file.to_string(), text)));
    }
    for (room, _) in LAYERS {
        let file = format!("src/{room}/mod.rs");
        assert!(files.contains_key(&file), "{file} is gone: the table of layers is out of date");
    }
    let troubles = troubles(&files);
    assert!(troubles.is_empty(), "\n{}\n", troubles.join("\n"));
}

fn collect(project: &Path, dir: &Path, files: &mut Files) {
    for entry in fs::read_dir(dir).into_iter().flatten().map(Result::unwrap) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            collect(project, &path, files);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let name = path.strip_prefix(project).unwrap().to_string_lossy().into_owned();
            files.insert(name, text);
        }
    }
}

/// Everything that is not in order, in file order.
fn troubles(files: &Files) -> Vec<String> {
    let mut troubles = Vec::new();
    let mut namers = BTreeMap::<&str, Vec<&str>>::new();
    for (file, text) in files {
        let mut say = |line: usize, trouble: String| troubles.push(format!("{file}:{line}: {trouble}"));
        for word in BANNED {
            if let Some(at) = find_word(text, word) {
                say(line_of(text, at), format!("says `{word}`"));
            }
        }
        if !file.ends_with(".rs") {
            continue;
        }
        if !text.starts_with("//! ") {
            say(1, "does not open with a `//!` sentence that says what the file is for".to_owned());
        }
        let Some(inner) = file.strip_prefix("src/") else { continue };
        let lines = lines_without_tests(inner, text);
        let excused = EXCUSED.iter().find(|(name, _)| name == file).map(|(_, lines)| *lines);
        if lines > excused.unwrap_or(LINES_MAX) {
            say(lines, format!("has {lines} lines without its tests: at {LINES_MAX}, find the second idea"));
        } else if excused.is_some() && lines <= LINES_MAX {
            say(lines, "is not too long any more and needs no excuse".to_owned());
        }
        let code = without_comments_and_texts(text);
        for (krate, _, _) in FEW_ROOMS {
            if find_word(&code, krate).is_some() {
                namers.entry(krate).or_default().push(file);
            }
        }
        let Some((room, _)) = inner.split_once('/') else { continue };
        let Some((_, may_use)) = LAYERS.iter().find(|(name, _)| *name == room) else {
            say(1, format!("is in `{room}`, which the table of layers does not know"));
            continue;
        };
        for (at, path) in paths(inner, &code) {
            let line = line_of(&code, at);
            let used = path.split("::").next().unwrap_or_default();
            let known = LAYERS.iter().any(|(name, _)| *name == used);
            if path == "*" || (known && used != room && !may_use.contains(&used)) {
                say(line, format!("`{room}` does not use `{path}`"));
            }
            for (_, banned, why) in NOT_ALL_OF_IT.iter().filter(|(name, _, _)| *name == room) {
                if banned.iter().any(|banned| path == *banned || path.starts_with(&format!("{banned}::"))) {
                    say(line, format!("`{room}` does not use `{path}`: {why}"));
                }
            }
        }
        for impure in IMPURE.iter().filter(|_| PURE_ROOMS.contains(&room)) {
            if let Some(at) = find_word(&code, impure) {
                say(
                    line_of(&code, at),
                    format!("`{room}` names `{impure}` and should do no I/O and know no time"),
                );
            }
        }
    }
    for (krate, rooms, files_max) in FEW_ROOMS {
        let namers = namers.remove(krate).unwrap_or_default();
        let allowed = |file: &str| rooms.iter().any(|room| file.starts_with(&format!("src/{room}/")));
        let only = rooms.join("/ and src/");
        for file in namers.iter().filter(|file| !allowed(file)) {
            troubles.push(format!("{file}:1: names `{krate}`, which only src/{only}/ does"));
        }
        if namers.len() > *files_max {
            troubles.push(format!(
                "src/{only}/: {} files name `{krate}`: {}",
                namers.len(),
                namers.join(", ")
            ));
        }
    }
    troubles
}

/// Where `word` stands in `text` as a word of its own.
fn find_word(text: &str, word: &str) -> Option<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let bound =
        |inner: Option<char>, outer: Option<char>| !(inner.is_some_and(part) && outer.is_some_and(part));
    text.match_indices(word).map(|(at, _)| at).find(|at| {
        bound(word.chars().next(), text[..*at].chars().next_back())
            && bound(word.chars().next_back(), text[at + word.len()..].chars().next())
    })
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

fn lines_without_tests(file: &str, text: &str) -> usize {
    if file.ends_with("/tests.rs") || file.contains("/tests/") {
        return 0;
    }
    // Inline tests close a file; `mod tests;` names a file of their own.
    let tests = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text[..tests].lines().count()
}

/// The code with comments, texts and characters blanked out, each byte in its place.
fn without_comments_and_texts(text: &str) -> String {
    let mut code = text.as_bytes().to_vec();
    let mut at = 0;
    while at < code.len() {
        let rest = &text.as_bytes()[at..];
        let blank = match rest {
            [b'/', b'/', ..] => rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
            [b'/', b'*', ..] => {
                rest.windows(2).position(|end| end == b"*/").map_or(rest.len(), |end| end + 2)
            }
            [b'r', b'"' | b'#', ..] if !continues_a_name(&code[..at]) => raw_text(rest),
            [b'"', ..] => quoted(rest),
            [b'\'', b'\\', ..] => {
                rest[2..].iter().skip(1).position(|byte| *byte == b'\'').map_or(2, |end| end + 4)
            }
            [b'\'', ..] => quoted_char(&text[at..]),
            _ => 0,
        };
        code[at..at + blank].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        at += blank.max(1);
    }
    String::from_utf8(code).expect("whole characters are blanked")
}

/// Is the next byte part of a name that began before? The `b` or `c` of `br"…"` and `cr"…"` is no name.
fn continues_a_name(before: &[u8]) -> bool {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80;
    match before {
        [rest @ .., b'b' | b'c'] => rest.last().is_some_and(part),
        _ => before.last().is_some_and(part),
    }
}

fn quoted(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of `r#"…"#`; 0 for a raw identifier such as `r#type`.
fn raw_text(rest: &[u8]) -> usize {
    let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return 0;
    }
    let end = ["\"", &"#".repeat(hashes)].concat();
    let body = &rest[2 + hashes..];
    let found = body.windows(end.len()).position(|window| window == end.as_bytes());
    found.map_or(rest.len(), |found| 2 + hashes + found + end.len())
}

/// The length of `'c'`; 0 for a lifetime.
fn quoted_char(rest: &str) -> usize {
    let mut chars = rest.chars().skip(1);
    match (chars.next(), chars.next()) {
        (Some(c), Some('\'')) => 2 + c.len_utf8(),
        _ => 0,
    }
}

/// Every path that starts at the crate's root, with its place: by `crate::`, or by enough `super::` from `file`
/// (a path below `src/`). Groups in braces count one by one.
fn paths(file: &str, code: &str) -> Vec<(usize, String)> {
    let mut paths = Vec::new();
    for (at, _) in code.match_indices("crate::").filter(|(at, _)| find_word(&code[*at..], "crate") == Some(0))
    {
        if !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            spread(code, at + "crate::".len(), &mut paths);
        }
    }
    let depth = file.matches('/').count() + usize::from(!file.ends_with("/mod.rs"));
    let climb = "super::".repeat(depth);
    for (at, _) in code.match_indices(&climb) {
        if !code[..at].ends_with("super::") {
            let deeper = code[at..].split("super::").take_while(|part| part.is_empty()).count() - 1;
            spread(code, at + "super::".len() * deeper.max(depth), &mut paths);
        }
    }
    paths
}

/// Adds the path at `at`, or those in the braces there.
fn spread(code: &str, at: usize, paths: &mut Vec<(usize, String)>) {
    let rest = &code[at..];
    if !rest.starts_with('{') {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || "_:*".contains(c))).unwrap_or(rest.len());
        let path = rest[..end].trim_end_matches(':');
        let open = at + path.len() + 2;
        if code[at + path.len()..].starts_with("::{") {
            let mut inner = Vec::new();
            spread(code, open, &mut inner);
            paths.extend(inner.into_iter().map(|(at, tail)| (at, format!("{path}::{tail}"))));
        } else {
            paths.push((at, path.to_owned()));
        }
        return;
    }
    let (mut nesting, mut start) = (0, true);
    for (offset, c) in rest.char_indices() {
        match c {
            '{' => nesting += 1,
            '}' if nesting == 1 => return,
            '}' => nesting -= 1,
            ',' if nesting == 1 => start = true,
            c if c.is_whitespace() || nesting != 1 => {}
            _ if start => {
                spread(code, at + offset, paths);
                start = false;
            }
            _ => {}
        }
    }
}

#[test]
fn planted_troubles_are_found() {
    let opened = |code: &str| format!("//! A file.\n{code}\n");
    for (file, code, wanted) in [
        ("src/model/a.rs", "use crate::plan::Plan;", "2: `model` does not use `plan::Plan`"),
        ("src/engine/a.rs", "fn f() { crate::journal::g() }", "2: `engine` does not use `journal::g`"),
        (
            "src/engine/a.rs",
            "use crate::{\n    model::{Time, Event},\n    drive::x,\n};",
            "4: `engine` does not use `drive::x`",
        ),
        ("src/plan/a.rs", "use super::super::load::x;", "2: `plan` does not use `load::x`"),
        ("src/plan/mod.rs", "use super::{cli, model};", "2: `plan` does not use `cli`"),
        ("src/plan/a.rs", "use crate::*;", "2: `plan` does not use `*`"),
        (
            "src/report/a.rs",
            "use crate::engine::{RunState, Input};",
            "2: `report` does not use `engine::Input`",
        ),
        (
            "src/report/a.rs",
            "use crate::engine::io::Output;",
            "2: `report` does not use `engine::io::Output`",
        ),
        ("src/attic/a.rs", "", "1: is in `attic`"),
        ("src/drive/a.rs", "use serde_yaml as y;", "1: names `serde_yaml`, which only src/load/ does"),
        ("src/engine/a.rs", "fn f(now: std::time::Instant) {}", "2: `engine` names `Instant`"),
        ("src/model/a.rs", "use std::fs::read;", "2: `model` names `std::fs`"),
        ("tests/it/a.rs", concat!("// TO", "DO: more"), concat!("2: says `TO", "DO`")),
        ("src/load/a.rs", concat!("const A: &str = \"/wo", "rk/a\";"), "2: says"),
    ] {
        let found = troubles(&Files::from([(file.to_owned(), opened(code))]));
        assert!(found.len() == 1 && found[0].contains(wanted), "{code}: {found:?}, wanted {wanted}");
    }
}

#[test]
fn planted_troubles_of_whole_files_are_found() {
    let long = "//! A file.\n".to_owned() + &"fn f() {}\n".repeat(LINES_MAX);
    let found = |files: &[(&str, &str)]| {
        troubles(&files.iter().map(|(file, text)| (file.to_string(), text.to_string())).collect())
    };
    assert!(found(&[("src/load/a.rs", &long)])[0].contains("has 401 lines"));
    assert!(found(&[(EXCUSED[0].0, "//! A file.\n")])[0].contains("needs no excuse"));
    assert!(found(&[("src/load/a.rs", "use x;\n")])[0].contains(":1: does not open"));
    assert!(found(&[("README.md", concat!("see issue", " #7\n"))])[0].contains("README.md:1: says"));
    let two =
        [("src/transport/a.rs", "//! A.\nuse ssh2::A;\n"), ("src/transport/b.rs", "//! B.\nuse ssh2::B;\n")];
    assert!(found(&two)[0].contains("2 files name `ssh2`: src/transport/a.rs, src/transport/b.rs"));
}

#[test]
fn what_is_in_order_is_left_alone() {
    let tests = "#[cfg(test)]\nmod tests {\n".to_owned() + &"    fn f() {}\n".repeat(LINES_MAX) + "}\n";
    let files: Files = [
        ("src/load/a.rs", format!("//! A.\nuse crate::model::Time;\nuse serde_yaml::x;\n{tests}")),
        ("src/drive/a.rs", "//! A.\nuse crate::{engine::Input, plan::{self, Plan}};\nuse super::b;\n".into()),
        (
            "src/model/a.rs",
            "//! A: crate::plan::Plan.\n// std::fs\nconst A: &str = \"crate::plan::Plan \\\" tokio\";\n"
                .into(),
        ),
        (
            "src/model/b.rs",
            "//! B.\nconst A: &[u8] = br#\"use \"crate::cli\"\"#;\nfn f<'a>(c: char) -> bool { c == '\"' }\n"
                .into(),
        ),
        ("src/plan/a/b.rs", "//! B.\nuse super::super::load;\nuse crate::planned;\nmod r#type {}\n".into()),
        ("src/lib.rs", "//! The library.\npub mod cli;\n".into()),
        ("tests/lab/make.sh", concat!("mktemp /tmp/a.XX", "XXXX\n").into()),
    ]
    .map(|(file, text)| (file.to_owned(), text))
    .into();
    assert_eq!(troubles(&files), Vec::<String>::new());
    let used: BTreeSet<_> =
        paths("drive/a.rs", &files["src/drive/a.rs"]).into_iter().map(|(_, path)| path).collect();
    assert_eq!(used, ["engine::Input", "plan::self", "plan::Plan"].map(str::to_owned).into());
}
