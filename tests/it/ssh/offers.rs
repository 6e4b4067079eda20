//! What the first packet of a key exchange offers, read off the wire.

use super::client::*;
use crate::support::sshd::{keygen, public_line};
use blackstart::transport::ssh::{Deadlines, connect_from};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// The name lists of a KEXINIT packet: key exchange, host key, cipher, code.
async fn offers(known_hosts: &str, legacy_crypto: bool) -> Vec<Vec<String>> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("known_hosts");
    std::fs::write(&file, known_hosts).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut target = target_of(settings(listener.local_addr().unwrap()));
    target.settings.known_hosts = vec![text(&file)];
    target.settings.legacy_crypto = legacy_crypto;
    let deadlines = Deadlines { handshake: Duration::from_secs(30), ..Deadlines::default() };
    let here = nowhere();
    let server = async {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        stream.write_all(b"SSH-2.0-test\r\n").await.unwrap();
        let mut banner = String::new();
        stream.read_line(&mut banner).await.unwrap();
        assert!(banner.starts_with("SSH-2.0-"), "{banner}");
        let length = stream.read_u32().await.unwrap() as usize;
        let mut packet = vec![0; length];
        stream.read_exact(&mut packet).await.unwrap();
        packet
    };
    let packet = tokio::select! {
        packet = server => packet,
        result = connect_from(&here, &target, &deadlines) => panic!("{:?}", result.map(|_| ())),
    };
    // Padding length, message number 20, cookie; then the lists.
    assert_eq!(packet[1], 20);
    let mut rest = &packet[18..];
    let mut lists = Vec::new();
    for _ in 0..6 {
        let (length, after) = rest.split_at(4);
        let (list, after) = after.split_at(u32::from_be_bytes(length.try_into().unwrap()) as usize);
        lists.push(
            String::from_utf8(list.to_vec()).unwrap().split(',').map(str::to_owned).collect::<Vec<_>>(),
        );
        rest = after;
    }
    // Both directions offer the same; one of each is enough.
    assert_eq!((&lists[2], &lists[4]), (&lists[3], &lists[5]));
    vec![lists[0].clone(), lists[1].clone(), lists[2].clone(), lists[4].clone()]
}

#[test]
fn post_quantum_comes_first_and_nothing_weak_is_offered() {
    on_a_local_set(async {
        let [kex, host_key, cipher, mac] = offers("", false).await.try_into().unwrap();
        let real: Vec<&String> =
            kex.iter().filter(|it| !it.starts_with("ext-") && !it.starts_with("kex-")).collect();
        assert_eq!(real[0], "mlkem768x25519-sha256");
        let classic = real.iter().position(|it| !it.starts_with("mlkem")).unwrap();
        assert_eq!(real[classic..classic + 2], ["ecdh-sha2-nistp256", "curve25519-sha256"]);
        // The cure for Terrapin, and RSA signatures with SHA-2.
        for extension in ["kex-strict-c-v00@openssh.com", "ext-info-c"] {
            assert!(kex.iter().any(|it| it == extension), "{kex:?}");
        }
        assert_eq!(host_key[0], "ssh-ed25519");
        for name in kex.iter().chain(&host_key).chain(&cipher).chain(&mac) {
            for weak in ["sha1", "ssh-rsa", "ssh-dss", "cbc", "3des", "md5", "group1-", "none", "arcfour"] {
                assert!(!name.contains(weak), "{name}");
            }
            assert!(!name.contains("cert"), "{name}: a certificate is of no use where no authority is known");
        }
    });
}

#[test]
fn certificates_are_offered_where_an_authority_is_known_and_known_types_come_first() {
    let dir = tempfile::tempdir().unwrap();
    let line = |kind: &str| {
        keygen(&dir.path().join(kind), kind, "");
        public_line(&dir.path().join(format!("{kind}.pub")))
    };
    let (rsa, ecdsa) = (line("rsa"), line("ecdsa"));
    on_a_local_set(async {
        let host_key = offers(&format!("* {rsa}\nother {ecdsa}\n"), false).await.remove(1);
        assert_eq!(host_key[..3], ["rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519"]);
        let host_key = offers(&format!("* {ecdsa}\n@cert-authority * {rsa}\n"), false).await.remove(1);
        assert_eq!(host_key[0], "ssh-ed25519-cert-v01@openssh.com");
        assert_eq!(host_key.iter().find(|it| !it.contains("cert")).unwrap(), "ecdsa-sha2-nistp256");
    });
}
