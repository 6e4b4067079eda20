//! The shape of a runbook.

use super::approvers::{Approvers, Backup};
use super::probe::Probe;
use crate::load::shapes::{At, Entries, Length, Mode, OneOrMany, Plain, Portion, TextOr, Version};
use crate::model::guard::Otherwise;
use crate::model::runbook::{ParamKind, Policy};
use crate::model::secret::SecretSource;
use schemars::JsonSchema;
use serde::Deserialize;

/// A runbook: phases of steps, with objectives.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Runbook")]
pub(in crate::load) struct Runbook {
    /// The version of this format: 1.
    #[schemars(required)]
    pub(in crate::load) version: Option<At<Version>>,
    /// What the runbook is called; `run` asks the operator to type it.
    #[schemars(required)]
    pub(in crate::load) name: Option<At<String>>,
    /// What it is for, in a sentence.
    pub(in crate::load) summary: Option<At<String>>,
    /// Values given on the command line by `-e name=value`; templates read `params.name`.
    pub(in crate::load) params: Option<At<Entries<Param>>>,
    /// Variables of the runbook; templates read `vars.name`.
    pub(in crate::load) vars: Option<At<Entries<serde_json::Value>>>,
    /// Secrets that scripts may name as `{{ secrets.name }}`, and where each comes from.
    pub(in crate::load) secrets: Option<At<Entries<SecretSource>>>,
    /// People who may approve with a signature, instead of those of the inventory.
    pub(in crate::load) approvers: Option<At<Approvers>>,
    /// Whom to call, for `blackstart print`: who or which duty, and how. Not part of the plan, so that a new telephone
    /// number is no other plan.
    pub(in crate::load) contacts: Option<At<Entries<String>>>,
    /// What must be reached by when.
    pub(in crate::load) objectives: Option<At<Vec<At<Objective>>>>,
    /// Phases, carried out one after the other.
    #[schemars(required)]
    pub(in crate::load) phases: Option<At<Vec<At<Phase>>>>,
}

/// A parameter of a runbook.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Param", extend("type" = ["object", "null"]))]
pub(in crate::load) struct Param {
    /// `string` (the default), `integer` or `boolean`.
    #[serde(rename = "type")]
    pub(in crate::load) kind: Option<At<ParamKind>>,
    /// Must it be given? By default it must if there is no `default`.
    pub(in crate::load) required: Option<At<bool>>,
    /// The value if it is not given.
    pub(in crate::load) default: Option<At<Plain>>,
    /// What it means, for people.
    pub(in crate::load) description: Option<At<String>>,
    /// The only values allowed.
    pub(in crate::load) choices: Option<At<Vec<At<Plain>>>>,
}

/// Something that must be reached within a time.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Objective")]
pub(in crate::load) struct Objective {
    /// What it is called.
    #[schemars(required)]
    pub(in crate::load) name: Option<At<String>>,
    /// When the clock starts: `start` (the default), `phase ID`, `step ID`, `probe ID` (the probes of a
    /// step agreed), `service NAME up`, `service NAME down` or `backup ID` (the backup that a step looks at was taken).
    pub(in crate::load) from: Option<At<String>>,
    /// When it stops: `phase ID`, `step ID`, `probe ID`, `service NAME up` or `service NAME down`; after `backup ID` also `start`.
    #[schemars(required)]
    pub(in crate::load) to: Option<At<String>>,
    /// How long it may take.
    #[schemars(required)]
    pub(in crate::load) within: Option<At<Length>>,
    /// How long before its time is over the screen reminds people of it: one or many lengths.
    pub(in crate::load) remind: Option<At<OneOrMany<Length>>>,
}

/// A stretch of a runbook. It starts when the phase before it has ended well.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Phase")]
pub(in crate::load) struct Phase {
    /// What the phase is called; unique in the runbook.
    #[schemars(required)]
    pub(in crate::load) id: Option<At<String>>,
    /// A title for people.
    pub(in crate::load) name: Option<At<String>>,
    /// What to do when a step fails: `stop` (the default), `rollback`, `rollback_run`, `continue` or `ask`.
    pub(in crate::load) on_failure: Option<At<Policy>>,
    /// Zones that nobody gets into from outside any more once the phase has ended well: checked when the plan is made.
    pub(in crate::load) isolates: Option<At<OneOrMany<String>>>,
    /// Its steps; `needs` alone orders them.
    #[schemars(required)]
    pub(in crate::load) steps: Option<At<Vec<At<Step>>>>,
}

