//! The queue between a run and its screen, and the thread that empties it. Whoever fills it waits for a moment at most.

use super::handles::{Drawn, Events, Said};
use super::queue::{Face, Piece, Queue};
use console::Term;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::fstat;
use rustix::io::Errno;
use std::io;
use std::os::fd::AsFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A screen that is read, however slowly, is worth waiting for. One that is not holds a run up for this long, once.
const PATIENCE: Duration = Duration::from_millis(500);
/// More than this on its way to the screen, and a drawing of the present would show the past when it arrives.
const DRAWING_WAITS: usize = 8 * 1024;

/// Between two writes, unless somebody waits for them: nobody sees so short a time, and a busy run says a hundred things
/// in it.
const WRITES_APART: Duration = Duration::from_millis(5);

/// Reads the line of an event of this number again, without a line's end.
pub type Again = Box<dyn FnMut(u64) -> Result<String, String> + Send>;

/// Standard output and standard error of a process whose work goes on whether they are read or not.
#[derive(Debug, Clone)]
pub struct Screen {
    pub(super) out: Arc<Desk>,
    pub(super) err: Arc<Desk>,
}

/// A queue and its writer.
#[derive(Default)]
pub(super) struct Desk {
    queue: Mutex<Queue>,
    changed: Condvar,
    again: Mutex<Option<Again>>,
}

/// Nothing is written as long as it lives.
#[derive(Debug)]
pub struct Hold(Arc<Desk>);

impl Screen {
    /// Starts writing. Where both ways out lead to the same place one writer keeps their order. `everything` is the
    /// command that tells what was left out.
    pub fn start(everything: &str) -> io::Result<Self> {
        let err = Desk::start(everything)?;
        let out = if same_place() { err.clone() } else { Desk::start(everything)? };
        Ok(Self { out, err })
    }

    /// Lines for people, on stderr: left out when nobody reads them.
    pub fn said(&self) -> Said {
        Said::to(self.err.clone())
    }

    /// The terminal at stderr, for whoever asks [`Screen::is_full`] before each drawing: of these nothing is left out.
    pub fn term(&self) -> Term {
        Term::read_write_pair(io::stdin(), Drawn(self.err.clone()))
    }

    /// Events for programs, on stdout: none is left out, by reading them again.
    pub fn events(&self, again: Again) -> Events {
        *self.out.again.lock().unwrap_or_else(PoisonError::into_inner) = Some(again);
        Events(self.out.clone())
    }

    /// On stdout, room or not.
    pub fn print(&self, bytes: &[u8]) {
        self.out.put(Face::Out, bytes);
    }

    /// On stderr, room or not.
    pub fn say(&self, bytes: &[u8]) {
        self.err.put(Face::Err, bytes);
    }

    /// Must lines on stderr be left out? Waits a moment for a screen that is only slow.
    pub fn is_full(&self) -> bool {
        self.err.is_full()
    }

    /// Counts lines that are left out on stderr, here.
    pub fn leave_out(&self, lines: usize) {
        self.err.fill(|queue| queue.leave_out(lines as u64));
    }

    /// Is there so much on its way to stderr that a drawing would be out of date when it arrives?
    pub fn is_behind(&self) -> bool {
        let queue = self.err.lock();
        queue.leaves_out() || queue.bytes() > DRAWING_WAITS
    }

    /// What is said on stderr until the hold is dropped arrives together.
    pub fn hold(&self) -> Hold {
        self.err.lock().hold();
        Hold(self.err.clone())
    }

    /// Waits until everything is shown, but not for longer than this; true if it is.
    pub fn is_shown_within(&self, wait: Duration) -> bool {
        self.err.is_shown_within(wait) && self.out.is_shown_within(wait)
    }

    /// Nothing more is shown.
    pub fn give_up(&self) {
        self.err.lock().give_up();
        self.out.lock().give_up();
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.lock().release();
        self.0.changed.notify_all();
    }
}

