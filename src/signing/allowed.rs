//! Who may sign: the text of an `allowed_signers` file, as `ssh-keygen` reads it.

use super::certificate::{Certificate, Holder};
use super::envelope::Proof;
use super::when;
use crate::model::Time;
use ssh_key::PublicKey;
use ssh_key::public::KeyData;

/// The lines of an `allowed_signers` file.
#[derive(Debug, Clone)]
pub struct AllowedSigners(Vec<Line>);

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

#[derive(Debug, Clone)]
struct Line {
    /// Names and patterns, `!` before those that are not meant.
    principals: Vec<String>,
    namespaces: Option<Vec<String>>,
    valid_after: Option<Time>,
    valid_before: Option<Time>,
    /// Does the key certify the keys of these people, instead of being theirs?
    authority: bool,
    key: KeyData,
}

impl AllowedSigners {
    /// Reads all lines, or says which of them cannot be read.
    pub fn read(text: &str) -> Result<Self, Vec<BadLine>> {
        let (mut lines, mut bad) = (Vec::new(), Vec::new());
        for (nth, text) in text.lines().enumerate() {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            match read_line(text) {
                Ok(line) => lines.push(line),
                Err(what) => bad.push(BadLine { line: nth + 1, what }),
            }
        }
        if bad.is_empty() { Ok(Self(lines)) } else { Err(bad) }
    }

    /// Is there nobody in it?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Could this principal sign anything, ever?
    pub fn knows(&self, principal: &str) -> bool {
        self.0.iter().any(|line| fits(&line.principals, principal))
    }

    /// May this principal sign with this key, in this namespace, at this time? The error says why not.
    pub fn check(&self, principal: &str, proof: &Proof, namespace: &str, at: Time) -> Result<(), String> {
        let mut why = match self.knows(principal) {
            true => format!("the key {} is not one of `{principal}`", proof.fingerprint()),
            false => format!("`{principal}` is not among the allowed signers"),
        };
        for line in self.0.iter().filter(|line| fits(&line.principals, principal)) {
            match line.admits(principal, proof, namespace, at) {
                Some(Ok(())) => return Ok(()),
                Some(Err(because)) => why = because,
                None => {}
            }
        }
        Err(why)
    }

    /// The principals, by name, that may sign with this key in this namespace at this time. Patterns name nobody.
    pub fn principals_of(&self, proof: &Proof, namespace: &str, at: Time) -> Vec<String> {
        let named = self.0.iter().flat_map(|line| line.principals.iter());
        let certified = proof.certificate.iter().flat_map(|certificate| certificate.principals.iter());
        let mut names: Vec<String> = named.chain(certified).filter(|name| is_plain(name)).cloned().collect();
        names.sort();
        names.dedup();
        names.retain(|name| self.check(name, proof, namespace, at).is_ok());
        names
    }
}

impl Line {
    /// `None` if the line is about another key.
    fn admits(
        &self,
        principal: &str,
        proof: &Proof,
        namespace: &str,
        at: Time,
    ) -> Option<Result<(), String>> {
        match (&proof.certificate, self.authority) {
            (None, false) if proof.key == self.key => {}
            (Some(certificate), true) if certificate.authority == self.key => {
                if let Err(because) = certifies(certificate, principal, at) {
                    return Some(Err(because));
                }
            }
            _ => return None,
        }
        let key = proof.fingerprint();
        let early = self.valid_after.filter(|after| at < *after);
        let late = self.valid_before.filter(|before| at >= *before);
        let other = self.namespaces.as_ref().is_some_and(|namespaces| !fits(namespaces, namespace));
        Some(match (early, late, other) {
            (Some(after), _, _) => Err(format!("the key {key} of `{principal}` is not valid before {after}")),
            (_, Some(before), _) => Err(format!("the key {key} of `{principal}` was valid until {before}")),
            (_, _, true) => Err(format!("the key {key} of `{principal}` is not for `{namespace}`")),
            (None, None, false) => Ok(()),
        })
    }
}

