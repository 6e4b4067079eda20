//! What came of a job besides its outcome: sizes, tails, evidence, and what was seen.

use super::guard::GuardSeen;
use super::seen::Seen;
use super::time::Time;
use serde::{Deserialize, Serialize};

/// What came of a job besides its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Bytes of stdout, kept or not.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stdout_bytes: u64,
    /// Bytes of stderr, kept or not.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stderr_bytes: u64,
    /// Bytes beyond the limit on kept output, which were thrown away.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped_bytes: u64,
    /// The last lines of stderr, or of stdout if there was none: scrubbed of secrets, control characters escaped.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tail: String,
    /// Files pulled into the run directory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// What probes saw.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<Seen>,
    /// What became of the task's guard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<GuardSeen>,
    /// The backup that was looked at and found good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<Box<BackupSeen>>,
}

/// A backup that was looked at and found good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupSeen {
    /// When it was taken: what happened later is not in it.
    pub taken: Time,
    /// Files whose checksums fit.
    pub files: u64,
    /// SHA-256 of the manifest as 64 hexadecimal digits.
    pub manifest_sha256: String,
    /// Who signed the manifest, if a signature was asked for: principal and key fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<(String, String)>,
}

/// A file of the run directory that proves something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Path below the run directory.
    pub file: String,
    /// Where it came from: the path or the script's name on the host.
    pub from: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 as 64 hexadecimal digits.
    pub sha256: String,
}

impl Facts {
    /// Is there nothing to say?
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
