//! Tells events as lines for people: which ones matter, and in which words. Both displays and `show` speak
//! through it, so that a run reads the same while it goes on and afterwards.

use super::asking;
use super::commands;
use super::escape::line;
use super::facts::sentence;
use super::guarded;
use super::look::Look;
use super::tails::Tails;
pub use super::told::{Line, Mark, answer_lines, last_lines};
use super::watched;
use super::words;
use crate::engine::{RunState, Salvo, Stage};
use crate::model::event::{Event, Found, Job, JobKind, TaskEnd, UndoEnd, Verdict};
use crate::model::names::{ConduitName, StepIx, TaskIx};
use crate::model::question::Question;
use crate::model::{Millis, Outcome, Time};
use crate::plan::Plan;
use std::collections::BTreeMap;

/// Tells the events of one run in order.
#[derive(Debug)]
pub struct Narrator {
    look: Look,
    tails: Tails,
    /// Lines about single tasks of a step before the rest is only counted; `None` tells all.
    each_step_max: Option<u32>,
    said: BTreeMap<(StepIx, Kind), u32>,
    undone: BTreeMap<StepIx, Undone>,
}

/// Kinds of lines about single tasks, each counted on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Failure,
    Retry,
    Unseen,
    Receipt,
    Undo,
    Proof,
    Guard,
}

/// Tasks of a step that were taken back and not told yet.
#[derive(Debug, Default)]
struct Undone {
    /// Tasks still to be told. The state may be ahead of the events, so it counts those that are settled there.
    remaining: usize,
    /// By word: the first such task, how it ended, and how many there are.
    ends: BTreeMap<&'static str, (TaskIx, UndoEnd, usize)>,
}

/// Lines of a failed job's output that are worth their place on the screen.
const PRINTED_MAX: usize = 8;

impl Narrator {
    /// Tells everything that matters, however many hosts it happens to.
    pub fn new(look: Look) -> Self {
        let (said, undone) = (BTreeMap::new(), BTreeMap::new());
        Self { look, tails: Tails::default(), each_step_max: None, said, undone }
    }
    /// Tells no more than so many single troubles of a step, then only counts them.
    pub fn at_most(mut self, each_step_max: u32) -> Self {
        self.each_step_max = Some(each_step_max);
        self
    }

