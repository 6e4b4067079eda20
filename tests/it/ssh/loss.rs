//! Links that break, hosts that fall silent, servers that never answer.

use super::client::*;
use super::proxy::Proxy;
use crate::support::sshd::Sshd;
use blackstart::model::Millis;
use blackstart::transport::ssh::{Deadlines, Surroundings, connect_from};
use blackstart::transport::wire::{Closed, FromWire, Link, Trouble, TroubleKind};
use rustix::net::{AddressFamily, SocketType};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

/// Short enough to wait for in a test.
const SOON: Duration = Duration::from_millis(300);

#[test]
fn a_killed_server_is_a_lost_link_and_never_an_exit_status() {
    let sshd = Sshd::start();
    on_a_local_set(async {
        let link = reach(&target(&sshd)).await.unwrap();
        let mut wire = link.open("echo here; exec cat").await.unwrap();
        assert_eq!(first_bytes(&mut wire).await, b"here\n");
        sshd.kill_connections();
        let said = read(wire).await;
        assert!(matches!(said.closed, Some(Closed::Lost(_))), "{said:?}");
        assert!(!link.is_up());
        let trouble = link.open("true").await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Lost);
        assert!(trouble.what.contains("web1"), "{trouble}");
    });
}

#[test]
fn what_came_before_the_loss_is_still_handed_out() {
    let sshd = Sshd::start();
    on_a_local_set(async {
        let link = reach(&target(&sshd)).await.unwrap();
        // More than the queue holds, less than the window.
        let mut wire = link.open("head -c 3000000 /dev/zero; echo end >&2; exec cat").await.unwrap();
        let mut got = 0;
        while got < 100_000 {
            got += first_bytes(&mut wire).await.len();
        }
        // The reader stops; everything up to the end is sent; then the server dies.
        let second = exec(&link, "sleep 0.2; pgrep -x nonesuch; true").await;
        assert_eq!(second.closed, Some(Closed::Exit(0)));
        sshd.kill_connections();
        let said = read(wire).await;
        assert!(matches!(said.closed, Some(Closed::Lost(_))), "{:?}", said.closed);
        assert!(got + said.out.len() <= 3_000_000);
        assert!(got + said.out.len() > 2_000_000, "{}", got + said.out.len());
    });
}

#[test]
fn a_black_hole_is_found_by_silence() {
    let sshd = Sshd::start();
    on_a_local_set(async {
        let proxy = Proxy::to(sshd.addr).await;
        let mut target = target(&sshd);
        target.settings = blackstart::model::inventory::SshSettings {
            identity_files: target.settings.identity_files.clone(),
            known_hosts: vec![known_as(&sshd, proxy.addr)],
            ..settings(proxy.addr)
        };
        let deadlines =
            Deadlines { keepalive: Duration::from_secs(2), keepalives_unanswered: 1, ..Deadlines::default() };
        let link = connect_from(&nowhere(), &target, &deadlines).await.unwrap();
        let mut wire = link.open("echo here; exec cat").await.unwrap();
        first_bytes(&mut wire).await;
        let started = tokio::time::Instant::now();
        proxy.swallow();
        let said = read(wire).await;
        let Some(Closed::Lost(why)) = said.closed else { panic!("{said:?}") };
        assert!(why.contains("keepalive"), "{why}");
        assert!(!link.is_up());
        // Not before it could know.
        assert!(started.elapsed() >= Duration::from_secs(2));
    });
}

#[test]
fn a_quiet_host_that_answers_keepalives_is_not_lost() {
    let sshd = Sshd::with_config(&["LogLevel DEBUG3"]);
    on_a_local_set(async {
        let deadlines =
            Deadlines { keepalive: Duration::from_secs(2), keepalives_unanswered: 1, ..Deadlines::default() };
        let link = connect_from(&nowhere(), &target(&sshd), &deadlines).await.unwrap();
        let wire = link.open("exec cat").await.unwrap();
        let log = sshd.log_handle();
        let waiting = tokio::task::spawn_blocking(move || log.wait_for_count("keepalive@libssh2.org", 3));
        assert!(waiting.await.unwrap(), "{}", sshd.log_text());
        assert!(link.is_up());
        drop(wire);
        assert_eq!(exec(&link, "exit 4").await.closed, Some(Closed::Exit(4)));
    });
}

