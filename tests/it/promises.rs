//! The table of promises names tests that exist and that somebody runs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The areas of which the table must speak.
const SECTIONS: &[&str] = &[
    "Links",
    "Hosts",
    "Controller",
    "Steps",
    "Undo",
    "Kinds of host",
    "Authentication",
    "Hostile server",
    "Compromised host",
    "Files and secrets",
    "Fuzzing",
];

/// Tests of this module are too long for every day: `make soak` runs them, and nobody else does.
const SOAK: &str = "soak::";

/// A promise, and the tests that are said to hold it.
struct Promise<'a> {
    line: usize,
    tests: Vec<&'a str>,
}

/// What the sources say of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Run,
    Ignored,
}

#[test]
fn every_promise_names_tests_that_are_run() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(project.join("docs/PROMISES.md")).expect("the table is there");
    let mut troubles = troubles(&page, |test| look(project, test));
    // Where whoever adds a long test forgets the table, the table does not know what it has.
    let named: BTreeSet<&str> = promises(&page).into_iter().flat_map(|promise| promise.tests).collect();
    for test in soak_tests(project) {
        if !named.contains(test.as_str()) {
            troubles.push(format!("`{test}` is run by `make soak` and holds no promise of the table"));
        }
    }
    assert!(troubles.is_empty(), "\n{}\n", troubles.join("\n"));
}

/// Everything that is wrong with the table.
fn troubles(page: &str, look: impl Fn(&str) -> Result<Seen, String>) -> Vec<String> {
    let mut troubles = Vec::new();
    for section in SECTIONS {
        if !page.lines().any(|line| line.strip_prefix("## ") == Some(section)) {
            troubles.push(format!("docs/PROMISES.md: no section is called `{section}`"));
        }
    }
    for Promise { line, tests } in promises(page) {
        let mut say = |trouble: String| troubles.push(format!("docs/PROMISES.md:{line}: {trouble}"));
        if tests.is_empty() {
            say("a promise that no test holds".to_owned());
        }
        for test in tests {
            match look(test) {
                Err(trouble) => say(format!("`{test}`: {trouble}")),
                Ok(Seen::Ignored) if !test.starts_with(SOAK) => {
                    say(format!("`{test}` is ignored, and only tests of `{SOAK}` are run all the same"));
                }
                Ok(Seen::Run) if test.starts_with(SOAK) => {
                    say(format!("`{test}` is not ignored: it would take its time in every `make test`"));
                }
                Ok(Seen::Run | Seen::Ignored) => {}
            }
        }
    }
    troubles
}

/// The rows of the table, without those that introduce it.
fn promises(page: &str) -> Vec<Promise<'_>> {
    let mut rows = Vec::new();
    for (at, line) in page.lines().enumerate() {
        let Some((_, tests)) = line.strip_suffix('|').and_then(|row| row.strip_prefix('|')?.rsplit_once('|'))
        else {
            continue;
        };
        if tests.trim() == "held by" || tests.trim().chars().all(|c| c == '-') {
            continue;
        }
        rows.push(Promise { line: at + 1, tests: tests.split('`').skip(1).step_by(2).collect() });
    }
    rows
}

/// Looks a test up by its path: below `tests/it`, or below `src`, where unit tests lie in `mod tests`.
fn look(project: &Path, test: &str) -> Result<Seen, String> {
    let parts: Vec<&str> = test.split("::").collect();
    let (name, modules) = parts.split_last().expect("a split gives a part");
    for (root, top) in [("tests/it", "main.rs"), ("src", "lib.rs")] {
        let root = project.join(root);
        if let Some(file) = file_of(&root, &root.join(top), modules) {
            let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            if let Some(seen) = test_of(&text, name) {
                return Ok(seen);
            }
        }
    }
    Err("no such test".to_owned())
}

