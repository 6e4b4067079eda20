//! The graph of steps: circles, the critical path, and how urgent each step is. Never looks at single hosts.

use super::frozen::{Plan, PlannedAction, PlannedStep};
use crate::model::Millis;
use crate::model::names::{ConduitName, PhaseIx, StepIx};
use crate::model::runbook::Approve;
use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use std::collections::BTreeSet;

/// A command and its check, over a connection that stands.
const ESTIMATE_RUN: Millis = Millis::from_secs(10);
/// A configuration file or a small archive.
const ESTIMATE_UPLOAD: Millis = Millis::from_secs(5);
/// A log file or the output of a tool.
const ESTIMATE_FETCH: Millis = Millis::from_secs(10);
/// Somebody reads, walks over, does it and comes back.
const ESTIMATE_MANUAL: Millis = Millis::from_secs(600);
/// A connection is made, or is not.
const ESTIMATE_PROBE: Millis = Millis::from_secs(3);
/// Somebody with the right to consent is found.
const ESTIMATE_APPROVAL: Millis = Millis::from_secs(300);

/// How long a step is expected to take if its author does not say.
pub fn estimate(action: &PlannedAction, waves: usize, approve: Option<&Approve>) -> Millis {
    let once = match action {
        PlannedAction::Run(_) => ESTIMATE_RUN,
        PlannedAction::Upload(_) => ESTIMATE_UPLOAD,
        PlannedAction::Fetch(_) | PlannedAction::Backup(_) => ESTIMATE_FETCH,
        PlannedAction::Manual(_) => ESTIMATE_MANUAL,
        PlannedAction::Wait(length) => *length,
        PlannedAction::Probe(probe) => Millis(ESTIMATE_PROBE.0.max(probe.timeout.0.min(ESTIMATE_RUN.0))),
    };
    let consent = if approve.is_some() { ESTIMATE_APPROVAL.0 } else { 0 };
    Millis(once.0.saturating_mul(waves as u64).saturating_add(consent))
}

/// Steps as nodes, in plan order; an edge goes from what is needed to what needs it and weighs the least time
/// between the end of the one and the start of the other.
pub type StepGraph = DiGraph<StepIx, Millis>;

/// The graph of a plan's steps, or of some that are to become a plan.
pub fn step_graph(steps: &[PlannedStep]) -> StepGraph {
    let edges = steps.iter().map(|step| step.needs.len() + 1).sum();
    let mut graph = StepGraph::with_capacity(steps.len(), edges);
    for ix in 0..steps.len() {
        graph.add_node(StepIx(ix as u32));
    }
    for (ix, step) in steps.iter().enumerate() {
        let here = NodeIndex::new(ix);
        for need in &step.needs {
            graph.add_edge(NodeIndex::new(need.step.at()), here, Millis(0));
        }
        if let Some(after) = step.after {
            graph.add_edge(NodeIndex::new(after.step.at()), here, after.at_least);
        }
    }
    graph
}

/// A circle among the steps, if there is one: each needs the next, and the last is the first again.
pub fn circle(graph: &StepGraph) -> Option<Vec<StepIx>> {
    let knot = petgraph::algo::kosaraju_scc(graph)
        .into_iter()
        .find(|knot| knot.len() > 1 || graph.contains_edge(knot[0], knot[0]))?;
    let mut path = vec![knot.iter().copied().min().unwrap_or(knot[0])];
    loop {
        let here = *path.last().expect("it began with one");
        let next =
            graph.neighbors_directed(here, Direction::Incoming).filter(|node| knot.contains(node)).min()?;
        if let Some(start) = path.iter().position(|node| *node == next) {
            let circle = path[start..].iter().chain([&next]);
            return Some(circle.map(|node| graph[*node]).collect());
        }
        path.push(next);
    }
}

/// The longest expected time from the start of each step to the end of the run. Phases are barriers: whatever follows in
/// later phases waits for every step before it, and a minimum wait may reach into a later phase and outlast all between.
pub fn urgencies(steps: &[PlannedStep], phases: usize, runs: &dyn Fn(StepIx) -> bool) -> Vec<Millis> {
    let graph = step_graph(steps);
    let mut of_phase = vec![Vec::new(); phases];
    for step in in_order(steps) {
        of_phase[steps[step.at()].phase.at()].push(step);
    }
    let mut urgency = vec![0_u64; steps.len()];
    let mut later = 0;
    for of_phase in of_phase.iter().rev() {
        for step in of_phase.iter().rev() {
            let edges = graph.edges_directed(NodeIndex::new(step.at()), Direction::Outgoing);
            let follow =
                edges.map(|edge| edge.weight().0.saturating_add(urgency[edge.target().index()])).max();
            let own = if runs(*step) { steps[step.at()].estimate.0 } else { 0 };
            urgency[step.at()] = own.saturating_add(follow.unwrap_or(0).max(later));
        }
        later = of_phase.iter().map(|step| urgency[step.at()]).fold(later, u64::max);
    }
    urgency.into_iter().map(Millis).collect()
}

