//! Brings a snapshot back to its host for undo: as a private file that `$BLACKSTART_SNAPSHOT` names.

use crate::journal::RunDir;
use crate::journal::evidence::safe_name;

/// The snapshot's bytes from the run directory.
pub fn read(dir: &RunDir, task: &str, attempt: u32) -> Result<Vec<u8>, String> {
    let path = dir.snapshots_dir().join(safe_name(task)).join(attempt.to_string());
    std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The undo script with the snapshot before it. The file lies in a fresh private place and is removed after
/// the script, whose exit status is kept, and when the script is told to end. Whoever does not heed that is killed and
/// leaves it behind, for its owner alone.
pub fn around(undo: &str, snapshot: &[u8]) -> String {
    format!(
        "BLACKSTART_SNAPSHOT=$(umask 077 && mktemp) || exit 70\n\
         export BLACKSTART_SNAPSHOT\n\
         trap 'rm -f -- \"$BLACKSTART_SNAPSHOT\"; exit 143' HUP INT TERM\n\
         {} > \"$BLACKSTART_SNAPSHOT\" || exit 70\n\
         (\n{undo}\n)\n\
         bs_status=$?\n\
         rm -f -- \"$BLACKSTART_SNAPSHOT\"\n\
         exit \"$bs_status\"\n",
        printed(snapshot)
    )
}

/// A POSIX command that prints exactly these bytes. `printf` is a builtin wherever there is a shell, so the
/// length of an argument list does not bound it.
fn printed(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes).ok().and_then(|text| shlex::try_quote(text).ok()) {
        Some(quoted) => format!("printf %s {quoted}"),
        None => {
            let octal: String = bytes.iter().map(|byte| format!("\\0{byte:03o}")).collect();
            format!("printf %b '{octal}'")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn every_byte_comes_back_and_the_exit_status_too() {
        let all: Vec<u8> = (0..=255).chain(0..=255).collect();
        for bytes in
            [&b""[..], b"table inet x {\n\tchain 'y'\n}\n\n", b"no newline", b"-n $HOME `id` \\0", &all]
        {
            let script =
                around("cat \"$BLACKSTART_SNAPSHOT\"; test -O \"$BLACKSTART_SNAPSHOT\" && exit 7", bytes);
            for shell in ["sh", "bash"] {
                let output = Command::new(shell).args(["-c", &script]).output().unwrap();
                assert_eq!(output.stdout, bytes, "{shell}");
                assert_eq!(output.status.code(), Some(7), "{shell}");
            }
        }
    }
}
