//! Reads hosts and groups: settings and variables complete, groups of groups resolved.

use super::cycle::{self, Edges};
use super::grammar::inventory::{Defaults, Group as GroupShape, Host as HostShape};
use super::known::{Kind, Known};
use super::settings::{Jump, Settings, SettingsReader, ssh_only};
use super::shapes::{At, Entries, TextOr};
use super::sink::{Sink, near_hint};
use super::values::{optional, vars};
use crate::model::Problem;
use crate::model::inventory::{Host, Vars};
use crate::model::names::{GroupName, HostName, ZoneName};
use crate::model::place::{Located, Span};
use std::collections::{BTreeMap, BTreeSet};

/// Groups as they were written.
#[derive(Debug, Default)]
pub(super) struct Groups {
    members: BTreeMap<String, Vec<Located<String>>>,
    vars: BTreeMap<String, Vars>,
    /// All hosts of each group, groups of groups resolved.
    hosts: BTreeMap<String, BTreeSet<String>>,
    /// How many groups a group stands within, at most: deeper ones have the last word.
    depth: BTreeMap<String, usize>,
}

impl Groups {
    /// Reads groups and reports members that are not there, and groups that hold themselves.
    pub(super) fn read(sink: &Sink<'_>, known: &Known, groups: Option<At<Entries<GroupShape>>>) -> Self {
        let mut read = Self::default();
        for (key, group) in optional(groups).unwrap_or_default().0 {
            let (members, vars) = self::members(sink, &key, group);
            let members = members.into_iter().filter(|member| is_there(sink, known, &key, member)).collect();
            read.members.insert(key.value.clone(), members);
            read.vars.insert(key.value, vars);
        }
        let edges = read.edges();
        let circles = cycle::problems("groups", "holds", &edges);
        if circles.is_empty() {
            let inner_first = inner_first(&edges);
            (read.hosts, read.depth) = (read.resolved(&inner_first), depths(&edges, &inner_first));
        }
        circles.into_iter().for_each(|problem| sink.push(problem));
        read
    }

    /// Which groups a group holds.
    fn edges(&self) -> Edges<'_> {
        let held = |members: &'_ [Located<String>]| -> Vec<(&'_ str, Span)> {
            let groups = members.iter().filter(|member| self.members.contains_key(&member.value));
            groups
                .map(|member| {
                    (self.members.get_key_value(&member.value).expect("it is there").0.as_str(), member.span)
                })
                .collect()
        };
        self.members.iter().map(|(group, members)| (group.as_str(), held(members))).collect()
    }

    fn resolved(&self, inner_first: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
        let mut resolved: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for group in inner_first {
            let mut hosts = BTreeSet::new();
            for member in &self.members[*group] {
                match resolved.get(&member.value) {
                    Some(inner) => hosts.extend(inner.iter().cloned()),
                    None => {
                        hosts.insert(member.value.clone());
                    }
                }
            }
            resolved.insert((*group).to_owned(), hosts);
        }
        resolved
    }

    /// Groups by name, each with all its hosts.
    pub(super) fn by_name(&self) -> BTreeMap<GroupName, Vec<HostName>> {
        let hosts = |hosts: &BTreeSet<String>| hosts.iter().cloned().map(HostName).collect();
        self.hosts.iter().map(|(group, members)| (GroupName(group.clone()), hosts(members))).collect()
    }

    /// The groups of each host, those that have the last word about variables last.
    fn of_hosts(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut groups: Vec<&str> = self.hosts.keys().map(String::as_str).collect();
        groups.sort_by_key(|group| (self.depth.get(*group).copied().unwrap_or(0), *group));
        let mut of_hosts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for group in groups {
            for host in &self.hosts[group] {
                of_hosts.entry(host).or_default().push(group);
            }
        }
        of_hosts
    }
}

