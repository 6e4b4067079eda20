//! A file onto a host: first whole, checked and out of the way, then put in place in one step.

use super::super::lane::{Lane, quote};
use super::super::work::Sink;
use super::job::{self, Work};
use super::lanes::Lanes;
use super::{not_started, receipt_name};
use crate::model::Outcome;
use crate::model::secret::Secret;
use crate::transport::lane::UPLOAD_CHUNK_BYTES;
use crate::transport::remote::{Stop, UploadOrder};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::rc::Rc;
use tokio::time::timeout;

/// Sends the file beside the receipts and then puts it in place as a claimed job.
pub(super) async fn upload(
    lanes: &Rc<Lanes>,
    order: &UploadOrder<'_>,
    sink: &mut dyn Sink,
    stop: &mut Stop,
) -> Outcome {
    let claim = receipt_name(order.claim);
    let transfer = timeout(order.timeout.std(), send(lanes, order, &claim));
    let sent = tokio::select! {
        sent = transfer => sent,
        () = stop.requested() => return nothing("cancelled during the transfer", false),
    };
    let there = match sent {
        Err(_) => return nothing(&format!("the transfer took longer than {}", order.timeout), true),
        Ok(Err(outcome)) => return outcome,
        Ok(Ok(there)) => there,
    };
    let text = Secret::new(put_in_place(&there, order));
    let work = Work {
        text: &text,
        privileged: order.privileged,
        claim: Some(claim),
        timeout: order.timeout,
        guarded: order.guarded,
    };
    job::run(lanes, &work, sink, stop, &mut Stop::never()).await
}

fn nothing(because: &str, try_again: bool) -> Outcome {
    Outcome::NotStarted { because: because.to_owned(), try_again }
}

/// The path of the whole and checked copy on the host.
async fn send(lanes: &Rc<Lanes>, order: &UploadOrder<'_>, claim: &str) -> Result<String, Outcome> {
    let here = |error: std::io::Error| nothing(&format!("{}: {error}", order.content.display()), false);
    let mut file = File::open(order.content).map_err(here)?;
    let bytes = file.metadata().map_err(here)?.len();
    let lane = lanes.lease(order.privileged).await.map_err(|trouble| not_started(&trouble))?;
    let (lane, _slot): (Lane, _) = lane.split();
    let mut hash = Sha256::new();
    let answer = lane
        .upload(&format!("{claim}.file"), bytes, order.sha256, || {
            let mut chunk = vec![0; UPLOAD_CHUNK_BYTES];
            let length = file.read(&mut chunk)?;
            chunk.truncate(length);
            hash.update(&chunk);
            Ok(Some(chunk).filter(|chunk| !chunk.is_empty()))
        })
        .await
        .map_err(here)?
        .map_err(|gone| nothing(&format!("the transfer broke off: {}", gone.because), true))?;
    if hex(&hash.finalize()) != order.sha256 {
        let because = format!("{} is not what was planned: its SHA-256 differs", order.content.display());
        return Err(nothing(&because, false));
    }
    match answer.split_once(' ') {
        Some(("at", path)) => Ok(path.to_owned()),
        // What is in the way of its place is there to stay, as it is for the receipt of a job.
        Some(("refused", why)) => Err(nothing(why, false)),
        Some(("no", why)) => Err(nothing(&format!("the transfer failed: {why}"), true)),
        _ => Err(nothing(&format!("an answer nobody understands: {answer}"), false)),
    }
}

/// 64 hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The script that puts the copy in place: a new file beside the target, complete with rights and owner, then one rename
/// over the target. The directory of the target may be somebody else's, who may put a link in the place of any name of
/// ours there, and rights and owner would be given to what it points at. So the new file lies in a directory of its own,
/// closed to others, and from the moment we are in there nothing is found by its path any more.
fn put_in_place(there: &str, order: &UploadOrder<'_>) -> String {
    let owner = match order.owner {
        Some(owner) => format!("chown {} ./\"$new\" || give_up", quote(owner)),
        None => String::new(),
    };
    format!(
        "from={from} to={to} new=\n\
         give_up() {{ [ -z \"$new\" ] || rm -f -- ./\"$new\"; cd /; [ -z \"$new\" ] || rmdir -- \"$box\" 2>/dev/null; rm -f -- \"$from\"; exit 1; }}\n\
         case $to in /*) ;; *) echo \"$to: not an absolute path\" >&2; give_up ;; esac\n\
         if [ -d \"$to\" ]; then echo \"$to: is a directory\" >&2; give_up; fi\n\
         box=${{to%/*}}/.blackstart-{unguessable}\n\
         trap give_up HUP INT TERM\n\
         umask 077\n\
         mkdir -m 700 -- \"$box\" || give_up\n\
         new={unguessable} CDPATH=\n\
         cd -P -- \"$box\" || give_up\n\
         case $(ls -ldn .) in drwx--[-S]---*) [ -O . ] ;; *) false ;; esac || {{ echo \"$box: not our own any more\" >&2; new=; give_up; }}\n\
         set -C\n\
         cat -- \"$from\" >\"$new\" || give_up\n\
         set +C\n\
         {owner}\n\
         chmod {mode:o} ./\"$new\" || give_up\n\
         mv -f -- \"$new\" \"$to\" || give_up\n\
         cd /\n\
         rmdir -- \"$box\" 2>/dev/null\n\
         rm -f -- \"$from\"\n",
        from = quote(there),
        to = quote(order.to),
        unguessable = crate::transport::lane::nonce(),
        mode = order.mode & 0o7777,
    )
}