/// When each step ends, counted from the start, if every step begins as soon as it may and takes what is expected.
pub fn ends(plan: &Plan) -> Vec<Millis> {
    let graph = step_graph(&plan.steps);
    let mut phases = vec![Vec::new(); plan.phases.len()];
    for step in in_order(&plan.steps) {
        phases[plan.steps[step.at()].phase.at()].push(step);
    }
    let mut ends = vec![0_u64; plan.steps.len()];
    let mut open = 0;
    for steps in phases {
        for step in &steps {
            let edges = graph.edges_directed(NodeIndex::new(step.at()), Direction::Incoming);
            let waits = edges.map(|edge| ends[edge.source().index()].saturating_add(edge.weight().0)).max();
            let own = if runs(plan, *step) { plan.steps[step.at()].estimate.0 } else { 0 };
            ends[step.at()] = waits.unwrap_or(0).max(open).saturating_add(own);
        }
        open = steps.iter().map(|step| ends[step.at()]).fold(open, u64::max);
    }
    ends.into_iter().map(Millis).collect()
}

/// The steps, each after all that it needs or waits for.
pub fn in_order(steps: &[PlannedStep]) -> Vec<StepIx> {
    let graph = step_graph(steps);
    let order = petgraph::algo::toposort(&graph, None).expect("a plan's steps make no circle");
    order.into_iter().map(|node| graph[node]).collect()
}

/// Does any task of the step run?
pub fn runs(plan: &Plan, step: StepIx) -> bool {
    plan.tasks_of(step).any(|task| plan.tasks[task.at()].left_out.is_none())
}

/// Conduits that some step cuts, and those that only steps that are left out would cut; each once, in file order.
pub fn cuts(plan: &Plan) -> (Vec<&ConduitName>, Vec<&ConduitName>) {
    let (mut cut, mut uncut) = (Vec::new(), Vec::new());
    for (ix, step) in plan.steps.iter().enumerate() {
        let list = if runs(plan, StepIx(ix as u32)) { &mut cut } else { &mut uncut };
        list.extend(&step.severs);
    }
    let mut seen = BTreeSet::new();
    cut.retain(|conduit| seen.insert(*conduit));
    uncut.retain(|conduit| seen.insert(*conduit));
    (cut, uncut)
}

/// The steps that decide how long the run takes, in order.
pub fn critical_path(plan: &Plan) -> Vec<StepIx> {
    let graph = step_graph(&plan.steps);
    let most_urgent = |steps: &mut dyn Iterator<Item = StepIx>| {
        steps
            .filter(|step| runs(plan, *step))
            .max_by_key(|step| (plan.steps[step.at()].urgency, std::cmp::Reverse(*step)))
    };
    let mut path = Vec::new();
    let mut here: Option<StepIx> = None;
    let mut phase = 0;
    while phase < plan.phases.len() {
        // A dependent that stands in a later phase counts only if a wait makes it the longest way on.
        let next = here.and_then(|step| {
            let node = NodeIndex::new(step.at());
            let own = plan.steps[step.at()].estimate.0;
            let rest = plan.steps[step.at()].urgency.0.saturating_sub(own);
            let edges = graph.edges_directed(node, Direction::Outgoing);
            let tight = edges.filter(|edge| {
                edge.weight().0.saturating_add(plan.steps[edge.target().index()].urgency.0) == rest
            });
            most_urgent(&mut tight.map(|edge| graph[edge.target()]))
        });
        match next {
            Some(step) => {
                phase = plan.steps[step.at()].phase.at();
                path.push(step);
                here = Some(step);
            }
            None => {
                let from = if here.is_some() || !path.is_empty() { phase + 1 } else { 0 };
                let starts = (from..plan.phases.len()).find_map(|at| {
                    most_urgent(&mut plan.steps_of(PhaseIx(at as u32))).map(|step| (at, step))
                });
                let Some((at, step)) = starts else { break };
                phase = at;
                path.push(step);
                here = Some(step);
            }
        }
    }
    path
}
