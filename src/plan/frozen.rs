//! The frozen plan: what a runbook and an inventory compile to, and all that a run needs to know of them.
//!
//! A plan is data. It is written once into the run directory and hashed; a run, its resumes, its rollback
//! and its reports read nothing else. Scripts are stored once a step; what differs from host to host are
//! the values of a task, so that ten thousand hosts cost ten thousand small maps and not ten thousand scripts.

use super::choices::Choices;
pub use super::service::PlannedService;
use super::site::PlannedSite;
use crate::model::guard::Guard;
use crate::model::inventory::Reach;
use crate::model::names::{
    ConduitName, GroupName, HostIx, HostName, PhaseId, PhaseIx, SecretName, StepId, StepIx, TaskIx, ZoneName,
};
use crate::model::probe::{Expect, Probe};
use crate::model::runbook::{Approve, Backup, Fetch, Moment, Policy, Retry, Upload, Watch};
use crate::model::secret::SecretSource;
use crate::model::signers::SignersFile;
use crate::model::{Millis, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of this format that this program writes. It reads this one and all before it.
pub const PLAN_VERSION: u32 = 1;

/// A frozen plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// `PLAN_VERSION` of the program that wrote it.
    pub version: u32,
    /// The runbook's name.
    pub runbook: String,
    /// The runbook's summary.
    pub summary: Option<String>,
    /// The inventory's name.
    pub inventory: String,
    /// Parameters as given or defaulted.
    pub params: BTreeMap<String, serde_json::Value>,
    /// Where each secret that the plan names comes from.
    pub secrets: BTreeMap<SecretName, SecretSource>,
    /// Hosts that tasks, probes or jumps need, sorted by name.
    pub hosts: Vec<PlannedHost>,
    /// Phases in their order.
    pub phases: Vec<PlannedPhase>,
    /// Steps in file order; those of one phase stand side by side.
    pub steps: Vec<PlannedStep>,
    /// Tasks; those of one step stand side by side, in host name order.
    pub tasks: Vec<PlannedTask>,
    /// Objectives.
    pub objectives: Vec<PlannedObjective>,
    /// Zones and conduits, and where the controller stands: what the plan must know to say who still reaches whom.
    #[serde(default, skip_serializing_if = "PlannedSite::is_empty")]
    pub site: PlannedSite,
    /// Who may approve with a signature, if a step asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvers: Option<PlannedApprovers>,
    /// Services of the inventory, sorted by name: what is watched while the plan is carried out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<PlannedService>,
}

/// Who may approve with a signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedApprovers {
    /// Their keys.
    pub signers: SignersFile,
    /// The principal of a login name, where the one does not begin with the other.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub logins: BTreeMap<String, String>,
}

/// A host as the plan knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedHost {
    /// Its name.
    pub name: HostName,
    /// Its zone.
    pub zone: Option<ZoneName>,
    /// Its groups.
    pub groups: Vec<GroupName>,
    /// How to reach it.
    pub reach: Reach,
}

/// A phase as the plan knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedPhase {
    /// Its name.
    pub id: PhaseId,
    /// For people.
    pub title: Option<String>,
    /// What to do when a step of it fails.
    pub on_failure: Policy,
    /// Zones that no path from outside leads into once it has ended well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub isolates: Vec<ZoneName>,
    /// Its steps: from the first …
    pub first_step: StepIx,
    /// … so many. Never 0.
    pub steps: u32,
}

