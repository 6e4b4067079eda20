//! From an address to an open link: resolve, dial, exchange keys, judge the host key, log in. Each wait has a
//! deadline of its own, and its error names the wait that ran out.

use super::carrier::Carrier;
use super::host_key::{self, Accepted};
use super::known_hosts::KnownHosts;
use super::link::SshLink;
use super::login::login;
use super::pipe::Pipe;
use super::pump::Pump;
use super::resolved::{Resolved, at, resolve};
use super::session::{Fault, Preferences};
use super::surroundings::Surroundings;
use super::{Deadlines, Target};
use crate::model::Millis;
use crate::model::names::HostName;
use crate::transport::wire::{Link, Pending, Trouble, TroubleKind};
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};

/// Modern key exchanges, the post-quantum ones first.
const KEX: &str = "mlkem768x25519-sha256,curve25519-sha256,curve25519-sha256@libssh.org,mlkem768nistp256-sha256,\
    mlkem1024nistp384-sha384,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,\
    diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group-exchange-sha256,\
    diffie-hellman-group14-sha256";
const CIPHERS: &str = "aes256-gcm@openssh.com,aes128-gcm@openssh.com,chacha20-poly1305@openssh.com,\
    aes256-ctr,aes192-ctr,aes128-ctr";
const MACS: &str = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512";
/// What `legacy_crypto` adds. libssh2 drops those it was not built with.
const LEGACY_KEX: &str =
    ",diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1,diffie-hellman-group1-sha1";
const LEGACY_CIPHERS: &str = ",aes256-cbc,aes192-cbc,aes128-cbc,3des-cbc";
const LEGACY_MACS: &str = ",hmac-sha1-etm@openssh.com,hmac-sha1";
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
            };
            via = Some(Rc::new(reach(here, &hop, deadlines, depth + 1).await?));
        }
        let carrier = dial(target, &to, via).await?;
        let known = KnownHosts::read(&to.known_hosts, &to.names);
        let (mut pipe, accepted) = greet(target, &to, &known, carrier, deadlines).await?;
        let how = within(deadlines.auth, login(&mut pipe, target, &to)).await.unwrap_or_else(|| {
            Err(late(target, &to, "login", deadlines.auth)
                .hint("the server may wait for a directory or a name service"))
        })?;
        let facts = facts(&to, &pipe, &accepted, &how, started);
        tracing::debug!(host = %target.name, %facts, "connected");
        let name = target.name.0.clone();
        let (keepalive, keepalives_unanswered) = (to.keepalive, to.keepalives_unanswered);
        let deadlines = Deadlines { keepalive, keepalives_unanswered, ..*deadlines };
        Ok(SshLink::start(name.clone(), facts, move |orders| Pump::new(name, pipe, deadlines, orders)))
    })
}

async fn dial(target: &Target, to: &Resolved, via: Option<Rc<dyn Link>>) -> Result<Carrier, Trouble> {
    let place = at(&to.address, to.port);
    let unreachable =
        |why: String| Trouble::new(TroubleKind::Unreachable, format!("{} ({place}): {why}", target.name));
    match via {
        // Not `within`: many hosts may be behind one, and the time in which others have their turn does not count.
        Some(via) => {
            match via.tcp_within(&to.address, to.port, Millis(to.connect.as_millis() as u64)).await {
                Ok(wire) => Ok(Carrier::jump(wire, Rc::clone(&via))),
                // That the jump host's server forbids it will not change; that nobody answered may.
                Err(trouble) if trouble.kind == TroubleKind::TargetClosed => {
                    Err(unreachable(format!("not reached through the jump host: {}", trouble.what)))
                }
                Err(trouble) => {
                    Err(Trouble { what: format!("{}: {}", target.name, trouble.what), ..trouble })
                }
            }
        }
        None => match within(to.connect, dial_tcp(to)).await {
            None => Err(late(target, to, "the TCP connection", to.connect)),
            Some(Err(why)) => Err(unreachable(why)),
            Some(Ok(stream)) => Carrier::tcp(stream).map_err(|error| unreachable(error.to_string())),
        },
    }
}

/// Tries each address of a name. None may use up the time of those after it.
async fn dial_tcp(to: &Resolved) -> Result<TcpStream, String> {
    let found = lookup_host((to.address.as_str(), to.port)).await;
    let addresses: Vec<_> = found.map_err(|error| format!("its address is not found: {error}"))?.collect();
    let mut why = "its name has no address".to_owned();
    for (tried, address) in addresses.iter().enumerate() {
        let share = to.connect / (addresses.len() - tried) as u32;
        match within(share, TcpStream::connect(address)).await {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => why = format!("no connection: {error}"),
            None => why = format!("no answer from {address} within {:.1} s", share.as_secs_f32()),
        }
    }
    Err(why)
}

/// Key exchange, and the judgement on the host key.
async fn greet(
    target: &Target,
    to: &Resolved,
    known: &KnownHosts,
    carrier: Carrier,
    deadlines: &Deadlines,
) -> Result<(Pipe, Accepted), Trouble> {
    let legacy = |more: &str| if to.legacy_crypto { more.to_owned() } else { String::new() };
    let prefer = Preferences {
        kex: format!("{KEX}{}", legacy(LEGACY_KEX)),
        host_key: host_key::algorithms(known, to.legacy_crypto),
        cipher: format!("{CIPHERS}{}", legacy(LEGACY_CIPHERS)),
        mac: format!("{MACS}{}", legacy(LEGACY_MACS)),
    };
    let mut pipe = Pipe::new(carrier, &prefer).map_err(|fault| no_handshake(target, to, &fault, true))?;
    match within(deadlines.handshake, pipe.drive(|session| session.handshake())).await {
        None => {
            return Err(late(target, to, "the key exchange", deadlines.handshake)
                .hint("the server may be busy, or something on the way discard large packets (MTU)"));
        }
        Some(Err(fault)) => return Err(no_handshake(target, to, &fault, pipe.session.knows_sha1())),
        Some(Ok(())) => {}
    }
    let accepted = host_key::judge(&pipe.session.host_key(), known, to, target.name.as_str())?;
    Ok((pipe, accepted))
}

fn no_handshake(target: &Target, to: &Resolved, fault: &Fault, knows_sha1: bool) -> Trouble {
    let host = format!("{} ({})", target.name, at(&to.address, to.port));
    let Fault::NoCommonAlgorithm(why) = fault else {
        let why = match fault {
            Fault::Broken(why) | Fault::No(why) => why.clone(),
            other => format!("{other:?}"),
        };
        return Trouble::new(TroubleKind::Unreachable, format!("{host}: no SSH key exchange: {why}"))
            .hint("is an SSH server listening there, and does it let this machine in?");
    };
    let trouble = Trouble::new(
        TroubleKind::Settings,
        format!("{host}: no algorithm in common with its SSH server ({why})"),
    );
    match (to.legacy_crypto, knows_sha1) {
        (false, true) => trouble.hint("if it is an old device, set `legacy_crypto: true` for it"),
        (_, false) => trouble.hint(
            "it may want SHA-1, which this build of Blackstart has not; built with CFLAGS=\"-DLIBSSH2_RSA_SHA1_ENABLE \
             -DLIBSSH2_KEX_SHA1_ENABLE -DLIBSSH2_HMAC_SHA1_ENABLE -DLIBSSH2_3DES_ENABLE\", `legacy_crypto: true` allows it",
        ),
        (true, true) => trouble,
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    timeout(limit, work).await.ok()
}

fn late(target: &Target, to: &Resolved, what: &str, limit: Duration) -> Trouble {
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
