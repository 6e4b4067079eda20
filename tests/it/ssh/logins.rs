//! Who gets in with what, and what is said when nobody does.

use super::client::*;
use super::helpers::{Agent, LocalUser, sign_user_key};
use crate::support::sshd::{Sshd, keygen, run};
use blackstart::transport::ssh::{Deadlines, Surroundings, Target, connect_from};
use blackstart::transport::wire::{Closed, Link, TroubleKind};
use std::process::Command;

/// A target that offers just this key file.
fn with_key(sshd: &Sshd, key: &str) -> Target {
    let mut target = target(sshd);
    target.settings.identity_files = vec![text(&sshd.path(key))];
    target
}

#[test]
fn every_kind_of_key_gets_in() {
    let sshd = Sshd::start();
    for kind in ["ed25519", "ecdsa", "rsa"] {
        keygen(&sshd.path(kind), kind, "");
        sshd.authorize(&sshd.path(&format!("{kind}.pub")));
    }
    // The formats of OpenSSL, and a key whose public half lies nowhere.
    for (name, format) in [("pem_rsa", "PEM"), ("pkcs8_rsa", "PKCS8")] {
        keygen(&sshd.path(name), "rsa", "");
        sshd.authorize(&sshd.path(&format!("{name}.pub")));
        run(Command::new("ssh-keygen").args(["-q", "-p", "-N", "", "-m", format, "-f"]).arg(sshd.path(name)));
        std::fs::remove_file(sshd.path(&format!("{name}.pub"))).unwrap();
    }
    std::fs::remove_file(sshd.path("ed25519.pub")).unwrap();
    on_a_local_set(async {
        for key in ["ed25519", "ecdsa", "rsa", "pem_rsa", "pkcs8_rsa"] {
            let link =
                reach(&with_key(&sshd, key)).await.unwrap_or_else(|trouble| panic!("{key}: {trouble}"));
            assert_eq!(exec(&link, "exit 3").await.closed, Some(Closed::Exit(3)));
            assert!(link.facts().contains(key), "{}", link.facts());
        }
    });
}

#[test]
fn a_key_file_that_is_replaced_is_read_again() {
    let sshd = Sshd::start();
    for key in ["old", "new"] {
        keygen(&sshd.path(key), "ed25519", "");
    }
    sshd.authorize(&sshd.path("new.pub"));
    on_a_local_set(async {
        for (key, gets_in) in [("old", false), ("new", true), ("old", false)] {
            std::fs::copy(sshd.path(key), sshd.path("id")).unwrap();
            let result = reach(&with_key(&sshd, "id")).await;
            assert_eq!(result.is_ok(), gets_in, "{key}: {:?}", result.err());
        }
    });
}

#[test]
fn encrypted_keys_open_with_their_passphrase_and_say_so_without() {
    let sshd = Sshd::start();
    for kind in ["ed25519", "rsa"] {
        keygen(&sshd.path(kind), kind, "open sesame");
        sshd.authorize(&sshd.path(&format!("{kind}.pub")));
    }
    keygen(&sshd.path("pem"), "rsa", "open sesame");
    sshd.authorize(&sshd.path("pem.pub"));
    run(Command::new("ssh-keygen")
        .args(["-q", "-p", "-P", "open sesame", "-N", "open sesame", "-m", "PEM", "-f"])
        .arg(sshd.path("pem")));
    on_a_local_set(async {
        for key in ["ed25519", "rsa", "pem"] {
            let mut target = with_key(&sshd, key);
            target.passphrase = secret("open sesame");
            reach(&target).await.unwrap_or_else(|trouble| panic!("{key}: {trouble}"));

            target.passphrase = None;
            let trouble = reach(&target).await.unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::Login);
            assert!(trouble.what.contains("is encrypted, and no passphrase is given"), "{key}: {trouble}");
        }
        let mut target = with_key(&sshd, "ed25519");
        target.passphrase = secret("open barley");
        let trouble = reach(&target).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Login);
        assert!(trouble.what.contains("does not open with the passphrase"), "{trouble}");
        assert!(!format!("{trouble:?}").contains("barley"));
    });
}

