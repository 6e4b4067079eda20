//! Asking people on the terminal: one question at a time, answers read on a thread of their own, because a
//! read from a terminal cannot be taken back.

use crate::transport::system_name;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{BufRead, Write};
use tokio::sync::mpsc;

/// Lines typed on the terminal. Starting it starts a thread that ends with the process.
#[derive(Debug)]
pub struct Keyboard {
    lines: mpsc::UnboundedReceiver<String>,
}

impl Keyboard {
    /// Starts listening to stdin.
    pub fn listen() -> Self {
        let (to, lines) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                let Ok(line) = line else { break };
                if to.send(line).is_err() {
                    break;
                }
            }
        });
        Self { lines }
    }

    /// The next line; `None` once stdin is closed.
    pub async fn line(&mut self) -> Option<String> {
        self.lines.recv().await
    }
}

/// Keeps the terminal from writing `^C` into the live view, until dropped.
#[derive(Debug)]
pub struct NoCaret(Option<Termios>);

impl NoCaret {
    /// Where stdin is a terminal; anywhere else it does nothing.
    pub fn start() -> Self {
        let before = tcgetattr(std::io::stdin()).ok();
        if let Some(before) = &before {
            let mut without = before.clone();
            without.local_modes.remove(LocalModes::ECHOCTL);
            // It is for looks only.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &without);
        }
        Self(before)
    }
}

impl Drop for NoCaret {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Asks on stderr and reads one line from stdin, blocking. Only before or after a run's loop.
pub fn ask_line(text: &str) -> Option<String> {
    let mut stderr = std::io::stderr();
    stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()).ok()?;
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim_end_matches(['\n', '\r']).to_owned())
}

/// Asks for something that must not be seen on the screen.
pub fn ask_secret(text: &str) -> Option<String> {
    rpassword::prompt_password(text).ok()
}

/// Who is at the keyboard: the login name, through sudo too. Where nobody logged in (cron, containers), the
/// name of the user that this process runs as.
pub fn who() -> String {
    ["SUDO_USER", "LOGNAME", "USER"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .or_else(|| system_name().map(str::to_owned))
        .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}
