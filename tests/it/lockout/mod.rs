//! The lock-out analysis: hand-made plans, and a checker that shares no code with it and enumerates every order that
//! the engine permits of small random ones. `SEED=n` replays one seed and tells what it found.

mod by_hand;
mod every_order;
mod random;
mod rules;
mod scale;
mod seeds;
mod sketch;
mod tally;

/// Seeds of one run of the tests.
const SEEDS: u64 = 100_000;

#[test]
fn every_order_agrees_with_the_analysis() {
    if let Ok(seed) = std::env::var("SEED") {
        let seed = seed.parse().expect("SEED is a number");
        println!(
            "{}",
            seeds::one(seed, true).map_or_else(|why| panic!("seed {seed}: {why}"), |tally| tally.told())
        );
        return;
    }
    let threads = std::thread::available_parallelism().map_or(2, |threads| threads.get() as u64);
    let seeds = std::env::var("SEEDS").map_or(SEEDS, |seeds| seeds.parse().expect("SEEDS is a number"));
    match seeds::all(seeds, threads) {
        Err((seed, why)) => panic!("SEED={seed}: {why}"),
        Ok(tally) => {
            println!("{}", tally.told());
            assert_eq!(tally.vacuous(seeds), Vec::<String>::new());
        }
    }
}
