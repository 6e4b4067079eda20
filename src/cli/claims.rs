//! What phases claim to isolate: refused if it is not so, unless somebody takes that upon themselves.

use crate::cli::args::Choosing;
use crate::cli::dangers::Accepting;
use crate::cli::error::CliError;
use crate::cli::files::Compiled;
use crate::cli::problems;
use crate::drive::people;
use crate::engine::Input;
use crate::model::names::{PhaseId, ZoneName};
use crate::model::place::Span;
use crate::model::problem::Weight;
use crate::model::{Problem, Problems, Runbook};
use crate::reach::Outlook;
use crate::report::reach::{BrokenClaim, broken_claims};

/// What problems of this kind are called.
pub const CODE: &str = "open-path";

/// How the ways of a site look with this plan.
pub fn outlook(compiled: &Compiled, choosing: &Choosing) -> Outlook {
    let narrowed = choosing.phase.is_some() || choosing.until.is_some();
    Outlook::of_plan(&compiled.inventory, &compiled.plan, narrowed)
}

/// Claims that are not so, each where it was written.
pub fn problems(outlook: &Outlook, runbook: &Runbook) -> Problems {
    let said = |claim: BrokenClaim| {
        let problem = Problem::error(CODE, claim.what);
        let problem = match written_at(runbook, &claim.phase, &claim.zone) {
            Some(span) => problem.at(span),
            None => problem,
        };
        problem.hint(claim.hint)
    };
    Problems(broken_claims(outlook).into_iter().map(said).collect())
}

/// Lets a plan pass whose claims are so. One whose claims are not passes with a warning if somebody accepts that;
/// what is to be put on record comes back.
pub fn pass(
    outlook: &Outlook,
    compiled: &Compiled,
    accepting: &Accepting,
) -> Result<Option<Input>, CliError> {
    let mut found = problems(outlook, &compiled.runbook);
    if found.0.is_empty() {
        return Ok(None);
    }
    let Some(because) = &accepting.accept_open_paths else {
        let how = "`--accept-open-paths REASON` goes on all the same, and keeps the reason";
        for problem in &mut found.0 {
            problem.hint = problem.hint.take().map(|hint| format!("{hint}\n{how}"));
        }
        return Err(CliError::Unsafe(found, compiled.sources.clone()));
    };
    let zones: Vec<String> =
        outlook.broken().map(|(claim, _)| format!("`{}`", outlook.site.zone_name(claim.zone))).collect();
    found.0.iter_mut().for_each(|problem| problem.weight = Weight::Warning);
    problems::print(&found, &compiled.sources);
    Ok(Some(Input::RiskAccepted {
        what: format!("paths into {} stay open", zones.join(", ")),
        by: people::who(),
        because: because.clone(),
    }))
}

fn written_at(runbook: &Runbook, phase: &PhaseId, zone: &ZoneName) -> Option<Span> {
    let phase = runbook.phases.iter().find(|other| other.id.value == *phase)?;
    phase.isolates.iter().find(|other| other.value == *zone).map(|zone| zone.span)
}
