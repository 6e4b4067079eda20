//! Fetches secret values from where the plan says they are, once, before anything starts.

use crate::model::names::SecretName;
use crate::model::secret::{Secret, SecretSource};
use std::collections::BTreeMap;
use std::process::Stdio;
use tokio::process::Command;

/// Values by name. Lives only in this process.
pub type Secrets = BTreeMap<SecretName, Secret>;

/// A secret that could not be had.
#[derive(Debug, thiserror::Error)]
#[error("secret `{name}`: {what}")]
pub struct SecretError {
    /// Which.
    pub name: SecretName,
    /// The trouble.
    pub what: String,
}

/// Fetches every secret. `prompt` asks a person and is called one at a time; `None` means that nobody is there.
pub async fn fetch(
    sources: &BTreeMap<SecretName, SecretSource>,
    prompt: &mut dyn FnMut(&str) -> Option<String>,
) -> Result<Secrets, Vec<SecretError>> {
    let mut values = Secrets::new();
    let mut errors = Vec::new();
    for (name, source) in sources {
        match fetch_one(source, prompt).await {
            Ok(value) if value.contains('\0') => {
                errors.push(SecretError {
                    name: name.clone(),
                    what: "has a NUL byte, which no shell can carry".into(),
                });
            }
            Ok(value) => {
                values.insert(name.clone(), Secret::new(value));
            }
            Err(what) => errors.push(SecretError { name: name.clone(), what }),
        }
    }
    if errors.is_empty() { Ok(values) } else { Err(errors) }
}

async fn fetch_one(
    source: &SecretSource,
    prompt: &mut dyn FnMut(&str) -> Option<String>,
) -> Result<String, String> {
    match source {
        SecretSource::Env(variable) => {
            std::env::var(variable).map_err(|_| format!("the environment variable `{variable}` is not set"))
        }
        SecretSource::File(path) => std::fs::read_to_string(path)
            .map(without_last_newline)
            .map_err(|error| format!("cannot read `{path}`: {error}")),
        SecretSource::Prompt(text) => {
            prompt(text).ok_or_else(|| "must be typed, and no terminal is there to ask on".to_owned())
        }
        SecretSource::Command(command) => from_command(command).await,
    }
}

async fn from_command(command: &str) -> Result<String, String> {
    let run = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output();
    let output = match tokio::time::timeout(COMMAND_LIMIT, run).await {
        Err(_) => return Err(format!("`{command}` did not end within {} seconds", COMMAND_LIMIT.as_secs())),
        Ok(Err(error)) => return Err(format!("cannot run `{command}`: {error}")),
        Ok(Ok(output)) => output,
    };
    if !output.status.success() {
        return Err(format!("`{command}` ended with {}", output.status));
    }
    String::from_utf8(output.stdout)
        .map(without_last_newline)
        .map_err(|_| format!("`{command}` printed something that is not UTF-8"))
}

fn without_last_newline(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
    }
    text
}

/// A password manager may have to wait for a person's finger on a key, not longer.
const COMMAND_LIMIT: std::time::Duration = std::time::Duration::from_secs(60);
