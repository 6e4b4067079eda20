//! The auditor's shell script agrees with the program, on good journals and on bad ones.

use super::{every_event, run_with};
use blackstart::journal::{AUDIT_SCRIPT, RunDir};
use std::fs;
use std::process::Command;

fn audit(run: &RunDir) -> Result<String, String> {
    let output = Command::new("sh").args(["-c", AUDIT_SCRIPT, "audit.sh"]).arg(run.path()).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(out) } else { Err(out) }
}

#[test]
fn the_script_finds_the_same_head() {
    let dir = tempfile::tempdir().unwrap();
    let run = every_event::run(dir.path());
    assert_eq!(audit(&run).unwrap(), format!("head: {}\n", run.read().unwrap().head));
}

#[test]
fn the_script_finds_what_was_altered() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_with(dir.path(), 5);
    let good = fs::read_to_string(run.journal_path()).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    let joined = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    for (what, bad, first) in [
        ("edited", good.replace("\"phase\":4", "\"phase\":5"), 4),
        ("hole", joined(&[lines[0], lines[2], lines[3], lines[4]]), 1),
        ("swapped", joined(&[lines[0], lines[2], lines[1], lines[3], lines[4]]), 1),
        ("repeated", joined(&[lines[0], lines[1], lines[1], lines[2]]), 2),
    ] {
        fs::write(run.journal_path(), &bad).unwrap();
        assert_eq!(
            audit(&run).unwrap_err(),
            format!("broken: {}\n", bad.lines().nth(first).unwrap()),
            "{what}"
        );
        assert!(run.read().is_err(), "{what}");
    }
    fs::write(run.journal_path(), &good).unwrap();
    fs::write(run.plan_path(), "{}").unwrap();
    assert!(audit(&run).is_err(), "another plan");
}
