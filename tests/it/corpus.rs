//! The committed seeds of the fuzzers, and what fuzzers found once, through the same judges: without a fuzzer.

#[path = "../../fuzz/judges.rs"]
mod judges;

use std::fs;
use std::path::Path;

type Judge = fn(&[u8]);

/// Every reader of foreign bytes that is fuzzed, as its seeds' directory is called.
const JUDGES: [(&str, Judge); 6] = [
    ("inventory", judges::inventory),
    ("runbook", judges::runbook),
    ("journal", judges::journal),
    ("frames", judges::frames),
    ("known_hosts", judges::known_hosts),
    ("patterns", judges::patterns),
];

/// A corpus that is larger slows every checkout down; `cargo fuzz cmin` makes it smaller.
const CORPUS_BYTES_MAX: u64 = 1024 * 1024;

#[test]
fn every_seed_is_read_without_a_panic() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let names = |dir: &Path| {
        let mut names: Vec<String> = fs::read_dir(dir)
            .unwrap_or_else(|error| panic!("{}: {error}", dir.display()))
            .map(|entry| entry.expect("a directory can be read").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort_unstable();
        names
    };
    let mut judged: Vec<&str> = JUDGES.iter().map(|(name, _)| *name).collect();
    judged.sort_unstable();
    assert_eq!(names(&fuzz.join("corpus")), judged, "every corpus has a judge here");
    assert_eq!(
        names(&fuzz.join("fuzz_targets")),
        judged.iter().map(|name| format!("{name}.rs")).collect::<Vec<_>>(),
        "and a fuzzer"
    );
    let script = fs::read_to_string("tests/fuzz").expect("there is a script that fuzzes");
    let mut bytes_all = 0;
    for (name, judge) in JUDGES {
        assert!(script.contains(name), "`make fuzz` leaves {name} out");
        let seeds = names(&fuzz.join("corpus").join(name));
        assert!(seeds.len() >= 4, "{name}: {seeds:?}");
        for seed in seeds {
            let bytes = fs::read(fuzz.join("corpus").join(name).join(&seed)).expect("a seed can be read");
            bytes_all += bytes.len() as u64;
            println!("{name}/{seed}");
            judge(&bytes);
        }
    }
    assert!(bytes_all < CORPUS_BYTES_MAX, "the corpus has {bytes_all} bytes");
}

/// Each good seed with a byte changed, a stretch cut out or doubled: a fuzzer's first minute, the same every day.
#[test]
fn a_thousand_mutilations_are_read_without_a_panic() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut rng = crate::sim::rng::Rng::new(7);
    for (name, judge) in JUDGES {
        let seeds: Vec<_> = fs::read_dir(corpus.join(name)).expect("there are seeds").flatten().collect();
        for round in 0..170 {
            let seed = seeds[round % seeds.len()].path();
            let mut bytes = fs::read(&seed).expect("a seed can be read");
            for _ in 0..rng.between(1, 3) {
                mutilate(&mut bytes, &mut rng);
            }
            println!("{} round {round}", seed.display());
            judge(&bytes);
        }
    }
}

fn mutilate(bytes: &mut Vec<u8>, rng: &mut crate::sim::rng::Rng) {
    let length = bytes.len() as u64;
    if length == 0 {
        return bytes.push(b'a');
    }
    let from = rng.below(length) as usize;
    let to = (from + rng.below(40) as usize + 1).min(bytes.len());
    match rng.below(3) {
        0 => bytes[from] ^= 1 << rng.below(8),
        1 => drop(bytes.drain(from..to)),
        _ => {
            let again = bytes[from..to].to_vec();
            bytes.splice(to..to, again);
        }
    }
}

/// The judge of journals is not content with refusing: the seeds get through to what shows and resumes a run.
#[test]
fn seeds_of_journals_are_runs() {
    let seed = include_bytes!("../../fuzz/corpus/journal/tabletop-3");
    assert!(judges::records_told(seed) > 60, "a run that got stuck is told");
    let mut edited = seed.to_vec();
    let at = edited.windows(3).position(|word| word == b"web").expect("it speaks of web1");
    edited[at] = b'W';
    assert_eq!(judges::records_told(&edited), 0, "an edit is found");
}
