//! A plan from a few lines, through the same files and readers as any other.
//!
//! ```text
//! zones core dmz                         besides `management`, where the controller stands
//! mgmt-core: management > core           one way; `<>` both; `oob` behind it
//! host db1 core via bastion              `named`: its address is a name; `nowhere` for no zone
//! names dns1                             name servers
//! phase isolate continue
//! cut on fw severs mgmt-core undo needs a,b@ after c waves 1,1 guard revert
//! ```
//! `b@` is needed on the same host only; `out HOST` leaves a host out. A step without `on` is the controller's.

use blackstart::load;
use blackstart::model::Millis;
use blackstart::model::guard::{Guard, Otherwise};
use blackstart::model::place::Sources;
use blackstart::plan::{Choices, Plan, compile};
use std::fmt::Write;

/// The plan of a sketch.
pub fn plan(title: &str, sketch: &str) -> Plan {
    let (inventory, runbook, guards) = files(sketch);
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let mut sources = Sources::default();
    let loaded = load::inventory(&mut sources, &write("inventory.yaml", &inventory));
    let site = loaded.value.unwrap_or_else(|| panic!("{title}: {:?}\n{inventory}", loaded.problems));
    let loaded = load::runbook(&mut sources, &write("runbook.yaml", &runbook));
    let book = loaded.value.unwrap_or_else(|| panic!("{title}: {:?}\n{runbook}", loaded.problems));
    let compiled = compile(&site, &book, &Choices::default(), &|_| Err("no file".into()));
    let (mut plan, _) =
        compiled.unwrap_or_else(|problems| panic!("{title}: {problems:?}\n{inventory}\n{runbook}"));
    for (id, otherwise) in guards {
        let step = plan.step_named(&id).expect("the step was just written");
        plan.steps[step.at()].guard = Some(Guard {
            within: Millis(60_000),
            otherwise: Some(otherwise),
            self_test: false,
            repeat: None,
        });
    }
    plan
}

fn files(sketch: &str) -> (String, String, Vec<(String, Otherwise)>) {
    let mut zones = String::from("zones:\n  management: {}\n");
    let (mut conduits, mut hosts, mut names) = (String::new(), String::new(), String::new());
    let mut controller = "zone: management";
    let mut phases = String::from("phases:\n");
    let mut guards = Vec::new();
    for line in sketch.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["zones", rest @ ..] => rest.iter().for_each(|zone| writeln!(zones, "  {zone}: {{}}").unwrap()),
            ["lost", "controller"] => controller = "",
            ["names", rest @ ..] => names = format!("name_servers: [{}]", rest.join(", ")),
            ["host", name, zone, rest @ ..] => {
                let zone = if *zone == "nowhere" { String::new() } else { format!(", zone: {zone}") };
                let nth = hosts.lines().count() + 1;
                let address = match rest.contains(&"named") {
                    true => format!("{name}.example"),
                    false => format!("10.0.0.{nth}"),
                };
                let via =
                    rest.iter().position(|word| *word == "via").map(|at| format!(", jump: {}", rest[at + 1]));
                writeln!(hosts, "  {name}: {{ address: {address}{zone}{} }}", via.unwrap_or_default())
                    .unwrap();
            }
            ["phase", id, rest @ ..] => {
                let policy = rest.first().unwrap_or(&"stop");
                writeln!(phases, "  - id: {id}\n    on_failure: {policy}\n    steps:").unwrap();
            }
            [name, from, way, to, rest @ ..] if name.ends_with(':') => {
                let ends = match *way {
                    "<>" => format!("between: [{from}, {to}]"),
                    _ => format!("from: {from}, to: {to}"),
                };
                let oob = if rest.contains(&"oob") { ", out_of_band: true" } else { "" };
                writeln!(conduits, "  {name} {{ {ends}{oob} }}").unwrap();
            }
            [id, rest @ ..] => step(id, rest, &mut phases, &mut guards),
            [] => {}
        }
    }
    let conduits = if conduits.is_empty() { String::new() } else { format!("conduits:\n{conduits}") };
    let comma = if names.is_empty() || controller.is_empty() { "" } else { ", " };
    let inventory = format!(
        "version: 1\nname: sketch\ncontroller: {{ {controller}{comma}{names} }}\n{zones}{conduits}\
         defaults: {{ agent: false, ssh_config: false }}\nhosts:\n{hosts}"
    );
    (inventory, format!("version: 1\nname: sketch\n{phases}"), guards)
}

fn step(id: &str, rest: &[&str], phases: &mut String, guards: &mut Vec<(String, Otherwise)>) {
    let (mut undo, mut action, mut keys) =
        ("not_needed".to_owned(), "run: \"true\"".to_owned(), String::new());
    let mut verify = String::new();
    let mut words = rest.iter();
    let flow = |list: &str| {
        let items: Vec<String> = list
            .split(',')
            .map(|item| match item.strip_suffix('@') {
                Some(step) => format!("{{ step: {step}, same_host: true }}"),
                None => item.to_owned(),
            })
            .collect();
        format!("[{}]", items.join(", "))
    };
    while let Some(word) = words.next() {
        let mut next = || *words.next().expect("the word wants another");
        match *word {
            "on" => writeln!(keys, "        on: \"{}\"", next()).unwrap(),
            "out" => writeln!(keys, "        when: host.name != '{}'", next()).unwrap(),
            // Whoever cuts says how that is taken back, or that it cannot be.
            "severs" => {
                writeln!(keys, "        severs: {}", flow(next())).unwrap();
                if undo == "not_needed" {
                    undo = "{ impossible: by hand only }".to_owned();
                }
            }
            "reconnects" => writeln!(keys, "        reconnects: {}", flow(next())).unwrap(),
            "needs" => writeln!(keys, "        needs: {}", flow(next())).unwrap(),
            "after" => writeln!(keys, "        after: {{ step: {}, at_least: 1s }}", next()).unwrap(),
            "waves" => writeln!(keys, "        batch: [{}]", next()).unwrap(),
            "undo" => undo = "\"true\"".to_owned(),
            "impossible" => undo = "{ impossible: it is gone }".to_owned(),
            "check" => writeln!(keys, "        check: \"true\"").unwrap(),
            "manual" => action = "manual: Do it.".to_owned(),
            "probe" => action = format!("probe: {{ tcp: \"192.0.2.9:443\", from: {} }}", next()),
            "fetch" => action = "fetch: { output: \"true\", name: out.txt }".to_owned(),
            "look" => {
                writeln!(verify, "          - {{ tcp: \"192.0.2.9:443\", from: {}, expect: closed }}", next())
                    .unwrap()
            }
            "guard" => guards.push((
                id.to_owned(),
                match next() {
                    "revert" => Otherwise::Revert,
                    _ => Otherwise::Hold,
                },
            )),
            other => panic!("`{other}` is no word of a sketch"),
        }
    }
    if !verify.is_empty() {
        write!(keys, "        verify:\n{verify}").unwrap();
    }
    writeln!(phases, "      - id: {id}\n        {action}\n        undo: {undo}\n{keys}").unwrap();
}
