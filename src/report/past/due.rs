//! What a policy says is due: which run counts for which duty, and until when. Only what a whole journal shows counts.

use super::readiness::{
    Broken, ClosedTold, Due, DutyTold, ItemsTold, Kind, NotCounted, Proved, READINESS_VERSION, Readiness,
    Today,
};
use super::run::{Past, Shown};
use crate::model::event::Mode;
use crate::model::every::Every;
use crate::model::policy::{Duty, Improve, Policy, Proof, ProvedBy, Wanted, What};
use crate::model::{Millis, Time};
use crate::report::escape::line;
use crate::report::story::told::{Met, Objective};
use crate::report::words;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// Clocks that keep time by themselves are no further apart; what lies further ahead is no evidence of anything.
pub(super) const CLOCKS_APART_MAX: Millis = Millis::from_secs(300);
/// Newer runs that do not count and are told; what was tried more often is in `history`.
const NOT_COUNTED_MAX: usize = 5;

/// What readiness is told from.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// All runs, oldest first.
    pub runs: &'a [Past],
    /// The plan that the files of each runbook make today, by name.
    pub today: BTreeMap<String, Today>,
    /// The moment that it is told for.
    pub at: Time,
    /// Is that the present? What comes after a moment of the past does not count; what comes after the present shows
    /// that a clock is wrong.
    pub is_now: bool,
    /// The zone whose days count, if the policy names none.
    pub zone: TimeZone,
    /// What falls due in so long is told as due soon.
    pub within: Option<Every>,
}

/// How ready one is.
pub fn readiness(asked: Asked<'_>) -> Readiness {
    let policy = asked.policy;
    let zone = policy.zone.clone().unwrap_or_else(|| asked.zone.clone());
    let judge = Judge { day: day(asked.at, &zone), asked: &asked, zone };
    let duties: Vec<DutyTold> = policy.duties.iter().map(|duty| judge.duty(duty)).collect();
    let improve = policy.improve.as_ref().map_or_else(Vec::new, |improve| judge.improve(improve));
    let standings =
        || duties.iter().map(|duty| duty.standing).chain(improve.iter().filter_map(|items| items.standing));
    Readiness {
        v: READINESS_VERSION,
        policy: line(&policy.name),
        summary: policy.summary.as_deref().map(line),
        at: asked.at,
        is_now: asked.is_now,
        day: judge.day,
        zone: judge.zone.iana_name().unwrap_or_default().to_owned(),
        within: asked.within.map(|within| within.to_string()),
        overdue: standings().filter(|standing| standing.is_over()).count(),
        soon: standings().filter(|standing| *standing == Due::Soon).count(),
        closed_in_vain: policy.improve.as_ref().map_or_else(Vec::new, |all| in_vain(all, &improve)),
        asks_to_improve: policy.improve.is_some(),
        broken: asked.runs.iter().filter_map(broken).collect(),
        today: asked.today.clone(),
        duties,
        improve,
    }
}

fn broken(past: &Past) -> Option<Broken> {
    let because = past.shown.as_ref().err()?;
    Some(Broken { run: line(past.id.as_str()), because: line(because) })
}

fn in_vain(improve: &Improve, told: &[ItemsTold]) -> Vec<String> {
    let named = |run: &str| told.iter().any(|items| items.run.starts_with(run));
    improve.closed.iter().map(|one| one.run.value.clone()).filter(|run| !named(run)).collect()
}

fn day(at: Time, zone: &TimeZone) -> Date {
    let stamp = i64::try_from(at.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    stamp.unwrap_or(Timestamp::MAX).to_zoned(zone.clone()).date()
}

struct Judge<'a> {
    asked: &'a Asked<'a>,
    zone: TimeZone,
    day: Date,
}

