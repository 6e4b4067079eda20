//! One job, carried out beside the loop, whose end is always told.

use super::{Live, News};
use crate::drive::guard::GuardOrder;
use crate::drive::job::{Back, Order, Workshop};
use crate::drive::sink::Watcher;
use crate::model::Outcome;
use crate::model::event::{Facts, Found, Job, JobKind};
use crate::transport::{LaidReady, Stop, Stopper};
use std::rc::Rc;
use tokio::sync::mpsc;

impl Live<'_> {
    /// Starts a job, in a task of its own: by its last byte where the rest of its script was laid ahead.
    pub(super) fn start(&mut self, job: Job, resolves: Option<Job>, laid: Option<LaidReady>) {
        let order = Order {
            job,
            resolves,
            snapshot: self
                .engine
                .state()
                .task(job.task)
                .snapshot()
                .filter(|_| matches!(job.kind, JobKind::Undo | JobKind::Arm)),
            claimed_before: self.claimed.holds(&self.shop.tools.plan, job.task),
            guard: GuardOrder::of(self.engine.state(), job, self.clock.now()),
        };
        let tools = &self.shop.tools;
        self.ahead.begun(tools.plan.tasks[job.task.at()].step, &tools.plan, &tools.fleet);
        let (stopper, stop) = Stopper::new();
        self.stoppers.insert(job, stopper);
        if job.kind == JobKind::Stage {
            return self.stage(job, stop);
        }
        let (shop, tell, watcher) = (self.shop.clone(), self.tell.clone(), self.watcher());
        if let Some((mut go, staged)) = laid
            && go.send()
        {
            let carried = async move { shop.follow(job, staged, stop, watcher, &mut || {}).await };
            tokio::task::spawn_local(told(tell, job, carried));
            return;
        }
        tokio::task::spawn_local(work(shop, tell, order, stop, watcher));
    }

    /// Hears a job's output, if somebody wants to see it.
    pub(super) fn watcher(&self) -> Option<Watcher> {
        self.watch.then(|| {
            let tell = self.tell.clone();
            Box::new(move |job, stream, bytes: &[u8]| {
                let _ = tell.send(News::Printed(job, stream, bytes.to_vec()));
            }) as Watcher
        })
    }
}

/// Carries the job out and tells how it came back.
async fn work(
    shop: Rc<Workshop>,
    tell: mpsc::UnboundedSender<News>,
    order: Order,
    stop: Stop,
    watcher: Option<Watcher>,
) {
    let job = order.job;
    let rounds = tell.clone();
    let carried = async move {
        let looked = |round| drop(rounds.send(News::Looked(job, round)));
        let extended = |left| drop(rounds.send(News::Extended(job, left)));
        tokio::select! {
            biased;
            back = shop.carry_out(order, stop, watcher, &looked) => back,
            () = shop.keep_guarded(order, extended) => unreachable!("it never ends"),
        }
    };
    told(tell, job, carried).await;
}

/// Tells how it came back. A mistake of ours in one job must not leave the run waiting for its end for ever.
async fn told(tell: mpsc::UnboundedSender<News>, job: Job, carried: impl Future<Output = Back> + 'static) {
    let back = tokio::task::spawn_local(carried).await.unwrap_or_else(|_| given_up(job));
    // Nobody listens any more only when the loop is over, and then the receipt on the host tells.
    let _ = tell.send(News::Back(job, back));
}

/// What is known of a job whose own task broke down here: nothing.
fn given_up(job: Job) -> Back {
    let because = "blackstart made a mistake while it carried this out; stderr says more".to_owned();
    match job.kind {
        JobKind::ResolveRun | JobKind::ResolveUndo => {
            Back::Read(Found::NotReached { because, try_again: false })
        }
        JobKind::Check
        | JobKind::Snapshot
        | JobKind::Arm
        | JobKind::Run
        | JobKind::Confirm
        | JobKind::Verify
        | JobKind::Undo
        | JobKind::Watch
        | JobKind::Stage => Back::Ended(Outcome::Unknown { because }, Facts::default()),
    }
}
