//! A large run: the work for each task must not grow with the number of tasks. Counts, never clocks.

use super::build::Builder;
use blackstart::engine::{Engine, Input, Limits, Output, Status};
use blackstart::model::event::{Event, Facts, Mode, Verdict};
use blackstart::model::names::RunId;
use blackstart::model::runbook::Policy;
use blackstart::model::{Outcome, Time};
use blackstart::plan::Plan;
use std::collections::VecDeque;
use std::sync::Arc;

/// Steps that need each other in turn, on all hosts and on the same host, over so many phases.
pub fn wide(hosts: u32, steps: u32, phases: u32) -> Arc<Plan> {
    let jumps: Vec<Option<&str>> = (0..hosts).map(|host| (host % 2 == 0).then_some("bastion")).collect();
    let on: Vec<Option<u32>> = (0..hosts).map(Some).collect();
    let mut build = Builder::new(&jumps);
    for _ in 0..phases {
        build.phase(Policy::Stop);
        let mut before = None;
        for nth in 0..steps / phases {
            let step = build.step(&on);
            if let Some(before) = before {
                build.needs(step, before, nth % 2 == 1);
            }
            if nth % 5 == 4 {
                build.at(step).waves = vec![1, hosts / 4, hosts - hosts / 4 - 1];
            }
            before = Some(step);
        }
    }
    build.done()
}

/// Runs it to its end, every job succeeding in the order it was started. The journal, and how many jobs there were.
pub fn run_through(plan: &Arc<Plan>, stop_after: usize) -> (Engine, Vec<(Time, Event)>, usize) {
    let mut engine = Engine::new(plan.clone(), Limits::default());
    let (by, version) = ("ann".into(), "0".into());
    engine.handle(
        Time(1),
        Input::Begin { run: RunId("r".into()), plan: "p".into(), mode: Mode::Live, by, version },
    );
    let (mut journal, mut running, mut jobs) = (Vec::new(), VecDeque::new(), 0);
    loop {
        while let Some(output) = engine.poll() {
            match output {
                Output::Record(at, event) => journal.push((at, event)),
                Output::Start { job, .. } => running.push_back(job),
                _ => {}
            }
        }
        let Some(job) = running.pop_front() else { break };
        jobs += 1;
        if jobs > stop_after {
            break;
        }
        let (outcome, facts) = (Outcome::Succeeded, Facts::default());
        engine.handle(Time(jobs as u64), Input::JobEnded { job, outcome, facts });
    }
    (engine, journal, jobs)
}

#[test]
fn fifty_thousand_tasks_flow_and_resume() {
    let plan = wide(5_000, 10, 2);
    let (engine, journal, jobs) = run_through(&plan, usize::MAX);
    assert_eq!((jobs, engine.state().status()), (50_000, &Status::Ended(Verdict::Completed)));
    // A start, an end of the job and an end of the task for each; and a little for steps, phases and the run.
    assert_eq!(journal.len(), 3 * 50_000 + 10 + 2 * 2 + 2);

    let (engine, journal, _) = run_through(&plan, 30_000);
    let mut resumed = Engine::restore(plan, Limits::default(), journal).expect("our own journal");
    assert!(resumed.state() == engine.state());
    resumed.handle(Time(99_999), Input::Resume { by: "ann".into(), version: "0".into() });
    let starts =
        std::iter::from_fn(|| resumed.poll()).filter(|output| matches!(output, Output::Start { .. }));
    assert!(starts.count() > 0, "what was running is found out about");
}

/// `cargo test --release --test it scale -- --ignored --nocapture` prints figures.
#[test]
#[ignore = "prints figures, proves nothing"]
fn figures() {
    for (hosts, steps, phases) in [(1_000, 50, 5), (10_000, 50, 5)] {
        let plan = wide(hosts, steps, phases);
        let began = std::time::Instant::now();
        let (engine, journal, jobs) = run_through(&plan, usize::MAX);
        let took = began.elapsed();
        println!("{jobs} tasks in {took:?}: {:.0} tasks/s", jobs as f64 / took.as_secs_f64());
        drop(engine);
        let (_, half, _) = run_through(&plan, jobs / 2);
        let began = std::time::Instant::now();
        let mut engine = Engine::restore(plan.clone(), Limits::default(), half).expect("our own journal");
        engine.handle(Time(99), Input::Resume { by: "ann".into(), version: "0".into() });
        println!("resumed at half in {:?}", began.elapsed());
        let began = std::time::Instant::now();
        let mut engine = Engine::restore(plan, Limits::default(), journal).expect("our own journal");
        let scope = blackstart::model::event::Scope::Run;
        engine.handle(
            Time(99),
            Input::RollbackRequested { scope, reopen: false, by: "ann".into(), consent: Vec::new() },
        );
        let mut undone = 0;
        let mut running = VecDeque::new();
        loop {
            while let Some(output) = engine.poll() {
                if let Output::Start { job, .. } = output {
                    running.push_back(job);
                }
            }
            let Some(job) = running.pop_front() else { break };
            undone += 1;
            let (outcome, facts) = (Outcome::Succeeded, Facts::default());
            engine.handle(Time(100), Input::JobEnded { job, outcome, facts });
        }
        println!("restored and took {undone} back in {:?}: {:?}", began.elapsed(), engine.state().status());
    }
}
