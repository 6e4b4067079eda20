//! What many trials of one runbook came to: how long it takes, which objectives are met how often, which steps and
//! people everybody waits for, and what a faster step would buy.

use super::look::Look;
use super::recap::list;
use super::table::{Align, Table};
use crate::model::Millis;
use console::Style;
use serde::Serialize;
use std::collections::BTreeMap;

/// One trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// How it ended, in a word.
    pub ended: &'static str,
    /// From start to end; `None`: it was not completed.
    pub took: Option<Millis>,
    /// How long each objective took; `None`: it was not reached.
    pub objectives: Vec<Option<Millis>>,
    /// Steps on the critical path, by number.
    pub path: Vec<u32>,
    /// People whose answers were waited for on it.
    pub people: Vec<String>,
}

/// What the trials were about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The runbook's name.
    pub runbook: String,
    /// The inventory's name.
    pub inventory: String,
    /// The scenario's name.
    pub scenario: Option<String>,
    /// What was drawn from.
    pub seed: u64,
    /// Names of all steps.
    pub steps: Vec<String>,
    /// Names of objectives, and how long they may take.
    pub objectives: Vec<(String, Millis)>,
}

/// What many trials came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trials {
    /// The runbook's name.
    pub runbook: String,
    /// The inventory's name.
    pub inventory: String,
    /// The scenario's name.
    pub scenario: Option<String>,
    /// The same seed gives the same trials.
    pub seed: u64,
    /// How many there were.
    pub trials: u64,
    /// How many ended how.
    pub ended: BTreeMap<&'static str, u64>,
    /// From start to completion.
    pub took: Distribution,
    /// Objectives of the runbook.
    pub objectives: Vec<Odds>,
    /// Steps on the critical path, the most frequent first.
    pub steps: Vec<OnPath>,
    /// People on the critical path, the most frequent first.
    pub people: Vec<OnPath>,
    /// What it would buy to do one step in half its time, the best first.
    pub halved: Vec<Halved>,
}

/// So many of a hundred took at most so long, in milliseconds; `null`: more than that never got there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Distribution {
    /// Half of them.
    pub p50_ms: Option<u64>,
    /// Nine of ten.
    pub p90_ms: Option<u64>,
    /// Ninety-nine of a hundred.
    pub p99_ms: Option<u64>,
}

/// How likely an objective is met.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Odds {
    /// What it is called.
    pub name: String,
    /// How long it may take, in milliseconds.
    pub within_ms: u64,
    /// In how many trials it was met.
    pub met: u64,
    /// The same as a share, from 0 to 1.
    pub chance: f64,
    /// How long it took.
    #[serde(flatten)]
    pub took: Distribution,
}

/// Something on the critical path.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OnPath {
    /// A step or a person.
    pub name: String,
    /// In how many trials.
    pub times: u64,
    /// The same as a share, from 0 to 1.
    pub share: f64,
}

/// What it would buy to do one step in half its time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Halved {
    /// The step.
    pub step: String,
    /// So many trials were compared.
    pub trials: u64,
    /// By how much half of the runs would be completed sooner, in milliseconds; `null`: that cannot be compared.
    pub p50_sooner_ms: Option<i64>,
    /// By how much nine of ten would be.
    pub p90_sooner_ms: Option<i64>,
    /// Objectives whose chance it changes: before and after.
    pub chances: BTreeMap<String, (f64, f64)>,
}

impl Trials {
    /// Counts trials. `halved`: for steps by number, the same first trials with that step in half its time.
    pub fn of(about: &About, trials: &[Trial], halved: &[(u32, Vec<Trial>)]) -> Self {
        let mut ended = BTreeMap::new();
        trials.iter().for_each(|trial| *ended.entry(trial.ended).or_insert(0) += 1);
        let steps = trials.iter().flat_map(|trial| &trial.path).map(|ix| about.steps[*ix as usize].clone());
        let people = trials.iter().flat_map(|trial| trial.people.iter().cloned());
        let mut bought: Vec<Halved> = halved
            .iter()
            .map(|(step, after)| {
                let before = &trials[..after.len().min(trials.len())];
                buys(about, *step, before, after)
            })
            .collect();
        bought.sort_by_key(|one| std::cmp::Reverse((one.p50_sooner_ms, one.p90_sooner_ms)));
        Self {
            runbook: about.runbook.clone(),
            inventory: about.inventory.clone(),
            scenario: about.scenario.clone(),
            seed: about.seed,
            trials: trials.len() as u64,
            ended,
            took: Distribution::of(trials.iter().map(|trial| trial.took)),
            objectives: odds(about, trials),
            steps: on_path(steps, trials.len()),
            people: on_path(people, trials.len()),
            halved: bought,
        }
    }

