//! The loop of a real run: takes news in, lets the engine decide, makes the decisions durable, and only then
//! carries them out (`decide`).
//!
//! Nothing in here returns early on trouble: trouble with a host is news for the engine, trouble with a person
//! is silence. The one exception is the journal. When it cannot be written, nothing more is started.

mod decide;
mod fire;
mod looks;
mod people;
mod work;

use crate::drive::ahead::Ahead;
use crate::drive::approvals;
use crate::drive::claimed::Claimed;
use crate::drive::clock::Clock;
use crate::drive::job::{Back, Workshop};
use crate::drive::people::Keyboard;
use crate::drive::signals::{Asked, Signals};
use crate::drive::watch::Watch;
use crate::engine::{Engine, Input, Output, RunState};
use crate::journal::{JournalError, Message, Writer, inbox};
use crate::model::event::{Job, Seen, Stands, StopHow, Verdict};
use crate::model::names::{HostIx, ServiceName, TaskIx};
use crate::model::question::Question;
use crate::model::{Millis, Time};
use crate::report::clocks::Reminders;
use crate::report::display::{self, Display};
use crate::report::escape::line;
use crate::report::going_on::Round;
use crate::transport::{LaidReady, Stopper};
use fire::{AllReady, Ready};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use tokio::sync::mpsc;
use tokio::time::{Duration, MissedTickBehavior, interval, sleep};

/// How often the inbox is looked into: people do not notice it, and a directory read costs next to nothing.
const INBOX_EVERY: Duration = Duration::from_millis(250);
/// How often elapsed times move on the screen.
const TICK_EVERY: Duration = Duration::from_millis(200);
/// News taken in before decisions are made durable together: bounds how long the first of them waits.
const NEWS_AT_ONCE_MAX: usize = 4096;

/// A run that is being carried out.
pub struct Live<'a> {
    engine: Engine,
    /// The run as far as it is in the journal: what the screen shows.
    shown: RunState,
    writer: Writer,
    shop: Rc<Workshop>,
    clock: Clock,
    display: &'a mut dyn Display,
    /// Does somebody want to see output as it comes?
    watch: bool,
    keyboard: Option<Keyboard>,
    asked: Option<Question>,
    by: String,
    news: mpsc::UnboundedReceiver<News>,
    tell: mpsc::UnboundedSender<News>,
    stoppers: BTreeMap<Job, Stopper>,
    /// Scripts that lie ready on their hosts.
    ready: AllReady,
    /// Hosts, and the rights there, with which a claim is known to have been made.
    claimed: Claimed,
    ahead: Ahead,
    /// Is there a look before the first cut?
    baseline: bool,
    services: Option<Watch>,
    reminders: Reminders,
    wake: Option<Time>,
    answered_files: Vec<PathBuf>,
    /// What was handed over has waited long enough for its sync.
    sync_due: bool,
    ended: Option<Verdict>,
}

/// What comes back from the world.
pub enum News {
    /// A job ended, or a receipt was read.
    Back(Job, Back),
    /// A host was connected to.
    Reached(HostIx, String),
    /// Output, for those who look.
    Printed(Job, display::Stream, Vec<u8>),
    /// What was seen before the first cut, and why it is not all, if so.
    LookedBefore(Vec<Seen>, String),
    /// How services stand before the end, what was seen of what was cut, and why it is not all, if so.
    LookedAfter(Vec<(ServiceName, Stands, String)>, Vec<Seen>, String),
    /// A service was looked at for the first time, or changed.
    ServiceSeen(ServiceName, Stands, String),
    /// The guard of a run that is under way got more time.
    Extended(Job, Millis),
    /// A watch had a look.
    Looked(Job, Round),
    /// A script lies ready on its host.
    Ready(Job, Ready),
    /// A script that lay ready does so no longer.
    Unready(TaskIx),
    /// A firing was measured.
    Fired(Input),
    /// Something that the operator should know, and that is no fact about the run.
    Noted(String),
}

/// How the loop ended.
#[derive(Debug)]
pub enum Ending {
    /// The engine said so.
    Verdict(Verdict),
    /// The operator left (third Ctrl-C): the journal is whole, jobs may still run on hosts.
    Left,
    /// The journal could not be written: nothing was started after that.
    Journal(JournalError),
}