/// A step as the plan knows it. Scripts are shell texts in which values stand as `$bs_…` variables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Its name.
    pub id: StepId,
    /// For people.
    pub title: Option<String>,
    /// Its phase.
    pub phase: PhaseIx,
    /// Its tasks: from the first …
    pub first_task: TaskIx,
    /// … so many. Never 0: a controller's step has one task without a host.
    pub tasks: u32,
    /// What must have ended well before; sorted, without repeats. Never a later phase.
    pub needs: Vec<PlannedNeed>,
    /// What it does.
    pub action: PlannedAction,
    /// Exit 0: already so.
    pub check: Option<String>,
    /// Its stdout is kept for undo.
    pub snapshot: Option<String>,
    /// What must be true afterwards.
    pub verify: Vec<PlannedVerify>,
    /// How it is taken back.
    pub undo: PlannedUndo,
    /// Environment of its scripts: name and text with `$bs_…` variables, as inside double quotes.
    pub env: BTreeMap<String, String>,
    /// Values of `$bs_…` variables that are the same on all its hosts, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// Secrets whose values its scripts need, as variables `$bs_secret_NAME`.
    pub secrets: Vec<SecretName>,
    /// Commands that its scripts need on the host; a dry run looks for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// Does it become another user where the host says how? Becoming is the host's setting otherwise.
    pub becomes: Option<bool>,
    /// May it be run again when its end was not seen?
    pub idempotent: bool,
    /// Conduits that it cuts. Not empty: no automatic rollback takes it back.
    pub severs: Vec<ConduitName>,
    /// Isolation level at which it is carried out, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// Its guard: armed on the host before the change, confirmed over a fresh connection after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guard>,
    /// Conduits that it opens again. Its undo cuts them again, and nothing holds that up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reconnects: Vec<ConduitName>,
    /// Consent needed first.
    pub approve: Option<Approve>,
    /// Minimum wait after another step.
    pub after: Option<PlannedAfter>,
    /// Fetch steps whose files must be there, unaltered; they are among its needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<StepIx>,
    /// A moment after which none of its tasks starts any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<PlannedDeadline>,
    /// Limit of each of its jobs.
    pub timeout: Millis,
    /// Tries of `run`.
    pub retry: Retry,
    /// Sizes of its waves; they add up to the number of its tasks.
    pub waves: Vec<u32>,
    /// How many of its tasks may fail without the step failing.
    pub max_failures: u32,
    /// How long it is expected to take.
    pub estimate: Millis,
    /// Longest expected time from its start to the end of the run: what is on the critical path starts first.
    pub urgency: Millis,
    /// What must go on being true for a while after `verify`; its texts hold `{{name}}` placeholders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<Watch<Probe>>,
    /// Does it start on all its hosts at one moment?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub together: Option<PlannedTogether>,
}

/// How a step starts on all its hosts at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedTogether {
    /// So many of its tasks must be ready (or already so); `None` is every one that is not left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum: Option<u32>,
    /// A host that is not ready in this time will not be.
    pub within: Millis,
}

/// A step that must have ended well before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlannedNeed {
    /// Which one.
    pub step: StepIx,
    /// Only its task on the same host. A host that the other step does not run on has nothing to wait for.
    pub same_host: bool,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlannedAction {
    /// A script on each host.
    Run(String),
    /// A file to each host; its texts hold `{{name}}` placeholders. Where the file differs from host to host, so
    /// does its SHA-256: a placeholder too.
    Upload(Upload),
    /// Evidence from each host; a path holds `{{name}}` placeholders.
    Fetch(Fetch),
    /// A person does something: the text, with `{{name}}` placeholders.
    Manual(String),
    /// Time passes.
    Wait(Millis),
    /// A probe must agree; its texts hold `{{name}}` placeholders.
    Probe(Probe),
    /// A backup must be what it should; texts hold `{{name}}` placeholders.
    Backup(Backup),
}

/// What must be true after a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlannedVerify {
    /// A script that exits 0.
    Script(String),
    /// A probe; its texts hold `{{name}}` placeholders.
    Probe(Probe),
}

/// How a step is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlannedUndo {
    /// By this script.
    By(String),
    /// Nothing to take back.
    NotNeeded,
    /// Cannot be taken back; says why.
    Impossible(String),
}

/// A gate that time opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedAfter {
    /// Counted from the end of this step.
    pub step: StepIx,
    /// For at least so long.
    pub at_least: Millis,
}

/// A gate that time closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedDeadline {
    /// Counted from the end of this step; `None` is the start of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<StepIx>,
    /// Closed after so long.
    pub within: Millis,
}

/// A step on one host: what the engine schedules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTask {
    /// Its step.
    #[serde(rename = "s")]
    pub step: StepIx,
    /// Its host; `None` is the controller.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostIx>,
    /// Why it is left out (`when: …` false, `--limit`), if it is.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
    /// Values of its `$bs_…` variables and `{{…}}` placeholders, by name.
    #[serde(rename = "v", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
}

/// Something that must be reached within a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedObjective {
    /// What it is called.
    pub name: String,
    /// When the clock starts.
    pub from: Moment,
    /// When it stops.
    pub to: Moment,
    /// How long it may take.
    pub within: Millis,
    /// How long before its time is over the screen reminds people of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remind: Vec<Millis>,
}

