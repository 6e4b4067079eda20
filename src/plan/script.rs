//! Puts a task's values to its texts: assignments before a script, substitution in other texts.

use super::frozen::Plan;
use crate::model::names::{SecretName, TaskIx};
use crate::model::probe::{Probe, ProbeKind};
use crate::model::runbook::{Fetch, Upload};
use std::collections::BTreeMap;

/// What stands for a secret that is not shown.
pub const SECRET_SHOWN: &str = "****";

/// The exact script that a host gets for one of its step's texts: assignments and exports on one line, then
/// the text, so that line numbers in a shell's complaints are one too high and no more. Only what the text or
/// the environment uses is assigned. A secret for which `secrets` has nothing shows as `****`.
pub fn render_script(
    plan: &Plan,
    task: TaskIx,
    text: &str,
    secrets: &dyn Fn(&SecretName) -> Option<String>,
) -> String {
    let step = plan.step_of(task);
    let used = |name: &str| {
        let reference = format!("${{{name}}}");
        text.contains(&reference) || step.env.values().any(|value| value.contains(&reference))
    };
    let mut line = String::new();
    let values = step.values.iter().chain(&plan.tasks[task.at()].values).filter(|(name, _)| used(name));
    for (name, value) in values {
        line.push_str(&assignment(name, value));
        line.push(' ');
    }
    for secret in &step.secrets {
        let name = secret_variable(secret);
        if used(&name) {
            let value = secrets(secret).unwrap_or_else(|| SECRET_SHOWN.to_owned());
            line.push_str(&assignment(&name, &value));
            line.push(' ');
        }
    }
    for (name, value) in &step.env {
        line.push_str(&format!("export {name}=\"{}\"; ", value.replace('\n', NEWLINE)));
    }
    if line.is_empty() {
        return text.to_owned();
    }
    if line.contains(NEWLINE) {
        line.insert_str(0, NEWLINE_ASSIGNED);
    }
    format!("{}\n{text}", line.trim_end())
}

/// One assignment of the line before a script: `bs_host_name='web1';`
pub fn assignment(name: &str, value: &str) -> String {
    format!("{name}={};", quoted(value))
}

/// Stands for a line break in values, so that the assignments stay on one line. Written where a shell expands it.
const NEWLINE: &str = "${bs_newline}";
/// `$(…)` drops line breaks at its end, hence the full stop.
const NEWLINE_ASSIGNED: &str = r"bs_newline=$(printf '\n.'); bs_newline=${bs_newline%.}; ";

/// A value as one word of any POSIX shell.
fn quoted(value: &str) -> String {
    let broken_out = format!("'\"{NEWLINE}\"'");
    format!("'{}'", value.replace('\'', r"'\''").replace('\n', &broken_out))
}

/// The shell variable that carries a secret.
pub fn secret_variable(secret: &SecretName) -> String {
    let word: String =
        secret.as_str().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("bs_secret_{word}")
}

/// A text that is not a script, with its `{{name}}` placeholders filled. What is not a known name stays, and
/// what a value says is never filled again.
pub fn fill(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        let known = rest[at + 2..].find("}}").and_then(|len| {
            let value = values.get(&rest[at + 2..at + 2 + len])?;
            Some((value, at + 2 + len + 2))
        });
        match known {
            Some((value, end)) => {
                filled.push_str(&rest[..at]);
                filled.push_str(value);
                rest = &rest[end..];
            }
            None => {
                filled.push_str(&rest[..=at]);
                rest = &rest[at + 1..];
            }
        }
    }
    filled + rest
}

/// An upload with a task's values in it.
pub fn fill_upload(upload: &Upload, values: &BTreeMap<String, String>) -> Upload {
    Upload {
        file: fill(&upload.file, values),
        to: fill(&upload.to, values),
        mode: upload.mode,
        owner: upload.owner.as_ref().map(|owner| fill(owner, values)),
        sha256: upload.sha256.as_ref().map(|sha256| fill(sha256, values)),
    }
}

/// A fetch with a task's values in it; a script in it stays as it is, for [`render_script`].
pub fn fill_fetch(fetch: &Fetch, values: &BTreeMap<String, String>) -> Fetch {
    match fetch {
        Fetch::File { path } => Fetch::File { path: fill(path, values) },
        Fetch::Output { script, name } => Fetch::Output { script: script.clone(), name: name.clone() },
    }
}

/// A probe with a task's values in it; a command in it stays as it is, for [`render_script`].
pub fn fill_probe(probe: &Probe, values: &BTreeMap<String, String>) -> Probe {
    let what = match &probe.what {
        ProbeKind::Tcp { host, port } => ProbeKind::Tcp { host: fill(host, values), port: *port },
        ProbeKind::Http { host, port, path, status, contains } => ProbeKind::Http {
            host: fill(host, values),
            port: *port,
            path: fill(path, values),
            status: *status,
            contains: contains.as_ref().map(|text| fill(text, values)),
        },
        ProbeKind::Command { script } => ProbeKind::Command { script: script.clone() },
        ProbeKind::Icmp { host } => ProbeKind::Icmp { host: fill(host, values) },
        ProbeKind::Dns { name, server, port, record, answer, transport } => ProbeKind::Dns {
            name: fill(name, values),
            server: fill(server, values),
            port: *port,
            record: *record,
            answer: answer.as_ref().map(|text| fill(text, values)),
            transport: *transport,
        },
    };
    Probe { what, ..probe.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_once() {
        let values = BTreeMap::from([("a".to_owned(), "{{b}}".to_owned()), ("b".to_owned(), "x".to_owned())]);
        assert_eq!(fill("{{a}} {{b}} {{c}} {{ b }} {{{b}}} {{", &values), "{{b}} x {{c}} {{ b }} {x} {{");
    }

    #[test]
    fn a_value_is_one_word_on_one_line() {
        assert_eq!(quoted("it's\n"), r#"'it'\''s'"${bs_newline}"''"#);
        assert_eq!(quoted(""), "''");
    }
}
