//! What a server says once it has let us in and a step is under way: floods, wrong ends, forged answers. A host can lie
//! about itself, for it alone knows what happened there; it cannot make us take a word for another, or wait for ever.

use super::brain::{AGENT, Flood, Order, Say, err_end, frame, go, is_the_step, out};
use super::desk::{Desk, Ended, MARK, PEAK_BYTES_MAX, one_step};
use super::polite::{Manners, Server};
use crate::support::live::until;
use blackstart::model::event::{Event, JobKind, TaskEnd};
use blackstart::model::{How, Outcome};
use std::sync::{Arc, Mutex};

/// What must come of the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Nobody knows, and a person is asked.
    Unknown,
    /// It overran its time and was ended.
    TimedOut,
    /// The host said in so many words that it ended so: its word about itself.
    Exit(i32),
}

/// A host that says this when the step comes, and afterwards has lost the receipt.
fn when_asked(says: impl Fn(&Order) -> Vec<Say> + Send + Sync + 'static) -> Server {
    Server::answering(move |order| match order.verb.as_str() {
        _ if is_the_step(order) => Some(says(order)),
        "R" => Some(vec![out(order, "void lost the disk was new this morning")]),
        _ => None,
    })
}

fn floods() -> Vec<Row> {
    use Fate::TimedOut;
    vec![
        ("stdout without end", when_asked(|order| vec![go(order), Say::Flood(Flood::Out)]), TimedOut),
        ("both streams without end", when_asked(|order| vec![go(order), Say::Flood(Flood::Both)]), TimedOut),
        ("requests without end", when_asked(|order| vec![go(order), Say::Flood(Flood::Requests)]), TimedOut),
    ]
}