    /// The lines that an event is worth. `state` is the run's after the event was applied.
    pub fn tell(&mut self, state: &RunState, at: Time, event: &Event) -> Vec<Line> {
        self.tails.note(event);
        let plan = state.plan();
        match event {
            Event::RunStarted { mode, by, .. } => {
                vec![self.run(Mark::Heading, begin(plan, "started", by, words::mode(*mode)))]
            }
            Event::RunResumed { by, .. } => vec![self.run(Mark::Heading, self.resumed(state, by))],
            Event::HostReached { host, how } if self.look.verbose >= 2 => {
                let name = plan.hosts[host.at()].name.to_string();
                vec![Line::new(Mark::Info, "host", name, format!("reached, {}", line(how)))]
            }
            Event::PhaseStarted { phase } => {
                let planned = &plan.phases[phase.at()];
                let title =
                    planned.title.as_deref().map(|title| format!(": {}", line(title))).unwrap_or_default();
                let text = format!("started, {}{title}", words::so_many(planned.steps as usize, "step"));
                vec![Line::new(Mark::Heading, "phase", planned.id.to_string(), text)]
            }
            Event::PhaseEnded { phase, well } => {
                let took = took(state.phase(*phase).started_at(), at);
                let (mark, word) = if *well { (Mark::Good, "done") } else { (Mark::Bad, "FAILED") };
                let id = plan.phases[phase.at()].id.to_string();
                vec![Line::new(mark, "phase", id, format!("{word}{took}"))]
            }
            Event::StepEnded { step, well, failures: _ } => self.step_ended(state, at, *step, *well),
            Event::StepNotRun { step, because } => {
                let why = words::not_run(plan, because, None);
                let open = state.step(*step).counts().not_run as usize;
                let hosts = match plan.steps[step.at()].tasks {
                    1 => String::new(),
                    _ => format!(" on {}", words::so_many(open, "host")),
                };
                vec![Line::new(Mark::Info, "step", step_id(plan, *step), format!("not run{hosts}: {why}"))]
            }
            Event::GuardExtended { task: ix, left } => {
                vec![task(plan, *ix, Mark::Info, format!("guard extended: its run goes on, {left} left"))]
            }
            Event::JobStarted { job } if job.kind == JobKind::Watch => watching(plan, *job),
            Event::JobStarted { job } if self.look.verbose >= 2 => {
                vec![task(plan, job.task, Mark::Info, format!("{} started{}", job.kind, try_of(*job)))]
            }
            Event::JobStarted { .. } | Event::HostReached { .. } => Vec::new(),
            Event::JobEnded { job, outcome, facts } => {
                let mut said = self.job_ended(plan, *job, outcome);
                let backup = facts.backup.as_ref().map(|seen| words::backup(state, seen));
                said.extend(backup.map(|text| task(plan, job.task, Mark::Info, text)));
                for (mark, text) in facts.guard.iter().map(guarded::said) {
                    said.extend(self.capped(plan, job.task, Kind::Guard, task(plan, job.task, mark, text)));
                }
                for (mark, text) in watched::no_proofs(plan, facts) {
                    said.extend(self.capped(plan, job.task, Kind::Proof, task(plan, job.task, mark, text)));
                }
                said
            }
            Event::ReceiptRead { job, found } => self.receipt_read(plan, *job, found),
            Event::RetryPlanned { task: ix, kind, at: next } => self.retry(state, at, *ix, *kind, *next),
            Event::WaitStarted { task: ix, until } => {
                let text = format!("waiting {}, until {}", until.since(at), self.look.moment(*until, at));
                vec![task(plan, *ix, Mark::Info, text)]
            }
            Event::TaskEnded { task: ix, end } => self.task_ended(plan, *ix, end),
            Event::Asked { question } => vec![self.asked(state, question)],
            Event::Answered { answer } => {
                let (noun, name) = subject(plan, &answer.question);
                let missing = match state.missing(&answer.question) {
                    0 => String::new(),
                    missing => format!("; {missing} more must answer"),
                };
                let text = format!("{}{missing}", asking::answered(answer));
                vec![Line::new(Mark::Info, noun, name, text)]
            }
            Event::StopRequested { by, how } => {
                vec![self.run(Mark::Heading, format!("{} asks to {}", line(by), words::stop_how(*how)))]
            }
            Event::RollbackStarted { scope, reopen, by, consent } => {
                let named: Vec<&str> = consent.iter().map(ConduitName::as_str).collect();
                let cuts = match reopen {
                    true if named.is_empty() => "severed conduits are RE-OPENED".to_owned(),
                    true => format!("consents to RE-OPENING {}", named.join(", ")),
                    false => "severed conduits stay cut".to_owned(),
                };
                let by = if by == "policy" { "the phase's policy".to_owned() } else { line(by) };
                vec![self.run(
                    Mark::Heading,
                    format!("taking back {}, by {by}; {cuts}", words::scope(plan, *scope)),
                )]
            }
            Event::UndoEnded { task: ix, end } => self.undo_ended(state, *ix, end),
            Event::Abandoned { by, comment } => {
                let text = format!("{} takes on what is stuck: {}", line(by), line(comment));
                vec![self.run(Mark::Info, text)]
            }
            Event::RiskAccepted { what, by, because } => {
                let text = format!("{} accepts that {}: {}", line(by), line(what), line(because));
                vec![self.run(Mark::Heading, text)]
            }
            Event::Injected { text } => vec![self.run(Mark::Ask, words::injected(text))],
            Event::RunEnded { verdict } => {
                let mut said = self.flush_undone(plan);
                said.push(self.run(verdict_mark(verdict), sentence(state, Some(verdict))));
                said
            }
            Event::ApprovalLapsed { step, by } => {
                let who = by.iter().map(|one| line(one)).collect::<Vec<_>>().join(", ");
                let id = plan.steps[step.at()].id.to_string();
                vec![Line::new(Mark::Ask, "step", id, format!("the consent of {who} has lapsed"))]
            }
            Event::Baseline { probes, because } => watched::baseline(&self.look, plan, probes, because),
            Event::LookedAfter { probes, because } => watched::after(&self.look, state, probes, because),
            Event::ServiceSeen { service, stands, because } => watched::service(service, *stands, because),
            Event::Firing { step, jobs } => {
                let text = format!("fired on {} at one moment", words::so_many(jobs.len(), "host"));
                vec![Line::new(Mark::Heading, "step", step_id(plan, *step), text)]
            }
            Event::Fired { step, hosts, unheard, skew_min_us, skew_max_us, .. } => {
                let salvo = Salvo { hosts: *hosts, unheard: *unheard, skew_us: (*skew_min_us, *skew_max_us) };
                let mark = if salvo.unheard == 0 { Mark::Good } else { Mark::Unsure };
                vec![Line::new(mark, "step", step_id(plan, *step), words::salvo(&salvo))]
            }
        }
    }

