//! Guards where packets matter: a firewall that forgets nobody and lets nobody new in, dead links, hosts of systemd.

use super::{Desk, Lab, Live, Said, fresh, until, until_ledger};
use blackstart::model::Outcome;
use blackstart::model::event::{Event, JobKind};
use blackstart::model::guard::{GuardSeen, HeldBy};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

/// What is meant is 2 s, and printed is what was; no test depends on the speed of its machine.
const LATE_MAX: Duration = Duration::from_secs(30);

/// The classic lock-out: connections that stand go on, and no other one gets in.
const LOCK: &str = "nft -f - <<NFT
          table inet lockout {
            chain in { type filter hook input priority filter - 1; tcp dport 22 ct state new counter drop; }
          }
          NFT";
/// How it is taken back; the host writes down first how many it had turned away.
const UNLOCK: &str = "nft list table inet lockout >/srv/turned-away
          nft delete table inet lockout";

/// One guarded step on one host.
struct Story<'a> {
    lab: &'a Lab,
    desk: Desk<'a>,
    host: &'static str,
    runbook: PathBuf,
}

impl<'a> Story<'a> {
    fn new(lab: &'a Lab, name: &str, host: &'static str, [guard, run, undo]: [&str; 3]) -> Self {
        let text = format!(
            "version: 1\nname: {name}\nsecrets: {{ token: {{ env: TOKEN }} }}\nphases:\n  - id: isolate\n    steps:\n      \
             - id: lock\n        on: {host}\n        guard: {guard}\n        run: |\n          {run}\n        \
             undo: |\n          {undo}\n"
        );
        let runbook = lab.write(&format!("{name}.yaml"), &text);
        lab.ok(host, "rm -f /srv/back /srv/turned-away");
        fresh(lab, host);
        Self { lab, desk: Desk::new(lab, name), host, runbook }
    }

    fn start(&self) -> Live {
        self.desk.start(&self.desk.begin(&self.runbook, &[]))
    }

    /// What the jobs about the guard found, in the order of the journal.
    fn seen(&self) -> Vec<GuardSeen> {
        let seen = |event: &Event| match event {
            Event::JobEnded { facts, .. } => facts.guard.clone(),
            _ => None,
        };
        self.desk.records().iter().filter_map(|record| seen(&record.event)).collect()
    }

    /// Waits until the host took the change back, whoever may be asked, and says how late it began to.
    fn taken_back_in_time(&self, what: &str) {
        until(what, || self.lab.on(self.host, "test -e /srv/back").status.success());
        self.in_time(what);
    }

    fn in_time(&self, what: &str) {
        let run = self.desk.dir().expect("there is a run").id().to_string();
        let line = self.lab.ok(self.host, &format!("cat /root/.blackstart/{run}/*.arm.1.fired"));
        let words: Vec<u64> = line.split(' ').take(2).map(|word| word.parse().expect("a time")).collect();
        let late = Duration::from_millis(10 * words[0].checked_sub(words[1]).expect("not before its time"));
        println!("GUARD {what}: fired {late:?} after its time");
        assert!(late <= LATE_MAX, "{what}: {late:?} late");
    }

    /// The run has it on record that its guard took the change back, and nothing of a confirmation.
    fn told_that_it_fired(&self) {
        let seen = self.seen();
        let fired = |seen: &GuardSeen| matches!(seen, GuardSeen::Fired { undo: Outcome::Succeeded, .. });
        assert!(matches!(seen.as_slice(), [GuardSeen::Armed { .. }, last] if fired(last)), "{seen:?}");
        self.desk.verify();
    }

    fn became(&self) -> String {
        let said = self.desk.run(&["show", "last", "--format", "json"]).is(0);
        let facts: serde_json::Value = serde_json::from_str(&said.out).expect("a recap is JSON");
        facts["guards"][0]["became"].as_str().expect("it tells of the guard").to_owned()
    }

