//! What the seeds have seen, so that nobody mistakes a quiet simulation for a proof.

use blackstart::model::event::{
    Before, Event, Facts, Found, JobKind, NotRun, StopReason, TaskEnd, UndoEnd, Verdict,
};
use blackstart::model::guard::GuardSeen;
use blackstart::model::question::Question;
use blackstart::model::{How, Outcome};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Default)]
pub struct Tally {
    pub runs: u64,
    pub seen: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub fn note(&mut self, what: &'static str) {
        *self.seen.entry(what).or_insert(0) += 1;
    }
    pub fn add(&mut self, other: &Tally) {
        self.runs += other.runs;
        for (what, count) in &other.seen {
            *self.seen.entry(what).or_insert(0) += count;
        }
    }

    pub fn event(&mut self, event: &Event) {
        match event {
            Event::RunStarted { .. } => self.runs += 1,
            Event::RunResumed { .. } => self.note("resumed"),
            Event::RunEnded { verdict } => self.note(match verdict {
                Verdict::Completed => "completed",
                Verdict::Refused { .. } => "refused",
                Verdict::RolledBack => "rolled back",
                Verdict::Stuck => "stuck",
                Verdict::Stopped { because: StopReason::StepFailed { .. } } => "stopped: step failed",
                Verdict::Stopped { because: StopReason::Operator { .. } } => "stopped: operator",
                Verdict::Stopped { because: StopReason::WaitingForPeople } => "stopped: people",
                Verdict::Stopped { because: StopReason::FailuresLeft } => "stopped: failures left",
            }),
            Event::UndoEnded { end, .. } => self.note(match end {
                UndoEnd::Undone => "undone",
                UndoEnd::NotNeeded => "undo not needed",
                UndoEnd::LeftCut => "left cut",
                UndoEnd::Impossible => "undo impossible",
                UndoEnd::Failed { .. } => "undo failed",
                UndoEnd::Held { .. } => "held",
            }),
            Event::TaskEnded { end, .. } => self.note(match end {
                TaskEnd::Done => "task done",
                TaskEnd::AlreadySo => "task already so",
                TaskEnd::Failed { kind: JobKind::Check, .. } => "check failed",
                TaskEnd::Failed { kind: JobKind::Snapshot, .. } => "snapshot failed",
                TaskEnd::Failed { kind: JobKind::Verify, .. } => "verify failed",
                TaskEnd::Failed { kind: JobKind::Watch, .. } => "watch failed",
                TaskEnd::Failed { kind: JobKind::Stage, .. } => "not fired",
                TaskEnd::Failed { outcome: Outcome::Unknown { .. }, .. } => "task unknown",
                TaskEnd::Failed { outcome: Outcome::NotStarted { .. }, .. } => "task not started",
                TaskEnd::Failed { outcome: Outcome::Failed { how: How::Cancelled }, .. } => "task cancelled",
                TaskEnd::Failed { .. } => "task failed",
                TaskEnd::NotRun { because: NotRun::NeedFailed { .. } } => "not run: need (task)",
                TaskEnd::NotRun { because: NotRun::RolledBack } => "not run: rolled back (task)",
                TaskEnd::NotRun { because: NotRun::Refused { .. } } => "not run: refused (task)",
                TaskEnd::NotRun { .. } => "not run: other (task)",
            }),
            Event::StepNotRun { because, .. } => self.note(match because {
                NotRun::LeftOut => "step left out",
                NotRun::NeedFailed { .. } => "not run: need",
                NotRun::TooManyFailures => "not run: too many failures",
                NotRun::RolledBack => "not run: rolled back",
                NotRun::Refused { .. } => "not run: refused",
                NotRun::TooLate { .. } => "not run: too late",
                NotRun::EvidenceMissing { .. } => "not run: evidence missing",
            }),
            Event::JobEnded { facts: Facts { guard: Some(seen), .. }, .. } => self.note(match seen {
                GuardSeen::Armed { .. } => "guard armed",
                GuardSeen::Confirmed { left: Some(_), .. } => "guard confirmed",
                GuardSeen::Confirmed { left: None, .. } => "guard disarmed",
                GuardSeen::ConfirmedLate { .. } => "guard confirmed late",
                GuardSeen::Expired { .. } => "guard expired",
                GuardSeen::Fired { undo: Outcome::Succeeded, .. } => "guard fired",
                GuardSeen::Fired { undo: Outcome::NotStarted { .. }, .. } => "guard fired in vain",
                GuardSeen::Fired { .. } => "guard fired and failed",
                GuardSeen::Lost { .. } => "guard lost",
            }),
            Event::JobStarted { job } => self.note(match job.kind {
                JobKind::Check => "check started",
                JobKind::Snapshot => "snapshot started",
                JobKind::Run => "run started",
                JobKind::Verify => "verify started",
                JobKind::Undo => "undo started",
                JobKind::ResolveRun => "resolve started",
                JobKind::ResolveUndo => "undo resolve started",
                JobKind::Watch => "watch started",
                JobKind::Stage => "stage started",
                JobKind::Arm => "arm started",
                JobKind::Confirm => "confirm started",
            }),
            Event::ReceiptRead { found, .. } => self.note(match found {
                Found::NeverStarted => "receipt: never started",
                Found::Ended(Outcome::Succeeded) => "receipt: succeeded",
                Found::Ended(_) => "receipt: failed",
                Found::NoReceipt { .. } => "receipt: none",
                Found::NotReached { .. } => "receipt: not reached",
            }),
            Event::Asked { question } => self.note(match question {
                Question::Manual { .. } => "asked: manual",
                Question::Approve { .. } => "asked: approve",
                Question::WhatBecameOf { undo: false, .. } => "asked: what became of a run",
                Question::WhatBecameOf { undo: true, .. } => "asked: what became of an undo",
                Question::PhaseFailed { .. } => "asked: phase failed",
            }),
            Event::Firing { jobs, .. } if jobs.len() > 1 => self.note("fired together"),
            Event::Firing { .. } => self.note("fired alone"),
            Event::Fired { .. } => self.note("firing measured"),
            Event::RetryPlanned { kind: JobKind::Stage, .. } => self.note("gets ready again"),
            Event::RetryPlanned { .. } => self.note("retry planned"),
            Event::WaitStarted { .. } => self.note("wait started"),
            Event::Answered { .. } => self.note("answered"),
            Event::StopRequested { .. } => self.note("stop requested"),
            Event::RollbackStarted { reopen: true, .. } => self.note("rollback with reopen"),
            Event::RollbackStarted { reopen: false, .. } => self.note("rollback"),
            Event::Abandoned { .. } => self.note("abandoned"),
            Event::GuardExtended { .. } => self.note("guard extended"),
            Event::RiskAccepted { .. } => self.note("risk accepted"),
            Event::ApprovalLapsed { .. } => self.note("approval lapsed"),
            Event::Baseline { .. } => self.note("baseline"),
            Event::LookedAfter { .. } => self.note("looked after"),
            Event::ServiceSeen { .. } => self.note("service seen"),
            Event::Injected { .. } => self.note("injected"),
            Event::JobEnded { facts, .. } => {
                for before in facts.probes.iter().filter_map(|seen| seen.before) {
                    self.note(match before {
                        Before::Open => "proof",
                        Before::CutAlready => "no proof: cut already",
                        Before::NotOpen => "no proof: was not open",
                        Before::NotLooked => "no proof: nobody looked",
                    });
                }
            }
            Event::HostReached { .. }
            | Event::PhaseStarted { .. }
            | Event::PhaseEnded { .. }
            | Event::StepEnded { .. } => {}
        }
    }
}