impl Judge<'_> {
    fn duty(&self, duty: &Duty) -> DutyTold {
        let mut last: Option<(Time, &Past, &Shown)> = None;
        let mut rest = Vec::new();
        for past in self.asked.runs {
            let Ok(shown) = &past.shown else { continue };
            let Some(began) = shown.started else { continue };
            match self.proves(&duty.what, shown) {
                None => {}
                Some(Ok(at)) if last.as_ref().is_none_or(|(newest, ..)| at >= *newest) => {
                    last = Some((at, past, shown));
                }
                Some(Ok(_)) => {}
                Some(Err(because)) => rest.push(NotCounted {
                    run: past.id.to_string(),
                    short: past.run.clone(),
                    at: began,
                    mode: shown.mode,
                    because,
                }),
            }
        }
        rest.retain(|one| last.as_ref().is_none_or(|(at, ..)| one.at > *at));
        rest.reverse();
        rest.truncate(NOT_COUNTED_MAX);
        let from = last.as_ref().map(|(at, ..)| day(*at, &self.zone)).or(self.asked.policy.since);
        let due_on = from.and_then(|from| duty.every.after(from));
        let standing = match (self.standing(due_on), &last) {
            (Due::Overdue, None) => Due::Never,
            // Beyond all calendars is a long time; without a day to count from there is none.
            (Due::Never, Some(_)) => Due::InTime,
            (standing, _) => standing,
        };
        DutyTold {
            kind: kind(&duty.what),
            what: in_words(&duty.what),
            mode: mode(&duty.what),
            every: duty.every.to_string(),
            every_by_calendar: duty.every,
            runbook: duty.runbook().map(|of| line(&of.value)),
            owner: duty.owner.as_deref().map(line),
            control: duty.control.iter().map(|id| id.value.clone()).collect(),
            standing,
            last: last.map(|(at, past, shown)| self.proved(at, past, shown)),
            due_on,
            days_left: due_on.map(|due| days(self.day, due)),
            not_counted: rest,
        }
    }

    fn standing(&self, due_on: Option<Date>) -> Due {
        let Some(due_on) = due_on else { return Due::Never };
        let soon = self.asked.within.and_then(|within| within.after(self.day));
        match () {
            () if self.day > due_on => Due::Overdue,
            () if soon.is_some_and(|soon| due_on <= soon) => Due::Soon,
            () => Due::InTime,
        }
    }

    /// When a run did what is asked for, or why it does not count; `None` if it is about something else.
    fn proves(&self, what: &What, shown: &Shown) -> Option<Result<Time, String>> {
        if !self.asked.is_now && shown.started.is_none_or(|began| began > self.asked.at) {
            return None;
        }
        let at = match what {
            What::Rehearse { runbook, mode, result, narrowed, any_plan } => {
                if shown.runbook != runbook.value {
                    return None;
                }
                rehearsed(shown, *mode, *result, *narrowed).and_then(|at| match any_plan {
                    false if shown.plan_of_today != Some(true) => {
                        Err("it is not of the plan that the runbook's files make today".to_owned())
                    }
                    _ => Ok(at),
                })
            }
            What::Restore(proof) => self.concerns(proof, shown).then(|| restored(proof, shown))??,
            What::Verify(proof) => self.concerns(proof, shown).then(|| verified(proof, shown))??,
        };
        match at {
            Ok(at) if at <= self.asked.at + CLOCKS_APART_MAX => Some(Ok(at)),
            Ok(_) if !self.asked.is_now => None,
            Ok(at) => Some(Err(format!("it lies ahead, on {}: a clock is wrong", day(at, &self.zone)))),
            Err(because) => Some(Err(because)),
        }
    }

    /// Is the run of the runbook that a proof names, or else of one of the policy's, if it names any? Another site may
    /// call its services the same.
    fn concerns(&self, proof: &Proof, shown: &Shown) -> bool {
        let named = &self.asked.policy.runbooks;
        match &proof.runbook {
            Some(of) => of.value == shown.runbook,
            None => named.is_empty() || named.iter().any(|one| one.name.value == shown.runbook),
        }
    }

    fn proved(&self, at: Time, past: &Past, shown: &Shown) -> Proved {
        let started = |one: &&Objective| one.standing != Met::NotStarted;
        Proved {
            run: past.id.to_string(),
            short: past.run.clone(),
            runbook: shown.runbook.clone(),
            mode: shown.mode,
            at,
            day: day(at, &self.zone),
            state: shown.state(),
            plan_of_today: shown.plan_of_today,
            objectives_met: shown.objectives.iter().filter(|one| one.standing == Met::Met).count(),
            objectives: shown.objectives.iter().filter(started).count(),
        }
    }

    fn improve(&self, improve: &Improve) -> Vec<ItemsTold> {
        let told = |past: &Past| {
            let shown = past.shown.as_ref().ok()?;
            let at = shown.when().filter(|_| shown.ended.is_some())?;
            let from = day(at, &self.zone);
            let in_force = self.asked.policy.since.is_none_or(|since| from >= since);
            if shown.improvements.is_empty() || at > self.asked.at + CLOCKS_APART_MAX || !in_force {
                return None;
            }
            let due_on = improve.within.after(from);
            let closed = improve.closed.iter().find(|one| past.id.as_str().starts_with(&one.run.value));
            // Nobody closes what has not been seen yet, nor tomorrow.
            let closed = closed.filter(|one| (from..=self.day).contains(&one.on)).map(|one| ClosedTold {
                on: one.on,
                by: line(&one.by),
                note: one.note.as_deref().map(line),
                in_time: due_on.is_none_or(|due| one.on <= due),
            });
            let items = shown.improvements.iter();
            Some(ItemsTold {
                run: past.id.to_string(),
                short: past.run.clone(),
                runbook: shown.runbook.clone(),
                mode: shown.mode,
                at,
                day: from,
                items: items.map(|one| (one.observation.clone(), one.recommendation.clone())).collect(),
                due_on,
                days_left: due_on.filter(|_| closed.is_none()).map(|due| days(self.day, due)),
                standing: closed.is_none().then(|| self.standing(due_on)),
                closed,
                plan_of_today: shown.plan_of_today,
            })
        };
        self.asked.runs.iter().filter_map(told).collect()
    }
}

