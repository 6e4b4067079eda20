//! The shape of a scenario.

use crate::load::shapes::{At, Entries, Length, OneOrMany, TextOr, Version};
use schemars::JsonSchema;
use serde::Deserialize;

/// A scenario for `blackstart tabletop`: how long things take, what goes wrong, and what the players are told.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Scenario")]
pub(in crate::load) struct Scenario {
    /// The version of this format: 1.
    #[schemars(required)]
    pub(in crate::load) version: Option<At<Version>>,
    /// What the scenario is called.
    #[schemars(required)]
    pub(in crate::load) name: Option<At<String>>,
    /// What it is about, in a sentence.
    pub(in crate::load) summary: Option<At<String>>,
    /// Earlier runs (the beginning of an id, or `last`) whose journals say how long steps and answers take.
    pub(in crate::load) learnt: Option<At<OneOrMany<String>>>,
    /// How long the action of a step takes on each host, or a manual step until it is done. By default what was
    /// learnt, else what the plan expects.
    pub(in crate::load) durations: Option<At<Entries<TextOr<Spread>>>>,
    /// The people who answer questions, by name. Where nobody is named, stand-ins answer.
    pub(in crate::load) people: Option<At<Entries<Person>>>,
    /// By phase: what is answered when a step failed and the phase says `ask`. By default `stop`.
    pub(in crate::load) decisions: Option<At<Entries<Decision>>>,
    /// What goes wrong.
    pub(in crate::load) faults: Option<At<Vec<At<Fault>>>>,
    /// What the players are told, and when.
    pub(in crate::load) injects: Option<At<Vec<At<Inject>>>>,
}

/// Anything between two lengths of time.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Spread")]
pub(in crate::load) struct Spread {
    /// The shortest.
    #[schemars(required)]
    pub(in crate::load) from: Option<At<Length>>,
    /// The longest.
    #[schemars(required)]
    pub(in crate::load) to: Option<At<Length>>,
    /// The likeliest. By default all are as likely as each other.
    pub(in crate::load) mostly: Option<At<Length>>,
}

/// Somebody who answers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Person", extend("type" = ["object", "null"]))]
pub(in crate::load) struct Person {
    /// Steps whose questions they answer. By default those of all steps.
    pub(in crate::load) answers: Option<At<OneOrMany<String>>>,
    /// How long they take: a length of time, or `from` and `to`. By default what the plan expects.
    pub(in crate::load) takes: Option<At<TextOr<Spread>>>,
    /// Steps that they refuse.
    pub(in crate::load) refuses: Option<At<OneOrMany<String>>>,
}

/// What is answered when a step of a phase failed.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Decision")]
pub(in crate::load) enum Decision {
    /// Try the failed tasks again.
    Retry,
    /// Go on with what does not depend on them.
    Continue,
    /// Stop.
    Stop,
    /// Take the phase back.
    Rollback,
    /// Take the whole run back.
    RollbackRun,
}

/// Something that goes wrong. Exactly one of `fails`, `undo_fails`, `link_lost` and `unreachable`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Fault", extend("oneOf" = [{"required": ["fails"]}, {"required": ["undo_fails"]}, {"required": ["link_lost"]}, {"required": ["unreachable"]}]))]
pub(in crate::load) struct Fault {
    /// A step whose action fails.
    pub(in crate::load) fails: Option<At<String>>,
    /// A step whose undo fails.
    pub(in crate::load) undo_fails: Option<At<String>>,
    /// A step in the middle of which the link is lost: it ends on its host, and nobody sees it.
    pub(in crate::load) link_lost: Option<At<String>>,
    /// Hosts that do not answer: a pattern.
    pub(in crate::load) unreachable: Option<At<String>>,
    /// On these hosts of the step only: a pattern.
    pub(in crate::load) on: Option<At<String>>,
    /// So many times on each host, from the first try on. By default always.
    pub(in crate::load) times: Option<At<u32>>,
    /// `unreachable` from so long after the start. By default from the start.
    pub(in crate::load) from: Option<At<Length>>,
    /// `unreachable` until so long after the start. By default to the end.
    pub(in crate::load) until: Option<At<Length>>,
}

/// Something that the players are told.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Inject")]
pub(in crate::load) struct Inject {
    /// What they are told.
    #[schemars(required)]
    pub(in crate::load) tell: Option<At<String>>,
    /// So long after the start, or after what `after` says.
    pub(in crate::load) at: Option<At<Length>>,
    /// `phase ID` or `step ID`: when it is over, well or not.
    pub(in crate::load) after: Option<At<String>>,
}
