//! Goes through the events of a run once, and notes what began and ended when. The only part of the report that reads
//! events; everything else is told from what is noted here and from the state that the events add up to.

use super::story::ledger::Fired;
use super::story::told::What;
use crate::engine::RunState;
use crate::engine::state::Illegal;
use crate::model::event::{BackupSeen, Event, Evidence, Facts, Found, Job, JobKind, Scope, Seen, StopHow};
use crate::model::guard::GuardSeen;
use crate::model::names::{HostIx, StepIx, TaskIx};
use crate::model::question::{Answer, Question};
use crate::model::{Outcome, Time};
use crate::plan::Plan;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What began and ended when.
#[derive(Debug)]
pub struct Timeline {
    /// What its events add up to.
    pub state: RunState,
    /// Jobs and waits of each task, in order.
    pub(in crate::report) spans: Vec<Vec<TaskSpan>>,
    /// Questions, in the order in which they were asked.
    pub(in crate::report) asked: Vec<Asked>,
    /// Stretches in which nobody carried the run on.
    pub(in crate::report) away: Vec<Away>,
    /// What people and policies decided, in order.
    pub(in crate::report) deeds: Vec<(Time, Deed)>,
    /// What probes saw; those of the look before the first cut belong to no task.
    pub(in crate::report) probes: Vec<(Time, Option<TaskIx>, Seen)>,
    pub(in crate::report) evidence: Vec<(Time, TaskIx, Evidence)>,
    pub(in crate::report) guards: Vec<(Time, TaskIx, GuardSeen)>,
    pub(in crate::report) backups: Vec<(Time, TaskIx, BackupSeen)>,
    /// Steps whose hosts started at one moment.
    pub(in crate::report) fired: Vec<Fired>,
    /// First connection and their number, by host.
    pub(in crate::report) reached: BTreeMap<HostIx, (Time, u32)>,
    /// What the newest failed job of a task printed.
    pub(in crate::report) printed: BTreeMap<TaskIx, String>,
    /// Hosts that a job did not reach.
    pub(in crate::report) unreached: BTreeMap<HostIx, Time>,
    /// Jobs whose end was not seen.
    pub(in crate::report) unseen: u32,
    pub(in crate::report) version: Option<String>,
    pub(in crate::report) last: Option<Time>,
}

/// A job or a wait of a task.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct TaskSpan {
    pub(in crate::report) what: What,
    pub(in crate::report) job: Option<Job>,
    pub(in crate::report) from: Time,
    pub(in crate::report) to: Option<Time>,
    pub(in crate::report) well: Option<bool>,
}

/// A question and for how long it was open.
#[derive(Debug, Clone)]
pub(in crate::report) struct Asked {
    pub(in crate::report) question: Question,
    pub(in crate::report) from: Time,
    pub(in crate::report) to: Option<Time>,
}

/// A stretch in which nobody carried the run on, and who took it up again.
#[derive(Debug, Clone)]
pub(in crate::report) struct Away {
    pub(in crate::report) from: Time,
    pub(in crate::report) to: Time,
    pub(in crate::report) by: String,
    pub(in crate::report) version: String,
}

/// What somebody decided.
#[derive(Debug, Clone)]
pub(in crate::report) enum Deed {
    Started { by: String },
    Resumed { by: String },
    Answered(Box<Answer>),
    Stop { by: String, how: StopHow },
    Rollback { by: String, scope: Scope, reopen: bool, consent: Vec<String> },
    Abandoned { by: String, comment: String },
    Lapsed { step: StepIx, by: Vec<String> },
    Risk { by: String, what: String, because: String },
    Injected { text: String },
}

impl Timeline {
    /// A run of which nothing has happened yet.
    pub fn new(plan: Arc<Plan>) -> Self {
        Self {
            spans: vec![Vec::new(); plan.tasks.len()],
            state: RunState::new(plan),
            asked: Vec::new(),
            away: Vec::new(),
            deeds: Vec::new(),
            probes: Vec::new(),
            evidence: Vec::new(),
            guards: Vec::new(),
            backups: Vec::new(),
            fired: Vec::new(),
            reached: BTreeMap::new(),
            printed: BTreeMap::new(),
            unreached: BTreeMap::new(),
            unseen: 0,
            version: None,
            last: None,
        }
    }

