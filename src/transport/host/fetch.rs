//! Evidence from a host: streamed as it is read there, hashed here, and compared with the host's own hash.

use super::super::lane::quote;
use super::super::work::{Fetched, Sink};
use super::job::{self, Work};
use super::lanes::Lanes;
use super::upload::hex;
use crate::model::secret::Secret;
use crate::model::{How, Outcome};
use crate::transport::remote::{FetchOrder, FetchWhat, Stop, Stopper};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::rc::Rc;

/// As much of stderr is held back as the host's own hash needs.
const HASH_LINE_BYTES: usize = 128;

/// Brings it.
pub(super) async fn fetch(
    lanes: &Rc<Lanes>,
    order: &FetchOrder<'_>,
    into: &mut dyn Write,
    sink: &mut dyn Sink,
    stop: &mut Stop,
) -> Result<Fetched, Outcome> {
    let mark = format!("\u{1e}{} ", crate::transport::lane::nonce());
    let reading;
    let text = match &order.what {
        FetchWhat::File(path) => {
            reading = Secret::new(read_file(path, &mark));
            &reading
        }
        FetchWhat::Output(script) => &script.text,
    };
    let (stopper, mut enough) = Stopper::new();
    let mut taking = Taking {
        into,
        sink,
        hash: Sha256::new(),
        bytes: 0,
        bytes_max: order.bytes_max,
        trouble: None,
        enough: stopper,
        mark: mark.into_bytes(),
        tail: Vec::new(),
    };
    let work =
        Work { text, privileged: order.privileged, claim: None, timeout: order.timeout, guarded: false };
    let outcome = job::run(lanes, &work, &mut taking, stop, &mut enough).await;
    let (bytes, sha256, hosts, trouble) = taking.end();
    match (outcome, trouble, hosts) {
        (_, Some(what), _) => Err(Outcome::Failed { how: How::Disagreed(what) }),
        (Outcome::Succeeded, None, Some(hosts)) if hosts != sha256 => Err(Outcome::Failed {
            how: How::Disagreed(format!("the host read SHA-256 {hosts}, what arrived has {sha256}")),
        }),
        (Outcome::Succeeded, None, _) => Ok(Fetched { bytes, sha256 }),
        (outcome, None, _) => Err(outcome),
    }
}

/// The script that prints a file, and its hash of the very bytes it printed.
fn read_file(path: &str, mark: &str) -> String {
    // The second copy goes to `sha256sum` through a pipe of the job's own: one that another user made (before sudo)
    // could not be opened again.
    format!(
        "f={path}\n\
         if [ ! -f \"$f\" ]; then echo \"$f: no such file\" >&2; exit 66; fi\n\
         if ! command -v sha256sum >/dev/null || [ ! -e /dev/fd/1 ]; then exec cat -- \"$f\"; fi\n\
         {{ h=$(exec 5>&1; {{ {{ cat -- \"$f\" || echo failed >&5; }} | tee /dev/fd/4 >&3; }} 4>&1 | sha256sum); }} 3>&1\n\
         case $h in failed*) exit 74 ;; esac\n\
         printf '%s%s' {mark} \"${{h%% *}}\" >&2\n",
        path = quote(path),
        mark = quote(mark),
    )
}

struct Taking<'a> {
    into: &'a mut dyn Write,
    sink: &'a mut dyn Sink,
    hash: Sha256,
    bytes: u64,
    bytes_max: u64,
    trouble: Option<String>,
    enough: Stopper,
    mark: Vec<u8>,
    /// stderr held back, because the host's hash may be in it.
    tail: Vec<u8>,
}

impl Taking<'_> {
    fn end(self) -> (u64, String, Option<String>, Option<String>) {
        let at = memchr::memmem::find(&self.tail, &self.mark);
        let rest = &self.tail[..at.unwrap_or(self.tail.len())];
        if !rest.is_empty() {
            self.sink.err(rest);
        }
        let hosts =
            at.map(|at| String::from_utf8_lossy(&self.tail[at + self.mark.len()..]).trim().to_owned());
        (self.bytes, hex(&self.hash.finalize()), hosts, self.trouble)
    }
    fn give_up(&mut self, what: String) {
        self.trouble = Some(what);
        self.enough.stop();
    }
}

impl Sink for Taking<'_> {
    fn out(&mut self, bytes: &[u8]) {
        if self.trouble.is_some() {
            return;
        }
        self.bytes += bytes.len() as u64;
        if self.bytes > self.bytes_max {
            return self.give_up(format!("it is larger than the limit of {} bytes", self.bytes_max));
        }
        self.hash.update(bytes);
        if let Err(error) = self.into.write_all(bytes) {
            self.give_up(format!("it cannot be written on the controller: {error}"));
        }
    }
    fn err(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
        let keep = self.tail.len().saturating_sub(HASH_LINE_BYTES);
        self.sink.err(&self.tail[..keep]);
        self.tail.drain(..keep);
    }
}
