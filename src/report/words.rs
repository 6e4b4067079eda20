//! The vocabulary: one sentence or word for everything that can become of a job, a task, a step and a run.
//! Whatever a host or a person wrote is made safe to show here.

use super::escape::line;
use crate::engine::{Counts, RunState, Salvo};
use crate::model::event::{
    BackupSeen, Found, JobKind, Mode, NotRun, Scope, StopHow, StopReason, TaskEnd, UndoEnd, Verdict,
};
use crate::model::names::{StepIx, TaskIx};
use crate::model::outcome::exit_status;
use crate::model::{How, Outcome};
use crate::plan::Plan;
use crate::plan::frozen::PlannedUndo;

/// The exit code that tells a verdict to the shell.
pub fn exit_code(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Completed => 0,
        Verdict::RolledBack => 20,
        Verdict::Stuck => 21,
        Verdict::Stopped { .. } => 22,
        Verdict::Refused { .. } => 23,
    }
}

/// A verdict in a word or two, for columns.
pub fn verdict_word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Completed => "completed",
        Verdict::Stopped { .. } => "stopped",
        Verdict::Refused { .. } => "refused",
        Verdict::RolledBack => "rolled back",
        Verdict::Stuck => "STUCK",
    }
}

/// A verdict in one sentence. What was played at a table is never resumed.
pub fn verdict(plan: &Plan, mode: Mode, verdict: &Verdict) -> String {
    let played = mode == Mode::Tabletop;
    match verdict {
        Verdict::Completed => "Completed: every task ended well.".to_owned(),
        Verdict::Stopped { because } => {
            let resume = if played { "" } else { " The run can be resumed." };
            format!("Stopped: {}.{resume}", stop_reason(plan, because))
        }
        Verdict::Refused { by } => {
            let resume = if played { "" } else { " Resuming asks again." };
            format!("Refused: {} said no at a gate.{resume}", line(by))
        }
        Verdict::RolledBack => "Rolled back: everything that was to be taken back is.".to_owned(),
        Verdict::Stuck => "STUCK: something could not be taken back. A person must look.".to_owned(),
    }
}

/// What there is to say of a drill that was taken back once it had ended well.
pub const PUT_BACK: &str = "Completed, and taken back: everything that was to be taken back is.";

/// Why a run stopped short.
pub fn stop_reason(plan: &Plan, because: &StopReason) -> String {
    match because {
        StopReason::StepFailed { step } => format!("step `{}` failed", step_id(plan, *step)),
        StopReason::Operator { by, how } => format!("{} asked to {}", line(by), stop_how(*how)),
        StopReason::WaitingForPeople => "only people's answers are missing".to_owned(),
        StopReason::FailuresLeft => "everything that could run did, but some steps failed".to_owned(),
    }
}

/// How hard to stop.
pub fn stop_how(how: StopHow) -> &'static str {
    match how {
        StopHow::Finish => "start nothing new and let running jobs end",
        StopHow::Cancel => "cancel what runs",
    }
}

/// How a job ended, naming the job: `run: exit status 3`.
pub fn job_end(kind: JobKind, how: &Outcome) -> String {
    format!("{kind}: {}", outcome(how))
}

/// How a job ended.
pub fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Succeeded => "succeeded".to_owned(),
        Outcome::Failed { how } => failure(how),
        Outcome::NotStarted { because, .. } => format!("not started, {}", line(because)),
        Outcome::Unknown { because } => format!("its end was not seen: {}", line(because)),
    }
}

fn failure(how: &How) -> String {
    match how {
        How::Exit(status) => exit_status(*status),
        How::Signal(number) => format!("killed by signal {number}"),
        How::TimedOut(after) => format!("timed out after {after} and was ended on the host"),
        How::Cancelled => "cancelled and ended on the host".to_owned(),
        How::Vanished => {
            "gone without leaving a status (killed from outside, or the host restarted)".to_owned()
        }
        How::Disagreed(what) => line(what),
    }
}

