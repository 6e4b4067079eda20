//! What good files mean, value by value.

use blackstart::load;
use blackstart::model::Millis;
use blackstart::model::inventory::{Become, Inventory, Reach, ServicePlace, SshSettings};
use blackstart::model::names::{ConduitName, HostName, SecretName, ServiceName, StepId, ZoneName};
use blackstart::model::place::Sources;
use blackstart::model::probe::{Expect, Probe, ProbeKind, Vantage};
use blackstart::model::runbook::{
    Action, Approve, Fetch, Moment, ParamKind, Policy, Retry, Runbook, Share, Step, Undo, Upload, Verify,
};
use blackstart::model::secret::SecretSource;
use serde_json::json;

fn runbook() -> Runbook {
    let text = include_str!("good/runbook.yaml");
    let loaded = load::runbook_text(&mut Sources::default(), "books/good.yaml", text);
    assert_eq!(loaded.problems.0, []);
    loaded.value.unwrap()
}

fn inventory() -> Inventory {
    let text = include_str!("good/inventory.yaml");
    let loaded = load::inventory_text(&mut Sources::default(), "sites/good.yaml", text);
    assert_eq!(loaded.problems.0, []);
    loaded.value.unwrap()
}

fn ssh(inventory: &Inventory, host: &str) -> SshSettings {
    match &inventory.hosts[host].reach {
        Reach::Ssh(settings) => (**settings).clone(),
        Reach::Local(_) => panic!("{host} is reached over SSH"),
    }
}

fn step(runbook: &Runbook, id: &str) -> Step {
    let mut steps = runbook.phases.iter().flat_map(|phase| &phase.steps);
    steps.find(|step| step.id.value.as_str() == id).unwrap().clone()
}

#[test]
fn connection_settings_are_complete() {
    let inventory = inventory();
    assert_eq!(
        ssh(&inventory, "edge-fw"),
        SshSettings {
            address: "10.10.0.1".into(),
            port: None,
            user: Some("ops".into()),
            identity_files: vec!["sites/keys/ops".into()],
            agent: true,
            password: None,
            passphrase: None,
            jump: Some(HostName::from("bastion")),
            known_hosts: vec!["sites/known_hosts".into(), "/etc/ssh/known".into()],
            ssh_config: true,
            becomes: Become::Sudo { user: "root".into(), password: None },
            shell: None,
            receipts_dir: None,
            connect_timeout: Millis::from_secs(10),
            legacy_crypto: false,
        }
    );
    assert_eq!(
        ssh(&inventory, "db1"),
        SshSettings {
            address: "10.20.0.5".into(),
            port: None,
            user: Some("ops".into()),
            identity_files: vec!["sites/keys/ops".into()],
            agent: false,
            password: Some(SecretName::from("db_login")),
            passphrase: Some(SecretName::from("key_pass")),
            jump: Some(HostName::from("bastion")),
            known_hosts: vec!["sites/known_hosts".into(), "/etc/ssh/known".into()],
            ssh_config: false,
            becomes: Become::Sudo { user: "postgres".into(), password: Some(SecretName::from("ops_sudo")) },
            shell: Some("/bin/bash".into()),
            receipts_dir: Some("/srv/receipts".into()),
            connect_timeout: Millis::from_secs(3),
            legacy_crypto: false,
        }
    );
    let bastion = ssh(&inventory, "bastion");
    assert_eq!((bastion.port, bastion.jump, bastion.becomes), (Some(2222), None, Become::No));
    let core_fw = ssh(&inventory, "core-fw");
    assert_eq!((core_fw.jump, core_fw.legacy_crypto), (None, true));
    assert_eq!(core_fw.identity_files, ["~/.ssh/fw"]);
    assert_eq!(ssh(&inventory, "app1").address, "fd00::5");
    let desk = &inventory.hosts["desk"].reach;
    assert_eq!(*desk, Reach::Local(Become::Sudo { user: "root".into(), password: None }));
}