/// The file of a module that is really built in: each file on the way declares the next.
fn file_of(dir: &Path, file: &Path, modules: &[&str]) -> Option<PathBuf> {
    let [first, rest @ ..] = modules else { return Some(file.to_owned()) };
    let text = fs::read_to_string(file).ok()?;
    let declared = |line: &str| line.trim().trim_start_matches("pub ").strip_prefix("mod ") == Some(first);
    if rest.is_empty() && text.lines().any(|line| declared(line.trim_end_matches(" {"))) {
        // A module inside its file; where it is a file of its own, that is looked at below.
        if text.lines().any(|line| line.ends_with('{') && declared(line.trim_end_matches(" {"))) {
            return Some(file.to_owned());
        }
    }
    if !text.lines().any(|line| declared(line.trim_end_matches(';'))) {
        return None;
    }
    let below = dir.join(first);
    let file = [below.with_extension("rs"), below.join("mod.rs")].into_iter().find(|file| file.is_file())?;
    file_of(&below, &file, rest)
}

/// How a file marks the function of this name: `None` if it is no test.
fn test_of(text: &str, name: &str) -> Option<Seen> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let head = format!("fn {name}(");
    let at = lines.iter().position(|line| line.trim_start_matches("async ").starts_with(&head))?;
    let marks = || lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
    let test = marks().any(|mark| *mark == "#[test]" || mark.starts_with("#[tokio::test"));
    let ignored = marks().any(|mark| mark.starts_with("#[ignore"));
    test.then_some(if ignored { Seen::Ignored } else { Seen::Run })
}

/// The long tests, whoever put them there.
fn soak_tests(project: &Path) -> Vec<String> {
    let room = project.join("tests/it/soak");
    let mut tests = Vec::new();
    for entry in fs::read_dir(&room).expect("there is a room for long tests").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(module) = name.strip_suffix(".rs") else { continue };
        let text = fs::read_to_string(entry.path()).expect("sources can be read");
        let names = text.lines().filter_map(|line| line.trim().strip_prefix("fn ")?.split_once('('));
        let found = names.map(|(name, _)| name).filter(|name| test_of(&text, name).is_some());
        let path = if module == "mod" { String::new() } else { format!("{module}::") };
        tests.extend(found.map(|name| format!("{SOAK}{path}{name}")));
    }
    tests
}

#[test]
fn a_table_that_promises_too_much_is_found_out() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sections: String = SECTIONS.iter().map(|section| format!("## {section}\n")).collect();
    let lines = sections.lines().count();
    for (row, wanted) in [
        ("| a | `promises::nobody_wrote_this` |", Some("no such test")),
        ("| a | `promises::look` |", Some("no such test")),
        ("| a | `nowhere::look` |", Some("no such test")),
        ("| a | by hand |", Some("no test holds")),
        ("| a | `story::write_pages` |", Some("no such test")),
        ("| a | `sim::scale::figures` |", Some("is ignored")),
        ("| a | `layers::the_house_is_in_order`, `promises::look` |", Some("`promises::look`")),
        ("| a | `layers::the_house_is_in_order` |", None),
        ("| a | `report::escape::tests::lines_keep_line_breaks_and_nothing_else` |", None),
        ("| a | `transport::host::guard::tests::answers_read_as_the_host_writes_them` |", None),
    ] {
        let found = troubles(&format!("{sections}{row}\n"), |test| look(project, test));
        match wanted {
            Some(wanted) => {
                assert!(found.len() == 1 && found[0].contains(wanted), "{row}: {found:?}");
                assert!(found[0].contains(&format!(":{}:", lines + 1)), "{found:?}");
            }
            None => assert_eq!(found, Vec::<String>::new(), "{row}"),
        }
    }
    let ignored = |_: &str| Ok(Seen::Run);
    assert!(troubles(&format!("{sections}| a | `soak::a` |\n"), ignored)[0].contains("not ignored"));
    assert!(troubles("## Links\n", ignored).len() == SECTIONS.len() - 1);
}
