//! Reads inventories, runbooks, scenarios and policies into the model; finds every problem at once. The only place that knows YAML.
//!
//! A file goes through three layers. `yaml` makes a tree of it, with the place of every node. `decode` fits
//! the tree to the shapes in `grammar`, which serde derives and from which the JSON Schema is made; what does
//! not fit is reported and left out. The readers (`runbook`, `step`, `inventory`, `hosts`, …) give the shapes
//! their meaning and check what serde cannot know. Only broken YAML stops a file early.

mod action;
mod approvers;
mod backup;
mod cycle;
mod decode;
mod file;
mod firing;
mod gates;
mod grammar;
mod hosts;
mod inventory;
mod known;
mod network;
mod objective;
mod order;
mod policy;
mod policy_names;
mod probe;
mod conduits;
mod rehearsed;
mod runbook;
mod scenario;
mod schema;
mod secrets;
mod settings;
mod shapes;
mod sink;
mod step;
mod template;
mod together;
mod values;
mod guard;
mod watch;
mod yaml;

pub use schema::{Which, schema};

use crate::model::place::Sources;
use crate::model::policy::Policy;
use crate::model::scenario::Scenario;
use crate::model::{Inventory, Problems, Runbook};
use decode::Decoder;
use serde::Deserialize;
use shapes::At;
use sink::Sink;
use std::collections::BTreeMap;
use std::path::Path;

/// What became of a file: the value if nothing in it forbids running, and everything found on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded<T> {
    /// The value; `None` if `problems` holds an error.
    pub value: Option<T>,
    /// Errors and warnings in file order.
    pub problems: Problems,
}

/// Reads an inventory file. Paths in it are made absolute.
pub fn inventory(sources: &mut Sources, path: &Path) -> Loaded<Inventory> {
    from_file(sources, path, inventory::read)
}

/// Reads a runbook file. Paths of its secrets are made absolute.
pub fn runbook(sources: &mut Sources, path: &Path) -> Loaded<Runbook> {
    from_file(sources, path, runbook::read)
}

/// Reads an inventory from text; `name` stands for the file in messages, and paths are relative to its directory.
pub fn inventory_text(sources: &mut Sources, name: &str, text: &str) -> Loaded<Inventory> {
    from_text(sources, name, text, directory_of(Path::new(name)), inventory::read)
}

/// Reads a runbook from text; `name` stands for the file in messages, and paths are relative to its directory.
pub fn runbook_text(sources: &mut Sources, name: &str, text: &str) -> Loaded<Runbook> {
    from_text(sources, name, text, directory_of(Path::new(name)), runbook::read)
}

/// Reads a scenario file.
pub fn scenario(sources: &mut Sources, path: &Path) -> Loaded<Scenario> {
    from_file(sources, path, scenario::read)
}

/// Reads a scenario from text; `name` stands for the file in messages.
pub fn scenario_text(sources: &mut Sources, name: &str, text: &str) -> Loaded<Scenario> {
    from_text(sources, name, text, directory_of(Path::new(name)), scenario::read)
}

/// Reads a policy file. Paths of runbooks and inventories in it are made absolute.
pub fn policy(sources: &mut Sources, path: &Path) -> Loaded<Policy> {
    from_file(sources, path, policy::read)
}

/// Reads a policy from text; `name` stands for the file in messages, and paths are relative to its directory.
pub fn policy_text(sources: &mut Sources, name: &str, text: &str) -> Loaded<Policy> {
    from_text(sources, name, text, directory_of(Path::new(name)), policy::read)
}

/// Checks a policy against those of its runbooks that could be read: steps and services that it names must exist.
pub fn named_by_policy(policy: &Policy, read: &BTreeMap<String, (Runbook, Inventory)>) -> Problems {
    policy_names::check(policy, read)
}

/// Checks a scenario against a runbook and an inventory: steps, phases and hosts that it names must exist.
pub fn rehearsed(inventory: &Inventory, runbook: &Runbook, scenario: &Scenario) -> Problems {
    rehearsed::check(inventory, runbook, scenario)
}

/// Checks a runbook against an inventory: conduits, probe hosts and host patterns that it names must exist.
pub fn together(inventory: &Inventory, runbook: &Runbook) -> Problems {
    together::check(inventory, runbook)
}

/// Gives the shape of a file its meaning.
type Read<S, T> = fn(&Sink<'_>, At<S>, &Path) -> Option<T>;

fn from_file<S: for<'de> Deserialize<'de>, T>(
    sources: &mut Sources,
    path: &Path,
    read: Read<S, T>,
) -> Loaded<T> {
    match file::read(path) {
        Ok(text) => {
            let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            from_text(sources, &path.display().to_string(), &text, directory_of(&absolute), read)
        }
        Err(problem) => Loaded { value: None, problems: Problems(vec![problem]) },
    }
}

fn from_text<S: for<'de> Deserialize<'de>, T>(
    sources: &mut Sources,
    name: &str,
    text: &str,
    directory: &Path,
    read: Read<S, T>,
) -> Loaded<T> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.len() > file::BYTES_MAX {
        return Loaded { value: None, problems: Problems(vec![file::too_large(name)]) };
    }
    let source = sources.add(name, text);
    let sink = Sink::new(source, text);
    let root = yaml::read(&sink);
    let shape = root.as_ref().and_then(|root| At::<S>::deserialize(Decoder::new(root, &sink)).ok());
    let value = shape.and_then(|shape| read(&sink, shape, directory));
    let problems = sink.into_problems();
    debug_assert!(value.is_some() || problems.any_error(), "a file without a value has a problem");
    Loaded { value: value.filter(|_| !problems.any_error()), problems }
}

fn directory_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}
