//! A line of small bars: how numbers went, at a glance.

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Where a number is missing.
const GAP: char = '·';
/// More bars than this are no glance any more: the newest stay.
const BARS_MAX: usize = 24;

/// Bars for numbers, oldest first, the largest as high as a line; `None` is a gap.
pub(super) fn spark(numbers: &[Option<u64>]) -> String {
    let newest = &numbers[numbers.len().saturating_sub(BARS_MAX)..];
    let most = newest.iter().flatten().max().copied().unwrap_or(0).max(1);
    let bar = |number: u64| {
        let eighths = (u128::from(number) * BARS.len() as u128).div_ceil(u128::from(most));
        BARS[(eighths as usize).saturating_sub(1).min(BARS.len() - 1)]
    };
    newest.iter().map(|number| number.map_or(GAP, bar)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_their_numbers() {
        for (numbers, line) in [
            (vec![], ""),
            (vec![Some(0)], "▁"),
            (vec![Some(1)], "█"),
            (vec![Some(10), None, Some(80), Some(40)], "▁·█▄"),
            (vec![Some(u64::MAX), Some(1)], "█▁"),
        ] {
            assert_eq!(spark(&numbers), line, "{numbers:?}");
        }
        let many: Vec<Option<u64>> = (1..=100).map(Some).collect();
        assert_eq!(spark(&many).chars().count(), BARS_MAX);
        assert!(spark(&many).ends_with('█'));
    }
}
