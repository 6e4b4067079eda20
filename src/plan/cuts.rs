//! What a step severs or reconnects: whether it is there, and whether all of the step is carried out.

use super::select::Selection;
use super::values::few;
use crate::model::inventory::Host;
use crate::model::names::ConduitName;
use crate::model::problem::nearest;
use crate::model::runbook::Step;
use crate::model::{Inventory, Problem, Problems};

/// Checks a step that runs on so many of these hosts.
pub fn check(
    inventory: &Inventory,
    selection: &Selection<'_>,
    step: &Step,
    hosts: &[Option<&Host>],
    running: usize,
    problems: &mut Problems,
) {
    conduits(inventory, selection, step, running, problems);
    limit(selection, step, hosts, running, problems);
}

/// What is severed or reconnected must exist; a cut that is left out is worth a word.
fn conduits(
    inventory: &Inventory,
    selection: &Selection<'_>,
    step: &Step,
    running: usize,
    problems: &mut Problems,
) {
    let id = &step.id.value;
    let severed = step.severs.iter().map(|conduit| ("severs", conduit));
    let reconnected = step.reconnects.iter().map(|conduit| ("reconnects", conduit));
    for (verb, conduit) in severed.chain(reconnected) {
        if !inventory.conduits.contains_key(&conduit.value) {
            let what = format!("step `{id}` {verb} `{}`, which no conduit is called", conduit.value);
            let problem = Problem::error("unknown-conduit", what).at(conduit.span);
            let names = inventory.conduits.keys().map(ConduitName::as_str);
            problems.push(match nearest(conduit.value.as_str(), names) {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None => problem.hint("declare it under `conduits:` of the inventory"),
            });
        }
    }
    // Who stops at a level has asked for this, and reads it in the plan's head.
    let asked_for = selection.by_level && selection.step_left_out(step).is_some();
    if running == 0 && !step.severs.is_empty() && !asked_for {
        let names: Vec<&str> = step.severs.iter().map(|conduit| conduit.value.as_str()).collect();
        let what = format!("step `{id}` is left out, so {} will not be cut", few(&names));
        problems.push(Problem::warning("cut-left-out", what).at(step.id.span));
    }
}

/// A cut that `--limit` carries out on some of its hosts only may leave open what it says it severs.
fn limit(
    selection: &Selection<'_>,
    step: &Step,
    hosts: &[Option<&Host>],
    running: usize,
    problems: &mut Problems,
) {
    let left = hosts.iter().flatten().filter(|host| selection.host_left_out(&host.name).is_some());
    let left: Vec<&str> = left.map(|host| host.name.as_str()).collect();
    if running > 0 && !left.is_empty() && !step.severs.is_empty() {
        let what = format!("step `{}` cuts, and `--limit` leaves out {}", step.id.value, few(&left));
        let problem = Problem::warning("cut-partly-left-out", what).at(step.id.span);
        problems.push(problem.hint("what it severs counts as cut all the same; look whether it is"));
    }
}
