//! Random plans over the lab's real hosts and conduits: cuts by real rules on real firewalls, work in between, in any order.

use super::cuts::{CUTS, Cut};
use crate::sim::rng::Rng;
use std::collections::BTreeSet;

/// Hosts on which plans work, as the inventory names them.
const WORKED_ON: &[&str] =
    &["web", "office-pc", "app1", "db1", "backup", "dns1", "edge-fw", "edge2-fw", "vpn-gw", "core-fw"];
/// The firewalls' lines of the shipped inventory, and where they are in band.
const IN_BAND: &[(&str, &str)] = &[
    ("address: 10.98.0.1,  zone: perimeter", "address: 10.10.0.1,  zone: dmz"),
    ("address: 10.98.0.4,  zone: perimeter", "address: 10.10.0.3,  zone: dmz"),
    ("address: 10.98.0.2,  zone: perimeter", "address: 10.99.0.2,  zone: management"),
    ("address: 10.98.0.3,  zone: perimeter", "address: 10.20.0.254,  zone: core"),
];
/// Hosts that may be reached through app1 instead of directly: from the core they can be.
const BY_APP1: &[(&str, &str)] = &[("db1", "10.20.0.5"), ("web", "10.10.0.80"), ("dns1", "10.20.0.53")];

/// A plan, as a runbook and an inventory say it.
#[derive(Debug, Clone)]
pub struct RandomPlan {
    /// Its steps, in an order that their needs permit.
    pub steps: Vec<RandomStep>,
    /// Are firewalls reached in band, instead of by their console?
    pub in_band: bool,
    /// The host that is reached through app1, with its address.
    pub by_app1: Option<(&'static str, &'static str)>,
}

/// A step of one task.
#[derive(Debug, Clone)]
pub struct RandomStep {
    /// Its name.
    pub id: String,
    /// Its host.
    pub host: &'static str,
    /// 0 or 1.
    pub phase: usize,
    /// Steps of the list that it needs.
    pub needs: BTreeSet<usize>,
    /// What it cuts; else it writes a line into the host's ledger.
    pub cut: Option<&'static Cut>,
    /// Is there anything to take back?
    pub has_undo: bool,
}

impl RandomPlan {
    /// A plan of some cuts and some work.
    pub fn make(rng: &mut Rng) -> Self {
        let in_band = rng.percent(65);
        let by_app1 = (in_band && rng.percent(50)).then(|| *rng.pick(BY_APP1));
        let (cuts, work) = (rng.between(1, 3), rng.between(1, 4));
        let mut steps: Vec<RandomStep> = Vec::new();
        for number in 0..cuts + work {
            // What the controller's own ways hang on is cut as often as everything else together.
            let all = CUTS.iter().filter(|cut| cut.conduit.starts_with("mgmt-") == rng.percent(50));
            let free = all.filter(|cut| !steps.iter().any(|step| step.cut == Some(cut))).collect::<Vec<_>>();
            let cut = (number < cuts && !free.is_empty()).then(|| *rng.pick(&free));
            let (id, host) = match cut {
                Some(cut) => (format!("cut-{}", cut.conduit), cut.host),
                None => (format!("work-{number}"), *rng.pick(WORKED_ON)),
            };
            let has_undo = cut.is_some() || rng.percent(60);
            steps.push(RandomStep { id, host, phase: 0, needs: BTreeSet::new(), cut, has_undo });
        }
        for at in (1..steps.len()).rev() {
            steps.swap(at, rng.below(at as u64 + 1) as usize);
        }
        let second = if rng.percent(40) { rng.below(steps.len() as u64) as usize } else { steps.len() };
        for (at, step) in steps.iter_mut().enumerate() {
            step.phase = usize::from(at >= second);
            step.needs = (0..at).filter(|_| rng.percent(45)).collect();
        }
        Self { steps, in_band, by_app1 }
    }

    /// The same steps up to this length in exactly this order, one after the other.
    pub fn in_order(&self, order: &[usize]) -> Self {
        let mut plan = self.clone();
        plan.steps = order.iter().map(|at| self.steps[*at].clone()).collect();
        for (at, step) in plan.steps.iter_mut().enumerate() {
            step.phase = 0;
            step.needs = at.checked_sub(1).into_iter().collect();
        }
        plan
    }

