//! After-action items, derived from nothing but the facts of the run: what was seen, and what follows from it. Whose
//! task it is and by when is for people to fill in.

use super::lang::Says;
use super::ledger::Improvement;
use super::phrase::Phrase;
use super::told::{Met, Objective, Standing, Story, What};
use crate::model::Millis;
use crate::report::host_list::by_number;
use crate::report::timeline::Timeline;
use std::collections::BTreeMap;

/// Waits for people that are worth an item.
const PEOPLE_MIN: Millis = Millis::from_secs(300);
/// A step that took longer than so many times what was expected is slow …
const SLOW_FACTOR: u64 = 2;
/// … if it is also this much longer: nobody plans in seconds.
const SLOW_MIN: Millis = Millis::from_secs(10);
/// Hosts that an item names before the rest is counted.
const HOST_ENTRIES_MAX: usize = 6;
/// More items of one kind than this are a table of failures and no plan.
const EACH_KIND_MAX: usize = 10;

/// The items, those that concern objectives first.
pub(super) fn improvements(story: &Story, timeline: &Timeline, says: &Says) -> Vec<Improvement> {
    let mut items = Items { says, list: Vec::new() };
    // What services missed is told with the services.
    let own = story.objectives.iter().filter(|objective| !objective.rto);
    items.kind(own.filter_map(|objective| missed(objective, says)));
    items.kind(story.failures.iter().filter(|group| !group.why.is_empty()).map(|group| {
        let on = where_it_was(says, &group.hosts);
        (says.fill(Phrase::SeenFailed, &[&group.step, &on, &group.why]), Phrase::DoFailed)
    }));
    items.kind(
        story
            .needs_a_person
            .iter()
            .map(|group| (says.fill(Phrase::SeenNoUndo, &[&group.step, &group.why]), Phrase::DoUndo)),
    );
    items.kind(unreached(timeline, says));
    items.kind(
        (timeline.unseen > 0)
            .then(|| (says.fill(Phrase::SeenUnseen, &[&timeline.unseen.to_string()]), Phrase::DoUnseen)),
    );
    let away: u64 = story.run.resumed.iter().map(|resumed| resumed.away_ms).sum();
    items.kind(
        (away > 0).then(|| (says.fill(Phrase::SeenAway, &[&says.length(Millis(away))]), Phrase::DoAway)),
    );
    items.kind(story.guards.iter().filter(|guard| !guard.well).map(|guard| {
        let host = guard.host.clone().unwrap_or_else(|| says.say(Phrase::Controller).to_owned());
        (says.fill(Phrase::SeenGuard, &[&guard.step, &host, &guard.said]), Phrase::DoGuard)
    }));
    items.kind(story.probes.iter().filter(|probe| !probe.agrees).map(|probe| {
        let saw = format!("{}: {}", probe.what, probe.seen);
        (says.fill(Phrase::SeenDisagrees, &[&probe.step, &saw]), Phrase::DoDisagrees)
    }));
    items.kind(
        story
            .cuts
            .iter()
            .filter(|cut| cut.certain && !cut.proved)
            .map(|cut| (says.fill(Phrase::SeenNotProved, &[&cut.step, &cut.conduit]), Phrase::DoProve)),
    );
    items.kind(story.services.iter().filter(|service| service.within_rto == Some(false)).map(|service| {
        let down = says.length(Millis(service.longest_down_ms));
        let allowed = says.length(Millis(service.rto_ms.unwrap_or_default()));
        (says.fill(Phrase::SeenRto, &[&service.name, &down, &allowed]), Phrase::DoRto)
    }));
    items.kind(retried(story, says));
    items.kind(
        story.steps.iter().filter(|step| !matches!(step.kind.as_str(), "manual" | "wait")).filter_map(
            |step| {
                let took = step.took_ms.filter(|_| step.ended_at.is_some())?;
                let slow = took > step.estimate_ms * SLOW_FACTOR && took > step.estimate_ms + SLOW_MIN.0;
                let (took, expected) = (says.length(Millis(took)), says.length(Millis(step.estimate_ms)));
                slow.then(|| (says.fill(Phrase::SeenSlow, &[&step.id, &took, &expected]), Phrase::DoEstimate))
            },
        ),
    );
    let long = |wait: &&super::ledger::Wait| wait.what == What::People && wait.longest_ms >= PEOPLE_MIN.0;
    items.kind(story.waits.iter().filter(long).map(|wait| {
        let at = wait.step.clone().unwrap_or_else(|| says.say(Phrase::AboutRun).to_owned());
        let length = says.length(Millis(wait.longest_ms));
        (says.fill(Phrase::SeenPeople, &[&length, &at]), Phrase::DoPeople)
    }));
    let open = story.open_questions.len();
    let over = !matches!(story.run.standing, Standing::Running);
    items.kind(
        (open > 0 && over).then(|| (says.fill(Phrase::SeenOpen, &[&open.to_string()]), Phrase::DoPeople)),
    );
    items.kind(
        story
            .journal
            .torn_bytes
            .filter(|_| over)
            .map(|_| (says.say(Phrase::SeenTorn).to_owned(), Phrase::DoAway)),
    );
    items.list
}

