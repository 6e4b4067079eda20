//! Carries one seed through: a random plan, a random world, crashes at random records, resumes, to an end.

use super::check::{Checker, require};
use super::check_begin::nothing_forgotten;
use super::check_looks::LooksLast;
use super::check_proof;
use super::plans;
use super::rng::Rng;
use super::tally::Tally;
use super::world::{Coming, World};
use super::world_guard::Asks;
use blackstart::engine::{Engine, GuardStand, Input, Limits, Output, RunState};
use blackstart::model::Time;
use blackstart::model::event::{Event, Job, JobKind, Mode, StopReason, Verdict};
use blackstart::model::names::{RunId, TaskIx};
use blackstart::model::question::Question;
use blackstart::plan::Plan;
use std::sync::Arc;

/// After so many processes the world turns calm: whatever is left must come to an end then.
const ROUGH_EPOCHS: u32 = 5;
/// A calm run needs a resume for each phase that stops, and a few for people.
const EPOCHS_MAX: u32 = 20;
/// Orders that one piece of news may lead to, for each task of the plan: more is a loop.
const ORDERS_PER_TASK_MAX: usize = 12;
/// News that one process takes in: more is a run that never ends.
const NEWS_MAX: usize = 3_000;

pub struct Sim {
    pub(super) plan: Arc<Plan>,
    pub(super) limits: Limits,
    pub(super) world: World,
    pub(super) check: Checker,
    pub(super) journal: Vec<(Time, Event)>,
    /// Recorded, and no later order was carried out: a crash may lose these, last ones first.
    pending: Vec<(Time, Event)>,
    /// The crash came between a decision and its record.
    dropped: bool,
    /// Orders until the next crash.
    fuse: Option<u64>,
    wake: Option<Time>,
    pub(super) finished: Option<Verdict>,
    /// A look before the first cut was ordered in this process.
    looking: bool,
    pub(super) looks_last: LooksLast,
    pub(super) asked: Vec<Question>,
    pub(super) mode: Mode,
    pub tally: Tally,
    pub tell: bool,
}

enum Halted {
    Crashed,
    Ended(Verdict),
}

pub fn run(seed: u64, tell: bool) -> Result<Tally, String> {
    let mut rng = Rng::new(seed);
    let plan = plans::random(&mut rng);
    let limits = Limits {
        jobs_at_once: rng.between(1, 6) as u32,
        jobs_per_jump_host: rng.between(1, 2) as u32,
        attended: rng.percent(60),
    };
    let mode = *rng.pick(&[Mode::Live, Mode::Live, Mode::Drill]);
    if tell {
        println!("seed {seed}\n{limits:?} {mode:?}\n{plan:#?}");
    }
    let mut sim = Sim {
        check: Checker::new(plan.clone(), limits),
        world: World::new(plan.clone(), rng),
        plan,
        limits,
        journal: Vec::new(),
        pending: Vec::new(),
        dropped: false,
        fuse: None,
        wake: None,
        finished: None,
        looking: false,
        looks_last: LooksLast::NotYet,
        asked: Vec::new(),
        mode,
        tally: Tally::default(),
        tell,
    };
    sim.world.drill = mode == Mode::Drill;
    sim.run_to_the_end()?;
    Ok(sim.tally)
}

