//! Checks steps that open conduits again: each must be able to cut them again, and must do so when it fails.

use super::sink::Sink;
use crate::model::Problem;
use crate::model::runbook::{Action, Policy, Step, Undo};

/// Reports what would leave a conduit open though the step's criteria fail. `owner` is the phase, for messages.
pub(super) fn check(sink: &Sink<'_>, owner: &str, policy: Policy, step: &Step) {
    let Some(first) = step.reconnects.first() else { return };
    let id = &step.id.value;
    if let Some(severed) = step.severs.first() {
        let what = format!("step `{id}` both severs and reconnects");
        let problem = Problem::error("severs-and-reconnects", what).at(first.span);
        sink.push(
            problem.also(severed.span, "severed here").hint(
                "a rollback could neither keep the one cut nor cut the other again: make two steps of it",
            ),
        );
    }
    if !matches!(step.action, Action::Run(_)) {
        return;
    }
    if !matches!(step.undo.value, Undo::By(_)) {
        let what = format!("step `{id}` reconnects `{}` and has no script that cuts it again", first.value);
        let problem = Problem::error("reconnects-for-good", what).at(step.undo.span);
        sink.push(problem.hint("give it an `undo:` script that cuts what it opened"));
    }
    match policy {
        Policy::Rollback | Policy::RollbackRun => {}
        Policy::Stop | Policy::Continue | Policy::Ask => {
            let what =
                format!("step `{id}` reconnects `{}`, which would stay open if it failed", first.value);
            let problem = Problem::error("reconnects-for-good", what).at(first.span);
            sink.push(problem.hint(format!(
                "set `on_failure: rollback` (or `rollback_run`) on {owner}, so that its undo cuts again"
            )));
        }
    }
}
