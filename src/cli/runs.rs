//! `blackstart runs`: every run of the store, broken ones too.

use crate::cli::args::{Args, Format};
use crate::cli::error::{CliError, Exit};
use crate::cli::{files, printer};
use crate::journal::{Status, Store, Summary};
use crate::report::runs::{Row, Standing, runs, runs_json};

/// List all runs.
#[derive(Debug, clap::Args)]
pub struct Verb {
    /// json: the same as an array on stdout.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Prints the list, oldest first: the newest stands next to where one types.
pub fn carry_out(verb: &Verb, args: &Args) -> Result<Exit, CliError> {
    let store = files::store(args)?;
    let rows =
        store.list()?.into_iter().map(|summary| row(&store, summary)).collect::<Result<Vec<_>, _>>()?;
    match verb.format {
        Format::Json => printer::json(&runs_json(&rows))?,
        Format::Text => printer::data(&runs(&rows, &printer::look_of_stdout(args)))?,
    }
    Ok(Exit::Completed)
}

fn row(store: &Store, summary: Summary) -> Result<Row, CliError> {
    Ok(Row {
        run: files::short_id(store, &summary.id)?,
        id: summary.id,
        runbook: summary.runbook,
        inventory: summary.inventory,
        mode: summary.mode,
        by: summary.by,
        started: summary.started,
        last: summary.last,
        standing: match summary.status {
            Status::NeverStarted => Standing::NeverStarted,
            Status::Running { pid } => Standing::Running { pid },
            Status::Interrupted => Standing::Interrupted,
            Status::Ended(verdict) => Standing::Ended(verdict),
            Status::Broken { because } => Standing::Broken { because },
        },
        tasks: summary.tasks.planned,
        well: summary.tasks.done + summary.tasks.already_so,
        failed: summary.tasks.failed,
    })
}
