//! The facts of a run. The journal is the list of them; a run's state is what they add up to.
//!
//! Every type here is on disk for ever: fields may be added with a default, never renamed or reused.

pub use super::facts::{BackupSeen, Evidence, Facts};
use super::names::{ConduitName, HostIx, PhaseIx, RunId, ServiceName, StepIx, TaskIx};
use super::outcome::Outcome;
use super::question::{Answer, Question};
pub use super::seen::{Before, CANNOT_TELL, Seen, Stands};
use super::time::{Millis, Time};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One fact about a run, in the past tense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The first event of every journal.
    RunStarted {
        /// The run.
        run: RunId,
        /// Hash of the frozen plan, as 64 hexadecimal digits.
        plan: String,
        /// Exercise or real.
        mode: Mode,
        /// Who started it (login name).
        by: String,
        /// The version of blackstart that started it.
        version: String,
    },
    /// A new process took the run up. Every job that had started and not ended has thereby ended unseen:
    /// applying this event turns each of them into `Unknown`.
    RunResumed {
        /// Who resumed it.
        by: String,
        /// The version of blackstart that resumed it.
        version: String,
    },
    /// A connection to a host was made and its host key accepted.
    HostReached {
        /// The host.
        host: HostIx,
        /// Host key fingerprint (`SHA256:…`) and other facts worth keeping, for people.
        how: String,
    },
    /// A phase began.
    PhaseStarted {
        /// Which.
        phase: PhaseIx,
    },
    /// A phase is over.
    PhaseEnded {
        /// Which.
        phase: PhaseIx,
        /// Did all of its steps end well (or were tolerated by `continue`)?
        well: bool,
    },
    /// All tasks of a step are settled.
    StepEnded {
        /// Which.
        step: StepIx,
        /// Were failures within the step's `max_failures`?
        well: bool,
        /// Hosts that failed, were unreachable or unknown.
        failures: u32,
    },
    /// The tasks of a step that have not ended will not run.
    StepNotRun {
        /// Which.
        step: StepIx,
        /// Why not.
        because: NotRun,
    },
    /// A job was ordered. On disk before the order leaves.
    JobStarted {
        /// Which.
        job: Job,
    },
    /// A job (other than `Resolve`) ended, or its end was missed.
    JobEnded {
        /// Which.
        job: Job,
        /// How.
        outcome: Outcome,
        /// What came of it.
        #[serde(default, skip_serializing_if = "Facts::is_empty")]
        facts: Facts,
    },
    /// A `Resolve` job read the host's receipt of an attempt whose end had not been seen.
    ReceiptRead {
        /// The `Resolve` job.
        job: Job,
        /// What the receipt says.
        found: Found,
    },
    /// A job that failed will be tried again at a time.
    RetryPlanned {
        /// The task.
        task: TaskIx,
        /// Which kind of job comes next.
        kind: JobKind,
        /// Not before.
        at: Time,
    },
    /// A `wait` step's clock runs.
    WaitStarted {
        /// The task.
        task: TaskIx,
        /// Until then.
        until: Time,
    },
    /// A task is settled (forwards).
    TaskEnded {
        /// Which.
        task: TaskIx,
        /// How.
        end: TaskEnd,
    },
    /// People were asked.
    Asked {
        /// What.
        question: Question,
    },
    /// A person answered.
    Answered {
        /// Question, answer, who and why.
        answer: Answer,
    },
    /// Somebody asked the run to stop.
    StopRequested {
        /// Who.
        by: String,
        /// How hard.
        how: StopHow,
    },
    /// From now on things are taken back instead of done.
    RollbackStarted {
        /// How much.
        scope: Scope,
        /// Are severed conduits re-opened too? Only ever because an operator asked for it.
        reopen: bool,
        /// A login name, or `policy`.
        by: String,
        /// The conduits that whoever asked for it named, to consent to their being re-opened.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        consent: Vec<ConduitName>,
    },
    /// A task's undo is settled.
    UndoEnded {
        /// Which.
        task: TaskIx,
        /// How.
        end: UndoEnd,
    },
    /// Somebody looked at what is stuck and takes it on from here.
    Abandoned {
        /// Who.
        by: String,
        /// Why, and what was done about it.
        comment: String,
    },
    /// A task's guard got more time, because its run was still under way and its host was heard.
    GuardExtended {
        /// The task.
        task: TaskIx,
        /// Time left on the host's clock when it answered.
        left: Millis,
    },
    /// Nothing more will happen in this process. A run that is `Stopped` or `Refused` can be resumed.
    RunEnded {
        /// The verdict.
        verdict: Verdict,
    },
    /// Consent that was given for a step counts no longer: the step did not start in time.
    ApprovalLapsed {
        /// Which step.
        step: StepIx,
        /// Whose consent.
        by: Vec<String>,
    },
    /// All that must be silent after a cut was looked at before the first cut: once a run.
    Baseline {
        /// What was seen, as far as it was looked at.
        probes: Vec<Seen>,
        /// Why nobody looked, or not at everything; empty if all is there.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        because: String,
    },
    /// The steady watch saw a service for the first time in this process, or saw it change.
    ServiceSeen {
        /// Which.
        service: ServiceName,
        /// How it stands.
        stands: Stands,
        /// What was seen, for people.
        because: String,
    },
    /// Somebody goes on although the plan is known to be dangerous. Stands right after the run's first event.
    RiskAccepted {
        /// What the plan may lead to.
        what: String,
        /// Who takes it upon themselves.
        by: String,
        /// Why.
        because: String,
    },
    /// Staged scripts of a step were ordered to start at one moment: each of these jobs has thereby started. One
    /// event, so that no crash leaves a part of a firing on record.
    Firing {
        /// The step.
        step: StepIx,
        /// Its `Run` jobs, in task order.
        jobs: Vec<Job>,
    },
    /// What became of a firing, as far as the controller can measure it. A host starts its script between the moment
    /// when its go-line was handed to its connection and the moment when its answer was read.
    Fired {
        /// The step.
        step: StepIx,
        /// Hosts that answered that they started.
        hosts: u32,
        /// Hosts whose answer was not seen; each is looked into by itself.
        unheard: u32,
        /// From the first to the last go-line, in microseconds.
        sent_us: u64,
        /// The hosts' starts lie surely at least so far apart, in microseconds; 0 if that cannot be told.
        skew_min_us: u64,
        /// The hosts' starts lie surely at most so far apart, in microseconds: first go-line to last answer.
        skew_max_us: u64,
    },
}

