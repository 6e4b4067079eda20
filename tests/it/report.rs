//! Reports of runs that the engine itself decided, as people and programs read them.

use crate::report_site::{self as site, Reply, Run, Sight};
use blackstart::engine::RunState;
use blackstart::model::event::{
    Event, Found, Job, JobKind, Mode, NotRun, Scope, Seen, StopHow, StopReason, TaskEnd, UndoEnd, Verdict,
};
use blackstart::model::inventory::{Become, Reach, SshSettings};
use blackstart::model::names::{PhaseIx, RunId, StepIx, TaskIx};
use blackstart::model::question::{Choice, Question};
use blackstart::model::{How, Millis, Outcome, Time};
use blackstart::report::dry_run::{DryHost, DryRow, DryRun, Would, dry_run, dry_run_json};
use blackstart::report::going_on::Rounds;
use blackstart::report::plain::Plain;
use blackstart::report::runs::{Row, Standing, runs, runs_json};
use blackstart::report::view::{Size, view};
use blackstart::report::{
    Both, Display, Look, Screen, Stream, Tails, Timeline, asking, commands, live, ndjson, recap, recap_json,
    show, words,
};
use snapbox::{IntoData, assert_data_eq, file};
use std::collections::BTreeSet;
use std::sync::Arc;

fn restore_fails(step: &str, host: &str, job: Job) -> Reply {
    match (step, job.kind) {
        ("restore-db", JobKind::Run) => {
            Reply::exit(242, 1, "pg_restore: error: could not open input file\n\x1b[2Jno such file")
        }
        ("stop-db", JobKind::Undo) => {
            Reply::exit(4, 5, "Failed to start postgresql.service: Unit not found.")
        }
        ("block-egress", JobKind::Run) if host == "web-07" => Reply::lost(30),
        ("block-egress", JobKind::Run) if host == "web-09" => Reply::refused(1),
        _ => site::nothing_goes_wrong(step, host, job),
    }
}

fn egress_fails(step: &str, host: &str, job: Job) -> Reply {
    match (step, job.kind) {
        ("block-egress", JobKind::Run) if host < "web-10" => Reply::exit(2, 1, "iptables: Permission denied"),
        ("block-egress", JobKind::Run) if host < "web-12" => Reply::refused(1),
        _ => site::nothing_goes_wrong(step, host, job),
    }
}

pub fn nobody_answers(_: &Question) -> site::Answers {
    Vec::new()
}

pub fn well() -> Run<'static> {
    let plan = site::isolate_and_restore(3);
    Run { plan, world: &site::nothing_goes_wrong, people: &site::alice_and_bob, stop_after: None }
}

pub fn stuck() -> Run<'static> {
    Run { plan: site::isolate_and_restore(12), world: &restore_fails, ..well() }
}

pub fn stopped() -> Run<'static> {
    Run { plan: site::isolate_and_restore(40), world: &egress_fails, ..well() }
}

fn look() -> Look {
    Look { directory: "/var/lib/blackstart/01936f5e".into(), ..Look::plain("0193") }
}

/// What the recap of a run is told from.
pub fn timeline(run: &Run, events: &[(Time, Event)]) -> Timeline {
    Timeline::of(Arc::new(run.plan.clone()), events).expect("the engine's own events make sense")
}

fn recap_of(run: &Run) -> String {
    let (events, _) = run.events();
    recap(&timeline(run, &events), &Tails::of(events.iter().map(|(_, event)| event)), &look())
}

fn shown(run: &Run, display: &mut dyn Display) {
    let mut last = site::START;
    let state = run.watch(|state, sight| match sight {
        Sight::Happened(at, event) => {
            last = at;
            if matches!(event, Event::RunStarted { .. }) {
                display.started(state, None);
            }
            display.event(state, at, event);
        }
        Sight::Ticked(now) => display.tick(state, now),
    });
    display.finished(&state, last);
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("what we print is UTF-8")
}

#[test]
fn plain_lines_of_a_run_that_gets_stuck() {
    let mut out = Vec::new();
    shown(&stuck(), &mut Plain::to(&mut out, look()));
    assert_data_eq!(text(out).raw(), file!["report/plain_stuck.txt"].raw());
}

