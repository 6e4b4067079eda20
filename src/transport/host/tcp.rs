//! A TCP connection from a host, over a connection of its own, so that a silence is the target's alone.

use super::super::wire::{Connected, FROM_WIRE_QUEUE, Link, TO_WIRE_QUEUE, Trouble, Wire};
use super::lanes::Lanes;
use crate::model::Millis;
use std::rc::Rc;
use tokio::sync::mpsc;

/// Connections at a time for probes from one host: stock sshd refuses some of more than ten that log in at once.
pub(super) const PROBES_AT_ONCE: usize = 4;

/// Opens it over a connection of its own: libssh2 opens one channel at a time, so that over a shared one a target
/// that swallows packets would hold up every other probe from this host.
pub(super) async fn tcp(
    lanes: &Rc<Lanes>,
    host: &str,
    port: u16,
    limit: Millis,
) -> Result<Connected, Trouble> {
    // The host as a whole first: what was refused for good is refused here too, without another try.
    lanes.link().await?;
    let link = lanes.fresh_link().await?;
    // Only the link knows whether the target was really tried all that time and the host itself was heard.
    let wire = link.tcp_within(host, port, limit).await?;
    Ok(Connected { wire: keeping(wire, link), by: None })
}

/// The wire, and the connection beneath it for as long as somebody uses the wire.
fn keeping(mut inner: Wire, link: Rc<dyn Link>) -> Wire {
    let (to, mut to_inner) = mpsc::channel(TO_WIRE_QUEUE);
    let (from_inner, from) = mpsc::channel(FROM_WIRE_QUEUE);
    tokio::task::spawn_local(async move {
        let _link = link;
        let mut writing = true;
        loop {
            tokio::select! {
                bytes = to_inner.recv(), if writing => match bytes {
                    Some(bytes) => writing = inner.to.send(bytes).await.is_ok(),
                    None => writing = false,
                },
                message = inner.from.recv() => match message {
                    Some(message) => {
                        if from_inner.send(message).await.is_err() {
                            return;
                        }
                    }
                    None => return,
                },
                () = from_inner.closed() => return,
            }
        }
    });
    Wire { to, from }
}
