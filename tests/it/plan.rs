//! What a runbook and an inventory compile to, and what they are refused for.

use crate::plan_site::*;
use blackstart::model::guard::Guard;
use blackstart::model::inventory::{Become, Conduit, Reach, Service, ServicePlace};
use blackstart::model::names::{StepIx, TaskIx};
use blackstart::model::probe::{Expect, Probe, ProbeKind, Vantage};
use blackstart::model::runbook::{
    Action, After, Moment, Objective, Param, ParamKind, Runbook, Share, Step, Together, Undo, Upload, Verify,
};
use blackstart::model::secret::SecretSource;
use blackstart::model::{Inventory, Millis};
use blackstart::plan::frozen::{Plan, PlannedAction, PlannedVerify};
use blackstart::plan::{Choices, drift, fill_upload, from_json, graph, hash, render_script, to_json};
use serde_json::json;
use std::collections::BTreeMap;

fn script(plan: &Plan, step: usize) -> &str {
    match &plan.steps[step].action {
        PlannedAction::Run(text) => text,
        other => panic!("no script: {other:?}"),
    }
}

fn tcp(host: &str, from: Option<Vantage>) -> Probe {
    let what = ProbeKind::Tcp { host: host.to_owned(), port: 5432 };
    Probe { what, from, expect: Expect::Open, timeout: Millis(2000), within: Millis(0) }
}

fn param(kind: ParamKind) -> Param {
    Param {
        kind,
        required: false,
        default: None,
        description: None,
        choices: Vec::new(),
        span: Default::default(),
    }
}

#[test]
fn a_script_is_kept_once_and_its_values_stay_with_its_tasks() {
    let mut book = runbook(vec![phase(
        "p",
        vec![run(
            "cut",
            "web",
            "ip link set {{ host.vars.wan }} down # {{ params.who }}\necho \"{{ host.vars.wan }}\" {{ params.who }}",
        )],
    )]);
    book.params.insert("who".into(), param(ParamKind::String));
    let choices =
        Choices { params: BTreeMap::from([("who".into(), "it's me".into())]), ..Choices::default() };
    let (plan, warnings) = compile_with(&site(), &book, &choices).unwrap();
    assert!(warnings.0.is_empty());
    assert_eq!(
        script(&plan, 0),
        "ip link set \"${bs_host_vars_wan}\" down # ${bs_params_who}\necho \"${bs_host_vars_wan}\" \"${bs_params_who}\""
    );
    assert_eq!(names(&plan), ["web1", "web2", "web3"]);
    assert_eq!(plan.steps[0].values, BTreeMap::from([("bs_params_who".to_owned(), "it's me".to_owned())]));
    assert_eq!(plan.tasks[1].values, BTreeMap::from([("bs_host_vars_wan".to_owned(), "eth2".to_owned())]));
    assert_eq!(
        render_script(&plan, TaskIx(1), script(&plan, 0), &|_| None).lines().next().unwrap(),
        r"bs_params_who='it'\''s me'; bs_host_vars_wan='eth2';"
    );
}

#[test]
fn variables_are_named_after_their_expressions() {
    let text = "{{ host.vars.wan }} {{ host.vars['wan'] }} {{ host.vars.wan | upper }} {{ '#' }} {{ 'secret x' }} {{ host.vars.wan }}";
    let plan = plan_of(&site(), run("s", "web1", text));
    assert_eq!(
        script(&plan, 0).replace(['"', '$', '{', '}'], ""),
        "bs_host_vars_wan bs_host_vars_wan_2 bs_host_vars_wan_upper bs_value bs_text_secret_x bs_host_vars_wan"
    );
    assert_eq!(plan.tasks[0].values["bs_host_vars_wan_upper"], "ETH1");
    assert_eq!(plan.steps[0].values["bs_text_secret_x"], "secret x");
}

#[test]
fn secrets_are_named_and_never_valued() {
    let mut step = run("s", "db1", "psql -c 'select 1'; echo {{ secrets.db-password }}");
    step.env.insert("PGPASSWORD".into(), located("a$b{{ secrets.pg }}\"\n".into()));
    let mut book = runbook(vec![phase("p", vec![step, run("other", "db1", "true")])]);
    for name in ["db-password", "pg", "unused"] {
        book.secrets.insert(name.into(), SecretSource::Env(name.to_uppercase()));
    }
    let mut inventory = site();
    inventory.secrets.insert("sudo".into(), SecretSource::Prompt("sudo?".into()));
    let Some(Reach::Ssh(ssh)) = inventory.hosts.get_mut("bastion").map(|host| &mut host.reach) else {
        unreachable!()
    };
    ssh.becomes = Become::Sudo { user: "root".into(), password: Some("sudo".into()) };
    let (plan, _) = compile(&inventory, &book).unwrap();
    let used: Vec<&str> = plan.steps[0].secrets.iter().map(|name| name.as_str()).collect();
    assert_eq!(used, ["db-password", "pg"]);
    assert!(plan.steps[1].secrets.is_empty());
    // The jump host's sudo password is asked for as well; a secret that nothing names is not.
    let all: Vec<&str> = plan.secrets.keys().map(|name| name.as_str()).collect();
    assert_eq!(all, ["db-password", "pg", "sudo"]);
    assert_eq!(names(&plan), ["bastion", "db1"]);
    assert_eq!(
        render_script(&plan, TaskIx(0), script(&plan, 0), &|name| (name.as_str() == "pg")
            .then(|| "p'w".to_owned())),
        "bs_newline=$(printf '\\n.'); bs_newline=${bs_newline%.}; bs_secret_db_password='****'; bs_secret_pg='p'\\''w'; \
         export PGPASSWORD=\"a\\$b${bs_secret_pg}\\\"${bs_newline}\";\npsql -c 'select 1'; echo \"${bs_secret_db_password}\""
    );
    assert_eq!(render_script(&plan, TaskIx(1), "true", &|_| None), "true");
}