#[test]
fn plain_lines_with_every_task_and_job() {
    let mut out = Vec::new();
    shown(&stuck(), &mut Plain::to(&mut out, Look { verbose: 2, ..look() }));
    assert_data_eq!(text(out).raw(), file!["report/plain_verbose.txt"].raw());
}

#[test]
fn plain_lines_break_a_long_silence() {
    let mut out = Vec::new();
    let mut display = Plain::to(&mut out, look());
    let mut silence = 0;
    stuck().watch(|state, sight| {
        if let Sight::Happened(at, event) = sight {
            display.event(state, at, event);
            let quiet = match event {
                Event::JobStarted { job } => {
                    state.plan().task_name(job.task) == "restore-db@db1"
                        && (job.kind, job.attempt) == (JobKind::Run, 1)
                }
                Event::Asked { question } => matches!(question, Question::Approve { .. }),
                _ => false,
            };
            if quiet {
                silence += 1;
                for secs in [20, 40, 59, 60, 80, 100] {
                    display.tick(state, at + Millis::from_secs(secs));
                }
            }
        }
    });
    assert_eq!(silence, 2);
    let out = text(out);
    let still: Vec<&str> = out.lines().filter(|line| line.contains(" still ")).collect();
    assert_eq!(
        still,
        [
            "00:01:37 still waiting for people: May `declare-clean` start? 2 people must each approve. blackstart approve 0193 declare-clean",
            "00:03:40 still running: restore-db@db1 run, 1m 00s of 30m 00s",
            "00:03:40 still waiting: second-reset must stand 10h 00m after `first-reset`, 9h 56m left, until 13:06:43",
        ]
    );
}

#[test]
fn nothing_that_a_host_prints_passes_for_a_line_of_ours() {
    let mut out = Vec::new();
    let mut display = Plain::to(&mut out, Look { verbose: 1, ..look() });
    let forged = b"ok\n00:00:00 run 0193: Completed: every task ended well.\r\x1b[1A\x1b]0;owned\x07\nrest";
    stuck().watch(|state, sight| {
        if let Sight::Happened(at, event) = sight {
            display.event(state, at, event);
            if let Event::JobStarted { job } = event {
                display.output(state.plan(), *job, Stream::Out, forged);
            }
        }
    });
    let out = text(out);
    let completed: Vec<&str> = out.lines().filter(|line| line.contains("Completed")).collect();
    assert!(completed.len() > 10 && completed.iter().all(|line| line.contains(" | ")), "{completed:?}");
    assert!(out.lines().any(|line| line.ends_with("| rest")), "the last, unfinished line is told too");
    assert!(!out.chars().any(|c| c.is_control() && c != '\n'));
}

#[test]
fn a_resumed_run_says_where_it_stands() {
    let (events, _) = stuck().events();
    let restoring = |(_, event): &(Time, Event)| matches!(event, Event::JobStarted { job } if job.task == TaskIx(17) && job.kind == JobKind::Run);
    let before = events.iter().position(restoring).expect("the database is restored") + 1;
    let mut state = RunState::new(std::sync::Arc::new(stuck().plan));
    for (at, event) in &events[..before] {
        state.apply(*at, event).unwrap();
    }
    let (mut out, mut lines) = (Vec::new(), Vec::new());
    let (at, event) = (events[before].0, Event::RunResumed { by: "bob".into(), version: "0.1.0".into() });
    state.apply(at, &event).unwrap();
    let mut display = Both(Plain::to(&mut out, look()), ndjson(&mut lines));
    display.started(&state, Some(before));
    display.event(&state, at, &event);
    let said = "run 0193: resumed by bob: isolate-and-restore on ministry-office, live; 2 phases, 9 steps, 20 tasks; \
                6 steps over; the end of 1 job was not seen and is looked into\n";
    assert!(text(out).ends_with(said));
    let line: serde_json::Value = serde_json::from_slice(&lines).unwrap();
    assert_eq!(line["seq"], before);
}

