//! A run for programs: every event as one JSON object a line, names instead of indices.
//!
//! ```text
//! {"v":1,"seq":12,"at":"2026-11-21T03:06:40.123Z","run":"0192…","phase":"isolate","step":"cut-isp","host":"edge-fw",
//!  "kind":"task_ended","event":{"task_ended":{"task":"cut-isp@edge-fw","end":"done"}}}
//! ```
//! `seq` counts the events of the run from 0, over all resumes, as in the journal. `phase`, `step` and `host`
//! say what the event is about and are absent where that makes no sense; a task of the controller has no
//! `host`. `event` is the journal's event with every index replaced by the name of what it points at. The last line of a process has
//! the kind `recap` and, instead of `event`, a `recap`: see [`super::recap_json`]. Keys may be
//! added; those that are here keep their meaning while `v` is 1. [`schema`] is the JSON Schema of a line.

use super::display::{Display, Stream};
use super::facts::RunFacts;
use super::going_on::Round;
use super::recap::recap_json;
use super::timeline::Timeline;
use crate::engine::RunState;
use crate::model::event::Job;
use crate::model::names::{HostIx, PhaseIx, RunId, StepIx, TaskIx};
use crate::model::question::Question;
use crate::model::{Event, Time, visible};
use crate::plan::Plan;
use serde::Serialize;
use serde_json::{Value, json};
use std::io::{self, Write};

/// The version of the lines' format.
pub const NDJSON_VERSION: u32 = 1;

/// Where lines go.
pub trait Lines {
    /// The line of the event of this number.
    fn event(&mut self, seq: u64, line: &str) -> io::Result<()>;
    /// The last line of a process.
    fn last(&mut self, line: &str) -> io::Result<()>;
}

impl<W: Write> Lines for W {
    fn event(&mut self, _: u64, line: &str) -> io::Result<()> {
        self.last(line)
    }
    fn last(&mut self, line: &str) -> io::Result<()> {
        writeln!(self, "{line}").and_then(|()| self.flush())
    }
}

/// Events as JSON lines, usually to stdout.
pub fn ndjson<W: Lines>(to: W) -> Ndjson<W> {
    Ndjson { to, seq: 0, past: Vec::new(), told: None, broken: None }
}

/// Events as JSON lines.
#[derive(Debug)]
pub struct Ndjson<W> {
    to: W,
    seq: u64,
    past: Vec<(Time, Event)>,
    /// All of the run, for the recap; `None` before it begins, and if its past was not handed over.
    told: Option<Timeline>,
    broken: Option<io::Error>,
}

impl<W: Lines> Ndjson<W> {
    /// Takes what happened before this process, so that the recap tells of all of the run.
    pub fn after(mut self, past: Vec<(Time, Event)>) -> Self {
        self.past = past;
        self
    }
    /// Why nothing is written any more, if so: the reader went away. The run goes on without it.
    pub fn broken(&self) -> Option<&io::Error> {
        self.broken.as_ref()
    }

    fn put(&mut self, write: impl FnOnce(&mut W) -> io::Result<()>) {
        if self.broken.is_none() {
            self.broken = write(&mut self.to).err();
        }
    }
}

impl<W: Lines> Display for Ndjson<W> {
    fn started(&mut self, state: &RunState, resumed_from: Option<usize>) {
        self.seq = resumed_from.unwrap_or(0) as u64;
        self.told = Timeline::of(state.plan().clone(), &std::mem::take(&mut self.past)).ok();
    }
    fn event(&mut self, state: &RunState, at: Time, event: &Event) {
        if self.told.as_mut().is_some_and(|told| told.take(at, event).is_err()) {
            self.told = None;
        }
        let (seq, told) = (self.seq, text(state.plan(), state.run_id(), self.seq, at, event));
        self.put(|to| to.event(seq, &told));
        self.seq += 1;
    }
    fn output(&mut self, _: &Plan, _: Job, _: Stream, _: &[u8]) {}
    fn watched(&mut self, _: Job, _: Round) {}
    fn tick(&mut self, _: &RunState, _: Time) {}
    fn suspend(&mut self, talk: &mut dyn FnMut()) {
        talk();
    }
    fn prompt(&mut self, _: &RunState, _: Time, _: Option<&str>) {}
    fn note(&mut self, _: &str) {}
    fn finished(&mut self, state: &RunState, now: Time) {
        let recap = match &self.told {
            Some(told) => recap_json(told),
            None => json!(RunFacts::of(state)),
        };
        let told =
            json!({ "v": NDJSON_VERSION, "at": now, "run": state.run_id(), "kind": "recap", "recap": recap });
        self.put(|to| to.last(&visible::json(told.to_string())));
    }
}

/// One event as a line, without a line's end.
pub fn text(plan: &Plan, run: Option<&RunId>, seq: u64, at: Time, event: &Event) -> String {
    let mut told = serde_json::to_value(event).expect(PLAIN);
    with_names(plan, &mut told);
    let kind = match &told {
        Value::Object(fields) => fields.keys().next().map_or("", String::as_str),
        other => other.as_str().unwrap_or_default(),
    };
    let About { phase, step, host } = about(plan, event);
    let line = Line {
        at,
        event: &told,
        host: host.map(|host| plan.hosts[host.at()].name.as_str()),
        kind,
        phase: phase.map(|phase| plan.phases[phase.at()].id.as_str()),
        run,
        seq,
        step: step.map(|step| plan.steps[step.at()].id.as_str()),
        v: NDJSON_VERSION,
    };
    visible::json(serde_json::to_string(&line).expect(PLAIN))
}

