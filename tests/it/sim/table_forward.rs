//! Tables of the way forwards: jobs, retries, unknown ends, gates, people, limits.

use super::table::*;

#[test]
fn a_task_is_checked_kept_run_and_verified_in_this_order() {
    let mut build = one_step(Policy::Stop);
    build.check(STEP);
    build.snapshot(STEP);
    build.verify(STEP);
    let mut run = begin(build);
    assert_eq!(run.started(), ["check s0@h00000 #1"]);
    run.fails("s0@h00000", JobKind::Check);
    assert_eq!(run.started(), ["snapshot s0@h00000 #1"]);
    run.succeeds("s0@h00000", JobKind::Snapshot);
    assert_eq!(run.started(), ["run s0@h00000 #1"]);
    run.succeeds("s0@h00000", JobKind::Run);
    assert_eq!(run.started(), ["verify s0@h00000 #1"]);
    run.succeeds("s0@h00000", JobKind::Verify);
    assert_eq!(run.verdict(), Some(Verdict::Completed));
}

#[test]
fn what_is_already_so_is_neither_run_nor_taken_back() {
    let mut build = one_step(Policy::Stop);
    build.check(STEP);
    let mut run = begin(build);
    run.succeeds("s0@h00000", JobKind::Check);
    assert_eq!((run.end("s0@h00000"), run.verdict()), (Some(TaskEnd::AlreadySo), Some(Verdict::Completed)));
    run.news(Input::RollbackRequested {
        scope: Scope::Run,
        reopen: false,
        by: "ann".into(),
        consent: Vec::new(),
    });
    assert_eq!((run.undo("s0@h00000"), run.verdict()), (None, Some(Verdict::RolledBack)));
}

#[test]
fn every_record_comes_before_the_order_that_follows_from_it() {
    let plan = one_step(Policy::Stop).done();
    let mut engine = Engine::new(plan, Limits::default());
    let (by, version) = ("ann".into(), "0".into());
    engine.handle(
        Time(1),
        Input::Begin { run: RunId("r".into()), plan: "p".into(), mode: Mode::Live, by, version },
    );
    let orders: Vec<Output> = std::iter::from_fn(|| engine.poll()).collect();
    let job = Job { task: TaskIx(0), kind: JobKind::Run, attempt: 1 };
    let tail = &orders[orders.len() - 2..];
    assert_eq!(
        tail,
        [Output::Record(Time(1), Event::JobStarted { job }), Output::Start { job, resolves: None }]
    );
}

#[test]
fn a_failed_run_is_tried_again_after_a_doubling_pause_that_survives_a_crash() {
    let mut build = one_step(Policy::Stop);
    build.at(STEP).retry = Retry { attempts: 3, delay: Millis::from_secs(10) };
    let mut run = begin(build);
    run.fails("s0@h00000", JobKind::Run);
    assert_eq!(run.orders, [Output::Wake { at: Time(11_000) }]);
    run.passes(9);
    assert_eq!(run.started(), nothing());
    run.crashes_and_resumes();
    assert_eq!(run.orders, [Output::Wake { at: Time(11_000) }]);
    run.passes(1);
    assert_eq!(run.started(), ["run s0@h00000 #2"]);
    run.fails("s0@h00000", JobKind::Run);
    run.passes(19);
    assert_eq!(run.started(), nothing());
    run.passes(1);
    assert_eq!(run.started(), ["run s0@h00000 #3"]);
    run.fails("s0@h00000", JobKind::Run);
    let because = StopReason::StepFailed { step: STEP };
    assert_eq!(run.verdict(), Some(Verdict::Stopped { because }));
}

#[test]
fn a_refused_password_is_not_tried_again() {
    let mut run = begin(one_step(Policy::Stop));
    run.ends("s0@h00000", JobKind::Run, Outcome::NotStarted { because: "refused".into(), try_again: false });
    assert!(matches!(run.end("s0@h00000"), Some(TaskEnd::Failed { changed: false, .. })));
}

#[test]
fn an_end_that_was_not_seen_is_read_from_the_receipt_first() {
    for crash in [false, true] {
        let mut run = begin(one_step(Policy::Stop));
        match crash {
            true => run.crashes_and_resumes(),
            false => run.ends("s0@h00000", JobKind::Run, unknown()),
        }
        let of = run.job("s0@h00000", JobKind::Run);
        let job = run.job("s0@h00000", JobKind::ResolveRun);
        assert_eq!(run.orders, [Output::Start { job, resolves: Some(of) }]);
        run.receipt("s0@h00000", JobKind::ResolveRun, Found::Ended(Outcome::Succeeded));
        assert_eq!(run.verdict(), Some(Verdict::Completed));
    }
}