    fn run(&self, mark: Mark, text: String) -> Line {
        Line::new(mark, "run", self.look.run.clone(), text)
    }

    fn resumed(&self, state: &RunState, by: &str) -> String {
        let plan = state.plan();
        let steps = (0..plan.steps.len() as u32).map(StepIx);
        let over = steps.filter(|step| state.step(*step).is_over()).count();
        let unseen =
            (0..plan.tasks.len() as u32).filter(|ix| state.task(TaskIx(*ix)).unknown().is_some()).count();
        let unseen = match unseen {
            0 => String::new(),
            count => format!("; the end of {} was not seen and is looked into", words::so_many(count, "job")),
        };
        let text = begin(plan, "resumed", by, words::mode(state.mode()));
        format!("{text}; {} over{unseen}", words::so_many(over, "step"))
    }

    fn step_ended(&self, state: &RunState, at: Time, step: StepIx, well: bool) -> Vec<Line> {
        let (plan, counts) = (state.plan(), state.step(step).counts());
        let tasks_told = counts.failed == 1 && counts.done + counts.already_so + counts.not_run == 0;
        if tasks_told && !well {
            return Vec::new();
        }
        let mark = match (well, counts.failed) {
            (true, 0) => Mark::Good,
            (true, _) => Mark::Unsure,
            (false, _) => Mark::Bad,
        };
        let tolerated = if well && counts.failed > 0 { "; tolerated" } else { "" };
        let took = took(state.step(step).started_at(), at);
        let text = format!("{}{took}{tolerated}", words::step_result(plan, step, &counts));
        vec![Line::new(mark, "step", step_id(plan, step), text)]
    }

    fn job_ended(&mut self, plan: &Plan, job: Job, outcome: &Outcome) -> Vec<Line> {
        if let Outcome::Unknown { .. } = outcome
            && job.kind.may_change()
        {
            let text = format!("{}; the host is asked", words::job_end(job.kind, outcome));
            return self.capped(plan, job.task, Kind::Unseen, task(plan, job.task, Mark::Unsure, text));
        }
        match self.look.verbose {
            0 | 1 => Vec::new(),
            _ => {
                let text = format!("{}{}", words::job_end(job.kind, outcome), try_of(job));
                vec![task(plan, job.task, Mark::Info, text)]
            }
        }
    }

    fn receipt_read(&mut self, plan: &Plan, job: Job, found: &Found) -> Vec<Line> {
        let mark = match found {
            Found::NeverStarted | Found::Ended(_) => Mark::Info,
            Found::NoReceipt { .. } => Mark::Unsure,
            // Said once already, when the end was missed; every further try would only repeat it.
            Found::NotReached { .. } if self.look.verbose == 0 => return Vec::new(),
            Found::NotReached { .. } => Mark::Unsure,
        };
        let what = if job.kind == JobKind::ResolveUndo { JobKind::Undo } else { JobKind::Run };
        let text = format!("receipt of {what}: {}", words::found(found));
        self.capped(plan, job.task, Kind::Receipt, task(plan, job.task, mark, text))
    }

