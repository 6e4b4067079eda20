//! What became of an attempt whose end was not seen: the host's receipt tells, sooner or later.

use super::super::lane::{Lane, Receipt};
use super::job::{Early, Killed, kill};
use super::lanes::Lanes;
use super::receipt_name;
use crate::model::event::Found;
use crate::model::names::RunId;
use crate::model::{Millis, Outcome};
use crate::transport::remote::{Lost, Stop};
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, sleep};

/// First pause between two looks at a receipt of a job that runs; it doubles each time …
const LOOK_PAUSE_FIRST: Millis = Millis(50);
/// … up to this: a person waits for the answer.
const LOOK_PAUSE_MAX: Millis = Millis::from_secs(1);
/// Looks at a receipt after its processes are gone: its lane records the end at once, or never will.
const LOOKS_AFTER_END_MAX: u32 = 5;
/// A host must run for so much longer than the run before its silence counts: clocks differ.
const AGE_MARGIN: Duration = Duration::from_secs(60);
/// Looks at a receipt over lanes that die under them, before the host counts as not reached.
const TRIES_MAX: u32 = 3;

/// Reads the receipt, waits for a job that still runs, and ends it when its time is up.
pub(super) async fn resolve(lanes: &Rc<Lanes>, lost: &Lost, stop: &mut Stop) -> Found {
    let claim = receipt_name(&lost.claim);
    let claimed = lost.claimed_before || lanes.heard_claim(lost.privileged);
    let age = if claimed { "-".to_owned() } else { age_of(&lost.claim.run) };
    let deadline = Instant::now() + lost.wait.std();
    let mut tries = 0;
    loop {
        let because = match lanes.lease(lost.privileged).await {
            Err(trouble) => {
                return Found::NotReached { because: trouble.to_string(), try_again: trouble.try_again() };
            }
            Ok(mut lane) => match watch(&mut lane, &claim, &age, lost, deadline, stop).await {
                Ok(found) => {
                    lane.give_back();
                    return found;
                }
                Err(because) => because,
            },
        };
        tries += 1;
        if tries == TRIES_MAX {
            return Found::NotReached { because, try_again: true };
        }
    }
}

/// `Err`: the lane died.
async fn watch(
    lane: &mut Lane,
    claim: &str,
    age: &str,
    lost: &Lost,
    deadline: Instant,
    stop: &mut Stop,
) -> Result<Found, String> {
    let mut pause = LOOK_PAUSE_FIRST;
    let mut ended = 0;
    loop {
        let group = match ask_receipt(lane, claim, age).await? {
            Receipt::NeverStarted => return Ok(Found::NeverStarted),
            Receipt::Lost(because) => return Ok(Found::NoReceipt { because }),
            Receipt::Ended(outcome) => return Ok(Found::Ended(outcome)),
            Receipt::Running(group) => group,
        };
        let early = match stop.is_requested() {
            true => Some(Early::Cancelled),
            false if Instant::now() >= deadline => Some(Early::TimedOut(lost.wait)),
            false => None,
        };
        if let Some(early) = early {
            match kill(lane, &group, Some(claim), early).await {
                Killed::Gone | Killed::Over if ended < LOOKS_AFTER_END_MAX => ended += 1,
                Killed::Gone | Killed::Over => {
                    let because = "its processes are gone, and its lane recorded no end".into();
                    return Ok(Found::NoReceipt { because });
                }
                Killed::Alive => {
                    let because = "it still runs, and its processes cannot be ended".into();
                    return Ok(Found::NoReceipt { because });
                }
                Killed::NoWay(because) => return Err(because),
            }
        }
        tokio::select! {
            () = sleep(pause.std().min(deadline.saturating_duration_since(Instant::now()).max(LOOK_PAUSE_FIRST.std()))) => {}
            () = stop.requested(), if early.is_none() => {}
        }
        pause = Millis((pause.0 * 2).min(LOOK_PAUSE_MAX.0));
    }
}

/// One look at a receipt. A claim that was never made is spent by it.
pub(super) async fn ask_receipt(lane: &mut Lane, claim: &str, age: &str) -> Result<Receipt, String> {
    let words = lane.ask("R", &format!("{claim} {age}")).await.map_err(|gone| gone.because)?;
    Receipt::read(&words).ok_or_else(|| format!("an answer nobody understands: {words}"))
}

/// What a settled receipt means for the job that was refused because of it; `None` while it runs.
pub(super) fn settled(receipt: Receipt) -> Option<Outcome> {
    match receipt {
        Receipt::NeverStarted => Some(Outcome::NotStarted {
            because: "its claim was spent when somebody asked what had become of it".into(),
            try_again: true,
        }),
        Receipt::Lost(because) => Some(Outcome::Unknown { because }),
        Receipt::Ended(outcome) => Some(outcome),
        Receipt::Running(_) => None,
    }
}

/// How long ago the run began, in seconds, read from its id (a UUID of version 7 begins with the time); `-` if that
/// cannot be told. A host that runs for longer has not restarted since.
fn age_of(run: &RunId) -> String {
    let began = run.as_str().get(..12).and_then(|digits| u64::from_str_radix(digits, 16).ok());
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    match (began.map(Duration::from_millis), now) {
        (Some(began), Ok(now)) if began <= now && !began.is_zero() => {
            (now - began + AGE_MARGIN).as_secs().to_string()
        }
        _ => "-".into(),
    }
}
