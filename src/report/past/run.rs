//! What one run of the past shows, taken from its report and from the state that its events add up to.

use crate::engine::{RunState, Status};
use crate::model::event::{Mode, TaskEnd, Verdict};
use crate::model::names::{RunId, StepIx};
use crate::model::objective::Moment;
use crate::model::{Millis, Time};
use crate::plan::frozen::{Plan, PlannedAction};
use crate::plan::narrowed;
use crate::report::escape::line;
use crate::report::runs::Standing;
use crate::report::score::{self, MISSED};
use crate::report::story::ledger::{BackupTold, Decision, EvidenceTold, Improvement, Journal};
use crate::report::story::told::{Met, Objective};
use crate::report::story::troubles::proved;
use crate::report::story::{Says, tell_timeline};
use crate::report::timeline::Timeline;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A directory among the runs.
#[derive(Debug, Clone)]
pub struct Past {
    /// Its id as short as it may be typed.
    pub run: String,
    /// Its whole id, which is the directory's name.
    pub id: RunId,
    /// What the run shows; otherwise why it shows nothing: its journal is broken, or it is no run at all.
    pub shown: Result<Box<Shown>, String>,
}

/// What a run shows whose journal is whole.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The runbook's name.
    pub runbook: String,
    /// The inventory's name.
    pub inventory: String,
    /// Exercise or real; `None` if it never started.
    pub mode: Option<Mode>,
    /// Who started it.
    pub by: Option<String>,
    /// Where it stands.
    pub standing: Standing,
    /// The exit code that tells its verdict; `None` while it has not ended.
    pub exit_code: Option<u8>,
    /// When it started.
    pub started: Option<Time>,
    /// When it ended.
    pub ended: Option<Time>,
    /// How long it took, up to its last event.
    pub took: Millis,
    /// How its objectives stand.
    pub objectives: Vec<Objective>,
    /// Why it was not all of its runbook, if the operator chose less.
    pub narrowed: Option<String>,
    /// Steps that ended well, by name.
    pub steps: BTreeMap<String, StepShown>,
    /// All steps of its plan.
    pub all_steps: BTreeSet<String>,
    /// All services of its plan.
    pub all_services: BTreeSet<String>,
    /// Services that were seen down and then up for good, and since when, by name.
    pub restored: BTreeMap<String, Time>,
    /// Looks at backups that found them whole.
    pub backups: Vec<BackupTold>,
    /// Backup gates and the steps that stand on them, by name.
    pub gates: BTreeMap<String, Vec<String>>,
    /// Files that prove something.
    pub evidence: Vec<EvidenceTold>,
    /// What people decided.
    pub decisions: Vec<Decision>,
    /// Conduits that were cut, whatever was taken back after that.
    pub cuts: Vec<Severed>,
    /// After-action items.
    pub improvements: Vec<Improvement>,
    /// Approvals that are signed; every signature holds.
    pub signed: u32,
    /// Plan hash, head and number of records.
    pub journal: Journal,
    /// Is its plan the one that the runbook's files make today, chosen and filled in as it was? `None` if nobody looked,
    /// or if they make none.
    pub plan_of_today: Option<bool>,
}

/// A step that ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepShown {
    /// When.
    pub at: Time,
    /// Did it do something? Otherwise everything was so already.
    pub did: bool,
}

/// A conduit that was cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Severed {
    /// The conduit.
    pub conduit: String,
    /// The step that cut it.
    pub step: String,
    /// Did a probe of the step see closed what was open before?
    pub proved: bool,
}

impl Shown {
    /// Tells a run. `held` says that a process carries it on, and which; `now` is the time.
    pub fn of(
        timeline: &Timeline,
        journal: Journal,
        signed: u32,
        held: Option<Option<u32>>,
        now: Time,
        says: &Says,
    ) -> Self {
        let story = tell_timeline(timeline, journal, held.is_some().then_some(now), says);
        let state = &timeline.state;
        Self {
            standing: standing(state, held),
            mode: story.run.started_at.map(|_| story.run.mode),
            narrowed: narrowed(state.plan()).map(line),
            steps: steps(state),
            all_steps: state.plan().steps.iter().map(|step| step.id.to_string()).collect(),
            all_services: state.plan().services.iter().map(|service| service.name.to_string()).collect(),
            restored: restored(state),
            gates: gates(state.plan()),
            signed,
            took: Millis(story.run.took_ms),
            exit_code: story.run.exit_code,
            started: story.run.started_at,
            ended: story.run.ended_at,
            runbook: story.run.runbook,
            inventory: story.run.inventory,
            by: story.run.by,
            objectives: story.objectives,
            backups: story.backups,
            evidence: story.evidence,
            decisions: story.decisions,
            cuts: cuts(timeline),
            improvements: story.improvements,
            journal: story.journal,
            plan_of_today: None,
        }
    }