/// What a live run is put together from.
pub struct Parts<'a> {
    /// The engine, restored from the journal if there is one.
    pub engine: Engine,
    /// Where decisions become durable.
    pub writer: Writer,
    /// Hosts, secrets, directories.
    pub shop: Rc<Workshop>,
    /// The clock.
    pub clock: Clock,
    /// The screen.
    pub display: &'a mut dyn Display,
    /// Show output as it comes?
    pub watch: bool,
    /// Ask on the terminal?
    pub ask: bool,
    /// Look before the first cut?
    pub baseline: bool,
    /// Watch services, and how.
    pub services: Option<Watch>,
    /// Who is at the keyboard.
    pub by: String,
    /// The two ends of the news: the fleet already holds one.
    pub news: (mpsc::UnboundedSender<News>, mpsc::UnboundedReceiver<News>),
}

impl<'a> Live<'a> {
    /// Puts a run together.
    pub fn new(parts: Parts<'a>) -> Self {
        let (tell, news) = parts.news;
        let claimed = Claimed::so_far(parts.engine.state());
        let ahead = Ahead::of(&parts.shop.tools.plan);
        Self {
            shown: parts.engine.state().clone(),
            engine: parts.engine,
            writer: parts.writer,
            shop: parts.shop,
            clock: parts.clock,
            display: parts.display,
            watch: parts.watch,
            keyboard: parts.ask.then(Keyboard::listen),
            asked: None,
            by: parts.by,
            news,
            tell,
            stoppers: BTreeMap::new(),
            ready: AllReady::new(),
            claimed,
            ahead,
            baseline: parts.baseline,
            services: parts.services,
            reminders: Reminders::default(),
            wake: None,
            answered_files: Vec::new(),
            sync_due: false,
            ended: None,
        }
    }

    /// Carries the run out from `first` (begin, resume or rollback) to its end in this process.
    pub async fn carry_out(mut self, first: Vec<Input>, mut signals: Signals) -> (Ending, Engine) {
        let _watching = self.watch_services();
        let mut inbox_tick = interval(INBOX_EVERY);
        let mut screen_tick = interval(TICK_EVERY);
        inbox_tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        screen_tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Answers that were given while nobody carried the run on: first, or a run without people ends for want of them.
        self.read_inbox();
        for input in first {
            self.engine.handle(self.clock.now(), input);
        }
        loop {
            if let Err(error) = self.decide().await {
                self.display.note("the journal cannot be written: nothing more is started");
                return (Ending::Journal(error), self.engine);
            }
            if let Some(verdict) = self.ended.take() {
                self.display.finished(&self.shown, self.clock.now());
                return (Ending::Verdict(verdict), self.engine);
            }
            self.ask_next();
            let wake = self.wake.map(|at| self.clock.until(at));
            tokio::select! {
                biased;
                asked = signals.next() => {
                    if self.signalled(asked) {
                        let left = self.writer.commit().map_or_else(Ending::Journal, |()| Ending::Left);
                        return (left, self.engine);
                    }
                }
                Some(news) = self.news.recv() => self.take_in(news),
                () = sleep(wake.unwrap_or_default()), if wake.is_some() => {
                    self.wake = None;
                    self.engine.handle(self.clock.now(), Input::TimePassed);
                }
                line = people::typed(&mut self.keyboard), if self.asked.is_some() => self.typed(line),
                _ = inbox_tick.tick() => self.read_inbox(),
                _ = screen_tick.tick() => {
                    self.sync_due = true;
                    self.show_time();
                }
            }
        }
    }

    /// Carries an order out; `laid`: what was sent ahead for those that start something.
    fn obey(&mut self, order: Output, laid: &mut BTreeMap<Job, LaidReady>) {
        match order {
            Output::Start { job, resolves } => self.start(job, resolves, laid.remove(&job)),
            Output::Cancel { job } => {
                if let Some(stopper) = self.stoppers.get(&job) {
                    stopper.stop();
                }
            }
            Output::Ask(_) => {}
            Output::Withdraw(question) => {
                if self.asked.as_ref() == Some(&question) {
                    self.asked = None;
                    self.display.prompt(&self.shown, self.clock.now(), None);
                    self.display.note("answered elsewhere");
                }
            }
            Output::Wake { at } => self.wake = Some(at),
            Output::Finished(verdict) => self.ended = Some(verdict),
            Output::LookBefore => self.look_before(),
            Output::LookAfter { probes } => self.look_after(probes),
            Output::Fire { step, jobs } => self.fire(step, jobs),
            Output::Release { task } => drop(self.ready.remove(&task)),
            Output::Record(..) => unreachable!("records are made durable before orders are carried out"),
        }
    }

