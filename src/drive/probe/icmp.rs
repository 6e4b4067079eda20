//! Pings by the vantage point's own `ping`, which has the rights that raw packets need and a login user has not.

use super::{Saw, look};
use crate::model::{Millis, Outcome};
use crate::transport::{Remote, Stop};
use std::rc::Rc;

/// For `ping` to start, and to look a name up, beyond its wait for the answer.
const BESIDE_THE_ANSWER: Millis = Millis::from_secs(10);
/// Exit status of the script when nothing was learnt.
const NOTHING_LEARNT: i32 = 97;

/// Sends one echo request and waits for its answer.
pub async fn ping(vantage: &Rc<dyn Remote>, host: &str, limit: Millis, stop: &mut Stop) -> Saw {
    let Ok(target) = shlex::try_quote(host) else {
        return Saw::CannotTell(format!("`{}` is no host to ping", host.escape_debug()));
    };
    let text = script(&target, limit);
    let (outcome, printed) = look(vantage, text, Millis(limit.0 + BESIDE_THE_ANSWER.0), stop).await;
    judge(vantage.name().as_str(), outcome, &printed, limit)
}

fn script(target: &str, limit: Millis) -> String {
    let seconds = limit.0.div_ceil(1000).max(1);
    format!(
        "command -v ping >/dev/null 2>&1 || {{ echo 'there is no `ping`'; exit {NOTHING_LEARNT}; }}
case $(uname -s) in
Linux) w={seconds};;
Darwin|FreeBSD) w={millis};;
*) echo \"how `ping` of $(uname -s) is told to wait is not known\"; exit {NOTHING_LEARNT};;
esac
said=$(LC_ALL=C ping -n -c 1 -W $w {target} 2>&1); status=$?
[ $status = 0 ] && exit 0
printf '%s\\n' \"$said\" | grep -v '^$' | tail -n 1
case $said in
*'socket: '*|*'are you root'*|*sage:*|*'nvalid option'*|*'ot permitted (setuid'*) exit {NOTHING_LEARNT};;
esac
exit 1
",
        millis = limit.0.max(1),
    )
}

/// Only what `ping` itself said of the target is an answer.
fn judge(name: &str, outcome: Outcome, printed: &str, limit: Millis) -> Saw {
    let said = if printed.is_empty() { "it said nothing" } else { printed };
    match outcome {
        Outcome::Succeeded => Saw::Open(None),
        Outcome::Failed { how: crate::model::How::Exit(1) } if printed.contains("packet loss") => {
            Saw::Closed(format!("no echo reply within {limit}"))
        }
        Outcome::Failed { how: crate::model::How::Exit(1) } => Saw::Closed(said.to_owned()),
        Outcome::Failed { how: crate::model::How::Exit(NOTHING_LEARNT) } => {
            Saw::CannotTell(format!("{name}: {said}"))
        }
        Outcome::Failed { how } => Saw::CannotTell(format!("{name}: `ping` ended with {how}")),
        Outcome::NotStarted { because, .. } | Outcome::Unknown { because } => Saw::CannotTell(because),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::How;

    #[test]
    fn only_a_ping_that_was_sent_and_not_answered_is_closed() {
        let exit = |status| Outcome::Failed { how: How::Exit(status) };
        let judge = |outcome, printed| judge("db1", outcome, printed, Millis::from_secs(2));
        assert_eq!(judge(Outcome::Succeeded, ""), Saw::Open(None));
        let lost = judge(exit(1), "1 packets transmitted, 0 received, 100% packet loss, time 0ms");
        assert_eq!(lost, Saw::Closed("no echo reply within 2.0s".into()));
        assert_eq!(
            judge(exit(1), "ping: connect: Network is unreachable"),
            Saw::Closed("ping: connect: Network is unreachable".into())
        );
        for untold in [exit(NOTHING_LEARNT), exit(127), Outcome::Failed { how: How::TimedOut(Millis(1)) }] {
            assert!(matches!(judge(untold, "x"), Saw::CannotTell(_)));
        }
    }
}
