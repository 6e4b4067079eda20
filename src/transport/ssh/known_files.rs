//! known_hosts files, read once for as long as they stay as they are: a fleet of thousands has a file of thousands of
//! lines, and every host wants to know which of them are about it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The files read so far.
#[derive(Debug, Default)]
pub struct KnownFiles(RefCell<HashMap<PathBuf, (Stamp, Rc<KnownFile>)>>);

/// What tells that a file was changed or replaced: device, inode, size; when its bytes and when anything of it changed.
type Stamp = (u64, u64, u64, (i64, i64), (i64, i64));

/// A file's lines, to be looked up by the names they are about.
#[derive(Debug, Default)]
pub struct KnownFile {
    text: String,
    /// Number, counted from 1, and beginning of each line that is about anybody.
    lines: Vec<(usize, usize)>,
    /// Lines, by their place in `lines`, that name a host by this name in lower case.
    plain: HashMap<String, Vec<usize>>,
    /// Lines that may be about anybody: hashed names, patterns, names that are not ASCII.
    others: Vec<usize>,
}

impl KnownFiles {
    /// The file as it is now.
    ///
    /// # Errors
    /// What the system says of a file that is not there or cannot be read.
    pub fn read(&self, path: &Path) -> io::Result<Rc<KnownFile>> {
        // Before it is read: what changes while we read is noticed the next time.
        let mut file = File::open(path)?;
        let stamp = stamp(&file.metadata()?);
        if let Some((known, file)) = self.0.borrow().get(path)
            && *known == stamp
        {
            return Ok(file.clone());
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let file = Rc::new(KnownFile::of(String::from_utf8_lossy(&bytes).into_owned()));
        self.0.borrow_mut().insert(path.to_owned(), (stamp, file.clone()));
        Ok(file)
    }
}

fn stamp(of: &Metadata) -> Stamp {
    (of.dev(), of.ino(), of.size(), (of.mtime(), of.mtime_nsec()), (of.ctime(), of.ctime_nsec()))
}

impl KnownFile {
    /// A file with this text.
    pub fn of(text: String) -> Self {
        let mut file = Self::default();
        let mut begin = 0;
        for (at, whole) in text.split_inclusive('\n').enumerate() {
            let line = whole.trim();
            if let Some(listed) = listed(line).filter(|_| !line.starts_with('#')) {
                let place = file.lines.len();
                file.lines.push((at + 1, begin));
                if is_plain(listed) {
                    for name in listed.split(',') {
                        file.plain.entry(name.to_ascii_lowercase()).or_default().push(place);
                    }
                } else {
                    file.others.push(place);
                }
            }
            begin += whole.len();
        }
        file.text = text;
        file
    }

    /// The lines that may be about any of these names, in order, with their numbers and the field that names hosts.
    pub fn candidates<'a>(
        &'a self,
        names: impl Iterator<Item = &'a str>,
    ) -> impl Iterator<Item = (usize, &'a str, &'a str)> {
        let mut places = self.others.clone();
        for name in names {
            places.extend(self.plain.get(&name.to_ascii_lowercase()).into_iter().flatten());
        }
        places.sort_unstable();
        places.dedup();
        places.into_iter().filter_map(|place| {
            let (number, begin) = self.lines[place];
            let line = self.text[begin..].lines().next()?.trim();
            Some((number, listed(line)?, line))
        })
    }
}

/// Hosts by their own names and nothing else.
fn is_plain(listed: &str) -> bool {
    listed.is_ascii() && !listed.bytes().any(|byte| matches!(byte, b'*' | b'?' | b'!' | b'|'))
}

/// The field that says whom a line is about; a marker may stand before it.
fn listed(line: &str) -> Option<&str> {
    let mut fields = line.split_whitespace();
    let first = fields.next()?;
    if first.starts_with('@') { fields.next() } else { Some(first) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(file: &KnownFile, name: &str) -> Vec<usize> {
        file.candidates([name].into_iter()).map(|(number, ..)| number).collect()
    }

    #[test]
    fn only_lines_that_may_be_about_a_host_are_looked_at() {
        let text = "# a comment\n\ndb1 a\n  DB1,db2 b\r\n*.plant c\n|1|x|y d\n@revoked db2 e\n@revoked\nd\u{e4} f\ndb1 g";
        let file = KnownFile::of(text.to_owned());
        assert_eq!(about(&file, "db1"), [3, 4, 5, 6, 9, 10]);
        assert_eq!(about(&file, "Db2"), [4, 5, 6, 7, 9]);
        assert_eq!(about(&file, "db3"), [5, 6, 9]);
        let both: Vec<_> = file.candidates(["db2", "db1"].into_iter()).map(|(n, ..)| n).collect();
        assert_eq!(both, [3, 4, 5, 6, 7, 9, 10]);
        let (_, listed, line) = file.candidates(["db2"].into_iter()).next().unwrap();
        assert_eq!((listed, line), ("DB1,db2", "DB1,db2 b"));
    }

    #[test]
    fn a_file_that_was_changed_or_replaced_is_read_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (path, beside) = (dir.path().join("known_hosts"), dir.path().join("beside"));
        let files = KnownFiles::default();
        let first = |text: &str| {
            let read = files.read(&path);
            assert_eq!(read.as_ref().ok().map(|file| file.text.as_str()), Some(text));
            read.unwrap()
        };
        std::fs::write(&path, "db1 a\n").unwrap();
        let one = first("db1 a\n");
        assert!(Rc::ptr_eq(&one, &first("db1 a\n")));
        std::fs::write(&path, "db1 a\ndb2 b\n").unwrap();
        first("db1 a\ndb2 b\n");
        // Of the same length, in its place.
        std::fs::write(&beside, "db1 x\ndb2 y\n").unwrap();
        std::fs::rename(&beside, &path).unwrap();
        first("db1 x\ndb2 y\n");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(files.read(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
