//! Files → model: what good files mean, and what is said about bad ones.

use blackstart::load::{self, Loaded, Which};
use blackstart::model::Problems;
use blackstart::model::place::Sources;
use snapbox::{assert_data_eq, file};

/// Each problem as `code line:column what | hint`, and below it what else belongs to it.
fn told(sources: &Sources, problems: &Problems) -> String {
    let mut told = String::new();
    for problem in &problems.0 {
        let place = |at| sources.line_and_column(at).unwrap_or((0, 0));
        let (line, column) = problem.at.map_or((0, 0), place);
        let excerpt = problem.at.and_then(|at| {
            let source = sources.get(at.source)?;
            source.text.get(at.offset as usize..(at.offset + at.len) as usize)
        });
        let excerpt = excerpt.unwrap_or("").lines().next().unwrap_or("");
        told += &format!("{}:{} {} «{excerpt}»\n    {}\n", line, column, problem.code, problem.what);
        for (span, label) in &problem.also {
            let (line, column) = place(*span);
            told += &format!("    {line}:{column} {label}\n");
        }
        if let Some(hint) = &problem.hint {
            told += &format!("    hint: {hint}\n");
        }
    }
    told
}

fn runbook_told(text: &str) -> String {
    let mut sources = Sources::default();
    let Loaded { value, problems } = load::runbook_text(&mut sources, "r.yaml", text);
    assert_eq!(value.is_none(), problems.any_error());
    told(&sources, &problems)
}

fn inventory_told(text: &str) -> String {
    let mut sources = Sources::default();
    let Loaded { value, problems } = load::inventory_text(&mut sources, "i.yaml", text);
    assert_eq!(value.is_none(), problems.any_error());
    told(&sources, &problems)
}

fn scenario_told(text: &str) -> String {
    let mut sources = Sources::default();
    let Loaded { value, problems } = load::scenario_text(&mut sources, "s.yaml", text);
    assert_eq!(value.is_none(), problems.any_error());
    told(&sources, &problems)
}

fn policy_told(text: &str) -> String {
    let mut sources = Sources::default();
    let Loaded { value, problems } = load::policy_text(&mut sources, "p.yaml", text);
    assert_eq!(value.is_none(), problems.any_error());
    told(&sources, &problems)
}

/// Every mistake of these files is told, in one go. To accept changes: `SNAPSHOTS=overwrite cargo test`.
#[test]
fn every_problem_of_a_file_is_told_at_its_place() {
    assert_data_eq!(
        runbook_told(include_str!("bad_input/runbook-shapes.yaml")),
        file!["bad_input/runbook-shapes.txt"].raw()
    );
    assert_data_eq!(
        runbook_told(include_str!("bad_input/runbook-steps.yaml")),
        file!["bad_input/runbook-steps.txt"].raw()
    );
    assert_data_eq!(
        runbook_told(include_str!("bad_input/runbook-lasting.yaml")),
        file!["bad_input/runbook-lasting.txt"].raw()
    );
    assert_data_eq!(
        runbook_told(include_str!("bad_input/runbook-guards.yaml")),
        file!["bad_input/runbook-guards.txt"].raw()
    );
    assert_data_eq!(
        runbook_told(include_str!("bad_input/runbook-objectives.yaml")),
        file!["bad_input/runbook-objectives.txt"].raw()
    );
    assert_data_eq!(
        runbook_told(include_str!("bad_input/runbook-order.yaml")),
        file!["bad_input/runbook-order.txt"].raw()
    );
    assert_data_eq!(
        runbook_told(include_str!("bad_input/runbook-templates.yaml")),
        file!["bad_input/runbook-templates.txt"].raw()
    );
    assert_data_eq!(
        runbook_told(include_str!("bad_input/yaml-keys.yaml")),
        file!["bad_input/yaml-keys.txt"].raw()
    );
    assert_data_eq!(
        runbook_told(include_str!("bad_input/runbook-probes.yaml")),
        file!["bad_input/runbook-probes.txt"].raw()
    );
    assert_data_eq!(
        inventory_told(include_str!("bad_input/inventory-shapes.yaml")),
        file!["bad_input/inventory-shapes.txt"].raw()
    );
    assert_data_eq!(
        scenario_told(include_str!("bad_input/scenario-shapes.yaml")),
        file!["bad_input/scenario-shapes.txt"].raw()
    );
    assert_data_eq!(
        policy_told(include_str!("bad_input/policy-shapes.yaml")),
        file!["bad_input/policy-shapes.txt"].raw()
    );
    assert_data_eq!(policy_told("version: 1\nname: idle\n"), file!["bad_input/policy-idle.txt"].raw());
    let without_files = "version: 1\nname: p\nrehearse: [{ runbook: a, every: 1 year, plan: today }]\n";
    assert_data_eq!(policy_told(without_files), file!["bad_input/policy-plan.txt"].raw());
}