#[test]
fn probes_uploads_and_manual_texts_hold_placeholders() {
    let mut inventory = site();
    inventory.hosts.get_mut("web1").unwrap().vars.insert("db".into(), json!("db1"));
    inventory.hosts.get_mut("web2").unwrap().vars.insert("db".into(), json!("203.0.113.9"));
    let mut step = step(
        "up",
        Action::Upload(Upload {
            file: "files/{{ host.name }}.conf".into(),
            to: "/etc/{{ inventory.name }}/{{ host.vars.wan }}".into(),
            mode: 0o644,
            owner: None,
            sha256: None,
        }),
    );
    step.on = Some(located("web:!web3".into()));
    step.verify = vec![
        located(Verify::Probe(tcp("{{ host.vars.db }}", Some(Vantage::Task)))),
        located(Verify::Probe(tcp("{{ 'db' ~ 1 }}", Some(Vantage::Host("edge-fw".into()))))),
        located(Verify::Script("test -e /etc/{{ host.vars.wan }}".into())),
    ];
    let plan = plan_of(&inventory, step);
    assert_eq!(names(&plan), ["edge-fw", "web1", "web2"]);
    let PlannedAction::Upload(upload) = &plan.steps[0].action else { panic!() };
    assert_eq!(upload.to, "/etc/site/{{bs_host_vars_wan}}");
    let filled = fill_upload(upload, &plan.tasks[1].values);
    assert_eq!((filled.file.as_str(), filled.to.as_str()), ("files/web2.conf", "/etc/site/eth2"));
    assert_eq!(filled.sha256.as_deref(), Some("sha256 of files/web2.conf"));
    let hosts: Vec<String> = plan.steps[0]
        .verify
        .iter()
        .flat_map(|verify| match verify {
            PlannedVerify::Probe(Probe { what: ProbeKind::Tcp { host, .. }, .. }) => {
                plan.tasks.iter().map(|task| blackstart::plan::fill(host, &task.values)).collect()
            }
            PlannedVerify::Probe(_) | PlannedVerify::Script(_) => Vec::new(),
        })
        .collect();
    assert_eq!(hosts, ["10.20.0.5", "203.0.113.9", "10.20.0.5", "10.20.0.5"]);
}

#[test]
fn what_is_left_out_stays_in_the_plan_with_its_reason() {
    let step_when = |id: &str, on: &str, when: &str| Step {
        when: Some(located(when.to_owned())),
        ..run(id, on, "echo {{ host.vars.nowhere }}")
    };
    let book = runbook(vec![
        phase(
            "a",
            vec![
                needs(run("a1", "web", "true"), &[("a3", false)]),
                run("a2", "web", "true"),
                run("a3", "all", "true"),
            ],
        ),
        phase(
            "b",
            vec![
                step_when("b1", "web", "host.vars.n > 9"),
                run("b2", "db1", "true"),
                step("b3", Action::Wait(Millis(5))),
            ],
        ),
    ]);
    let reasons = |choices: &Choices| {
        let (plan, _) = compile_with(&site(), &book, choices).unwrap();
        let named = |task: &TaskIx| {
            plan.tasks[task.at()].left_out.as_ref().map(|why| format!("{}: {why}", plan.task_name(*task)))
        };
        let reasons: Vec<String> =
            (0..plan.tasks.len() as u32).map(TaskIx).filter_map(|task| named(&task)).collect();
        reasons.join("\n")
    };
    let when = "b1@web1: when is false: host.vars.n > 9\nb1@web2: when is false: host.vars.n > 9\nb1@web3: when is false: host.vars.n > 9";
    assert_eq!(reasons(&Choices::default()), when);
    let limited = reasons(&Choices { limit: Some("web*:!web2".into()), ..Choices::default() });
    assert!(
        limited.contains("a1@web2: not in --limit web*:!web2\na2@web2: not")
            && limited.contains("b2@db1: not in --limit"),
        "{limited}"
    );
    assert!(!limited.contains("\nb3:"), "a step of the controller is not limited: {limited}");
    let phase = reasons(&Choices { phase: Some("b".into()), ..Choices::default() });
    assert!(
        phase.starts_with("a1@web1: not in --phase b")
            && phase.contains("b1@web1: when")
            && !phase.contains("b2@"),
        "{phase}"
    );
    // `a1` needs `a3`, which stands after it: both stay in.
    let until = reasons(&Choices { until: Some("a1".into()), ..Choices::default() });
    assert!(
        until.starts_with("a2@web1: after --until a1")
            && !until.contains("a3@")
            && until.ends_with("b3: after --until a1"),
        "{until}"
    );
    let until = reasons(&Choices { until: Some("a".into()), ..Choices::default() });
    assert!(until.starts_with("b1@web1: after --until a\n"), "{until}");
}