/// One action on a set of hosts. Exactly one of `run`, `upload`, `fetch`, `manual`, `wait`, `probe` and
/// `backup`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Step", extend("oneOf" = [
    {"required": ["run", "on", "undo"]}, {"required": ["upload", "on", "undo"]}, {"required": ["fetch", "on"]},
    {"required": ["manual"]}, {"required": ["wait"]}, {"required": ["probe"]}, {"required": ["backup", "on"]}
]))]
pub(in crate::load) struct Step {
    /// What the step is called; unique in the runbook.
    #[schemars(required)]
    pub(in crate::load) id: Option<At<String>>,
    /// A title for people.
    pub(in crate::load) name: Option<At<String>>,
    /// The hosts it runs on: names, groups, globs, `a,b`, `a:&b`, `a:!b`, `all`.
    pub(in crate::load) on: Option<At<String>>,
    /// Steps that must have ended well before.
    pub(in crate::load) needs: Option<At<OneOrMany<TextOr<Need>>>>,
    /// An expression that must be true for the step to run on a host; judged when the plan is made.
    pub(in crate::load) when: Option<At<String>>,
    /// Conduits that the step cuts. An automatic rollback never takes such a step back.
    pub(in crate::load) severs: Option<At<OneOrMany<String>>>,
    /// Isolation level at which it is carried out: `run --until level:N` leaves higher ones out. By default the highest
    /// level of the conduits that it severs.
    #[schemars(range(min = 1, max = 3))]
    pub(in crate::load) level: Option<At<u8>>,
    /// Conduits that the step opens again. Its undo cuts them again, and an automatic rollback always takes it back.
    pub(in crate::load) reconnects: Option<At<OneOrMany<String>>>,

    /// A POSIX sh script to run on each host.
    pub(in crate::load) run: Option<At<String>>,
    /// A file of the controller to put on each host.
    pub(in crate::load) upload: Option<At<Upload>>,
    /// Evidence to pull from each host: the path of a file, or a read-only script's output.
    pub(in crate::load) fetch: Option<At<TextOr<Fetch>>>,
    /// Something that a person does and says so.
    pub(in crate::load) manual: Option<At<String>>,
    /// A time to let pass.
    pub(in crate::load) wait: Option<At<Length>>,
    /// A probe that must agree before the run goes on.
    pub(in crate::load) probe: Option<At<Probe>>,
    /// A backup that must be whole, young enough and older than the trouble. Only looks.
    pub(in crate::load) backup: Option<At<Backup>>,

    /// A read-only script: exit 0 means it is already so, and the step is skipped.
    pub(in crate::load) check: Option<At<String>>,
    /// A read-only script whose stdout is kept for `undo`, in the file `$BLACKSTART_SNAPSHOT` names.
    pub(in crate::load) snapshot: Option<At<String>>,
    /// What must be true afterwards, in order: scripts that exit 0, and probes.
    pub(in crate::load) verify: Option<At<OneOrMany<TextOr<Probe>>>>,
    /// Probes that must go on agreeing for a while after `verify`.
    pub(in crate::load) watch: Option<At<Watch>>,
    /// How the step is taken back: a script, `not_needed`, or `{ impossible: why }`.
    pub(in crate::load) undo: Option<At<TextOr<Impossible>>>,
    /// Environment variables of its scripts.
    pub(in crate::load) env: Option<At<Entries<String>>>,
    /// Commands that its scripts need on the host, such as `nft`; a dry run looks for them.
    pub(in crate::load) requires: Option<At<OneOrMany<String>>>,
    /// Run its scripts with the rights of the host's `become` setting? By default yes, where the host has one.
    #[serde(rename = "become")]
    pub(in crate::load) becomes: Option<At<bool>>,
    /// May it be run again if its end was not seen? By default no.
    pub(in crate::load) idempotent: Option<At<bool>>,
    /// A timer armed on the host before the change: it holds or takes it back unless a fresh connection gets through.
    pub(in crate::load) guard: Option<At<Guard>>,
    /// People who must consent before it starts.
    pub(in crate::load) approve: Option<At<Approve>>,
    /// Fetch steps whose files must be in the run's directory, unaltered, before it starts.
    pub(in crate::load) evidence: Option<At<OneOrMany<String>>>,
    /// A moment after which it does not start any more.
    pub(in crate::load) deadline: Option<At<Deadline>>,
    /// A minimum wait after another step.
    pub(in crate::load) after: Option<At<After>>,
    /// Limit of each of its jobs; 5m by default, 24h at most.
    pub(in crate::load) timeout: Option<At<Length>>,
    /// How often a failed `run` is tried again; by default not at all.
    pub(in crate::load) retry: Option<At<Retry>>,
    /// Sizes of waves of hosts, such as `[1, 25%, 100%]`; by default all at once.
    pub(in crate::load) batch: Option<At<OneOrMany<Portion>>>,
    /// Start on all hosts at one moment: `true`, or how many hosts must be ready and by when.
    pub(in crate::load) together: Option<At<TextOr<Together>>>,
    /// How many hosts may fail without the step failing; by default none.
    pub(in crate::load) max_failures: Option<At<Portion>>,
    /// How long it is expected to take, for the critical path.
    pub(in crate::load) estimate: Option<At<Length>>,
}

/// A step that must have ended well before.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Need")]
pub(in crate::load) struct Need {
    /// Which one.
    #[schemars(required)]
    pub(in crate::load) step: Option<At<String>>,
    /// Only on the same host, instead of on all of its hosts?
    pub(in crate::load) same_host: Option<At<bool>>,
}

