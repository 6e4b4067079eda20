//! The task that owns an open connection: opens channels, lets each strand have its turn, notices when the link
//! is lost. Sleeps while nothing happens, but for keepalives.

use super::Deadlines;
use super::channel::{Channel, Kind};
use super::closing::Closing;
use super::link::{Order, State};
use super::opening::{FAR, Opening, Request, Starting, Whom, closed_unstarted, not_started, refused};
use super::pipe::{Pipe, ROUNDS_MAX};
use super::session::Fault;
use super::strand::{Strand, Turn};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep};

/// libssh2 swallows keepalives that follow faster, and then silence would mean nothing.
const KEEPALIVE_MIN: Duration = Duration::from_secs(2);

/// An open connection. Channels stand before the pipe, so that they are freed before their session.
pub struct Pump {
    host: String,
    orders: mpsc::UnboundedReceiver<Order>,
    queue: VecDeque<Request>,
    /// libssh2 opens one channel at a time.
    opening: Option<Opening>,
    starting: Vec<Starting>,
    strands: Vec<Strand>,
    closing: Closing,
    /// A channel opened ahead of need. libssh2 handles what comes (keepalives of the server, new keys) only in
    /// calls about some channel, so an idle connection would be deaf without one; and the next command saves a
    /// round trip.
    spare: Option<Channel>,
    /// A server that closes or refuses spare channels is asked again so late.
    spare_not_before: Instant,
    deadlines: Deadlines,
    probed_at: Instant,
    timer: Pin<Box<Sleep>>,
    state: Rc<State>,
    /// The host key that was judged.
    host_key: Vec<u8>,
    pipe: Pipe,
}

impl Pump {
    /// Takes over a connection that is logged in.
    pub fn new(
        host: String,
        pipe: Pipe,
        deadlines: Deadlines,
        orders: mpsc::UnboundedReceiver<Order>,
    ) -> Self {
        let now = Instant::now();
        Self {
            host,
            orders,
            queue: VecDeque::new(),
            opening: None,
            starting: Vec::new(),
            strands: Vec::new(),
            closing: Closing::at(&pipe.session.server_version()),
            spare: None,
            spare_not_before: now,
            deadlines: Deadlines { keepalive: deadlines.keepalive.max(KEEPALIVE_MIN), ..deadlines },
            probed_at: now,
            timer: Box::pin(tokio::time::sleep_until(now)),
            state: Rc::default(),
            host_key: pipe.session.host_key(),
            pipe,
        }
    }

    /// What the link sees of this.
    pub fn state(&self) -> Rc<State> {
        Rc::clone(&self.state)
    }

