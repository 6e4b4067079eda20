//! Other processes, played by this very test binary: it starts itself with a part to play.

use std::path::Path;
use std::process::{Child, Command, Stdio};

const PART: &str = "BLACKSTART_TEST_PART";
const STAGE: &str = "BLACKSTART_TEST_STAGE";

/// The entry: plays a part if this process was started for one, else passes at once.
#[test]
fn play_a_part() {
    let Ok(part) = std::env::var(PART) else { return };
    let stage = std::env::var(STAGE).expect("a part is played on a stage");
    let stage = Path::new(&stage);
    match part.as_str() {
        "append for ever" => super::crash::append_for_ever(stage),
        "hold the lock" => super::lock::hold_the_lock(stage),
        "post messages" => super::inbox::post_messages(stage),
        "fill the disk" => super::disk::fill_the_disk(stage),
        "create on a full disk" => super::disk::create_on_a_full_disk(stage),
        "read only" => super::disk::read_only(stage),
        other => panic!("no part is called {other}"),
    }
}

/// This binary, ready to play a part in the directory `stage`; its stdin and stdout are pipes.
pub fn starring(part: &str, stage: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    give_part(&mut command, part, stage);
    command
}

/// The same in a mount namespace of its own, as root there: what it mounts nobody else sees, and it is gone
/// with it. `None`, and a word on why, where the machine does not permit that.
pub fn starring_with_mounts(part: &str, stage: &Path) -> Option<Command> {
    let unshare = ["--mount", "--map-root-user"];
    let possible =
        Command::new("unshare").args(unshare).args(["mount", "-t", "tmpfs", "none", "/mnt"]).output();
    match possible {
        Ok(output) if output.status.success() => {}
        refused => {
            eprintln!("SKIPPED: no tmpfs can be mounted in a namespace here: {refused:?}");
            return None;
        }
    }
    let mut command = Command::new("unshare");
    command.args(unshare).arg(std::env::current_exe().unwrap());
    give_part(&mut command, part, stage);
    Some(command)
}

/// Runs a part to its end, which must be a good one.
pub fn play(mut command: Command) {
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    assert!(out.contains("1 passed"), "the part was not played: {out}\n{err}");
}

/// Kills it as a power cut would, and waits until it is gone.
pub fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn give_part(command: &mut Command, part: &str, stage: &Path) {
    command.args(["--exact", "journal::child::play_a_part", "--nocapture", "--test-threads=1"]);
    command.env(PART, part).env(STAGE, stage);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
}