    /// Reads a run. An event that makes no sense after those before it is an error.
    pub fn of(plan: Arc<Plan>, events: &[(Time, Event)]) -> Result<Self, Illegal> {
        let mut line = Self::new(plan);
        events.iter().try_for_each(|(at, event)| line.take(*at, event))?;
        Ok(line)
    }

    /// Reads one more event.
    pub fn take(&mut self, at: Time, event: &Event) -> Result<(), Illegal> {
        self.state.apply(at, event)?;
        self.note(at, event);
        self.close_questions(at);
        self.last = Some(at);
        Ok(())
    }

    fn note(&mut self, at: Time, event: &Event) {
        match event {
            Event::RunStarted { by, version, .. } => {
                self.version = Some(version.clone());
                self.deeds.push((at, Deed::Started { by: by.clone() }));
            }
            Event::RunResumed { by, version } => self.resumed(at, by, version),
            Event::HostReached { host, .. } => self.reached.entry(*host).or_insert((at, 0)).1 += 1,
            Event::JobStarted { job } => self.open(at, what_of(job.kind), job.task, Some(*job), None),
            Event::JobEnded { job, outcome, facts } => self.job_ended(at, *job, outcome, facts),
            Event::ReceiptRead { job, found } => {
                let well = !matches!(found, Found::NotReached { .. } | Found::NoReceipt { .. });
                self.close(at, job.task, Some(well));
                if let Found::NotReached { .. } = found {
                    self.not_reached(at, job.task);
                }
            }
            Event::RetryPlanned { task, at: until, .. } => {
                let host = self.state.plan().tasks[task.at()].host;
                let not_reached = host.is_some_and(|host| self.unreached.get(&host) == Some(&at));
                let what = if not_reached { What::Hosts } else { What::Retry };
                self.open(at, what, *task, None, Some(*until));
            }
            Event::WaitStarted { task, until } => self.open(at, What::Timer, *task, None, Some(*until)),
            Event::Asked { question } => {
                self.asked.push(Asked { question: question.clone(), from: at, to: None });
                if let Question::Manual { task } | Question::WhatBecameOf { task, .. } = question {
                    self.open(at, What::People, *task, None, None);
                }
            }
            Event::Answered { answer } => {
                self.deeds.push((at, Deed::Answered(Box::new(answer.clone()))));
            }
            Event::StopRequested { by, how } => {
                self.deeds.push((at, Deed::Stop { by: by.clone(), how: *how }));
            }
            Event::RollbackStarted { scope, reopen, by, consent } => {
                let consent = consent.iter().map(ToString::to_string).collect();
                let deed = Deed::Rollback { by: by.clone(), scope: *scope, reopen: *reopen, consent };
                self.deeds.push((at, deed));
            }
            Event::Abandoned { by, comment } => {
                self.deeds.push((at, Deed::Abandoned { by: by.clone(), comment: comment.clone() }));
            }
            Event::ApprovalLapsed { step, by } => {
                self.deeds.push((at, Deed::Lapsed { step: *step, by: by.clone() }));
            }
            Event::TaskEnded { task, .. } | Event::UndoEnded { task, .. } => self.cut_short(at, *task),
            Event::Baseline { probes, because: _ } | Event::LookedAfter { probes, because: _ } => {
                self.probes.extend(probes.iter().map(|seen| (at, None, seen.clone())));
            }
            Event::RiskAccepted { what, by, because } => {
                let (by, what, because) = (by.clone(), what.clone(), because.clone());
                self.deeds.push((at, Deed::Risk { by, what, because }));
            }
            Event::Fired { step, hosts, unheard, sent_us: _, skew_min_us, skew_max_us } => {
                self.fired.push(Fired {
                    at,
                    step: self.state.plan().steps[step.at()].id.to_string(),
                    hosts: *hosts,
                    unheard: *unheard,
                    skew_min_us: *skew_min_us,
                    skew_max_us: *skew_max_us,
                });
            }
            Event::Injected { text } => self.deeds.push((at, Deed::Injected { text: text.clone() })),
            Event::PhaseStarted { .. }
            | Event::ServiceSeen { .. }
            | Event::Firing { .. }
            | Event::PhaseEnded { .. }
            | Event::StepEnded { .. }
            | Event::StepNotRun { .. }
            | Event::GuardExtended { .. } => {}
            Event::RunEnded { .. } => {
                (0..self.spans.len() as u32).for_each(|task| self.cut_short(at, TaskIx(task)));
            }
        }
    }

