//! What a task needs to know for its texts, and what that is worth on a host.

use super::{Site, Where};
use crate::model::Inventory;
use crate::model::names::HostName;
use crate::plan::values::{Asked, Mishap, Values, address};
use std::collections::BTreeSet;

/// Something whose value each task that runs needs.
pub(super) struct Wanted<'a> {
    pub(super) variable: String,
    pub(super) source: Source<'a>,
    /// Calculated with by a shell: must be a whole number.
    pub(super) number: bool,
    /// Stands in a text that is no script: must not hold control characters.
    pub(super) plain: bool,
    /// Stands in a script.
    pub(super) scripted: bool,
    pub(super) at: Where,
}

/// Where a value comes from.
pub(super) enum Source<'a> {
    /// One expression.
    Expression(Asked<'a>),
    /// A probe's target: if it is an inventory host, that host's address.
    Target(Vec<Piece<'a>>),
    /// SHA-256 of the file of this name.
    Digest(Vec<Piece<'a>>),
}

/// A part of a text that is put together for each host.
pub(super) enum Piece<'a> {
    Literal(String),
    Asked(Asked<'a>),
}

impl Wanted<'_> {
    pub(super) fn worth(&self, site: &Site<'_>, host: Option<&HostName>) -> Result<String, Mishap> {
        let value = match &self.source {
            Source::Expression(asked) => asked.text(&site.values, host)?,
            Source::Target(pieces) => address_of(site.inventory, &joined(pieces, &site.values, host)?),
            Source::Digest(pieces) => digest_of(site, &joined(pieces, &site.values, host)?)?,
        };
        if self.number && !is_whole_number(&value) {
            let what = format!(
                "its value `{}` is no whole number, and a shell calculates here",
                value.escape_debug()
            );
            return Err(Mishap::new("value-not-number", what)
                .hint("a shell would run what such a value says; use whole numbers in arithmetic"));
        }
        if self.plain && value.chars().any(char::is_control) {
            let what = format!("its value `{}` holds control characters", value.escape_debug());
            return Err(Mishap::new("value-control-character", what)
                .hint("texts other than scripts are one line of plain characters"));
        }
        Ok(value)
    }
}

impl Piece<'_> {
    pub(super) fn per_host(&self) -> bool {
        matches!(self, Piece::Asked(asked) if asked.per_host)
    }
}

impl Source<'_> {
    pub(super) fn per_host(&self) -> bool {
        match self {
            Source::Expression(asked) => asked.per_host,
            Source::Target(pieces) | Source::Digest(pieces) => pieces.iter().any(Piece::per_host),
        }
    }

    pub(super) fn shown(&self) -> String {
        match self {
            Source::Expression(asked) => format!("`{{{{ {} }}}}`", asked.text),
            Source::Target(_) => "the target".to_owned(),
            Source::Digest(_) => "the file".to_owned(),
        }
    }
}

pub(super) fn joined(
    pieces: &[Piece<'_>],
    values: &Values,
    host: Option<&HostName>,
) -> Result<String, Mishap> {
    let text = |piece: &Piece<'_>| match piece {
        Piece::Literal(text) => Ok(text.clone()),
        Piece::Asked(asked) => asked.text(values, host.filter(|_| asked.per_host)),
    };
    pieces.iter().map(text).collect()
}

/// The address of an inventory host, or the target as it is.
pub(in crate::plan) fn address_of(inventory: &Inventory, target: &str) -> String {
    inventory.hosts.get(target).map_or(target, address).to_owned()
}

pub(super) fn digest_of(site: &Site<'_>, file: &str) -> Result<String, Mishap> {
    let mut digests = site.digests.borrow_mut();
    let read = || (site.files)(file).map(|facts| facts.sha256);
    let found = digests.entry(file.to_owned()).or_insert_with(read).clone();
    found.map_err(|why| Mishap::new("upload-unreadable", format!("`{file}` cannot be read: {why}")))
}

/// Few enough digits for the integers of any shell.
const NUMBER_DIGITS_MAX: usize = 18;

fn is_whole_number(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    (1..=NUMBER_DIGITS_MAX).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A name that tells what a variable holds; long enough to recognise, short enough to read.
const VARIABLE_BYTES_MAX: usize = 48;

pub(super) fn variable_name(expression: &str) -> String {
    let mut name = String::from("bs");
    for c in expression.chars() {
        match (c.is_ascii_alphanumeric(), name.ends_with('_')) {
            (true, _) => {
                if name == "bs" {
                    name.push('_');
                }
                name.push(c);
            }
            (false, false) => name.push('_'),
            (false, true) => {}
        }
        if name.len() >= VARIABLE_BYTES_MAX {
            break;
        }
    }
    let name = name.trim_end_matches('_');
    match name.strip_prefix("bs_secret") {
        _ if name == "bs" => "bs_value".to_owned(),
        Some(rest) => format!("bs_text_secret{rest}"),
        None => name.to_owned(),
    }
}

pub(super) fn free_name(name: String, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    let free = std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(name));
    let free = free.expect("numbers do not run out");
    taken.insert(free.clone());
    free
}
