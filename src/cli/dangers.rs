//! What is dangerous about a plan: said wherever a plan is looked at, and refused where one is carried out.

use crate::cli::error::{CliError, Exit};
use crate::cli::printer;
use crate::drive::people;
use crate::engine::Input;
use crate::model::Problem;
use crate::plan::Plan;
use crate::reach::lockout::{self, Finding, LockOuts, Moment};
use crate::report::lockout::{help, lock_outs, lock_outs_json, what};
use crate::report::words::so_many;
use clap::Args;

/// Going on all the same.
#[derive(Debug, Clone, Default, Args)]
pub struct Accepting {
    /// Go on although the plan can lock you out; the reason is put on record.
    #[arg(long, value_name = "REASON", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub accept_lockout: Option<String>,
    /// Go on although a phase leaves paths open into a zone that it claims to isolate; the reason is put on record.
    #[arg(long, value_name = "REASON", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub accept_open_paths: Option<String>,
}

/// The dangers of a plan.
#[derive(Debug, Clone)]
pub struct Dangers {
    lock_outs: LockOuts,
}

impl Dangers {
    /// Looks for them.
    pub fn of(plan: &Plan) -> Self {
        Self { lock_outs: lockout::analyse(plan) }
    }

    /// Says them on stderr.
    pub fn say(&self, plan: &Plan) {
        let text = lock_outs(plan, &self.lock_outs);
        if !text.is_empty() {
            printer::say(text.trim_end());
        }
    }

    /// As data; `None` if there is nothing to say.
    pub fn json(&self, plan: &Plan) -> Option<serde_json::Value> {
        (!self.lock_outs.is_silent()).then(|| lock_outs_json(plan, &self.lock_outs))
    }

    /// What is refused, as problems of the files.
    pub fn problems(&self, plan: &Plan) -> Vec<Problem> {
        let lock_out =
            |finding: &Finding| Problem::error("lock-out", what(plan, finding)).hint(help(plan, finding));
        self.lock_outs.findings.iter().map(lock_out).collect()
    }

    /// Is the plan refused?
    pub fn any(&self) -> bool {
        !self.lock_outs.findings.is_empty()
    }

    /// How a command ends that only looked.
    pub fn exit(&self) -> Exit {
        if self.any() { Exit::Unsafe } else { Exit::Completed }
    }

    /// Refuses, or puts on record who went on and why.
    pub fn accept(&self, plan: &Plan, accepting: &Accepting) -> Result<Vec<Input>, CliError> {
        self.say(plan);
        if !self.any() {
            return Ok(Vec::new());
        }
        let what =
            format!("the plan can lock the operator out ({})", so_many(self.lock_outs.findings.len(), "way"));
        match &accepting.accept_lockout {
            Some(because) => {
                Ok(vec![Input::RiskAccepted { what, by: people::who(), because: because.clone() }])
            }
            None => Err(CliError::with(Exit::Unsafe, format!("{what}; nothing was started"))
                .hint("mend the runbook or the inventory; `--accept-lockout REASON` goes on all the same")),
        }
    }

    /// Warns before a rollback of undos that could not reach their hosts.
    pub fn warn_of_undos(&self, plan: &Plan, reopen: bool) {
        let matters = |finding: &&Finding| {
            finding.moment == Moment::Undo && (reopen || plan.steps[finding.step.at()].severs.is_empty())
        };
        for finding in self.lock_outs.findings.iter().filter(matters) {
            printer::warning(&what(plan, finding));
        }
    }
}
