//! What a run waited for: people, hosts, retries, timers, and somebody to carry it on.

use super::lang::Says;
use super::ledger::Wait;
use super::phrase::Phrase;
use super::told::What;
use crate::model::Time;
use crate::model::names::{StepIx, TaskIx};
use crate::model::question::Question;
use crate::report::timeline::Timeline;
use std::collections::BTreeMap;

/// Everything that was waited for; waits of one kind on the hosts of one step are one.
pub(super) fn waits(timeline: &Timeline, until: Option<Time>, says: &Says) -> Vec<Wait> {
    let Some(until) = until else { return Vec::new() };
    let mut waits = people(timeline, until, says);
    waits.extend(of_tasks(timeline, until, says));
    waits.extend(timeline.away.iter().map(|away| Wait {
        what: What::Turn,
        why: says.say(Phrase::WaitAway).to_owned(),
        step: None,
        hosts: Vec::new(),
        from: away.from,
        to: away.to,
        longest_ms: away.to.since(away.from).0,
        open: false,
    }));
    waits.retain(|wait| wait.longest_ms > 0 || wait.open);
    waits.sort_by_key(|wait| (wait.from, wait.to));
    waits
}

fn people(timeline: &Timeline, until: Time, says: &Says) -> Vec<Wait> {
    let plan = timeline.state.plan();
    let told = |asked: &crate::report::timeline::Asked| {
        let to = asked.to.unwrap_or(until);
        let task = match &asked.question {
            Question::Manual { task }
            | Question::Approve { task, .. }
            | Question::WhatBecameOf { task, .. } => Some(*task),
            Question::PhaseFailed { .. } => None,
        };
        let host = task.and_then(|task| plan.host_of(task)).map(|host| host.name.to_string());
        Wait {
            what: What::People,
            why: says.fill(Phrase::WaitPeople, &[&says.question(plan, &asked.question)]),
            step: task.map(|task| plan.step_of(task).id.to_string()),
            hosts: host.into_iter().collect(),
            from: asked.from,
            to,
            longest_ms: to.since(asked.from).0,
            open: asked.to.is_none(),
        }
    };
    timeline.asked.iter().map(told).collect()
}

fn of_tasks(timeline: &Timeline, until: Time, says: &Says) -> Vec<Wait> {
    let plan = timeline.state.plan();
    let mut groups: BTreeMap<(StepIx, What), Wait> = BTreeMap::new();
    for (ix, spans) in timeline.spans.iter().enumerate() {
        let task = TaskIx(ix as u32);
        let mut own: BTreeMap<What, u64> = BTreeMap::new();
        for span in spans {
            let why = match span.what {
                What::Hosts => Phrase::WaitHosts,
                What::Retry => Phrase::WaitRetry,
                What::Timer => Phrase::WaitTimer,
                What::Work | What::Guard | What::Undo | What::People | What::Unseen | What::Turn => continue,
            };
            // A wait that was planned may reach beyond the end of the record.
            let to = span.to.unwrap_or(until).min(until.max(span.from));
            let wait = groups.entry((plan.tasks[ix].step, span.what)).or_insert_with(|| Wait {
                what: span.what,
                why: says.say(why).to_owned(),
                step: Some(plan.step_of(task).id.to_string()),
                hosts: Vec::new(),
                from: span.from,
                to,
                longest_ms: 0,
                open: false,
            });
            let spent = own.entry(span.what).or_default();
            *spent += to.since(span.from).0;
            wait.longest_ms = wait.longest_ms.max(*spent);
            wait.from = wait.from.min(span.from);
            wait.to = wait.to.max(to);
            wait.open |= span.to.is_none_or(|to| to > until);
            let host = plan.host_of(task).map(|host| host.name.to_string());
            wait.hosts.extend(host.filter(|host| wait.hosts.last() != Some(host)));
        }
    }
    groups.into_values().collect()
}
