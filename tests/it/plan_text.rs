//! The plan as people see it, before and after they look closer. `SNAPSHOTS=overwrite` accepts what is shown.

use crate::plan_site::*;
use blackstart::model::Millis;
use blackstart::model::inventory::{Service, ServicePlace};
use blackstart::model::probe::{Expect, Probe, ProbeKind, Vantage};
use blackstart::model::runbook::{
    Action, After, Approve, Fetch, Moment, Objective, Param, Policy, Retry, Runbook, Share, Step, Undo,
    Upload, Verify,
};
use blackstart::model::secret::SecretSource;
use blackstart::plan::{Choices, Plan, hash};
use blackstart::report::{Look, graph, plan_text};
use serde_json::json;
use std::collections::BTreeMap;

/// Something of everything.
fn book() -> Runbook {
    let probe = |host: &str, expect: Expect, from: &str| {
        let what = ProbeKind::Tcp { host: host.to_owned(), port: 443 };
        Probe {
            what,
            from: Some(Vantage::Host(from.into())),
            expect,
            timeout: Millis(2000),
            within: Millis(0),
        }
    };
    let cut = Step {
        title: Some("Drop every packet to and from the provider".into()),
        severs: vec![located("isp-uplink".into())],
        check: Some(located("nft list table inet cut".into())),
        snapshot: Some(located("nft list ruleset".into())),
        verify: vec![
            located(Verify::Probe(probe("203.0.113.10", Expect::Closed, "web1"))),
            located(Verify::Probe(probe("db1", Expect::Open, "web1"))),
            located(Verify::Script("test -e /run/{{ host.vars.wan }}".into())),
        ],
        undo: located(Undo::By("nft delete table inet cut".into())),
        timeout: Millis::from_secs(20),
        idempotent: true,
        ..run("cut-isp", "edge-fw", "nft -f - <<NFT\ntable inet cut { }\nNFT")
    };
    let manual = Step {
        approve: Some(Approve::of(2)),
        ..step("declare-clean", Action::Manual(located("Confirm with the duty officer that the backup of {{ params.incident }} predates\nthe first indicator.".into())))
    };
    let mut stop = needs(
        run("stop", "web", "systemctl stop {{ host.vars.wan }} {{ params.incident }}"),
        &[("declare-clean", false)],
    );
    stop.undo = located(Undo::By("systemctl start x".into()));
    stop.batch = vec![Share::Hosts(1), Share::Percent(100)];
    stop.max_failures = Some(Share::Hosts(1));
    stop.retry = Retry { attempts: 3, delay: Millis(1000) };
    stop.when = Some(located("host.name != 'web2'".into()));
    stop.env.insert("PGPASSWORD".into(), located("{{ secrets.pg }}".into()));
    stop.env.insert("WHERE".into(), located("{{ host.name }}".into()));
    let upload = Upload {
        file: "files/x".into(),
        to: "/etc/{{ host.name }}".into(),
        mode: 0o640,
        owner: Some("root".into()),
        sha256: None,
    };
    let mut upload = needs(
        Step { on: Some(located("web".into())), ..step("bring", Action::Upload(upload)) },
        &[("stop", true)],
    );
    upload.undo = located(Undo::Impossible("a password reset cannot be taken back".into()));
    upload.after = Some(After { step: located("stop".into()), at_least: Millis::from_secs(36_000) });
    let fetch = Step {
        on: Some(located("db1".into())),
        ..step("keep", Action::Fetch(Fetch::Output { script: "ps -ef".into(), name: "ps.txt".into() }))
    };
    let http = ProbeKind::Http {
        host: "db1".into(),
        port: 8080,
        path: "/health".into(),
        status: Some(200),
        contains: None,
    };
    let http =
        Probe { what: http, from: None, expect: Expect::Open, timeout: Millis(2000), within: Millis(30_000) };
    let mut isolate = phase("isolate", vec![cut]);
    isolate.title = Some("Cut the ways out".into());
    let mut restore =
        phase("restore", vec![manual, stop, upload, fetch, step("rest", Action::Wait(Millis(90_000)))]);
    restore.on_failure = Policy::Rollback;
    let mut book =
        runbook(vec![isolate, restore, phase("prove", vec![step("serves", Action::Probe(located(http)))])]);
    book.summary = Some("Cut the office off from every outside network, then rebuild the records service from a clean backup.".into());
    book.secrets.insert("pg".into(), SecretSource::Env("PGPASSWORD".into()));
    let incident = Param {
        kind: Default::default(),
        required: true,
        default: None,
        description: None,
        choices: vec![],
        span: Default::default(),
    };
    book.params.insert("incident".into(), incident);
    let objective = |name: &str, to: Moment, secs: u64| Objective {
        name: name.into(),
        from: Moment::Start,
        to,
        within: Millis::from_secs(secs),
        remind: Vec::new(),
        span: Default::default(),
    };
    book.objectives.push(objective("isolated", Moment::Phase("isolate".into()), 900));
    book.objectives.push(objective("records back", Moment::Step("serves".into()), 3600));
    book
}

