//! Who may sign: an `allowed_signers` file as it was read, and what is said of the people in it.

use super::place::Span;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// People who may approve, and the keys they sign with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approvers {
    /// Their keys.
    pub signers: SignersFile,
    /// Groups of principals, for `approve: { by: … }`.
    pub groups: BTreeMap<String, Vec<String>>,
    /// The principal of a login name, where the one does not begin with the other.
    pub logins: BTreeMap<String, String>,
    /// Where it was written.
    pub span: Span,
}

impl Approvers {
    /// The people that a name in `by` stands for: those of the group of this name, or the one who is called so.
    pub fn people<'a>(&'a self, name: &'a str) -> Vec<&'a str> {
        match self.groups.get(name) {
            Some(members) => members.iter().map(String::as_str).collect(),
            None => vec![name],
        }
    }
}

/// A file in OpenSSH's `allowed_signers` format, with what it held when the plan was made. A plan keeps the whole of
/// it, so that nobody can add a key to a run that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignersFile {
    /// Its path, for people.
    pub file: String,
    /// SHA-256 of its text as 64 hexadecimal digits.
    pub sha256: String,
    /// Its text.
    pub text: String,
}