/// A known_hosts file that knows the server under another address.
fn known_as(sshd: &Sshd, addr: SocketAddr) -> String {
    let file = sshd.path("known_as");
    std::fs::write(&file, format!("[{}]:{} {}\n", addr.ip(), addr.port(), sshd.host_key_line("ed25519")))
        .unwrap();
    text(&file)
}

/// A listener whose queue is full: its kernel answers no further connection.
struct Full {
    addr: SocketAddr,
    _listener: OwnedFd,
    _taken: Vec<TcpStream>,
}

impl Full {
    fn new() -> Self {
        let listener = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        rustix::net::bind(&listener, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let addr: SocketAddr = rustix::net::getsockname(&listener).unwrap().try_into().unwrap();
        let mut taken = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&addr, SOON) {
            taken.push(stream);
        }
        Self { addr, _listener: listener, _taken: taken }
    }
}

async fn refused_by(addr: SocketAddr, deadlines: Deadlines, here: &Surroundings) -> Trouble {
    let mut settings = settings(addr);
    settings.connect_timeout = Millis(deadlines.connect.as_millis() as u64);
    settings.agent = true;
    connect_from(here, &target_of(settings), &deadlines).await.unwrap_err()
}

#[test]
fn each_wait_of_a_connection_has_its_own_deadline_and_names_itself() {
    on_a_local_set(async {
        let short = |change: fn(&mut Deadlines)| {
            let mut deadlines = Deadlines::default();
            change(&mut deadlines);
            deadlines
        };
        let full = Full::new();
        let trouble = refused_by(full.addr, short(|it| it.connect = SOON), &nowhere()).await;
        assert_eq!(trouble.kind, TroubleKind::Unreachable);
        // Of one address, or of the wait as a whole: with one address both are over at the same time.
        let says =
            ["no answer", "the TCP connection took longer"].iter().any(|says| trouble.what.contains(says));
        assert!(trouble.what.contains("0.3 s") && says, "{trouble}");

        // Accepts and says nothing.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let trouble =
            refused_by(silent.local_addr().unwrap(), short(|it| it.handshake = SOON), &nowhere()).await;
        assert_eq!(trouble.kind, TroubleKind::Unreachable);
        assert!(trouble.what.contains("the key exchange took longer than 0.3 s"), "{trouble}");

        // Nobody there at all.
        let free = crate::support::sshd::free_port(Ipv4Addr::LOCALHOST.into());
        let trouble = refused_by(free, Deadlines::default(), &nowhere()).await;
        assert_eq!(trouble.kind, TroubleKind::Unreachable);
        assert!(trouble.what.contains("refused"), "{trouble}");
    });
}

#[test]
fn a_server_that_closes_at_once_is_knocked_at_again_and_then_unreachable() {
    on_a_local_set(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let knocks = std::rc::Rc::new(std::cell::Cell::new(0));
        let heard = knocks.clone();
        tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                heard.set(heard.get() + 1);
                drop(stream);
            }
        });
        let deadlines = Deadlines { busy: Duration::from_secs(2), ..Deadlines::default() };
        let trouble = refused_by(addr, deadlines, &nowhere()).await;
        assert_eq!(trouble.kind, TroubleKind::Unreachable);
        assert!(knocks.get() >= 2, "{}", knocks.get());
        let told = format!("{} times, before its server said who it is", knocks.get());
        assert!(trouble.what.contains(&told), "{trouble}");
        assert!(trouble.hint.as_ref().unwrap().contains("MaxStartups"), "{trouble}");
        assert!(trouble.what.contains("clos") || trouble.what.contains("reset"), "{trouble}");
    });
}

