//! What negative probes prove: what was seen open before a cut, and what was silent after it.
//!
//! A silence proves a cut only if the same probe from the same vantage point was answered before.

use super::state::RunState;
use crate::model::event::{Before, CANNOT_TELL, Job, JobKind, Seen};
use crate::model::names::{StepIx, TaskIx};
use crate::model::probe::Expect;
use crate::model::{Outcome, Time};
use crate::plan::Plan;
use crate::plan::frozen::{PlannedAction, PlannedVerify};
use std::collections::{BTreeMap, BTreeSet};

/// What was seen of negative probes so far. Probes are known by [`Seen::probe`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proofs {
    /// Does anything that runs have a negative probe?
    wanted: bool,
    cut_begun: bool,
    /// Why not everything was looked at before the first cut; empty if it was.
    baseline: Option<String>,
    /// Looked at before the first cut, with an answer of either kind.
    looked: BTreeSet<String>,
    /// Seen open at some time.
    open: BTreeSet<String>,
    proofs: BTreeMap<String, Proof>,
    /// What was open before the first cut: each probe, for people.
    open_at_first: BTreeMap<String, String>,
    after: Option<After>,
}

/// What was seen when everything had been taken back, of what was open before the first cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    /// Probes that are open again.
    pub open: u32,
    /// Probes that are not, and what they saw instead; in the order of their names.
    pub not_open: Vec<(String, String)>,
    /// Why not everything was looked at; empty if it was.
    pub because: String,
}

/// What a negative probe saw last, and what that is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// What was tried from where, for people.
    pub what: String,
    /// Was it closed?
    pub closed: bool,
    /// What is known of it from before the cut.
    pub before: Before,
}

impl Proofs {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut steps = (0..).map(StepIx).zip(&plan.steps);
        let wanted = steps.any(|(ix, step)| {
            let runs = || plan.tasks_of(ix).any(|task| plan.tasks[task.at()].left_out.is_none());
            step.probes().any(|probe| probe.expect == Expect::Closed) && runs()
        });
        Self {
            wanted,
            cut_begun: false,
            baseline: None,
            looked: BTreeSet::new(),
            open: BTreeSet::new(),
            proofs: BTreeMap::new(),
            open_at_first: BTreeMap::new(),
            after: None,
        }
    }

    /// Must somebody look before the first cut begins? Once it has begun there is nothing left to learn.
    pub fn awaits_baseline(&self) -> bool {
        self.wanted && self.baseline.is_none() && !self.cut_begun
    }
    /// Why not everything was looked at before the first cut, if so; `None` before anybody looked, or had to.
    pub fn baseline(&self) -> Option<&str> {
        self.baseline.as_deref()
    }
    /// The newest look of each negative probe since the first cut, by probe.
    pub fn each(&self) -> impl Iterator<Item = &Proof> {
        self.proofs.values()
    }

    /// Was anything seen open before the first cut?
    pub fn knows_open(&self) -> bool {
        !self.open_at_first.is_empty()
    }
    /// What was seen once everything had been taken back, if somebody looked.
    pub fn after(&self) -> Option<&After> {
        self.after.as_ref()
    }

    pub(super) fn is_cut_begun(&self) -> bool {
        self.cut_begun
    }
    pub(super) fn begin_cut(&mut self) {
        self.cut_begun = true;
    }
    pub(super) fn set_baseline(&mut self, probes: &[Seen], because: &str) {
        self.baseline = Some(because.to_owned());
        let known = probes.iter().filter(|seen| !seen.probe.is_empty());
        for seen in known {
            if seen.is_told() {
                self.looked.insert(seen.probe.clone());
            }
            if seen.is_open() {
                self.open.insert(seen.probe.clone());
                self.open_at_first.insert(seen.probe.clone(), seen.what.clone());
            }
        }
    }
    pub(super) fn set_after(&mut self, probes: &[Seen], because: &str) {
        let seen: BTreeMap<&str, &Seen> = probes.iter().map(|seen| (seen.probe.as_str(), seen)).collect();
        let mut after = After { open: 0, not_open: Vec::new(), because: because.to_owned() };
        for (probe, what) in &self.open_at_first {
            match seen.get(probe.as_str()) {
                Some(seen) if seen.is_open() => after.open += 1,
                Some(seen) => after.not_open.push((what.clone(), seen.seen.clone())),
                None => after.not_open.push((what.clone(), format!("{CANNOT_TELL}: nobody looked"))),
            }
        }
        self.after = Some(after);
    }

    /// Takes in what probes of a job saw. One that was to be closed is worth what its `before` says.
    pub(super) fn saw(&mut self, probes: &[Seen]) {
        for seen in probes.iter().filter(|seen| !seen.probe.is_empty()) {
            if let (true, Some(before)) = (seen.is_negative(), seen.before) {
                let proof = Proof { what: seen.what.clone(), closed: seen.agrees, before };
                self.proofs.insert(seen.probe.clone(), proof);
            }
            if seen.is_open() {
                self.open.insert(seen.probe.clone());
            }
        }
    }

    /// What is known of a negative probe from before. `cut_already`: every cut beneath it was so when the run began.
    pub(super) fn before(&self, probe: &str, cut_already: bool) -> Before {
        match () {
            () if self.open.contains(probe) => Before::Open,
            () if cut_already => Before::CutAlready,
            () if self.looked.contains(probe) => Before::NotOpen,
            () => Before::NotLooked,
        }
    }
}

impl Proof {
    /// Does it prove that the cut cut something off?
    pub fn proves(&self) -> bool {
        self.closed && self.before == Before::Open
    }
}

impl RunState {
    /// Puts down when the probes of a task agreed for the first time: those of its `verify`, or itself if it has none.
    pub(super) fn note_agreement(&mut self, at: Time, job: Job, outcome: &Outcome) {
        let step = self.plan.step_of(job.task);
        let verifies = step.verify.iter().any(|verify| matches!(verify, PlannedVerify::Probe(_)));
        let tells = match (&step.action, job.kind) {
            (_, JobKind::Verify) => verifies,
            (PlannedAction::Probe(_), JobKind::Run) => !verifies,
            _ => false,
        };
        if tells && *outcome == Outcome::Succeeded {
            self.proved.entry(job.task).or_insert(at);
        }
    }

    /// Was every cut that this task stands on in place before the run? Then there was nothing to be seen open.
    pub(super) fn was_cut_already(&self, task: TaskIx) -> bool {
        let step = self.step_of(task);
        let phase = self.plan.steps[step.at()].phase;
        let mut beneath: BTreeSet<StepIx> =
            self.steps_ix().filter(|ix| self.plan.steps[ix.at()].phase < phase).collect();
        let mut todo = vec![step];
        while let Some(ix) = todo.pop() {
            if beneath.insert(ix) {
                todo.extend(self.plan.steps[ix.at()].needs.iter().map(|need| need.step));
            }
        }
        let mut cuts = beneath.iter().filter(|ix| !self.plan.steps[ix.at()].severs.is_empty()).peekable();
        let already = |ix: &StepIx| {
            let counts = self.step(*ix).counts();
            counts.already_so > 0 && counts.already_so + counts.left_out == self.plan.steps[ix.at()].tasks
        };
        cuts.peek().is_some() && cuts.all(already)
    }
}
