//! What live runs and dry runs share: plan, hosts and secrets in hand, ready to do read-only work.

use crate::drive::fleet::Fleet;
use crate::drive::probe::{self, Asked};
use crate::drive::scrub::Scrubber;
use crate::drive::secrets::Secrets;
use crate::model::event::Seen;
use crate::model::inventory::{Become, Reach};
use crate::model::names::{HostIx, RunId, TaskIx};
use crate::model::probe::Probe;
use crate::model::secret::Secret;
use crate::model::{How, Outcome};
use crate::plan::frozen::PlannedAction;
use crate::plan::{self, Plan};
use crate::transport::work::{NoSink, Script};
use crate::transport::{Remote, Stop};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// What `$BLACKSTART_HOST` says for a step without hosts.
const CONTROLLER: &str = "controller";
/// The attempt that somebody who only looks makes.
pub const FIRST_ATTEMPT: u32 = 1;

/// Plan, hosts and secrets of a run.
pub struct Tools {
    /// The frozen plan.
    pub plan: Arc<Plan>,
    /// The run.
    pub run: RunId,
    /// Its hosts.
    pub fleet: Rc<Fleet>,
    /// Secret values.
    pub secrets: Secrets,
    /// Takes them out of output.
    pub scrubber: Scrubber,
}

impl Tools {
    /// The task's host; the controller's own steps run where blackstart runs.
    pub fn remote(&self, task: TaskIx) -> Rc<dyn Remote> {
        match self.host_ix(task) {
            Some(ix) => self.fleet.host(ix),
            None => self.fleet.controller(),
        }
    }

    /// The task's host in the plan.
    pub fn host_ix(&self, task: TaskIx) -> Option<HostIx> {
        self.plan.tasks[task.at()].host
    }

    /// The values of a task's texts: its step's, and its own.
    pub fn values(&self, task: TaskIx) -> BTreeMap<String, String> {
        values(&self.plan, task)
    }

    /// Does this task run as the host's privileged user?
    pub fn privileged(&self, task: TaskIx) -> bool {
        privileged(&self.plan, task)
    }

    /// A script of the plan, complete with this task's values and secrets, told where it runs and in which attempt.
    /// All of that stands on the line before the text, or begins its first: line numbers stay what they are.
    pub fn rendered(&self, task: TaskIx, attempt: u32, text: &str) -> Secret {
        let reveal = |name: &_| self.secrets.get(name).map(|secret| secret.reveal().to_owned());
        let script = plan::render_script(&self.plan, task, text, &reveal);
        let step = &self.plan.step_of(task).id;
        let host = self.plan.host_of(task).map_or(CONTROLLER, |host| host.name.as_str());
        // Names are fit for a shell as they are.
        Secret::new(format!(
            "export BLACKSTART_RUN={} BLACKSTART_STEP={step} BLACKSTART_HOST={host} BLACKSTART_ATTEMPT={attempt}; {script}",
            self.run
        ))
    }

    /// Carries a probe of this task out.
    pub async fn probe(&self, task: TaskIx, attempt: u32, probe: &Probe, stop: &mut Stop) -> (Seen, Outcome) {
        let asked = Asked::of_task(self, task, attempt, probe);
        probe::carry_out(&asked, &self.fleet, stop).await
    }

    /// Runs a step's `check` and nothing else; `None` if it has none.
    pub async fn check(&self, task: TaskIx, stop: &mut Stop) -> Option<Outcome> {
        let step = self.plan.step_of(task);
        let script = Script {
            guarded: false,
            text: self.rendered(task, FIRST_ATTEMPT, step.check.as_deref()?),
            privileged: self.privileged(task),
            claim: None,
            timeout: step.timeout,
        };
        Some(self.remote(task).run(&script, &mut NoSink, stop).await)
    }

    /// The outcome without secrets in its words.
    pub fn scrubbed(&self, outcome: Outcome) -> Outcome {
        let clean = |text: String| self.scrubber.text(&text);
        match outcome {
            Outcome::Failed { how: How::Disagreed(what) } => {
                Outcome::Failed { how: How::Disagreed(clean(what)) }
            }
            Outcome::NotStarted { because, try_again } => {
                Outcome::NotStarted { because: clean(because), try_again }
            }
            Outcome::Unknown { because } => Outcome::Unknown { because: clean(because) },
            Outcome::Succeeded | Outcome::Failed { .. } => outcome,
        }
    }
}

/// The values of a task's texts: its step's, and its own.
pub fn values(plan: &Plan, task: TaskIx) -> BTreeMap<String, String> {
    let own = &plan.tasks[task.at()].values;
    let all = plan.step_of(task).values.iter().chain(own);
    all.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Does the action of this task claim its attempts on the host? Only what may change something there does.
pub fn claims(plan: &Plan, task: TaskIx) -> bool {
    match plan.step_of(task).action {
        PlannedAction::Run(_) | PlannedAction::Upload(_) => true,
        PlannedAction::Fetch(_)
        | PlannedAction::Manual(_)
        | PlannedAction::Wait(_)
        | PlannedAction::Probe(_)
        | PlannedAction::Backup(_) => false,
    }
}

/// Does this task run as its host's privileged user? The step decides, else the host.
pub fn privileged(plan: &Plan, task: TaskIx) -> bool {
    let host_becomes = plan.host_of(task).is_some_and(|host| match &host.reach {
        Reach::Local(becomes) => *becomes != Become::No,
        Reach::Ssh(ssh) => ssh.becomes != Become::No,
    });
    plan.step_of(task).becomes.unwrap_or(host_becomes)
}