/// Vendors at level 1, the office at level 2, the provider at level 3, and what waits for them.
fn graduated() -> (Inventory, Runbook) {
    let mut site = site();
    for (name, level) in [("vendor-vpn", Some(1)), ("office-core", Some(2)), ("mgmt", None)] {
        let conduit = Conduit { level, ..site.conduits["isp-uplink"].clone() };
        site.conduits.insert(name.into(), conduit);
    }
    let cut = |id: &str, conduits: &[&str]| {
        let severs = conduits.iter().map(|conduit| located((*conduit).into())).collect();
        Step { severs, ..run(id, "edge-fw", "true") }
    };
    let mut late = run("late", "web", "true");
    late.after = Some(After { step: located("both".into()), at_least: Millis(1) });
    let book = runbook(vec![
        phase(
            "isolate",
            vec![
                needs(run("witness", "edge-fw", "true"), &[("isp", false)]),
                cut("vendor", &["vendor-vpn"]),
                cut("both", &["vendor-vpn", "office-core"]),
                cut("isp", &["isp-uplink"]),
                cut("unlevelled", &["mgmt"]),
                Step { level: Some(located(2)), ..run("notice", "web", "true") },
                Step { level: Some(located(3)), ..cut("said", &["vendor-vpn"]) },
            ],
        ),
        phase(
            "restore",
            vec![
                late,
                needs(run("later", "web", "true"), &[("late", true)]),
                needs(run("last", "edge-fw", "true"), &[("witness", true), ("vendor", false)]),
                run("free", "web", "true"),
            ],
        ),
    ]);
    (site, book)
}

#[test]
fn stopping_at_a_level_leaves_out_higher_ones_and_what_waits_for_them() {
    let (site, book) = graduated();
    let reasons = |until: &str| -> BTreeMap<String, String> {
        let choices = Choices { until: Some(until.into()), ..Choices::default() };
        let (plan, _) = compile_with(&site, &book, &choices).unwrap();
        let tasks = plan.tasks.iter().map(|task| (task, &plan.steps[task.step.at()].id));
        tasks.filter_map(|(task, id)| Some((id.to_string(), task.left_out.clone()?))).collect()
    };
    let expected = |list: &[(&str, &str)]| -> BTreeMap<String, String> {
        list.iter().map(|(id, why)| (id.to_string(), why.to_string())).collect()
    };
    assert_eq!(
        reasons("level:1"),
        expected(&[
            ("both", "level 2, after --until level:1"),
            ("isp", "level 3, after --until level:1"),
            ("last", "needs `witness`, which --until level:1 leaves out"),
            ("late", "needs `both`, which --until level:1 leaves out"),
            ("later", "needs `late`, which --until level:1 leaves out"),
            ("notice", "level 2, after --until level:1"),
            ("said", "level 3, after --until level:1"),
            ("witness", "needs `isp`, which --until level:1 leaves out"),
        ])
    );
    assert_eq!(
        reasons("level:2"),
        expected(&[
            ("isp", "level 3, after --until level:2"),
            ("last", "needs `witness`, which --until level:2 leaves out"),
            ("said", "level 3, after --until level:2"),
            ("witness", "needs `isp`, which --until level:2 leaves out"),
        ])
    );
    assert_eq!(reasons("level:3"), BTreeMap::new());
    let (plan, warnings) = compile(&site, &book).unwrap();
    let levels: Vec<Option<u8>> = plan.steps.iter().map(|step| step.level).collect();
    let none = None;
    assert_eq!(levels, [none, Some(1), Some(2), Some(3), none, Some(2), Some(3), none, none, none, none]);
    assert_eq!(warnings.0, []);
}

#[test]
fn a_level_that_is_not_there_or_too_low_is_said() {
    let (site, mut book) = graduated();
    for until in ["level:0", "level:4", "level:", "level:x", "level: 2"] {
        let choices = Choices { until: Some(until.into()), ..Choices::default() };
        let said = said(compile_with(&site, &book, &choices)).join("\n");
        let wanted = format!("unknown-level: `--until {until}`: there is no such level");
        assert!(said.starts_with(&wanted), "{said}");
    }
    book.phases[0].steps[3].level = Some(located(2));
    assert_eq!(
        said(compile(&site, &book)),
        ["level-too-low: step `isp` belongs to level 2 and severs `isp-uplink`, which belongs to level 3 \
          | `--until level:2` would cut it; raise one level or lower the other"]
    );
    // A cut that the operator chose to leave for a higher level is one that the plan names.
    let choices = Choices { until: Some("level:1".into()), ..Choices::default() };
    let (plan, warnings) = compile_with(&site, &book, &choices).unwrap();
    let codes: Vec<&str> = warnings.0.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["level-too-low"]);
    let (cut, uncut) = blackstart::plan::graph::cuts(&plan);
    assert_eq!(cut, [&"vendor-vpn".into(), &"mgmt".into()]);
    assert_eq!(uncut, [&"office-core".into(), &"isp-uplink".into()]);
}

