//! The words of guards, and the scripts as they are sent.

use super::*;
use crate::model::event::JobKind;
use crate::model::names::RunId;
use crate::transport::work::Claim;

#[test]
fn answers_read_as_the_host_writes_them() {
    assert_eq!(GuardSays::read("confirmed"), Some(GuardSays::Confirmed));
    assert_eq!(GuardSays::read("more 6000"), Some(GuardSays::Armed { left: Millis(60_000) }));
    assert_eq!(GuardSays::read("armed -3"), None);
    assert_eq!(GuardSays::read("expired 42"), Some(GuardSays::Expired { late: Millis(420) }));
    let fired = |undo| Some(GuardSays::Fired { late: Millis(10), undo });
    assert_eq!(GuardSays::read("fired 1 0"), fired(Outcome::Succeeded));
    assert_eq!(GuardSays::read("fired 1 3"), fired(Outcome::from_exit(3)));
    assert!(matches!(
        GuardSays::read("fired 1 idle"),
        Some(GuardSays::Fired { undo: Outcome::NotStarted { .. }, .. })
    ));
    assert!(matches!(
        GuardSays::read("fired 1 vanished"),
        Some(GuardSays::Fired { undo: Outcome::Unknown { .. }, .. })
    ));
    assert_eq!(GuardSays::read("fired 1"), None);
    assert_eq!(
        GuardSays::read("lost the host restarted"),
        Some(GuardSays::Lost { because: "the host restarted".into() })
    );
    assert_eq!(
        GuardSays::read("gone its host has no record of it"),
        Some(GuardSays::Untold { because: "its host has no record of it".into() })
    );
    let armed = read_armed("armed detached 5998 21", Otherwise::Revert);
    assert!(matches!(armed, Some(GuardSeen::Armed { tested: Some(Millis(210)), left: Millis(59_980), .. })));
    let untested = read_armed("armed systemd 5998 -1", Otherwise::Hold);
    assert!(matches!(
        untested,
        Some(GuardSeen::Armed { held_by: HeldBy::Systemd, otherwise: Otherwise::Hold, tested: None, .. })
    ));
}

#[test]
fn the_last_answer_counts_whatever_is_printed_before() {
    let mut said = Said::default();
    said.out(b"guard refused no\nmotd\nguard armed detached 1 -1\n");
    assert_eq!(said.answer().as_deref(), Some("armed detached 1 -1"));
}

/// No undo, whatever is in it, can end the quotes it is sent in, and no comment is sent.
#[test]
fn the_text_that_arms_holds_all_that_the_host_needs() {
    let claim = |kind, attempt| Claim { run: RunId("r".into()), task: "0-cut".into(), kind, attempt };
    let undo = Secret::new("echo 'it''s'\n# no comment of ours\n".to_owned());
    let order = ArmOrder {
        claim: &claim(JobKind::Arm, 2),
        guards: &claim(JobKind::Run, 3),
        otherwise: Otherwise::Revert,
        within: Millis(60_000),
        undo: Some(&undo),
        limit: Millis(5_000),
        self_test: true,
        privileged: false,
    };
    let text = arming(&order, "/root/.blackstart/r", None, SYSTEMD);
    for line in
        ["g_n='2'\n", "g_run='0-cut.run.3'\n", "g_how='revert'\n", "g_within='6000'\n", "g_limit='500'\n"]
    {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(text.contains("0-cut.arm.2.test.mark"), "{text}");
    assert!(!text.contains("# Arms a guard"), "{text}");
}