type Row = (&'static str, Server, Fate);

fn ends() -> Vec<Row> {
    use Fate::{Exit, TimedOut, Unknown};
    let old = "0123456789abcdef".repeat(2);
    let end =
        |words: &'static str| when_asked(move |order| vec![go(order), out(order, words), err_end(order)]);
    vec![
        ("nothing more", when_asked(|order| vec![go(order)]), TimedOut),
        (
            "stdout ends and stderr does not",
            when_asked(|order| vec![go(order), out(order, "end 0 0")]),
            TimedOut,
        ),
        (
            "status 0 and no end of ours",
            when_asked(|order| vec![go(order), Say::Status(0), Say::Close]),
            Unknown,
        ),
        (
            "status 0, then 1",
            when_asked(|order| vec![go(order), Say::Status(0), Say::Status(1), Say::Close]),
            Unknown,
        ),
        (
            "status 1, then 0",
            when_asked(|order| vec![go(order), Say::Status(1), Say::Status(0), Say::Close]),
            Unknown,
        ),
        ("closed without a status", when_asked(|order| vec![go(order), Say::Close]), Unknown),
        ("end of file, then closed", when_asked(|order| vec![go(order), Say::Eof, Say::Close]), Unknown),
        (
            "killed by a signal",
            when_asked(|order| vec![go(order), Say::Signal("KILL".into()), Say::Close]),
            Unknown,
        ),
        (
            "a signal of no name we know",
            when_asked(|order| {
                vec![go(order), Say::Signal("\u{1b}[2J\u{202e}".repeat(99)), Say::Status(0), Say::Close]
            }),
            Unknown,
        ),
        ("status 0 before anything", when_asked(|_| vec![Say::Status(0), Say::Close]), Unknown),
        (
            "an end without our nonce",
            when_asked(move |order| {
                vec![go(order), Say::Out(frame(&old, "end 0 0")), Say::Err(frame(&old, "end")), Say::Close]
            }),
            Unknown,
        ),
        (
            "half an end",
            when_asked(|order| {
                let mut half = frame(&order.nonce, "end 0 0");
                half.pop();
                vec![go(order), Say::Out(half), err_end(order), Say::Close]
            }),
            Unknown,
        ),
        (
            "an end as long as a book",
            when_asked(|order| vec![go(order), out(order, &"end 0 ".repeat(100_000)), err_end(order)]),
            Unknown,
        ),
        ("an end that is no number", end("end zero 0"), Unknown),
        ("an end beyond all numbers", end("end 99999999999999999999 0"), Unknown),
        ("an end of one word", end("end"), Unknown),
        (
            "an end that is not UTF-8",
            when_asked(|order| {
                let words = [&frame(&order.nonce, "end ")[..34], b"\xff\xfe 0\x1e"].concat();
                vec![go(order), Say::Out(words), err_end(order)]
            }),
            Unknown,
        ),
        ("a word of no known kind", end("sesame 0 0"), Unknown),
        ("an end before the start", when_asked(|order| vec![out(order, "end 0 0"), err_end(order)]), Unknown),
        (
            "a start after the start",
            when_asked(|order| vec![go(order), go(order), out(order, "end 0 0"), err_end(order)]),
            Unknown,
        ),
        (
            "laid ready, and nobody asked for it",
            when_asked(|order| vec![out(order, "staged"), out(order, "end 0 0"), err_end(order)]),
            Unknown,
        ),
        (
            "an end after the end",
            when_asked(|order| {
                vec![go(order), out(order, "end 3 0"), err_end(order), out(order, "end 0 0"), err_end(order)]
            }),
            Exit(3),
        ),
        ("an end in 512", end("end 512 0"), Exit(512)),
    ]
}

fn judge(name: &str, fate: Fate, ended: &Ended) {
    assert_eq!(ended.code, Some(22), "{name}: {ended}");
    let outcomes = ended.outcomes(JobKind::Run);
    let fits = |outcome: &Outcome| match fate {
        Fate::Unknown => matches!(outcome, Outcome::Unknown { .. }),
        Fate::TimedOut => matches!(outcome, Outcome::Failed { how: How::TimedOut(_) }),
        Fate::Exit(status) => *outcome == Outcome::Failed { how: How::Exit(status) },
    };
    assert!(!outcomes.is_empty() && outcomes.iter().all(fits), "{name}: {ended}");
    let done = |event: &&Event| matches!(event, Event::TaskEnded { end: TaskEnd::Done, .. });
    assert!(!ended.about("step@h1").iter().any(done), "{name}: {ended}");
    let word = match fate {
        Fate::Unknown => "its end was not seen".to_owned(),
        Fate::TimedOut => "timed out after".to_owned(),
        Fate::Exit(status) => format!("exit status {status}"),
    };
    assert!(ended.err.contains(&word) && !ended.out.contains("Completed"), "{name}: {ended}");
    assert!(!ended.err.contains('\u{1b}') && !ended.out.contains('\u{202e}'), "{name}: {ended}");
    assert!(ended.peak_bytes < PEAK_BYTES_MAX, "{name}: {ended}");
}

fn carry_out(rows: &[Row]) {
    // Two at a time: each is a process of its own.
    for rows in rows.chunks(2) {
        std::thread::scope(|scope| {
            for (name, server, fate) in rows {
                scope.spawn(move || {
                    let ended = Desk::new(&[server.known("h1")]).run(&one_step("3s"));
                    println!("{name}: {} MiB, {:?}", ended.peak_bytes >> 20, ended.took);
                    judge(name, *fate, &ended);
                });
            }
        });
    }
}

#[test]
fn no_step_counts_as_done_without_proof() {
    carry_out(&ends());
}

#[test]
fn a_flood_ends_with_the_time_of_the_step() {
    carry_out(&floods());
}

#[test]
fn a_host_on_which_nothing_goes_wrong_is_done() {
    let server = Server::answering(|_| None);
    let ended = Desk::new(&[server.known("h1")]).run(&one_step("3s"));
    assert_eq!((ended.code, ended.outcomes(JobKind::Run)), (Some(0), vec![Outcome::Succeeded]), "{ended}");
    let storm = Server::with(Manners { rekey_after: Some(4096), ..Manners::default() });
    let ended = Desk::new(&[storm.known("h1")]).run(&one_step("3s"));
    assert_eq!(ended.code, Some(0), "new keys after every few packets: {ended}");
}

#[test]
fn channels_that_a_server_opens_are_refused() {
    let server = when_asked(|order| vec![go(order), Say::Flood(Flood::Opens)]);
    let desk = Desk::new(&[server.known("h1")]);
    judge("channels", Fate::TimedOut, &desk.run(&one_step("2s")));
    // One of them is answered by the end of the connection, of which the server hears in its own time.
    until("the server has heard of all", || !server.heard().opened.is_empty());
    let heard = server.heard();
    assert_eq!(heard.opened.len(), 4, "{:?}", heard.opened);
    assert!(heard.opened.iter().all(|answer| answer.contains("Err(")), "{:?}", heard.opened);
}

/// Answers to an attempt that is over, and to another task, given where a third is waited for.
#[test]
fn an_answer_counts_for_its_own_attempt_alone() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let server = Server::answering(move |order| {
        if !is_the_step(order) {
            return None;
        }
        let mut seen = seen.lock().expect("nobody panicked with it");
        seen.push(order.nonce.clone());
        let first = Order { nonce: seen[0].clone(), ..order.clone() };
        Some(match seen.len() {
            1 => vec![go(order), out(order, "end 3 0"), err_end(order)],
            // Late, and of a job that failed: it is well after all.
            _ => vec![go(order), go(&first), out(&first, "end 0 0"), err_end(&first)],
        })
    });
    let runbook = one_step("2s").replace("undo:", "retry: { attempts: 2, delay: 1s }\n        undo:");
    let ended = Desk::new(&[server.known("h1")]).run(&runbook);
    let outcomes = ended.outcomes(JobKind::Run);
    assert_eq!(outcomes[0], Outcome::Failed { how: How::Exit(3) }, "{ended}");
    assert!(matches!(outcomes[1], Outcome::Failed { how: How::TimedOut(_) }), "{ended}");
    assert_eq!(ended.code, Some(22), "{ended}");
}