#[test]
fn a_cut_that_a_limit_parts_is_said() {
    let mut step = run("cut", "web", "true");
    step.severs = vec![located("isp-uplink".into())];
    let book = runbook(vec![phase("p", vec![step])]);
    let limited = |limit: &str| {
        said(compile_with(&site(), &book, &Choices { limit: Some(limit.into()), ..Choices::default() }))
    };
    assert_eq!(
        limited("web1,web3"),
        [
            "cut-partly-left-out: step `cut` cuts, and `--limit` leaves out web2 | what it severs counts as cut all \
          the same; look whether it is"
        ]
    );
    assert_eq!(limited("web"), Vec::<String>::new());
}

#[test]
fn waves_count_only_what_runs() {
    let mut step = run("s", "web", "true");
    step.batch = vec![Share::Hosts(1), Share::Percent(100)];
    step.max_failures = Some(Share::Percent(50));
    step.when = Some(located("host.name != 'web1'".into()));
    let plan = plan_of(&site(), step);
    assert_eq!((plan.steps[0].waves.as_slice(), plan.steps[0].max_failures), (&[2, 1][..], 1));
}

#[test]
fn a_quorum_tolerates_the_rest_unless_it_is_said_how_many_may_fail() {
    let failures = |quorum, said| {
        let mut step = run("s", "web", "true");
        step.max_failures = said;
        let together = Together { quorum, within: Millis::from_secs(10) };
        step.together = Some(located(together));
        plan_of(&site(), step).steps[0].max_failures
    };
    let (two, none) = (Some(Share::Hosts(2)), Some(Share::Hosts(0)));
    assert_eq!(failures(two, None), 1, "one of three is left");
    assert_eq!(failures(two, none), 0, "none, as was said");
    assert_eq!(failures(two, two), 2);
    assert_eq!(failures(None, None), 0);
    assert_eq!(failures(None, two), 2);
}

