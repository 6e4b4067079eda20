//! One sentence or word for everything that can become of a run, in the language of the report.

use super::compare::ComparedKind;
use super::ja;
use super::lang::{Lang, Says};
use super::ledger::{Way, Worth};
use super::phrase::Phrase;
use super::told::{Fate, Met, What};
use crate::model::event::{Mode, NotRun, Scope, Stands, StopHow, TaskEnd, UndoEnd, Verdict};
use crate::model::guard::GuardSeen;
use crate::model::names::TaskIx;
use crate::model::question::{Choice, Question};
use crate::model::runbook::Moment;
use crate::model::{Millis, Outcome, Time};
use crate::plan::Plan;
use crate::plan::frozen::PlannedAction;
use crate::report::escape::line;
use crate::report::host_list::drawn_together;
use crate::report::restored::Restoration;
use crate::report::words;
use std::collections::BTreeMap;

impl Says {
    pub(super) fn verdict(&self, plan: &Plan, mode: Mode, verdict: &Verdict) -> String {
        match self.lang {
            Lang::En => words::verdict(plan, mode, verdict),
            Lang::Ja => ja::verdict(self, plan, mode, verdict),
        }
    }

    pub(super) fn stop_how(&self, how: StopHow) -> &'static str {
        match self.lang {
            Lang::En => words::stop_how(how),
            Lang::Ja => ja::stop_how(how),
        }
    }

    pub(super) fn outcome(&self, outcome: &Outcome) -> String {
        match self.lang {
            Lang::En => words::outcome(outcome),
            Lang::Ja => ja::outcome(self, outcome),
        }
    }

    pub(super) fn task_end(&self, plan: &Plan, task: TaskIx, end: &TaskEnd) -> String {
        match self.lang {
            Lang::En => words::task_end(plan, task, end),
            Lang::Ja => ja::task_end(self, plan, task, end),
        }
    }

    pub(super) fn not_run(&self, plan: &Plan, because: &NotRun, left_out: Option<&str>) -> String {
        match self.lang {
            Lang::En => words::not_run(plan, because, left_out),
            Lang::Ja => ja::not_run(self, plan, because, left_out),
        }
    }

    pub(super) fn undo_end(&self, plan: &Plan, task: TaskIx, end: &UndoEnd) -> String {
        match self.lang {
            Lang::En => words::undo_end(plan, task, end),
            Lang::Ja => ja::undo_end(self, plan, task, end),
        }
    }

    pub(super) fn scope(&self, plan: &Plan, scope: Scope) -> String {
        match self.lang {
            Lang::En => words::scope(plan, scope),
            Lang::Ja => ja::scope(plan, scope),
        }
    }

    pub(super) fn guard(&self, seen: &GuardSeen) -> String {
        let at = |over: &str| line(over);
        match (self.lang, seen) {
            (Lang::En, GuardSeen::Armed { otherwise, left, .. }) => {
                format!("armed, {} otherwise, {left} left", otherwise.word())
            }
            (Lang::Ja, GuardSeen::Armed { otherwise, left, .. }) => {
                format!("設定済み（未確認時は{}、残り{}）", otherwise.word(), self.length(*left))
            }
            (Lang::En, GuardSeen::Confirmed { over, .. }) => format!("confirmed over {}", at(over)),
            (Lang::Ja, GuardSeen::Confirmed { over, .. }) => format!("新たな接続で確認：{}", at(over)),
            (Lang::En, GuardSeen::ConfirmedLate { over }) => format!("confirmed TOO LATE over {}", at(over)),
            (Lang::Ja, GuardSeen::ConfirmedLate { over }) => format!("期限後に確認：{}", at(over)),
            (Lang::En, GuardSeen::Expired { .. }) => "EXPIRED: nobody confirmed, the change stays".to_owned(),
            (Lang::Ja, GuardSeen::Expired { .. }) => "期限切れ：確認がなく、変更を維持した".to_owned(),
            (Lang::En, GuardSeen::Fired { undo, .. }) => {
                format!("FIRED: nobody confirmed, it took the change back: {}", self.outcome(undo))
            }
            (Lang::Ja, GuardSeen::Fired { undo, .. }) => {
                format!("発動：確認がなく、変更を取り消した：{}", self.outcome(undo))
            }
            (Lang::En, GuardSeen::Lost { because }) => format!("LOST: {}", line(because)),
            (Lang::Ja, GuardSeen::Lost { because }) => format!("消失：{}", line(because)),
        }
    }

    pub(super) fn mode(&self, mode: Mode) -> &'static str {
        self.say(match mode {
            Mode::Live => Phrase::ModeLive,
            Mode::Drill => Phrase::ModeDrill,
            Mode::Tabletop => Phrase::ModeTabletop,
        })
    }

    pub(super) fn fate(&self, fate: Fate) -> &'static str {
        self.say(match fate {
            Fate::Stuck => Phrase::FateStuck,
            Fate::Failed => Phrase::FateFailed,
            Fate::Unseen => Phrase::FateUnseen,
            Fate::UnderWay => Phrase::FateUnderWay,
            Fate::TakenBack => Phrase::FateTakenBack,
            Fate::NotRun => Phrase::FateNotRun,
            Fate::Waiting => Phrase::FateWaiting,
            Fate::Tolerated => Phrase::FateTolerated,
            Fate::Done => Phrase::FateDone,
            Fate::AlreadySo => Phrase::FateAlreadySo,
            Fate::LeftOut => Phrase::FateLeftOut,
        })
    }

    pub(in crate::report) fn what(&self, what: What) -> &'static str {
        self.say(match what {
            What::Work => Phrase::WhatWork,
            What::Guard => Phrase::WhatGuard,
            What::Undo => Phrase::WhatUndo,
            What::People => Phrase::WhatPeople,
            What::Hosts => Phrase::WhatHosts,
            What::Retry => Phrase::WhatRetry,
            What::Timer => Phrase::WhatTimer,
            What::Unseen => Phrase::WhatUnseen,
            What::Turn => Phrase::WhatTurn,
        })
    }

    pub(in crate::report) fn met(&self, met: Met) -> &'static str {
        self.say(match met {
            Met::Met => Phrase::ObjectiveMet,
            Met::Missed => Phrase::ObjectiveMissed,
            Met::NotReached => Phrase::ObjectiveNotReached,
            Met::Open => Phrase::ObjectiveOpen,
            Met::NotStarted => Phrase::ObjectiveNotStarted,
        })
    }

    /// What a cut that was seen is worth: at a table a map answers.
    pub(super) fn proved(&self, mode: Mode) -> &'static str {
        match mode {
            Mode::Live | Mode::Drill => self.yes(true),
            Mode::Tabletop => self.say(Phrase::AtTheTable),
        }
    }

    pub(super) fn worth(&self, worth: Worth) -> &'static str {
        match worth {
            Worth::Proof => self.say(Phrase::WorthProof),
            Worth::AtTheTable => self.say(Phrase::WorthAtTheTable),
            Worth::CutAlready => self.say(Phrase::WorthCutAlready),
            Worth::ProvesNothing => self.say(Phrase::WorthNothing),
            Worth::NotTold => self.say(Phrase::WorthNotTold),
            Worth::Observation => "",
        }
    }

    pub(super) fn way(&self, way: Way) -> &'static str {
        self.say(match way {
            Way::Same => Phrase::WaySame,
            Way::Direct => Phrase::WayDirect,
            Way::Pivot => Phrase::WayPivot,
            Way::None => Phrase::WayNone,
        })
    }

    pub(super) fn stands(&self, stands: Option<Stands>) -> &'static str {
        self.say(match stands {
            Some(Stands::Up) => Phrase::StandsUp,
            Some(Stands::Down) => Phrase::StandsDown,
            Some(Stands::Unknown) => Phrase::StandsUnknown,
            None => Phrase::NotLooked,
        })
    }

    pub(super) fn yes(&self, yes: bool) -> &'static str {
        self.say(if yes { Phrase::Yes } else { Phrase::No })
    }

    pub(super) fn kind(&self, kind: &str) -> &'static str {
        self.say(match kind {
            "upload" => Phrase::KindUpload,
            "fetch" => Phrase::KindFetch,
            "manual" => Phrase::KindManual,
            "wait" => Phrase::KindWait,
            "probe" => Phrase::KindProbe,
            "backup" => Phrase::KindBackup,
            _ => Phrase::KindRun,
        })
    }

    pub(super) fn moment(&self, moment: &Moment) -> String {
        match moment {
            Moment::Start => self.say(Phrase::MomentStart).to_owned(),
            Moment::Phase(id) => self.fill(Phrase::MomentPhase, &[id.as_str()]),
            Moment::Step(id) => self.fill(Phrase::MomentStep, &[id.as_str()]),
            Moment::Probe(id) => self.fill(Phrase::MomentProbe, &[id.as_str()]),
            Moment::ServiceUp(name) => self.fill(Phrase::MomentServiceUp, &[name.as_str()]),
            Moment::ServiceDown(name) => self.fill(Phrase::MomentServiceDown, &[name.as_str()]),
            Moment::Backup(id) => self.fill(Phrase::MomentBackup, &[id.as_str()]),
        }
    }

    pub(super) fn question(&self, plan: &Plan, question: &Question) -> String {
        match question {
            Question::Manual { task } => self.fill(Phrase::QuestionManual, &[&plan.task_name(*task)]),
            Question::Approve { task, .. } => {
                self.fill(Phrase::QuestionApprove, &[plan.step_of(*task).id.as_str()])
            }
            Question::WhatBecameOf { task, .. } => {
                self.fill(Phrase::QuestionBecame, &[&plan.task_name(*task)])
            }
            Question::PhaseFailed { phase } => {
                self.fill(Phrase::QuestionPhase, &[plan.phases[phase.at()].id.as_str()])
            }
        }
    }

    pub(super) fn choice(&self, choice: Choice) -> &'static str {
        self.say(match choice {
            Choice::Done => Phrase::AnswerDone,
            Choice::Approve => Phrase::AnswerApprove,
            Choice::Refuse => Phrase::AnswerRefuse,
            Choice::ItSucceeded => Phrase::AnswerSucceeded,
            Choice::ItFailed => Phrase::AnswerFailed,
            Choice::NothingHappened => Phrase::AnswerNothing,
            Choice::Retry => Phrase::AnswerRetry,
            Choice::Continue => Phrase::AnswerContinue,
            Choice::Stop => Phrase::AnswerStop,
            Choice::Rollback => Phrase::AnswerRollback,
            Choice::RollbackRun => Phrase::AnswerRollbackRun,
        })
    }

    /// How far starts lie apart, from microseconds.
    pub(super) fn skew(&self, min_us: u64, max_us: u64) -> String {
        let ms = |us: u64| format!("{}.{:01}", us / 1000, us % 1000 / 100);
        self.fill(Phrase::AtMost, &[&ms(min_us), &ms(max_us)])
    }

    /// Hosts, drawn together; after so many entries the rest is counted.
    pub(super) fn hosts(&self, names: &[&str], entries_max: usize) -> String {
        let drawn = drawn_together(names, entries_max);
        let mut text = self.list(&drawn.shown);
        if drawn.more > 0 {
            text = self.fill(Phrase::HostsMore, &[&text, &drawn.more.to_string()]);
        }
        match drawn.is_each_named {
            true => text,
            false => self.fill(Phrase::HostsAll, &[&text, &names.len().to_string()]),
        }
    }

    /// More or less: `+3.0s`, `−3.0s`, `±0ms`.
    pub(super) fn difference(&self, ms: i64) -> String {
        let sign = match ms.signum() {
            1 => "+",
            -1 => "−",
            _ => "±",
        };
        format!("{sign}{}", self.length(Millis(ms.unsigned_abs())))
    }

    /// Where time went: `work 3.0s, people 2m 00s`.
    pub(super) fn spent(&self, parts: &BTreeMap<What, u64>) -> String {
        let said =
            parts.iter().map(|(what, ms)| format!("{} {}", self.what(*what), self.length(Millis(*ms))));
        self.list(&said.collect::<Vec<_>>())
    }

    /// What is not as it was when a drill began: a name and what there is to say of it.
    pub(super) fn left_behind(&self, told: &Restoration) -> Vec<[String; 3]> {
        let by_hand = self.say(Phrase::ByHandOnly);
        let in_place = told.in_place.iter();
        let in_place = in_place.map(|one| [one.step.clone(), self.list(&one.hosts), one.why.clone()]);
        let hands = told.by_hand.iter().map(|step| [step.clone(), String::new(), by_hand.to_owned()]);
        let cut = self.say(Phrase::StillCut);
        let cuts = told.cut.iter().map(|conduit| [conduit.clone(), String::new(), cut.to_owned()]);
        let services = told.services.iter().map(|one| {
            let stood = [self.stands(Some(one.before)), self.stands(Some(one.after))];
            [one.service.clone(), String::new(), self.fill(Phrase::StoodBefore, &stood)]
        });
        let paths = told.paths.iter().flat_map(|paths| &paths.not_open);
        let paths = paths.map(|one| {
            let why = self.fill(Phrase::WasOpen, &[&one.seen]);
            [one.what.clone(), String::new(), why]
        });
        in_place.chain(hands).chain(cuts).chain(services).chain(paths).collect()
    }

    /// How many of the paths that were open before the first cut were seen open again.
    pub(super) fn paths_again(&self, told: &Restoration) -> Option<String> {
        let paths = told.paths.as_ref()?;
        Some(self.fill(Phrase::PathsAgain, &[&paths.open.to_string(), &paths.of.to_string()]))
    }

    pub(super) fn compared(&self, kind: ComparedKind) -> &'static str {
        self.say(match kind {
            ComparedKind::Objective => Phrase::Objective,
            ComparedKind::Phase => Phrase::Phase,
            ComparedKind::Step => Phrase::Step,
        })
    }

    /// Since the start of a run: `+00:12:04`.
    pub(super) fn since(&self, start: Option<Time>, at: Time) -> String {
        format!("+{}", crate::report::look::clock(at.since(start.unwrap_or(at))))
    }
}

/// The word of the runbook for what a step does.
pub(super) fn kind_of(action: &PlannedAction) -> &'static str {
    match action {
        PlannedAction::Run(_) => "run",
        PlannedAction::Upload(_) => "upload",
        PlannedAction::Fetch(_) => "fetch",
        PlannedAction::Manual(_) => "manual",
        PlannedAction::Wait(_) => "wait",
        PlannedAction::Probe(_) => "probe",
        PlannedAction::Backup(_) => "backup",
    }
}

/// The code of a fate, as JSON and class names spell it.
pub(super) fn code(fate: Fate) -> &'static str {
    match fate {
        Fate::Stuck => "stuck",
        Fate::Failed => "failed",
        Fate::Unseen => "unseen",
        Fate::UnderWay => "under_way",
        Fate::TakenBack => "taken_back",
        Fate::NotRun => "not_run",
        Fate::Waiting => "waiting",
        Fate::Tolerated => "tolerated",
        Fate::Done => "done",
        Fate::AlreadySo => "already_so",
        Fate::LeftOut => "left_out",
    }
}
