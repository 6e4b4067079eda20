//! Enumerates what the engine permits, set of tasks by set of tasks: every state that some order reaches, forwards and
//! back. Knows the engine's rules (its gates, and what a rollback waits for) and nothing of the analysis.

use super::rules::Key;
use blackstart::model::guard::Otherwise;
use blackstart::model::inventory::Reach;
use blackstart::model::names::{HostName, TaskIx, ZoneName};
use blackstart::model::probe::{Probe, Vantage};
use blackstart::plan::Plan;
use blackstart::plan::frozen::{PlannedAction, PlannedUndo, PlannedVerify};
use blackstart::reach::lockout::{Finding, Moment};
use std::collections::{BTreeMap, BTreeSet};

/// A set of tasks.
type Set = u32;
/// Zones of a stretch: from one into any of some.
type Zones = (ZoneName, Vec<ZoneName>);

struct Rules<'a> {
    plan: &'a Plan,
    /// Tasks that are not left out.
    running: Set,
    /// For each task: what must have ended before it begins.
    waits_for: Vec<Set>,
    /// For each task: what must be gone before it is taken back, left out or not.
    stood_on_by: Vec<Set>,
    /// For each task: conduits that it cuts, as bits over their names.
    cuts: Vec<u64>,
    /// For each conduit that a step reconnects, as a bit: the tasks of that step that run.
    reconnected_by: Vec<(u64, Set)>,
    conduits: Vec<&'a str>,
    /// Stretches that some host is behind, each with the conduits that would all have to be cut.
    stretches: Vec<(Zones, u64)>,
    /// For each task, by moment: stretches that its hosts are behind.
    needs: Vec<[Vec<usize>; 3]>,
}

/// Every stretch of way that some order takes from a task, with the first moment at which one does.
pub fn losses(plan: &Plan) -> BTreeMap<Key, ()> {
    let rules = Rules::of(plan);
    let mut found: BTreeMap<(usize, usize), Moment> = BTreeMap::new();
    let mut see = |task: usize, moment: Moment, cut: u64| {
        for stretch in &rules.needs[task][moment as usize] {
            if rules.stretches[*stretch].1 & !cut == 0 {
                let first = found.entry((task, *stretch)).or_insert(moment);
                *first = (*first).min(moment);
            }
        }
    };
    let mut in_place = Sets::new(plan);
    for state in rules.reachable(rules.start(), None) {
        for task in
            rules.tasks().filter(|task| !has(state.acted, *task) && rules.may_begin(*task, state.acted))
        {
            see(task, Moment::Run, state.cut);
            // What ends between its action and its verify: only what reconnects makes a difference by it.
            let acted = rules.act(state, task, rules.lasting_cut(task));
            let until = if rules.reconnected_by.is_empty() {
                vec![acted]
            } else {
                rules.reachable(acted, Some(task))
            };
            until.iter().for_each(|state| see(task, Moment::Verify, state.cut));
        }
        rules.left_in_place(state.acted, &mut in_place);
    }
    for place in rules.taken_back(in_place) {
        for task in rules.tasks().filter(|task| has(place, *task) && rules.is_free(*task, place)) {
            let others = rules.cut_by(place & !(1 << task));
            // What was reconnected is cut again when things are taken back: nobody relies on it.
            see(task, Moment::Undo, others | rules.lasting_cut(task) | rules.reconnected());
        }
    }
    let key = |((task, stretch), moment): ((usize, usize), Moment)| {
        let (from, to) = rules.stretches[stretch].0.clone();
        (Key { task: TaskIx(task as u32), from, to, moment }, ())
    };
    found.into_iter().map(key).collect()
}

/// What an order of tasks comes to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    /// Tasks whose action is over.
    acted: Set,
    /// Conduits that are cut.
    cut: u64,
    /// Conduits that were cut when a part of the step that reconnects them had run: that step opens them no more.
    spoiled: u64,
}

/// Sets that were seen, in the order in which they were.
struct Sets {
    seen: Vec<bool>,
    all: Vec<Set>,
}

impl Sets {
    fn new(plan: &Plan) -> Self {
        assert!(plan.tasks.len() <= 16, "small plans only");
        Self { seen: vec![false; 1 << plan.tasks.len()], all: Vec::new() }
    }

