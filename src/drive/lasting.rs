//! Carries a watch out: rounds of all probes, for as long as the step says. The clock of a watch is here.

use crate::drive::probe::Asked;
use crate::drive::tools::Tools;
use crate::model::event::{CANNOT_TELL, Job, Seen};
use crate::model::probe::Probe;
use crate::model::runbook::Watch;
use crate::model::{How, Millis, Outcome};
use crate::report::going_on::Round;
use crate::transport::Stop;
use futures_util::future::join_all;
use tokio::time::{Duration, Instant, sleep_until, timeout};

/// What a probe may take beyond its own time: the connection to its vantage point may have to be made again.
const ROUND_MARGIN: Duration = Duration::from_secs(30);
/// Changes of the picture that are kept: a line that flaps more often is known by then.
const CHANGES_MAX: usize = 100;

/// Watches until the time is over, or too many rounds in a row have missed. `tell` hears of each round.
pub async fn carry_out(
    tools: &Tools,
    job: Job,
    watch: &Watch<Probe>,
    stop: &mut Stop,
    seen: &mut Vec<Seen>,
    tell: &dyn Fn(Round),
) -> Outcome {
    let start = Instant::now();
    let end = start + watch.length.std();
    let mut misses = 0;
    let mut picture: Vec<Option<bool>> = vec![None; watch.probes.len()];
    loop {
        let began = Instant::now();
        let looks = tokio::select! {
            biased;
            () = stop.requested() => return cancelled(),
            looks = round(tools, job, watch) => looks,
        };
        let agree = looks.iter().filter(|look| look.agrees).count();
        misses = if agree == looks.len() { 0 } else { misses + 1 };
        let into = Millis((began - start).as_millis() as u64);
        note(&mut picture, &looks, into, seen);
        tell(Round { agree, probes: looks.len(), misses });
        if misses > watch.tolerate {
            return gave_way(&looks, into, watch, misses);
        }
        // A last round that missed and is tolerated is not the end: those after it tell.
        if misses == 0 && began >= end {
            return Outcome::Succeeded;
        }
        let next = began + watch.every.std();
        // There is a round at the end of the time, whatever `every` says.
        let next = if began < end { next.min(end) } else { next };
        tokio::select! {
            biased;
            () = stop.requested() => return cancelled(),
            () = sleep_until(next) => {}
        }
    }
}

/// All probes at once. One that does not come back in its time cannot tell, which is a miss as well.
async fn round(tools: &Tools, job: Job, watch: &Watch<Probe>) -> Vec<Seen> {
    join_all(watch.probes.iter().map(|probe| async move {
        let mut never = Stop::never();
        let limit = probe.timeout.std() + probe.within.std() + ROUND_MARGIN;
        match timeout(limit, tools.probe(job.task, job.attempt, probe, &mut never)).await {
            Ok((seen, _)) => seen,
            Err(_) => {
                let asked = Asked::of_task(tools, job.task, job.attempt, probe);
                Seen {
                    what: asked.what,
                    expected: probe.expect.word().to_owned(),
                    seen: format!("{CANNOT_TELL}: no answer in time"),
                    agrees: false,
                    probe: asked.id,
                    before: None,
                }
            }
        }
    }))
    .await
}

/// Keeps what is seen first, and each change after that with its time.
fn note(picture: &mut [Option<bool>], looks: &[Seen], into: Millis, seen: &mut Vec<Seen>) {
    for (before, look) in picture.iter_mut().zip(looks) {
        if *before != Some(look.agrees) && seen.len() < CHANGES_MAX {
            let mut look = look.clone();
            if before.is_some() {
                look.seen = format!("{}, {into} into the watch", look.seen);
            }
            seen.push(look);
        }
        *before = Some(look.agrees);
    }
}

fn gave_way(looks: &[Seen], into: Millis, watch: &Watch<Probe>, misses: u32) -> Outcome {
    let wrong = looks.iter().find(|look| !look.agrees);
    let wrong = wrong.map(|look| format!("{}: expected {}, saw {}", look.what, look.expected, look.seen));
    let often = if misses > 1 { format!(", missed {misses} times in a row") } else { String::new() };
    let what = format!("{into} into a watch of {}{often}: {}", watch.length, wrong.unwrap_or_default());
    Outcome::Failed { how: How::Disagreed(what) }
}

fn cancelled() -> Outcome {
    Outcome::Failed { how: How::Cancelled }
}
