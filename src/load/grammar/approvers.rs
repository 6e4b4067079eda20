//! The shape of `approvers`, in inventories and runbooks.

use crate::load::shapes::{At, Entries, OneOrMany};
use schemars::JsonSchema;
use serde::Deserialize;

/// People who may approve with a signature.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Approvers")]
pub(in crate::load) struct Approvers {
    /// File with their keys in OpenSSH's `allowed_signers` format, relative to the file that names it.
    #[schemars(required)]
    pub(in crate::load) allowed_signers: Option<At<String>>,
    /// Groups of principals, for `approve: { by: GROUP }`.
    pub(in crate::load) groups: Option<At<Entries<OneOrMany<String>>>>,
    /// Principals of login names, where a principal is not the login name with `@` and more behind it.
    pub(in crate::load) logins: Option<At<Entries<String>>>,
}

/// A backup to look at before anything is restored from it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Backup")]
pub(in crate::load) struct Backup {
    /// Absolute path on the host of a list of checksums, as `sha256sum` writes it.
    #[schemars(required)]
    pub(in crate::load) manifest: Option<At<String>>,
    /// Directory where relative names in the manifest start; by default the manifest's own.
    pub(in crate::load) files_in: Option<At<String>>,
    /// When it was taken, in RFC 3339; by default when the manifest was last changed.
    pub(in crate::load) taken: Option<At<String>>,
    /// A file on the host that says in its first line when it was taken, instead of `taken`.
    pub(in crate::load) taken_at: Option<At<String>>,
    /// How old it may be.
    pub(in crate::load) max_age: Option<At<crate::load::shapes::Length>>,
    /// A moment in RFC 3339 before which it must have been taken, such as the first indicator of compromise.
    pub(in crate::load) before: Option<At<String>>,
    /// Who must have signed the manifest.
    pub(in crate::load) signature: Option<At<ManifestSignature>>,
}

/// A detached signature of a manifest, as `ssh-keygen -Y sign` makes it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ManifestSignature")]
pub(in crate::load) struct ManifestSignature {
    /// Absolute path on the host; by default the manifest's with `.sig` behind it.
    pub(in crate::load) file: Option<At<String>>,
    /// The namespace it was made in (`ssh-keygen -n`); `file` by default.
    pub(in crate::load) namespace: Option<At<String>>,
    /// File with the keys of those who may have made it, in OpenSSH's `allowed_signers` format, relative to the runbook.
    #[schemars(required)]
    pub(in crate::load) allowed_signers: Option<At<String>>,
}
