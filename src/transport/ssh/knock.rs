//! Knocks at a server until it says who it is: dials, exchanges keys, judges the host key. One that has its hands full
//! hangs up on newcomers and takes them a moment later.

use super::carrier::Carrier;
use super::connect::{late, within};
use super::host_key::{self, Accepted};
use super::known_hosts::KnownHosts;
use super::opening::BUSY_OR_NARROW;
use super::pipe::Pipe;
use super::resolved::{Resolved, at};
use super::session::{Fault, Preferences};
use super::{Deadlines, Target};
use crate::model::Millis;
use crate::transport::lane::nonce;
use crate::transport::wire::{Link, Trouble, TroubleKind};
use std::rc::Rc;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, sleep};

/// What a server may say before keys are exchanged: lists of algorithms, keys, certificates, a line or two of greeting.
const HANDSHAKE_BYTES_MAX: usize = 256 * 1024;
/// Modern key exchanges, the post-quantum ones first. Of the two curves nistp256 comes first: it is as strong as curve25519,
/// government profiles (FIPS 140, BSI TR-02102-4) name it, and OpenSSH takes it from its library, where curve25519 is its
/// own plain C, which takes a host 2 ms of CPU more for each connection, and an old controller of a plant much more.
const KEX: &str = "mlkem768x25519-sha256,mlkem768nistp256-sha256,mlkem1024nistp384-sha384,ecdh-sha2-nistp256,\
    curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp384,ecdh-sha2-nistp521,\
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
/// The pause before the second knock; it doubles. A login takes about so long, and makes room.
const PAUSE_MIN: Duration = Duration::from_millis(250);
/// Waiting for longer than this is told while it lasts: people begin to wonder.
const TOLD_AFTER: Duration = Duration::from_secs(3);
/// No pause is longer, so that nobody sleeps while there is room.
const PAUSE_MAX: Duration = Duration::from_secs(3);

/// A server that said who it is and was believed.
pub(super) struct Entrance {
    /// The connection, with keys exchanged and nobody logged in.
    pub(super) pipe: Pipe,
    /// Why its host key was believed.
    pub(super) accepted: Accepted,
    /// Knocks that it took.
    pub(super) tries: u32,
}

/// Why a knock was in vain.
enum Closed {
    /// It hung up before it said who it is, as sshd does beyond `MaxStartups`: another knock may do better.
    ToNewcomers(Trouble),
    /// Another knock would be told the same.
    ForGood(Trouble),
}

/// Knocks, again and again while the server hangs up on newcomers, for as long as `Deadlines::busy` says.
pub(super) async fn knock(
    target: &Target,
    to: &Resolved,
    known: &KnownHosts,
    via: Option<Rc<dyn Link>>,
    deadlines: &Deadlines,
) -> Result<Entrance, Trouble> {
    let (tell_at, patience) = (Instant::now() + TOLD_AFTER, Instant::now() + deadlines.busy);
    let mut tell = target.tell.clone();
    let mut tries = 1;
    loop {
        let carrier = dial(target, to, via.clone()).await?;
        match greet(target, to, known, carrier, deadlines).await {
            Ok((pipe, accepted)) => return Ok(Entrance { pipe, accepted, tries }),
            Err(Closed::ForGood(trouble)) => return Err(trouble),
            Err(Closed::ToNewcomers(trouble)) => {
                let pause = pause(tries);
                if Instant::now() + pause >= patience {
                    return Err(turned_away(trouble, tries));
                }
                tracing::info!(host = %target.name, %trouble, ?pause, "knocks again");
                if Instant::now() + pause >= tell_at
                    && let Some(tell) = tell.take()
                {
                    tell(&waiting(target, to, tries, deadlines.busy));
                }
                sleep(pause).await;
                tries += 1;
            }
        }
    }
}

fn waiting(target: &Target, to: &Resolved, tries: u32, busy: Duration) -> String {
    format!(
        "{} ({}): its server hangs up on newcomers before it says who it is, {tries} times so far; knocking for up to \
         {} s (`MaxStartups` in its sshd_config limits who may log in at once)",
        target.name,
        at(&to.address, to.port),
        busy.as_secs(),
    )
}

fn turned_away(trouble: Trouble, tries: u32) -> Trouble {
    let what = format!("{}, {tries} times, before its server said who it is", trouble.what);
    Trouble { what, ..trouble }
        .hint("does it let this machine in? `MaxStartups` in its sshd_config limits who may log in at once")
}

/// From half to the whole of a time that doubles: those who were turned away together must not come back together.
fn pause(tries: u32) -> Duration {
    let whole = PAUSE_MAX.min(PAUSE_MIN * 2u32.pow((tries - 1).min(8)));
    let chance = u32::from_str_radix(&nonce()[..4], 16).expect("a nonce is hexadecimal");
    whole / 2 + whole / 2 * chance / 0x1_0000
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
) -> Result<(Pipe, Accepted), Closed> {
    let legacy = |more: &str| if to.legacy_crypto { more.to_owned() } else { String::new() };
    let prefer = Preferences {
        kex: format!("{KEX}{}", legacy(LEGACY_KEX)),
        host_key: host_key::algorithms(known, to.legacy_crypto),
        cipher: format!("{CIPHERS}{}", legacy(LEGACY_CIPHERS)),
        mac: format!("{MACS}{}", legacy(LEGACY_MACS)),
    };
    let mut pipe = Pipe::new(carrier, &prefer)
        .map_err(|fault| Closed::ForGood(no_handshake(target, to, &fault, true)))?;
    pipe.have_patience(Some(HANDSHAKE_BYTES_MAX));
    match within(deadlines.handshake, pipe.drive(|session| session.handshake())).await {
        None => {
            let hint = BUSY_OR_NARROW;
            return Err(Closed::ForGood(
                late(target, to, "the key exchange", deadlines.handshake).hint(hint),
            ));
        }
        Some(Err(fault)) => {
            let trouble = no_handshake(target, to, &fault, pipe.session.knows_sha1());
            // A line that is no identification may come before the end: libssh2 keeps the last line there was.
            let busy = matches!(fault, Fault::Broken(_))
                && !pipe.is_endless()
                && !pipe.session.server_version().starts_with("SSH-");
            return Err(if busy { Closed::ToNewcomers(trouble) } else { Closed::ForGood(trouble) });
        }
        Some(Ok(())) => {}
    }
    let accepted = host_key::judge(&pipe.session.host_key(), known, to, target.name.as_str());
    accepted.map(|accepted| (pipe, accepted)).map_err(Closed::ForGood)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_differ_and_end() {
        for tries in 1..40 {
            let whole = PAUSE_MAX.min(PAUSE_MIN * 2u32.pow((tries - 1).min(8)));
            for _ in 0..20 {
                let pause = pause(tries);
                assert!(pause >= whole / 2 && pause <= whole, "{tries}: {pause:?}");
            }
        }
        let many: std::collections::BTreeSet<Duration> = (0..20).map(|_| pause(5)).collect();
        assert!(many.len() > 10, "{many:?}");
    }
}
