//! The lock-out analysis is right, with packets: what it accepts never locks out, what it refuses does when forced.

use super::cuts::CUTS;
use super::random_plan::RandomPlan;
use super::{Lab, PACKAGE};
use crate::sim::rng::Rng;
use blackstart::load;
use blackstart::model::place::Sources;
use blackstart::plan::{self, Choices};
use blackstart::reach::lockout::{self, LockOuts, Moment};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};

/// Plans of `make test`; `make lab-plans` carries out a hundred.
const PLANS: u32 = 25;
/// The plans of a test run are the same each time; `SEED=n` makes others.
const SEED: u64 = 7;
/// Refused plans that are forced, to see that they lock out: each waits long for a host that does not come.
const FORCED: u32 = 2;
const FIREWALLS: &[&str] = &["edge-fw", "edge2-fw", "core-fw", "vpn-gw"];

/// For each conduit a connection that it carries: from where, to which address and port.
const SAMPLES: &[(&str, &str, &str)] = &[
    ("isp-uplink", "internet", "203.0.113.1/8080"),
    ("isp2-uplink", "internet", "192.0.2.1/8080"),
    ("remote-access", "internet", "192.0.2.1/2222"),
    ("vendor-vpn", "vendor", "10.20.0.4/8080"),
    ("vendor-support", "office-pc", "198.51.100.20/443"),
    ("office-core", "office-pc", "10.20.0.4/8080"),
    ("office-dmz", "office-pc", "10.10.0.80/80"),
    ("dmz-core", "web", "10.20.0.4/8080"),
    ("mgmt-dmz", "mgmt", "10.10.0.80/22"),
    ("mgmt-core", "mgmt", "10.20.0.4/22"),
    ("mgmt-office", "mgmt", "10.30.0.7/22"),
];

/// What became of the plans.
#[derive(Debug, Default)]
struct Tally {
    accepted: u32,
    refused: u32,
    /// Accepted plans by how many conduits they cut.
    by_cuts: BTreeMap<usize, u32>,
    /// Accepted plans that cut a conduit of the controller's own.
    cut_management: u32,
    /// Conduits that were cut, and seen to be, by accepted plans.
    conduits: BTreeSet<&'static str>,
    /// Refused plans that were forced, and locked the operator out.
    locked_out: u32,
}

#[test]
fn accepted_plans_never_lock_out_and_refused_ones_do() {
    carry_out(PLANS, FORCED);
}

#[test]
#[ignore = "takes minutes: `make lab-plans`"]
fn a_hundred_accepted_plans_never_lock_out() {
    carry_out(100, 5);
}

fn carry_out(accepted_min: u32, forced: u32) {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED);
    println!("SEED={seed}");
    let lab = Lab::raise();
    for (conduit, from, to) in SAMPLES {
        assert!(connects(&lab, from, to, 5), "{conduit} is open before anything is cut");
    }
    let mut rng = Rng::new(seed);
    let mut tally = Tally::default();
    let mut number = 0;
    while tally.accepted < accepted_min {
        number += 1;
        let plan = RandomPlan::make(&mut rng);
        let case = Case::write(&lab, &plan, &format!("plan-{number}"));
        let judged = case.judge();
        assert!(judged.unjudged.is_empty(), "{case}: {:?}", judged.unjudged);
        match judged.findings.is_empty() {
            true => case.never_locks_out(&mut tally),
            false => {
                tally.refused += 1;
                let said = case.blackstart(&["run"], &["--yes"]);
                assert_eq!(said.status.code(), Some(12), "{case} is refused: {}", text(&said));
                if tally.locked_out < forced {
                    tally.locked_out += u32::from(case.locks_out(&judged, number));
                }
            }
        }
    }
    println!("{number} plans: {tally:?}");
    assert!(tally.refused * 5 > tally.accepted, "plans are dangerous often enough: {tally:?}");
    assert!(tally.cut_management * 8 > tally.accepted, "accepted plans cut where it matters: {tally:?}");
    assert!(tally.conduits.len() * 4 > CUTS.len() * 3, "nearly every conduit was cut: {tally:?}");
    assert_eq!(tally.locked_out, forced, "{tally:?}");
}

/// A plan, written down for blackstart.
struct Case<'a> {
    lab: &'a Lab,
    plan: &'a RandomPlan,
    name: String,
    runbook: PathBuf,
    inventory: PathBuf,
}

