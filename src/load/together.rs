//! Checks a runbook against an inventory: whatever the one names must be in the other.

use super::sink::near_hint;
use crate::model::inventory::Inventory;
use crate::model::names::ConduitName;
use crate::model::pattern::Pattern;
use crate::model::place::{Located, Span};
use crate::model::probe::{Probe, Vantage};
use crate::model::runbook::{Action, Phase, Runbook, Step, Verify};
use crate::model::{Problem, Problems};

/// Every conduit, host and group that the runbook names and the inventory has not, and every pattern that
/// matches no host.
pub(super) fn check(inventory: &Inventory, runbook: &Runbook) -> Problems {
    let mut problems = Problems::default();
    runbook.phases.iter().for_each(|phase| isolates(inventory, phase, &mut problems));
    for step in runbook.phases.iter().flat_map(|phase| &phase.steps) {
        conduits(inventory, step, "severs", &step.severs, &mut problems);
        conduits(inventory, step, "reconnects", &step.reconnects, &mut problems);
        if let Some(on) = &step.on {
            pattern(inventory, step, on, &mut problems);
        }
        let verify = step.verify.iter().filter_map(|verify| match &verify.value {
            Verify::Probe(probe) => Some((probe, verify.span)),
            Verify::Script(_) => None,
        });
        let action = match &step.action {
            Action::Probe(probe) => Some((&probe.value, probe.span)),
            Action::Run(_)
            | Action::Upload(_)
            | Action::Fetch(_)
            | Action::Manual(_)
            | Action::Wait(_)
            | Action::Backup(_) => None,
        };
        let watch = step.watch.iter().flat_map(|watch| &watch.value.probes);
        let watch = watch.map(|probe| (&probe.value, probe.span));
        for (probe, span) in verify.chain(action).chain(watch) {
            vantage(inventory, step, probe, span, &mut problems);
        }
    }
    problems.in_file_order()
}

/// A zone in which the attacker is taken to stand cannot be kept from him.
fn isolates(inventory: &Inventory, phase: &Phase, problems: &mut Problems) {
    for zone in &phase.isolates {
        let id = &phase.id.value;
        match inventory.zones.get(&zone.value) {
            None => {
                let what =
                    format!("phase `{id}` isolates `{}`, which is no zone of the inventory", zone.value);
                let mut problem = Problem::error("unknown-zone", what).at(zone.span);
                let names = inventory.zones.keys().map(|name| name.as_str());
                problem.hint = near_hint(zone.value.as_str(), "zones", names);
                problems.push(problem);
            }
            Some(found) if found.external || found.assume_compromised => {
                let why = if found.external { "is outside" } else { "is assumed to be compromised" };
                let what = format!("phase `{id}` isolates `{}`, which {why}", zone.value);
                let problem = Problem::error("isolates-outside", what).at(zone.span);
                let problem = problem.also(found.span, "the zone");
                problems.push(problem.hint("name the zones that attackers must not get into"));
            }
            Some(_) => {}
        }
    }
}

/// `verb` is what the step does with these conduits: `severs` or `reconnects`.
fn conduits(
    inventory: &Inventory,
    step: &Step,
    verb: &str,
    named: &[Located<ConduitName>],
    problems: &mut Problems,
) {
    for conduit in named {
        match inventory.conduits.get(&conduit.value) {
            None => {
                let what = format!(
                    "step `{}` {verb} `{}`, which is no conduit of the inventory",
                    step.id.value, conduit.value
                );
                let mut problem = Problem::error("unknown-conduit", what).at(conduit.span);
                let names = inventory.conduits.keys().map(|name| name.as_str());
                problem.hint = near_hint(conduit.value.as_str(), "conduits", names);
                problems.push(problem);
            }
            Some(found) if found.out_of_band => {
                let what = format!(
                    "step `{}` {verb} `{}`, which the inventory says survives every cut",
                    step.id.value, conduit.value
                );
                let problem = Problem::warning("severs-out-of-band", what).at(conduit.span);
                problems.push(problem.also(found.span, "`out_of_band: true`"));
            }
            Some(_) => {}
        }
    }
}

fn pattern(inventory: &Inventory, step: &Step, on: &Located<String>, problems: &mut Problems) {
    let pattern = match Pattern::parse(&on.value) {
        Ok(pattern) => pattern,
        Err(error) => {
            let what = format!("`on` of step `{}`: {}", step.id.value, error.what);
            return problems.push(Problem::error("bad-pattern", what).at(on.span));
        }
    };
    let names = || {
        let hosts = inventory.hosts.keys().map(|name| name.as_str());
        hosts.chain(inventory.groups.keys().map(|name| name.as_str()))
    };
    let is_there = |name: &str| inventory.hosts.contains_key(name) || inventory.groups.contains_key(name);
    let before = problems.0.len();
    for name in pattern.names().filter(|name| !is_there(name)) {
        let what = format!("step `{}` runs on `{name}`, which is neither a host nor a group", step.id.value);
        let mut problem = Problem::error("unknown-host", what).at(word_in(on, name));
        problem.hint = near_hint(name, "hosts and groups", names());
        problems.push(problem);
    }
    if problems.0.len() == before && pattern.select(inventory).is_empty() {
        let what =
            format!("`{}` matches no host, so that step `{}` would do nothing", on.value, step.id.value);
        problems.push(
            Problem::error("no-hosts", what)
                .at(on.span)
                .hint("`blackstart inventory` lists hosts and groups"),
        );
    }
}

fn vantage(inventory: &Inventory, step: &Step, probe: &Probe, span: Span, problems: &mut Problems) {
    let Some(Vantage::Host(host)) = &probe.from else { return };
    if inventory.hosts.contains_key(host) {
        return;
    }
    let what = format!(
        "a probe of step `{}` starts from `{host}`, which is no host of the inventory",
        step.id.value
    );
    let mut problem = Problem::error("unknown-host", what).at(span);
    let names = inventory.hosts.keys().map(|name| name.as_str());
    problem.hint = near_hint(host.as_str(), "hosts", names);
    problems.push(problem);
}

/// The place of a word in a text that was written without escapes; the whole text if it was written otherwise.
fn word_in(text: &Located<String>, word: &str) -> Span {
    let quote = (text.span.len as usize).checked_sub(text.value.len());
    match (quote, text.value.find(word)) {
        (Some(quotes @ (0 | 2)), Some(at)) => {
            Span { offset: text.span.offset + (quotes / 2 + at) as u32, len: word.len() as u32, ..text.span }
        }
        _ => text.span,
    }
}
