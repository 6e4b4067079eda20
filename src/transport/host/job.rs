//! One script on one host, from the lane it gets to the proof that it is over.

use super::super::lane::{End, Group, Lane, News, Refusal};
use super::super::work::Sink;
use super::lanes::{LANES_MAX, Lanes, Leased};
use super::not_started;
use super::resolve::{ask_receipt, settled};
use crate::model::secret::Secret;
use crate::model::{How, Millis, Outcome};
use crate::transport::remote::Stop;
use std::rc::Rc;
use tokio::time::{Instant, sleep_until, timeout};

/// From SIGTERM to SIGKILL: long enough for a database to write its last page, short enough for an operator.
pub const KILL_GRACE: Millis = Millis::from_secs(5);
/// A lane to end a job with must be there in this time, or the job's end stays unknown.
pub const KILL_LANE_WAIT: Millis = Millis::from_secs(45);
/// From the order to end a job to the answer: twice the patience, and as long as a lane may take.
const KILL_ANSWER_WAIT: Millis = Millis(2 * KILL_GRACE.0 + KILL_LANE_WAIT.0);
/// After its end was asked for, a job may go on talking so long.
const LAST_WORDS_WAIT: Millis = Millis::from_secs(5);

/// Lanes that die between their greeting and their first job: a host that does that does not want us.
const LANE_TRIES_MAX: u32 = LANES_MAX as u32 + 2;

/// What is to be run.
pub(super) struct Work<'a> {
    pub(super) text: &'a Secret,
    pub(super) privileged: bool,
    /// The claim's file name.
    pub(super) claim: Option<String>,
    pub(super) timeout: Millis,
    /// Not without the guard that was armed for it: never after the host restarted.
    pub(super) guarded: bool,
}

/// Why a job is ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Early {
    TimedOut(Millis),
    Cancelled,
}

impl Early {
    /// The words of the kill marker beside the receipt.
    fn words(self) -> String {
        match self {
            Early::TimedOut(after) => format!("timed_out {}", after.0),
            Early::Cancelled => "cancelled 0".into(),
        }
    }
    fn how(self) -> How {
        match self {
            Early::TimedOut(after) => How::TimedOut(after),
            Early::Cancelled => How::Cancelled,
        }
    }
}

/// Runs it. Either stop ends it early.
pub(super) async fn run(
    lanes: &Rc<Lanes>,
    work: &Work<'_>,
    sink: &mut dyn Sink,
    stop: &mut Stop,
    enough: &mut Stop,
) -> Outcome {
    match begin(lanes, work, stop).await {
        Ok(lane) => follow(lanes, work, lane, sink, stop, enough, &mut || {}).await,
        Err(outcome) => outcome,
    }
}

/// Follows it from its start to its end. `started` hears that the host says it started.
pub(super) async fn follow(
    lanes: &Rc<Lanes>,
    work: &Work<'_>,
    mut lane: Leased,
    sink: &mut dyn Sink,
    stop: &mut Stop,
    enough: &mut Stop,
    started: &mut dyn FnMut(),
) -> Outcome {
    let deadline = Instant::now() + work.timeout.std();
    let mut group = None;
    let mut refusal = None;
    let early = loop {
        // The job's own news first: what ended in time did not time out.
        tokio::select! {
            biased;
            news = lane.next(sink) => match news {
                News::Staged => {}
                News::Started(its) => {
                    started();
                    if work.claim.is_some() {
                        lanes.hear_claim(work.privileged);
                    }
                    group = Some(its);
                }
                News::Refused(refused) => refusal = Some(refused),
                News::Ended(end) => return match refusal {
                    Some(refusal) => refused(lane, work, refusal).await,
                    None => ended(lane, end),
                },
                News::Gone(gone) => return unseen(&gone.because),
            },
            () = stop.requested() => break Early::Cancelled,
            () = enough.requested() => break Early::Cancelled,
            () = sleep_until(deadline) => break Early::TimedOut(work.timeout),
        }
    };
    end_early(lanes, work, lane, group, early, sink).await
}

/// Finds a lane and hands it the script. A lane that died while it was idle has surely not started it.
async fn begin(lanes: &Rc<Lanes>, work: &Work<'_>, stop: &mut Stop) -> Result<Leased, Outcome> {
    let cancelled =
        || Outcome::NotStarted { because: "cancelled before it started".into(), try_again: false };
    for _ in 0..LANE_TRIES_MAX {
        if stop.is_requested() {
            return Err(cancelled());
        }
        let mut lane = tokio::select! {
            lane = lanes.lease(work.privileged) => lane.map_err(|trouble| not_started(&trouble))?,
            () = stop.requested() => return Err(cancelled()),
        };
        if work.guarded && !lanes.is_guarded_by(&lane.hello().boot) {
            lane.give_back();
            let because = "the host restarted after its guard was armed".into();
            return Err(Outcome::NotStarted { because, try_again: true });
        }
        if lane.begin(work.text, work.claim.as_deref()).await {
            return Ok(lane);
        }
    }
    Err(Outcome::NotStarted { because: "one lane after the other broke off".into(), try_again: true })
}

fn ended(lane: Leased, end: End) -> Outcome {
    // What a job left running may print into the lane at any time: the next job gets another one.
    if !end.left {
        lane.give_back();
    }
    Outcome::from_exit(end.status)
}

