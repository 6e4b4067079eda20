//! A run whose journal holds every kind of event, with every kind of value in it.
//!
//! It is a list of what a journal may say, not a story: the engine would not accept it as a run.

use super::{NOON, origin};
use blackstart::journal::{RunDir, Store};
use blackstart::model::event::{
    BackupSeen, Before, Evidence, Facts, Found, Job, JobKind, Mode, NotRun, Scope, Seen, Stands, StopHow,
    StopReason, TaskEnd, UndoEnd, Verdict,
};
use blackstart::model::guard::{GuardSeen, HeldBy, Otherwise};
use blackstart::model::names::{HostIx, PhaseIx, RunId, StepIx, TaskIx};
use blackstart::model::question::{Answer, Choice, Question, Signed};
use blackstart::model::{Event, How, Millis, Outcome, Time};
use std::path::Path;

/// The run's id.
pub const ID: &str = "01999999aaaa7bbb8cccddddeeeeffff";

/// The first event of a run.
pub fn run_started(run: &str, plan: &str) -> Event {
    let (run, plan) = (RunId::from(run), plan.to_owned());
    Event::RunStarted { run, plan, mode: Mode::Drill, by: "ada".into(), version: "0.1.0".into() }
}

/// The plan of the released run, to the byte.
pub const PLAN: &str = include_str!("../../fixtures/journal-v1/01999999aaaa7bbb8cccddddeeeeffff/plan.json");

/// Writes the run into a fresh store.
pub fn run(store: &Path) -> RunDir {
    let run = Store::open(store).unwrap().create(&RunId::from(ID), PLAN, &origin()).unwrap();
    let lock = run.lock().unwrap();
    let mut writer = run.append(&lock).unwrap();
    let hash = writer.head().to_owned();
    for (number, (event, about)) in events(&hash).into_iter().enumerate() {
        writer.add(NOON + Millis(number as u64 * 1001), &event, about);
        if number % 5 == 0 {
            writer.commit().unwrap();
        }
    }
    writer.commit().unwrap();
    run
}

fn job(kind: JobKind, attempt: u32) -> Job {
    Job { task: TaskIx(1), kind, attempt }
}

/// Every event, with what it is about.
pub fn events(plan: &str) -> Vec<(Event, Option<&'static str>)> {
    let mut events = vec![(run_started(ID, plan), None)];
    let mut on_task = |event: Event| events.push((event, Some("cut-isp@edge-fw")));
    on_task(Event::HostReached { host: HostIx(1), how: "SHA256:AbC+/9 ssh-ed25519".into() });
    for kind in [
        JobKind::Check,
        JobKind::Snapshot,
        JobKind::Run,
        JobKind::Verify,
        JobKind::Undo,
        JobKind::ResolveRun,
        JobKind::ResolveUndo,
    ] {
        on_task(Event::JobStarted { job: job(kind, 1) });
    }
    for outcome in every_outcome() {
        on_task(Event::JobEnded { job: job(JobKind::Run, 1), outcome, facts: Facts::default() });
    }
    let (job_1, outcome) = (job(JobKind::Run, 1), Outcome::Succeeded);
    on_task(Event::JobEnded { job: job_1, outcome, facts: facts() });
    for found in [
        Found::NeverStarted,
        Found::Ended(Outcome::Failed { how: How::Exit(3) }),
        Found::NoReceipt { because: "the receipts were lost".into() },
        Found::NotReached { because: "no route to host".into(), try_again: true },
    ] {
        on_task(Event::ReceiptRead { job: job(JobKind::ResolveRun, 2), found });
    }
    on_task(Event::RetryPlanned { task: TaskIx(1), kind: JobKind::Run, at: Time(NOON.0 + 5000) });
    on_task(Event::WaitStarted { task: TaskIx(1), until: Time(NOON.0 + 36_000_000) });
    for end in every_task_end() {
        on_task(Event::TaskEnded { task: TaskIx(1), end });
    }
    for end in every_undo_end() {
        on_task(Event::UndoEnded { task: TaskIx(1), end });
    }
    events.extend(events_of_runs().into_iter().map(|event| (event, None)));
    events
}

