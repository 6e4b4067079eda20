//! Tables of the way back, and of stopping on the way.

use super::table::*;

#[test]
fn a_rollback_takes_dependents_back_first_and_leaves_cuts_cut() {
    let mut build = two_steps(Policy::Rollback, true);
    build.severs(blackstart::model::names::StepIx(1));
    let mut run = begin(build);
    run.succeeds("s0@h00000", JobKind::Run);
    run.succeeds("s1@h00000", JobKind::Run);
    run.fails("s0@h00001", JobKind::Run);
    assert_eq!(run.undo("s1@h00000"), Some(UndoEnd::LeftCut));
    assert_eq!(run.undo("s0@h00000"), Some(UndoEnd::Held { by: run.task("s1@h00000") }));
    assert_eq!(run.started(), ["undo s0@h00001 #1"], "a failed task may have changed something");
    run.succeeds("s0@h00001", JobKind::Undo);
    assert_eq!(run.verdict(), Some(Verdict::RolledBack));

    run.news(Input::RollbackRequested {
        scope: Scope::Run,
        reopen: true,
        by: "ann".into(),
        consent: Vec::new(),
    });
    assert_eq!(run.started(), ["undo s1@h00000 #1"]);
    run.succeeds("s1@h00000", JobKind::Undo);
    assert_eq!(run.started(), ["undo s0@h00000 #1"]);
    run.succeeds("s0@h00000", JobKind::Undo);
    assert_eq!(run.verdict(), Some(Verdict::RolledBack));
}

#[test]
fn a_failed_undo_stops_no_other_branch_and_ends_stuck_until_somebody_takes_it_on() {
    let mut build = Builder::new(&[None, None]);
    build.phase(Policy::Stop);
    build.step(&[H0, H1]);
    let mut run = begin(build);
    run.succeeds("s0@h00000", JobKind::Run);
    run.succeeds("s0@h00001", JobKind::Run);
    run.news(Input::RollbackRequested {
        scope: Scope::Run,
        reopen: false,
        by: "ann".into(),
        consent: Vec::new(),
    });
    run.fails("s0@h00000", JobKind::Undo);
    assert_eq!(run.verdict(), None);
    run.succeeds("s0@h00001", JobKind::Undo);
    assert_eq!(run.verdict(), Some(Verdict::Stuck));
    let needs_a_person = run.engine.state().needs_a_person();
    assert_eq!(needs_a_person, [(TaskIx(0), UndoEnd::Failed { outcome: Outcome::from_exit(1) })]);
    run.dies();
    run.news(Input::Abandoned { by: "ann".into(), comment: "mended by hand".into() });
    assert_eq!(run.orders, [Output::Finished(Verdict::Stuck)]);
    assert!(run.engine.state().needs_a_person().is_empty());
}

#[test]
fn what_cannot_be_taken_back_is_stuck_and_holds_what_it_stands_on() {
    let mut build = two_steps(Policy::Stop, true);
    build.at(blackstart::model::names::StepIx(1)).undo = PlannedUndo::Impossible("it is gone".into());
    let mut run = begin(build);
    for name in ["s0@h00000", "s0@h00001", "s1@h00000", "s1@h00001"] {
        run.succeeds(name, JobKind::Run);
    }
    run.news(Input::RollbackRequested {
        scope: Scope::Run,
        reopen: false,
        by: "ann".into(),
        consent: Vec::new(),
    });
    assert_eq!(run.undo("s1@h00000"), Some(UndoEnd::Impossible));
    assert_eq!(run.undo("s0@h00000"), Some(UndoEnd::Held { by: run.task("s1@h00000") }));
    assert_eq!(run.verdict(), Some(Verdict::Stuck));
}

#[test]
fn ctrl_c_once_lets_running_end_and_twice_cancels() {
    let mut build = two_steps(Policy::Stop, false);
    build.verify(STEP);
    let mut run = begin(build);
    run.news(Input::StopRequested { by: "ann".into(), how: StopHow::Finish });
    run.succeeds("s0@h00000", JobKind::Run);
    assert_eq!(run.started(), ["verify s0@h00000 #1"], "what has begun is seen to its end");
    run.news(Input::StopRequested { by: "ann".into(), how: StopHow::Cancel });
    let cancels = [run.job("s0@h00000", JobKind::Verify), run.job("s0@h00001", JobKind::Run)];
    assert_eq!(run.orders, cancels.map(|job| Output::Cancel { job }));
    let cancelled = Outcome::Failed { how: blackstart::model::How::Cancelled };
    run.ends("s0@h00000", JobKind::Verify, cancelled.clone());
    run.ends("s0@h00001", JobKind::Run, cancelled);
    let because = StopReason::Operator { by: "ann".into(), how: StopHow::Cancel };
    assert_eq!(run.verdict(), Some(Verdict::Stopped { because }));
    run.crashes_and_resumes();
    assert_eq!(run.started(), ["run s0@h00000 #2", "run s0@h00001 #2"]);
}

#[test]
fn a_conduit_is_cut_again_beneath_what_stays_and_goes_on_holding_what_it_stands_on() {
    let mut build = Builder::new(&[None]);
    build.phase(Policy::Rollback);
    let [beneath, opens, above] = [(); 3].map(|()| build.step(&[H0]));
    build.needs(opens, beneath, false);
    build.needs(above, opens, false);
    build.at(opens).reconnects = vec!["vendor-vpn".into()];
    build.at(above).undo = PlannedUndo::Impossible("it is gone".into());
    let mut run = begin(build);
    for step in ["s0@h00000", "s1@h00000"] {
        run.succeeds(step, JobKind::Run);
    }
    run.fails("s2@h00000", JobKind::Run);
    assert_eq!(run.undo("s2@h00000"), Some(UndoEnd::Impossible));
    assert_eq!(run.started(), ["undo s1@h00000 #1"], "the cut is made again");
    run.succeeds("s1@h00000", JobKind::Undo);
    assert_eq!(run.undo("s0@h00000"), Some(UndoEnd::Held { by: run.task("s2@h00000") }));
    assert_eq!(run.verdict(), Some(Verdict::Stuck));
}