    fn retry(&mut self, state: &RunState, at: Time, ix: TaskIx, kind: JobKind, next: Time) -> Vec<Line> {
        let plan = state.plan();
        let asks_again = matches!(kind, JobKind::ResolveRun | JobKind::ResolveUndo);
        if asks_again && self.look.verbose == 0 {
            return Vec::new();
        }
        let tries = state.task(ix).attempts(kind);
        let why = match state.task(ix).stage() {
            Stage::Retry { kind: JobKind::Stage, after: Some(Outcome::Succeeded), .. } => {
                "it was ready, and its connection was lost".to_owned()
            }
            Stage::Retry { after: Some(outcome), .. } => {
                // Only a run that did not start leads to another staging.
                let ended = if kind == JobKind::Stage { JobKind::Run } else { kind };
                words::job_end(ended, outcome)
            }
            _ => kind.to_string(),
        };
        let pause = match next.since(at) {
            Millis(0) => "at once".to_owned(),
            pause => format!("in {pause}"),
        };
        let text = format!("{why}; try {} {pause}", tries + 1);
        let mut said = task(plan, ix, Mark::Unsure, text);
        said.printed = self.printed(ix, kind);
        self.capped(plan, ix, Kind::Retry, said)
    }

    fn task_ended(&mut self, plan: &Plan, ix: TaskIx, end: &TaskEnd) -> Vec<Line> {
        let text = words::task_end(plan, ix, end);
        match end {
            TaskEnd::Failed { kind, outcome, .. } => {
                let mark = if matches!(outcome, Outcome::Unknown { .. }) { Mark::Unsure } else { Mark::Bad };
                let mut said = task(plan, ix, mark, text);
                said.printed = self.printed(ix, *kind);
                self.capped(plan, ix, Kind::Failure, said)
            }
            TaskEnd::Done | TaskEnd::AlreadySo if self.look.verbose >= 1 => {
                vec![task(plan, ix, Mark::Good, text)]
            }
            TaskEnd::NotRun { .. } if self.look.verbose >= 1 => vec![task(plan, ix, Mark::Info, text)],
            TaskEnd::Done | TaskEnd::AlreadySo | TaskEnd::NotRun { .. } => Vec::new(),
        }
    }

    fn asked(&self, state: &RunState, question: &Question) -> Line {
        let asking = asking::asking(state, &self.look, question);
        let (noun, name) = subject(state.plan(), question);
        let mut said = Line::new(Mark::Ask, noun, name, asking.sentence);
        said.more = asking.more;
        said.more.extend(answer_lines(&asking.answers));
        said
    }

    fn undo_ended(&mut self, state: &RunState, ix: TaskIx, end: &UndoEnd) -> Vec<Line> {
        let plan = state.plan();
        let step = plan.tasks[ix.at()].step;
        let undone = self.undone.entry(step).or_insert_with(|| {
            let concerned =
                |other: &TaskIx| state.task(*other).undo().is_some() || state.may_have_changed(*other);
            Undone { remaining: plan.tasks_of(step).filter(concerned).count(), ends: BTreeMap::new() }
        });
        undone.remaining = undone.remaining.saturating_sub(1);
        let last = undone.remaining == 0;
        let mut said = match end {
            UndoEnd::Undone | UndoEnd::NotNeeded | UndoEnd::LeftCut | UndoEnd::Impossible => {
                undone.ends.entry(words::undo_word(end)).or_insert_with(|| (ix, end.clone(), 0)).2 += 1;
                Vec::new()
            }
            UndoEnd::Failed { .. } | UndoEnd::Held { .. } => {
                let mut said = task(plan, ix, Mark::Bad, words::undo_end(plan, ix, end));
                if matches!(end, UndoEnd::Failed { .. }) {
                    said.printed = self.printed(ix, JobKind::Undo);
                }
                self.capped(plan, ix, Kind::Undo, said)
            }
        };
        if last && let Some(undone) = self.undone.remove(&step) {
            said.extend(undone.tell(state.plan(), step));
        }
        said
    }

    fn flush_undone(&mut self, plan: &Plan) -> Vec<Line> {
        std::mem::take(&mut self.undone)
            .into_iter()
            .flat_map(|(step, undone)| undone.tell(plan, step))
            .collect()
    }

