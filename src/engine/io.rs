//! What goes into the engine (news) and what comes out (orders).

use crate::model::event::{Event, Facts, Found, Job, Mode, Scope, Seen, Stands, StopHow, Verdict};
use crate::model::names::{ConduitName, HostIx, RunId, ServiceName, StepIx, TaskIx};
use crate::model::question::{Answer, Question};
use crate::model::{Millis, Outcome, Time};

/// News from the world. Every one may come at any time; what comes too late is refused, not trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Start a new run. The first input of a run, once.
    Begin {
        /// The run.
        run: RunId,
        /// Hash of the frozen plan.
        plan: String,
        /// Exercise or real.
        mode: Mode,
        /// Who starts it.
        by: String,
        /// Version of the program.
        version: String,
    },
    /// Take a run up that has a journal: the first input after its events were applied.
    Resume {
        /// Who resumes it.
        by: String,
        /// Version of the program.
        version: String,
    },
    /// A job (other than a `Resolve`) ended.
    JobEnded {
        /// Which.
        job: Job,
        /// How.
        outcome: Outcome,
        /// What came of it.
        facts: Facts,
    },
    /// A `Resolve` job read a receipt.
    ReceiptRead {
        /// The `Resolve` job.
        job: Job,
        /// What it says.
        found: Found,
    },
    /// A script that lay ready does so no longer: its connection was lost before it was fired.
    Unready {
        /// Its task.
        task: TaskIx,
    },
    /// A firing was measured: every host of it has answered, or is known not to.
    Fired {
        /// The step.
        step: StepIx,
        /// Hosts that answered that they started.
        hosts: u32,
        /// Hosts whose answer was not seen.
        unheard: u32,
        /// From the first to the last go-line, in microseconds.
        sent_us: u64,
        /// The starts lie at least so far apart, in microseconds.
        skew_min_us: u64,
        /// The starts lie at most so far apart, in microseconds.
        skew_max_us: u64,
    },
    /// The guard of a run that is under way got more time.
    GuardExtended {
        /// The job in whose time that happened.
        job: Job,
        /// Time left on the host's clock when it answered.
        left: Millis,
    },
    /// A host was connected to.
    HostReached {
        /// Which.
        host: HostIx,
        /// Facts for people.
        how: String,
    },
    /// A person answered a question, asked or not: an answer that comes before its question is kept.
    Answered(Answer),
    /// Somebody wants the run to stop.
    StopRequested {
        /// Who.
        by: String,
        /// How hard.
        how: StopHow,
    },
    /// Somebody wants things taken back.
    RollbackRequested {
        /// How much.
        scope: Scope,
        /// Severed conduits too?
        reopen: bool,
        /// Who.
        by: String,
        /// The conduits they named, to consent to their being re-opened.
        consent: Vec<ConduitName>,
    },
    /// Somebody takes on what is stuck.
    Abandoned {
        /// Who.
        by: String,
        /// Why.
        comment: String,
    },
    /// Somebody goes on although the plan is known to be dangerous. Comes before `Begin`, and is recorded right after.
    RiskAccepted {
        /// What the plan may lead to.
        what: String,
        /// Who.
        by: String,
        /// Why.
        because: String,
    },
    /// Nothing but time passed: a `Wake` is due.
    TimePassed,
    /// What was to be seen before the first cut: the answer to [`Output::LookBefore`].
    Baseline {
        /// What every negative probe of the plan saw, as far as there was time.
        probes: Vec<Seen>,
        /// Why nobody looked, or not at everything; empty if all is there.
        because: String,
    },
    /// What was to be seen before the run ends: the answer to [`Output::LookAfter`].
    LookedAfter {
        /// How services stand, as far as there was time.
        services: Vec<(ServiceName, Stands, String)>,
        /// What every negative probe of the plan saw, if that was asked for.
        probes: Vec<Seen>,
        /// Why nobody looked with probes, or not with all; empty if all is there.
        because: String,
    },
    /// The steady watch looked at a service. What is known already is not recorded again.
    ServiceSeen {
        /// Which.
        service: ServiceName,
        /// How it stands.
        stands: Stands,
        /// What was seen.
        because: String,
    },
    /// The players of an exercise are told something.
    Injected {
        /// What.
        text: String,
    },
}

/// Orders to the world, to be carried out in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Put this on disk, with this time, before any later order is carried out.
    Record(Time, Event),
    /// Start this job. For a `Resolve`, `resolves` is the attempt in question.
    Start {
        /// The job.
        job: Job,
        /// The attempt whose end was not seen.
        resolves: Option<Job>,
    },
    /// Start these jobs at one moment: their scripts lie ready on their hosts.
    Fire {
        /// The step.
        step: StepIx,
        /// Its jobs.
        jobs: Vec<Job>,
    },
    /// The script that lies ready for this task is not wanted any more.
    Release {
        /// The task.
        task: TaskIx,
    },
    /// End this job early; its end is still reported as `JobEnded`.
    Cancel {
        /// The job.
        job: Job,
    },
    /// Put this question to people; it may be asked again after a resume.
    Ask(Question),
    /// The question no longer needs an answer.
    Withdraw(Question),
    /// Send `TimePassed` at this time. Replaces the wake-up ordered before.
    Wake {
        /// When.
        at: Time,
    },
    /// Nothing more will come: the run ended in this process.
    Finished(Verdict),
    /// Look with every negative probe of the plan, once, and answer with [`Input::Baseline`] whatever comes of it:
    /// no task of a step that severs begins before.
    LookBefore,
    /// Nothing is left to do: look once more before the run ends, and answer with [`Input::LookedAfter`] whatever
    /// comes of it.
    LookAfter {
        /// With every negative probe of the plan as well, not only at the services?
        probes: bool,
    },
}

/// What bounds the engine from outside the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Jobs running at the same time, over all hosts.
    pub jobs_at_once: u32,
    /// Jobs running at the same time behind one jump host.
    pub jobs_per_jump_host: u32,
    /// Is somebody there to answer? If not, a run that only waits for people stops, resumable.
    pub attended: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { jobs_at_once: 256, jobs_per_jump_host: 32, attended: true }
    }
}