#[test]
fn groups_are_resolved_and_the_innermost_variable_wins() {
    let inventory = inventory();
    let members =
        |group: &str| -> Vec<&str> { inventory.groups[group].iter().map(HostName::as_str).collect() };
    assert_eq!(members("firewalls"), ["core-fw", "edge-fw"]);
    assert_eq!(members("vital"), ["app1", "core-fw", "db1"]);
    let groups = |host: &str| -> Vec<&str> {
        inventory.hosts[host].groups.iter().map(|group| group.as_str()).collect()
    };
    assert_eq!(groups("db1"), ["servers", "vital"]);
    assert_eq!(groups("core-fw"), ["firewalls", "vital"]);
    assert_eq!(groups("desk"), [""; 0]);
    let vars = |host: &str| serde_json::to_value(&inventory.hosts[host].vars).unwrap();
    // `servers` stands within `vital`, so that its tier beats that one's.
    assert_eq!(vars("app1"), json!({"region": "north", "retries": 3, "tier": 2, "watch": true}));
    assert_eq!(
        vars("db1"),
        json!({"region": "west", "retries": 3, "tier": 2, "watch": true, "mounts": ["/srv", "/var"], "80": "http"})
    );
    assert_eq!(vars("core-fw"), json!({"region": "east", "retries": 3, "tier": 1, "watch": true}));
}

#[test]
fn the_site_is_as_it_was_drawn() {
    let inventory = inventory();
    assert_eq!(inventory.name, "ministry-office");
    assert_eq!(inventory.controller_zone, Some(ZoneName::from("management")));
    assert_eq!(inventory.name_servers, [HostName::from("app1")]);
    let zone = |name: &str| {
        let zone = &inventory.zones[name];
        (zone.external, zone.assume_compromised, zone.critical)
    };
    assert_eq!(zone("internet"), (true, false, false));
    assert_eq!(zone("office"), (false, true, false));
    assert_eq!(zone("core"), (false, false, true));
    assert_eq!(zone("dmz"), (false, false, false));
    let vpn = &inventory.conduits["vendor-vpn"];
    assert_eq!(vpn.ends, (ZoneName::from("partners"), ZoneName::from("core")));
    assert_eq!((vpn.both_ways, vpn.level, vpn.out_of_band), (false, Some(1), false));
    assert_eq!(vpn.enforced_by, Some(HostName::from("core-fw")));
    assert!(inventory.conduits["isp-uplink"].both_ways && inventory.conduits["console"].out_of_band);
    let records = &inventory.services["records"];
    assert_eq!(records.place, ServicePlace::Host(HostName::from("app1")));
    assert_eq!(records.needs, [ServiceName::from("dns"), ServiceName::from("records-db")]);
    assert_eq!(records.rto, Some(Millis::from_secs(4 * 3600)));
    let probe = records.probe.clone().unwrap();
    assert_eq!(probe.from, Some(Vantage::Host(HostName::from("core-fw"))));
    assert_eq!(
        probe.what,
        ProbeKind::Http {
            host: "app1".into(),
            port: 8080,
            path: "/health".into(),
            status: Some(200),
            contains: None
        }
    );
    assert_eq!(inventory.services["cloud-idp"].place, ServicePlace::Zone(ZoneName::from("internet")));
    assert_eq!(inventory.secrets["key_pass"], SecretSource::File("sites/secrets/key-pass".into()));
    assert_eq!(inventory.secrets["ops_sudo"], SecretSource::Env("OPS_SUDO".into()));
}

