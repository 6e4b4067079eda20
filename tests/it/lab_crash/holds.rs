//! A cut holds, whatever becomes of the run that made it: packets are counted from outside while attackers keep trying.

use super::{Desk, Lab, Live, until};
use crate::lab::outside::{Outside, now_ms};
use blackstart::journal::Record;
use blackstart::model::event::{Event, StopHow};
use std::path::{Path, PathBuf};

/// Three firewalls cut everything external; then a step works on app1, in a way of its own in each story. `{policy}`
/// is the last phase's, `{work}` its step's script and `{undo}` how that is taken back.
const RUNBOOK: &str = r#"
version: 1
name: holds
phases:
  - id: isolate
    on_failure: stop
    steps:
      - id: cut-first
        on: edge-fw
        severs: [isp-uplink]
        run: &cut |
          nft -f - <<NFT
          table inet holds {
            chain in { type filter hook prerouting priority raw; iifname "{{ host.vars.outside }}" drop; }
            chain out { type filter hook postrouting priority srcnat + 1; oifname "{{ host.vars.outside }}" drop; }
          }
          NFT
        verify:
          - { tcp: "203.0.113.1:8080", from: internet, expect: closed, timeout: 1s }
        undo: &undo nft delete table inet holds
      - id: cut-second
        on: edge2-fw
        severs: [isp2-uplink, remote-access]
        run: *cut
        verify:
          - { tcp: "192.0.2.1:8080", from: internet, expect: closed, timeout: 1s }
        undo: *undo
      - id: cut-vendor
        on: vpn-gw
        severs: [vendor-vpn, vendor-support]
        run: *cut
        verify:
          - { tcp: "10.20.0.4:8080", from: vendor, expect: closed, timeout: 1s }
        undo: *undo
  - id: work
    on_failure: {policy}
    steps:
      - id: at-work
        on: app1
        run: |
          /srv/ledger "$BLACKSTART_RUN work"
          {work}
        undo: {undo}
"#;

/// A step that goes on for as long as nobody says `go`.
const WAITS: &str = "until [ -e /srv/go ]; do sleep 0.05; done";

/// A run of the runbook on a site that is open to all when it starts.
struct Story<'a> {
    lab: &'a Lab,
    outside: &'a Outside<'a>,
    desk: Desk<'a>,
    runbook: PathBuf,
    name: &'static str,
}

impl<'a> Story<'a> {
    fn new(
        lab: &'a Lab,
        outside: &'a Outside<'a>,
        name: &'static str,
        [policy, work, undo]: [&str; 3],
    ) -> Self {
        let text = RUNBOOK.replace("{policy}", policy).replace("{work}", work).replace("{undo}", undo);
        let runbook = lab.write(&format!("{name}.yaml"), &text);
        outside.all_open(name);
        Self { lab, outside, desk: Desk::new(lab, name), runbook, name }
    }

    fn start(&self) -> Live {
        self.desk.start(&self.desk.begin(Path::new(&self.runbook), &[]))
    }

    /// Starts it and waits until it reported the site isolated and is at work on app1. Gives the time of the report.
    fn isolated(&self) -> (Live, u64) {
        let mut live = self.start();
        self.desk.wait(&mut live, "the site is isolated", ended_well);
        let run = self.desk.dir().expect("there is a run").id().to_string();
        super::until_ledger(self.lab, "app1", &format!("{run} work"));
        (live, self.isolated_ms())
    }

    /// When the isolating phase ended, by the journal.
    fn isolated_ms(&self) -> u64 {
        let records = self.desk.records();
        let end = records.iter().find(|record: &&Record| ended_well(&record.event));
        end.expect("the site was isolated").at.0
    }

    #[track_caller]
    fn sealed(&self, since_ms: u64) {
        self.outside.sealed(since_ms, self.name);
    }

    /// Opens the site by hand, for the next story.
    fn open(&self) {
        for host in ["edge-fw", "edge2-fw", "vpn-gw"] {
            self.lab.ok(host, "nft delete table inet holds");
        }
        self.lab.ok("app1", "rm -f /srv/go");
    }
}

fn ended_well(event: &Event) -> bool {
    matches!(event, Event::PhaseEnded { phase, well: true } if phase.at() == 0)
}

#[test]
fn nothing_re_opens_a_cut_by_itself() {
    let lab = Lab::raise();
    let outside = Outside::watch(&lab);
    the_window_after_the_report(&lab, &outside);
    taken_back_by_policy(&lab, &outside);
    an_undo_that_is_stuck(&lab, &outside);
    a_guard_that_expires(&lab, &outside);
    killed(&lab, &outside);
    interrupted(&lab, &outside);
    a_controller_that_is_lost(&lab, &outside);
}

/// From the moment the report says so, and while the run goes on and ends well.
fn the_window_after_the_report(lab: &Lab, outside: &Outside<'_>) {
    let story = Story::new(lab, outside, "window", ["stop", WAITS, "not_needed"]);
    let (live, since) = story.isolated();
    story.sealed(since);
    super::go(lab, "app1");
    live.ended().is(0);
    story.sealed(since);
    story.open();
}

