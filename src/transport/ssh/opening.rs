//! Channels on their way: asked for, being opened, having their command started; and what to say if that fails.

use super::channel::{Channel, Kind};
use super::pipe::Pipe;
use super::resolved::at;
use super::session::{Fault, Session};
use crate::transport::wire::{Trouble, TroubleKind, Wire};
use std::task::Context;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// libssh2 gives an open up after whole seconds; this is the shortest.
const GIVE_UP_AFTER: Duration = Duration::from_secs(1);
/// Between two looks at whether it has, or whether a silent server has spoken.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How long a connection to a port is tried while others wait, the first time; twice as long each time after.
/// It cannot be less, because libssh2 gives up no sooner.
const TURN: Duration = Duration::from_secs(1);
/// Doublings after which a turn grows no more.
const TURN_DOUBLINGS_MAX: u32 = 5;
/// So long the server may take for a sign of life before its silence, and not the port's, is the answer. libssh2
/// swallows the second of two keepalives within two seconds, so it takes a little more than that.
const SIGN_OF_LIFE: Duration = Duration::from_secs(3);

/// So often a session is opened for one command; see `closing` for servers that close some.
const SESSIONS_MAX: u32 = 5;

/// What a server that falls silent in the middle may mean.
pub const BUSY_OR_NARROW: &str =
    "the server may be busy, or something on the way discard large packets (MTU)";

/// Somebody wants a wire.
pub struct Request {
    /// For what.
    pub kind: Kind,
    /// The command, for `Kind::Session`.
    pub command: String,
    /// Where the wire goes.
    pub answer: oneshot::Sender<Result<Wire, Trouble>>,
    /// When it is too late, for `Kind::Session`.
    due: Instant,
    /// How long it is really tried, for `Kind::Tcp`. Time in which others had their turn is not counted, or a port
    /// would be called closed that nobody knocked at.
    limit: Duration,
    tried: Duration,
    turns: u32,
    /// Sessions that the server closed instead of saying whether it started the command.
    closed: u32,
    /// Has the server been heard while this was tried?
    alive: bool,
}

/// The channel that is being opened.
pub struct Opening {
    kind: Kind,
    /// For whom.
    pub whom: Whom,
    sent_at: Instant,
}

/// For whom a channel is opened.
pub enum Whom {
    /// For a request.
    Request(Request),
    /// For whoever comes next.
    Spare,
    /// For nobody any more: libssh2 must forget it before it can open another.
    Nobody,
}

/// A channel whose command is being started.
pub struct Starting {
    /// The channel.
    pub channel: Channel,
    /// Who wants it.
    pub request: Request,
    /// Was the server asked to start it?
    pub asked: bool,
}

impl Starting {
    /// Goes on starting the command, once the server `may` be asked to.
    pub fn poll(&mut self, may_ask: bool) -> Result<(), Fault> {
        self.asked |= may_ask;
        if self.asked { self.channel.exec(&self.request.command) } else { Err(Fault::Wait) }
    }
}

impl Opening {
    /// For a request.
    pub fn of(request: Request, now: Instant) -> Self {
        Self { kind: request.kind.clone(), whom: Whom::Request(request), sent_at: now }
    }

    /// For whoever comes next.
    pub fn spare(now: Instant) -> Self {
        Self { kind: Kind::Session, whom: Whom::Spare, sent_at: now }
    }

    /// Goes on opening.
    pub fn poll(&mut self, cx: &mut Context<'_>, session: &Session) -> Result<Channel, Fault> {
        if let Whom::Request(request) = &mut self.whom
            && request.answer.poll_closed(cx).is_ready()
        {
            self.whom = Whom::Nobody;
        }
        match self.whom {
            Whom::Nobody => Channel::open_or_give_up(session, &self.kind),
            Whom::Request(_) | Whom::Spare => Channel::open(session, &self.kind),
        }
    }

