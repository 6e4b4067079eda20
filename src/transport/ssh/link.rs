//! An open SSH connection, as a link: hands requests to the task that owns the connection.

use super::channel::Kind;
use super::pump::Pump;
use crate::model::Millis;
use crate::transport::wire::{Link, Pending, Trouble, TroubleKind, Wire};
use std::cell::RefCell;
use std::ffi::CString;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// One authenticated SSH connection. Dropping it ends the connection and every wire over it.
#[derive(Debug)]
pub struct SshLink {
    host: String,
    facts: String,
    orders: mpsc::UnboundedSender<Order>,
    state: Rc<State>,
}

impl SshLink {
    /// Lets a task of its own, on the current `LocalSet`, drive the connection.
    pub(super) fn start(
        host: String,
        facts: String,
        pump: impl FnOnce(mpsc::UnboundedReceiver<Order>) -> Pump,
    ) -> Self {
        let (orders, received) = mpsc::unbounded_channel();
        let pump = pump(received);
        let state = pump.state();
        tokio::task::spawn_local(pump.run());
        Self { host, facts, orders, state }
    }

    /// Ends the connection at once; every wire over it ends as lost.
    pub fn close(&self) {
        let _ = self.orders.send(Order::Close);
    }

    async fn forward(&self, host: &str, port: u16, limit: Option<Duration>) -> Result<Wire, Trouble> {
        let name = CString::new(host).map_err(|_| {
            Trouble::new(TroubleKind::Settings, format!("`{}` is no host to connect to", host.escape_debug()))
        })?;
        self.ask(Kind::Tcp(name, port), String::new(), limit).await
    }

    async fn ask(&self, kind: Kind, command: String, limit: Option<Duration>) -> Result<Wire, Trouble> {
        let (answer, answered) = oneshot::channel();
        let lost = || {
            let why = self.state.lost().unwrap_or_else(|| "it was closed here".to_owned());
            Trouble::new(TroubleKind::Lost, format!("{}: the connection is gone: {why}", self.host))
        };
        self.orders.send(Order::Open { kind, command, limit, answer }).map_err(|_| lost())?;
        answered.await.unwrap_or_else(|_| Err(lost()))
    }
}

impl Link for SshLink {
    fn open<'a>(&'a self, command: &'a str) -> Pending<'a, Result<Wire, Trouble>> {
        Box::pin(self.ask(Kind::Session, command.to_owned(), None))
    }

    fn tcp<'a>(&'a self, host: &'a str, port: u16) -> Pending<'a, Result<Wire, Trouble>> {
        Box::pin(self.forward(host, port, None))
    }

    fn tcp_within<'a>(
        &'a self,
        host: &'a str,
        port: u16,
        limit: Millis,
    ) -> Pending<'a, Result<Wire, Trouble>> {
        Box::pin(self.forward(host, port, Some(limit.std())))
    }

    fn is_up(&self) -> bool {
        !self.orders.is_closed() && self.state.lost().is_none()
    }

    fn facts(&self) -> String {
        self.facts.clone()
    }
}

/// What a link asks of its connection.
pub enum Order {
    /// Open a channel, and start the command in it if it is one for commands.
    Open {
        /// For what.
        kind: Kind,
        /// The command, for `Kind::Session`.
        command: String,
        /// How long it may take, if the connection's own limit is not to hold.
        limit: Option<Duration>,
        /// Where the wire goes.
        answer: oneshot::Sender<Result<Wire, Trouble>>,
    },
    /// End the connection.
    Close,
}

/// What a link can see of its connection at any time.
#[derive(Debug, Default)]
pub struct State(RefCell<Option<String>>);

impl State {
    /// How the connection was lost, if it was.
    pub fn lost(&self) -> Option<String> {
        self.0.borrow().clone()
    }

    /// It was lost. What was said first stays.
    pub fn lose(&self, why: String) {
        self.0.borrow_mut().get_or_insert(why);
    }
}