/// Neither the whole run's automatic rollback nor one by hand without consent.
fn taken_back_by_policy(lab: &Lab, outside: &Outside<'_>) {
    let story = Story::new(lab, outside, "policy", ["rollback_run", "exit 3", "rm -f /etc/worked"]);
    let said = story.start().ended().is(20);
    assert!(said.out.contains("Cuts in place"), "{said}");
    story.sealed(story.isolated_ms());
    story.desk.run(&["rollback", "last", "--yes"]).is(20);
    story.sealed(story.isolated_ms());
    story.open();
}

/// The run ends stuck, and its cuts are as they were.
fn an_undo_that_is_stuck(lab: &Lab, outside: &Outside<'_>) {
    let story = Story::new(lab, outside, "stuck", ["rollback_run", "exit 3", "exit 4"]);
    story.start().ended().is(21);
    story.sealed(story.isolated_ms());
    story.open();
}

/// A guard that holds: no fresh connection confirms the cut in time, and nothing is re-opened for it.
fn a_guard_that_expires(lab: &Lab, outside: &Outside<'_>) {
    let story = Story::new(lab, outside, "expired", ["stop", "true", "not_needed"]);
    let plain = std::fs::read_to_string(&story.runbook).expect("the runbook is written");
    let cut = "        severs: [vendor-vpn, vendor-support]\n        run: *cut\n";
    // The firewall keeps the connection that it has, and takes no other.
    let guarded = "        severs: [vendor-vpn, vendor-support]\n        guard: { within: 6s, otherwise: hold }\n        \
                   run: |\n          nft -f - <<NFT\n          table inet holds {\n            \
                   chain in { type filter hook prerouting priority raw; iifname \"{{ host.vars.outside }}\" drop; }\n            \
                   chain out { type filter hook postrouting priority srcnat + 1; oifname \"{{ host.vars.outside }}\" drop; }\n            \
                   chain deaf { type filter hook input priority filter - 1; tcp dport 22 ct state new drop; }\n          \
                   }\n          NFT\n";
    assert!(plain.contains(cut));
    std::fs::write(&story.runbook, plain.replace(cut, guarded)).expect("the work directory takes a file");
    let mut live = story.start();
    story.desk.wait(&mut live, "a fresh connection is tried", |event| {
        matches!(event, Event::JobStarted { job } if job.kind == blackstart::model::event::JobKind::Confirm)
    });
    let said = live.ended();
    assert!(said.code != Some(0), "nobody confirmed it: {said}");
    story.sealed(now_ms());
    assert!(lab.ok("vpn-gw", "nft list table inet holds").contains("deaf"), "it was held as it is");
    story.open();
}

/// `kill -9`, and nobody comes back for a while; then somebody does.
fn killed(lab: &Lab, outside: &Outside<'_>) {
    let story = Story::new(lab, outside, "killed", ["rollback_run", WAITS, "not_needed"]);
    let (live, since) = story.isolated();
    assert!(live.kill().is_none(), "it was at work");
    story.sealed(since);
    super::go(lab, "app1");
    story.desk.run(&["resume", "last"]).is(0);
    story.sealed(since);
    story.open();
}

/// Ctrl-C once, then twice, then three times, on one run after the other.
fn interrupted(lab: &Lab, outside: &Outside<'_>) {
    for (name, times) in [("once", 1), ("twice", 2), ("thrice", 3)] {
        let story = Story::new(lab, outside, name, ["rollback_run", WAITS, "not_needed"]);
        let (mut live, since) = story.isolated();
        if times == 3 {
            // So that the cancelling is surely still under way when the third one comes.
            lab.cut_link("app1");
        }
        for how in [Some(StopHow::Finish), Some(StopHow::Cancel), None].into_iter().take(times) {
            live.interrupt();
            let Some(how) = how else { continue };
            let seen = |event: &Event| matches!(event, Event::StopRequested { how: was, .. } if *was == how);
            story.desk.wait(&mut live, "the stop is on record", seen);
        }
        if times == 1 {
            story.sealed(since);
            super::go(lab, "app1");
        }
        // Told to finish what runs, it finished all there was.
        live.ended().is(if times == 1 { 0 } else { 22 });
        story.sealed(since);
        if times == 3 {
            lab.heal_link("app1");
        }
        super::go(lab, "app1");
        story.open();
    }
}

/// Every link of the controller is cut for good, in band and out of band, while the run is at work.
fn a_controller_that_is_lost(lab: &Lab, outside: &Outside<'_>) {
    let story = Story::new(lab, outside, "lost", ["rollback_run", WAITS, "not_needed"]);
    let (live, since) = story.isolated();
    for host in Lab::hosts() {
        lab.cut_link(&host);
    }
    let noticed = || {
        let lost = |record: &Record| matches!(record.event, Event::JobEnded { .. }) && record.at.0 > since;
        story.desk.records().iter().any(lost)
    };
    story.sealed(since);
    until("the loss is noticed", noticed);
    story.sealed(since);
    assert!(now_ms() > since);
    live.kill();
    story.sealed(since);
    story.open();
}