fn days(from: Date, to: Date) -> i64 {
    from.until(to).map_or(0, |span| i64::from(span.get_days()))
}

/// How near to the real thing.
fn nearness(mode: Mode) -> u8 {
    match mode {
        Mode::Tabletop => 0,
        Mode::Drill => 1,
        Mode::Live => 2,
    }
}

fn rehearsed(shown: &Shown, mode: Mode, result: Wanted, narrowed: bool) -> Result<Time, String> {
    let is = shown.mode.unwrap_or_default();
    if nearness(is) < nearness(mode) {
        return Err(format!("it is a {} and no {}", words::mode(is), words::mode(mode)));
    }
    if shown.ended.is_none() {
        return Err(format!("it has not ended: {}", shown.state()));
    }
    if let Some(why) = shown.narrowed.as_ref().filter(|_| !narrowed) {
        return Err(format!("it was not the whole runbook: {why}"));
    }
    match result {
        Wanted::Ended => {}
        Wanted::Completed | Wanted::Met if !shown.came_through() => {
            return Err(format!("not every step came through: {}", shown.state()));
        }
        Wanted::Met if !shown.met_objectives() => {
            return Err("an objective was missed, or none was met".to_owned());
        }
        Wanted::Completed | Wanted::Met => {}
    }
    shown.when().ok_or_else(|| "it never started".to_owned())
}

/// What only a whole run on real hosts shows.
fn in_earnest(shown: &Shown) -> Result<(), String> {
    if shown.at_a_table() {
        return Err("it was played at a table: no host has seen any of it".to_owned());
    }
    if !shown.came_through() {
        return Err(format!("not every step came through: {}", shown.state()));
    }
    Ok(())
}

