//! What the tests of the SSH link do over and over: make a target, run on a `LocalSet`, read a wire to its end.

use super::helpers::{Dropbear, LocalUser};
use crate::support::sshd::{Sshd, current_user};
use blackstart::model::Millis;
use blackstart::model::inventory::{Become, SshSettings};
use blackstart::model::names::HostName;
use blackstart::model::secret::Secret;
use blackstart::transport::ssh::{Deadlines, SshLink, Surroundings, Target, connect_from};
use blackstart::transport::wire::{Closed, FromWire, Link, Trouble, Wire};
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Nothing that these tests wait for takes so long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a test's future where links can live.
pub fn on_a_local_set<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async move {
        tokio::time::timeout(PATIENCE, work).await.expect("the test is stuck")
    })
}

/// Settings for an address, with nothing allowed yet.
pub fn settings(addr: SocketAddr) -> SshSettings {
    SshSettings {
        address: addr.ip().to_string(),
        port: Some(addr.port()),
        user: Some(current_user()),
        identity_files: vec![],
        agent: false,
        password: None,
        passphrase: None,
        jump: None,
        known_hosts: vec!["/nonexistent/known_hosts".to_owned()],
        ssh_config: false,
        becomes: Become::No,
        shell: None,
        receipts_dir: None,
        connect_timeout: Millis::from_secs(10),
        legacy_crypto: false,
    }
}

/// A target from settings.
pub fn target_of(settings: SshSettings) -> Target {
    Target { name: HostName::from("web1"), settings, password: None, passphrase: None, via: None, tell: None }
}

/// A target that gets in.
pub fn target(sshd: &Sshd) -> Target {
    let mut target = target_of(settings(sshd.addr));
    target.settings.identity_files = vec![text(&sshd.user_key())];
    target.settings.known_hosts = vec![text(&sshd.known_hosts())];
    target
}

/// A target that gets in at a dropbear, by this user's password.
pub fn target_at(dropbear: &Dropbear, user: &LocalUser) -> Target {
    let mut target = target_of(settings(dropbear.addr));
    target.settings.user = Some(user.name.clone());
    target.settings.known_hosts = vec![text(&dropbear.known_hosts())];
    target.password = secret(&user.password);
    target
}

/// A path as settings have it.
pub fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// A secret.
pub fn secret(value: &str) -> Option<Secret> {
    Some(Secret::new(value.to_owned()))
}

/// Surroundings without agent or configuration.
pub fn nowhere() -> Surroundings {
    Surroundings::elsewhere(&PathBuf::from("/nonexistent"), None, None)
}

/// Connects with the usual deadlines.
pub async fn reach(target: &Target) -> Result<SshLink, Trouble> {
    connect_from(&nowhere(), target, &Deadlines::default()).await
}

/// What a command said and how it ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub out: Vec<u8>,
    pub err: Vec<u8>,
    pub closed: Option<Closed>,
}

impl Said {
    pub fn out_text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }
}

/// Reads a wire to its end, its input closed at once.
pub async fn read(wire: Wire) -> Said {
    let Wire { to, from } = wire;
    drop(to);
    read_rest(from).await
}

/// Reads what is left of a wire.
pub async fn read_rest(mut from: tokio::sync::mpsc::Receiver<FromWire>) -> Said {
    let mut said = Said::default();
    while let Some(message) = from.recv().await {
        match message {
            FromWire::Out(bytes) => said.out.extend(bytes),
            FromWire::Err(bytes) => said.err.extend(bytes),
            FromWire::Closed(closed) => {
                assert_eq!(said.closed, None, "two last words");
                said.closed = Some(closed);
            }
        }
    }
    said
}

/// Runs a command to its end.
pub async fn exec(link: &dyn Link, command: &str) -> Said {
    read(link.open(command).await.unwrap()).await
}

/// Waits until the first bytes come, so that the command surely runs.
pub async fn first_bytes(wire: &mut Wire) -> Vec<u8> {
    match wire.from.recv().await {
        Some(FromWire::Out(bytes)) => bytes,
        other => panic!("no first bytes but {other:?}"),
    }
}
