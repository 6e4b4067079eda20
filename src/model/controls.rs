//! Controls of well-known frameworks that runs of blackstart can speak to, and what each asks for.
//!
//! Nothing here is quoted: every sentence is a summary in words of our own, and a control is more than its summary. Ids
//! are given where a framework numbers its own requirements in a way that is stable and public (NIST CSF 2.0, NERC
//! CIP-009, the articles of DORA); elsewhere (CISA's CI Fortify, the Japanese government's common standards and the notice
//! of its National Cybersecurity Office of 18 May 2026) a topic is named and no clause, and the id is ours.

use super::every::Every;

/// A control, or a topic of guidance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Control {
    /// What a policy calls it.
    pub id: &'static str,
    /// The framework it belongs to.
    pub framework: &'static str,
    /// What it asks for, in words of our own.
    pub asks: &'static str,
    /// What runs can show of it.
    pub shown_by: &'static [Ask],
    /// The longest time between two of them that the framework itself allows.
    pub every: Option<Every>,
}

/// What runs can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ask {
    /// Runbooks are rehearsed as the policy says.
    Rehearsed,
    /// Runbooks are rehearsed on real hosts, as the policy says.
    Exercised,
    /// Things are restored as the policy says.
    Restored,
    /// Backups and other things are verified as the policy says.
    Verified,
    /// After-action items are closed in time.
    Improved,
    /// Objectives are met.
    Objectives,
    /// Cuts are made, and probes prove them.
    Isolated,
    /// Journals are whole.
    Records,
    /// Files of evidence are as they were when they came.
    Evidence,
    /// Who decided what is on record.
    Decisions,
}

const CSF: &str = "NIST CSF 2.0";
const FORTIFY: &str = "CISA CI Fortify";
const CIP: &str = "NERC CIP-009";
const DORA: &str = "DORA, Regulation (EU) 2022/2554";
const JAPAN: &str =
    "政府機関等のサイバーセキュリティ対策のための統一基準群 (common standards of the Japanese government)";
const NCO: &str = "国家サイバー統括室 (NCO), notice of 18 May 2026";

const fn control(
    id: &'static str,
    framework: &'static str,
    shown_by: &'static [Ask],
    every: Option<Every>,
    asks: &'static str,
) -> Control {
    Control { id, framework, asks, shown_by, every }
}

