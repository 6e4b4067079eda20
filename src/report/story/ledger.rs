//! The lists of a report's data model: what was waited for, decided, seen, kept and is to be improved.

use super::told::{Fate, What};
use crate::model::Time;
use crate::model::event::Stands;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// A step of the critical path that was taken.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PathStep {
    /// The step.
    pub step: String,
    /// The host that was last; `null` is the controller.
    pub host: Option<String>,
    /// When what it waited for was there.
    #[schemars(with = "String")]
    pub from: Time,
    /// When it was over, or `told_until`.
    #[schemars(with = "String")]
    pub to: Time,
    /// Where the time between went, in milliseconds.
    pub parts: BTreeMap<What, u64>,
}

/// Something that was waited for.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Wait {
    /// What was waited for: people, hosts, a retry, a timer; `turn` where nobody carried the run on.
    pub what: What,
    /// In words.
    pub why: String,
    /// The step, if it is one.
    pub step: Option<String>,
    /// Hosts, if it is about any.
    pub hosts: Vec<String>,
    /// Since when, the first.
    #[schemars(with = "String")]
    pub from: Time,
    /// Until when, the last.
    #[schemars(with = "String")]
    pub to: Time,
    /// The longest on one host, in milliseconds.
    pub longest_ms: u64,
    /// Does it go on?
    pub open: bool,
}

/// What a person decided.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Decision {
    /// When it took effect.
    #[schemars(with = "String")]
    pub at: Time,
    /// Who.
    pub by: String,
    /// About what.
    pub about: String,
    /// What was decided.
    pub decision: String,
    /// Why, in the person's words.
    pub comment: Option<String>,
    /// Fingerprint of the key that signed it.
    pub key: Option<String>,
}

/// A question that nobody has answered.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct OpenQuestion {
    /// The question.
    pub question: String,
    /// Since when.
    #[schemars(with = "String")]
    pub since: Time,
}

/// Tasks of a step that share a fate and its reason.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Group {
    /// The step.
    pub step: String,
    /// Its phase.
    pub phase: String,
    /// The reason.
    pub why: String,
    /// Where; empty is the controller.
    pub hosts: Vec<String>,
    /// How many tasks.
    pub tasks: u32,
    /// Did the plan leave them out?
    pub left_out: bool,
    /// Last lines that the first of them printed.
    pub printed: Vec<String>,
    /// The command that gets a person onto the first host.
    pub look: Option<String>,
}

/// A conduit that is cut.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Cut {
    /// The conduit.
    pub conduit: String,
    /// The step that cuts it.
    pub step: String,
    /// Where.
    pub hosts: Vec<String>,
    /// When the step ended; `null` if it has not.
    #[schemars(with = "Option<String>")]
    pub at: Option<Time>,
    /// Is it certain, on every host?
    pub certain: bool,
    /// Did a probe or a script prove it after the cut?
    pub proved: bool,
}

/// Who got where before the run, and who does after it: a row for each zone one starts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reachability {
    /// Zones, in the order of rows and columns.
    pub zones: Vec<String>,
    /// Zones in which attackers are taken to stand.
    pub outside: Vec<String>,
    /// Zones that must be protected.
    pub critical: Vec<String>,
    /// Before the run.
    pub before: Vec<Vec<Way>>,
    /// After it, as far as its cuts are certain.
    pub after: Vec<Vec<Way>>,
}

/// How one zone is reached from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// It is the same zone.
    Same,
    /// A conduit leads straight there.
    Direct,
    /// Only from zone to zone: an attacker's way, not an operator's.
    Pivot,
    /// Not at all.
    None,
}

/// What a probe or a verify script saw.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ProbeSeen {
    /// When.
    #[schemars(with = "String")]
    pub at: Time,
    /// Its step.
    pub step: String,
    /// Its task's host; `null` is the controller.
    pub host: Option<String>,
    /// What was tried from where.
    pub what: String,
    /// What was expected.
    pub expected: String,
    /// What was seen.
    pub seen: String,
    /// Do they agree?
    pub agrees: bool,
    /// What it says about a cut.
    pub worth: Worth,
}

/// What a probe's look says about a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Worth {
    /// Open before, closed after: the cut's doing.
    Proof,
    /// Open before, closed after, as the map tells at a table: nothing was sent anywhere.
    AtTheTable,
    /// Closed, and its cut was in place when the run began.
    CutAlready,
    /// Closed, but nobody saw it open before.
    ProvesNothing,
    /// Nobody could look.
    NotTold,
    /// It is about something else than a cut.
    Observation,
}

