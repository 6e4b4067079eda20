//! How ready one is by a policy: what is due when, and by which run. The JSON of `blackstart due`, see docs/FORMAT.md:
//! keys may be added; those that are here keep their meaning while `v` is 1.

use crate::model::Time;
use crate::model::event::Mode;
use crate::model::every::Every;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;

/// The version of this format.
pub const READINESS_VERSION: u32 = 1;

/// How ready one is by a policy on a day.
#[derive(Debug, Clone, Serialize)]
pub struct Readiness {
    /// The version of this format.
    pub v: u32,
    /// The policy's name.
    pub policy: String,
    /// What it is about.
    pub summary: Option<String>,
    /// The moment that it is told for.
    pub at: Time,
    /// Is that the present?
    pub is_now: bool,
    /// The day of that moment.
    pub day: Date,
    /// The zone whose days count; empty if it has no name.
    pub zone: String,
    /// What falls due in so long is told as due soon.
    pub within: Option<String>,
    /// Duties in file order.
    pub duties: Vec<DutyTold>,
    /// After-action items of each run that has any, oldest first, if the policy asks for them to be closed.
    pub improve: Vec<ItemsTold>,
    /// Does the policy ask for after-action items to be closed?
    pub asks_to_improve: bool,
    /// Runs that the policy says are closed, and that are not there or have no items.
    pub closed_in_vain: Vec<String>,
    /// The plan that each runbook's files make today.
    pub today: BTreeMap<String, Today>,
    /// Directories that show nothing.
    pub broken: Vec<Broken>,
    /// Duties and items that are overdue, never done ones among them.
    pub overdue: usize,
    /// Duties and items that fall due soon.
    pub soon: usize,
}

/// The plan that the files of a runbook make today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Today {
    /// Its hash.
    pub plan: Option<String>,
    /// Why there is none.
    pub because: Option<String>,
}

/// A directory that shows nothing.
#[derive(Debug, Clone, Serialize)]
pub struct Broken {
    /// Its name.
    pub run: String,
    /// Why not.
    pub because: String,
}

/// The kinds of duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A runbook is rehearsed.
    Rehearse,
    /// Something is restored.
    Restore,
    /// Something is verified.
    Verify,
}

/// A duty, and how it stands.
#[derive(Debug, Clone, Serialize)]
pub struct DutyTold {
    /// Of which kind.
    pub kind: Kind,
    /// What must be done, in words.
    pub what: String,
    /// The runbook, if it names one.
    pub runbook: Option<String>,
    /// At least like this, of a rehearsal.
    pub mode: Option<Mode>,
    /// How often.
    pub every: String,
    /// The same for the calendar.
    #[serde(skip)]
    pub every_by_calendar: Every,
    /// Who sees to it.
    pub owner: Option<String>,
    /// The controls that the policy names for it.
    pub control: Vec<String>,
    /// How it stands.
    pub standing: Due,
    /// The newest run that counts.
    pub last: Option<Proved>,
    /// The last day on which it is in time; `null` if it was never done and the policy does not say since when.
    pub due_on: Option<Date>,
    /// Days to that day; negative is overdue.
    pub days_left: Option<i64>,
    /// Newer runs that are about it and do not count, newest first.
    pub not_counted: Vec<NotCounted>,
}

/// How something stands that is due some day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Due {
    /// There is time left.
    InTime,
    /// There is time left, but no more than was asked for.
    Soon,
    /// Its day is over.
    Overdue,
    /// It was never done, and its day, if it has one, is over.
    Never,
}

impl Due {
    /// Is its day over?
    pub fn is_over(self) -> bool {
        matches!(self, Due::Overdue | Due::Never)
    }
}

/// A run that counts.
#[derive(Debug, Clone, Serialize)]
pub struct Proved {
    /// Its id.
    pub run: String,
    /// The same as short as it may be typed.
    #[serde(skip)]
    pub short: String,
    /// Its runbook.
    pub runbook: String,
    /// Exercise or real.
    pub mode: Option<Mode>,
    /// When what it proves was so.
    pub at: Time,
    /// The day of that.
    pub day: Date,
    /// Where the run stands.
    pub state: String,
    /// Was it of the plan that the runbook's files make today? `null` if the policy names none, or they make none.
    pub plan_of_today: Option<bool>,
    /// Objectives that were met, and how many there are whose clock started.
    pub objectives_met: usize,
    /// How many objectives there are whose clock started.
    pub objectives: usize,
}

/// A run that is about a duty and does not count.
#[derive(Debug, Clone, Serialize)]
pub struct NotCounted {
    /// Its id.
    pub run: String,
    /// The same as short as it may be typed.
    #[serde(skip)]
    pub short: String,
    /// When it was.
    pub at: Time,
    /// Exercise or real.
    pub mode: Option<Mode>,
    /// Why not.
    pub because: String,
}

/// The after-action items of a run.
#[derive(Debug, Clone, Serialize)]
pub struct ItemsTold {
    /// The run.
    pub run: String,
    /// The same as short as it may be typed.
    #[serde(skip)]
    pub short: String,
    /// Its runbook.
    pub runbook: String,
    /// Exercise or real.
    pub mode: Option<Mode>,
    /// When it was.
    pub at: Time,
    /// The day of that.
    pub day: Date,
    /// What was seen, and what follows from it.
    pub items: Vec<(String, String)>,
    /// The last day on which closing them is in time.
    pub due_on: Option<Date>,
    /// Days to that day; negative is overdue. `null` if they are closed.
    pub days_left: Option<i64>,
    /// How they stand, if they are not closed.
    pub standing: Option<Due>,
    /// Whose word it is that they are closed; no run shows that.
    pub closed: Option<ClosedTold>,
    /// Was the run of the plan that the runbook's files make today?
    pub plan_of_today: Option<bool>,
}

/// Somebody's word that items are closed.
#[derive(Debug, Clone, Serialize)]
pub struct ClosedTold {
    /// When.
    pub on: Date,
    /// Whose word it is.
    pub by: String,
    /// What was done.
    pub note: Option<String>,
    /// Was that in time?
    pub in_time: bool,
}