impl<'a> Case<'a> {
    fn write(lab: &'a Lab, plan: &'a RandomPlan, name: &str) -> Self {
        let shipped = fs::read_to_string(Path::new(PACKAGE).join("inventories/lab.yaml"));
        let inventory = plan.inventory(&shipped.expect("the lab's inventory is shipped"));
        let keys = format!("{}/", lab.dir().display());
        Self {
            lab,
            plan,
            name: name.to_owned(),
            runbook: lab.write(&format!("{name}.yaml"), &plan.runbook()),
            inventory: lab.write(&format!("{name}-site.yaml"), &inventory.replace("../target/lab/", &keys)),
        }
    }

    fn judge(&self) -> LockOuts {
        let mut sources = Sources::default();
        let (runbook, site) =
            (load::runbook(&mut sources, &self.runbook), load::inventory(&mut sources, &self.inventory));
        let (Some(runbook), Some(site)) = (runbook.value, site.value) else {
            panic!("{self}: {:?} {:?}", runbook.problems, site.problems)
        };
        let no_files = |file: &str| Err(format!("{file}: random plans upload nothing"));
        let (plan, _) = plan::compile(&site, &runbook, &Choices::default(), &no_files)
            .unwrap_or_else(|problems| panic!("{self}: {problems:?}"));
        lockout::analyse(&plan)
    }

    /// It runs to its end, and all of it can be taken back.
    fn never_locks_out(&self, tally: &mut Tally) {
        let said = self.blackstart(&["run"], &["--yes"]);
        assert_eq!(said.status.code(), Some(0), "{self}: {}", text(&said));
        let cuts = self.plan.cuts();
        let open: Vec<&str> =
            self.samples().into_iter().filter(|(_, open)| *open).map(|(name, _)| name).collect();
        assert!(open.is_empty(), "{self}: cut, and packets get through: {open:?}");
        self.fresh_connections();
        let consent: Vec<&str> = cuts.iter().map(|cut| cut.conduit).collect();
        let consent = consent.join(",");
        let said = self.blackstart(&["rollback", "last"], &["--yes", "--reopen", "--consent", &consent]);
        assert_eq!(said.status.code(), Some(20), "{self}: {}", text(&said));
        self.ledgers();
        let left: Vec<String> = FIREWALLS.iter().map(|host| self.lab.ok(host, TABLES)).collect();
        assert!(left.iter().all(|tables| tables.is_empty()), "{self}: what is cut is re-opened: {left:?}");

        tally.accepted += 1;
        *tally.by_cuts.entry(cuts.len()).or_default() += 1;
        tally.cut_management += u32::from(cuts.iter().any(|cut| cut.conduit.starts_with("mgmt-")));
        tally.conduits.extend(cuts.iter().map(|cut| cut.conduit));
    }

    /// Every conduit that it cuts, and whether a packet gets through.
    fn samples(&self) -> Vec<(&'static str, bool)> {
        let mut trying: Vec<(&str, Child)> = Vec::new();
        for cut in self.plan.cuts() {
            let (conduit, from, to) =
                SAMPLES.iter().find(|(conduit, ..)| *conduit == cut.conduit).expect("every conduit has one");
            trying.push((conduit, connecting(self.lab, from, to, "0.5")));
        }
        trying.into_iter().map(|(name, child)| (name, ended(child).status.success())).collect()
    }

    /// A connection that was not there before, to every host that a rollback needs first.
    fn fresh_connections(&self) {
        let hosts = self.plan.needed_first();
        let trying: Vec<(&str, Child)> = hosts.into_iter().map(|host| (host, self.ssh(host))).collect();
        for (host, ssh) in trying {
            let said = ended(ssh);
            assert!(said.status.success(), "{self}: no way back to {host}: {}", text(&said));
        }
    }

    fn ssh(&self, host: &str) -> Child {
        let mut ssh = self.lab.command("ssh");
        ssh.arg("-F").arg(self.lab.dir().join("ssh_config")).args(["-o", "ConnectTimeout=3"]);
        ssh.args(self.plan.ssh_options(host)).args([host, "true"]);
        ssh.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("ssh can be started")
    }

