//! Which steps and hosts the operator's choices leave out, and why. What is left out stays in the plan, with its reason.

use super::choices::Choices;
use super::frozen::Plan;
use super::level;
use crate::model::names::HostName;
use crate::model::pattern::Pattern;
use crate::model::problem::nearest;
use crate::model::runbook::{Runbook, Step};
use crate::model::{Inventory, Problem, Problems};
use std::collections::{BTreeMap, BTreeSet};

/// How the reason begins for which a condition leaves something out; every other reason is the operator's choice.
pub(super) const WHEN_IS_FALSE: &str = "when is false: ";

/// Why a plan is not all of its runbook, if the operator chose less (`--limit`, `--phase`, `--until`): the first reason.
pub fn narrowed(plan: &Plan) -> Option<&str> {
    let mut reasons = plan.tasks.iter().filter_map(|task| task.left_out.as_deref());
    reasons.find(|reason| !reason.starts_with(WHEN_IS_FALSE))
}

/// What is left out before any condition is looked at.
pub struct Selection<'a> {
    limit: Option<(&'a str, BTreeSet<&'a HostName>)>,
    /// Steps that `--phase` and `--until` leave out, and why.
    steps: BTreeMap<&'a str, String>,
    /// Does `--until` name a level?
    pub by_level: bool,
}

impl<'a> Selection<'a> {
    /// Reads the choices; what names nothing is a problem.
    pub fn new(
        inventory: &'a Inventory,
        runbook: &'a Runbook,
        choices: &'a Choices,
        problems: &mut Problems,
    ) -> Self {
        let limit = choices
            .limit
            .as_deref()
            .and_then(|text| limited(inventory, text).map_err(|problem| problems.push(problem)).ok());
        let all = || runbook.phases.iter().flat_map(|phase| &phase.steps).map(|step| step.id.value.as_str());
        let without = |kept: BTreeSet<&str>, reason: String| -> BTreeMap<&'a str, String> {
            all().filter(|id| !kept.contains(id)).map(|id| (id, reason.clone())).collect()
        };
        let beside_phase = choices
            .phase
            .as_deref()
            .map(|id| only_phase(runbook, id).map(|kept| without(kept, format!("not in --phase {id}"))));
        let after_until = choices.until.as_deref().map(|until| match level::named(until) {
            Some(level) => level.map(|level| level::beyond(inventory, runbook, level)),
            None => self::until(runbook, until).map(|kept| without(kept, format!("after --until {until}"))),
        });
        let both = matches!((&beside_phase, &after_until), (Some(Ok(_)), Some(Ok(_))));
        let mut steps = BTreeMap::new();
        for part in [after_until, beside_phase].into_iter().flatten() {
            match part {
                Ok(part) => steps.extend(part),
                Err(problem) => problems.push(problem),
            }
        }
        if both && all().all(|id| steps.contains_key(id)) {
            problems.push(Problem::error("nothing-selected", "--phase and --until together leave no step"));
        }
        let by_level = choices.until.as_deref().is_some_and(|until| level::named(until).is_some());
        Self { limit, steps, by_level }
    }

    /// Why a step is left out on every host, if it is.
    pub fn step_left_out(&self, step: &Step) -> Option<&str> {
        self.steps.get(step.id.value.as_str()).map(String::as_str)
    }

    /// Why a host is left out of every step, if it is.
    pub fn host_left_out(&self, host: &HostName) -> Option<String> {
        let (text, hosts) = self.limit.as_ref()?;
        (!hosts.contains(host)).then(|| format!("not in --limit {text}"))
    }
}

fn limited<'a>(
    inventory: &'a Inventory,
    text: &'a str,
) -> Result<(&'a str, BTreeSet<&'a HostName>), Problem> {
    let pattern = Pattern::parse(text)
        .map_err(|error| Problem::error("limit-pattern", format!("`--limit {text}`: {}", error.what)))?;
    let hosts: BTreeSet<&HostName> = pattern.select(inventory).into_iter().map(|host| &host.name).collect();
    if hosts.is_empty() {
        let problem = Problem::error("limit-matches-nothing", format!("`--limit {text}` matches no host"));
        return Err(hint_names(problem, &pattern, inventory));
    }
    Ok((text, hosts))
}

/// Adds the nearest host or group to a problem with a pattern that matches nothing.
pub fn hint_names(problem: Problem, pattern: &Pattern, inventory: &Inventory) -> Problem {
    let known = || {
        inventory
            .hosts
            .keys()
            .map(HostName::as_str)
            .chain(inventory.groups.keys().map(|group| group.as_str()))
    };
    let unknown = pattern.names().find(|name| !known().any(|known| known == *name));
    match unknown.map(|name| (name, nearest(name, known()))) {
        Some((name, Some(near))) => {
            problem.hint(format!("no host or group is called `{name}`; did you mean `{near}`?"))
        }
        Some((name, None)) => problem.hint(format!("no host or group is called `{name}`")),
        None => problem,
    }
}

fn only_phase<'a>(runbook: &'a Runbook, id: &str) -> Result<BTreeSet<&'a str>, Problem> {
    match runbook.phases.iter().find(|phase| phase.id.value.as_str() == id) {
        Some(phase) => Ok(phase.steps.iter().map(|step| step.id.value.as_str()).collect()),
        None => {
            let ids = || runbook.phases.iter().map(|phase| phase.id.value.as_str());
            let problem =
                Problem::error("unknown-phase", format!("`--phase {id}`: no phase is called `{id}`"));
            Err(match nearest(id, ids()) {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None => problem.hint(format!("the phases are: {}", ids().collect::<Vec<_>>().join(", "))),
            })
        }
    }
}

/// Everything up to the end of a phase, or up to a step in file order with all that those steps need.
fn until<'a>(runbook: &'a Runbook, id: &str) -> Result<BTreeSet<&'a str>, Problem> {
    let steps: Vec<(usize, &Step)> = runbook
        .phases
        .iter()
        .enumerate()
        .flat_map(|(at, phase)| phase.steps.iter().map(move |step| (at, step)))
        .collect();
    let last = match runbook.phases.iter().position(|phase| phase.id.value.as_str() == id) {
        Some(at) => steps.iter().rposition(|(phase, _)| *phase == at),
        None => steps.iter().position(|(_, step)| step.id.value.as_str() == id),
    };
    let Some(last) = last else {
        let ids = runbook.phases.iter().map(|phase| phase.id.value.as_str());
        let ids = ids.chain(steps.iter().map(|(_, step)| step.id.value.as_str()));
        let problem =
            Problem::error("unknown-step", format!("`--until {id}`: no phase or step is called `{id}`"));
        return Err(match nearest(id, ids) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem,
        });
    };
    let mut selected: BTreeSet<&str> =
        steps[..=last].iter().map(|(_, step)| step.id.value.as_str()).collect();
    let mut todo: Vec<&Step> = steps[..=last].iter().map(|(_, step)| *step).collect();
    while let Some(step) = todo.pop() {
        let needs = step
            .needs
            .iter()
            .map(|need| &need.value.step)
            .chain(step.after.iter().map(|after| &after.step.value));
        for need in needs {
            if let Some((_, step)) = steps.iter().find(|(_, step)| step.id.value == *need)
                && selected.insert(step.id.value.as_str())
            {
                todo.push(step);
            }
        }
    }
    Ok(selected)
}