fn events_of_runs() -> Vec<Event> {
    let mut events = vec![
        Event::RunResumed { by: "bob".into(), version: "0.1.0".into() },
        Event::PhaseStarted { phase: PhaseIx(0) },
        Event::PhaseEnded { phase: PhaseIx(0), well: true },
        Event::StepEnded { step: StepIx(0), well: false, failures: 2 },
    ];
    let every_reason = every_reason_not_to_run();
    events.extend(every_reason.into_iter().map(|because| Event::StepNotRun { step: StepIx(1), because }));
    for (question, choices) in every_question() {
        events.push(Event::Asked { question: question.clone() });
        for (number, choice) in choices.into_iter().enumerate() {
            let comment = (number == 0).then(|| "said \"yes\" —\n記録".to_owned());
            let answer = Answer {
                question: question.clone(),
                by: "ada".into(),
                choice,
                comment,
                at: None,
                signed: None,
            };
            events.push(Event::Answered { answer });
        }
    }
    for how in [StopHow::Finish, StopHow::Cancel] {
        events.push(Event::StopRequested { by: "ada".into(), how });
    }
    for (scope, reopen) in [
        (Scope::Run, true),
        (Scope::Phase(PhaseIx(0)), false),
        (Scope::FromPhase(PhaseIx(0)), false),
        (Scope::FromStep(StepIx(1)), false),
    ] {
        events.push(Event::RollbackStarted { scope, reopen, by: "policy".into(), consent: Vec::new() });
    }
    events.push(Event::Abandoned { by: "ada".into(), comment: "rebuilt by hand".into() });
    events.extend(every_verdict().into_iter().map(|verdict| Event::RunEnded { verdict }));
    events
}

/// Events, kinds of jobs and facts that came after the released fixture.
pub fn added() -> Vec<Event> {
    let started = [JobKind::Arm, JobKind::Confirm].map(|kind| Event::JobStarted { job: job(kind, 1) });
    let guards = every_guard().into_iter().map(|guard| Event::JobEnded {
        job: job(JobKind::Confirm, 1),
        outcome: Outcome::Succeeded,
        facts: Facts { guard: Some(guard), ..Facts::default() },
    });
    let mut events: Vec<Event> = started.into_iter().chain(guards).collect();
    events.push(Event::GuardExtended { task: TaskIx(1), left: Millis(60_000) });
    events.extend(gates());
    events.extend(looks());
    events.push(Event::RiskAccepted {
        what: "it may lock the operator out".into(),
        by: "ada".into(),
        because: "the console is manned".into(),
    });
    events.extend([JobKind::Watch, JobKind::Stage].map(|kind| Event::JobStarted { job: job(kind, 1) }));
    events.push(Event::Firing { step: StepIx(1), jobs: vec![job(JobKind::Run, 2)] });
    events.push(Event::Fired {
        step: StepIx(1),
        hosts: 40,
        unheard: 1,
        sent_us: 310,
        skew_min_us: 0,
        skew_max_us: 12_400,
    });
    events.push(Event::Injected { text: "a reporter calls".into() });
    events
}

/// What was looked at beside the steps: before the first cut, and services.
fn looks() -> Vec<Event> {
    let seen = |before| Seen {
        what: "tcp 203.0.113.10:443 from app1".into(),
        expected: "closed".into(),
        seen: "closed: no answer within 2s".into(),
        agrees: true,
        probe: "0123456789abcdef".into(),
        before: Some(before),
    };
    let befores = [Before::Open, Before::CutAlready, Before::NotOpen, Before::NotLooked];
    let probes: Vec<Seen> = befores.map(seen).into();
    let mut events = vec![
        Event::Baseline { probes: probes.clone(), because: String::new() },
        Event::Baseline { probes: Vec::new(), because: "nobody looked".into() },
        Event::LookedAfter { probes, because: String::new() },
        Event::LookedAfter { probes: Vec::new(), because: "nobody looked again".into() },
    ];
    for stands in [Stands::Up, Stands::Down, Stands::Unknown] {
        let because = "open".into();
        events.push(Event::ServiceSeen { service: "records".into(), stands, because });
    }
    events
}

/// What gates by people, evidence, backups and time put on record.
fn gates() -> Vec<Event> {
    let at = Time(1_795_300_000_123);
    let signed = Signed { key: "SHA256:abc".into(), signature: "-----BEGIN SSH SIGNATURE-----\n".into() };
    let answer = Answer {
        question: Question::Approve { task: TaskIx(2), people: 2 },
        by: "ada@example.org".into(),
        choice: Choice::Approve,
        comment: None,
        at: Some(at),
        signed: Some(signed),
    };
    let seen = |signed_by| BackupSeen { taken: at, files: 12, manifest_sha256: "cd".repeat(32), signed_by };
    let backups = [None, Some(("backup@example.org".into(), "SHA256:abc".into()))].map(|signed_by| {
        let facts = Facts { backup: Some(Box::new(seen(signed_by))), ..Facts::default() };
        Event::JobEnded { job: job(JobKind::Run, 1), outcome: Outcome::Succeeded, facts }
    });
    let reasons = [NotRun::TooLate { deadline: at }, NotRun::EvidenceMissing { step: StepIx(0) }];
    let mut events = vec![
        Event::Answered { answer },
        Event::ApprovalLapsed { step: StepIx(1), by: vec!["ada@example.org".into()] },
    ];
    events.extend(reasons.map(|because| Event::StepNotRun { step: StepIx(1), because }));
    events.extend(backups);
    events
}

