//! What probes see in the simulated site, and what becomes of its services.

use super::world::{Coming, World};
use blackstart::engine::Input;
use blackstart::model::Outcome;
use blackstart::model::event::{Facts, Job, JobKind, Seen, Stands};
use blackstart::model::probe::{Expect, Probe, ProbeKind};
use std::collections::BTreeMap;

/// The limit of the looks before the first cut and before the end.
const LOOK_MAX: u64 = 8_000;

impl World {
    /// Looks with every negative probe, and tells the process that is alive when it set out.
    pub fn look_before(&mut self) {
        let (after, probes) = (self.rng.below(LOOK_MAX), self.negative_probes());
        let input = Input::Baseline { probes, because: String::new() };
        self.later(after, Coming::News { epoch: self.epoch, input });
    }

    /// Looks at some of the services, and with every negative probe if that is wanted.
    pub fn look_after(&mut self, probes: bool) {
        let after = self.rng.below(LOOK_MAX);
        let probes = if probes { self.negative_probes() } else { Vec::new() };
        let mut services = Vec::new();
        for service in self.plan.services.clone() {
            if self.rng.percent(80) {
                let stands = *self.rng.pick(&[Stands::Up, Stands::Up, Stands::Down, Stands::Unknown]);
                services.push((service.name.clone(), stands, "seen".to_owned()));
            }
        }
        let input = Input::LookedAfter { services, probes, because: String::new() };
        self.later(after, Coming::News { epoch: self.epoch, input });
    }

    fn negative_probes(&mut self) -> Vec<Seen> {
        let mut seen = BTreeMap::new();
        for (_, probe) in self.plan.clone().negative_probes() {
            let how = match self.rng.below(10) {
                0 if !self.calm => "cannot tell: the host is not there",
                1 | 2 => "closed: refused",
                _ => "open",
            };
            seen.entry(name(probe)).or_insert_with(|| saw(probe, "open", how));
        }
        seen.into_values().collect()
    }

    /// What the probes of a job saw, to go with its outcome.
    pub(super) fn probed(&mut self, job: Job, outcome: &Outcome) -> Facts {
        let how = match (job.kind, outcome) {
            (JobKind::Verify | JobKind::Run, Outcome::Succeeded) => "closed: no answer",
            (JobKind::Verify | JobKind::Run, Outcome::Failed { .. }) => "open",
            _ => return Facts::default(),
        };
        let step = self.plan.step_of(job.task);
        let negative = step.probes().filter(|probe| probe.expect == Expect::Closed);
        Facts { probes: negative.map(|probe| saw(probe, "closed", how)).collect(), ..Facts::default() }
    }

    /// Somebody looks at the services now and then while this process lasts.
    pub fn watch_services(&mut self) {
        for service in self.plan.services.clone() {
            for _ in 0..self.rng.below(4) {
                let stands = *self.rng.pick(&[Stands::Up, Stands::Up, Stands::Down, Stands::Unknown]);
                let input =
                    Input::ServiceSeen { service: service.name.clone(), stands, because: "seen".into() };
                let after = self.rng.below(20_000);
                self.later(after, Coming::Person(input));
            }
        }
    }
}

fn name(probe: &Probe) -> String {
    match &probe.what {
        ProbeKind::Tcp { port, .. } => format!("port {port}"),
        other => unreachable!("random plans have no {other:?}"),
    }
}

fn saw(probe: &Probe, expected: &str, how: &str) -> Seen {
    Seen {
        what: name(probe),
        expected: expected.to_owned(),
        seen: how.to_owned(),
        agrees: how.starts_with(expected),
        probe: name(probe),
        before: None,
    }
}
