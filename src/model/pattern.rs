//! Host patterns: names, groups, globs, and set algebra on them.
//!
//! A pattern is a list of terms joined by `,` or `:` (union), `:&` (intersection) and `:!` (difference). As in
//! Ansible, unions are taken first, then intersections, then differences, wherever they stand:
//! `web:db:&site-a:!web3` is (`web` and `db` together), of those the ones in `site-a`, without `web3`. A term is
//! the name of a host or group, a glob over both (`web*`, `db?`, `[a-c]1`, `[!x]*`), or `all`.

use super::inventory::{Host, Inventory};
use super::names::{GroupName, HostName, is_name};

/// A host pattern, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    terms: Vec<(Sign, Term)>,
}

/// What is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// The trouble, in words.
    pub what: String,
    /// Where in the pattern, in bytes.
    pub at_byte: usize,
}

/// What a term does to the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// Adds what it matches.
    Union,
    /// Keeps only what it matches.
    Intersection,
    /// Takes away what it matches.
    Difference,
}

/// One word of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    /// Every host.
    All,
    /// The host or group of exactly this name.
    Name(String),
    /// A glob over host and group names.
    Glob(Vec<Piece>),
}

/// One piece of a glob.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// This character.
    Char(char),
    /// `?`: any one character.
    One,
    /// `*`: any characters, or none.
    Many,
    /// `[a-c]`, `[!a-c]`: one character within these ranges, or outside of them.
    Class { ranges: Vec<(char, char)>, without: bool },
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut terms = Vec::new();
        for (start, word) in words(text) {
            let trimmed = word.trim();
            let at_byte = start + (word.len() - word.trim_start().len());
            let (sign, name) = match trimmed.split_at_checked(1) {
                Some(("&", name)) => (Sign::Intersection, name),
                Some(("!", name)) => (Sign::Difference, name),
                _ => (Sign::Union, trimmed),
            };
            let term = term(name).map_err(|what| PatternError { what, at_byte })?;
            if terms.is_empty() && sign != Sign::Union {
                let what = format!(
                    "a pattern cannot begin with `{trimmed}`: say of which hosts, as in `all:{trimmed}`"
                );
                return Err(PatternError { what, at_byte });
            }
            terms.push((sign, term));
        }
        Ok(Self { terms })
    }

    /// Does a host of these groups match?
    pub fn matches(&self, host: &HostName, groups: &[GroupName]) -> bool {
        let some = |sign: Sign| {
            self.terms
                .iter()
                .filter(move |(other, _)| *other == sign)
                .map(|(_, term)| term.matches(host, groups))
        };
        some(Sign::Union).any(|yes| yes)
            && some(Sign::Intersection).all(|yes| yes)
            && !some(Sign::Difference).any(|yes| yes)
    }

    /// The hosts that match, in name order.
    pub fn select<'a>(&self, inventory: &'a Inventory) -> Vec<&'a Host> {
        inventory.hosts.values().filter(|host| self.matches(&host.name, &host.groups)).collect()
    }

    /// The literal names it uses, for near-name hints.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().filter_map(|(_, term)| match term {
            Term::Name(name) => Some(name.as_str()),
            Term::All | Term::Glob(_) => None,
        })
    }
}

