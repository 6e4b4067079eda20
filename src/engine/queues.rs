//! What has to be looked at and what may start: only what an event touched is looked at again.

use crate::model::names::{StepIx, TaskIx};
use crate::model::{Millis, Time};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Place in the queue: the most urgent step first, then the order of the plan.
pub(super) type Turn = (Reverse<Millis>, TaskIx);

/// The engine's notes to itself. All of it can be worked out again from the run's state.
#[derive(Debug)]
pub(super) struct Queues {
    /// Tasks that an event touched.
    pub tasks: VecDeque<TaskIx>,
    /// Steps whose tasks may all be settled, or can never run.
    pub steps: BTreeSet<StepIx>,
    /// Steps of which a wave may start.
    pub waves: BTreeSet<StepIx>,
    /// Tasks that want to start a job.
    pub ready: BTreeSet<Turn>,
    /// Of these, those whose jump host is busy.
    pub parked: Vec<BTreeSet<Turn>>,
    /// Jobs that run behind each jump host.
    pub behind: Vec<u32>,
    /// When to look again at a task.
    pub clocks: BTreeSet<(Time, TaskIx)>,
    /// When to look again at a step.
    pub step_clocks: BTreeMap<StepIx, Time>,
    /// When it is too late for a step. Nobody waits for that.
    pub deadlines: BTreeMap<StepIx, Time>,
}

impl Queues {
    pub fn new(jumps: usize) -> Self {
        Self {
            tasks: VecDeque::new(),
            steps: BTreeSet::new(),
            waves: BTreeSet::new(),
            ready: BTreeSet::new(),
            parked: vec![BTreeSet::new(); jumps],
            behind: vec![0; jumps],
            clocks: BTreeSet::new(),
            step_clocks: BTreeMap::new(),
            deadlines: BTreeMap::new(),
        }
    }

    /// Forgets everything but the jobs that run.
    pub fn clear(&mut self) {
        let behind = std::mem::take(&mut self.behind);
        *self = Self { behind, ..Self::new(self.parked.len()) };
    }

    /// The time of the next clock.
    pub fn next_clock(&self) -> Option<Time> {
        let task = self.clocks.first().map(|(at, _)| *at);
        let step = self.step_clocks.values().chain(self.deadlines.values()).min().copied();
        task.into_iter().chain(step).min()
    }

    /// Takes up everything whose time has come.
    pub fn pass_time(&mut self, now: Time) {
        while let Some((at, task)) = self.clocks.first().copied()
            && at <= now
        {
            self.clocks.remove(&(at, task));
            self.tasks.push_back(task);
        }
        self.deadlines.retain(|step, at| {
            let due = *at <= now;
            if due {
                self.steps.insert(*step);
            }
            !due
        });
        self.step_clocks.retain(|step, at| {
            let due = *at <= now;
            if due {
                self.waves.insert(*step);
            }
            !due
        });
    }

    /// Takes those out of parking that a jump host has room for. Were there any?
    pub fn unpark(&mut self, behind_max: u32) -> bool {
        let mut any = false;
        for (parked, behind) in self.parked.iter_mut().zip(&self.behind) {
            for _ in *behind..behind_max {
                let Some(turn) = parked.pop_first() else { break };
                self.ready.insert(turn);
                any = true;
            }
        }
        any
    }
}
