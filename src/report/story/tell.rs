//! Tells a run: puts what the timeline noted and what the events add up to into the report's data model. Pure: the
//! time, the zone and what the journal said of itself are handed in.

use super::lang::Says;
use super::ledger::{BackupTold, Decision, EvidenceTold, GuardTold, Journal, OpenQuestion, ProbeSeen, Worth};
use super::phrase::Phrase;
use super::steps::Steps;
use super::told::{Met, Objective, REPORT_VERSION, Resumed, Run, Standing, Story};
use super::{hosts, improve, path, reachability, services, summary, troubles, waits};
use crate::engine::state::Illegal;
use crate::engine::{RunState, Status};
use crate::model::Time;
use crate::model::event::{Before, Event, Mode, Seen, Verdict};
use crate::model::guard::GuardSeen;
use crate::model::names::TaskIx;
use crate::plan::Plan;
use crate::report::escape::line;
use crate::report::restored::Restoration;
use crate::report::score::{self, Score};
use crate::report::timeline::{Deed, Timeline};
use std::sync::Arc;

/// What a report is told from: the frozen plan, the journal, and what only the outside knows.
#[derive(Debug)]
pub struct Telling<'a> {
    /// The frozen plan.
    pub plan: Arc<Plan>,
    /// Its events, in order.
    pub events: &'a [(Time, Event)],
    /// What the journal says of itself.
    pub journal: Journal,
    /// Does a process carry the run on at this moment?
    pub carried_on: bool,
    /// The time, for what is still open.
    pub now: Time,
}

/// Tells a run. An event that makes no sense after those before it is an error: such a journal was not written by
/// blackstart.
pub fn tell(telling: Telling<'_>, says: &Says) -> Result<Story, Illegal> {
    let timeline = Timeline::of(telling.plan.clone(), telling.events)?;
    let now = telling.carried_on.then_some(telling.now);
    Ok(tell_timeline(&timeline, telling.journal, now, says))
}

/// Tells a run whose events were gone through before. `now` is the time if a process carries it on at this moment.
pub fn tell_timeline(timeline: &Timeline, journal: Journal, now: Option<Time>, says: &Says) -> Story {
    let until = until(now, timeline);
    let standing = standing(&timeline.state, now.is_some());
    let mut steps = Steps::of(timeline, until, says);
    let critical_path = path::taken(timeline, until);
    steps.mark_critical(&critical_path);
    let cuts = troubles::cuts(timeline);
    let mut story = Story {
        v: REPORT_VERSION,
        lang: says.lang,
        told_by: env!("CARGO_PKG_VERSION").to_owned(),
        run: run(timeline, standing, until, says),
        summary: Vec::new(),
        objectives: objectives(timeline, standing, until, says),
        phases: steps.phases,
        steps: steps.steps,
        tasks: steps.tasks,
        critical_path,
        waits: waits::waits(timeline, until, says),
        decisions: decisions(timeline, says),
        open_questions: open_questions(timeline, says),
        failures: troubles::failures(timeline, says),
        not_run: troubles::not_run(timeline, says),
        needs_a_person: troubles::stuck(timeline, says),
        reachability: reachability::reachability(timeline, &cuts),
        cuts,
        services: services::services(timeline, until, goes_on(standing)),
        probes: probes(timeline, says),
        guards: guards(timeline, says),
        fired: timeline.fired.clone(),
        evidence: evidence(timeline),
        backups: backups(timeline),
        hosts: hosts::hosts(timeline, &steps.fates),
        improvements: Vec::new(),
        restoration: restoration(timeline, says),
        compared: None,
        journal,
    };
    story.summary = summary::summary(&story, says);
    story.improvements = improve::improvements(&story, timeline, says);
    story
}

/// Up to when the record tells.
fn until(now: Option<Time>, timeline: &Timeline) -> Option<Time> {
    let last = timeline.last?;
    Some(match now {
        Some(now) => now.max(last),
        None => timeline.state.ended_at().unwrap_or(last),
    })
}

fn standing(state: &RunState, carried_on: bool) -> Standing {
    match state.status() {
        _ if carried_on => Standing::Running,
        Status::New => Standing::NeverStarted,
        Status::Running | Status::RollingBack { .. } => Standing::Interrupted,
        Status::Ended(Verdict::Completed) => Standing::Completed,
        Status::Ended(Verdict::Stopped { .. }) => Standing::Stopped,
        Status::Ended(Verdict::Refused { .. }) => Standing::Refused,
        Status::Ended(Verdict::RolledBack) => Standing::RolledBack,
        Status::Ended(Verdict::Stuck) => Standing::Stuck,
    }
}