impl Sim {
    fn run_to_the_end(&mut self) -> Result<(), String> {
        self.disturb();
        let mut engine = Engine::new(self.plan.clone(), self.limits);
        let mut first = Some(Input::Begin {
            run: RunId("00".into()),
            plan: "hash".into(),
            mode: self.mode,
            by: "ann".into(),
            version: "0".into(),
        });
        if self.world.rng.percent(5) {
            let (by, because) = ("ann".into(), "the console is manned".into());
            engine.handle(self.world.now, Input::RiskAccepted { what: "a lock-out".into(), by, because });
        }
        let mut rollbacks = 0;
        loop {
            self.world.next_epoch();
            self.world.calm |= self.world.epoch > ROUGH_EPOCHS;
            require(self.world.epoch < EPOCHS_MAX, || "the run never comes to an end".into())?;
            self.fuse = (!self.world.calm && self.world.rng.percent(45)).then(|| self.world.rng.below(80));
            let end = self.one_process(&mut engine, first.take())?;
            self.tally.note(if self.world.calm { "epochs calm" } else { "epochs rough" });
            engine = self.restore(&mut engine, matches!(end, Halted::Crashed))?;
            first = match end {
                Halted::Crashed => {
                    self.tally.note("crashed");
                    Some(self.after_crash())
                }
                Halted::Ended(verdict) => {
                    self.is_true(engine.state(), &verdict)?;
                    match self.after_end(&engine, &verdict, &mut rollbacks) {
                        Some(input) => Some(input),
                        None => return Ok(()),
                    }
                }
            };
            if !self.limits.attended && self.world.rng.percent(50) {
                self.answer_between(&mut engine)?;
            }
            engine = self.reopen()?;
        }
    }

    fn reopen(&self) -> Result<Engine, String> {
        Engine::restore(self.plan.clone(), self.limits, self.journal.clone())
            .map_err(|illegal| illegal.to_string())
    }

    fn resume(&self) -> Input {
        Input::Resume { by: "ann".into(), version: "0".into() }
    }

    fn after_crash(&mut self) -> Input {
        match self.journal.is_empty() {
            true => Input::Begin {
                run: RunId("00".into()),
                plan: "hash".into(),
                mode: self.mode,
                by: "ann".into(),
                version: "0".into(),
            },
            false if !self.world.calm && self.world.rng.percent(8) => self.rollback_request(),
            false => self.resume(),
        }
    }

    fn after_end(&mut self, engine: &Engine, verdict: &Verdict, rollbacks: &mut u32) -> Option<Input> {
        match verdict {
            Verdict::Completed | Verdict::RolledBack | Verdict::Stuck => {
                let again = *rollbacks < 2 && self.world.rng.percent(30);
                *rollbacks += 1;
                if !again && *verdict == Verdict::Stuck && engine.state().abandoned_by().is_none() {
                    return Some(Input::Abandoned { by: "op".into(), comment: "mended by hand".into() });
                }
                if again && self.world.rng.percent(30) {
                    // Somebody changes their mind while it is under way.
                    let (input, after) = (self.rollback_request(), self.world.rng.below(20_000));
                    self.world.later(after, Coming::Person(input));
                }
                again.then(|| self.rollback_request())
            }
            Verdict::Stopped { .. } | Verdict::Refused { .. } => {
                if self.world.calm && self.check.is_too_late(self.world.now) {
                    return Some(self.rollback_request());
                } else if self.world.calm {
                    self.limits.attended = true;
                } else if self.world.rng.percent(10) {
                    return Some(self.rollback_request());
                }
                Some(self.resume())
            }
        }
    }

    /// What a crash leaves: what was on disk, perhaps a little more. The run must add up to the same again.
    fn restore(&mut self, engine: &mut Engine, crashed: bool) -> Result<Engine, String> {
        let keep = match crashed {
            true => self.world.rng.below(self.pending.len() as u64 + 1) as usize,
            false => self.pending.len(),
        };
        let unwritten =
            std::iter::from_fn(|| engine.poll()).filter(|output| matches!(output, Output::Record(..)));
        let lost =
            self.pending.len() - keep + unwritten.count() + usize::from(std::mem::take(&mut self.dropped));
        self.journal.extend(self.pending.drain(..keep));
        self.pending.clear();
        let restored = self.reopen()?;
        if lost == 0 {
            let same = restored.state() == engine.state();
            require(same, || "the journal does not add up to the run".into())?;
        } else {
            self.tally.note("records lost");
        }
        let mut check = Checker::new(self.plan.clone(), self.limits);
        check.requested = self.check.requested.clone();
        for (at, event) in &self.journal {
            check.see(*at, event)?;
        }
        self.check = check;
        Ok(restored)
    }