    fn is_locked(&self) -> bool {
        self.lab.on(self.host, "nft list table inet lockout").status.success()
    }
}

/// An operator's session on a host, over a connection of its own that stays.
struct Session(Child);

impl Session {
    fn open(lab: &Lab, host: &str) -> Self {
        let mut ssh = lab.command("ssh");
        ssh.arg("-F").arg(lab.dir().join("ssh_config")).args([host, "exec cat"]);
        let mut session = Self(ssh.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("ssh starts"));
        session.answers();
        session
    }

    /// What is said comes back.
    fn answers(&mut self) {
        writeln!(self.0.stdin.as_mut().expect("it listens"), "still there").expect("the session stands");
        let mut line = Vec::new();
        // A byte at a time: nothing is read ahead and lost with the reader.
        let out = self.0.stdout.as_mut().expect("it speaks");
        BufReader::with_capacity(1, out).read_until(b'\n', &mut line).expect("the session stands");
        assert_eq!(line, b"still there\n");
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn comes_in(lab: &Lab, host: &str) -> bool {
    let mut ssh = lab.command("ssh");
    ssh.arg("-F").arg(lab.dir().join("ssh_config")).args(["-o", "ConnectTimeout=3", host, "true"]);
    ssh.output().expect("ssh starts").status.success()
}

/// Packets that a rule with a counter has dropped.
fn turned_away(table: &str) -> u64 {
    let (_, rest) = table.split_once("counter packets ").expect("the rule counts");
    rest.split(' ').next().and_then(|count| count.parse().ok()).expect("it counts in numbers")
}

#[test]
fn a_lock_out_that_spares_the_old_link_is_taken_back_or_held_as_asked() {
    let lab = Lab::raise();
    let mut operator = Session::open(&lab, "vpn-gw");

    let story = Story::new(&lab, "reverts", "vpn-gw", ["{ within: 8s, otherwise: revert }", LOCK, UNLOCK]);
    let said = story.start().ended().is(22);
    assert!(said.out.contains("fired: the host took the change back"), "{said}");
    story.told_that_it_fired();
    story.in_time("conntrack lock-out");
    assert!(turned_away(&lab.ok("vpn-gw", "cat /srv/turned-away")) > 0, "fresh connections were tried");
    assert!(!story.is_locked() && comes_in(&lab, "vpn-gw"), "the host is as before");
    assert_eq!(story.became(), "fired");
    operator.answers();

    let story = Story::new(&lab, "holds", "vpn-gw", ["{ within: 6s, otherwise: hold }", LOCK, UNLOCK]);
    let said = story.start().ended().is(22);
    assert!(said.out.contains("expired unconfirmed: the change stays"), "{said}");
    assert!(matches!(story.seen().as_slice(), [GuardSeen::Armed { .. }, GuardSeen::Expired { .. }]));
    assert_eq!(story.became(), "expired");
    assert!(story.is_locked(), "it was held");
    operator.answers();
    let before = turned_away(&lab.ok("vpn-gw", "nft list table inet lockout"));
    assert!(before > 0, "fresh connections were tried");
    assert!(!comes_in(&lab, "vpn-gw"));
    assert!(turned_away(&lab.ok("vpn-gw", "nft list table inet lockout")) > before);
    // Somebody at the console opens it again; the next one to take the run up proves the way.
    lab.ok("vpn-gw", "nft delete table inet lockout");
    story.desk.run(&["resume", "last"]).is(0);
    assert!(matches!(story.seen().last(), Some(GuardSeen::ConfirmedLate { .. })), "{:?}", story.seen());
    assert_eq!(story.desk.starts("lock@vpn-gw", JobKind::Run).len(), 1, "it was done once");
    assert_eq!(story.became(), "confirmed");
}

const WORKS: &str = "/srv/ledger cut
          until [ -e /srv/go ]; do sleep 0.1; done";
const BACK: &str = "/srv/ledger back
          touch /srv/back";
/// The change itself cuts the link to the controller, in both directions and without a word.
const CUTS_ITSELF_OFF: &str = "nft -f - <<NFT
          table inet own_cut {
            chain in { type filter hook input priority raw; ip saddr 10.99.0.10 drop; }
            chain out { type filter hook output priority raw; ip daddr 10.99.0.10 drop; }
          }
          NFT";
const COMES_BACK: &str = "nft delete table inet own_cut
          touch /srv/back";
/// Every process of sshd on the host, by its number.
const KILL_SSHD: &str = "for p in /proc/[0-9]*; do read -r name <$p/comm && case $name in sshd*) kill -9 ${p#/proc/} ;; esac; done; \
                         rm -f /run/sshd.pid";

#[test]
fn a_guard_fires_with_the_link_down_sshd_and_blackstart_gone_and_tells_who_asks() {
    let lab = Lab::raise();
    let guard = "{ within: 6s, otherwise: revert }";

    // The link alone, from outside.
    let story = Story::new(&lab, "link", "app1", [guard, WORKS, BACK]);
    let live = story.start();
    until_ledger(&lab, "app1", "cut");
    lab.cut_link("app1");
    story.taken_back_in_time("link cut alone");
    lab.heal_link("app1");
    live.ended().is(22);
    story.told_that_it_fired();

    // The link alone, by the change itself: nobody but the guard can bring it back.
    let story = Story::new(&lab, "own-link", "app1", [guard, CUTS_ITSELF_OFF, COMES_BACK]);
    let live = story.start();
    story.taken_back_in_time("the change cuts its own link");
    live.ended().is(22);
    story.told_that_it_fired();

    // Everything at once.
    let story = Story::new(&lab, "all", "app1", [guard, WORKS, BACK]);
    let live = story.start();
    until_ledger(&lab, "app1", "cut");
    assert!(live.kill().is_none(), "it was at work");
    lab.cut_link("app1");
    lab.ok("app1", KILL_SSHD);
    assert!(!lab.on("app1", "pgrep -x sshd").status.success(), "no sshd is left");
    story.taken_back_in_time("blackstart and sshd killed, link down");
    lab.heal_link("app1");
    lab.ok("app1", "/srv/service restart ssh");
    assert_eq!(story.seen().len(), 1, "it was armed, and nobody has heard of it since");
    story.desk.run(&["resume", "last"]).is(22);
    story.told_that_it_fired();
}

/// Stands where a host's systemd-run is looked for first: writes down how it was called and what the command found,
/// and starts the command as systemd would, detached and with the environment it was given and no other.
const SYSTEMD_RUN: &str = r#"#!/bin/sh
if [ -z "$CLEAN" ]; then
  printf '%s\n' "$@" --- >>/srv/asked
  case $(cat /srv/mode) in
    fails) echo 'Failed to connect to bus: No such file or directory' >&2; exit 1 ;;
    idle) exit 0 ;;
  esac
  exec env -i CLEAN=1 PATH=/usr/bin:/bin sh "$0" "$@"