/// How a service stood while it was watched.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ServiceTold {
    /// The service.
    pub name: String,
    /// The host it runs on, or the zone it comes from.
    pub place: String,
    /// Services it cannot do without.
    pub needs: Vec<String>,
    /// Recovery time objective, in milliseconds.
    pub rto_ms: Option<u64>,
    /// How it stood at the last look: `up`, `down` or `unknown`; `null` if nobody looked.
    #[schemars(with = "Option<String>")]
    pub stands: Option<Stands>,
    /// Time down in all, in milliseconds.
    pub down_ms: u64,
    /// The longest time down at a stretch, in milliseconds.
    pub longest_down_ms: u64,
    /// Was it up again, without another break, within its recovery time objective from when it was first seen down?
    /// `null` if it has none, nobody looked, or there is time left.
    pub within_rto: Option<bool>,
    /// Each stretch in which it stood in one way, in order.
    pub stretches: Vec<ServiceStretch>,
}

/// A stretch of time in which a service stood in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ServiceStretch {
    /// Since when.
    #[schemars(with = "String")]
    pub from: Time,
    /// Until when, or `told_until`.
    #[schemars(with = "String")]
    pub to: Time,
    /// How it stood.
    #[schemars(with = "String")]
    pub stands: Stands,
}

/// What became of a guard.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct GuardTold {
    /// When it was heard of.
    #[schemars(with = "String")]
    pub at: Time,
    /// Its step.
    pub step: String,
    /// Its host.
    pub host: Option<String>,
    /// What was heard.
    pub said: String,
    /// Is it as it should be?
    pub well: bool,
}

/// A step whose hosts started at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fired {
    /// When.
    #[schemars(with = "String")]
    pub at: Time,
    /// The step.
    pub step: String,
    /// Hosts that answered that they started.
    pub hosts: u32,
    /// Hosts whose answer was not seen.
    pub unheard: u32,
    /// Their starts lie surely at least so far apart, in microseconds; 0 if that cannot be told.
    pub skew_min_us: u64,
    /// Their starts lie surely at most so far apart, in microseconds.
    pub skew_max_us: u64,
}

/// A file that proves something.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct EvidenceTold {
    /// When it was there.
    #[schemars(with = "String")]
    pub at: Time,
    /// The step that fetched it.
    pub step: String,
    /// The host it comes from.
    pub host: Option<String>,
    /// Path below the run directory.
    pub file: String,
    /// Where it came from on the host.
    pub from: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 as 64 hexadecimal digits.
    pub sha256: String,
}

/// A backup that was looked at and found good.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct BackupTold {
    /// When it was looked at.
    #[schemars(with = "String")]
    pub at: Time,
    /// The step.
    pub step: String,
    /// The host.
    pub host: Option<String>,
    /// When it was taken.
    #[schemars(with = "String")]
    pub taken: Time,
    /// Files whose checksums fit.
    pub files: u64,
    /// SHA-256 of its manifest.
    pub manifest_sha256: String,
    /// Who signed it: principal and key fingerprint.
    pub signed_by: Option<(String, String)>,
}

/// A host.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Host {
    /// Its name; `null` is the controller.
    pub name: Option<String>,
    /// Its zone.
    pub zone: Option<String>,
    /// Login and address, and the host it is reached through.
    pub login: String,
    /// Facts of its newest connection: host key and login.
    pub reached: Option<String>,
    /// When it was first reached.
    #[schemars(with = "Option<String>")]
    pub first_reached_at: Option<Time>,
    /// Connections made.
    pub connections: u32,
    /// How many of its tasks became what.
    pub counts: BTreeMap<Fate, u32>,
    /// Time from start to end of its tasks, added up, in milliseconds.
    pub time_ms: u64,
}

/// Something to improve. Owner and due date are for people to fill in.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Improvement {
    /// What was seen in the run.
    pub observation: String,
    /// What follows from it.
    pub recommendation: String,
    /// Who sees to it: always `null`.
    pub owner: Option<String>,
    /// By when: always `null`.
    pub due: Option<String>,
}

/// The record that a story was told from.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Journal {
    /// SHA-256 of the frozen plan.
    pub plan: String,
    /// Hash of the last record, which vouches for all before it.
    pub head: String,
    /// How many records there are.
    pub records: u64,
    /// Bytes of a last line that was never committed.
    pub torn_bytes: Option<u64>,
}