impl Desk {
    fn start(everything: &str) -> io::Result<Arc<Self>> {
        let desk = Arc::new(Self::default());
        let (writer, everything) = (desk.clone(), everything.to_owned());
        std::thread::Builder::new().name("screen".to_owned()).spawn(move || writer.write(&everything))?;
        Ok(desk)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put(&self, face: Face, bytes: &[u8]) {
        self.fill(|queue| queue.put(face, bytes));
    }

    pub(super) fn event(&self, seq: u64, line: &str) {
        self.fill(|queue| queue.event(seq, line));
    }

    /// Wakes the writer only where it sleeps: it looks again by itself after each piece.
    fn fill(&self, with: impl FnOnce(&mut Queue)) {
        let mut queue = self.lock();
        with(&mut queue);
        let sleeps = queue.writer_sleeps;
        drop(queue);
        if sleeps {
            self.changed.notify_all();
        }
    }

    /// Adds whole lines, or leaves them out.
    pub(super) fn lines(&self, bytes: &[u8]) {
        match self.is_full() {
            true => self.fill(|queue| queue.leave_out(memchr::memchr_iter(b'\n', bytes).count() as u64)),
            false => self.put(Face::Err, bytes),
        }
    }

    fn is_full(&self) -> bool {
        let mut queue = self.lock();
        if !queue.leaves_out() && queue.is_full() {
            let waited = self.changed.wait_timeout_while(queue, PATIENCE, |queue| !queue.has_room_again());
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
            if !queue.has_room_again() {
                queue.begin_to_leave_out();
            }
        }
        queue.leaves_out()
    }

    fn is_shown_within(&self, wait: Duration) -> bool {
        let mut queue = self.lock();
        queue.hurries = true;
        self.changed.notify_all();
        let waited = self.changed.wait_timeout_while(queue, wait, |queue| !queue.is_done());
        queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        queue.hurries = false;
        queue.is_done()
    }

    /// The writer: ends with the process.
    fn write(&self, everything: &str) {
        let mut out_is_gone = false;
        loop {
            let piece = self.next();
            let mut bytes = 0;
            match piece {
                Piece::Bytes(Face::Out, text) => {
                    bytes = text.len();
                    out_is_gone = out_is_gone || write_all(&io::stdout(), &text).is_err();
                }
                Piece::Bytes(Face::Err, text) => {
                    bytes = text.len();
                    // Whoever closed it does not want to hear it, and who has no room may have some for the next line.
                    let _ = write_all(&io::stderr(), &text);
                }
                Piece::LeftOut(lines) => {
                    let _ = write_all(&io::stderr(), left_out(lines, everything).as_bytes());
                }
                Piece::Again(seqs) if !out_is_gone => out_is_gone = self.tell_again(seqs).is_err(),
                Piece::Again(_) => {}
            }
            let mut queue = self.lock();
            queue.written(bytes);
            self.changed.notify_all();
            let has_time = |queue: &mut Queue| !queue.hurries && queue.has_room_again();
            drop(self.changed.wait_timeout_while(queue, WRITES_APART, has_time));
        }
    }

    fn next(&self) -> Piece {
        let mut queue = self.lock();
        loop {
            match queue.next() {
                Some(piece) => return piece,
                None => {
                    queue.writer_sleeps = true;
                    queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
                    queue.writer_sleeps = false;
                }
            }
        }
    }

    /// Reads events again and writes them. What cannot be read again is missing, and the numbers of the others show it.
    fn tell_again(&self, seqs: std::ops::Range<u64>) -> io::Result<()> {
        let mut again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(again) = again.as_mut() else { return Ok(()) };
        for seq in seqs.clone() {
            match again(seq) {
                Ok(line) => write_all(&io::stdout(), format!("{line}\n").as_bytes())?,
                Err(why) => {
                    let missing = format!("warning: events {seq} to {} are not shown: {why}\n", seqs.end - 1);
                    let _ = write_all(&io::stderr(), missing.as_bytes());
                    break;
                }
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("queue", &self.queue).finish_non_exhaustive()
    }
}

fn left_out(lines: u64, everything: &str) -> String {
    let (lines, were) = match lines {
        1 => ("1 line".to_owned(), "was"),
        more => (format!("{more} lines"), "were"),
    };
    format!("note: {lines} {were} not shown: this screen was not read; `{everything}` tells everything\n")
}

/// Do standard output and standard error lead to the same place?
fn same_place() -> bool {
    match (fstat(io::stdout()), fstat(io::stderr())) {
        (Ok(out), Ok(err)) => (out.st_dev, out.st_ino) == (err.st_dev, err.st_ino),
        (Err(_), _) | (_, Err(_)) => false,
    }
}

/// Writes all of it, however long that takes, also to what does not wait by itself (`O_NONBLOCK`). Takes no lock of
/// the standard library's, which whoever panics would wait for.
fn write_all(to: &impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => drop(poll(&mut [PollFd::new(to, PollFlags::OUT)], None)),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(())
}
