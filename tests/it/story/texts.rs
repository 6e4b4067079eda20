//! What the formats say: snapshots, and what the numbers in them must add up to.

use super::{killed, resumed, says, stories, story_of, waiting};
use crate::report::{stopped, stuck, well};
use crate::report_site::{Reply, Run, Site, isolate_and_restore, nothing_goes_wrong};
use blackstart::model::event::JobKind;
use blackstart::model::runbook::Policy;
use blackstart::model::{Millis, event::Job};
use blackstart::report::story::ledger::Way;
use blackstart::report::story::told::{Fate, Met, Standing, What};
use blackstart::report::story::{self, Lang};
use snapbox::{IntoData, assert_data_eq, file};

#[test]
fn a_stuck_run_in_every_format() {
    let told = story_of(&stuck(), Lang::En);
    let english = says(Lang::En);
    assert_data_eq!(story::json(&told).raw(), file!["stuck.json"].raw());
    assert_data_eq!(story::markdown(&told, &english).raw(), file!["stuck.md"].raw());
    assert_data_eq!(story::junit(&told, &english).raw(), file!["stuck.xml"].raw());
    assert_data_eq!(story::html(&told, &english).raw(), file!["stuck.html"].raw());
}

#[test]
fn the_same_in_japanese_with_a_first_report() {
    let told = story_of(&stuck(), Lang::Ja);
    assert_data_eq!(story::markdown(&told, &says(Lang::Ja)).raw(), file!["stuck-ja.md"].raw());
}

#[test]
fn other_ends() {
    let english = says(Lang::En);
    assert_data_eq!(
        story::markdown(&story_of(&well(), Lang::En), &english).raw(),
        file!["completed.md"].raw()
    );
    assert_data_eq!(story::markdown(&killed(Lang::En), &english).raw(), file!["killed.md"].raw());
    assert_data_eq!(
        story::junit(&story_of(&stopped(), Lang::En), &english).raw(),
        file!["stopped.xml"].raw()
    );
}

#[test]
fn zones_services_probes_guards_evidence_and_risks() {
    let told = super::rich::rich(Lang::En);
    assert_data_eq!(story::markdown(&told, &says(Lang::En)).raw(), file!["rich.md"].raw());
    let proved: Vec<(&str, bool)> = told.cuts.iter().map(|cut| (cut.conduit.as_str(), cut.proved)).collect();
    assert_eq!(
        proved,
        [("isp-uplink", true), ("vendor-vpn", false)],
        "only what was open before proves a cut"
    );
    let ways = told.reachability.as_ref().unwrap();
    let at = |name: &str| ways.zones.iter().position(|zone| zone == name).unwrap();
    let way = |matrix: &[Vec<Way>], from: &str, to: &str| matrix[at(from)][at(to)];
    assert_eq!(way(&ways.before, "internet", "dmz"), Way::Direct);
    assert_eq!(way(&ways.before, "internet", "core"), Way::Pivot);
    assert_eq!(way(&ways.after, "internet", "core"), Way::None);
    assert_eq!(way(&ways.after, "dmz", "core"), Way::Direct);
    let records = told.services.iter().find(|one| one.name == "records").unwrap();
    assert_eq!((records.down_ms, records.within_rto), (150_000, Some(false)));
    assert!(told.improvements.iter().any(|item| item.observation.starts_with("Service `records` was down")));
    assert!(told.decisions[1].decision.starts_with("accepts the risk"), "{:?}", told.decisions[1]);
}

#[test]
fn json_is_as_its_schema_says() {
    let schema = story::schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for lang in Lang::ALL {
        for (name, told) in stories(lang) {
            let json: serde_json::Value = serde_json::from_str(&story::json(&told)).unwrap();
            let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{name}: {errors:?}");
        }
    }
    let pretty = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    assert_data_eq!(pretty.raw(), file!["../../../schema/report.schema.json"].raw());
}

#[test]
fn a_killed_run_says_that_nobody_carries_it_on() {
    let told = killed(Lang::En);
    assert_eq!(told.run.standing, Standing::Interrupted);
    assert_eq!((told.run.exit_code, told.run.ended_at), (None, None));
    let restore = told.tasks.iter().find(|task| task.step == "restore-db").unwrap();
    assert_eq!(restore.fate, Fate::UnderWay);
    assert_eq!(restore.spans.last().unwrap().to, None);
    assert!(told.summary[1].contains("nobody carries it on"), "{:?}", told.summary);
    let records = told.objectives.iter().find(|one| one.name == "records back").unwrap();
    assert_eq!((records.standing, records.late_ms.is_some_and(|late| late < 0)), (Met::Open, true));
}

#[test]
fn a_resumed_run_tells_how_long_nobody_carried_it_on() {
    let told = resumed(Lang::En);
    assert_eq!(told.run.standing, Standing::Running);
    assert_eq!((told.run.resumed.len(), told.run.resumed[0].away_ms), (1, 3_600_000));
    let stop = told.tasks.iter().find(|task| task.step == "stop-db").unwrap();
    assert_eq!((stop.fate, stop.spans[0].what), (Fate::Unseen, What::Unseen));
    assert!(told.waits.iter().any(|wait| wait.what == What::Turn && wait.longest_ms == 3_600_000));
    assert!(told.improvements.iter().any(|item| item.observation.contains("Nobody carried the run on")));
}

