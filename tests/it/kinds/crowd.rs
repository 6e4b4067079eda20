//! More hosts at once than their server lets log in at once.

use super::desk::Desk;
use crate::support::sshd::{Sshd, SshdOptions, current_user};
use std::net::{IpAddr, Ipv4Addr};

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