    /// Does what is due, and says when to look again. A request that has had its turn comes back, to be queued.
    pub fn watch_the_clock(
        &mut self,
        now: Instant,
        pipe: &Pipe,
        host: &str,
        others_wait: bool,
    ) -> (Instant, Option<Request>) {
        let mut request = match std::mem::replace(&mut self.whom, Whom::Nobody) {
            // A server that never answers this is found by its silence.
            Whom::Spare => {
                self.whom = Whom::Spare;
                return (now + FAR, None);
            }
            Whom::Nobody => return ((self.sent_at + GIVE_UP_AFTER).max(now + LOOK_AGAIN), None),
            Whom::Request(request) => request,
        };
        request.alive |= pipe.heard_at > self.sent_at;
        let next = match request.kind {
            Kind::Session if request.is_late(now) => {
                request.refuse_late(host);
                return (now, None);
            }
            Kind::Session => request.due,
            Kind::Tcp(..) => match request.turn(self.sent_at, now, others_wait) {
                Verdict::Wait(next) => next,
                Verdict::AskForLife(next) => {
                    let _ = pipe.session.keepalive();
                    next
                }
                Verdict::NextTurn => {
                    request.tried += now - self.sent_at;
                    request.turns += 1;
                    return (now, Some(request));
                }
                Verdict::Closed => {
                    let why = no_answer(&request.kind, request.limit, host);
                    request.refuse(why);
                    return (now, None);
                }
                Verdict::Silent => {
                    request.refuse_late(host);
                    return (now, None);
                }
            },
        };
        self.whom = Whom::Request(request);
        (next, None)
    }
}

/// What the clock says of a connection to a port.
enum Verdict {
    Wait(Instant),
    AskForLife(Instant),
    NextTurn,
    Closed,
    Silent,
}

impl Request {
    /// Asked for at `now`.
    pub fn new(
        kind: Kind,
        command: String,
        limit: Duration,
        answer: oneshot::Sender<Result<Wire, Trouble>>,
        now: Instant,
    ) -> Self {
        Self {
            kind,
            command,
            answer,
            due: now + limit,
            limit,
            tried: Duration::ZERO,
            turns: 0,
            closed: 0,
            alive: false,
        }
    }

    /// When a command is too late. A connection to a port is only late once it was tried.
    pub fn due(&self) -> Option<Instant> {
        (self.kind == Kind::Session).then_some(self.due)
    }

    /// Is it too late for the command?
    pub fn is_late(&self, now: Instant) -> bool {
        self.due().is_some_and(|due| due <= now)
    }

    /// The server closed its session: may another be tried? `Err` if it closes them all.
    pub fn again(mut self) -> Result<Self, Self> {
        self.closed += 1;
        if self.closed < SESSIONS_MAX { Ok(self) } else { Err(self) }
    }

    /// Hands out the wire. `false` if nobody waits for it any more.
    pub fn fulfil(self, wire: Wire) -> bool {
        self.answer.send(Ok(wire)).is_ok()
    }

    /// Says why there is no wire.
    pub fn refuse(self, why: Trouble) {
        let _ = self.answer.send(Err(why));
    }

    /// Says that the server did not answer in time.
    pub fn refuse_late(self, host: &str) {
        let seconds = self.limit.as_secs_f32();
        let what = format!("{host}: its SSH server opened no channel within {seconds:.1} s");
        self.refuse(Trouble::new(TroubleKind::Unreachable, what).hint(BUSY_OR_NARROW));
    }

    /// A try that began at `since`: what now?
    fn turn(&self, since: Instant, now: Instant, others_wait: bool) -> Verdict {
        let over = since + self.limit.saturating_sub(self.tried);
        let turn_over = since + TURN * 2u32.pow(self.turns.min(TURN_DOUBLINGS_MAX));
        let ask_at = since + (over - since) / 2;
        if now >= over {
            return match self.alive {
                true => Verdict::Closed,
                false if now >= over + SIGN_OF_LIFE => Verdict::Silent,
                false => Verdict::AskForLife(now + LOOK_AGAIN),
            };
        }
        if others_wait && now >= turn_over {
            return Verdict::NextTurn;
        }
        let next = if others_wait { over.min(turn_over) } else { over };
        match self.alive {
            false if now >= ask_at => Verdict::AskForLife(next),
            false => Verdict::Wait(next.min(ask_at)),
            true => Verdict::Wait(next),
        }
    }
}

/// As good as never, for timers.
pub const FAR: Duration = Duration::from_secs(24 * 3600);