#[test]
fn each_mistake_is_named_with_its_place_and_a_way_out() {
    let mut inventory = site();
    inventory.hosts.get_mut("web1").unwrap().vars.insert("none".into(), json!(null));
    inventory.hosts.get_mut("web1").unwrap().vars.insert("list".into(), json!(["a"]));
    inventory.hosts.get_mut("web1").unwrap().vars.insert("nul".into(), json!("a\u{0}b"));
    inventory.hosts.get_mut("web1").unwrap().vars.insert("lines".into(), json!("a\nb"));
    for (text, said) in [
        (
            "{{ host.vars.wann }}",
            "undefined: step `s`, `run`: `{{ host.vars.wann }}`: `host.vars` has no `wann` (on web1, web2, web3) | did you mean `wan`?",
        ),
        (
            "true\n{{ host.vars.mtu }}",
            "undefined: step `s`, `run` line 2: `{{ host.vars.mtu }}`: `host.vars` has no `mtu` (on web1, web2, web3) | set it under `vars:`",
        ),
        (
            "{{ host.vars.lines }}",
            "undefined: step `s`, `run`: `{{ host.vars.lines }}`: `host.vars` has no `lines` (on web2, web3) |",
        ),
        (
            "{{ host.vars.wan.x.y }}",
            "undefined: step `s`, `run`: `{{ host.vars.wan.x.y }}`: `host.vars.wan` has no `x` (on web1, web2, web3)",
        ),
        (
            "{{ host.zone }}",
            "undefined: step `s`, `run`: `{{ host.zone }}`: `host` has no `zone` (on web1, web2, web3)",
        ),
        (
            "{{ 1 if host.vars['wann'] == 'x' else 2 }}",
            "undefined: step `s`, `run`: `{{ 1 if host.vars['wann'] == 'x' else 2 }}`: `host.vars` has no `wann` (on",
        ),
        (
            "{{ host.vars['wa' ~ host.name] == 'x' }}",
            "undefined: step `s`, `run`: `{{ host.vars['wa' ~ host.name] == 'x' }}`: `host.vars['wa' ~ host.name]` is not defined (on",
        ),
        (
            "{{ params.x }}",
            "undefined: step `s`, `run`: `{{ params.x }}`: `params` has no `x` | declare it under `params:` and give it: -e x=VALUE",
        ),
        (
            "{{ groups.wep | join(' ') }}",
            "undefined: step `s`, `run`: `{{ groups.wep | join(' ') }}`: `groups` has no `wep` | did you mean `web`?",
        ),
        (
            "{{ wan }}",
            "unknown-name: step `s`, `run`: `{{ wan }}`: `wan` is not known here | write where it comes from: `params.wan`",
        ),
        (
            "{{ hosts.vars.wan }}",
            "unknown-name: step `s`, `run`: `{{ hosts.vars.wan }}`: `hosts` is not known here | did you mean `host`?",
        ),
        (
            "{{ host.vars.none }}",
            "undefined: step `s`, `run`: `{{ host.vars.none }}`: `host.vars` has no `none` (on web2, web3)",
        ),
        (
            "{{ [1, 2] }}",
            "value-not-text: step `s`, `run`: `{{ [1, 2] }}`: its value is a list, not a text or a number | join it",
        ),
        (
            "{{ none }}",
            "value-not-text: step `s`, `run`: `{{ none }}`: its value is null, not a text or a number",
        ),
        (
            "{{ host }}",
            "value-not-text: step `s`, `run`: `{{ host }}`: its value is a map, not a text or a number (on web1, web2, web3) | name",
        ),
        (
            "{{ host.name | no_such }}",
            "template-failed: step `s`, `run`: `{{ host.name | no_such }}`: it cannot be worked out: filter no_such is unknown",
        ),
        (
            "{{ host.name + }}",
            "template-syntax: step `s`, `run`: `{{ host.name + }}`: it cannot be read: unexpected end of input, expected expression | to hand",
        ),
        (
            "{{ secrets.pw ~ 'x' }}",
            "secret-in-expression: step `s`, `run`: `{{ secrets.pw ~ 'x' }}`: a secret stands alone",
        ),
        (
            "{{ secrets.pww }}",
            "unknown-secret: step `s`, `run`: no secret is called `pww` | did you mean `pw`?",
        ),
        (
            "a 'b {{ host.name }}'",
            "template-in-single-quotes: step `s`, `run`: `{{ host.name }}` stands between single quotes, where a shell expands nothing | end the quotes before it and begin them again after it: 'a '{{ host.name }}' b'",
        ),
        (
            "cat <<'E'\n{{ host.name }}\nE",
            "template-in-quoted-heredoc: step `s`, `run` line 2: `{{ host.name }}` stands in a here-document with a quoted delimiter",
        ),
        (
            "echo $(({{ host.vars.wan }}))",
            "value-not-number: step `s`, `run`: `{{ host.vars.wan }}`: its value `eth1` is no whole number, and a shell calculates here (on web1)",
        ),
        (
            "echo $(({{ secrets.pw }}))",
            "secret-in-arithmetic: step `s`, `run`: `{{ secrets.pw }}`: a shell calculates here, and would run what a value says",
        ),
        ("{% if x %}", "template-syntax: step `s`, `run`: `{% if … %}` does not work here"),
        ("{{ 'x' * 1000000000 }}", "template-failed"),
    ] {
        let mut book = runbook(vec![phase("p", vec![run("s", "web", text)])]);
        book.secrets.insert("pw".into(), SecretSource::Env("PW".into()));
        let all = crate::plan_site::said(compile(&inventory, &book));
        assert!(all.iter().any(|one| one.starts_with(said)), "{text}: {all:#?}");
    }
    // On one host alone.
    for (text, said) in [
        (
            "{{ host.vars.nul }}",
            "value-nul: step `s`, `run`: `{{ host.vars.nul }}`: its value holds a NUL character (on web1)",
        ),
        (
            "{{ host.vars.list }}",
            "value-not-text: step `s`, `run`: `{{ host.vars.list }}`: its value is a list",
        ),
    ] {
        let all = wrong_with(&inventory, run("s", "web1", text));
        assert!(all.iter().any(|one| one.starts_with(said)), "{text}: {all:#?}");
    }
    assert!(
        wrong_with(
            &inventory,
            run("s", "web1", "{{ host.vars.lines }} {{ host.vars.none | default('x', true) }}")
        )
        .is_empty()
    );
    let manual = Step {
        on: Some(located("web1".into())),
        ..step("s", Action::Manual(located("{{ host.vars.lines }}".into())))
    };
    assert!(wrong_with(&inventory, manual)[0].starts_with("value-control-character: step `s`, `manual`:"));
}

