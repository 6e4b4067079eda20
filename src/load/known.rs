//! The names that an inventory defines, for looking up those it refers to.

use super::grammar::inventory::Inventory as Shape;
use super::shapes::{At, Entries};
use super::sink::{Sink, near_hint};
use super::values::name;
use crate::model::Problem;
use crate::model::place::{Located, Span};
use std::collections::BTreeMap;

/// Words that stand for something else where a host's name may stand.
const RESERVED_HOSTS: &[(&str, &str)] = &[
    ("all", "in host patterns it means every host"),
    ("controller", "in probes it means the controller"),
    ("task", "in probes it means the host of the task"),
    ("none", "in `jump` it means no host"),
];

/// What kind of thing a name is looked up among.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Zone,
    Conduit,
    Service,
    Host,
    Group,
    Secret,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Zone => "zone",
            Kind::Conduit => "conduit",
            Kind::Service => "service",
            Kind::Host => "host",
            Kind::Group => "group",
            Kind::Secret => "secret",
        }
    }

    fn code(self) -> &'static str {
        match self {
            Kind::Zone => "unknown-zone",
            Kind::Conduit => "unknown-conduit",
            Kind::Service => "unknown-service",
            Kind::Host => "unknown-host",
            Kind::Group => "unknown-group",
            Kind::Secret => "unknown-secret",
        }
    }
}

/// Names by kind, with where they are defined.
#[derive(Debug, Default)]
pub(super) struct Known(BTreeMap<Kind, BTreeMap<String, Span>>);

impl Known {
    /// Gathers all names; reports those that cannot be one, and hosts and groups of the same name.
    pub(super) fn gather(sink: &Sink<'_>, shape: &Shape) -> Self {
        let mut known = Self::default();
        known.add(sink, Kind::Zone, &shape.zones);
        known.add(sink, Kind::Conduit, &shape.conduits);
        known.add(sink, Kind::Service, &shape.services);
        known.add(sink, Kind::Host, &shape.hosts);
        known.add(sink, Kind::Group, &shape.groups);
        known.add(sink, Kind::Secret, &shape.secrets);
        known.check_reserved(sink);
        known
    }

    fn add<T>(&mut self, sink: &Sink<'_>, kind: Kind, entries: &Option<At<Entries<T>>>) {
        let entries = entries.as_ref().and_then(|entries| entries.value.as_ref());
        let names = self.0.entry(kind).or_default();
        for (key, _) in entries.into_iter().flat_map(|entries| &entries.0) {
            if kind != Kind::Secret {
                name(sink, kind.word(), key.clone());
            }
            names.insert(key.value.clone(), key.span);
        }
    }

    fn check_reserved(&self, sink: &Sink<'_>) {
        for (word, why) in RESERVED_HOSTS {
            let host = self.place(Kind::Host, word);
            let group = self.place(Kind::Group, word).filter(|_| *word == "all");
            for span in host.into_iter().chain(group) {
                let problem =
                    Problem::error("reserved-name", format!("`{word}` is reserved: {why}")).at(span);
                sink.push(problem.hint("call it something else"));
            }
        }
        for (name, span) in &self.0[&Kind::Group] {
            if let Some(host) = self.place(Kind::Host, name) {
                let what = format!(
                    "`{name}` is the name of a host and of a group: patterns could not tell them apart"
                );
                sink.push(Problem::error("same-name", what).at(*span).also(host, "the host"));
            }
        }
    }

    /// Where a name is defined, if it is.
    pub(super) fn place(&self, kind: Kind, name: &str) -> Option<Span> {
        self.0.get(&kind)?.get(name).copied()
    }

    /// All names of a kind.
    pub(super) fn names(&self, kind: Kind) -> impl Iterator<Item = &str> + Clone {
        self.0.get(&kind).into_iter().flatten().map(|(name, _)| name.as_str())
    }

    /// Is there a thing of this name? If not, that is reported.
    pub(super) fn check(&self, sink: &Sink<'_>, kind: Kind, owner: &str, wanted: &Located<String>) -> bool {
        let found = self.place(kind, &wanted.value).is_some();
        if !found {
            let word = kind.word();
            let what =
                format!("{owner} names the {word} `{}`, which is not there", wanted.value.escape_debug());
            let mut problem = Problem::error(kind.code(), what).at(wanted.span);
            problem.hint = near_hint(&wanted.value, &format!("{word}s"), self.names(kind));
            sink.push(problem);
        }
        found
    }
}