    /// For people.
    pub fn text(&self, look: &Look) -> String {
        let scenario = self.scenario.as_ref().map(|name| format!(" · scenario {name}")).unwrap_or_default();
        let mut text = format!(
            "{}\n{} on {}{scenario} · seed {}\n",
            look.bold(&format!("{} trials at the table", self.trials)),
            self.runbook,
            self.inventory,
            self.seed
        );
        let mut section = |title: &str, body: String| {
            if !body.is_empty() {
                text.push_str(&format!("\n{}\n{body}", look.bold(title)));
            }
        };
        let ends: Vec<String> = self.ended.iter().map(|(how, times)| format!("{how} {times}")).collect();
        section("Ended", format!("  {}\n", list(&ends, ends.len())));
        section("Time", self.times(look));
        section("Waited for (critical path)", paths(&self.steps, "step", look));
        section("People waited for", paths(&self.people, "who", look));
        section("A step in half its time would buy", self.bought(look));
        text
    }

    fn times(&self, look: &Look) -> String {
        let heads = ["P50", "P90", "P99", "allowed", "met"].map(|head| (head, Align::Right));
        let mut table = Table::new([("what", Align::Left)].into_iter().chain(heads));
        let row = |name: &str, took: &Distribution, allowed: String, met: String| {
            vec![name.to_owned(), length(took.p50_ms), length(took.p90_ms), length(took.p99_ms), allowed, met]
        };
        table.row(row("completed", &self.took, "·".to_owned(), "·".to_owned()));
        for one in &self.objectives {
            let style = match one.chance {
                chance if chance >= SURE => Style::new().green(),
                chance if chance >= LIKELY => Style::new().yellow(),
                _ => Style::new().red().bold(),
            };
            let met = look.paint(style, &share(one.chance));
            table.row(row(&one.name, &one.took, Millis(one.within_ms).to_string(), met));
        }
        table.render(look)
    }

    fn bought(&self, look: &Look) -> String {
        if self.halved.is_empty() {
            return String::new();
        }
        let mut table = Table::new([
            ("step", Align::Left),
            ("P50 sooner", Align::Right),
            ("P90 sooner", Align::Right),
            ("objectives", Align::Left),
        ]);
        for one in &self.halved {
            let chances = one.chances.iter().map(|(name, (before, after))| {
                format!("{name} {} instead of {}", share(*after), share(*before))
            });
            let chances: Vec<String> = chances.collect();
            let chances = if chances.is_empty() { "·".to_owned() } else { chances.join(", ") };
            table.row(vec![one.step.clone(), sooner(one.p50_sooner_ms), sooner(one.p90_sooner_ms), chances]);
        }
        table.render(look)
    }
}

/// An objective that is met this often is green; below that it is a matter of luck.
const SURE: f64 = 0.95;
/// Below this it is red.
const LIKELY: f64 = 0.5;
/// Rows of a list of what is waited for.
const PATH_ROWS_MAX: usize = 10;

impl Distribution {
    /// By nearest rank. What never got there takes longer than everything that did.
    fn of(all: impl Iterator<Item = Option<Millis>>) -> Self {
        let mut sorted: Vec<u64> = all.map(|one| one.map_or(u64::MAX, |one| one.0)).collect();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100).max(1);
            sorted.get(rank - 1).copied().filter(|one| *one != u64::MAX)
        };
        Self { p50_ms: at(50), p90_ms: at(90), p99_ms: at(99) }
    }
}

fn odds(about: &About, trials: &[Trial]) -> Vec<Odds> {
    let one = |(ix, (name, within)): (usize, &(String, Millis))| {
        let took = || trials.iter().map(move |trial| trial.objectives.get(ix).copied().flatten());
        let met = took().filter(|took| took.is_some_and(|took| took <= *within)).count() as u64;
        Odds {
            name: name.clone(),
            within_ms: within.0,
            met,
            chance: part(met, trials.len()),
            took: Distribution::of(took()),
        }
    };
    about.objectives.iter().enumerate().map(one).collect()
}

