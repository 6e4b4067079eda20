//! A lane: one long-lived `sh` on a host that is fed framed orders and runs each script in a process group of
//! its own. Never decides what runs, never reconnects, never retries.

mod greeting;
#[allow(clippy::module_inception)]
mod lane;
mod nonce;
mod opening;
mod scan;
mod silence;
mod words;

pub use lane::{Gone, Lane, News, UPLOAD_CHUNK_BYTES};
pub use nonce::fresh as nonce;
pub use opening::{Opening, begin_script, quote};
pub use scan::{Piece, Scanner};
pub use words::{End, Group, Hello, Receipt, Refusal};