/// What a policy names must be in the runbooks whose files it names, as far as they can be read.
#[test]
fn a_policy_names_what_there_is() {
    let mut sources = Sources::default();
    let runbook = load::runbook_text(&mut sources, "r.yaml", GOOD_RUNBOOK).value.unwrap();
    let inventory = load::inventory_text(&mut sources, "i.yaml", GOOD_INVENTORY).value.unwrap();
    let text = include_str!("bad_input/policy-names.yaml");
    let Loaded { value, problems } = load::policy_text(&mut sources, "p.yaml", text);
    assert_eq!(told(&sources, &problems), "");
    let policy = value.unwrap();
    let problems = load::named_by_policy(&policy, &[("good".to_owned(), (runbook, inventory))].into());
    assert_data_eq!(told(&sources, &problems), file!["bad_input/policy-names.txt"].raw());
    assert_eq!(load::named_by_policy(&policy, &Default::default()).0, [], "nothing is known");
}

/// What a scenario names must be in the runbook and in the inventory.
#[test]
fn a_scenario_names_what_there_is() {
    let mut sources = Sources::default();
    let runbook = load::runbook_text(&mut sources, "r.yaml", GOOD_RUNBOOK).value.unwrap();
    let inventory = load::inventory_text(&mut sources, "i.yaml", GOOD_INVENTORY).value.unwrap();
    let text = include_str!("bad_input/scenario-names.yaml");
    let Loaded { value, problems } = load::scenario_text(&mut sources, "s.yaml", text);
    assert_eq!(told(&sources, &problems), "");
    let problems = load::rehearsed(&inventory, &runbook, &value.unwrap());
    assert_data_eq!(told(&sources, &problems), file!["bad_input/scenario-names.txt"].raw());
}

const GOOD_RUNBOOK: &str = include_str!("good/runbook.yaml");
const GOOD_INVENTORY: &str = include_str!("good/inventory.yaml");

/// What stops a file early.
#[test]
fn broken_yaml_is_told_with_its_line_and_the_usual_remedy() {
    let deep = format!("version: 1\nx: {}{}\n", "[".repeat(70), "]".repeat(70));
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (before, name) in ('a'..).zip('b'..='i') {
        bomb += &format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 10].join(", "));
    }
    let texts = [
        "",
        " \n\n",
        "# just a note\n",
        "---\n...\n",
        "hello",
        "- a\n- b\n",
        "version: 1\n---\nversion: 1\n",
        "version: 1\n  name: x\n",
        "name: a: b\n",
        "phases:\n\t- id: x\n",
        "phases:\n  - id: x\n\tname: x\n",
        "name: [a, b\n",
        "name: \"x\n",
        "run: {{ x }} down\n",
        "name: *office\n",
        "name: !env NAME\n",
        "name: \u{1}\n",
        "äöü: ß: x\n",
        "name: x\nphases\n",
        "\u{feff}name: x\n",
        "<<: [1]\n",
        &deep,
        &bomb,
    ];
    let told: String = texts.iter().map(|text| format!("=== {text:.60?}\n{}", runbook_told(text))).collect();
    assert_data_eq!(told, file!["bad_input/yaml.txt"].raw());
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let told = |name: &str, content: Option<&[u8]>| {
        let path = directory.path().join(name);
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let mut sources = Sources::default();
        let loaded = load::runbook(&mut sources, &path);
        assert_eq!(loaded.value, None);
        let at = directory.path().display().to_string();
        told(&sources, &loaded.problems).replace(&at, "DIR")
    };
    assert_eq!(
        told("none.yaml", None),
        "0:0 file-missing «»\n    there is no file `DIR/none.yaml`\n    hint: name a YAML file\n"
    );
    assert_eq!(
        told(".", None),
        "0:0 file-unreadable «»\n    `DIR/.` is a directory\n    hint: name a YAML file\n"
    );
    assert_eq!(told("empty.yaml", Some(b"")), "1:1 empty-file «»\n    the file is empty\n");
    assert_eq!(
        told("latin1.yaml", Some(b"version: 1\nname: b\xfcro\n")),
        "0:0 not-utf8 «»\n    `DIR/latin1.yaml` is not UTF-8 text: byte 19 on line 2 fits nowhere\n    hint: save it as UTF-8\n"
    );
    let large = "# ten megabytes of nothing\n".repeat(10 * 1024 * 1024 / 27 + 1);
    assert_eq!(
        told("large.yaml", Some(large.as_bytes())),
        "0:0 file-too-large «»\n    `DIR/large.yaml` is larger than 8 MiB, too large for a runbook or an inventory\n    \
         hint: is it the right file?\n"
    );
    assert_eq!(runbook_told(&large).lines().next(), Some("0:0 file-too-large «»"));
}

