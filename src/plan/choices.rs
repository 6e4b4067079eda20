//! What the operator chooses when a plan is made, beside the two files.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The operator's choices, as the command line gives them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Choices {
    /// `-l PATTERN`: only these hosts.
    pub limit: Option<String>,
    /// `-e NAME=VALUE`: parameters, as text; their declared kind says what the text means.
    pub params: BTreeMap<String, String>,
    /// `--phase ID`: only this phase.
    pub phase: Option<String>,
    /// `--until ID`: up to and with this phase or step; `level:N`: without the steps of higher levels.
    pub until: Option<String>,
    /// `-b`: become another user in every step that does not say.
    pub becomes: bool,
}

/// What is known of a file of the controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// SHA-256 of its content as 64 hexadecimal digits.
    pub sha256: String,
}
