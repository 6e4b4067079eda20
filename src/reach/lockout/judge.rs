//! Looks at every task and every moment of it.

use super::class::Classes;
use super::cuts::{Cuts, reverts};
use super::legs::{Legs, Unknown, wants};
use super::reconnect::Reconnects;
use super::witness::{Culprits, Prefix};
use super::{Finding, Gone, LegEnd, Moment, notes};
use crate::model::names::{HostIx, StepIx, TaskIx};
use crate::plan::Plan;
use crate::reach::bits::Bits;
use crate::reach::site::Site;
use std::collections::{BTreeMap, BTreeSet};

/// Tasks of a class that are looked at one by one: of more, one on the same host and one elsewhere tell for all.
const TELLING_MAX: usize = 8;

/// What was found, without remedies.
#[derive(Debug, Default)]
pub struct Judged {
    /// Lock-outs, in plan order.
    pub findings: Vec<Finding>,
    /// What is worth knowing.
    pub notes: Vec<String>,
    /// What could not be judged.
    pub unjudged: Vec<String>,
}

/// All that the analysis knows of a plan.
pub struct Court<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Its site.
    pub site: Site,
    /// Its tasks, by class.
    pub classes: Classes,
    /// Its cuts.
    pub cuts: Cuts,
    /// What it reconnects.
    pub reconnects: Reconnects,
    /// Its ways.
    pub legs: Legs,
}

/// A stretch that is gone at a moment of some tasks of a class.
struct Loss {
    class: usize,
    tasks: Vec<TaskIx>,
    host: HostIx,
    from: Option<HostIx>,
    to: LegEnd,
}

/// Analyses a plan, up to so many witnesses. Only a witness tells that an undo is not tried after all, so that what has
/// none is taken for a finding.
pub fn judge(plan: &Plan, witnesses_max: usize) -> Judged {
    let site = Site::of(plan);
    let Some(controller) = site.controller else {
        return Judged { unjudged: notes::no_controller(plan, &site), ..Judged::default() };
    };
    let classes = Classes::of(plan);
    let cuts = Cuts::of(plan, &site, &classes);
    let (legs, unknown) = Legs::of(plan, &site, controller);
    let reconnects = Reconnects::of(plan, &site);
    let court = Court { plan, site, classes, cuts, reconnects, legs };
    let mut judged = Judged::default();
    let mut needed = BTreeSet::new();
    let mut lost = BTreeSet::new();
    for step in (0..plan.steps.len() as u32).map(StepIx) {
        court.judge_step(step, witnesses_max, &mut judged.findings, &mut needed, &mut lost);
    }
    judged.unjudged = notes::unjudged(&court, &unknown, &needed);
    judged.notes = notes::notes(&court, &lost);
    judged
}