    /// Takes in this piece of news and what else is there, so that one sync covers all that follows.
    fn take_in(&mut self, first: News) {
        let mut next = Some(first);
        let mut taken = 0;
        while let Some(news) = next {
            self.take_one(news);
            taken += 1;
            next = (taken < NEWS_AT_ONCE_MAX).then(|| self.news.try_recv().ok()).flatten();
        }
    }

    fn take_one(&mut self, news: News) {
        let now = self.clock.now();
        match news {
            News::Back(job, Back::Ended(outcome, facts)) => {
                self.stoppers.remove(&job);
                self.claimed.note(&self.shop.tools.plan, job, &outcome);
                self.engine.handle(now, Input::JobEnded { job, outcome, facts });
            }
            News::Back(job, Back::Read(found)) => {
                self.stoppers.remove(&job);
                self.engine.handle(now, Input::ReceiptRead { job, found });
            }
            News::Reached(host, how) => self.engine.handle(now, Input::HostReached { host, how }),
            News::Printed(job, stream, bytes) => {
                self.display.output(&self.shop.tools.plan, job, stream, &bytes);
            }
            News::LookedBefore(probes, because) => {
                self.engine.handle(now, Input::Baseline { probes, because });
            }
            News::LookedAfter(services, probes, because) => {
                self.engine.handle(now, Input::LookedAfter { services, probes, because });
            }
            News::ServiceSeen(service, stands, because) => {
                self.engine.handle(now, Input::ServiceSeen { service, stands, because });
            }
            News::Extended(job, left) => self.engine.handle(now, Input::GuardExtended { job, left }),
            News::Looked(job, round) => self.display.watched(job, round),
            News::Ready(job, ready) => self.is_ready(job, ready),
            News::Unready(task) => self.is_unready(task),
            News::Fired(input) => self.engine.handle(now, input),
            News::Noted(text) => self.display.note(&line(&text)),
        }
    }

    /// True if the operator wants to leave at once.
    fn signalled(&mut self, asked: Asked) -> bool {
        let how = match asked {
            Asked::Finish => {
                self.display.note(
                    "stopping: nothing new is started, running jobs may end. Ctrl-C once more cancels them, twice more leaves at once.",
                );
                StopHow::Finish
            }
            Asked::Cancel => {
                self.display.note("cancelling what runs on the hosts. Ctrl-C once more leaves at once.");
                StopHow::Cancel
            }
            Asked::Leave => return true,
        };
        self.engine.handle(self.clock.now(), Input::StopRequested { by: self.by.clone(), how });
        false
    }

    fn read_inbox(&mut self) {
        let messages = match inbox::take(&self.shop.dir) {
            Ok(messages) => messages,
            Err(error) => {
                tracing::warn!(%error, "the inbox cannot be read");
                return;
            }
        };
        for (file, message) in messages {
            let now = self.clock.now();
            if let Message::Answer(answer) = &message
                && let Err(because) = approvals::check(self.engine.state(), answer, now)
            {
                self.refuse(&file, &answer.by, &because);
                continue;
            }
            let input = match message {
                Message::Answer(answer) => Input::Answered(answer),
                Message::Stop { by, how } => Input::StopRequested { by, how },
                Message::Rollback { by, scope, reopen, consent } => {
                    Input::RollbackRequested { scope, reopen, by, consent }
                }
                Message::Abandon { by, comment } => Input::Abandoned { by, comment },
            };
            self.engine.handle(now, input);
            self.answered_files.push(file);
        }
    }

    /// An answer whose signature does not hold is moved aside, and said so: somebody believes that it counts.
    fn refuse(&mut self, file: &Path, by: &str, because: &str) {
        let text = format!("an answer of {by} is refused: {because}");
        self.display.note(&line(&text));
        if let Err(error) = inbox::refuse(file, because) {
            tracing::warn!(%error, "an answer that was refused stays in the inbox");
        }
    }
}
