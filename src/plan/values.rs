//! Works out what an expression is worth, for the whole site or for one host.

use super::expression::{Lookup, lookups};
use crate::model::inventory::{Host, Inventory, Reach};
use crate::model::names::HostName;
use crate::model::problem::nearest;
use crate::model::runbook::Runbook;
use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, ErrorKind, Expression, UndefinedBehavior};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// An expression does a handful of lookups and filters. One that takes more steps than this is a mistake.
const FUEL_MAX: u64 = 20_000;
/// A value must fit into a command line of any host, whose limit for one word is 128 KiB on Linux.
const VALUE_BYTES_MAX: usize = 100_000;
/// What SSH listens on where nobody says otherwise.
const SSH_PORT: u16 = 22;
/// What an expression may start from.
pub const ROOTS: &[&str] = &["params", "vars", "host", "inventory", "groups", "secrets"];

/// Why an expression has no usable value: the trouble, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mishap {
    /// A stable word for machines.
    pub code: &'static str,
    /// What is wrong, without naming the place.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Mishap {
    /// Joins code and text.
    pub fn new(code: &'static str, what: impl Into<String>) -> Self {
        Self { code, what: what.into(), hint: None }
    }
    /// Says what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Everything that expressions can look at.
pub struct Values {
    /// `params`, `vars`, `inventory`, `groups`.
    site: BTreeMap<String, Value>,
    hosts: BTreeMap<HostName, Value>,
}

impl Values {
    /// Gathers the values of a site and of the hosts that tasks run on.
    pub fn new(
        inventory: &Inventory,
        runbook: &Runbook,
        params: &BTreeMap<String, serde_json::Value>,
    ) -> Self {
        let groups: BTreeMap<&str, Value> = inventory
            .groups
            .iter()
            .map(|(name, hosts)| {
                (name.as_str(), hosts.iter().map(|host| Value::from(host.as_str())).collect())
            })
            .collect();
        let about =
            BTreeMap::from([("name", Value::from(inventory.name.as_str())), ("vars", map(&inventory.vars))]);
        let site = BTreeMap::from([
            ("params".to_owned(), map(params)),
            ("vars".to_owned(), map(&runbook.vars)),
            ("groups".to_owned(), Value::from_pairs(groups)),
            ("inventory".to_owned(), Value::from(about)),
        ]);
        let of_host = |host: &Host| {
            let mut root = site.clone();
            root.insert("host".to_owned(), host_value(host, runbook));
            Value::from(root)
        };
        let hosts = inventory.hosts.values().map(|host| (host.name.clone(), of_host(host))).collect();
        Self { site, hosts }
    }

    fn context(&self, host: Option<&HostName>) -> Value {
        match host {
            Some(name) => self.hosts.get(name).cloned().unwrap_or_default(),
            None => Value::from(self.site.clone()),
        }
    }
}

/// What `host` is: facts of the inventory, and variables with the runbook's own beneath them.
fn host_value(host: &Host, runbook: &Runbook) -> Value {
    let mut vars: BTreeMap<&str, Value> =
        runbook.vars.iter().map(|(name, value)| (name.as_str(), value_of(value))).collect();
    vars.extend(host.vars.iter().map(|(name, value)| (name.as_str(), value_of(value))));
    let groups: Value = host.groups.iter().map(|group| Value::from(group.as_str())).collect();
    let mut fields = BTreeMap::from([
        ("name", Value::from(host.name.as_str())),
        ("address", Value::from(address(host))),
        ("groups", groups),
        ("vars", Value::from(vars)),
    ]);
    // What the inventory does not say stays undefined: a template that needs it is told so.
    if let Some(zone) = &host.zone {
        fields.insert("zone", Value::from(zone.as_str()));
    }
    if let Reach::Ssh(ssh) = &host.reach {
        fields.insert("port", Value::from(ssh.port.unwrap_or(SSH_PORT)));
        if let Some(user) = &ssh.user {
            fields.insert("user", Value::from(user.as_str()));
        }
    }
    Value::from(fields)
}

fn map(vars: &BTreeMap<String, Json>) -> Value {
    Value::from_pairs(vars.iter().map(|(name, value)| (name.as_str(), value_of(value))))
}