#[test]
fn without_a_receipt_the_check_tells_then_idempotence_then_people() {
    let lost = || Found::NoReceipt { because: "restarted".into() };
    let at_a_loss = |change: fn(&mut Builder)| {
        let mut build = one_step(Policy::Stop);
        change(&mut build);
        let mut run = begin(build);
        if run.plan.steps[0].check.is_some() {
            run.fails("s0@h00000", JobKind::Check);
        }
        run.ends("s0@h00000", JobKind::Run, unknown());
        run.receipt("s0@h00000", JobKind::ResolveRun, lost());
        run
    };
    let mut run = at_a_loss(|build| build.check(STEP));
    assert_eq!(run.started(), ["check s0@h00000 #2"]);
    run.fails("s0@h00000", JobKind::Check);
    assert!(
        matches!(run.end("s0@h00000"), Some(TaskEnd::Failed { changed: true, .. })),
        "it is not so: fail secure"
    );

    let mut run = at_a_loss(|build| build.verify(STEP));
    assert_eq!(run.started(), ["verify s0@h00000 #1"]);
    run.succeeds("s0@h00000", JobKind::Verify);
    assert_eq!(run.verdict(), Some(Verdict::Completed));

    let run = at_a_loss(|build| build.at(STEP).idempotent = true);
    assert_eq!(run.started(), ["run s0@h00000 #2"]);

    let mut run = at_a_loss(|_| {});
    let question = Question::WhatBecameOf { task: TaskIx(0), undo: false };
    assert_eq!(run.orders, [Output::Ask(question.clone())]);
    run.says(question, "ann", Choice::ItSucceeded);
    assert_eq!(run.verdict(), Some(Verdict::Completed));
}

#[test]
fn a_host_that_is_not_reached_counts_as_failed_and_is_asked_first_when_resumed() {
    let mut run = begin(one_step(Policy::Stop));
    run.ends("s0@h00000", JobKind::Run, unknown());
    let not_reached = Found::NotReached { because: "no route".into(), try_again: false };
    run.receipt("s0@h00000", JobKind::ResolveRun, not_reached);
    assert!(matches!(run.end("s0@h00000"), Some(TaskEnd::Failed { changed: true, .. })));
    run.crashes_and_resumes();
    assert_eq!(run.started(), ["resolve s0@h00000 #2"]);
}

#[test]
fn late_answers_of_old_attempts_change_nothing() {
    let mut run = begin(one_step(Policy::Stop));
    let old = run.job("s0@h00000", JobKind::Run);
    run.ends("s0@h00000", JobKind::Run, unknown());
    run.receipt("s0@h00000", JobKind::ResolveRun, Found::NeverStarted);
    assert_eq!(run.started(), ["run s0@h00000 #2"]);
    let before = run.engine.state().clone();
    run.news(Input::JobEnded { job: old, outcome: Outcome::Succeeded, facts: Facts::default() });
    assert_eq!((run.engine.refused(), &run.orders), (1, &Vec::new()));
    assert!(*run.engine.state() == before);
}

#[test]
fn a_word_about_one_attempt_says_nothing_about_the_next() {
    let mut build = one_step(Policy::Stop);
    build.at(STEP).retry = Retry { attempts: 2, delay: Millis(0) };
    let mut run = begin(build);
    run.ends("s0@h00000", JobKind::Run, unknown());
    let question = Question::WhatBecameOf { task: TaskIx(0), undo: false };
    run.says(question.clone(), "ann", Choice::ItSucceeded);
    run.receipt("s0@h00000", JobKind::ResolveRun, Found::Ended(Outcome::from_exit(1)));
    assert_eq!(run.started(), ["run s0@h00000 #2"], "the receipt knows better");
    run.ends("s0@h00000", JobKind::Run, unknown());
    run.receipt("s0@h00000", JobKind::ResolveRun, Found::NoReceipt { because: "restarted".into() });
    assert_eq!(run.orders, [Output::Ask(question)]);
}

