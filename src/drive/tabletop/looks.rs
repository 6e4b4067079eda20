//! What looks see: checks, verifies, probes, stagings, and what other read-only jobs come to.

use super::staging::Looked;
use super::world::World;
use crate::drive::probe::Asked;
use crate::engine::Input;
use crate::model::event::{Before, CANNOT_TELL, Facts, Job, JobKind, Seen};
use crate::model::names::{HostIx, TaskIx};
use crate::model::outcome::How;
use crate::model::probe::Expect;
use crate::model::scenario::Part;
use crate::model::{Millis, Outcome};
use crate::plan::frozen::{PlannedAction, PlannedVerify};
use std::collections::BTreeSet;

/// The look before the first cut takes as long as one probe that hears nothing.
const BASELINE: Millis = Millis::from_secs(3);

/// What one probe came to.
pub(super) enum Saw {
    Open,
    Closed(&'static str),
    CannotTell(String),
}

impl World {
    /// How a read-only job ends, and what it saw.
    pub(super) fn look(&mut self, job: Job) -> (Outcome, Facts) {
        if self.needs_own_host(job)
            && let Some(because) = self.unreachable(self.host(job.task))
        {
            return (Outcome::NotStarted { because, try_again: true }, Facts::default());
        }
        match job.kind {
            JobKind::Check if self.effective[job.task.at()] => (Outcome::Succeeded, Facts::default()),
            JobKind::Check => (Outcome::from_exit(1), Facts::default()),
            JobKind::Snapshot => (Outcome::Succeeded, Facts::default()),
            JobKind::Stage => {
                self.staged.insert(job.task);
                (Outcome::Succeeded, Facts::default())
            }
            JobKind::Arm => self.arm(job),
            JobKind::Run if self.is_hit(job, Part::Action) => match self.step(job.task).action {
                PlannedAction::Probe(_) => {
                    let how = How::Disagreed("the scenario says so".to_owned());
                    (Outcome::Failed { how }, Facts::default())
                }
                _ => (Outcome::from_exit(1), Facts::default()),
            },
            JobKind::Run => self.see(job, |looked| looked.own),
            JobKind::Verify | JobKind::Watch => self.see(job, |looked| !looked.own),
            JobKind::Undo | JobKind::ResolveRun | JobKind::ResolveUndo | JobKind::Confirm => {
                unreachable!("{job:?} is no look")
            }
        }
    }

    /// Answers the order to look before the first cut.
    pub fn look_before(&mut self) {
        let probes = self.negative_probes(|_, _, _| Saw::Open);
        self.tell(BASELINE, Input::Baseline { probes, because: String::new() });
    }

    /// Answers the order to look before the end. How services stand is told whenever that changes.
    pub fn look_after(&mut self, probes: bool) {
        let (after, probes) = match probes {
            true => (BASELINE, self.negative_probes(|world, task, looked| world.saw(Some(task), &looked))),
            false => (Millis(0), Vec::new()),
        };
        self.tell(after, Input::LookedAfter { services: Vec::new(), probes, because: String::new() });
    }

    /// What every negative probe sees that would have to be open, each once.
    fn negative_probes(&self, saw: impl Fn(&Self, TaskIx, Looked) -> Saw) -> Vec<Seen> {
        let plan = &self.staging.plan;
        let (mut known, mut seen) = (BTreeSet::new(), Vec::new());
        let tasks = (0..plan.tasks.len() as u32).map(TaskIx).filter(|_| self.tells_probes);
        for task in tasks.filter(|task| plan.tasks[task.at()].left_out.is_none()) {
            let looked = &self.staging.probes[plan.tasks[task.at()].step.at()];
            for (looked, probe) in looked.iter().zip(plan.step_of(task).probes()) {
                let asked = Asked::on_paper(plan, task, probe);
                if looked.closed && known.insert(asked.id.clone()) {
                    let saw = saw(self, task, Looked { closed: false, ..looked.clone() });
                    seen.push(told(Asked { expect: Expect::Open, ..asked }, &saw));
                }
            }
        }
        seen
    }

    fn needs_own_host(&self, job: Job) -> bool {
        let step = self.step(job.task);
        match job.kind {
            JobKind::Run => !matches!(step.action, PlannedAction::Probe(_)),
            JobKind::Verify => step.verify.iter().any(|verify| matches!(verify, PlannedVerify::Script(_))),
            JobKind::Watch => false,
            JobKind::Check
            | JobKind::Snapshot
            | JobKind::Stage
            | JobKind::Arm
            | JobKind::Confirm
            | JobKind::Undo
            | JobKind::ResolveRun
            | JobKind::ResolveUndo => true,
        }
    }

    /// Looks with the wanted probes of a task. A verify agrees only with what is so.
    fn see(&self, job: Job, wanted: impl Fn(&Looked) -> bool) -> (Outcome, Facts) {
        let staging = self.staging.clone();
        let step = staging.plan.tasks[job.task.at()].step;
        let mut seen = Vec::new();
        let mut outcome = match job.kind == JobKind::Verify && self.claims(job.task) {
            true if !self.effective[job.task.at()] => Outcome::from_exit(1),
            _ => Outcome::Succeeded,
        };
        for (looked, probe) in staging.probes[step.at()].iter().zip(staging.plan.steps[step.at()].probes()) {
            if !wanted(looked) {
                continue;
            }
            let saw = self.saw(Some(job.task), looked);
            let agrees = matches!((&saw, looked.closed), (Saw::Open, false) | (Saw::Closed(_), true));
            if agrees && !self.tells_probes {
                continue;
            }
            let asked = Asked::on_paper(&staging.plan, job.task, probe);
            let told = told(asked, &saw);
            if outcome == Outcome::Succeeded && !agrees {
                let text = format!("{}: expected {}, saw {}", told.what, told.expected, told.seen);
                outcome = match saw {
                    Saw::CannotTell(_) => Outcome::Unknown { because: text },
                    Saw::Open | Saw::Closed(_) => Outcome::Failed { how: How::Disagreed(text) },
                };
            }
            seen.push(told);
        }
        (outcome, Facts { probes: seen, ..Facts::default() })
    }

    /// A probe that must be open is, unless the model knows that its way is cut or its target silent. One that must be
    /// closed is: of single ports the model knows nothing.
    pub(super) fn saw(&self, task: Option<TaskIx>, looked: &Looked) -> Saw {
        let from: Option<HostIx> = match task {
            Some(task) if looked.at_task => self.host(task),
            Some(_) | None => looked.from,
        };
        if let Some(why) = self.unreachable(from) {
            return Saw::CannotTell(why);
        }
        let silent = looked.target_host.is_some_and(|host| self.silent[host.at()] > 0);
        let terrain = &self.staging.terrain;
        let leads = terrain.reaches(&self.lie, terrain.zone_of_host(from), looked.to);
        match () {
            () if silent => Saw::Closed("it does not answer"),
            () if !leads => Saw::Closed("no way leads there"),
            () if looked.closed => Saw::Closed("no answer"),
            () => Saw::Open,
        }
    }
}

fn told(asked: Asked, saw: &Saw) -> Seen {
    let expected = asked.expect.word();
    let (seen, agrees) = match saw {
        Saw::Open => (Expect::Open.word().to_owned(), asked.expect == Expect::Open),
        Saw::Closed(how) => (format!("{}: {how}", Expect::Closed.word()), asked.expect == Expect::Closed),
        Saw::CannotTell(why) => (format!("{CANNOT_TELL}: {why}"), false),
    };
    let before: Option<Before> = None;
    Seen { what: asked.what, expected: expected.to_owned(), seen, agrees, probe: asked.id, before }
}
