//! Conduits that are opened again and watched, over a real OpenSSH server: what lasts, what is cut again, what a
//! killed controller leaves.

use crate::fire::{Site, came, until};
use std::fs;
use std::process::Command;

/// A step that opens `vendor-vpn` (a file) and is watched by a probe that counts its rounds.
fn book(site: &Site, watch: &str, agrees_while: &str) {
    let at = |name: &str| site.path(name).display().to_string();
    let zones = "zones: { core: {}, partners: { trust: external } }\n\
                 conduits:\n  vendor-vpn: { between: [partners, core] }\n";
    let runbook = format!(
        "version: 1\nname: open-again\nphases:\n  - id: reconnect\n    on_failure: rollback\n    steps:\n      \
         - id: open\n        on: all\n        reconnects: vendor-vpn\n        \
         run: echo x >>{opened}; echo x >>{ran}\n        undo: rm {opened}\n        watch:\n{watch}          \
         probes:\n            - from: task\n              command: echo x >>{rounds}; {agrees_while}\n",
        opened = at("opened"),
        ran = at("ran"),
        rounds = at("rounds"),
    );
    site.write_book(zones, &runbook, &[]);
}

fn lines(site: &Site, name: &str) -> usize {
    fs::read_to_string(site.path(name)).unwrap_or_default().lines().count()
}

fn rounds_below(site: &Site, count: usize) -> String {
    format!("test $(wc -l <{}) -lt {count}", site.path("rounds").display())
}

#[test]
fn what_lasts_stays_open() {
    let site = Site::new(1);
    book(&site, "          for: 400ms\n          every: 100ms\n", "true");
    let output = site.run().output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", came(&output));
    assert_eq!((lines(&site, "opened"), site.jobs("job_ended", "watch").len()), (1, 1));
    assert!(lines(&site, "rounds") >= 2, "at the beginning and at the end, at least");
    assert!(came(&output).contains("watching for"), "{}", came(&output));
}

#[test]
fn what_gives_way_is_cut_again() {
    let site = Site::new(1);
    book(&site, "          for: 10m\n          every: 50ms\n", &rounds_below(&site, 4));
    let output = site.run().output().unwrap();
    assert_eq!(output.status.code(), Some(20), "{}", came(&output));
    assert_eq!((lines(&site, "opened"), lines(&site, "ran")), (0, 1), "cut again: {}", came(&output));
    assert_eq!(lines(&site, "rounds"), 4, "the first miss is the last round");
    let watch = site.ended("watch");
    let probes = watch["facts"]["probes"].as_array().unwrap();
    assert_eq!(probes.len(), 2, "what was seen first, and the change: {watch:#}");
    assert_eq!((probes[0]["agrees"].as_bool(), probes[1]["agrees"].as_bool()), (Some(true), Some(false)));
    assert!(probes[1]["seen"].as_str().unwrap().contains("into the watch"), "{watch:#}");
}

#[test]
fn misses_that_are_tolerated_do_not_end_a_watch() {
    let site = Site::new(1);
    // Every other round misses.
    let odd = format!("test $(($(wc -l <{}) % 2)) = 1", site.path("rounds").display());
    book(&site, "          for: 500ms\n          every: 50ms\n          tolerate: 1\n", &odd);
    let output = site.run().output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", came(&output));
    assert_eq!(lines(&site, "rounds") % 2, 1, "it does not end with a round that missed");
}

#[test]
fn a_killed_controller_watches_anew_and_opens_nothing_twice() {
    let site = Site::new(1);
    book(&site, "          for: 10m\n          every: 50ms\n", &rounds_below(&site, 60));
    let mut child = site.run().spawn().unwrap();
    until("a few rounds", || lines(&site, "rounds") >= 3);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(lines(&site, "opened"), 1, "nobody was there to cut it again");
    let output = site.blackstart(&["resume", "last", "--yes"]).output().unwrap();
    assert_eq!(output.status.code(), Some(20), "{}", came(&output));
    assert!(came(&output).contains("watching anew for"), "{}", came(&output));
    assert_eq!((lines(&site, "opened"), lines(&site, "ran")), (0, 1), "{}", came(&output));
}

#[test]
fn whoever_stops_a_run_twice_ends_its_watch_and_a_resume_takes_it_up() {
    let site = Site::new(1);
    book(&site, "          for: 10m\n          every: 50ms\n", &rounds_below(&site, 60));
    let mut child = site.run().spawn().unwrap();
    until("a few rounds", || lines(&site, "rounds") >= 3);
    for _ in 0..2 {
        let stop = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(stop.success());
        until("it was heard", || !site.all("stop_requested").is_empty());
    }
    until("it was cancelled", || site.all("stop_requested").len() == 2 || !site.all("run_ended").is_empty());
    child.wait().unwrap();
    assert_eq!((lines(&site, "opened"), lines(&site, "ran")), (1, 1), "stopped, not judged");
    let output = site.blackstart(&["resume", "last", "--yes"]).output().unwrap();
    assert_eq!(output.status.code(), Some(20), "{}", came(&output));
    assert_eq!((lines(&site, "opened"), lines(&site, "ran")), (0, 1), "watched on, and then cut again");
}
