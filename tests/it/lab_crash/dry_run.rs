//! A dry run looks at every host and leaves no trace on any.

use super::{Desk, Lab};

#[test]
fn a_dry_run_changes_nothing_anywhere() {
    let lab = Lab::raise();
    lab.compromise();
    // The implant's own traces would differ from look to look.
    lab.reset(&["office-pc", "vendor", "internet"]);
    let desk = Desk::new(&lab, "dry");
    let runbook = Lab::runbook("isolate-and-restore.yaml");
    let before = lab.fingerprint(&[]);
    let said = desk.run(&desk.begin(&runbook, &["-e", "incident=DRY", "--dry-run"])).is(0);
    assert!(said.out.contains("cut-provider") && said.out.contains("would run"), "{said}");
    assert_eq!(lab.fingerprint(&[]), before, "files, rules, services and rows are as before");
    assert!(desk.dir().is_none(), "a dry run is no run");
    // The same look sees what a real run changes.
    desk.run(&desk.begin(&runbook, &["-e", "incident=WET", "--until", "isolate"])).is(0);
    assert_ne!(lab.fingerprint(&[]), before);
}
