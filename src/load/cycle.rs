//! Finds circles among things that refer to each other, and shows each as the path `a -> b -> a`.

use crate::model::Problem;
use crate::model::place::Span;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Who refers to whom, and where that is written.
pub(super) type Edges<'a> = BTreeMap<&'a str, Vec<(&'a str, Span)>>;

/// One problem for each circle found.
///
/// `verb` stands between two names of an edge: "needs", "goes through".
pub(super) fn problems(kind: &str, verb: &str, edges: &Edges<'_>) -> Vec<Problem> {
    let knotted = knotted(edges);
    let mut found = Vec::new();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for start in knotted.keys() {
        if told.contains(start) {
            continue;
        }
        if let Some(circle) = shortest_circle(start, &knotted) {
            told.extend(circle.iter().map(|(name, _, _)| *name));
            found.push(problem(kind, verb, &circle));
        }
    }
    found
}

/// The edges without those that lead nowhere: what is left lies on a circle or leads to one, which is nothing at
/// all in a sound file, so that the search for circles costs something only where there are some.
fn knotted<'a>(edges: &Edges<'a>) -> Edges<'a> {
    let mut referrers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    for (from, tos) in edges {
        open.insert(from, tos.len());
        for (to, _) in tos {
            referrers.entry(to).or_default().push(from);
        }
    }
    let ends = referrers.keys().filter(|name| !edges.contains_key(**name));
    let mut done: Vec<&str> =
        ends.chain(edges.iter().filter(|(_, tos)| tos.is_empty()).map(|(from, _)| from)).copied().collect();
    let mut gone: BTreeSet<&str> = BTreeSet::new();
    while let Some(name) = done.pop() {
        gone.insert(name);
        for from in referrers.get(name).into_iter().flatten() {
            let left = open.get_mut(from).expect("every referrer has edges");
            *left -= 1;
            if *left == 0 {
                done.push(from);
            }
        }
    }
    let kept = edges.iter().filter(|(from, _)| !gone.contains(**from));
    kept.map(|(from, tos)| (*from, tos.iter().filter(|(to, _)| !gone.contains(to)).copied().collect()))
        .collect()
}

/// The shortest way from a name back to itself, as edges.
fn shortest_circle<'a>(start: &'a str, edges: &Edges<'a>) -> Option<Vec<(&'a str, &'a str, Span)>> {
    let mut came_by: BTreeMap<&str, (&'a str, Span)> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(name) = queue.pop_front() {
        for (to, span) in edges.get(name).into_iter().flatten() {
            if came_by.contains_key(to) {
                continue;
            }
            came_by.insert(to, (name, *span));
            if *to == start {
                return Some(walk_back(start, &came_by));
            }
            queue.push_back(to);
        }
    }
    None
}

fn walk_back<'a>(
    start: &'a str,
    came_by: &BTreeMap<&'a str, (&'a str, Span)>,
) -> Vec<(&'a str, &'a str, Span)> {
    let mut circle = Vec::new();
    let mut to = start;
    loop {
        let (from, span) = came_by[to];
        circle.push((from, to, span));
        if from == start {
            break;
        }
        to = from;
    }
    circle.reverse();
    circle
}

fn problem(kind: &str, verb: &str, circle: &[(&str, &str, Span)]) -> Problem {
    let (first, _, at) = circle[0];
    let path: String = circle.iter().map(|(_, to, _)| format!(" -> {to}")).collect();
    let mut problem =
        Problem::error("cycle", format!("{kind} that wait for each other for ever: {first}{path}"));
    if kind != "steps" {
        problem.what = format!("{kind} in a circle: {first}{path}");
    }
    for (from, to, span) in &circle[1..] {
        problem = problem.also(*span, format!("`{from}` {verb} `{to}`"));
    }
    problem.at(at).hint("take one of these out")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_told_once_and_by_its_shortest_way() {
        let at = Span::default();
        let edges: Edges<'_> = BTreeMap::from([
            ("a", vec![("b", at), ("c", at)]),
            ("b", vec![("d", at)]),
            ("c", vec![("a", at)]),
            ("d", vec![("a", at)]),
            ("x", vec![("a", at)]),
            ("y", vec![("z", at)]),
            ("z", vec![("y", at)]),
        ]);
        let found: Vec<String> =
            problems("groups", "holds", &edges).into_iter().map(|problem| problem.what).collect();
        assert_eq!(
            found,
            [
                "groups in a circle: a -> c -> a",
                "groups in a circle: b -> d -> a -> b",
                "groups in a circle: y -> z -> y"
            ]
        );
    }

    #[test]
    fn what_holds_no_circle_is_no_problem() {
        let at = Span::default();
        let edges: Edges<'_> = BTreeMap::from([("a", vec![("b", at), ("c", at)]), ("b", vec![("c", at)])]);
        assert_eq!(problems("groups", "holds", &edges), []);
    }
}
