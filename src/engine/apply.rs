//! The only place where a run changes: one match, one arm for each event. Refuses what makes no sense.

use super::progress::Salvo;
use super::state::{AcceptedRisk, Illegal, RunState, Status};
use super::task::Stage;
use crate::model::event::{Mode, Seen, Stands, StopHow, Verdict};
use crate::model::names::{HostIx, PhaseIx, RunId, ServiceName, StepIx, TaskIx};
use crate::model::{Event, Time};

/// Why an event is refused.
pub(super) type Why = String;

impl RunState {
    /// Adds one event. If it makes no sense here it is refused, and nothing has changed.
    pub fn apply(&mut self, at: Time, event: &Event) -> Result<(), Illegal> {
        self.check_indices(event)
            .and_then(|()| self.change(at, event))
            .map_err(|because| self.illegal(event, because))?;
        self.newest_at = at;
        Ok(())
    }

    /// No process watches services after this moment.
    pub(super) fn nobody_watches(&mut self, since: Time) {
        self.services.values_mut().for_each(|service| service.end(since));
    }

    fn change(&mut self, at: Time, event: &Event) -> Result<(), Why> {
        match event {
            Event::RunStarted { run, plan, mode, by, version: _ } => {
                self.run_started(at, run, plan, *mode, by)
            }
            Event::RunResumed { by: _, version: _ } => self.run_resumed(),
            Event::HostReached { host, how } => self.host_was_reached(*host, how),
            Event::PhaseStarted { phase } => self.phase_started(at, *phase),
            Event::PhaseEnded { phase, well } => self.phase_ended(at, *phase, *well),
            Event::StepEnded { step, well, failures } => self.step_ended(at, *step, *well, *failures),
            Event::StepNotRun { step, because } => self.step_not_run(at, *step, because),
            Event::JobStarted { job } => self.job_started(at, *job),
            Event::JobEnded { job, outcome, facts } => {
                self.job_ended(at, *job, outcome, facts.guard.as_ref())?;
                self.proofs.saw(&facts.probes);
                self.note_agreement(at, *job, outcome);
                self.backups.extend(facts.backup.as_ref().map(|seen| (job.task, seen.taken)));
                Ok(())
            }
            Event::ReceiptRead { job, found } => self.receipt_read(*job, found),
            Event::RetryPlanned { task, kind, at } => self.retry_planned(*task, *kind, *at),
            Event::WaitStarted { task, until } => self.wait_started(at, *task, *until),
            Event::TaskEnded { task, end } => self.task_ended(at, *task, end),
            Event::Asked { question } => self.asked(at, question),
            Event::Answered { answer } => self.answered(at, answer),
            Event::StopRequested { by, how } => self.stop_was_requested(by, *how),
            Event::RollbackStarted { scope, reopen, by: _, consent: _ } => {
                self.rollback_started(*scope, *reopen)
            }
            Event::UndoEnded { task, end } => self.undo_ended(*task, end),
            Event::Abandoned { by, comment: _ } => self.was_abandoned(by),
            Event::GuardExtended { task, left } => self.guard_extended(at, *task, *left),
            Event::RiskAccepted { what, by, because } => self.risk_accepted(what, by, because),
            Event::RunEnded { verdict } => self.run_ended(at, verdict),
            Event::ApprovalLapsed { step, by } => self.approval_lapsed(at, *step, by),
            Event::Baseline { probes, because } => self.baseline_seen(probes, because),
            Event::LookedAfter { probes, because } => self.was_looked_after(probes, because),
            Event::ServiceSeen { service, stands, because: _ } => self.service_seen(at, service, *stands),
            Event::Firing { step, jobs } => self.firing(at, *step, jobs),
            Event::Fired { step, hosts, unheard, sent_us: _, skew_min_us, skew_max_us } => {
                let skew_us = (*skew_min_us, *skew_max_us);
                self.was_fired(*step, Salvo { hosts: *hosts, unheard: *unheard, skew_us })
            }
            Event::Injected { text: _ } => self.need_live(),
        }
    }

    /// Does everything that the event names exist in the plan? Everything after this may index freely.
    fn check_indices(&self, event: &Event) -> Result<(), Why> {
        let host = |ix: &HostIx| known("host", ix.at(), self.plan.hosts.len());
        let phase = |ix: &PhaseIx| known("phase", ix.at(), self.phases.len());
        let step = |ix: &StepIx| known("step", ix.at(), self.steps.len());
        let task = |ix: &TaskIx| known("task", ix.at(), self.tasks.len());
        match event {
            Event::HostReached { host: ix, .. } => host(ix),
            Event::PhaseStarted { phase: ix } | Event::PhaseEnded { phase: ix, .. } => phase(ix),
            Event::StepEnded { step: ix, .. }
            | Event::StepNotRun { step: ix, .. }
            | Event::Fired { step: ix, .. }
            | Event::ApprovalLapsed { step: ix, .. } => step(ix),
            Event::Firing { step: ix, jobs } => {
                step(ix)?;
                jobs.iter().try_for_each(|job| task(&job.task))
            }
            Event::JobStarted { job } | Event::JobEnded { job, .. } | Event::ReceiptRead { job, .. } => {
                task(&job.task)
            }
            Event::RetryPlanned { task: ix, .. }
            | Event::WaitStarted { task: ix, .. }
            | Event::TaskEnded { task: ix, .. }
            | Event::UndoEnded { task: ix, .. }
            | Event::GuardExtended { task: ix, .. } => task(ix),
            Event::Asked { question } => self.check_question(question),
            Event::Answered { answer } => self.check_question(&answer.question),
            Event::RunStarted { .. }
            | Event::RunResumed { .. }
            | Event::StopRequested { .. }
            | Event::RollbackStarted { .. }
            | Event::Abandoned { .. }
            | Event::RiskAccepted { .. }
            | Event::RunEnded { .. }
            | Event::Injected { .. }
            | Event::LookedAfter { .. }
            | Event::Baseline { .. } => Ok(()),
            Event::ServiceSeen { service, .. } => {
                let known = self.plan.services.iter().any(|planned| planned.name == *service);
                need(known, "the plan has no such service")
            }
        }
    }

