//! Whole commands, typed as people type them: what they print where, and how they exit.
//!
//! Each `tests/cmd/*.txt` is a transcript, carried out on a desk of its own with the files of `tests/cmd/files`.
//! `$` is a command line, `>` what came on stdout, `!` what came on stderr, `?` the exit code, `#` a remark.
//! `SNAPSHOTS=overwrite` writes down what comes.

use crate::support::transcript::Desk;
use snapbox::data::{Data, DataFormat};
use std::path::{Path, PathBuf};

fn transcripts() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd");
    let entries = std::fs::read_dir(dir).expect("transcripts are there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    paths
}

fn carry_out(name: &str) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd");
    let path = dir.join(format!("{name}.txt"));
    let script = std::fs::read_to_string(&path).expect("the transcript is there");
    let desk = Desk::with(&dir.join("files"));
    let mut told = String::new();
    for line in script.lines() {
        match line.split_once(' ') {
            Some(("#", _)) => told += &format!("{line}\n"),
            Some(("$", command)) => {
                let came = desk.type_in(command);
                told += &format!("\n{line}\n");
                came.stdout.lines().for_each(|text| told += &line_of('>', text));
                came.stderr.lines().for_each(|text| told += &line_of('!', text));
                told += &format!("? {}\n", came.code);
            }
            _ => {}
        }
    }
    assert!(told.contains("$ "), "{name} types nothing");
    let expected = Data::read_from(&path, Some(DataFormat::Text)).raw();
    snapbox::Assert::new().action_env("SNAPSHOTS").eq(told, expected);
}

fn line_of(mark: char, text: &str) -> String {
    format!("{}\n", format!("{mark} {text}").trim_end())
}

macro_rules! transcripts {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            carry_out(stringify!($name));
        })*

        #[test]
        fn every_transcript_is_carried_out() {
            let files: Vec<String> = transcripts()
                .iter()
                .map(|path| path.file_stem().expect("it has a name").to_string_lossy().into_owned())
                .collect();
            let mut named = vec![$(stringify!($name).to_owned()),*];
            named.sort();
            assert_eq!(files, named);
        }
    };
}

transcripts! {
    help usage files params choosing secrets hello drill stopped people runs history due audit journal graph_and_schema reopen closed unreachable approvals gates levels reach paper lockout tabletop
}