#[test]
fn a_need_waits_for_all_hosts_or_for_the_same_one() {
    let mut run = begin(two_steps(Policy::Stop, false));
    run.succeeds("s0@h00000", JobKind::Run);
    assert_eq!(run.started(), nothing());
    run.succeeds("s0@h00001", JobKind::Run);
    assert_eq!(run.started(), ["run s1@h00000 #1", "run s1@h00001 #1"]);

    let mut run = begin(two_steps(Policy::Stop, true));
    run.succeeds("s0@h00000", JobKind::Run);
    assert_eq!(run.started(), ["run s1@h00000 #1"]);
}

#[test]
fn a_gate_wants_different_people_and_survives_a_restart() {
    let mut build = one_step(Policy::Stop);
    build.at(STEP).approve = Some(Approve::of(2));
    let mut run = begin(build);
    let question = Question::Approve { task: TaskIx(0), people: 2 };
    assert_eq!(run.orders, [Output::Ask(question.clone())]);
    run.says(question.clone(), "ann", Choice::Approve);
    run.says(question.clone(), "ann", Choice::Approve);
    assert_eq!((run.engine.refused(), run.engine.state().missing(&question)), (1, 1));
    run.crashes_and_resumes();
    assert_eq!(run.orders, [Output::Ask(question.clone())]);
    run.says(question.clone(), "bob", Choice::Approve);
    assert_eq!(run.started(), ["run s0@h00000 #1"]);
}

#[test]
fn who_says_no_at_a_gate_stops_the_run_and_is_asked_again_when_it_is_resumed() {
    let mut build = one_step(Policy::Rollback);
    build.at(STEP).approve = Some(Approve::of(1));
    let mut run = begin(build);
    let question = Question::Approve { task: TaskIx(0), people: 1 };
    run.says(question.clone(), "ann", Choice::Refuse);
    assert_eq!(run.verdict(), Some(Verdict::Refused { by: "ann".into() }));
    run.crashes_and_resumes();
    assert_eq!(run.orders, [Output::Ask(question)]);

    // The policy is for failures. A refusal is none, and no number of tolerated failures covers it.
    let mut build = one_step(Policy::Rollback);
    let manual = build.step(&[None]);
    build.at(manual).action = PlannedAction::Manual("look".into());
    build.at(manual).max_failures = 1;
    let mut run = begin(build);
    run.succeeds("s0@h00000", JobKind::Run);
    let question = Question::Manual { task: TaskIx(1) };
    run.says(question.clone(), "ann", Choice::Refuse);
    assert_eq!(run.verdict(), Some(Verdict::Refused { by: "ann".into() }));
    run.crashes_and_resumes();
    assert_eq!(run.orders, [Output::Ask(question)]);
}

#[test]
fn an_answer_that_comes_before_its_question_is_kept() {
    let mut build = Builder::new(&[None]);
    build.phase(Policy::Stop);
    let first = build.step(&[H0]);
    let manual = build.step(&[None]);
    build.needs(manual, first, false);
    build.at(manual).action = PlannedAction::Manual("look".into());
    build.at(manual).undo = PlannedUndo::NotNeeded;
    let mut run = begin(build);
    run.says(Question::Manual { task: TaskIx(1) }, "ann", Choice::Done);
    run.crashes_and_resumes();
    run.receipt("s0@h00000", JobKind::ResolveRun, Found::Ended(Outcome::Succeeded));
    assert_eq!(run.verdict(), Some(Verdict::Completed));
}

#[test]
fn a_minimum_wait_counts_from_the_end_of_the_other_step_over_restarts() {
    let mut build = Builder::new(&[None]);
    build.phase(Policy::Stop);
    let first = build.step(&[H0]);
    let second = build.step(&[H0]);
    build.at(second).after = Some(PlannedAfter { step: first, at_least: Millis::from_secs(36_000) });
    let mut run = begin(build);
    run.succeeds("s0@h00000", JobKind::Run);
    assert_eq!(run.orders, [Output::Wake { at: Time(36_001_000) }]);
    run.passes(35_999);
    run.crashes_and_resumes();
    assert_eq!(run.orders, [Output::Wake { at: Time(36_001_000) }]);
    run.passes(1);
    assert_eq!(run.started(), ["run s1@h00000 #1"]);
}