#[test]
fn paths_in_a_file_start_at_its_directory() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("site.yaml");
    std::fs::write(&path, "version: 1\nname: x\nhosts: { a: { address: a, identity_file: keys/a } }\n")
        .unwrap();
    let inventory = load::inventory(&mut Sources::default(), &path).value.unwrap();
    let blackstart::model::inventory::Reach::Ssh(settings) = &inventory.hosts["a"].reach else { panic!() };
    assert_eq!(settings.identity_files, [directory.path().join("keys/a").display().to_string()]);
}

#[test]
fn a_runbook_and_an_inventory_must_fit_together() {
    let mut sources = Sources::default();
    let inventory = load::inventory_text(&mut sources, "i.yaml", GOOD_INVENTORY).value.unwrap();
    let good = load::runbook_text(&mut sources, "r.yaml", GOOD_RUNBOOK).value.unwrap();
    assert_eq!(load::together(&inventory, &good).0, []);
    let text = "
version: 1
name: apart
phases:
  - id: only
    steps:
      - { id: a, on: edge-fww, severs: [isp-uplnk, console], run: x, undo: y }
      - { id: b, on: 'servers:&firewalls', run: x, undo: not_needed }
      - { id: c, on: 'all:!srvers, dbx*', run: x, undo: not_needed, verify: { tcp: 'db1:1', from: ap1 } }
      - { id: d, on: 'zz*', run: x, undo: not_needed }
      - { id: e, probe: { tcp: 'db1:1', from: nowhere } }
    isolates: [core, cor, internet, dmz]
";
    let bad = load::runbook_text(&mut sources, "r.yaml", text).value.unwrap();
    let problems = load::together(&inventory, &bad);
    assert_data_eq!(told(&sources, &problems), file!["bad_input/together.txt"].raw());
}

/// Good files with a stretch cut out, doubled, moved or overwritten: whatever comes out of it, nothing panics, every
/// place lies in the file, and there is a value exactly if there is no error.
#[test]
fn no_mutilation_of_a_good_file_makes_the_loader_panic() {
    let seed: u64 = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut dice = Dice(seed);
    let (mut sound, mut unsound) = (0, 0);
    for round in 0..400 {
        let inventory = round % 2 == 0;
        let text = mutilated(if inventory { GOOD_INVENTORY } else { GOOD_RUNBOOK }, &mut dice);
        let mut sources = Sources::default();
        let (value, problems) = if inventory {
            let loaded = load::inventory_text(&mut sources, "i.yaml", &text);
            (loaded.value.is_some(), loaded.problems)
        } else {
            let loaded = load::runbook_text(&mut sources, "r.yaml", &text);
            (loaded.value.is_some(), loaded.problems)
        };
        assert_eq!(value, !problems.any_error(), "seed {seed}, round {round}:\n{text}");
        for problem in &problems.0 {
            let places = problem.at.iter().chain(problem.also.iter().map(|(span, _)| span));
            for place in places {
                let (start, end) = (place.offset as usize, (place.offset + place.len) as usize);
                let kept = &sources.get(place.source).unwrap().text;
                assert!(kept.get(start..end).is_some(), "seed {seed}, round {round}: {problem:?}\n{text}");
            }
        }
        *(if value { &mut sound } else { &mut unsound }) += 1;
    }
    assert!(sound > 10 && unsound > 100, "{sound} sound, {unsound} unsound: the mutilation says little");
}

/// A small generator of numbers (xorshift), so that a seed tells the same story everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

