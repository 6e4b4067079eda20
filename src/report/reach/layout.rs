//! Where zones and conduits stand in a picture: attackers' zones on the left, critical ones on the right, and a place of
//! its own for the name of each conduit, so that no two names cover each other.

use crate::reach::outlook::Outlook;
use crate::reach::{ConduitIx, ZoneIx};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Room for a zone: a name, what it is, and some hosts.
pub(super) const ZONE_WIDTH: f64 = 170.0;
/// Three lines of text and some air.
pub(super) const ZONE_HEIGHT: f64 = 66.0;
/// Room for the name of a conduit of common length.
pub(super) const NAME_WIDTH: f64 = 150.0;
/// On both sides of a name: where lines bend.
const BEND: f64 = 34.0;
/// A line of text and its line.
const NAME_HEIGHT: f64 = 26.0;
/// A line that only passes by.
const PASSING_HEIGHT: f64 = 12.0;
/// Between two things in a column.
const GAP: f64 = 14.0;
/// Around the whole.
pub(super) const MARGIN: f64 = 16.0;
/// Rounds of sorting and of straightening; more change nothing that anybody sees.
const ROUNDS: usize = 12;

/// A picture's bones.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    /// Upper left corners, by zone.
    pub(super) zones: Vec<(f64, f64)>,
    /// Lines, by conduit.
    pub(super) lines: Vec<Line>,
}

/// A conduit's line: points from the one zone to the other, and where its name stands.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) points: Vec<(f64, f64)>,
    /// Where the name begins, above or right of the line.
    pub(super) name: (f64, f64),
    /// Does it turn round, because both zones stand in one column? Then it has three points.
    pub(super) turns: bool,
    /// Do the points run from the second zone to the first?
    pub(super) backwards: bool,
}

/// What stands in a column: a zone, the name of a conduit, or a conduit passing by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Zone(ZoneIx),
    Name(ConduitIx),
    Passing(ConduitIx, usize),
}

/// Draws nothing yet: says where everything goes.
pub(super) fn layout(outlook: &Outlook) -> Layout {
    let columns_of = columns_of(outlook);
    let mut sheet = Sheet::new(outlook, &columns_of);
    sheet.sort();
    sheet.place();
    sheet.finish(outlook)
}

/// The column of each zone: attackers' first, then by how far they are from these, critical ones last.
fn columns_of(outlook: &Outlook) -> Vec<usize> {
    let zones = outlook.site.zones.len();
    let mut neighbours: BTreeMap<ZoneIx, BTreeSet<ZoneIx>> = BTreeMap::new();
    for conduit in &outlook.site.conduits {
        neighbours.entry(conduit.from).or_default().insert(conduit.to);
        neighbours.entry(conduit.to).or_default().insert(conduit.from);
    }
    let mut columns: BTreeMap<ZoneIx, usize> = outlook.outside.iter().map(|zone| (*zone, 0)).collect();
    let mut new: VecDeque<ZoneIx> = outlook.outside.iter().copied().collect();
    while let Some(here) = new.pop_front() {
        // Nothing is behind a critical zone: it is what everything else lies before.
        if outlook.critical.contains(&here) && columns[&here] > 0 {
            continue;
        }
        for next in neighbours.get(&here).into_iter().flatten() {
            if !columns.contains_key(next) {
                columns.insert(*next, columns[&here] + 1);
                new.push_back(*next);
            }
        }
    }
    let inner = |zone: &ZoneIx| !outlook.critical.contains(zone) && !outlook.outside.contains(zone);
    let last = columns.iter().filter(|(zone, _)| inner(zone)).map(|(_, column)| *column).max();
    let behind = last.unwrap_or(0) + 1;
    let column = |zone: ZoneIx| match columns.get(&zone) {
        Some(0) => 0,
        Some(_) if outlook.critical.contains(&zone) => behind,
        Some(column) => *column,
        None if outlook.critical.contains(&zone) => behind,
        None => last.unwrap_or(1),
    };
    (0..zones).map(|zone| column(ZoneIx(zone))).collect()
}

/// Columns of zones with a column of names right of each.
struct Sheet {
    columns: Vec<Vec<Thing>>,
    /// The things of each conduit, from left to right and, within one column of zones, out and back.
    chains: Vec<Vec<(usize, Thing)>>,
    neighbours: BTreeMap<(usize, Thing), Vec<(usize, Thing)>>,
    middles: BTreeMap<(usize, Thing), f64>,
}

