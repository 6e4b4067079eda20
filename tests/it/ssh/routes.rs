//! Ways to a host and beyond it: jump hosts, `~/.ssh/config`, forwarded connections, IPv6.

use super::client::*;
use crate::support::sshd::{Sshd, SshdOptions, current_user, free_port};
use blackstart::transport::ssh::{Deadlines, Surroundings, Target, connect_from};
use blackstart::transport::wire::{Closed, FromWire, Link, TroubleKind};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

#[test]
fn two_jump_hosts_lead_to_a_third() {
    let (first, second, third) = (Sshd::start(), Sshd::start(), Sshd::start());
    on_a_local_set(async {
        let one: Rc<dyn Link> = Rc::new(reach(&target(&first)).await.unwrap());
        let two: Rc<dyn Link> = Rc::new(reach(&Target { via: Some(one), ..target(&second) }).await.unwrap());
        let link = reach(&Target { via: Some(two), ..target(&third) }).await.unwrap();
        let said = exec(&link, "head -c 3000000 /dev/zero; echo $SSH_CONNECTION >&2; exit 9").await;
        assert_eq!((said.out.len(), said.closed), (3_000_000, Some(Closed::Exit(9))));
        let port = third.addr.port().to_string();
        assert!(String::from_utf8_lossy(&said.err).trim().ends_with(&port));

        // The first hop breaks under all three.
        let mut wire = link.open("echo here; exec cat").await.unwrap();
        first_bytes(&mut wire).await;
        first.kill_connections();
        let said = read(wire).await;
        let Some(Closed::Lost(why)) = said.closed else { panic!("{said:?}") };
        assert!(why.contains("jump host"), "{why}");
    });
}

#[test]
fn a_target_that_its_jump_host_cannot_reach_is_unreachable_and_a_forbidden_one_is_refused() {
    let (jump, target_host) = (Sshd::start(), Sshd::start());
    let strict = Sshd::with_config(&["AllowTcpForwarding no"]);
    on_a_local_set(async {
        let via: Rc<dyn Link> = Rc::new(reach(&target(&jump)).await.unwrap());
        let mut target_ = Target { via: Some(via), ..target(&target_host) };
        target_.settings.port = Some(free_port(Ipv4Addr::LOCALHOST.into()).port());
        let trouble = reach(&target_).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Unreachable, "{trouble}");
        assert!(trouble.what.contains("through the jump host"), "{trouble}");

        let via: Rc<dyn Link> = Rc::new(reach(&target(&strict)).await.unwrap());
        let trouble = reach(&Target { via: Some(via), ..target(&target_host) }).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Refused, "{trouble}");
    });
}

#[test]
fn a_forwarded_connection_tells_open_closed_and_forbidden_apart() {
    let sshd = Sshd::start();
    let strict = Sshd::with_config(&["AllowTcpForwarding no"]);
    on_a_local_set(async {
        let link = reach(&target(&sshd)).await.unwrap();
        // Open: an echo server of ours.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let echo = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut read, mut write) = stream.split();
            tokio::io::copy(&mut read, &mut write).await.unwrap();
        };
        let ask = async {
            let wire = link.tcp("127.0.0.1", port).await.unwrap();
            wire.to.send(b"are you there?".to_vec()).await.unwrap();
            read(wire).await
        };
        let ((), said) = tokio::join!(echo, ask);
        assert_eq!((said.out_text().as_str(), said.closed), ("are you there?", Some(Closed::NoStatus)));

        // By name, too.
        drop(link.tcp("localhost", sshd.addr.port()).await.unwrap());

        let closed = free_port(Ipv4Addr::LOCALHOST.into()).port();
        let trouble = link.tcp("127.0.0.1", closed).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::TargetClosed, "{trouble}");
        assert!(trouble.what.contains(&format!("127.0.0.1:{closed}")), "{trouble}");

        let trouble =
            reach(&target(&strict)).await.unwrap().tcp("127.0.0.1", sshd.addr.port()).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Refused, "{trouble}");
        assert!(trouble.what.contains("prohibited"), "{trouble}");
    });
}

#[test]
fn a_host_may_have_an_ipv6_address() {
    let sshd = Sshd::with(SshdOptions { ip: Some(Ipv6Addr::LOCALHOST.into()), ..Default::default() });
    on_a_local_set(async {
        let link = reach(&target(&sshd)).await.unwrap();
        assert_eq!(exec(&link, "exit 6").await.closed, Some(Closed::Exit(6)));
        let mut wire = link.tcp("::1", sshd.addr.port()).await.unwrap();
        assert!(
            matches!(wire.from.recv().await, Some(FromWire::Out(banner)) if banner.starts_with(b"SSH-2.0"))
        );
        // Unknown, it is named with brackets, and so is the command that would accept it.
        let mut stranger = target(&sshd);
        stranger.settings.known_hosts = vec![text(&sshd.path("none"))];
        let trouble = reach(&stranger).await.unwrap_err();
        assert!(trouble.what.contains(&format!("[::1]:{}", sshd.addr.port())), "{trouble}");
    });
}

