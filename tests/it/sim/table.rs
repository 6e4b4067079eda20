//! The engine by hand: news in, orders out, each table a rule of the design that people rely on.

pub use super::build::Builder;
pub use blackstart::engine::{Engine, Input, Limits, Output, Status};
pub use blackstart::model::event::{
    Event, Facts, Found, Job, JobKind, Mode, Scope, StopHow, StopReason, TaskEnd, UndoEnd, Verdict,
};
pub use blackstart::model::names::{RunId, TaskIx};
pub use blackstart::model::question::{Answer, Choice, Question};
pub use blackstart::model::runbook::{Approve, Policy, Retry};
pub use blackstart::model::{Millis, Outcome, Time};
pub use blackstart::plan::Plan;
pub use blackstart::plan::frozen::{PlannedAction, PlannedAfter, PlannedUndo};
pub use std::sync::Arc;

/// A run in the hands of a test.
pub struct Run {
    pub plan: Arc<Plan>,
    pub engine: Engine,
    pub now: Time,
    pub journal: Vec<(Time, Event)>,
    pub orders: Vec<Output>,
}

pub fn begin(build: Builder) -> Run {
    begin_with(build, Limits::default(), Mode::Live)
}

pub fn begin_with(build: Builder, limits: Limits, mode: Mode) -> Run {
    let plan = build.done();
    let engine = Engine::new(plan.clone(), limits);
    let mut run = Run { plan, engine, now: Time(1_000), journal: Vec::new(), orders: Vec::new() };
    let (by, version) = ("ann".into(), "0".into());
    run.news(Input::Begin { run: RunId("r".into()), plan: "p".into(), mode, by, version });
    run
}

impl Run {
    pub fn news(&mut self, input: Input) {
        self.orders.clear();
        self.engine.handle(self.now, input);
        while let Some(output) = self.engine.poll() {
            match output {
                Output::Record(at, event) => self.journal.push((at, event)),
                order => self.orders.push(order),
            }
        }
    }
    pub fn ends(&mut self, name: &str, kind: JobKind, outcome: Outcome) {
        let job = self.job(name, kind);
        self.news(Input::JobEnded { job, outcome, facts: Facts::default() });
    }
    pub fn succeeds(&mut self, name: &str, kind: JobKind) {
        self.ends(name, kind, Outcome::Succeeded);
    }
    pub fn fails(&mut self, name: &str, kind: JobKind) {
        self.ends(name, kind, Outcome::from_exit(1));
    }
    pub fn receipt(&mut self, name: &str, kind: JobKind, found: Found) {
        let job = self.job(name, kind);
        self.news(Input::ReceiptRead { job, found });
    }
    pub fn says(&mut self, question: Question, by: &str, choice: Choice) {
        self.news(Input::Answered(Answer {
            question,
            by: by.into(),
            choice,
            comment: None,
            at: None,
            signed: None,
        }));
    }
    pub fn passes(&mut self, secs: u64) {
        self.now = self.now + Millis::from_secs(secs);
        self.news(Input::TimePassed);
    }
    /// The process dies; another one takes the journal up.
    pub fn crashes_and_resumes(&mut self) {
        self.dies();
        self.news(Input::Resume { by: "ann".into(), version: "0".into() });
    }
    pub fn dies(&mut self) {
        let journal = self.journal.clone();
        self.engine =
            Engine::restore(self.plan.clone(), Limits::default(), journal).expect("our own journal");
    }
    pub fn task(&self, name: &str) -> TaskIx {
        let all = (0..self.plan.tasks.len() as u32).map(TaskIx);
        all.into_iter()
            .find(|ix| self.plan.task_name(*ix) == name)
            .unwrap_or_else(|| panic!("no task {name}"))
    }
    /// The newest attempt.
    pub fn job(&self, name: &str, kind: JobKind) -> Job {
        let task = self.task(name);
        Job { task, kind, attempt: self.engine.state().task(task).attempts(kind) }
    }
    /// What was started by the newest news: `run s0@h00000 #1`.
    pub fn started(&self) -> Vec<String> {
        let start = |order: &Output| match order {
            Output::Start { job, .. } => {
                Some(format!("{} {} #{}", job.kind, self.plan.task_name(job.task), job.attempt))
            }
            _ => None,
        };
        self.orders.iter().filter_map(start).collect()
    }
    pub fn verdict(&self) -> Option<Verdict> {
        match self.engine.state().status() {
            Status::Ended(verdict) => Some(verdict.clone()),
            Status::New | Status::Running | Status::RollingBack { .. } => None,
        }
    }
    pub fn undo(&self, name: &str) -> Option<UndoEnd> {
        self.engine.state().task(self.task(name)).undo().cloned()
    }
    pub fn end(&self, name: &str) -> Option<TaskEnd> {
        self.engine.state().task(self.task(name)).end().cloned()
    }
}

pub fn unknown() -> Outcome {
    Outcome::Unknown { because: "the link was lost".into() }
}

pub fn nothing() -> [String; 0] {
    []
}

pub const H0: Option<u32> = Some(0);
pub const H1: Option<u32> = Some(1);

/// One phase with one step on one host, to be changed further.
pub fn one_step(policy: Policy) -> Builder {
    let mut build = Builder::new(&[None, None]);
    build.phase(policy);
    build.step(&[H0]);
    build
}

pub const STEP: blackstart::model::names::StepIx = blackstart::model::names::StepIx(0);

/// Two steps on two hosts, the second needs the first on the same host or on all of them.
pub fn two_steps(policy: Policy, same_host: bool) -> Builder {
    let mut build = Builder::new(&[None, None]);
    build.phase(policy);
    let first = build.step(&[H0, H1]);
    let second = build.step(&[H0, H1]);
    build.needs(second, first, same_host);
    build
}