/// The server refused to open a channel, or to start a command in it.
pub fn refused(kind: &Kind, fault: &Fault, host: &str) -> Trouble {
    let why = match fault {
        Fault::No(text) => text.trim_start_matches("Channel open failure").trim_matches([' ', '(', ')']),
        _ => "no reason given",
    };
    match kind {
        // libssh2 gives the reason code of the failure as one of a few texts and nothing else of it.
        Kind::Tcp(name, port) if why == "connect failed" => {
            let what = format!("{host}: no connection from there to {}", at(&name.to_string_lossy(), *port));
            Trouble::new(TroubleKind::TargetClosed, what)
        }
        Kind::Tcp(name, port) => {
            let place = at(&name.to_string_lossy(), *port);
            let what = format!("{host}: its SSH server will not connect to {place} for us: {why}");
            Trouble::new(TroubleKind::Refused, what)
                .hint("`AllowTcpForwarding yes` and `PermitOpen` in its sshd_config")
        }
        Kind::Session => {
            let why = if why.is_empty() { "no reason given" } else { why };
            let what = format!("{host}: its SSH server opens no session for us: {why}");
            Trouble::new(TroubleKind::Refused, what)
                .hint("`MaxSessions` in its sshd_config limits them; with `MaxSessions 0` it opens none")
        }
    }
}

/// The server opened a session and would not start the command.
pub fn not_started(host: &str) -> Trouble {
    Trouble::new(TroubleKind::Refused, format!("{host}: its SSH server refuses to start commands"))
        .hint("a `ForceCommand`, a `command=` in authorized_keys, or an account without a shell does that")
}

/// The server closed each session without a word about the command.
pub fn closed_unstarted(host: &str) -> Trouble {
    let what =
        format!("{host}: its SSH server closed {SESSIONS_MAX} sessions instead of starting a command in one");
    Trouble::new(TroubleKind::Refused, what).hint("its log may say why")
}

/// A live server got no answer from the port for us.
fn no_answer(kind: &Kind, limit: Duration, host: &str) -> Trouble {
    let place = match kind {
        Kind::Tcp(name, port) => at(&name.to_string_lossy(), *port),
        Kind::Session => "a session".to_owned(),
    };
    let seconds = limit.as_secs_f32();
    let what = format!("{host}: no answer from {place} within {seconds:.1} s");
    Trouble::new(TroubleKind::TargetClosed, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(limit_s: u64) -> Request {
        let (answer, _) = oneshot::channel();
        let kind = Kind::Tcp(c"db1".to_owned(), 5432);
        Request::new(kind, String::new(), Duration::from_secs(limit_s), answer, Instant::now())
    }

    fn secs(s: f32) -> Duration {
        Duration::from_secs_f32(s)
    }

    #[test]
    fn a_port_is_closed_only_when_it_was_tried_long_enough_and_the_host_was_heard() {
        let since = Instant::now();
        let mut request = request(4);
        assert!(
            matches!(request.turn(since, since + secs(1.9), false), Verdict::Wait(next) if next == since + secs(2.0))
        );
        assert!(matches!(request.turn(since, since + secs(2.0), false), Verdict::AskForLife(_)));
        assert!(matches!(request.turn(since, since + secs(4.0), false), Verdict::AskForLife(_)));
        assert!(matches!(request.turn(since, since + secs(7.0), false), Verdict::Silent));
        request.alive = true;
        assert!(
            matches!(request.turn(since, since + secs(3.9), false), Verdict::Wait(next) if next == since + secs(4.0))
        );
        assert!(matches!(request.turn(since, since + secs(4.0), false), Verdict::Closed));
    }

    #[test]
    fn others_have_their_turn_and_their_time_is_not_counted() {
        let since = Instant::now();
        let mut request = request(4);
        request.alive = true;
        assert!(
            matches!(request.turn(since, since + secs(0.9), true), Verdict::Wait(next) if next == since + secs(1.0))
        );
        assert!(matches!(request.turn(since, since + secs(1.0), true), Verdict::NextTurn));
        // Much later it comes back, with three seconds left and a longer turn.
        (request.tried, request.turns) = (secs(1.0), 1);
        let again = since + secs(60.0);
        assert!(
            matches!(request.turn(again, again + secs(1.9), true), Verdict::Wait(next) if next == again + secs(2.0))
        );
        assert!(matches!(request.turn(again, again + secs(2.9), false), Verdict::Wait(_)));
        assert!(matches!(request.turn(again, again + secs(3.0), false), Verdict::Closed));
    }
}
