//! Everything a connection needs to know, decided: the inventory first, then `~/.ssh/config`, then OpenSSH's defaults.

use super::surroundings::{Config, NoAnswer, Surroundings};
use super::{Deadlines, Target};
use crate::model::Millis;
use crate::model::inventory::{Become, SshSettings};
use crate::transport::wire::{Trouble, TroubleKind};
use std::net::IpAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

/// OpenSSH's port.
pub const PORT: u16 = 22;
/// The identity files that OpenSSH tries by itself, the strongest first.
const IDENTITY_FILES: [&str; 3] = ["~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"];
/// Whoever wants to hear of a lost link later than this does not want to hear of it.
const KEEPALIVE_MAX: Duration = Duration::from_secs(24 * 3600);
const KNOWN_HOSTS: [&str; 4] =
    ["~/.ssh/known_hosts", "~/.ssh/known_hosts2", "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];

/// A connection's settings, all of them.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Host name or address to dial.
    pub address: String,
    /// Port to dial.
    pub port: u16,
    /// User to log in as.
    pub user: String,
    /// Key files to offer, in this order.
    pub identities: Vec<IdentityFile>,
    /// Certificates for any of them.
    pub certificates: Vec<PathBuf>,
    /// The agent to ask, if any.
    pub agent: Option<PathBuf>,
    /// Only keys that are named here or in the configuration are offered.
    pub identities_only: bool,
    /// Files of known host keys, the first being where a key is to be added.
    pub known_hosts: Vec<PathBuf>,
    /// The names that host keys are looked up under: one of the first list is wanted; a match under one of the second will do.
    pub names: KeyNames,
    /// Hosts to go through that only `~/.ssh/config` names, the nearest first.
    pub hops: Vec<Hop>,
    /// TCP limit.
    pub connect: Duration,
    /// Silence after which a keepalive is sent.
    pub keepalive: Duration,
    /// Unanswered keepalives after which the link is lost.
    pub keepalives_unanswered: u32,
    /// SHA-1 and the like allowed.
    pub legacy_crypto: bool,
    /// What a person should know of how this was decided.
    pub note: Option<String>,
}

/// A private key file, or a public one whose private half an agent holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityFile {
    /// Where it is.
    pub path: PathBuf,
    /// Was it asked for by name? Then it has to be there.
    pub wanted: bool,
}

/// The names of a host in known_hosts files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyNames {
    /// The name it is known by: `host`, `[host]:port`, or its alias.
    pub name: String,
    /// A name that may also know it: `host` when the port is not 22.
    pub also: Option<String>,
}

/// A jump host as `ProxyJump` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Name, address, or alias in the configuration.
    pub address: String,
    /// Port, if said.
    pub port: Option<u16>,
    /// User, if said.
    pub user: Option<String>,
}

/// Decides a target's settings.
pub async fn resolve(
    target: &Target,
    here: &Surroundings,
    deadlines: &Deadlines,
) -> Result<Resolved, Trouble> {
    let want = &target.settings;
    if want.address.is_empty() || want.address.starts_with('-') || want.address.contains(char::is_control) {
        return Err(trouble(target, format!("address `{}` is none", want.address.escape_debug())));
    }
    let (config, note) = if want.ssh_config {
        match here.ask(&want.address, want.port, want.user.as_deref()).await {
            Ok(config) => (config, None),
            Err(NoAnswer::NoProgram) => {
                (Rc::default(), Some("no `ssh` program here, so ~/.ssh/config is not honoured".to_owned()))
            }
            Err(NoAnswer::Failed(why)) => {
                let what = format!("`ssh -G {}` failed: {why}", want.address);
                return Err(
                    trouble(target, what).hint("mend ~/.ssh/config, or set `ssh_config: false` for the host")
                );
            }
        }
    } else {
        (Rc::default(), None)
    };
    Ok(Resolved { note, ..decide(target, here, deadlines, &config)? })
}

