//! What there is to tell of a run: one data model, from which every format of the report is made. It is the JSON
//! format as it stands, see `docs/REPORT.md`: keys may be added; those that are here keep their meaning while `v` is 1.

use super::compare::Comparison;
use super::lang::Lang;
use super::ledger::{
    BackupTold, Cut, Decision, EvidenceTold, Fired, Group, GuardTold, Host, Improvement, Journal,
    OpenQuestion, PathStep, ProbeSeen, Reachability, ServiceTold, Wait,
};
use crate::model::Time;
use crate::model::event::Mode;
use crate::report::restored::Restoration;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// The version of this format.
pub const REPORT_VERSION: u32 = 1;

/// All there is to tell of a run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Story {
    /// The version of this format.
    pub v: u32,
    /// The language of its sentences.
    pub lang: Lang,
    /// The version of blackstart that told it.
    pub told_by: String,
    /// The run as a whole.
    pub run: Run,
    /// What happened, sentence by sentence.
    pub summary: Vec<String>,
    /// What had to be reached by when.
    pub objectives: Vec<Objective>,
    /// Phases in their order.
    pub phases: Vec<Phase>,
    /// Steps in file order.
    pub steps: Vec<Step>,
    /// Tasks; those of one step stand side by side.
    pub tasks: Vec<Task>,
    /// The steps that decided how long the run took, in order.
    pub critical_path: Vec<PathStep>,
    /// What was waited for, in the order in which it began.
    pub waits: Vec<Wait>,
    /// What people decided, in order.
    pub decisions: Vec<Decision>,
    /// Questions that nobody has answered.
    pub open_questions: Vec<OpenQuestion>,
    /// Tasks that did not end well, those with the same reason together.
    pub failures: Vec<Group>,
    /// Tasks that did not run, those with the same reason together.
    pub not_run: Vec<Group>,
    /// What could not be taken back.
    pub needs_a_person: Vec<Group>,
    /// Conduits that are cut now, as far as this run knows.
    pub cuts: Vec<Cut>,
    /// Who got where before the run, and who does after it; `null` if the plan keeps no zones.
    pub reachability: Option<Reachability>,
    /// How services stood while they were watched.
    pub services: Vec<ServiceTold>,
    /// What probes and verify scripts saw.
    pub probes: Vec<ProbeSeen>,
    /// What became of guards.
    pub guards: Vec<GuardTold>,
    /// Steps whose hosts started at one moment.
    pub fired: Vec<Fired>,
    /// Files that prove something.
    pub evidence: Vec<EvidenceTold>,
    /// Backups that were looked at.
    pub backups: Vec<BackupTold>,
    /// Hosts of the plan.
    pub hosts: Vec<Host>,
    /// What follows from the facts of the run, for an improvement plan.
    pub improvements: Vec<Improvement>,
    /// What a drill that is over left behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restoration: Option<Restoration>,
    /// The same things in an earlier run, if one was named to compare with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compared: Option<Comparison>,
    /// The record that all of this was told from.
    pub journal: Journal,
}

/// The run as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Run {
    /// Its id; `null` if it has no event.
    pub id: Option<String>,
    /// The runbook's name.
    pub runbook: String,
    /// The runbook's summary.
    pub about: Option<String>,
    /// The inventory's name.
    pub inventory: String,
    /// Exercise or real.
    #[schemars(with = "String")]
    pub mode: Mode,
    /// Who started it.
    pub by: Option<String>,
    /// The version of blackstart that started it.
    pub version: Option<String>,
    /// Where it stands.
    pub standing: Standing,
    /// The same in one sentence.
    pub sentence: String,
    /// The exit code that tells the verdict; `null` while the run has not ended.
    pub exit_code: Option<u8>,
    /// When it started.
    #[schemars(with = "Option<String>")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[schemars(with = "Option<String>")]
    pub ended_at: Option<Time>,
    /// Up to when the record tells: its end, or now if it goes on, or the last event if nobody carries it on.
    #[schemars(with = "Option<String>")]
    pub told_until: Option<Time>,
    /// From the start to `told_until`, in milliseconds.
    pub took_ms: u64,
    /// Processes that took it up again.
    pub resumed: Vec<Resumed>,
    /// Parameters as given or defaulted.
    pub params: BTreeMap<String, String>,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It has no event.
    NeverStarted,
    /// A process carries it on.
    Running,
    /// It has not ended and nobody carries it on.
    Interrupted,
    /// Every task ended well.
    Completed,
    /// Not finished.
    Stopped,
    /// A person said no.
    Refused,
    /// Failed, and taken back.
    RolledBack,
    /// Something could not be taken back.
    Stuck,
}

/// A process that took the run up again.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Resumed {
    /// When.
    #[schemars(with = "String")]
    pub at: Time,
    /// Who.
    pub by: String,
    /// The version of blackstart.
    pub version: String,
    /// For how long nobody had carried it on, in milliseconds.
    pub away_ms: u64,
}

/// Something that had to be reached within a time.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Objective {
    /// What it is called.
    pub name: String,
    /// When its clock starts, in words.
    pub from: String,
    /// When it stops, in words.
    pub to: String,
    /// How long it may take, in milliseconds.
    pub within_ms: u64,
    /// How long it took, or has taken so far if it is open; `null` if its clock never started.
    pub took_ms: Option<u64>,
    /// Was it met?
    pub standing: Met,
    /// How much later than allowed, in milliseconds; negative is to spare. `null` if its clock never started, or if
    /// the run ended before it was reached.
    pub late_ms: Option<i64>,
    /// Does it come from the recovery time objective of a service?
    pub rto: bool,
    /// Where the time between its two moments went, in milliseconds; adds up to `took_ms`.
    pub spent: BTreeMap<What, u64>,
    /// The step that most of its time went to.
    pub slowest: Option<String>,
}