#[test]
fn recaps() {
    assert_data_eq!(recap_of(&well()).raw(), file!["report/recap_completed.txt"].raw());
    assert_data_eq!(recap_of(&stuck()).raw(), file!["report/recap_stuck.txt"].raw());
    assert_data_eq!(recap_of(&stopped()).raw(), file!["report/recap_stopped.txt"].raw());
    let by_hand = Run { stop_after: Some(100), ..well() };
    assert_data_eq!(recap_of(&by_hand).raw(), file!["report/recap_operator.txt"].raw());
}

#[test]
fn a_recap_fits_its_terminal_where_it_is_a_table() {
    let (events, _) = stopped().events();
    let narrow = Look { columns: Some(60), ..look() };
    let text =
        recap(&timeline(&stopped(), &events), &Tails::of(events.iter().map(|(_, event)| event)), &narrow);
    let table: Vec<&str> =
        text.lines().skip_while(|line| *line != "Hosts").take_while(|line| !line.is_empty()).collect();
    // A command is never broken: somebody has to type it.
    let resume = text.lines().find(|line| line.contains("blackstart resume"));
    assert_eq!(resume, Some("  blackstart resume 0193"), "{text}");
    assert!(table.len() > 2 && table.iter().all(|line| line.chars().count() <= 60), "{table:#?}");
}

#[test]
fn the_recap_as_data_counts_every_task_once() {
    for run in [well(), stuck(), stopped()] {
        let (events, state) = run.events();
        let json = recap_json(&timeline(&run, &events));
        let total: u64 = json["hosts"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|host| {
                ["done", "already_so", "failed", "not_run", "left_out", "open"]
                    .map(|key| host[key].as_u64().unwrap())
            })
            .sum();
        assert_eq!(total, state.plan().tasks.len() as u64);
    }
    let (events, _) = stuck().events();
    let json = serde_json::to_string_pretty(&recap_json(&timeline(&stuck(), &events))).unwrap();
    assert_data_eq!(json.raw(), file!["report/recap_stuck.json"].raw());
}

#[test]
fn the_story_of_a_run() {
    let (events, state) = stuck().events();
    let story = show(state.plan().clone(), events.clone(), &look(), false).unwrap();
    assert_data_eq!(story.raw(), file!["report/show_stuck.txt"].raw());
    let all = show(state.plan().clone(), events, &look(), true).unwrap();
    assert!(all.lines().count() > story_lines(&state), "every job has its line");
}

fn story_lines(state: &RunState) -> usize {
    state.plan().tasks.len() * 2
}

#[test]
fn a_long_story_counts_what_is_alike_unless_all_is_asked_for() {
    let (events, state) = stopped().events();
    let failed = |text: &str| {
        text.lines().filter(|line| line.contains("task block-egress@") && line.contains("FAILED")).count()
    };
    let short = show(state.plan().clone(), events.clone(), &look(), false).unwrap();
    let all = show(state.plan().clone(), events, &look(), true).unwrap();
    assert_eq!(failed(&short), 5);
    assert!(short.contains("`blackstart show 0193 --all` tells all"));
    assert_eq!(failed(&all), 11);
}

#[test]
fn every_event_is_a_line_of_json_with_names() {
    let schema = jsonschema::validator_for(&blackstart::report::ndjson::schema()).unwrap();
    let (mut kinds, mut seqs) = (BTreeSet::new(), 0);
    for run in [well(), stuck(), stopped(), Run { stop_after: Some(100), ..well() }] {
        let mut out = Vec::new();
        shown(&run, &mut ndjson(&mut out));
        for (seq, line) in text(out).lines().enumerate() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(schema.is_valid(&line), "{line}");
            let kind = line["kind"].as_str().unwrap().to_owned();
            match kind.as_str() {
                "recap" => assert!(line["recap"]["hosts"].is_array()),
                kind => {
                    assert_eq!(line["seq"], seq);
                    let event = &line["event"][kind];
                    assert!(event.is_object(), "{line}");
                    no_index_is_left(event);
                }
            }
            kinds.insert(kind);
            seqs = seq;
        }
    }
    assert!(seqs > 20 && kinds.len() >= 17, "{kinds:?}");
}

