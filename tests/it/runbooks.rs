//! What is shipped is sound: every runbook loads, fits its inventory and compiles without a single warning.

use blackstart::load;
use blackstart::model::Millis;
use blackstart::model::place::Sources;
use blackstart::plan::{self, Choices, FileFacts, Plan, graph};
use std::collections::BTreeMap;
use std::path::Path;

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

/// A runbook, the inventory it is for, and the parameters it must be given.
type Shipped = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const MINISTRY: &[(&str, &str)] = &[("incident", "INC-7"), ("first_indicator", "2026-05-18T02:40:00+09:00")];

/// Every shipped runbook.
const SHIPPED: &[Shipped] = &[
    ("hello", "local", &[]),
    ("isolate-and-restore", "lab", &[("incident", "INC-7")]),
    ("isolate-graduated", "lab", &[("incident", "INC-7")]),
    ("look-around", "lab", &[]),
    ("ministry-reconnect", "ministry", &[]),
    ("ministry-recover", "ministry", MINISTRY),
    ("reconnect", "lab", &[("incident", "INC-7")]),
    ("rotate-portal-password", "lab", &[]),
    ("water-isolate", "water", &[("incident", "INC-7")]),
    ("water-reconnect", "water", &[]),
];

fn compile(runbook: &str, inventory: &str, params: &[(&str, &str)]) -> Plan {
    let mut sources = Sources::default();
    let loaded = load::runbook(&mut sources, &Path::new(PACKAGE).join(format!("runbooks/{runbook}.yaml")));
    assert!(loaded.problems.0.is_empty(), "{runbook}: {:#?}", loaded.problems);
    let site =
        load::inventory(&mut sources, &Path::new(PACKAGE).join(format!("inventories/{inventory}.yaml")));
    assert!(site.problems.0.is_empty(), "{inventory}: {:#?}", site.problems);
    let (runbook, site) = (loaded.value.expect("no problems"), site.value.expect("no problems"));
    let together = load::together(&site, &runbook);
    assert!(together.0.is_empty(), "{together:#?}");
    let params = params.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    let choices = Choices { params, ..Choices::default() };
    let facts = |file: &str| {
        let there = Path::new(PACKAGE).join("runbooks").join(file).is_file();
        if there { Ok(FileFacts { sha256: "0".repeat(64) }) } else { Err(format!("{file} is not shipped")) }
    };
    let (plan, warnings) = plan::compile(&site, &runbook, &choices, &facts).expect("it compiles");
    assert!(warnings.0.is_empty(), "{warnings:#?}");
    plan
}

#[test]
fn every_shipped_runbook_compiles_without_a_warning() {
    for (runbook, inventory, params) in SHIPPED {
        assert!(!compile(runbook, inventory, params).tasks.is_empty(), "{runbook}");
    }
}

/// Shipped policies are sound, their runbooks are those of the names, and what they name is there.
#[test]
fn every_shipped_policy_fits_the_runbooks() {
    let mut sources = Sources::default();
    let mut seen = 0;
    for entry in std::fs::read_dir(Path::new(PACKAGE).join("policies")).expect("policies are shipped") {
        let path = entry.expect("the directory can be read").path();
        let loaded = load::policy(&mut sources, &path);
        assert_eq!(loaded.problems.0, [], "{path:?}");
        let policy = loaded.value.expect("no problems");
        let mut read = BTreeMap::new();
        for files in &policy.runbooks {
            let runbook = load::runbook(&mut sources, &files.runbook).value.expect("it is sound");
            let inventory = load::inventory(&mut sources, &files.inventory).value.expect("it is sound");
            assert_eq!(runbook.name, files.name.value);
            read.insert(files.name.value.clone(), (runbook, inventory));
        }
        assert_eq!(load::named_by_policy(&policy, &read).0, [], "{path:?}");
        seen += 1;
    }
    assert!(seen > 0);
}

/// What `plan` expects of the whole is reached from the start as it is from the end, minimum waits between phases included.
#[test]
fn the_longest_way_is_as_long_from_either_end() {
    for (runbook, inventory, params) in SHIPPED {
        let plan = compile(runbook, inventory, params);
        let forwards = graph::ends(&plan).into_iter().max();
        assert_eq!(forwards, plan.steps.iter().map(|step| step.urgency).max(), "{runbook}");
    }
    let plan = compile("ministry-recover", "ministry", MINISTRY);
    let first = plan.steps[plan.step_named("reset-first").expect("it is there").at()].urgency;
    let all = plan.steps.iter().map(|step| step.urgency).max().expect("it has steps");
    // Hours lie before the first reset, and ten more between it and the second.
    assert!(first >= Millis::from_secs(10 * 3600) && all.0 >= first.0 + 2 * 3_600_000, "{all} {first}");
}

#[test]
fn every_runbook_file_is_among_them() {
    let mut files: BTreeMap<String, ()> = BTreeMap::new();
    for entry in std::fs::read_dir(Path::new(PACKAGE).join("runbooks")).expect("runbooks are shipped") {
        let path = entry.expect("the directory can be read").path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            files.insert(path.file_stem().expect("it has a name").to_string_lossy().into_owned(), ());
        }
    }
    let shipped: Vec<&str> = SHIPPED.iter().map(|(runbook, ..)| *runbook).collect();
    assert_eq!(files.into_keys().collect::<Vec<_>>(), shipped);
}

#[test]
fn the_isolating_phase_severs_every_way_out_before_anything_is_rebuilt() {
    let plan = compile("isolate-and-restore", "lab", &[("incident", "INC-7")]);
    let severed: Vec<String> =
        plan.steps.iter().flat_map(|step| &step.severs).map(ToString::to_string).collect();
    assert_eq!(severed, ["isp-uplink", "isp2-uplink", "remote-access", "vendor-vpn", "vendor-support"]);
    let phase = |id: &str| plan.phase_named(id).expect("the phase is there");
    assert!(phase("isolate") < phase("evidence") && phase("evidence") < phase("restore"));
    // Each cut is proved: something that must be closed, and something that must go on working.
    for step in plan.steps.iter().filter(|step| !step.severs.is_empty()) {
        assert!(step.verify.len() >= 3, "{}", step.id);
    }
}
