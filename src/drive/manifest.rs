//! Reads lists of checksums as `sha256sum` writes them.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// Files and their SHA-256, by path as the list gives it, `./` taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest(BTreeMap<PathBuf, String>);

impl Manifest {
    /// Reads a list. A line that is none, a file that is named twice with two hashes, and an empty list are errors.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
        let mut files = BTreeMap::new();
        for (nth, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, sha256) =
                read_line(line).ok_or_else(|| format!("line {} is no checksum of `sha256sum`", nth + 1))?;
            let name = plain(&name);
            match files.insert(name.clone(), sha256.clone()) {
                Some(other) if other != sha256 => {
                    return Err(format!("line {} gives {} another checksum", nth + 1, name.display()));
                }
                Some(_) | None => {}
            }
        }
        if files.is_empty() { Err("it lists no file".to_owned()) } else { Ok(Self(files)) }
    }

    /// How many files it lists.
    pub fn files(&self) -> u64 {
        self.0.len() as u64
    }

    /// The checksum of a file given by its absolute path, where relative names start at `files_in`.
    pub fn sha256_of(&self, path: &Path, files_in: &Path) -> Option<&str> {
        let found =
            self.0.get(&plain(path)).or_else(|| self.0.get(&plain(path.strip_prefix(files_in).ok()?)));
        found.map(String::as_str)
    }
}

/// `HASH  name` or `HASH *name`; after a `\` before it, `\n` and `\\` in the name are escapes.
fn read_line(line: &str) -> Option<(PathBuf, String)> {
    let (escaped, line) = line.strip_prefix('\\').map_or((false, line), |line| (true, line));
    let (sha256, name) = line.split_at_checked(64)?;
    let name = name.strip_prefix("  ").or_else(|| name.strip_prefix(" *"))?;
    let hexadecimal = sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = match escaped {
        true => name.replace("\\n", "\n").replace("\\\\", "\\"),
        false => name.to_owned(),
    };
    (hexadecimal && !name.is_empty()).then(|| (PathBuf::from(name), sha256.to_ascii_lowercase()))
}

fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_sha256sum_are_read_and_nothing_else() {
        let (one, two) = ("ab".repeat(32), "CD".repeat(32));
        let text = format!("{one}  ./db/dump.sql\n{two} *taken at\n\n# made by hand\n\\{one}  odd\\nname\n");
        let manifest = Manifest::read(text.as_bytes()).unwrap();
        assert_eq!(manifest.files(), 3);
        let dir = Path::new("/srv/backup");
        assert_eq!(manifest.sha256_of(Path::new("/srv/backup/db/dump.sql"), dir), Some(one.as_str()));
        assert_eq!(
            manifest.sha256_of(Path::new("/srv/backup/taken at"), dir),
            Some("cd".repeat(32).as_str())
        );
        assert_eq!(manifest.sha256_of(Path::new("/srv/other"), dir), None);
        for (text, why) in [
            (String::new(), "it lists no file"),
            ("hello\n".into(), "line 1 is no checksum of `sha256sum`"),
            (format!("{one} x\n"), "line 1 is no checksum of `sha256sum`"),
            (format!("{one}  a\n{two}  ./a\n"), "line 2 gives a another checksum"),
            (format!("{}  a\n", "g".repeat(64)), "line 1 is no checksum of `sha256sum`"),
        ] {
            assert_eq!(Manifest::read(text.as_bytes()), Err(why.to_owned()), "{text}");
        }
    }
}
