//! Reads an inventory.

use super::approvers;
use super::grammar::inventory::Inventory as Shape;
use super::hosts::{self, Groups};
use super::known::Known;
use super::network;
use super::secrets;
use super::settings::SettingsReader;
use super::shapes::At;
use super::sink::Sink;
use super::values::{contacts, name, optional, required, vars, version};
use crate::model::Problem;
use crate::model::inventory::Inventory;
use std::path::Path;

/// Reads an inventory that stands in `directory`. What is wrong with it is in the sink, and then the value is
/// of no use.
pub(super) fn read(sink: &Sink<'_>, shape: At<Shape>, directory: &Path) -> Option<Inventory> {
    let (span, shape) = (shape.span, shape.value?);
    let known = Known::gather(sink, &shape);
    version(sink, span, shape.version);
    let title =
        required(sink, "the file", span, "name", shape.name).and_then(|title| name(sink, "site", title));
    let (controller_zone, name_servers) = optional(shape.controller)
        .map(|controller| network::controller(sink, &known, controller))
        .unwrap_or_default();
    let zones = network::zones(shape.zones);
    let conduits = network::conduits(sink, &known, shape.conduits);
    let services = network::services(sink, &known, shape.services);
    let secrets = secrets::read(sink, shape.secrets, directory);
    let contacts = contacts(shape.contacts);
    let approvers = approvers::read(sink, shape.approvers, directory);
    let vars = vars(shape.vars);
    let groups = Groups::read(sink, &known, shape.groups);
    match &shape.hosts {
        None => sink.push(Problem::error("missing-key", "the file has no `hosts`").at(span)),
        Some(At { span, value: Some(hosts) }) if hosts.0.is_empty() => {
            sink.push(Problem::error("empty-value", "the inventory has no hosts").at(*span));
        }
        Some(_) => {}
    }
    let reader = SettingsReader { sink, known: &known, directory };
    let hosts = hosts::read(&reader, &groups, &vars, shape.defaults, shape.hosts);
    Some(Inventory {
        name: title?.value,
        controller_zone,
        name_servers,
        zones,
        conduits,
        services,
        hosts,
        groups: groups.by_name(),
        vars,
        secrets: secrets?,
        approvers: approvers?,
        contacts,
    })
}
