//! The JSON Schema of each file, for editors, made from the very shapes that read them.

use super::grammar;
use schemars::generate::SchemaSettings;

/// The kinds of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Hosts, groups, zones, conduits and services of a site.
    Inventory,
    /// Phases of steps, with objectives.
    Runbook,
    /// Durations, faults and messages for a tabletop.
    Scenario,
    /// What must be rehearsed, restored or verified how often.
    Policy,
}

/// The JSON Schema of a kind of file, for editors.
pub fn schema(which: Which) -> serde_json::Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let schema = match which {
        Which::Inventory => generator.into_root_schema_for::<grammar::inventory::Inventory>(),
        Which::Runbook => generator.into_root_schema_for::<grammar::runbook::Runbook>(),
        Which::Policy => generator.into_root_schema_for::<grammar::policy::Policy>(),
        Which::Scenario => generator.into_root_schema_for::<grammar::scenario::Scenario>(),
    };
    schema.to_value()
}