/// Probes that must go on agreeing for a while.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Watch")]
pub(in crate::load) struct Watch {
    /// How long they must agree.
    #[serde(rename = "for")]
    #[schemars(required)]
    pub(in crate::load) length: Option<At<Length>>,
    /// From the start of one round of probes to the start of the next; 30s by default.
    pub(in crate::load) every: Option<At<Length>>,
    /// Probes that must all agree in every round.
    #[schemars(required)]
    pub(in crate::load) probes: Option<At<OneOrMany<Probe>>>,
    /// So many rounds in a row may miss before the step has failed; by default none.
    #[schemars(range(max = 1000))]
    pub(in crate::load) tolerate: Option<At<u32>>,
}

/// How a step starts on all its hosts at one moment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Together")]
pub(in crate::load) struct Together {
    /// So many hosts must be ready, or a share of them; by default all.
    pub(in crate::load) quorum: Option<At<Portion>>,
    /// A host that is not ready in this time will not be; 10s by default, 1h at most.
    pub(in crate::load) within: Option<At<Length>>,
}

/// A timer on the host.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Guard")]
pub(in crate::load) struct Guard {
    /// A fresh connection must get through in this time, counted on the host; at least 5s.
    #[schemars(required)]
    pub(in crate::load) within: Option<At<Length>>,
    /// What the host does if none did: `hold` (the default in a live run) or `revert` (the default in a drill).
    pub(in crate::load) otherwise: Option<At<Otherwise>>,
    /// Let a guard of the same kind fire on a harmless change first?
    pub(in crate::load) self_test: Option<At<bool>>,
    /// Further confirmations after the first; the last one disarms.
    pub(in crate::load) repeat: Option<At<Repeat>>,
}

/// Confirmations after the first.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Repeat")]
pub(in crate::load) struct Repeat {
    /// Pause between two of them.
    #[schemars(required)]
    pub(in crate::load) every: Option<At<Length>>,
    /// They go on for so long after the first.
    #[schemars(required)]
    #[serde(rename = "for")]
    pub(in crate::load) length: Option<At<Length>>,
}

/// A file to put on hosts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Upload")]
pub(in crate::load) struct Upload {
    /// Path on the controller, relative to the runbook's directory.
    #[schemars(required)]
    pub(in crate::load) file: Option<At<String>>,
    /// Absolute path on the host.
    #[schemars(required)]
    pub(in crate::load) to: Option<At<String>>,
    /// Permission bits in octal; `0600` by default.
    pub(in crate::load) mode: Option<At<Mode>>,
    /// `user` or `user:group` to own it; by default whoever writes it.
    pub(in crate::load) owner: Option<At<String>>,
}

/// Evidence to pull. Exactly one of `file` and `output`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Fetch", extend("oneOf" = [{"required": ["file"]}, {"required": ["output", "name"]}]))]
pub(in crate::load) struct Fetch {
    /// Absolute path of a file on the host.
    pub(in crate::load) file: Option<At<String>>,
    /// A read-only script whose stdout is the evidence.
    pub(in crate::load) output: Option<At<String>>,
    /// The file name that `output` gets in the evidence directory.
    pub(in crate::load) name: Option<At<String>>,
}

/// A step that cannot be taken back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Undo")]
pub(in crate::load) struct Impossible {
    /// Why it cannot be taken back.
    #[schemars(required)]
    pub(in crate::load) impossible: Option<At<String>>,
}

/// A gate that people open.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Approve")]
pub(in crate::load) struct Approve {
    /// How many different people must consent.
    #[schemars(required, range(min = 1, max = 100))]
    pub(in crate::load) people: Option<At<u32>>,
    /// For how long a consent counts, from when it was given until the step starts; for ever by default.
    pub(in crate::load) within: Option<At<Length>>,
    /// Must each consent be signed with an SSH key? By default no.
    pub(in crate::load) signed: Option<At<bool>>,
    /// The only people whose consent counts: groups of approvers, principals or login names.
    pub(in crate::load) by: Option<At<OneOrMany<String>>>,
}

/// A gate that time closes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Deadline")]
pub(in crate::load) struct Deadline {
    /// `start` (the default), or the step from whose end it is counted.
    pub(in crate::load) from: Option<At<String>>,
    /// Closed after so long.
    #[schemars(required)]
    pub(in crate::load) within: Option<At<Length>>,
}

/// A gate that time opens.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "After")]
pub(in crate::load) struct After {
    /// Counted from the end of this step on all its hosts.
    #[schemars(required)]
    pub(in crate::load) step: Option<At<String>>,
    /// For at least so long.
    #[schemars(required)]
    pub(in crate::load) at_least: Option<At<Length>>,
}

/// How often and how soon a failed `run` is tried again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Retry")]
pub(in crate::load) struct Retry {
    /// Tries in all, 1 to 100; 1 is no retry.
    #[schemars(required, range(min = 1, max = 100))]
    pub(in crate::load) attempts: Option<At<u32>>,
    /// Pause before the second try; it doubles each time. 5s by default.
    pub(in crate::load) delay: Option<At<Length>>,
}