/// Groups that hold no circle, each after all that it holds.
fn inner_first<'a>(edges: &Edges<'a>) -> Vec<&'a str> {
    let mut waiting: BTreeMap<&str, usize> = edges.iter().map(|(group, held)| (*group, held.len())).collect();
    let mut holders: BTreeMap<&str, Vec<&'a str>> = BTreeMap::new();
    for (group, held) in edges {
        for (inner, _) in held {
            holders.entry(inner).or_default().push(group);
        }
    }
    let mut ready: Vec<&'a str> =
        edges.iter().filter(|(_, held)| held.is_empty()).map(|(group, _)| *group).collect();
    let mut order = Vec::with_capacity(edges.len());
    while let Some(group) = ready.pop() {
        order.push(group);
        for holder in holders.get(group).into_iter().flatten() {
            let left = waiting.get_mut(holder).expect("every holder is a group");
            *left -= 1;
            if *left == 0 {
                ready.push(holder);
            }
        }
    }
    order
}

fn depths(edges: &Edges<'_>, inner_first: &[&str]) -> BTreeMap<String, usize> {
    let mut depths: BTreeMap<String, usize> = BTreeMap::new();
    for group in inner_first.iter().rev() {
        let depth = *depths.entry((*group).to_owned()).or_insert(0);
        for (inner, _) in &edges[group] {
            let known = depths.entry((*inner).to_owned()).or_insert(0);
            *known = (*known).max(depth + 1);
        }
    }
    depths
}

/// Members and variables of one group, in whichever form they were written.
fn members(sink: &Sink<'_>, key: &Located<String>, group: At<GroupShape>) -> (Vec<Located<String>>, Vars) {
    let span = group.span;
    let mut items = optional(Some(group)).unwrap_or_default().0;
    let listed =
        items.len() > 1 || items.first().is_some_and(|item| matches!(item.value, Some(TextOr::Text(_))));
    if !listed && items.len() == 1 {
        if let Some(TextOr::Other(shape)) = items.pop().and_then(|item| item.value) {
            let hosts = optional(shape.hosts).unwrap_or_default().0;
            return (hosts.into_iter().filter_map(At::located).collect(), vars(shape.vars));
        }
        return (Vec::new(), Vars::new());
    }
    let mut names = Vec::new();
    for item in items {
        match item.value {
            Some(TextOr::Text(name)) => names.push(Located::new(name, item.span)),
            Some(TextOr::Other(_)) => {
                let what = format!("group `{}` mixes names and maps", key.value);
                let problem = Problem::error("wrong-type", what).at(item.span).also(span, "the group");
                sink.push(problem.hint("write a list of names, or one map `{ hosts: […], vars: {…} }`"));
            }
            None => {}
        }
    }
    (names, Vars::new())
}

/// Is a member of a group a host or a group? If not, that is reported.
fn is_there(sink: &Sink<'_>, known: &Known, group: &Located<String>, member: &Located<String>) -> bool {
    let found = [Kind::Host, Kind::Group].into_iter().any(|kind| known.place(kind, &member.value).is_some());
    if !found {
        let what = format!(
            "group `{}` holds `{}`, which is neither a host nor a group",
            group.value,
            member.value.escape_debug()
        );
        let mut problem = Problem::error("unknown-host", what).at(member.span);
        let names = known.names(Kind::Host).chain(known.names(Kind::Group));
        problem.hint = near_hint(&member.value, "hosts and groups", names);
        sink.push(problem);
    }
    found
}

