//! Compares what the journal believes with what the hosts' ledgers saw.

use super::Desk;
use blackstart::journal::Record;
use blackstart::model::Outcome;
use blackstart::model::event::{Event, Found, Job, JobKind};
use blackstart::model::names::TaskIx;
use blackstart::model::outcome::How;
use blackstart::plan::frozen::PlannedAction;
use std::collections::{BTreeMap, BTreeSet};

/// What a journal says about one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It was ordered, and how it ended is not on record.
    Open,
    /// It surely started, once.
    Started,
    /// It surely never started.
    Never,
}

/// What happened to jobs when their blackstart was killed, added up over runs.
#[derive(Debug, Default)]
pub struct Tally {
    /// Processes that ended by `kill -9`.
    pub kills: u32,
    /// Of those: before the run had a journal.
    pub before_journal: u32,
    /// Of those: while a job that may change something was on its way or ran.
    pub hits: u32,
    /// Of those: by how much of the run was done, in thirds.
    pub thirds: [u32; 3],
    /// Receipts that were read, by what they said.
    pub found: BTreeMap<&'static str, u32>,
    /// Lines of the ledgers that were compared with journals.
    pub lines: u32,
}

impl Tally {
    /// Adds a finished run.
    pub fn add(&mut self, records: &[Record]) {
        let settled = |records: &[Record]| {
            let settles =
                |record: &&Record| matches!(record.event, Event::TaskEnded { .. } | Event::UndoEnded { .. });
            records.iter().filter(settles).count()
        };
        let all = settled(records).max(1);
        let mut running = BTreeSet::new();
        for (at, record) in records.iter().enumerate() {
            match &record.event {
                Event::JobStarted { job } if job.kind.may_change() => {
                    running.insert(*job);
                }
                Event::JobEnded { job, .. } => {
                    running.remove(job);
                }
                Event::RunResumed { .. } => {
                    self.hits += u32::from(!running.is_empty());
                    self.thirds[(settled(&records[..at]) * 3 / all).min(2)] += 1;
                    running.clear();
                }
                Event::ReceiptRead { found, .. } => *self.found.entry(word(found)).or_default() += 1,
                _ => {}
            }
        }
    }
}

fn word(found: &Found) -> &'static str {
    match found {
        Found::NeverStarted => "never started",
        Found::Ended(_) => "ended",
        Found::NoReceipt { .. } => "no receipt",
        Found::NotReached { .. } => "not reached",
    }
}

/// Holds a finished run's journal against the ledgers of its hosts, whose lines are
/// `RUN VERB STEP ATTEMPT`. Returns how many lines were compared.
pub fn judge(desk: &Desk<'_>) -> u32 {
    let dir = desk.dir().expect("the run has a directory");
    let (plan, _) = dir.read_plan().expect("the plan is whole");
    let fates = fates(&desk.records());
    let mut expected: BTreeMap<String, BTreeMap<String, Fate>> = BTreeMap::new();
    for (job, fate) in &fates {
        if !matches!(plan.step_of(job.task).action, PlannedAction::Run(_)) {
            continue;
        }
        let host = plan.host_of(job.task).expect("scripts run on hosts").name.to_string();
        let line = format!("{} {} {} {}", dir.id(), job.kind, plan.step_of(job.task).id, job.attempt);
        expected.entry(host).or_default().insert(line, *fate);
    }
    let mut compared = 0;
    for (host, expected) in expected {
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        for line in desk.lab.ledger(&host).into_iter().filter(|line| line.starts_with(dir.id().as_str())) {
            *seen.entry(line).or_default() += 1;
            compared += 1;
        }
        for (line, times) in &seen {
            assert!(expected.contains_key(line), "{host}: `{line}` ran, and the journal does not know it");
            assert_eq!(*times, 1, "{host}: `{line}` was started {times} times");
        }
        for (line, fate) in expected {
            let times = seen.get(&line).copied().unwrap_or(0);
            match fate {
                Fate::Started => assert_eq!(times, 1, "{host}: `{line}` is on record and did not run"),
                Fate::Never => {
                    assert_eq!(times, 0, "{host}: `{line}` never started, says the journal, but ran")
                }
                Fate::Open => panic!("{host}: `{line}`: nobody ever found out what became of it"),
            }
        }
    }
    compared
}

fn fates(records: &[Record]) -> BTreeMap<Job, Fate> {
    let mut fates = BTreeMap::new();
    let mut newest: BTreeMap<(TaskIx, JobKind), Job> = BTreeMap::new();
    for record in records {
        match &record.event {
            Event::JobStarted { job } if job.kind.may_change() => {
                let again = fates.insert(*job, Fate::Open);
                assert_eq!(again, None, "{job:?} is on record as started twice");
                newest.insert((job.task, job.kind), *job);
            }
            Event::JobEnded { job, outcome, .. } if job.kind.may_change() => {
                fates.insert(*job, fate(outcome));
            }
            Event::ReceiptRead { job, found } => {
                let kind = match job.kind {
                    JobKind::ResolveUndo => JobKind::Undo,
                    _ => JobKind::Run,
                };
                let lost = newest[&(job.task, kind)];
                let fate = match found {
                    Found::NeverStarted => Fate::Never,
                    Found::Ended(outcome) => fate(outcome),
                    Found::NoReceipt { because } => panic!("{lost:?} has no receipt: {because}"),
                    Found::NotReached { .. } => continue,
                };
                fates.insert(lost, fate);
            }
            _ => {}
        }
    }
    fates
}

fn fate(outcome: &Outcome) -> Fate {
    match outcome {
        Outcome::Succeeded | Outcome::Failed { how: How::Exit(_) } => Fate::Started,
        Outcome::Failed { how } => panic!("no step of the runbook ends like this: {how}"),
        Outcome::NotStarted { .. } => Fate::Never,
        Outcome::Unknown { .. } => Fate::Open,
    }
}
