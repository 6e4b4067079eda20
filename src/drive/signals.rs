//! Signals, counted: once means finish what runs, twice means cancel it, three times means leave at once.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens for SIGINT, SIGTERM and SIGHUP.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    times: u32,
}

/// What the operator asks for by signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Start nothing new, let running jobs end.
    Finish,
    /// Cancel what runs.
    Cancel,
    /// Leave now; the journal is whole, and what runs on hosts is found by `resume`.
    Leave,
}

impl Signals {
    /// Takes the signals over from the system's default, which is to die.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            times: 0,
        })
    }

    /// The next request; harder each time.
    pub async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
        self.times += 1;
        match self.times {
            1 => Asked::Finish,
            2 => Asked::Cancel,
            _ => Asked::Leave,
        }
    }
}