fn value_of(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(truth) => Value::from(*truth),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Value::from(whole),
            (None, Some(whole)) => Value::from(whole),
            (None, None) => Value::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => items.iter().map(value_of).collect(),
        Json::Object(fields) => {
            Value::from_pairs(fields.iter().map(|(name, value)| (name.as_str(), value_of(value))))
        }
    }
}

/// The address a host is reached at.
pub fn address(host: &Host) -> &str {
    match &host.reach {
        Reach::Local(_) => "127.0.0.1",
        Reach::Ssh(ssh) => &ssh.address,
    }
}

/// The template engine, with limits.
pub fn engine() -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(FUEL_MAX));
    engine
}

/// An expression that was read and whose names are known.
pub struct Asked<'e> {
    /// As written.
    pub text: String,
    /// Does its value differ from host to host?
    pub per_host: bool,
    whole: Expression<'e, 'e>,
    /// What must be defined, each with its own expression, unless it is the whole.
    needed: Vec<(Lookup, Option<Expression<'e, 'e>>)>,
}

impl<'e> Asked<'e> {
    /// Reads an expression. `has_host`: is there a host to speak of?
    pub fn read(engine: &'e Environment<'e>, text: &str, has_host: bool) -> Result<Self, Mishap> {
        let whole = engine.compile_expression_owned(text.to_owned()).map_err(|error| {
            Mishap::new("template-syntax", format!("it cannot be read: {}", said(&error)))
                .hint(crate::model::template::RAW_HINT)
        })?;
        let found = lookups(text);
        if let Some(unknown) = found.iter().find(|lookup| !ROOTS.contains(&lookup.root.as_str())) {
            let name = &unknown.root;
            let hint = match nearest(name, ROOTS.iter().copied()) {
                Some(root) => format!("did you mean `{root}`?"),
                None => {
                    format!("write where it comes from: `params.{name}`, `host.vars.{name}`, `vars.{name}` …")
                }
            };
            return Err(Mishap::new("unknown-name", format!("`{name}` is not known here")).hint(hint));
        }
        if found.iter().any(|lookup| lookup.root == "secrets") {
            let what = "a secret stands alone: nothing can be worked out from it before the run";
            return Err(Mishap::new("secret-in-expression", what)
                .hint("write {{ secrets.NAME }} and let the script do the rest"));
        }
        let per_host = found.iter().any(|lookup| lookup.root == "host");
        if per_host && !has_host {
            return Err(Mishap::new("no-host", "there is no `host` here: the step runs on the controller")
                .hint("give the step `on:`, or use `params`, `vars`, `groups` or `inventory`"));
        }
        let mut needed = Vec::new();
        for lookup in found.into_iter().filter(|lookup| !lookup.guarded) {
            let alone = match lookup.text == text {
                true => None,
                false => engine.compile_expression_owned(lookup.text.clone()).ok(),
            };
            needed.push((lookup, alone));
        }
        Ok(Self { text: text.to_owned(), per_host, whole, needed })
    }

    /// Its value for a host, or for the site.
    fn value(&self, values: &Values, host: Option<&HostName>) -> Result<Value, Mishap> {
        let context = values.context(host);
        let undefined = |lookup: &Lookup| not_there(lookup, &context);
        for (lookup, alone) in &self.needed {
            if let Some(alone) = alone {
                match alone.eval(context.clone()) {
                    Ok(value) if !value.is_undefined() => {}
                    Ok(_) => return Err(undefined(lookup)),
                    Err(error) if error.kind() == ErrorKind::UndefinedError => return Err(undefined(lookup)),
                    Err(_) => {}
                }
            }
        }
        let bare =
            || self.needed.iter().find(|(_, alone)| alone.is_none()).map(|(lookup, _)| undefined(lookup));
        match self.whole.eval(context.clone()) {
            Ok(value) if !value.is_undefined() => Ok(value),
            Ok(_) => Err(bare().unwrap_or_else(|| Mishap::new("undefined", "it has no value"))),
            Err(error) if error.kind() == ErrorKind::UndefinedError => {
                Err(bare().unwrap_or_else(|| broken(&error)))
            }
            Err(error) => Err(broken(&error)),
        }
    }