fi
while :; do
  case $1 in
    --setenv=*) export "${1#--setenv=}" ;;
    --*) ;;
    *) break ;;
  esac
  shift
done
unset CLEAN
setsid "$@" </dev/null >/dev/null 2>&1 &
"#;

fn systemd(lab: &Lab, mode: &str) {
    let install = format!(
        "mkdir -p /run/systemd/system; cat >/usr/local/sbin/systemd-run <<'FAKE'\n{SYSTEMD_RUN}FAKE\n\
         chmod 755 /usr/local/sbin/systemd-run; echo {mode} >/srv/mode; rm -f /srv/asked"
    );
    lab.ok("vpn-gw", &install);
}

fn with_token(story: &Story<'_>, token: &str) -> Said {
    let mut command = story.desk.command(&story.desk.begin(&story.runbook, &[]));
    let output = command.env("TOKEN", token).output().expect("blackstart can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// Is a secret of the undo left anywhere that a later reader would find it?
fn is_left_behind(lab: &Lab, token: &str) -> bool {
    lab.on("vpn-gw", &format!("grep -rqs {token} /root/.blackstart /srv /tmp /run")).status.success()
}

#[test]
fn where_systemd_runs_it_holds_the_guard_and_where_it_does_not_obey_the_guard_does_without() {
    let lab = Lab::raise();
    let token = "tkn-5e2a7b7c";
    let undo = format!("{UNLOCK}\n          printf %s {{{{ secrets.token }}}} | wc -c >/srv/back");
    let guard = "{ within: 8s, otherwise: revert, self_test: true }";

    systemd(&lab, "obeys");
    let story = Story::new(&lab, "systemd", "vpn-gw", [guard, LOCK, &undo]);
    with_token(&story, token).is(22);
    story.told_that_it_fired();
    story.in_time("held by systemd");
    assert_eq!(lab.ok("vpn-gw", "cat /srv/back").trim(), token.len().to_string(), "the undo had its secret");
    let armed = |held: HeldBy| matches!(&story.seen()[0], GuardSeen::Armed { held_by, tested: Some(_), .. } if *held_by == held);
    assert!(armed(HeldBy::Systemd), "{:?}", story.seen());
    let run = story.desk.dir().expect("there is a run").id().to_string();
    let asked = lab.ok("vpn-gw", "cat /srv/asked");
    let calls: Vec<Vec<&str>> =
        asked.split("---\n").filter(|call| !call.is_empty()).map(|call| call.lines().collect()).collect();
    assert_eq!(calls.len(), 2, "for the self-test, and for the guard: {asked}");
    for (call, end) in calls.iter().zip([".test", ""]) {
        let base = format!("/root/.blackstart/{run}/0-lock.arm.1{end}");
        let unit = format!("--unit=blackstart-{run}-0-lock.arm.1{end}");
        for wanted in ["--quiet", "--collect", &unit, "--property=KillMode=process", "--setenv=HOME=/root"] {
            assert!(call.contains(&wanted), "{wanted}: {asked}");
        }
        let command = [String::from("/bin/sh"), format!("{base}.sh"), format!("{base}.in")];
        assert_eq!(call[call.len() - 3..], command, "{asked}");
    }
    assert!(!asked.contains(token) && !is_left_behind(&lab, token), "{asked}");

    // It says no: the guard is a process of its own, and the journal says so.
    systemd(&lab, "fails");
    let story =
        Story::new(&lab, "no-bus", "vpn-gw", ["{ within: 5m, otherwise: revert }", "touch /srv/cut", &undo]);
    let said = with_token(&story, token).is(0);
    let seen = story.seen();
    assert!(
        matches!(
            seen.as_slice(),
            [GuardSeen::Armed { held_by: HeldBy::Detached, .. }, GuardSeen::Confirmed { .. }]
        ),
        "{seen:?}"
    );
    assert_eq!(lab.ok("vpn-gw", "grep -c -- --quiet /srv/asked").trim(), "1", "it was asked once: {said}");
    assert!(!is_left_behind(&lab, token));

    // It says yes and does nothing: no guard was seen to live, and nothing is changed.
    systemd(&lab, "idle");
    let story = Story::new(&lab, "idle", "vpn-gw", ["{ within: 5m, otherwise: revert }", LOCK, &undo]);
    let said = with_token(&story, token).is(22);
    assert!(said.out.contains("the guard cannot be armed: the guard did not come to life"), "{said}");
    assert_eq!(story.seen(), []);
    assert!(!story.is_locked() && story.desk.starts("lock@vpn-gw", JobKind::Run).is_empty(), "{said}");
    assert!(!is_left_behind(&lab, token));
}
