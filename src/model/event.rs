//! The facts of a run. The journal is the list of them; a run's state is what they add up to.
//!
//! Every type here is on disk for ever: fields may be added with a default, never renamed or reused.

pub use super::ends::{NotRun, Scope, StopHow, StopReason, TaskEnd, UndoEnd, Verdict};
pub use super::facts::{BackupSeen, Evidence, Facts};
pub use super::job::{Found, Job, JobKind};
use super::names::{ConduitName, HostIx, PhaseIx, RunId, ServiceName, StepIx, TaskIx};
use super::outcome::Outcome;
use super::question::{Answer, Question};
pub use super::seen::{Before, CANNOT_TELL, Seen, Stands};
use super::time::{Millis, Time};
use serde::{Deserialize, Serialize};

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
    /// What had to be silent after the cuts was looked at once more when they had been taken back, before the run ended.
    LookedAfter {
        /// What was seen, as far as it was looked at.
        probes: Vec<Seen>,
        /// Why nobody looked, or not at everything; empty if all is there.
        #[serde(default, skip_serializing_if = "String::is_empty")]
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
    /// The players of an exercise were told something. It changes nothing in the run.
    Injected {
        /// What they were told.
        text: String,
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
