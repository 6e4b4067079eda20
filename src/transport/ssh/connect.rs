//! From an address to an open link: resolve, knock, log in. Each wait has a deadline of its own, and its error names
//! the wait that ran out.

use super::host_key::Accepted;
use super::knock::{Entrance, knock};
use super::known_hosts::KnownHosts;
use super::link::SshLink;
use super::login::login;
use super::pipe::Pipe;
use super::pump::Pump;
use super::resolved::{Resolved, at, resolve};
use super::surroundings::Surroundings;
use super::{Deadlines, Target};
use crate::model::names::HostName;
use crate::transport::wire::{Pending, Trouble, TroubleKind};
use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// What a server may say until it lets us in: banners of lawyers are long, not that long.
const LOGIN_BYTES_MAX: usize = 1024 * 1024;
/// A configuration in which hosts jump over each other would never end.
const HOPS_MAX: usize = 8;

/// Reaches `target`. Must be called on a `LocalSet`, where the connection's task will live.
pub async fn connect(target: &Target, deadlines: &Deadlines) -> Result<SshLink, Trouble> {
    connect_from(&Surroundings::here(), target, deadlines).await
}

/// Reaches `target` from given surroundings.
pub async fn connect_from(
    here: &Surroundings,
    target: &Target,
    deadlines: &Deadlines,
) -> Result<SshLink, Trouble> {
    reach(here, target, deadlines, 0).await
}

/// Boxed, because hops that only `~/.ssh/config` names are reached by the same function.
fn reach<'a>(
    here: &'a Surroundings,
    target: &'a Target,
    deadlines: &'a Deadlines,
    depth: usize,
) -> Pending<'a, Result<SshLink, Trouble>> {
    Box::pin(async move {
        if depth > HOPS_MAX {
            let what = format!("{}: more than {HOPS_MAX} jump hosts in ~/.ssh/config", target.name);
            return Err(Trouble::new(TroubleKind::Settings, what));
        }
        let started = Instant::now();
        let to = resolve(target, here, deadlines).await?;
        let mut via = target.via.clone();
        for hop in &to.hops {
            let hop = Target {
                name: HostName(format!("jump host {} of {}", hop.address, target.name)),
                settings: hop.settings(&target.settings),
                password: None,
                passphrase: target.passphrase.clone(),
                via: via.take(),
                tell: target.tell.clone(),
            };
            via = Some(Rc::new(reach(here, &hop, deadlines, depth + 1).await?));
        }
        let known = KnownHosts::read(&here.known, &to.known_hosts, &to.names);
        let Entrance { mut pipe, accepted, tries } = knock(target, &to, &known, via, deadlines).await?;
        pipe.have_patience(Some(LOGIN_BYTES_MAX));
        let sent = Cell::new(false);
        let how = within(deadlines.auth, login(&mut pipe, target, &to, &sent)).await.unwrap_or_else(|| {
            Err(late(target, &to, "login", deadlines.auth)
                .hint("the server may wait for a directory or a name service"))
        });
        let how = how.map_err(|trouble| if sent.get() { final_word(trouble) } else { trouble })?;
        pipe.have_patience(None);
        let facts = facts(&to, &pipe, &accepted, &how, started) + &waited(tries);
        tracing::debug!(host = %target.name, %facts, "connected");
        let name = target.name.0.clone();
        let (keepalive, keepalives_unanswered) = (to.keepalive, to.keepalives_unanswered);
        let deadlines = Deadlines { keepalive, keepalives_unanswered, ..*deadlines };
        Ok(SshLink::start(name.clone(), facts, move |orders| Pump::new(name, pipe, deadlines, orders)))
    })
}

/// The password is out, and no answer came. The account may count it as wrong, and whoever has it may want it again.
fn final_word(trouble: Trouble) -> Trouble {
    let hint = "the password was sent, and is not sent again in this run";
    match trouble.kind {
        TroubleKind::Unreachable => Trouble::new(TroubleKind::Login, trouble.what).hint(hint),
        _ => trouble,
    }
}

pub(super) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    timeout(limit, work).await.ok()
}

pub(super) fn late(target: &Target, to: &Resolved, what: &str, limit: Duration) -> Trouble {
    let place = at(&to.address, to.port);
    let what = format!("{} ({place}): {what} took longer than {:.1} s", target.name, limit.as_secs_f32());
    Trouble::new(TroubleKind::Unreachable, what)
}

fn facts(to: &Resolved, pipe: &Pipe, key: &Accepted, how: &str, started: Instant) -> String {
    let [kex, host_key, cipher, mac] = pipe.session.agreed();
    // An AEAD cipher needs no code beside it, and libssh2 names one that is not used.
    let mac = if cipher.contains("gcm") || cipher.contains("poly1305") {
        String::new()
    } else {
        format!(", {mac}")
    };
    let note = to.note.as_ref().map_or(String::new(), |note| format!("; {note}"));
    format!(
        "{} ({}) in {} ms; host key {} ({host_key}, {}); {kex}, {cipher}{mac}; login by {how}{note}",
        to.shown(),
        pipe.session.server_version().trim_start_matches("SSH-2.0-"),
        started.elapsed().as_millis(),
        key.fingerprint,
        key.because,
    )
}

/// What a person should know who wonders about the time: the server did not take us at once.
fn waited(tries: u32) -> String {
    match tries {
        1 => String::new(),
        tries => format!(
            "; at try {tries}, for its server had hung up before it said who it is (`MaxStartups` in its sshd_config \
             limits who may log in at once)"
        ),
    }
}
