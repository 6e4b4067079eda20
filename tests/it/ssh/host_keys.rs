//! Which servers are believed to be who they say.

use super::client::*;
use super::helpers::sign_host_key;
use crate::support::sshd::{Sshd, SshdOptions, keygen, public_line, run};
use blackstart::transport::ssh::Target;
use blackstart::transport::wire::{Link, Trouble, TroubleKind};
use std::process::Command;

/// A target that believes just this text.
fn believing(sshd: &Sshd, known_hosts: &str) -> Target {
    let mut target = target(sshd);
    let file = sshd.path("believed");
    std::fs::write(&file, known_hosts).unwrap();
    target.settings.known_hosts = vec![text(&file)];
    target
}

async fn refused(target: &Target) -> Trouble {
    let trouble = reach(target).await.expect_err("this server must not be believed");
    assert_eq!(trouble.kind, TroubleKind::HostKey, "{trouble}");
    assert!(!trouble.try_again());
    assert!(trouble.what.contains("web1"), "{trouble}");
    trouble
}

#[test]
fn an_unknown_key_is_refused_with_the_command_that_accepts_it() {
    let sshd = Sshd::start();
    on_a_local_set(async {
        let target = believing(&sshd, "# nobody\nother.host ssh-ed25519 AAAA\n");
        let trouble = refused(&target).await;
        let print = run(Command::new("ssh-keygen").arg("-lf").arg(sshd.path("host_ed25519.pub")));
        let print = print.split_whitespace().nth(1).unwrap();
        let file = &target.settings.known_hosts[0];
        for part in ["ssh-ed25519", print, file, "not known"] {
            assert!(trouble.what.contains(part), "{part}: {trouble}");
        }
        let port = sshd.addr.port();
        let command = format!("ssh-keyscan -p {port} 127.0.0.1 >> {file}");
        assert!(trouble.hint.as_ref().unwrap().contains(&command), "{trouble}");

        // And the command does accept it.
        run(Command::new("sh").args(["-c", &format!("{command} 2>/dev/null")]));
        reach(&target).await.unwrap();
    });
    // Nobody tried to log in before the key was accepted.
    assert_eq!(sshd.log_text().matches("Accepted publickey").count(), 1);
}

#[test]
fn a_changed_key_is_refused_with_the_line_that_knew_the_old_one() {
    let sshd = Sshd::start();
    keygen(&sshd.path("older"), "ed25519", "");
    let name = format!("[127.0.0.1]:{}", sshd.addr.port());
    on_a_local_set(async {
        let target = believing(&sshd, &format!("# first\n{name} {}\n", public_line(&sshd.path("older.pub"))));
        let trouble = refused(&target).await;
        let file = &target.settings.known_hosts[0];
        assert!(
            trouble.what.contains("has changed") && trouble.what.contains(&format!("{file}:2")),
            "{trouble}"
        );
        let hint = trouble.hint.as_ref().unwrap();
        assert!(hint.contains(&format!("ssh-keygen -R '{name}' -f {file}")), "{trouble}");

        // A second line with the right key beside the wrong one is enough, as for ssh.
        let both = format!(
            "{name} {}\n{name} {}\n",
            public_line(&sshd.path("older.pub")),
            sshd.host_key_line("ed25519")
        );
        reach(&believing(&sshd, &both)).await.unwrap();
    });
}

#[test]
fn names_are_found_plain_hashed_wild_and_by_port_and_not_when_negated() {
    let sshd = Sshd::start();
    let key = sshd.host_key_line("ed25519");
    let port = sshd.addr.port();
    on_a_local_set(async {
        for names in [
            format!("[127.0.0.1]:{port}"),
            "127.0.0.1".to_owned(),
            format!("other,[127.0.0.?]:{port}"),
            "*".to_owned(),
            format!("[*]:{port},!elsewhere"),
        ] {
            reach(&believing(&sshd, &format!("{names} {key}\n")))
                .await
                .unwrap_or_else(|trouble| panic!("{names}: {trouble}"));
        }
        for names in [
            format!("[127.0.0.1]:{}", port ^ 1),
            format!("*,![127.0.0.1]:{port},!127.0.0.1"),
            "127.0.0.2".to_owned(),
        ] {
            refused(&believing(&sshd, &format!("{names} {key}\n"))).await;
        }
        let target = believing(&sshd, &format!("[127.0.0.1]:{port} {key}\n"));
        run(Command::new("ssh-keygen").args(["-q", "-H", "-f"]).arg(&target.settings.known_hosts[0]));
        let hashed = std::fs::read_to_string(&target.settings.known_hosts[0]).unwrap();
        assert!(hashed.starts_with("|1|"), "{hashed}");
        reach(&target).await.unwrap();
    });
}

#[test]
fn a_revoked_key_is_refused_whatever_else_vouches_for_it() {
    let sshd = Sshd::start();
    let key = sshd.host_key_line("ed25519");
    on_a_local_set(async {
        let trouble = refused(&believing(&sshd, &format!("* {key}\n@revoked * {key}\n"))).await;
        assert!(trouble.what.contains("revoked") && trouble.what.contains("believed:2"), "{trouble}");
    });
}

