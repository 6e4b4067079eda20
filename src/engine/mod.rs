//! Decides what may start, what must be taken back and when a run is over. Never waits, never reads a
//! clock, never touches the world: news in ([`Input`]), orders out ([`Output`]).
//!
//! A decision is made by creating an event. [`RunState::apply`] adds it to the run, and nothing else changes a
//! run; the event is ordered onto disk ([`Output::Record`]) before the orders that follow from it.

pub mod io;

// What a run is.
pub mod progress;
pub mod proofs;
pub mod services;
pub mod guard;
pub mod state;
pub mod task;

// How events change it.
mod apply;
mod apply_answer;
mod apply_firing;
mod apply_guard;
mod apply_job;
mod apply_resume;
mod apply_step;
mod apply_task;
mod consent;

// What it wants next. Pure functions of the run.
pub mod bounds;
mod firing;
mod forward;
mod gate;
mod policy;
mod resolve;
pub mod scope;
mod standing;
mod undo;

// The engine: looks at what an event touched, decides, orders.
mod conclude;
mod decide;
mod last_look;
mod news;
mod notice;
mod queues;
pub mod run;
mod schedule;
mod web;

pub use guard::{GuardStand, Guarding};
pub use io::{Input, Limits, Output};
pub use progress::{Approval, Counts, PhaseState, PhaseStatus, Salvo, StepState, StepStatus};
pub use proofs::{After, Proof, Proofs};
pub use run::Engine;
pub use state::{AcceptedRisk, Illegal, RunState, Status};
pub use task::{Stage, TaskState};