/// Was an objective met?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Met {
    /// Reached in time.
    Met,
    /// Reached too late, or not reached yet although its time is over.
    Missed,
    /// Not reached when the run ended.
    NotReached,
    /// The run goes on and there is time left.
    Open,
    /// Its clock never started: what it starts from did not come.
    NotStarted,
}

/// A phase.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Phase {
    /// Its name.
    pub id: String,
    /// For people.
    pub title: Option<String>,
    /// What became of it: that of its steps that is worst.
    pub fate: Fate,
    /// When it began.
    #[schemars(with = "Option<String>")]
    pub started_at: Option<Time>,
    /// When it was over.
    #[schemars(with = "Option<String>")]
    pub ended_at: Option<Time>,
    /// Zones that no path from outside leads into once it has ended well, as the plan claims.
    pub isolates: Vec<String>,
}

/// What became of a task, a step or a phase: the worse, the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Could not be taken back: a person must look.
    Stuck,
    /// Did not end well.
    Failed,
    /// Its end was not seen.
    Unseen,
    /// Under way.
    UnderWay,
    /// Taken back.
    TakenBack,
    /// Did not run.
    NotRun,
    /// Not begun.
    Waiting,
    /// Ended well on all hosts but those that may fail.
    Tolerated,
    /// Ran, and ended well.
    Done,
    /// Was so already.
    AlreadySo,
    /// Left out by the plan.
    LeftOut,
}

impl Fate {
    /// All there are, worst first.
    pub const ALL: [Self; 11] = [
        Self::Stuck,
        Self::Failed,
        Self::Unseen,
        Self::UnderWay,
        Self::TakenBack,
        Self::NotRun,
        Self::Waiting,
        Self::Tolerated,
        Self::Done,
        Self::AlreadySo,
        Self::LeftOut,
    ];
}

/// A step.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Step {
    /// Its name.
    pub id: String,
    /// For people.
    pub title: Option<String>,
    /// Its phase.
    pub phase: String,
    /// `run`, `upload`, `fetch`, `manual`, `wait`, `probe` or `backup`.
    pub kind: String,
    /// What became of it.
    pub fate: Fate,
    /// Hosts it runs on, drawn together: `web[1-40]`.
    pub hosts: String,
    /// How many tasks it has.
    pub tasks: u32,
    /// How many of them became what.
    pub counts: BTreeMap<String, u32>,
    /// What it needs.
    pub needs: Vec<String>,
    /// The step after which it waits, if it does, and for how long at least, in milliseconds.
    pub after: Option<(String, u64)>,
    /// Conduits that it cuts.
    pub severs: Vec<String>,
    /// When its first task began.
    #[schemars(with = "Option<String>")]
    pub started_at: Option<Time>,
    /// When its last task was settled.
    #[schemars(with = "Option<String>")]
    pub ended_at: Option<Time>,
    /// From start to end, in milliseconds; up to `told_until` if it is under way.
    pub took_ms: Option<u64>,
    /// How long it was expected to take, in milliseconds.
    pub estimate_ms: u64,
    /// When it was expected to end, in milliseconds after the start of the run.
    pub expected_end_ms: u64,
    /// When it ended, in milliseconds after the start of the run.
    pub actual_end_ms: Option<u64>,
    /// Did it decide how long the run took?
    pub critical: bool,
    /// Stretches of time, by what was going on.
    pub stretches: Vec<Stretch>,
}

/// A stretch of a step's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Stretch {
    /// What was going on.
    pub what: What,
    /// Since when.
    #[schemars(with = "String")]
    pub from: Time,
    /// Until when.
    #[schemars(with = "String")]
    pub to: Time,
}

/// What can be going on in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A job runs.
    Work,
    /// A guard is armed or confirmed, or what was done is watched.
    Guard,
    /// A job takes back.
    Undo,
    /// People are asked.
    People,
    /// A host was not reached and is tried again.
    Hosts,
    /// A job failed and is tried again.
    Retry,
    /// A minimum wait passes.
    Timer,
    /// A job whose end was not seen.
    Unseen,
    /// It waits for its turn.
    Turn,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Task {
    /// Its step.
    pub step: String,
    /// Its host; `null` is the controller.
    pub host: Option<String>,
    /// What became of it.
    pub fate: Fate,
    /// The same in words, with the reason.
    pub sentence: String,
    /// How its undo ended, if it did.
    pub undo: Option<String>,
    /// When it began.
    #[schemars(with = "Option<String>")]
    pub started_at: Option<Time>,
    /// When it was settled.
    #[schemars(with = "Option<String>")]
    pub ended_at: Option<Time>,
    /// Attempts to run it.
    pub attempts: u32,
    /// Last lines that its newest failed job printed.
    pub printed: Vec<String>,
    /// Its jobs and waits, in order.
    pub spans: Vec<Span>,
}

/// A job or a wait of a task.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Span {
    /// What was going on.
    pub what: What,
    /// The kind of job; `null` for a wait.
    pub job: Option<String>,
    /// Which try.
    pub attempt: Option<u32>,
    /// Since when.
    #[schemars(with = "String")]
    pub from: Time,
    /// Until when; `null` if it goes on.
    #[schemars(with = "Option<String>")]
    pub to: Option<Time>,
    /// Did it do what was asked? `null` for a wait, and where the end was not seen.
    pub well: Option<bool>,
}
