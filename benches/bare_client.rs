//! The limit: connections that only run the commands, one exec a step, without lanes, receipts, journal or screen.
//!
//! `bare_client HOSTS STEPS PORT KEY KNOWN_HOSTS USER`: every step on all hosts before the next.

#![allow(clippy::disallowed_methods, reason = "a program of its own, with arguments of its own")]

use blackstart::model::Millis;
use blackstart::model::inventory::{Become, SshSettings};
use blackstart::model::names::HostName;
use blackstart::transport::Link;
use blackstart::transport::ssh::{Deadlines, SshLink, Surroundings, Target, connect_from};
use blackstart::transport::wire::{Closed, FromWire};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use tokio::task::JoinSet;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [hosts, steps, port, key, known_hosts, user] = &args[..] else {
        println!(
            "bare_client HOSTS STEPS PORT KEY KNOWN_HOSTS USER: a limit for the benchmark, run by `make bench`"
        );
        return;
    };
    let settings = |host: &str| SshSettings {
        address: host.to_owned(),
        port: Some(port.parse().expect("a port")),
        user: Some(user.clone()),
        identity_files: vec![key.clone()],
        agent: false,
        password: None,
        passphrase: None,
        jump: None,
        known_hosts: vec![known_hosts.clone()],
        ssh_config: false,
        becomes: Become::No,
        shell: None,
        receipts_dir: None,
        connect_timeout: Millis::from_secs(60),
        legacy_crypto: false,
    };
    let targets: Vec<Target> = hosts
        .split(',')
        .map(|host| {
            let name = HostName::from(host);
            Target { name, settings: settings(host), password: None, passphrase: None, via: None, tell: None }
        })
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let work = carry_out(targets, steps.parse().expect("a number of steps"));
    tokio::task::LocalSet::new().block_on(&runtime, work);
}

async fn carry_out(targets: Vec<Target>, steps: usize) {
    let nowhere = Rc::new(Surroundings::elsewhere(Path::new("/nonexistent"), None, None));
    let mut dialled = JoinSet::new();
    for target in targets {
        let nowhere = nowhere.clone();
        dialled.spawn_local(async move {
            let link = connect_from(&nowhere, &target, &patient()).await.expect("a connection");
            if steps > 0 {
                run(&link).await;
            }
            Rc::new(link)
        });
    }
    let links = dialled.join_all().await;
    for _ in 1..steps {
        let mut step = JoinSet::new();
        for link in &links {
            let link = link.clone();
            step.spawn_local(async move { run(&link).await });
        }
        step.join_all().await;
    }
}

/// It calls all hosts at once, and the one server behind a thousand of them takes its time.
fn patient() -> Deadlines {
    const LONG: Duration = Duration::from_secs(300);
    Deadlines { connect: LONG, handshake: LONG, auth: LONG, open: LONG, ..Deadlines::default() }
}

/// One command, to its end.
async fn run(link: &SshLink) {
    let mut wire = link.open("true").await.expect("a session");
    loop {
        match wire.from.recv().await {
            Some(FromWire::Out(_) | FromWire::Err(_)) => {}
            Some(FromWire::Closed(closed)) => return assert_eq!(closed, Closed::Exit(0)),
            None => panic!("the wire ended without a word"),
        }
    }
}