#[test]
fn who_is_waited_for_is_told_while_it_lasts() {
    let told = waiting(Lang::En);
    assert_eq!(told.run.standing, Standing::Running);
    assert_eq!(told.open_questions.len(), 1);
    let people = told.waits.iter().find(|wait| wait.what == What::People).unwrap();
    assert_eq!((people.open, people.longest_ms), (true, 60_000));
}

#[test]
fn the_critical_path_explains_every_moment_up_to_its_end() {
    for (name, told) in stories(Lang::En) {
        let Some(start) = told.run.started_at else { continue };
        let mut here = start;
        for leg in &told.critical_path {
            assert_eq!(leg.from, here, "{name}: {} begins where the leg before it ended", leg.step);
            let parts: u64 = leg.parts.values().sum();
            assert_eq!(parts, leg.to.since(leg.from).0, "{name}: the parts of {} add up", leg.step);
            here = leg.to;
        }
        assert!(here > start, "{name} has a path");
    }
    let told = story_of(&well(), Lang::En);
    let steps: Vec<&str> = told.critical_path.iter().map(|leg| leg.step.as_str()).collect();
    assert_eq!(steps, ["first-reset", "second-reset"], "the minimum wait of ten hours decided");
    let timer = told.critical_path[1].parts[&What::Timer];
    assert_eq!(timer, 36_000_000);
}

#[test]
fn a_run_of_five_thousand_tasks_makes_a_file_that_opens() {
    for (name, told) in large() {
        assert!(told.tasks.len() >= 5_000, "{name}");
        for lang in Lang::ALL {
            let page = story::html(&told, &says(lang));
            assert!(page.len() < 5_000_000, "{name}: {} bytes", page.len());
            assert_eq!(super::markup::troubles(&page), Vec::<String>::new(), "{name}");
        }
    }
}

/// Runs of 5,000 tasks: of one step on many hosts with trouble, and of many steps on two hosts.
pub fn large() -> Vec<(&'static str, story::Story)> {
    let trouble = |step: &str, host: &str, job: Job| match (step, job.kind) {
        ("block-egress", JobKind::Run) if host.ends_with('7') => {
            Reply::exit(2, 1, &"iptables: Permission denied\n".repeat(9))
        }
        _ => nothing_goes_wrong(step, host, job),
    };
    let wide = Run { plan: isolate_and_restore(5_000), world: &trouble, ..well() };
    let mut site = Site::new(["n1".to_owned(), "n2".to_owned()]);
    let ids: Vec<String> = (0..2_500).map(|at| format!("step-{at}")).collect();
    for (at, id) in ids.iter().enumerate() {
        if at % 500 == 0 {
            site.phase(&format!("phase-{}", at / 500), Policy::Continue);
        }
        let before = (at % 500).checked_sub(3).map(|_| ids[at - 3].as_str());
        site.step(id, "n", &before.into_iter().collect::<Vec<_>>(), |_| {});
    }
    let deep = Run { plan: site.plan(), world: &nothing_goes_wrong, ..well() };
    vec![("wide", story_of(&wide, Lang::En)), ("deep", story_of(&deep, Lang::En))]
}

#[test]
fn a_missed_objective_says_where_the_time_went() {
    let slow = |step: &str, host: &str, job: Job| match (step, job.kind) {
        ("block-egress", JobKind::Run) => Reply { after: Millis::from_secs(1200), ..Reply::well(0) },
        _ => nothing_goes_wrong(step, host, job),
    };
    let told = story_of(&Run { world: &slow, ..well() }, Lang::En);
    let isolated = &told.objectives[0];
    assert_eq!((isolated.standing, isolated.late_ms), (Met::Missed, Some(304_000)));
    let items: Vec<&str> = told.improvements.iter().map(|item| item.observation.as_str()).collect();
    assert!(items[0].starts_with("Objective `isolated` was missed by 5m 04s."), "{items:?}");
    assert!(
        items.iter().any(|item| item.contains("`block-egress` took 20m 00s; 5.0s was expected")),
        "{items:?}"
    );
}

#[test]
fn every_task_is_counted_once_and_every_case_is_a_test() {
    for (name, told) in stories(Lang::En) {
        let counted: u32 = told.steps.iter().flat_map(|step| step.counts.values()).sum();
        assert_eq!(counted as usize, told.tasks.len(), "{name}");
        let xml = story::junit(&told, &says(Lang::En));
        assert_eq!(xml.matches("<testcase ").count(), told.tasks.len() + told.objectives.len(), "{name}");
        let bad = told.tasks.iter().filter(|task| matches!(task.fate, Fate::Failed | Fate::Stuck)).count();
        let missed =
            told.objectives.iter().filter(|one| !matches!(one.standing, Met::Met | Met::Open)).count();
        assert_eq!(xml.matches("<failure ").count(), bad + missed, "{name}");
    }
}
