//! A TCP connection from a host, over a connection of its own, so that a silence is the target's alone.

use super::super::wire::{
    Connected, FROM_WIRE_QUEUE, FromWire, Link, TO_WIRE_QUEUE, Trouble, TroubleKind, Wire,
};
use super::lanes::Lanes;
use super::tool::{self, ByTool};
use crate::model::Millis;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use tokio::sync::mpsc;

/// Connections at a time for probes from one host: stock sshd refuses some of more than ten that log in at once.
pub(super) const PROBES_AT_ONCE: usize = 4;

/// Opens it over a connection of its own: libssh2 opens one channel at a time, so that over a shared one a target
/// that swallows packets would hold up every other probe from this host.
pub(super) async fn tcp(
    lanes: &Rc<Lanes>,
    spare: &Rc<Spare>,
    name: &str,
    host: &str,
    port: u16,
    limit: Millis,
) -> Result<Connected, Trouble> {
    // The host as a whole first: what was refused for good is refused here too, without another try.
    lanes.link().await?;
    if let Some(link) = spare.take() {
        match over(link, spare, name, host, port, limit).await {
            // It had died unnoticed: over a fresh one.
            Err(trouble) if matches!(trouble.kind, TroubleKind::Lost | TroubleKind::Unreachable) => {}
            answer => return answer,
        }
    }
    over(lanes.fresh_link().await?, spare, name, host, port, limit).await
}

async fn over(
    link: Rc<dyn Link>,
    spare: &Rc<Spare>,
    name: &str,
    host: &str,
    port: u16,
    limit: Millis,
) -> Result<Connected, Trouble> {
    // Only the link knows whether the target was really tried all that time and the host itself was heard.
    match link.tcp_within(host, port, limit).await {
        Ok(wire) => Ok(Connected { wire: keeping(wire, Vec::new(), link, spare.clone()), by: None }),
        // Its SSH server will not: perhaps somebody on the host will.
        Err(trouble) if trouble.kind == TroubleKind::Refused => {
            let ByTool { wire, said, tool } = tool::connect(&*link, name, host, port, limit).await?;
            let wire = keeping(wire, said, link, spare.clone());
            Ok(Connected { wire, by: Some(tool::by(&tool, name)) })
        }
        Err(trouble) => Err(trouble),
    }
}

/// The connection of a probe that was answered, kept for the next one where somebody looks again and again. After
/// a silence libssh2 is not done with the last one yet, and it is not kept.
#[derive(Default)]
pub(super) struct Spare {
    keep: Cell<bool>,
    link: RefCell<Option<Rc<dyn Link>>>,
}

impl Spare {
    pub(super) fn keep(&self, keep: bool) {
        self.keep.set(keep);
        if !keep {
            self.link.take();
        }
    }
    fn take(&self) -> Option<Rc<dyn Link>> {
        self.link.take().filter(|link| link.is_up())
    }
    fn put(&self, link: Rc<dyn Link>) {
        if self.keep.get() && link.is_up() {
            self.link.replace(Some(link));
        }
    }
}

/// The wire, and the connection beneath it for as long as somebody uses the wire. `said` came from it already.
fn keeping(inner: Wire, said: Vec<u8>, link: Rc<dyn Link>, spare: Rc<Spare>) -> Wire {
    let (to, to_inner) = mpsc::channel(TO_WIRE_QUEUE);
    let (from_inner, from) = mpsc::channel(FROM_WIRE_QUEUE);
    tokio::task::spawn_local(async move {
        if said.is_empty() || from_inner.send(FromWire::Out(said)).await.is_ok() {
            pass_on(inner, to_inner, from_inner).await;
        }
        spare.put(link);
    });
    Wire { to, from }
}

/// Until either side is done.
async fn pass_on(mut inner: Wire, mut to_inner: mpsc::Receiver<Vec<u8>>, from_inner: mpsc::Sender<FromWire>) {
    let mut writing = true;
    loop {
        tokio::select! {
            bytes = to_inner.recv(), if writing => match bytes {
                Some(bytes) => writing = inner.to.send(bytes).await.is_ok(),
                None => writing = false,
            },
            message = inner.from.recv() => match message {
                // A port has no stderr: what comes there the tool says, or the shell that started it.
                Some(FromWire::Err(_)) => {}
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_tool_says_on_stderr_is_neither_the_ports_answer_nor_its_end() {
        let (to, mut asked) = mpsc::channel(TO_WIRE_QUEUE);
        let (answers, from) = mpsc::channel(FROM_WIRE_QUEUE);
        let (ask, to_inner) = mpsc::channel(TO_WIRE_QUEUE);
        let (from_inner, mut answered) = mpsc::channel(FROM_WIRE_QUEUE);
        ask.send(b"ask".to_vec()).await.unwrap();
        for message in [FromWire::Err(b"noise".to_vec()), FromWire::Out(b"answer".to_vec())] {
            answers.send(message).await.unwrap();
        }
        let port = async {
            assert_eq!(asked.recv().await.unwrap(), b"ask");
            drop(answers);
        };
        tokio::join!(pass_on(Wire { to, from }, to_inner, from_inner), port);
        assert_eq!(answered.recv().await, Some(FromWire::Out(b"answer".to_vec())));
        assert_eq!(answered.recv().await, None);
    }
}
