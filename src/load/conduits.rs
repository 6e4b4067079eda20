//! Checks steps that cut conduits or open them again: each must say how that is taken back, and what opens must cut
//! again when it fails.

use super::sink::Sink;
use crate::model::Problem;
use crate::model::runbook::{Action, Policy, Step, Undo};

/// Reports what would leave a conduit cut or open though a rollback said otherwise. `owner` is the phase, for messages.
pub(super) fn check(sink: &Sink<'_>, owner: &str, policy: Policy, step: &Step) {
    severs(sink, step);
    reconnects(sink, owner, policy, step);
}

/// A rollback that re-opens would tell that nothing is left to do, and the conduit would stay cut.
fn severs(sink: &Sink<'_>, step: &Step) {
    let Some(first) = step.severs.first() else { return };
    if step.undo.value == Undo::NotNeeded {
        let what = format!(
            "step `{}` severs `{}` and says that there is nothing to take back",
            step.id.value, first.value
        );
        let remedy = match step.action {
            Action::Run(_) | Action::Upload(_) => {
                "give it an `undo:` script that re-opens what it cuts (only `rollback --reopen` runs it), \
                 or say why nothing can: `undo: { impossible: \"why\" }`"
            }
            Action::Manual(_) | Action::Fetch(_) | Action::Wait(_) | Action::Probe(_) | Action::Backup(_) => {
                "say who re-opens it and how: `undo: { impossible: \"why\" }`"
            }
        };
        sink.push(
            Problem::error("severs-for-good", what)
                .at(step.undo.span)
                .also(first.span, "severed here")
                .hint(remedy),
        );
    }
}

fn reconnects(sink: &Sink<'_>, owner: &str, policy: Policy, step: &Step) {
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
