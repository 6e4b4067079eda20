//! The loop of a tabletop: the next thing comes, the engine decides, the world obeys. What is decided is handed out as
//! it is put on record.

use super::chance::Chance;
use super::staging::Staging;
use super::world::World;
use crate::engine::{Engine, Input, Limits, Output, RunState};
use crate::model::event::{Mode, StopHow, Verdict};
use crate::model::names::RunId;
use crate::model::{Event, Time};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A table at which a run is played.
#[derive(Debug)]
pub struct Table {
    engine: Engine,
    world: World,
    wake: Option<Time>,
    over: Option<Verdict>,
    /// What was put on record and not handed out yet.
    records: Vec<(Time, Event)>,
}

/// How a table is opened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Opening {
    /// The run.
    pub run: RunId,
    /// Hash of the plan.
    pub plan: String,
    /// Who opens it.
    pub by: String,
    /// The version of blackstart.
    pub version: String,
    /// When the run begins.
    pub start: Time,
    /// Decides what chance decides.
    pub seed: u64,
    /// Which trial of the seed.
    pub trial: u64,
    /// Jobs at the same time.
    pub jobs_at_once: u32,
    /// Do the scenario's people answer, rather than those at the table?
    pub players_answer: bool,
    /// Is what probes see noted?
    pub tells_probes: bool,
}

/// What became of one turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Something came.
    Went,
    /// Nothing comes any more, and the run is not over: it waits for people.
    Waits,
    /// The run is over.
    Over(Verdict),
}

impl Table {
    /// Opens a table and begins the run.
    pub fn open(staging: Arc<Staging>, opening: &Opening) -> Self {
        let limits = Limits { jobs_at_once: opening.jobs_at_once, attended: true, ..Limits::default() };
        let chance = Chance::new(opening.seed, opening.trial);
        let engine = Engine::new(staging.plan.clone(), limits);
        let mut world = World::new(staging, chance, opening.start, opening.players_answer);
        world.tells_probes = opening.tells_probes;
        let mut table = Self { engine, world, wake: None, over: None, records: Vec::new() };
        table.hear(Input::Begin {
            run: opening.run.clone(),
            plan: opening.plan.clone(),
            mode: Mode::Tabletop,
            by: opening.by.clone(),
            version: opening.version.clone(),
        });
        table
    }

    /// Lets the next thing come, whatever it is.
    pub fn turn(&mut self) -> Turn {
        if let Some(verdict) = &self.over {
            return Turn::Over(verdict.clone());
        }
        match (self.wake, self.world.next_at()) {
            (Some(wake), next) if next.is_none_or(|next| wake <= next) => {
                self.wake = None;
                self.world.now = self.world.now.max(wake);
                self.hear(Input::TimePassed);
            }
            (_, Some(_)) => {
                if let Some(input) = self.world.come() {
                    self.hear(input);
                }
            }
            (None, None) | (Some(_), None) => return Turn::Waits,
        }
        match &self.over {
            Some(verdict) => Turn::Over(verdict.clone()),
            None => Turn::Went,
        }
    }

    /// Plays on to the end. Where people never answer, the run is stopped: it can wait no longer.
    pub fn play(&mut self, told: &mut dyn FnMut(Time, Event)) -> Verdict {
        loop {
            let turn = self.turn();
            self.take_records().into_iter().for_each(|(at, event)| told(at, event));
            match turn {
                Turn::Went => {}
                Turn::Over(verdict) => return verdict,
                Turn::Waits => {
                    self.hear(Input::StopRequested { by: NOBODY.to_owned(), how: StopHow::Cancel })
                }
            }
        }
    }

    /// When the next thing comes, if anything does.
    pub fn next_at(&self) -> Option<Time> {
        self.wake.into_iter().chain(self.world.next_at()).min()
    }

    /// News from those at the table.
    pub fn hear(&mut self, input: Input) {
        self.engine.handle(self.world.now, input);
        while let Some(output) = self.engine.poll() {
            match output {
                Output::Record(at, event) => {
                    self.world.note(&event);
                    self.records.push((at, event));
                }
                Output::Start { job, resolves } => self.world.start(job, resolves, self.engine.state()),
                Output::Fire { step, jobs } => self.world.fire(step, &jobs),
                Output::Release { task } => self.world.release(task),
                Output::Cancel { job } => self.world.cancel(job),
                Output::Ask(question) => self.world.put(question),
                Output::Withdraw(_) => {}
                Output::Wake { at } => self.wake = Some(at),
                Output::Finished(verdict) => self.over = Some(verdict),
                Output::LookBefore => self.world.look_before(),
                Output::LookAfter { probes } => self.world.look_after(probes),
            }
        }
    }

    /// Moves time on to a moment before which nothing comes.
    pub fn pass_time(&mut self, until: Time) {
        let next = self.next_at().unwrap_or(until);
        self.world.now = self.world.now.max(until.min(next));
    }

    /// What was put on record since somebody asked last.
    pub fn take_records(&mut self) -> Vec<(Time, Event)> {
        std::mem::take(&mut self.records)
    }

    /// Where the run stands.
    pub fn state(&self) -> &RunState {
        self.engine.state()
    }
    /// The world.
    pub fn world(&self) -> &World {
        &self.world
    }
    /// How many inputs the engine did not take.
    pub fn refused(&self) -> u64 {
        self.engine.refused()
    }
}

/// Who stops a run that waits for answers which nobody gives.
const NOBODY: &str = "the table, where nobody answers";
