//! More hosts at once than their server lets log in at once.

use super::desk::Desk;
use crate::support::live::{Live, until};
use crate::support::sshd::{Sshd, SshdOptions, current_user};
use std::io::copy;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::spawn;

const HOSTS: u8 = 20;

const BOOK: &str = "version: 1\nname: crowd\nphases:\n  - id: work\n    steps:\n      \
    - { id: says, on: all, run: 'echo \"$BLACKSTART_HOST\" >>\"$LEDGER\"', undo: not_needed, env: { LEDGER: \"@ledger@\" } }\n";

#[test]
fn twenty_hosts_behind_a_server_that_takes_three_at_once_all_get_in_and_that_is_told() {
    let ip = Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let config = vec!["MaxStartups 3".to_owned()];
    let sshd = Sshd::with(SshdOptions { ip, config, ..SshdOptions::default() });
    let port = sshd.addr.port();
    let mut desk = Desk::new("");
    for nth in 1..=HOSTS {
        let entry = format!(
            "address: 127.0.9.{nth}, port: {port}, user: {}, identity_file: {}, receipts_dir: {}",
            current_user(),
            sshd.user_key().display(),
            sshd.path("receipts").display()
        );
        let known = format!("[127.0.9.{nth}]:{port} {}\n", sshd.host_key_line("ed25519"));
        desk.host(&format!("h{nth:02}"), &entry, &known);
    }
    let ledger = desk.path("ledger");
    let ran = desk.run(&BOOK.replace("@ledger@", &ledger.display().to_string()), |_| {}).is(0);
    let mut seen: Vec<_> = std::fs::read_to_string(&ledger).unwrap().lines().map(str::to_owned).collect();
    seen.sort();
    assert_eq!(seen, desk.hosts(), "each once");
    // The server did turn some of them away, and both journal and screen tell of it.
    assert!(sshd.wait_for_log("MaxStartups"), "{}", sshd.log_text());
    let late =
        ran.reached().into_iter().filter(|how| how.contains("; at try ") && how.contains("MaxStartups"));
    assert!(late.count() > 0, "{:?}", ran.reached());
    assert!(ran.err.contains("; at try "), "{}", ran.said());
}

/// In front of `server`: hangs up on everybody until it is told to let them in.
fn door(server: SocketAddr, open: Arc<AtomicBool>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let addr = listener.local_addr().expect("it has one");
    spawn(move || {
        for near in listener.incoming().flatten().filter(|_| open.load(Ordering::Relaxed)) {
            let far = TcpStream::connect(server).expect("the server listens");
            let ends = [(&near, &far), (&far, &near)];
            for (from, to) in ends.map(|(from, to)| (from.try_clone(), to.try_clone())) {
                let (mut from, mut to) = (from.expect("a copy"), to.expect("a copy"));
                spawn(move || copy(&mut from, &mut to));
            }
        }
    });
    addr
}

#[test]
fn that_a_server_lets_nobody_in_is_told_while_it_lasts_and_once() {
    let sshd = Sshd::start();
    let open = Arc::new(AtomicBool::new(false));
    let door = door(sshd.addr, open.clone());
    let mut desk = Desk::new("");
    let entry = format!(
        "address: {}, port: {}, user: {}, identity_file: {}, receipts_dir: {}",
        door.ip(),
        door.port(),
        current_user(),
        sshd.user_key().display(),
        sshd.path("receipts").display()
    );
    desk.host(
        "busy",
        &entry,
        &format!("[{}]:{} {}\n", door.ip(), door.port(), sshd.host_key_line("ed25519")),
    );
    let ledger = desk.path("ledger");
    desk.write(&BOOK.replace("@ledger@", &ledger.display().to_string()));
    let mut command = desk.command(&["run", "runbook.yaml", "-i", "inventory.yaml", "--yes"]);
    let mut live = Live::start(&mut command, sshd.dir.path(), "run");
    let told = "its server hangs up on newcomers before it says who it is";
    until("the wait is told", || {
        live.must_run("the wait is told");
        live.text().contains(told)
    });
    open.store(true, Ordering::Relaxed);
    let said = live.ended().is(0);
    assert_eq!(said.err.matches(told).count(), 1, "{said}");
    let line = said.err.lines().find(|line| line.contains(told)).expect("it was found");
    assert!(line.contains("note: busy (") && line.contains("MaxStartups"), "{line}");
    assert_eq!(std::fs::read_to_string(&ledger).unwrap(), "busy\n");
}
