//! Tables of proof: who waits for the look before the first cut, what a silence is worth, what services do.

use super::plans::negative_probe_at;
use super::table::*;
use blackstart::model::event::{Before, Seen, Stands};
use blackstart::plan::frozen::PlannedVerify;

/// `s0` cuts and looks at port 443 afterwards; `s1` has nothing to do with it.
fn a_cut_and_another_step() -> Builder {
    let mut build = Builder::new(&[None]);
    build.phase(Policy::Stop);
    let cut = build.step(&[Some(0)]);
    build.severs(cut);
    build.at(cut).verify = vec![PlannedVerify::Probe(negative_probe_at(443))];
    build.step(&[Some(0)]);
    build
}

fn saw(seen: &str, expected: &str) -> Seen {
    Seen {
        what: "tcp 192.0.2.1:443".into(),
        expected: expected.into(),
        seen: seen.into(),
        agrees: seen.starts_with(expected),
        probe: "443".into(),
        before: None,
    }
}

fn looked(seen: &str) -> Input {
    Input::Baseline { probes: vec![saw(seen, "open")], because: String::new() }
}

/// What the verify of the cut says of its silence, after this look before it.
fn worth(before: Input) -> Before {
    let mut run = begin(a_cut_and_another_step());
    run.news(before);
    run.succeeds("s0@h00000", JobKind::Run);
    let job = run.job("s0@h00000", JobKind::Verify);
    let facts = Facts { probes: vec![saw("closed: no answer", "closed")], ..Facts::default() };
    run.news(Input::JobEnded { job, outcome: Outcome::Succeeded, facts });
    let recorded = run.journal.iter().rev().find_map(|(_, event)| match event {
        Event::JobEnded { facts, .. } => facts.probes.first().cloned(),
        _ => None,
    });
    recorded.unwrap().before.unwrap()
}

#[test]
fn a_cut_waits_for_the_look_before_it_and_nothing_else_does() {
    let mut run = begin(a_cut_and_another_step());
    assert!(run.orders.contains(&Output::LookBefore), "{:?}", run.orders);
    assert_eq!(run.started(), ["run s1@h00000 #1"]);
    run.succeeds("s1@h00000", JobKind::Run);
    assert_eq!((run.started(), run.verdict()), (Vec::new(), None), "it waits, and does not end");
    run.news(looked("open"));
    assert_eq!(run.started(), ["run s0@h00000 #1"]);
}

#[test]
fn a_look_that_failed_is_a_look() {
    let mut run = begin(a_cut_and_another_step());
    run.news(Input::Baseline { probes: Vec::new(), because: "no host was there".into() });
    assert!(run.started().contains(&"run s0@h00000 #1".to_owned()));
}

#[test]
fn after_a_crash_it_is_ordered_again_only_if_it_is_not_on_record() {
    let mut run = begin(a_cut_and_another_step());
    run.crashes_and_resumes();
    assert!(run.orders.contains(&Output::LookBefore), "{:?}", run.orders);
    run.news(looked("open"));
    run.crashes_and_resumes();
    assert!(!run.orders.contains(&Output::LookBefore), "{:?}", run.orders);
    let refused = run.engine.refused();
    run.news(looked("open"));
    assert_eq!(run.engine.refused(), refused + 1, "nobody asked");
}

#[test]
fn a_plan_without_negative_probes_looks_at_nothing() {
    let mut build = Builder::new(&[None]);
    build.phase(Policy::Stop);
    let cut = build.step(&[Some(0)]);
    build.severs(cut);
    let run = begin(build);
    assert!(!run.orders.contains(&Output::LookBefore));
    assert_eq!(run.started(), ["run s0@h00000 #1"]);
}

#[test]
fn a_silence_is_worth_what_was_seen_before() {
    assert_eq!(worth(looked("open")), Before::Open);
    assert_eq!(worth(looked("open, by `bash` on db1")), Before::Open);
    assert_eq!(worth(looked("closed: refused")), Before::NotOpen);
    assert_eq!(worth(looked("cannot tell: the host is not there")), Before::NotLooked);
    let skipped = Input::Baseline { probes: Vec::new(), because: "nobody looked".into() };
    assert_eq!(worth(skipped), Before::NotLooked);
}

#[test]
fn a_stopped_run_does_not_wait_for_the_look() {
    let mut run = begin(a_cut_and_another_step());
    run.succeeds("s1@h00000", JobKind::Run);
    run.news(Input::StopRequested { by: "ann".into(), how: StopHow::Finish });
    assert!(matches!(run.verdict(), Some(Verdict::Stopped { .. })), "{:?}", run.verdict());
}

#[test]
fn a_service_is_on_record_when_it_changes_and_anew_in_each_process() {
    let mut build = a_cut_and_another_step();
    build.service("records", false);
    let mut run = begin(build);
    let seen = |stands| Input::ServiceSeen { service: "records".into(), stands, because: "seen".into() };
    for stands in [Stands::Up, Stands::Up, Stands::Down, Stands::Down, Stands::Up] {
        run.now = run.now + Millis::from_secs(10);
        run.news(seen(stands));
    }
    let recorded = |run: &Run| {
        run.journal.iter().filter(|(_, event)| matches!(event, Event::ServiceSeen { .. })).count()
    };
    assert_eq!(recorded(&run), 3);
    run.crashes_and_resumes();
    run.news(seen(Stands::Up));
    assert_eq!(recorded(&run), 4, "nobody watched in between");
    let (_, watched) = run.engine.state().services().next().unwrap();
    let down: Vec<_> = watched.stretches().iter().filter(|one| one.stands == Stands::Down).collect();
    assert_eq!(down.len(), 1);
    assert_eq!(down[0].until.unwrap().since(down[0].since), Millis::from_secs(20));
    let refused = run.engine.refused();
    run.news(Input::ServiceSeen { service: "mail".into(), stands: Stands::Up, because: "seen".into() });
    assert_eq!(run.engine.refused(), refused + 1, "the plan has no such service");
}

