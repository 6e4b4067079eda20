//! Reads zones, conduits, services, and where the controller stands.

use super::cycle::{self, Edges};
use super::grammar::inventory::{
    Conduit as ConduitShape, Controller as ControllerShape, Service as ServiceShape, Trust, Zone as ZoneShape,
};
use super::known::{Kind, Known};
use super::probe::ProbeContext;
use super::shapes::{At, Entries};
use super::sink::Sink;
use super::values::{YEAR, length, level_of_isolation, optional};
use crate::model::Problem;
use crate::model::inventory::{Conduit, Service, ServicePlace, Zone};
use crate::model::names::{ConduitName, HostName, ServiceName, ZoneName};
use crate::model::place::Located;
use crate::model::probe::{Probe, Vantage};
use std::collections::BTreeMap;

/// Reads zones.
pub(super) fn zones(zones: Option<At<Entries<ZoneShape>>>) -> BTreeMap<ZoneName, Zone> {
    let entries = optional(zones).unwrap_or_default().0;
    let zones = entries.into_iter().filter_map(|(key, shape)| {
        let shape = shape.value?;
        let zone = Zone {
            external: optional(shape.trust) == Some(Trust::External),
            assume_compromised: optional(shape.assume_compromised).unwrap_or(false),
            critical: optional(shape.critical).unwrap_or(false),
            span: key.span,
        };
        Some((ZoneName(key.value), zone))
    });
    zones.collect()
}

/// Reads where the controller stands, and whom it asks for addresses.
pub(super) fn controller(
    sink: &Sink<'_>,
    known: &Known,
    shape: ControllerShape,
) -> (Option<ZoneName>, Vec<HostName>) {
    let zone = shape.zone.and_then(At::located);
    let zone = zone.filter(|zone| known.check(sink, Kind::Zone, "`controller`", zone));
    let servers = optional(shape.name_servers).unwrap_or_default().0;
    let servers = servers.into_iter().filter_map(At::located);
    let servers = servers.filter(|host| known.check(sink, Kind::Host, "`controller`", host));
    (zone.map(|zone| ZoneName(zone.value)), servers.map(|host| HostName(host.value)).collect())
}

/// Reads conduits.
pub(super) fn conduits(
    sink: &Sink<'_>,
    known: &Known,
    conduits: Option<At<Entries<ConduitShape>>>,
) -> BTreeMap<ConduitName, Conduit> {
    let entries = optional(conduits).unwrap_or_default().0;
    let conduits = entries.into_iter().filter_map(|(key, shape)| {
        let conduit = conduit(sink, known, &key, shape.value?)?;
        Some((ConduitName(key.value), conduit))
    });
    conduits.collect()
}

fn conduit(sink: &Sink<'_>, known: &Known, key: &Located<String>, shape: ConduitShape) -> Option<Conduit> {
    let owner = format!("conduit `{}`", key.value);
    let enforced_by = shape.enforced_by.and_then(At::located);
    let enforced_by = enforced_by.filter(|host| known.check(sink, Kind::Host, &owner, host));
    let level = shape.level.map(|level| level_of_isolation(sink, level));
    let both_ways = shape.between.is_some();
    let ends = match (shape.between, shape.from, shape.to) {
        (Some(between), None, None) => {
            let (span, zones) = (between.span, between.value?);
            let Ok([first, second]) = <[At<String>; 2]>::try_from(zones) else {
                let what = format!("{owner} must lie between two zones");
                sink.push(Problem::error("wrong-value", what).at(span).hint("write `between: [ZONE, ZONE]`"));
                return None;
            };
            [first, second]
        }
        (None, Some(from), Some(to)) => [from, to],
        _ => {
            let problem =
                Problem::error("one-of", format!("{owner} needs `between`, or `from` and `to`")).at(key.span);
            sink.push(
                problem.hint("write `between: [ZONE, ZONE]` for both ways, `from: ZONE, to: ZONE` for one"),
            );
            return None;
        }
    };
    let ends = ends.map(|end| end.located().filter(|zone| known.check(sink, Kind::Zone, &owner, zone)));
    let [Some(first), Some(second)] = ends else { return None };
    if first.value == second.value {
        let what = format!("{owner} leads from zone `{}` to itself", first.value);
        sink.push(Problem::error("wrong-value", what).at(second.span).hint("name two different zones"));
    }
    Some(Conduit {
        ends: (ZoneName(first.value), ZoneName(second.value)),
        both_ways,
        enforced_by: enforced_by.map(|host| HostName(host.value)),
        level: level.flatten().map(|level| level.value),
        out_of_band: optional(shape.out_of_band).unwrap_or(false),
        span: key.span,
    })
}