fn certifies(certificate: &Certificate, principal: &str, at: Time) -> Result<(), String> {
    let (id, secs) = (certificate.id.escape_debug(), at.0 / 1000);
    let named = certificate.principals.iter().any(|name| name == principal);
    match certificate {
        _ if !certificate.is_signed() => {
            Err(format!("the certificate `{id}` was not signed by its authority"))
        }
        _ if certificate.holder != Holder::User => Err(format!("the certificate `{id}` is a host's")),
        _ if !named => Err(format!("the certificate `{id}` is not for `{principal}`")),
        _ if secs < certificate.valid_after => Err(format!("the certificate `{id}` is not valid yet")),
        _ if secs >= certificate.valid_before => Err(format!("the certificate `{id}` has expired")),
        Certificate { critical_options, .. } if !critical_options.is_empty() => {
            Err(format!("the certificate `{id}` has conditions that are not understood here"))
        }
        _ => Ok(()),
    }
}

fn read_line(text: &str) -> Result<Line, String> {
    let (principals, rest) = word(text)?;
    let principals = list(&principals);
    if principals.is_empty() {
        return Err("it names nobody".to_owned());
    }
    let (second, after) = word(rest)?;
    let (options, key) = match is_key_kind(&second) {
        true => (String::new(), rest),
        false => (second, after),
    };
    let key = PublicKey::from_openssh(key.trim()).map_err(|_| "it has no key that can be read".to_owned())?;
    let mut line = Line {
        principals,
        namespaces: None,
        valid_after: None,
        valid_before: None,
        authority: false,
        key: key.key_data().clone(),
    };
    for option in split_outside_quotes(&options) {
        let (name, value) = option.split_once('=').unwrap_or((&option, ""));
        let value = value.trim_matches('"');
        let moment = || when::read(value).ok_or_else(|| format!("`{name}` is not a time: `{value}`"));
        match name.to_ascii_lowercase().as_str() {
            "cert-authority" => line.authority = true,
            "namespaces" => line.namespaces = Some(list(value)),
            "valid-after" => line.valid_after = Some(moment()?),
            "valid-before" => line.valid_before = Some(moment()?),
            _ => return Err(format!("`{}` is no option of this format", name.escape_debug())),
        }
    }
    Ok(line)
}

/// The first word of a text, and the rest. Blanks within double quotes belong to the word; quotes around a whole word
/// are taken off.
fn word(text: &str) -> Result<(String, &str), String> {
    let text = text.trim_start();
    let mut quoted = false;
    let end = text.find(|c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    });
    if quoted && end.is_none() {
        return Err("a quote is not closed".to_owned());
    }
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    match word.strip_prefix('"').and_then(|word| word.strip_suffix('"')) {
        Some(inner) if !inner.contains('"') => Ok((inner.to_owned(), rest)),
        _ => Ok((word.to_owned(), rest)),
    }
}

fn split_outside_quotes(text: &str) -> Vec<String> {
    let mut quoted = false;
    let parts = text.split(|c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn is_key_kind(word: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-"].iter().any(|start| word.starts_with(start))
}

fn is_plain(name: &str) -> bool {
    !name.contains(['*', '?', '!'])
}

/// Does a list of patterns mean this text? One with a `!` before it that matches takes it out again.
fn fits(patterns: &[String], text: &str) -> bool {
    let negated = |pattern: &String| pattern.strip_prefix('!').is_some_and(|pattern| glob(pattern, text));
    !patterns.iter().any(negated)
        && patterns.iter().any(|pattern| !pattern.starts_with('!') && glob(pattern, text))
}

/// `*` is any text, `?` any character.
fn glob(pattern: &str, text: &str) -> bool {
    let mut letters = pattern.chars();
    match letters.next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = letters.as_str();
            let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.any(|at| glob(rest, &text[at..]))
        }
        Some(letter) => {
            let mut others = text.chars();
            let same = others.next().is_some_and(|other| letter == '?' || letter == other);
            same && glob(letters.as_str(), others.as_str())
        }
    }
}
