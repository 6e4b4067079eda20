//! Guards where one looks for them last: of a file that is put in place, and in a dry run.

use super::{CUT_NEW, Scene, UNCUT, host};
use crate::support::sshd::{Sshd, current_user};
use std::fs;

/// Puts a file over the keys that may log in.
fn uploads(keys: impl FnOnce(&Sshd) -> String) -> Scene {
    let sshd = Sshd::start();
    fs::copy(sshd.path("authorized_keys"), sshd.path("keys.before")).unwrap();
    fs::write(sshd.path("keys.after"), keys(&sshd)).unwrap();
    let hosts = format!("  h1: {}\n", host(&sshd, &current_user(), ""));
    let action = "upload: { file: keys.after, to: @dir@/authorized_keys }";
    let undo = "cat @dir@/keys.before >@dir@/authorized_keys";
    Scene::of(sshd, &hosts, "{ within: 6s, otherwise: revert }", action, undo)
}

#[test]
fn a_file_that_locks_everybody_out_is_taken_back() {
    let scene = uploads(|_| "# nobody\n".to_owned());
    assert_eq!(scene.run("run").status.code(), Some(22));
    let read = |name: &str| fs::read_to_string(scene.path(name)).unwrap();
    assert_eq!(read("authorized_keys"), read("keys.before"));
    let journal = scene.journal();
    assert!(journal.contains("\"fired\":{\"late\":") && !journal.contains("\"confirmed\""), "{journal}");
    scene.fired_in_time("an uploaded file that locks out");
    assert!(scene.sshd.log_text().contains("authenticating user"), "a login was tried and refused");
}

#[test]
fn a_file_that_lets_the_operator_in_is_confirmed() {
    let before = |sshd: &Sshd| fs::read_to_string(sshd.path("authorized_keys")).unwrap();
    let scene = uploads(|sshd| format!("# as before\n{}", before(sshd)));
    assert_eq!(scene.run("run").status.code(), Some(0));
    assert!(fs::read_to_string(scene.path("authorized_keys")).unwrap().starts_with("# as before"));
    assert_eq!(scene.journal().matches("\"confirmed\":{\"over\"").count(), 1, "{}", scene.journal());
}

#[test]
fn a_dry_run_says_what_would_be_armed_and_arms_nothing() {
    let guard = "{ within: 6s, otherwise: revert, self_test: true, repeat: { every: 1s, for: 4s } }";
    let scene = Scene::new(guard, CUT_NEW, UNCUT);
    let dry = |format: &str| {
        let output = scene.command("run").args(["--dry-run", "--format", format]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let text = dry("text");
    let line = "Guards that would be armed, and are not\n  cut on h1: 6.0s for a fresh connection, otherwise revert: \
                the host runs the undo, confirmed every 1.0s for 4.0s, after a self-test\n";
    assert!(text.contains(line), "{text}");
    let data: serde_json::Value = serde_json::from_str(&dry("json")).unwrap();
    let guards = serde_json::json!([{
        "step": "cut", "host": "h1", "within_ms": 6000, "otherwise": "revert", "self_test": true,
        "repeat_every_ms": 1000, "repeat_for_ms": 4000,
    }]);
    assert_eq!(data["guards"], guards, "{data}");
    // Receipts are where a guard would have left its traces.
    assert!(!scene.path("receipts").exists() && !scene.path("cut").exists() && !scene.path("back").exists());
}