#[test]
fn steps_that_do_not_fit_the_site_are_refused() {
    let fails = |step: Step| wrong_with(&site(), step).join("\n");
    let with = |change: &dyn Fn(&mut Step)| {
        let mut step = run("s", "web", "true");
        change(&mut step);
        fails(step)
    };
    assert_eq!(
        fails(run("s", "wep", "true")),
        "no-hosts: step `s`: `on: wep` matches no host | no host or group is called `wep`; did you mean `web`?"
    );
    assert_eq!(fails(run("s", "web:&dbs", "true")), "no-hosts: step `s`: `on: web:&dbs` matches no host");
    assert!(fails(run("s", "web,,db", "true")).starts_with("bad-pattern: step `s`: `on: web,,db`: "));
    assert!(
        fails(step("s", Action::Run(located("true".into()))))
            .starts_with("no-on: step `s` is a script and says no host")
    );
    assert!(with(&|s| s.severs = vec![located("isp-uplnk".into())]).ends_with("did you mean `isp-uplink`?"));
    assert!(with(&|s| s.when = Some(located("host.vars.n".into()))).starts_with(
        "when-not-boolean: step `s`, `when: host.vars.n`: it yields number (`1`), not true or false (on web1)"
    ));
    assert!(
        with(&|s| s.when = Some(located("nn".into())))
            .starts_with("unknown-name: step `s`, `when: nn`: `nn` is not known here")
    );
    assert!(with(&|s| s.when = Some(located("host.vars.x".into()))).starts_with(
        "undefined: step `s`, `when: host.vars.x`: `host.vars` has no `x` (on web1, web2, web3)"
    ));
    assert!(
        with(&|s| s.verify = vec![located(Verify::Probe(tcp("x", Some(Vantage::Host("webb1".into())))))])
            .ends_with("did you mean `web1`?")
    );
    assert!(with(&|s| drop(s.env.insert("1A".into(), located(String::new())))).starts_with("bad-env-name: "));
    assert!(
        with(&|s| drop(s.env.insert("PATH".into(), located("/opt:$PATH".into()))))
            .starts_with("env-dollar: ")
    );
    assert!(with(&|s| s.becomes = Some(true)).starts_with("become-unknown: step `s` is to become another user, and the inventory does not say how: it becomes root by sudo on web1, web2, web3"));
    assert!(
        with(&|s| s.after = Some(After { step: located("t".into()), at_least: Millis(1) }))
            .starts_with("unknown-step: step `s` needs `t`")
    );
    let upload = Upload { file: "missing".into(), to: "/x".into(), mode: 0o600, owner: None, sha256: None };
    let upload = Step { on: Some(located("web1".into())), ..step("s", Action::Upload(upload)) };
    assert_eq!(
        fails(upload),
        "upload-unreadable: step `s`, `upload.file`: the file: `missing` cannot be read: no such file"
    );
    let probe = step("s", Action::Probe(located(tcp("x", Some(Vantage::Task)))));
    assert!(
        fails(probe)
            .starts_with("no-host: step `s`: a probe starts from the task's host, but the step has none")
    );
    let manual = step("s", Action::Manual(located("Look at {{ host.name }}".into())));
    assert!(
        fails(manual).starts_with("no-host: step `s`, `manual`: `{{ host.name }}`: there is no `host` here")
    );
    let manual = step("s", Action::Manual(located("Type {{ secrets.x }}".into())));
    assert!(fails(manual).starts_with("secret-shown: "));
}

#[test]
fn steps_that_do_not_fit_each_other_are_refused() {
    let fails = |phases: Vec<Vec<Step>>| {
        let phases =
            phases.into_iter().enumerate().map(|(ix, steps)| phase(&format!("p{ix}"), steps)).collect();
        said(compile(&site(), &runbook(phases))).join("\n")
    };
    let a = || run("a", "web", "true");
    assert!(
        fails(vec![vec![needs(a(), &[("b", false)]), needs(run("b", "web", "true"), &[("a", false)])]])
            .starts_with("circle: steps wait for each other in a circle: a -> b -> a")
    );
    assert!(
        fails(vec![vec![needs(a(), &[("a", false)])]])
            .starts_with("circle: steps wait for each other in a circle: a -> a")
    );
    assert!(
        fails(vec![vec![needs(a(), &[("c", false)])], vec![run("c", "web", "true")]])
            .starts_with("needs-later-phase: ")
    );
    assert!(
        fails(vec![vec![needs(a(), &[("b", true)]), run("b", "db1", "true")]])
            .starts_with("same-host-disjoint: ")
    );
    assert!(
        fails(vec![vec![needs(a(), &[("b", true)]), step("b", Action::Wait(Millis(1)))]])
            .starts_with("same-host-disjoint: ")
    );
    assert!(fails(vec![vec![]]).starts_with("empty-phase: "));
    let guard = Guard { within: Millis::from_secs(60), otherwise: None, self_test: false, repeat: None };
    let together = located(Together { quorum: None, within: Millis::from_secs(10) });
    let guarded = |together| Step { guard: Some(guard), together, ..a() };
    assert!(
        fails(vec![vec![guarded(Some(together))]])
            .starts_with("guard-together: step `a` has both `guard` and `together`")
    );
    assert_eq!(fails(vec![vec![guarded(None)]]), "");
    let mut book = runbook(vec![phase("p", vec![a()])]);
    let objective = Objective {
        name: "o".into(),
        from: Moment::Start,
        to: Moment::Step("aa".into()),
        within: Millis(1),
        remind: Vec::new(),
        span: Default::default(),
    };
    book.objectives.push(objective);
    assert!(
        said(compile(&site(), &book))[0]
            .starts_with("unknown-step: objective `o` speaks of `aa`, which does not exist")
    );
}

#[test]
fn moments_that_cannot_come_are_refused() {
    let refused = |moment: Moment| {
        let mut book = runbook(vec![phase("p", vec![run("a", "web", "true")])]);
        book.objectives.push(Objective {
            name: "o".into(),
            from: moment,
            to: Moment::Step("a".into()),
            within: Millis(1),
            remind: Vec::new(),
            span: Default::default(),
        });
        let mut site = site();
        let place = ServicePlace::Host("db1".into());
        let service = Service { place, needs: Vec::new(), rto: None, probe: None, span: Default::default() };
        site.services.insert("dns".into(), service);
        said(compile(&site, &book)).join("\n")
    };
    let up = refused(Moment::ServiceUp("dsn".into()));
    assert!(up.starts_with("unknown-service: objective `o` speaks of `dsn`"), "{up}");
    let down = refused(Moment::ServiceDown("dns".into()));
    assert!(down.starts_with("no-probe: objective `o` speaks of service `dns`"), "{down}");
    let probe = refused(Moment::Probe("a".into()));
    assert!(probe.starts_with("no-probe: objective `o` asks for the probes of step `a`"), "{probe}");
    let backup = refused(Moment::Backup("a".into()));
    assert!(backup.starts_with("no-backup: objective `o` asks step `a` for a backup"), "{backup}");
}