    fn insert(&mut self, set: Set) {
        if !std::mem::replace(&mut self.seen[set as usize], true) {
            self.all.push(set);
        }
    }
}

/// Is the witness an order that the engine permits, does it end in the lock-out, and can nothing be left out?
pub fn check_witness(plan: &Plan, finding: &Finding) -> Result<(), String> {
    let rules = Rules::of(plan);
    let witness = finding.witness.as_ref().ok_or("there is none")?;
    let order: Vec<usize> = witness.tasks.iter().map(|task| task.at()).collect();
    let task = finding.tasks[0].at();
    let stretch = (finding.leg.from_zone.clone(), finding.leg.to_zones.clone());
    let needs = &rules.needs[task][finding.moment as usize];
    let Some(stretch) = needs.iter().copied().find(|ix| rules.stretches[*ix].0 == stretch) else {
        return Err("nobody needs that stretch then".into());
    };
    rules.ends_in_loss(finding, &order, stretch)?;
    for left_out in 0..order.len() {
        let shorter: Vec<usize> =
            order.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, task)| *task).collect();
        if order[left_out] != task && rules.ends_in_loss(finding, &shorter, stretch).is_ok() {
            return Err(format!("{} can be left out", plan.task_name(TaskIx(order[left_out] as u32))));
        }
    }
    Ok(())
}

impl<'a> Rules<'a> {
    fn of(plan: &'a Plan) -> Self {
        let conduits: Vec<&str> = plan.site.conduits.keys().map(|name| name.as_str()).collect();
        let mut rules = Self {
            plan,
            running: 0,
            waits_for: Vec::new(),
            stood_on_by: vec![0; plan.tasks.len()],
            cuts: Vec::new(),
            reconnected_by: Vec::new(),
            conduits,
            needs: Vec::new(),
            stretches: Vec::new(),
        };
        for (ix, task) in plan.tasks.iter().enumerate() {
            if task.left_out.is_none() {
                rules.running |= 1 << ix;
            }
        }
        for ix in 0..plan.tasks.len() {
            let waits_for = rules.gates(ix);
            rules.waits_for.push(waits_for);
            let severs = &plan.step_of(TaskIx(ix as u32)).severs;
            let cut = severs.iter().map(|name| rules.bit(name.as_str())).fold(0, |all, bit| all | bit);
            rules.cuts.push(cut);
        }
        for (step_ix, step) in plan.steps.iter().enumerate() {
            let of_it = |task: &usize| plan.tasks[*task].step.at() == step_ix;
            let tasks = rules.tasks().filter(of_it).fold(0, |all, task| all | 1 << task);
            for name in &step.reconnects {
                rules
                    .reconnected_by
                    .extend(Some((rules.bit(name.as_str()), tasks)).filter(|(bit, _)| *bit != 0));
            }
        }
        rules.stand();
        let mut known: BTreeMap<Zones, Option<usize>> = BTreeMap::new();
        for task in 0..plan.tasks.len() {
            let mut needs = [const { Vec::new() }; 3];
            for moment in [Moment::Run, Moment::Verify, Moment::Undo] {
                for zones in rules.needed(task, moment) {
                    let ix = *known.entry(zones.clone()).or_insert_with(|| {
                        let all = rules.conduits_of(&zones)?;
                        rules.stretches.push((zones, all));
                        Some(rules.stretches.len() - 1)
                    });
                    needs[moment as usize].extend(ix);
                }
            }
            rules.needs.push(needs);
        }
        rules
    }