    /// The last lines that a failed job of this kind printed.
    fn printed(&self, ix: TaskIx, kind: JobKind) -> Vec<String> {
        match self.tails.of_task(ix) {
            Some((job, facts)) if job.kind == kind => last_lines(&facts.tail, PRINTED_MAX),
            _ => Vec::new(),
        }
    }

    /// Says a line about a single task, unless its step has had its share of them.
    fn capped(&mut self, plan: &Plan, ix: TaskIx, kind: Kind, said: Line) -> Vec<Line> {
        let step = plan.tasks[ix.at()].step;
        let count = self.said.entry((step, kind)).or_default();
        *count += 1;
        match self.each_step_max {
            Some(max) if *count == max + 1 => {
                let text = format!(
                    "more like this is only counted from here on; `{}` tells all",
                    self.look.show_all()
                );
                vec![Line::new(said.mark, "step", step_id(plan, step), text)]
            }
            Some(max) if *count > max => Vec::new(),
            Some(_) | None => vec![said],
        }
    }
}

impl Undone {
    fn tell(self, plan: &Plan, step: StepIx) -> Vec<Line> {
        let line = |(first, end, count): (TaskIx, UndoEnd, usize)| {
            let mark = match end {
                UndoEnd::Undone | UndoEnd::NotNeeded => Mark::Back,
                UndoEnd::LeftCut => Mark::Unsure,
                UndoEnd::Impossible | UndoEnd::Failed { .. } | UndoEnd::Held { .. } => Mark::Bad,
            };
            let hosts = match count {
                1 => words::place(plan, first).to_owned(),
                count => words::so_many(count, "host"),
            };
            let place = if hosts == words::CONTROLLER { hosts } else { format!("({hosts})") };
            let text = format!("{} {place}", words::undo_end(plan, first, &end));
            Line::new(mark, "step", step_id(plan, step), text)
        };
        self.ends.into_values().map(line).collect()
    }
}

fn task(plan: &Plan, ix: TaskIx, mark: Mark, text: String) -> Line {
    Line::new(mark, "task", plan.task_name(ix), text)
}

fn subject(plan: &Plan, question: &Question) -> (&'static str, String) {
    let noun = match question {
        Question::Approve { .. } => "step",
        Question::Manual { .. } | Question::WhatBecameOf { .. } => "task",
        Question::PhaseFailed { .. } => "phase",
    };
    (noun, commands::about(plan, question))
}

fn begin(plan: &Plan, verb: &str, by: &str, mode: &str) -> String {
    format!(
        "{verb} by {}: {} on {}, {mode}; {}, {}, {}",
        line(by),
        line(&plan.runbook),
        line(&plan.inventory),
        words::so_many(plan.phases.len(), "phase"),
        words::so_many(plan.steps.len(), "step"),
        words::so_many(plan.tasks.len(), "task"),
    )
}

fn verdict_mark(verdict: &Verdict) -> Mark {
    match verdict {
        Verdict::Completed => Mark::Good,
        Verdict::Stopped { .. } | Verdict::Refused { .. } => Mark::Unsure,
        Verdict::RolledBack => Mark::Back,
        Verdict::Stuck => Mark::Bad,
    }
}

/// A watch takes long: people are told that it began, and that it begins anew.
fn watching(plan: &Plan, job: Job) -> Vec<Line> {
    let Some(watch) = &plan.step_of(job.task).watch else { return Vec::new() };
    let anew = if job.attempt > 1 { "anew " } else { "" };
    let probes = words::so_many(watch.probes.len(), "probe");
    let text = format!("watching {anew}for {}, {probes} every {}", watch.length, watch.every);
    vec![task(plan, job.task, Mark::Info, text)]
}

fn took(started: Option<Time>, ended: Time) -> String {
    started.map(|started| format!(" in {}", ended.since(started))).unwrap_or_default()
}

fn try_of(job: Job) -> String {
    match job.attempt {
        1 => String::new(),
        attempt => format!(" (try {attempt})"),
    }
}

fn step_id(plan: &Plan, step: StepIx) -> String {
    plan.steps[step.at()].id.to_string()
}