impl Sheet {
    fn new(outlook: &Outlook, columns_of: &[usize]) -> Self {
        let count = columns_of.iter().max().map_or(0, |last| (last + 1) * 2);
        let mut columns: Vec<Vec<Thing>> = vec![Vec::new(); count];
        for (zone, column) in columns_of.iter().enumerate() {
            columns[column * 2].push(Thing::Zone(ZoneIx(zone)));
        }
        let mut chains = Vec::new();
        for (at, conduit) in outlook.site.conduits.iter().enumerate() {
            let ix = ConduitIx(at);
            let (mut left, mut right) = (conduit.from, conduit.to);
            if columns_of[left.0] > columns_of[right.0] {
                std::mem::swap(&mut left, &mut right);
            }
            let (first, last) = (columns_of[left.0] * 2, columns_of[right.0] * 2);
            let mut chain = vec![(first, Thing::Zone(left)), (first + 1, Thing::Name(ix))];
            chain.extend((first + 2..last).map(|column| (column, Thing::Passing(ix, column))));
            chain[1..].iter().for_each(|(column, thing)| columns[*column].push(*thing));
            chain.push((last, Thing::Zone(right)));
            chains.push(chain);
        }
        let mut neighbours: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for pair in chains.iter().flat_map(|chain| chain.windows(2)) {
            neighbours.entry(pair[0]).or_default().push(pair[1]);
            neighbours.entry(pair[1]).or_default().push(pair[0]);
        }
        Self { columns, chains, neighbours, middles: BTreeMap::new() }
    }

    /// Puts things near what they are joined to, so that few lines cross.
    fn sort(&mut self) {
        for round in 0..ROUNDS {
            let count = self.columns.len();
            let order: Vec<usize> =
                if round % 2 == 0 { (0..count).collect() } else { (0..count).rev().collect() };
            for column in order {
                let ranks: BTreeMap<(usize, Thing), f64> = self.ranks();
                let wish = |at: usize, thing: &Thing| {
                    let near: Vec<f64> = self.joined(column, *thing).map(|other| ranks[other]).collect();
                    match near.len() {
                        0 => at as f64,
                        many => near.iter().sum::<f64>() / many as f64,
                    }
                };
                let things = &self.columns[column];
                let mut wishes: Vec<(f64, Thing)> =
                    things.iter().enumerate().map(|(at, thing)| (wish(at, thing), *thing)).collect();
                wishes.sort_by(|a, b| a.0.total_cmp(&b.0));
                self.columns[column] = wishes.into_iter().map(|(_, thing)| thing).collect();
            }
        }
    }

    /// Where in its column each thing stands, from 0 to 1.
    fn ranks(&self) -> BTreeMap<(usize, Thing), f64> {
        let places = self.columns.iter().enumerate().flat_map(|(column, things)| {
            let of = things.len() as f64;
            things.iter().enumerate().map(move |(at, thing)| ((column, *thing), (at as f64 + 0.5) / of))
        });
        places.collect()
    }

    fn joined(&self, column: usize, thing: Thing) -> impl Iterator<Item = &(usize, Thing)> {
        self.neighbours.get(&(column, thing)).into_iter().flatten()
    }

    /// Gives everything its height: first one below the other, then as near to what it is joined to as there is room.
    fn place(&mut self) {
        let heights: Vec<f64> = self.columns.iter().map(|things| column_height(things)).collect();
        let tallest = heights.iter().copied().fold(0.0, f64::max);
        for (column, things) in self.columns.iter().enumerate() {
            let mut top = (tallest - heights[column]) / 2.0;
            for thing in things {
                self.middles.insert((column, *thing), top + height(*thing) / 2.0);
                top += height(*thing) + GAP;
            }
        }
        for round in 0..ROUNDS {
            for column in 0..self.columns.len() {
                self.straighten(column, tallest, round % 2 == 0);
            }
        }
    }

    fn straighten(&mut self, column: usize, tallest: f64, downwards: bool) {
        let things = self.columns[column].clone();
        let wishes: Vec<f64> = things
            .iter()
            .map(|thing| {
                let near: Vec<f64> = self.joined(column, *thing).map(|other| self.middles[other]).collect();
                match near.len() {
                    0 => self.middles[&(column, *thing)],
                    many => near.iter().sum::<f64>() / many as f64,
                }
            })
            .collect();
        let mut order: Vec<usize> = (0..things.len()).collect();
        if !downwards {
            order.reverse();
        }
        // In one direction wishes are granted as far as the neighbour before and the room for those after allow.
        let mut taken = 0.0;
        for (done, at) in order.iter().enumerate() {
            let half = height(things[*at]) / 2.0;
            let after: f64 = order[done + 1..].iter().map(|at| height(things[*at]) + GAP).sum();
            let wish = if downwards { wishes[*at] } else { tallest - wishes[*at] };
            let middle = wish.min(tallest - after - half).max(taken + half);
            taken = middle + half + GAP;
            let middle = if downwards { middle } else { tallest - middle };
            self.middles.insert((column, things[*at]), middle);
        }
    }

