//! A site: hosts, groups, zones, conduits and services.

use super::names::{ConduitName, GroupName, HostName, SecretName, ServiceName, ZoneName};
use super::place::Span;
use super::probe::Probe;
use super::secret::SecretSource;
use super::signers::Approvers;
use super::time::Millis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Variables of a host, a group or the whole inventory: any YAML value, as JSON.
pub type Vars = BTreeMap<String, serde_json::Value>;

/// An inventory, checked: every name in it that refers to something refers to something that is there.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inventory {
    /// The site's name.
    pub name: String,
    /// The zone the controller stands in, if the file says so.
    pub controller_zone: Option<ZoneName>,
    /// Hosts that tell the controller the addresses of others; any one of them does.
    pub name_servers: Vec<HostName>,
    /// Zones by name.
    pub zones: BTreeMap<ZoneName, Zone>,
    /// Conduits by name.
    pub conduits: BTreeMap<ConduitName, Conduit>,
    /// Services by name.
    pub services: BTreeMap<ServiceName, Service>,
    /// Hosts by name, connection settings complete (defaults and groups applied).
    pub hosts: BTreeMap<HostName, Host>,
    /// Groups by name, each with all its hosts (groups of groups resolved).
    pub groups: BTreeMap<GroupName, Vec<HostName>>,
    /// Variables of the whole inventory.
    pub vars: Vars,
    /// Secrets that connection settings name (passwords, passphrases).
    pub secrets: BTreeMap<SecretName, SecretSource>,
    /// Who may approve with a signature, unless the runbook says otherwise.
    pub approvers: Option<Approvers>,
    /// Whom to call, in file order: who or which duty, and how. No part of a plan.
    pub contacts: Vec<(String, String)>,
}

/// A set of hosts with one trust level (IEC 62443).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Zone {
    /// Outside the organisation: attackers live there.
    pub external: bool,
    /// Taken to be in the attacker's hands.
    pub assume_compromised: bool,
    /// Must be protected and kept running.
    pub critical: bool,
    /// Where it was written.
    pub span: Span,
}

/// Levels of isolation: 1 cuts vendors and remote workers, 2 corporate networks, 3 everything external.
pub const LEVELS: std::ops::RangeInclusive<u8> = 1..=3;

/// A permitted way between two zones (IEC 62443).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conduit {
    /// The two zones; for `from`/`to`, in that order.
    pub ends: (ZoneName, ZoneName),
    /// `between`: both ways. `from`/`to`: only from the first end to the second.
    pub both_ways: bool,
    /// The host whose rules open and close it.
    pub enforced_by: Option<HostName>,
    /// Isolation level at which it is cut: 1 vendors and remote workers, 2 corporate, 3 everything external.
    pub level: Option<u8>,
    /// Survives every cut (console server, management network of its own).
    pub out_of_band: bool,
    /// Where it was written.
    pub span: Span,
}

/// Something that people or systems depend on.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// The host it runs on, or the zone it comes from.
    pub place: ServicePlace,
    /// Services it cannot do without.
    pub needs: Vec<ServiceName>,
    /// Recovery time objective.
    pub rto: Option<Millis>,
    /// How to tell whether it is up.
    pub probe: Option<Probe>,
    /// Where it was written.
    pub span: Span,
}

/// Where a service is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServicePlace {
    /// `on: HOST`.
    Host(HostName),
    /// `in: ZONE`: an outside dependency that isolation takes away.
    Zone(ZoneName),
}

/// A machine that steps run on.
#[derive(Debug, Clone, PartialEq)]
pub struct Host {
    /// Its name.
    pub name: HostName,
    /// The zone it stands in.
    pub zone: Option<ZoneName>,
    /// How to reach it.
    pub reach: Reach,
    /// Groups it belongs to, sorted.
    pub groups: Vec<GroupName>,
    /// Its variables, those of its groups and of the inventory beneath them.
    pub vars: Vars,
    /// Where it was written.
    pub span: Span,
}

/// How the controller reaches a host. Frozen into the plan; holds no secret values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Reach {
    /// On the controller itself, by a local `sh`.
    Local(Become),
    /// Over SSH.
    Ssh(Box<SshSettings>),
}

/// SSH connection settings. What is `None` or empty is taken from `~/.ssh/config` if that is honoured,
/// then from OpenSSH's own defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SshSettings {
    /// Host name or IP address (an IPv6 literal without brackets); the alias looked up in `~/.ssh/config`.
    pub address: String,
    /// TCP port.
    pub port: Option<u16>,
    /// Login user.
    pub user: Option<String>,
    /// Private key files, tried in this order.
    pub identity_files: Vec<String>,
    /// May keys be asked from the agent at `$SSH_AUTH_SOCK`?
    pub agent: bool,
    /// Secret with the login password, for `password` and `keyboard-interactive`.
    pub password: Option<SecretName>,
    /// Secret with the passphrase of encrypted identity files.
    pub passphrase: Option<SecretName>,
    /// Inventory host to go through (ProxyJump); may itself have one.
    pub jump: Option<HostName>,
    /// known_hosts files; empty means OpenSSH's defaults.
    pub known_hosts: Vec<String>,
    /// Is `~/.ssh/config` honoured, as `ssh -G` resolves it?
    pub ssh_config: bool,
    /// How to become another user for privileged steps.
    #[serde(rename = "become")]
    pub becomes: Become,
    /// Interpreter for scripts instead of the host's `sh`, such as `/bin/bash`.
    pub shell: Option<String>,
    /// Directory on the host for receipts, instead of the one chosen there.
    pub receipts_dir: Option<String>,
    /// TCP connect limit.
    pub connect_timeout: Millis,
    /// Allow SHA-1 key exchange, `ssh-rsa` and the like for this host only.
    pub legacy_crypto: bool,
}

/// How a step gets the rights it needs on a host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Become {
    /// Runs as the login user.
    #[default]
    No,
    /// Runs as `user` through sudo.
    Sudo {
        /// The user to become.
        user: String,
        /// Secret with the sudo password; none means `sudo -n`.
        password: Option<SecretName>,
    },
}
