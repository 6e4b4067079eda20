//! Puts the steps of a plan in layers: each below what it needs, phases below one another, crossings kept few by
//! setting each step near the middle of what it needs. Pure geometry.

/// Steps side by side before a layer goes on in the next row: what fits a page.
const COLUMNS_MAX: usize = 5;
/// Distance between the middles of two steps side by side.
pub(super) const STRIDE: f64 = 184.0;
/// Size of a step.
pub(super) const NODE: (f64, f64) = (168.0, 40.0);
/// Distance between the tops of two rows.
const ROW: f64 = 66.0;
/// Room for a phase's name.
const BAND_HEAD: f64 = 30.0;
/// Between two phases.
const BAND_GAP: f64 = 16.0;

/// What is to be laid out: for each step, in order, its phase and the steps that come before it.
pub(super) struct Wanted {
    pub phase: usize,
    pub before: Vec<usize>,
}

/// Where everything stands.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The middle of each step's top edge.
    pub nodes: Vec<(f64, f64)>,
    /// Phases: number, top, height.
    pub bands: Vec<(usize, f64, f64)>,
    pub width: f64,
    pub height: f64,
}

/// Lays steps out. Steps of one phase stand side by side in the list, as in a plan.
pub(super) fn layout(steps: &[Wanted]) -> Layout {
    let layers = layers(steps);
    let mut out = Layout { nodes: vec![(0.0, 0.0); steps.len()], ..Layout::default() };
    let widest = widest(steps, &layers).clamp(1, COLUMNS_MAX);
    out.width = widest as f64 * STRIDE + 16.0;
    let (mut y, mut first) = (0.0, 0);
    while first < steps.len() {
        let phase = steps[first].phase;
        let end = (first..steps.len()).find(|at| steps[*at].phase != phase).unwrap_or(steps.len());
        let top = y;
        y += BAND_HEAD;
        let deepest = (first..end).map(|at| layers[at]).max().unwrap_or(0);
        for layer in 0..=deepest {
            let mut members: Vec<usize> = (first..end).filter(|at| layers[*at] == layer).collect();
            members.sort_by(|a, b| {
                let middle = |at: usize| middle(&steps[at].before, &out.nodes, first);
                middle(*a).total_cmp(&middle(*b)).then(a.cmp(b))
            });
            for row in members.chunks(COLUMNS_MAX) {
                for (column, at) in row.iter().enumerate() {
                    let x = out.width / 2.0 + (column as f64 - (row.len() as f64 - 1.0) / 2.0) * STRIDE;
                    out.nodes[*at] = (x, y);
                }
                y += ROW;
            }
        }
        y -= ROW - NODE.1 - 14.0;
        out.bands.push((phase, top, y - top));
        y += BAND_GAP;
        first = end;
    }
    out.height = (y - BAND_GAP).max(1.0);
    out
}

/// The longest way to each step from a step of its phase that needs none of them.
fn layers(steps: &[Wanted]) -> Vec<usize> {
    let mut layers: Vec<Option<usize>> = vec![None; steps.len()];
    for at in 0..steps.len() {
        let mut todo = vec![at];
        while let Some(&here) = todo.last() {
            let own =
                || steps[here].before.iter().filter(|before| steps[**before].phase == steps[here].phase);
            let missing: Vec<usize> = own().copied().filter(|before| layers[*before].is_none()).collect();
            if missing.is_empty() || layers[here].is_some() {
                todo.pop();
                let above = own().filter_map(|before| layers[*before]).map(|layer| layer + 1).max();
                layers[here].get_or_insert(above.unwrap_or(0));
            } else {
                todo.extend(missing);
            }
        }
    }
    layers.into_iter().map(Option::unwrap_or_default).collect()
}

/// The largest number of steps in one layer of one phase.
fn widest(steps: &[Wanted], layers: &[usize]) -> usize {
    let mut counts = std::collections::BTreeMap::new();
    for (step, layer) in steps.iter().zip(layers) {
        *counts.entry((step.phase, *layer)).or_insert(0) += 1;
    }
    counts.values().copied().max().unwrap_or(0)
}

