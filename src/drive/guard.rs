//! Guards as a run carries them out: arms them, proves the way back, and gives them time while a run is heard.

use crate::drive::job::{Order, Workshop, not_started};
use crate::engine::guard::GUARD_PATIENCE;
use crate::engine::{GuardStand, RunState};
use crate::model::event::{Job, JobKind};
use crate::model::guard::{GuardSeen, Otherwise};
use crate::model::secret::Secret;
use crate::model::{How, Millis, Outcome, Time};
use crate::plan::frozen::PlannedUndo;
use crate::transport::work::Claim;
use crate::transport::{ArmOrder, GuardAsk, GuardSays, GuardVerb, Stop};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Between two tries to get through: nobody waits for nothing, and a host in trouble is not stormed.
const TRY_EVERY: Duration = Duration::from_millis(500);
/// After its time a guard under `hold` has nothing to do: whoever can be asked says so at once.
const HOLD_PATIENCE: Millis = Millis::from_secs(3);
/// A guard that runs an undo ends it at the step's timeout; so long after that the host must have said so.
const UNDO_MARGIN: Millis = Millis::from_secs(30);
/// A run is given more time this often in the time of its guard: one lost answer is no loss.
const EXTENSIONS_IN_TIME: u32 = 3;

/// What a job about a guard needs of the run's state.
#[derive(Debug, Clone, Copy)]
pub struct GuardOrder {
    /// The guard, by the attempt of `Arm` that armed it.
    arm: u32,
    /// The attempt of `Run` that it guards.
    run: u32,
    otherwise: Otherwise,
    /// Does the next confirmation disarm it?
    last: bool,
    /// Was its time over, or was it lost, before this job was ordered?
    late: bool,
    /// Its time left by our clock.
    left: Millis,
}

impl GuardOrder {
    /// For any job of a guarded task; `None` for all others.
    pub fn of(state: &RunState, job: Job, now: Time) -> Option<Self> {
        let otherwise = state.otherwise(job.task)?;
        let known = state.guard(job.task);
        let (arm, run) = match (job.kind, known) {
            (JobKind::Arm, _) => (job.attempt, state.task(job.task).attempts(JobKind::Run) + 1),
            (_, Some(guard)) => (guard.arm, guard.run),
            (_, None) => return None,
        };
        let stand = known.map(|guard| &guard.stand);
        let left = match stand {
            Some(GuardStand::Armed { until, .. }) => until.since(now),
            _ => Millis(0),
        };
        let late = matches!(stand, Some(GuardStand::Expired | GuardStand::Lost));
        Some(Self { arm, run, otherwise, last: state.is_last_confirmation(job.task, now), late, left })
    }
}

impl Workshop {
    fn guard_claim(&self, order: Order, kind: JobKind) -> Claim {
        let guard = order.guard.expect("the engine orders this of guarded tasks only");
        let attempt = if kind == JobKind::Run { guard.run } else { guard.arm };
        Claim { run: self.tools.run.clone(), task: self.label(order.job.task), kind, attempt }
    }

    /// Arms the guard of the run that follows.
    pub(super) async fn arm(&self, order: Order, stop: &mut Stop) -> (Outcome, Option<GuardSeen>) {
        let (step, guard) = (self.tools.plan.step_of(order.job.task), order.guard);
        let (Some(planned), Some(guard)) = (step.guard, guard) else {
            unreachable!("the engine arms guards that the plan has")
        };
        let undo: Option<Secret> = match (&step.undo, guard.otherwise) {
            (_, Otherwise::Hold) => None,
            (PlannedUndo::By(text), Otherwise::Revert) => match self.undo_text(order, text) {
                Ok(text) => Some(text),
                Err(outcome) => return (outcome, None),
            },
            (PlannedUndo::NotNeeded | PlannedUndo::Impossible(_), Otherwise::Revert) => {
                return (not_started("a guard that reverts needs an undo script".into()), None);
            }
        };
        let (claim, guards) = (self.guard_claim(order, JobKind::Arm), self.guard_claim(order, JobKind::Run));
        let task = order.job.task;
        let order = ArmOrder {
            claim: &claim,
            guards: &guards,
            otherwise: guard.otherwise,
            within: planned.within,
            undo: undo.as_ref(),
            limit: step.timeout,
            self_test: planned.self_test,
            privileged: self.tools.privileged(task),
        };
        match self.tools.remote(task).arm(&order, stop).await {
            Ok(seen) => (Outcome::Succeeded, Some(seen)),
            Err(outcome) => (outcome, None),
        }
    }

    /// Proves the way back over a connection made for it, for as long as the guard leaves time; then finds out
    /// what the guard did, over whatever connection says so.
    pub(super) async fn confirm(&self, order: Order, stop: &mut Stop) -> (Outcome, Option<GuardSeen>) {
        let guard = order.guard.expect("the engine confirms guards that were armed");
        let step = self.tools.plan.step_of(order.job.task);
        let deadline = Instant::now() + guard.left.std();
        let mut give_up = deadline
            + match guard.otherwise {
                Otherwise::Revert if !guard.late => GUARD_PATIENCE.std(),
                Otherwise::Revert | Otherwise::Hold => HOLD_PATIENCE.std(),
            };
        let mut firing = false;
        loop {
            let over = Instant::now() >= deadline;
            let heard = tokio::select! {
                biased;
                () = stop.requested() => return (Outcome::Failed { how: How::Cancelled }, None),
                heard = self.hear(order, guard, over) => heard,
            };
            let trouble = match heard {
                Ok(Heard::Told(outcome, seen)) => return (outcome, Some(seen)),
                Ok(Heard::Firing) => {
                    if !firing {
                        firing = true;
                        give_up = Instant::now() + step.timeout.std() + UNDO_MARGIN.std();
                    }
                    "its guard is still taking the change back".to_owned()
                }
                Err(trouble) => trouble,
            };
            if Instant::now() >= give_up {
                let because =
                    format!("no fresh connection got through, and the guard was not heard: {trouble}");
                return (Outcome::Unknown { because }, None);
            }
            tokio::select! {
                () = sleep(TRY_EVERY) => {}
                () = stop.requested() => {}
            }
        }
    }

