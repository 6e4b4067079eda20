//! `blackstart validate`: every problem of the files at once.

use crate::cli::args::{Format, Input};
use crate::cli::error::{CliError, Exit};
use crate::cli::{files, printer, problems, trial};
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
    let (problems, sources, summary) = match files::read(&verb.input) {
        Ok(read) => {
            let mut problems = read.problems;
            problems.extend(trial::problems(
                &read.inventory,
                &read.runbook,
                &files::uploads(&verb.input.runbook),
            ));
            let steps: usize = read.runbook.phases.iter().map(|phase| phase.steps.len()).sum();
            let (phases, hosts) = (read.runbook.phases.len(), read.inventory.hosts.len());
            let summary = format!(
                "{}: {}, {}; {}: {}; no problems",
                verb.input.runbook.display(),
                so_many(phases, "phase"),
                so_many(steps, "step"),
                verb.input.inventory.display(),
                so_many(hosts, "host")
            );
            let summary = (!problems.any_error()).then_some(summary);
            (problems, read.sources, summary)
        }
        Err(CliError::Problems(problems, sources)) => (problems, sources, None),
        Err(other) => return Err(other),
    };
    match verb.format {
        Format::Json => printer::json(&problems::json(&problems, &sources))?,
        Format::Text => {
            problems::print(&problems, &sources);
            if let Some(summary) = summary {
                printer::data(&summary)?;
            }
        }
    }
    Ok(if problems.any_error() { Exit::Problems } else { Exit::Completed })
}