/// What a firing came to: `40 hosts started, at most 12.4 ms apart`.
pub fn salvo(salvo: &Salvo) -> String {
    let hosts = so_many(salvo.hosts as usize, "host");
    let unheard = match salvo.unheard {
        0 => String::new(),
        count => format!("; {} did not answer and is looked into", so_many(count as usize, "host")),
    };
    let apart = match (salvo.hosts, salvo.skew_us) {
        (0 | 1, _) => String::new(),
        (_, (0, at_most)) => format!(", at most {} apart", milliseconds(at_most)),
        (_, (at_least, at_most)) => {
            format!(", {} to {} apart", milliseconds(at_least), milliseconds(at_most))
        }
    };
    format!("{hosts} started{apart}{unheard}")
}

fn milliseconds(us: u64) -> String {
    format!("{}.{} ms", us / 1000, us % 1000 / 100)
}

/// What a receipt says.
pub fn found(found: &Found) -> String {
    match found {
        Found::NeverStarted => "it never started, and now never will".to_owned(),
        Found::Ended(Outcome::Succeeded) => "it ended well".to_owned(),
        Found::Ended(how) => format!("it ended: {}", outcome(how)),
        Found::NoReceipt { because } => format!("the host cannot tell: {}", line(because)),
        Found::NotReached { because, .. } => format!("the host could not be asked: {}", line(because)),
    }
}

/// How a task ended, in a word. Trouble is in capitals, so that it can be found without colour.
pub fn end_word(end: &TaskEnd) -> &'static str {
    match end {
        TaskEnd::Done => "done",
        TaskEnd::AlreadySo => "already so",
        TaskEnd::Failed { outcome: Outcome::Unknown { .. }, .. } => "UNKNOWN",
        TaskEnd::Failed { .. } => "FAILED",
        TaskEnd::NotRun { because: NotRun::LeftOut } => "left out",
        TaskEnd::NotRun { .. } => "not run",
    }
}

/// How a task ended, with the reason if it did not end well.
pub fn task_end(plan: &Plan, task: TaskIx, end: &TaskEnd) -> String {
    match end {
        TaskEnd::Done | TaskEnd::AlreadySo => end_word(end).to_owned(),
        TaskEnd::Failed { kind, outcome, .. } => format!("{}, {}", end_word(end), job_end(*kind, outcome)),
        TaskEnd::NotRun { because } => {
            format!(
                "{}: {}",
                end_word(end),
                not_run(plan, because, plan.tasks[task.at()].left_out.as_deref())
            )
        }
    }
}

/// Why a task did not run. `left_out` is what the plan says about it.
pub fn not_run(plan: &Plan, because: &NotRun, left_out: Option<&str>) -> String {
    match because {
        NotRun::LeftOut => line(left_out.unwrap_or("left out by the plan")),
        NotRun::NeedFailed { step } => format!("needs `{}`, which did not end well", step_id(plan, *step)),
        NotRun::TooManyFailures => "too many hosts of this step had failed".to_owned(),
        NotRun::RolledBack => "the run was rolled back before its turn".to_owned(),
        NotRun::Refused { by } => format!("{} said no", line(by)),
        NotRun::TooLate { deadline } => format!("its deadline, {deadline}, had passed"),
        NotRun::EvidenceMissing { step } => {
            format!("`{}` did not bring its evidence from every host", step_id(plan, *step))
        }
    }
}

/// What is known of a backup that was found good, and what would be lost by going back to it.
pub fn backup(state: &RunState, seen: &BackupSeen) -> String {
    let signed = match &seen.signed_by {
        Some((who, _)) => format!(", signed by {}", line(who)),
        None => String::new(),
    };
    let lost = match state.started_at().filter(|began| *began > seen.taken) {
        Some(began) => format!("; the last {} before the run are not in it", began.since(seen.taken)),
        None => String::new(),
    };
    format!("backup of {}, {} whole{signed}{lost}", seen.taken, so_many(seen.files as usize, "file"))
}

/// How an undo ended, in a word or two.
pub fn undo_word(end: &UndoEnd) -> &'static str {
    match end {
        UndoEnd::Undone => "taken back",
        UndoEnd::NotNeeded => "nothing to take back",
        UndoEnd::LeftCut => "LEFT CUT",
        UndoEnd::Impossible => "CANNOT BE TAKEN BACK",
        UndoEnd::Failed { outcome: Outcome::Unknown { .. } } => "UNDO UNKNOWN",
        UndoEnd::Failed { .. } => "UNDO FAILED",
        UndoEnd::Held { .. } => "STILL IN PLACE",
    }
}