    /// Drives the connection until it is closed, or lost and every wire has had its last word.
    pub async fn run(mut self) {
        poll_fn(|cx| self.poll(cx)).await;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..ROUNDS_MAX {
            if self.take_orders(cx) {
                self.end(cx);
                return Poll::Ready(());
            }
            if let Some(why) = self.state.lost() {
                return self.wind_up(cx, &why);
            }
            let now = Instant::now();
            let moved = self.pipe.poll_move(cx);
            match self.work(cx, now) {
                Err(fault) => self.lose(fault),
                Ok(worked) if moved || worked => {}
                // Everything that came before the end has been handled.
                Ok(_) if self.pipe.lost.is_some() => self.lose(Fault::Broken(String::new())),
                Ok(_) => {
                    let next = self.watch_the_clock(now);
                    if self.state.lost().is_none() && self.sleep_until(cx, next) {
                        return Poll::Pending;
                    }
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// `true` when the connection is to end.
    fn take_orders(&mut self, cx: &mut Context<'_>) -> bool {
        loop {
            match self.orders.poll_recv(cx) {
                Poll::Pending => return false,
                Poll::Ready(None | Some(Order::Close)) => return true,
                Poll::Ready(Some(Order::Open { kind, command, limit, answer })) => {
                    let limit = limit.unwrap_or(self.deadlines.open);
                    self.queue.push_back(Request::new(kind, command, limit, answer, Instant::now()));
                }
            }
        }
    }

    /// One round over everything. `true` if another round may do more.
    fn work(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<bool, Fault> {
        self.listen(now)?;
        let mut worked = self.advance_opening(cx, now)?;
        worked |= self.advance_starting(cx, now)?;
        worked |= self.advance_strands(cx)?;
        worked |= self.closing.advance()?;
        // What the session has to say now is to be on its way before the task sleeps.
        Ok(self.pipe.poll_move(cx) || worked)
    }

    /// Lets libssh2 handle what has come, whether or not anybody can take it.
    fn listen(&mut self, now: Instant) -> Result<(), Fault> {
        for strand in self.strands.iter_mut().filter(|strand| !strand.closed) {
            strand.closed = strand.channel().is_closed()?;
        }
        if let Some(spare) = &self.spare
            && spare.is_closed()?
        {
            self.closing.push(self.spare.take().expect("it is there"));
            self.spare_not_before = now + self.deadlines.keepalive;
        }
        // libssh2 takes any key when keys are exchanged again, and nobody but us remembers which one was judged.
        match self.pipe.session.is_host_key(&self.host_key) {
            true => Ok(()),
            false => {
                Err(Fault::Broken("the host changed its key in the middle of the connection".to_owned()))
            }
        }
    }

    fn advance_opening(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<bool, Fault> {
        let sessions = self.closing.sessions_wait(now).is_none();
        let used = sessions && self.use_spare();
        if self.opening.is_none() {
            self.opening = self.next_opening(now, sessions);
        }
        let Some(opening) = &mut self.opening else { return Ok(used) };
        let result = match opening.poll(cx, &self.pipe.session) {
            Err(Fault::Wait) => return Ok(used),
            // It is asked for anew, if anybody still wants it.
            Err(Fault::Mixed) if !matches!(opening.whom, Whom::Nobody) => return Ok(true),
            Err(fault @ Fault::Broken(_)) => return Err(fault),
            result => result,
        };
        match (self.opening.take().expect("it is there").whom, result) {
            (Whom::Request(request), Ok(channel)) => self.put_to_use(channel, request),
            (Whom::Request(request), Err(fault)) => {
                let why = refused(&request.kind, &fault, &self.host);
                request.refuse(why);
            }
            (Whom::Spare, Ok(channel)) => self.spare = Some(channel),
            (Whom::Spare, Err(_)) => self.spare_not_before = now + self.deadlines.keepalive,
            (Whom::Nobody, Ok(channel)) => self.closing.push(channel),
            (Whom::Nobody, Err(_)) => {}
        }
        Ok(true)
    }

    /// Gives the spare channel to the first command that waits, even while a slow open of another kind goes on.
    fn use_spare(&mut self) -> bool {
        let Some(at) = self.queue.iter().position(|request| request.kind == Kind::Session) else {
            return false;
        };
        let Some(channel) = self.spare.take() else { return false };
        let request = self.queue.remove(at).expect("it is there");
        self.put_to_use(channel, request);
        true
    }

    fn next_opening(&mut self, now: Instant, sessions: bool) -> Option<Opening> {
        self.queue.retain(|request| !request.answer.is_closed());
        let wants_spare = sessions && self.spare.is_none() && self.spare_not_before <= now;
        let Some(at) = self.queue.iter().position(|request| sessions || request.kind != Kind::Session) else {
            return (wants_spare && self.is_deaf()).then(|| Opening::spare(now));
        };
        // A port behind a packet filter may take all of its deadline, and then a command needs the spare.
        if wants_spare && self.queue[at].kind != Kind::Session {
            return Some(Opening::spare(now));
        }
        self.queue.remove(at).map(|request| Opening::of(request, now))
    }

    /// Is there no channel through which libssh2 would hear the server?
    fn is_deaf(&self) -> bool {
        self.spare.is_none() && self.starting.is_empty() && self.strands.iter().all(|strand| strand.closed)
    }

    fn put_to_use(&mut self, channel: Channel, request: Request) {
        match request.kind {
            Kind::Session => self.starting.push(Starting { channel, request, asked: false }),
            Kind::Tcp(..) => self.hand_out(channel, request),
        }
    }

    fn hand_out(&mut self, channel: Channel, request: Request) {
        self.pipe.carrier.no_hurry();
        let (strand, wire) = Strand::new(channel, matches!(request.kind, Kind::Tcp(..)));
        if request.fulfil(wire) {
            self.strands.push(strand);
        } else {
            self.closing.push(strand.into_channel());
        }
    }

    fn advance_starting(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<bool, Fault> {
        let mut worked = false;
        for mut starting in std::mem::take(&mut self.starting) {
            let left = starting.request.answer.poll_closed(cx).is_ready();
            // First, so that an answer that came before the end is still found.
            let closed = starting.channel.is_closed()?;
            let may_ask = !left && !closed && self.closing.sessions_wait(now).is_none();
            match starting.poll(may_ask) {
                Err(Fault::Wait | Fault::Mixed) if left => self.closing.push(starting.channel),
                Err(Fault::Wait) if !closed => {
                    self.starting.push(starting);
                    continue;
                }
                // No answer will come any more in this channel.
                Err(Fault::Wait | Fault::Mixed) => {
                    match starting.asked {
                        true => self.closing.push_ghost(starting.channel),
                        false => self.closing.push(starting.channel),
                    }
                    match starting.request.again() {
                        Ok(request) => self.queue.push_front(request),
                        Err(request) => request.refuse(closed_unstarted(&self.host)),
                    }
                }
                Err(fault @ Fault::Broken(_)) => return Err(fault),
                Err(_) => {
                    starting.request.refuse(not_started(&self.host));
                    self.closing.push(starting.channel);
                }
                Ok(()) => self.hand_out(starting.channel, starting.request),
            }
            worked = true;
        }
        Ok(worked)
    }

    fn advance_strands(&mut self, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let mut worked = false;
        let mut at = 0;
        while at < self.strands.len() {
            match self.strands[at].poll(cx, self.pipe.has_room())? {
                Turn::Idle => at += 1,
                Turn::Moved => (worked, at) = (true, at + 1),
                Turn::Done | Turn::Left => {
                    worked = true;
                    self.closing.push(self.strands.remove(at).into_channel());
                }
            }
        }
        Ok(worked)
    }

    /// Does what is due, and says when to look again.
    fn watch_the_clock(&mut self, now: Instant) -> Instant {
        let sessions_wait = self.closing.sessions_wait(now);
        let alive = self.keep_alive(now);
        let mut next = sessions_wait.map_or(alive, |until| alive.min(until));
        for request in std::mem::take(&mut self.queue) {
            if request.is_late(now) {
                request.refuse_late(&self.host);
            } else {
                next = request.due().map_or(next, |due| next.min(due));
                self.queue.push_back(request);
            }
        }
        if let Some(opening) = &mut self.opening {
            let others_wait = !self.queue.is_empty();
            let (look_again, request) = opening.watch_the_clock(now, &self.pipe, &self.host, others_wait);
            next = next.min(look_again);
            self.queue.extend(request);
        } else if self.is_deaf() && sessions_wait.is_none() {
            next = next.min(self.spare_not_before.max(now));
        }
        for starting in std::mem::take(&mut self.starting) {
            if starting.request.is_late(now) {
                starting.request.refuse_late(&self.host);
                self.closing.push(starting.channel);
            } else {
                next = starting.request.due().map_or(next, |due| next.min(due));
                self.starting.push(starting);
            }
        }
        next
    }

    /// Asks a silent server for a sign of life, and gives the link up when it stays silent.
    fn keep_alive(&mut self, now: Instant) -> Instant {
        if self.pipe.is_deaf() {
            // The silence is ours.
            self.pipe.heard_at = now;
        }
        let Deadlines { keepalive, keepalives_unanswered: tries, .. } = self.deadlines;
        let heard_at = self.pipe.heard_at;
        let hopeless_at = heard_at + keepalive * (tries + 1);
        if now >= hopeless_at {
            let silent = (now - heard_at).as_secs();
            self.pipe.lost = Some(format!("nothing heard for {silent} s, {tries} keepalives unanswered"));
            return now;
        }
        let probe_at = heard_at.max(self.probed_at) + keepalive;
        if now < probe_at {
            return probe_at.min(hopeless_at);
        }
        self.probed_at = now;
        // A failure shows in the next call that reads.
        let _ = self.pipe.session.keepalive();
        (now + keepalive).min(hopeless_at)
    }

    /// `true` if the task may sleep: nothing to move, and the time has not come.
    fn sleep_until(&mut self, cx: &mut Context<'_>, next: Instant) -> bool {
        let next = next.min(Instant::now() + FAR);
        if self.timer.deadline() != next {
            self.timer.as_mut().reset(next);
        }
        let sleeps = self.timer.as_mut().poll(cx).is_pending();
        // A keepalive may just have been written.
        !self.pipe.poll_move(cx) && sleeps
    }

    fn lose(&mut self, fault: Fault) {
        let why = match self.pipe.explain(fault) {
            Fault::Broken(why) => why,
            other => format!("{other:?}"),
        };
        tracing::warn!(host = %self.host, %why, wires = self.strands.len(), "connection lost");
        self.state.lose(why);
        // Dropping the answers tells those who wait.
        self.queue.clear();
        self.opening = None;
        self.starting.clear();
        self.closing.clear();
        self.spare = None;
    }

    fn wind_up(&mut self, cx: &mut Context<'_>, why: &str) -> Poll<()> {
        let mut at = 0;
        while at < self.strands.len() {
            match self.strands[at].poll_lost(cx, why) {
                Turn::Moved => {}
                Turn::Idle => at += 1,
                Turn::Done | Turn::Left => drop(self.strands.remove(at)),
            }
        }
        // The link itself asks `State`.
        if self.strands.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        let why = "it was closed here";
        self.state.lose(why.to_owned());
        for strand in &mut self.strands {
            strand.end(cx, why);
        }
        self.pipe.part(cx);
    }
}
