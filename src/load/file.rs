//! Reads a file whole, if it is one that can be read, and says clearly why not otherwise.

use crate::model::Problem;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Ten thousand hosts take one megabyte. What is larger is not a runbook or an inventory.
pub(super) const BYTES_MAX: usize = 8 * 1024 * 1024;

/// The text of a file.
pub(super) fn read(path: &Path) -> Result<String, Problem> {
    let shown = path.display();
    let trouble = |error: std::io::Error| {
        let (code, what) = match error.kind() {
            ErrorKind::NotFound => ("file-missing", format!("there is no file `{shown}`")),
            ErrorKind::IsADirectory => ("file-unreadable", format!("`{shown}` is a directory")),
            ErrorKind::PermissionDenied => {
                ("file-unreadable", format!("`{shown}` may not be read by this user"))
            }
            _ => ("file-unreadable", format!("`{shown}` cannot be read: {error}")),
        };
        Problem::error(code, what).hint("name a YAML file")
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(trouble)?;
    file.take(BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(trouble)?;
    if bytes.len() > BYTES_MAX {
        return Err(too_large(&shown.to_string()));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..good].iter().filter(|byte| **byte == b'\n').count();
        let what = format!("`{shown}` is not UTF-8 text: byte {} on line {line} fits nowhere", good + 1);
        Problem::error("not-utf8", what).hint("save it as UTF-8")
    })
}

/// A file beyond `BYTES_MAX`.
pub(super) fn too_large(shown: &str) -> Problem {
    let what =
        format!("`{shown}` is larger than {} MiB, too large for a runbook or an inventory", BYTES_MAX >> 20);
    Problem::error("file-too-large", what).hint("is it the right file?")
}
