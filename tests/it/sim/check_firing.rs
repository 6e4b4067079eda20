//! Steps that start on all hosts at one moment, as the checks see them: nobody before all are ready, nobody left out.

use super::check::{Checker, Complaint, require};
use super::check_begin;
use blackstart::model::Time;
use blackstart::model::event::{Job, JobKind, TaskEnd};
use blackstart::model::names::{StepIx, TaskIx};

impl Checker {
    pub(super) fn firing(&mut self, at: Time, step: StepIx, jobs: &[Job]) -> Complaint {
        let ready: Vec<TaskIx> = self.ready_of(step);
        let fired: Vec<TaskIx> = jobs.iter().map(|job| job.task).collect();
        require(!jobs.is_empty() && fired == ready, || format!("{fired:?} are fired, ready are {ready:?}"))?;
        require(self.has_begun(step) || !self.is_waited_for(step), || {
            format!("{step:?} is fired before all hosts are ready")
        })?;
        require(self.has_begun(step) || !self.are_too_few(step), || {
            format!("{step:?} is fired on too few hosts")
        })?;
        for job in jobs {
            require(job.kind == JobKind::Run, || format!("{job:?} is fired"))?;
            check_begin::may_be_fired(self, at, *job)?;
        }
        for job in jobs {
            let vain = self.tasks[job.task.at()].vain;
            self.begun_job(*job);
            let task = &mut self.tasks[job.task.at()];
            (task.staged, task.vain) = (false, vain);
        }
        self.steps[step.at()].fired = true;
        Ok(())
    }

    fn ready_of(&self, step: StepIx) -> Vec<TaskIx> {
        self.plan.tasks_of(step).filter(|task| self.tasks[task.at()].staged).collect()
    }

    /// Did it start somewhere, as far as this process knows?
    pub(super) fn has_begun(&self, step: StepIx) -> bool {
        let ran = |task: TaskIx| self.tasks[task.at()].ran;
        self.steps[step.at()].fired || self.plan.tasks_of(step).any(ran)
    }

    /// May a host still get ready?
    fn is_waited_for(&self, step: StepIx) -> bool {
        let open = |task: &TaskIx| self.tasks[task.at()].end.is_none() && !self.tasks[task.at()].staged;
        self.plan.tasks_of(step).any(|task| open(&task))
    }

    /// Can so many never get ready that the step must not be fired?
    pub(super) fn are_too_few(&self, step: StepIx) -> bool {
        let Some(together) = self.plan.steps[step.at()].together else { return false };
        let all = self.plan.tasks_of(step).filter(|task| self.plan.tasks[task.at()].left_out.is_none());
        let (mut hosts, mut missing) = (0, 0);
        for task in all {
            hosts += 1;
            let end = &self.tasks[task.at()].end;
            missing += u32::from(matches!(end, Some(TaskEnd::Failed { .. } | TaskEnd::NotRun { .. })));
        }
        hosts - missing < together.quorum.unwrap_or(hosts).min(hosts)
    }

    /// Is a host that is ready kept waiting for nobody?
    pub(super) fn is_kept_waiting(&self, ix: TaskIx) -> bool {
        let step = StepIx(self.step_at(ix) as u32);
        self.has_begun(step) || self.are_too_few(step) || !self.is_waited_for(step)
    }

    /// A host that is ready gives up only because too many others are not.
    pub(super) fn was_sent_home(&self, ix: TaskIx) -> bool {
        let step = StepIx(self.step_at(ix) as u32);
        self.tasks[ix.at()].staged && !self.has_begun(step) && self.are_too_few(step)
    }
}
