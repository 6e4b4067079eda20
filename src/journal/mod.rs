//! Events to disk and back: append-only, hash-chained, synced before anything is done about them. Also the
//! rest of a run's directory: frozen plan, lock, inbox, output, evidence. Never decides what happens next.
//!
//! ```text
//! STATE/<run id>/plan.json        the frozen plan; its SHA-256 starts the chain
//!                origin.json      the files that it was compiled from
//!                journal.jsonl    one event a line; see `line`
//!                journal.torn-N   what a crash left of a line that was never committed
//!                lock             held by the process that carries the run on
//!                inbox/           messages from other processes
//!                out/<task>/      what jobs printed
//!                snapshots/       what undo needs
//!                evidence/<task>/ files pulled from hosts
//!                table.jsonl      of a tabletop with people: what was said when
//! ```

mod again;
pub mod approval;
mod damage;
mod error;
pub mod evidence;
mod files;
pub mod inbox;
mod line;
mod lock;
mod notes;
pub mod outputs;
mod read;
mod run_dir;
mod store;
mod summary;
mod write;

pub use again::Again;
pub use damage::Damage;
pub use error::{JournalError, Kind};
pub use inbox::Message;
pub use line::{Hash, JOURNAL_VERSION};
pub use lock::RunLock;
pub use notes::Notes;
pub use outputs::OutFile;
pub use read::{Read, Record, Scan};
pub use run_dir::RunDir;
pub use store::Store;
pub use summary::{Status, Summary, TaskCounts};
pub use write::Writer;

/// A POSIX shell script that checks a run directory with nothing but `sha256sum`, for auditors who trust no
/// program of ours: `sh audit.sh RUN_DIRECTORY` prints the head, or the first line that is not in order.
pub const AUDIT_SCRIPT: &str = include_str!("audit.sh");
