//! Wires over a connection: output, input, endings, many at once.

use super::client::*;
use super::helpers::{Dropbear, LocalUser};
use crate::support::sshd::{Sshd, SshdOptions, free_port};
use blackstart::transport::wire::{Closed, FromWire, Link, TroubleKind, Wire};
use std::net::Ipv4Addr;

const MEGABYTE: usize = 1024 * 1024;

#[test]
fn output_and_exit_status_come_back() {
    let sshd = Sshd::start();
    on_a_local_set(async {
        let link = reach(&target(&sshd)).await.unwrap();
        assert!(link.is_up());
        let said = exec(&link, "echo hello; echo trouble >&2; exit 7").await;
        assert_eq!((said.out_text().as_str(), &said.err[..]), ("hello\n", &b"trouble\n"[..]));
        assert_eq!(said.closed, Some(Closed::Exit(7)));
        for status in [0, 1, 255] {
            assert_eq!(exec(&link, &format!("exit {status}")).await.closed, Some(Closed::Exit(status)));
        }
        assert!(link.facts().contains("SHA256:"), "{}", link.facts());
        assert!(link.facts().contains("login by key"), "{}", link.facts());
    });
}

#[test]
fn a_signal_is_no_exit_status() {
    let sshd = Sshd::start();
    on_a_local_set(async {
        let link = reach(&target(&sshd)).await.unwrap();
        // `exec`, so that the shell itself is what the signal ends.
        assert_eq!(
            exec(&link, "exec sh -c 'kill -KILL $$'").await.closed,
            Some(Closed::Signal("KILL".into()))
        );
        assert_eq!(
            exec(&link, "exec sh -c 'kill -TERM $$'").await.closed,
            Some(Closed::Signal("TERM".into()))
        );
    });
}

#[test]
fn a_channel_that_the_server_closes_under_a_live_command_is_no_success() {
    // The command goes on on the host; libssh2's own answer would be exit status 0.
    let sshd = Sshd::with_config(&["ChannelTimeout session:command=1"]);
    on_a_local_set(async {
        let link = reach(&target(&sshd)).await.unwrap();
        let mut wire = link.open("exec cat").await.unwrap();
        // Its input stays open: only the server's timeout ends this.
        let mut last = None;
        while let Some(message) = wire.from.recv().await {
            last = Some(message);
        }
        assert_eq!(last, Some(FromWire::Closed(Closed::NoStatus)));
    });
}

#[test]
fn another_make_of_server_does_as_well() {
    let user = LocalUser::create("right horse");
    let dropbear = Dropbear::start();
    on_a_local_set(async {
        let link = reach(&target_at(&dropbear, &user)).await.unwrap();
        let sent = pattern(MEGABYTE);
        let said = echo(&link, &sent).await;
        assert!(said.out == sent, "{} of {} bytes", said.out.len(), sent.len());
        assert_eq!(exec(&link, "echo trouble >&2; exit 7").await.closed, Some(Closed::Exit(7)));
        assert_eq!(
            exec(&link, "exec sh -c 'kill -KILL $$'").await.closed,
            Some(Closed::Signal("KILL".into()))
        );
        let closed = free_port(Ipv4Addr::LOCALHOST.into()).port();
        assert_eq!(link.tcp("127.0.0.1", closed).await.unwrap_err().kind, TroubleKind::TargetClosed);
        let mut wire = link.tcp("127.0.0.1", dropbear.addr.port()).await.unwrap();
        assert!(
            matches!(wire.from.recv().await, Some(FromWire::Out(banner)) if banner.starts_with(b"SSH-2.0"))
        );
    });
}

#[test]
fn eight_megabytes_on_both_streams_at_once_arrive_whole() {
    let sshd = Sshd::start();
    on_a_local_set(async {
        let link = reach(&target(&sshd)).await.unwrap();
        let bytes = 8 * MEGABYTE;
        // All of stderr before any of stdout in the first, so that a reader of stdout alone would wait for ever.
        let commands = [
            format!("head -c {bytes} /dev/zero >&2; head -c {bytes} /dev/zero | tr '\\0' x"),
            format!("head -c {bytes} /dev/zero >&2 & head -c {bytes} /dev/zero | tr '\\0' x; wait"),
        ];
        for command in commands {
            let said = exec(&link, &command).await;
            assert_eq!((said.out.len(), said.err.len()), (bytes, bytes));
            assert!(said.out.iter().all(|&byte| byte == b'x') && said.err.iter().all(|&byte| byte == 0));
            assert_eq!(said.closed, Some(Closed::Exit(0)));
        }
    });
}

/// Bytes that show where one is missing, doubled or out of place.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at.wrapping_mul(31) ^ (at >> 8)) as u8).collect()
}

async fn echo(link: &dyn Link, sent: &[u8]) -> Said {
    let Wire { to, from } = link.open("cat").await.unwrap();
    let send = async {
        for chunk in sent.chunks(100_001) {
            to.send(chunk.to_vec()).await.unwrap();
        }
        drop(to);
    };
    tokio::join!(read_rest(from), send).0
}

#[test]
fn input_arrives_whole_and_its_end_is_seen() {
    let sshd = Sshd::start();
    on_a_local_set(async {
        let link = reach(&target(&sshd)).await.unwrap();
        let sent = pattern(5 * MEGABYTE);
        let said = echo(&link, &sent).await;
        assert!(said.out == sent, "{} of {} bytes", said.out.len(), sent.len());
        assert_eq!(said.closed, Some(Closed::Exit(0)));
    });
}

