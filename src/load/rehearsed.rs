//! Checks a scenario against a runbook and an inventory: whatever it names must be there.

use super::sink::near_hint;
use crate::model::inventory::Inventory;
use crate::model::names::{PhaseId, StepId};
use crate::model::pattern::Pattern;
use crate::model::place::Located;
use crate::model::runbook::{Policy, Runbook, Step};
use crate::model::scenario::{Fault, Scenario, When};
use crate::model::{Problem, Problems};

/// Every step, phase and host that a scenario names and the runbook or the inventory has not.
pub(super) fn check(inventory: &Inventory, runbook: &Runbook, scenario: &Scenario) -> Problems {
    let mut checker = Checker { inventory, runbook, problems: Problems::default() };
    for (id, _) in &scenario.durations {
        checker.step("durations", id);
    }
    for person in &scenario.people {
        person.answers.iter().chain(&person.refuses).for_each(|id| {
            checker.step(&format!("`{}`", person.name), id);
        });
    }
    for (id, _) in &scenario.decisions {
        checker.decision(id);
    }
    for fault in &scenario.faults {
        match fault {
            Fault::Step { step, on, .. } => {
                let found = checker.step("a fault", step);
                if let (Some(found), Some(on)) = (found, on) {
                    checker.hosts_of(found, on);
                }
            }
            Fault::Unreachable { hosts, .. } => checker.hosts(hosts),
        }
    }
    for inject in &scenario.injects {
        match &inject.when {
            When::Start => {}
            When::Phase(id) => drop(checker.phase("an inject", id)),
            When::Step(id) => drop(checker.step("an inject", id)),
        }
    }
    checker.problems.in_file_order()
}

struct Checker<'a> {
    inventory: &'a Inventory,
    runbook: &'a Runbook,
    problems: Problems,
}

impl<'a> Checker<'a> {
    fn step(&mut self, owner: &str, id: &Located<StepId>) -> Option<&'a Step> {
        let steps = || self.runbook.phases.iter().flat_map(|phase| &phase.steps);
        let found = steps().find(|step| step.id.value == id.value);
        if found.is_none() {
            let named = id.value.as_str().escape_debug();
            let what = format!("{owner}: `{named}` is no step of the runbook");
            let mut problem = Problem::error("unknown-step", what).at(id.span);
            let names: Vec<&str> = steps().map(|step| step.id.value.as_str()).collect();
            problem.hint = near_hint(id.value.as_str(), "steps", names);
            self.problems.push(problem);
        }
        found
    }

    fn phase(&mut self, owner: &str, id: &Located<PhaseId>) -> Option<Policy> {
        let found = self.runbook.phases.iter().find(|phase| phase.id.value == id.value);
        if found.is_none() {
            let named = id.value.as_str().escape_debug();
            let what = format!("{owner}: `{named}` is no phase of the runbook");
            let mut problem = Problem::error("unknown-phase", what).at(id.span);
            let names: Vec<&str> = self.runbook.phases.iter().map(|phase| phase.id.value.as_str()).collect();
            problem.hint = near_hint(id.value.as_str(), "phases", names);
            self.problems.push(problem);
        }
        found.map(|phase| phase.on_failure)
    }

    /// A phase that asks nobody needs no answer.
    fn decision(&mut self, id: &Located<PhaseId>) {
        if self.phase("decisions", id).is_some_and(|policy| policy != Policy::Ask) {
            let what = format!("phase `{}` asks nobody when a step fails", id.value);
            let problem = Problem::warning("idle-decision", what).at(id.span);
            self.problems.push(problem.hint("it would be asked with `on_failure: ask`"));
        }
    }

    fn hosts(&mut self, pattern: &Located<String>) {
        let any =
            Pattern::parse(&pattern.value).is_ok_and(|parsed| !parsed.select(self.inventory).is_empty());
        if !any {
            let what = format!("`{}` matches no host of the inventory", pattern.value);
            let mut problem = Problem::error("no-hosts", what).at(pattern.span);
            let names: Vec<&str> = self.inventory.hosts.keys().map(|name| name.as_str()).collect();
            problem.hint = near_hint(&pattern.value, "hosts", names);
            self.problems.push(problem);
        }
    }

    fn hosts_of(&mut self, step: &Step, pattern: &Located<String>) {
        let before = self.problems.0.len();
        self.hosts(pattern);
        let Some(on) = step.on.as_ref().filter(|_| self.problems.0.len() == before) else { return };
        let (Ok(own), Ok(hit)) = (Pattern::parse(&on.value), Pattern::parse(&pattern.value)) else { return };
        let own = own.select(self.inventory);
        if !hit.select(self.inventory).iter().any(|host| own.iter().any(|other| other.name == host.name)) {
            let what = format!("step `{}` does not run on `{}`", step.id.value, pattern.value);
            let problem = Problem::error("no-hosts", what).at(pattern.span);
            self.problems.push(problem.also(on.span, "it runs on these"));
        }
    }
}
