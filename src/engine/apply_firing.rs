//! What a firing does to a step and its tasks: all of its jobs start with one event.

use super::apply::{Why, need};
use super::progress::Salvo;
use super::state::{RunState, Status};
use crate::model::Time;
use crate::model::event::{Job, JobKind};
use crate::model::names::StepIx;

impl RunState {
    pub(super) fn firing(&mut self, at: Time, ix: StepIx, jobs: &[Job]) -> Result<(), Why> {
        let phase = self.plan.steps[ix.at()].phase;
        need(self.status == Status::Running, "the run does not go forwards")?;
        need(self.phase_now == Some(phase), "its phase is not running")?;
        need(!jobs.is_empty(), "nobody is fired")?;
        need(jobs.windows(2).all(|pair| pair[0].task < pair[1].task), "its jobs are not in task order")?;
        for job in jobs {
            let task = self.task(job.task);
            need(job.kind == JobKind::Run, "only a run is fired")?;
            need(self.step_of(job.task) == ix, "a job of it belongs to another step")?;
            need(task.is_staged(), "a host of it is not ready")?;
            need(job.attempt == task.attempts(JobKind::Run) + 1, "its attempt is not the next one")?;
        }
        jobs.iter().for_each(|job| self.begin_job(at, *job));
        let step = &mut self.steps[ix.at()];
        step.staged -= jobs.len() as u32;
        step.fired = true;
        Ok(())
    }

    /// Who is fired later, alone, says nothing about how far apart the others started.
    pub(super) fn was_fired(&mut self, ix: StepIx, salvo: Salvo) -> Result<(), Why> {
        self.need_live()?;
        need(self.plan.steps[ix.at()].together.is_some(), "the step is not fired")?;
        self.steps[ix.at()].salvo.get_or_insert(salvo);
        Ok(())
    }
}
