//! A TCP proxy that can become a black hole: connections stay open and nothing gets through.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::Instant;

/// Pieces on their way at a time.
const IN_FLIGHT: usize = 1000;

/// A running proxy; ends with its `LocalSet`.
pub struct Proxy {
    pub addr: SocketAddr,
    hole: Rc<(Cell<bool>, Notify)>,
}

impl Proxy {
    /// In front of `target`.
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let hole = Rc::new((Cell::new(false), Notify::new()));
        let seen = Rc::clone(&hole);
        tokio::task::spawn_local(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(target).await.unwrap();
                let (near_read, near_write) = near.into_split();
                let (far_read, far_write) = far.into_split();
                tokio::task::spawn_local(forward(near_read, far_write, Rc::clone(&seen)));
                tokio::task::spawn_local(forward(far_read, near_write, Rc::clone(&seen)));
            }
        });
        Self { addr, hole }
    }

    /// Carries every connection to `listener` on to `target`, with each byte so much later, for as long as it is polled.
    pub async fn delayed(listener: TcpListener, target: SocketAddr, by: Duration) {
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(target).await.unwrap();
            for stream in [&near, &far] {
                stream.set_nodelay(true).unwrap();
            }
            let (near_read, near_write) = near.into_split();
            let (far_read, far_write) = far.into_split();
            tokio::task::spawn_local(delay(near_read, far_write, by));
            tokio::task::spawn_local(delay(far_read, near_write, by));
        }
    }

    /// From here on nothing gets through, and nobody is told.
    pub fn swallow(&self) {
        self.hole.0.set(true);
        self.hole.1.notify_waiters();
    }
}

/// Hands on what comes from `from` in order, each piece so much later. A pause never adds up: pieces travel side by side.
async fn delay(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    by: Duration,
) {
    let (sender, mut pieces) = tokio::sync::mpsc::channel::<(Instant, Vec<u8>)>(IN_FLIGHT);
    tokio::task::spawn_local(async move {
        while let Some((at, bytes)) = pieces.recv().await {
            tokio::time::sleep_until(at + by).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(n @ 1..) = from.read(&mut bytes).await {
        if sender.send((Instant::now(), bytes[..n].to_vec())).await.is_err() {
            return;
        }
    }
}

async fn forward(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    hole: Rc<(Cell<bool>, Notify)>,
) {
    let mut bytes = vec![0; 64 * 1024];
    while !hole.0.get() {
        let fell = hole.1.notified();
        let n = tokio::select! {
            n = from.read(&mut bytes) => n.unwrap_or(0),
            () = fell => break,
        };
        if n == 0 || to.write_all(&bytes[..n]).await.is_err() {
            return;
        }
    }
    // Both ends stay open for as long as the test lives.
    std::future::pending::<()>().await;
}
