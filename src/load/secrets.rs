//! Reads where secrets come from, and makes paths absolute where they are relative to a file that names them.

use super::shapes::{At, Entries};
use super::sink::Sink;
use super::step::all;
use super::values::{identifier, is_identifier};
use crate::model::Problem;
use crate::model::names::SecretName;
use crate::model::secret::SecretSource;
use std::collections::BTreeMap;
use std::path::Path;

/// Reads the `secrets` of a file that stands in `directory`.
pub(super) fn read(
    sink: &Sink<'_>,
    secrets: Option<At<Entries<SecretSource>>>,
    directory: &Path,
) -> Option<BTreeMap<SecretName, SecretSource>> {
    let Some(secrets) = secrets else { return Some(BTreeMap::new()) };
    let read = secrets.value?.0.into_iter().map(|(key, source)| {
        let fine = identifier(sink, "secret", &key);
        let span = source.span;
        let source = source.value?;
        let (word, text) = match &source {
            SecretSource::Env(text) => ("env", text),
            SecretSource::File(text) => ("file", text),
            SecretSource::Prompt(text) => ("prompt", text),
            SecretSource::Command(text) => ("command", text),
        };
        let trouble = match &source {
            _ if text.trim().is_empty() => {
                Some(("empty-value", format!("secret `{}` has an empty `{word}`", key.value)))
            }
            SecretSource::Env(name) if !is_identifier(name) => Some((
                "bad-name",
                format!("`{}` cannot be the name of an environment variable", name.escape_debug()),
            )),
            _ => None,
        };
        if let Some((code, what)) = trouble {
            sink.push(Problem::error(code, what).at(span));
            return None;
        }
        let source = match source {
            SecretSource::File(path) => SecretSource::File(beside(directory, &path)),
            other => other,
        };
        fine.then_some((SecretName(key.value), source))
    });
    all(read).map(BTreeMap::from_iter)
}

/// A path that a file names: relative ones start at the file's directory; `~/` is left to whoever opens it.
pub(super) fn beside(directory: &Path, path: &str) -> String {
    if path.starts_with('/') || path == "~" || path.starts_with("~/") {
        return path.to_owned();
    }
    directory.join(path).to_string_lossy().into_owned()
}
