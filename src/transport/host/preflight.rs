//! Would work be possible? Looks, and changes nothing on the host.

use super::super::lane::quote;
use super::super::work::{Preflight, Sink};
use super::job::{self, Work};
use super::lanes::Lanes;
use crate::model::secret::Secret;
use crate::model::{Millis, Outcome};
use crate::transport::remote::Stop;
use std::rc::Rc;

/// Looking takes milliseconds; a file system that hangs must not hang the preflight.
const LOOK_WAIT: Millis = Millis::from_secs(30);
/// Receipts of a run are small; a disk with less room than this is about to fail anyway.
const SPACE_KIB_MIN: u64 = 1024;
/// A line for each command, and no room for a host that prints without end.
const SEEN_BYTES_MAX: usize = 256 * 1024;

/// Asks, in the order in which trouble would show.
pub(super) async fn preflight(lanes: &Rc<Lanes>, privileged: bool, commands: &[String]) -> Preflight {
    let mut answers = Preflight::default();
    let mut tell =
        |what: &str, answer: Result<String, String>| answers.checks.push((what.to_owned(), answer));
    match lanes.link().await {
        Ok(link) => tell("reached", Ok(link.facts())),
        Err(trouble) => {
            tell("reached", Err(trouble.to_string()));
            return answers;
        }
    }
    let shell = if privileged && lanes.becomes() { "becomes" } else { "shell" };
    let mut lane = match lanes.lease(privileged).await {
        Err(trouble) => {
            tell(shell, Err(trouble.to_string()));
            return answers;
        }
        Ok(lane) => lane,
    };
    tell(shell, Ok(lane.hello().to_string()));
    let place = match lane.ask("W", "").await {
        Ok(words) => match words.split_once(' ') {
            Some(("at", place)) => Ok(place.to_owned()),
            _ => Err(words.strip_prefix("no ").unwrap_or(&words).to_owned()),
        },
        Err(gone) => Err(gone.because),
    };
    lane.give_back();
    tell("receipts", place.clone());
    let mut seen = Seen::default();
    let text = Secret::new(look(place.as_deref().unwrap_or("/"), commands));
    let work = Work { text: &text, privileged, claim: None, timeout: LOOK_WAIT, guarded: false };
    let outcome = job::run(lanes, &work, &mut seen, &mut Stop::never(), &mut Stop::never()).await;
    if outcome != Outcome::Succeeded {
        tell("looking around", Err(outcome.to_string()));
        return answers;
    }
    let said = String::from_utf8_lossy(&seen.0);
    tell("space", space(&said));
    for (at, command) in commands.iter().enumerate() {
        let found = said.lines().find_map(|line| line.strip_prefix(&format!("command {at} ")));
        tell(command, found.map(str::to_owned).ok_or_else(|| format!("{command}: not found on the host")));
    }
    answers
}

/// The space on the nearest directory that is there, and where each command is.
fn look(place: &str, commands: &[String]) -> String {
    let mut text = format!(
        "p={}\nwhile [ -n \"$p\" ] && [ ! -d \"$p\" ]; do p=${{p%/*}}; done\n\
         echo space $(df -P -k -- \"${{p:-/}}\" 2>/dev/null | tail -n 1)\n",
        quote(place)
    );
    for (at, command) in commands.iter().enumerate() {
        text += &format!("c=$(command -v {}) && printf 'command {at} %s\\n' \"$c\"\n", quote(command));
    }
    text + "exit 0\n"
}

/// `df -P -k` says: device, size, used, available, percent, mount point.
fn space(said: &str) -> Result<String, String> {
    let words = said.lines().find_map(|line| line.strip_prefix("space ")).unwrap_or_default();
    match words.split(' ').nth(3).and_then(|kib| kib.parse::<u64>().ok()) {
        Some(kib) if kib >= SPACE_KIB_MIN => Ok(format!("{} MiB free", kib / 1024)),
        Some(kib) => Err(format!("only {kib} KiB free for receipts")),
        None => Ok("unknown, the host has no `df`".into()),
    }
}

/// Keeps what is printed: a few lines of our own making.
#[derive(Default)]
struct Seen(Vec<u8>);

impl Sink for Seen {
    fn out(&mut self, bytes: &[u8]) {
        let room = SEEN_BYTES_MAX.saturating_sub(self.0.len());
        self.0.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
    fn err(&mut self, _: &[u8]) {}
}