/// The words between commas and colons, each with the byte it starts at. Brackets hold their contents together.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let (mut start, mut in_brackets) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            '[' => in_brackets = true,
            ']' => in_brackets = false,
            ',' | ':' if !in_brackets => {
                words.push((start, &text[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    words.push((start, &text[start..]));
    words
}

fn term(name: &str) -> Result<Term, String> {
    if name.is_empty() {
        Err("a name is missing here".to_owned())
    } else if name == "all" {
        Ok(Term::All)
    } else if is_name(name) {
        Ok(Term::Name(name.to_owned()))
    } else if name.contains(['*', '?', '[']) {
        glob(name).map(Term::Glob)
    } else {
        Err(format!("`{name}` cannot be the name of a host or group"))
    }
}

fn glob(name: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = name.chars();
    while let Some(c) = rest.next() {
        pieces.push(match c {
            '*' => Piece::Many,
            '?' => Piece::One,
            '[' => {
                let (inside, after) = rest
                    .as_str()
                    .split_once(']')
                    .ok_or_else(|| format!("`[` in `{name}` is never closed"))?;
                rest = after.chars();
                class(inside).ok_or_else(|| format!("`[{inside}]` holds no characters"))?
            }
            c if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') => Piece::Char(c),
            c => return Err(format!("`{c}` cannot stand in a name or glob")),
        });
    }
    Ok(pieces)
}

fn class(inside: &str) -> Option<Piece> {
    let (without, inside) = match inside.strip_prefix(['!', '^']) {
        Some(rest) => (true, rest),
        None => (false, inside),
    };
    let chars: Vec<char> = inside.chars().collect();
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        match (chars.get(at + 1), chars.get(at + 2)) {
            (Some('-'), Some(last)) => {
                ranges.push((chars[at], *last));
                at += 3;
            }
            _ => {
                ranges.push((chars[at], chars[at]));
                at += 1;
            }
        }
    }
    (!ranges.is_empty()).then_some(Piece::Class { ranges, without })
}

impl Term {
    fn matches(&self, host: &HostName, groups: &[GroupName]) -> bool {
        let mut names = std::iter::once(host.as_str()).chain(groups.iter().map(GroupName::as_str));
        match self {
            Term::All => true,
            Term::Name(wanted) => names.any(|name| name == wanted),
            Term::Glob(pieces) => names.any(|name| glob_matches(pieces, name)),
        }
    }
}

/// Matches without going back further than the last `*`, so that no glob takes more than length × length steps.
fn glob_matches(pieces: &[Piece], name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut piece) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at < name.len() {
        match pieces.get(piece) {
            Some(Piece::Many) => {
                star = Some((piece, at));
                piece += 1;
            }
            Some(one) if one.takes(name[at]) => {
                at += 1;
                piece += 1;
            }
            _ => match star {
                Some((star_piece, star_at)) => {
                    star = Some((star_piece, star_at + 1));
                    piece = star_piece + 1;
                    at = star_at + 1;
                }
                None => return false,
            },
        }
    }
    pieces[piece..].iter().all(|piece| *piece == Piece::Many)
}

impl Piece {
    fn takes(&self, c: char) -> bool {
        match self {
            Piece::Char(wanted) => *wanted == c,
            Piece::One => true,
            Piece::Many => false,
            Piece::Class { ranges, without } => {
                ranges.iter().any(|(first, last)| (*first..=*last).contains(&c)) != *without
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matching(pattern: &str) -> String {
        let pattern = Pattern::parse(pattern).unwrap();
        let hosts: [(&str, &[&str]); 5] = [
            ("app1", &["core", "web"]),
            ("db1", &["core", "db"]),
            ("db2", &["db"]),
            ("edge-fw", &["firewalls"]),
            ("web.example.org", &["web"]),
        ];
        let matches = |(_, groups): &(&str, &[&str]), name: &str| {
            let groups: Vec<GroupName> = groups.iter().map(|group| GroupName::from(*group)).collect();
            pattern.matches(&HostName::from(name), &groups)
        };
        let names = hosts.iter().filter(|host| matches(host, host.0)).map(|host| host.0);
        names.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn patterns_select_by_name_group_glob_and_algebra() {
        for (pattern, hosts) in [
            ("all", "app1 db1 db2 edge-fw web.example.org"),
            ("db1", "db1"),
            ("db", "db1 db2"),
            ("db:web", "app1 db1 db2 web.example.org"),
            ("db, edge-fw", "db1 db2 edge-fw"),
            ("db:&core", "db1"),
            ("db:web:&core", "app1 db1"),
            ("db:&core:web", "app1 db1"),
            ("all:!db", "app1 edge-fw web.example.org"),
            ("all:!db:!web", "edge-fw"),
            ("all,!db", "app1 edge-fw web.example.org"),
            ("core:!db1:&web", "app1"),
            ("db?", "db1 db2"),
            ("d*", "db1 db2"),
            ("*.example.*", "web.example.org"),
            ("*", "app1 db1 db2 edge-fw web.example.org"),
            ("[a-d]*[1]", "app1 db1"),
            ("db[!1]", "db2"),
            ("fire*", "edge-fw"),
            ("nothing", ""),
        ] {
            assert_eq!(matching(pattern), hosts, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused_at_its_byte() {
        for (pattern, at_byte, what) in [
            ("", 0, "a name is missing here"),
            ("a,,b", 2, "a name is missing here"),
            ("a:", 2, "a name is missing here"),
            ("a:&", 2, "a name is missing here"),
            ("!a", 0, "a pattern cannot begin with `!a`: say of which hosts, as in `all:!a`"),
            ("a, b c", 3, "`b c` cannot be the name of a host or group"),
            ("a:[bc", 2, "`[` in `[bc` is never closed"),
            ("a[]", 0, "`[]` holds no characters"),
            ("a*;b", 0, "`;` cannot stand in a name or glob"),
            ("{{ x }}", 0, "`{{ x }}` cannot be the name of a host or group"),
        ] {
            let error = Pattern::parse(pattern).unwrap_err();
            assert_eq!((error.at_byte, error.what.as_str()), (at_byte, what), "{pattern}");
        }
    }

    #[test]
    fn literal_names_are_known() {
        let pattern = Pattern::parse("all:web*:db:!db1").unwrap();
        assert_eq!(pattern.names().collect::<Vec<_>>(), ["db", "db1"]);
    }

    #[test]
    fn a_glob_of_many_stars_ends() {
        let pattern = Pattern::parse(&"*a".repeat(40)).unwrap();
        assert!(!pattern.matches(&HostName("a".repeat(39) + "b"), &[]));
    }
}
