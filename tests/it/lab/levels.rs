//! Isolation by levels and the way back, one conduit at a time, with packets: the shipped runbooks, while attackers try.

use super::Lab;
use super::outside::{Outside, now_ms};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

const RUN: &[&str] = &["--yes", "-e", "incident=INC-7", "--watch-services", "off"];
/// What each level takes from the attackers, by host and way.
const LEVELS: &[&[&str]] = &[
    &[
        "office-pc out-vendor",
        "vendor in-portal",
        "vendor in-database",
        "vendor in-ssh",
        "internet in-remote",
    ],
    &["office-pc portal", "office-pc dmz", "office-pc out-first", "office-pc out-second"],
    &["internet in-first", "internet in-second"],
];
/// The conduits of the way back, in its order, each with what it gives back to the attackers.
const WAY_BACK: &[(&str, &[&str])] = &[
    ("office-core", &["office-pc portal"]),
    ("isp-uplink", &["internet in-first"]),
    ("office-dmz", &["office-pc dmz", "office-pc out-first"]),
    ("isp2-uplink", &["office-pc out-second", "internet in-second"]),
    ("remote-access", &["internet in-remote"]),
    ("vendor-support", &["office-pc out-vendor"]),
    ("vendor-vpn", &["vendor in-portal", "vendor in-database", "vendor in-ssh"]),
];
const FIREWALLS: &[&str] = &["edge-fw", "edge2-fw", "core-fw", "vpn-gw"];
/// What does not happen in this time never will.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn levels_cut_one_after_the_other_and_the_way_back_cuts_again_what_fails() {
    let lab = Lab::raise();
    let outside = Outside::watch(&lab);
    let mut shut: Vec<&str> = Vec::new();
    for (level, more) in (1..).zip(LEVELS) {
        let until = format!("level:{level}");
        let said = carry_out(&lab, Lab::runbook("isolate-graduated.yaml"), &["--until", &until]);
        assert_eq!(said.status.code(), Some(0), "{until}: {}", text(&said));
        shut.extend(*more);
        outside.holds(now_ms(), &until, &shut);
    }
    outside.sealed(now_ms(), "level 3");
    comes_back(&lab, &outside);
}

/// Whatever is not open yet is shut from the moment in which the way back begins to the moment in which its own turn comes.
#[test]
fn the_whole_way_back_opens_one_conduit_after_the_other() {
    let lab = Lab::raise();
    let outside = Outside::watch(&lab);
    let said = carry_out(&lab, Lab::runbook("isolate-graduated.yaml"), &[]);
    assert_eq!(said.status.code(), Some(0), "isolated: {}", text(&said));
    let mut shut: Vec<&str> = LEVELS.iter().flat_map(|ways| ways.iter().copied()).collect();
    let mut cuts = tables(&lab);
    assert_eq!(cuts.len(), WAY_BACK.len(), "every conduit of the way back is cut: {cuts:?}");

    let mut since = now_ms();
    let mut said = carry_out(&lab, way_back(&lab, "1s"), &[]);
    for (conduit, gives_back) in WAY_BACK {
        assert_eq!(said.status.code(), Some(22), "a person must want {conduit} back: {}", text(&said));
        // Nothing that waits for its turn was open for a moment of the turn before it, its watch included.
        outside.holds(since, &format!("before {conduit} comes back"), &shut);
        assert_eq!(tables(&lab), cuts, "before {conduit} comes back");
        since = now_ms();
        approve(&lab, &format!("may-{conduit}"));
        said = blackstart(&lab, &["resume", "last", "--yes"]);
        shut.retain(|way| !gives_back.contains(way));
        cuts.retain(|cut| !cut.ends_with(&format!(" cut_{}", conduit.replace('-', "_"))));
    }
    assert_eq!(said.status.code(), Some(0), "the whole way back: {}", text(&said));
    assert_eq!((shut.as_slice(), tables(&lab)), ([].as_slice(), BTreeSet::new()));
    outside.all_open("after the way back");
    let seen = String::from_utf8_lossy(&blackstart(&lab, &["show", "last"]).stdout).into_owned();
    // What was shut by an earlier run was never to be open: nobody may read that as a proof that failed.
    for misleading in ["Cuts in place", "first cut", "prove nothing"] {
        assert!(!seen.contains(misleading), "{misleading}: {seen}");
    }
}

