//! What must hold before a step may start, as people read it in a plan.

use super::escape::line;
use super::plan_step::INDENT;
use super::plan_text::{Page, about};
use crate::model::runbook::Approve;
use crate::plan::frozen::{Plan, PlannedStep};
use console::Style;

/// Whose consent, what evidence, which moments.
pub(super) fn gates(plan: &Plan, step: &PlannedStep, page: &mut Page<'_>) {
    if let Some(after) = step.after {
        let words = format!("at least {} after {}", about(after.at_least), plan.steps[after.step.at()].id);
        page.field(INDENT, "waits", &words);
    }
    if let Some(deadline) = step.deadline {
        let from = match deadline.from {
            None => "the run began".to_owned(),
            Some(step) => format!("{} ended", plan.steps[step.at()].id),
        };
        page.field(
            INDENT,
            "deadline",
            &format!("starts within {} after {from}, or not at all", about(deadline.within)),
        );
    }
    if !step.evidence.is_empty() {
        let steps: Vec<&str> = step.evidence.iter().map(|step| plan.steps[step.at()].id.as_str()).collect();
        page.field(INDENT, "evidence", &format!("what {} brought must be here, unaltered", steps.join(", ")));
    }
    if let Some(approve) = &step.approve {
        let words = format!("starts when {}", consent(approve));
        page.field(INDENT, "GATE", &page.look.paint(Style::new().yellow().bold(), &words));
    }
}

/// `2 people consent with a signature, each counts for 30m: alice@example.org, bob@example.org`.
fn consent(approve: &Approve) -> String {
    let mut words = match approve.people {
        1 => "1 person consents".to_owned(),
        people => format!("{people} people consent"),
    };
    if approve.signed {
        words.push_str(" with a signature");
    }
    if let Some(within) = approve.within {
        words.push_str(&format!(", which counts for {}", about(within)));
    }
    if !approve.by.is_empty() {
        let who: Vec<String> = approve.by.iter().map(|name| line(name)).collect();
        words.push_str(&format!("; of {}", who.join(", ")));
    }
    words
}
