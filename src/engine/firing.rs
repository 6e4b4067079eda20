//! When a step that starts on all hosts at one moment is fired, and when it is not.

use super::bounds::TRIES_IN_VAIN_MAX;
use super::io::Output;
use super::policy::Halt;
use super::run::Engine;
use super::state::RunState;
use crate::model::event::{Job, JobKind, TaskEnd};
use crate::model::names::{StepIx, TaskIx};
use crate::model::{Event, Outcome};

/// Where the hosts of such a step stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Muster {
    /// Some host may still get ready, or none has.
    Waits,
    /// All that will be ready are, and they are enough.
    Ready,
    /// Too few can get ready; says how many.
    TooFew {
        /// Hosts that failed or did not run.
        missing: u32,
    },
}

/// How far a step is. Counters alone: it is asked at each host that gets ready.
pub(super) fn muster(state: &RunState, ix: StepIx) -> Muster {
    let (step, planned) = (state.step(ix), &state.plan.steps[ix.at()]);
    let Some(together) = planned.together else { return Muster::Waits };
    if step.staged == 0 {
        return Muster::Waits;
    }
    // What has begun on some hosts is not kept from the others.
    if step.fired {
        return Muster::Ready;
    }
    let counts = step.counts;
    let (all, missing) = (planned.tasks - counts.left_out, counts.failed + counts.not_run);
    let enough = together.quorum.unwrap_or(all).min(all);
    if all - missing < enough {
        return Muster::TooFew { missing };
    }
    match counts.waiting == 0 && counts.begun == step.staged {
        true => Muster::Ready,
        false => Muster::Waits,
    }
}

impl Engine {
    /// Fires a step if its time has come. Hosts that wait in vain are looked at again.
    pub(super) fn muster(&mut self, ix: StepIx) {
        match muster(&self.state, ix) {
            Muster::Waits => {}
            Muster::Ready => {
                if self.state.halt() == Halt::No
                    && self.state.phase_now == Some(self.state.plan.steps[ix.at()].phase)
                {
                    self.fire(ix);
                }
            }
            Muster::TooFew { .. } => {
                let staged = self.state.plan.tasks_of(ix).filter(|task| self.state.task(*task).is_staged());
                self.queues.tasks.extend(staged);
            }
        }
    }

    /// One event starts all jobs, and one order: nobody is ahead, and no limit stands in between.
    fn fire(&mut self, step: StepIx) {
        let run = |task: TaskIx| {
            let attempt = self.state.task(task).attempts(JobKind::Run) + 1;
            Job { task, kind: JobKind::Run, attempt }
        };
        let staged = self.state.plan.tasks_of(step).filter(|task| self.state.task(*task).is_staged());
        let jobs: Vec<Job> = staged.map(run).collect();
        self.record(Event::Firing { step, jobs: jobs.clone() });
        self.unmeasured.insert(step);
        self.order(Output::Fire { step, jobs });
    }

    /// A host that was ready is not any more: it gets ready again, a few times.
    pub(super) fn unready(&mut self, ix: TaskIx) {
        let staged = ix.at() < self.state.tasks.len() && self.state.task(ix).is_staged();
        if !staged || !self.live {
            return self.refuse();
        }
        match self.state.task(ix).tries.in_vain < TRIES_IN_VAIN_MAX {
            true => self.record(Event::RetryPlanned { task: ix, kind: JobKind::Stage, at: self.now }),
            false => {
                let because = "its connection was lost again and again while it was ready".to_owned();
                let outcome = Outcome::NotStarted { because, try_again: true };
                let changed = self.state.task(ix).may_have_changed();
                let end = TaskEnd::Failed { kind: JobKind::Stage, outcome, changed };
                self.record(Event::TaskEnded { task: ix, end });
            }
        }
    }

    /// The host whose script is no longer wanted once this event is on record.
    pub(super) fn no_longer_wanted(&self, event: &Event) -> Option<TaskIx> {
        match event {
            Event::TaskEnded { task, .. } if self.state.task(*task).is_staged() => Some(*task),
            _ => None,
        }
    }

    /// Watches and stagings have nothing to wait for once things are taken back.
    pub(super) fn end_what_only_waits(&mut self) {
        let waits = |job: &Job| matches!(job.kind, JobKind::Watch | JobKind::Stage);
        let jobs: Vec<Job> = self.state.running().map(|(job, _)| job).filter(waits).collect();
        jobs.into_iter().for_each(|job| self.order(Output::Cancel { job }));
    }
}
