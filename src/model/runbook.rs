//! A runbook as its author wrote it, checked in itself but not yet against an inventory.
//!
//! Texts marked *template* may hold `{{ expressions }}` (minijinja) over `params`, `host`, `groups`,
//! `inventory`, `vars` and `secrets`; the plan resolves them.

use super::guard::Guard;
use super::inventory::Vars;
pub use super::lasting::{Together, Watch};
use super::names::{ConduitName, PhaseId, SecretName, StepId, ZoneName};
pub use super::objective::{Moment, Objective};
use super::place::{Located, Span};
use super::probe::Probe;
use super::secret::SecretSource;
use super::signers::{Approvers, SignersFile};
use super::time::Millis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A runbook.
#[derive(Debug, Clone, PartialEq)]
pub struct Runbook {
    /// Its name; `run` asks the operator to type it.
    pub name: String,
    /// What it is for, in a sentence.
    pub summary: Option<String>,
    /// What must be given on the command line.
    pub params: BTreeMap<String, Param>,
    /// Variables of the runbook, beneath those of inventory, groups and hosts.
    pub vars: Vars,
    /// Secrets that templates may name.
    pub secrets: BTreeMap<SecretName, SecretSource>,
    /// What must be reached by when.
    pub objectives: Vec<Objective>,
    /// Phases in their order.
    pub phases: Vec<Phase>,
    /// Who may approve with a signature; takes the place of what the inventory says.
    pub approvers: Option<Approvers>,
    /// Whom to call, in file order, before those of the inventory. No part of a plan.
    pub contacts: Vec<(String, String)>,
}

/// A parameter of a runbook, given by `-e name=value`.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// What kind of value.
    pub kind: ParamKind,
    /// Must it be given?
    pub required: bool,
    /// The value if it is not given.
    pub default: Option<serde_json::Value>,
    /// For `validate`, `--help` and the report.
    pub description: Option<String>,
    /// The only values allowed, if any are listed.
    pub choices: Vec<serde_json::Value>,
    /// Where it was written.
    pub span: Span,
}

/// What kind of value a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParamKind {
    /// Any text.
    #[default]
    String,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
}

/// A stretch of a runbook. It starts when the phase before it has ended well.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// Its name.
    pub id: Located<PhaseId>,
    /// For people.
    pub title: Option<String>,
    /// What to do when a step of it fails.
    pub on_failure: Policy,
    /// Zones that no path from outside leads into once it has ended well: a claim, checked when the plan is made.
    pub isolates: Vec<Located<ZoneName>>,
    /// Its steps; `needs` alone orders them.
    pub steps: Vec<Step>,
}

/// What to do when a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Start nothing new, let running tasks end; the run can be resumed.
    #[default]
    Stop,
    /// As `stop`, then take back the phase that failed.
    Rollback,
    /// As `stop`, then take back the whole run.
    RollbackRun,
    /// Only what depends on the failed step is not run.
    Continue,
    /// Ask the operator.
    Ask,
}

/// One declared action on a set of hosts.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its name, unique in the runbook.
    pub id: Located<StepId>,
    /// For people.
    pub title: Option<String>,
    /// Host pattern; `None` is the controller's own step (`manual`, `wait`, a probe).
    pub on: Option<Located<String>>,
    /// What must have ended well before.
    pub needs: Vec<Located<Need>>,
    /// Expression (no braces) that must yield true or false for each host at plan time.
    pub when: Option<Located<String>>,
    /// Conduits that this step cuts.
    pub severs: Vec<Located<ConduitName>>,
    /// Isolation level at which it is carried out; `None` is the highest level of what it severs, if that has any.
    pub level: Option<Located<u8>>,
    /// Conduits that this step opens again. Its undo cuts them again.
    pub reconnects: Vec<Located<ConduitName>>,
    /// What it does.
    pub action: Action,
    /// Script template: exit 0 means it is already so, and the step is skipped.
    pub check: Option<Located<String>>,
    /// Script template: its stdout is kept for undo, in the file `$BLACKSTART_SNAPSHOT` names.
    pub snapshot: Option<Located<String>>,
    /// What must be true afterwards, in order.
    pub verify: Vec<Located<Verify>>,
    /// How it is taken back.
    pub undo: Located<Undo>,
    /// Environment for its scripts; values are templates.
    pub env: BTreeMap<String, Located<String>>,
    /// Commands that its scripts need on the host; a dry run looks for them.
    pub requires: Vec<String>,
    /// Become root (or another user) for its scripts; `None` is the host's setting.
    pub becomes: Option<bool>,
    /// May it be run again when its end was not seen?
    pub idempotent: bool,
    /// Its guard.
    pub guard: Option<Guard>,
    /// A person's consent is needed first.
    pub approve: Option<Approve>,
    /// A minimum wait after another step.
    pub after: Option<After>,
    /// Limit of each job of it.
    pub timeout: Millis,
    /// What to do when `run` fails.
    pub retry: Retry,
    /// Waves of hosts; empty is all at once.
    pub batch: Vec<Share>,
    /// How many hosts may fail without the step failing; unless it says so, none, or those that a quorum leaves.
    pub max_failures: Option<Share>,
    /// How long it is expected to take, for the critical path.
    pub estimate: Option<Millis>,
    /// Fetch steps whose files must be in the run directory, unaltered, before it starts. Implies needs.
    pub evidence: Vec<Located<StepId>>,
    /// A moment after which it must not start any more.
    pub deadline: Option<Deadline>,
    /// What must go on being true for a while afterwards.
    pub watch: Option<Located<Watch<Located<Probe>>>>,
    /// Does it start on all hosts at one moment?
    pub together: Option<Located<Together>>,
    /// Where it was written.
    pub span: Span,
}

