//! Servers that close a session instead of starting its command, and answers that come too late or out of turn.

use super::client::*;
use super::helpers::{Dropbear, LocalUser};
use crate::hostile::rude::{
    CHANNEL_CLOSE, CHANNEL_DATA, CHANNEL_OPEN_FAILURE, CHANNEL_REQUEST, CHANNEL_SUCCESS, Rude, Talk, about,
    string,
};
use crate::support::sshd::keygen;
use blackstart::transport::ssh::SshLink;
use blackstart::transport::wire::{FromWire, Link, Trouble, TroubleKind, Wire};
use std::io;

const WINDOW: u32 = 64 * 1024;

/// A link to a made-up server.
async fn link_to(server: &Rude) -> (SshLink, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let known = dir.path().join("known_hosts");
    std::fs::write(&known, format!("[127.0.0.1]:{} {}\n", server.addr.port(), server.key)).unwrap();
    let key = dir.path().join("id");
    keygen(&key, "ed25519", "");
    let mut target = target_of(settings(server.addr));
    target.settings.known_hosts = vec![text(&known)];
    target.settings.identity_files = vec![text(&key)];
    (reach(&target).await.unwrap(), dir)
}

fn say_here(talk: &mut Talk, session: u32) -> io::Result<()> {
    talk.send(&[about(CHANNEL_DATA, session), string(b"here")].concat())?;
    talk.be_silent()
}

/// A command at this server gets to hear that, over a link that stands.
fn hears_here(server: &Rude) {
    on_a_local_set(async {
        let (link, _dir) = link_to(server).await;
        let Wire { mut from, .. } = link.open("anything").await.unwrap();
        assert_eq!(from.recv().await, Some(FromWire::Out(b"here".to_vec())));
        assert!(link.is_up());
    });
}

#[test]
fn a_command_whose_session_was_closed_unanswered_gets_another() {
    let server = Rude::inside(|talk| {
        for _ in 0..4 {
            let session = talk.open_channel(WINDOW)?;
            talk.wait_for(CHANNEL_REQUEST)?;
            talk.send(&about(CHANNEL_CLOSE, session))?;
        }
        let session = talk.take_channel(WINDOW)?;
        say_here(talk, session)
    });
    hears_here(&server);
}

#[test]
fn a_server_that_closes_every_session_is_told_of() {
    let server = Rude::inside(|talk| {
        loop {
            let session = talk.open_channel(WINDOW)?;
            talk.wait_for(CHANNEL_REQUEST)?;
            talk.send(&about(CHANNEL_CLOSE, session))?;
        }
    });
    on_a_local_set(async {
        let (link, _dir) = link_to(&server).await;
        let Trouble { kind, what, .. } = link.open("anything").await.unwrap_err();
        assert_eq!(kind, TroubleKind::Refused);
        assert!(what.contains("closed 5 sessions instead of starting a command"), "{what}");
    });
}

#[test]
fn an_answer_for_a_session_that_nobody_asked_for_is_not_taken_for_ours() {
    let server = Rude::inside(|talk| {
        // Before the one that is waited for, both for a session and for a command.
        let session = talk.asked_for()?;
        talk.send(
            &[
                about(CHANNEL_OPEN_FAILURE, session + 70),
                2u32.to_be_bytes().to_vec(),
                string(b""),
                string(b""),
            ]
            .concat(),
        )?;
        let session = talk.asked_for()?;
        talk.confirm(session, WINDOW)?;
        talk.wait_for(CHANNEL_REQUEST)?;
        talk.send(&about(CHANNEL_SUCCESS, session + 70))?;
        talk.send(&about(CHANNEL_SUCCESS, session))?;
        say_here(talk, session)
    });
    hears_here(&server);
}

#[test]
fn commands_start_while_others_end_whatever_the_make_of_the_server() {
    let user = LocalUser::create("right horse");
    let dropbear = Dropbear::start();
    on_a_local_set(async {
        let link = reach(&target_at(&dropbear, &user)).await.unwrap();
        let mut last: Option<Wire> = None;
        for _ in 0..300 {
            // Its end is asked for just as the next is started.
            drop(last.take());
            last = Some(link.open("read -r word; echo \"$word\"").await.unwrap());
        }
        let Wire { to, from } = last.unwrap();
        to.send(b"here\n".to_vec()).await.unwrap();
        drop(to);
        assert_eq!(read_rest(from).await.out_text(), "here\n");
    });
}
