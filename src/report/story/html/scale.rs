//! The axis of a timeline: time to the right, stretches in which nothing ran drawn shorter.

use crate::model::{Millis, Time};

/// The width of an axis in its own units.
pub(super) const WIDTH: f64 = 1000.0;
/// An idle stretch longer than this share of everything is drawn shorter …
const LONG_SHARE: f64 = 0.2;
/// … namely so wide, as a share of what is drawn whole.
const DRAWN_SHARE: f64 = 0.15;
/// Labels closer than this would touch on a narrow screen.
const LABEL_GAP: f64 = 240.0;
/// Round distances between two labels, in seconds.
const ROUND_SECS: [u64; 22] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
    172_800, 604_800, 1_209_600, 2_592_000,
];

/// The axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    pieces: Vec<Piece>,
    start: Time,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    from: Time,
    to: Time,
    left: f64,
    right: f64,
    shortened: bool,
}

impl Scale {
    /// An axis from one moment to another. `busy` are the stretches in which something ran, joined and in order.
    pub fn new(from: Time, to: Time, busy: &[(Time, Time)]) -> Self {
        let to = to.max(from + Millis(1));
        let total = to.since(from).0 as f64;
        let mut cuts: Vec<(Time, Time)> = Vec::new();
        let mut idle_from = from;
        for (start, end) in busy.iter().copied().chain([(to, to)]) {
            if start > idle_from && start.since(idle_from).0 as f64 > total * LONG_SHARE {
                cuts.push((idle_from, start.min(to)));
            }
            idle_from = idle_from.max(end);
        }
        let cut: u64 = cuts.iter().map(|(from, to)| to.since(*from).0).sum();
        let whole = total - cut as f64;
        // Nothing is gained where little is left to be seen better.
        let drawn = whole.max(1.0) * DRAWN_SHARE;
        cuts.retain(|(from, to)| to.since(*from).0 as f64 > drawn * 2.0);
        let weights: f64 = total - cuts.iter().map(|(from, to)| to.since(*from).0 as f64).sum::<f64>()
            + drawn * cuts.len() as f64;
        let (mut pieces, mut here, mut left) = (Vec::new(), from, 0.0);
        let mut put = |from: Time, to: Time, weight: f64, shortened: bool| {
            let right = left + weight / weights * WIDTH;
            pieces.push(Piece { from, to, left, right, shortened });
            left = right;
        };
        for (start, end) in cuts {
            if start > here {
                put(here, start, start.since(here).0 as f64, false);
            }
            put(start, end, drawn, true);
            here = end;
        }
        if to > here {
            put(here, to, to.since(here).0 as f64, false);
        }
        Self { pieces, start: from }
    }

    /// Where a moment stands.
    pub fn x(&self, at: Time) -> f64 {
        let piece = self.pieces.iter().find(|piece| at <= piece.to).or(self.pieces.last());
        piece.map_or(0.0, |piece| {
            let share = at.since(piece.from).0 as f64 / piece.to.since(piece.from).0.max(1) as f64;
            piece.left + share.min(1.0) * (piece.right - piece.left)
        })
    }

    /// Stretches that are drawn shorter: left, right, and how long they are.
    pub fn breaks(&self) -> impl Iterator<Item = (f64, f64, Millis)> + '_ {
        let shortened = self.pieces.iter().filter(|piece| piece.shortened);
        shortened.map(|piece| (piece.left, piece.right, piece.to.since(piece.from)))
    }

    /// Moments worth a label: where it stands, and the time since the start.
    pub fn labels(&self) -> Vec<(f64, Millis)> {
        let mut labels = vec![(0.0, Millis(0))];
        for piece in self.pieces.iter().filter(|piece| !piece.shortened) {
            let length = piece.to.since(piece.from).0 as f64;
            let room = ((piece.right - piece.left) / LABEL_GAP).max(1.0);
            let step = ROUND_SECS.iter().find(|secs| length / (**secs as f64 * 1000.0) <= room);
            let step = step.copied().unwrap_or(ROUND_SECS[ROUND_SECS.len() - 1]) * 1000;
            let first = piece.from.since(self.start).0.div_ceil(step);
            for number in first.. {
                let after = Millis(number * step);
                if self.start + after > piece.to {
                    break;
                }
                let x = self.x(self.start + after);
                let last = labels.last().map_or(-WIDTH, |(x, _)| *x);
                if x - last >= LABEL_GAP && x <= WIDTH - LABEL_GAP / 2.0 {
                    labels.push((x, after));
                }
            }
        }
        labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Time {
        Time(secs * 1000)
    }

    #[test]
    fn time_goes_to_the_right_and_fills_the_axis() {
        for busy in [&[(at(0), at(100))][..], &[(at(0), at(10)), (at(90), at(100))], &[]] {
            let scale = Scale::new(at(0), at(100), busy);
            let places: Vec<f64> = (0..=100).map(|secs| scale.x(at(secs))).collect();
            assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{places:?}");
            assert_eq!(places[0], 0.0);
            assert!((places[100] - WIDTH).abs() < 0.001);
        }
    }

    #[test]
    fn a_long_wait_is_drawn_shorter_and_said() {
        let scale = Scale::new(at(0), at(36_100), &[(at(0), at(50)), (at(36_050), at(36_100))]);
        let breaks: Vec<_> = scale.breaks().collect();
        assert_eq!(breaks.len(), 1);
        assert_eq!(breaks[0].2, Millis::from_secs(36_000));
        assert!(scale.x(at(50)) > 300.0, "what ran is still seen");
    }

    #[test]
    fn labels_are_round_and_apart() {
        for secs in [1, 7, 61, 3_600, 40_000, 9_000_000] {
            let labels = Scale::new(at(5), at(5 + secs), &[(at(5), at(5 + secs))]).labels();
            assert!(labels.len() <= 8, "{secs}: {labels:?}");
            assert!(labels.windows(2).all(|pair| pair[1].0 - pair[0].0 >= LABEL_GAP), "{secs}: {labels:?}");
        }
    }

    #[test]
    fn a_run_of_no_length_has_an_axis() {
        assert_eq!(Scale::new(at(3), at(3), &[]).x(at(3)), 0.0);
    }
}