/// Another step that must have ended well before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Which one.
    pub step: StepId,
    /// Only on the same host, instead of on all of its hosts.
    pub same_host: bool,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Runs a script (template) on each host.
    Run(Located<String>),
    /// Copies a file of the controller to each host: atomically, checked by size and SHA-256.
    Upload(Upload),
    /// Pulls evidence from each host into the run directory, hashed.
    Fetch(Fetch),
    /// Asks a person to do something and say so.
    Manual(Located<String>),
    /// Waits.
    Wait(Millis),
    /// Probes, and goes on when the probe agrees.
    Probe(Located<Probe>),
    /// Looks at a backup, and goes on when it is whole, young enough and older than the trouble.
    Backup(Located<Backup>),
}

/// What must be true of a backup before anything is restored from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// Absolute path on the host of a list of checksums, as `sha256sum` writes it (template).
    pub manifest: String,
    /// Directory on the host where relative names in it start (template); `None` is the manifest's own.
    pub files_in: Option<String>,
    /// What says when the backup was taken.
    pub taken: Taken,
    /// How old it may be.
    pub max_age: Option<Millis>,
    /// It must have been taken before this moment, in RFC 3339 (template).
    pub before: Option<String>,
    /// Who must have signed the manifest.
    pub signature: Option<ManifestSignature>,
}

/// What says when a backup was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Taken {
    /// The time of the manifest's last change.
    ManifestTime,
    /// A moment in RFC 3339 (template).
    At(String),
    /// The first line of a file on the host, in RFC 3339 (template, absolute path).
    File(String),
}

/// A detached signature of a manifest, as `ssh-keygen -Y sign` makes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestSignature {
    /// Absolute path on the host (template).
    pub file: String,
    /// The namespace it was made in.
    pub namespace: String,
    /// Who may have made it.
    pub signers: SignersFile,
}

/// A file to put on hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Path on the controller (template), relative to the runbook's directory.
    pub file: String,
    /// Absolute path on the host (template).
    pub to: String,
    /// Permission bits, such as `0o644`.
    pub mode: u32,
    /// `user` or `user:group` to own it (template); `None` is whoever writes it.
    pub owner: Option<String>,
    /// SHA-256 of the content as 64 hexadecimal digits, filled in by the plan: what was reviewed is what is sent.
    pub sha256: Option<String>,
}

/// Evidence to pull from hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fetch {
    /// A file, by absolute path (template).
    File {
        /// Where it is on the host.
        path: String,
    },
    /// The stdout of a read-only script (template).
    Output {
        /// The script.
        script: String,
        /// File name it gets in the evidence directory.
        name: String,
    },
}

/// Something that must be true after a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Verify {
    /// A script (template) on the task's host that exits 0.
    Script(String),
    /// A probe.
    Probe(Probe),
}

/// How a step is taken back. The author always says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// By this script (template).
    By(String),
    /// It changes nothing that would have to be taken back.
    NotNeeded,
    /// It cannot be taken back; says why.
    Impossible(String),
}

/// A gate that people open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// How many different people must consent.
    pub people: u32,
    /// For how long a consent counts, from when it was given until the step starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Millis>,
    /// Must each consent be signed?
    #[serde(default, skip_serializing_if = "is_false")]
    pub signed: bool,
    /// The only principals whose consent counts; empty is whoever may sign. The plan has no groups in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
    /// Does the person who started the run count for nothing? Plans of earlier programs do not say so.
    #[serde(default, skip_serializing_if = "is_false")]
    pub others: bool,
}

impl Approve {
    /// So many people, unsigned, whoever they are.
    pub fn of(people: u32) -> Self {
        Self { people, within: None, signed: false, by: Vec::new(), others: false }
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// A gate that time opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    /// Counted from the end of this step on all its hosts.
    pub step: Located<StepId>,
    /// For at least so long.
    pub at_least: Millis,
}

/// A gate that time closes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    /// Counted from the end of this step; `None` is the start of the run.
    pub from: Option<Located<StepId>>,
    /// Closed after so long.
    pub within: Millis,
}

/// How often and how soon a failed `run` is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Tries in all; 1 is no retry.
    pub attempts: u32,
    /// Pause before the second try; it doubles each time, up to `RETRY_DELAY_MAX`.
    pub delay: Millis,
}

/// A number of hosts, or a share of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// So many.
    Hosts(u32),
    /// So many in a hundred, rounded up for batches and down for failures.
    Percent(u8),
}

/// A step that says nothing else may take five minutes: long enough for a service restart, short enough to notice.
pub const TIMEOUT_DEFAULT: Millis = Millis::from_secs(300);
/// Beyond this a doubling pause no longer helps anybody.
pub const RETRY_DELAY_MAX: Millis = Millis::from_secs(300);
/// More tries than this is a loop, not a retry.
pub const RETRY_ATTEMPTS_MAX: u32 = 100;
