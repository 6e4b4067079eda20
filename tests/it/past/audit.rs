//! What an audit claims: nothing that no run shows, each line beside its evidence, on a page that browsers take.

use super::{DONE, at, drill, moment, pasts, policy, with_objective, with_proofs};
use crate::story::markup::{elements, troubles};
use blackstart::model::controls::CONTROLS;
use blackstart::model::event::Mode;
use blackstart::model::names::RunId;
use blackstart::report::past::audit::{Audit, Material, audit};
use blackstart::report::past::control::Standing;
use blackstart::report::past::run::Severed;
use blackstart::report::past::{Past, Shown, audit_html};
use blackstart::report::story::ledger::{Decision, EvidenceTold, Improvement};
use blackstart::report::story::told::Met;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

const NOW: &str = "2026-11-22T10:00:00Z";

fn of(body: &str, runs: &[Past], altered: &[(usize, &str)]) -> Audit {
    let policy = policy(body);
    let altered = altered.iter().map(|(run, file)| {
        ((format!("{run:032}"), (*file).to_owned()), format!("evidence {file}: it is not what was fetched"))
    });
    audit(Material {
        readiness: at(&policy, runs, NOW),
        policy: &policy,
        runs,
        altered: altered.collect(),
        state_dir: "/srv/runs".to_owned(),
    })
}

/// What is shown of some controls.
fn shown(told: &Audit, ids: &[&str]) -> Vec<Standing> {
    let one = |id: &&str| told.controls.iter().find(|one| one.id == *id).expect("it is known").standing;
    ids.iter().map(one).collect()
}

fn broken() -> Past {
    Past { run: "b".to_owned(), id: RunId("b".to_owned()), shown: Err("edited".to_owned()) }
}

fn with_evidence() -> Shown {
    let file = |name: &str| EvidenceTold {
        at: moment(DONE),
        step: "keep".to_owned(),
        host: None,
        file: name.to_owned(),
        from: "/var/log".to_owned(),
        bytes: 7,
        sha256: "c".repeat(64),
    };
    Shown { evidence: vec![file("evidence/a"), file("evidence/b")], ..drill(DONE) }
}

use Standing::{NotShown, Partly, Satisfied};

#[test]
fn without_a_run_nothing_is_shown() {
    let everything = "rehearse: [{ runbook: r, every: 1 year }]\nrestore: [{ service: db, every: 1 year }]\nverify: \
                      [{ backup: gate, every: 1 year }]\nimprove: { within: 90 days }";
    for body in [everything, &format!("since: 2026-11-01\n{everything}")] {
        let told = of(body, &[], &[]);
        assert_eq!(told.controls.len(), CONTROLS.len());
        for control in &told.controls {
            assert_eq!(control.standing, NotShown, "{}: {:?}", control.id, control.lines);
        }
    }
    assert_eq!(of(everything, &[], &[]).gaps.len(), 3);
}

#[test]
fn a_control_is_satisfied_by_what_runs_show_and_by_nothing_else() {
    let rehearse = "rehearse: [{ runbook: r, every: 3 years }]";
    let old = "2025-06-01T10:00:00Z";
    let rehearsed = ["CIP-009-R2.1", "CIP-009-R2.3", "ID.IM-02"];
    // Done within the three years of the policy and of R2.3, and longer ago than R2.1 allows.
    assert_eq!(shown(&of(rehearse, &pasts([drill(old)]), &[]), &rehearsed), [NotShown, Satisfied, Partly]);
    assert_eq!(shown(&of(rehearse, &pasts([drill(DONE)]), &[]), &rehearsed), [Satisfied, Satisfied, Partly]);
    let at_table = "rehearse: [{ runbook: r, as: tabletop, every: 1 year }]";
    assert_eq!(shown(&of(at_table, &pasts([drill(DONE)]), &[]), &rehearsed), [Satisfied, NotShown, Partly]);
    // Of another plan than today's, it is something.
    let edited = Shown { plan_of_today: Some(false), ..drill(DONE) };
    assert_eq!(shown(&of(rehearse, &pasts([edited]), &[]), &rehearsed), [Partly, Partly, Partly]);

    let backups = "verify: [{ backup: gate, every: 1 year }]\nrestore: [{ service: web, every: 1 year }]";
    let told = of(backups, &pasts([with_proofs()]), &[]);
    assert_eq!(shown(&told, &["RC.RP-03", "RC.RP-05", "PR.DS-11"]), [Satisfied, NotShown, Partly]);

    // Nothing of it is restored here: objectives are the other half.
    for (met, standing) in [
        (Met::Met, Partly),
        (Met::Missed, NotShown),
        (Met::NotReached, NotShown),
        (Met::NotStarted, NotShown),
    ] {
        let told = of(rehearse, &pasts([with_objective(met)]), &[]);
        assert_eq!(shown(&told, &["RC.RP-04"]), [standing], "{met:?}");
    }
    let played = Shown { mode: Some(Mode::Tabletop), ..with_objective(Met::Met) };
    assert_eq!(shown(&of(at_table, &pasts([played]), &[]), &["RC.RP-04"]), [NotShown], "no host has seen it");
}

