//! Chance by number: what is drawn hangs on the seed, the trial and what it is for, and on nothing that happened
//! before. So a step that is faster elsewhere leaves all other draws as they are.

use crate::model::Millis;
use crate::model::scenario::Spread;

/// Draws for one table.
#[derive(Debug, Clone, Copy)]
pub struct Chance {
    seed: u64,
    trial: u64,
}

/// What a draw is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// The action of a task.
    Action,
    /// Its undo.
    Undo,
    /// An answer.
    Answer,
    /// A look at its host.
    Look,
}

impl Chance {
    /// Draws of one trial.
    pub fn new(seed: u64, trial: u64) -> Self {
        Self { seed, trial }
    }

    /// How long something takes: what it is for, about which task, which try.
    pub fn length(self, spread: &Spread, what: For, task: u32, nth: u32) -> Millis {
        let part = || self.part(what as u64, task.into(), nth.into());
        match spread {
            Spread::Always(length) => *length,
            Spread::Between(from, to) => Millis(from.0 + share(part(), to.0.saturating_sub(from.0))),
            Spread::Mostly(from, mostly, to) => triangle(part(), *from, *mostly, *to),
            Spread::OneOf(all) => {
                let at = (part() * all.len() as f64) as usize;
                all[at.min(all.len() - 1)]
            }
        }
    }

    /// From 0 up to, but without, 1.
    fn part(self, what: u64, task: u64, nth: u64) -> f64 {
        let mixed = [self.trial, what, task, nth]
            .into_iter()
            .fold(mix(self.seed), |so_far, next| mix(so_far ^ mix(next.wrapping_add(GOLDEN))));
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of SplitMix64: every bit of the input moves half of the bits of the output.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(GOLDEN);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn share(part: f64, of: u64) -> u64 {
    (part * (of + 1) as f64) as u64
}

/// The value below which a triangle has this part of its area.
fn triangle(part: f64, from: Millis, mostly: Millis, to: Millis) -> Millis {
    let (low, peak, high) = (from.0 as f64, mostly.0 as f64, to.0 as f64);
    if high <= low {
        return from;
    }
    let rise = (peak - low) / (high - low);
    let value = match part < rise {
        true => low + (part * (high - low) * (peak - low)).sqrt(),
        false => high - ((1.0 - part) * (high - low) * (high - peak)).sqrt(),
    };
    Millis(value as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(spread: &Spread) -> Vec<u64> {
        (0..20_000).map(|trial| Chance::new(7, trial).length(spread, For::Action, 3, 1).0).collect()
    }

    #[test]
    fn draws_fill_their_range_and_lean_where_they_should() {
        let (from, to) = (Millis(1_000), Millis(9_000));
        let even = draws(&Spread::Between(from, to));
        assert!(even.iter().all(|one| (1_000..=9_000).contains(one)));
        let mean = even.iter().sum::<u64>() / even.len() as u64;
        assert!((4_900..5_100).contains(&mean), "{mean}");
        let leaning = draws(&Spread::Mostly(from, Millis(2_000), to));
        assert!(leaning.iter().all(|one| (1_000..=9_000).contains(one)));
        // The mean of a triangle is the mean of its corners.
        let mean = leaning.iter().sum::<u64>() / leaning.len() as u64;
        assert!((3_900..4_100).contains(&mean), "{mean}");
        let among = draws(&Spread::OneOf(vec![Millis(5), Millis(7)]));
        let fives = among.iter().filter(|one| **one == 5).count();
        assert!((9_600..10_400).contains(&fives) && among.iter().all(|one| [5, 7].contains(one)), "{fives}");
    }

    #[test]
    fn a_draw_hangs_on_all_that_it_is_for() {
        let spread = Spread::Between(Millis(0), Millis(1 << 40));
        let draw = |seed, trial, what, task, nth| Chance::new(seed, trial).length(&spread, what, task, nth);
        let one = draw(1, 1, For::Action, 1, 1);
        assert_eq!(one, draw(1, 1, For::Action, 1, 1));
        for other in [
            draw(2, 1, For::Action, 1, 1),
            draw(1, 2, For::Action, 1, 1),
            draw(1, 1, For::Undo, 1, 1),
            draw(1, 1, For::Action, 2, 1),
            draw(1, 1, For::Action, 1, 2),
        ] {
            assert_ne!(one, other);
        }
    }
}
