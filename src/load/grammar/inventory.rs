//! The shape of an inventory.

use super::approvers::Approvers;
use super::probe::Probe;
use crate::load::shapes::{At, Entries, Length, OneOrMany, TextOr, Version};
use crate::model::secret::SecretSource;
use schemars::JsonSchema;
use serde::Deserialize;

/// An inventory: hosts, groups, zones, conduits and services of a site.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Inventory")]
pub(in crate::load) struct Inventory {
    /// The version of this format: 1.
    #[schemars(required)]
    pub(in crate::load) version: Option<At<Version>>,
    /// What the site is called.
    #[schemars(required)]
    pub(in crate::load) name: Option<At<String>>,
    /// Where blackstart itself runs.
    pub(in crate::load) controller: Option<At<Controller>>,
    /// Sets of hosts with one trust level each (IEC 62443).
    pub(in crate::load) zones: Option<At<Entries<Zone>>>,
    /// The only ways between zones (IEC 62443).
    pub(in crate::load) conduits: Option<At<Entries<Conduit>>>,
    /// What people and systems depend on.
    pub(in crate::load) services: Option<At<Entries<Service>>>,
    /// Connection settings of every host that does not say otherwise.
    pub(in crate::load) defaults: Option<At<Defaults>>,
    /// Groups of hosts, by name: a list of hosts and groups, or `{ hosts: […], vars: {…} }`.
    pub(in crate::load) groups: Option<At<Entries<Group>>>,
    /// Hosts by name.
    #[schemars(required)]
    pub(in crate::load) hosts: Option<At<Entries<Host>>>,
    /// Variables of the whole inventory; templates read `inventory.vars.name`, or `host.vars.name`.
    pub(in crate::load) vars: Option<At<Entries<serde_json::Value>>>,
    /// Secrets that connection settings name, and where each comes from.
    pub(in crate::load) secrets: Option<At<Entries<SecretSource>>>,
    /// People who may approve with a signature, unless the runbook says otherwise.
    pub(in crate::load) approvers: Option<At<Approvers>>,
    /// Whom to call, for `blackstart print`: who or which duty, and how. Not part of the plan, so that a new telephone
    /// number is no other plan.
    pub(in crate::load) contacts: Option<At<Entries<String>>>,
}

/// Where blackstart itself runs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Controller")]
pub(in crate::load) struct Controller {
    /// The zone the controller stands in.
    pub(in crate::load) zone: Option<At<String>>,
    /// Hosts that it asks for the addresses of hosts whose `address` is a name; any one of them does.
    pub(in crate::load) name_servers: Option<At<OneOrMany<String>>>,
}

/// A set of hosts with one trust level.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Zone", extend("type" = ["object", "null"]))]
pub(in crate::load) struct Zone {
    /// `internal` (the default), or `external`: outside the organisation.
    pub(in crate::load) trust: Option<At<Trust>>,
    /// Is it taken to be in the attacker's hands?
    pub(in crate::load) assume_compromised: Option<At<bool>>,
    /// Must it be protected and kept running?
    pub(in crate::load) critical: Option<At<bool>>,
}

/// Whose zone it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::load) enum Trust {
    /// Of the organisation.
    Internal,
    /// Outside the organisation: attackers live there.
    External,
}

/// A permitted way between two zones. Either `between`, or `from` and `to`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Conduit", extend("oneOf" = [{"required": ["between"]}, {"required": ["from", "to"]}]))]
pub(in crate::load) struct Conduit {
    /// Two zones, for a way that leads in both directions.
    pub(in crate::load) between: Option<At<Vec<At<String>>>>,
    /// The zone where a one-way conduit starts.
    pub(in crate::load) from: Option<At<String>>,
    /// The zone where a one-way conduit ends.
    pub(in crate::load) to: Option<At<String>>,
    /// The host whose rules open and close it.
    pub(in crate::load) enforced_by: Option<At<String>>,
    /// Isolation level at which it is cut: 1 vendors and remote workers, 2 corporate, 3 everything external.
    #[schemars(range(min = 1, max = 3))]
    pub(in crate::load) level: Option<At<u8>>,
    /// Does it survive every cut (console server, management network of its own)?
    pub(in crate::load) out_of_band: Option<At<bool>>,
}

