//! The engine in a simulated world: random plans, faults, crashes at random records, resumes; what it decides is
//! judged by checks that share no code with it. `SEED=n` replays one seed and tells its story.

pub mod build;
pub mod check;
mod check_again;
pub mod check_begin;
pub mod check_end;
mod check_firing;
mod check_gates;
pub mod check_guard;
mod check_looks;
mod check_people;
mod check_proof;
mod check_task;
pub mod driver;
mod people;
pub mod plans;
pub mod rng;
#[cfg(test)]
pub mod scale;
#[cfg(test)]
mod table;
#[cfg(test)]
mod table_back;
#[cfg(test)]
mod table_forward;
#[cfg(test)]
mod table_proof;
pub mod tally;
mod truth;
pub mod world;
pub mod world_guard;
mod world_looks;
mod world_probes;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use tally::{AT_LEAST_IN_10_000, Tally};

/// Runs seeds `from..to` on so many threads. The first seed that fails, and why; or what was seen.
pub fn seeds(from: u64, to: u64, threads: u64) -> Result<Tally, (u64, String)> {
    let failed = AtomicBool::new(false);
    let part = |thread: u64| -> Result<Tally, (u64, String)> {
        let mut tally = Tally::default();
        for seed in (from + thread..to).step_by(threads as usize) {
            if failed.load(Ordering::Relaxed) {
                break;
            }
            tally.add(&one(seed, false).map_err(|why| {
                failed.store(true, Ordering::Relaxed);
                (seed, why)
            })?);
        }
        Ok(tally)
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let part = &part;
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || part(thread))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a panic is a result here")).collect()
    });
    let mut tally = Tally::default();
    for result in results {
        tally.add(&result?);
    }
    Ok(tally)
}

/// One seed. A panic of the engine is a failure like any other.
pub fn one(seed: u64, tell: bool) -> Result<Tally, String> {
    catch_unwind(AssertUnwindSafe(|| driver::run(seed, tell))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.or(panic.downcast_ref::<&str>().map(|text| text.to_string())).unwrap_or_default())
    })
}

/// What was seen too seldom for the simulation to mean anything.
pub fn vacuous(tally: &Tally) -> Vec<String> {
    let seldom = |(what, least): &(&str, u64)| {
        let seen = tally.seen.get(what).copied().unwrap_or(0) * 10_000 / tally.runs.max(1);
        (seen < *least).then(|| format!("`{what}` {seen} times in 10,000 runs, expected {least}"))
    };
    AT_LEAST_IN_10_000.iter().filter_map(seldom).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many that every pair of features has met, and that it takes less than a minute on two cores.
    const SEEDS: u64 = 100_000;

    #[test]
    fn a_hundred_thousand_seeds_break_no_rule() {
        if let Some(seed) = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()) {
            one(seed, true).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
            return;
        }
        let seeds_run = std::env::var("SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
        std::panic::set_hook(Box::new(|_| {}));
        let result = seeds(0, seeds_run, 2);
        let _ = std::panic::take_hook();
        let tally = result.unwrap_or_else(|(seed, why)| {
            panic!("seed {seed}: {why}\nhint: SEED={seed} cargo test --test it a_hundred_thousand_seeds -- --nocapture")
        });
        println!("{tally:#?}");
        let vacuous = vacuous(&tally);
        assert!(vacuous.is_empty(), "the simulation has become vacuous:\n{}", vacuous.join("\n"));
    }
}
