//! Starts what may start, most urgent first, within the limits.

use super::io::Output;
use super::queues::Turn;
use super::run::Engine;
use crate::model::Event;
use crate::model::event::{Job, JobKind};
use crate::model::names::TaskIx;
use std::cmp::Reverse;

impl Engine {
    pub(super) fn make_ready(&mut self, ix: TaskIx) {
        self.queues.ready.insert(self.turn(ix));
    }

    fn turn(&self, ix: TaskIx) -> Turn {
        (Reverse(self.state.plan.step_of(ix).urgency), ix)
    }

    /// Starts as much as the limits allow. Was anything started?
    pub(super) fn start_ready(&mut self) -> bool {
        // A limit of none would be a run that waits for ever.
        let (at_once, behind_max) = (self.limits.jobs_at_once.max(1), self.limits.jobs_per_jump_host.max(1));
        let mut any = false;
        loop {
            let moved = self.queues.unpark(behind_max);
            while self.state.busy.len() < at_once as usize
                && let Some(turn) = self.queues.ready.pop_first()
            {
                let (_, ix) = turn;
                let Some(kind) = self.wanted(ix) else {
                    any |= self.look_again(ix);
                    continue;
                };
                match self.web.jump_of(&self.state.plan, ix) {
                    Some(jump) if self.queues.behind[jump] >= behind_max => {
                        self.queues.parked[jump].insert(turn);
                    }
                    Some(_) | None => {
                        self.start(ix, kind);
                        any = true;
                    }
                }
            }
            if !moved || !self.queues.ready.is_empty() {
                return any;
            }
        }
    }

    fn start(&mut self, ix: TaskIx, kind: JobKind) {
        let task = self.state.task(ix);
        let job = Job { task: ix, kind, attempt: task.attempts(kind) + 1 };
        let resolves = match kind {
            JobKind::ResolveRun | JobKind::ResolveUndo => task.unknown,
            JobKind::Check
            | JobKind::Snapshot
            | JobKind::Arm
            | JobKind::Run
            | JobKind::Confirm
            | JobKind::Verify
            | JobKind::Undo
            | JobKind::Watch
            | JobKind::Stage => None,
        };
        self.record(Event::JobStarted { job });
        self.order(Output::Start { job, resolves });
    }
}