#[test]
fn choices_that_name_nothing_are_refused() {
    let mut book = runbook(vec![phase("p", vec![run("a", "web", "true")])]);
    let of = |book: &Runbook, choices: Choices| said(compile_with(&site(), book, &choices)).join("\n");
    let given = |name: &str, value: &str| Choices {
        params: BTreeMap::from([(name.into(), value.into())]),
        ..Choices::default()
    };
    assert!(
        of(&book, Choices { limit: Some("nobody".into()), ..Choices::default() })
            .starts_with("limit-matches-nothing: ")
    );
    assert!(
        of(&book, Choices { limit: Some("db1".into()), ..Choices::default() }).starts_with("nothing-to-do: ")
    );
    assert!(
        of(&book, Choices { phase: Some("q".into()), ..Choices::default() }).starts_with("unknown-phase: ")
    );
    assert!(
        of(&book, Choices { until: Some("q".into()), ..Choices::default() }).starts_with("unknown-step: ")
    );
    book.params.insert("count".into(), param(ParamKind::Integer));
    book.params.insert("sure".into(), Param { required: true, ..param(ParamKind::Boolean) });
    book.params.insert(
        "level".into(),
        Param { choices: vec![json!("low"), json!("high")], ..param(ParamKind::String) },
    );
    let all = of(&book, given("cuont", "3"));
    assert!(
        all.contains(
            "unknown-param: `-e cuont=…`: the runbook has no parameter `cuont` | did you mean `count`?"
        ),
        "{all}"
    );
    assert!(all.contains("param-missing: parameter `sure` must be given | add `-e sure=VALUE`"), "{all}");
    assert!(of(&book, given("count", "x")).contains("param-type: `-e count=x`: `count` is a whole number"));
    assert!(of(&book, given("sure", "yes")).contains("param-type: `-e sure=yes`: `sure` is true or false"));
    assert!(
        of(&book, given("level", "hihg"))
            .contains("param-choice: `-e level=hihg`: that is not among the choices | did you mean `high`?")
    );
}

/// A random runbook whose needs make no circle; some point forwards in the file.
fn random_runbook(dice: &mut Dice) -> Runbook {
    let mut phases = Vec::new();
    let mut before: Vec<String> = Vec::new();
    for p in 0..=dice.roll(3) {
        let count = dice.roll(6) + 1;
        let mut rank: Vec<usize> = (0..count).collect();
        (1..count).for_each(|ix| rank.swap(ix, dice.roll(ix + 1)));
        let mut steps = Vec::new();
        for s in 0..count {
            let text = *dice.pick(&[
                "true",
                "echo {{ host.name }}",
                "x={{ host.groups | length }}; echo \"$x\" {{ host.address }}",
            ]);
            let on = *dice.pick(&["all", "web", "web1", "web:db1"]);
            let same = |other: usize| rank[other] < rank[s];
            let earlier: Vec<String> =
                (0..count).filter(|other| same(*other)).map(|other| format!("s{p}-{other}")).collect();
            let mut step = run(&format!("s{p}-{s}"), on, text);
            for other in earlier.iter().chain(&before) {
                if dice.roll(3) == 0 {
                    let same_host = dice.roll(2) == 0 && on != "web1";
                    step = Step {
                        needs: [step.needs.clone(), needs(run("x", "all", ""), &[(other, same_host)]).needs]
                            .concat(),
                        ..step
                    };
                }
            }
            step.estimate = (dice.roll(2) == 0).then(|| Millis(dice.roll(90_000) as u64));
            steps.push(step);
        }
        before.extend(steps.iter().map(|step| step.id.value.to_string()));
        phases.push(phase(&format!("p{p}"), steps));
    }
    runbook(phases)
}

#[test]
fn urgency_respects_needs_and_the_critical_path_is_the_longest_way() {
    let mut planned = 0;
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let Ok((plan, _)) = compile(&site(), &random_runbook(&mut dice)) else { continue };
        planned += 1;
        for step in &plan.steps {
            for need in &step.needs {
                let needed = &plan.steps[need.step.at()];
                assert!(needed.phase <= step.phase, "seed {seed}");
                assert!(
                    needed.urgency.0 >= needed.estimate.0 + step.urgency.0,
                    "seed {seed}: {} before {}",
                    needed.id,
                    step.id
                );
            }
        }
        // The path starts with the most urgent step, and its estimates add up to the whole.
        let path = graph::critical_path(&plan);
        let total: u64 = path.iter().map(|step| plan.steps[step.at()].estimate.0).sum();
        let longest = plan.steps.iter().map(|step| step.urgency.0).max().unwrap();
        assert_eq!((plan.steps[path[0].at()].urgency.0, total), (longest, longest), "seed {seed}: {path:?}");
        for pair in path.windows(2) {
            let (one, next) = (&plan.steps[pair[0].at()], &plan.steps[pair[1].at()]);
            assert!(
                one.phase < next.phase || next.needs.iter().any(|need| need.step == pair[0]),
                "seed {seed}: {path:?}"
            );
        }
    }
    assert!(planned > 100, "most random runbooks compile: {planned}");
}