#[test]
fn the_head_of_a_runbook_is_as_it_was_written() {
    let runbook = runbook();
    assert_eq!(runbook.name, "isolate-and-restore");
    assert!(runbook.summary.as_deref().is_some_and(|summary| summary.starts_with("Cut the office off")));
    let incident = &runbook.params["incident"];
    assert_eq!((incident.kind, incident.required, &incident.default), (ParamKind::String, true, &None));
    let wave = &runbook.params["wave"];
    assert_eq!((wave.kind, wave.required, wave.default.clone()), (ParamKind::Integer, false, Some(json!(2))));
    assert_eq!(wave.choices, [json!(1), json!(2), json!(5)]);
    assert_eq!(runbook.params["loud"].default, Some(json!(false)));
    assert_eq!(runbook.vars["backup"], json!("/srv/backup"));
    assert_eq!(runbook.secrets["token"], SecretSource::File("books/token.txt".into()));
    assert_eq!(runbook.secrets["db_password"], SecretSource::Command("pass show db".into()));
    let [isolated, back] = runbook.objectives.as_slice() else { panic!() };
    assert_eq!((&isolated.from, &isolated.to), (&Moment::Start, &Moment::Phase("isolate".into())));
    assert_eq!((&back.from, &back.to), (&Moment::Phase("isolate".into()), &Moment::Step("start-app".into())));
    assert_eq!(back.within, Millis::from_secs(4 * 3600));
    let policies: Vec<Policy> = runbook.phases.iter().map(|phase| phase.on_failure).collect();
    assert_eq!(policies, [Policy::Stop, Policy::Rollback]);
    assert_eq!(runbook.phases[0].title.as_deref(), Some("Cut"));
}

#[test]
fn a_step_with_everything_is_as_it_was_written() {
    let runbook = runbook();
    let cut = step(&runbook, "cut-isp");
    assert_eq!(cut.title.as_deref(), Some("Drop every packet to and from the provider"));
    assert_eq!(cut.on.as_ref().unwrap().value, "firewalls:&edge-*");
    assert_eq!(cut.severs[0].value, ConduitName::from("isp-uplink"));
    assert_eq!(cut.check.as_ref().unwrap().value, "nft list chain inet blackstart cut_isp");
    assert_eq!(cut.snapshot.as_ref().unwrap().value, "nft list ruleset");
    let Action::Run(script) = &cut.action else { panic!("it runs a script") };
    assert!(script.value.starts_with("nft -f - <<'NFT'\ntable inet") && script.value.contains("${#HOME}"));
    assert_eq!(cut.undo.value, Undo::By("nft delete chain inet blackstart cut_isp".into()));
    assert_eq!((cut.timeout, cut.estimate), (Millis::from_secs(20), Some(Millis::from_secs(5))));
    assert_eq!((cut.idempotent, cut.becomes, cut.max_failures), (true, None, None));
    assert_eq!(cut.retry, Retry { attempts: 1, delay: Millis(0) });
    assert_eq!(cut.when.as_ref().unwrap().value, "host.vars.wan is defined and params.wave > 1");
    let verify: Vec<&Verify> = cut.verify.iter().map(|verify| &verify.value).collect();
    let tcp = |host: &str, port| ProbeKind::Tcp { host: host.into(), port };
    let from_app = Probe {
        what: tcp("203.0.113.10", 443),
        from: Some(Vantage::Host(HostName::from("app1"))),
        expect: Expect::Closed,
        timeout: Millis::from_secs(3),
        within: Millis::from_secs(10),
    };
    let from_task = Probe {
        what: tcp("db1", 5432),
        from: Some(Vantage::Task),
        expect: Expect::Open,
        timeout: Millis(500),
        within: Millis(0),
    };
    let command = Probe {
        what: ProbeKind::Command { script: "ping -c1 db1".into() },
        from: None,
        expect: Expect::Open,
        timeout: Millis::from_secs(30),
        within: Millis(0),
    };
    let script = Verify::Script("test -e /proc/net".into());
    assert_eq!(
        verify,
        [&Verify::Probe(from_app), &Verify::Probe(from_task), &Verify::Probe(command), &script]
    );
}

