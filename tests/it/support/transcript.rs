//! Command lines carried out in a directory of their own, and what they print, made the same every time.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// The program under test.
const BLACKSTART: &str = env!("CARGO_BIN_EXE_blackstart");

/// A directory to type commands in: it is the home directory, and runs are kept in `runs` below it.
pub struct Desk {
    dir: tempfile::TempDir,
}

/// What a command line came to.
pub struct Came {
    /// Data.
    pub stdout: String,
    /// Conversation.
    pub stderr: String,
    /// The exit code.
    pub code: i32,
}

impl Desk {
    /// A desk with copies of these files on it.
    pub fn with(files: &Path) -> Self {
        let desk = Self::bare();
        for entry in std::fs::read_dir(files).expect("the files are there") {
            let path = entry.expect("the directory can be read").path();
            std::fs::copy(&path, desk.path().join(path.file_name().expect("it has a name")))
                .expect("it can be copied");
        }
        desk
    }

    /// A desk with nothing on it.
    pub fn bare() -> Self {
        Self { dir: tempfile::tempdir().expect("a directory can be made") }
    }

    /// Where it stands.
    pub fn path(&self) -> PathBuf {
        self.dir.path().canonicalize().expect("it is there")
    }

    /// Carries a shell command line out, with nobody at the keyboard.
    pub fn type_in(&self, line: &str) -> Came {
        let output = self.carry_out(line);
        let text = |bytes: &[u8]| self.same_every_time(&String::from_utf8_lossy(bytes));
        Came {
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
            code: output.status.code().expect("it was not killed"),
        }
    }

    /// What a terminal would show of a command line, as it comes.
    pub fn shown(&self, line: &str) -> String {
        let output = self.carry_out(&format!("{{ {line}\n}} 2>&1"));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.replace(&self.path().display().to_string(), "/home/op")
    }

    /// Starts a command line with somebody at the keyboard: what they type goes to its stdin, what they see is its stderr.
    pub fn start(&self, line: &str) -> Child {
        let mut command = self.command(line);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().expect("a shell can be started")
    }

    fn carry_out(&self, line: &str) -> Output {
        self.command(line).stdin(Stdio::null()).output().expect("a shell can be started")
    }

    fn command(&self, line: &str) -> Command {
        let bin = Path::new(BLACKSTART).parent().expect("it is in a directory");
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("sh");
        command
            .args(["-c", line])
            .current_dir(self.path())
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.path())
            .env("USER", "op")
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .env("BLACKSTART_STATE", self.path().join("runs"));
        command
    }

    /// The text without what differs from run to run: ids, hashes, times, lengths, this directory, and how wide
    /// columns are because of them.
    pub fn same_every_time(&self, text: &str) -> String {
        let text = without_keys(&text.replace(&self.path().display().to_string(), "/home/op"));
        text.lines().map(|line| same_line(line) + "\n").collect()
    }
}

/// Fingerprints of keys that were made a moment ago.
fn without_keys(text: &str) -> String {
    let mut parts = text.split("SHA256:");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && !"+/".contains(c)).unwrap_or(part.len());
        out += if end == 43 { "[KEY]" } else { &part[..end] };
        out += &part[end..];
    }
    out
}

fn same_line(line: &str) -> String {
    if line.trim_start().starts_with("\"time_ms\": ") {
        return "\"time_ms\": [TOOK]".to_owned();
    }
    let mut out = String::new();
    let mut word = String::new();
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '.');
    for c in line.chars() {
        if part(c) {
            word.push(c);
            continue;
        }
        out += &same_word(&std::mem::take(&mut word));
        out.push(c);
    }
    out += &same_word(&word);
    narrow(&out)
}

fn same_word(word: &str) -> String {
    let bare = word.trim_end_matches(['.', ':']);
    let tail = &word[bare.len()..];
    let hex = bare.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
    let shape: String = bare.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    let length = shape.trim_start_matches('9').trim_start_matches(".9");
    let same = match (bare.len(), hex, shape.as_str(), length) {
        (64, true, ..) => "[HASH]",
        (32, true, ..) => "[RUN-ID]",
        (12, true, ..) => "[RUN]",
        (_, _, "9999-99-99", _) => "[DATE]",
        (_, _, "99:99:99", _) => "[TIME]",
        (_, _, "9999-99-99T99:99:99.999Z", _) => "[MOMENT]",
        (_, _, _, "ms" | "s") if shape.starts_with('9') => "[TOOK]",
        _ => return word.to_owned(),
    };
    format!("{same}{tail}")
}

/// Gaps of columns hang on what stands in them.
fn narrow(line: &str) -> String {
    let indent = line.len() - line.trim_start().len();
    let mut out = line[..indent].to_owned();
    let mut gap = 0;
    for c in line[indent..].chars() {
        gap = if c == ' ' { gap + 1 } else { 0 };
        if gap <= 2 {
            out.push(c);
        }
    }
    out.trim_end().to_owned()
}