impl PlannedStep {
    /// Its probes: the action if it is one, then those of `verify`.
    pub fn probes(&self) -> impl Iterator<Item = &Probe> {
        let own = match &self.action {
            PlannedAction::Probe(probe) => Some(probe),
            PlannedAction::Run(_)
            | PlannedAction::Upload(_)
            | PlannedAction::Fetch(_)
            | PlannedAction::Manual(_)
            | PlannedAction::Wait(_)
            | PlannedAction::Backup(_) => None,
        };
        let verifying = self.verify.iter().filter_map(|verify| match verify {
            PlannedVerify::Probe(probe) => Some(probe),
            PlannedVerify::Script(_) => None,
        });
        let watching = self.watch.iter().flat_map(|watch| &watch.probes);
        own.into_iter().chain(verifying).chain(watching)
    }
}

impl Plan {
    /// Every task that runs, with each of its probes that must be closed.
    pub fn negative_probes(&self) -> impl Iterator<Item = (TaskIx, &Probe)> {
        let runs =
            (0..self.tasks.len() as u32).map(TaskIx).filter(|ix| self.tasks[ix.at()].left_out.is_none());
        runs.flat_map(|ix| self.step_of(ix).probes().map(move |probe| (ix, probe)))
            .filter(|(_, probe)| probe.expect == Expect::Closed)
    }
    /// A step's tasks.
    pub fn tasks_of(
        &self,
        step: StepIx,
    ) -> impl DoubleEndedIterator<Item = TaskIx> + ExactSizeIterator + use<> {
        let step = &self.steps[step.at()];
        (step.first_task.0..step.first_task.0 + step.tasks).map(TaskIx)
    }
    /// A phase's steps.
    pub fn steps_of(
        &self,
        phase: PhaseIx,
    ) -> impl DoubleEndedIterator<Item = StepIx> + ExactSizeIterator + use<> {
        let phase = &self.phases[phase.at()];
        (phase.first_step.0..phase.first_step.0 + phase.steps).map(StepIx)
    }
    /// The step a task belongs to.
    pub fn step_of(&self, task: TaskIx) -> &PlannedStep {
        &self.steps[self.tasks[task.at()].step.at()]
    }
    /// The host a task runs on; `None` is the controller.
    pub fn host_of(&self, task: TaskIx) -> Option<&PlannedHost> {
        self.tasks[task.at()].host.map(|host| &self.hosts[host.at()])
    }
    /// A task's name for people: `step@host`, or `step` for the controller's own.
    pub fn task_name(&self, task: TaskIx) -> String {
        match self.host_of(task) {
            Some(host) => format!("{}@{}", self.step_of(task).id, host.name),
            None => self.step_of(task).id.to_string(),
        }
    }
    /// A step by its name.
    pub fn step_named(&self, id: &str) -> Option<StepIx> {
        self.steps.iter().position(|step| step.id.as_str() == id).map(|ix| StepIx(ix as u32))
    }
    /// A phase by its name.
    pub fn phase_named(&self, id: &str) -> Option<PhaseIx> {
        self.phases.iter().position(|phase| phase.id.as_str() == id).map(|ix| PhaseIx(ix as u32))
    }
    /// A host by its name.
    pub fn host_named(&self, name: &str) -> Option<HostIx> {
        self.hosts.binary_search_by(|host| host.name.as_str().cmp(name)).ok().map(|ix| HostIx(ix as u32))
    }
    /// A step's task on a host, by binary search.
    pub fn task_on(&self, step: StepIx, host: Option<HostIx>) -> Option<TaskIx> {
        let planned = &self.steps[step.at()];
        let first = planned.first_task.at();
        let tasks = &self.tasks[first..first + planned.tasks as usize];
        tasks.binary_search_by(|task| task.host.cmp(&host)).ok().map(|ix| TaskIx((first + ix) as u32))
    }
}

/// Where a plan came from; kept beside it in the run directory, outside its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The runbook file as it was named.
    pub runbook_file: String,
    /// The inventory file as it was named.
    pub inventory_file: String,
    /// When it was compiled.
    pub at: Time,
    /// What the operator chose, so that the same plan can be compiled again.
    #[serde(default)]
    pub choices: Choices,
    /// Was it made for a drill? A run that died before its first event begins as what it was to be.
    #[serde(default)]
    pub drill: bool,
    /// Was it made for a tabletop? Nothing of it is ever carried on with on hosts.
    #[serde(default)]
    pub tabletop: bool,
}