    /// Did every step come through? What a drill took back after that counts.
    pub fn came_through(&self) -> bool {
        matches!(self.exit_code, Some(0 | MISSED)) && self.ended.is_some()
    }

    /// Where it stands, in a few words.
    pub fn state(&self) -> String {
        match self.standing {
            Standing::Ended(Verdict::RolledBack) if self.came_through() => "completed, taken back".to_owned(),
            _ => self.standing.words(),
        }
    }

    /// Was an objective met, and none missed?
    pub fn met_objectives(&self) -> bool {
        let missed = |one: &Objective| matches!(one.standing, Met::Missed | Met::NotReached);
        self.objectives.iter().any(|one| one.standing == Met::Met) && !self.objectives.iter().any(missed)
    }

    /// When it was, as calendars count: what is played at a table ends in virtual time, so its start counts there.
    pub fn when(&self) -> Option<Time> {
        if self.at_a_table() { self.started } else { self.ended.or(self.started) }
    }

    /// Was it played at a table, without hosts?
    pub fn at_a_table(&self) -> bool {
        self.mode == Some(Mode::Tabletop)
    }
}

fn standing(state: &RunState, held: Option<Option<u32>>) -> Standing {
    match (held, state.status()) {
        (Some(pid), _) => Standing::Running { pid },
        (None, Status::New) => Standing::NeverStarted,
        (None, Status::Running | Status::RollingBack { .. }) => Standing::Interrupted,
        (None, Status::Ended(verdict)) => Standing::Ended(verdict.clone()),
    }
}

fn steps(state: &RunState) -> BTreeMap<String, StepShown> {
    let plan = state.plan();
    let told = |ix: StepIx| {
        let step = state.step(ix);
        let at = step.ended_at().filter(|_| step.ended_well())?;
        let did = plan.tasks_of(ix).any(|task| state.task(task).end() == Some(&TaskEnd::Done));
        Some((plan.steps[ix.at()].id.to_string(), StepShown { at, did }))
    };
    (0..plan.steps.len() as u32).map(StepIx).filter_map(told).collect()
}

fn cuts(timeline: &Timeline) -> Vec<Severed> {
    let plan = timeline.state.plan();
    let ended_well =
        (0..plan.steps.len() as u32).map(StepIx).filter(|ix| timeline.state.step(*ix).ended_well());
    let of = |ix: StepIx| {
        let step = &plan.steps[ix.at()];
        // At a table a map answers, and proves nothing.
        let proved = timeline.state.mode() != Mode::Tabletop && proved(timeline, ix);
        step.severs.iter().map(move |conduit| Severed {
            conduit: conduit.to_string(),
            step: step.id.to_string(),
            proved,
        })
    };
    ended_well.flat_map(of).collect()
}

fn restored(state: &RunState) -> BTreeMap<String, Time> {
    let each = state.services().filter_map(|(name, _)| {
        let down = score::moment(state, &Moment::ServiceDown(name.clone()))?;
        let up = score::moment(state, &Moment::ServiceUp(name.clone()))?;
        (up > down).then(|| (name.to_string(), up))
    });
    each.collect()
}

/// What needs a gate directly stands on it.
fn gates(plan: &Plan) -> BTreeMap<String, Vec<String>> {
    let gates = (0..plan.steps.len()).filter(|ix| matches!(plan.steps[*ix].action, PlannedAction::Backup(_)));
    let standing_on = |gate: usize| {
        let needs = |step: &&crate::plan::frozen::PlannedStep| {
            step.needs.iter().any(|need| need.step == StepIx(gate as u32))
        };
        plan.steps.iter().filter(needs).map(|step| step.id.to_string()).collect()
    };
    gates.map(|gate| (plan.steps[gate].id.to_string(), standing_on(gate))).collect()
}
