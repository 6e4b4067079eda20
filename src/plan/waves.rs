//! Cuts the tasks of a step into waves.

use crate::model::runbook::Share;

/// Sizes of the waves of a step. `runs` says for each task whether it runs; tasks that are left out go along
/// with a wave without counting, so that a first wave of one host is one host that really runs.
pub fn waves(batch: &[Share], runs: &[bool]) -> Vec<u32> {
    let running = runs.iter().filter(|runs| **runs).count();
    let mut sizes = Vec::new();
    let mut entries = batch.iter();
    let mut share = entries.next();
    let mut rest = runs;
    while let Some(entry) = share {
        let wanted = at_least_one(*entry, running);
        let counted = rest.iter().enumerate().filter(|(_, runs)| **runs).nth(wanted).map(|(at, _)| at);
        let Some(size) = counted else { break };
        sizes.push(size as u32);
        rest = &rest[size..];
        share = entries.next().or(share);
    }
    if !rest.is_empty() {
        sizes.push(rest.len() as u32);
    }
    sizes
}

/// How many failures a share allows, rounded down.
pub fn failures_allowed(share: Share, running: usize) -> u32 {
    match share {
        Share::Hosts(count) => count,
        Share::Percent(percent) => (running * usize::from(percent) / 100) as u32,
    }
}

/// The size of a wave, rounded up; a wave of nobody would never end.
pub fn at_least_one(share: Share, running: usize) -> usize {
    match share {
        Share::Hosts(count) => (count as usize).max(1),
        Share::Percent(percent) => (running * usize::from(percent)).div_ceil(100).max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Share::{Hosts, Percent};

    #[test]
    fn the_last_entry_repeats_until_all_are_covered() {
        for (batch, count, sizes) in [
            (vec![], 5, vec![5]),
            (vec![Hosts(1), Percent(25), Percent(100)], 10, vec![1, 3, 6]),
            (vec![Hosts(2)], 5, vec![2, 2, 1]),
            (vec![Percent(1)], 3, vec![1, 1, 1]),
            (vec![Hosts(0)], 2, vec![1, 1]),
            (vec![Hosts(9)], 2, vec![2]),
        ] {
            assert_eq!(waves(&batch, &vec![true; count]), sizes, "{batch:?} of {count}");
        }
    }

    #[test]
    fn what_is_left_out_does_not_count() {
        let runs = [false, true, false, true, true, false];
        assert_eq!(waves(&[Hosts(1), Hosts(2)], &runs), [3, 3]);
        assert_eq!(waves(&[Hosts(1)], &[false, false]), [2]);
    }

    #[test]
    fn failures_round_down() {
        assert_eq!(
            [
                failures_allowed(Percent(25), 7),
                failures_allowed(Percent(10), 9),
                failures_allowed(Hosts(2), 1)
            ],
            [1, 0, 2]
        );
    }
}