/// The receipt stood in the way. If the attempt was made before, its receipt tells what became of it.
pub(super) async fn refused(mut lane: Leased, work: &Work<'_>, refusal: Refusal) -> Outcome {
    let claim = work.claim.as_deref().expect("only a claim can be refused");
    match refusal {
        Refusal::Unwritable(because) => {
            lane.give_back();
            Outcome::NotStarted { because, try_again: false }
        }
        Refusal::Claimed => match ask_receipt(&mut lane, claim, "-").await {
            Ok(receipt) => {
                lane.give_back();
                settled(receipt)
                    .unwrap_or_else(|| unseen("this very attempt was started before and still runs"))
            }
            Err(because) => unseen(&because),
        },
    }
}

pub(super) fn unseen(because: &str) -> Outcome {
    Outcome::Unknown { because: because.to_owned() }
}

/// Ends the job's process group from another lane, while its own lane goes on delivering what it prints.
async fn end_early(
    lanes: &Rc<Lanes>,
    work: &Work<'_>,
    mut lane: Leased,
    group: Option<Group>,
    early: Early,
    sink: &mut dyn Sink,
) -> Outcome {
    let claim = work.claim.as_deref();
    let mut killing = Box::pin(async {
        let beside = timeout(KILL_LANE_WAIT.std(), lanes.lease_beside(work.privileged));
        let mut beside = match beside.await {
            Ok(Ok(beside)) => beside,
            Ok(Err(trouble)) => return Killed::NoWay(trouble.to_string()),
            Err(_) => return Killed::NoWay(format!("no second lane within {KILL_LANE_WAIT}")),
        };
        match (group, claim) {
            (Some(group), _) => kill(&mut beside.lane, &group, claim, early).await,
            // Not heard of yet: spend its claim, so that it cannot start any more, or learn where it is.
            (None, Some(claim)) => match ask_receipt(&mut beside.lane, claim, "-").await {
                Ok(super::super::lane::Receipt::Running(group)) => {
                    kill(&mut beside.lane, &group, Some(claim), early).await
                }
                Ok(_) => Killed::Over,
                Err(because) => Killed::NoWay(because),
            },
            (None, None) => Killed::NoWay("the lane does not answer".into()),
        }
    });
    let mut last: Option<Last> = None;
    let killed = loop {
        tokio::select! {
            biased;
            killed = &mut killing => break killed,
            news = lane.next(sink), if last.is_none() => last = note(news),
        }
    };
    match killed {
        Killed::Gone => {
            last_words(&mut lane, &mut last, sink).await;
            Outcome::Failed { how: early.how() }
        }
        // It ended by itself in the meantime: its own lane says how.
        Killed::Over => match last_words(&mut lane, &mut last, sink).await {
            Some(Last::Ended(end)) => ended(lane, end),
            Some(Last::Refused(refusal, _)) => refused(lane, work, refusal).await,
            Some(Last::Gone(because)) => unseen(&because),
            None => unseen("it ended while it was to be ended, and its lane does not say how"),
        },
        Killed::Alive => unseen(&format!("{}, and its processes cannot be ended", early.how())),
        Killed::NoWay(because) => unseen(&format!("{} could not be carried out: {because}", early.word())),
    }
}

impl Early {
    fn word(self) -> &'static str {
        match self {
            Early::TimedOut(_) => "ending it after its timeout",
            Early::Cancelled => "cancelling it",
        }
    }
}

enum Last {
    Ended(End),
    Refused(Refusal, Option<End>),
    Gone(String),
}

fn note(news: News) -> Option<Last> {
    match news {
        News::Staged | News::Started(_) => None,
        News::Refused(refusal) => Some(Last::Refused(refusal, None)),
        News::Ended(end) => Some(Last::Ended(end)),
        News::Gone(gone) => Some(Last::Gone(gone.because)),
    }
}

async fn last_words(lane: &mut Lane, last: &mut Option<Last>, sink: &mut dyn Sink) -> Option<Last> {
    let _ = timeout(LAST_WORDS_WAIT.std(), async {
        loop {
            match last {
                Some(Last::Ended(_) | Last::Gone(_) | Last::Refused(_, Some(_))) => return,
                Some(Last::Refused(refusal, None)) => {
                    if let News::Ended(end) = lane.next(sink).await {
                        *last = Some(Last::Refused(refusal.clone(), Some(end)));
                    } else {
                        *last = Some(Last::Gone("the lane was lost".into()));
                    }
                }
                None => *last = note(lane.next(sink).await),
            }
        }
    })
    .await;
    last.take()
}

/// What came of ending a process group.
pub(super) enum Killed {
    /// It was ended, and none of it is left.
    Gone,
    /// It had ended before.
    Over,
    /// Some of it cannot be ended.
    Alive,
    /// The host could not be asked; says why.
    NoWay(String),
}

/// Ends a process group over a lane that it does not run on.
pub(super) async fn kill(lane: &mut Lane, group: &Group, claim: Option<&str>, early: Early) -> Killed {
    let Group { pid, pgid, start } = group;
    let order = format!("{pgid} {pid} {start} {} {} {}", KILL_GRACE.0, claim.unwrap_or("-"), early.words());
    match lane.ask_within("K", &order, KILL_ANSWER_WAIT).await {
        Ok(words) => match words.split(' ').next() {
            Some("gone") => Killed::Gone,
            Some("over") => Killed::Over,
            _ => Killed::Alive,
        },
        Err(gone) => Killed::NoWay(gone.because),
    }
}
