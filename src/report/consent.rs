//! What somebody is asked to consent to, as they read it before they sign. All of it comes from the plan, whose hash is
//! signed; the rest says who asks.

use super::escape::line;
use super::look::Look;
use super::plan_step;
use super::plan_text::{HASH_SHOWN, Page, counted};
use crate::model::names::{RunId, StepIx};
use crate::plan::Plan;

/// Who asks, and what for.
#[derive(Debug, Clone, Copy)]
pub struct Consent<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Its hash.
    pub hash: &'a str,
    /// The run.
    pub run: &'a RunId,
    /// Who started it.
    pub started_by: &'a str,
    /// The step that is to start.
    pub step: StepIx,
    /// Who has consented so far.
    pub given: &'a [String],
}

/// The question with everything there is to know before one says yes.
pub fn consent(asked: &Consent<'_>, look: &Look) -> String {
    let Consent { plan, hash, run, started_by, step, given } = *asked;
    let mut page = Page::new(look);
    let id = plan.steps[step.at()].id.as_str();
    page.line(0, &format!("May `{}` start?", look.bold(id)));
    page.blank();
    page.field(FIELDS, "runbook", &format!("{} on {}", line(&plan.runbook), line(&plan.inventory)));
    page.field(FIELDS, "plan", &hash[..HASH_SHOWN.min(hash.len())]);
    page.field(FIELDS, "run", &format!("{}, started by {}", line(run.as_str()), line(started_by)));
    let phase = &plan.phases[plan.steps[step.at()].phase.at()];
    let place = format!("{}, step {} of {}", phase.id, step.0 + 1, counted(plan.steps.len(), "step"));
    page.field(FIELDS, "phase", &place);
    if !given.is_empty() {
        let who: Vec<String> = given.iter().map(|name| line(name)).collect();
        page.field(FIELDS, "consented", &who.join(", "));
    }
    page.blank();
    plan_step::step(plan, step, false, true, &mut page);
    page.done()
}

/// Where the fields stand.
const FIELDS: usize = 2;
