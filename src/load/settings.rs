//! Reads connection settings, of `defaults` and of hosts, and puts the two together.

use super::grammar::inventory::{Becomes, Connection, SettingsShape};
use super::known::{Kind, Known};
use super::secrets::beside;
use super::shapes::{At, OneOrMany, TextOr};
use super::sink::Sink;
use super::values::{DAY, absolute_path, length, optional, required};
use crate::model::inventory::{Become, Reach, SshSettings};
use crate::model::names::{HostName, SecretName};
use crate::model::place::Span;
use crate::model::{Millis, Problem};
use std::path::Path;

/// Long enough for a slow line, short enough that a dead host is noticed while something can be done about it.
const CONNECT_TIMEOUT_DEFAULT: Millis = Millis::from_secs(10);

/// Settings that were written; `None` where nothing was, or nothing sound.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    connection: Option<Connection>,
    port: Option<u16>,
    user: Option<String>,
    identity_files: Option<Vec<String>>,
    agent: Option<bool>,
    password: Option<SecretName>,
    passphrase: Option<SecretName>,
    pub(super) jump: Option<Jump>,
    known_hosts: Option<Vec<String>>,
    ssh_config: Option<bool>,
    becomes: Option<Become>,
    shell: Option<String>,
    receipts_dir: Option<String>,
    connect_timeout: Option<Millis>,
    legacy_crypto: Option<bool>,
}

/// What `jump` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Jump {
    /// Through no host.
    None,
    /// Through this host.
    Through(HostName, Span),
}

/// What settings are read with.
pub(super) struct SettingsReader<'a, 'b> {
    pub(super) sink: &'a Sink<'a>,
    pub(super) known: &'b Known,
    /// Where relative paths start.
    pub(super) directory: &'b Path,
}

impl SettingsReader<'_, '_> {
    /// Reads the settings of a host, or `defaults`; `owner` is for messages.
    pub(super) fn read(&self, owner: &str, shape: SettingsShape) -> Settings {
        Settings {
            connection: optional(shape.connection),
            port: shape.port.and_then(|port| self.port(port)),
            user: self.word("user", shape.user),
            identity_files: shape.identity_file.and_then(|files| self.paths("identity_file", files)),
            agent: optional(shape.agent),
            password: shape.password.and_then(|secret| self.secret(owner, secret)),
            passphrase: shape.passphrase.and_then(|secret| self.secret(owner, secret)),
            jump: shape.jump.and_then(|jump| self.jump(owner, jump)),
            known_hosts: shape.known_hosts.and_then(|files| self.paths("known_hosts", files)),
            ssh_config: optional(shape.ssh_config),
            becomes: shape.becomes.and_then(|becomes| self.becomes(owner, becomes)),
            shell: self.absolute("shell", shape.shell),
            receipts_dir: self.absolute("receipts_dir", shape.receipts_dir),
            connect_timeout: shape
                .connect_timeout
                .and_then(|field| length(self.sink, "connect_timeout", field, DAY)),
            legacy_crypto: optional(shape.legacy_crypto),
        }
    }

    fn port(&self, port: At<u16>) -> Option<u16> {
        let number = port.value?;
        if number == 0 {
            self.sink
                .push(Problem::error("wrong-value", "`port` must be from 1 to 65535, not 0").at(port.span));
        }
        Some(number)
    }

    /// A text that is one word, fit for a command line: not empty, no blanks, no leading `-`.
    fn word(&self, key: &str, text: Option<At<String>>) -> Option<String> {
        let text = text?.located()?;
        let odd = |c: char| c.is_whitespace() || c.is_control();
        if text.value.is_empty() || text.value.starts_with('-') || text.value.contains(odd) {
            let what = format!("`{key}` cannot be `{}`", text.value.escape_debug());
            self.sink.push(
                Problem::error("wrong-value", what).at(text.span).hint("write one word without blanks"),
            );
            return None;
        }
        Some(text.value)
    }

    fn absolute(&self, key: &str, path: Option<At<String>>) -> Option<String> {
        let path = path?.located()?;
        absolute_path(self.sink, key, &path).then_some(path.value)
    }

    fn paths(&self, key: &str, files: At<OneOrMany<String>>) -> Option<Vec<String>> {
        let files = files.value?.0.into_iter().filter_map(|file| {
            let file = file.located()?;
            if file.value.trim().is_empty() || file.value.contains('\0') {
                self.sink.push(Problem::error("bad-path", format!("`{key}` names no file")).at(file.span));
                return None;
            }
            Some(beside(self.directory, &file.value))
        });
        Some(files.collect())
    }

    fn secret(&self, owner: &str, secret: At<String>) -> Option<SecretName> {
        let secret = secret.located()?;
        if self.known.check(self.sink, Kind::Secret, owner, &secret) {
            return Some(SecretName(secret.value));
        }
        None
    }

