//! How a second process talks to a run, live or stopped: one small file a message, read in posting order.
//!
//! A message is removed only after the event that came of it is on disk, so that none is lost; after a crash
//! in between it is read a second time, and what has been decided already is refused by the engine.

use super::error::{JournalError, cannot};
use super::files::{make_dir, sync_dir, write_new};
use super::run_dir::RunDir;
use crate::model::event::{Scope, StopHow};
use crate::model::names::{ConduitName, RunId};
use crate::model::question::Answer;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The version of this format that this program writes; it reads no other.
pub const MESSAGE_VERSION: u32 = 1;

/// A comment of many pages still fits; what is larger is not a message.
const MESSAGE_BYTES_MAX: u64 = 64 * 1024;

/// More than people can post between two looks; a flood is taken in portions.
const TAKEN_AT_ONCE_MAX: usize = 1000;

/// Posters that race for one number; each of them loses only to one that won.
const NUMBER_TRIES_MAX: u64 = 10_000;

/// What another process wants of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Message {
    /// A person's answer, to a question that was asked or will be.
    Answer(Answer),
    /// Stop.
    Stop {
        /// Who wants it.
        by: String,
        /// How hard.
        how: StopHow,
    },
    /// Take things back.
    Rollback {
        /// Who wants it.
        by: String,
        /// How much.
        scope: Scope,
        /// Severed conduits too?
        reopen: bool,
        /// The conduits they named, to consent to their being re-opened.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        consent: Vec<ConduitName>,
    },
    /// Somebody takes on what is stuck.
    Abandon {
        /// Who.
        by: String,
        /// Why, and what was done about it.
        comment: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    v: u32,
    run: RunId,
    message: Message,
}

/// Puts a message into a run's inbox, whole or not at all; it is on disk when this returns.
pub fn post(run: &RunDir, message: &Message) -> Result<PathBuf, JournalError> {
    let inbox = run.inbox_dir();
    make_dir(&inbox)?;
    let envelope = Envelope { v: MESSAGE_VERSION, run: run.id().clone(), message: message.clone() };
    let json =
        serde_json::to_vec_pretty(&envelope).expect("a message has only texts, numbers and lists in it");
    let unfinished = inbox.join(format!(".{}-{}", std::process::id(), uuid::Uuid::now_v7().simple()));
    let posted = write_new(&unfinished, &json).and_then(|()| give_number(&inbox, &unfinished));
    // Under its number it is a file of its own; without one it must not stay either.
    let _ = std::fs::remove_file(&unfinished);
    let path = posted?;
    sync_dir(&inbox)?;
    Ok(path)
}

/// The messages in a run's inbox, in posting order, each with its file for [`done`]. A file that is not a
/// message for this run is moved to `inbox/refused/`, with the reason in a file beside it.
pub fn take(run: &RunDir) -> Result<Vec<(PathBuf, Message)>, JournalError> {
    let mut messages = Vec::new();
    for (_, path) in waiting(&run.inbox_dir())?.into_iter().take(TAKEN_AT_ONCE_MAX) {
        match read(&path, run.id()) {
            Ok(message) => messages.push((path, message)),
            Err(because) => refuse(&path, &because)?,
        }
    }
    Ok(messages)
}

/// Removes a message whose event is on disk.
pub fn done(path: &Path) -> Result<(), JournalError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(cannot("remove", path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Links a finished file to the next free number. A link never overwrites, so two posters never share one.
fn give_number(inbox: &Path, unfinished: &Path) -> Result<PathBuf, JournalError> {
    let newest = waiting(inbox)?.last().map_or(0, |(number, _)| *number);
    for number in (newest + 1)..=(newest + NUMBER_TRIES_MAX) {
        let path = inbox.join(format!("{number:08}.json"));
        match std::fs::hard_link(unfinished, &path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(cannot("post the message", &path)(error)),
        }
    }
    Err(cannot("post a message in", inbox)(io::Error::other("too many others are posting")))
}

/// Numbered files of an inbox, by number. Files that somebody put there under another name come first.
fn waiting(inbox: &Path) -> Result<Vec<(u64, PathBuf)>, JournalError> {
    let mut files = Vec::new();
    let entries = match std::fs::read_dir(inbox) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
        entries => entries.map_err(cannot("read the directory", inbox))?,
    };
    for entry in entries {
        let entry = entry.map_err(cannot("read the directory", inbox))?;
        let (name, path) = (entry.file_name(), entry.path());
        let name = name.to_string_lossy();
        if !name.starts_with('.') && name != REFUSED {
            files.push((name.strip_suffix(".json").and_then(|name| name.parse().ok()).unwrap_or(0), path));
        }
    }
    files.sort_unstable();
    Ok(files)
}

fn read(path: &Path, run: &RunId) -> Result<Message, String> {
    let kind = std::fs::symlink_metadata(path).map_err(|error| error.to_string())?.file_type();
    if !kind.is_file() {
        return Err("not a plain file".to_owned());
    }
    let mut json = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MESSAGE_BYTES_MAX + 1).read_to_end(&mut json));
    read.map_err(|error| error.to_string())?;
    if json.len() as u64 > MESSAGE_BYTES_MAX {
        return Err(format!("larger than {MESSAGE_BYTES_MAX} bytes"));
    }
    let envelope: Envelope =
        serde_json::from_slice(&json).map_err(|error| format!("not a message: {error}"))?;
    if envelope.v != MESSAGE_VERSION {
        return Err(format!("a message in format {}, where {MESSAGE_VERSION} is known", envelope.v));
    }
    if &envelope.run != run {
        return Err(format!("a message for run {}", envelope.run));
    }
    Ok(envelope.message)
}

const REFUSED: &str = "refused";

/// Moves a message aside that is not for this run, with the reason in a file beside it.
pub fn refuse(path: &Path, because: &str) -> Result<(), JournalError> {
    let (Some(inbox), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(cannot("move aside", path)(io::ErrorKind::InvalidInput.into()));
    };
    let refused = inbox.join(REFUSED);
    make_dir(&refused)?;
    let unique = uuid::Uuid::now_v7().simple();
    // Not under its old name, which may be as long as a name can be.
    std::fs::rename(path, refused.join(format!("{unique}"))).map_err(cannot("move aside", path))?;
    let reason = format!("{}: {because}\n", name.to_string_lossy());
    write_new(&refused.join(format!("{unique}.why")), reason.as_bytes())?;
    tracing::warn!(file = %path.display(), because, "a message was refused and moved aside");
    Ok(())
}
