//! What a drill left behind: what was taken back, what is still in place, what is still cut, and which services do not
//! stand as they did when it began, and whether the paths that were open then were seen open again.

use super::escape::line;
use super::facts;
use super::look::Look;
use super::words::{self, so_many};
use crate::engine::{RunState, Status};
use crate::model::event::{Mode, Stands};
use crate::model::names::{StepIx, TaskIx};
use crate::plan::frozen::{PlannedAction, PlannedUndo};
use console::Style;
use schemars::JsonSchema;
use serde::Serialize;

/// Host names listed before the rest is a number.
const NAMES_MAX: usize = 5;

/// What a drill left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Restoration {
    /// Is nothing left, as far as the record tells?
    pub restored: bool,
    /// Steps that changed something and were taken back everywhere.
    pub taken_back: Vec<String>,
    /// Steps of which something is still in place.
    pub in_place: Vec<InPlace>,
    /// Steps that people carried out by hand: the record does not tell whether they took them back.
    pub by_hand: Vec<String>,
    /// Conduits that are still cut.
    pub cut: Vec<String>,
    /// Services that do not stand as they did at the first look.
    pub services: Vec<StandsNow>,
    /// What was seen of the paths that were open before the first cut, once everything was taken back; absent if nobody
    /// looked again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paths: Option<PathsNow>,
}

/// The paths that were open before the first cut, as the look before the end found them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PathsNow {
    /// So many are open again.
    pub open: u32,
    /// So many were open before the first cut.
    pub of: u32,
    /// Those that were not seen open again.
    pub not_open: Vec<PathNow>,
}

/// A path that was not seen open again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PathNow {
    /// What was tried, from where.
    pub what: String,
    /// What was seen.
    pub seen: String,
}

/// A step of which something is still in place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InPlace {
    /// The step.
    pub step: String,
    /// Where; empty is the controller.
    pub hosts: Vec<String>,
    /// Why it is.
    pub why: String,
}

/// A service that does not stand as it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StandsNow {
    /// The service.
    pub service: String,
    /// How it stood at the first look.
    #[schemars(with = "String")]
    pub before: Stands,
    /// How it stood at the last look.
    #[schemars(with = "String")]
    pub after: Stands,
}

impl Restoration {
    /// What a drill that is over left behind; `why` tells in words why something of a task is still in place.
    pub fn of(state: &RunState, why: &dyn Fn(TaskIx) -> String) -> Option<Self> {
        if state.mode() != Mode::Drill || !matches!(state.status(), Status::Ended(_)) {
            return None;
        }
        let plan = state.plan();
        let cuts = facts::cuts(state);
        let (mut taken_back, mut in_place, mut by_hand) = (Vec::new(), Vec::new(), Vec::new());
        for (ix, step) in (0..).map(StepIx).zip(&plan.steps) {
            let began: Vec<TaskIx> =
                plan.tasks_of(ix).filter(|task| state.task(*task).started_at().is_some()).collect();
            let left: Vec<TaskIx> =
                began.iter().copied().filter(|task| state.may_have_changed(*task)).collect();
            // Opened again by another step, or opening what was shut when the run began.
            let open = !step.severs.is_empty() && !cuts.iter().any(|cut| cut.step == step.id);
            let id = step.id.to_string();
            match (&step.action, &step.undo) {
                (PlannedAction::Manual(_), _) if !began.is_empty() && !open => by_hand.push(id),
                (PlannedAction::Manual(_), _) | (_, PlannedUndo::NotNeeded) => {}
                _ if open || !step.reconnects.is_empty() => {}
                _ if !left.is_empty() => {
                    let hosts = facts::names(plan, &left).iter().map(ToString::to_string).collect();
                    in_place.push(InPlace { step: id, hosts, why: why(left[0]) });
                }
                _ if began.iter().any(|task| state.task(*task).undo().is_some()) => taken_back.push(id),
                _ => {}
            }
        }
        let mut cut: Vec<String> = cuts.iter().map(|cut| cut.conduit.to_string()).collect();
        cut.dedup();
        let services = services(state);
        let paths = paths(state);
        let shut = paths.as_ref().is_some_and(|paths| !paths.not_open.is_empty());
        let left = in_place.is_empty() && by_hand.is_empty() && cut.is_empty() && services.is_empty();
        Some(Self { restored: left && !shut, taken_back, in_place, by_hand, cut, services, paths })
    }
}

/// In the words of the recap: why something of a task is still in place.
pub(super) fn why(state: &RunState, task: TaskIx) -> String {
    match state.task(task).undo() {
        Some(end) => words::undo_end(state.plan(), task, end),
        None => "not taken back".to_owned(),
    }
}

fn paths(state: &RunState) -> Option<PathsNow> {
    let after = state.proofs().after()?;
    let not_open = after.not_open.iter().map(|(what, seen)| PathNow { what: line(what), seen: line(seen) });
    let not_open: Vec<PathNow> = not_open.collect();
    Some(PathsNow { open: after.open, of: after.open + not_open.len() as u32, not_open })
}

/// A look that nobody could have tells of no difference.
fn services(state: &RunState) -> Vec<StandsNow> {
    let differs = state.services().filter_map(|(service, watched)| {
        let mut told = watched.stretches().iter().map(|one| one.stands).filter(|one| *one != Stands::Unknown);
        let before = told.next()?;
        let after = told.next_back().unwrap_or(before);
        (before != after).then(|| StandsNow { service: service.to_string(), before, after })
    });
    differs.collect()
}

/// The lines of the recap.
pub(super) fn section(restoration: Option<&Restoration>, look: &Look) -> String {
    let Some(told) = restoration else { return String::new() };
    let back = match told.taken_back.len() {
        0 => String::new(),
        some => format!("; {} taken back", so_many(some, "step")),
    };
    let seen = match &told.paths {
        Some(paths) => format!("; {} of {} open again", paths.open, so_many(paths.of as usize, "path")),
        None => String::new(),
    };
    if told.restored {
        let text = format!("as it was when the drill began, as far as the record tells{back}{seen}");
        return format!("  {}\n", look.paint(Style::new().green(), &text));
    }
    let mut text = format!(
        "  {}{back}{seen}\n",
        look.paint(Style::new().red().bold(), "NOT AS IT WAS when the drill began")
    );
    for left in &told.in_place {
        let on = match left.hosts.as_slice() {
            [] => String::new(),
            some if some.len() <= NAMES_MAX => format!(" on {}", some.join(", ")),
            many => format!(" on {}", so_many(many.len(), "host")),
        };
        text.push_str(&format!("  {}{on}: {}\n", left.step, left.why));
    }
    for step in &told.by_hand {
        text.push_str(&format!("  {step}: done by hand; only people know whether it was taken back\n"));
    }
    for conduit in &told.cut {
        text.push_str(&format!("  {conduit}: still cut\n"));
    }
    for one in &told.services {
        let word = super::watched::stands_word;
        text.push_str(&format!(
            "  service {}: {} at the first look, {} at the last\n",
            one.service,
            word(one.before),
            word(one.after)
        ));
    }
    for path in told.paths.iter().flat_map(|paths| &paths.not_open) {
        text.push_str(&format!("  {}: {}, and was open when the drill began\n", path.what, path.seen));
    }
    text
}