    fn finish(&self, outlook: &Outlook) -> Layout {
        let step = ZONE_WIDTH + NAME_WIDTH + 2.0 * BEND;
        let left = |column: usize| {
            MARGIN + (column / 2) as f64 * step + if column % 2 == 1 { ZONE_WIDTH + BEND } else { 0.0 }
        };
        let mut zones = vec![(0.0, 0.0); outlook.site.zones.len()];
        for ((column, thing), middle) in &self.middles {
            if let Thing::Zone(zone) = thing {
                zones[zone.0] = (left(*column), MARGIN + middle - ZONE_HEIGHT / 2.0);
            }
        }
        let ports = self.ports();
        let lines = self.chains.iter().enumerate().map(|(at, chain)| {
            let conduit = ConduitIx(at);
            let Thing::Zone(begin) = chain[0].1 else { unreachable!("a chain begins with a zone") };
            let mut points = Vec::new();
            for (place, (column, thing)) in chain.iter().enumerate() {
                let y = MARGIN + self.middles[&(*column, *thing)];
                match thing {
                    Thing::Zone(zone) => {
                        // The column of names is right of a zone, except at the end of a way to the right.
                        let at_right = place == 0 || turns(chain);
                        let x = left(*column) + if at_right { ZONE_WIDTH } else { 0.0 };
                        points.push((x, zones[zone.0].1 + ports[&(*zone, conduit, at_right)]));
                    }
                    // Between zones of one column the line turns round before the name.
                    Thing::Name(_) if turns(chain) => points.push((left(*column), y)),
                    Thing::Name(_) => points.extend([(left(*column), y), (left(*column) + NAME_WIDTH, y)]),
                    Thing::Passing(..) => {
                        let width = if column % 2 == 0 { ZONE_WIDTH } else { NAME_WIDTH };
                        points.extend([(left(*column), y), (left(*column) + width, y)]);
                    }
                }
            }
            let (name, backwards) = (points[1], begin != outlook.site.conduits[at].from);
            Line { points, name, turns: turns(chain), backwards }
        });
        let lines: Vec<Line> = lines.collect();
        let bottom = self.middles.iter().map(|((_, thing), middle)| middle + height(*thing) / 2.0);
        let columns = self.columns.iter().rposition(|things| !things.is_empty()).map_or(0, |last| last + 1);
        let right = left(columns.max(1) - 1) + if columns % 2 == 0 { NAME_WIDTH + BEND } else { ZONE_WIDTH };
        Layout { width: right + MARGIN, height: bottom.fold(0.0, f64::max) + 2.0 * MARGIN, zones, lines }
    }

    /// How far below a zone's upper edge each conduit leaves it, on its left and on its right side.
    fn ports(&self) -> BTreeMap<(ZoneIx, ConduitIx, bool), f64> {
        let mut sides: BTreeMap<(ZoneIx, bool), Vec<(f64, ConduitIx)>> = BTreeMap::new();
        for (at, chain) in self.chains.iter().enumerate() {
            let last = chain.len() - 1;
            for (place, beside) in [(0, 1), (last, last - 1)] {
                let ((_, thing), next) = (chain[place], chain[beside]);
                let Thing::Zone(zone) = thing else { unreachable!("a chain begins and ends with a zone") };
                let at_right = place == 0 || turns(chain);
                sides.entry((zone, at_right)).or_default().push((self.middles[&next], ConduitIx(at)));
            }
        }
        let mut ports = BTreeMap::new();
        for ((zone, at_right), mut lines) in sides {
            lines.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let of = lines.len() as f64;
            for (at, (_, conduit)) in lines.into_iter().enumerate() {
                ports.insert((zone, conduit, at_right), ZONE_HEIGHT * (at as f64 + 0.5) / of);
            }
        }
        ports
    }
}

/// Does it lead back to the column it comes from?
fn turns(chain: &[(usize, Thing)]) -> bool {
    chain[0].0 == chain[chain.len() - 1].0
}

fn height(thing: Thing) -> f64 {
    match thing {
        Thing::Zone(_) => ZONE_HEIGHT,
        Thing::Name(_) => NAME_HEIGHT,
        Thing::Passing(..) => PASSING_HEIGHT,
    }
}

fn column_height(things: &[Thing]) -> f64 {
    things.iter().map(|thing| height(*thing) + GAP).sum::<f64>() - GAP
}