    fn run_started(&mut self, at: Time, run: &RunId, plan: &str, mode: Mode, by: &str) -> Result<(), Why> {
        need(self.status == Status::New, "the run has begun already")?;
        self.status = Status::Running;
        self.run = Some(run.clone());
        self.plan_hash = Some(plan.to_owned());
        self.mode = mode;
        self.by = Some(by.to_owned());
        self.started_at = Some(at);
        Ok(())
    }

    fn host_was_reached(&mut self, host: HostIx, how: &str) -> Result<(), Why> {
        self.need_live()?;
        self.hosts.insert(host, how.to_owned());
        Ok(())
    }

    fn baseline_seen(&mut self, probes: &[Seen], because: &str) -> Result<(), Why> {
        self.need_live()?;
        need(self.proofs.baseline().is_none(), "there is a baseline already")?;
        need(!self.proofs.is_cut_begun(), "a cut was begun before")?;
        self.proofs.set_baseline(probes, because);
        Ok(())
    }

    fn was_looked_after(&mut self, probes: &[Seen], because: &str) -> Result<(), Why> {
        self.need_live()?;
        need(self.is_to_be_as_before(), "nothing that was cut is to be open again")?;
        need(self.busy.is_empty(), "a job is running")?;
        self.proofs.set_after(probes, because);
        Ok(())
    }

    fn service_seen(&mut self, at: Time, service: &ServiceName, stands: Stands) -> Result<(), Why> {
        self.need_live()?;
        need(self.service(service) != Some(stands), "that is known already")?;
        self.services.entry(service.clone()).or_default().saw(at, stands);
        Ok(())
    }

    fn stop_was_requested(&mut self, by: &str, how: StopHow) -> Result<(), Why> {
        self.need_live()?;
        let harder = self.stop.as_ref().is_none_or(|(_, before)| how > *before);
        need(harder, "a stop no softer was requested before")?;
        self.stop = Some((by.to_owned(), how));
        Ok(())
    }

    fn was_abandoned(&mut self, by: &str) -> Result<(), Why> {
        need(self.status != Status::New, "the run has not begun")?;
        need(self.busy.is_empty(), "a job is running")?;
        self.abandoned = Some(by.to_owned());
        Ok(())
    }

    fn risk_accepted(&mut self, what: &str, by: &str, because: &str) -> Result<(), Why> {
        self.need_live()?;
        need(self.phases.iter().all(|phase| phase.started_at.is_none()), "a phase has begun")?;
        let risk = AcceptedRisk { what: what.to_owned(), by: by.to_owned(), because: because.to_owned() };
        self.risks.push(risk);
        Ok(())
    }

    fn run_ended(&mut self, at: Time, verdict: &Verdict) -> Result<(), Why> {
        self.need_live()?;
        need(self.busy.is_empty(), "a job is running")?;
        let forwards = self.status == Status::Running;
        match verdict {
            Verdict::Completed => {
                let open = self.phases.iter().any(|phase| phase.is_open());
                need(forwards && !open, "a phase is not over")?;
            }
            Verdict::RolledBack | Verdict::Stuck => need(!forwards, "no rollback was started")?,
            Verdict::Stopped { .. } | Verdict::Refused { .. } => {}
        }
        self.status = Status::Ended(verdict.clone());
        self.ended_at = Some(at);
        self.nobody_watches(at);
        self.close_questions(|_| true);
        self.forget_refusals();
        Ok(())
    }

    /// Events that happen only while a run goes on, in one direction or the other.
    pub(super) fn need_live(&self) -> Result<(), Why> {
        match self.status {
            Status::Running | Status::RollingBack { .. } => Ok(()),
            Status::New => Err("the run has not begun".into()),
            Status::Ended(_) => Err("the run has ended".into()),
        }
    }

    pub(super) fn need_idle(&self, task: TaskIx) -> Result<(), Why> {
        match self.task(task).stage {
            Stage::Running { job, .. } => Err(format!("attempt {} of {} is running", job.attempt, job.kind)),
            _ => Ok(()),
        }
    }
}

/// A condition that an event needs, and what is wrong without it.
pub(super) fn need(condition: bool, otherwise: &str) -> Result<(), Why> {
    if condition { Ok(()) } else { Err(otherwise.to_owned()) }
}

fn known(what: &str, ix: usize, count: usize) -> Result<(), Why> {
    if ix < count { Ok(()) } else { Err(format!("the plan has {count} of {what}, none is number {ix}")) }
}
