//! Scripts on hosts: they run, end, change what is so, and are heard as long as there is a way.

use super::staging::ALWAYS;
use super::world::{Attempt, Coming, LOST_AFTER, NO_WAY, World, ended};
use crate::engine::Input;
use crate::model::event::{Found, Job, JobKind};
use crate::model::names::{HostIx, StepIx, TaskIx};
use crate::model::outcome::How;
use crate::model::scenario::Part;
use crate::model::{Millis, Outcome};

impl World {
    /// A script sets out for its host.
    pub(super) fn attempt(&mut self, job: Job) {
        if let Some(why) = self.unreachable(self.host(job.task)) {
            return self.tell(NO_WAY, ended(job, Outcome::NotStarted { because: why, try_again: true }));
        }
        if job.kind == JobKind::Run && !self.is_guarded(job) {
            let because = "its guard is gone".to_owned();
            return self.tell(Millis(0), ended(job, Outcome::NotStarted { because, try_again: true }));
        }
        let part = if job.kind == JobKind::Undo { Part::Undo } else { Part::Action };
        let hit = self.is_hit(job, part);
        let (takes, limit) = (self.action_takes(job, !hit), self.step(job.task).timeout);
        let will = match () {
            () if takes > limit => Outcome::Failed { how: How::TimedOut(limit) },
            () if hit => Outcome::from_exit(1),
            () => Outcome::Succeeded,
        };
        let takes = takes.min(limit);
        let attempt = Attempt { will, ends_at: self.now + takes, ended: None, heard: true };
        self.attempts.insert(job, attempt);
        if job.kind == JobKind::Run && self.is_hit(job, Part::Link) {
            self.later(Millis(takes.0 / 2), Coming::LinkLost(job));
        }
        self.later(takes, Coming::HostEnd(job));
    }

    /// Does the scenario say that this part of the task goes wrong in this attempt?
    pub(super) fn is_hit(&self, job: Job, part: Part) -> bool {
        match self.staging.faults.get(&(job.task, part)) {
            Some(&ALWAYS) => true,
            Some(times) => job.attempt <= *times,
            None => false,
        }
    }

    /// A script ends on its host, whoever hears it.
    pub(super) fn host_end(&mut self, job: Job) -> Option<Input> {
        let attempt = self.attempts.get_mut(&job).filter(|attempt| attempt.ended.is_none())?;
        let outcome = attempt.will.clone();
        attempt.ended = Some(outcome.clone());
        if outcome == Outcome::Succeeded {
            self.takes_effect(job.task, job.kind == JobKind::Run);
        }
        // The script may have cut the way over which it is heard: that is noticed, and told, by then.
        let attempt = self.attempts.get_mut(&job)?;
        std::mem::take(&mut attempt.heard).then(|| ended(job, outcome))
    }

    /// What a task is for is so from here on, or no longer.
    pub(super) fn takes_effect(&mut self, task: TaskIx, so: bool) {
        self.effective[task.at()] = so;
        let step = self.staging.plan.tasks[task.at()].step;
        let (severs, reconnects) =
            (self.staging.terrain.severs(step).to_vec(), self.staging.terrain.reconnects(step).to_vec());
        if severs.is_empty() && reconnects.is_empty() {
            return;
        }
        let mut cut = self.lie.cut.clone();
        for conduit in &severs {
            match so || self.is_cut_elsewhere(conduit.0) {
                true => cut.insert(conduit.0),
                false => cut.remove(conduit.0),
            }
        }
        for conduit in &reconnects {
            match self.is_so_everywhere(step) {
                true => cut.remove(conduit.0),
                false if !so => cut.insert(conduit.0),
                false => {}
            }
        }
        if cut != self.lie.cut {
            self.lie = self.staging.terrain.with(cut);
            self.ways_changed();
        }
    }

    fn is_cut_elsewhere(&self, conduit: usize) -> bool {
        let plan = &self.staging.plan;
        (0..plan.steps.len() as u32).map(StepIx).any(|step| {
            self.staging.terrain.severs(step).iter().any(|severed| severed.0 == conduit)
                && plan.tasks_of(step).any(|task| self.effective[task.at()])
        })
    }

    fn is_so_everywhere(&self, step: StepIx) -> bool {
        let plan = &self.staging.plan;
        let mut runs = plan.tasks_of(step).filter(|task| plan.tasks[task.at()].left_out.is_none());
        runs.all(|task| self.effective[task.at()])
    }

    /// Nobody hears a script any more; it goes on.
    pub(super) fn link_lost(&mut self, job: Job) -> Option<Input> {
        let attempt = self.attempts.get_mut(&job).filter(|attempt| attempt.ended.is_none())?;
        std::mem::take(&mut attempt.heard).then(|| ended(job, unseen()))
    }

    /// Links to a host that cannot be reached any more are lost, and that is noticed after a while.
    pub(super) fn lose_links(&mut self, host: HostIx) {
        let here = |world: &Self, task: TaskIx| world.host(task) == Some(host);
        let lost: Vec<Job> = self
            .attempts
            .iter()
            .filter(|(job, attempt)| attempt.heard && here(self, job.task))
            .map(|(job, _)| *job)
            .collect();
        for job in lost {
            self.attempts.get_mut(&job).expect("it was listed").heard = false;
            self.tell(LOST_AFTER, ended(job, unseen()));
        }
        let ready: Vec<TaskIx> = self.staged.iter().copied().filter(|task| here(self, *task)).collect();
        for task in ready {
            self.staged.remove(&task);
            self.tell(LOST_AFTER, Input::Unready { task });
        }
    }

    /// Somebody asks a host what became of an attempt. One that still runs is waited for.
    pub(super) fn receipt(&mut self, job: Job, of: Job) -> Option<Input> {
        if let Some(because) = self.unreachable(self.host(job.task)) {
            self.is_over(job);
            return Some(Input::ReceiptRead { job, found: Found::NotReached { because, try_again: true } });
        }
        let found = match self.attempts.get(&of).map(|attempt| (&attempt.ended, attempt.ends_at)) {
            None => Found::NeverStarted,
            Some((Some(outcome), _)) => Found::Ended(outcome.clone()),
            Some((None, ends_at)) => {
                let rest = Millis(ends_at.since(self.now).0 + 1);
                self.queue_end(job, rest, Coming::Receipt { job, of });
                return None;
            }
        };
        self.is_over(job);
        Some(Input::ReceiptRead { job, found })
    }
}

fn unseen() -> Outcome {
    Outcome::Unknown { because: "the link was lost".to_owned() }
}