    /// Its value as text.
    pub fn text(&self, values: &Values, host: Option<&HostName>) -> Result<String, Mishap> {
        let value = self.value(values, host)?;
        let kind = match value.kind() {
            ValueKind::String => {
                let text = value.as_str().unwrap_or_default();
                return match text {
                    text if text.contains('\0') => {
                        Err(Mishap::new("value-nul", "its value holds a NUL character"))
                    }
                    text if text.len() > VALUE_BYTES_MAX => {
                        let what =
                            format!("its value has {} bytes, and at most {VALUE_BYTES_MAX} fit", text.len());
                        Err(Mishap::new("value-too-long", what).hint("upload a file instead"))
                    }
                    text => Ok(text.to_owned()),
                };
            }
            ValueKind::Number | ValueKind::Bool => return Ok(value.to_string()),
            ValueKind::None => "null",
            ValueKind::Seq | ValueKind::Iterable => "a list",
            ValueKind::Map => "a map",
            _ => "nothing that can be written as text",
        };
        let mishap = Mishap::new("value-not-text", format!("its value is {kind}, not a text or a number"));
        Err(match kind {
            "a list" => mishap.hint("join it: {{ … | join(' ') }} is one text with blanks"),
            "a map" => mishap.hint("name the entry that is meant"),
            "null" => mishap.hint("give it a value, or say what stands for it: {{ … | default('', true) }}"),
            _ => mishap,
        })
    }

    /// Its value as a condition.
    pub fn truth(&self, values: &Values, host: Option<&HostName>) -> Result<bool, Mishap> {
        let value = self.value(values, host)?;
        match value.kind() {
            ValueKind::Bool => Ok(value.is_true()),
            kind => Err(Mishap::new(
                "when-not-boolean",
                format!("it yields {kind} (`{value}`), not true or false"),
            )
            .hint("compare: `… == 'x'`, `… > 0`, `… is defined`")),
        }
    }
}

/// Which name of a lookup is not there, and what it may have been meant to be.
fn not_there(lookup: &Lookup, context: &Value) -> Mishap {
    let mut so_far = lookup.root.clone();
    let mut value = context.get_attr(&lookup.root).unwrap_or_default();
    for name in &lookup.path {
        let next = value.get_attr(name).unwrap_or_default();
        if next.is_undefined() {
            let there: Vec<String> = match value.kind() {
                ValueKind::Map => value.try_iter().into_iter().flatten().map(|key| key.to_string()).collect(),
                _ => Vec::new(),
            };
            let mishap = Mishap::new("undefined", format!("`{so_far}` has no `{name}`"));
            let near = nearest(name, there.iter().map(String::as_str));
            return match (near, lookup.root.as_str(), lookup.path.len()) {
                (Some(near), ..) => mishap.hint(format!("did you mean `{near}`?")),
                (None, "params", 1) => mishap.hint(format!("declare it under `params:` and give it: -e {name}=VALUE")),
                (None, "host" | "inventory", 2) => mishap.hint(format!(
                    "set it under `vars:` of the host, a group or the inventory, or say what stands for it: {{{{ {} | default('…') }}}}",
                    lookup.text
                )),
                _ if there.is_empty() => mishap,
                _ => mishap.hint(format!("there is: {}", few(&there))),
            };
        }
        so_far = format!("{so_far}.{name}");
        value = next;
    }
    Mishap::new("undefined", format!("`{}` is not defined", lookup.text))
}

/// The first few of a list, in words.
pub fn few<S: AsRef<str>>(names: &[S]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMES_SHOWN_MAX).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Enough to recognise what the names have in common, few enough for one line.
const NAMES_SHOWN_MAX: usize = 4;

fn broken(error: &minijinja::Error) -> Mishap {
    match error.kind() {
        ErrorKind::OutOfFuel => Mishap::new("template-too-costly", "it takes too many steps to work out"),
        _ => Mishap::new("template-failed", format!("it cannot be worked out: {}", said(error))),
    }
}

fn said(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => detail.to_owned(),
        None => error.kind().to_string(),
    }
}
