//! What known_hosts files say about a host: plain, hashed, wildcard and negated names, CAs and revoked keys.

use super::known_files::{KnownFile, KnownFiles};
use super::resolved::KeyNames;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use ssh_key::known_hosts::{Entry, HostPatterns, Marker};
use ssh_key::public::KeyData;
use std::fmt;
use std::path::{Path, PathBuf};

/// The lines about one host, from several files.
#[derive(Debug, Clone, Default)]
pub struct KnownHosts {
    /// The files, in the order they were read, whether they are there or not.
    pub files: Vec<PathBuf>,
    /// The lines, in order.
    pub lines: Vec<Line>,
    /// Files that are there and cannot be read.
    pub unreadable: Vec<String>,
}

/// A line that is about the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it stands.
    pub place: Place,
    /// What it says.
    pub says: Says,
    /// The key it says it of.
    pub key: KeyData,
    /// Does it only name the host without its port? Then it may vouch for a key but not accuse one.
    pub portless: bool,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
}

/// What a line says of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// It is the host's.
    Host,
    /// Whoever it signs is a host.
    Authority,
    /// It must never be accepted.
    Revoked,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

impl KnownHosts {
    /// Finds the lines about a host. A file that is not there knows nobody.
    pub fn read(files: &KnownFiles, paths: &[PathBuf], names: &KeyNames) -> Self {
        let mut known = Self { files: paths.to_vec(), ..Self::default() };
        for path in paths {
            match files.read(path) {
                Ok(file) => known.look_through(path, &file, names),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => known.unreadable.push(format!("{}: {error}", path.display())),
            }
        }
        known
    }

    /// Finds the lines about a host in the text of one file.
    pub fn read_text(&mut self, path: &Path, text: &str, names: &KeyNames) {
        self.look_through(path, &KnownFile::of(text.to_owned()), names);
    }

    fn look_through(&mut self, path: &Path, file: &KnownFile, names: &KeyNames) {
        let wanted = [Some(&names.name), names.also.as_ref()].into_iter().flatten();
        for (number, listed, line) in file.candidates(wanted.map(String::as_str)) {
            let Ok(patterns) = listed.parse() else { continue };
            let named = matches(&patterns, &names.name);
            let portless = !named && names.also.as_ref().is_some_and(|name| matches(&patterns, name));
            if !named && !portless {
                continue;
            }
            // A line of a kind that this build cannot read (an old DSA or a future key) vouches for nobody.
            let Some(entry) = parse(line) else { continue };
            let place = Place { file: path.to_owned(), line: number };
            let says = match entry.marker() {
                None => Says::Host,
                Some(Marker::CertAuthority) => Says::Authority,
                Some(Marker::Revoked) => Says::Revoked,
            };
            self.lines.push(Line { place, says, key: entry.public_key().key_data().clone(), portless });
        }
    }

    /// The lines that say `says`.
    pub fn that(&self, says: Says) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.says == says)
    }
}

/// ssh-key's parser wants single spaces between the fields and takes any `#` for a comment.
fn parse(line: &str) -> Option<Entry> {
    let mut fields: Vec<&str> = line.split_whitespace().collect();
    fields.truncate(if line.starts_with('@') { 4 } else { 3 });
    fields.join(" ").parse().ok()
}

fn matches(patterns: &HostPatterns, name: &str) -> bool {
    match patterns {
        HostPatterns::HashedName { salt, hash } => {
            let mut mac = Hmac::<Sha1>::new_from_slice(salt).expect("HMAC takes keys of any length");
            mac.update(name.as_bytes());
            mac.verify_slice(hash).is_ok()
        }
        HostPatterns::Patterns(patterns) => {
            let mut any = false;
            for pattern in patterns {
                match pattern.strip_prefix('!') {
                    Some(not) if glob(&not.to_lowercase(), name) => return false,
                    Some(_) => {}
                    None => any |= glob(&pattern.to_lowercase(), name),
                }
            }
            any
        }
    }
}

/// `*` is any text, `?` any one character; nothing else is special.
fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == '?' || c == name[n] => (p, n) = (p + 1, n + 1),
            _ => match star {
                // Let the last star take one character more.
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, n) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    fn names(name: &str, also: Option<&str>) -> KeyNames {
        KeyNames { name: name.into(), also: also.map(str::to_owned) }
    }

    fn about(text: &str, name: &str, also: Option<&str>) -> Vec<(usize, Says, bool)> {
        let mut known = KnownHosts::default();
        known.read_text(Path::new("kh"), text, &names(name, also));
        known.lines.iter().map(|line| (line.place.line, line.says, line.portless)).collect()
    }

    #[test]
    fn names_match_as_sshd_8_says() {
        // (names of the line, the name looked up, does it match?)
        let table = [
            ("db1", "db1", true),
            ("db1", "db10", false),
            ("DB1", "db1", true),
            ("db1,10.0.0.5", "10.0.0.5", true),
            ("*.plant", "sw1.plant", true),
            ("*.plant", "plant", false),
            ("sw?.plant", "sw1.plant", true),
            ("sw?.plant", "sw12.plant", false),
            ("*", "anything", true),
            ("*.plant,!sw9.plant", "sw1.plant", true),
            ("*.plant,!sw9.plant", "sw9.plant", false),
            ("!sw9.plant,*.plant", "sw9.plant", false),
            ("!sw9.plant", "sw1.plant", false),
            ("[db1]:2222", "[db1]:2222", true),
            ("[db1]:2222", "db1", false),
            ("[db1]:2222", "[db1]:22", false),
            ("[*.plant]:2222", "[sw1.plant]:2222", true),
            ("fd00::1", "fd00::1", true),
            ("[fd00::1]:2222", "[fd00::1]:2222", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
        ];
        for (line, name, expected) in table {
            let found = !about(&format!("{line} {A}"), name, None).is_empty();
            assert_eq!(found, expected, "`{line}` for `{name}`");
        }
    }

    #[test]
    fn hashed_names_match() {
        // The form that `ssh-keygen -H` writes.
        let hashed = |name: &str| {
            let salt = [7u8; 20];
            let mut mac = Hmac::<Sha1>::new_from_slice(&salt).unwrap();
            mac.update(name.as_bytes());
            let hash: [u8; 20] = mac.finalize().into_bytes().into();
            format!("{} {A}", HostPatterns::HashedName { salt: salt.to_vec(), hash }.to_string())
        };
        assert_eq!(about(&hashed("db1"), "db1", None).len(), 1);
        assert_eq!(about(&hashed("db1"), "db2", None).len(), 0);
        assert_eq!(about(&hashed("[db1]:2222"), "[db1]:2222", None).len(), 1);
        assert_eq!(about(&hashed("[db1]:2222"), "db1", None).len(), 0);
    }

    #[test]
    fn lines_are_counted_and_what_cannot_be_read_vouches_for_nobody() {
        let text = format!(
            "# comment\n\n  db1\t{A}   a # comment\n@revoked db1 {A}\n@cert-authority *  {A} ca\n@unknown db1 {A}\ndb1 ssh-foo AAAA\ndb1\nother {A}\n"
        );
        assert_eq!(
            about(&text, "db1", None),
            [(3, Says::Host, false), (4, Says::Revoked, false), (5, Says::Authority, false)]
        );
    }

    #[test]
    fn a_line_without_the_port_is_second_best() {
        let text = format!("db1 {A}\n[db1]:2222 {A}\n");
        assert_eq!(about(&text, "[db1]:2222", Some("db1")), [(1, Says::Host, true), (2, Says::Host, false)]);
    }
}
