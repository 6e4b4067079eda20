//! What is still to be shown, in order, and what is left out when that gets too much. Never waits, never writes.

use std::collections::VecDeque;
use std::ops::Range;

/// So much may wait to be shown: some seconds of a slow terminal, and little beside what a run keeps anyway.
pub const BYTES_MAX: usize = 256 * 1024;
/// What waits is written in pieces of about this size, so that there is room again before all of it is taken.
const PIECE_BYTES: usize = 16 * 1024;

/// The two ways out of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Something that is to be shown.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// These bytes.
    Bytes(Face, Vec<u8>),
    /// That here so many lines were left out.
    LeftOut(u64),
    /// Events of these numbers, which must be read again.
    Again(Range<u64>),
}

/// What is still to be shown.
#[derive(Debug, Default)]
pub struct Queue {
    pieces: VecDeque<Piece>,
    /// Bytes of all pieces, and of the one that is being written.
    bytes: usize,
    writing: bool,
    leaving_out: bool,
    held: usize,
    given_up: bool,
    /// The writer waits to be woken.
    pub writer_sleeps: bool,
    /// Somebody waits for all of it to be shown.
    pub hurries: bool,
}

impl Queue {
    /// Is there too much already?
    pub fn is_full(&self) -> bool {
        self.bytes >= BYTES_MAX
    }

    /// Is there enough room again that waiting for it was worth it?
    pub fn has_room_again(&self) -> bool {
        self.bytes <= BYTES_MAX / 2
    }

    /// Bytes that wait to be shown.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Are lines left out at the moment? Once begun, that goes on until all is shown: a line here and there between
    /// notices of lines that are missing helps nobody.
    pub fn leaves_out(&self) -> bool {
        self.leaving_out
    }

    /// Leaves lines out from now on.
    pub fn begin_to_leave_out(&mut self) {
        self.leaving_out = true;
    }

    /// Has all been shown that ever will be?
    pub fn is_done(&self) -> bool {
        self.given_up || self.pieces.is_empty() && !self.writing
    }

    /// Nothing more is to be shown.
    pub fn give_up(&mut self) {
        self.given_up = true;
        self.pieces.clear();
    }

    /// Adds bytes, room or not.
    pub fn put(&mut self, face: Face, bytes: &[u8]) {
        if self.given_up || bytes.is_empty() {
            return;
        }
        self.bytes += bytes.len();
        match self.pieces.back_mut() {
            Some(Piece::Bytes(of, piece)) if *of == face && piece.len() < PIECE_BYTES => {
                piece.extend_from_slice(bytes);
            }
            _ => self.pieces.push_back(Piece::Bytes(face, bytes.to_vec())),
        }
    }

    /// Notes that lines are left out here.
    pub fn leave_out(&mut self, lines: u64) {
        match self.pieces.back_mut() {
            _ if self.given_up || lines == 0 => {}
            Some(Piece::LeftOut(so_far)) => *so_far += lines,
            _ => self.pieces.push_back(Piece::LeftOut(lines)),
        }
    }

    /// Adds the line of an event, or notes that it must be read again. Numbers come in order and without gaps.
    pub fn event(&mut self, seq: u64, line: &str) {
        let full = self.is_full();
        match self.pieces.back_mut() {
            _ if self.given_up => {}
            Some(Piece::Again(seqs)) if seqs.end == seq => seqs.end = seq + 1,
            _ if full => self.pieces.push_back(Piece::Again(seq..seq + 1)),
            _ => self.put(Face::Out, format!("{line}\n").as_bytes()),
        }
    }

    /// Puts off all writing, so that what belongs together arrives together.
    pub fn hold(&mut self) {
        self.held += 1;
    }

    /// Ends a hold.
    pub fn release(&mut self) {
        self.held = self.held.checked_sub(1).expect("only what is held is released");
    }