/// The middle of what a step needs within its phase.
fn middle(before: &[usize], nodes: &[(f64, f64)], first: usize) -> f64 {
    let own: Vec<f64> = before.iter().filter(|at| **at >= first).map(|at| nodes[*at].0).collect();
    if own.is_empty() { 0.0 } else { own.iter().sum::<f64>() / own.len() as f64 }
}

/// Needs that follow from others are not drawn: an arrow goes only where no longer way leads.
pub(super) fn reduced(steps: &[Wanted]) -> Vec<(usize, usize)> {
    let order = order(steps);
    let words = steps.len().div_ceil(64);
    // Everything that comes before each step, as bits.
    let mut all: Vec<Vec<u64>> = vec![vec![0; words]; steps.len()];
    let mut edges = Vec::new();
    for at in order {
        let mut mine = vec![0_u64; words];
        for before in &steps[at].before {
            mine.iter_mut().zip(&all[*before]).for_each(|(mine, theirs)| *mine |= theirs);
        }
        let mut direct: Vec<usize> = steps[at].before.clone();
        direct.sort_unstable();
        direct.dedup();
        for before in direct {
            if mine[before / 64] & (1 << (before % 64)) == 0 {
                edges.push((before, at));
            }
            all[at][before / 64] |= 1 << (before % 64);
        }
        all[at].iter_mut().zip(&mine).for_each(|(own, mine)| *own |= mine);
    }
    edges.sort_unstable();
    edges
}

/// Steps so that each comes after those before it.
fn order(steps: &[Wanted]) -> Vec<usize> {
    let (mut placed, mut order) = (vec![false; steps.len()], Vec::with_capacity(steps.len()));
    for at in 0..steps.len() {
        let mut todo = vec![at];
        while let Some(&here) = todo.last() {
            let missing = steps[here].before.iter().copied().find(|before| !placed[*before]);
            match missing {
                Some(before) if !placed[here] => todo.push(before),
                _ => {
                    todo.pop();
                    if !std::mem::replace(&mut placed[here], true) {
                        order.push(here);
                    }
                }
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(list: &[(usize, &[usize])]) -> Vec<Wanted> {
        list.iter().map(|(phase, before)| Wanted { phase: *phase, before: before.to_vec() }).collect()
    }

    #[test]
    fn every_step_stands_below_what_it_needs_and_nothing_overlaps() {
        let wide: Vec<Wanted> = (0..60)
            .map(|at| Wanted { phase: at / 30, before: (0..at).filter(|b| at % (b + 2) == 0).collect() })
            .collect();
        let drawn = layout(&wide);
        for (at, step) in wide.iter().enumerate() {
            for before in &step.before {
                assert!(drawn.nodes[*before].1 < drawn.nodes[at].1, "{before} stands above {at}");
            }
            for other in 0..at {
                let (a, b) = (drawn.nodes[at], drawn.nodes[other]);
                let apart = (a.0 - b.0).abs() >= NODE.0 || (a.1 - b.1).abs() >= NODE.1;
                assert!(apart, "{at} and {other} overlap");
            }
            assert!(
                drawn.nodes[at].0 - NODE.0 / 2.0 >= 0.0 && drawn.nodes[at].0 + NODE.0 / 2.0 <= drawn.width
            );
            assert!(drawn.nodes[at].1 + NODE.1 <= drawn.height);
        }
        assert_eq!(drawn.bands.len(), 2);
    }

    #[test]
    fn an_arrow_that_follows_from_others_is_not_drawn() {
        let edges = reduced(&steps(&[(0, &[]), (0, &[0]), (0, &[0, 1]), (1, &[0])]));
        assert_eq!(edges, [(0, 1), (0, 3), (1, 2)]);
    }

    #[test]
    fn needs_may_stand_anywhere_in_the_file() {
        let wanted = steps(&[(0, &[2]), (0, &[0]), (0, &[])]);
        let drawn = layout(&wanted);
        assert!(drawn.nodes[2].1 < drawn.nodes[0].1 && drawn.nodes[0].1 < drawn.nodes[1].1);
        assert_eq!(reduced(&wanted), [(0, 1), (2, 0)]);
    }

    #[test]
    fn nothing_is_laid_out_as_nothing() {
        assert!(layout(&[]).nodes.is_empty());
    }
}
