//! How long each wait of a connection may last.

use std::time::Duration;

/// A TCP connection that takes longer is to a host that is not there.
pub const CONNECT: Duration = Duration::from_secs(10);
/// Identification and key exchange; a busy old router needs seconds for its Diffie-Hellman.
pub const HANDSHAKE: Duration = Duration::from_secs(20);
/// A server with too many logins under way hangs up on newcomers (`MaxStartups`) and takes them when others are done;
/// one that does it for longer will not take us.
pub const BUSY: Duration = Duration::from_secs(20);
/// Login; servers delay refusals by seconds and look up names and directories first.
pub const AUTH: Duration = Duration::from_secs(30);
/// One channel; the server forks a session for it.
pub const OPEN: Duration = Duration::from_secs(20);
/// Silence after which the host is asked whether it is there.
pub const KEEPALIVE: Duration = Duration::from_secs(15);
/// Unanswered keepalives after which the link is lost.
pub const KEEPALIVES_UNANSWERED: u32 = 3;

/// The waits of a connection; each has its own limit and an error that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Name resolution and TCP (or the jump host's channel), together, for a host whose `connect_timeout` is zero and
    /// for which `~/.ssh/config` has no `ConnectTimeout`.
    pub connect: Duration,
    /// Identification and key exchange.
    pub handshake: Duration,
    /// Knocking at a server that hangs up before it says who it is.
    pub busy: Duration,
    /// Login, all methods together.
    pub auth: Duration,
    /// Opening one channel and starting its command.
    pub open: Duration,
    /// Silence after which a keepalive is sent, where `~/.ssh/config` has no `ServerAliveInterval`.
    pub keepalive: Duration,
    /// Unanswered keepalives after which the link is lost; `ServerAliveCountMax` beside an interval.
    pub keepalives_unanswered: u32,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: CONNECT,
            handshake: HANDSHAKE,
            busy: BUSY,
            auth: AUTH,
            open: OPEN,
            keepalive: KEEPALIVE,
            keepalives_unanswered: KEEPALIVES_UNANSWERED,
        }
    }
}