    fn one_process(&mut self, engine: &mut Engine, first: Option<Input>) -> Result<Halted, String> {
        (self.wake, self.finished, self.looking) = (None, None, false);
        self.looks_last = LooksLast::NotYet;
        self.world.watch_services();
        if let Some(input) = first {
            let abandons = matches!(input, Input::Abandoned { .. });
            if self.news(engine, input, false)? {
                return Ok(Halted::Crashed);
            }
            if abandons {
                let left = engine.state().needs_a_person();
                require(left.is_empty() && engine.state().abandoned_by().is_some(), || "abandoned".into())?;
            }
        }
        for _ in 0..NEWS_MAX {
            if let Some(verdict) = self.finished.take() {
                return Ok(Halted::Ended(verdict));
            }
            let next = self.world.next_at();
            let crashed = match (self.wake, next) {
                (Some(wake), next) if next.is_none_or(|next| wake <= next) => self.wake_up(engine, wake)?,
                (_, Some(_)) => self.next_coming(engine)?,
                (None, None) | (Some(_), None) => {
                    self.ask_again(engine)?;
                    false
                }
            };
            if crashed {
                return Ok(Halted::Crashed);
            }
        }
        Err("the process takes news for ever".into())
    }

    fn wake_up(&mut self, engine: &mut Engine, wake: Time) -> Result<bool, String> {
        self.wake = None;
        let early = u64::from(self.world.rng.percent(5));
        self.world.now = self.world.now.max(Time(wake.0 - early));
        self.news(engine, Input::TimePassed, false)
    }

    fn next_coming(&mut self, engine: &mut Engine) -> Result<bool, String> {
        let coming = self.world.pop().expect("something is coming");
        let Some((epoch, input)) = self.world.arrives(coming)? else { return Ok(false) };
        let late = epoch != self.world.epoch;
        // A look carries no attempt number: it goes with the process that ordered it.
        let goes_with_it = matches!(input, Input::Baseline { .. } | Input::LookedAfter { .. });
        if late && (goes_with_it || !self.world.rng.percent(30)) {
            return Ok(false);
        }
        let once = matches!(input, Input::TimePassed | Input::LookedAfter { .. });
        let twice = self.world.rng.percent(3) && !once;
        let again = twice.then(|| input.clone());
        if self.news(engine, input, late)? {
            return Ok(true);
        }
        match again {
            Some(input) if self.finished.is_none() => {
                let late = matches!(input, Input::JobEnded { .. } | Input::ReceiptRead { .. });
                self.news(engine, input, late)
            }
            Some(_) | None => Ok(false),
        }
    }

    /// Hands news over and carries the orders out. Did the process crash meanwhile?
    fn news(&mut self, engine: &mut Engine, input: Input, late: bool) -> Result<bool, String> {
        if self.tell {
            println!("{:>9} <- {input:?}{}", self.world.now.0 - 1_000_000, if late { " (late)" } else { "" });
        }
        let refused = engine.refused();
        let looked = matches!(input, Input::LookedAfter { .. });
        engine.handle(self.world.now, input);
        if looked {
            self.looked_last(engine.refused() == refused)?;
        }
        if late {
            self.tally.note("late answers");
            require(engine.refused() > refused, || "a late answer was taken".into())?;
        }
        let most = ORDERS_PER_TASK_MAX * self.plan.tasks.len() + 40;
        for _ in 0..most {
            let Some(output) = engine.poll() else {
                nothing_forgotten(&self.check, self.world.now)?;
                self.nobody_lies_ready_in_vain()?;
                self.nobody_is_kept()?;
                return Ok(false);
            };
            require(!late, || format!("a late answer led to {output:?}"))?;
            if self.tell {
                println!("{:>9}    {output:?}", "");
            }
            if self.burns_down() {
                self.dropped = matches!(output, Output::Record(..));
                return Ok(true);
            }
            self.carry_out(output, engine.state())?;
            if self.burns_down() {
                return Ok(true);
            }
        }
        Err(format!("one piece of news led to more than {most} orders"))
    }

