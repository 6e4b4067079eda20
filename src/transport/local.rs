//! A link to the controller itself: wires are local processes, and plain sockets.

use super::wire::{
    Closed, FROM_WIRE_QUEUE, FromWire, Link, Pending, TO_WIRE_QUEUE, Trouble, TroubleKind, Wire,
};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::sync::mpsc;

/// One read of a pipe: what a pipe holds by default.
const READ_BYTES: usize = 64 * 1024;

/// Runs commands on this machine, each in a session of its own, as sshd would.
#[derive(Debug, Clone)]
pub struct Local {
    shell: String,
    /// Variables of this process that commands do not get.
    hidden: Vec<String>,
}

impl Default for Local {
    fn default() -> Self {
        Self::with_shell("/bin/sh")
    }
}

impl Local {
    /// With another login shell than `/bin/sh`.
    pub fn with_shell(shell: &str) -> Self {
        Self { shell: shell.to_owned(), hidden: Vec::new() }
    }

    /// Keeps variables of this process from commands: those that hold secrets, which a step gets only if it names them.
    pub fn hiding(mut self, variables: Vec<String>) -> Self {
        self.hidden = variables;
        self
    }

    async fn spawn(&self, command: &str) -> Result<Wire, Trouble> {
        let piped = |command: &mut Command| {
            for variable in &self.hidden {
                command.env_remove(variable);
            }
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
        };
        // A session of its own has no terminal: a step cannot stop on it, and the operator's Ctrl-C is not its own.
        let in_session = piped(Command::new("setsid").args([&self.shell, "-c", command]));
        let mut child = in_session
            .or_else(|_| piped(Command::new(&self.shell).args(["-c", command]).process_group(0)))
            .map_err(|error| {
                Trouble::new(TroubleKind::Settings, format!("cannot start `{}`: {error}", self.shell))
            })?;
        let (to, to_child) = mpsc::channel(TO_WIRE_QUEUE);
        let (from_child, from) = mpsc::channel(FROM_WIRE_QUEUE);
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        tokio::spawn(write(to_child, stdin));
        tokio::spawn(async move {
            tokio::join!(
                read(stdout, from_child.clone(), FromWire::Out),
                read(stderr, from_child.clone(), FromWire::Err)
            );
            let closed = match child.wait().await {
                Err(error) => Closed::Lost(format!("cannot wait for `sh`: {error}")),
                Ok(status) => match (status.code(), status.signal()) {
                    (Some(code), _) => Closed::Exit(code),
                    (None, Some(signal)) => Closed::Signal(signal.to_string()),
                    (None, None) => Closed::NoStatus,
                },
            };
            let _ = from_child.send(FromWire::Closed(closed)).await;
        });
        Ok(Wire { to, from })
    }
}

impl Link for Local {
    fn open<'a>(&'a self, command: &'a str) -> Pending<'a, Result<Wire, Trouble>> {
        Box::pin(self.spawn(command))
    }

    fn tcp<'a>(&'a self, host: &'a str, port: u16) -> Pending<'a, Result<Wire, Trouble>> {
        Box::pin(async move {
            let stream = TcpStream::connect((host, port)).await.map_err(|error| {
                Trouble::new(TroubleKind::TargetClosed, format!("{host}:{port}: {error}"))
            })?;
            let _ = stream.set_nodelay(true);
            let (reader, writer) = stream.into_split();
            let (to, to_port) = mpsc::channel(TO_WIRE_QUEUE);
            let (from_port, from) = mpsc::channel(FROM_WIRE_QUEUE);
            tokio::spawn(write(to_port, Some(writer)));
            tokio::spawn(async move {
                read(Some(reader), from_port.clone(), FromWire::Out).await;
                let _ = from_port.send(FromWire::Closed(Closed::NoStatus)).await;
            });
            Ok(Wire { to, from })
        })
    }

    fn is_up(&self) -> bool {
        true
    }

    fn facts(&self) -> String {
        "the controller itself, by local processes".into()
    }
}

/// Until the sender is dropped, or nobody reads any more; then end-of-file.
async fn write(mut from: mpsc::Receiver<Vec<u8>>, to: Option<impl AsyncWrite + Unpin>) {
    let Some(mut to) = to else { return };
    while let Some(bytes) = from.recv().await {
        if to.write_all(&bytes).await.is_err() || to.flush().await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}

/// Until end-of-file, or nobody listens any more; then the pipe is closed, and whoever writes hears of it.
async fn read(
    from: Option<impl AsyncRead + Unpin>,
    to: mpsc::Sender<FromWire>,
    stream: fn(Vec<u8>) -> FromWire,
) {
    let Some(mut from) = from else { return };
    loop {
        let mut bytes = Vec::with_capacity(READ_BYTES);
        let read = tokio::select! {
            read = from.read_buf(&mut bytes) => read,
            () = to.closed() => return,
        };
        match read {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                if to.send(stream(bytes)).await.is_err() {
                    return;
                }
            }
        }
    }
}
