//! One job, carried out beside the loop, whose end is always told.

use super::News;
use crate::drive::job::{Back, Order, Workshop};
use crate::drive::sink::Watcher;
use crate::model::Outcome;
use crate::model::event::{Facts, Found, Job, JobKind};
use crate::transport::Stop;
use std::rc::Rc;
use tokio::sync::mpsc;

/// Carries the job out and tells how it came back.
pub(super) async fn work(
    shop: Rc<Workshop>,
    tell: mpsc::UnboundedSender<News>,
    order: Order,
    stop: Stop,
    watcher: Option<Watcher>,
) {
    let job = order.job;
    // A mistake of ours in one job must not leave the run waiting for its end for ever.
    let rounds = tell.clone();
    let carried = tokio::task::spawn_local(async move {
        let looked = |round| drop(rounds.send(News::Looked(job, round)));
        shop.carry_out(order, stop, watcher, &looked).await
    });
    let back = carried.await.unwrap_or_else(|_| given_up(job));
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