fn mutilated(text: &str, dice: &mut Dice) -> String {
    const BITS: &[&str] = &[
        "{{",
        "}}",
        "{%",
        "\n",
        ": ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        "'",
        "\"",
        "&a ",
        "*a",
        "|",
        ">",
        "#",
        "\t",
        "é",
        "\u{0}",
        "\u{feff}",
        "null",
        "yes",
        "-1",
        "1e9",
        "<<: ",
        "? ",
        "!!int ",
        "---\n",
        "%",
        "needs",
        "{{ secrets.x }}",
        "all:!",
        "9999999999",
    ];
    let mut text = text.to_owned();
    for _ in 0..=dice.below(2) {
        let mut at = || {
            let mut at = dice.below(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let (a, b) = (at(), at());
        let (start, end) = (a.min(b), a.max(b).min(a.min(b) + 40));
        let end = (start..=end).rev().find(|end| text.is_char_boundary(*end)).unwrap();
        match dice.below(4) {
            0 => text.replace_range(start..end, ""),
            1 => {
                let doubled = text[start..end].to_owned();
                text.insert_str(start, &doubled);
            }
            2 => text.insert_str(start, BITS[dice.below(BITS.len())]),
            _ => text.replace_range(start..end.min(start + 1).max(start), BITS[dice.below(BITS.len())]),
        }
    }
    text
}

#[test]
fn ten_thousand_hosts_are_read_and_one_mistake_among_them_is_found() {
    let mut text = "version: 1\nname: large\nzones: { core: {} }\ngroups: { web: [".to_owned();
    text += &(0..10_000).step_by(2).map(|n| format!("host-{n}")).collect::<Vec<_>>().join(", ");
    text += "] }\nhosts:\n";
    for n in 0..10_000 {
        text += &format!(
            "  host-{n}: {{ address: 10.0.{}.{}, zone: core, vars: {{ wan: eth0, n: {n} }} }}\n",
            n / 256,
            n % 256
        );
    }
    let inventory = load::inventory_text(&mut Sources::default(), "i.yaml", &text).value.unwrap();
    assert_eq!((inventory.hosts.len(), inventory.groups["web"].len()), (10_000, 5_000));
    let broken = text.replace(
        "host-7777: { address: 10.0.30.97, zone: core",
        "host-7777: { address: 10.0.30.97, zone: coer",
    );
    assert_eq!(
        inventory_told(&broken),
        "7783:43 unknown-zone «coer»\n    host `host-7777` names the zone `coer`, which is not there\n    hint: did you mean `core`?\n"
    );
}

/// A JSON value of a YAML text, by the very reader that editors' language servers resemble: plain YAML, no checks.
fn as_json(text: &str) -> serde_json::Value {
    serde_yaml::from_str(text).unwrap()
}

#[test]
fn the_schema_accepts_good_files_and_refuses_broken_ones() {
    for (which, good, bad) in [
        (Which::Runbook, GOOD_RUNBOOK, &["runbook-shapes", "runbook-steps"][..]),
        (Which::Inventory, GOOD_INVENTORY, &["inventory-shapes"][..]),
        (Which::Scenario, include_str!("good/scenario.yaml"), &["scenario-shapes"][..]),
        (Which::Policy, include_str!("good/policy.yaml"), &["policy-shapes"][..]),
    ] {
        let schema = load::schema(which);
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&as_json(good))
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        assert_eq!(errors, [""; 0], "{which:?}");
        for name in bad {
            let text = std::fs::read_to_string(format!("tests/it/bad_input/{name}.yaml")).unwrap();
            let errors = validator.iter_errors(&as_json(&text)).count();
            assert!(errors > 5, "{name}: {errors}");
        }
    }
    let schema = load::schema(Which::Runbook);
    assert!(
        schema["$defs"]["Step"]["properties"]["undo"]["description"].as_str().unwrap().contains("not_needed")
    );
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn the_schemas_on_disk_are_those_of_this_program() {
    for (which, on_disk) in [
        (Which::Runbook, file!["../../schema/runbook.schema.json"]),
        (Which::Inventory, file!["../../schema/inventory.schema.json"]),
        (Which::Scenario, file!["../../schema/scenario.schema.json"]),
        (Which::Policy, file!["../../schema/policy.schema.json"]),
    ] {
        let schema = serde_json::to_string_pretty(&load::schema(which)).unwrap() + "\n";
        assert_data_eq!(schema, on_disk.raw());
    }
}