fn run(timeline: &Timeline, standing: Standing, until: Option<Time>, says: &Says) -> Run {
    let (state, plan) = (&timeline.state, timeline.state.plan());
    let verdict = match state.status() {
        Status::Ended(verdict) if standing != Standing::Running => Some(verdict),
        Status::Ended(_) | Status::New | Status::Running | Status::RollingBack { .. } => None,
    };
    let sentence = match (standing, verdict) {
        (_, Some(Verdict::RolledBack)) if score::came_through(state) => says.say(Phrase::PutBack).to_owned(),
        (_, Some(verdict)) => says.verdict(plan, state.mode(), verdict),
        (Standing::NeverStarted, None) => says.say(Phrase::SumNever).to_owned(),
        (Standing::Interrupted, None) => says.say(Phrase::SumInterrupted).to_owned(),
        (_, None) => says.say(Phrase::SumRunning).to_owned(),
    };
    let text =
        |value: &serde_json::Value| line(&value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let resumed = timeline.away.iter().map(|away| Resumed {
        at: away.to,
        by: line(&away.by),
        version: line(&away.version),
        away_ms: away.to.since(away.from).0,
    });
    Run {
        id: state.run_id().map(ToString::to_string),
        runbook: line(&plan.runbook),
        about: plan.summary.as_deref().map(line),
        inventory: line(&plan.inventory),
        mode: state.mode(),
        by: state.started_by().map(line),
        version: timeline.version.as_deref().map(line),
        standing,
        sentence,
        exit_code: verdict.map(|verdict| score::exit_code(state, verdict)),
        started_at: state.started_at(),
        ended_at: state.ended_at().filter(|_| verdict.is_some()),
        told_until: until,
        took_ms: until.zip(state.started_at()).map_or(0, |(until, start)| until.since(start).0),
        resumed: resumed.collect(),
        params: plan.params.iter().map(|(name, value)| (line(name), text(value))).collect(),
    }
}

fn restoration(timeline: &Timeline, says: &Says) -> Option<Restoration> {
    let state = &timeline.state;
    let why = |task: TaskIx| match state.task(task).undo() {
        Some(end) => says.undo_end(state.plan(), task, end),
        None => says.say(Phrase::NotTakenBack).to_owned(),
    };
    Restoration::of(state, &why)
}

fn goes_on(standing: Standing) -> bool {
    matches!(standing, Standing::Running | Standing::Interrupted)
}

fn objectives(timeline: &Timeline, standing: Standing, until: Option<Time>, says: &Says) -> Vec<Objective> {
    let told = |score: &Score| {
        let objective = &score.objective;
        let over = matches!(score.standing, Met::NotReached | Met::NotStarted);
        let (spent, slowest) = path::spent(timeline, score, until);
        Objective {
            name: line(&objective.name),
            from: says.moment(&objective.from),
            to: says.moment(&objective.to),
            within_ms: objective.within.0,
            took_ms: score.took.map(|took| took.0).filter(|_| !over),
            standing: score.standing,
            late_ms: score.late_ms.filter(|_| !over),
            rto: score.rto,
            spent,
            slowest,
        }
    };
    score::scores_at(&timeline.state, until, goes_on(standing)).iter().map(told).collect()
}

fn decisions(timeline: &Timeline, says: &Says) -> Vec<Decision> {
    let plan = timeline.state.plan();
    let run = says.say(Phrase::AboutRun);
    let simple = |at: Time, by: &str, decision: String| Decision {
        at,
        by: line(by),
        about: run.to_owned(),
        decision,
        comment: None,
        key: None,
    };
    let told = |(at, deed): &(Time, Deed)| match deed {
        Deed::Started { by } => simple(*at, by, says.say(Phrase::DecidedStart).to_owned()),
        Deed::Resumed { by } => simple(*at, by, says.say(Phrase::DecidedResume).to_owned()),
        Deed::Answered(answer) => Decision {
            about: says.question(plan, &answer.question),
            comment: answer.comment.as_deref().map(line),
            key: answer.signed.as_ref().map(|signed| line(&signed.key)),
            ..simple(answer.at.unwrap_or(*at), &answer.by, says.choice(answer.choice).to_owned())
        },
        Deed::Stop { by, how } => simple(*at, by, says.stop_how(*how).to_owned()),
        Deed::Rollback { by, scope, reopen, consent } => {
            let phrase = if *reopen { Phrase::DecidedReopen } else { Phrase::DecidedRollback };
            let by = if by == "policy" { says.say(Phrase::ByPolicy) } else { by };
            Decision {
                comment: (!consent.is_empty()).then(|| says.list(consent)),
                ..simple(*at, by, says.fill(phrase, &[&says.scope(plan, *scope)]))
            }
        }
        Deed::Abandoned { by, comment } => Decision {
            comment: Some(line(comment)),
            ..simple(*at, by, says.say(Phrase::DecidedAbandon).to_owned())
        },
        Deed::Risk { by, what, because } => Decision {
            comment: Some(line(because)),
            ..simple(*at, by, says.fill(Phrase::DecidedRisk, &[&line(what)]))
        },
        Deed::Injected { text } => {
            let decision = says.fill(Phrase::DecidedInject, &[&line(text)]);
            simple(*at, says.say(Phrase::ByScenario), decision)
        }
        Deed::Lapsed { step, by } => {
            let who: Vec<String> = by.iter().map(|one| line(one)).collect();
            Decision {
                about: plan.steps[step.at()].id.to_string(),
                ..simple(*at, &says.list(&who), says.say(Phrase::DecidedLapse).to_owned())
            }
        }
    };
    timeline.deeds.iter().map(told).collect()
}

fn open_questions(timeline: &Timeline, says: &Says) -> Vec<OpenQuestion> {
    let plan = timeline.state.plan();
    let open = timeline.asked.iter().filter(|asked| asked.to.is_none());
    open.map(|asked| OpenQuestion { question: says.question(plan, &asked.question), since: asked.from })
        .collect()
}

fn probes(timeline: &Timeline, says: &Says) -> Vec<ProbeSeen> {
    let told = |(at, task, seen): &(Time, Option<TaskIx>, Seen)| {
        let (step, host) = match task {
            Some(task) => place(timeline.state.plan(), *task),
            None => (says.say(Phrase::BeforeTheCut).to_owned(), None),
        };
        ProbeSeen {
            at: *at,
            step,
            host,
            what: line(&seen.what),
            expected: line(&seen.expected),
            seen: line(&seen.seen),
            agrees: seen.agrees,
            worth: match worth(task.is_some(), seen) {
                Worth::Proof if timeline.state.mode() == Mode::Tabletop => Worth::AtTheTable,
                worth => worth,
            },
        }
    };
    timeline.probes.iter().map(told).collect()
}

/// What a look says about a cut: only what was open before and is closed after it proves one.
fn worth(after: bool, seen: &Seen) -> Worth {
    match seen.before {
        _ if !seen.is_told() => Worth::NotTold,
        _ if !after || !seen.is_negative() => Worth::Observation,
        _ if !seen.agrees => Worth::Observation,
        Some(Before::Open) => Worth::Proof,
        Some(Before::CutAlready) => Worth::CutAlready,
        Some(Before::NotOpen | Before::NotLooked) | None => Worth::ProvesNothing,
    }
}

fn guards(timeline: &Timeline, says: &Says) -> Vec<GuardTold> {
    let told = |(at, task, seen): &(Time, TaskIx, GuardSeen)| {
        let (step, host) = place(timeline.state.plan(), *task);
        let well = matches!(seen, GuardSeen::Armed { .. } | GuardSeen::Confirmed { .. });
        GuardTold { at: *at, step, host, said: says.guard(seen), well }
    };
    timeline.guards.iter().map(told).collect()
}

fn evidence(timeline: &Timeline) -> Vec<EvidenceTold> {
    let told = |(at, task, file): &(Time, TaskIx, crate::model::event::Evidence)| {
        let (step, host) = place(timeline.state.plan(), *task);
        EvidenceTold {
            at: *at,
            step,
            host,
            file: line(&file.file),
            from: line(&file.from),
            bytes: file.bytes,
            sha256: line(&file.sha256),
        }
    };
    timeline.evidence.iter().map(told).collect()
}

fn backups(timeline: &Timeline) -> Vec<BackupTold> {
    let told = |(at, task, seen): &(Time, TaskIx, crate::model::event::BackupSeen)| {
        let (step, host) = place(timeline.state.plan(), *task);
        BackupTold {
            at: *at,
            step,
            host,
            taken: seen.taken,
            files: seen.files,
            manifest_sha256: line(&seen.manifest_sha256),
            signed_by: seen.signed_by.as_ref().map(|(who, key)| (line(who), line(key))),
        }
    };
    timeline.backups.iter().map(told).collect()
}

/// A task's step and host by name.
pub(super) fn place(plan: &Plan, task: TaskIx) -> (String, Option<String>) {
    (plan.step_of(task).id.to_string(), plan.host_of(task).map(|host| host.name.to_string()))
}