    fn resumed(&mut self, at: Time, by: &str, version: &str) {
        let from = self.last.unwrap_or(at);
        // A retry that was planned, and a job that ran, ended for all anybody knows when the record ends.
        for span in self.spans.iter_mut().flatten().filter(|span| span.to.is_none_or(|to| to > at)) {
            span.to = Some(from.max(span.from));
            if span.job.is_some() {
                (span.what, span.well) = (What::Unseen, None);
                self.unseen += 1;
            }
        }
        self.away.push(Away { from, to: at, by: by.to_owned(), version: version.to_owned() });
        self.deeds.push((at, Deed::Resumed { by: by.to_owned() }));
    }

    fn job_ended(&mut self, at: Time, job: Job, outcome: &Outcome, facts: &Facts) {
        let unseen = matches!(outcome, Outcome::Unknown { .. });
        self.close(at, job.task, (!unseen).then_some(*outcome == Outcome::Succeeded));
        if unseen {
            self.unseen += 1;
            if let Some(span) = self.spans[job.task.at()].last_mut() {
                span.what = What::Unseen;
            }
        }
        if let Outcome::NotStarted { .. } = outcome {
            self.not_reached(at, job.task);
        }
        if *outcome != Outcome::Succeeded && job.kind != JobKind::Check {
            self.printed.insert(job.task, facts.tail.clone());
        }
        self.probes.extend(facts.probes.iter().map(|seen| (at, Some(job.task), seen.clone())));
        self.evidence.extend(facts.evidence.iter().map(|file| (at, job.task, file.clone())));
        self.guards.extend(facts.guard.iter().map(|seen| (at, job.task, seen.clone())));
        self.backups.extend(facts.backup.iter().map(|seen| (at, job.task, (**seen).clone())));
    }

    fn not_reached(&mut self, at: Time, task: TaskIx) {
        if let Some(host) = self.state.plan().tasks[task.at()].host {
            self.unreached.insert(host, at);
        }
    }

    fn open(&mut self, at: Time, what: What, task: TaskIx, job: Option<Job>, until: Option<Time>) {
        self.cut_short(at, task);
        self.spans[task.at()].push(TaskSpan { what, job, from: at, to: until, well: None });
    }

    fn close(&mut self, at: Time, task: TaskIx, well: Option<bool>) {
        if let Some(span) = self.spans[task.at()].last_mut() {
            (span.to, span.well) = (Some(at), well);
        }
    }

    /// Whatever a task was at is over; a wait may have been ended before its time.
    fn cut_short(&mut self, at: Time, task: TaskIx) {
        if let Some(span) = self.spans[task.at()].last_mut().filter(|span| span.to.is_none_or(|to| to > at)) {
            span.to = Some(at);
        }
    }

    fn close_questions(&mut self, at: Time) {
        // Most events close none.
        if self.asked.iter().filter(|asked| asked.to.is_none()).count() == self.state.questions().count() {
            return;
        }
        let open = |question: &Question| self.state.questions().any(|other| other == question);
        let mut closed = Vec::new();
        for asked in self.asked.iter_mut().filter(|asked| asked.to.is_none()) {
            if !open(&asked.question) {
                asked.to = Some(at);
                closed.push(asked.question.clone());
            }
        }
        for question in closed {
            if let Question::Manual { task } | Question::WhatBecameOf { task, .. } = question {
                let last = self.spans[task.at()].last_mut();
                if let Some(span) = last.filter(|span| span.what == What::People && span.to.is_none()) {
                    span.to = Some(at);
                }
            }
        }
    }
}

fn what_of(kind: JobKind) -> What {
    match kind {
        JobKind::Check
        | JobKind::Snapshot
        | JobKind::Stage
        | JobKind::Run
        | JobKind::Verify
        | JobKind::ResolveRun
        | JobKind::ResolveUndo => What::Work,
        JobKind::Arm | JobKind::Confirm | JobKind::Watch => What::Guard,
        JobKind::Undo => What::Undo,
    }
}