    fn tasks(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.plan.tasks.len()).filter(|task| has(self.running, *task))
    }

    fn bit(&self, conduit: &str) -> u64 {
        let survives = self.plan.site.conduits[conduit].out_of_band;
        let at = self.conduits.iter().position(|name| *name == conduit).expect("the plan knows its conduits");
        if survives { 0 } else { 1 << at }
    }

    /// The gates of a task: earlier phases, whole steps, the same host, the waves before.
    fn gates(&self, ix: usize) -> Set {
        let own = &self.plan.tasks[ix];
        let step = &self.plan.steps[own.step.at()];
        let wave = |task: usize| {
            let first = step.first_task.at();
            let mut end = first;
            step.waves.iter().position(|size| {
                end += *size as usize;
                task < end
            })
        };
        let mut gates = 0;
        for (other_ix, other) in self.plan.tasks.iter().enumerate() {
            let other_step = &self.plan.steps[other.step.at()];
            let needed = step
                .needs
                .iter()
                .any(|need| need.step == other.step && (!need.same_host || other.host == own.host));
            let waited = step.after.is_some_and(|after| after.step == other.step);
            let wave_before = other.step == own.step && wave(other_ix) < wave(ix);
            if other_step.phase < step.phase || needed || waited || wave_before {
                gates |= 1 << other_ix;
            }
        }
        gates & self.running
    }

    /// What stands on what: later phases and needs, through whatever is between.
    fn stand(&mut self) {
        let plan = self.plan;
        for (ix, task) in plan.tasks.iter().enumerate() {
            for (above, other) in plan.tasks.iter().enumerate() {
                let other_step = &plan.steps[other.step.at()];
                let needs = other_step
                    .needs
                    .iter()
                    .any(|need| need.step == task.step && (!need.same_host || other.host == task.host));
                if needs || other_step.phase > plan.steps[task.step.at()].phase {
                    self.stood_on_by[ix] |= 1 << above;
                }
            }
        }
        // To the end, however long the chain.
        for _ in 0..plan.tasks.len() {
            for ix in 0..plan.tasks.len() {
                let above = self.stood_on_by[ix];
                for other in (0..plan.tasks.len()).filter(|other| has(above, *other)) {
                    self.stood_on_by[ix] |= self.stood_on_by[other];
                }
            }
        }
    }

    fn may_begin(&self, task: usize, ended: Set) -> bool {
        self.waits_for[task] & !ended == 0
    }

    /// Nothing has run, and what the plan reconnects is closed.
    fn start(&self) -> State {
        State { acted: 0, cut: self.reconnected(), spoiled: 0 }
    }

    fn reconnected(&self) -> u64 {
        self.reconnected_by.iter().fold(0, |all, (conduit, _)| all | conduit)
    }

    /// The action of a task, which cuts these.
    fn act(&self, mut state: State, task: usize, cuts: u64) -> State {
        let before = state.acted;
        state.acted |= 1 << task;
        state.cut |= cuts;
        for (conduit, tasks) in &self.reconnected_by {
            if cuts & conduit != 0 && tasks & before != 0 && tasks & !before != 0 {
                state.spoiled |= conduit;
            }
            let done = *tasks != 0 && tasks & !state.acted == 0;
            if done && has(*tasks, task) && state.spoiled & conduit == 0 {
                state.cut &= !conduit;
            }
        }
        state
    }

    /// Every state that some order leads to; while a task has acted and not ended, nothing begins that waits for it.
    fn reachable(&self, from: State, unended: Option<usize>) -> Vec<State> {
        let mut seen = BTreeSet::from([from]);
        let mut all = vec![from];
        let mut at = 0;
        while let Some(state) = all.get(at).copied() {
            let ended = unended.map_or(state.acted, |task| state.acted & !(1 << task));
            for task in self.tasks().filter(|task| !has(state.acted, *task) && self.may_begin(*task, ended)) {
                let next = self.act(state, task, self.cuts[task]);
                if seen.insert(next) {
                    all.push(next);
                }
            }
            at += 1;
        }
        all
    }

    fn cut_by(&self, tasks: Set) -> u64 {
        (0..self.plan.tasks.len()).filter(|task| has(tasks, *task)).fold(0, |cut, task| cut | self.cuts[task])
    }

    /// What a task has cut and no guard takes back.
    fn lasting_cut(&self, task: usize) -> u64 {
        let guard = self.plan.step_of(TaskIx(task as u32)).guard;
        if guard.is_some_and(|guard| guard.otherwise == Some(Otherwise::Revert)) {
            0
        } else {
            self.cuts[task]
        }
    }

    fn changes(&self, task: usize) -> bool {
        let action = &self.plan.step_of(TaskIx(task as u32)).action;
        matches!(action, PlannedAction::Run(_) | PlannedAction::Upload(_) | PlannedAction::Manual(_))
    }

    fn stays(&self, task: usize) -> bool {
        matches!(self.plan.step_of(TaskIx(task as u32)).undo, PlannedUndo::Impossible(_))
    }

    /// What may be in place when these have ended: what changes something, but for what could not be taken back and
    /// was found to be so already.
    fn left_in_place(&self, ended: Set, found: &mut Sets) {
        let checked = |task: &usize| {
            has(ended, *task) && self.stays(*task) && self.plan.step_of(TaskIx(*task as u32)).check.is_some()
        };
        let already: Vec<usize> = self.tasks().filter(checked).collect();
        let changed = self.tasks().filter(|task| has(ended, *task) && self.changes(*task));
        let changed = changed.fold(0, |all, task| all | 1 << task);
        for choice in 0..1_u32 << already.len() {
            let so = already.iter().enumerate().filter(|(at, _)| choice & 1 << at != 0);
            found.insert(changed & !so.fold(0, |all, (_, task)| all | 1 << task));
        }
    }

    /// Does nothing that is in place stand on it?
    fn is_free(&self, task: usize, place: Set) -> bool {
        self.stood_on_by[task] & place == 0
    }

    /// Every set of what is in place while a rollback goes on that re-opens.
    fn taken_back(&self, mut sets: Sets) -> Vec<Set> {
        let mut at = 0;
        while let Some(place) = sets.all.get(at).copied() {
            for task in self.tasks().filter(|task| has(place, *task)) {
                if self.is_free(task, place) && !self.stays(task) {
                    sets.insert(place & !(1 << task));
                }
            }
            at += 1;
        }
        sets.all
    }

    fn ends_in_loss(&self, finding: &Finding, order: &[usize], stretch: usize) -> Result<(), String> {
        let task = finding.tasks[0].at();
        let earlier = |ix: &usize| {
            self.plan.step_of(TaskIx(*ix as u32)).phase
                < finding.witness.as_ref().expect("it was asked for").phase
        };
        // Earlier phases are over; in which order their tasks came does not matter to a witness.
        let mut starts = vec![self.start()];
        let over = self.tasks().filter(earlier).fold(0, |all, ix| all | 1 << ix);
        if over != 0 {
            starts = self.reachable(self.start(), None);
            starts.retain(|state| state.acted == over);
        }
        let mut ended = over;
        for next in order {
            if has(ended, *next) || !has(self.running, *next) || !self.may_begin(*next, ended) {
                return Err(format!("{} may not begin there", self.plan.task_name(TaskIx(*next as u32))));
            }
            ended |= 1 << next;
        }
        if !has(ended, task) || finding.moment != Moment::Undo && order.last() != Some(&task) {
            return Err("the task is not where it should be".into());
        }
        let others = ended & !(1 << task);
        let lost = |state: &State| self.stretches[stretch].1 & !state.cut == 0;
        let act = |state: State, task: &usize| self.act(state, *task, self.cuts[*task]);
        let before = &order[..order.len() - 1];
        let cut = match finding.moment {
            Moment::Run => {
                let is_lost = starts.iter().any(|start| lost(&before.iter().fold(*start, act)));
                return is_lost.then_some(()).ok_or_else(|| "the stretch stands".into());
            }
            Moment::Verify => {
                // It acts as soon as it may or later, and is verified when all the others have ended.
                let from = (0..=before.len()).filter(|at| {
                    let ended = before[..*at].iter().fold(over, |all, ix| all | 1 << ix);
                    self.may_begin(task, ended)
                });
                let is_lost =
                    from.flat_map(|at| starts.iter().map(move |start| (at, start))).any(|(at, start)| {
                        let state = before[..at].iter().fold(*start, act);
                        let state = self.act(state, task, self.lasting_cut(task));
                        lost(&before[at..].iter().fold(state, act))
                    });
                return is_lost.then_some(()).ok_or_else(|| "the stretch stands".into());
            }
            Moment::Undo => {
                let above = self.stood_on_by[task] & ended;
                let held = |ix: &usize| {
                    has(above, *ix)
                        && self.stays(*ix)
                        && self.changes(*ix)
                        && self.plan.step_of(TaskIx(*ix as u32)).check.is_none()
                };
                if self.tasks().any(|ix| held(&ix)) {
                    return Err("it is held and never taken back".into());
                }
                self.cut_by(others & !above) | self.lasting_cut(task) | self.reconnected()
            }
        };
        match self.stretches[stretch].1 & !cut {
            0 => Ok(()),
            _ => Err("the stretch stands".into()),
        }
    }

    /// The stretches that a task is behind at a moment.
    fn needed(&self, task: usize, moment: Moment) -> BTreeSet<Zones> {
        let step = self.plan.step_of(TaskIx(task as u32));
        let own = self.plan.host_of(TaskIx(task as u32)).map(|host| host.name.clone());
        let from = |probe: &Probe| match &probe.from {
            Some(Vantage::Host(name)) => Some(name.clone()),
            Some(Vantage::Task) => own.clone(),
            Some(Vantage::Controller) | None => None,
        };
        let mut hosts: Vec<HostName> = Vec::new();
        match moment {
            Moment::Run => {
                match &step.action {
                    PlannedAction::Manual(_) | PlannedAction::Wait(_) => {}
                    PlannedAction::Probe(probe) => hosts.extend(from(probe)),
                    _ => hosts.extend(own.clone()),
                }
                if step.check.is_some() || step.snapshot.is_some() || step.guard.is_some() {
                    hosts.extend(own.clone());
                }
            }
            Moment::Verify => {
                if matches!(step.action, PlannedAction::Run(_) | PlannedAction::Upload(_))
                    || step.guard.is_some()
                {
                    hosts.extend(own.clone());
                }
                for verify in &step.verify {
                    match verify {
                        PlannedVerify::Script(_) => hosts.extend(own.clone()),
                        PlannedVerify::Probe(probe) => hosts.extend(from(probe)),
                    }
                }
                let watched = step.watch.iter().flat_map(|watch| &watch.probes);
                hosts.extend(watched.filter_map(from));
            }
            Moment::Undo => {
                if matches!(step.undo, PlannedUndo::By(_)) && self.changes(task) {
                    hosts.extend(own.clone());
                }
            }
        }
        hosts.iter().flat_map(|host| self.way(host)).collect()
    }

    /// The stretches from the controller to a host, through its jump hosts; those inside a zone are none.
    fn way(&self, host: &HostName) -> Vec<Zones> {
        let find =
            |name: &HostName| self.plan.hosts.iter().find(|host| host.name == *name).expect("it is there");
        let controller = self.plan.site.controller.clone().expect("the controller stands somewhere");
        let mut chain = vec![find(host)];
        while let Reach::Ssh(ssh) = &chain[chain.len() - 1].reach
            && let Some(jump) = &ssh.jump
        {
            chain.push(find(jump));
        }
        let first = chain[chain.len() - 1];
        let Reach::Ssh(ssh) = &first.reach else { return Vec::new() };
        let mut way = Vec::new();
        if ssh.address.ends_with(".example") && !self.plan.site.name_servers.is_empty() {
            let zone = |name: &HostName| match self.plan.site.hosts.get(name) {
                Some(zone) => zone.clone(),
                None => find(name).zone.clone().expect("a zone"),
            };
            let zones = self.plan.site.name_servers.iter().map(zone);
            way.push((controller.clone(), zones.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()));
        }
        let mut at = controller;
        for hop in chain.iter().rev() {
            let next = hop.zone.clone().expect("hosts stand somewhere");
            way.push((at, vec![next.clone()]));
            at = next;
        }
        way.retain(|(from, to)| !to.contains(from));
        way
    }

    fn conduits_of(&self, (from, to): &Zones) -> Option<u64> {
        let leads = |a: &ZoneName, b: &ZoneName| a == from && to.contains(b);
        let mut all = 0;
        for (name, conduit) in &self.plan.site.conduits {
            let there = leads(&conduit.from, &conduit.to);
            let back = conduit.both_ways && leads(&conduit.to, &conduit.from);
            if there || back {
                if conduit.out_of_band {
                    return None;
                }
                all |= self.bit(name.as_str());
            }
        }
        Some(all)
    }
}

fn has(set: Set, task: usize) -> bool {
    set & 1 << task != 0
}
