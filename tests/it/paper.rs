//! The paper runbook: everything that a person needs without a screen, on every page the plan's hash.

use crate::report_site as site;
use crate::story::markup::{HOSTILE, troubles};
use blackstart::model::Millis;
use blackstart::model::lasting::Watch;
use blackstart::model::probe::{Expect, Probe, ProbeKind};
use blackstart::plan::frozen::{Plan, PlannedUndo, PlannedVerify};
use blackstart::plan::hash;
use blackstart::report::paper::{Contact, Sheet, html, text};
use snapbox::{IntoData, assert_data_eq, file};

fn plan(webs: u32) -> Plan {
    let mut plan = site::isolate_and_restore(webs);
    let cut = &mut plan.steps[0];
    cut.verify = vec![PlannedVerify::Script("! nc -z 203.0.113.10 443".to_owned())];
    cut.undo = PlannedUndo::By("nft delete table inet cut\n".to_owned());
    let block = plan.steps[2].first_task.at();
    plan.steps[2].action = blackstart::plan::frozen::PlannedAction::Run("block ${bs_port}\n".to_owned());
    for (at, task) in plan.tasks[block..][..webs as usize].iter_mut().enumerate() {
        let port = if at == 0 { "443" } else { "8443" };
        task.values.insert("bs_port".to_owned(), port.to_owned());
    }
    plan
}

fn sheet(plan: &Plan) -> Sheet {
    let duty = Contact { who: "duty officer".to_owned(), how: "+81 3 0000 0000".to_owned() };
    Sheet::of(plan, vec![duty])
}

#[test]
fn the_paper_runbook_as_text_and_as_a_page() {
    let sheet = sheet(&plan(3));
    assert_data_eq!(text(&sheet).raw(), file!["paper/runbook.txt"].raw());
    let page = html(&sheet);
    assert_eq!(troubles(&page), Vec::<String>::new());
    for wanted in ["duty officer", "ssh -J ops@edge-fw.example ops@db1.example", "nft delete table inet cut"]
    {
        assert!(page.contains(wanted), "{wanted}");
    }
    assert_eq!(page.matches("tick when done").count(), 9, "a box for each step");
}

/// Whoever reconnects by hand must look on as long as blackstart would, and know how to cut again.
#[test]
fn a_way_back_on_paper_says_what_to_watch_and_for_how_long() {
    let mut plan = plan(3);
    let what = ProbeKind::Tcp { host: "203.0.113.10".to_owned(), port: 443 };
    let (timeout, within) = (Millis(1000), Millis(0));
    let probe = Probe { what, from: None, expect: Expect::Closed, timeout, within };
    let (length, every) = (Millis::from_secs(600), Millis::from_secs(15));
    let back = &mut plan.steps[0];
    back.severs.clear();
    back.reconnects = vec!["isp-uplink".into()];
    back.snapshot = Some("nft list table inet cut".to_owned());
    back.watch = Some(Watch { length, every, probes: vec![probe], tolerate: 0 });
    // Whatever it is broken into.
    let text = text(&sheet(&plan)).split_whitespace().collect::<Vec<_>>().join(" ");
    for wanted in [
        "opens: isp-uplink: open again; if a proof below fails, cut it again at once",
        "keep: what `snapshot` prints, in a file; the undo finds its path in $BLACKSTART_SNAPSHOT",
        "proof: for 10m 00s, looked at every 15s: tcp 203.0.113.10:443 is closed, seen from the controller",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
}

#[test]
fn every_page_of_text_fits_and_bears_the_hash() {
    let plan = plan(400);
    let hash = hash(&plan);
    let text = text(&sheet(&plan));
    let pages: Vec<&str> = text.split('\u{c}').collect();
    assert!(pages.len() > 5);
    for (at, page) in pages.iter().enumerate() {
        let foot = page.trim_end().lines().last().unwrap();
        assert_eq!(foot, format!("-- plan {hash}  page {} of {}", at + 1, pages.len()));
        assert!(page.lines().count() <= 66, "page {} has {} lines", at + 1, page.lines().count());
    }
    assert_eq!(text.matches("[ ] web-").count(), 400, "a box for each host");
    assert!(html(&sheet(&plan)).contains(&format!("content: \"Plan {hash}\"")), "and so do margins");
}

#[test]
fn what_the_plan_leaves_out_is_not_on_paper() {
    let mut plan = plan(3);
    for task in &mut plan.tasks[1..5] {
        task.left_out = Some("--limit".to_owned());
    }
    let text = text(&sheet(&plan));
    assert!(!text.contains("cut-vpn") && !text.contains("block-egress\n"), "{text}");
    assert!(text.contains("[ ] 1.1 cut-isp") && text.contains("[ ] 1.2 first-reset"));
}

#[test]
fn nothing_in_a_plan_is_markup_on_paper() {
    let mut plan = plan(2);
    plan.runbook = HOSTILE.to_owned();
    plan.summary = Some(HOSTILE.to_owned());
    plan.steps[0].title = Some(HOSTILE.to_owned());
    plan.steps[0].undo = PlannedUndo::Impossible(HOSTILE.to_owned());
    plan.steps[1].check = Some(HOSTILE.to_owned());
    plan.objectives[0].within = Millis(1);
    let page = html(&sheet(&plan));
    assert_eq!(troubles(&page), Vec::<String>::new());
    let text = text(&sheet(&plan));
    assert!(!text.chars().any(|c| c.is_control() && c != '\n' && c != '\u{c}') && !text.contains('\u{202e}'));
}