const PLAIN: &str = "an event has only texts, numbers and lists in it";

/// A line, its keys in alphabetical order as those of all our JSON are.
#[derive(Serialize)]
struct Line<'a> {
    at: Time,
    event: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'a str>,
    run: Option<&'a RunId>,
    seq: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<&'a str>,
    v: u32,
}

/// What an event is about, as far as that makes sense.
#[derive(Default)]
struct About {
    phase: Option<PhaseIx>,
    step: Option<StepIx>,
    host: Option<HostIx>,
}

fn about(plan: &Plan, event: &Event) -> About {
    match event {
        Event::JobStarted { job } | Event::JobEnded { job, .. } | Event::ReceiptRead { job, .. } => {
            About::task(plan, job.task)
        }
        Event::RetryPlanned { task, .. }
        | Event::WaitStarted { task, .. }
        | Event::TaskEnded { task, .. }
        | Event::UndoEnded { task, .. }
        | Event::GuardExtended { task, .. } => About::task(plan, *task),
        Event::StepEnded { step, .. }
        | Event::StepNotRun { step, .. }
        | Event::Firing { step, .. }
        | Event::Fired { step, .. }
        | Event::ApprovalLapsed { step, .. } => About::step(plan, *step),
        Event::PhaseStarted { phase } | Event::PhaseEnded { phase, .. } => About::phase(*phase),
        Event::Asked { question } => About::question(plan, question),
        Event::Answered { answer } => About::question(plan, &answer.question),
        Event::HostReached { host, .. } => About { host: Some(*host), ..About::default() },
        Event::RunStarted { .. }
        | Event::RunResumed { .. }
        | Event::StopRequested { .. }
        | Event::RollbackStarted { .. }
        | Event::Abandoned { .. }
        | Event::RiskAccepted { .. }
        | Event::RunEnded { .. }
        | Event::Baseline { .. }
        | Event::LookedAfter { .. }
        | Event::ServiceSeen { .. }
        | Event::Injected { .. } => About::default(),
    }
}

impl About {
    fn question(plan: &Plan, question: &Question) -> Self {
        match question {
            Question::Approve { task, .. } => Self::step(plan, plan.tasks[task.at()].step),
            Question::Manual { task } | Question::WhatBecameOf { task, .. } => Self::task(plan, *task),
            Question::PhaseFailed { phase } => Self::phase(*phase),
        }
    }

    fn task(plan: &Plan, task: TaskIx) -> Self {
        let planned = &plan.tasks[task.at()];
        Self { host: planned.host, ..Self::step(plan, planned.step) }
    }

    fn step(plan: &Plan, step: StepIx) -> Self {
        Self { step: Some(step), ..Self::phase(plan.steps[step.at()].phase) }
    }

    fn phase(phase: PhaseIx) -> Self {
        Self { phase: Some(phase), ..Self::default() }
    }
}

/// Replaces every index by the name of what it points at. Indices stand as numbers under keys that no number
/// but an index stands under.
fn with_names(plan: &Plan, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                match field
                    .as_u64()
                    .and_then(|ix| u32::try_from(ix).ok())
                    .and_then(|ix| name_of(plan, key, ix))
                {
                    Some(name) => *field = Value::String(name),
                    None => with_names(plan, field),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| with_names(plan, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn name_of(plan: &Plan, key: &str, ix: u32) -> Option<String> {
    let at = ix as usize;
    match key {
        "task" | "by" if at < plan.tasks.len() => Some(plan.task_name(TaskIx(ix))),
        "step" | "from_step" => plan.steps.get(at).map(|step| step.id.to_string()),
        "phase" | "from_phase" => plan.phases.get(at).map(|phase| phase.id.to_string()),
        "host" => plan.hosts.get(at).map(|host| host.name.to_string()),
        _ => None,
    }
}

/// The JSON Schema of a line.
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of `blackstart run --format json`",
        "type": "object",
        "required": ["v", "at", "run", "kind"],
        "properties": {
            "v": { "const": NDJSON_VERSION },
            "seq": { "type": "integer", "minimum": 0, "description": "counts the events of the run, over all resumes" },
            "at": { "type": "string", "format": "date-time" },
            "run": { "type": "string", "description": "the run's id, 32 hexadecimal digits" },
            "phase": { "type": "string" },
            "step": { "type": "string" },
            "host": { "type": "string" },
            "kind": { "enum": KINDS },
            "event": {
                "description": "the event as in the journal, with names instead of indices",
                "type": "object", "minProperties": 1, "maxProperties": 1,
            },
            "recap": { "type": "object" },
        },
        "if": { "properties": { "kind": { "const": "recap" } } },
        "then": { "required": ["recap"] },
        "else": { "required": ["seq", "event"] },
    })
}

const KINDS: [&str; 27] = [
    "run_started",
    "run_resumed",
    "host_reached",
    "phase_started",
    "phase_ended",
    "step_ended",
    "step_not_run",
    "job_started",
    "job_ended",
    "receipt_read",
    "retry_planned",
    "wait_started",
    "task_ended",
    "asked",
    "answered",
    "stop_requested",
    "rollback_started",
    "undo_ended",
    "abandoned",
    "run_ended",
    "guard_extended",
    "approval_lapsed",
    "baseline",
    "service_seen",
    "firing",
    "fired",
    "recap",
];