    /// Every step ran once on its host, and was taken back once where there is anything to take back.
    fn ledgers(&self) {
        let run = self.lab.work().join(&self.name).join("runs");
        let mut seen: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for step in &self.plan.steps {
            let lines = seen.entry(step.host).or_insert_with(|| self.lab.ledger(step.host));
            let times = |word: &str| {
                lines.iter().filter(|line| line.ends_with(&format!(" {word} {}", step.id))).count()
            };
            let expected = (1, usize::from(step.has_undo));
            assert_eq!((times("run"), times("undo")), expected, "{self}: {} {}", step.id, run.display());
        }
        let hosts: BTreeSet<&str> = seen.into_keys().collect();
        hosts.iter().for_each(|host| drop(self.lab.ok(host, ": >/srv/ledger.d/lines")));
    }

    /// Forced, in the order that the refusal tells, it locks the operator out. `false` if the refusal tells of an
    /// undo: its order is not one that a runbook can be made to take.
    fn locks_out(&self, judged: &LockOuts, number: u32) -> bool {
        let Some(finding) = judged.findings.iter().find(|finding| finding.moment == Moment::Run) else {
            return false;
        };
        let witness = finding.witness.as_ref().expect("a small plan's findings all have one");
        // In the plan, steps stand phase by phase as written; each has one task.
        let mut order: Vec<usize> = (0..self.plan.steps.len()).collect();
        order.sort_by_key(|at| self.plan.steps[*at].phase);
        let before = order.iter().copied().filter(|at| self.plan.steps[*at].phase < witness.phase.at());
        let story: Vec<usize> = before.chain(witness.tasks.iter().map(|task| order[task.at()])).collect();
        let forced = self.plan.in_order(&story);
        let case = Case::write(self.lab, &forced, &format!("forced-{number}"));
        let last = forced.steps.last().expect("a story has a step");
        let ways_back = |step: &super::random_plan::RandomStep| ended(case.ssh(step.host)).status.success();
        assert!(ways_back(last), "{case}: {} is reached before", last.host);
        let said = case.blackstart(&["run"], &["--yes"]);
        assert_eq!(said.status.code(), Some(12), "{case}: {}", text(&said));
        let said = case.blackstart(&["run"], &["--yes", "--accept-lockout", "to see that it does"]);
        assert_eq!(said.status.code(), Some(22), "{case}: {}", text(&said));
        let ran = |step: &super::random_plan::RandomStep| {
            self.lab.ledger(step.host).iter().any(|line| line.ends_with(&format!(" run {}", step.id)))
        };
        for step in &forced.steps[..forced.steps.len() - 1] {
            assert!(ran(step), "{case}: {} ran: {}", step.id, text(&said));
        }
        assert!(!ran(last), "{case}: {} was never reached: {}", last.id, text(&said));
        assert!(!ways_back(last), "{case}: a fresh connection to {} is not to be had", last.host);
        for host in FIREWALLS {
            self.lab.ok(host, &format!("for table in $({TABLES}); do nft delete table inet $table; done"));
        }
        for step in &forced.steps {
            self.lab.ok(step.host, ": >/srv/ledger.d/lines");
        }
        assert!(ways_back(last), "{case}: with the cut gone, {} is reached again", last.host);
        true
    }

    fn blackstart(&self, verb: &[&str], more: &[&str]) -> Output {
        let mut command = self.lab.blackstart(verb);
        if verb == ["run"] {
            command.arg(&self.runbook).arg("-i").arg(&self.inventory).args(["--watch-services", "off"]);
        }
        command.args(more).env("BLACKSTART_STATE", self.lab.work().join(&self.name));
        command.output().expect("blackstart can be started")
    }
}

/// Tables that cuts made.
const TABLES: &str = "nft list tables | awk '$3 ~ /^cut_/ { print $3 }'";

impl std::fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        write!(
            f,
            "{}, in band: {}, by app1: {:?}\n{}",
            self.name,
            self.plan.in_band,
            self.plan.by_app1,
            read(&self.runbook)
        )
    }
}

fn connecting(lab: &Lab, from: &str, to: &str, patience_s: &str) -> Child {
    let mut child =
        lab.on_command(from, &format!("exec timeout {patience_s} bash -c 'exec 3<>/dev/tcp/{to}'"));
    child.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    child.spawn().expect("lab scripts can be started")
}

fn connects(lab: &Lab, from: &str, to: &str, patience_s: u32) -> bool {
    ended(connecting(lab, from, to, &patience_s.to_string())).status.success()
}

fn ended(child: Child) -> Output {
    child.wait_with_output().expect("a child can be waited for")
}

fn text(output: &Output) -> String {
    let all = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&all).into_owned()
}