    /// Every script that lies ready belongs to a task that waits to be fired.
    fn nobody_lies_ready_in_vain(&self) -> Result<(), String> {
        let waits = |task: &TaskIx| self.check.tasks[task.at()].staged;
        let forgotten = self.world.staged.iter().find(|task| !waits(task));
        require(forgotten.is_none() || self.finished.is_some(), || {
            format!("the script of {forgotten:?} lies ready, and nobody wants it")
        })?;
        // Whatever only waits has nothing to wait for once things are taken back.
        let waits = |job: &&Job| matches!(job.kind, JobKind::Watch | JobKind::Stage);
        let goes_on = self.check.running.iter().filter(waits).find(|job| !self.world.cancelled.contains(job));
        require(self.check.rollback.is_none() || goes_on.is_none(), || {
            format!("{goes_on:?} goes on in a rollback")
        })
    }

    fn burns_down(&mut self) -> bool {
        match &mut self.fuse {
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        }
    }

    fn carry_out(&mut self, output: Output, state: &RunState) -> Result<(), String> {
        require(self.finished.is_none(), || format!("after the end came {output:?}"))?;
        if let Output::Record(at, event) = output {
            require(at == self.world.now, || format!("{event:?} is dated {at}"))?;
            self.seen(at, &event)?;
            self.pending.push((at, event));
            return Ok(());
        }
        self.journal.append(&mut self.pending);
        match output {
            Output::Record(..) => unreachable!("it was handled above"),
            Output::Start { job, resolves } => {
                let newest =
                    self.journal.iter().rev().take(1).any(|(_, event)| *event == Event::JobStarted { job });
                require(newest, || format!("{job:?} is ordered and not the newest on record"))?;
                let stand = state.guard(job.task).map(|guard| &guard.stand);
                let late = matches!(stand, Some(GuardStand::Expired | GuardStand::Lost));
                let run = state.task(job.task).attempts(JobKind::Run) + 1;
                let last = state.is_last_confirmation(job.task, self.world.now);
                self.world.start(job, resolves, Asks { last, late, run })
            }
            Output::Fire { step, jobs } => {
                let newest = self
                    .journal
                    .last()
                    .is_some_and(|(_, event)| *event == Event::Firing { step, jobs: jobs.clone() });
                require(newest, || format!("{jobs:?} are fired and not the newest on record"))?;
                self.world.fire(step, &jobs)
            }
            Output::Release { task } => {
                let lay = self.world.staged.remove(&task) || self.world.lost.remove(&task);
                require(lay, || format!("{task:?} is released, and nothing of it lies ready"))
            }
            Output::Cancel { job } => {
                require(self.check.running.contains(&job), || {
                    format!("{job:?} is cancelled and does not run")
                })?;
                self.world.cancel(job);
                Ok(())
            }
            Output::Ask(question) => {
                let open = self.check.questions.contains(&question);
                require(open, || format!("{question:?} is put to people and not on record"))?;
                self.asked.push(question.clone());
                if self.limits.attended {
                    self.put(question);
                }
                Ok(())
            }
            Output::Withdraw(question) => {
                let known = self.asked.contains(&question) && !self.check.questions.contains(&question);
                require(known, || format!("{question:?} is withdrawn and still open, or was never asked"))
            }
            Output::Wake { at } => {
                require(at > self.world.now, || format!("a wake-up at {at}, which has passed"))?;
                self.wake = Some(at);
                Ok(())
            }
            Output::Finished(verdict) => {
                self.finished = Some(verdict);
                Ok(())
            }
            Output::LookBefore => {
                let due = !self.looking && check_proof::baseline_is_due(&self.check);
                require(due, || "a look before the first cut is ordered, and is not due".into())?;
                self.looking = true;
                self.world.look_before();
                Ok(())
            }
            Output::LookAfter { probes } => self.looks_after(probes),
        }
    }

    pub(super) fn seen(&mut self, at: Time, event: &Event) -> Result<(), String> {
        self.tally.event(event);
        if let Event::RunEnded { verdict } = event {
            self.ends_with(verdict)?;
        }
        self.note_deed(event);
        let waits = Verdict::Stopped { because: StopReason::WaitingForPeople };
        if self.limits.attended && *event == (Event::RunEnded { verdict: waits }) {
            return Err("the run did not wait for the people who are there".into());
        }
        self.check.see(at, event)
    }
}