/// Reads services, and reports those that need each other in a circle.
pub(super) fn services(
    sink: &Sink<'_>,
    known: &Known,
    services: Option<At<Entries<ServiceShape>>>,
) -> BTreeMap<ServiceName, Service> {
    let mut needs: BTreeMap<String, Vec<Located<String>>> = BTreeMap::new();
    let mut read = BTreeMap::new();
    for (key, shape) in optional(services).unwrap_or_default().0 {
        let Some(mut shape) = shape.value else { continue };
        let owner = format!("service `{}`", key.value);
        let own = optional(shape.needs.take()).unwrap_or_default().0;
        let own = own.into_iter().filter_map(At::located);
        let own: Vec<Located<String>> =
            own.filter(|need| known.check(sink, Kind::Service, &owner, need)).collect();
        if let Some(service) = service(sink, known, &key, shape, &own) {
            read.insert(ServiceName(key.value.clone()), service);
        }
        needs.insert(key.value, own);
    }
    let edges: Edges<'_> = needs
        .iter()
        .map(|(service, needs)| {
            (service.as_str(), needs.iter().map(|need| (need.value.as_str(), need.span)).collect())
        })
        .collect();
    cycle::problems("services", "needs", &edges).into_iter().for_each(|problem| sink.push(problem));
    read
}

fn service(
    sink: &Sink<'_>,
    known: &Known,
    key: &Located<String>,
    shape: ServiceShape,
    needs: &[Located<String>],
) -> Option<Service> {
    let owner = format!("service `{}`", key.value);
    let place = match (shape.on, shape.within) {
        (Some(host), None) => {
            let host = host.located().filter(|host| known.check(sink, Kind::Host, &owner, host));
            host.map(|host| ServicePlace::Host(HostName(host.value)))
        }
        (None, Some(zone)) => {
            let zone = zone.located().filter(|zone| known.check(sink, Kind::Zone, &owner, zone));
            zone.map(|zone| ServicePlace::Zone(ZoneName(zone.value)))
        }
        (Some(_), Some(_)) | (None, None) => {
            let problem = Problem::error("one-of", format!("{owner} needs either `on` or `in`")).at(key.span);
            sink.push(problem.hint("write `on: HOST`, or `in: ZONE` for a service from outside"));
            None
        }
    };
    let rto = shape.rto.map(|rto| length(sink, "rto", rto, YEAR));
    let probe = shape.probe.map(|probe| service_probe(sink, known, &owner, probe));
    Some(Service {
        place: place?,
        needs: needs.iter().map(|need| ServiceName(need.value.clone())).collect(),
        rto: rto.map_or(Some(None), |rto| rto.map(Some))?,
        probe: probe.map_or(Some(None), |probe| probe.map(Some))?,
        span: key.span,
    })
}

fn service_probe(
    sink: &Sink<'_>,
    known: &Known,
    owner: &str,
    probe: At<super::grammar::probe::Probe>,
) -> Option<Probe> {
    let (span, shape) = (probe.span, probe.value?);
    let from_at = shape.from.as_ref().map_or(span, |from| from.span);
    let probe = ProbeContext { sink, templates: None, on_host: false }.read(shape, span)?;
    if let Some(Vantage::Host(host)) = &probe.from {
        known.check(sink, Kind::Host, owner, &Located::new(host.0.clone(), from_at));
    }
    Some(probe)
}
