//! The steady watch of services: what goes down and comes back is on record, what cannot be seen is not down.

use super::servers::Port;
use super::site::{host, lines, of_kind, put};
use crate::support::sshd::{Sshd, free_port};
use crate::support::transcript::Desk;
use serde_json::Value;

/// Waits on the host until the journal of the run says so; the step's own limit is the test's.
fn until(desk: &Desk, word: &str) -> String {
    let dir = desk.path().display().to_string();
    format!(
        "until cat {dir}/runs/*/journal.jsonl {dir}/runs/*/*/journal.jsonl 2>/dev/null | grep -q '{word}'; do sleep 0.2; done"
    )
}

#[test]
fn what_goes_down_and_comes_back_is_on_record() {
    let sshd = Sshd::start();
    let gone = free_port("127.0.0.1".parse().unwrap()).port();
    let (port, desk) = (Port::open(), Desk::bare());
    let lost = host("gone", &sshd).replace(&format!("port: {}", sshd.addr.port()), &format!("port: {gone}"));
    put(
        &desk,
        "site.yaml",
        &format!(
            "version: 1\nname: site\nzones: {{ core: {{}} }}\nservices:\n\
             \x20 records: {{ in: core, probe: {{ tcp: \"127.0.0.1:{port}\" }} }}\n\
             \x20 records-near: {{ in: core, probe: {{ tcp: \"127.0.0.1:{port}\", from: near }} }}\n\
             \x20 unseen: {{ in: core, probe: {{ tcp: \"127.0.0.1:{port}\", from: gone }} }}\n\
             \x20 nobody-asks: {{ in: core }}\n\
             hosts:\n  here: {{ connection: local }}\n{}{lost}",
            host("near", &sshd),
            port = port.port,
        ),
    );
    let step = |id: &str, needs: &str, run: &str| {
        format!(
            "      - id: {id}\n        on: here\n{needs}        run: \"{run}\"\n        undo: not_needed\n"
        )
    };
    let seen = |service: &str, stands: &str| {
        until(&desk, &format!(r#"service_seen.*{service}.,.stands.:.{stands}"#))
    };
    let steps = [
        step("is-up", "", &format!("{}; {}", seen("records", "up"), seen("records-near", "up"))),
        step("end-it", "        needs: is-up\n", &port.switch()),
        step(
            "is-down",
            "        needs: end-it\n",
            &format!("{}; {}", seen("records", "down"), seen("records-near", "down")),
        ),
        step("start-it", "        needs: is-down\n", &port.switch()),
    ]
    .concat();
    put(&desk, "work.yaml", &format!("version: 1\nname: work\nphases:\n  - id: work\n    steps:\n{steps}"));

    let run = "blackstart run work.yaml -i site.yaml --yes --format json";
    let (lines, code) = lines(&desk, &format!("{run} --watch-services 1s"));
    assert_eq!(code, 0, "{lines:#?}");
    let story = |service: &str| -> Vec<String> {
        let seen = of_kind(&lines, "service_seen").into_iter().map(|line| &line["event"]["service_seen"]);
        let seen = seen.filter(|seen| seen["service"] == service);
        seen.map(|seen| seen["stands"].as_str().unwrap().to_owned()).collect()
    };
    for service in ["records", "records-near"] {
        assert_eq!(story(service)[..2], ["up", "down"], "only changes are on record");
    }
    assert!(story("unseen").iter().all(|stands| stands == "unknown"), "{:?}", story("unseen"));
    assert!(story("nobody-asks").is_empty());
    let services = lines.last().unwrap()["recap"]["services"].as_array().unwrap().clone();
    let records: &Value = services.iter().find(|facts| facts["service"] == "records").unwrap();
    assert!(
        records["down_ms"].as_u64().unwrap() > 0 && records["down"][0]["from"].is_string(),
        "{records:#}"
    );

    let shown = desk.type_in("blackstart show last").stdout;
    assert!(shown.contains("service records: DOWN: tcp 127.0.0.1:"), "{shown}");
    assert!(shown.contains("\nServices\n"), "{shown}");
}

#[test]
fn nobody_watches_who_does_not_want_to_or_only_looks() {
    let (port, desk) = (Port::open(), Desk::bare());
    put(
        &desk,
        "site.yaml",
        &format!(
            "version: 1\nname: site\nzones: {{ core: {{}} }}\nservices:\n\
             \x20 records: {{ in: core, probe: {{ tcp: \"127.0.0.1:{}\" }} }}\n\
             hosts: {{ here: {{ connection: local }} }}\n",
            port.port
        ),
    );
    put(
        &desk,
        "work.yaml",
        "version: 1\nname: work\nphases:\n  - id: work\n    steps:\n      - { id: one, on: here, run: \"true\", undo: not_needed }\n",
    );
    let (lines, code) =
        lines(&desk, "blackstart run work.yaml -i site.yaml --yes --format json --watch-services off");
    assert_eq!((code, of_kind(&lines, "service_seen").len()), (0, 0));
    let dry = desk.type_in("blackstart run work.yaml -i site.yaml --dry-run");
    assert!(!dry.stdout.contains("records") && !dry.stderr.contains("records"), "{}", dry.stdout);
    let came = desk.type_in("blackstart run work.yaml -i site.yaml --yes --watch-services 10ms");
    assert_eq!(came.code, 2);
    assert!(came.stderr.contains("or `off`"), "{}", came.stderr);
}
