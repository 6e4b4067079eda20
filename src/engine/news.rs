//! Takes news in: checks whether they fit, and records what they say.

use super::guard::Guarding;
use super::io::{Input, Output};
use super::run::Engine;
use super::scope::steps_in;
use super::state::Status;
use crate::model::event::{Facts, Found, Job, JobKind, Scope, Seen, Stands, StopHow, StopReason, Verdict};
use crate::model::guard::GuardSeen;
use crate::model::names::{ConduitName, HostIx, ServiceName, StepIx, TaskIx};
use crate::model::question::{Answer, Question};
use crate::model::{Event, Millis, Outcome};

impl Engine {
    pub(super) fn take_in(&mut self, input: Input) {
        match input {
            Input::Begin { run, plan, mode, by, version } => match self.state.status {
                Status::New => {
                    self.live = true;
                    self.record(Event::RunStarted { run, plan, mode, by, version });
                    for event in std::mem::take(&mut self.accepted) {
                        self.record(event);
                    }
                    self.look_before_the_first_cut();
                }
                _ => self.refuse(),
            },
            Input::Resume { by, version } => self.resume(by, version),
            Input::JobEnded { job, outcome, facts } => self.job_ended(job, outcome, facts),
            Input::ReceiptRead { job, found } => self.receipt_read(job, found),
            Input::GuardExtended { job, left } => self.guard_extended(job, left),
            Input::HostReached { host, how } => self.host_reached(host, how),
            Input::Unready { task } => self.unready(task),
            Input::Fired { step, hosts, unheard, sent_us, skew_min_us, skew_max_us } => {
                match self.unmeasured.remove(&step) && self.goes_on() {
                    true => {
                        self.record(Event::Fired { step, hosts, unheard, sent_us, skew_min_us, skew_max_us })
                    }
                    false => self.refuse(),
                }
            }
            Input::Answered(answer) => self.answered(answer),
            Input::StopRequested { by, how } => self.stop_requested(by, how),
            Input::RollbackRequested { scope, reopen, by, consent } => {
                self.rollback_requested(scope, reopen, by, consent);
            }
            Input::Abandoned { by, comment } => self.abandoned(by, comment),
            Input::RiskAccepted { what, by, because } => match self.state.status {
                Status::New => self.accepted.push(Event::RiskAccepted { what, by, because }),
                _ => self.refuse(),
            },
            Input::TimePassed => self.wake = None,
            Input::Baseline { probes, because } => self.baseline(probes, because),
            Input::LookedAfter { services, probes, because } => self.looked_after(services, probes, because),
            Input::ServiceSeen { service, stands, because } => self.service_seen(service, stands, because),
            Input::Injected { text } => match self.goes_on() {
                true => self.record(Event::Injected { text }),
                false => self.refuse(),
            },
        }
    }

    pub(super) fn refuse(&mut self) {
        self.refused += 1;
    }

    pub(super) fn goes_on(&self) -> bool {
        self.live && self.state.need_live().is_ok()
    }

    fn resume(&mut self, by: String, version: String) {
        match &self.state.status {
            _ if self.live => self.refuse(),
            _ if self.state.can_resume() => self.take_up(by, version),
            Status::Ended(verdict) => {
                let verdict = verdict.clone();
                self.order(Output::Finished(verdict));
            }
            Status::New | Status::Running | Status::RollingBack { .. } => self.refuse(),
        }
    }

    fn take_up(&mut self, by: String, version: String) {
        self.live = true;
        self.record(Event::RunResumed { by, version });
        for question in self.state.questions.clone() {
            self.put(question);
        }
        self.look_before_the_first_cut();
    }

    /// Orders the look without which a silence after a cut proves nothing, unless it is on record.
    fn look_before_the_first_cut(&mut self) {
        if self.state.status == Status::Running && self.state.proofs.awaits_baseline() {
            self.looking = true;
            self.order(Output::LookBefore);
        }
    }

    fn baseline(&mut self, probes: Vec<Seen>, because: String) {
        if !self.goes_on() || !self.looking || !self.state.proofs.awaits_baseline() {
            return self.refuse();
        }
        self.looking = false;
        self.record(Event::Baseline { probes, because });
    }

    fn service_seen(&mut self, service: ServiceName, stands: Stands, because: String) {
        match self.goes_on() && self.is_news(&service, stands) {
            true => self.record(Event::ServiceSeen { service, stands, because }),
            false => self.refuse(),
        }
    }

    /// Is it a service of the plan, and not known to stand like that?
    pub(super) fn is_news(&self, service: &ServiceName, stands: Stands) -> bool {
        let known = self.state.plan.services.iter().any(|planned| planned.name == *service);
        known && self.state.service(service) != Some(stands)
    }

    fn runs(&self, job: Job) -> bool {
        let task = job.task.at() < self.state.tasks.len();
        self.goes_on()
            && task
            && self.state.task(job.task).running().is_some_and(|(running, _)| running == job)
    }

    fn job_ended(&mut self, job: Job, outcome: Outcome, facts: Facts) {
        match job.kind {
            _ if !self.runs(job) => self.refuse(),
            JobKind::ResolveRun | JobKind::ResolveUndo => {
                let found = Found::NotReached { because: outcome.to_string(), try_again: true };
                self.record(Event::ReceiptRead { job, found });
            }
            JobKind::Check
            | JobKind::Snapshot
            | JobKind::Arm
            | JobKind::Run
            | JobKind::Confirm
            | JobKind::Verify
            | JobKind::Undo
            | JobKind::Watch
            | JobKind::Stage => {
                let facts = self.with_before(job.task, facts);
                let (outcome, facts) = sane(job.kind, outcome, facts);
                self.record(Event::JobEnded { job, outcome, facts });
            }
        }
    }