#[test]
fn every_kind_of_step_is_as_it_was_written() {
    let runbook = runbook();
    let logs = step(&runbook, "keep-logs");
    assert_eq!(logs.action, Action::Fetch(Fetch::File { path: "/var/log/auth.log".into() }));
    assert_eq!(logs.batch, [Share::Hosts(1), Share::Percent(25), Share::Percent(100)]);
    assert_eq!((logs.max_failures, &logs.undo.value), (Some(Share::Percent(10)), &Undo::NotNeeded));
    let sockets = step(&runbook, "keep-sockets");
    let output = Fetch::Output { script: "ss -tanp".into(), name: "sockets.txt".into() };
    assert_eq!((sockets.action, sockets.becomes), (Action::Fetch(output), Some(false)));
    let declare = step(&runbook, "declare-clean");
    assert!(matches!(&declare.action, Action::Manual(text) if text.value.contains("{{ params.incident }}")));
    let two = Approve { others: true, ..Approve::of(2) };
    assert_eq!((declare.approve, declare.on), (Some(two), None));
    let upload = Upload {
        file: "files/{{ host.name }}.conf".into(),
        to: "/etc/db.conf".into(),
        mode: 0o644,
        owner: Some("root:root".into()),
        sha256: None,
    };
    assert_eq!(step(&runbook, "put-config").action, Action::Upload(upload));
    let app = step(&runbook, "start-app");
    let needs: Vec<(&str, bool)> =
        app.needs.iter().map(|need| (need.value.step.as_str(), need.value.same_host)).collect();
    assert_eq!(needs, [("declare-clean", false), ("put-config", true)]);
    assert_eq!(app.env["PGPASSWORD"].value, "{{ secrets.db_password }}");
    assert_eq!(app.undo.value, Undo::Impossible("people use it at once".into()));
    assert_eq!(app.retry, Retry { attempts: 3, delay: Millis::from_secs(2) });
    let settle = step(&runbook, "settle");
    let after = settle.after.unwrap();
    assert_eq!(
        (after.step.value, after.at_least),
        (StepId::from("declare-clean"), Millis::from_secs(36_000))
    );
    assert_eq!(settle.action, Action::Wait(Millis::from_secs(90)));
    let Action::Probe(answers) = step(&runbook, "answers").action else { panic!("it probes") };
    assert!(matches!(&answers.value.what, ProbeKind::Http { path, contains: Some(ok), .. }
        if path == "/health?full=1" && ok == "ok"));
}

#[test]
fn aliases_and_merge_keys_are_honoured() {
    let text = "version: 1\nname: x\nhosts:\n  a: &base { address: 10.0.0.1, user: ops, vars: { n: 1 } }\n  \
                b: { <<: *base, address: 10.0.0.2 }\n";
    let loaded = load::inventory_text(&mut Sources::default(), "i.yaml", text);
    let inventory = loaded.value.unwrap();
    let b = ssh(&inventory, "b");
    assert_eq!((b.address.as_str(), b.user.as_deref()), ("10.0.0.2", Some("ops")));
    assert_eq!(inventory.hosts["b"].vars["n"], json!(1));
}

#[test]
fn the_examples_of_the_format_are_sound_and_fit_together() {
    let page = include_str!("../../docs/FORMAT.md");
    let example = |kind: &str| {
        let start = page.split_once(&format!("```yaml {kind}\n")).expect("there is an example").1;
        start.split_once("```").expect("it ends").0
    };
    let mut sources = Sources::default();
    let inventory = load::inventory_text(&mut sources, "inventory.yaml", example("inventory"));
    assert_eq!(inventory.problems.0, []);
    let runbook = load::runbook_text(&mut sources, "runbook.yaml", example("runbook"));
    assert_eq!(runbook.problems.0, []);
    assert_eq!(load::together(&inventory.value.unwrap(), &runbook.value.unwrap()).0, []);
    let scenario = load::scenario_text(&mut sources, "scenario.yaml", example("scenario"));
    assert_eq!(scenario.problems.0, []);
    let policy = load::policy_text(&mut sources, "policy.yaml", example("policy"));
    assert_eq!(policy.problems.0, []);
}