#[test]
fn the_key_type_that_is_known_is_asked_for() {
    let host_keys = vec!["ed25519", "ecdsa", "rsa"];
    let sshd = Sshd::with(SshdOptions { host_keys: host_keys.clone(), ..Default::default() });
    on_a_local_set(async {
        for kind in host_keys {
            let link = reach(&believing(&sshd, &format!("* {}\n", sshd.host_key_line(kind)))).await.unwrap();
            assert!(
                link.facts().contains(if kind == "rsa" { "rsa-sha2-512" } else { kind }),
                "{}",
                link.facts()
            );
        }
    });
}

#[test]
fn a_key_of_a_type_that_is_not_known_is_no_change() {
    let sshd = Sshd::start();
    keygen(&sshd.path("other"), "rsa", "");
    on_a_local_set(async {
        let known = format!("* {}\n", public_line(&sshd.path("other.pub")));
        let trouble = refused(&believing(&sshd, &known)).await;
        assert!(trouble.what.contains("not known") && trouble.what.contains("another type"), "{trouble}");
    });
}

/// A server that shows a host certificate, and the file of its authority.
fn certified(principal: &str, validity: &str, kind: &'static str) -> Sshd {
    let config = vec![format!("HostCertificate %DIR%/host_{kind}-cert.pub")];
    let keys = tempfile::tempdir().unwrap();
    let ca = keys.path().join("ca");
    keygen(&ca, "ed25519", "");
    let made = ca.clone();
    let (principal, validity) = (principal.to_owned(), validity.to_owned());
    let sshd =
        Sshd::with_prepared(SshdOptions { config, host_keys: vec![kind], ..Default::default() }, |dir| {
            sign_host_key(&made, &dir.join(format!("host_{kind}")), &principal, &validity);
        });
    std::fs::copy(keys.path().join("ca.pub"), sshd.path("ca.pub")).unwrap();
    sshd
}

#[test]
fn a_host_certificate_is_believed_when_its_authority_is() {
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let sshd = certified("127.0.0.1", "-5m:+1h", kind);
        let ca = public_line(&sshd.path("ca.pub"));
        on_a_local_set(async {
            let link = reach(&believing(&sshd, &format!("@cert-authority * {ca}\n"))).await.unwrap();
            assert!(link.facts().contains("certificate `a host`"), "{}", link.facts());
            // Where no authority is known, the plain key of the same server is judged.
            let link = reach(&believing(&sshd, &format!("* {}\n", sshd.host_key_line(kind)))).await.unwrap();
            assert!(link.facts().contains("known from"), "{}", link.facts());
            // An authority is not a host key, nor is a host key an authority.
            refused(&believing(&sshd, &format!("* {ca}\n"))).await;
            refused(&believing(&sshd, &format!("@cert-authority * {}\n", sshd.host_key_line(kind)))).await;
            // Its authority, or the key it certifies, may be revoked.
            let trouble =
                refused(&believing(&sshd, &format!("@cert-authority * {ca}\n@revoked * {ca}\n"))).await;
            assert!(trouble.what.contains("revoked"), "{trouble}");
            let key = sshd.host_key_line(kind);
            refused(&believing(&sshd, &format!("@cert-authority * {ca}\n@revoked * {key}\n"))).await;
        });
    }
}

#[test]
fn a_host_certificate_that_is_not_valid_is_refused() {
    for (principal, validity, says) in [
        ("elsewhere", "-5m:+1h", "not for `127.0.0.1` but for `elsewhere`"),
        ("127.0.0.1", "-2h:-1h", "not valid at this time"),
        ("127.0.0.1", "+1h:+2h", "not valid at this time"),
    ] {
        let sshd = certified(principal, validity, "ed25519");
        let ca = public_line(&sshd.path("ca.pub"));
        on_a_local_set(async {
            let trouble = refused(&believing(&sshd, &format!("@cert-authority * {ca}\n"))).await;
            assert!(trouble.what.contains(says), "{trouble}");
        });
    }
}

#[test]
fn a_host_certificate_of_another_authority_is_refused() {
    let sshd = certified("127.0.0.1", "-5m:+1h", "ed25519");
    keygen(&sshd.path("other_ca"), "ed25519", "");
    let other = public_line(&sshd.path("other_ca.pub"));
    on_a_local_set(async {
        let trouble = refused(&believing(&sshd, &format!("@cert-authority * {other}\n"))).await;
        assert!(trouble.what.contains("no @cert-authority line"), "{trouble}");
    });
}

#[test]
fn a_server_that_only_knows_sha_1_is_refused_with_the_reason() {
    let config = ["KexAlgorithms diffie-hellman-group14-sha1", "HostKeyAlgorithms ssh-rsa", "MACs hmac-sha1"];
    let sshd = Sshd::with(SshdOptions {
        config: config.map(str::to_owned).to_vec(),
        host_keys: vec!["rsa"],
        ..Default::default()
    });
    on_a_local_set(async {
        for legacy_crypto in [false, true] {
            let mut target = target(&sshd);
            target.settings.legacy_crypto = legacy_crypto;
            let trouble = reach(&target).await.unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::Settings, "{trouble}");
            assert!(trouble.what.contains("no algorithm in common"), "{trouble}");
            assert!(trouble.hint.as_ref().unwrap().contains("legacy_crypto: true"), "{trouble}");
        }
    });
}