impl Court<'_> {
    fn judge_step(
        &self,
        step: StepIx,
        witnesses_max: usize,
        findings: &mut Vec<Finding>,
        needed: &mut BTreeSet<HostIx>,
        lost: &mut BTreeSet<(usize, TaskIx)>,
    ) {
        for moment in [Moment::Run, Moment::Verify, Moment::Undo] {
            let Some(wants) = wants(self.plan, step, moment) else { continue };
            let mut losses: BTreeMap<usize, Vec<Loss>> = BTreeMap::new();
            for class in self.classes.of_step(step).filter(|class| self.classes.all[*class].runs) {
                let mut cut = self.cuts.at(self.plan, &self.classes, class, moment);
                self.reconnects.correct(self.plan, &self.classes, &self.cuts, class, moment, &mut cut);
                let gone: Vec<bool> = self.legs.all.iter().map(|stretch| stretch.is_gone(&cut)).collect();
                for task in &self.classes.all[class].tasks {
                    for host in wants.hosts(self.plan, *task) {
                        needed.insert(host);
                        for (stretch, from, to) in &self.legs.ways[host.at()] {
                            if gone[*stretch] && lost.insert((*stretch, *task)) {
                                let of_class = losses.entry(*stretch).or_default();
                                match of_class.last_mut() {
                                    Some(loss) if loss.class == class => loss.tasks.push(*task),
                                    _ => of_class.push(Loss {
                                        class,
                                        tasks: vec![*task],
                                        host,
                                        from: *from,
                                        to: *to,
                                    }),
                                }
                            }
                        }
                    }
                }
            }
            for (stretch, losses) in losses {
                let told = findings.len() < witnesses_max;
                findings.extend(self.finding(step, moment, stretch, losses, told));
            }
        }
    }

    /// One finding of what some tasks of a step lose in common; `None` if no order gets there after all.
    fn finding(
        &self,
        step: StepIx,
        moment: Moment,
        stretch: usize,
        mut losses: Vec<Loss>,
        told: bool,
    ) -> Option<Finding> {
        losses.sort_by_key(|loss| loss.tasks[0]);
        let conduits: Vec<usize> = self.legs.all[stretch].conduits.iter().map(|conduit| conduit.0).collect();
        let mut finding: Option<Finding> = None;
        for loss in losses {
            // Tasks of one class are alike; classes differ only in what must not have run before an undo.
            let witness = match &finding {
                Some(_) if moment != Moment::Undo => None,
                Some(_) | None if !told => None,
                Some(_) | None => match self.witness(loss.class, loss.tasks[0], moment, &conduits) {
                    Some(witness) => Some(witness),
                    None => continue,
                },
            };
            match (&mut finding, witness) {
                (Some(finding), _) => finding.tasks.extend(loss.tasks),
                (none, witness) => {
                    *none = Some(Finding {
                        step,
                        moment,
                        host: loss.host,
                        leg: self.legs.leg(&self.site, stretch, loss.from, loss.to),
                        gone: self.gone(loss.class, moment, &conduits),
                        witness,
                        remedies: Vec::new(),
                        tasks: loss.tasks,
                    });
                }
            }
        }
        if let Some(finding) = &mut finding {
            finding.tasks.sort_unstable();
        }
        finding
    }

    fn gone(&self, class: usize, moment: Moment, conduits: &[usize]) -> Vec<Gone> {
        let cutters = self.cuts.cutters(self.plan, &self.classes, class, moment);
        let steps: BTreeSet<StepIx> = cutters.iter().map(|cutter| self.classes.all[*cutter].step).collect();
        let gone = conduits.iter().map(|conduit| Gone {
            conduit: self.site.conduits[*conduit].name.clone(),
            by: steps.iter().copied().filter(|step| self.cuts.severs(*step, *conduit)).collect(),
        });
        gone.collect()
    }

    fn witness(
        &self,
        class: usize,
        task: TaskIx,
        moment: Moment,
        conduits: &[usize],
    ) -> Option<super::Witness> {
        let prefix = Prefix::new(self.plan, task, moment);
        let cutters = self.cuts.cutters(self.plan, &self.classes, class, moment);
        let culprits: Vec<Culprits> =
            conduits.iter().map(|conduit| self.culprits(task, moment, &cutters, *conduit)).collect();
        prefix.witness(&culprits)
    }

    /// Tasks that may have cut a conduit at a moment of a task: a few of each class tell for all.
    fn culprits(&self, task: TaskIx, moment: Moment, cutters: &[usize], conduit: usize) -> Culprits {
        let own = self.plan.tasks[task.at()].step;
        let phase = self.plan.steps[own.at()].phase;
        let itself = moment != Moment::Run && !reverts(&self.plan.steps[own.at()]);
        if itself && self.cuts.severs(own, conduit) || self.is_closed(task, moment, conduit) {
            return Culprits::Nobody;
        }
        let mut some = Vec::new();
        for cutter in cutters {
            let class = &self.classes.all[*cutter];
            let undone = || {
                self.reconnects.is_reconnected(self.plan, task, conduit, moment, &|step| step == class.step)
            };
            if !self.cuts.severs(class.step, conduit) || undone() {
                continue;
            }
            if self.plan.steps[class.step.at()].phase < phase {
                return Culprits::Nobody;
            }
            let other = |other: &&TaskIx| **other != task;
            if class.tasks.len() <= TELLING_MAX {
                some.extend(class.tasks.iter().filter(other));
                continue;
            }
            let host = self.plan.tasks[task.at()].host;
            let elsewhere = |other: &&TaskIx| self.plan.tasks[other.at()].host != host;
            some.extend(class.tasks.iter().filter(other).find(elsewhere));
            some.extend(class.tasks.iter().filter(other).find(|other| !elsewhere(other)));
        }
        Culprits::Of { tasks: some, reopened: self.reconnects.of_conduit(conduit).is_some() }
    }

    /// Is a conduit that the plan reconnects still closed, or closed again, at a moment of a task?
    fn is_closed(&self, task: TaskIx, moment: Moment, conduit: usize) -> bool {
        self.reconnects.of_conduit(conduit).is_some()
            && !self.reconnects.is_reconnected(self.plan, task, conduit, moment, &|_| false)
    }

    /// Conduits that are cut when the whole plan has run.
    pub fn cut_in_the_end(&self) -> Bits {
        self.cuts.all(&self.classes)
    }
}

/// The hosts and servers whose zone nobody knows, among those that are needed.
pub fn is_needed(unknown: &Unknown, court: &Court<'_>, needed: &BTreeSet<HostIx>) -> bool {
    match unknown {
        Unknown::NameServers => true,
        Unknown::Host(host) => needed.iter().any(|needed| court.site.hosts[needed.at()].hops.contains(host)),
    }
}
