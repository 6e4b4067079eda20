//! Many trials of one staging, on all processors: which thread plays which of them changes nothing.

use super::staging::Staging;
use super::table::{Opening, Table};
use crate::engine::RunState;
use crate::model::Millis;
use crate::model::event::{Event, Verdict};
use crate::model::names::StepIx;
use crate::model::question::Question;
use crate::plan::frozen::PlannedAction;
use crate::plan::graph;
use crate::report::chain::chain;
use crate::report::score;
use crate::report::trials::{About, Trial};
use crate::report::words;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Steps that are tried in half their time: those that are waited for most.
const HALVED_MAX: usize = 5;
/// Trials that show what a faster step would buy: enough for a P90.
const HALVED_TRIALS_MAX: u64 = 1_000;

/// Plays so many trials, in order.
pub fn play(staging: &Arc<Staging>, opening: &Opening, count: u64, threads: usize) -> Vec<Trial> {
    let threads = threads.clamp(1, count.max(1) as usize);
    let mut all: Vec<(u64, Trial)> = Vec::with_capacity(count as usize);
    std::thread::scope(|scope| {
        let players: Vec<_> = (0..threads as u64)
            .map(|first| {
                let every = (first..count).step_by(threads);
                scope.spawn(move || {
                    every.map(|trial| (trial, one(staging, opening, trial))).collect::<Vec<_>>()
                })
            })
            .collect();
        for player in players {
            // A mistake of ours in one trial is one in all: nothing that is counted would be true.
            all.extend(player.join().expect("a trial comes to its end"));
        }
    });
    all.sort_by_key(|(trial, _)| *trial);
    all.into_iter().map(|(_, trial)| trial).collect()
}

/// Steps that were waited for most, each with trials in which it takes half its time.
pub fn halved(
    staging: &Arc<Staging>,
    opening: &Opening,
    trials: &[Trial],
    threads: usize,
) -> Vec<(u32, Vec<Trial>)> {
    let mut waited: BTreeMap<u32, u64> = BTreeMap::new();
    trials.iter().flat_map(|trial| &trial.path).for_each(|step| *waited.entry(*step).or_default() += 1);
    let mut waited: Vec<(u32, u64)> = waited
        .into_iter()
        .filter(|(step, _)| !matches!(staging.plan.steps[*step as usize].action, PlannedAction::Wait(_)))
        .collect();
    let estimate = |step: u32| staging.plan.steps[step as usize].estimate;
    waited
        .sort_by_key(|(step, times)| std::cmp::Reverse((*times, estimate(*step), std::cmp::Reverse(*step))));
    let count = (trials.len() as u64).min(HALVED_TRIALS_MAX);
    let faster = waited.into_iter().take(HALVED_MAX).map(|(step, _)| {
        let mut faster = (**staging).clone();
        faster.halve(StepIx(step));
        (step, play(&Arc::new(faster), opening, count, threads))
    });
    faster.collect()
}

/// What trials of a staging are about.
pub fn about(staging: &Staging, scenario: Option<&str>, seed: u64) -> About {
    let plan = &staging.plan;
    About {
        runbook: plan.runbook.clone(),
        inventory: plan.inventory.clone(),
        scenario: scenario.map(str::to_owned),
        seed,
        steps: plan.steps.iter().map(|step| step.id.to_string()).collect(),
        objectives: plan.objectives.iter().map(|one| (one.name.clone(), one.within)).collect(),
    }
}

fn one(staging: &Arc<Staging>, opening: &Opening, trial: u64) -> Trial {
    let opening = Opening { trial, tells_probes: false, players_answer: true, ..opening.clone() };
    let mut table = Table::open(staging.clone(), &opening);
    // A step may wait for consent first, and then for whoever does it by hand.
    let mut last_word: BTreeMap<(StepIx, bool), String> = BTreeMap::new();
    let plan = &staging.plan;
    let verdict = table.play(&mut |_, event| {
        if let Event::Answered { answer } = event
            && let Question::Manual { task } | Question::Approve { task, .. } = answer.question
        {
            let by_hand = matches!(answer.question, Question::Manual { .. });
            last_word.insert((plan.tasks[task.at()].step, by_hand), answer.by);
        }
    });
    let state = table.state();
    let ended = state.ended_at().unwrap_or(opening.start);
    let links = chain(state, ended);
    let waited = links.iter().flat_map(|link| [(link.step, false), (link.step, true)]);
    let mut people: Vec<String> = waited.filter_map(|wait| last_word.get(&wait).cloned()).collect();
    people.sort();
    people.dedup();
    let path = links.iter().filter(|link| graph::runs(plan, link.step)).map(|link| link.step.0);
    Trial {
        ended: words::verdict_word(&verdict),
        took: (verdict == Verdict::Completed).then(|| ended.since(opening.start)),
        objectives: objectives(state),
        path: path.collect(),
        people,
    }
}

/// How long each objective of the runbook took, if it was reached.
fn objectives(state: &RunState) -> Vec<Option<Millis>> {
    let own = state.plan().objectives.len();
    let scores = score::scores(state).into_iter().take(own);
    scores.map(|score| score.took.filter(|_| score.reached.is_some())).collect()
}
