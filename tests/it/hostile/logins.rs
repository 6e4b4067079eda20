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

/// Two hosts behind a jump host, each with a password of its own; what each of the three was told.
fn through(jump: Door, targets: Door) -> ([Vec<String>; 3], Vec<u8>, super::desk::Ended) {
    let at = |door| Server::with(Manners { door, ..Manners::default() });
    let (j, h1, h2) = (at(jump), at(targets), at(targets));
    let known = |server: &Server, name, more: &str| Known { more: more.to_owned(), ..server.known(name) };
    let hosts = [
        known(&j, "j", ", password: jump"),
        known(&h1, "h1", ", jump: j, password: one"),
        known(&h2, "h2", ", jump: j, password: two"),
    ];
    let secrets = "secrets: { jump: { env: JUMP }, one: { env: ONE }, two: { env: TWO } }\n";
    let mut desk = Desk::with(&hosts, secrets);
    for (name, value) in [("JUMP", "jump-horse"), ("ONE", "one-battery"), ("TWO", "two-staple")] {
        desk.env.push((name.to_owned(), value.to_owned()));
    }
    let again = "      - { id: again, on: all, run: echo again, undo: not_needed }\n";
    desk.write("runbook.yaml", &(one_step("2s").replace("on_failure: stop", "on_failure: continue") + again));
    let ended = desk.say(&["run", "-i", "site.yaml", "runbook.yaml", "--yes", "--limit", "h1,h2"]);
    let told = [&j, &h1, &h2].map(|server| server.heard().proofs.clone());
    let carried = j.heard().through.clone();
    (told, carried, ended)
}

#[test]
fn a_jump_host_that_refuses_its_password_gets_it_once_however_many_hosts_stand_behind_it() {
    let ([j, h1, h2], carried, ended) = through(Door::Refuses, Door::Password);
    assert_eq!((ended.code, j), (Some(22), vec!["op password jump-horse".to_owned()]), "{ended}");
    assert_eq!((h1.len(), h2.len(), carried.len()), (0, 0, 0), "nothing went beyond it: {ended}");
}

#[test]
fn a_host_behind_a_jump_host_gets_its_own_password_once_and_the_jump_host_none_of_it() {
    let ([j, h1, h2], carried, ended) = through(Door::Password, Door::Refuses);
    assert_eq!(ended.code, Some(22), "{ended}");
    assert_eq!(j, ["op password jump-horse"], "one way serves both: {ended}");
    assert_eq!(
        (h1, h2),
        (vec!["op password one-battery".to_owned()], vec!["op password two-staple".to_owned()])
    );
    for secret in ["jump-horse", "one-battery", "two-staple"] {
        assert_eq!(memchr::memmem::find(&carried, secret.as_bytes()), None, "{secret} in the clear");
    }
    assert!(carried.len() > 1000, "it went through");
}