/// What a policy means, key by key.
#[test]
fn a_policy_is_read_as_it_is_meant() {
    use blackstart::model::event::Mode;
    use blackstart::model::policy::{ProvedBy, Wanted, What};
    let text = include_str!("good/policy.yaml");
    let loaded = load::policy_text(&mut Sources::default(), "policies/p.yaml", text);
    assert_eq!(loaded.problems.0, []);
    let policy = loaded.value.unwrap();
    assert_eq!(policy.since.unwrap().to_string(), "2026-04-01");
    assert_eq!(policy.zone.as_ref().unwrap().iana_name(), Some("Asia/Tokyo"));
    let files = &policy.runbooks[0];
    assert_eq!(files.runbook.to_str(), Some("policies/../runbook.yaml"));
    assert_eq!(files.inventory.to_str(), Some("/srv/inventory.yaml"));
    let params: Vec<&str> = files.params.values().map(String::as_str).collect();
    assert_eq!(params, ["3", "true", "INC-7"]);
    let rehearsals: Vec<_> = policy
        .duties
        .iter()
        .filter_map(|duty| match &duty.what {
            What::Rehearse { mode, result, narrowed, any_plan, .. } => {
                Some((*mode, *result, *narrowed, *any_plan, duty.every.to_string(), duty.control.len()))
            }
            What::Restore(_) | What::Verify(_) => None,
        })
        .collect();
    assert_eq!(
        rehearsals,
        [
            (Mode::Tabletop, Wanted::Completed, false, true, "3 months".to_owned(), 0),
            (Mode::Drill, Wanted::Met, true, false, "15 months".to_owned(), 2),
            (Mode::Live, Wanted::Ended, false, true, "1 year 6 months".to_owned(), 1),
        ]
    );
    let proofs = policy.duties[3..].iter().map(|duty| match &duty.what {
        What::Restore(proof) => format!("restore {}", by(&proof.by)),
        What::Verify(proof) => format!("verify {}", by(&proof.by)),
        What::Rehearse { .. } => "rehearse".to_owned(),
    });
    fn by(by: &ProvedBy) -> String {
        match by {
            ProvedBy::Service(name) => format!("service {}", name.value),
            ProvedBy::Backup(id) => format!("backup {}", id.value),
            ProvedBy::Step(id) => format!("step {}", id.value),
        }
    }
    let wanted = [
        "restore service records-db",
        "restore backup clean-point",
        "restore step restore-db",
        "verify backup clean-point",
        "verify step sample",
    ];
    assert_eq!(proofs.collect::<Vec<_>>(), wanted);
    let improve = policy.improve.unwrap();
    assert_eq!(
        (improve.within.to_string().as_str(), improve.closed[0].by.as_str()),
        ("90 days", "CISO office")
    );
    assert_eq!(policy.controls[0].id.value, "bcp-4");
}

/// Every key that the schemas know is in the tables and lists of the page.
#[test]
fn the_page_on_the_format_names_every_key() {
    let page = include_str!("../../docs/FORMAT.md");
    for which in [load::Which::Inventory, load::Which::Runbook, load::Which::Scenario, load::Which::Policy] {
        let schema = load::schema(which);
        let shapes = schema["$defs"].as_object().unwrap().values().chain([&schema]);
        let keys = shapes.filter_map(|shape| shape["properties"].as_object()).flat_map(|keys| keys.keys());
        for key in keys {
            let named = [
                format!("`{key}`"),
                format!("`{key}:"),
                format!(" {key}:"),
                format!(".{key}`"),
                format!(" {key} "),
            ];
            assert!(named.iter().any(|named| page.contains(named.as_str())), "{key}");
        }
    }
}

#[test]
fn scalars_are_what_a_person_takes_them_for() {
    let text = "version: 1\nname: x\nhosts: { a: { address: 10 } }\nvars:\n  code: 0123\n  big: 1_000\n  norway: no\n  \
                release: 1.5\n  count: 7\n  flag: true\n  text: '7'\n  nothing: null\n  far: .inf\n  on: off\n";
    let inventory = load::inventory_text(&mut Sources::default(), "i.yaml", text).value.unwrap();
    assert_eq!(
        serde_json::to_value(&inventory.vars).unwrap(),
        json!({
            "code": "0123", "big": "1_000", "norway": "no", "release": 1.5, "count": 7, "flag": true, "text": "7",
            "nothing": null, "far": ".inf", "on": "off"
        })
    );
    assert_eq!(ssh(&inventory, "a").address, "10");
}