    /// Says of every negative probe what is known of it from before.
    fn with_before(&self, task: TaskIx, mut facts: Facts) -> Facts {
        let negative = |seen: &&mut Seen| seen.is_negative() && !seen.probe.is_empty();
        let mut cut_already = None;
        for seen in facts.probes.iter_mut().filter(negative) {
            let cut_already = *cut_already.get_or_insert_with(|| self.state.was_cut_already(task));
            seen.before = Some(self.state.proofs.before(&seen.probe, cut_already));
        }
        facts
    }

    fn guard_extended(&mut self, job: Job, left: Millis) {
        let during = matches!(job.kind, JobKind::Run | JobKind::ResolveRun) && self.runs(job);
        match during && self.state.guard(job.task).is_some_and(Guarding::is_armed) {
            true => self.record(Event::GuardExtended { task: job.task, left }),
            false => self.refuse(),
        }
    }

    fn receipt_read(&mut self, job: Job, found: Found) {
        let resolve = matches!(job.kind, JobKind::ResolveRun | JobKind::ResolveUndo);
        if !self.runs(job) || !resolve {
            return self.refuse();
        }
        let found = match found {
            Found::Ended(outcome @ (Outcome::Unknown { .. } | Outcome::NotStarted { .. })) => {
                Found::NoReceipt { because: format!("its receipt makes no sense: {outcome}") }
            }
            found => found,
        };
        self.record(Event::ReceiptRead { job, found });
    }

    fn host_reached(&mut self, host: HostIx, how: String) {
        let known = host.at() < self.state.plan.hosts.len();
        if !known || !self.goes_on() {
            self.refuse();
        } else if self.state.host_reached(host) != Some(how.as_str()) {
            self.record(Event::HostReached { host, how });
        }
    }

    fn answered(&mut self, answer: Answer) {
        let known = self.state.status != Status::New && self.state.check_question(&answer.question).is_ok();
        if let (true, Question::Approve { task, .. }) = (known, &answer.question) {
            self.let_lapse(self.state.step_of(*task));
        }
        match known && self.state.accepts(&answer, self.now).is_ok() {
            true => self.record(Event::Answered { answer }),
            false => self.refuse(),
        }
    }

    /// Puts on record whose consent for a step counts no longer.
    pub(super) fn let_lapse(&mut self, step: StepIx) {
        let by = self.state.lapsed(step, self.now);
        if !by.is_empty() {
            self.record(Event::ApprovalLapsed { step, by });
        }
    }

    fn stop_requested(&mut self, by: String, how: StopHow) {
        let harder = self.state.stop.as_ref().is_none_or(|(_, before)| how > *before);
        if !self.goes_on() || !harder {
            return self.refuse();
        }
        self.record(Event::StopRequested { by, how });
        if how == StopHow::Cancel {
            let running: Vec<Job> = self.state.running().map(|(job, _)| job).collect();
            running.into_iter().for_each(|job| self.order(Output::Cancel { job }));
        }
    }

    fn rollback_requested(&mut self, scope: Scope, reopen: bool, by: String, consent: Vec<ConduitName>) {
        let known = steps_in(&self.state.plan, scope).is_some();
        let begun = self.state.status != Status::New;
        let already = self.goes_on() && self.state.status == Status::RollingBack { scope, reopen };
        if !known || !begun || already {
            return self.refuse();
        }
        if !self.live && self.state.need_live().is_ok() {
            self.record(Event::RunResumed { by: by.clone(), version: env!("CARGO_PKG_VERSION").into() });
        }
        self.live = true;
        self.record(Event::RollbackStarted { scope, reopen, by, consent });
        self.end_what_only_waits();
        for question in self.state.questions.clone() {
            if !self.asked.contains(&question) {
                self.put(question);
            }
        }
    }

    /// In a run that goes on in this process it is a stop: what runs is seen to its end first.
    fn abandoned(&mut self, by: String, comment: String) {
        if self.state.status == Status::New {
            return self.refuse();
        }
        if self.goes_on() {
            return self.stop_requested(by, StopHow::Finish);
        }
        let unfinished = self.state.need_live().is_ok();
        if unfinished {
            self.record(Event::RunResumed { by: by.clone(), version: env!("CARGO_PKG_VERSION").into() });
        }
        self.record(Event::Abandoned { by: by.clone(), comment });
        if unfinished {
            let because = StopReason::Operator { by, how: StopHow::Finish };
            self.record(Event::RunEnded { verdict: Verdict::Stopped { because } });
        }
        if let Status::Ended(verdict) = self.state.status.clone() {
            self.order(Output::Finished(verdict));
        }
    }
}

/// What a job says of a guard must fit how it ended; where it does not, the guard has not been heard.
fn sane(kind: JobKind, outcome: Outcome, facts: Facts) -> (Outcome, Facts) {
    use GuardSeen::*;
    let well = outcome == Outcome::Succeeded;
    let failed = matches!(outcome, Outcome::Failed { .. });
    let fits = match (kind, &facts.guard) {
        (JobKind::Arm, Some(Armed { .. })) => well,
        (JobKind::Confirm, Some(Confirmed { .. } | ConfirmedLate { .. })) => well,
        (JobKind::Confirm, Some(Expired { .. } | Fired { .. } | Lost { .. })) => failed,
        (JobKind::Arm | JobKind::Confirm, None) => !well,
        (_, Some(_)) => false,
        (_, None) => true,
    };
    if fits {
        return (outcome, facts);
    }
    let outcome = match kind {
        JobKind::Arm | JobKind::Confirm => {
            Outcome::Unknown { because: "what was said of its guard makes no sense".into() }
        }
        _ => outcome,
    };
    (outcome, Facts { guard: None, ..facts })
}