#[test]
fn a_run_that_lies_ahead_is_a_gap_and_no_evidence() {
    let body = "rehearse: [{ runbook: r, every: 1 year }]";
    let told = of(body, &pasts([drill(DONE), drill("2026-12-24T10:00:00Z")]), &[]);
    assert_eq!(told.runs.len(), 1);
    assert!(told.gaps[0].what.contains("lies ahead"), "{:?}", told.gaps);
    assert_eq!(told.readiness.duties[0].last.as_ref().unwrap().day.to_string(), "2026-11-20");
}

#[test]
fn cuts_count_as_proved_when_probes_prove_each() {
    let cut =
        |conduit: &str, proved: bool| Severed { conduit: conduit.to_owned(), step: "cut".to_owned(), proved };
    let nco = "jp-nco-isolation-recovery";
    let body = "rehearse: [{ runbook: r, every: 1 year }]\nrestore: [{ service: db, every: 1 year }]";
    for (cuts, standing) in [
        (vec![], Partly),
        (vec![cut("isp", true), cut("vpn", false)], Partly),
        (vec![cut("isp", true), cut("vpn", true)], Satisfied),
    ] {
        let told = of(body, &pasts([Shown { cuts, ..with_proofs() }]), &[]);
        assert_eq!(shown(&told, &[nco]), [standing]);
    }
}

#[test]
fn records_and_evidence_are_as_whole_as_they_are() {
    let body = "rehearse: [{ runbook: r, every: 1 year }]";
    let people = |count: usize| {
        let one = Decision {
            at: moment(DONE),
            by: "ann".to_owned(),
            about: "the run".to_owned(),
            decision: "approved".to_owned(),
            comment: None,
            key: None,
        };
        vec![one; count]
    };
    let run = |count: usize| Shown { decisions: people(count), ..with_evidence() };
    let ids = ["RS.AN-06", "RS.AN-07"];
    assert_eq!(shown(&of(body, &pasts([run(2)]), &[]), &ids), [Satisfied, Satisfied]);
    assert_eq!(
        shown(&of(body, &pasts([run(1)]), &[]), &ids),
        [Partly, Satisfied],
        "only its start is on record"
    );
    let told = of(body, &pasts([run(2)]), &[(0, "evidence/b")]);
    assert_eq!(shown(&told, &ids), [Satisfied, Partly]);
    assert!(told.gaps.iter().any(|gap| gap.what.contains("evidence/b") && gap.see == "evidence"));
    let mut runs = pasts([run(2)]);
    runs.push(broken());
    let told = of(body, &runs, &[]);
    assert_eq!(shown(&told, &ids), [Partly, Partly]);
    assert!(told.gaps.iter().any(|gap| gap.see == "broken"));
    assert_eq!(shown(&of(body, &[broken()], &[]), &ids), [NotShown, NotShown]);
}

#[test]
fn somebodys_word_is_never_all_of_it() {
    let item = Improvement {
        observation: "slow".to_owned(),
        recommendation: "mend it".to_owned(),
        owner: None,
        due: None,
    };
    let run = Shown { improvements: vec![item], ..drill("2026-06-01T10:00:00Z") };
    let id = |past: Past| Past { id: RunId(format!("{}{}", past.run, "0".repeat(20))), ..past };
    let runs: Vec<Past> = pasts([run, drill(DONE)]).into_iter().map(id).collect();
    for (closed, standing, gaps) in [
        ("", NotShown, 1),
        ("{ run: '000000000000', on: 2026-08-30, by: ann }", Partly, 0),
        ("{ run: '000000000000', on: 2026-08-31, by: ann }", NotShown, 1),
    ] {
        let told = of(&format!("improve: {{ within: 90 days, closed: [{closed}] }}"), &runs, &[]);
        assert_eq!(shown(&told, &["CIP-009-R3.1"]), [standing], "{closed}");
        assert_eq!(told.gaps.len(), gaps, "{closed}");
    }
    // The policy allows longer than the control does.
    let closed = "improve: { within: 1 year, closed: [{ run: '000000000000', on: 2026-08-31, by: ann }] }";
    let told = of(closed, &runs, &[]);
    assert_eq!(
        (shown(&told, &["CIP-009-R3.1", "jp-common-audit"]), told.gaps.len()),
        (vec![NotShown, Partly], 0)
    );
    let nothing_learnt = of("improve: { within: 90 days }", &runs[1..], &[]);
    assert_eq!(shown(&nothing_learnt, &["CIP-009-R3.1"]), [Satisfied]);
}

