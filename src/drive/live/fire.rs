//! Scripts that lie ready on their hosts, and the moment in which all of a step start.
//!
//! What a firing measures is honest and no more: a host starts between the moment when its line was handed to its
//! connection and the moment when its answer was read here.

use super::{Live, News};
use crate::drive::job::{Back, Workshop};
use crate::drive::sink::Watcher;
use crate::engine::Input;
use crate::model::Outcome;
use crate::model::event::{Facts, Job, JobKind};
use crate::model::names::{StepIx, TaskIx};
use crate::transport::{GoLine, Staged, Stop, Stopper};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// Scripts that lie ready, by task.
pub(super) type AllReady = BTreeMap<TaskIx, Ready>;

/// A script that lies ready. Dropped, it is let go of, and never starts.
pub struct Ready {
    go: GoLine,
    fired: oneshot::Sender<Shot>,
}

/// What follows a script whose line was sent.
struct Shot {
    run: Job,
    stop: Stop,
    watcher: Option<Watcher>,
    salvo: Rc<RefCell<Salvo>>,
    /// When its line was sent.
    at: Instant,
}

/// What is known of a firing so far.
struct Salvo {
    step: StepIx,
    sent: Option<(Instant, Instant)>,
    answered: Option<(Instant, Instant)>,
    /// The last line to a host that answered.
    last_heard: Option<Instant>,
    heard: u32,
    unheard: u32,
    left: usize,
}

impl Live<'_> {
    /// Lays a script ready, in a task of its own.
    pub(super) fn stage(&mut self, job: Job, stop: Stop) {
        let attempt = self.engine.state().task(job.task).attempts(JobKind::Run) + 1;
        let run = Job { kind: JobKind::Run, attempt, ..job };
        tokio::task::spawn_local(keep(self.shop.clone(), self.tell.clone(), job, run, stop));
    }

    /// A host is ready. Whoever is ready too late is let go of again.
    pub(super) fn is_ready(&mut self, job: Job, ready: Ready) {
        self.stoppers.remove(&job);
        let input = Input::JobEnded { job, outcome: Outcome::Succeeded, facts: Facts::default() };
        let refused = self.engine.refused();
        self.engine.handle(self.clock.now(), input);
        if self.engine.refused() == refused {
            self.ready.insert(job.task, ready);
        }
    }

    /// The connection on which a script lay ready is lost.
    pub(super) fn is_unready(&mut self, task: TaskIx) {
        if self.ready.remove(&task).is_some() {
            self.engine.handle(self.clock.now(), Input::Unready { task });
        }
    }

    /// Starts all of these at one moment: everything is made before, and every line is sent in one pass.
    pub(super) fn fire(&mut self, step: StepIx, jobs: Vec<Job>) {
        let mut lines: Vec<(Job, Option<Ready>)> =
            jobs.into_iter().map(|job| (job, self.ready.remove(&job.task))).collect();
        let mut sent: Vec<(bool, Instant)> = Vec::with_capacity(lines.len());
        for (_, ready) in &mut lines {
            let gone = ready.as_mut().is_some_and(|ready| ready.go.send());
            sent.push((gone, Instant::now()));
        }
        let salvo = Rc::new(RefCell::new(Salvo::new(step, lines.len())));
        for ((run, ready), (gone, at)) in lines.into_iter().zip(sent) {
            let (stopper, stop) = Stopper::new();
            let (watcher, salvo) = (self.watcher(), salvo.clone());
            let shot = Shot { run, stop, watcher, salvo: salvo.clone(), at };
            salvo.borrow_mut().sent(at);
            self.stoppers.insert(run, stopper);
            let fired = gone && ready.is_some_and(|ready| ready.fired.send(shot).is_ok());
            if !fired {
                let because = "its connection was lost while it was ready".to_owned();
                let outcome = Outcome::NotStarted { because, try_again: true };
                salvo.borrow_mut().one_less(false, &self.tell);
                let _ = self.tell.send(News::Back(run, Back::Ended(outcome, Facts::default())));
            }
        }
    }
}

/// Lays a script ready and keeps it until it is fired, let go of or lost.
async fn keep(shop: Rc<Workshop>, tell: mpsc::UnboundedSender<News>, job: Job, run: Job, mut stop: Stop) {
    let (go, mut staged) = match shop.stage(run, &mut stop).await {
        Ok(laid) => laid,
        Err(outcome) => {
            let _ = tell.send(News::Back(job, Back::Ended(outcome, Facts::default())));
            return;
        }
    };
    let (fired, mut shot) = oneshot::channel();
    let _ = tell.send(News::Ready(job, Ready { go, fired }));
    let shot = tokio::select! {
        biased;
        shot = &mut shot => shot,
        () = staged.lost() => {
            let _ = tell.send(News::Unready(job.task));
            // It may have been fired in this very moment: then the host's receipt tells.
            shot.await
        }
    };
    if let Ok(shot) = shot {
        follow(&shop, &tell, staged, shot).await;
    }
}

async fn follow(shop: &Workshop, tell: &mpsc::UnboundedSender<News>, staged: Box<dyn Staged>, shot: Shot) {
    let Shot { run, stop, watcher, salvo, at } = shot;
    let mut heard = false;
    let mut started = || {
        heard = true;
        salvo.borrow_mut().heard(at, Instant::now());
        salvo.borrow_mut().one_less(true, tell);
    };
    let back = shop.follow(run, staged, stop, watcher, &mut started).await;
    if !heard {
        salvo.borrow_mut().one_less(false, tell);
    }
    let _ = tell.send(News::Back(run, back));
}

impl Salvo {
    fn new(step: StepIx, left: usize) -> Self {
        Self { step, sent: None, answered: None, last_heard: None, heard: 0, unheard: 0, left }
    }

    fn sent(&mut self, at: Instant) {
        let (first, _) = self.sent.unwrap_or((at, at));
        self.sent = Some((first, at));
    }

    fn heard(&mut self, sent: Instant, at: Instant) {
        let (first, last) = self.answered.unwrap_or((at, at));
        self.answered = Some((first.min(at), last.max(at)));
        self.last_heard = Some(self.last_heard.map_or(sent, |last| last.max(sent)));
    }

    /// The last one of a firing tells what it came to.
    fn one_less(&mut self, heard: bool, tell: &mpsc::UnboundedSender<News>) {
        match heard {
            true => self.heard += 1,
            false => self.unheard += 1,
        }
        self.left -= 1;
        if self.left == 0 {
            let _ = tell.send(News::Fired(self.told()));
        }
    }

    /// Whoever's line went last did not start before it was sent; whoever answered first had started by then.
    fn told(&self) -> Input {
        let us = |from: Option<Instant>, to: Option<Instant>| match (from, to) {
            (Some(from), Some(to)) => to.saturating_duration_since(from).as_micros() as u64,
            (None, _) | (_, None) => 0,
        };
        let (first_sent, last_sent) = (self.sent.map(|sent| sent.0), self.sent.map(|sent| sent.1));
        let (first_answer, last_answer) = (self.answered.map(|all| all.0), self.answered.map(|all| all.1));
        Input::Fired {
            step: self.step,
            hosts: self.heard,
            unheard: self.unheard,
            sent_us: us(first_sent, last_sent),
            skew_min_us: us(first_answer, self.last_heard),
            skew_max_us: us(first_sent, last_answer),
        }
    }
}