/// Numbers that are not indices, by the keys they stand under.
const NUMBERS: [&str; 8] =
    ["attempt", "failures", "stdout_bytes", "stderr_bytes", "dropped_bytes", "exit", "people", "signal"];

fn no_index_is_left(value: &serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            for (key, field) in fields {
                assert!(!field.is_number() || NUMBERS.contains(&key.as_str()), "{key} of {value}");
                no_index_is_left(field);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(no_index_is_left),
        _ => {}
    }
}

#[test]
fn a_reader_that_goes_away_stops_nothing() {
    struct Gone;
    impl std::io::Write for Gone {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut out = Vec::new();
    let mut both = Both(ndjson(Gone), Plain::to(&mut out, look()));
    shown(&well(), &mut both);
    assert_eq!(both.0.broken().map(std::io::Error::kind), Some(std::io::ErrorKind::BrokenPipe));
    assert!(text(out).contains("Completed"));
}

/// The view just before an event for which `is_it` holds.
fn view_at(run: &Run, after: Millis, size: Size, is_it: impl Fn(&RunState, &Event) -> bool) -> String {
    let mut seen = None;
    run.watch(|state, sight| {
        if let Sight::Happened(at, event) = sight
            && seen.is_none()
            && is_it(state, event)
        {
            seen = Some(view(state, &look(), at + after, size, &Rounds::new()).join("\n") + "\n");
        }
    });
    seen.expect("the event happens")
}

const WIDE: Size = Size { rows: 40, columns: 100 };

#[test]
fn the_view_shows_what_runs_and_who_is_waited_for() {
    let last_web = |state: &RunState, event: &Event| matches!(event, Event::JobStarted { job } if state.plan().task_name(job.task) == "block-egress@web-12");
    assert_data_eq!(
        view_at(&stuck(), Millis(2_500), WIDE, last_web).raw(),
        file!["report/view_running.txt"].raw()
    );
    let asked = |_: &RunState, event: &Event| matches!(event, Event::Asked { .. });
    assert_data_eq!(
        view_at(&stuck(), Millis::from_secs(45), WIDE, asked).raw(),
        file!["report/view_people.txt"].raw()
    );
    let restoring = |state: &RunState, event: &Event| matches!(event, Event::JobStarted { job } if state.plan().task_name(job.task) == "restore-db@db1");
    let late = Millis::from_secs(1500);
    assert_data_eq!(view_at(&stuck(), late, WIDE, restoring).raw(), file!["report/view_late.txt"].raw());
    let back = |_: &RunState, event: &Event| matches!(event, Event::RollbackStarted { .. });
    assert_data_eq!(view_at(&stuck(), Millis(500), WIDE, back).raw(), file!["report/view_back.txt"].raw());
}

#[test]
fn the_view_never_outgrows_its_terminal() {
    for (rows, columns) in [(24, 80), (10, 40), (6, 20), (3, 1), (1, 1), (50, 200)] {
        stopped().watch(|state, sight| {
            if let Sight::Ticked(now) = sight {
                let lines = view(state, &look(), now, Size { rows, columns }, &Rounds::new());
                assert!(lines.len() < rows.max(4), "{} lines on {rows} rows", lines.len());
                assert!(lines.iter().all(|line| console::measure_text_width(line) <= columns.max(1)));
            }
        });
    }
}

#[test]
fn colour_adds_and_never_carries_meaning() {
    let (events, _) = stuck().events();
    let tails = Tails::of(events.iter().map(|(_, event)| event));
    let told = timeline(&stuck(), &events);
    let painted = recap(&told, &tails, &Look { color: true, ..look() });
    assert!(painted.contains("\x1b["));
    assert_eq!(console::strip_ansi_codes(&painted), recap(&told, &tails, &look()));
}

#[test]
fn dry_runs_tell_what_they_cannot_know() {
    let plan = site::isolate_and_restore(8);
    let row = |(ix, _): (usize, _)| {
        let task = TaskIx(ix as u32);
        let (would, why) = match plan.step_of(task).id.as_str() {
            "cut-isp" => (Would::AlreadySo, "check exits 0"),
            "cut-vpn" => (Would::Run, "check exits 1"),
            _ => (Would::CannotKnow, "it has no check"),
        };
        DryRow { task, would, why: why.to_owned() }
    };
    let fine = |host| DryHost {
        host,
        checks: vec![("reachable".into(), Ok(String::new())), ("host key".into(), Ok(String::new()))],
    };
    let mut preflights: Vec<DryHost> =
        plan.tasks.iter().filter_map(|task| task.host).map(|host| fine(Some(host))).collect::<Vec<_>>();
    preflights.dedup();
    preflights[1].checks[0].1 = Err("connection refused\x1b[2J".to_owned());
    let seen = |what: &str, agrees| Seen {
        what: what.to_owned(),
        expected: "closed".to_owned(),
        seen: if agrees { "closed: no answer within 2s" } else { "open" }.to_owned(),
        agrees,
        ..Seen::default()
    };
    let probes = vec![
        (TaskIx(0), seen("tcp 203.0.113.10:443 from web-01", false)),
        (TaskIx(1), seen("tcp 203.0.113.11:443 from db1", true)),
    ];
    let dry = DryRun { rows: plan.tasks.iter().enumerate().map(row).collect(), preflights, probes };
    assert_data_eq!(dry_run(&plan, &dry, &look()).raw(), file!["report/dry_run.txt"].raw());
    let json = dry_run_json(&plan, &dry);
    assert_eq!((json["judged"].as_u64(), json["total"].as_u64()), (Some(2), Some(plan.tasks.len() as u64)));
    assert_eq!(json["tasks"][0]["would"], "already_so");
}

#[test]
fn a_list_of_runs() {
    let row = |run: &str, standing| Row {
        run: run.to_owned(),
        id: RunId(format!("{run}5e2a7b7c3d8e4f5a6b7c8d9e0f")),
        runbook: "isolate-and-restore".to_owned(),
        inventory: "ministry-office".to_owned(),
        mode: Some(Mode::Live),
        by: Some("ops".to_owned()),
        started: Some(site::START),
        last: Some(site::START + Millis::from_secs(725)),
        standing,
        tasks: 20,
        well: 14,
        failed: 1,
    };
    let broken = Standing::Broken { because: "line 7 was edited".to_owned() };
    let rows = [
        row("0193a", Standing::Ended(Verdict::Stuck)),
        row("0193b", Standing::Running { pid: Some(4711) }),
        row("0193c", Standing::Interrupted),
        Row {
            mode: None,
            by: None,
            started: None,
            last: None,
            failed: 0,
            well: 0,
            ..row("0193d", Standing::NeverStarted)
        },
        row("0193e", broken),
    ];
    assert_data_eq!(runs(&rows, &look()).raw(), file!["report/runs.txt"].raw());
    let json = runs_json(&rows);
    assert_eq!(json[0]["exit_code"], 21);
    assert_eq!(json[2]["state"], "interrupted");
    assert_eq!(runs(&[], &look()), "No runs.\n");
}

#[test]
fn a_run_that_only_waits_for_people_names_the_command_that_answers() {
    let mut asked = None;
    let run = Run { people: &nobody_answers, ..well() };
    run.watch(|state, sight| {
        if let Sight::Happened(_, Event::Asked { question }) = sight {
            asked = Some(asking::asking(state, &look(), question));
        }
    });
    let asked = asked.expect("people are asked");
    assert_eq!(asked.sentence, "May `declare-clean` start? 2 people must each approve.");
    assert_eq!(asked.answers[0].1, "blackstart approve 0193 declare-clean");
    assert!(recap_of(&run).contains("blackstart approve 0193 declare-clean"));
}

#[test]
fn every_word_of_the_vocabulary() {
    assert_data_eq!(vocabulary().raw(), file!["report/words.txt"].raw());
}

fn vocabulary() -> String {
    let plan = site::isolate_and_restore(2);
    let (isp, stop_db, app) = (TaskIx(0), TaskIx(6), TaskIx(8));
    let odd = "it \x1b[31msaid\nmore".to_owned();
    let mut said = Vec::new();
    let hows = [
        How::Exit(3),
        How::Signal(9),
        How::TimedOut(Millis::from_secs(300)),
        How::Cancelled,
        How::Vanished,
        How::Disagreed(format!("tcp db1:5432 from app1: open, {odd}")),
    ];
    let mut outcomes = vec![Outcome::Succeeded];
    outcomes.extend(hows.map(|how| Outcome::Failed { how }));
    outcomes.push(Outcome::NotStarted { because: odd.clone(), try_again: true });
    outcomes.push(Outcome::Unknown { because: odd.clone() });
    said.extend(
        outcomes.iter().map(|outcome| format!("outcome    {}", words::job_end(JobKind::Run, outcome))),
    );

    let failed = |outcome| TaskEnd::Failed { kind: JobKind::Verify, outcome, changed: true };
    let reasons = [
        NotRun::LeftOut,
        NotRun::NeedFailed { step: StepIx(5) },
        NotRun::TooManyFailures,
        NotRun::RolledBack,
        NotRun::Refused { by: odd.clone() },
    ];
    let mut ends =
        vec![TaskEnd::Done, TaskEnd::AlreadySo, failed(Outcome::from_exit(1)), failed(outcomes[8].clone())];
    ends.extend(reasons.map(|because| TaskEnd::NotRun { because }));
    said.extend(ends.iter().map(|end| format!("task       {}", words::task_end(&plan, app, end))));

    let undo_ends = [
        (isp, UndoEnd::Undone),
        (isp, UndoEnd::NotNeeded),
        (isp, UndoEnd::LeftCut),
        (TaskIx(4), UndoEnd::Impossible),
        (stop_db, UndoEnd::Failed { outcome: Outcome::from_exit(5) }),
        (stop_db, UndoEnd::Failed { outcome: outcomes[8].clone() }),
        (stop_db, UndoEnd::Held { by: app }),
    ];
    said.extend(
        undo_ends.iter().map(|(task, end)| format!("undo       {}", words::undo_end(&plan, *task, end))),
    );

    let founds = [
        Found::NeverStarted,
        Found::Ended(Outcome::Succeeded),
        Found::Ended(Outcome::from_exit(2)),
        Found::NoReceipt { because: odd.clone() },
        Found::NotReached { because: odd.clone(), try_again: true },
    ];
    said.extend(founds.iter().map(|found| format!("receipt    {}", words::found(found))));

    let stops = [
        StopReason::StepFailed { step: StepIx(5) },
        StopReason::Operator { by: "ops".into(), how: StopHow::Finish },
        StopReason::Operator { by: "ops".into(), how: StopHow::Cancel },
        StopReason::WaitingForPeople,
        StopReason::FailuresLeft,
    ];
    let mut verdicts =
        vec![Verdict::Completed, Verdict::RolledBack, Verdict::Stuck, Verdict::Refused { by: odd }];
    verdicts.extend(stops.map(|because| Verdict::Stopped { because }));
    said.extend(verdicts.iter().map(|verdict| {
        format!("verdict {:>2} {}", words::exit_code(verdict), words::verdict(&plan, Mode::Live, verdict))
    }));

    let scopes =
        [Scope::Run, Scope::Phase(PhaseIx(1)), Scope::FromPhase(PhaseIx(0)), Scope::FromStep(StepIx(5))];
    said.extend(scopes.iter().map(|scope| {
        format!("rollback   {} ({})", words::scope(&plan, *scope), look().rollback(&plan, *scope))
    }));

    let state = RunState::new(std::sync::Arc::new(plan.clone()));
    let questions = [
        Question::Manual { task: TaskIx(5) },
        Question::Approve { task: isp, people: 1 },
        Question::WhatBecameOf { task: stop_db, undo: false },
        Question::WhatBecameOf { task: stop_db, undo: true },
        Question::PhaseFailed { phase: PhaseIx(1) },
    ];
    for question in &questions {
        let asking = asking::asking(&state, &look(), question);
        said.push(format!("question   {}", asking.sentence));
        said.extend(asking.more.iter().map(|more| format!("           {more}")));
        said.extend(asking.answers.iter().map(|(says, command)| format!("           {says}: {command}")));
    }
    said.join("\n") + "\n"
}

#[test]
fn answers_are_typed_with_words_that_are_understood() {
    for choice in Choice::ALL {
        assert_eq!(Choice::named(choice.word()), Some(choice));
    }
    assert_eq!(Choice::named("maybe"), None);
}

#[test]
fn the_way_onto_a_host_is_told_as_a_command() {
    let mut plan = site::isolate_and_restore(1);
    let db1 = plan.host_named("db1").unwrap();
    assert_eq!(commands::ssh(&plan, db1).unwrap(), "ssh -J ops@edge-fw.example ops@db1.example");
    let mut change = |name: &str, change: &dyn Fn(&mut SshSettings)| {
        let host = plan.host_named(name).unwrap();
        if let Reach::Ssh(settings) = &mut plan.hosts[host.at()].reach {
            change(settings);
        }
    };
    change("db1", &|db1| (db1.port, db1.address) = (Some(2222), "fd00::5".to_owned()));
    change("edge-fw", &|edge| {
        (edge.port, edge.address, edge.jump) = (Some(22), "fd00::1".to_owned(), Some("vpn-gw".into()));
    });
    let way = commands::ssh(&plan, db1).unwrap();
    assert_eq!(way, "ssh -p 2222 -J 'ops@vpn-gw.example,ops@[fd00::1]:22' ops@fd00::5");
    let vpn = plan.host_named("vpn-gw").unwrap();
    if let Reach::Ssh(settings) = &mut plan.hosts[vpn.at()].reach {
        settings.jump = Some("edge-fw".into());
    }
    assert!(commands::ssh(&plan, db1).is_some(), "a circle of jump hosts ends somewhere");
    plan.hosts[vpn.at()].reach = Reach::Local(Become::No);
    assert_eq!(commands::ssh(&plan, vpn), None);
}

/// Not a test: `cargo test --test it report::watch_it -- --nocapture --ignored` in a terminal shows the live
/// view of a run, twelve seconds of it every second. `WEBS` is the number of web servers; with `TYPED`
/// questions are put on the terminal.
#[test]
#[ignore = "for eyes"]
fn watch_it() {
    let webs = std::env::var("WEBS").ok().and_then(|webs| webs.parse().ok()).unwrap_or(12);
    let typed = std::env::var_os("TYPED").is_some();
    let world: &dyn Fn(&str, &str, Job) -> Reply = if webs > 12 { &egress_fails } else { &restore_fails };
    let run = Run { plan: site::isolate_and_restore(webs), world, ..well() };
    let look = Look { color: true, ..look() };
    let screen = Screen::start(&look.command("show", "--all")).unwrap();
    let (mut display, mut now, mut tails) = (live(&screen, look.clone()), site::START, Tails::default());
    let step = |next: Time, now: Time| Millis(if next.since(now).0 > 300_000 { 60_000 } else { 600 });
    let mut told = Timeline::new(Arc::new(run.plan.clone()));
    let state = run.watch(|state, sight| match sight {
        Sight::Happened(at, event) => {
            tails.note(event);
            told.take(at, event).expect("the engine's own events make sense");
            display.event(state, at, event);
            match event {
                Event::Asked { question } if typed => {
                    let ask = format!("? {}\n  done | refuse > ", asking::sentence(state, question));
                    display.prompt(state, at, Some(&ask));
                }
                Event::Answered { .. } if typed => display.prompt(state, at, None),
                _ => {}
            }
        }
        Sight::Ticked(next) => {
            while now < next {
                now = (now + step(next, now)).min(next);
                display.tick(state, now);
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
        }
    });
    display.finished(&state, now);
    screen.say(recap(&told, &tails, &look).as_bytes());
    assert!(screen.is_shown_within(std::time::Duration::from_secs(10)));
}