fn planned(limit: Option<&str>) -> Plan {
    let params = BTreeMap::from([("incident".to_owned(), "INC-7".to_owned())]);
    let choices = Choices { params, limit: limit.map(str::to_owned), ..Choices::default() };
    compile_with(&site(), &book(), &choices).unwrap().0
}

fn shown(plan: &Plan, columns: usize, commands: bool) -> String {
    let look = Look { columns: Some(columns), ..Look::plain("") };
    plan_text::text(plan, &look, commands).replace(&hash(plan)[..12], "0123456789ab")
}

#[test]
fn the_plan_reads_well_on_80_columns() {
    snapbox::assert_data_eq!(shown(&planned(None), 80, false), snapbox::file!["plan_text/80.txt"].raw());
}

#[test]
fn commands_are_exact_and_hide_secrets() {
    let text = shown(&planned(Some("web*,edge-fw")), 120, true);
    snapbox::assert_data_eq!(text, snapbox::file!["plan_text/commands.txt"].raw());
}

#[test]
fn a_host_that_only_a_service_is_looked_at_from_is_told_with_its_reason() {
    let mut site = site();
    let what = ProbeKind::Tcp { host: "db1".to_owned(), port: 5432 };
    let from = Some(Vantage::Host("web2".into()));
    let probe = Probe { what, from, expect: Expect::Open, timeout: Millis(2000), within: Millis(0) };
    let service = Service {
        place: ServicePlace::Host("db1".into()),
        needs: Vec::new(),
        rto: None,
        probe: Some(probe),
        span: Default::default(),
    };
    site.services.insert("records-db".into(), service);
    let plan = plan_of(&site, run("only", "edge-fw", "true"));
    let text = shown(&plan, 80, false);
    assert!(text.contains("\n  besides   web2: services are looked at from there\n"), "{text}");
    let listed = "\n  records-db  tcp 10.20.0.5:5432 is open, seen from web2\n";
    assert!(text.contains("\nSERVICES  looked at all the while") && text.contains(listed), "{text}");
}

#[test]
fn no_line_is_longer_than_the_terminal_except_for_commands() {
    for columns in [80, 100, 120] {
        for text in shown(&planned(None), columns, false).lines() {
            let unbreakable = text.trim().split(' ').map(str::len).max().unwrap_or(0) + 16;
            assert!(console::measure_text_width(text) <= columns.max(unbreakable), "{columns}: {text}");
        }
    }
}

#[test]
fn drawings_hold_every_step_and_need() {
    let plan = planned(None);
    snapbox::assert_data_eq!(graph::dot(&plan), snapbox::file!["plan_text/plan.dot"].raw());
    snapbox::assert_data_eq!(graph::mermaid(&plan), snapbox::file!["plan_text/plan.mmd"].raw());
}

#[test]
fn nothing_in_a_name_can_break_out_of_a_drawing_or_a_screen() {
    let mut book = runbook(vec![phase(
        "p",
        vec![Step {
            title: Some("a \"b\" \\ <script> ]}; end\nclick \u{1b}[2J `x`".into()),
            ..run("s", "web", "true\u{7}")
        }],
    )]);
    book.name = "x\" [y\n]".into();
    book.vars.insert("v".into(), json!(1));
    let plan = compile(&site(), &book).unwrap().0;
    let dot = graph::dot(&plan);
    assert!(dot.starts_with("digraph \"x\\\" [y ]\" {\n"), "{dot}");
    assert!(
        dot.contains(
            r#"s0 [label="s\na \"b\" \\ <script> ]}; end click  [2J `x`\nweb[1-3] (3 hosts)", penwidth=2];"#
        ),
        "{dot}"
    );
    let mermaid = graph::mermaid(&plan);
    let label = mermaid.lines().find(|line| line.contains("s0(")).unwrap();
    assert_eq!(label.matches('"').count(), 2, "{label}");
    assert!(
        !label.contains("<script") && !label.contains('`') && label.contains("#60;script#62;"),
        "{label}"
    );
    let text = shown(&plan, 80, true);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
}