/// How often each thing must be seen in ten thousand runs, at least. A fifth of what was counted when the
/// simulation was written: enough to notice that something no longer happens, loose enough for other plans.
pub const AT_LEAST_IN_10_000: &[(&str, u64)] = &[
    ("abandoned", 312),
    ("answered", 2389),
    ("asked: approve", 1505),
    ("asked: manual", 1048),
    ("asked: phase failed", 270),
    ("asked: what became of a run", 49),
    ("asked: what became of an undo", 11),
    ("check failed", 105),
    ("completed", 1123),
    ("crashed", 1351),
    ("epochs calm", 636),
    ("fired alone", 970),
    ("fired together", 240),
    ("firing measured", 1180),
    ("guard armed", 1740),
    ("guard confirmed", 510),
    ("guard confirmed late", 44),
    ("guard disarmed", 1140),
    ("guard expired", 78),
    ("guard extended", 560),
    ("guard fired", 106),
    ("guard lost", 11),
    ("held", 380),
    ("last look", 1900),
    ("last look in vain", 30),
    ("late answers", 660),
    ("left cut", 331),
    ("not fired", 290),
    ("not run: need", 178),
    ("not run: need (task)", 74),
    ("not run: refused", 171),
    ("not run: refused (task)", 71),
    ("not run: rolled back", 2086),
    ("not run: rolled back (task)", 151),
    ("not run: too many failures", 56),
    ("baseline", 1500),
    ("looked after", 580),
    ("no proof: nobody looked", 380),
    ("no proof: was not open", 550),
    ("proof", 2200),
    ("service seen", 5900),
    ("receipt: failed", 178),
    ("receipt: never started", 455),
    ("receipt: none", 115),
    ("receipt: not reached", 457),
    ("receipt: succeeded", 799),
    ("records lost", 1086),
    ("refused", 161),
    ("resumed", 3125),
    ("retry planned", 2394),
    ("risk accepted", 80),
    ("rollback", 968),
    ("rollback with reopen", 790),
    ("rolled back", 1300),
    ("snapshot failed", 299),
    ("stop requested", 328),
    ("stopped: failures left", 319),
    ("stopped: operator", 269),
    ("stopped: people", 1042),
    ("stopped: step failed", 322),
    ("stuck", 420),
    ("task already so", 391),
    ("task cancelled", 56),
    ("task done", 7524),
    ("task failed", 669),
    ("task not started", 222),
    ("task unknown", 93),
    ("undo failed", 239),
    ("undo impossible", 293),
    ("undo not needed", 398),
    ("undo resolve started", 332),
    ("stage started", 2040),
    ("watch failed", 260),
    ("watch started", 1270),
    ("undone", 1585),
    ("verify failed", 272),
    ("wait started", 345),
    ("approval lapsed", 60),
    ("not run: evidence missing", 14),
    ("not run: too late", 380),
];