    fn jump(&self, owner: &str, jump: At<String>) -> Option<Jump> {
        let jump = jump.located()?;
        if jump.value == "none" {
            return Some(Jump::None);
        }
        let found = self.known.check(self.sink, Kind::Host, owner, &jump);
        found.then_some(Jump::Through(HostName(jump.value), jump.span))
    }

    fn becomes(&self, owner: &str, becomes: At<TextOr<Becomes>>) -> Option<Become> {
        let (span, becomes) = (becomes.span, becomes.value?);
        let root = || "root".to_owned();
        match becomes {
            TextOr::Text(word) => match word.as_str() {
                "false" => Some(Become::No),
                "sudo" => Some(Become::Sudo { user: root(), password: None }),
                _ => {
                    let what = format!("`become` cannot be `{}`", word.escape_debug());
                    let problem = Problem::error("unknown-word", what).at(span);
                    self.sink.push(
                        problem.hint("write `sudo`, `{ sudo: { user: …, password: SECRET } }` or `false`"),
                    );
                    None
                }
            },
            TextOr::Other(shape) => {
                let sudo = required(self.sink, "`become`", span, "sudo", shape.sudo)?.value;
                let user = if sudo.user.is_some() { self.word("user", sudo.user)? } else { root() };
                let password = sudo.password.map(|secret| self.secret(owner, secret));
                Some(Become::Sudo { user, password: password.map_or(Some(None), |secret| secret.map(Some))? })
            }
        }
    }
}

impl Settings {
    /// Is the host the controller itself?
    pub(super) fn is_local(&self, defaults: &Settings) -> bool {
        self.connection.or(defaults.connection) == Some(Connection::Local)
    }

    /// How a host is reached, given what it says itself and what `defaults` say.
    pub(super) fn reach(self, defaults: &Settings, name: &str, address: Option<String>) -> Reach {
        let becomes = self.becomes.clone().or_else(|| defaults.becomes.clone()).unwrap_or_default();
        if self.is_local(defaults) {
            return Reach::Local(becomes);
        }
        // The host that all others go through is itself reached without it.
        let default_jump = match &defaults.jump {
            Some(Jump::Through(through, _)) if through.as_str() == name => None,
            jump => jump.clone(),
        };
        Reach::Ssh(Box::new(SshSettings {
            address: address.unwrap_or_default(),
            port: self.port.or(defaults.port),
            user: self.user.or_else(|| defaults.user.clone()),
            identity_files: self
                .identity_files
                .or_else(|| defaults.identity_files.clone())
                .unwrap_or_default(),
            agent: self.agent.or(defaults.agent).unwrap_or(true),
            password: self.password.or_else(|| defaults.password.clone()),
            passphrase: self.passphrase.or_else(|| defaults.passphrase.clone()),
            jump: match self.jump.or(default_jump) {
                Some(Jump::Through(host, _)) => Some(host),
                Some(Jump::None) | None => None,
            },
            known_hosts: self.known_hosts.or_else(|| defaults.known_hosts.clone()).unwrap_or_default(),
            ssh_config: self.ssh_config.or(defaults.ssh_config).unwrap_or(true),
            becomes,
            shell: self.shell.or_else(|| defaults.shell.clone()),
            receipts_dir: self.receipts_dir.or_else(|| defaults.receipts_dir.clone()),
            connect_timeout: self
                .connect_timeout
                .or(defaults.connect_timeout)
                .unwrap_or(CONNECT_TIMEOUT_DEFAULT),
            legacy_crypto: self.legacy_crypto.or(defaults.legacy_crypto).unwrap_or(false),
        }))
    }
}

/// Where the settings stand that mean nothing on a host that is the controller itself.
pub(super) fn ssh_only(shape: &SettingsShape) -> Vec<(&'static str, Span)> {
    fn span<T>(field: &Option<At<T>>) -> Option<Span> {
        field.as_ref().map(|field| field.span)
    }
    let places = [
        ("port", span(&shape.port)),
        ("user", span(&shape.user)),
        ("identity_file", span(&shape.identity_file)),
        ("agent", span(&shape.agent)),
        ("password", span(&shape.password)),
        ("passphrase", span(&shape.passphrase)),
        ("jump", span(&shape.jump)),
        ("known_hosts", span(&shape.known_hosts)),
        ("ssh_config", span(&shape.ssh_config)),
        ("shell", span(&shape.shell)),
        ("receipts_dir", span(&shape.receipts_dir)),
        ("connect_timeout", span(&shape.connect_timeout)),
        ("legacy_crypto", span(&shape.legacy_crypto)),
    ];
    places.into_iter().filter_map(|(key, span)| Some((key, span?))).collect()
}
