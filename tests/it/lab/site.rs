//! The lab itself: it is what it claims to be, and leaves nothing behind.

use super::{Lab, SiteState};
use std::process::Command;

const CANARY: &str = "http://203.0.113.10:443/";

#[test]
fn a_raised_site_is_open_and_its_rows_are_right() {
    let lab = Lab::raise();
    lab.proof(SiteState::Healthy).unwrap_or_else(|seen| panic!("{seen}"));
    // The proof can fail: the same site is neither of the other two.
    assert!(lab.proof(SiteState::Compromised).is_err());
    assert!(lab.proof(SiteState::Recovered).is_err());
    let names = lab.ok("office-pc", "getent hosts app1; getent hosts db1.site.example");
    assert!(names.contains("10.20.0.4") && names.contains("10.20.0.5"), "{names}");
    let rows =
        lab.ok("db1", "cd / && runuser -u postgres -- psql -XAtqd records -c 'select count(*) from visits'");
    assert_eq!(rows.trim(), "20000");
}

#[test]
fn the_compromise_damages_rows_and_calls_home() {
    let lab = Lab::raise();
    lab.compromise();
    lab.proof(SiteState::Compromised).unwrap_or_else(|seen| panic!("{seen}"));
    let heard = "timeout 20 tail -n +1 -f /var/log/canary.log | grep -q -m 1 /beacon";
    lab.ok("internet", heard);
    lab.reset(&["db1", "office-pc", "vendor"]);
    lab.proof(SiteState::Healthy).unwrap_or_else(|seen| panic!("{seen}"));
}

#[test]
fn a_cut_at_the_edge_stops_what_is_under_way_too() {
    let lab = Lab::raise();
    assert!(lab.reaches("office-pc", CANARY));
    lab.compromise();
    lab.ok("edge-fw", "nft add table inet cut");
    lab.ok("edge-fw", "nft add chain inet cut in '{ type filter hook prerouting priority raw; }'");
    lab.ok("edge-fw", "nft add rule inet cut in iifname eth0 counter drop");
    assert!(!lab.reaches("office-pc", CANARY));
    assert!(!lab.reaches("internet", "http://203.0.113.1:8080/alive"));
    // The inside goes on as before, and so does the way of the vendor, which is another one.
    assert!(lab.reaches("office-pc", "http://10.20.0.4:8080/alive"));
    assert!(lab.reaches("vendor", "http://10.20.0.4:8080/alive"));
    lab.ok("edge-fw", "nft delete table inet cut");
    assert!(lab.reaches("office-pc", CANARY));
}

#[test]
fn ssh_reaches_every_host_and_trusts_only_known_keys() {
    let lab = Lab::raise();
    let ssh = |host: &str, options: &[&str]| {
        let mut ssh = lab.command("ssh");
        ssh.arg("-F")
            .arg(lab.dir().join("ssh_config"))
            .args(options)
            .args([host, "echo $(hostname) $(sudo -n id -un)"]);
        ssh.output().expect("ssh can be started")
    };
    for host in Lab::hosts() {
        let output = ssh(&host, &[]);
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{host} root\n"), "{output:?}");
    }
    let stranger = ssh("db1", &["-o", "UserKnownHostsFile=/dev/null"]);
    assert!(!stranger.status.success());
    assert!(
        String::from_utf8_lossy(&stranger.stderr).contains("Host key verification failed"),
        "{stranger:?}"
    );
}

#[test]
fn a_cut_link_is_silent_and_heals() {
    let lab = Lab::raise();
    let port = "timeout 2 bash -c 'exec 3<>/dev/tcp/10.20.0.5/22 && read -r line <&3 && echo $line'";
    assert!(lab.ok("mgmt", port).starts_with("SSH-2.0-OpenSSH"));
    lab.cut_link("db1");
    // 124: nothing came, neither an answer nor a refusal.
    assert_eq!(lab.on("mgmt", port).status.code(), Some(124));
    lab.ok("mgmt", &port.replace("10.20.0.5", "10.20.0.4"));
    lab.heal_link("db1");
    assert!(lab.ok("mgmt", port).starts_with("SSH-2.0-OpenSSH"));
}

#[test]
fn hosts_are_apart_and_what_touches_one_shows() {
    let lab = Lab::raise();
    let before = lab.fingerprint(&["db1", "app1"]);
    assert_eq!(before, lab.fingerprint(&["db1", "app1"]), "looking changes nothing");
    lab.ok("app1", "echo touched >/etc/touched");
    lab.ok("app1", "/srv/ledger one 1 && /srv/ledger two 2");
    assert_eq!(lab.ledger("app1"), ["one 1", "two 2"]);
    assert_ne!(before, lab.fingerprint(&["db1", "app1"]));
    assert!(!std::path::Path::new("/etc/touched").exists(), "the machine itself is untouched");
    assert!(!lab.on("db1", "test -e /etc/touched").status.success(), "its neighbour is untouched");
    let rows =
        "cd / && runuser -u postgres -- psql -Xqd records -c \"update patients set name = 'x' where id = 7\"";
    lab.reset(&["app1"]);
    assert_eq!(before, lab.fingerprint(&["db1", "app1"]), "a reset takes everything back");
    lab.ok("db1", rows);
    assert_ne!(before, lab.fingerprint(&["db1", "app1"]), "one value of one row shows");
}

#[test]
fn a_lab_taken_down_leaves_no_namespace_process_or_mount() {
    let lab = Lab::raise();
    let dir = lab.dir().to_owned();
    let id = std::fs::read_to_string(dir.join("id")).expect("a standing lab has an id");
    let prefix = format!("bs{}-", id.trim());
    let seen = |what: &str, args: &[&str]| {
        let output = Command::new(what).args(args).output().expect("the machine's tools can be started");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let processes = || {
        let all = seen("ps", &["-eo", "args"]);
        let marks = |line: &&str| line.contains("/host/init") && line.contains(&*dir.to_string_lossy());
        all.lines().filter(marks).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(seen("ip", &["netns", "list"]).contains(&prefix));
    assert!(!processes().is_empty());
    drop(lab);
    assert!(!seen("ip", &["netns", "list"]).contains(&prefix));
    assert_eq!(processes(), Vec::<String>::new());
    let mounts = std::fs::read_to_string("/proc/self/mounts").expect("there is a list of mounts");
    assert!(!mounts.contains(&*dir.to_string_lossy()) && !mounts.contains(&prefix), "{mounts}");
}
