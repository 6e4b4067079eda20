//! `kill -9` at random moments, `resume`, again and again: nothing is started twice, nothing is lost.

use super::judge::{Tally, judge};
use super::{Desk, Lab, until};
use crate::lab::SiteState;
use crate::sim::rng::Rng;
use std::fs;
use std::time::{Duration, Instant};

const RUNBOOK: &str = include_str!("ledger.yaml");
const HOSTS: [&str; 4] = ["office-pc", "app1", "db1", "backup"];
/// What steps of the runbook call: notes the start, works for a moment, leaves or takes away a file.
const ACT: &str = r#"#!/bin/sh
# act run|undo SECONDS, act is-there
dir=/var/lib/crash/$BLACKSTART_RUN
if [ "$1" = is-there ]; then exec test -s "$dir/$BLACKSTART_STEP"; fi
/srv/ledger "$BLACKSTART_RUN $1 $BLACKSTART_STEP $BLACKSTART_ATTEMPT"
sleep "$2"
mkdir -p "$dir"
case $1 in
  run) echo "$BLACKSTART_STEP" >>"$dir/$BLACKSTART_STEP" ;;
  undo) rm "$dir/$BLACKSTART_STEP" ;;
esac
"#;
/// A run takes some ten kills; more runs than one for every four kills mean that kills do not hit.
const KILLS_A_RUN_MIN: u32 = 4;
/// Kills that one run gets at most: then it may end in peace.
const KILLS_A_RUN_MAX: u32 = 20;

/// `SEED=n` replays the choices of a run; the world adds its own.
fn seed() -> u64 {
    let chosen = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    chosen.unwrap_or_else(|| uuid::Uuid::now_v7().as_u128() as u64)
}

#[test]
fn fifty_crashes_start_nothing_twice_and_lose_nothing() {
    crashes_start_nothing_twice_and_lose_nothing(50);
}

/// Kills the ledger runbook so often, over all of its runs, and judges each of them.
pub fn crashes_start_nothing_twice_and_lose_nothing(kills_min: u32) {
    let seed = seed();
    println!("SEED={seed}");
    let lab = Lab::raise();
    for host in HOSTS {
        lab.ok(host, &format!("cat >/srv/act <<'ACT'\n{ACT}ACT\nchmod 755 /srv/act"));
    }
    let runbook = lab.write("ledger.yaml", RUNBOOK);
    let mut ends = Vec::new();
    for (name, end, code) in [("good", "end=good", 0), ("bad", "end=bad", 20)] {
        let desk = Desk::new(&lab, &format!("undisturbed-{name}"));
        desk.run(&desk.begin(&runbook, &["-e", end])).is(code);
        assert!(judge(&desk) > 15);
        ends.push((end, code, files(&desk)));
    }
    assert_ne!(ends[0].2, ends[1].2, "the runbook leaves something behind when it goes well");

    let mut rng = Rng::new(seed);
    let mut tally = Tally::default();
    let mut runs = 0;
    while tally.kills < kills_min || runs < 4 {
        assert!(runs * KILLS_A_RUN_MIN < kills_min, "{tally:?}");
        let (end, code, files_then) = &ends[runs as usize % 2];
        let desk = Desk::new(&lab, &format!("killed-{runs}"));
        kill_until_done(&desk, &desk.begin(&runbook, &["-e", end]), *code, &mut rng, &mut tally);
        tally.add(&desk.records());
        tally.lines += judge(&desk);
        assert_eq!(files(&desk), *files_then, "run {runs} leaves what an undisturbed one leaves");
        runs += 1;
    }
    println!("{runs} runs: {tally:?}");
    assert!(tally.hits * 4 >= tally.kills, "too few kills met a job: {tally:?}");
    for (found, at_least) in [("ended", 10), ("never started", 3)] {
        let read = tally.found.get(found).copied().unwrap_or(0);
        assert!(read >= at_least, "too few receipts said `{found}`: {tally:?}");
    }
    assert!(tally.thirds.iter().all(|kills| *kills >= 3), "kills are not spread over the runs: {tally:?}");
}

#[test]
fn a_restore_that_is_killed_again_and_again_ends_like_any_other() {
    let seed = seed();
    println!("SEED={seed}");
    let lab = Lab::raise();
    lab.compromise();
    let desk = Desk::new(&lab, "restore");
    let (mut rng, mut tally) = (Rng::new(seed), Tally::default());
    let runbook = Lab::runbook("isolate-and-restore.yaml");
    kill_until_done(&desk, &desk.begin(&runbook, &["-e", "incident=K9"]), 0, &mut rng, &mut tally);
    tally.add(&desk.records());
    println!("{tally:?}");
    assert!(tally.kills >= 4, "{tally:?}");
    assert_eq!(tally.found.get("no receipt"), None, "no host lost a receipt: {tally:?}");
    lab.proof(SiteState::Recovered).unwrap_or_else(|seen| panic!("{seen}"));
}

/// Starts the run, kills it, resumes it, kills it, until it ends by itself, with `code`.
fn kill_until_done(desk: &Desk<'_>, begin: &[&str], code: i32, rng: &mut Rng, tally: &mut Tally) {
    for kills in 0.. {
        let live = match desk.dir() {
            None => desk.start(begin),
            Some(_) => desk.start(&["resume", "last"]),
        };
        if kills == KILLS_A_RUN_MAX {
            live.ended().is(code);
            break;
        }
        let mut live = live;
        await_moment(desk, &mut live, rng);
        if let Some(said) = live.kill() {
            said.is(code);
            break;
        }
        tally.kills += 1;
        match desk.records().is_empty() {
            true => tally.before_journal += 1,
            false => desk.verify(),
        }
    }
    desk.verify();
    desk.run(&["resume", "last"]).is(code);
}

/// A random moment: so many records further, and a little later; or a short while after the start.
fn await_moment(desk: &Desk<'_>, live: &mut super::Live, rng: &mut Rng) {
    let lines = || {
        let journal = desk.dir().map(|dir| fs::read(dir.journal_path()).unwrap_or_default());
        journal.unwrap_or_default().iter().filter(|byte| **byte == b'\n').count() as u64
    };
    let chance = if desk.dir().is_none() { 50 } else { 15 };
    let further = match rng.percent(chance) {
        true => 0,
        false => lines() + rng.between(1, 24),
    };
    until("a moment to be killed", || lines() >= further || live.has_ended());
    // A process needs a few dozen milliseconds before it has a journal, and some hundred for its first connection.
    let within = match (further, desk.dir()) {
        (0, None) => 60,
        (0, Some(_)) => 400,
        _ => 60,
    };
    let later = Instant::now() + Duration::from_millis(rng.below(within));
    until("a little later", || Instant::now() >= later);
}

/// What steps left on the hosts.
fn files(desk: &Desk<'_>) -> Vec<String> {
    let run = desk.dir().expect("the run has a directory").id().to_string();
    let list = format!("cd /var/lib/crash/{run} && grep -r . . | sort");
    HOSTS.iter().map(|host| format!("{host}: {}", super::said(desk.lab.on(host, &list)))).collect()
}