/// Is this the real thing?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Real hosts, a real incident.
    #[default]
    Live,
    /// Real hosts, a stopwatch.
    Drill,
    /// No hosts, virtual time.
    Tabletop,
}

/// One attempt at one phase of a task. `attempt` counts from 1 for each task and kind, over all resumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// The task.
    pub task: TaskIx,
    /// Which part of it.
    pub kind: JobKind,
    /// Which try.
    pub attempt: u32,
}

/// The parts of a task that are ordered one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Is it already so? Read-only.
    Check,
    /// Keep the present state for undo. Read-only.
    Snapshot,
    /// The action itself (script, upload, fetch or probe). May change something; claims a receipt.
    Run,
    /// Did it work? Read-only.
    Verify,
    /// Take it back. May change something; claims a receipt.
    Undo,
    /// What became of the newest `Run` whose end was not seen? Read-only, but waits for a job that still runs.
    ResolveRun,
    /// What became of the newest `Undo` whose end was not seen?
    ResolveUndo,
    /// Arms the guard of the `Run` that follows.
    Arm,
    /// Proves the way back over a fresh connection, and asks the guard to give way or what it has done.
    Confirm,
    /// Do all probes go on agreeing, for as long as the step's `watch` says? Read-only.
    Watch,
    /// Lay the script ready on the host, where it waits for one short line to start. Changes nothing, claims nothing.
    Stage,
}

/// What a host's receipt says about an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// The receipts are intact and hold no claim: it never started, and now never can (the claim is spent).
    NeverStarted,
    /// It started and ended like this. Never `Unknown` and never `NotStarted`.
    Ended(Outcome),
    /// The host was reached and cannot tell (receipts lost, host restarted before they were on disk).
    NoReceipt {
        /// Why, for a person.
        because: String,
    },
    /// The host could not be asked.
    NotReached {
        /// Why, for a person.
        because: String,
        /// May another try do better?
        try_again: bool,
    },
}