fn every_guard() -> Vec<GuardSeen> {
    let (left, over) = (Millis(59_870), "SHA256:AbC+/9 ssh-ed25519".to_owned());
    let armed = |held_by, otherwise, tested| GuardSeen::Armed { held_by, otherwise, left, tested };
    vec![
        armed(HeldBy::Systemd, Otherwise::Hold, None),
        armed(HeldBy::Detached, Otherwise::Revert, Some(Millis(310))),
        GuardSeen::Confirmed { over: over.clone(), left: Some(left) },
        GuardSeen::Confirmed { over: over.clone(), left: None },
        GuardSeen::ConfirmedLate { over },
        GuardSeen::Expired { late: Millis(420) },
        GuardSeen::Fired { late: Millis(420), undo: Outcome::from_exit(3) },
        GuardSeen::Lost { because: "the host restarted".into() },
    ]
}

fn facts() -> Facts {
    let seen = |agrees| Seen {
        what: "tcp db1:5432 from app1".into(),
        expected: "open".into(),
        seen: "closed: no answer within 2s".into(),
        agrees,
        ..Seen::default()
    };
    Facts {
        stdout_bytes: 3_000_000_000,
        stderr_bytes: 17,
        dropped_bytes: 2_998_689_280,
        tail: "nft: \"no such file\"\\x1b[31m\n".into(),
        evidence: vec![Evidence {
            file: "evidence/1-cut-isp/var_log_auth.log".into(),
            from: "/var/log/auth.log".into(),
            bytes: 9,
            sha256: "ab".repeat(32),
        }],
        probes: vec![seen(true), seen(false)],
        guard: None,
        backup: None,
    }
}

fn every_outcome() -> Vec<Outcome> {
    let failed = |how| Outcome::Failed { how };
    vec![
        Outcome::Succeeded,
        failed(How::Exit(255)),
        failed(How::Signal(9)),
        failed(How::TimedOut(Millis(20_000))),
        failed(How::Cancelled),
        failed(How::Vanished),
        failed(How::Disagreed("db1:5432 is open and should be closed".into())),
        Outcome::NotStarted { because: "login refused".into(), try_again: false },
        Outcome::Unknown { because: "the link was lost".into() },
    ]
}

fn every_reason_not_to_run() -> Vec<NotRun> {
    vec![
        NotRun::LeftOut,
        NotRun::NeedFailed { step: StepIx(0) },
        NotRun::TooManyFailures,
        NotRun::RolledBack,
        NotRun::Refused { by: "bob".into() },
    ]
}

fn every_task_end() -> Vec<TaskEnd> {
    let outcome = Outcome::Unknown { because: "the link was lost".into() };
    vec![
        TaskEnd::Done,
        TaskEnd::AlreadySo,
        TaskEnd::Failed { kind: JobKind::Run, outcome, changed: true },
        TaskEnd::NotRun { because: NotRun::LeftOut },
    ]
}

fn every_undo_end() -> Vec<UndoEnd> {
    vec![
        UndoEnd::Undone,
        UndoEnd::NotNeeded,
        UndoEnd::LeftCut,
        UndoEnd::Impossible,
        UndoEnd::Failed { outcome: Outcome::from_exit(1) },
        UndoEnd::Held { by: TaskIx(2) },
    ]
}

fn every_question() -> Vec<(Question, Vec<Choice>)> {
    use Choice::*;
    vec![
        (Question::Manual { task: TaskIx(2) }, vec![Done, Refuse]),
        (Question::Approve { task: TaskIx(2), people: 2 }, vec![Approve, Refuse]),
        (
            Question::WhatBecameOf { task: TaskIx(1), undo: true },
            vec![ItSucceeded, ItFailed, NothingHappened, Stop],
        ),
        (Question::PhaseFailed { phase: PhaseIx(1) }, vec![Retry, Continue, Stop, Rollback, RollbackRun]),
    ]
}

fn every_verdict() -> Vec<Verdict> {
    let stopped = |because| Verdict::Stopped { because };
    vec![
        Verdict::Completed,
        stopped(StopReason::StepFailed { step: StepIx(0) }),
        stopped(StopReason::Operator { by: "ada".into(), how: StopHow::Finish }),
        stopped(StopReason::WaitingForPeople),
        stopped(StopReason::FailuresLeft),
        Verdict::Refused { by: "bob".into() },
        Verdict::RolledBack,
        Verdict::Stuck,
    ]
}
