//! A silence proves a cut only if there was an answer before it.

use super::servers::{Port, nobody};
use super::site::{json, lines, of_kind, put};
use crate::support::transcript::Desk;
use serde_json::Value;

/// A cut on this machine that closes one port; its verify looks at that port and at one that never was open.
fn desk(port: &Port, never: u16) -> Desk {
    let desk = Desk::bare();
    put(
        &desk,
        "site.yaml",
        "version: 1\nname: site\ncontroller: { zone: core }\nzones: { out: { trust: external }, core: {} }\n\
         conduits: { uplink: { between: [out, core] } }\n\
         hosts: { fw: { connection: local, zone: core } }\n",
    );
    let runbook = format!(
        "version: 1\nname: cut\nphases:\n  - id: isolate\n    steps:\n      - id: cut-uplink\n        on: fw\n        \
         severs: uplink\n        check: test -e {dir}/cut\n        run: |\n          {switch}\n          touch {dir}/cut\n        \
         undo: rm {dir}/cut\n        verify:\n          \
         - {{ tcp: \"127.0.0.1:{open}\", expect: closed }}\n          \
         - {{ tcp: \"127.0.0.1:{never}\", expect: closed }}\n          \
         - {{ command: \"test -e {dir}/cut\" }}\n      - id: still\n        needs: cut-uplink\n        \
         probe: {{ tcp: \"127.0.0.1:{never}\", from: fw, expect: closed }}\n",
        dir = desk.path().display(),
        switch = port.switch(),
        open = port.port,
    );
    put(&desk, "cut.yaml", &runbook);
    desk
}

fn kinds(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["kind"].as_str().unwrap()).collect()
}

#[test]
fn a_run_looks_before_it_cuts_and_says_which_silences_prove_nothing() {
    let (port, never) = (Port::open(), nobody());
    let desk = desk(&port, never);
    let (dry, _) = json(&desk, "blackstart run cut.yaml -i site.yaml --dry-run --format json");
    let before: Vec<&Value> =
        dry["probes"].as_array().unwrap().iter().map(|probe| &probe["before"]).collect();
    assert_eq!(
        before,
        ["open", "not_open", "null", "not_open"]
            .map(|word| if word == "null" { Value::Null } else { word.into() })
            .iter()
            .collect::<Vec<_>>()
    );

    let (lines, code) = lines(&desk, "blackstart run cut.yaml -i site.yaml --yes --format json");
    assert_eq!(code, 0, "{lines:#?}");
    let kinds = kinds(&lines);
    let first = |kind: &str| kinds.iter().position(|other| *other == kind).unwrap();
    assert!(first("baseline") < first("job_started"), "{kinds:?}");
    assert_eq!(of_kind(&lines, "baseline").len(), 1);
    let seen = of_kind(&lines, "baseline")[0]["event"]["baseline"]["probes"].as_array().unwrap().clone();
    assert_eq!(seen.len(), 3, "each vantage point and target once: {seen:#?}");
    let proof = &lines.last().unwrap()["recap"]["proof"];
    assert_eq!((&proof["negative"], &proof["proved"]), (&3.into(), &1.into()), "{proof:#}");
    let others = proof["others"].as_array().unwrap();
    assert!(others.iter().all(|other| other["before"] == "not_open" && other["closed"] == true), "{proof:#}");

    let shown = desk.type_in("blackstart show last").stdout;
    for said in [
        "isolation proved by 1 of 3 negative probes; 2 prove nothing",
        &format!("tcp 127.0.0.1:{never} from the controller: PROVES NOTHING: was not open before"),
        "1 of 3 negative probes open before the first cut",
    ] {
        assert!(shown.contains(said), "`{said}` is not in:\n{shown}");
    }
}

#[test]
fn without_the_look_nothing_is_proved_and_with_the_cut_in_place_there_was_nothing_to_see() {
    let (port, never) = (Port::open(), nobody());
    let desk = desk(&port, never);
    let run = "blackstart run cut.yaml -i site.yaml --yes --format json";
    let (unlooked, code) = lines(&desk, &format!("{run} --no-baseline"));
    assert_eq!(code, 0);
    let proof = &unlooked.last().unwrap()["recap"]["proof"];
    assert_eq!((&proof["negative"], &proof["proved"]), (&3.into(), &0.into()), "{proof:#}");
    assert!(proof["baseline"].as_str().unwrap().contains("--no-baseline"), "{proof:#}");
    assert!(proof["others"].as_array().unwrap().iter().all(|other| other["before"] == "not_looked"));

    // The cut is in place: `check` says so, and what stays silent after it was silent before.
    let (again, code) = lines(&desk, run);
    assert_eq!(code, 0);
    let proof = &again.last().unwrap()["recap"]["proof"];
    assert_eq!((&proof["negative"], &proof["proved"]), (&1.into(), &0.into()), "{proof:#}");
    assert_eq!(proof["others"][0]["before"], "cut_already", "{proof:#}");
}

#[test]
fn a_resumed_run_does_not_look_again() {
    let (port, never) = (Port::open(), nobody());
    let desk = desk(&port, never);
    let runbook = std::fs::read_to_string(desk.path().join("cut.yaml")).unwrap();
    let failing = runbook.replace(
        "      - id: still\n",
        "      - id: mended\n        on: fw\n        needs: cut-uplink\n        run: test -e mended || test -e $HOME/mended\n        undo: not_needed\n      - id: still\n",
    );
    put(
        &desk,
        "cut.yaml",
        &failing.replace("needs: cut-uplink\n        probe", "needs: mended\n        probe"),
    );
    let (first, code) = lines(&desk, "blackstart run cut.yaml -i site.yaml --yes --format json");
    assert_eq!((code, of_kind(&first, "baseline").len()), (22, 1), "{first:#?}");
    put(&desk, "mended", "");
    let (then, code) = lines(&desk, "blackstart resume last --yes --format json");
    assert_eq!((code, of_kind(&then, "baseline").len()), (0, 0), "{then:#?}");
    let proof = &then.last().unwrap()["recap"]["proof"];
    assert_eq!((&proof["negative"], &proof["proved"]), (&3.into(), &1.into()), "{proof:#}");
}
