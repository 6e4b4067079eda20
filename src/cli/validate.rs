//! `blackstart validate`: every problem of the files at once.

use crate::cli::args::{Format, Input};
use crate::cli::dangers::Dangers;
use crate::cli::error::{CliError, Exit};
use crate::cli::{claims, files, printer, problems, trial};
use crate::model::{Inventory, Problems, Runbook};
use crate::plan::Plan;
use crate::reach::Outlook;
use crate::report::words::so_many;
use clap::Args;

/// Find every problem in a runbook and an inventory.
#[derive(Debug, Args)]
pub struct Verb {
    #[command(flatten)]
    input: Input,
    /// json: the problems as an array on stdout.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Reads both files, compiles them with stand-ins for parameters, and says what is wrong whatever these will be.
pub fn carry_out(verb: &Verb) -> Result<Exit, CliError> {
    let (mut problems, sources, summary, dangers) = match files::read(&verb.input) {
        Ok(read) => {
            let mut problems = read.problems;
            let uploads = files::uploads(&verb.input.runbook);
            let (more, plan) = trial::problems(&read.inventory, &read.runbook, &uploads);
            problems.extend(more);
            let dangers = plan.filter(|_| !problems.any_error()).map(|plan| (Dangers::of(&plan), plan));
            if let Some((_, plan)) = &dangers {
                // As far as it is known: a cut that hangs on a parameter makes no claim wrong.
                let ways = Outlook::of_plan(&read.inventory, plan, true);
                problems.extend(claims::problems(&ways, &read.runbook));
            }
            let summary = (!problems.any_error()).then(|| summary(verb, &read.inventory, &read.runbook));
            (problems, read.sources, summary, dangers)
        }
        Err(CliError::Problems(problems, sources)) => (problems, sources, None, None),
        Err(other) => return Err(other),
    };
    match (verb.format, &dangers) {
        (Format::Json, dangers) => {
            if let Some((dangers, plan)) = dangers {
                problems.extend(Problems(dangers.problems(plan)));
            }
            printer::json(&problems::json(&problems, &sources))?;
        }
        (Format::Text, dangers) => {
            problems::print(&problems, &sources);
            if let Some((dangers, plan)) = dangers {
                dangers.say(plan);
            }
            if let Some(summary) = summary.filter(|_| !is_dangerous(dangers)) {
                printer::data(&summary)?;
            }
        }
    }
    let broken = problems.0.iter().any(|problem| problem.code == claims::CODE);
    Ok(match broken || is_dangerous(&dangers) {
        true => Exit::Unsafe,
        false if problems.any_error() => Exit::Problems,
        false => Exit::Completed,
    })
}

fn is_dangerous(dangers: &Option<(Dangers, Plan)>) -> bool {
    dangers.as_ref().is_some_and(|(dangers, _)| dangers.any())
}

fn summary(verb: &Verb, inventory: &Inventory, runbook: &Runbook) -> String {
    let steps: usize = runbook.phases.iter().map(|phase| phase.steps.len()).sum();
    format!(
        "{}: {}, {}; {}: {}; no problems",
        verb.input.runbook.display(),
        so_many(runbook.phases.len(), "phase"),
        so_many(steps, "step"),
        verb.input.inventory.display(),
        so_many(inventory.hosts.len(), "host")
    )
}
