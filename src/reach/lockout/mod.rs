//! Can a plan lock its operator out? For every task, in every order that the engine permits: is each host that the
//! task needs still reached when it runs, when it is verified, and when it is taken back?
//!
//! What is assumed: conduits are open when the run begins, unless a step of the plan is there to reconnect them; any
//! task of a severing step may cut; what is severed stays cut until it is re-opened by hand (`--reopen`) or by a step
//! that reconnects it. Links that stand when their conduit is cut are lost with it.
//!
//! It misses nothing. It may refuse more than any order comes to in one case: of conduits that stand in for one
//! another, a plan reconnects one and cuts another, and each is looked at on its own.

mod class;
mod cuts;
mod judge;
pub(super) mod legs;
mod notes;
mod order;
mod reconnect;
mod remedy;
mod witness;

use crate::model::names::{ConduitName, HostIx, PhaseIx, StepIx, TaskIx, ZoneName};
use crate::plan::Plan;
use std::fmt;

/// What the analysis of a plan found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LockOuts {
    /// Ways to lock the operator out, in plan order.
    pub findings: Vec<Finding>,
    /// What is no lock-out and worth knowing.
    pub notes: Vec<String>,
    /// What could not be judged: it is not known to be safe.
    pub unjudged: Vec<String>,
}

/// A moment of a task's life at which its hosts must be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// From its first job up to the end of its action.
    Run,
    /// After its action: the receipt of its own end, its verify, its watch, the confirmation of its guard.
    Verify,
    /// When it is taken back; for a step that severs, when its cut is re-opened.
    Undo,
}

/// One way to lock the operator out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The step.
    pub step: StepIx,
    /// Its tasks that are hit, in plan order; what follows is about the first.
    pub tasks: Vec<TaskIx>,
    /// When.
    pub moment: Moment,
    /// The host that is no longer reached: the task's own, or one that a probe of it starts from.
    pub host: HostIx,
    /// The stretch of the way to it that is gone.
    pub leg: Leg,
    /// The conduits of that stretch and what cuts each; empty if the inventory has none.
    pub gone: Vec<Gone>,
    /// An order in which it happens; `None` if there are too many findings to work one out for each.
    pub witness: Option<Witness>,
    /// Changes to runbook or inventory each of which would do, as the analysis itself confirms.
    pub remedies: Vec<Remedy>,
}

/// One stretch of the way from the controller to a host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leg {
    /// Where it starts: a jump host, or the controller.
    pub from: Option<HostIx>,
    /// The zone that is in.
    pub from_zone: ZoneName,
    /// Where it leads.
    pub to: LegEnd,
    /// The zone that is in; for name servers each of theirs.
    pub to_zones: Vec<ZoneName>,
}

/// Where a stretch of a way leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LegEnd {
    /// To a host.
    Host(HostIx),
    /// To whoever knows the address of the first host on the way.
    NameServers,
}

/// A conduit that may be cut at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// The conduit.
    pub conduit: ConduitName,
    /// Steps that may have cut it by then; empty if nobody has reconnected it yet.
    pub by: Vec<StepIx>,
}

/// An order of tasks that ends in a lock-out. Nothing can be left out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// All phases before this one are over.
    pub phase: PhaseIx,
    /// Then these end, in this order; at `Run` and `Verify` the task in question is the last. After them, an undo
    /// follows when all is gone that stands on the task.
    pub tasks: Vec<TaskIx>,
}

/// A change that takes a lock-out away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remedy {
    /// Each of these steps needs this one.
    Needs {
        /// The steps that cut; or the step that is hit, if it comes before what it needs is reconnected.
        steps: Vec<StepIx>,
        /// The step that must come before.
        need: StepIx,
    },
    /// A conduit that nobody cuts leads from one zone to the other.
    Conduit {
        /// From this zone …
        from: ZoneName,
        /// … to this one.
        to: ZoneName,
    },
    /// The step has a guard that reverts.
    Guard {
        /// The step.
        step: StepIx,
    },
}

/// Tasks that are walked through for witnesses, over all of them: a second at most on the largest site.
const WITNESS_TASKS_MAX: usize = 2_000_000;
/// So many findings have a witness on the largest site too: as many as are told, and more than anybody mends at once.
const WITNESSES_MIN: usize = 6;

/// Analyses a plan: findings with witness and remedies.
pub fn analyse(plan: &Plan) -> LockOuts {
    let mut found = look(plan);
    remedy::propose(plan, &mut found.findings);
    found
}

/// The same without remedies, each of which costs a look or more.
pub fn look(plan: &Plan) -> LockOuts {
    let witnesses_max = (WITNESS_TASKS_MAX / plan.tasks.len().max(1)).max(WITNESSES_MIN);
    let judge::Judged { findings, notes, unjudged } = judge::judge(plan, witnesses_max);
    LockOuts { findings, notes, unjudged }
}

impl LockOuts {
    /// Is there nothing to say?
    pub fn is_silent(&self) -> bool {
        self.findings.is_empty() && self.notes.is_empty() && self.unjudged.is_empty()
    }
}

impl Moment {
    /// Its word, in output.
    pub fn word(self) -> &'static str {
        match self {
            Moment::Run => "run",
            Moment::Verify => "verify",
            Moment::Undo => "undo",
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