    /// What is to be written next, if anything; [`Queue::written`] must follow.
    pub fn next(&mut self) -> Option<Piece> {
        assert!(!self.writing, "one piece is written at a time");
        let piece = if self.held == 0 { self.pieces.pop_front() } else { None };
        self.writing = piece.is_some();
        piece
    }

    /// The piece was written, or could not be; it had so many bytes.
    pub fn written(&mut self, bytes: usize) {
        self.writing = false;
        self.bytes -= bytes;
        if self.pieces.is_empty() {
            self.leaving_out = false;
        }
        if self.given_up {
            self.bytes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes everything as a reader would, the events by their numbers.
    fn all(queue: &mut Queue) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while let Some(piece) = queue.next() {
            let bytes = if let Piece::Bytes(_, bytes) = &piece { bytes.len() } else { 0 };
            queue.written(bytes);
            pieces.push(piece);
        }
        assert_eq!(queue.bytes(), 0);
        pieces
    }

    fn fill(queue: &mut Queue) {
        queue.put(Face::Err, &vec![b'x'; BYTES_MAX]);
    }

    #[test]
    fn what_is_said_comes_in_order_and_whole() {
        let mut queue = Queue::default();
        queue.put(Face::Err, b"one\n");
        queue.put(Face::Err, b"two\n");
        queue.event(0, "{}");
        queue.put(Face::Err, b"three\n");
        assert!(!queue.is_done());
        let bytes = |face, text: &str| Piece::Bytes(face, text.as_bytes().to_vec());
        assert_eq!(
            all(&mut queue),
            [bytes(Face::Err, "one\ntwo\n"), bytes(Face::Out, "{}\n"), bytes(Face::Err, "three\n")]
        );
        assert!(queue.is_done());
    }

    #[test]
    fn lines_that_are_left_out_are_counted_where_they_are_missing() {
        let mut queue = Queue::default();
        fill(&mut queue);
        assert!(queue.is_full());
        queue.begin_to_leave_out();
        queue.leave_out(2);
        queue.leave_out(3);
        queue.put(Face::Err, b"must\n");
        queue.leave_out(4);
        assert!(queue.next().is_some());
        queue.written(BYTES_MAX);
        assert!(queue.leaves_out(), "until all is shown");
        let rest = all(&mut queue);
        assert_eq!(rest, [Piece::LeftOut(5), Piece::Bytes(Face::Err, b"must\n".to_vec()), Piece::LeftOut(4)]);
        assert!(!queue.leaves_out());
    }

    #[test]
    fn events_that_do_not_fit_are_read_again_in_their_place() {
        let mut queue = Queue::default();
        queue.event(0, "zero");
        fill(&mut queue);
        queue.event(1, "one");
        queue.event(2, "two");
        queue.put(Face::Out, b"recap\n");
        queue.event(3, "three");
        let kept = |piece: &Piece| match piece {
            Piece::Bytes(Face::Out, bytes) => String::from_utf8_lossy(bytes).into_owned(),
            other => format!("{other:?}").chars().take(12).collect(),
        };
        let told: Vec<String> = all(&mut queue).iter().map(kept).collect();
        assert_eq!(told, ["zero\n", "Bytes(Err, [", "Again(1..3)", "recap\n", "Again(3..4)"]);
        queue.event(4, "four");
        assert_eq!(all(&mut queue), [Piece::Bytes(Face::Out, b"four\n".to_vec())], "there is room again");
    }

    #[test]
    fn what_is_held_back_comes_when_it_is_whole_and_what_is_given_up_never() {
        let mut queue = Queue::default();
        queue.hold();
        queue.put(Face::Err, b"a");
        assert_eq!(queue.next(), None);
        queue.put(Face::Err, b"b");
        queue.release();
        assert_eq!(queue.next(), Some(Piece::Bytes(Face::Err, b"ab".to_vec())));
        queue.put(Face::Err, b"c");
        queue.give_up();
        queue.put(Face::Err, b"d");
        queue.leave_out(1);
        queue.event(0, "e");
        assert!(queue.is_done());
        queue.written(2);
        assert_eq!(queue.next(), None);
    }
}
