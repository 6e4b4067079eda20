//! What a look at the simulated site finds, and what befalls it: receipts, checks, people who go there, restarts.

use super::world::{Attempt, Coming, OnHost, World, not_started, unknown};
use blackstart::engine::Input;
use blackstart::model::event::{Found, Job, JobKind};
use blackstart::model::names::TaskIx;
use blackstart::model::question::{Answer, Choice, Question};
use blackstart::model::{How, Outcome, Time};

impl World {
    pub(super) fn look(&mut self, job: Job) -> Outcome {
        let truth = self.tasks[job.task.at()];
        if self.cancelled.contains(&job) {
            return Outcome::Failed { how: How::Cancelled };
        }
        if !self.is_reachable(job.task) {
            return not_started(true);
        }
        if !self.calm && self.rng.percent(8) {
            return match self.rng.below(4) {
                0 => not_started(true),
                1 => unknown(),
                2 => not_started(false),
                _ => Outcome::Failed { how: How::Signal(9) },
            };
        }
        let good = match job.kind {
            JobKind::Check => truth.effective,
            JobKind::Verify if self.is_script(job.task) => {
                truth.effective && (self.calm || !truth.verify_broken)
            }
            JobKind::Verify => self.calm || !truth.verify_broken,
            JobKind::Watch => self.calm || !truth.verify_broken && !self.rng.percent(12),
            JobKind::Stage => true,
            _ => self.calm || !(truth.run_broken || self.rng.percent(5)),
        };
        if good { Outcome::Succeeded } else { Outcome::from_exit(1) }
    }

    pub(super) fn receipt(&mut self, epoch: u32, job: Job, of: Job) -> Option<(u32, Input)> {
        let found = |found| Some((epoch, Input::ReceiptRead { job, found }));
        let because = || "no route".to_owned();
        if !self.is_reachable(job.task) || self.cancelled.contains(&job) || !self.calm && self.rng.percent(15)
        {
            let try_again = self.rng.percent(85);
            return found(Found::NotReached { because: because(), try_again });
        }
        let new = || Attempt {
            state: OnHost::Void,
            will: unknown(),
            will_touch: false,
            lasts: 0,
            reply_to: None,
            ends_at: Time(0),
        };
        let attempt = self.attempts.entry(of).or_insert_with(new);
        match &attempt.state {
            OnHost::NotYet | OnHost::Void => {
                attempt.state = OnHost::Void;
                found(Found::NeverStarted)
            }
            OnHost::Runs => {
                let after = attempt.ends_at.0.saturating_sub(self.now.0) + 1;
                self.later(after, Coming::Receipt { epoch, job, of });
                None
            }
            OnHost::Ended(outcome) => found(Found::Ended(outcome.clone())),
            OnHost::Forgotten(_) => found(Found::NoReceipt { because: "the host restarted".into() }),
        }
    }

    pub(super) fn restart(&mut self, host: usize) {
        if self.calm {
            return;
        }
        self.guards_restart(host);
        let on_host: Vec<Job> =
            self.attempts.keys().filter(|job| self.host(job.task) == Some(host)).copied().collect();
        for job in on_host {
            let attempt = self.attempts.get_mut(&job).expect("it was listed");
            if attempt.state == OnHost::Runs && attempt.reply_to.take().is_some() {
                self.reply(2_000, job, unknown());
            }
            self.end(job, Some(How::Vanished));
            let attempt = self.attempts.get_mut(&job).expect("it was listed");
            let unheard = attempt.state == OnHost::NotYet && attempt.reply_to.take().is_some();
            attempt.state = match std::mem::replace(&mut attempt.state, OnHost::Void) {
                OnHost::Ended(outcome) => OnHost::Forgotten(outcome),
                OnHost::NotYet => OnHost::Void,
                state => state,
            };
            if unheard {
                self.reply(2_000, job, unknown());
            }
        }
    }

    pub fn cancel(&mut self, job: Job) {
        self.cancelled.insert(job);
        if job.kind.may_change() && self.attempts.contains_key(&job) && self.rng.percent(70) {
            self.end(job, Some(How::Cancelled));
        }
    }

    /// What a person who goes and looks finds out about the newest attempt. Who cannot tell yet comes again.
    pub(super) fn ask_a_person(&mut self, task: TaskIx, undo: bool) -> Option<(u32, Input)> {
        let kind = if undo { JobKind::Undo } else { JobKind::Run };
        let newest = self.ordered.iter().filter(|job| job.task == task && job.kind == kind).max().copied();
        let choice = match newest.and_then(|job| self.attempts.get_mut(&job)) {
            None => Choice::NothingHappened,
            Some(attempt) => match &attempt.state {
                OnHost::Runs => {
                    self.later(5_000, Coming::Asked { task, undo });
                    return None;
                }
                OnHost::NotYet | OnHost::Void => {
                    attempt.state = OnHost::Void;
                    Choice::NothingHappened
                }
                OnHost::Ended(Outcome::Succeeded) | OnHost::Forgotten(Outcome::Succeeded) => {
                    Choice::ItSucceeded
                }
                OnHost::Ended(_) | OnHost::Forgotten(_) => Choice::ItFailed,
            },
        };
        let choice = if !self.calm && self.rng.percent(10) { Choice::Stop } else { choice };
        let question = Question::WhatBecameOf { task, undo };
        let answer = Answer { question, by: "ann".into(), choice, comment: None, at: None, signed: None };
        Some((self.epoch, Input::Answered(answer)))
    }
}
