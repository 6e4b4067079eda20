//! Guards on a real host: armed by a claimed job, asked over a connection made for it or over one that stands.

use super::super::lane::{Lane, News, quote};
use super::super::work::Sink;
use super::job::{self, Work};
use super::lanes::Lanes;
use super::{not_started, receipt_name};
use crate::model::guard::{GuardSeen, HeldBy, Otherwise};
use crate::model::secret::Secret;
use crate::model::{How, Millis, Outcome};
use crate::transport::remote::{ArmOrder, GuardAsk, GuardSays, GuardVerb, Stop};
use crate::transport::wire::{Trouble, TroubleKind};
use std::rc::Rc;
use tokio::time::timeout;

/// Arming takes a moment, its self-test a second or two; a host that takes longer is not fit for a cut.
const ARM_WAIT: Millis = Millis::from_secs(30);
/// From an open lane to the guard's answer: a few system calls.
const ASK_WAIT: Millis = Millis::from_secs(15);
/// The directory that is there where systemd runs.
const SYSTEMD: &str = "/run/systemd/system";

const GUARD: &str = include_str!("guard/guard.sh");
const ARM: &str = include_str!("guard/arm.sh");
const ASK: &str = include_str!("guard/ask.sh");

/// Arms it. `Err`: it is not armed, or nobody can tell; either way nothing was changed.
pub(super) async fn arm(
    lanes: &Rc<Lanes>,
    order: &ArmOrder<'_>,
    stop: &mut Stop,
) -> Result<GuardSeen, Outcome> {
    let mut lane = lanes.lease(order.privileged).await.map_err(|trouble| not_started(&trouble))?;
    let place = place(&mut lane).await.map_err(|trouble| not_started(&trouble))?;
    lanes.armed_in(lane.hello().boot.clone());
    lane.give_back();
    let dir = format!("{place}/{}", lanes.run());
    let text = Secret::new(arming(order, &dir, lanes.shell(), SYSTEMD));
    let claim = Some(receipt_name(order.claim));
    let work = Work { text: &text, privileged: order.privileged, claim, timeout: ARM_WAIT, guarded: true };
    let mut said = Said::default();
    let outcome = job::run(lanes, &work, &mut said, stop, &mut Stop::never()).await;
    match (outcome, said.answer()) {
        (Outcome::Succeeded, Some(words)) => {
            read_armed(&words, order.otherwise).ok_or_else(|| strange(&words))
        }
        (Outcome::Succeeded, None) => Err(strange("nothing")),
        (Outcome::Failed { .. }, Some(words)) if words.starts_with("refused ") => {
            let why = words.trim_start_matches("refused ");
            Err(Outcome::Failed { how: How::Disagreed(format!("the guard cannot be armed: {why}")) })
        }
        (outcome, _) => Err(outcome),
    }
}

/// Asks it. The second part of the answer is the connection it came over, for people.
pub(super) async fn ask(lanes: &Rc<Lanes>, ask: &GuardAsk<'_>) -> Result<(GuardSays, String), Trouble> {
    let claim = receipt_name(ask.claim);
    if ask.fresh {
        let link = lanes.proof_link().await?;
        let mut lane = lanes.open(&*link, ask.privileged).await?;
        let says = timeout(ASK_WAIT.std(), asked(&mut lane, lanes, &claim, ask.verb)).await;
        let facts = link.facts();
        lane.close().await;
        return says.unwrap_or_else(|_| Err(silent())).map(|says| (says, facts));
    }
    let mut beside =
        timeout(ASK_WAIT.std(), lanes.lease_beside(ask.privileged)).await.map_err(|_| silent())??;
    let says = timeout(ASK_WAIT.std(), asked(&mut beside.lane, lanes, &claim, ask.verb)).await;
    let facts = lanes.facts().unwrap_or_default();
    says.unwrap_or_else(|_| Err(silent())).map(|says| (says, facts))
}

fn silent() -> Trouble {
    Trouble::new(TroubleKind::Lost, format!("the host did not answer within {ASK_WAIT}"))
}

fn strange(words: &str) -> Outcome {
    Outcome::Unknown { because: format!("of its guard the host said what nobody understands: {words}") }
}

/// Where receipts lie on the host, or would.
async fn place(lane: &mut Lane) -> Result<String, Trouble> {
    match lane.ask("W", "").await {
        Ok(words) => match words.split_once(' ') {
            Some(("at", place)) => Ok(place.to_owned()),
            _ => Err(Trouble::new(TroubleKind::Settings, words.trim_start_matches("no ").to_owned())),
        },
        Err(gone) => Err(Trouble::new(TroubleKind::Lost, gone.because)),
    }
}