/// All that are known, by framework.
pub const CONTROLS: &[Control] = &[
    control(
        "RC.RP-01",
        CSF,
        &[Ask::Exercised, Ask::Decisions],
        None,
        "The recovery part of the incident response plan is carried out once it is called for.",
    ),
    control(
        "RC.RP-02",
        CSF,
        &[Ask::Exercised, Ask::Objectives],
        None,
        "Recovery actions are selected, scoped, put in order and performed.",
    ),
    control(
        "RC.RP-03",
        CSF,
        &[Ask::Verified],
        None,
        "Backups and other restoration assets are checked for integrity before they are used.",
    ),
    control(
        "RC.RP-04",
        CSF,
        &[Ask::Objectives, Ask::Restored],
        None,
        "Critical functions and risk decide what normal operation after an incident is to be.",
    ),
    control(
        "RC.RP-05",
        CSF,
        &[Ask::Restored],
        None,
        "Restored assets are checked, services are restored, and normal operation is confirmed.",
    ),
    control(
        "RC.RP-06",
        CSF,
        &[Ask::Exercised, Ask::Decisions, Ask::Records],
        None,
        "The end of recovery is declared by criteria, and the documentation is completed.",
    ),
    control(
        "RS.AN-06",
        CSF,
        &[Ask::Records, Ask::Decisions],
        None,
        "What is done during an investigation is recorded; integrity and provenance of the records are preserved.",
    ),
    control(
        "RS.AN-07",
        CSF,
        &[Ask::Evidence, Ask::Records],
        None,
        "Incident data is collected; its integrity and provenance are preserved.",
    ),
    control(
        "ID.IM-02",
        CSF,
        &[Ask::Rehearsed, Ask::Improved],
        None,
        "Improvements are found by tests and exercises.",
    ),
    control(
        "PR.DS-11",
        CSF,
        &[Ask::Verified, Ask::Restored],
        None,
        "Backups of data are made, protected, kept and tested.",
    ),
    control(
        "ci-fortify-isolation",
        FORTIFY,
        &[Ask::Exercised, Ask::Isolated],
        None,
        "Connections to other networks can be cut, and the cut is exercised and proved, while critical services run on.",
    ),
    control(
        "ci-fortify-recovery",
        FORTIFY,
        &[Ask::Exercised, Ask::Restored, Ask::Verified],
        None,
        "Compromised systems are rebuilt quickly from trusted backups while isolated, and that is rehearsed.",
    ),
    control(
        "CIP-009-R2.1",
        CIP,
        &[Ask::Rehearsed],
        Some(Every::months(15)),
        "Each recovery plan is tested at least once every 15 calendar months: by an actual recovery, at a table, or in operation.",
    ),
    control(
        "CIP-009-R2.2",
        CIP,
        &[Ask::Verified, Ask::Restored],
        Some(Every::months(15)),
        "A sample of the information that recovery needs is tested at least once every 15 calendar months.",
    ),
    control(
        "CIP-009-R2.3",
        CIP,
        &[Ask::Exercised],
        Some(Every::months(36)),
        "Each recovery plan is tested in an operational exercise, or by an actual recovery, at least once every 36 calendar months.",
    ),
    control(
        "CIP-009-R3.1",
        CIP,
        &[Ask::Improved],
        Some(Every::days(90)),
        "Within 90 calendar days after a test or an actual recovery, lessons are written down and the plan is updated.",
    ),
    control(
        "DORA-11",
        DORA,
        &[Ask::Rehearsed, Ask::Objectives, Ask::Decisions],
        Some(Every::months(12)),
        "Article 11, response and recovery: continuity and recovery plans are tested at least every year.",
    ),
    control(
        "DORA-12",
        DORA,
        &[Ask::Verified, Ask::Restored, Ask::Objectives],
        None,
        "Article 12, backup and restoration: backup and restoration procedures are tested, and recovery objectives are kept.",
    ),
    control(
        "jp-common-backup",
        JAPAN,
        &[Ask::Verified, Ask::Restored],
        None,
        "バックアップ: backups are taken, kept safe, and it is confirmed that they can be restored.",
    ),
    control(
        "jp-common-incident",
        JAPAN,
        &[Ask::Rehearsed, Ask::Decisions],
        None,
        "インシデント対処: procedures for incidents are prepared and exercised, and who decides is settled.",
    ),
    control(
        "jp-common-continuity",
        JAPAN,
        &[Ask::Rehearsed, Ask::Objectives],
        None,
        "情報システムの運用継続計画: plans for going on with information systems are prepared and exercised.",
    ),
    control(
        "jp-common-records",
        JAPAN,
        &[Ask::Records, Ask::Evidence],
        None,
        "ログ・証跡: records are kept, and they are protected against alteration.",
    ),
    control(
        "jp-common-audit",
        JAPAN,
        &[Ask::Records, Ask::Improved],
        None,
        "監査・改善: the state of implementation is audited, and what is found is mended.",
    ),
    control(
        "jp-nco-isolation-recovery",
        NCO,
        &[Ask::Exercised, Ask::Isolated, Ask::Restored],
        None,
        "Isolation and recovery: plans and procedures are written and drilled; their implementation is seen in audits.",
    ),
];

/// A control by its id.
pub fn control_named(id: &str) -> Option<&'static Control> {
    CONTROLS.iter().find(|control| control.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_control_has_a_name_of_its_own_and_asks_for_something() {
        let ids: BTreeSet<&str> = CONTROLS.iter().map(|control| control.id).collect();
        assert_eq!(ids.len(), CONTROLS.len());
        for control in CONTROLS {
            assert!(!control.shown_by.is_empty() && control.asks.ends_with('.'), "{}", control.id);
            assert!(
                control.id.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c)),
                "{}",
                control.id
            );
        }
    }
}