/// The list as it grows.
struct Items<'a> {
    says: &'a Says,
    list: Vec<Improvement>,
}

impl Items<'_> {
    fn kind(&mut self, items: impl IntoIterator<Item = (String, Phrase)>) {
        let item = |(observation, recommendation): (String, Phrase)| Improvement {
            observation,
            recommendation: self.says.say(recommendation).to_owned(),
            owner: None,
            due: None,
        };
        self.list.extend(items.into_iter().take(EACH_KIND_MAX).map(item));
    }
}

/// An objective that was not met, and where its time went.
fn missed(objective: &Objective, says: &Says) -> Option<(String, Phrase)> {
    match objective.standing {
        Met::Met | Met::Open | Met::NotStarted => return None,
        Met::NotReached => {
            return Some((says.fill(Phrase::SeenNotReached, &[&objective.name]), Phrase::DoReach));
        }
        Met::Missed => {}
    }
    let spent = objective.spent.iter().max_by_key(|(_, length)| **length);
    let what = spent.map_or(What::Work, |(what, _)| *what);
    let follows = match what {
        What::People => Phrase::DoPeople,
        What::Hosts => Phrase::DoHosts,
        What::Retry => Phrase::DoRetry,
        What::Unseen => Phrase::DoUnseen,
        What::Turn => Phrase::DoOrder,
        What::Work | What::Guard | What::Undo | What::Timer => Phrase::DoFaster,
    };
    let late = says.length(Millis(objective.late_ms.unwrap_or(0).unsigned_abs()));
    let step = objective.slowest.as_deref().unwrap_or_default();
    Some((says.fill(Phrase::SeenMissed, &[&objective.name, &late, says.what(what), step]), follows))
}

fn unreached(timeline: &Timeline, says: &Says) -> Option<(String, Phrase)> {
    let plan = timeline.state.plan();
    let names: Vec<String> =
        timeline.unreached.keys().map(|host| plan.hosts[host.at()].name.to_string()).collect();
    let on = where_it_was(says, &names);
    (!names.is_empty()).then(|| (says.fill(Phrase::SeenUnreached, &[&on]), Phrase::DoHosts))
}

/// Steps that ended well, but not at the first try.
fn retried(story: &Story, says: &Says) -> Vec<(String, Phrase)> {
    let mut by_step: BTreeMap<&str, (u32, Vec<String>)> = BTreeMap::new();
    for task in story.tasks.iter().filter(|task| task.attempts > 1) {
        let (tries, hosts) = by_step.entry(&task.step).or_default();
        *tries = (*tries).max(task.attempts);
        hosts.extend(task.host.clone());
    }
    let item = |(step, (tries, hosts)): (&str, (u32, Vec<String>))| {
        let on = where_it_was(says, &hosts);
        (says.fill(Phrase::SeenRetried, &[step, &tries.to_string(), &on]), Phrase::DoRetry)
    };
    by_step.into_iter().map(item).collect()
}

fn where_it_was(says: &Says, hosts: &[String]) -> String {
    let mut names: Vec<&str> = hosts.iter().map(String::as_str).collect();
    by_number(&mut names);
    match names.is_empty() {
        true => says.say(Phrase::Controller).to_owned(),
        false => says.hosts(&names, HOST_ENTRIES_MAX),
    }
}