/// Two hosts, one of which answers with what it knows: its own orders. And two tasks on it, side by side.
#[test]
fn a_host_answers_for_no_other_task() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let liar = Server::answering(move |order| {
        if order.verb == AGENT || !is_the_step(order) {
            return None;
        }
        let mut seen = seen.lock().expect("nobody panicked with it");
        seen.push(order.nonce.clone());
        // Every answer carries every nonce but that of the order itself.
        let others = seen.iter().filter(|nonce| **nonce != order.nonce);
        let forged = others.flat_map(|nonce| {
            let other = Order { nonce: nonce.clone(), ..Order::default() };
            [go(&other), out(&other, "end 0 0"), err_end(&other)]
        });
        Some([go(order)].into_iter().chain(forged).collect())
    });
    let honest = Server::answering(|_| None);
    let desk = Desk::new(&[liar.known("h1"), honest.known("h2")]);
    let runbook = format!(
        "{}      - {{ id: two, on: all, timeout: 2s, run: \"echo {MARK} 2\", undo: not_needed }}\n",
        one_step("2s")
    );
    let ended = desk.run(&runbook);
    for (task, done) in [("step@h1", false), ("two@h1", false), ("step@h2", true), ("two@h2", true)] {
        let is_done = |event: &&Event| matches!(event, Event::TaskEnded { end: TaskEnd::Done, .. });
        assert_eq!(ended.about(task).iter().any(is_done), done, "{task}: {ended}");
    }
    assert_eq!(ended.code, Some(22), "{ended}");
    let bytes = String::from_utf8_lossy(&honest.heard().bytes).into_owned();
    let nonces = liar.heard().orders.iter().map(|order| order.nonce.clone()).collect::<Vec<_>>();
    assert!(
        nonces.len() > 2 && nonces.iter().all(|nonce| !bytes.contains(nonce)),
        "no nonce is used for two hosts"
    );
}
