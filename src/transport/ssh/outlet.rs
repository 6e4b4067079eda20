//! The sending end of a bounded queue, for loops that poll.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc::error::SendError;
use tokio::sync::mpsc::{OwnedPermit, Sender};

type Reserving<T> = Pin<Box<dyn Future<Output = Result<OwnedPermit<T>, SendError<()>>>>>;
type Leaving = Pin<Box<dyn Future<Output = ()>>>;

/// Sends into a queue without waiting, and wakes its task when there is room or nobody listens any more.
pub struct Outlet<T> {
    sender: Sender<T>,
    permit: Option<OwnedPermit<T>>,
    reserving: Option<Reserving<T>>,
    leaving: Leaving,
}

impl<T: 'static> Outlet<T> {
    /// Wraps a sender.
    pub fn new(sender: Sender<T>) -> Self {
        let watched = sender.clone();
        Self {
            sender,
            permit: None,
            reserving: None,
            leaving: Box::pin(async move { watched.closed().await }),
        }
    }

    /// Is there room for one message? `Err` when nobody listens any more.
    pub fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ()>> {
        if self.permit.is_some() {
            return Poll::Ready(Ok(()));
        }
        // Nearly always there is room, and then nothing is allocated.
        if self.reserving.is_none()
            && let Ok(permit) = self.sender.clone().try_reserve_owned()
        {
            self.permit = Some(permit);
            return Poll::Ready(Ok(()));
        }
        let reserving = self.reserving.get_or_insert_with(|| Box::pin(self.sender.clone().reserve_owned()));
        match reserving.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(reserved) => {
                self.reserving = None;
                self.permit = reserved.ok();
                Poll::Ready(self.permit.as_ref().map(|_| ()).ok_or(()))
            }
        }
    }

    /// Sends, if `poll_room` said that there is room; gives the message back if it did not.
    pub fn send(&mut self, message: T) -> Result<(), T> {
        match self.permit.take() {
            Some(permit) => {
                permit.send(message);
                Ok(())
            }
            None => Err(message),
        }
    }

    /// Has the receiver been dropped? Wakes the task when it is.
    pub fn poll_left(&mut self, cx: &mut Context<'_>) -> bool {
        self.sender.is_closed() || self.leaving.as_mut().poll(cx).is_ready()
    }
}
