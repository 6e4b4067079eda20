//! Graduated isolation: which level a step belongs to, and what stopping at a level leaves out.

use crate::model::inventory::LEVELS;
use crate::model::runbook::{Runbook, Step};
use crate::model::{Inventory, Problem, Problems};
use std::collections::BTreeMap;

/// What `--until` is followed by when it names a level. No phase or step can be called so.
const LEVEL: &str = "level:";

/// The level a step belongs to: the one it says, else the highest of the conduits that it severs.
pub fn of_step(inventory: &Inventory, step: &Step) -> Option<u8> {
    let said = step.level.as_ref().map(|level| level.value);
    said.or_else(|| highest_severed(inventory, step).map(|(level, _)| level))
}

/// The highest level among the conduits a step severs, and one that has it.
fn highest_severed<'a>(inventory: &Inventory, step: &'a Step) -> Option<(u8, &'a str)> {
    let levels = step.severs.iter().filter_map(|severed| {
        let conduit = inventory.conduits.get(&severed.value)?;
        Some((conduit.level?, severed.value.as_str()))
    });
    levels.max_by_key(|(level, _)| *level)
}

/// A step below the level of what it severs would cut too early: worth a word.
pub fn check(inventory: &Inventory, step: &Step, problems: &mut Problems) {
    if let Some(said) = &step.level
        && let Some((level, conduit)) = highest_severed(inventory, step)
        && said.value < level
    {
        let what = format!(
            "step `{}` belongs to level {} and severs `{conduit}`, which belongs to level {level}",
            step.id.value, said.value
        );
        let hint = format!("`--until level:{}` would cut it; raise one level or lower the other", said.value);
        problems.push(Problem::warning("level-too-low", what).at(said.span).hint(hint));
    }
}

/// The level that `--until` names, if it names one: `Err` is a level that there is not.
pub fn named(until: &str) -> Option<Result<u8, Problem>> {
    let number = until.strip_prefix(LEVEL)?;
    let level = number.parse().ok().filter(|level| LEVELS.contains(level));
    Some(level.ok_or_else(|| {
        let what = format!("`--until {until}`: there is no such level");
        Problem::error("unknown-level", what).hint("levels are `level:1`, `level:2` and `level:3`")
    }))
}

/// Steps that stopping at a level leaves out, each with the reason: those of higher levels, and whatever waits for
/// one of them.
pub fn beyond<'a>(inventory: &Inventory, runbook: &'a Runbook, stop_at: u8) -> BTreeMap<&'a str, String> {
    let steps: Vec<&Step> = runbook.phases.iter().flat_map(|phase| &phase.steps).collect();
    let mut waiting: BTreeMap<&str, Vec<&Step>> = BTreeMap::new();
    for step in &steps {
        let needs = step.needs.iter().map(|need| &need.value.step);
        for other in needs.chain(step.after.iter().map(|after| &after.step.value)) {
            waiting.entry(other.as_str()).or_default().push(step);
        }
    }
    let mut left_out = BTreeMap::new();
    let mut new = Vec::new();
    for step in &steps {
        if let Some(level) = of_step(inventory, step).filter(|level| *level > stop_at) {
            left_out.insert(step.id.value.as_str(), format!("level {level}, after --until {LEVEL}{stop_at}"));
            new.push(step.id.value.as_str());
        }
    }
    // In file order, so that of several reasons the first in the file is told.
    new.reverse();
    while let Some(gone) = new.pop() {
        for step in waiting.get(gone).into_iter().flatten() {
            let id = step.id.value.as_str();
            if !left_out.contains_key(id) {
                left_out.insert(id, format!("needs `{gone}`, which --until {LEVEL}{stop_at} leaves out"));
                new.push(id);
            }
        }
    }
    left_out
}