/// Something that people or systems depend on. Either `on` or `in`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Service", extend("oneOf" = [{"required": ["on"]}, {"required": ["in"]}]))]
pub(in crate::load) struct Service {
    /// The host it runs on.
    pub(in crate::load) on: Option<At<String>>,
    /// The zone it comes from: an outside dependency that isolation takes away.
    #[serde(rename = "in")]
    pub(in crate::load) within: Option<At<String>>,
    /// Services it cannot do without.
    pub(in crate::load) needs: Option<At<OneOrMany<String>>>,
    /// Recovery time objective.
    pub(in crate::load) rto: Option<At<Length>>,
    /// How to tell whether it is up.
    pub(in crate::load) probe: Option<At<Probe>>,
}

/// A group: its members, or members and variables.
pub(in crate::load) type Group = OneOrMany<TextOr<GroupMap>>;

/// A group with variables.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Group")]
pub(in crate::load) struct GroupMap {
    /// Names of hosts and groups.
    pub(in crate::load) hosts: Option<At<OneOrMany<String>>>,
    /// Variables of every host of the group, beneath the host's own.
    pub(in crate::load) vars: Option<At<Entries<serde_json::Value>>>,
}

macro_rules! with_settings {
    ($(#[$meta:meta])* $Name:ident { $($(#[$own_meta:meta])* $own:ident: $Own:ty,)* }
     $($(#[$field_meta:meta])* $field:ident: $Type:ty,)*) => {
        $(#[$meta])*
        #[derive(Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(in crate::load) struct $Name {
            $($(#[$own_meta])* pub(in crate::load) $own: Option<At<$Own>>,)*
            $($(#[$field_meta])* pub(in crate::load) $field: Option<At<$Type>>,)*
        }

        impl $Name {
            /// Takes the connection settings out.
            pub(in crate::load) fn settings(&mut self) -> SettingsShape {
                SettingsShape { $($field: self.$field.take(),)* }
            }
        }
    };
}

macro_rules! settings {
    ($($(#[$field_meta:meta])* $field:ident: $Type:ty,)*) => {
        /// Connection settings as they stand in `defaults` and in hosts.
        #[derive(Debug, Default)]
        pub(in crate::load) struct SettingsShape {
            $(pub(in crate::load) $field: Option<At<$Type>>,)*
        }

        with_settings! {
            /// Connection settings of every host that does not say otherwise.
            Defaults {}
            $($(#[$field_meta])* $field: $Type,)*
        }

        with_settings! {
            /// A machine that steps run on.
            Host {
                /// Host name or IP address; needed unless `connection: local`.
                address: String,
                /// The zone it stands in.
                zone: String,
                /// Its variables; templates read `host.vars.name`.
                vars: Entries<serde_json::Value>,
            }
            $($(#[$field_meta])* $field: $Type,)*
        }
    };
}

settings! {
    /// `ssh` (the default), or `local` for the controller itself.
    connection: Connection,
    /// TCP port; by default what `~/.ssh/config` or OpenSSH says.
    #[schemars(range(min = 1))]
    port: u16,
    /// Login user.
    user: String,
    /// Private key file or files, tried in this order; relative to the inventory's directory.
    identity_file: OneOrMany<String>,
    /// May keys be asked from the SSH agent? By default yes.
    agent: bool,
    /// The secret that holds the login password.
    password: String,
    /// The secret that holds the passphrase of the identity files.
    passphrase: String,
    /// The host to go through; `none` for no host, whatever `defaults` says.
    jump: String,
    /// known_hosts file or files instead of OpenSSH's; relative to the inventory's directory.
    known_hosts: OneOrMany<String>,
    /// Is `~/.ssh/config` honoured? By default yes.
    ssh_config: bool,
    /// How to become another user: `sudo`, `{ sudo: { user: …, password: SECRET } }`, or `false`.
    #[serde(rename = "become")]
    becomes: TextOr<Becomes>,
    /// Interpreter for scripts instead of `sh`, as an absolute path.
    shell: String,
    /// Directory on the host for receipts, as an absolute path.
    receipts_dir: String,
    /// TCP connect limit; 10s by default.
    connect_timeout: Length,
    /// Allow SHA-1 key exchange, `ssh-rsa` and the like? By default no.
    legacy_crypto: bool,
}

/// How a host is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::load) enum Connection {
    /// Over SSH.
    Ssh,
    /// It is the controller itself.
    Local,
}

/// How to become another user.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Become")]
pub(in crate::load) struct Becomes {
    /// Through sudo.
    #[schemars(required)]
    pub(in crate::load) sudo: Option<At<Sudo>>,
}

/// Settings of sudo.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Sudo")]
pub(in crate::load) struct Sudo {
    /// The user to become; `root` by default.
    pub(in crate::load) user: Option<At<String>>,
    /// The secret that holds the sudo password; without one, `sudo -n`.
    pub(in crate::load) password: Option<At<String>>,
}
