//! How far apart hosts started that were to start at one moment.

use super::words;
use crate::engine::{RunState, Salvo};
use crate::model::names::{StepId, StepIx};
use serde::Serialize;

/// What the first firing of a step came to, as far as the controller could measure it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FiredFacts {
    /// The step.
    pub step: StepId,
    /// Hosts that answered that they started.
    pub hosts: u32,
    /// Hosts whose answer was not seen.
    pub unheard: u32,
    /// Their starts lie surely at least so far apart, in microseconds; 0 if that cannot be told.
    pub skew_min_us: u64,
    /// Their starts lie surely at most so far apart, in microseconds.
    pub skew_max_us: u64,
}

impl FiredFacts {
    /// Of every step that was fired and measured, in plan order.
    pub fn all(state: &RunState) -> Vec<Self> {
        let steps = state.plan().steps.iter().enumerate();
        let facts = steps.filter_map(|(ix, step)| {
            let Salvo { hosts, unheard, skew_us } = state.step(StepIx(ix as u32)).salvo()?;
            let (skew_min_us, skew_max_us) = skew_us;
            Some(Self { step: step.id.clone(), hosts, unheard, skew_min_us, skew_max_us })
        });
        facts.collect()
    }
}

/// The section of the recap: a line a step.
pub fn section(fired: &[FiredFacts]) -> String {
    let line = |facts: &FiredFacts| {
        let &FiredFacts { hosts, unheard, skew_min_us, skew_max_us, .. } = facts;
        let salvo = Salvo { hosts, unheard, skew_us: (skew_min_us, skew_max_us) };
        format!("  {}: {}\n", facts.step, words::salvo(&salvo))
    };
    fired.iter().map(line).collect()
}
