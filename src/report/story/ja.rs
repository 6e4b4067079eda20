//! Sentences in Japanese for what can become of jobs, tasks and runs: what `words` says in English. What a host, a
//! person or another program wrote stays as it was written, made safe to show.

use super::lang::Says;
use crate::model::event::{JobKind, Mode, NotRun, Scope, StopHow, StopReason, TaskEnd, UndoEnd, Verdict};
use crate::model::names::{StepIx, TaskIx};
use crate::model::{How, Outcome};
use crate::plan::Plan;
use crate::plan::frozen::PlannedUndo;
use crate::report::escape::line;

pub(super) fn verdict(says: &Says, plan: &Plan, mode: Mode, verdict: &Verdict) -> String {
    let resume = |text| if mode == Mode::Tabletop { "" } else { text };
    match verdict {
        Verdict::Completed => "完了：全ての作業が正常に終了した。".to_owned(),
        Verdict::Stopped { because } => {
            format!("停止：{}。{}", stop_reason(says, plan, because), resume("再開できる。"))
        }
        Verdict::Refused { by } => {
            format!("却下：{}が承認しなかった。{}", line(by), resume("再開時に改めて確認する。"))
        }
        Verdict::RolledBack => "取消済み：取り消すべきものは全て取り消した。".to_owned(),
        Verdict::Stuck => "取消不能：取り消せないものがある。人による確認が必要。".to_owned(),
    }
}

fn stop_reason(_: &Says, plan: &Plan, because: &StopReason) -> String {
    match because {
        StopReason::StepFailed { step } => format!("手順「{}」が失敗", step_id(plan, *step)),
        StopReason::Operator { by, how } => format!("{}の指示（{}）", line(by), stop_how(*how)),
        StopReason::WaitingForPeople => "人の回答のみを待っている".to_owned(),
        StopReason::FailuresLeft => "実行可能なものは全て実行したが、失敗した手順がある".to_owned(),
    }
}

pub(super) fn stop_how(how: StopHow) -> &'static str {
    match how {
        StopHow::Finish => "新たな作業を開始せず、実施中の作業の終了を待つ",
        StopHow::Cancel => "実施中の作業も中止する",
    }
}

pub(super) fn job_kind(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Check => "事前確認",
        JobKind::Snapshot => "現状保存",
        JobKind::Run => "実行",
        JobKind::Verify => "事後確認",
        JobKind::Undo => "取消し",
        JobKind::ResolveRun => "結果照会",
        JobKind::ResolveUndo => "取消結果照会",
        JobKind::Arm => "自動復帰の設定",
        JobKind::Confirm => "自動復帰の解除確認",
        JobKind::Watch => "監視",
        JobKind::Stage => "事前配置",
    }
}

pub(super) fn outcome(says: &Says, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Succeeded => "成功".to_owned(),
        Outcome::Failed { how } => failure(says, how),
        Outcome::NotStarted { because, .. } => format!("開始されず：{}", line(because)),
        Outcome::Unknown { because } => format!("終了を確認できず：{}", line(because)),
    }
}

fn failure(says: &Says, how: &How) -> String {
    match how {
        How::Exit(status) => format!("終了コード{status}"),
        How::Signal(number) => format!("シグナル{number}により終了"),
        How::TimedOut(after) => format!("{}で時間切れとなり、ホスト上で終了させた", says.length(*after)),
        How::Cancelled => "中止し、ホスト上で終了させた".to_owned(),
        How::Vanished => "終了コードを残さず消失（外部からの終了又はホストの再起動）".to_owned(),
        How::Disagreed(what) => line(what),
    }
}

pub(super) fn task_end(says: &Says, plan: &Plan, task: TaskIx, end: &TaskEnd) -> String {
    match end {
        TaskEnd::Done => "完了".to_owned(),
        TaskEnd::AlreadySo => "実施済み（変更不要）".to_owned(),
        TaskEnd::Failed { kind, outcome: how, .. } => {
            let word = match how {
                Outcome::Unknown { .. } => "結果不明",
                Outcome::Succeeded | Outcome::Failed { .. } | Outcome::NotStarted { .. } => "失敗",
            };
            format!("{word}（{}：{}）", job_kind(*kind), outcome(says, how))
        }
        TaskEnd::NotRun { because } => {
            not_run(says, plan, because, plan.tasks[task.at()].left_out.as_deref())
        }
    }
}

pub(super) fn not_run(says: &Says, plan: &Plan, because: &NotRun, left_out: Option<&str>) -> String {
    match because {
        NotRun::LeftOut => format!("計画により対象外：{}", line(left_out.unwrap_or("-"))),
        NotRun::NeedFailed { step } => {
            format!("前提の手順「{}」が正常に終了しなかった", step_id(plan, *step))
        }
        NotRun::TooManyFailures => "同じ手順で許容数を超えるホストが失敗した".to_owned(),
        NotRun::RolledBack => "順番が来る前に取消しとなった".to_owned(),
        NotRun::Refused { by } => format!("{}が却下した", line(by)),
        NotRun::TooLate { deadline } => format!("期限（{}）を過ぎていた", says.time(*deadline)),
        NotRun::EvidenceMissing { step } => {
            format!("「{}」で全ホストの証跡を取得できなかった", step_id(plan, *step))
        }
    }
}

pub(super) fn undo_end(says: &Says, plan: &Plan, task: TaskIx, end: &UndoEnd) -> String {
    let step = plan.step_of(task);
    match end {
        UndoEnd::Undone => "取消済み".to_owned(),
        UndoEnd::NotNeeded => "取消不要".to_owned(),
        UndoEnd::LeftCut => {
            let conduits: Vec<&str> = step.severs.iter().map(|conduit| conduit.as_str()).collect();
            format!("遮断を維持：{}（解除の指示なし）", says.list(&conduits))
        }
        UndoEnd::Impossible => match &step.undo {
            PlannedUndo::Impossible(why) => format!("取消不能：{}", line(why)),
            PlannedUndo::By(_) | PlannedUndo::NotNeeded => "取消不能".to_owned(),
        },
        UndoEnd::Failed { outcome: how } => format!("取消失敗（{}）", outcome(says, how)),
        UndoEnd::Held { by } => format!("維持（「{}」の前提となっている）", plan.task_name(*by)),
    }
}

pub(super) fn scope(plan: &Plan, scope: Scope) -> String {
    match scope {
        Scope::Run => "実行全体".to_owned(),
        Scope::Phase(phase) => format!("段階「{}」", plan.phases[phase.at()].id),
        Scope::FromPhase(phase) => format!("段階「{}」以降", plan.phases[phase.at()].id),
        Scope::FromStep(step) => format!("手順「{}」以降", step_id(plan, step)),
    }
}

fn step_id(plan: &Plan, step: StepIx) -> &str {
    plan.steps[step.at()].id.as_str()
}
