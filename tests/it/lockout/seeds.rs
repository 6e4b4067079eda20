//! Compares the analysis with the enumeration of every order, seed by seed. Used by the tests, and by the runner of
//! planted faults.

use super::random::{self, plan_of};
use super::rules::Key;
use super::tally::Tally;
use super::{every_order, rules};
use blackstart::plan::Plan;
use blackstart::reach::lockout::{Finding, Remedy, analyse, look};
use std::sync::atomic::{AtomicBool, Ordering};

/// Seeds from 0 on, on so many threads: what was seen, or the first that fails.
pub fn all(seeds: u64, threads: u64) -> Result<Tally, (u64, String)> {
    let failed = AtomicBool::new(false);
    let part = |thread: u64| -> Result<Tally, (u64, String)> {
        let mut tally = Tally::default();
        for seed in (thread..seeds).step_by(threads as usize) {
            if failed.load(Ordering::Relaxed) {
                break;
            }
            let seen = one(seed, false).map_err(|why| {
                failed.store(true, Ordering::Relaxed);
                (seed, why)
            })?;
            tally.add(&seen);
        }
        Ok(tally)
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let part = &part;
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || part(thread))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a panic says which assertion failed"))
            .collect()
    });
    let mut tally = Tally::default();
    for result in results {
        tally.add(&result?);
    }
    Ok(tally)
}

/// Compares analysis and enumeration of one plan, both ways; tells the plan and the findings if asked.
pub fn one(seed: u64, tell: bool) -> Result<Tally, String> {
    let plan = plan_of(seed);
    if tell {
        println!("{}", random::told(&plan));
    }
    // Remedies cost most of the time; a tenth of the seeds tells as much.
    let with_remedies = seed.is_multiple_of(10) || tell;
    let found = if with_remedies { analyse(&plan) } else { look(&plan) };
    let truth = every_order::losses(&plan);
    if tell {
        println!("{:#?}", found.findings);
    }
    let said = rules::said(&found);
    let mut tally = Tally::default();
    let alarms = said.keys().filter(|key| !truth.contains_key(*key));
    let (spared, alarms): (Vec<&Key>, Vec<&Key>) = alarms.partition(|key| rules::is_a_swap(&plan, key));
    spared.iter().for_each(|_| tally.swap());
    if let Some(alarm) = alarms.first() {
        return Err(format!("false alarm: {alarm:?}\n{}", random::told(&plan)));
    }
    // A way is told once, for the first moment at which it is lost.
    let told_earlier =
        |key: &Key| spared.iter().any(|other| other.is_same_way(key) && other.moment < key.moment);
    if let Some(missed) = truth.keys().find(|key| !said.contains_key(*key) && !told_earlier(key)) {
        return Err(format!("missed: {missed:?}\n{}", random::told(&plan)));
    }
    tally.plan(&plan, &found, with_remedies);
    for finding in &found.findings {
        if rules::keys(finding).any(|key| spared.contains(&&key)) {
            continue;
        }
        every_order::check_witness(&plan, finding)
            .map_err(|why| format!("{why} in the witness of {finding:?}\n{}", random::told(&plan)))?;
        if with_remedies {
            for remedy in &finding.remedies {
                check_remedy(&plan, finding, remedy)
                    .map_err(|why| format!("{why}: {remedy:?} of {finding:?}\n{}", random::told(&plan)))?;
                tally.remedy(remedy);
            }
        }
    }
    Ok(tally)
}

/// With the remedy the finding is gone from the enumeration as well.
fn check_remedy(plan: &Plan, finding: &Finding, remedy: &Remedy) -> Result<(), String> {
    let mended = rules::mended(plan, remedy)?;
    let truth = every_order::losses(&mended);
    let left = rules::keys(finding).find(|key| truth.keys().any(|lost| lost.is_same_way(key)));
    left.map_or(Ok(()), |key| Err(format!("{key:?} is lost all the same")))
}