fn decide(
    target: &Target,
    here: &Surroundings,
    deadlines: &Deadlines,
    config: &Config,
) -> Result<Resolved, Trouble> {
    let want = &target.settings;
    if let Some(command) = config.one("proxycommand")
        && want.jump.is_none()
    {
        let what =
            format!("~/.ssh/config reaches it by `ProxyCommand {command}`, which Blackstart cannot do");
        return Err(trouble(target, what).hint("set `jump:` for the host in the inventory"));
    }
    let address = config.one("hostname").unwrap_or(&want.address).trim_matches(['[', ']']).to_owned();
    let port = want.port.or_else(|| config.one("port")?.parse().ok()).unwrap_or(PORT);
    let user = want.user.as_deref().or(config.one("user")).unwrap_or(&here.user).to_owned();
    let hops = match (&want.jump, config.one("proxyjump")) {
        (None, Some(text)) => Hop::read_all(text).map_err(|what| trouble(target, what))?,
        _ => Vec::new(),
    };
    let expand = |text: &str| here.path(&expand_tokens(text, &address, port, &user, here));
    let identities = match (want.identity_files.is_empty(), config.one("identityfile")) {
        (false, _) => {
            want.identity_files.iter().map(|f| IdentityFile { path: here.path(f), wanted: true }).collect()
        }
        // `ssh -G` lists the defaults too, so a file that is not there is no problem.
        (true, Some(_)) => config
            .all("identityfile")
            .map(|file| IdentityFile { path: expand(file), wanted: false })
            .collect(),
        (true, None) if config.is_none("identityfile") => Vec::new(),
        (true, None) => {
            IDENTITY_FILES.map(|file| IdentityFile { path: here.path(file), wanted: false }).to_vec()
        }
    };
    Ok(Resolved {
        names: KeyNames::of(&address, port, config.one("hostkeyalias")),
        identities,
        certificates: config.all("certificatefile").map(expand).collect(),
        agent: agent(want, here, config),
        identities_only: config.is("identitiesonly"),
        known_hosts: known_hosts(want, here, config),
        hops,
        connect: connect_limit(want, config, deadlines),
        keepalive: keepalive(config).unwrap_or(deadlines.keepalive),
        keepalives_unanswered: keepalives_unanswered(config, deadlines),
        legacy_crypto: want.legacy_crypto,
        note: None,
        address,
        port,
        user,
    })
}

fn connect_limit(want: &SshSettings, config: &Config, deadlines: &Deadlines) -> Duration {
    let asked = Some(want.connect_timeout).filter(|limit| *limit > Millis(0)).map(Millis::std);
    let configured = || config.one("connecttimeout")?.parse().ok().map(Duration::from_secs);
    asked.or_else(configured).unwrap_or(deadlines.connect)
}

/// OpenSSH's default, 0, says that a lost link is never noticed. That is no choice here, so it is taken for none.
fn keepalive(config: &Config) -> Option<Duration> {
    let seconds = config.one("serveraliveinterval")?.parse().ok()?;
    (seconds > 0).then(|| Duration::from_secs(seconds).min(KEEPALIVE_MAX))
}

/// `ssh -G` gives the default too, so that the number means something only beside an interval. A link on which nothing
/// was asked is not lost: at least one keepalive goes out.
fn keepalives_unanswered(config: &Config, deadlines: &Deadlines) -> u32 {
    let asked = keepalive(config).and_then(|_| config.one("serveralivecountmax")?.parse::<u32>().ok());
    asked.map_or(deadlines.keepalives_unanswered, |count| count.max(1))
}

fn agent(want: &SshSettings, here: &Surroundings, config: &Config) -> Option<PathBuf> {
    if !want.agent || config.is_none("identityagent") {
        return None;
    }
    match config.one("identityagent") {
        None | Some("SSH_AUTH_SOCK" | "$SSH_AUTH_SOCK") => here.agent.clone(),
        Some(name) if name.starts_with('$') => {
            std::env::var_os(name.trim_matches(['$', '{', '}'])).map(PathBuf::from)
        }
        Some(path) => Some(here.path(path)),
    }
}

fn known_hosts(want: &SshSettings, here: &Surroundings, config: &Config) -> Vec<PathBuf> {
    if !want.known_hosts.is_empty() {
        return want.known_hosts.iter().map(|file| here.path(file)).collect();
    }
    let configured: Vec<PathBuf> = ["userknownhostsfile", "globalknownhostsfile"]
        .iter()
        .flat_map(|keyword| config.all(keyword))
        .flat_map(|files| files.split_whitespace().map(|file| here.path(file)))
        .collect();
    if configured.is_empty() { KNOWN_HOSTS.map(|file| here.path(file)).to_vec() } else { configured }
}

/// The tokens of ssh_config(5) that make sense in file names.
fn expand_tokens(text: &str, address: &str, port: u16, user: &str, here: &Surroundings) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '%' { chars.next() } else { None }) {
            ('%', Some('%')) => out.push('%'),
            ('%', Some('d')) => out.push_str(&here.home.to_string_lossy()),
            ('%', Some('h')) => out.push_str(address),
            ('%', Some('p')) => out.push_str(&port.to_string()),
            ('%', Some('r')) => out.push_str(user),
            ('%', Some('u')) => out.push_str(&here.user),
            ('%', Some(other)) => out.extend(['%', other]),
            (c, _) => out.push(c),
        }
    }
    out
}