async fn asked(lane: &mut Lane, lanes: &Lanes, claim: &str, verb: GuardVerb) -> Result<GuardSays, Trouble> {
    let base = format!("{}/{}/{claim}", place(lane).await?, lanes.run());
    let text = Secret::new(asking(&base, verb));
    let lost = |because: String| Trouble::new(TroubleKind::Lost, because);
    if !lane.begin(&text, None).await {
        return Err(lost("the lane was closed".into()));
    }
    let mut said = Said::default();
    loop {
        match lane.next(&mut said).await {
            News::Started(_) | News::Staged => {}
            News::Refused(_) => return Err(lost("a look was refused".into())),
            News::Gone(gone) => return Err(lost(gone.because)),
            News::Ended(_) => break,
        }
    }
    let words = said.answer().unwrap_or_default();
    GuardSays::read(&words)
        .ok_or_else(|| lost(format!("of its guard the host said what nobody understands: {words}")))
}

/// Hundredths of a second, as `/proc/uptime` counts.
fn hundredths(length: Millis) -> u64 {
    length.0 / 10
}

/// The text of the job that arms.
fn arming(order: &ArmOrder<'_>, dir: &str, shell: Option<&str>, systemd: &str) -> String {
    let claim = receipt_name(order.claim);
    let test = match order.self_test {
        true => format!("rm -f -- {}", quote(&format!("{dir}/{claim}.test.mark"))),
        false => String::new(),
    };
    let settings = [
        ("g_dir", dir),
        ("g_task", &order.claim.task),
        ("g_n", &order.claim.attempt.to_string()),
        ("g_run", &receipt_name(order.guards)),
        ("g_how", order.otherwise.word()),
        ("g_within", &hundredths(order.within).to_string()),
        ("g_limit", &hundredths(order.limit).to_string()),
        ("g_shell", shell.unwrap_or_default()),
        ("g_systemd", systemd),
        ("g_test", &test),
        ("g_guard", &bare(GUARD)),
        ("g_undo", order.undo.map_or("", Secret::reveal)),
    ];
    let mut text = String::new();
    for (name, value) in settings {
        text += &format!("{name}={}\n", quote(value));
    }
    text + &bare(ARM)
}

fn asking(base: &str, verb: GuardVerb) -> String {
    let (word, more) = match verb {
        GuardVerb::Confirm => ("confirm", 0),
        GuardVerb::More(length) => ("more", hundredths(length)),
        GuardVerb::Look => ("look", 0),
    };
    format!("g_c={}\ng_verb={word}\ng_more={more}\n{}", quote(base), bare(ASK))
}

/// A script without comments and indentation: less to send.
fn bare(script: &str) -> String {
    let lines = script.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| format!("{line}\n")).collect()
}

fn read_armed(words: &str, otherwise: Otherwise) -> Option<GuardSeen> {
    let mut words = words.strip_prefix("armed ")?.split(' ');
    let held_by = match words.next()? {
        "systemd" => HeldBy::Systemd,
        "detached" => HeldBy::Detached,
        _ => return None,
    };
    let left = Millis(words.next()?.parse::<u64>().ok()? * 10);
    let tested = words.next()?.parse::<u64>().ok().map(|late| Millis(late * 10));
    Some(GuardSeen::Armed { held_by, otherwise, left, tested })
}

impl GuardSays {
    /// Reads what `ask.sh` says behind `guard `.
    fn read(words: &str) -> Option<Self> {
        let (word, rest) = words.split_once(' ').unwrap_or((words, ""));
        let late = |text: &str| text.parse::<u64>().ok().map(|late| Millis(late * 10));
        Some(match word {
            "confirmed" => GuardSays::Confirmed,
            "armed" | "more" => GuardSays::Armed { left: late(rest)? },
            "expired" => GuardSays::Expired { late: late(rest)? },
            "firing" => GuardSays::Firing,
            "lost" => GuardSays::Lost { because: rest.to_owned() },
            "gone" => GuardSays::Untold { because: rest.to_owned() },
            "fired" => {
                let (time, end) = rest.split_once(' ')?;
                let undo = match end {
                    "idle" => {
                        let because = "the change had not begun, and never will".into();
                        Outcome::NotStarted { because, try_again: false }
                    }
                    "vanished" => {
                        Outcome::Unknown { because: "the guard was ended before its undo was".into() }
                    }
                    "timeout" => Outcome::Failed { how: How::Disagreed("its undo overran its time".into()) },
                    status => Outcome::from_exit(status.parse().ok()?),
                };
                GuardSays::Fired { late: late(time)?, undo }
            }
            _ => return None,
        })
    }
}

/// Keeps what is printed: a few lines of our own making.
#[derive(Default)]
struct Said(Vec<u8>);

/// More than an answer needs, and no room for a host that prints without end.
const SAID_BYTES_MAX: usize = 4096;

impl Said {
    /// The last answer, without its first word.
    fn answer(&self) -> Option<String> {
        let said = String::from_utf8_lossy(&self.0);
        said.lines().rev().find_map(|line| line.strip_prefix("guard ")).map(str::to_owned)
    }
}

impl Sink for Said {
    fn out(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        self.0.drain(..self.0.len().saturating_sub(SAID_BYTES_MAX));
    }
    fn err(&mut self, _: &[u8]) {}
}

#[cfg(test)]
mod tests;