#[test]
fn probes_agree_once_for_all_and_before_the_step_is_over() {
    let mut run = begin(a_cut_and_another_step());
    let cut = run.engine.state().plan().step_named("s0").unwrap();
    let agreed = |run: &Run| run.engine.state().probes_agreed(cut);
    run.news(looked("open"));
    run.succeeds("s0@h00000", JobKind::Run);
    assert_eq!(agreed(&run), None, "it ran, and nobody looked");
    run.now = run.now + Millis::from_secs(7);
    run.succeeds("s0@h00000", JobKind::Verify);
    let at = run.now;
    run.now = run.now + Millis::from_secs(9);
    run.succeeds("s1@h00000", JobKind::Run);
    assert_eq!(agreed(&run), Some(at));
}

/// One step, and a service that somebody can look at.
fn with_a_watched_service() -> Run {
    let mut build = Builder::new(&[None]);
    build.phase(Policy::Stop);
    build.step(&[Some(0)]);
    build.service("records", true);
    build.service("dns", false);
    begin(build)
}

fn looked_last(stands: Stands) -> Input {
    let services = vec![("records".into(), stands, "seen".to_owned())];
    Input::LookedAfter { services, probes: Vec::new(), because: String::new() }
}

#[test]
fn a_run_that_comes_to_its_end_looks_at_services_once_more() {
    let mut run = with_a_watched_service();
    run.news(Input::ServiceSeen { service: "records".into(), stands: Stands::Down, because: "seen".into() });
    run.succeeds("s0@h00000", JobKind::Run);
    assert_eq!(run.orders, [Output::LookAfter { probes: false }]);
    assert_eq!(run.verdict(), None);
    run.news(looked_last(Stands::Up));
    assert_eq!(run.verdict(), Some(Verdict::Completed));
    let (_, watched) = run.engine.state().services().next().unwrap();
    assert_eq!(watched.stretches().last().unwrap().stands, Stands::Up, "before the end, so that it counts");
    let refused = run.engine.refused();
    run.news(looked_last(Stands::Down));
    assert_eq!(run.engine.refused(), refused + 1, "it came twice");
}

#[test]
fn who_stops_a_run_does_not_wait_for_the_last_look() {
    let mut run = with_a_watched_service();
    run.succeeds("s0@h00000", JobKind::Run);
    run.news(Input::StopRequested { by: "ann".into(), how: StopHow::Finish });
    assert_eq!(run.verdict(), Some(Verdict::Completed), "nothing was left to do");
}

#[test]
fn a_last_look_from_before_a_rollback_is_none() {
    let mut run = with_a_watched_service();
    run.succeeds("s0@h00000", JobKind::Run);
    run.news(Input::RollbackRequested {
        scope: Scope::Run,
        reopen: false,
        by: "ann".into(),
        consent: Vec::new(),
    });
    run.news(looked_last(Stands::Up));
    assert_eq!(run.verdict(), None);
    run.succeeds("s0@h00000", JobKind::Undo);
    assert_eq!(run.orders, [Output::LookAfter { probes: false }]);
    run.news(looked_last(Stands::Up));
    assert_eq!(run.verdict(), Some(Verdict::RolledBack));
}

#[test]
fn after_a_crash_the_last_look_is_had_again() {
    let mut run = with_a_watched_service();
    run.succeeds("s0@h00000", JobKind::Run);
    run.crashes_and_resumes();
    assert_eq!(run.orders, [Output::LookAfter { probes: false }]);
}

/// A cut that was seen open before, done and verified; in a drill.
fn a_cut_in_a_drill() -> Run {
    let mut run = begin_with(a_cut_and_another_step(), Limits::default(), Mode::Drill);
    run.succeeds("s1@h00000", JobKind::Run);
    run.news(looked("open"));
    run.succeeds("s0@h00000", JobKind::Run);
    run.succeeds("s0@h00000", JobKind::Verify);
    assert_eq!(run.verdict(), Some(Verdict::Completed), "the cut is in place: there is nothing to look at");
    run
}

#[test]
fn paths_that_were_cut_are_looked_at_again_when_the_cut_is_taken_back() {
    for (seen, open) in [("open", 1), ("closed: no answer", 0), ("cannot tell: nobody is there", 0)] {
        let mut run = a_cut_in_a_drill();
        let (scope, consent) = (Scope::Run, vec!["isp-uplink".into()]);
        run.news(Input::RollbackRequested { scope, reopen: true, by: "ann".into(), consent });
        run.succeeds("s1@h00000", JobKind::Undo);
        run.succeeds("s0@h00000", JobKind::Undo);
        assert_eq!(run.orders, [Output::LookAfter { probes: true }]);
        let (services, probes) = (Vec::new(), vec![saw(seen, "open")]);
        run.news(Input::LookedAfter { services, probes, because: String::new() });
        assert_eq!(run.verdict(), Some(Verdict::RolledBack));
        let after = run.engine.state().proofs().after().unwrap();
        assert_eq!((after.open, after.not_open.len()), (open, 1 - open as usize));
    }
}
