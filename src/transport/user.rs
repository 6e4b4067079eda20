//! Who this process runs as.

use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The name of the user that this process runs as. Asked once, of `id`, which knows users from wherever the system keeps
/// them, LDAP included. `None` where it does not tell.
pub fn system_name() -> Option<&'static str> {
    static NAME: OnceLock<Option<String>> = OnceLock::new();
    let name = NAME.get_or_init(|| {
        let id = Command::new("id").arg("-un").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        let name = String::from_utf8(id.stdout).ok()?.trim().to_owned();
        (id.status.success() && !name.is_empty()).then_some(name)
    });
    name.as_deref()
}
