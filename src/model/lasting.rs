//! What a step does besides running once: lasting for a while, and starting with others.

use super::runbook::Share;
use super::time::Millis;
use serde::{Deserialize, Serialize};

/// What must go on being true for a while after a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch<P> {
    /// For so long.
    #[serde(rename = "for")]
    pub length: Millis,
    /// From the start of one round of probes to the start of the next.
    pub every: Millis,
    /// All of these must agree in every round. Never empty.
    pub probes: Vec<P>,
    /// So many rounds in a row may miss before the step has failed.
    pub tolerate: u32,
}

/// How a step starts on all its hosts at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Together {
    /// So many hosts must be ready, or all of them.
    pub quorum: Option<Share>,
    /// A host that is not ready in this time will not be.
    pub within: Millis,
}
