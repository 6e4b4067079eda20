//! Servers that ask too much, too little or too often before they let us in. A password leaves us once.

use super::desk::{Desk, Known, PEAK_BYTES_MAX, one_step};
use super::polite::{Door, Manners, Server};

const PASSWORD: &str = "correct horse battery staple";

/// Runs a step at such a door; what was proved there, and the exit code.
fn at(door: Door, password: bool) -> (Vec<String>, super::desk::Ended) {
    let server = Server::with(Manners { door, ..Manners::default() });
    let more = if password { ", password: login" } else { "" };
    let host = Known { more: more.to_owned(), ..server.known("h1") };
    let mut desk = Desk::with(&[host], "secrets: { login: { env: BLACKSTART_TEST_PASSWORD } }\n");
    desk.env.push(("BLACKSTART_TEST_PASSWORD".to_owned(), PASSWORD.to_owned()));
    let ended = match door {
        Door::Silent => desk.run_once(&one_step("2s")),
        _ => desk.run(&one_step("2s")),
    };
    assert!(ended.peak_bytes < PEAK_BYTES_MAX, "{ended}");
    for text in [&ended.out, &ended.err, &format!("{:?}", ended.records)] {
        assert!(!text.contains(PASSWORD), "{text}");
    }
    let proofs = server.heard().proofs.clone();
    (proofs, ended)
}

fn times_sent(proofs: &[String]) -> usize {
    proofs.iter().map(|proof| proof.matches(PASSWORD).count()).sum()
}

#[test]
fn a_server_that_lets_everybody_in_gets_no_password() {
    let (proofs, ended) = at(Door::Open, true);
    assert_eq!((ended.code, times_sent(&proofs)), (Some(0), 0), "{proofs:?} {ended}");
    let reached = ended
        .records
        .iter()
        .any(|record| format!("{:?}", record.event).contains("the server wants no proof"));
    assert!(reached, "the journal says how: {ended}");
}

#[test]
fn a_server_for_which_no_proof_is_enough_is_left() {
    let (proofs, ended) = at(Door::NeverEnough, true);
    assert_eq!((ended.code, times_sent(&proofs)), (Some(22), 1), "{proofs:?} {ended}");
    assert!(proofs.len() <= 5, "{proofs:?}");
    assert!(ended.err.contains("nobody could log in"), "{ended}");
}

#[test]
fn a_server_that_asks_again_gets_the_password_once() {
    for door in [Door::AsksAgain, Door::AsksForMore] {
        let (proofs, ended) = at(door, true);
        assert_eq!((ended.code, times_sent(&proofs)), (Some(22), 1), "{door:?}: {} {ended}", proofs.len());
        let first = if door == Door::AsksForMore {
            format!("op answers |{PASSWORD}|")
        } else {
            format!("op answers {PASSWORD}")
        };
        assert_eq!(proofs[0], first, "the question that is typed unseen, and no other");
        assert!(ended.err.contains("talks without end"), "{ended}");
        assert!(ended.err.contains("the password was sent, and is not sent again in this run"), "{ended}");
    }
}

#[test]
fn a_server_that_never_says_whether_a_proof_is_good_is_left() {
    let (proofs, ended) = at(Door::Silent, false);
    assert_eq!((ended.code, proofs.len()), (Some(22), 0), "{ended}");
    assert!(ended.err.contains("login took longer than 30.0 s"), "{ended}");
}
