//! A TCP proxy that can become a black hole: connections stay open and nothing gets through.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

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

    /// From here on nothing gets through, and nobody is told.
    pub fn swallow(&self) {
        self.hole.0.set(true);
        self.hole.1.notify_waiters();
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