#[test]
fn a_login_that_the_server_never_decides_ends_at_its_deadline() {
    let user = crate::support::sshd::current_user();
    let user = format!("AuthorizedKeysCommandUser {user}");
    let sshd =
        Sshd::with_config(&["AuthorizedKeysCommand /usr/bin/sleep 30", &user, "AuthorizedKeysFile none"]);
    on_a_local_set(async {
        let deadlines = Deadlines { auth: SOON, ..Deadlines::default() };
        let trouble = connect_from(&nowhere(), &target(&sshd), &deadlines).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Unreachable);
        assert!(trouble.what.contains("login took longer than 0.3 s"), "{trouble}");
    });
}

#[test]
fn an_agent_that_never_answers_ends_at_the_login_s_deadline() {
    let sshd = Sshd::start();
    let socket = sshd.path("agent");
    let _agent = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    on_a_local_set(async {
        let here = Surroundings::elsewhere(&sshd.path("home"), Some(socket), None);
        let deadlines = Deadlines { auth: SOON, ..Deadlines::default() };
        let mut target = target(&sshd);
        target.settings.agent = true;
        let trouble = connect_from(&here, &target, &deadlines).await.unwrap_err();
        assert!(trouble.what.contains("login took longer than 0.3 s"), "{trouble}");
    });
}

#[test]
fn a_port_that_never_answers_is_closed_and_holds_up_no_command() {
    let sshd = Sshd::start();
    let full = Full::new();
    on_a_local_set(async {
        let link = reach(&target(&sshd)).await.unwrap();
        let port = full.addr.port();
        let (probe, said) =
            tokio::join!(link.tcp_within("127.0.0.1", port, Millis(800)), exec(&link, "exit 6"));
        let trouble = probe.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::TargetClosed, "{trouble}");
        assert!(trouble.what.contains("no answer"), "{trouble}");
        assert_eq!(said.closed, Some(Closed::Exit(6)));
        // libssh2 has forgotten the one that hung: others can be opened after it.
        assert_eq!(exec(&link, "exit 8").await.closed, Some(Closed::Exit(8)));
        let mut wire = link.tcp("127.0.0.1", sshd.addr.port()).await.unwrap();
        let Some(FromWire::Out(banner)) = wire.from.recv().await else { panic!("no banner") };
        assert!(banner.starts_with(b"SSH-2.0"));
    });
}

#[test]
fn a_port_behind_a_host_that_fell_silent_is_not_called_closed() {
    let sshd = Sshd::start();
    on_a_local_set(async {
        let proxy = Proxy::to(sshd.addr).await;
        let mut target = target_of(settings(proxy.addr));
        target.settings.identity_files = vec![text(&sshd.user_key())];
        target.settings.known_hosts = vec![known_as(&sshd, proxy.addr)];
        let link = reach(&target).await.unwrap();
        // After this nothing else is on its way, so the next request is the one that the hole swallows.
        drop(link.tcp("127.0.0.1", sshd.addr.port()).await.unwrap());
        proxy.swallow();
        let trouble = link.tcp_within("127.0.0.1", sshd.addr.port(), Millis(300)).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Unreachable, "{trouble}");
    });
}

#[test]
fn an_open_port_is_found_however_many_silent_ones_are_asked_before_it() {
    let sshd = Sshd::start();
    let full = Full::new();
    on_a_local_set(async {
        let link = reach(&target(&sshd)).await.unwrap();
        let silent = full.addr.port();
        let limit = Millis(1500);
        let (one, two, three, open) = tokio::join!(
            link.tcp_within("127.0.0.1", silent, limit),
            link.tcp_within("127.0.0.2", silent, limit),
            link.tcp_within("127.0.0.1", silent, limit),
            link.tcp_within("127.0.0.1", sshd.addr.port(), limit),
        );
        // The second is another address, where nobody listens: it refuses at once.
        for trouble in [one.unwrap_err(), two.unwrap_err(), three.unwrap_err()] {
            assert_eq!(trouble.kind, TroubleKind::TargetClosed, "{trouble}");
        }
        let mut wire = open.expect("it was waiting behind silent ones for longer than its limit");
        assert!(
            matches!(wire.from.recv().await, Some(FromWire::Out(banner)) if banner.starts_with(b"SSH-2.0"))
        );
    });
}