    /// One try. Only a fresh connection proves anything; once the time is over an old one may tell what was done.
    async fn hear(&self, order: Order, guard: GuardOrder, over: bool) -> Result<Heard, String> {
        let claim = self.guard_claim(order, JobKind::Arm);
        let task = order.job.task;
        let privileged = self.tools.privileged(task);
        let remote = self.tools.remote(task);
        let planned = self.tools.plan.step_of(task).guard.expect("the engine confirms guards of the plan");
        if over && !guard.late && remote.facts().is_some() {
            let ask = GuardAsk { claim: &claim, verb: GuardVerb::Look, fresh: false, privileged };
            if let Ok((says, _)) = remote.ask_guard(&ask).await
                && let Some(heard) = told(says, None, guard)
            {
                return Ok(heard);
            }
        }
        let verb = match planned.repeat.filter(|_| !guard.last) {
            Some(repeat) => GuardVerb::More(Millis(repeat.every.0 + planned.within.0)),
            None => GuardVerb::Confirm,
        };
        let ask = GuardAsk { claim: &claim, verb, fresh: true, privileged };
        let (says, over) = remote.ask_guard(&ask).await.map_err(|trouble| trouble.to_string())?;
        told(says, Some(over), guard).ok_or_else(|| "it said nothing of use".to_owned())
    }

    /// Gives the guard of a run that is under way more time, as long as its host is heard. Ends never.
    pub(super) async fn keep_guarded(&self, order: Order, tell: impl Fn(Millis)) {
        let planned = self.tools.plan.step_of(order.job.task).guard;
        let during = matches!(order.job.kind, JobKind::Run | JobKind::ResolveRun);
        let (Some(planned), Some(_), true) = (planned, order.guard, during) else {
            return std::future::pending().await;
        };
        let claim = self.guard_claim(order, JobKind::Arm);
        let privileged = self.tools.privileged(order.job.task);
        let verb = GuardVerb::More(planned.within);
        loop {
            sleep(planned.within.std() / EXTENSIONS_IN_TIME).await;
            let ask = GuardAsk { claim: &claim, verb, fresh: false, privileged };
            if let Ok((GuardSays::Armed { left }, _)) =
                self.tools.remote(order.job.task).ask_guard(&ask).await
            {
                tell(left);
            }
        }
    }
}

enum Heard {
    Told(Outcome, GuardSeen),
    Firing,
}

/// What an answer comes to. `fresh`: the connection that proves the way, if it came over one.
fn told(says: GuardSays, fresh: Option<String>, guard: GuardOrder) -> Option<Heard> {
    let failed = |what: String| Outcome::Failed { how: How::Disagreed(what) };
    let late_over = fresh.clone().filter(|_| guard.late);
    Some(match (says, late_over) {
        (GuardSays::Expired { .. } | GuardSays::Lost { .. }, Some(over)) => {
            Heard::Told(Outcome::Succeeded, GuardSeen::ConfirmedLate { over })
        }
        (GuardSays::Confirmed, _) => {
            let over = fresh.unwrap_or_else(|| "a fresh connection whose answer was lost".into());
            Heard::Told(Outcome::Succeeded, GuardSeen::Confirmed { over, left: None })
        }
        // An old connection proves nothing while the guard waits.
        (GuardSays::Armed { left }, _) => {
            Heard::Told(Outcome::Succeeded, GuardSeen::Confirmed { over: fresh?, left: Some(left) })
        }
        (GuardSays::Expired { late }, None) => {
            let what = "no fresh connection got through in time, and the change stays".to_owned();
            Heard::Told(failed(what), GuardSeen::Expired { late })
        }
        (GuardSays::Lost { because }, None) => {
            Heard::Told(failed(format!("the guard was lost: {because}")), GuardSeen::Lost { because })
        }
        (GuardSays::Untold { because }, _) => {
            let meant = match guard.otherwise {
                // One that holds does nothing, on record or not.
                Otherwise::Hold => GuardSays::Lost { because },
                Otherwise::Revert => GuardSays::Fired { late: Millis(0), undo: Outcome::Unknown { because } },
            };
            return told(meant, fresh, guard);
        }
        (GuardSays::Firing, _) => Heard::Firing,
        (GuardSays::Fired { late, undo }, _) => {
            let what = match &undo {
                Outcome::Succeeded => "the guard took the change back".to_owned(),
                Outcome::Unknown { because } => format!("what the guard did is unknown: {because}"),
                undo => format!("the undo that the guard ran {undo}"),
            };
            let what = format!("no fresh connection got through in time: {what}");
            Heard::Told(failed(what), GuardSeen::Fired { late, undo })
        }
    })
}
