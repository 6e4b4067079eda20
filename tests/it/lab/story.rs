//! The shipped runbooks, carried out on the site they are for.

use super::{Lab, SiteState};
use std::path::Path;
use std::process::{Command, Output};

fn ended(mut command: Command) -> Output {
    command.output().expect("blackstart can be started")
}

/// `blackstart VERB RUNBOOK -i … REST`, which must end with this exit code.
fn carry_out(lab: &Lab, exit: i32, verb: &str, runbook: &str, rest: &[&str]) -> String {
    let (runbook, inventory) = (Lab::runbook(runbook), lab.inventory());
    let mut command = lab.blackstart(&[verb]);
    command.arg(runbook).arg("-i").arg(inventory).args(rest).env("PORTAL_PASSWORD", PASSWORD);
    let output = ended(command);
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{said}\n{}", lab.dir().display());
    said
}

/// With every character that a shell, SQL or a .pgpass file could stumble over.
const PASSWORD: &str = r#"a'b"c:d\e$f `g` %h"#;

#[test]
fn a_compromised_site_is_isolated_and_restored() {
    let lab = Lab::raise();
    lab.compromise();
    let before = lab.fingerprint(&[]);
    let story = ["-e", "incident=INC-7"];
    carry_out(&lab, 0, "run", "isolate-and-restore.yaml", &[&story[..], &["--dry-run"]].concat());
    assert_eq!(before, lab.fingerprint(&[]), "a dry run changes nothing");
    lab.proof(SiteState::Compromised).unwrap_or_else(|seen| panic!("{seen}"));

    let said = carry_out(&lab, 0, "run", "isolate-and-restore.yaml", &[&story[..], &["--yes"]].concat());
    lab.proof(SiteState::Recovered).unwrap_or_else(|seen| panic!("{seen}\n{said}"));
    let verified = ended(lab.blackstart(&["verify"]));
    assert!(verified.status.success(), "{verified:?}");
    // The damaged database is evidence, and still there.
    let databases =
        lab.ok("db1", "cd / && runuser -u postgres -- psql -XAtqc 'select datname from pg_database'");
    assert!(databases.lines().any(|name| name == "tampered_INC-7"), "{databases}");

    // Once more finds the cuts made and the records in place, and harms nothing.
    carry_out(&lab, 0, "run", "isolate-and-restore.yaml", &[&story[..], &["--yes"]].concat());
    lab.proof(SiteState::Recovered).unwrap_or_else(|seen| panic!("{seen}"));
}

#[test]
fn a_backup_that_does_not_fit_its_manifest_is_not_restored_and_the_cut_stays() {
    let lab = Lab::raise();
    lab.compromise();
    let bad =
        "cp -r /srv/backups /srv/bad && echo x >>/srv/bad/records.dump && mount --bind /srv/bad /srv/backups";
    lab.ok("backup", bad);
    let run = ["--yes", "-e", "incident=INC-7"];
    let said = carry_out(&lab, 20, "run", "isolate-and-restore.yaml", &run);
    assert!(said.contains("check-backup"), "{said}");
    let databases =
        lab.ok("db1", "cd / && runuser -u postgres -- psql -XAtqc 'select datname from pg_database'");
    assert!(
        databases.lines().all(|name| !name.starts_with("tampered") && name != "records_restored"),
        "{databases}"
    );
    lab.ok("app1", "/srv/service status records-app");
    assert!(!lab.reaches("office-pc", "http://203.0.113.10:443/"), "what was cut stays cut");
    assert!(!lab.reaches("vendor", "http://10.20.0.4:8080/alive"), "what was cut stays cut");
}

#[test]
fn a_rotated_password_works_and_is_written_down_nowhere() {
    let lab = Lab::raise();
    let said = carry_out(&lab, 0, "run", "rotate-portal-password.yaml", &["--yes"]);
    lab.proof(SiteState::Healthy).unwrap_or_else(|seen| panic!("{seen}"));
    let old = "psql -XAtqw -h 10.20.0.5 -U records -d records -c 'select 1'";
    assert!(!lab.on("vendor", old).status.success(), "the stolen password opens nothing any more");
    assert!(!said.contains(PASSWORD), "{said}");
    let (mut found, mut files) = (Vec::new(), 0);
    let mut left = vec![lab.work()];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(entries(&path));
        } else if let Ok(bytes) = std::fs::read(&path) {
            files += 1;
            // As it is, and as JSON writes it.
            let json = serde_json::to_string(PASSWORD).expect("text is JSON");
            let needles = [PASSWORD.as_bytes(), json.trim_matches('"').as_bytes()];
            if needles.iter().any(|needle| bytes.windows(needle.len()).any(|window| window == *needle)) {
                found.push(path);
            }
        }
    }
    assert!(files > 2, "the run was kept");
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn looking_around_collects_evidence_and_touches_nothing() {
    let lab = Lab::raise();
    let before = lab.fingerprint(&[]);
    carry_out(&lab, 0, "run", "look-around.yaml", &["--yes"]);
    assert_eq!(before, lab.fingerprint(&[]));
    let mut evidence = Vec::new();
    let mut left = vec![lab.work()];
    while let Some(path) = left.pop() {
        if path.is_dir() { left.extend(entries(&path)) } else { evidence.push(path) }
    }
    let named = |name: &str| evidence.iter().filter(|path| path.to_string_lossy().contains(name)).count();
    assert!(named("rules.nft") >= 3 && named("sessions.txt") >= 8, "{evidence:?}");
}

fn entries(path: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(path).expect("the test's directory can be read");
    entries.map(|entry| entry.expect("it can be listed").path()).collect()
}