fn trouble(target: &Target, what: String) -> Trouble {
    Trouble::new(TroubleKind::Settings, format!("{}: {what}", target.name))
}

impl Resolved {
    /// `user@address:port`, for people.
    pub fn shown(&self) -> String {
        format!("{}@{}", self.user, at(&self.address, self.port))
    }
}

impl KeyNames {
    fn of(address: &str, port: u16, alias: Option<&str>) -> Self {
        match (alias, port) {
            (Some(alias), _) => Self { name: alias.to_lowercase(), also: None },
            (None, PORT) => Self { name: address.to_lowercase(), also: None },
            (None, _) => Self {
                name: format!("[{}]:{port}", address.to_lowercase()),
                also: Some(address.to_lowercase()),
            },
        }
    }
}

impl Hop {
    /// Reads `user@host:port,…`; each may be a `ssh://` URI, an IPv6 address stands in brackets.
    fn read_all(text: &str) -> Result<Vec<Self>, String> {
        text.split(',')
            .map(|hop| Self::read(hop.trim()).ok_or_else(|| format!("ProxyJump `{text}` is none")))
            .collect()
    }

    fn read(text: &str) -> Option<Self> {
        let text = text.strip_prefix("ssh://").unwrap_or(text).trim_end_matches('/');
        let (user, place) = match text.rsplit_once('@') {
            Some((user, place)) => (Some(user.to_owned()), place),
            None => (None, text),
        };
        let (address, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, rest)) => (address, rest.strip_prefix(':')),
            None if place.parse::<IpAddr>().is_ok() => (place, None),
            None => place.split_once(':').map_or((place, None), |(address, port)| (address, Some(port))),
        };
        let port = port.map(|port| port.parse().ok()).map_or(Some(None), |port| port.map(Some))?;
        (!address.is_empty()).then(|| Self { address: address.to_owned(), port, user })
    }

    /// The settings to reach it with: its own from `~/.ssh/config`, the target's where ssh would ask its user.
    pub fn settings(&self, target: &SshSettings) -> SshSettings {
        SshSettings {
            address: self.address.clone(),
            port: self.port,
            user: self.user.clone(),
            identity_files: Vec::new(),
            password: None,
            passphrase: target.passphrase.clone(),
            jump: None,
            becomes: Become::No,
            shell: None,
            receipts_dir: None,
            legacy_crypto: false,
            ..target.clone()
        }
    }
}

/// `address:port`, with brackets where they are needed.
pub fn at(address: &str, port: u16) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hops_are_read_as_ssh_reads_them() {
        let hop = |address: &str, port, user: Option<&str>| Hop {
            address: address.into(),
            port,
            user: user.map(str::to_owned),
        };
        assert_eq!(
            Hop::read_all("ops@gate:2222, [fd00::1]:22,ssh://inner/,::1").unwrap(),
            [
                hop("gate", Some(2222), Some("ops")),
                hop("fd00::1", Some(22), None),
                hop("inner", None, None),
                hop("::1", None, None)
            ]
        );
        assert!(Hop::read_all("gate:x").is_err());
        assert!(Hop::read_all("a,,b").is_err());
    }

    #[test]
    fn keys_are_looked_up_under_the_name_that_ssh_would_write() {
        assert_eq!(KeyNames::of("Db1", 22, None), KeyNames { name: "db1".into(), also: None });
        assert_eq!(
            KeyNames::of("db1", 2222, None),
            KeyNames { name: "[db1]:2222".into(), also: Some("db1".into()) }
        );
        assert_eq!(KeyNames::of("db1", 2222, Some("Vault")), KeyNames { name: "vault".into(), also: None });
    }

    #[test]
    fn keepalives_are_those_of_the_configuration_if_it_wants_any() {
        let defaults = Deadlines::default();
        let usual = (defaults.keepalive, defaults.keepalives_unanswered);
        for (text, wanted) in [
            ("", usual),
            ("serveraliveinterval 0\nserveralivecountmax 9", usual),
            ("serveraliveinterval 300\nserveralivecountmax 2", (Duration::from_secs(300), 2)),
            ("serveraliveinterval 2\nserveralivecountmax 0", (Duration::from_secs(2), 1)),
            ("serveraliveinterval soon", usual),
        ] {
            let config = Config::read(text);
            let found =
                (keepalive(&config).unwrap_or(defaults.keepalive), keepalives_unanswered(&config, &defaults));
            assert_eq!(found, wanted, "{text}");
        }
    }
}
