//! The shape of a policy.

use crate::load::shapes::{At, Calendar, Day, Entries, OneOrMany, Plain, Version};
use schemars::JsonSchema;
use serde::Deserialize;

/// A policy for `blackstart due` and `blackstart audit`: what must be rehearsed, restored or verified how often.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Policy")]
pub(in crate::load) struct Policy {
    /// The version of this format: 1.
    #[schemars(required)]
    pub(in crate::load) version: Option<At<Version>>,
    /// What the policy is called.
    #[schemars(required)]
    pub(in crate::load) name: Option<At<String>>,
    /// What it is about, in a sentence.
    pub(in crate::load) summary: Option<At<String>>,
    /// The time zone whose days count, such as `Asia/Tokyo` or `UTC`. By default that of the machine.
    pub(in crate::load) zone: Option<At<String>>,
    /// The day since which it is in force: what was never done is due one interval later. Without it, at once.
    pub(in crate::load) since: Option<At<Day>>,
    /// Where the files of runbooks are, by the runbook's name: so it is told whether a run was of today's plan.
    pub(in crate::load) runbooks: Option<At<Entries<RunbookFiles>>>,
    /// Runbooks that must be rehearsed.
    pub(in crate::load) rehearse: Option<At<Vec<At<Rehearse>>>>,
    /// What must be restored, in a drill or in earnest.
    pub(in crate::load) restore: Option<At<Vec<At<Restore>>>>,
    /// What must be looked at and found as it should be.
    pub(in crate::load) verify: Option<At<Vec<At<Verify>>>>,
    /// After-action items must be closed in time.
    pub(in crate::load) improve: Option<At<Improve>>,
    /// Controls that blackstart does not know of itself, by name.
    pub(in crate::load) controls: Option<At<Entries<OwnControl>>>,
}

/// The files of a runbook, relative to the policy.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RunbookFiles")]
pub(in crate::load) struct RunbookFiles {
    /// The runbook.
    #[schemars(required)]
    pub(in crate::load) runbook: Option<At<String>>,
    /// The inventory it is carried out with.
    #[schemars(required)]
    pub(in crate::load) inventory: Option<At<String>>,
    /// Values of its parameters.
    pub(in crate::load) params: Option<At<Entries<Plain>>>,
}

/// A runbook that must be rehearsed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Rehearse")]
pub(in crate::load) struct Rehearse {
    /// The runbook's name.
    #[schemars(required)]
    pub(in crate::load) runbook: Option<At<String>>,
    /// How, at least: a drill counts as a tabletop, and the real thing as both. By default `drill`.
    #[serde(rename = "as")]
    pub(in crate::load) mode: Option<At<As>>,
    /// How often: `3 months`, `15 months`, `1 year`, `30 days`.
    #[schemars(required)]
    pub(in crate::load) every: Option<At<Calendar>>,
    /// What it must come to. By default `completed`.
    pub(in crate::load) result: Option<At<Result>>,
    /// Does a run count that `--limit`, `--phase` or `--until` made smaller? By default not.
    pub(in crate::load) narrowed: Option<At<bool>>,
    /// Of which plan it must be. By default `any`.
    pub(in crate::load) plan: Option<At<Plan>>,
    /// Who sees to it.
    pub(in crate::load) owner: Option<At<String>>,
    /// The controls that ask for it. By default those that ask for such things.
    pub(in crate::load) control: Option<At<OneOrMany<String>>>,
}

/// How a runbook is rehearsed.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "As")]
pub(in crate::load) enum As {
    /// At a table.
    Tabletop,
    /// On real hosts, against the clock.
    Drill,
    /// In earnest.
    Live,
}

/// What a rehearsal must come to.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Result")]
pub(in crate::load) enum Result {
    /// It ended, in whatever way.
    Ended,
    /// Every step came through.
    Completed,
    /// Every step came through, an objective was met and none was missed.
    Met,
}

/// Of which plan a rehearsal must be.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Plan")]
pub(in crate::load) enum Plan {
    /// Of any.
    Any,
    /// Of the one that the runbook's files make today: see `runbooks`.
    Today,
}

/// Something that must be restored. Exactly one of `service`, `backup` and `step`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Restore", extend("oneOf" = [{"required": ["service"]}, {"required": ["backup"]}, {"required": ["step"]}]))]
pub(in crate::load) struct Restore {
    /// A service: it was seen down, and then up for good.
    pub(in crate::load) service: Option<At<String>>,
    /// A step that is a backup gate: it found its backup whole, and every step that needs it ended well.
    pub(in crate::load) backup: Option<At<String>>,
    /// A step: it ended well, and had something to do.
    pub(in crate::load) step: Option<At<String>>,
    /// Only in runs of this runbook.
    pub(in crate::load) runbook: Option<At<String>>,
    /// How often.
    #[schemars(required)]
    pub(in crate::load) every: Option<At<Calendar>>,
    /// Who sees to it.
    pub(in crate::load) owner: Option<At<String>>,
    /// The controls that ask for it. By default those that ask for such things.
    pub(in crate::load) control: Option<At<OneOrMany<String>>>,
}

/// Something that must be looked at. Exactly one of `backup` and `step`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Verify", extend("oneOf" = [{"required": ["backup"]}, {"required": ["step"]}]))]
pub(in crate::load) struct Verify {
    /// A step that is a backup gate: it found its backup whole.
    pub(in crate::load) backup: Option<At<String>>,
    /// A step: it ended well.
    pub(in crate::load) step: Option<At<String>>,
    /// Only in runs of this runbook.
    pub(in crate::load) runbook: Option<At<String>>,
    /// How often.
    #[schemars(required)]
    pub(in crate::load) every: Option<At<Calendar>>,
    /// Who sees to it.
    pub(in crate::load) owner: Option<At<String>>,
    /// The controls that ask for it. By default those that ask for such things.
    pub(in crate::load) control: Option<At<OneOrMany<String>>>,
}

/// After-action items must be closed in time.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Improve")]
pub(in crate::load) struct Improve {
    /// So long after the end of the run that they come from.
    #[schemars(required)]
    pub(in crate::load) within: Option<At<Calendar>>,
    /// Who sees to it.
    pub(in crate::load) owner: Option<At<String>>,
    /// The controls that ask for it. By default those that ask for such things.
    pub(in crate::load) control: Option<At<OneOrMany<String>>>,
    /// Runs whose items are closed: somebody's word, which no run shows.
    pub(in crate::load) closed: Option<At<Vec<At<Closed>>>>,
}

/// Somebody's word that the after-action items of a run are closed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Closed")]
pub(in crate::load) struct Closed {
    /// The run: its id, or the beginning of it.
    #[schemars(required)]
    pub(in crate::load) run: Option<At<String>>,
    /// The day.
    #[schemars(required)]
    pub(in crate::load) on: Option<At<Day>>,
    /// Whose word it is.
    #[schemars(required)]
    pub(in crate::load) by: Option<At<String>>,
    /// What was done.
    pub(in crate::load) note: Option<At<String>>,
}

/// A control that blackstart does not know of itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OwnControl")]
pub(in crate::load) struct OwnControl {
    /// The framework it belongs to.
    #[schemars(required)]
    pub(in crate::load) framework: Option<At<String>>,
    /// What it asks for, in a sentence.
    #[schemars(required)]
    pub(in crate::load) asks: Option<At<String>>,
}
