//! A scenario: how long things take at a tabletop, what goes wrong there, and what the players are told.

use super::names::{PhaseId, StepId};
use super::place::Located;
use super::question::Choice;
use super::time::Millis;

/// A scenario as its author wrote it, checked in itself but not yet against a runbook.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// What it is about, in a sentence.
    pub summary: Option<String>,
    /// Earlier runs whose journals say how long steps and answers take.
    pub learnt: Vec<Located<String>>,
    /// How long the action of a step takes on each host; takes the place of what is learnt and estimated.
    pub durations: Vec<(Located<StepId>, Spread)>,
    /// The players, in file order.
    pub people: Vec<Person>,
    /// What is answered when a step of a phase failed and its policy is `ask`.
    pub decisions: Vec<(Located<PhaseId>, Choice)>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What the players are told, and when.
    pub injects: Vec<Inject>,
}

/// How long something takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spread {
    /// So long.
    Always(Millis),
    /// Anything from the first to the second, each as likely as the other.
    Between(Millis, Millis),
    /// Anything from the first to the third, the second being the likeliest: a triangle.
    Mostly(Millis, Millis, Millis),
    /// One of these, which were measured. Never empty.
    OneOf(Vec<Millis>),
}

/// A player: somebody who answers questions.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// What they are called in answers.
    pub name: String,
    /// Steps whose questions they answer; none: those of all steps.
    pub answers: Vec<Located<StepId>>,
    /// How long they take; `None`: as long as the plan expects.
    pub takes: Option<Spread>,
    /// Steps that they refuse.
    pub refuses: Vec<Located<StepId>>,
}

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// A part of a step does.
    Step {
        /// Which part.
        part: Part,
        /// The step.
        step: Located<StepId>,
        /// A pattern of hosts; `None`: all hosts of the step.
        on: Option<Located<String>>,
        /// How often on each host, from the first try; `None`: always.
        times: Option<u32>,
    },
    /// Hosts do not answer.
    Unreachable {
        /// A pattern.
        hosts: Located<String>,
        /// From so long after the start …
        from: Millis,
        /// … to so long after it; `None`: for good.
        until: Option<Millis>,
    },
}

/// Which part of a step goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Its action fails.
    Action,
    /// Its undo fails.
    Undo,
    /// The link is lost while its action runs: it ends on the host, and nobody sees it.
    Link,
}

/// Something that the players are told.
#[derive(Debug, Clone, PartialEq)]
pub struct Inject {
    /// When.
    pub when: When,
    /// So long after that.
    pub wait: Millis,
    /// What.
    pub text: String,
}

/// What a message waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// The start of the run.
    Start,
    /// The end of a phase, well or not.
    Phase(Located<PhaseId>),
    /// The end of a step, well or not.
    Step(Located<StepId>),
}

impl Spread {
    /// The same, half as long.
    pub fn halved(&self) -> Self {
        let half = |length: &Millis| Millis(length.0 / 2);
        match self {
            Spread::Always(length) => Spread::Always(half(length)),
            Spread::Between(from, to) => Spread::Between(half(from), half(to)),
            Spread::Mostly(from, mostly, to) => Spread::Mostly(half(from), half(mostly), half(to)),
            Spread::OneOf(all) => Spread::OneOf(all.iter().map(half).collect()),
        }
    }

    /// May it come out in more than one way?
    pub fn varies(&self) -> bool {
        match self {
            Spread::Always(_) => false,
            Spread::Between(from, to) | Spread::Mostly(from, _, to) => from != to,
            Spread::OneOf(all) => all.iter().any(|one| *one != all[0]),
        }
    }
}
