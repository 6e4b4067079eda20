//! The loop that looks at everything an event touched, until nothing is left to decide at this moment.

use super::forward::{self, Next};
use super::gate::{self, Gate};
use super::guard::Guarding;
use super::io::Output;
use super::policy::Halt;
use super::run::Engine;
use super::standing::{Found, Standing};
use super::state::Status;
use super::task::Stage;
use super::undo;
use crate::model::Event;
use crate::model::event::{JobKind, NotRun, TaskEnd};
use crate::model::names::{StepIx, TaskIx};

impl Engine {
    pub(super) fn settle(&mut self) {
        loop {
            self.queues.pass_time(self.now);
            if let Some(task) = self.queues.tasks.pop_front() {
                self.decide(task);
            } else if let Some(step) = self.queues.steps.pop_first() {
                self.decide_step(step);
            } else if let Some(step) = self.queues.waves.pop_first() {
                self.open_wave(step);
            } else if let Some(found) = self.next_to_take_back() {
                self.take_back(found);
            } else if !self.react() && !self.start_ready() && !self.conclude() {
                break;
            }
        }
        self.order_wake();
    }

    fn decide(&mut self, ix: TaskIx) {
        match self.state.status {
            Status::New | Status::Ended(_) => {}
            Status::Running | Status::RollingBack { .. } => match self.state.task(ix).end {
                None => self.decide_forward(ix),
                Some(_) => self.decide_undo(ix),
            },
        }
    }

    fn decide_forward(&mut self, ix: TaskIx) {
        if !self.state.is_its_turn(ix) || !self.state.task(ix).is_begun() && !self.pass_gates(ix) {
            return;
        }
        let halted = self.state.halt() != Halt::No;
        match forward::next(&self.state, ix, self.now) {
            Next::Start(kind) if self.may_start(ix, kind) => self.make_ready(ix),
            Next::Retry(kind, at) if self.may_start(ix, kind) => {
                self.record(Event::RetryPlanned { task: ix, kind, at });
            }
            Next::Wait(until) if !halted => self.record(Event::WaitStarted { task: ix, until }),
            Next::Ask(question) if !halted => self.ask(question),
            Next::Fire if !halted => {
                self.queues.steps.insert(self.state.step_of(ix));
            }
            Next::End(end) => self.record(Event::TaskEnded { task: ix, end }),
            Next::Later(at) if !halted || self.is_followed(ix) => {
                self.queues.clocks.insert((at, ix));
            }
            Next::Nothing => {}
            Next::Start(_) | Next::Retry(..) | Next::Wait(_) | Next::Ask(_) | Next::Fire | Next::Later(_) => {
                self.cut_short(ix)
            }
        }
    }

    /// Something was begun that must not go on. In a rollback it is settled; a stopped run leaves it for a resume.
    fn cut_short(&mut self, ix: TaskIx) {
        let rolling_back = matches!(self.state.status, Status::RollingBack { .. });
        if rolling_back && self.state.halt() != Halt::Hard {
            let end = forward::cut_short(&self.state, ix);
            self.record(Event::TaskEnded { task: ix, end });
        }
    }

    fn decide_undo(&mut self, ix: TaskIx) {
        let free = self.standing.as_ref().is_some_and(|standing| standing.is_free(ix));
        let now = free || self.is_heard_first(ix);
        if !now || self.state.task(ix).undo.is_some() {
            return;
        }
        match undo::next(&self.state, ix, self.now) {
            Next::Start(kind) if self.may_start(ix, kind) => self.make_ready(ix),
            Next::Retry(kind, at) if self.may_start(ix, kind) => {
                self.record(Event::RetryPlanned { task: ix, kind, at });
            }
            Next::Ask(question) if self.state.stop.is_none() => self.ask(question),
            Next::End(end) => self.record(Event::UndoEnded { task: ix, end }),
            Next::Later(at) => {
                self.queues.clocks.insert((at, ix));
            }
            Next::Start(_) | Next::Retry(..) | Next::Ask(_) | Next::Wait(_) | Next::Fire | Next::Nothing => {}
        }
    }

    /// Must the guard of this task be heard before anything is decided about its undo? Whatever stands on it.
    fn is_heard_first(&self, ix: TaskIx) -> bool {
        let begun = self.state.task(ix).stage != Stage::Idle;
        let in_scope = |standing: &Standing| standing.holds_scope(self.state.step_of(ix));
        self.standing.as_ref().is_some_and(in_scope)
            && self.state.guard(ix).is_some_and(Guarding::is_armed)
            && (begun || self.state.is_to_be_taken_back(ix))
    }

    fn may_start(&self, ix: TaskIx, kind: JobKind) -> bool {
        self.state.may_start(kind, self.state.task(ix).unknown.is_some())
    }

    /// Does a clock of this task run even though nothing new may start?
    pub(super) fn is_followed(&self, ix: TaskIx) -> bool {
        matches!(self.state.task(ix).stage, Stage::Retry { kind, .. } if self.may_start(ix, kind))
    }