#[test]
fn a_duty_speaks_to_the_controls_that_it_names() {
    let body = "rehearse: [{ runbook: r, every: 1 year, control: [CIP-009-R2.1, bcp-4, RC.RP-03] }]\ncontrols: { \
                bcp-4: { framework: Ours, asks: Something. }, bcp-5: { framework: Ours, asks: More. } }";
    let told = of(body, &pasts([drill(DONE)]), &[]);
    // RC.RP-03 asks for verified backups, of which there are none: the rehearsal that names it is told beside that.
    assert_eq!(
        shown(&told, &["CIP-009-R2.1", "CIP-009-R2.3", "bcp-4", "bcp-5", "RC.RP-03"]),
        [Satisfied, NotShown, Satisfied, NotShown, Partly]
    );
}

/// The audit of a site where everything there is occurs.
fn rich() -> Audit {
    let item = Improvement {
        observation: "step `load` took <b>long</b>".to_owned(),
        recommendation: "mend it".to_owned(),
        owner: None,
        due: None,
    };
    let mut one = Shown { improvements: vec![item], ..with_proofs() };
    one.evidence = with_evidence().evidence;
    one.evidence[0].from = "<script>alert(1)</script>".to_owned();
    let narrowed = Shown { narrowed: Some("not in --phase cut".to_owned()), ..with_objective(Met::Missed) };
    let mut runs = pasts([one, narrowed, Shown { mode: Some(Mode::Tabletop), ..drill(DONE) }]);
    runs.push(broken());
    let body = "summary: '<i>all</i>'\nrehearse: [{ runbook: r, every: 1 year, owner: '<script>' }, { runbook: r, as: live, \
                every: 1 year }]\nrestore: [{ service: db, every: 1 year }]\nverify: [{ backup: gate, every: 1 day }]\n\
                improve: { within: 1 day }\ncontrols: { own: { framework: '<Ours>', asks: '\"Something\".' } }";
    of(body, &runs, &[(0, "evidence/b")])
}

#[test]
fn the_page_is_sound_and_every_claim_leads_to_its_evidence() {
    let page = audit_html(&rich(), &TimeZone::UTC);
    assert_eq!(troubles(&page), Vec::<String>::new());
    assert!(!page.contains("<script") && !page.contains("<i>all"), "what people wrote is shown, not obeyed");
    let elements = elements(&page);
    let ids: BTreeSet<&str> =
        elements.iter().filter_map(|one| one.attrs.get("id")).map(String::as_str).collect();
    let links: Vec<&str> =
        elements.iter().filter_map(|one| one.attrs.get("href")).map(String::as_str).collect();
    assert!(links.len() > 50);
    for link in links {
        let anchor = link.strip_prefix('#').unwrap_or_else(|| panic!("{link} leads outside"));
        assert!(ids.contains(anchor), "{link} leads nowhere");
    }
}

#[test]
fn the_json_holds_what_the_page_tells() {
    let told = rich();
    let json = serde_json::to_value(&told).unwrap();
    assert_eq!(json["v"], 1);
    assert_eq!(json["controls"].as_array().unwrap().len(), CONTROLS.len() + 1);
    assert_eq!(json["runs"][2]["evidence"][1]["whole"], false);
    assert_eq!(json["runs"][2]["evidence"][0]["whole"], true);
    assert_eq!(json["readiness"]["broken"][0]["because"], "edited");
    let seen: BTreeMap<&str, usize> =
        json["controls"].as_array().unwrap().iter().fold(BTreeMap::new(), |mut all, one| {
            *all.entry(one["standing"].as_str().unwrap()).or_default() += 1;
            all
        });
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), ["not_shown", "partly", "satisfied"]);
}