fn restored(proof: &Proof, shown: &Shown) -> Option<Result<Time, String>> {
    let found = match &proof.by {
        ProvedBy::Service(name) => {
            let name = name.value.as_str();
            shown.all_services.contains(name).then(|| {
                let at = shown.restored.get(name).copied();
                at.ok_or_else(|| format!("`{name}` was not seen down and then up for good"))
            })
        }
        ProvedBy::Backup(gate) => shown.gates.get(gate.value.as_str()).map(|standing_on| {
            looked_at(gate.value.as_str(), shown)?;
            let ends = standing_on.iter().map(|step| shown.steps.get(step));
            let ends: Option<Vec<_>> = ends.collect();
            let ends = ends.ok_or_else(|| "not every step that needs the backup ended well".to_owned())?;
            let did = ends.iter().any(|step| step.did);
            let last = ends.iter().map(|step| step.at).max().filter(|_| did);
            last.ok_or_else(|| "no step that needs the backup had anything to do".to_owned())
        }),
        ProvedBy::Step(id) => shown.all_steps.contains(id.value.as_str()).then(|| {
            let step = shown.steps.get(id.value.as_str());
            let step = step.ok_or_else(|| format!("step `{}` did not end well", id.value))?;
            step.did.then_some(step.at).ok_or_else(|| format!("step `{}` had nothing to do", id.value))
        }),
    };
    found.map(|found| in_earnest(shown).and(found))
}

fn verified(proof: &Proof, shown: &Shown) -> Option<Result<Time, String>> {
    let found = match &proof.by {
        ProvedBy::Backup(gate) => {
            shown.gates.contains_key(gate.value.as_str()).then(|| looked_at(gate.value.as_str(), shown))
        }
        ProvedBy::Step(id) => shown.all_steps.contains(id.value.as_str()).then(|| {
            let step = shown.steps.get(id.value.as_str()).map(|step| step.at);
            step.ok_or_else(|| format!("step `{}` did not end well", id.value))
        }),
        ProvedBy::Service(_) => None,
    };
    let at_a_table = || Err("it was played at a table: no host has seen any of it".to_owned());
    found.map(|found| if shown.at_a_table() { at_a_table() } else { found })
}

/// When a backup gate found its backup whole for the last time.
fn looked_at(gate: &str, shown: &Shown) -> Result<Time, String> {
    let looks = shown.backups.iter().filter(|seen| seen.step == gate).map(|seen| seen.at);
    looks.max().ok_or_else(|| format!("`{gate}` did not find the backup whole"))
}

fn kind(what: &What) -> Kind {
    match what {
        What::Rehearse { .. } => Kind::Rehearse,
        What::Restore(_) => Kind::Restore,
        What::Verify(_) => Kind::Verify,
    }
}

fn mode(what: &What) -> Option<Mode> {
    match what {
        What::Rehearse { mode, .. } => Some(*mode),
        What::Restore(_) | What::Verify(_) => None,
    }
}

fn in_words(what: &What) -> String {
    let said = match what {
        What::Rehearse { runbook, mode, result, narrowed, any_plan } => {
            let how = match mode {
                Mode::Tabletop => "at a table",
                Mode::Drill => "in a drill",
                Mode::Live => "in earnest",
            };
            let result = match result {
                Wanted::Ended => ", whatever it came to",
                Wanted::Completed => "",
                Wanted::Met => ", objectives met",
            };
            let part = if *narrowed { ", in part or whole" } else { "" };
            let plan = if *any_plan { "" } else { ", today's plan" };
            format!("rehearse {} {how}{result}{part}{plan}", runbook.value)
        }
        What::Restore(proof) => format!("restore {}", proof_in_words(proof)),
        What::Verify(proof) => format!("verify {}", proof_in_words(proof)),
    };
    line(&said)
}

fn proof_in_words(proof: &Proof) -> String {
    let of = proof.runbook.as_ref().map_or(String::new(), |of| format!(" of {}", of.value));
    match &proof.by {
        ProvedBy::Service(name) => format!("service {}{of}", name.value),
        ProvedBy::Backup(gate) => format!("backup {}{of}", gate.value),
        ProvedBy::Step(step) => format!("step {}{of}", step.value),
    }
}