/// How a task ended, forwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskEnd {
    /// It ran, and its verify (if any) agreed.
    Done,
    /// `check` said that it was so already; nothing was changed.
    AlreadySo,
    /// It did not end well.
    Failed {
        /// The job that did not.
        kind: JobKind,
        /// How that job ended. Never `Succeeded`.
        outcome: Outcome,
        /// May something on the host have changed? Then an undo must look at it.
        changed: bool,
    },
    /// It did not run.
    NotRun {
        /// Why not.
        because: NotRun,
    },
}

/// Why a task did not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotRun {
    /// Its `when` was false for the host, or it was not selected (`--limit`, `--phase`, `--until`): the plan says which.
    LeftOut,
    /// A step that it needs did not end well.
    NeedFailed {
        /// Which one.
        step: StepIx,
    },
    /// More hosts of its own step had failed than `max_failures` allows.
    TooManyFailures,
    /// The run was rolled back before its turn.
    RolledBack,
    /// A person said no at a gate.
    Refused {
        /// Who.
        by: String,
    },
    /// Its `deadline` had passed before it could start.
    TooLate {
        /// When it should have started at the latest.
        deadline: Time,
    },
    /// A fetch step of its `evidence` did not end well on all hosts where it ran.
    EvidenceMissing {
        /// Which one.
        step: StepIx,
    },
}

/// How hard to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopHow {
    /// Start nothing new, let running jobs end.
    Finish,
    /// Also cancel what runs.
    Cancel,
}

/// How much a rollback takes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everything.
    Run,
    /// One phase.
    Phase(PhaseIx),
    /// A phase and all later ones.
    FromPhase(PhaseIx),
    /// A step and everything that comes after it.
    FromStep(StepIx),
}

/// How a task's undo ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndoEnd {
    /// Taken back.
    Undone,
    /// Nothing to take back: `undo: not_needed`.
    NotNeeded,
    /// It cuts a conduit, and nobody asked to re-open it: left cut.
    LeftCut,
    /// Declared impossible to take back.
    Impossible,
    /// The undo did not end well, or its end was not seen and nothing can tell.
    Failed {
        /// How it ended.
        outcome: Outcome,
    },
    /// Left, because something that stands on it is still in place.
    Held {
        /// A task that stands on it.
        by: TaskIx,
    },
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every task ended well (or was left out by the plan).
    Completed,
    /// Not finished; `resume` goes on.
    Stopped {
        /// Why.
        because: StopReason,
    },
    /// A person said no at a gate; `resume` asks again.
    Refused {
        /// Who.
        by: String,
    },
    /// Failed, and everything that was to be taken back is.
    RolledBack,
    /// Something could not be taken back: a person must look.
    Stuck,
}

/// Why a run stopped short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// A step failed and its phase says `stop` (or a person chose so).
    StepFailed {
        /// The first one.
        step: StepIx,
    },
    /// Somebody asked.
    Operator {
        /// Who.
        by: String,
        /// How hard.
        how: StopHow,
    },
    /// Only people's answers are missing, and nobody is there to give them.
    WaitingForPeople,
    /// Everything else ran; some steps failed under `continue`.
    FailuresLeft,
}

impl JobKind {
    /// The word used in file names, on the screen and in reports.
    pub fn word(self) -> &'static str {
        match self {
            JobKind::Check => "check",
            JobKind::Snapshot => "snapshot",
            JobKind::Run => "run",
            JobKind::Verify => "verify",
            JobKind::Undo => "undo",
            JobKind::ResolveRun => "resolve",
            JobKind::ResolveUndo => "resolve-undo",
            JobKind::Arm => "arm",
            JobKind::Confirm => "confirm",
            JobKind::Watch => "watch",
            JobKind::Stage => "stage",
        }
    }
    /// May it change something on a host? Then it claims a receipt there.
    pub fn may_change(self) -> bool {
        matches!(self, JobKind::Run | JobKind::Undo)
    }
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