#[test]
fn the_same_input_gives_the_same_hash_and_any_change_another() {
    let mut hashes = std::collections::BTreeSet::new();
    let base = |dice: &mut Dice| random_runbook(dice);
    for seed in 0..60 {
        let book = base(&mut Dice(seed));
        let Ok((plan, _)) = compile(&site(), &book) else { continue };
        let (again, _) = compile(&site(), &base(&mut Dice(seed))).unwrap();
        assert_eq!(hash(&plan), hash(&again));
        assert_eq!(from_json(&to_json(&plan)).unwrap(), plan);
        assert_eq!(to_json(&from_json(&to_json(&plan)).unwrap()), to_json(&plan));
        assert!(drift(&plan, &again).is_empty());
        hashes.insert(hash(&plan));
    }
    assert!(hashes.len() > 20);

    let book = || {
        let mut first = run("one", "web", "echo {{ host.vars.wan }} {{ vars.v }}");
        first.undo = located(Undo::By("true".into()));
        let mut book =
            runbook(vec![phase("p", vec![first, needs(run("two", "db1", "true"), &[("one", false)])])]);
        book.vars.insert("v".into(), json!("1"));
        book
    };
    let (plan, _) = compile(&site(), &book()).unwrap();
    type Change = (&'static str, fn(&mut Inventory, &mut Runbook));
    let changes: &[Change] = &[
        ("step `two` differs in what it does", |_, book| {
            book.phases[0].steps[1].action = Action::Run(located("false".into()))
        }),
        ("step `one` differs in the values on its hosts", |_, book| {
            drop(book.vars.insert("v".into(), json!("2")))
        }),
        ("step `one` differs in the values on its hosts", |site, _| {
            drop(site.hosts.get_mut("web2").unwrap().vars.insert("wan".into(), json!("x")))
        }),
        ("step `one` differs in its hosts", |site, _| drop(site.hosts.remove("web2"))),
        ("host `db1` differs", |site, _| {
            if let Reach::Ssh(ssh) = &mut site.hosts.get_mut("db1").unwrap().reach {
                ssh.port = Some(2222)
            }
        }),
        ("step `two` differs in needs", |_, book| book.phases[0].steps[1].needs.clear()),
        ("step `one` differs in undo", |_, book| book.phases[0].steps[0].undo.value = Undo::NotNeeded),
        ("step `one` differs in timeout", |_, book| book.phases[0].steps[0].timeout = Millis(1)),
        ("step `three` was added", |_, book| book.phases[0].steps.push(run("three", "db1", "true"))),
        ("step `two` is gone", |_, book| drop(book.phases[0].steps.pop())),
        ("the runbook was `isolate-and-restore` and is `other`", |_, book| book.name = "other".into()),
    ];
    for (sentence, change) in changes {
        let (mut inventory, mut changed) = (site(), book());
        change(&mut inventory, &mut changed);
        let (other, _) = compile(&inventory, &changed).unwrap();
        assert_ne!(hash(&plan), hash(&other), "{sentence}");
        let said = drift(&plan, &other);
        assert!(said.iter().any(|said| said.starts_with(sentence)), "{sentence}: {said:?}");
    }
    // Variables that nothing uses are not part of the plan.
    let mut inventory = site();
    inventory.vars.insert("unused".into(), json!(1));
    assert_eq!(hash(&plan), hash(&compile(&inventory, &book()).unwrap().0));
}

#[test]
fn a_plan_of_a_later_version_or_a_broken_one_is_refused() {
    let plan = plan_of(&site(), run("s", "web", "true"));
    let json = to_json(&plan);
    let newer = from_json(&json.replacen("\"version\":1", "\"version\":2,\"novelty\":{}", 1)).unwrap_err();
    assert!(
        newer.to_string().starts_with("the plan has version 2, this program reads versions up to 1;"),
        "{newer}"
    );
    let broken = from_json(&json.replacen("\"h\":1", "\"h\":9", 1)).unwrap_err();
    assert!(broken.to_string().starts_with("the plan contradicts itself: "), "{broken}");
    assert!(from_json("{").unwrap_err().to_string().starts_with("the plan cannot be read: "));
    assert_eq!(hash(&plan).len(), 64);
}

#[test]
fn become_comes_from_the_choices_only_where_a_step_says_nothing() {
    let book = runbook(vec![phase(
        "p",
        vec![run("a", "web", "true"), Step { becomes: Some(false), ..run("b", "web", "true") }],
    )]);
    let choices = Choices { becomes: true, ..Choices::default() };
    let (plan, _) = compile_with(&site(), &book, &choices).unwrap();
    assert_eq!(plan.steps.iter().map(|step| step.becomes).collect::<Vec<_>>(), [Some(true), Some(false)]);
    assert_eq!(plan.step_named("b"), Some(StepIx(1)));
}