#[test]
fn a_name_that_does_not_exist_is_unreachable() {
    on_a_local_set(async {
        let mut settings = settings("127.0.0.1:22".parse().unwrap());
        settings.address = "no-such-host.invalid".into();
        let trouble = reach(&target_of(settings)).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Unreachable);
        assert!(trouble.what.contains("not found"), "{trouble}");
    });
}

/// Surroundings with this `~/.ssh/config`.
fn configured(sshd: &Sshd, config: &str) -> Surroundings {
    let file = sshd.path("ssh_config");
    std::fs::write(&file, config).unwrap();
    Surroundings::elsewhere(&sshd.path("home"), None, Some(file))
}

/// A target that says nothing but an alias.
fn alias(name: &str) -> Target {
    let mut settings = settings("127.0.0.1:1".parse().unwrap());
    settings.address = name.into();
    settings.port = None;
    settings.user = None;
    settings.known_hosts = vec![];
    settings.ssh_config = true;
    target_of(settings)
}

fn block(alias: &str, sshd: &Sshd, more: &str) -> String {
    format!(
        "Host {alias}\n  HostName {}\n  Port {}\n  User {}\n  IdentityFile {}\n  UserKnownHostsFile {}\n{more}\n",
        sshd.addr.ip(),
        sshd.addr.port(),
        current_user(),
        sshd.user_key().display(),
        sshd.known_hosts().display()
    )
}

#[test]
fn the_configuration_of_ssh_is_honoured() {
    let sshd = Sshd::start();
    // Known only by its alias, by a file that only the configuration names.
    std::fs::write(sshd.known_hosts(), format!("the-vault {}\n", sshd.host_key_line("ed25519"))).unwrap();
    let here = configured(&sshd, &block("vault", &sshd, "  HostKeyAlias the-vault"));
    on_a_local_set(async {
        let link = connect_from(&here, &alias("vault"), &Deadlines::default()).await.unwrap();
        assert_eq!(exec(&link, "exit 5").await.closed, Some(Closed::Exit(5)));

        // The inventory wins over it, setting by setting.
        let mut wrong = alias("vault");
        wrong.settings.port = Some(free_port(Ipv4Addr::LOCALHOST.into()).port());
        let trouble = connect_from(&here, &wrong, &Deadlines::default()).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Unreachable, "{trouble}");

        // Switched off, the alias is only a name that nobody knows.
        let mut off = alias("vault");
        off.settings.ssh_config = false;
        let trouble = connect_from(&here, &off, &Deadlines::default()).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Unreachable, "{trouble}");
    });
}

#[test]
fn jump_hosts_of_the_configuration_are_gone_through() {
    let (first, second, last) = (Sshd::start(), Sshd::start(), Sshd::start());
    let config = [
        block("gate", &first, ""),
        block("inner", &second, ""),
        block("vault", &last, "  ProxyJump gate,inner"),
    ];
    let here = configured(&last, &config.concat());
    on_a_local_set(async {
        let link = connect_from(&here, &alias("vault"), &Deadlines::default()).await.unwrap();
        assert_eq!(exec(&link, "exit 5").await.closed, Some(Closed::Exit(5)));
    });
    for (sshd, times) in [(&first, 1), (&second, 1), (&last, 1)] {
        assert_eq!(sshd.log_text().matches("Accepted publickey").count(), times);
    }
}

#[test]
fn a_configuration_that_cannot_be_honoured_is_refused() {
    let sshd = Sshd::start();
    on_a_local_set(async {
        let here = configured(&sshd, &block("vault", &sshd, "  ProxyCommand nc %h %p"));
        let trouble = connect_from(&here, &alias("vault"), &Deadlines::default()).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Settings);
        assert!(trouble.what.contains("ProxyCommand"), "{trouble}");

        let here = configured(&sshd, "Host vault\n  NoSuchKeyword yes\n");
        let trouble = connect_from(&here, &alias("vault"), &Deadlines::default()).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Settings);
        assert!(trouble.what.contains("ssh -G vault"), "{trouble}");

        let trouble =
            connect_from(&here, &alias("-oProxyCommand=id"), &Deadlines::default()).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Settings);
    });
}