#[test]
fn a_user_certificate_gets_in_where_it_is_valid() {
    let sshd = Sshd::with_config(&["TrustedUserCAKeys %DIR%/ca.pub", "AuthorizedKeysFile none"]);
    keygen(&sshd.path("ca"), "ed25519", "");
    let me = crate::support::sshd::current_user();
    for (name, kind, principal, validity) in [
        ("good", "ed25519", me.as_str(), "-5m:+1h"),
        ("for_ever", "ed25519", me.as_str(), "always:forever"),
        ("good_rsa", "rsa", me.as_str(), "-5m:+1h"),
        ("expired", "ed25519", me.as_str(), "-2h:-1h"),
        ("early", "ed25519", me.as_str(), "+1h:+2h"),
        ("stranger", "ed25519", "somebody-else", "-5m:+1h"),
    ] {
        keygen(&sshd.path(name), kind, "");
        sign_user_key(&sshd.path("ca"), &sshd.path(name), principal, validity);
    }
    on_a_local_set(async {
        for name in ["good", "for_ever", "good_rsa"] {
            let link =
                reach(&with_key(&sshd, name)).await.unwrap_or_else(|trouble| panic!("{name}: {trouble}"));
            assert_eq!(exec(&link, "true").await.closed, Some(Closed::Exit(0)));
        }
        let for_another = format!("its certificate `a user` is not for `{me}` but for `somebody-else`");
        for (name, why) in [
            ("expired", "its certificate `a user` has expired"),
            ("early", "its certificate `a user` is not valid yet"),
            ("stranger", &for_another),
        ] {
            let trouble = reach(&with_key(&sshd, name)).await.unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::Login, "{name}: {trouble}");
            assert!(trouble.what.contains(why), "{name}: {trouble}");
            assert!(
                trouble.what.contains(&format!("refused: key {}", sshd.path(name).display())),
                "{trouble}"
            );
        }
    });
}

#[test]
fn an_agent_s_key_gets_in_even_as_the_twentieth() {
    let sshd = Sshd::start();
    let agent = Agent::start(&sshd.path("agent.sock"));
    for nth in 0..19 {
        let other = sshd.path(&format!("other{nth}"));
        keygen(&other, "ed25519", "");
        agent.add(&other);
    }
    agent.add(&sshd.user_key());
    let here = Surroundings::elsewhere(&sshd.path("home"), Some(agent.socket.clone()), None);
    on_a_local_set(async {
        let mut target = target(&sshd);
        target.settings.agent = true;
        // The public half alone says which of the twenty it is.
        std::fs::copy(sshd.path("id.pub"), sshd.path("which.pub")).unwrap();
        target.settings.identity_files = vec![text(&sshd.path("which.pub"))];
        let link = connect_from(&here, &target, &Deadlines::default()).await.unwrap();
        assert_eq!(exec(&link, "exit 2").await.closed, Some(Closed::Exit(2)));
        assert!(link.facts().contains("login by agent key"), "{}", link.facts());

        // Without a hint the server would hang up over the first six. We stop before, and say what to do.
        target.settings.identity_files = vec![];
        let trouble = connect_from(&here, &target, &Deadlines::default()).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Login);
        assert!(trouble.what.contains("15 more keys"), "{trouble}");
        assert!(trouble.what.contains("the server takes publickey"), "{trouble}");
    });
    assert!(!sshd.log_text().contains("Too many authentication failures"), "{}", sshd.log_text());
}

#[test]
fn an_agent_that_is_gone_is_mentioned_and_keys_still_work() {
    let sshd = Sshd::start();
    let here = Surroundings::elsewhere(&sshd.path("home"), Some(sshd.path("nobody.sock")), None);
    on_a_local_set(async {
        let mut target = target(&sshd);
        target.settings.agent = true;
        connect_from(&here, &target, &Deadlines::default()).await.unwrap();
        target.settings.identity_files = vec![];
        let trouble = connect_from(&here, &target, &Deadlines::default()).await.unwrap_err();
        assert!(trouble.what.contains("nobody.sock cannot be used"), "{trouble}");
    });
}