    /// The runbook.
    pub fn runbook(&self) -> String {
        let mut text = "version: 1\nname: random\nphases:\n".to_owned();
        for phase in 0..2 {
            let steps: Vec<&RandomStep> = self.steps.iter().filter(|step| step.phase == phase).collect();
            if !steps.is_empty() {
                text += &format!("  - id: phase-{phase}\n    on_failure: stop\n    steps:\n");
                steps.iter().for_each(|step| text += &self.step(step));
            }
        }
        text
    }

    fn step(&self, step: &RandomStep) -> String {
        let block =
            |script: &str| script.lines().map(|line| format!("          {line}\n")).collect::<String>();
        let note = |word: &str| format!("/srv/ledger \"$BLACKSTART_RUN {word} $BLACKSTART_STEP\"\n");
        let (run, undo) = match step.cut {
            Some(cut) => (note("run") + &cut.make(), note("undo") + &cut.unmake()),
            None => (note("run"), note("undo")),
        };
        let needs: Vec<&str> = step.needs.iter().map(|at| self.steps[*at].id.as_str()).collect();
        let mut text = format!("      - id: {}\n        on: {}\n        timeout: 10s\n", step.id, step.host);
        text += &format!("        needs: [{}]\n", needs.join(", "));
        text += &step.cut.map_or(String::new(), |cut| format!("        severs: [{}]\n", cut.conduit));
        text += &format!("        run: |\n{}", block(&run));
        text += &match step.has_undo {
            true => format!("        undo: |\n{}", block(&undo)),
            false => "        undo: not_needed\n".to_owned(),
        };
        text
    }

    /// The inventory: the shipped one, with the firewalls and jumps as this plan has them.
    pub fn inventory(&self, shipped: &str) -> String {
        let mut text = shipped.replace("  agent: false\n", "  agent: false\n  connect_timeout: 1s\n");
        for (console, in_band) in IN_BAND.iter().filter(|_| self.in_band) {
            assert!(text.contains(console), "the inventory has no `{console}`");
            text = text.replace(console, in_band);
        }
        if let Some((_, address)) = self.by_app1 {
            let mark = format!("address: {address},");
            assert!(text.contains(&mark), "the inventory has no `{mark}`");
            text = text.replace(&mark, &format!("{mark} jump: app1,"));
        }
        text
    }

    /// How OpenSSH is told to reach a host as this plan does.
    pub fn ssh_options(&self, host: &str) -> Vec<String> {
        let in_band = ["edge-fw 10.10.0.1", "edge2-fw 10.10.0.3", "core-fw 10.99.0.2", "vpn-gw 10.20.0.254"];
        let mut options = Vec::new();
        for line in in_band.iter().filter(|_| self.in_band) {
            if let Some((_, address)) = line.split_once(' ').filter(|(name, _)| *name == host) {
                options.extend(["-o".to_owned(), format!("HostName={address}")]);
            }
        }
        if self.by_app1.is_some_and(|(name, _)| name == host) {
            options.extend(["-J".to_owned(), "app1".to_owned()]);
        }
        options
    }

    /// The conduits that it cuts.
    pub fn cuts(&self) -> Vec<&'static Cut> {
        self.steps.iter().filter_map(|step| step.cut).collect()
    }

    /// Hosts that must be reached at once when a rollback begins, with nothing re-opened yet: those of tasks that
    /// no cut stands on.
    pub fn needed_first(&self) -> BTreeSet<&'static str> {
        let stands_on = |above: usize, on: usize| {
            self.steps[above].phase > self.steps[on].phase || self.needs_all(above).contains(&on)
        };
        let under_a_cut =
            |on: usize| (0..self.steps.len()).any(|at| self.steps[at].cut.is_some() && stands_on(at, on));
        let first = |at: &usize| self.steps[*at].has_undo && !under_a_cut(*at);
        (0..self.steps.len()).filter(first).map(|at| self.steps[at].host).collect()
    }

    fn needs_all(&self, at: usize) -> BTreeSet<usize> {
        let mut all = BTreeSet::new();
        let mut todo = vec![at];
        while let Some(at) = todo.pop() {
            todo.extend(self.steps[at].needs.iter().filter(|need| all.insert(**need)));
        }
        all
    }
}