/// Reads hosts: settings complete, variables of inventory and groups beneath their own.
pub(super) fn read(
    reader: &SettingsReader<'_, '_>,
    groups: &Groups,
    inventory_vars: &Vars,
    defaults: Option<At<Defaults>>,
    hosts: Option<At<Entries<HostShape>>>,
) -> BTreeMap<HostName, Host> {
    let (sink, known) = (reader.sink, reader.known);
    let defaults = optional(defaults)
        .map_or_else(Settings::default, |mut shape| reader.read("`defaults`", shape.settings()));
    let of_hosts = groups.of_hosts();
    let mut jumps: BTreeMap<String, (String, Span)> = BTreeMap::new();
    let mut locals: BTreeSet<String> = BTreeSet::new();
    let mut read = BTreeMap::new();
    for (key, shape) in optional(hosts).unwrap_or_default().0 {
        let Some(mut shape) = shape.value else { continue };
        let owner = format!("host `{}`", key.value);
        let settings_shape = shape.settings();
        let idle = ssh_only(&settings_shape);
        let settings = reader.read(&owner, settings_shape);
        let local = settings.is_local(&defaults);
        let address = address(sink, &key, local, shape.address);
        if local {
            locals.insert(key.value.clone());
            for (setting, span) in idle {
                let what = format!("`{setting}` means nothing on {owner}, which is the controller itself");
                sink.push(
                    Problem::error("key-not-here", what).at(span).hint("take it out, or `connection: local`"),
                );
            }
        }
        match settings.jump.as_ref().or(defaults.jump.as_ref()) {
            Some(Jump::Through(through, span))
                if !local && (settings.jump.is_some() || through.as_str() != key.value) =>
            {
                jumps.insert(key.value.clone(), (through.0.clone(), *span));
            }
            Some(Jump::Through(..) | Jump::None) | None => {}
        }
        let zone = shape.zone.and_then(At::located);
        let zone = zone.filter(|zone| known.check(sink, Kind::Zone, &owner, zone));
        let in_groups = of_hosts.get(key.value.as_str()).map(Vec::as_slice).unwrap_or_default();
        let mut all_vars = inventory_vars.clone();
        for group in in_groups {
            all_vars.extend(groups.vars[*group].clone());
        }
        all_vars.extend(vars(shape.vars));
        let mut group_names: Vec<GroupName> = in_groups.iter().map(|group| GroupName::from(*group)).collect();
        group_names.sort_unstable();
        let name = HostName(key.value);
        let reach = settings.reach(&defaults, name.as_str(), address);
        let zone = zone.map(|zone| ZoneName(zone.value));
        read.insert(
            name.clone(),
            Host { name, zone, reach, groups: group_names, vars: all_vars, span: key.span },
        );
    }
    check_jumps(sink, &jumps, &locals);
    read
}

/// The address of a host that needs one.
fn address(sink: &Sink<'_>, key: &Located<String>, local: bool, field: Option<At<String>>) -> Option<String> {
    let host = &key.value;
    let Some(field) = field else {
        if !local {
            let problem =
                Problem::error("missing-address", format!("host `{host}` has no address")).at(key.span);
            sink.push(
                problem
                    .hint("add `address: NAME-OR-IP`, or `connection: local` if it is the controller itself"),
            );
        }
        return None;
    };
    let address = field.located()?;
    let text = address.value.as_str();
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '@' | '[' | ']');
    if local {
        let what = format!("`address` means nothing on host `{host}`, which is the controller itself");
        let problem = Problem::error("key-not-here", what).at(address.span);
        sink.push(problem.hint("take it out, or `connection: local`"));
    } else if text.is_empty() || text.starts_with('-') || text.contains(odd) {
        let what = format!("`{}` is no address", text.escape_debug());
        let problem = Problem::error("bad-address", what).at(address.span);
        sink.push(problem.hint("write a host name or an IP address; user and port have keys of their own"));
    } else if text.matches(':').count() == 1 {
        let problem = Problem::error("bad-address", format!("`{text}` holds a port")).at(address.span);
        sink.push(problem.hint("give the port its own key: `port: 22`"));
    }
    if host == "localhost" && !local {
        let problem = Problem::error("reserved-name", "`localhost` is the controller itself").at(key.span);
        sink.push(problem.hint("add `connection: local`, or call the host something else"));
    }
    Some(address.value)
}

fn check_jumps(sink: &Sink<'_>, jumps: &BTreeMap<String, (String, Span)>, locals: &BTreeSet<String>) {
    let edges: Edges<'_> = jumps
        .iter()
        .map(|(host, (through, span))| (host.as_str(), vec![(through.as_str(), *span)]))
        .collect();
    cycle::problems("hosts", "goes through", &edges).into_iter().for_each(|problem| sink.push(problem));
    for (host, (through, span)) in jumps {
        if locals.contains(through) {
            let what = format!("host `{host}` goes through `{through}`, which is the controller itself");
            sink.push(Problem::error("wrong-value", what).at(*span).hint("take `jump` out"));
        }
    }
}