/// How a task's undo ended, with the reason.
pub fn undo_end(plan: &Plan, task: TaskIx, end: &UndoEnd) -> String {
    let word = undo_word(end);
    let step = plan.step_of(task);
    match end {
        UndoEnd::Undone | UndoEnd::NotNeeded => word.to_owned(),
        UndoEnd::LeftCut => {
            let conduits = step.severs.iter().map(|conduit| conduit.as_str()).collect::<Vec<_>>().join(", ");
            format!("{word}: {conduits} stays severed, nobody asked to re-open it")
        }
        UndoEnd::Impossible => match &step.undo {
            PlannedUndo::Impossible(why) => format!("{word}: {}", line(why)),
            PlannedUndo::By(_) | PlannedUndo::NotNeeded => word.to_owned(),
        },
        UndoEnd::Failed { outcome: how } => format!("{word}, {}", outcome(how)),
        UndoEnd::Held { by } => format!("{word}: {} stands on it", plan.task_name(*by)),
    }
}

/// How much a rollback takes back.
pub fn scope(plan: &Plan, scope: Scope) -> String {
    match scope {
        Scope::Run => "the whole run".to_owned(),
        Scope::Phase(phase) => format!("phase `{}`", plan.phases[phase.at()].id),
        Scope::FromPhase(phase) => format!("phase `{}` and all later ones", plan.phases[phase.at()].id),
        Scope::FromStep(step) => format!("step `{}` and all that comes after it", step_id(plan, step)),
    }
}

/// What the players of an exercise are told.
pub fn injected(text: &str) -> String {
    format!("the players are told: {}", line(text))
}

/// Is it the real thing?
pub fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Live => "live",
        Mode::Drill => "drill",
        Mode::Tabletop => "tabletop",
    }
}

/// How a step ended, by the counts of its tasks: `done on 38 hosts, already so on 2, FAILED on 1`.
pub fn step_result(plan: &Plan, step: StepIx, counts: &Counts) -> String {
    let planned = &plan.steps[step.at()];
    let ends = ends(counts);
    match (ends.as_slice(), planned.tasks, plan.host_of(planned.first_task)) {
        ([(word, _)], 1, None) => (*word).to_owned(),
        ([(word, _)], 1, Some(host)) => format!("{word} on {}", host.name),
        (ends, _, _) => {
            let mut parts = ends.iter().map(|(word, count)| format!("{word} on {count}"));
            let first = parts.next().map(|part| format!("{part} {}", plural(ends[0].1, "host")));
            first.into_iter().chain(parts).collect::<Vec<_>>().join(", ")
        }
    }
}

/// The same in numbers alone, for narrow places: `38 done, 2 already so, 1 FAILED`.
pub fn step_numbers(counts: &Counts) -> String {
    let parts = ends(counts).into_iter().map(|(word, count)| format!("{count} {word}"));
    parts.collect::<Vec<_>>().join(", ")
}

/// Words with their counts, trouble first, without those of which there are none.
fn ends(counts: &Counts) -> Vec<(&'static str, u32)> {
    let ends = [
        ("FAILED", counts.failed),
        ("UNKNOWN", counts.unknown),
        ("done", counts.done),
        ("already so", counts.already_so),
        ("not run", counts.not_run),
        ("left out", counts.left_out),
        ("under way", counts.begun.saturating_sub(counts.unknown)),
        ("waiting", counts.waiting),
    ];
    ends.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// `host` or `hosts`.
pub fn plural(count: u32, word: &str) -> String {
    match count {
        1 => word.to_owned(),
        _ => format!("{word}s"),
    }
}

/// `1 host`, `40 hosts`.
pub fn so_many(count: usize, word: &str) -> String {
    format!("{count} {}", plural(u32::try_from(count).unwrap_or(u32::MAX), word))
}

/// Where a task runs, for people.
pub fn place(plan: &Plan, task: TaskIx) -> &str {
    plan.host_of(task).map_or(CONTROLLER, |host| host.name.as_str())
}

/// What the machine that blackstart runs on is called in reports.
pub const CONTROLLER: &str = "(controller)";

fn step_id(plan: &Plan, step: StepIx) -> &str {
    plan.steps[step.at()].id.as_str()
}