    /// May a task that has not begun do so? Records why not if it never will, asks if people must consent.
    fn pass_gates(&mut self, ix: TaskIx) -> bool {
        let step = self.state.step_of(ix);
        let of_step = gate::of_step(&self.state, step, self.now);
        match &of_step {
            Gate::Shut => return false,
            Gate::Never(_) => {
                self.queues.steps.insert(step);
                return false;
            }
            Gate::Open | Gate::Later(_) | Gate::Ask(_) | Gate::Lapsed(_) => {}
        }
        match gate::of_task(&self.state, ix) {
            Gate::Never(because) => {
                self.record(Event::TaskEnded { task: ix, end: TaskEnd::NotRun { because } });
                return false;
            }
            Gate::Open => {}
            Gate::Shut | Gate::Later(_) | Gate::Ask(_) | Gate::Lapsed(_) => return false,
        }
        match of_step {
            Gate::Open => true,
            Gate::Later(at) => {
                self.queues.step_clocks.insert(step, at);
                false
            }
            Gate::Ask(question) => {
                self.ask(question);
                false
            }
            Gate::Lapsed(_) => {
                self.let_lapse(step);
                false
            }
            Gate::Shut | Gate::Never(_) => false,
        }
    }

    /// Are all gates of a task open, or has it begun? Records nothing.
    fn is_through(&self, ix: TaskIx) -> bool {
        let step = self.state.step_of(ix);
        self.state.task(ix).is_begun()
            || gate::of_step(&self.state, step, self.now) == Gate::Open
                && gate::of_task(&self.state, ix) == Gate::Open
    }

    /// Looks again at a task whose gates were open and that could not start at once: time may have closed them. Did it?
    pub(super) fn look_again(&mut self, ix: TaskIx) -> bool {
        let step = self.state.step_of(ix);
        let waits = self.state.task(ix).end.is_none() && !self.state.task(ix).is_begun();
        let closed = match gate::of_step(&self.state, step, self.now) {
            Gate::Never(_) | Gate::Lapsed(_) | Gate::Ask(_) => waits,
            Gate::Open | Gate::Shut | Gate::Later(_) => false,
        };
        if closed {
            self.queues.waves.insert(step);
        }
        closed
    }

    fn decide_step(&mut self, ix: StepIx) {
        if self.state.step(ix).staged > 0 && self.state.status == Status::Running {
            self.muster(ix);
        }
        let step = self.state.step(ix);
        if self.state.need_live().is_err() || step.is_over() {
            return;
        }
        let counts = step.counts();
        if counts.open() == 0 {
            let well = self.state.is_in_effect(ix);
            self.record(Event::StepEnded { step: ix, well, failures: counts.failed });
        } else if counts.waiting > 0
            && let Gate::Never(because) = gate::of_step(&self.state, ix, self.now)
        {
            self.record(Event::StepNotRun { step: ix, because });
        }
    }

    fn open_wave(&mut self, ix: StepIx) {
        match gate::of_step(&self.state, ix, self.now) {
            Gate::Shut => {}
            Gate::Never(_) => {
                self.queues.steps.insert(ix);
            }
            Gate::Open | Gate::Later(_) | Gate::Ask(_) | Gate::Lapsed(_) => match self.none_can_run(ix) {
                Some(because) => self.record(Event::StepNotRun { step: ix, because }),
                None => {
                    let tasks = self.web.wave(ix, self.state.step(ix).wave());
                    let waiting = tasks.filter(|task| {
                        let task = self.state.task(*task);
                        task.end.is_none() && !task.is_begun()
                    });
                    self.queues.tasks.extend(waiting);
                }
            },
        }
    }

    /// One event for a step none of whose tasks can run, because a step that none of them can do without did not.
    fn none_can_run(&self, ix: StepIx) -> Option<NotRun> {
        let plan = &self.state.plan;
        let did_not_run = |step: &StepIx| {
            let counts = self.state.step(*step).counts();
            self.state.step(*step).is_over() && counts.done + counts.already_so + counts.left_out == 0
        };
        let needs = plan.steps[ix.at()].needs.iter().filter(|need| need.same_host).map(|need| need.step);
        let needed = needs.into_iter().find(did_not_run)?;
        let without = |task: &TaskIx| plan.task_on(needed, plan.tasks[task.at()].host).is_some();
        let mut open = plan.tasks_of(ix).filter(|task| self.state.task(*task).end.is_none());
        let all = self.state.step(ix).counts().begun == 0 && open.all(|task| without(&task));
        (all && self.state.step(ix).counts().waiting > 0).then_some(NotRun::NeedFailed { step: needed })
    }

    fn next_to_take_back(&mut self) -> Option<Found> {
        self.standing.as_mut()?.next(&self.state, &self.web)
    }

    fn take_back(&mut self, found: Found) {
        match found {
            Found::Settled(task, end) => self.record(Event::UndoEnded { task, end }),
            Found::Free(task) | Found::Guarded(task) => self.queues.tasks.push_back(task),
        }
    }

    /// What a task wants to start, if it may.
    pub(super) fn wanted(&self, ix: TaskIx) -> Option<JobKind> {
        let task = self.state.task(ix);
        let kind = match task.end {
            None if self.state.is_its_turn(ix) && self.is_through(ix) => {
                match forward::next(&self.state, ix, self.now) {
                    Next::Start(kind) => kind,
                    _ => return None,
                }
            }
            Some(_) if task.undo.is_none() && self.standing.is_some() => {
                match undo::next(&self.state, ix, self.now) {
                    Next::Start(kind) => kind,
                    _ => return None,
                }
            }
            None | Some(_) => return None,
        };
        self.may_start(ix, kind).then_some(kind)
    }

    fn order_wake(&mut self) {
        if let Some(at) = self.queues.next_clock()
            && self.wake != Some(at)
        {
            self.wake = Some(at);
            self.order(Output::Wake { at });
        }
    }
}