#[test]
fn with_nobody_there_a_run_that_waits_for_people_stops_and_can_be_answered_in_between() {
    let mut build = one_step(Policy::Ask);
    build.step(&[H1]);
    let limits = Limits { attended: false, ..Limits::default() };
    let mut run = begin_with(build, limits, Mode::Live);
    run.fails("s0@h00000", JobKind::Run);
    run.succeeds("s1@h00001", JobKind::Run);
    assert_eq!(run.verdict(), Some(Verdict::Stopped { because: StopReason::WaitingForPeople }));
    run.dies();
    let phase = blackstart::model::names::PhaseIx(0);
    run.says(Question::PhaseFailed { phase }, "ann", Choice::Continue);
    assert_eq!(run.orders, []);
    run.news(Input::Resume { by: "ann".into(), version: "0".into() });
    assert_eq!(run.verdict(), Some(Verdict::Stopped { because: StopReason::FailuresLeft }));
}

#[test]
fn the_reason_for_what_did_not_run_is_on_record() {
    let mut run = begin(two_steps(Policy::Continue, false));
    run.fails("s0@h00000", JobKind::Run);
    run.succeeds("s0@h00001", JobKind::Run);
    let because = blackstart::model::event::NotRun::NeedFailed { step: STEP };
    assert_eq!(run.end("s1@h00000"), Some(TaskEnd::NotRun { because: because.clone() }));
    let step = blackstart::model::names::StepIx(1);
    let one_event = run
        .journal
        .iter()
        .filter(|(_, event)| *event == Event::StepNotRun { step, because: because.clone() });
    assert_eq!(one_event.count(), 1, "one event for all of its tasks");
    assert_eq!(run.verdict(), Some(Verdict::Stopped { because: StopReason::FailuresLeft }));
}

#[test]
fn a_host_that_its_own_need_failed_on_can_be_mended_by_a_resume() {
    let mut build = two_steps(Policy::Stop, true);
    build.at(STEP).max_failures = 1;
    let mut run = begin(build);
    run.fails("s0@h00000", JobKind::Run);
    run.succeeds("s0@h00001", JobKind::Run);
    run.succeeds("s1@h00001", JobKind::Run);
    let because = StopReason::StepFailed { step: blackstart::model::names::StepIx(1) };
    assert_eq!(run.verdict(), Some(Verdict::Stopped { because }));
    run.crashes_and_resumes();
    assert_eq!(run.started(), ["run s0@h00000 #2"], "the failure that was tolerated kept it from running");
    run.succeeds("s0@h00000", JobKind::Run);
    assert_eq!(run.started(), ["run s1@h00000 #1"]);
    run.succeeds("s1@h00000", JobKind::Run);
    assert_eq!(run.verdict(), Some(Verdict::Completed));
}

#[test]
fn the_most_urgent_starts_first_within_the_limits() {
    let mut build = Builder::new(&[Some("j"), Some("j"), None]);
    build.phase(Policy::Stop);
    build.step(&[H0]);
    let urgent = build.step(&[H1, Some(2)]);
    build.at(urgent).urgency = Millis::from_secs(100);
    let limits = Limits { jobs_at_once: 2, jobs_per_jump_host: 1, attended: true };
    let mut run = begin_with(build, limits, Mode::Live);
    assert_eq!(run.started(), ["run s1@h00001 #1", "run s1@h00002 #1"]);
    run.succeeds("s1@h00002", JobKind::Run);
    assert_eq!(run.started(), nothing(), "its jump host is busy");
    run.succeeds("s1@h00001", JobKind::Run);
    assert_eq!(run.started(), ["run s0@h00000 #1"]);
}

#[test]
fn an_edited_journal_is_refused_with_the_event_and_the_reason() {
    let mut run = begin(one_step(Policy::Stop));
    run.succeeds("s0@h00000", JobKind::Run);
    for missing in 0..run.journal.len() - 1 {
        let mut journal = run.journal.clone();
        journal.remove(missing);
        let illegal = Engine::restore(run.plan.clone(), Limits::default(), journal).map(|_| ()).unwrap_err();
        assert!(!illegal.because.is_empty() && illegal.event.len() > 3, "{illegal}");
    }
    let job = Job { task: TaskIx(7), kind: JobKind::Run, attempt: 1 };
    let mut journal = run.journal.clone();
    journal.insert(1, (Time(1), Event::JobStarted { job }));
    let illegal = Engine::restore(run.plan.clone(), Limits::default(), journal).map(|_| ()).unwrap_err();
    assert!(illegal.because.contains("task"), "{illegal}");
}
