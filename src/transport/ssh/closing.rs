//! Channels on their way out, and how long new sessions wait for them.
//!
//! dropbear (2022.83, and its sources of 2026) closes each session that has no command yet when the process of any other
//! session of the connection ends. The command that is on its way to it then is started all the same, is never
//! answered for, and what it prints kills the server's side of the connection. So there a session is opened, and its
//! command sent, while no other is ending, as far as that can be told.

use super::channel::Channel;
use super::session::Fault;
use tokio::time::{Duration, Instant};

/// Sessions wait no longer for the end of another, whose process may have reasons of its own to go on.
const END_MAX: Duration = Duration::from_secs(1);
/// So long a command that was started in a closed session is given to end.
const GHOST_END: Duration = Duration::from_millis(100);

/// Channels that nobody uses any more, until the other side has closed them too.
pub struct Closing {
    /// With each: how long sessions wait for it.
    channels: Vec<(Channel, Instant)>,
    /// Does the server lose sessions while others end?
    loses_sessions: bool,
    ghosts_end: Instant,
}

impl Closing {
    /// None yet; the server calls itself so.
    pub fn at(server_version: &str) -> Self {
        let loses_sessions = server_version.contains("dropbear");
        Self { channels: Vec::new(), loses_sessions, ghosts_end: Instant::now() }
    }

    /// To be closed.
    pub fn push(&mut self, channel: Channel) {
        self.channels.push((channel, Instant::now() + END_MAX));
    }

    /// To be closed: the server has closed it, and may have started its command.
    pub fn push_ghost(&mut self, channel: Channel) {
        self.push(channel);
        self.ghosts_end = Instant::now() + GHOST_END;
    }

    /// Goes on closing. `true` if one is gone.
    pub fn advance(&mut self) -> Result<bool, Fault> {
        let before = self.channels.len();
        for (channel, until) in std::mem::take(&mut self.channels) {
            match channel.close() {
                Err(Fault::Wait) => self.channels.push((channel, until)),
                Err(fault @ Fault::Broken(_)) => return Err(fault),
                // libssh2 takes any packet for the answer.
                Ok(()) if self.loses_sessions && !channel.is_closed()? => {
                    self.channels.push((channel, until))
                }
                // Dropped, and with that freed.
                Ok(()) | Err(_) => {}
            }
        }
        Ok(self.channels.len() < before)
    }

    /// When sessions may be opened, if not now.
    pub fn sessions_wait(&self, now: Instant) -> Option<Instant> {
        let ends = self.channels.iter().filter(|_| self.loses_sessions).map(|(_, until)| *until);
        ends.chain([self.ghosts_end]).filter(|until| *until > now).max()
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.channels.clear();
    }
}
