//! Scripts that are laid ready on hosts, and followed once they were fired.

use super::{Back, Workshop};
use crate::drive::sink::{JobSink, Watcher};
use crate::journal::OutFile;
use crate::model::Outcome;
use crate::model::event::{Job, JobKind};
use crate::plan::frozen::PlannedAction;
use crate::transport::{LaidReady, Staged, Stop};

impl Workshop {
    /// Lays the script of `run` ready on its host: the attempt that a firing will start.
    pub async fn stage(&self, run: Job, stop: &mut Stop) -> Result<LaidReady, Outcome> {
        let step = self.tools.plan.step_of(run.task);
        let (PlannedAction::Run(text), Some(together)) = (&step.action, step.together) else {
            unreachable!("the engine lays ready only what is fired")
        };
        let script = self.script_of(run, self.tools.rendered(run.task, run.attempt, text));
        let laid = self.tools.remote(run.task).stage(script, together.within, stop).await;
        laid.map_err(|outcome| self.tools.scrubbed(outcome))
    }

    /// Sends the script of `run` to its host but for the last byte, where that can be done at once and nothing else has to
    /// be looked at before the step.
    pub fn lay(&self, run: Job) -> Option<LaidReady> {
        let step = self.tools.plan.step_of(run.task);
        match &step.action {
            PlannedAction::Run(text) if run.kind == JobKind::Run && step.evidence.is_empty() => {
                let script = self.script_of(run, self.tools.rendered(run.task, run.attempt, text));
                self.tools.remote(run.task).lay(script)
            }
            _ => None,
        }
    }

    /// Follows a script whose line was sent to its end.
    pub async fn follow(
        &self,
        run: Job,
        staged: Box<dyn Staged>,
        mut stop: Stop,
        watcher: Option<Watcher>,
        started: &mut dyn FnMut(),
    ) -> Back {
        let file = OutFile::create(&self.dir, &self.label(run.task), run.kind, run.attempt);
        let mut sink = JobSink::new(run, &self.tools.scrubber, file, watcher);
        let outcome = staged.follow(&mut sink, &mut stop, started).await;
        let (facts, _) = sink.finish();
        Back::Ended(self.tools.scrubbed(outcome), facts)
    }
}