/// The shipped way back, with watches of this length.
fn way_back(lab: &Lab, watch: &str) -> PathBuf {
    let shipped = fs::read_to_string(Lab::runbook("reconnect.yaml")).expect("it is shipped");
    let shortened = shipped.replace("for: 10m", &format!("for: {watch}"));
    let shortened = shortened.replace("every: 15s", "every: 500ms");
    assert_ne!(shipped, shortened);
    lab.write("reconnect.yaml", &shortened)
}

/// The office and the first provider come back; in the provider's watch something lets the office out to the attackers.
fn comes_back(lab: &Lab, outside: &Outside<'_>) {
    // Long enough to be met in its middle, short enough to be waited for.
    let runbook = way_back(lab, "4s");
    // The first conduit stands its watch: everybody confirmed, nothing shows.
    let said = carry_out(lab, runbook, &[]);
    assert_eq!(said.status.code(), Some(22), "it waits for a person: {}", text(&said));
    approve(lab, "may-office-core");
    let said = blackstart(lab, &["resume", "last", "--yes"]);
    assert_eq!(said.status.code(), Some(22), "the next criterion: {}", text(&said));
    let mut shut: Vec<&str> = LEVELS.iter().flat_map(|ways| ways.iter().copied()).collect();
    shut.retain(|way| *way != "office-pc portal");
    outside.holds(now_ms(), "the office reaches the records", &shut);

    // The second is watched when a rule goes missing that kept the office from the web.
    approve(lab, "may-isp-uplink");
    let before = tables(lab);
    let live = start(lab, &["resume", "last", "--yes"]);
    until("the first provider is back", || !tables(lab).contains("edge-fw cut_isp_uplink"));
    outside_opens(lab);
    let said = live.wait_with_output().expect("a child can be waited for");
    assert_eq!(said.status.code(), Some(20), "the watch failed: {}", text(&said));
    let since = now_ms();
    let mut expected = before;
    expected.remove("core-fw cut_office_dmz");
    assert_eq!(
        tables(lab),
        expected,
        "the provider is cut again, and nothing else was touched: {}",
        text(&said)
    );
    // The office reaches the dmz by the rule that is missing, and not a step further.
    shut.retain(|way| *way != "office-pc dmz");
    outside.holds(since, "cut again", &shut);
}

/// The planted failure.
fn outside_opens(lab: &Lab) {
    lab.ok("core-fw", "nft delete table inet cut_office_dmz");
}

fn approve(lab: &Lab, step: &str) {
    let said = blackstart(lab, &["approve", "last", step]);
    assert_eq!(said.status.code(), Some(0), "{}", text(&said));
}

/// Every cut in place: `HOST TABLE`.
fn tables(lab: &Lab) -> BTreeSet<String> {
    let mut tables = BTreeSet::new();
    for host in FIREWALLS {
        let said = lab.ok(host, "nft list tables | awk '$3 ~ /^cut_/ { print $3 }'");
        tables.extend(said.lines().map(|table| format!("{host} {table}")));
    }
    tables
}

fn carry_out(lab: &Lab, runbook: PathBuf, more: &[&str]) -> Output {
    let mut command = lab.blackstart(&["run"]);
    command.arg(runbook).arg("-i").arg(lab.inventory()).args(RUN).args(more);
    command.output().expect("blackstart can be started")
}

fn blackstart(lab: &Lab, args: &[&str]) -> Output {
    lab.blackstart(args).output().expect("blackstart can be started")
}

fn start(lab: &Lab, args: &[&str]) -> Child {
    let mut command = lab.blackstart(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("blackstart can be started")
}

fn until(what: &str, so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < deadline, "{what}: not seen within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn text(output: &Output) -> String {
    let all = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&all).into_owned()
}