fn on_path(names: impl Iterator<Item = String>, trials: usize) -> Vec<OnPath> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    names.for_each(|name| *counts.entry(name).or_insert(0) += 1);
    let mut all: Vec<OnPath> =
        counts.into_iter().map(|(name, times)| OnPath { name, times, share: part(times, trials) }).collect();
    all.sort_by(|a, b| b.times.cmp(&a.times).then_with(|| a.name.cmp(&b.name)));
    all
}

fn buys(about: &About, step: u32, before: &[Trial], after: &[Trial]) -> Halved {
    let took = |trials: &[Trial]| Distribution::of(trials.iter().map(|trial| trial.took));
    let sooner = |before: Option<u64>, after: Option<u64>| Some(before? as i64 - after? as i64);
    let (was, is) = (took(before), took(after));
    let chances = odds(about, before).into_iter().zip(odds(about, after));
    let changed = chances.filter(|(was, is)| was.met != is.met);
    Halved {
        step: about.steps[step as usize].clone(),
        trials: after.len() as u64,
        p50_sooner_ms: sooner(was.p50_ms, is.p50_ms),
        p90_sooner_ms: sooner(was.p90_ms, is.p90_ms),
        chances: changed.map(|(was, is)| (was.name, (was.chance, is.chance))).collect(),
    }
}

fn part(some: u64, of: usize) -> f64 {
    some as f64 / of.max(1) as f64
}

fn paths(all: &[OnPath], what: &'static str, look: &Look) -> String {
    if all.is_empty() {
        return String::new();
    }
    let mut table = Table::new([(what, Align::Left), ("trials", Align::Right), ("share", Align::Right)]);
    for one in all.iter().take(PATH_ROWS_MAX) {
        table.row(vec![one.name.clone(), one.times.to_string(), share(one.share)]);
    }
    table.render(look)
}

fn length(ms: Option<u64>) -> String {
    ms.map_or("not reached".to_owned(), |ms| Millis(ms).to_string())
}

fn sooner(ms: Option<i64>) -> String {
    match ms {
        None | Some(0) => "·".to_owned(),
        Some(ms) if ms > 0 => Millis(ms as u64).to_string(),
        Some(ms) => format!("-{}", Millis(ms.unsigned_abs())),
    }
}

fn share(part: f64) -> String {
    format!("{:.1} %", part * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(took: u64, objective: Option<u64>, path: &[u32]) -> Trial {
        Trial {
            ended: "completed",
            took: Some(Millis(took)),
            objectives: vec![objective.map(Millis)],
            path: path.to_vec(),
            people: Vec::new(),
        }
    }

    fn about() -> About {
        About {
            runbook: "isolate".into(),
            inventory: "office".into(),
            scenario: None,
            seed: 7,
            steps: vec!["cut".into(), "look".into()],
            objectives: vec![("isolated".into(), Millis(50))],
        }
    }

    #[test]
    fn ranks_are_nearest_and_what_was_not_reached_counts_as_late() {
        let trials: Vec<Trial> =
            (1..=100).map(|one| trial(one, (one <= 95).then_some(one), &[0, u32::from(one > 90)])).collect();
        let told = Trials::of(&about(), &trials, &[]);
        assert_eq!((told.took.p50_ms, told.took.p90_ms, told.took.p99_ms), (Some(50), Some(90), Some(99)));
        let odds = &told.objectives[0];
        assert_eq!(
            (odds.met, odds.took.p50_ms, odds.took.p90_ms, odds.took.p99_ms),
            (50, Some(50), Some(90), None)
        );
        assert_eq!(told.steps[0].name, "cut");
        assert_eq!((told.steps[1].name.as_str(), told.steps[1].times), ("look", 10));
    }

    #[test]
    fn what_half_a_step_buys_is_told_against_the_same_trials() {
        let before: Vec<Trial> = (1..=10).map(|one| trial(one * 10, Some(one * 10), &[0])).collect();
        let after: Vec<Trial> = (1..=5).map(|one| trial(one * 10 - 4, Some(one * 10 - 4), &[0])).collect();
        let told = Trials::of(&about(), &before, &[(1, after)]);
        assert_eq!(told.halved[0].step, "look");
        assert_eq!((told.halved[0].trials, told.halved[0].p50_sooner_ms), (5, Some(4)));
        assert_eq!(told.halved[0].chances, BTreeMap::new());
    }
}
