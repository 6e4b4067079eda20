//! Counts what the random plans held, so that a hundred thousand of them cannot agree on nothing.

use blackstart::model::names::StepIx;
use blackstart::plan::Plan;
use blackstart::reach::lockout::{LegEnd, LockOuts, Moment, Remedy};
use std::collections::BTreeMap;

/// What was seen how often.
#[derive(Debug, Default)]
pub struct Tally(BTreeMap<&'static str, u64>);

impl Tally {
    fn note(&mut self, what: &'static str) {
        *self.0.entry(what).or_insert(0) += 1;
    }

    pub fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(what, count)| *self.0.entry(what).or_insert(0) += count);
    }

    pub fn plan(&mut self, plan: &Plan, found: &LockOuts, with_remedies: bool) {
        let cuts = plan.steps.iter().any(|step| !step.severs.is_empty());
        if plan.steps.iter().any(|step| !step.reconnects.is_empty()) {
            self.note(if found.findings.is_empty() {
                "reconnects and passes"
            } else {
                "reconnects and is refused"
            });
        }
        match (cuts, found.findings.is_empty()) {
            (true, true) => self.note("cuts and passes"),
            (true, false) => self.note("refused"),
            (false, true) => self.note("cuts nothing and passes"),
            (false, false) => self.note("cuts nothing and is refused"),
        }
        for finding in &found.findings {
            let step = &plan.steps[finding.step.at()];
            self.note(match finding.moment {
                Moment::Run => "lost at run",
                Moment::Verify => "lost at verify",
                Moment::Undo if step.severs.is_empty() => "lost at undo",
                Moment::Undo => "lost at re-opening",
            });
            if finding.gone.iter().any(|gone| gone.by.is_empty()) {
                self.note("not reconnected yet");
            }
            match finding.gone.len() {
                0 => self.note("no conduit at all"),
                1 => {}
                _ => self.note("several conduits gone"),
            }
            match finding.leg.to {
                LegEnd::NameServers => self.note("name servers lost"),
                LegEnd::Host(hop) if hop != finding.host => self.note("jump host lost"),
                LegEnd::Host(_) => {}
            }
            if plan.tasks[finding.tasks[0].at()].host != Some(finding.host) {
                self.note("vantage lost");
            }
            if finding.tasks.len() > 1 {
                self.note("several hosts hit");
            }
            if finding.witness.as_ref().is_some_and(|witness| witness.tasks.len() > 2) {
                self.note("long witness");
            }
            let own = |by: &[StepIx]| by.contains(&finding.step);
            if finding.moment == Moment::Run && finding.gone.iter().any(|gone| own(&gone.by)) {
                self.note("own step cut on another host");
            }
            if with_remedies && finding.remedies.is_empty() {
                self.note("nothing helps");
            }
        }
    }

    /// Refused though no order comes to it: conduits that stand in for one another are looked at one by one.
    pub fn swap(&mut self) {
        self.note("a swap refused in vain");
    }

    pub fn remedy(&mut self, remedy: &Remedy) {
        self.note(match remedy {
            Remedy::Needs { .. } => "remedy: needs",
            Remedy::Conduit { .. } => "remedy: conduit",
            Remedy::Guard { .. } => "remedy: guard",
        });
    }

    pub fn told(&self) -> String {
        self.0.iter().map(|(what, count)| format!("{count:8} {what}\n")).collect()
    }

    /// What these plans are there to show and hardly did.
    pub fn vacuous(&self, seeds: u64) -> Vec<String> {
        let seen = |what: &str| self.0.get(what).copied().unwrap_or(0);
        let rare = AT_LEAST_IN_10_000.iter().filter(|(what, least)| seen(what) * 10_000 < least * seeds);
        rare.map(|(what, _)| format!("{what}: {} in {seeds} plans", seen(what))).collect()
    }
}

/// How often each thing must be seen in ten thousand plans, at least: well under what was counted when this was
/// written, and far from nothing.
const AT_LEAST_IN_10_000: &[(&str, u64)] = &[
    ("cuts and passes", 500),
    ("cuts nothing and is refused", 100),
    ("cuts nothing and passes", 300),
    ("jump host lost", 500),
    ("long witness", 500),
    ("lost at re-opening", 50),
    ("lost at run", 3000),
    ("lost at undo", 100),
    ("lost at verify", 500),
    ("name servers lost", 100),
    ("no conduit at all", 500),
    ("not reconnected yet", 250),
    ("own step cut on another host", 200),
    ("reconnects and is refused", 250),
    ("reconnects and passes", 250),
    ("refused", 3000),
    ("remedy: conduit", 200),
    ("remedy: guard", 20),
    ("remedy: needs", 50),
    ("several conduits gone", 200),
    ("several hosts hit", 300),
    ("vantage lost", 300),
];