#[test]
fn nobody_gets_in_with_the_wrong_key_and_the_error_says_what_was_tried() {
    let sshd = Sshd::start();
    keygen(&sshd.path("wrong"), "ed25519", "");
    on_a_local_set(async {
        let trouble = reach(&with_key(&sshd, "wrong")).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Login);
        assert!(!trouble.try_again());
        assert!(trouble.what.contains("web1") && trouble.what.contains("/wrong (SHA256:"), "{trouble}");
        assert!(trouble.hint.as_ref().unwrap().contains("authorized_keys"), "{trouble}");

        let trouble = reach(&with_key(&sshd, "missing")).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Settings);
        assert!(trouble.what.contains("missing: no such file"), "{trouble}");

        std::fs::write(sshd.path("garbage"), "not a key").unwrap();
        let trouble = reach(&with_key(&sshd, "garbage")).await.unwrap_err();
        assert!(trouble.what.contains("garbage: this is no key"), "{trouble}");

        let mut target = target(&sshd);
        target.settings.identity_files = vec![];
        let trouble = reach(&target).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Login);
        assert!(trouble.hint.as_ref().unwrap().contains("identity_file"), "{trouble}");
    });
}

#[test]
fn a_server_that_hangs_up_over_refusals_is_no_lost_link() {
    let sshd = Sshd::with_config(&["MaxAuthTries 2"]);
    keygen(&sshd.path("a"), "ed25519", "");
    keygen(&sshd.path("b"), "ed25519", "");
    on_a_local_set(async {
        let mut target = target(&sshd);
        target.settings.identity_files = ["a", "b", "id"].map(|key| text(&sshd.path(key))).to_vec();
        let trouble = reach(&target).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Login, "{trouble}");
        assert!(trouble.what.contains("hung up"), "{trouble}");
    });
}

#[test]
fn a_password_gets_in_and_a_wrong_one_is_sent_once() {
    let user = LocalUser::create("right horse");
    // A banner comes in the middle of every login.
    let banner = "Banner %DIR%/sshd_config";
    let sshd = Sshd::with_config(&["PasswordAuthentication yes", "KbdInteractiveAuthentication no", banner]);
    on_a_local_set(async {
        let mut target = target(&sshd);
        target.settings.user = Some(user.name.clone());
        target.settings.identity_files = vec![];
        target.password = secret("right horse");
        let link = reach(&target).await.unwrap();
        assert_eq!(exec(&link, "id -un").await.out_text().trim(), user.name);

        target.password = secret("wrong horse");
        let trouble = reach(&target).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Login);
        assert!(trouble.what.contains("refused: password"), "{trouble}");
        assert!(!trouble.to_string().contains("horse"));
    });
    assert!(sshd.wait_for_log("Failed password"));
    assert_eq!(sshd.log_text().matches("Failed password").count(), 1, "{}", sshd.log_text());
}

#[test]
fn keyboard_interactive_takes_the_password_once() {
    let user = LocalUser::create("right horse");
    // PAM asks the question.
    let sshd =
        Sshd::with_config(&["UsePAM yes", "PasswordAuthentication no", "KbdInteractiveAuthentication yes"]);
    on_a_local_set(async {
        let mut target = target(&sshd);
        target.settings.user = Some(user.name.clone());
        target.settings.identity_files = vec![];
        target.password = secret("right horse");
        let link = reach(&target).await.unwrap();
        assert!(link.facts().contains("keyboard-interactive"), "{}", link.facts());

        target.password = secret("wrong horse");
        let trouble = reach(&target).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Login);
        assert!(trouble.what.contains("refused: password (keyboard-interactive"), "{trouble}");
    });
    assert!(sshd.wait_for_log("Failed keyboard-interactive"), "{}", sshd.log_text());
    assert_eq!(sshd.log_text().matches("Failed keyboard-interactive").count(), 1, "{}", sshd.log_text());
}

#[test]
fn a_server_may_want_a_key_and_a_password() {
    let user = LocalUser::create("right horse");
    let sshd = Sshd::with_config(&["PasswordAuthentication yes", "AuthenticationMethods publickey,password"]);
    on_a_local_set(async {
        let mut target = target(&sshd);
        target.settings.user = Some(user.name.clone());
        target.password = secret("right horse");
        let link = reach(&target).await.unwrap();
        assert_eq!(exec(&link, "id -un").await.out_text().trim(), user.name);
    });
}
