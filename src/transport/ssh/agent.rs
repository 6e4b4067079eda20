//! An SSH agent, on a thread of its own for as long as a login lasts: libssh2's agent calls block until the agent
//! answers, and an agent may first ask its owner.

use super::session::{Agent, AgentKey, Fault, Session};
use std::path::PathBuf;
use std::sync::mpsc;
use tokio::sync::oneshot;

/// What the thread is asked to do.
enum Ask {
    /// Offer this key to the server as this user.
    Login(String, AgentKey, oneshot::Sender<Result<(), Fault>>),
    /// Let go of the agent and the session.
    Leave(oneshot::Sender<()>),
}

/// A connection to an agent.
pub struct AgentThread {
    asks: mpsc::Sender<Ask>,
    /// The keys it holds.
    pub keys: Vec<AgentKey>,
}

impl AgentThread {
    /// Connects to the agent and lists its keys. The error says why it cannot be used.
    ///
    /// Until this and each later call returns, nobody else may use the session.
    pub async fn start(session: Session, socket: PathBuf) -> Result<Self, String> {
        let (asks, orders) = mpsc::channel();
        let (tell, told) = oneshot::channel();
        let work = move || {
            let agent = match session.agent(&socket).and_then(|agent| Ok((agent.keys()?, agent))) {
                Ok((keys, agent)) => {
                    let _ = tell.send(Ok(keys));
                    agent
                }
                Err(fault) => {
                    drop(session);
                    let _ = tell.send(Err(format!("{fault:?}")));
                    return;
                }
            };
            serve(agent, session, &orders);
        };
        // Not `spawn_blocking`: an agent that never answers must not keep the runtime from ending.
        std::thread::Builder::new().name("ssh-agent".to_owned()).spawn(work).map_err(|e| e.to_string())?;
        let keys = told.await.map_err(|_| "its thread ended".to_owned())??;
        Ok(Self { asks, keys })
    }

    /// Offers a key. After `Fault::Wait` call again when more has come from the server.
    pub async fn login(&self, user: &str, key: &AgentKey) -> Result<(), Fault> {
        let (tell, told) = oneshot::channel();
        let ended = || Fault::Broken("the agent's thread ended".to_owned());
        self.asks.send(Ask::Login(user.to_owned(), key.clone(), tell)).map_err(|_| ended())?;
        told.await.unwrap_or_else(|_| Err(ended()))
    }

    /// Lets go of the agent.
    pub async fn leave(self) {
        let (tell, told) = oneshot::channel();
        if self.asks.send(Ask::Leave(tell)).is_ok() {
            let _ = told.await;
        }
    }
}

fn serve(agent: Agent, session: Session, orders: &mpsc::Receiver<Ask>) {
    while let Ok(ask) = orders.recv() {
        match ask {
            Ask::Login(user, key, tell) => {
                let _ = tell.send(agent.login(&user, &key));
            }
            Ask::Leave(tell) => {
                // Before the answer, so that nothing here touches the session after it.
                drop((agent, session));
                let _ = tell.send(());
                return;
            }
        }
    }
}