#[test]
fn new_keys_in_the_middle_lose_nothing() {
    // The server wants new keys after each 256 KiB, in both directions, while both are busy.
    let sshd = Sshd::with_config(&["RekeyLimit 256K"]);
    on_a_local_set(async {
        let link = reach(&target(&sshd)).await.unwrap();
        let sent = pattern(4 * MEGABYTE);
        let (one, other) = tokio::join!(echo(&link, &sent), echo(&link, &sent));
        assert!(one.out == sent && other.out == sent, "{} and {} bytes", one.out.len(), other.out.len());
        assert_eq!((one.closed, other.closed), (Some(Closed::Exit(0)), Some(Closed::Exit(0))));
    });
}

#[test]
fn one_reader_that_stalls_holds_up_nobody_else() {
    let sshd = Sshd::with_config(&["MaxSessions 40"]);
    on_a_local_set(async {
        let link = reach(&target(&sshd)).await.unwrap();
        // Far more than the queue and the window take, and nobody reads it.
        let stalled = link.open("head -c 33554432 /dev/zero").await.unwrap();
        let mut wires = Vec::new();
        for nth in 0..19 {
            wires.push(link.open(&format!("cat; exit {nth}")).await.unwrap());
        }
        // All nineteen are open side by side; each gets its own bytes and its own status back.
        for (nth, wire) in wires.iter().enumerate() {
            wire.to.send(format!("wire {nth}").into_bytes()).await.unwrap();
        }
        for (nth, wire) in wires.into_iter().enumerate() {
            let said = read(wire).await;
            assert_eq!(said.out_text(), format!("wire {nth}"));
            assert_eq!(said.closed, Some(Closed::Exit(nth as i32)));
        }
        let bulk = exec(&link, "head -c 8388608 /dev/zero").await;
        assert_eq!(bulk.out.len(), 8 * MEGABYTE);
        // The stalled one has lost nothing when its reader comes back.
        let said = read(stalled).await;
        assert_eq!(said.out.len(), 32 * MEGABYTE);
        assert_eq!(said.closed, Some(Closed::Exit(0)));
    });
}

#[test]
fn a_wire_that_is_dropped_gives_its_session_back() {
    // Two sessions: one for the wire, one for the spare that waits for the next command.
    let sshd = Sshd::with_config(&["MaxSessions 2"]);
    on_a_local_set(async {
        let link = reach(&target(&sshd)).await.unwrap();
        for _ in 0..12 {
            // The server frees a session when its process has ended, which is soon after the channel is closed.
            let mut wire = loop {
                match link.open("echo here; exec cat").await {
                    Ok(wire) => break wire,
                    Err(trouble) => assert_eq!(trouble.kind, TroubleKind::Refused, "{trouble}"),
                }
            };
            assert_eq!(first_bytes(&mut wire).await, b"here\n");
        }
    });
}

#[test]
fn too_many_sessions_are_refused_with_the_setting_that_limits_them() {
    let sshd = Sshd::with_config(&["MaxSessions 1"]);
    on_a_local_set(async {
        let link = reach(&target(&sshd)).await.unwrap();
        let wire = link.open("cat").await.unwrap();
        let trouble = link.open("true").await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Refused);
        assert!(trouble.to_string().contains("MaxSessions"), "{trouble}");
        // The link is as good as before, and so is the first wire.
        assert_eq!(read(wire).await.closed, Some(Closed::Exit(0)));
        assert_eq!(exec(&link, "exit 3").await.closed, Some(Closed::Exit(3)));
    });
}

#[test]
fn the_server_s_own_keepalives_are_answered_while_nothing_runs() {
    let config = ["ClientAliveInterval 1", "ClientAliveCountMax 2", "LogLevel DEBUG3"];
    let sshd = Sshd::with(SshdOptions { config: config.map(str::to_owned).to_vec(), ..Default::default() });
    on_a_local_set(async {
        let link = reach(&target(&sshd)).await.unwrap();
        // A server that got four answers has asked twice as often as
        // it asks a client that says nothing.
        let waiting = tokio::task::spawn_blocking({
            let log = sshd.log_handle();
            move || log.wait_for_count("for keepalive", 4)
        });
        assert!(waiting.await.unwrap(), "{}", sshd.log_text());
        assert!(link.is_up());
        assert_eq!(exec(&link, "exit 5").await.closed, Some(Closed::Exit(5)));
    });
}

#[test]
fn closing_the_link_ends_its_wires_at_once() {
    let sshd = Sshd::start();
    on_a_local_set(async {
        let link = reach(&target(&sshd)).await.unwrap();
        let mut wire = link.open("echo here; exec cat").await.unwrap();
        first_bytes(&mut wire).await;
        link.close();
        let said = read(wire).await;
        assert!(matches!(said.closed, Some(Closed::Lost(_))), "{said:?}");
        assert!(!link.is_up());
        let trouble = link.open("true").await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Lost);

        let link = reach(&target(&sshd)).await.unwrap();
        let mut wire = link.open("echo here; exec cat").await.unwrap();
        first_bytes(&mut wire).await;
        drop(link);
        assert!(matches!(wire.from.recv().await, Some(FromWire::Closed(Closed::Lost(_)))));
        assert!(sshd.wait_for_log("Received disconnect"), "{}", sshd.log_text());
    });
}

#[test]
fn a_command_that_cannot_be_started_is_refused() {
    let sshd = Sshd::with_config(&["ForceCommand internal-sftp"]);
    on_a_local_set(async {
        // The server starts sftp instead of what was asked for; nothing that looks like success comes back.
        let link = reach(&target(&sshd)).await.unwrap();
        let said = exec(&link, "echo hello").await;
        assert!(!said.out_text().contains("hello"));
    });
}
